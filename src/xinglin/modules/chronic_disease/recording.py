"""Answers → FHIR entries, exactly as the content contract says; pure: ids, people and times are handed in.

This file makes those of visits; those of records and enrolments come from `keeping`.

Source of the shapes: docs/reference/programmes-in-fhir.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from xinglin.definitions import Answers, Form, Item
from xinglin.engines.exchange import Entry
from xinglin.modules.chronic_disease.keeping import (
    enrolment_entries,
    exit_entries,
    leaving_entries,
    record_entries,
    returning_entries,
    undo_exit_entries,
)
from xinglin.modules.chronic_disease.parts import TERMINOLOGY, Resource, Setting, bare, coded, to, version

__all__ = [
    "Referral", "Setting", "enrolment_entries", "examination_entries", "exit_entries", "followup_entries", "leaving_entries",
    "record_entries", "referral_resources", "referral_result_entries", "returning_entries", "undo_exit_entries",
]  # fmt: skip


_WAYS: Final = {"1": ("AMB", "门诊"), "2": ("HH", "家庭"), "3": ("VR", "电话")}
_WAY_SYSTEM: Final = "urn:oid:2.16.156.10011.2.3.1.183"
_LOINC: Final = "http://loinc.org"
_UCUM: Final = "http://unitsofmeasure.org"
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


def referral_result_entries(task: Mapping[str, Any], request: Mapping[str, Any] | None, result: str) -> list[Entry]:
    """Return the Task of a referral done with what became of it, and its ServiceRequest (where there is one still open) completed."""
    output = {"type": {"text": "转诊结果"}, "valueString": result}
    done = [(task, {"status": "completed", "output": [*task.get("output", ()), output]})]
    if request is not None and request.get("status") == "active":
        done.append((request, {"status": "completed"}))
    return [Entry({**bare(one), **changes}, f"{one['resourceType']}/{one['id']}", if_version=version(one)) for one, changes in done]


def referral_resources(referral: Referral, setting: Setting, visit: Mapping[str, Any]) -> list[Resource]:
    """Return the ServiceRequest of a referral and the Task that asks for its result by a day."""
    request: Resource = {
        "resourceType": "ServiceRequest",
        "id": setting.new_id(),
        "status": "active",
        "intent": "order",
        "category": [coded("request", "referral")],
        "priority": "urgent" if referral.urgent else "routine",
        "subject": to("Patient", setting.patient),
        "encounter": to("Encounter", visit["id"]),
        "authoredOn": visit["period"]["start"],
        "requester": to("Practitioner", setting.practitioner),
        "reasonCode": [{"text": referral.reason}],
    }
    if referral.organization:
        request["performer"] = [to("Organization", referral.organization)]
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
        "class": {"system": f"{TERMINOLOGY}/v3-ActCode", "code": kind},
        "type": [coded("service", form.service)],
        "subject": to("Patient", setting.patient),
        "participant": [{"individual": to("Practitioner", setting.practitioner)}],
        "period": {"start": day.isoformat()},
        "serviceProvider": to("Organization", setting.organization),
    }
    if setting.episode:
        visit["episodeOfCare"] = [to("EpisodeOfCare", setting.episode)]
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
        "category": [{"coding": [{"system": f"{TERMINOLOGY}/observation-category", "code": category}]}],
        "code": _loinc(loinc),
        "subject": to("Patient", setting.patient),
        "encounter": to("Encounter", visit["id"]),
        "effectiveDateTime": visit["period"]["start"],
        "performer": [to("Organization", setting.organization), to("Practitioner", setting.practitioner)],
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
        "subject": to("Patient", setting.patient),
        "encounter": to("Encounter", visit["id"]),
        "authored": setting.at.isoformat(timespec="seconds"),
        "author": to("Practitioner", setting.practitioner),
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
        "subject": to("Patient", setting.patient),
        "context": to("Encounter", visit["id"]),
        "effectiveDateTime": visit["period"]["start"],
        "dosage": [dosage],
    }


def _task(kind: str, focus: Mapping[str, Any], setting: Setting, due_on: date) -> Resource:
    return {
        "resourceType": "Task",
        "id": setting.new_id(),
        "status": "requested",
        "intent": "order",
        "code": coded("task", kind),
        "focus": to(focus["resourceType"], focus["id"]),
        "for": to("Patient", setting.patient),
        "authoredOn": setting.at.isoformat(timespec="seconds"),
        "owner": to("Practitioner", setting.practitioner),
        "restriction": {"period": {"end": due_on.isoformat()}},
    }


def _loinc(code: str) -> Resource:
    return {"coding": [{"system": _LOINC, "code": code}]}
