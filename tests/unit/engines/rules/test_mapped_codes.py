"""A code of another system counts once a steward says what it corresponds to, and only as long as that holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.district import open_district, scope_of, send
from xinglin.assembly import ICD10, Platform, make_lake, make_rules
from xinglin.definitions import Question, load, reference
from xinglin.definitions.shipped import definition_folders
from xinglin.engines.rules import Rules
from xinglin.engines.terminology import NewMapping

SNOMED = "http://snomed.info/sct"
LIST = "hypertension-enrolment"


def stranger(own_id: str, code: str, system: str = SNOMED) -> list[dict[str, Any]]:
    """Return a patient of another country's hospital with a diagnosis."""
    return [
        {"resourceType": "Patient", "id": own_id, "name": [{"family": f"Sample {own_id}"}], "gender": "male", "birthDate": "1961-02-03"},
        {
            "resourceType": "Condition", "id": f"{own_id}-c", "subject": {"reference": f"Patient/{own_id}"}, "recordedDate": "2020-03-01",
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
            "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "confirmed"}]},
            "code": {"coding": [{"system": system, "code": code}]},
        },
    ]  # fmt: skip


@pytest.fixture
async def platform(database_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path) as opened:
        await opened.exchange.ledger.source("external-samples", name="外部样例（无属地）", foreign=True)
        people = [*stranger("x1", "59621000"), *stranger("x2", "44054006"), *stranger("x3", "59621000", "urn:of:somebody-else")]
        await send(opened, *people, source="external-samples")
        yield opened


async def who_applies(platform: Platform, rules: Rules) -> set[str]:
    """Return the names of those the list applies to, after reckoning everyone on both paths, which must agree."""
    today = platform.clock.today()
    lake = make_lake(platform.settings, platform)
    try:
        await lake.refresh()
        everyone = make_rules(platform.settings, (platform.database, platform.store, platform.security), lake)
        await everyone.learn(await platform.terminology.maps.usable(ICD10))
        drifts = await everyone.evaluate_all(today)
        async with platform.database.connection() as connection:
            persons = [row["person"] for row in await connection.fetch("select person from resident")]
        for person in persons:
            await rules.evaluate_person(person, today)
        again = await everyone.evaluate_all(today)
    finally:
        await lake.stop()
    assert sum(item.drifted + item.changed + item.fresh + item.ended for item in again) == 0, "both paths say the same"
    assert len(drifts) == len(again)
    async with platform.database.connection() as connection:
        rows = await connection.fetch("select name from result join resident using (person) where definition = $1 and applies", LIST)
    return {row["name"] for row in rows}


async def test_a_mapped_diagnosis_makes_a_resident_eligible_while_the_map_holds(platform: Platform) -> None:
    rules, steward = platform.rules, scope_of(platform, "steward")
    assert await who_applies(platform, rules) == set(), "nobody has said what these codes correspond to"

    (number,) = await platform.terminology.maps.enter(
        steward, [NewMapping(SNOMED, "59621000", ICD10, "I10", "equivalent", "数据管理员核对")]
    )
    assert await rules.learn(await platform.terminology.maps.usable(ICD10))
    assert not await rules.learn(await platform.terminology.maps.usable(ICD10)), "the same map again is nothing new"
    assert await who_applies(platform, rules) == {"Sample x1"}, "not who has diabetes, nor the same digits of another system"

    async with platform.database.connection() as connection:
        person = await connection.fetchval("select person from resident where name = 'Sample x1'")
    told = await rules.explain(platform.security.system_scope(), LIST, person, platform.clock.today())
    assert told is not None

    await platform.terminology.maps.end(steward, number, "核对有误")
    assert await rules.learn(await platform.terminology.maps.usable(ICD10))
    assert await who_applies(platform, rules) == set()


async def test_a_narrower_target_counts_for_nothing(platform: Platform) -> None:
    steward = scope_of(platform, "steward")
    await platform.terminology.maps.enter(steward, [NewMapping(SNOMED, "59621000", ICD10, "I10", "narrower", "数据管理员核对")])
    assert await platform.terminology.maps.usable(ICD10) == {}
    assert not await platform.rules.learn(await platform.terminology.maps.usable(ICD10))


def test_a_map_changes_the_definitions_it_touches_and_no_others() -> None:
    written = load(definition_folders())
    mapped = written.with_equivalents({(SNOMED, "59621000"): ("I10",)})
    day = written.changes()[-1]
    before = {one.id: one.hash for one in written.edition(day).of_kind("programme", "worklist", "measure")}
    after = {one.id: one.hash for one in mapped.edition(day).of_kind("programme", "worklist", "measure")}
    changed = {name for name in before if before[name] != after[name]}
    assert LIST in changed and not any(name.startswith("diabetes2") for name in changed)


def test_the_plain_reference_counts_a_mapped_code_by_its_system() -> None:
    day = load(definition_folders()).changes()[-1]
    mapped = load(definition_folders()).with_equivalents({(SNOMED, "59621000"): ("I10",)})
    (output,) = mapped.edition(day).get(LIST).evidence
    tables: dict[str, list[dict[str, Any]]] = {name: [] for name in ("patient", "episode", "encounter")}
    rows = [
        {"rid": 1, "patient": 9, "code": "59621000", "system": SNOMED, "recorded_on": day, "seq": 1},
        {"rid": 2, "patient": 9, "code": "59621000", "system": "urn:of:somebody-else", "recorded_on": day, "seq": 2},
        {"rid": 3, "patient": 9, "code": "I10.x00x002", "system": ICD10, "recorded_on": day, "seq": 3},
    ]
    told = {"onset_on": None, "clinical_status": None, "verification_status": None, "encounter": None}
    question = Question({**tables, "condition": [{**row, **told} for row in rows]}, day)
    assert sorted(reference(output, question)) == [1, 3]
