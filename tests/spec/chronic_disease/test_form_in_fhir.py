"""Each form stands in FHIR as the content contract says: valid R4, and the views of the lake read back what was typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from xinglin import fhir
from xinglin.definitions import Answers, Form, FormContext, carry_over, parse_answers, shipped_forms
from xinglin.definitions.forms import NEVER_CARRIED
from xinglin.engines.exchange import Entry
from xinglin.engines.lake import Fact, load_views, rows_of
from xinglin.modules.chronic_disease import recording

TODAY = date(2026, 11, 21)
ZONE = ZoneInfo("Asia/Shanghai")
FORMS = shipped_forms(TODAY)
HTN = FORMS["hypertension-followup"]
DM = FORMS["diabetes2-followup"]
EXAM = FORMS["health-examination"]
BORN = {"birth_date": date(1968, 3, 1)}
VISIT = {
    "visit_date": "20261121", "way": "1", "symptoms": "2,6", "danger_signs": "1", "systolic": "152/96", "weight": "70.5", "height": "165",
    "heart_rate": "78", "salt": "2", "salt_target": "1", "medication_adherence": "1", "adverse_reaction": "1", "doctor": "王医生",
    "drugs.0.drug_name": "氨氯地平", "drugs.0.drug_times_per_day": "1", "drugs.0.drug_dose": "5", "drugs.0.drug_dose_unit": "mg",
    "drugs.1.drug_name": "缬沙坦",
}  # fmt: skip
CONTRACT = (Path(__file__).parents[3] / "docs" / "reference" / "programmes-in-fhir.md").read_text(encoding="utf-8")


def setting(**more: Any) -> recording.Setting:
    ids = (f"00000000-0000-7000-8000-{number:012d}" for number in count(1))
    at = datetime(2026, 11, 21, 9, 30, tzinfo=ZONE)
    return recording.Setting(patient="p1", practitioner="w1", organization="o1", at=at, new_id=ids.__next__, **more)


def typed(form: Form, raw: dict[str, str], **context: Any) -> Answers:
    parsed = parse_answers(form, raw, FormContext(TODAY, {**BORN, **context}))
    assert parsed.can_save, [problem.words.zh for problem in parsed.problems]
    return parsed.answers


def of_type(entries: list[Entry], rtype: str) -> list[dict[str, Any]]:
    return [dict(entry.resource) for entry in entries if entry.resource["resourceType"] == rtype]


def problems(entries: list[Entry]) -> list[str]:
    return [
        f"{entry.resource['resourceType']} {item.path}: {item.en}"
        for entry in entries
        for item in fhir.validate(entry.resource)
        if item.severity == "error"
    ]


class Numbers:
    """Gives each (type, id) a number."""

    async def rids(self, keys: Any) -> dict[Any, int]:
        return {key: 1000 + number for number, key in enumerate(sorted(keys))}


async def rows(entries: list[Entry]) -> dict[str, list[dict[str, Any]]]:
    facts = [Fact(number, 1, number, 1, entry.resource) for number, entry in enumerate(entries, start=1)]
    return await rows_of(load_views(ZONE), facts, Numbers())


def contract_links(form: str) -> Iterator[str]:
    """Yield the linkIds the contract's page names for a form."""
    text = next(part for part in re.split(r"\n\n", CONTRACT) if part.startswith(f"**{form}**"))
    return (name for name in re.findall(r"`([a-z_0-9]+)`", text) if not name.startswith(("override_reason", "unverified")))


@pytest.mark.parametrize("name", ["hypertension-followup", "health-examination"])
def test_every_question_of_the_contract_is_on_the_form(name: str) -> None:
    form = FORMS[name]
    known = {item.link_id for item in form.items} | {inner.link_id for item in form.items for inner in item.items}
    assert set(contract_links(name)) <= known
    assert len(known) > 20


def test_the_diabetes_form_has_its_own_questions_and_no_salt() -> None:
    known = {item.link_id for item in DM.items}
    assert {
        "foot_pulse",
        "staple_food",
        "staple_food_target",
        "fasting_glucose",
        "hba1c",
        "hba1c_date",
        "hypoglycaemia",
        "insulin_kind",
        "insulin_dose",
    } <= known
    assert not {"salt", "salt_target"} & known
    assert {item.link_id for item in HTN.items} - known == {"salt", "salt_target"}


def test_a_follow_up_is_valid_fhir_and_says_what_was_typed() -> None:
    entries = recording.followup_entries(HTN, typed(HTN, VISIT), setting(episode="e1"))
    assert problems(entries) == []
    (visit,) = of_type(entries, "Encounter")
    assert (visit["status"], visit["class"]["code"], visit["period"]["start"]) == ("finished", "AMB", "2026-11-21")
    assert visit["episodeOfCare"] == [{"reference": "EpisodeOfCare/e1"}]
    (response,) = of_type(entries, "QuestionnaireResponse")
    assert (response["questionnaire"], response["status"]) == ("urn:xinglin:form:hypertension-followup|1", "completed")
    answers = {item["linkId"]: item.get("answer") for item in response["item"]}
    assert answers["symptoms"] == [
        {"valueCoding": {"system": "urn:xinglin:cs:hypertension-followup:symptoms", "code": code}} for code in "26"
    ]
    assert answers["systolic"] == [{"valueDecimal": 152}]
    assert answers["next_visit_date"] == [{"valueDate": "2026-12-05"}]
    assert [item["linkId"] for item in response["item"]].count("drugs") == 2
    assert [drug["medicationCodeableConcept"]["text"] for drug in of_type(entries, "MedicationStatement")] == ["氨氯地平", "缬沙坦"]
    assert of_type(entries, "Task") == of_type(entries, "ServiceRequest") == []


async def test_the_lake_reads_back_the_visit() -> None:
    found = await rows(recording.followup_entries(HTN, typed(HTN, VISIT), setting(episode="e1")))
    (encounter,) = found["encounter"]
    assert {name: encounter[name] for name in ("kind", "way", "status", "start_date", "entered_on")} == {
        "kind": "followup-hypertension", "way": "1", "status": "finished", "start_date": TODAY, "entered_on": TODAY,
    }  # fmt: skip
    (pressure,) = found["blood_pressure"]
    assert (pressure["systolic_mmhg"], pressure["diastolic_mmhg"], pressure["taken_on"]) == (152, 96, TODAY)
    assert {row["code"]: row["value"] for row in found["measurement"]} == {"8867-4": 78, "29463-7": 70.5, "8302-2": 165, "39156-5": 25.9}
    coded = {(row["link_id"], row["code"]) for row in found["answer"] if row["code"]}
    assert {("outcome_class", "2"), ("danger_signs", "1"), ("symptoms", "6")} <= coded


@pytest.mark.parametrize(("way", "kind"), [("1", "AMB"), ("2", "HH"), ("3", "VR")])
def test_the_way_decides_the_class(way: str, kind: str) -> None:
    (visit,) = of_type(recording.followup_entries(HTN, typed(HTN, VISIT | {"way": way}), setting()), "Encounter")
    assert visit["class"]["code"] == kind


async def test_a_visit_to_be_completed_does_not_count_and_asks_for_the_rest() -> None:
    entries = recording.followup_entries(
        HTN, typed(HTN, {"visit_date": "20261121", "way": "1", "systolic": "152/96"}), setting(), is_complete=False
    )
    assert problems(entries) == []
    assert of_type(entries, "Encounter")[0]["status"] == of_type(entries, "QuestionnaireResponse")[0]["status"] == "in-progress"
    (task,) = (await rows(entries))["task"]
    assert task["kind"] == "complete-followup"


async def test_a_referral_asks_for_its_result_within_fourteen_days() -> None:
    answers = typed(HTN, VISIT, previous_outcome_class="2")
    assert answers.derived["referral"] == "two_uncontrolled"
    referral = recording.Referral("连续两次控制不满意", date(2026, 12, 5), organization="county")
    entries = recording.followup_entries(HTN, answers, setting(), referral=referral)
    assert problems(entries) == []
    found = await rows(entries)
    request, task = found["request"][0], found["task"][0]
    assert (request["kind"], request["status"], request["priority"]) == ("referral", "active", "routine")
    assert (task["kind"], task["status"], task["due_on"]) == ("referral-result", "requested", date(2026, 12, 5))


def test_a_diabetes_visit_and_an_examination_are_valid_fhir() -> None:
    raw = {key: value for key, value in VISIT.items() if not key.startswith("salt")} | {
        "fasting_glucose": "7.2",
        "hypoglycaemia": "1",
        "foot_pulse": "1",
    }
    entries = recording.followup_entries(DM, typed(DM, raw), setting())
    assert problems(entries) == []
    assert {item["code"]["coding"][0]["code"] for item in of_type(entries, "Observation")} >= {"85354-9", "14771-0"}
    exam = {"exam_date": "2026-06-01", "systolic": "130/80", "self_care_eating": "0", "self_care_washing": "1", "self_care_dressing": "0", "self_care_toilet": "5",
            "self_care_activity": "1", "guidance": "1,2", "complete": "是", "doctor": "李"}  # fmt: skip
    answers = typed(EXAM, exam)
    assert (answers.get("self_care_total"), answers.get("self_care_class")) == (7, "2")
    entries = recording.examination_entries(EXAM, answers, setting())
    assert problems(entries) == []
    assert of_type(entries, "Encounter")[0]["type"][0]["coding"][0]["code"] == "health-examination"


async def test_enrolment_end_and_undo() -> None:
    form = FORMS["hypertension-enrolment"]
    answers = typed(
        form, {"programme": "1", "enrolled_on": "20261101", "diagnosis_code": "I10.x00x002", "diagnosis_text": "高血压", "doctor": "王"}
    )
    entries = recording.enrolment_entries("hypertension", answers, setting())
    assert problems(entries) == []
    found = await rows(entries)
    assert (found["episode"][0]["programme"], found["episode"][0]["status"], found["episode"][0]["start_date"]) == (
        "hypertension",
        "active",
        date(2026, 11, 1),
    )
    assert found["condition"][0]["code"] == "I10.x00x002"
    episode = {**of_type(entries, "EpisodeOfCare")[0], "meta": {"versionId": "3"}}
    ended = recording.exit_entries(episode, date(2026, 11, 20), "moved_out")
    assert problems(ended) == []
    assert ended[0].if_version == 3
    (row,) = (await rows(ended))["episode"]
    assert (row["status"], row["end_date"], row["exit_reason"]) == ("finished", date(2026, 11, 20), "moved_out")
    again = recording.undo_exit_entries(ended[0].resource)
    assert again[0].resource == {name: value for name, value in episode.items() if name != "meta"}


async def test_a_new_record_is_a_patient() -> None:
    form = FORMS["resident-record"]
    raw = {
        "id_number": "420999196803010019",
        "name": "试一",
        "sex": "1男",
        "birth_date": "1968年3月1日",
        "residence_type": "1",
        "division": "420999101201",
        "record_opened_on": "20261121",
    }
    entries = recording.record_entries(typed(form, raw), setting())
    assert problems(entries) == []
    (row,) = (await rows(entries))["patient"]
    assert (row["sex"], row["birth_date"], row["area"], row["residence_status"], row["record_opened_on"]) == (
        "1",
        date(1968, 3, 1),
        420999101201,
        "resident",
        TODAY,
    )


def test_drugs_height_and_goals_are_carried_over_and_nothing_measured() -> None:
    answers = typed(HTN, VISIT | {"smoking_target": "0", "bmi_target": "24"})
    carried = carry_over(HTN, answers.values)
    assert carried == {"height": 165, "bmi_target": 24, "smoking_target": 0, "salt_target": "1", "drugs": answers.get("drugs")}
    for form in FORMS.values():
        assert not {item.link_id for item in form.items if item.carry} & NEVER_CARRIED


def test_a_printed_sheet_has_each_question_once_in_order() -> None:
    printed = [item.link_id for item in HTN.print_items]
    assert printed[:2] == ["visit_date", "way"]
    assert len(set(printed)) == len(printed) >= 35


@pytest.mark.parametrize("form", [FORMS["hypertension-followup"], FORMS["diabetes2-followup"]], ids=lambda form: form.id)
def test_rows_of_a_printed_sheet_stand_under_the_headings_of_the_paper(form: Form) -> None:
    grouped = [link_id for group in form.print_groups for row in group.rows for link_id in row]
    assert len(set(grouped)) == len(grouped)
    assert [group.words.zh for group in form.print_groups] == ["症状", "体征", "生活方式指导", "辅助检查", "用药情况", "转诊"]
    assert {item.link_id for item in form.print_items if item.section in ("symptoms", "signs", "lifestyle", "tests")} <= set(grouped)


@pytest.mark.parametrize("reason", ["moved_out", "died"])
def test_a_resident_who_left_and_is_taken_back_is_as_before(reason: str) -> None:
    given = {
        "name": "王小丽", "sex": "2", "birth_date": date(1968, 3, 5), "division": "420999101203", "address": "一组",
        "residence_type": "1", "record_opened_on": TODAY,
    }  # fmt: skip
    patient = dict(recording.record_entries(Answers(given), setting())[0].resource)
    stored = {**patient, "meta": {"versionId": "4"}}
    left = recording.leaving_entries(stored, reason, TODAY)
    assert problems(left) == [] and left[0].if_version == 4 and left[0].resource != patient
    back = recording.returning_entries({**left[0].resource, "meta": {"versionId": "5"}}, reason)
    assert by_parts(dict(back[0].resource)) == by_parts(patient)
    assert recording.leaving_entries(stored, "declined", TODAY) == recording.returning_entries(stored, "declined") == []


def by_parts(patient: dict[str, Any]) -> dict[str, Any]:
    return {**patient, "extension": sorted(patient["extension"], key=lambda one: one["url"])}
