"""A resident's resources as a page shows them: timeline, readings, problems, medicines, programmes, what is open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from xinglin.engines.store import Stored
from xinglin.web.changes import is_withdrawn
from xinglin.web.i18n import mark

Resource = Mapping[str, Any]
SERVICES: Final = {
    "followup-hypertension": mark("高血压随访"),
    "followup-diabetes2": mark("2 型糖尿病随访"),
    "outpatient": mark("门诊"),
    "inpatient": mark("住院"),
    "emergency": mark("急诊"),
    "health-examination": mark("健康体检"),
}
PROGRAMMES: Final = {"hypertension": mark("高血压"), "diabetes2": mark("2 型糖尿病"), "elderly": mark("老年人健康管理")}
EXIT_REASONS: Final = {
    "died": mark("死亡"),
    "moved_out": mark("迁出"),
    "lost": mark("失访"),
    "diagnosis_corrected": mark("诊断更正"),
    "declined": mark("拒绝管理"),
    "merged": mark("档案合并"),
}
WAYS: Final = {"1": mark("门诊"), "2": mark("家庭"), "3": mark("电话")}
MEASURES: Final = {
    "8867-4": (mark("心率"), mark("次/分")),
    "29463-7": (mark("体重"), "kg"),
    "39156-5": (mark("体质指数"), "kg/m²"),
    "8280-0": (mark("腰围"), "cm"),
    "14771-0": (mark("空腹血糖"), "mmol/L"),
    "4548-4": (mark("糖化血红蛋白"), "%"),
    "718-7": (mark("血红蛋白"), "g/L"),
    "14682-9": (mark("血肌酐"), "μmol/L"),
    "14647-2": (mark("总胆固醇"), "mmol/L"),
    "14927-8": (mark("甘油三酯"), "mmol/L"),
}
OVERRULED: Final = "override_reason_"
_PRESSURE, _SYSTOLIC, _DIASTOLIC = "85354-9", "8480-6", "8462-4"
_CHRONIC: Final = ("I10", "I11", "I12", "I13", "I15", "I20", "I21", "I25", "I60", "I61", "I63", "I64", "E10", "E11", "E14", "J44", "N18")


@dataclass(frozen=True, slots=True)
class Reading:
    """A measured value. unit: as shown.  text: `152/96` or `7.2`."""

    at: str
    code: str
    values: tuple[float, ...]
    unit: str
    encounter: str

    @property
    def day(self) -> str:
        """Return the day it was taken."""
        return self.at[:10]

    @property
    def text(self) -> str:
        """Return the values as people write them."""
        return "/".join(f"{value:g}" for value in self.values)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline. kind: key of SERVICES, or immunization, referral, or a sender's own code, which they call `named`.
    late: entered on a later day (补录).

    outcome: code of 此次随访分类, "" without one.  reasons: (linkId, why a computed answer was overruled).  encounter: as stored, {} for none.
    """

    at: str
    kind: str
    id: str
    status: str
    way: str
    place: str
    worker: str
    late: bool
    message_no: int
    readings: tuple[Reading, ...] = ()
    diagnoses: tuple[str, ...] = ()
    medicines: tuple[str, ...] = ()
    text: str = ""
    outcome: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    named: str = ""
    encounter: Resource = field(default_factory=dict, repr=False)

    @property
    def day(self) -> str:
        """Return the day."""
        return self.at[:10]


@dataclass(frozen=True, slots=True)
class Problem:
    """A diagnosis, gathered by code and by name (systems code differently): first and last day, how often, sure or provisional."""

    code: str
    name: str
    first: str
    last: str
    times: int
    confirmed: bool
    chronic: bool


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A stay in a programme. id: of the EpisodeOfCare.  end, reason: "" while it goes on."""

    id: str
    programme: str
    status: str
    start: str
    end: str
    reason: str
    place: str
    worker: str
    message_no: int


@dataclass(frozen=True, slots=True)
class Open:
    """Something somebody was asked to do. kind: referral-result, complete-followup.  focus: reference of what it is about."""

    id: str
    kind: str
    asked: str
    due: str
    owner: str
    focus: str


@dataclass(frozen=True, slots=True)
class Record:
    """A resident's record as a page shows it; lists are newest first. withdrawn: visits that were taken back (作废), with what was measured there."""

    timeline: Sequence[Happening] = ()
    withdrawn: Sequence[Happening] = ()
    pressures: Sequence[Reading] = ()
    glucoses: Sequence[Reading] = ()
    readings: Mapping[str, Sequence[Reading]] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    medicines: Sequence[str] = ()
    enrolments: Sequence[Enrolment] = ()
    contracts: Sequence[tuple[str, str, str]] = ()
    tasks: Sequence[Open] = ()

    def under(self, programme: str) -> Enrolment | None:
        """Return the stay in a programme that goes on, if any."""
        return next((one for one in self.enrolments if one.programme == programme and one.status == "active"), None)


class Names:
    """Names of institutions and workers, by registered code or by id, whichever a reference carries."""

    def __init__(self, institutions: Mapping[str, str], workers: Mapping[str, str]) -> None:
        self._institutions = institutions
        self._workers = workers

    def place(self, reference: Resource | None) -> str:
        """Return the name of an institution that is referred to, "" where it is not known."""
        return _named(reference, self._institutions)

    def worker(self, reference: Resource | None) -> str:
        """Return the name of a worker who is referred to, "" where they are not known."""
        return _named(reference, self._workers)


def _named(reference: Resource | None, names: Mapping[str, str]) -> str:
    told = reference or {}
    code, own = str(told.get("identifier", {}).get("value", "")), str(told.get("reference", "")).rpartition("/")[2]
    return names.get(code) or names.get(own) or str(told.get("display", ""))


def coding(concept: Any, system: str = "") -> str:
    """Return the first code of a CodeableConcept (of a system, when one is given), "" where there is none."""
    for one in (concept or {}).get("coding") or ():
        if not system or one.get("system") == system:
            return str(one.get("code", ""))
    return ""


def read_record(stored: Iterable[Stored], names: Names) -> Record:
    """Return the record of one person's resources; what is marked entered-in-error does not stand in it, but visits taken back are told."""
    resources: dict[str, list[tuple[Resource, int]]] = defaultdict(list)
    gone: dict[str, list[tuple[Resource, int]]] = defaultdict(list)
    for one in stored:
        resource = orjson.loads(one.body)
        (gone if resource.get("status") == "entered-in-error" else resources)[one.rtype].append((resource, one.message_no))
    readings = _readings(resources["Observation"])
    by_code: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_code[reading.code].append(reading)
    return Record(
        timeline=_timeline(resources, readings, names),
        withdrawn=[_withdrawn(one, number, gone, names) for one, number in gone["Encounter"] if is_withdrawn(one)],
        pressures=by_code[_PRESSURE],
        glucoses=by_code["14771-0"],
        readings=by_code,
        problems=_problems(resource for resource, _ in resources["Condition"]),
        medicines=_medicines_now(resource for resource, _ in resources["MedicationStatement"]),
        enrolments=sorted(
            (_enrolment(one, number, names) for one, number in resources["EpisodeOfCare"]), key=lambda one: one.start, reverse=True
        ),
        contracts=sorted(
            ((*_period(one.get("applies")), _place_of(one, names)) for one, _ in resources["Contract"] if one.get("status") == "executed"),
            reverse=True,
        ),
        tasks=[task for one, _ in resources["Task"] if (task := _open_task(one, names))],
    )


def _place_of(contract: Resource, names: Names) -> str:
    return names.place(next(iter(contract.get("authority") or ()), None))


def _period(period: Resource | None) -> tuple[str, str]:
    return str((period or {}).get("start", ""))[:10], str((period or {}).get("end", ""))[:10]


def _reading(resource: Resource) -> Reading | None:
    code, at = coding(resource.get("code")), str(resource.get("effectiveDateTime", ""))
    encounter = str(resource.get("encounter", {}).get("reference", ""))
    if code == _PRESSURE:
        parts = {coding(part.get("code")): part.get("valueQuantity", {}).get("value") for part in resource.get("component") or ()}
        if parts.get(_SYSTOLIC) is None or parts.get(_DIASTOLIC) is None:
            return None
        return Reading(at, code, (parts[_SYSTOLIC], parts[_DIASTOLIC]), "mmHg", encounter)
    value = resource.get("valueQuantity", {}).get("value")
    return (
        None
        if value is None or not code
        else Reading(at, code, (value,), MEASURES.get(code, ("", resource["valueQuantity"].get("unit", "")))[1], encounter)
    )


def _readings(observations: Iterable[tuple[Resource, int]]) -> list[Reading]:
    return sorted((reading for resource, _ in observations if (reading := _reading(resource))), key=lambda one: one.at, reverse=True)


def _withdrawn(visit: Resource, number: int, gone: Mapping[str, list[tuple[Resource, int]]], names: Names) -> Happening:
    """Return a visit that was taken back, with what went with it in the same message; what a correction left out before did not."""
    own = {name: [one for one in gone.get(name, ()) if one[1] == number] for name in ("Observation", "MedicationStatement")}
    return _timeline(defaultdict(list, own, Encounter=[(visit, number)]), _readings(own["Observation"]), names)[0]


def _timeline(resources: Mapping[str, list[tuple[Resource, int]]], readings: Sequence[Reading], names: Names) -> list[Happening]:
    taken: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        taken[reading.encounter].append(reading)
    said: dict[str, list[str]] = defaultdict(list)
    for condition, _ in resources["Condition"]:
        said[condition.get("encounter", {}).get("reference", "")].append(_name_of(condition))
    given: dict[str, list[str]] = defaultdict(list)
    for medicine, _ in resources["MedicationStatement"]:
        given[medicine.get("context", {}).get("reference", "")].append(str(medicine.get("medicationCodeableConcept", {}).get("text", "")))
    judged = {form.get("encounter", {}).get("reference", ""): _judgement(form) for form, _ in resources["QuestionnaireResponse"]}
    found = []
    for encounter, message_no in resources["Encounter"]:
        key = f"Encounter/{encounter.get('id')}"
        one = _happening(encounter, message_no, names, (taken[key], said[key], given[key]))
        outcome, reasons = judged.get(key, ("", ()))
        found.append(replace(one, outcome=outcome, reasons=reasons))
    for shot, message_no in resources["Immunization"]:
        text = str(shot.get("vaccineCode", {}).get("text") or coding(shot.get("vaccineCode")))
        found.append(
            _plain(
                "immunization",
                str(shot.get("occurrenceDateTime", "")),
                shot,
                (message_no, names.place(shot.get("performer", [{}])[0].get("actor")), text),
            )
        )
    for request, message_no in resources["ServiceRequest"]:
        text = "；".join(str(reason.get("text", "")) for reason in request.get("reasonCode") or ())
        place = names.place(next(iter(request.get("performer") or ()), None))
        found.append(_plain("referral", str(request.get("authoredOn", "")), request, (message_no, place, text)))
    return sorted(found, key=lambda one: one.at, reverse=True)


def _judgement(form: Resource) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the outcome class a filled form says, and why which computed answers were overruled."""
    said: dict[str, Mapping[str, Any]] = {
        str(item.get("linkId", "")): next(iter(item.get("answer") or ()), {}) for item in form.get("item") or ()
    }
    reasons = [
        (name.removeprefix(OVERRULED), str(answer.get("valueString", ""))) for name, answer in said.items() if name.startswith(OVERRULED)
    ]
    return str(said.get("outcome_class", {}).get("valueCoding", {}).get("code", "")), tuple(reasons)


def _happening(encounter: Resource, message_no: int, names: Names, parts: tuple[list[Reading], list[str], list[str]]) -> Happening:
    extensions = {one.get("url"): one for one in encounter.get("extension") or ()}
    start = str(encounter.get("period", {}).get("start", ""))
    entered = str(extensions.get("urn:xinglin:ext:entered-on", {}).get("valueDateTime", ""))[:10]
    kind = next((coding(one) for one in encounter.get("type") or () if coding(one)), "")
    workers = [names.worker(one.get("individual")) for one in encounter.get("participant") or ()]
    return Happening(
        at=start,
        kind=kind,
        id=str(encounter.get("id", "")),
        status=str(encounter.get("status", "")),
        way=str(extensions.get("urn:xinglin:ext:followup-way", {}).get("valueCoding", {}).get("code", "")),
        place=names.place(encounter.get("serviceProvider")),
        worker="、".join(worker for worker in workers if worker),
        late=bool(entered) and entered > start[:10],
        message_no=message_no,
        readings=tuple(parts[0]),
        diagnoses=tuple(dict.fromkeys(name for name in parts[1] if name)),
        medicines=tuple(dict.fromkeys(name for name in parts[2] if name)),
        named=_named_by_sender(encounter.get("type")),
        encounter=encounter,
    )


def _named_by_sender(concepts: Any) -> str:
    """Return what a sender calls a kind of service, "" where nothing is said."""
    for concept in concepts or ():
        for said in (concept.get("text"), *(one.get("display") for one in concept.get("coding") or ())):
            if said:
                return str(said)
    return ""


def _plain(kind: str, at: str, resource: Resource, rest: tuple[int, str, str]) -> Happening:
    message_no, place, text = rest
    return Happening(at, kind, str(resource.get("id", "")), str(resource.get("status", "")), "", place, "", False, message_no, text=text)


def _name_of(condition: Resource) -> str:
    concept = condition.get("code", {})
    return str(concept.get("text") or next((one.get("display", "") for one in concept.get("coding") or ()), ""))


def _problems(conditions: Iterable[Resource]) -> list[Problem]:
    gathered: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)
    for one in conditions:
        verified = coding(one.get("verificationStatus"))
        if verified in ("entered-in-error", "refuted"):
            continue
        day = str(one.get("onsetDateTime") or one.get("recordedDate") or "")[:10]
        gathered[coding(one.get("code"))[:3] or _name_of(one)].append((day, _name_of(one), verified == "confirmed"))
    named: dict[str, tuple[list[str], list[tuple[str, str, bool]]]] = {}
    for code, rows in gathered.items():
        codes, all_rows = named.setdefault(max(rows)[1] or code, ([], []))
        codes.append(code)
        all_rows.extend(rows)
    problems = [
        Problem(
            codes[0], name, min(rows)[0], max(rows)[0], len(rows), any(sure for _, _, sure in rows), any(code in _CHRONIC for code in codes)
        )
        for name, (codes, rows) in named.items()
    ]
    return sorted(sorted(problems, key=lambda one: one.last, reverse=True), key=lambda one: not one.chronic)


def _medicines_now(statements: Iterable[Resource]) -> list[str]:
    """Return the medicines of the newest day on which any was stated, with their doses."""
    active = [(str(one.get("effectiveDateTime", ""))[:10], one) for one in statements if one.get("status") == "active"]
    newest = max((day for day, _ in active), default="")
    shown = []
    for day, one in active:
        if day == newest:
            dose = next((str(each.get("text", "")) for each in one.get("dosage") or ()), "")
            shown.append(f"{one.get('medicationCodeableConcept', {}).get('text', '')} {dose}".strip())
    return list(dict.fromkeys(shown))


def _enrolment(episode: Resource, message_no: int, names: Names) -> Enrolment:
    start, end = _period(episode.get("period"))
    reasons = [str(one.get("valueCode", "")) for one in episode.get("extension") or () if one.get("url") == "urn:xinglin:ext:exit-reason"]
    programme = next((coding(one) for one in episode.get("type") or () if coding(one)), "")
    status = str(episode.get("status", ""))
    place, worker = names.place(episode.get("managingOrganization")), names.worker(episode.get("careManager"))
    return Enrolment(str(episode.get("id", "")), programme, status, start, end, "".join(reasons[:1]), place, worker, message_no)


def _open_task(task: Resource, names: Names) -> Open | None:
    if task.get("status") not in ("requested", "received", "accepted", "ready", "in-progress"):
        return None
    due = str(task.get("restriction", {}).get("period", {}).get("end", ""))[:10]
    focus = str(task.get("focus", {}).get("reference", ""))
    return Open(
        str(task.get("id", "")), coding(task.get("code")), str(task.get("authoredOn", ""))[:10], due, names.place(task.get("owner")), focus
    )
