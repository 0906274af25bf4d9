"""Answers → FHIR entries, exactly as the content contract says; pure: ids, people and times are handed in.

Source of the shapes: docs/reference/programmes-in-fhir.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from xinglin.definitions import Answers, Form, Item
from xinglin.engines.exchange import Entry

Resource = dict[str, Any]
_WAYS: Final = {"1": ("AMB", "门诊"), "2": ("HH", "家庭"), "3": ("VR", "电话")}
_WAY_SYSTEM: Final = "urn:oid:2.16.156.10011.2.3.1.183"
_ICD10: Final = "urn:oid:2.16.156.10011.2.3.3.11.3"
_LOINC: Final = "http://loinc.org"
_UCUM: Final = "http://unitsofmeasure.org"
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
# LOINC → (unit as shown, UCUM, category). LOINC is © Regenstrief Institute, see NOTICE.
_UNITS: Final = {
    "8867-4": ("次/分", "/min", "vital-signs"),
    "29463-7": ("kg", "kg", "vital-signs"),
    "8302-2": ("cm", "cm", "vital-signs"),
    "39156-5": ("kg/m2", "kg/m2", "vital-signs"),
    "8280-0": ("cm", "cm", "vital-signs"),
    "14771-0": ("mmol/L", "mmol/L", "laboratory"),
    "4548-4": ("%", "%", "laboratory"),
    "718-7": ("g/L", "g/L", "laboratory"),
    "14682-9": ("umol/L", "umol/L", "laboratory"),
    "14647-2": ("mmol/L", "mmol/L", "laboratory"),
    "14927-8": ("mmol/L", "mmol/L", "laboratory"),
}
_VALUES: Final = {"date": "valueDate", "code": "valueCoding", "number": "valueDecimal", "boolean": "valueBoolean", "text": "valueString"}
_PRESSURES: Final = ("8480-6", "8462-4")


@dataclass(frozen=True, slots=True)
class Setting:
    """Who writes down what about whom, when.

    patient, practitioner, organization, episode: ids of resources in the store ("" for no episode). at: the moment of entry, aware.
    new_id: gives the next id of ours.
    """

    patient: str
    practitioner: str
    organization: str
    at: datetime
    new_id: Callable[[], str]
    episode: str = ""


@dataclass(frozen=True, slots=True)
class Referral:
    """A referral that goes with a visit. urgent: emergency. due_on: day by which its result is asked for. organization: id, or ""."""

    reason: str
    due_on: date
    urgent: bool = False
    organization: str = ""
    to: str = ""


def followup_entries(
    form: Form, answers: Answers, setting: Setting, *, is_complete: bool = True, referral: Referral | None = None
) -> list[Entry]:
    """Return Encounter, Observations, QuestionnaireResponse, MedicationStatements and, with a referral, ServiceRequest and Task.

    is_complete: False makes a visit to be completed (待补全), which does not count, and a Task that asks for the rest.
    """
    visit = _visit(form, answers, setting, is_complete)
    found = [visit, *_observations(form, answers, setting, visit), _response(form, answers, setting, (visit, is_complete))]
    found += [_medicine(drug, setting, visit) for drug in answers.get("drugs") or ()]
    if referral is not None:
        found += referral_resources(referral, setting, visit)
    if not is_complete:
        found.append(_task("complete-followup", visit, setting, setting.at.date()))
    return [Entry(resource) for resource in found]


def examination_entries(form: Form, answers: Answers, setting: Setting, *, is_complete: bool = True) -> list[Entry]:
    """Return Encounter, Observations and QuestionnaireResponse of a health examination."""
    visit = _visit(form, answers, setting, is_complete)
    found = [visit, *_observations(form, answers, setting, visit), _response(form, answers, setting, (visit, is_complete))]
    return [Entry(resource) for resource in found]


def enrolment_entries(programme: str, answers: Answers, setting: Setting) -> list[Entry]:
    """Return EpisodeOfCare and, where a diagnosis is named, its Condition. programme: hypertension, diabetes2 or elderly."""
    started: date = answers.get("enrolled_on")
    episode: Resource = {
        "resourceType": "EpisodeOfCare",
        "id": setting.new_id(),
        "status": "active",
        "type": [_coded("programme", programme)],
        "patient": _to("Patient", setting.patient),
        "managingOrganization": _to("Organization", setting.organization),
        "period": {"start": started.isoformat()},
        "careManager": _to("Practitioner", setting.practitioner),
    }
    found = [episode]
    if answers.get("diagnosis_code"):
        condition = _condition(answers, setting)
        episode["diagnosis"] = [{"condition": _to("Condition", condition["id"])}]
        found.append(condition)
    return [Entry(resource) for resource in found]


def exit_entries(episode: Mapping[str, Any], ended_on: date, reason: str) -> list[Entry]:
    """Return the episode ended on a day for a reason of the contract (died, moved_out, lost, diagnosis_corrected, declined, merged)."""
    kept = [item for item in episode.get("extension", ()) if item.get("url") != "urn:xinglin:ext:exit-reason"]
    ended = {
        **_bare(episode),
        "status": "finished",
        "period": {**episode.get("period", {}), "end": ended_on.isoformat()},
        "extension": [*kept, {"url": "urn:xinglin:ext:exit-reason", "valueCode": reason}],
    }
    return [Entry(ended, if_version=_version(episode))]


def undo_exit_entries(episode: Mapping[str, Any]) -> list[Entry]:
    """Return the episode in force again: no end, no reason."""
    kept = [item for item in episode.get("extension", ()) if item.get("url") != "urn:xinglin:ext:exit-reason"]
    period = {name: value for name, value in episode.get("period", {}).items() if name != "end"}
    again = {**_bare(episode), "status": "active", "period": period}
    again.pop("extension", None)
    if kept:
        again["extension"] = kept
    return [Entry(again, if_version=_version(episode))]


def record_entries(answers: Answers, setting: Setting) -> list[Entry]:
    """Return the Patient of a new health record (新建档案)."""
    identifiers = [
        {"system": system, "value": str(answers.get(name))}
        for name, system in (("id_number", "urn:oid:2.16.156.10011.1.3"), ("record_number", "urn:oid:2.16.156.10011.1.2"))
        if answers.get(name)
    ]
    name = str(answers.get("name"))
    opened: date = answers.get("record_opened_on")
    codes = {"residence-type": answers.get("residence_type"), "ethnicity": answers.get("ethnicity"), "residence-status": "resident"}
    extensions = [{"url": f"urn:xinglin:ext:{name}", "valueCode": value} for name, value in codes.items() if value]
    address: Resource = {
        "extension": [{"url": "urn:xinglin:ext:division", "valueCode": answers.get("division")}],
        "period": {"start": opened.isoformat()},
    }
    if answers.get("address"):
        address["text"] = answers.get("address")
    patient: Resource = {
        "resourceType": "Patient",
        "id": setting.new_id(),
        "extension": [*extensions, {"url": "urn:xinglin:ext:record-opened-on", "valueDate": opened.isoformat()}],
        "name": [{"use": "official", "text": name, "family": name[0], "given": [name[1:] or name]}],
        "gender": {"1": "male", "2": "female", "9": "other"}.get(answers.get("sex"), "unknown"),
        "birthDate": answers.get("birth_date").isoformat(),
        "address": [address],
        "managingOrganization": _to("Organization", setting.organization),
    }
    if identifiers:
        patient["identifier"] = identifiers
    if answers.get("phone"):
        patient["telecom"] = [{"system": "phone", "value": answers.get("phone")}]
    return [Entry(patient)]


def referral_resources(referral: Referral, setting: Setting, visit: Mapping[str, Any]) -> list[Resource]:
    """Return the ServiceRequest of a referral and the Task that asks for its result by a day."""
    request: Resource = {
        "resourceType": "ServiceRequest",
        "id": setting.new_id(),
        "status": "active",
        "intent": "order",
        "category": [_coded("request", "referral")],
        "priority": "urgent" if referral.urgent else "routine",
        "subject": _to("Patient", setting.patient),
        "encounter": _to("Encounter", visit["id"]),
        "authoredOn": visit["period"]["start"],
        "requester": _to("Practitioner", setting.practitioner),
        "reasonCode": [{"text": referral.reason}],
    }
    if referral.organization:
        request["performer"] = [_to("Organization", referral.organization)]
    elif referral.to:
        request["performer"] = [{"display": referral.to}]
    return [request, _task("referral-result", request, setting, referral.due_on)]


def _visit(form: Form, answers: Answers, setting: Setting, is_complete: bool) -> Resource:
    day: date = answers.get("visit_date") or answers.get("exam_date")
    way = answers.get("way")
    kind = _WAYS[way][0] if way else "AMB"
    extensions: list[Resource] = [{"url": "urn:xinglin:ext:entered-on", "valueDateTime": setting.at.isoformat(timespec="seconds")}]
    if way:
        coding = {"system": _WAY_SYSTEM, "code": way, "display": _WAYS[way][1]}
        extensions.insert(0, {"url": "urn:xinglin:ext:followup-way", "valueCoding": coding})
    visit: Resource = {
        "resourceType": "Encounter",
        "id": setting.new_id(),
        "extension": extensions,
        "status": "finished" if is_complete else "in-progress",
        "class": {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": kind},
        "type": [_coded("service", form.service)],
        "subject": _to("Patient", setting.patient),
        "participant": [{"individual": _to("Practitioner", setting.practitioner)}],
        "period": {"start": day.isoformat()},
        "serviceProvider": _to("Organization", setting.organization),
    }
    if setting.episode:
        visit["episodeOfCare"] = [_to("EpisodeOfCare", setting.episode)]
    return visit


def _observations(form: Form, answers: Answers, setting: Setting, visit: Resource) -> list[Resource]:
    found = []
    pressures = [(item.loinc, answers.get(item.link_id)) for item in form.items if item.loinc in _PRESSURES]
    given = [(loinc, value) for loinc, value in pressures if value is not None]
    if given:
        panel = _observation("85354-9", "vital-signs", setting, visit)
        quantity = {"unit": "mmHg", "system": _UCUM, "code": "mm[Hg]"}
        panel["component"] = [{"code": _loinc(loinc), "valueQuantity": {"value": value, **quantity}} for loinc, value in given]
        found.append(panel)
    for item in form.items:
        value = answers.get(item.link_id)
        if item.loinc in _UNITS and value is not None:
            unit, ucum, category = _UNITS[item.loinc]
            observation = _observation(item.loinc, category, setting, visit)
            observation["valueQuantity"] = {"value": value, "unit": unit, "system": _UCUM, "code": ucum}
            found.append(observation)
    return found


def _observation(loinc: str, category: str, setting: Setting, visit: Resource) -> Resource:
    return {
        "resourceType": "Observation",
        "id": setting.new_id(),
        "status": "final",
        "category": [{"coding": [{"system": f"{_TERMINOLOGY}/observation-category", "code": category}]}],
        "code": _loinc(loinc),
        "subject": _to("Patient", setting.patient),
        "encounter": _to("Encounter", visit["id"]),
        "effectiveDateTime": visit["period"]["start"],
        "performer": [_to("Organization", setting.organization), _to("Practitioner", setting.practitioner)],
    }


def _response(form: Form, answers: Answers, setting: Setting, of: tuple[Resource, bool]) -> Resource:
    visit, is_complete = of
    items = [answered for item in form.items for answered in _answered(form, item, answers.get(item.link_id))]
    items += [
        {"linkId": f"override_reason_{name}", "answer": [{"valueString": reason}]} for name, reason in sorted(answers.overrides.items())
    ]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": setting.new_id(),
        "questionnaire": form.canonical,
        "status": "completed" if is_complete else "in-progress",
        "subject": _to("Patient", setting.patient),
        "encounter": _to("Encounter", visit["id"]),
        "authored": setting.at.isoformat(timespec="seconds"),
        "author": _to("Practitioner", setting.practitioner),
        "item": items,
    }


def _answered(form: Form, item: Item, value: Any) -> list[Resource]:
    """Return the items of an answer: none without one, one per row of a repeating group."""
    if value is None or value == ():
        return []
    if item.type == "group":
        rows = [[answer for part in item.items for answer in _answered(form, part, row.get(part.link_id))] for row in value]
        return [{"linkId": item.link_id, "item": row} for row in rows]
    system = form.code_system(item.link_id)
    if item.type == "codes":
        return [{"linkId": item.link_id, "answer": [{"valueCoding": {"system": system, "code": code}} for code in value]}]
    told: Any = {"system": system, "code": value} if item.type == "code" else value.isoformat() if item.type == "date" else value
    return [{"linkId": item.link_id, "answer": [{_VALUES[item.type]: told}]}]


def _medicine(drug: Mapping[str, Any], setting: Setting, visit: Resource) -> Resource:
    times, dose, unit = drug.get("drug_times_per_day"), drug.get("drug_dose"), drug.get("drug_dose_unit")
    words = [f"每日{times}次" if times else "", f"每次{dose:g}{unit or ''}" if dose is not None else ""]
    dosage: Resource = {"text": "，".join(word for word in words if word) or "未注明用法"}
    if times:
        dosage["timing"] = {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}}
    if dose is not None:
        dosage["doseAndRate"] = [{"doseQuantity": {"value": dose, **({"unit": unit} if unit else {})}}]
    return {
        "resourceType": "MedicationStatement",
        "id": setting.new_id(),
        "status": "active",
        "medicationCodeableConcept": {"text": drug["drug_name"]},
        "subject": _to("Patient", setting.patient),
        "context": _to("Encounter", visit["id"]),
        "effectiveDateTime": visit["period"]["start"],
        "dosage": [dosage],
    }


def _task(kind: str, focus: Mapping[str, Any], setting: Setting, due_on: date) -> Resource:
    return {
        "resourceType": "Task",
        "id": setting.new_id(),
        "status": "requested",
        "intent": "order",
        "code": _coded("task", kind),
        "focus": _to(focus["resourceType"], focus["id"]),
        "for": _to("Patient", setting.patient),
        "authoredOn": setting.at.isoformat(timespec="seconds"),
        "owner": _to("Practitioner", setting.practitioner),
        "restriction": {"period": {"end": due_on.isoformat()}},
    }


def _condition(answers: Answers, setting: Setting) -> Resource:
    code = {"system": _ICD10, "code": answers.get("diagnosis_code")}
    condition: Resource = {
        "resourceType": "Condition",
        "id": setting.new_id(),
        "clinicalStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]},
        "code": {"coding": [code], "text": answers.get("diagnosis_text") or answers.get("diagnosis_code")},
        "subject": _to("Patient", setting.patient),
        "recordedDate": answers.get("enrolled_on").isoformat(),
        "recorder": _to("Practitioner", setting.practitioner),
    }
    if answers.get("diagnosed_on"):
        condition["onsetDateTime"] = answers.get("diagnosed_on").isoformat()
    return condition


def _bare(resource: Mapping[str, Any]) -> Resource:
    return {name: value for name, value in resource.items() if name != "meta"}


def _version(resource: Mapping[str, Any]) -> int | None:
    version = resource.get("meta", {}).get("versionId")
    return int(version) if version is not None else None


def _to(rtype: str, own: str) -> Resource:
    return {"reference": f"{rtype}/{own}"}


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"urn:xinglin:cs:{system}", "code": code}]}


def _loinc(code: str) -> Resource:
    return {"coding": [{"system": _LOINC, "code": code}]}
