"""What the views of the lake make of the district's resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.unit.engines.lake import district
from xinglin.base.errors import DefinitionError
from xinglin.engines.lake import Fact, Views, compile_view, extract, load_views, rows_of

NUMBERS = {
    ("Patient", "p1"): 11,
    ("Organization", "o1"): 12,
    ("Practitioner", "d1"): 13,
    ("EpisodeOfCare", "c1"): 14,
    ("Encounter", "e1"): 15,
}


class Register:
    """A resolver that counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    async def rids(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        self.calls += 1
        return {key: NUMBERS[key] for key in keys if key in NUMBERS}


@pytest.fixture(scope="module")
def views() -> Views:
    return load_views(ZoneInfo("Asia/Shanghai"))


async def _rows(views: Views, *resources: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    facts = [Fact(rid=100 + at, ver=1, known_from=7, site=1, resource=resource) for at, resource in enumerate(resources)]
    return await rows_of(views, facts, Register())


async def test_every_table_of_the_contract_is_made(views: Views) -> None:
    rows = await _rows(views)
    expected = (
        "answer blood_pressure condition contract encounter episode immunization measurement medication organization patient request task"
    )
    assert sorted(rows) == expected.split()
    assert all(found == [] for found in rows.values())


async def test_patient_row_holds_no_name_and_no_text(views: Views) -> None:
    (row,) = (await _rows(views, district.patient()))["patient"]
    assert row == {
        "rid": 100, "ver": 1, "known_from": 7, "seq": 7, "site": 1, "sex": "2", "birth_date": date(1960, 2, 3), "death_date": None,
        "area": 420999101201, "managing_org": 12, "residence_status": "resident", "residence_type": "1",
        "record_opened_on": date(2012, 5, 6), "moved_out_on": None,
    }  # fmt: skip


async def test_a_day_is_a_day_of_the_district(views: Views) -> None:
    (row,) = (await _rows(views, district.encounter()))["encounter"]
    assert row["start_date"] == date(2026, 11, 21)
    assert row["start_time"] == datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert (row["kind"], row["class"], row["way"], row["entered_on"]) == ("followup-hypertension", "AMB", "1", date(2026, 11, 22))
    assert (row["patient"], row["provider"], row["practitioner"], row["episode"]) == (11, 12, 13, 14)


async def test_blood_pressure_is_no_measurement_and_the_reverse(views: Views) -> None:
    rows = await _rows(views, district.blood_pressure(), district.measurement())
    (pressure,), (glucose,) = rows["blood_pressure"], rows["measurement"]
    assert (pressure["systolic_mmhg"], pressure["diastolic_mmhg"], pressure["encounter"]) == (152.0, 96.0, 15)
    assert (glucose["code"], glucose["value"], glucose["unit"]) == ("14771-0", 7.2, "mmol/L")
    assert (glucose["taken_on"], glucose["taken_at"]) == (date(2026, 11, 21), None)


async def test_the_panel_other_systems_send_is_a_blood_pressure(views: Views) -> None:
    sent = district.blood_pressure()
    sent["code"]["coding"][0]["code"] = "55284-4"
    (row,) = (await _rows(views, sent))["blood_pressure"]
    assert (row["systolic_mmhg"], row["diastolic_mmhg"]) == (152.0, 96.0)


async def test_a_pressure_in_another_unit_is_unknown(views: Views) -> None:
    in_kpa = district.blood_pressure()
    in_kpa["component"][0]["valueQuantity"] = {"value": 18.6, "unit": "kPa", "code": "kPa"}
    (row,) = (await _rows(views, in_kpa))["blood_pressure"]
    assert (row["systolic_mmhg"], row["diastolic_mmhg"]) == (None, 96.0)


async def test_answers_of_every_kind_but_text(views: Views) -> None:
    rows = (await _rows(views, district.form()))["answer"]
    found = [(row["link_id"], row["code"], row["number"], row["date"], row["truth"]) for row in rows]
    assert found == [
        ("visit_date", None, None, date(2026, 11, 21), None),
        ("symptoms", "2", None, None, None),
        ("symptoms", "7", None, None, None),
        ("systolic", None, 152.0, None, None),
        ("complete", None, None, None, True),
        ("drug_times_per_day", None, 2.0, None, None),
    ]
    assert {row["form"] for row in rows} == {"hypertension-followup"}
    assert (await _rows(views, district.form(status="entered-in-error")))["answer"] == []


async def test_references_are_resolved_in_one_question(views: Views) -> None:
    register = Register()
    facts = [Fact(1, 1, 1, 1, district.encounter()), Fact(2, 1, 2, 1, district.form()), Fact(3, 1, 3, 1, district.patient(number="p9"))]
    rows = await rows_of(views, facts, register)
    assert register.calls == 1
    assert rows["answer"][0]["patient"] == 11


async def test_a_reference_elsewhere_is_null(views: Views) -> None:
    visit = district.encounter()
    visit["subject"] = {"reference": "http://other.example/fhir/Patient/p1"}
    (row,) = (await _rows(views, visit))["encounter"]
    assert row["patient"] is None


async def test_a_version_no_view_can_read_is_named_and_stops_no_other(views: Views) -> None:
    double = district.form()
    double["item"][0]["linkId"] = ["a", "b"]
    extraction = extract(views, [Fact(1, 1, 5, 1, double), Fact(2, 1, 6, 1, district.measurement())])
    assert [(problem.rid, problem.table) for problem in extraction.problems] == [(1, "answer")]
    assert list(extraction.rows_by_table) == ["measurement"]
    with pytest.raises(DefinitionError, match="answer.link_id"):
        await _rows(views, double)


def test_a_view_that_is_wrong_names_the_place() -> None:
    column = {"name": "x", "path": "subject.getReferenceKey(", "type": "string"}
    with pytest.raises(DefinitionError, match="FHIRPath"):
        compile_view({"name": "v", "resource": "Observation", "select": [{"column": [column]}]})
    with pytest.raises(DefinitionError, match=r"v\.select\[0\]"):
        compile_view({"name": "v", "resource": "Observation", "select": [{"forEach": "component"}]})
