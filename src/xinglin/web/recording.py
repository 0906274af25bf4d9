"""What a page of the residents' group writes, as FHIR resources: a new record, an enrolment, an end and its undoing.

The shapes are those of docs/reference/programmes-in-fhir.md. Everything goes in through the exchange, as from any other source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from xinglin.base.ids import uuid7
from xinglin.engines.exchange import OWN_PAGES, Entry, Receipt, Submission
from xinglin.engines.identity import DIVISION, ID_NUMBER, INSTITUTION_CODE, RECORD_NUMBER
from xinglin.web.page import Visit

Resource = dict[str, Any]
_STATUS: Final = "urn:xinglin:ext:residence-status"
_EXIT: Final = "urn:xinglin:ext:exit-reason"
_SEXES: Final = {"1": "male", "2": "female", "0": "unknown", "9": "other"}


@dataclass(frozen=True, slots=True)
class NewResident:
    """What the form of 新建档案 says. sex: GB/T 2261.1.  area: 12-digit village.  residence: 1 registered, 2 not registered."""

    name: str
    id_number: str
    sex: str
    birth_date: date
    phone: str
    area: int
    address: str
    residence: str
    institution_code: str
    record_number: str
    opened_on: date


def new_id(visit: Visit) -> str:
    """Return a new id of ours."""
    return uuid7(visit.platform.clock, visit.web.random)


async def submit(visit: Visit, kind: str, resources: Sequence[Entry]) -> Receipt:
    """Send entries of a page through the exchange, all or none; returns the receipt."""
    content = orjson.dumps({"kind": kind, "entries": [entry.resource for entry in resources]})
    message = Submission(OWN_PAGES, f"page-{new_id(visit)}", content, resources, kind="page", media="application/json", atomic=True)
    return await visit.platform.exchange.submit(visit.scope, message)


def patient(new: NewResident) -> Resource:
    """Return the Patient of a new record."""
    identifiers = [{"system": RECORD_NUMBER, "value": new.record_number}]
    if new.id_number:
        identifiers.insert(0, {"system": ID_NUMBER, "value": new.id_number})
    address = {"use": "home", "text": new.address, "extension": [{"url": DIVISION, "valueCode": f"{new.area:012d}"}], "period": {"start": new.opened_on.isoformat()}}
    return {
        "resourceType": "Patient",
        "identifier": identifiers,
        "name": [{"use": "official", "text": new.name, "family": new.name[:1], "given": [new.name[1:] or new.name]}],
        "gender": _SEXES[new.sex],
        "birthDate": new.birth_date.isoformat(),
        **({"telecom": [{"system": "phone", "value": new.phone, "use": "mobile"}]} if new.phone else {}),
        "address": [address if new.address else {name: value for name, value in address.items() if name != "text"}],
        "managingOrganization": {"type": "Organization", "identifier": {"system": INSTITUTION_CODE, "value": new.institution_code}},
        "extension": [
            {"url": "urn:xinglin:ext:residence-type", "valueCode": new.residence},
            {"url": _STATUS, "valueCode": "resident"},
            {"url": "urn:xinglin:ext:record-opened-on", "valueDate": new.opened_on.isoformat()},
        ],
    }


def episode(patient_id: str, programme: str, start: date, keepers: tuple[str, str]) -> Resource:
    """Return the EpisodeOfCare of an enrolment. keepers: (institution code, id of the care manager's Practitioner or "")."""
    institution, manager = keepers
    resource: Resource = {
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "type": [{"coding": [{"system": "urn:xinglin:cs:programme", "code": programme}]}],
        "patient": {"reference": f"Patient/{patient_id}"},
        "managingOrganization": {"type": "Organization", "identifier": {"system": INSTITUTION_CODE, "value": institution}},
        "period": {"start": start.isoformat()},
    }
    if manager:
        resource["careManager"] = {"reference": f"Practitioner/{manager}"}
    return resource


def ended(resource: Mapping[str, Any], on: date, reason: str) -> Resource:
    """Return an EpisodeOfCare as it stands once it has ended. reason: died, moved_out, lost, diagnosis_corrected, declined, merged."""
    extensions = [one for one in resource.get("extension") or () if one.get("url") != _EXIT]
    period = {**resource.get("period", {}), "end": on.isoformat()}
    return {**bare(resource), "status": "finished", "period": period, "extension": [*extensions, {"url": _EXIT, "valueCode": reason}]}


def reopened(resource: Mapping[str, Any]) -> Resource:
    """Return an EpisodeOfCare whose end is taken back."""
    extensions = [one for one in resource.get("extension") or () if one.get("url") != _EXIT]
    period = {name: value for name, value in resource.get("period", {}).items() if name != "end"}
    kept = {name: value for name, value in bare(resource).items() if name != "extension"}
    return {**kept, "status": "active", "period": period, **({"extension": extensions} if extensions else {})}


def moved(resource: Mapping[str, Any], on: date | None) -> Resource:
    """Return a Patient who moved out on a day, or (None) whose move is taken back."""
    extensions = [one for one in resource.get("extension") or () if one.get("url") != _STATUS]
    addresses = [dict(one) for one in resource.get("address") or ()]
    if addresses:
        period = {name: value for name, value in addresses[0].get("period", {}).items() if name != "end"} | ({"end": on.isoformat()} if on else {})
        addresses[0].pop("period", None)
        if period:
            addresses[0]["period"] = period
    return {**bare(resource), "address": addresses, "extension": [*extensions, {"url": _STATUS, "valueCode": "moved_out" if on else "resident"}]}


def bare(resource: Mapping[str, Any]) -> Resource:
    """Return a stored resource without the parts the store writes itself."""
    return {name: value for name, value in resource.items() if name != "meta"}
