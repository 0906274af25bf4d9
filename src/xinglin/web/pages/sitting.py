"""What the form of one visit needs of a resident's record: the form, what is carried over, what an unfinished visit holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import orjson

from xinglin.base.errors import ConflictError, NotFoundError
from xinglin.base.ids import uuid5_of
from xinglin.definitions import Form, FormContext, shipped_forms
from xinglin.engines.identity import PersonCard
from xinglin.engines.store import Stored
from xinglin.web.doors import names
from xinglin.web.form_view import answers_of
from xinglin.web.i18n import mark
from xinglin.web.page import Visit
from xinglin.web.record import Happening, Record, read_record

PROGRAMMES: Final = {"hypertension": mark("高血压随访"), "diabetes2": mark("2 型糖尿病随访")}
EXAMINATION: Final = "examination"
# Path word → (form, the duty it fulfils, the question that holds the day).
KINDS: Final = {
    "hypertension": ("hypertension-followup", "hypertension-followup", "visit_date"),
    "diabetes2": ("diabetes2-followup", "diabetes2-followup", "visit_date"),
    EXAMINATION: ("health-examination", "annual-examination", "exam_date"),
}
_TYPES: Final = (
    "Patient",
    "EpisodeOfCare",
    "Encounter",
    "Observation",
    "QuestionnaireResponse",
    "MedicationStatement",
    "Condition",
    "Task",
    "Contract",
)


Body = tuple[Stored, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Start:
    """What a form begins with. visit: id of an unfinished visit that it completes.  measured: id of a visit to a doctor whose readings it takes."""

    visit: str = ""
    measured: str = ""


@dataclass(frozen=True, slots=True)
class Sitting:
    """Everything a visit's form needs: the form, the resident, the record, the earlier forms (newest first), the visit to complete.

    seqs: id → seq of each visit of this kind.  known: the newest of these, 0 without any; seqs follow the order of commits, as the numbers
    of messages do not: a long file's is lower than that of what was saved while it was read.
    """

    programme: str
    form: Form
    card: PersonCard
    record: Record
    earlier: Sequence[Mapping[str, Any]]
    unfinished: Mapping[str, Any]
    replaced: Sequence[Body]
    patient: str
    episode: str
    enrolled_on: date | None
    known: int
    seqs: Mapping[str, int] = field(default_factory=dict)

    def visit_id(self) -> str:
        """Return the id of the next visit of this kind: two forms opened on the same record make the same one, so that the second is refused."""
        return uuid5_of("page", f"{self.patient} {self.form.id} {self.known}")

    def later_than(self, known: int) -> list[Happening]:
        """Return the visits of this kind that were saved since a form was opened. known: what `known` was then, or the head of the feed."""
        return [one for one in self.record.timeline if one.kind == self.form.service and self.seqs.get(one.id, 0) > known]

    def context(self, today: date) -> FormContext:
        """Return what the form's rules know beside the answers."""
        reading = "fasting_glucose" if "measured_glucose" in self.form.context else "systolic"
        measured = next((answers for answers in self.earlier if answers.get(reading)), {})
        judged = (one for one in self.earlier if one.get("outcome_class"))
        # A visit that measured nothing and says "controlled" settles nothing, so it does not part two that were not.
        previous = next((one["outcome_class"] for one in judged if one["outcome_class"] != "1" or one.get(reading)), None)
        known = {
            "birth_date": self.card.birth_date,
            "death_date": self.card.death_date,
            "enrolled_on": self.enrolled_on,
            "previous_outcome_class": previous,
            "measured_on": measured.get("visit_date"),
            "measured_outcome_class": measured.get("outcome_class"),
            "measured_systolic": measured.get("systolic"),
            "measured_diastolic": measured.get("diastolic"),
            "measured_glucose": measured.get("fasting_glucose"),
        }
        return FormContext(today, {name: value for name, value in known.items() if name in self.form.context})


def form_of(visit: Visit, programme: str) -> Form:
    """Return the form of a programme (or of the health examination) in force today. Raises: NotFoundError."""
    if programme not in KINDS:
        raise NotFoundError("没有这种随访表", "there is no such follow-up form")
    return shipped_forms(visit.platform.clock.today())[KINDS[programme][0]]


async def sit(visit: Visit, person: int, programme: str, start: Start = Start()) -> Sitting:
    """Gather what the form of one resident needs. Raises: NotFoundError outside the scope, ConflictError for one not enrolled."""
    form, card = form_of(visit, programme), await visit.platform.residents.card(visit.scope, person)
    stored = await visit.platform.store.person_bodies(visit.scope, person, _TYPES)
    bodies = [(one, orjson.loads(one.body)) for one in stored]
    active = [
        (one, body)
        for one, body in bodies
        if one.rtype == "EpisodeOfCare" and body.get("status") == "active" and _code(body.get("type")) == programme
    ]
    if not active and programme != EXAMINATION:
        raise ConflictError("这位居民不在管：请先纳入管理", "this resident is not enrolled: enrol first")
    replaced = to_complete(form, bodies, start.visit) if start.visit else []
    measured = _about(bodies, start.measured) if start.measured else []
    completed = _completed(form, KINDS[programme][2], bodies, {one.rid for one, _ in replaced})
    patients = [one for one, _ in bodies if one.rtype == "Patient"]
    seqs = {one.id: one.seq for one, body in bodies if one.rtype == "Encounter" and _code(body.get("type")) == form.service}
    holder = next((one for one in patients if card.record_number and card.record_number.encode() in one.body), patients[0])
    return Sitting(
        programme,
        form,
        card,
        read_record(stored, await names(visit)),
        completed,
        _held(form, KINDS[programme][2], replaced or measured),
        replaced,
        str(active[0][1].get("patient", {}).get("reference", "")).removeprefix("Patient/") if active else holder.id,
        active[0][0].id if active else "",
        _start_of(active[0][1]) if active else None,
        max(seqs.values(), default=0),
        seqs,
    )


def _completed(form: Form, day: str, bodies: Sequence[Body], left_out: Set[int]) -> list[dict[str, Any]]:
    """Return the answers of the filled forms of a kind but those left out, newest first."""
    found = [
        answers_of(form, body)
        for one, body in bodies
        if _is_answered(form, one, body) and body.get("status") in ("completed", "amended") and one.rid not in left_out
    ]
    return sorted(found, key=lambda answers: str(answers.get(day, "")), reverse=True)


async def sit_again(visit: Visit, person: int, encounter_id: str) -> tuple[Sitting, list[Body]]:
    """Gather what the form of a saved visit needs, and all that belongs to the visit, the Encounter first, also what was taken back.

    `known` is the seq of the newest thing that was answered there; the earlier forms are those of the days before.
    Raises: NotFoundError outside the scope, and for what is no visit with a form of ours.
    """
    card = await visit.platform.residents.card(visit.scope, person)
    stored = await visit.platform.store.person_bodies(visit.scope, person, (*_TYPES, "ServiceRequest"))
    bodies = [(one, orjson.loads(one.body)) for one in stored]
    found = belonging(bodies, encounter_id)
    programme = next((name for name in KINDS if found and form_of(visit, name).service == _code(found[0][1].get("type"))), "")
    if not programme:
        raise NotFoundError("没有这次随访或体检", "there is no such visit")
    form, day, saved = form_of(visit, programme), str(found[0][1].get("period", {}).get("start", ""))[:10], found[0][1]
    episodes = [str(one.get("reference", "")).rpartition("/")[2] for one in saved.get("episodeOfCare") or ()]
    stays = [body for one, body in bodies if one.rtype == "EpisodeOfCare" and one.id in episodes]
    before = _completed(form, KINDS[programme][2], bodies, {one.rid for one, _ in found})
    sitting = Sitting(
        programme,
        form,
        card,
        read_record(stored, await names(visit)),
        [answers for answers in before if str(answers.get(KINDS[programme][2], "")) < day],
        {},
        (),
        str(saved.get("subject", {}).get("reference", "")).removeprefix("Patient/"),
        next(iter(episodes), ""),
        _start_of(stays[0]) if stays else None,
        max(one.seq for one, _ in found if one.rtype not in ("Task", "ServiceRequest")),
    )
    return sitting, found


def belonging(bodies: Sequence[Body], encounter_id: str) -> list[Body]:
    """Return a visit with all that came of it, referral and tasks too, whatever their states; the Encounter first, nothing without one."""
    visits = [pair for pair in bodies if pair[0].rtype == "Encounter" and pair[0].id == encounter_id]
    own = f"Encounter/{encounter_id}"
    came = [pair for pair in bodies if any(pair[1].get(name, {}).get("reference") == own for name in ("encounter", "context"))]
    about = {own, *(f"{one.rtype}/{one.id}" for one, _ in came)}
    tasks = [pair for pair in bodies if pair[0].rtype == "Task" and pair[1].get("focus", {}).get("reference") in about]
    taken = {one.rid for one, _ in came}
    return [*visits, *came, *(pair for pair in tasks if pair[0].rid not in taken)] if visits else []


def _start_of(episode: Mapping[str, Any]) -> date | None:
    """Return the day an enrolment began, None where only its month or year is known."""
    try:
        return date.fromisoformat(str(episode.get("period", {}).get("start", ""))[:10])
    except ValueError:
        return None


def _is_answered(form: Form, stored: Stored, body: Mapping[str, Any]) -> bool:
    """Return whether a resource is a filled form of this kind, in whatever version."""
    return stored.rtype == "QuestionnaireResponse" and str(body.get("questionnaire", "")).startswith(f"urn:xinglin:form:{form.id}|")


def to_complete(form: Form, bodies: Sequence[Body], encounter_id: str) -> list[Body]:
    """Return an unfinished visit with all that came with it; nothing when it is finished or taken back.

    A visit is unfinished while its status says so; an examination also while its form does not say that it is complete.
    """
    found = _about(bodies, encounter_id)
    if not found or found[0][0].rtype != "Encounter" or _code(found[0][1].get("type")) != form.service:
        return []
    visit, *came = found
    status = visit[1].get("status")
    said = [answers_of(form, body) for one, body in came if _is_answered(form, one, body)]
    is_open = form.service == "health-examination" and status == "finished" and not any(answers.get("complete") for answers in said)
    return [visit, *came] if status == "in-progress" or is_open else []


def _about(bodies: Sequence[Body], encounter_id: str) -> list[Body]:
    """Return a visit and what came with it, the visit first; nothing where there is none. A task that is done is not part of it."""
    own = f"Encounter/{encounter_id}"
    came = [
        (one, body)
        for one, body in bodies
        if any(body.get(name, {}).get("reference") == own for name in ("encounter", "context", "focus"))
        and body.get("status") != "entered-in-error"
        and not (one.rtype == "Task" and body.get("status") == "completed")
    ]
    return [*(pair for pair in bodies if pair[0].rtype == "Encounter" and pair[0].id == encounter_id), *came]


def measured_at(form: Form, bodies: Sequence[Body]) -> str:
    """Return the id of the latest visit to a doctor since the last follow-up that measured what a form asks for first, "" without one."""
    wanted = {"8480-6"} if "systolic" in form.by_link and "fasting_glucose" not in form.by_link else {"14771-0"}
    visits = [
        (str(body.get("period", {}).get("start", ""))[:10], one.id, _code(body.get("type")))
        for one, body in bodies
        if one.rtype == "Encounter" and body.get("status") == "finished"
    ]
    since = max((day for day, _, kind in visits if kind == form.service), default="")
    found = [
        (day, own)
        for day, own, kind in visits
        if kind in ("outpatient", "emergency") and day > since
        if any(wanted & _codes(part) for about in _about(bodies, own) for part in (about[1], *(about[1].get("component") or ())))
    ]
    return max(found, default=("", ""))[1]


def _codes(part: Mapping[str, Any]) -> set[str]:
    code = part.get("code")
    return {str(coding.get("code", "")) for coding in code.get("coding") or ()} if isinstance(code, dict) else set()


def unfinished(form: Form, bodies: Sequence[Body], today: date) -> str:
    """Return the id of the oldest visit of a form's kind that waits to be completed, "" for none; examinations only of this year."""
    visits = sorted(
        (str(body.get("period", {}).get("start", ""))[:10], one.id)
        for one, body in bodies
        if one.rtype == "Encounter" and to_complete(form, bodies, one.id)
    )
    waiting = [own for day, own in visits if day[:4] == str(today.year) or _status(bodies, own) == "in-progress"]
    return next(iter(waiting), "")


def _status(bodies: Sequence[Body], encounter_id: str) -> str:
    return next((str(body.get("status", "")) for one, body in bodies if one.rtype == "Encounter" and one.id == encounter_id), "")


def _held(form: Form, day: str, replaced: Sequence[Body]) -> dict[str, Any]:
    """Return what an unfinished visit says already: its form's answers, else its readings and its day."""
    held: dict[str, Any] = {}
    for one, body in replaced:
        if one.rtype == "Encounter":
            held[day] = str(body.get("period", {}).get("start", ""))[:10]
            if body.get("class", {}).get("code") == "AMB" and "way" in form.by_link:
                held["way"] = "1"
        if one.rtype == "Observation":
            for part in (body, *(body.get("component") or ())):
                codes, value = _codes(part), part.get("valueQuantity", {}).get("value")
                held |= {item.link_id: value for item in form.items if item.loinc in codes and value is not None}
    for one, body in replaced:
        if _is_answered(form, one, body):
            held |= answers_of(form, body)
    return {name: value for name, value in held.items() if value is not False}


def _code(concepts: Any) -> str:
    return next((str(coding.get("code", "")) for concept in concepts or () for coding in concept.get("coding") or ()), "")


def readings(form: Form, record: Record, but: str = "") -> dict[str, list[tuple[str, str]]]:
    """Return link id → the last three readings of each question that measures something. but: id of a visit whose own are left out."""
    found: dict[str, list[tuple[str, str]]] = {}
    own = f"Encounter/{but}"
    for item in form.items:
        if item.loinc in ("8480-6", "8462-4"):
            place = 0 if item.loinc == "8480-6" else 1
            found[item.link_id] = _last_days((one.day, f"{one.values[place]:g}") for one in record.pressures if one.encounter != own)
        elif item.loinc:
            found[item.link_id] = _last_days((one.day, one.text) for one in record.readings.get(item.loinc, ()) if one.encounter != own)
    return found


def _last_days(told: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the readings of the last three days that have one: two forms of one visit hold the same reading."""
    by_day: dict[str, str] = {}
    for day, text in told:
        by_day.setdefault(day, text)
    return list(by_day.items())[:3]


def path_of(person: int, programme: str) -> str:
    """Return the address of a resident's form."""
    return f"/residents/{person}/examination" if programme == EXAMINATION else f"/residents/{person}/followup/{programme}"
