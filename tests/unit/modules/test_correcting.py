"""A saved visit that is corrected or taken back keeps its ids and loses nothing of what others found out."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

from xinglin import fhir
from xinglin.definitions import Answers, FormContext, parse_answers, shipped_forms
from xinglin.engines.exchange import Entry
from xinglin.modules.chronic_disease import correcting, recording

TODAY = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 9, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
FORM = shipped_forms(TODAY)["hypertension-followup"]
VISIT = {
    "visit_date": "20261121", "way": "1", "symptoms": "1", "danger_signs": "1", "systolic": "152/96", "weight": "70", "height": "165",
    "heart_rate": "78", "medication_adherence": "1", "adverse_reaction": "1", "doctor": "王医生",
    "drugs.0.drug_name": "氨氯地平", "drugs.0.drug_dose": "5", "drugs.1.drug_name": "缬沙坦",
}  # fmt: skip
REFERRAL = recording.Referral("血压连续不满意", date(2026, 12, 5), to="县医院")
CHANGE = correcting.Change("w2", "赵医生", AT, "血压录反", "00000000-0000-7000-9000-000000000001")


def answers(**changed: str) -> Answers:
    return parse_answers(FORM, VISIT | changed, FormContext(TODAY, {"birth_date": date(1968, 3, 1)})).answers


def saved(referral: recording.Referral | None = None) -> list[dict[str, Any]]:
    """Return a visit as the store hands it out, each resource in its first version."""
    ids = (f"00000000-0000-7000-8000-{number:012d}" for number in count(1))
    setting = recording.Setting(patient="p1", practitioner="w1", organization="o1", at=AT, new_id=ids.__next__, episode="e1")
    entries = recording.followup_entries(FORM, answers(), setting, referral=referral)
    return [{**entry.resource, "meta": {"versionId": "1"}} for entry in entries]


def corrected(old: list[dict[str, Any]], referral: recording.Referral | None = None, **changed: str) -> list[Entry]:
    ids = (f"00000000-0000-7000-8fff-{number:012d}" for number in count(1))
    said = correcting.Corrected(FORM, answers(**changed), referral)
    return correcting.correction_entries(old, said, CHANGE, ids.__next__)


def by_type(entries: list[Entry], rtype: str) -> list[dict[str, Any]]:
    return [dict(one.resource) for one in entries if one.resource["resourceType"] == rtype]


def one_of(resources: list[dict[str, Any]], rtype: str) -> dict[str, Any]:
    return next(one for one in resources if one["resourceType"] == rtype)


def pressure_of(observation: dict[str, Any]) -> list[float]:
    return [part["valueQuantity"]["value"] for part in observation["component"]]


def test_a_corrected_pressure_keeps_its_ids_and_says_that_it_was_corrected() -> None:
    old = saved()
    entries = corrected(old, systolic="125/80")
    assert [item.en for entry in entries for item in fhir.validate(entry.resource) if item.severity == "error"] == []
    (visit,), (pressure,), (form,) = (by_type(entries, name) for name in ("Encounter", "Observation", "QuestionnaireResponse"))
    assert {visit["id"], pressure["id"], form["id"]} <= {one["id"] for one in old}
    assert (pressure_of(pressure), pressure["status"], form["status"], visit["status"]) == ([125, 80], "corrected", "amended", "finished")
    assert visit["participant"] == old[0]["participant"] and visit["episodeOfCare"] == old[0]["episodeOfCare"]
    (note,) = [one for one in visit["extension"] if one["url"] == "urn:xinglin:ext:change"]
    assert [part.get("valueCode") or part.get("valueString") for part in note["extension"] if part["url"] in ("kind", "reason")] == [
        "corrected", "血压录反",
    ]  # fmt: skip
    assert all(entry.if_version == 1 for entry in entries)
    assert {entry.full_url for entry in entries} == {f"{one['resourceType']}/{one['id']}" for one in (visit, pressure, form)}


def test_what_is_taken_out_is_entered_in_error_and_what_is_added_is_new() -> None:
    old = saved()
    entries = corrected(old, **{"heart_rate": "", "drugs.1.drug_name": "依那普利"})
    wrong = [one for one in by_type(entries, "Observation") if one["status"] == "entered-in-error"]
    assert [one["code"]["coding"][0]["code"] for one in wrong] == ["8867-4"]
    drugs = {one["medicationCodeableConcept"]["text"]: one for one in by_type(entries, "MedicationStatement")}
    assert {name: one["status"] for name, one in drugs.items()} == {"缬沙坦": "entered-in-error", "依那普利": "active"}
    assert drugs["依那普利"]["id"] not in {one["id"] for one in old}
    assert drugs["依那普利"]["context"] == {"reference": f"Encounter/{old[0]['id']}"}


def test_another_day_moves_every_reading_of_the_visit() -> None:
    entries = corrected(saved(), visit_date="20261120")
    assert by_type(entries, "Encounter")[0]["period"] == {"start": "2026-11-20"}
    assert {one["effectiveDateTime"] for one in by_type(entries, "Observation")} == {"2026-11-20"}
    assert by_type(entries, "Encounter")[0]["extension"][1] == saved()[0]["extension"][1]


def test_a_referral_that_stays_keeps_what_became_of_it_and_one_that_goes_is_cancelled() -> None:
    old = saved(REFERRAL)
    request, task = one_of(old, "ServiceRequest"), one_of(old, "Task")
    task |= {"status": "in-progress"}
    entries = corrected(old, REFERRAL, visit_date="20261120")
    assert [(one["id"], one["status"]) for one in by_type(entries, "ServiceRequest")] == [(request["id"], "active")]
    assert by_type(entries, "Task") == []
    gone = corrected(old, systolic="125/80")
    assert [one["status"] for one in by_type(gone, "ServiceRequest")] == ["entered-in-error"]
    assert [one["status"] for one in by_type(gone, "Task")] == ["cancelled"]


def test_a_referral_that_comes_has_a_task_about_it() -> None:
    entries = corrected(saved(), REFERRAL)
    (request,), (task,) = by_type(entries, "ServiceRequest"), by_type(entries, "Task")
    assert task["focus"] == {"reference": f"ServiceRequest/{request['id']}"}


def test_a_visit_taken_back_stands_again_as_it_was() -> None:
    old = saved(REFERRAL)
    entries = correcting.withdrawal_entries(old, CHANGE)
    assert {one.resource["resourceType"]: one.resource["status"] for one in entries} == {
        "Encounter": "entered-in-error", "Observation": "entered-in-error", "QuestionnaireResponse": "entered-in-error",
        "MedicationStatement": "entered-in-error", "ServiceRequest": "entered-in-error", "Task": "cancelled",
    }  # fmt: skip
    assert len(entries) == len(old)
    now = [{**entry.resource, "meta": {"versionId": "2"}} for entry in entries]
    again = correcting.restoring_entries(list(zip(now, old, strict=True)))
    assert [entry.resource for entry in again] == [{name: value for name, value in one.items() if name != "meta"} for one in old]
    assert {entry.if_version for entry in again} == {2}


def test_a_task_that_is_done_stays_done() -> None:
    old = saved(REFERRAL)
    one_of(old, "Task").update(status="completed")
    assert by_type(correcting.withdrawal_entries(old, CHANGE), "Task") == []
