"""Keeping records 建档, 纳入管理, 终止, 迁出 → FHIR entries; pure, as recording.

Source of the shapes: docs/reference/programmes-in-fhir.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from xinglin.definitions import Answers
from xinglin.engines.exchange import Entry
from xinglin.modules.chronic_disease.parts import TERMINOLOGY, Resource, Setting, bare, coded, to, version

_ICD10: Final = "urn:oid:2.16.156.10011.2.3.3.11.3"
_EXIT_REASON: Final = "urn:xinglin:ext:exit-reason"
_STATUS: Final = "urn:xinglin:ext:residence-status"


def enrolment_entries(programme: str, answers: Answers, setting: Setting) -> list[Entry]:
    """Return EpisodeOfCare and, where a diagnosis is named, its Condition. programme: hypertension, diabetes2 or elderly."""
    started: date = answers.get("enrolled_on")
    episode: Resource = {
        "resourceType": "EpisodeOfCare",
        "id": setting.new_id(),
        "status": "active",
        "type": [coded("programme", programme)],
        "patient": to("Patient", setting.patient),
        "managingOrganization": to("Organization", setting.organization),
        "period": {"start": started.isoformat()},
        "careManager": to("Practitioner", setting.practitioner),
    }
    found = [episode]
    if answers.get("diagnosis_code"):
        condition = _condition(answers, setting)
        episode["diagnosis"] = [{"condition": to("Condition", condition["id"])}]
        found.append(condition)
    return [Entry(resource) for resource in found]


def exit_entries(episode: Mapping[str, Any], ended_on: date, reason: str) -> list[Entry]:
    """Return the episode ended on a day for a reason of the contract (died, moved_out, lost, diagnosis_corrected, declined, merged)."""
    kept = [item for item in episode.get("extension", ()) if item.get("url") != _EXIT_REASON]
    ended = {
        **bare(episode),
        "status": "finished",
        "period": {**episode.get("period", {}), "end": ended_on.isoformat()},
        "extension": [*kept, {"url": _EXIT_REASON, "valueCode": reason}],
    }
    return [Entry(ended, if_version=version(episode))]


def undo_exit_entries(episode: Mapping[str, Any]) -> list[Entry]:
    """Return the episode in force again: no end, no reason."""
    kept = [item for item in episode.get("extension", ()) if item.get("url") != _EXIT_REASON]
    period = {name: value for name, value in episode.get("period", {}).items() if name != "end"}
    again = {**bare(episode), "status": "active", "period": period}
    again.pop("extension", None)
    if kept:
        again["extension"] = kept
    return [Entry(again, if_version=version(episode))]


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
        "managingOrganization": to("Organization", setting.organization),
    }
    if identifiers:
        patient["identifier"] = identifiers
    if answers.get("phone"):
        patient["telecom"] = [{"system": "phone", "value": answers.get("phone")}]
    return [Entry(patient)]


def leaving_entries(patient: Mapping[str, Any], reason: str, on: date) -> list[Entry]:
    """Return the Patient who moved out or died on a day; nothing for the other reasons, which leave the resident on record."""
    if reason == "moved_out":
        return [_changed(patient, _moved(patient, on))]
    if reason == "died":
        kept = {name: value for name, value in patient.items() if name != "deceasedBoolean"}
        return [_changed(patient, {**kept, "deceasedDateTime": on.isoformat()})]
    return []


def returning_entries(patient: Mapping[str, Any], reason: str) -> list[Entry]:
    """Return the Patient whose move or death is taken back; nothing for the other reasons."""
    if reason == "moved_out":
        return [_changed(patient, _moved(patient, None))]
    if reason == "died":
        return [_changed(patient, {name: value for name, value in patient.items() if name != "deceasedDateTime"})]
    return []


def _changed(patient: Mapping[str, Any], resource: Mapping[str, Any]) -> Entry:
    return Entry(bare(resource), f"Patient/{patient['id']}", if_version=version(patient))


def _moved(patient: Mapping[str, Any], on: date | None) -> Resource:
    extensions = [one for one in patient.get("extension") or () if one.get("url") != _STATUS]
    addresses = [dict(one) for one in patient.get("address") or ()]
    if addresses:
        period = {name: value for name, value in addresses[0].pop("period", {}).items() if name != "end"}
        period |= {"end": on.isoformat()} if on else {}
        addresses[0] |= {"period": period} if period else {}
    status = {"url": _STATUS, "valueCode": "moved_out" if on else "resident"}
    return {**patient, "address": addresses, "extension": [*extensions, status]}


def _condition(answers: Answers, setting: Setting) -> Resource:
    code = {"system": _ICD10, "code": answers.get("diagnosis_code")}
    condition: Resource = {
        "resourceType": "Condition",
        "id": setting.new_id(),
        "clinicalStatus": {"coding": [{"system": f"{TERMINOLOGY}/condition-clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{TERMINOLOGY}/condition-ver-status", "code": "confirmed"}]},
        "code": {"coding": [code], "text": answers.get("diagnosis_text") or answers.get("diagnosis_code")},
        "subject": to("Patient", setting.patient),
        "recordedDate": answers.get("enrolled_on").isoformat(),
        "recorder": to("Practitioner", setting.practitioner),
    }
    if answers.get("diagnosed_on"):
        condition["onsetDateTime"] = answers.get("diagnosed_on").isoformat()
    return condition
