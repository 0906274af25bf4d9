"""_include and _revinclude bring what belongs to a page, inside the scope."""

from __future__ import annotations

import pytest

from tests.record import EAST, WEST, Record, patient, weight
from xinglin.base.errors import IncorrectError


@pytest.fixture(scope="module", autouse=True)
async def two_towns(record: Record) -> None:
    outcomes = await record.put(patient("ie", generalPractitioner=[{"reference": "Practitioner/gp"}]), patient("iw"))
    await record.settle(8001, outcomes[0].rid, EAST[0])
    await record.settle(8002, outcomes[1].rid, WEST[0])
    await record.put(
        {"resourceType": "Practitioner", "id": "gp"},
        *(weight(f"i{n}", "ie" if n % 2 else "iw", 60, "2026-01-01") | {"performer": [{"reference": "Practitioner/gp"}]} for n in range(6)),
    )


async def included(record: Record, rtype: str, *query: tuple[str, str], who: str = "house") -> list[str]:
    """Return the ids of what a search includes."""
    page = await record.store.search(getattr(record, who), rtype, query)
    return [entry.id for entry in page.included]


async def test_what_a_page_refers_to_comes_once(record: Record) -> None:
    assert await included(record, "Observation", ("_include", "Observation:subject"), ("_include", "Observation:performer")) == [
        "ie",
        "iw",
        "gp",
    ]
    assert await included(record, "Observation", ("_include", "Observation:performer:Organization")) == []
    assert await included(record, "Patient", ("_id", "ie"), ("_include", "Patient:general-practitioner")) == ["gp"]


async def test_what_refers_to_a_page_comes_too(record: Record) -> None:
    assert await included(record, "Patient", ("_id", "ie"), ("_revinclude", "Observation:subject")) == ["i1", "i3", "i5"]
    assert await included(record, "Practitioner", ("_id", "gp"), ("_revinclude", "Observation:performer")) == [f"i{n}" for n in range(6)]
    assert await included(record, "Patient", ("_id", "none"), ("_revinclude", "Observation:subject")) == []


async def test_what_the_scope_hides_is_not_included(record: Record) -> None:
    assert await included(record, "Practitioner", ("_id", "gp"), ("_revinclude", "Observation:performer"), who="east") == ["i1", "i3", "i5"]
    assert await included(record, "Practitioner", ("_id", "gp"), ("_revinclude", "Patient:general-practitioner"), who="west") == []


async def test_totals_do_not_count_what_is_included(record: Record) -> None:
    page = await record.store.search(record.house, "Patient", [("_id", "ie"), ("_revinclude", "Observation:subject")])
    assert (page.total, len(page.entries), len(page.included)) == (1, 1, 3)


async def test_what_is_no_reference_is_refused(record: Record) -> None:
    for wish in ("Observation:code", "Klingon:subject", "Observation", "*"):
        for name in ("_include", "_revinclude"):
            with pytest.raises(IncorrectError) as refused:
                await record.store.search(record.house, "Patient", [(name, wish)])
            assert refused.value.where == name
