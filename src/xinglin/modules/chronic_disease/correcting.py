"""更正 and 作废 of a saved visit, and its undoing → FHIR entries; pure, as recording.

A corrected visit keeps its resources: what is the same question keeps its id, what was taken out is marked entered in error.
Source of the shapes: docs/reference/programmes-in-fhir.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from xinglin.definitions import Answers, Form
from xinglin.engines.exchange import Entry
from xinglin.modules.chronic_disease.parts import Resource, Setting, bare, to, version
from xinglin.modules.chronic_disease.recording import Referral, examination_entries, followup_entries

_CHANGE: Final = "urn:xinglin:ext:change"
_WAY: Final = "urn:xinglin:ext:followup-way"
_OPEN: Final = ("draft", "requested", "received", "accepted", "ready", "in-progress", "on-hold")
# What a correction leaves as it was: who was there and wrote it down when, and how far what was asked for has come.
_KEPT: Final = {
    "Encounter": ("participant", "serviceProvider"),
    "QuestionnaireResponse": ("author", "authored"),
    "Observation": ("performer", "status"),
    "ServiceRequest": ("requester", "status"),
    "Task": ("authoredOn", "owner", "status"),
}
# What goes when it is not said any more.
_REPLACED: Final = {"ServiceRequest": ("performer",)}
_MARKED: Final = {"QuestionnaireResponse": "amended", "Observation": "corrected"}


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes a saved visit, when and why. practitioner: id.  name: as it is shown.  number: of the sending, which a second one is seen by."""

    practitioner: str
    name: str
    at: datetime
    reason: str
    number: str


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a visit says instead. referral: the one that goes with it now, None without one."""

    form: Form
    answers: Answers
    referral: Referral | None = None


def correction_entries(saved: Sequence[Mapping[str, Any]], corrected: Corrected, change: Change, new_id: Callable[[], str]) -> list[Entry]:
    """Return new versions of what a visit wrote, under the same ids; what it does not say any more is marked entered in error.

    saved: the Encounter first, then all that belongs to it, as stored.  new_id: gives ids to what was not there before.
    Invariant: the Encounter is always among them, refused when it was changed meanwhile; what stays the same is not.
    """
    visit, rest = saved[0], _by_kind(saved[1:])
    fresh = _fresh(visit, corrected, change, new_id)
    same = {f"{one['resourceType']}/{one['id']}": old[number] for one, old, number in _pairs(fresh, rest) if number < len(old)}
    found = [_entry(visit, _visit(visit, fresh[0], change))]
    for one in fresh[1:]:
        old = same.get(f"{one['resourceType']}/{one['id']}")
        merged = _merged(old, _refocused(one, same)) if old is not None else _refocused(one, same)
        if old is None:
            found.append(Entry(merged, if_version=0))
        elif merged != bare(old):
            found.append(_entry(old, _marked(merged)))
    kept = {id(one) for one in same.values()}
    gone = [one for one in saved[1:] if id(one) not in kept]
    return [*found, *(entry for one in gone for entry in _taken_back(one))]


def withdrawal_entries(saved: Sequence[Mapping[str, Any]], change: Change) -> list[Entry]:
    """Return a visit with all that came of it marked entered in error, its open tasks cancelled. saved: the Encounter first."""
    visit, *rest = saved
    withdrawn = {**bare(visit), "status": "entered-in-error", "extension": [*(visit.get("extension") or ()), _note("withdrawn", change)]}
    return [_entry(visit, withdrawn), *(entry for one in rest for entry in _taken_back(one))]


def restoring_entries(pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[Entry]:
    """Return resources as they were before. pairs: (as it stands now, as it was), refused where it was changed meanwhile."""
    return [_entry(now, bare(before)) for now, before in pairs]


def _entry(old: Mapping[str, Any], resource: Resource) -> Entry:
    return Entry({**resource, "id": old["id"]}, f"{old['resourceType']}/{old['id']}", if_version=version(old))


def _note(kind: str, change: Change) -> Resource:
    told = [
        {"url": "kind", "valueCode": kind},
        {"url": "by", "valueReference": {**to("Practitioner", change.practitioner), "display": change.name}},
        {"url": "at", "valueDateTime": change.at.isoformat(timespec="seconds")},
        {"url": "reason", "valueString": change.reason},
    ]
    return {"id": change.number, "url": _CHANGE, "extension": told}


def _fresh(visit: Mapping[str, Any], corrected: Corrected, change: Change, new_id: Callable[[], str]) -> list[Resource]:
    """Return the visit as it would be written down now; its Encounter has the id of the saved one."""
    given = [str(visit["id"])]
    setting = Setting(
        patient=_id_in(visit.get("subject")),
        practitioner=_id_in(next((one.get("individual") for one in visit.get("participant") or ()), None)),
        organization=_id_in(visit.get("serviceProvider")),
        at=change.at,
        new_id=lambda: given.pop() if given else new_id(),
        episode=_id_in(next(iter(visit.get("episodeOfCare") or ()), None)),
    )
    found = (
        examination_entries(corrected.form, corrected.answers, setting)
        if corrected.form.service == "health-examination"
        else followup_entries(corrected.form, corrected.answers, setting, referral=corrected.referral)
    )
    return [dict(entry.resource) for entry in found]


def _id_in(reference: Mapping[str, Any] | None) -> str:
    return str((reference or {}).get("reference", "")).rpartition("/")[2]


def _kind(resource: Mapping[str, Any]) -> tuple[str, str]:
    """Return what makes two resources of one visit the same: the measure, the medicine, the kind of task."""
    rtype = str(resource.get("resourceType"))
    concept = resource.get("medicationCodeableConcept") if rtype == "MedicationStatement" else resource.get("code")
    code = next((str(one.get("code", "")) for one in (concept or {}).get("coding") or ()), "")
    return rtype, str((concept or {}).get("text", "")) if rtype == "MedicationStatement" else code


def _by_kind(saved: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for one in saved:
        found[_kind(one)].append(one)
    return found


def _pairs(
    fresh: Sequence[Resource], rest: Mapping[tuple[str, str], list[Mapping[str, Any]]]
) -> list[tuple[Resource, Sequence[Mapping[str, Any]], int]]:
    """Return each new resource with the saved ones of its kind and its place among them."""
    taken: dict[tuple[str, str], int] = defaultdict(int)
    found: list[tuple[Resource, Sequence[Mapping[str, Any]], int]] = []
    for one in fresh[1:]:
        kind = _kind(one)
        found.append((one, rest.get(kind, ()), taken[kind]))
        taken[kind] += 1
    return found


def _visit(saved: Mapping[str, Any], fresh: Resource, change: Change) -> Resource:
    """Return the Encounter corrected: its way as typed, when it was entered as before, and the note of who corrected it."""
    ways = [one for one in fresh.get("extension") or () if one.get("url") == _WAY]
    others = [one for one in saved.get("extension") or () if one.get("url") != _WAY]
    return {**_merged(saved, fresh), "extension": [*ways, *others, _note("corrected", change)]}


def _merged(saved: Mapping[str, Any], fresh: Resource) -> Resource:
    kept = {name: saved[name] for name in _KEPT.get(fresh["resourceType"], ()) if name in saved}
    status = {"status": saved["status"]} if fresh["resourceType"] == "QuestionnaireResponse" else {}
    old = {name: value for name, value in bare(saved).items() if name not in _REPLACED.get(fresh["resourceType"], ())}
    return {**old, **fresh, **kept, **status, "id": saved["id"]}


def _marked(resource: Resource) -> Resource:
    """Return what has changed with a status that says so."""
    status = _MARKED.get(resource["resourceType"])
    return {**resource, "status": status} if status else resource


def _refocused(resource: Resource, same: Mapping[str, Mapping[str, Any]]) -> Resource:
    """Return a task that is about the saved referral, where there is one."""
    about = same.get(str(resource.get("focus", {}).get("reference", "")))
    return resource if about is None else {**resource, "focus": to(str(about["resourceType"]), str(about["id"]))}


def _taken_back(resource: Mapping[str, Any]) -> list[Entry]:
    """Return a resource marked entered in error, a task cancelled; a task that is done stays done, what was found out was found out."""
    if resource.get("resourceType") != "Task":
        return [_entry(resource, {**bare(resource), "status": "entered-in-error"})]
    return [_entry(resource, {**bare(resource), "status": "cancelled"})] if resource.get("status") in _OPEN else []
