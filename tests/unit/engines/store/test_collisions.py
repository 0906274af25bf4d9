"""Hashes cut to four bits collide all the time; identity, conditions and references are still answered right."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.record import Record, open_record, patient, weight
from xinglin.engines.security import InstallationSecrets


@pytest.fixture(scope="module")
async def colliding(database_url: str, secrets: InstallationSecrets) -> AsyncIterator[Record]:
    async with open_record(database_url, secrets, token_bits=4) as opened:
        await opened.put(
            *(
                patient(f"p{n}", identifier=[{"system": "urn:n", "value": str(n)}], telecom=[{"system": "phone", "value": "1"}])
                for n in range(40)
            ),
            *(weight(f"w{n}", f"p{n % 3}", 60 + n, "2026-01-01") | {"performer": [{"reference": f"Practitioner/d{n}"}]} for n in range(40)),
        )
        yield opened


async def test_an_identifier_finds_its_bearer_alone(colliding: Record) -> None:
    for number in range(40):
        assert await colliding.found("Patient", ("identifier", f"urn:n|{number}")) == [f"p{number}"]
        assert await colliding.found("Patient", ("identifier", f"{number}"), ("telecom", "1")) == [f"p{number}"]
    assert await colliding.found("Patient", ("identifier", "urn:n|41")) == []


async def test_a_condition_matches_its_bearer_alone(colliding: Record) -> None:
    async with colliding.database.transaction() as connection:
        for number in range(40):
            found = await colliding.store.match(connection, colliding.house, "Patient", [("identifier", f"urn:n|{number}")])
            assert [each.id for each in found] == [f"p{number}"]


async def test_a_reference_finds_what_refers_to_it_alone(colliding: Record) -> None:
    for number in range(40):
        assert await colliding.found("Observation", ("performer", f"Practitioner/d{number}")) == [f"w{number}"]
    assert len(await colliding.found("Observation", ("patient", "p1"))) == 13


async def test_a_total_never_counts_a_wrong_hit(colliding: Record) -> None:
    for query in ([("_count", "1")], [("_summary", "count")], [("_total", "accurate"), ("_count", "1")]):
        page = await colliding.store.search(colliding.house, "Patient", [("identifier", "urn:n|7"), *query])
        assert page.total in (1, None)
        assert [entry.id for entry in page.entries] in ([], ["p7"])


async def test_pages_reach_the_end_whatever_the_hashes_say(colliding: Record) -> None:
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = [("performer", "Practitioner/d11,Practitioner/d30"), ("_count", "1")] + ([("_cursor", cursor)] if cursor else [])
        page = await colliding.store.search(colliding.house, "Observation", query)
        found += [entry.id for entry in page.entries]
        cursor = page.next_cursor
    assert found == ["w11", "w30"]
