"""A person's rows from the record: what definitions read of the full rows, made once per version."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.district import followup, open_district, resident, send
from tests.generative.made_people import read_alone
from xinglin.assembly import Platform
from xinglin.definitions import Reads, shipped_catalogue
from xinglin.engines.lake import fact_of, load_views, rows_of
from xinglin.engines.rules import KeptRows, StoreRecord

READS = shipped_catalogue().reads


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as found:
        readings = [
            _reading(n, *code) for n, code in enumerate([*_PRESSURES, ("http://loinc.org", "14771-0"), ("http://loinc.org", "29463-7")])
        ]
        await send(found, *readings, _medicine(), *followup(1, "2026-11-12", (150, 94)), message_id="readings")
        yield found


_PRESSURES = [("http://loinc.org", "85354-9"), ("http://loinc.org", "55284-4"), ("urn:other", "85354-9")]


def _reading(number: int, system: str, code: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": f"reading-{number}", "status": "final", "code": {"coding": [{"system": system, "code": code}]},
        "subject": {"reference": "Patient/p1"}, "effectiveDateTime": f"2026-11-0{number + 1}T08:00:00+08:00",
        "valueQuantity": {"value": 7.5, "unit": "mmol/L"},
    }  # fmt: skip


def _medicine() -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement", "id": "medicine", "status": "active", "subject": {"reference": "Patient/p1"},
        "medicationCodeableConcept": {"text": "药"},
    }  # fmt: skip


class _Numbers:
    def __init__(self, platform: Platform) -> None:
        self.rids = platform.store.rids


async def _person(platform: Platform, name: str = "李测一") -> int:
    async with platform.database.connection() as connection:
        found: int = await connection.fetchval(
            "select l.person from person_link l join patient_key k using (patient) where k.name = $1 and l.to_seq is null", name
        )
    return found


async def _every_row(platform: Platform, person: int) -> dict[str, list[dict[str, Any]]]:
    bodies = await platform.store.person_bodies(platform.security.system_scope(), person)
    views = load_views(platform.clock.zone)
    return await rows_of(views, [fact_of(body, platform.settings.site) for body in bodies], _Numbers(platform))


def _sorted(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {table: sorted(of_table, key=str) for table, of_table in rows.items()}


def _record(platform: Platform) -> StoreRecord:
    return StoreRecord(platform.store, platform.clock.zone, platform.settings.site)


async def test_they_are_those_of_the_full_rows_that_definitions_read(platform: Platform) -> None:
    person, record = await _person(platform), _record(platform)
    every = await _every_row(platform, person)
    found, _ = await record.person_rows(platform.security.system_scope(), person, READS)
    assert _sorted(found) == _sorted(read_alone(every, READS))
    assert len(found["blood_pressure"]) == 2 and len(found["measurement"]) == 1 and found["answer"]
    assert len(every["measurement"]) > 1 and every["medication"] and len(every["answer"]) > len(found["answer"])


async def test_they_are_the_same_a_second_time_and_new_after_a_new_version(platform: Platform) -> None:
    person, record, scope = await _person(platform), _record(platform), platform.security.system_scope()
    first, _ = await record.person_rows(scope, person, READS)
    second, _ = await record.person_rows(scope, person, READS)
    assert second == first
    changed = _reading(3, "http://loinc.org", "14771-0") | {"valueQuantity": {"value": 9.5, "unit": "mmol/L"}}
    await send(platform, changed, message_id="changed")
    third, seq = await record.person_rows(scope, person, READS)
    assert [row["value"] for row in third["measurement"]] == [9.5]
    assert third["measurement"][0]["seq"] <= seq
    assert _sorted(third) == _sorted(read_alone(await _every_row(platform, person), READS))


async def test_other_reads_make_other_rows(platform: Platform) -> None:
    person, record, scope = await _person(platform), _record(platform), platform.security.system_scope()
    await record.person_rows(scope, person, READS)
    wide = Reads(frozenset({"measurement", "medication", "patient"}), frozenset())
    found, _ = await record.person_rows(scope, person, wide)
    every = await _every_row(platform, person)
    assert _sorted(found) == _sorted(read_alone(every, wide))
    back, _ = await record.person_rows(scope, person, READS)
    assert _sorted(back) == _sorted(read_alone(every, READS))


async def test_few_versions_are_kept(platform: Platform) -> None:
    person, scope = await _person(platform), platform.security.system_scope()
    record = StoreRecord(platform.store, platform.clock.zone, platform.settings.site, KeptRows(3))
    for _ in range(2):
        found, _ = await record.person_rows(scope, person, READS)
        assert _sorted(found) == _sorted(read_alone(await _every_row(platform, person), READS))
    assert len(record.kept) == 3


async def test_a_form_that_was_opened_finds_the_record_read(platform: Platform) -> None:
    person = await _person(platform)
    await platform.rules.look_ahead(person)
    results = await platform.rules.evaluate_person(person, platform.clock.today())
    again = await platform.rules.evaluate_person(person, platform.clock.today())
    assert [orjson.dumps(one.state) for one in results] == [orjson.dumps(one.state) for one in again]


async def test_who_was_erased_and_comes_again_has_rows_of_the_new_record(platform: Platform) -> None:
    record, scope, name = _record(platform), platform.security.system_scope(), "钱测再"
    await send(platform, resident(77, name, 420999101201, "E1"), *followup(77, "2026-11-12", (150, 90)), message_id="once")
    person = await _person(platform, name)
    first, _ = await record.person_rows(scope, person, READS)
    assert first["patient"][0]["sex"] == "2" and first["patient"][0]["ver"] == 1
    await platform.erasure.erase(scope, person, "本人申请")
    later = followup(77, "2026-11-12", (128, 76))
    later[0]["status"] = "cancelled"
    await send(platform, resident(77, name, 420999101201, "E1", gender="male"), *later, message_id="again")
    again = await _person(platform, name)
    second, _ = await record.person_rows(scope, again, READS)
    assert second["patient"][0]["sex"] == "1" and second["patient"][0]["ver"] == 1
    assert _sorted(second) == _sorted(read_alone(await _every_row(platform, again), READS))
