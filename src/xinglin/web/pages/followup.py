"""随访表、体检表: one visit of one resident, with the last readings beside the empty boxes; saved through the exchange."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import orjson
from starlette.responses import JSONResponse, Response

from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError
from xinglin.definitions import Form, FormContext, Parsed, Problem, carry_over, computed, parse_answers, shipped_forms
from xinglin.engines.exchange import Entry
from xinglin.engines.identity import PersonCard
from xinglin.engines.rules import WorklistQuery, Worklists
from xinglin.engines.store import Stored
from xinglin.web.doors import names
from xinglin.web.form_view import Typed, answers_of, raw_of, sections_of, text_of
from xinglin.web.i18n import capital, mark
from xinglin.web.modules import recording_of
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.residents import card_row
from xinglin.web.record import Record, read_record
from xinglin.web.recording import Sending, submit

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


@dataclass(frozen=True, slots=True)
class Sitting:
    """Everything a visit's form needs: the form, the resident, the record, the earlier forms (newest first), the visit to complete."""

    programme: str
    form: Form
    card: PersonCard
    record: Record
    earlier: Sequence[Mapping[str, Any]]
    unfinished: Mapping[str, Any]
    replaced: Sequence[tuple[Stored, dict[str, Any]]]
    patient: str
    episode: str
    enrolled_on: date | None

    def context(self, today: date) -> FormContext:
        """Return what the form's rules know beside the answers."""
        previous = next((answers["outcome_class"] for answers in self.earlier if answers.get("outcome_class")), None)
        known = {"birth_date": self.card.birth_date, "death_date": self.card.death_date, "enrolled_on": self.enrolled_on}
        return FormContext(today, {**known, "previous_outcome_class": previous})


def form_of(visit: Visit, programme: str) -> Form:
    """Return the form of a programme (or of the health examination) in force today. Raises: NotFoundError."""
    if programme not in KINDS:
        raise NotFoundError("没有这种随访表", "there is no such follow-up form")
    return shipped_forms(visit.platform.clock.today())[KINDS[programme][0]]


async def sit(visit: Visit, person: int, programme: str, encounter_id: str = "") -> Sitting:
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
    responses = sorted(
        (
            (str(body.get("authored", "")), body)
            for one, body in bodies
            if one.rtype == "QuestionnaireResponse" and str(body.get("questionnaire", "")).startswith(f"urn:xinglin:form:{form.id}|")
        ),
        key=lambda pair: pair[0],
        reverse=True,
    )
    completed = [answers_of(form, body) for _, body in responses if body.get("status") in ("completed", "amended")]
    completed.sort(key=lambda answers: str(answers.get(KINDS[programme][2], "")), reverse=True)
    replaced = [(one, body) for one, body in bodies if encounter_id and _is_about(one, body, encounter_id)]
    pending = next((answers_of(form, body) for one, body in replaced if one.rtype == "QuestionnaireResponse"), {})
    record = read_record(stored, await names(visit))
    patients = [one for one, _ in bodies if one.rtype == "Patient"]
    holder = next((one for one in patients if card.record_number and card.record_number.encode() in one.body), patients[0])
    patient = str(active[0][1].get("patient", {}).get("reference", "")).removeprefix("Patient/") if active else holder.id
    episode, since = (active[0][0].id, _start_of(active[0][1])) if active else ("", None)
    return Sitting(programme, form, card, record, completed, pending, replaced, patient, episode, since)


def _start_of(episode: Mapping[str, Any]) -> date | None:
    """Return the day an enrolment began, None where only its month or year is known."""
    try:
        return date.fromisoformat(str(episode.get("period", {}).get("start", ""))[:10])
    except ValueError:
        return None


def _is_about(stored: Stored, body: Mapping[str, Any], encounter_id: str) -> bool:
    """Return whether a resource is an unfinished visit or came with it."""
    if stored.rtype == "Encounter":
        return stored.id == encounter_id and body.get("status") == "in-progress"
    if body.get("status") in ("entered-in-error", "completed") and stored.rtype in ("Task", "QuestionnaireResponse"):
        return False
    return any(body.get(name, {}).get("reference") == f"Encounter/{encounter_id}" for name in ("encounter", "context", "focus"))


def _code(concepts: Any) -> str:
    return next((str(coding.get("code", "")) for concept in concepts or () for coding in concept.get("coding") or ()), "")


def readings(form: Form, record: Record) -> dict[str, list[tuple[str, str]]]:
    """Return link id → the last three readings of each question that measures something."""
    found: dict[str, list[tuple[str, str]]] = {}
    for item in form.items:
        if item.loinc in ("8480-6", "8462-4"):
            place = 0 if item.loinc == "8480-6" else 1
            found[item.link_id] = _last_days((one.day, f"{one.values[place]:g}") for one in record.pressures)
        elif item.loinc:
            found[item.link_id] = _last_days((one.day, one.text) for one in record.readings.get(item.loinc, ()))
    return found


def _last_days(told: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the readings of the last three days that have one: two forms of one visit hold the same reading."""
    by_day: dict[str, str] = {}
    for day, text in told:
        by_day.setdefault(day, text)
    return list(by_day.items())[:3]


def _carried(sitting: Sitting) -> dict[str, str]:
    """Return what is brought over from the last form; what an unfinished visit holds was seen when it was left."""
    held, last = raw_of(sitting.unfinished), sitting.earlier[0] if sitting.earlier else {}
    return {name: text for name, text in raw_of(carry_over(sitting.form, last)).items() if name not in held}


def _fresh(visit: Visit, sitting: Sitting) -> Typed:
    """Return the form before anything is typed: today, the doctor's name, what is carried over, what an unfinished visit has."""
    today, carried = visit.platform.clock.today(), _carried(sitting)
    raw = {**carried, KINDS[sitting.programme][2]: today.isoformat(), "doctor": visit.scope.display_name, **raw_of(sitting.unfinished)}
    return Typed(raw, carried, frozenset(), {}, readings(sitting.form, sitting.record))


def _sent(sitting: Sitting, form: Any) -> Typed:
    """Return the form as it was sent. A computed value that still is what was shown counts as not typed."""
    raw = {
        key: str(value) for key, value in form.items() if isinstance(value, str) and key not in ("form_token", "confirmed", "then", "seen")
    }
    shown = {key.removeprefix("computed_"): value for key, value in raw.items() if key.startswith("computed_")}
    raw = {
        key: "" if key in shown and value.strip() == shown[key] else value for key, value in raw.items() if not key.startswith("computed_")
    }
    carried = _carried(sitting)
    confirmed = frozenset(carried) if form.get("confirm_all") else frozenset(str(name) for name in form.getlist("confirmed"))
    return Typed(raw, carried, confirmed, {}, readings(sitting.form, sitting.record))


def _read(sitting: Sitting, typed: Typed, today: date) -> tuple[Typed, Parsed]:
    """Return the typed form with what the rules make of it filled in, and what was read."""
    parsed = parse_answers(sitting.form, typed.raw, sitting.context(today))
    made = {link_id: text_of(value) for link_id, value in parsed.answers.computed.items()}
    raw = {**typed.raw, **{link_id: text for link_id, text in made.items() if not typed.raw.get(link_id)}}
    return replace(typed, raw=raw, computed=made), parsed


async def show_form(visit: Visit) -> Response:
    """Show the form of a new visit, or of one to be completed (`?visit=`)."""
    sitting = await _sitting(visit)
    typed = _fresh(visit, sitting)
    made = computed(sitting.form, {}, sitting.context(visit.platform.clock.today()))
    return await _form_page(visit, sitting, replace(typed, computed={key: text_of(value) for key, value in made.items()}), ())


async def _sitting(visit: Visit) -> Sitting:
    path = visit.request.path_params
    return await sit(visit, path["person"], path.get("programme", EXAMINATION), visit.request.query_params.get("visit", ""))


async def _form_page(visit: Visit, sitting: Sitting, typed: Typed, problems: Sequence[Problem], refusal: str = "") -> Response:
    today = visit.platform.clock.today()
    duties = [
        one
        for one in await Worklists(visit.platform.database).of_persons(visit.scope, [sitting.card.person])
        if one.definition == KINDS[sitting.programme][1]
    ]
    context = {
        "card": sitting.card,
        "row": card_row(visit, sitting.card),
        "form": sitting.form,
        "programme": sitting.programme,
        "title": capital(sitting.form.words.say(visit.language)),
        "sections": sections_of(sitting.form, typed, problems, visit.language),
        "computed": {item.link_id: typed.computed.get(item.link_id, "") for item in sitting.form.items if item.computed is not None},
        "confirmed": sorted(typed.confirmed & set(typed.carried)),
        "seen": sorted(f"{problem.link_id}={typed.raw.get(problem.link_id, '')}" for problem in problems if problem.kind == "unusual"),
        "visits": [one for one in sitting.record.timeline if one.kind == sitting.form.service][:4],
        "medicines": sitting.record.medicines,
        "duty": duties[0] if duties else None,
        "unfinished": bool(sitting.replaced),
        "can_wait": any(problem.kind == "missing" for problem in problems) and all(problem.kind != "error" for problem in problems),
        "refusal": refusal,
        "told": visit.text("上一位已保存") if visit.request.query_params.get("told") else "",
        "today": today,
        "sending": typed.raw.get("sending") or Sending(visit).number,
        "advice": _advice(visit, sitting, typed, problems),
    }
    return render(visit, "followup/form.html", context, status=422 if problems or refusal else 200)


def _advice(visit: Visit, sitting: Sitting, typed: Typed, problems: Sequence[Problem]) -> str:
    """Return what the rules propose for what has been typed so far: a referral, in words, "" for nothing."""
    if any(problem.kind == "error" for problem in problems):
        return ""
    parsed = parse_answers(sitting.form, typed.raw, sitting.context(visit.platform.clock.today()))
    return _referral_words(visit, sitting.programme, parsed)


def _referral_words(visit: Visit, programme: str, parsed: Parsed) -> str:
    reason = parsed.answers.derived.get("referral")
    if not reason:
        return ""
    definition = visit.platform.rules.edition(visit.platform.clock.today()).get(f"{programme}-referral")
    return definition.classes[reason].say(visit.language)


async def compute(visit: Visit) -> Response:
    """Answer the form while it is typed: what is computed, what is refused or unusual, what is proposed."""
    sitting = await _sitting(visit)
    typed, parsed = _read(sitting, _sent(sitting, await visit.form()), visit.platform.clock.today())
    told: dict[str, dict[str, str]] = {
        item.link_id: {"hint": item.hint.say(visit.language)} for item in sitting.form.items if typed.raw.get(item.link_id) or item.computed
    }
    for item in sitting.form.items:
        if item.computed is not None:
            told[item.link_id]["value"] = typed.computed.get(item.link_id, "")
    for problem in parsed.problems:
        if problem.kind != "missing" and problem.link_id in told:
            told[problem.link_id]["error" if problem.kind == "error" else "warning"] = problem.words.say(visit.language)
    day = parsed.answers.get(KINDS[sitting.programme][2])
    late = day is not None and day < visit.platform.clock.today()
    return JSONResponse(
        {
            "fields": told,
            "notes": {"referral": _referral_words(visit, sitting.programme, parsed), "late": visit.text("补录") if late else ""},
        }
    )


async def save_form(visit: Visit) -> Response:
    """Save a visit: finished, or to be completed. What is wrong stands beside its field and nothing typed is lost."""
    sitting, form, today = await _sitting(visit), await visit.form(), visit.platform.clock.today()
    typed, parsed = _read(sitting, _sent(sitting, form), today)
    then, sending = str(form.get("then", "")), Sending(visit, str(form.get("sending", "")))
    if await sending.is_done("Encounter"):
        return redirect(visit, await _onward(visit, sitting, then))
    problems = _held_up(parsed, typed, frozenset(str(one) for one in form.getlist("seen")), may_wait=then == "wait")
    if form.get("confirm_all") or problems:
        return await _form_page(visit, sitting, typed, problems)
    if typed.grey:
        refusal = visit.text("还有 {count} 项带入值没有确认：按 F8 全部确认，或逐项改写", count=len(typed.grey))
        return await _form_page(visit, sitting, typed, (), refusal)
    receipt = await submit(visit, "followup", await entries(visit, sitting, parsed, sending, is_complete=then != "wait"))
    if receipt.problems:
        first = receipt.problems[0]
        return await _form_page(visit, sitting, typed, (), f"{first.path} {visit.words.pick(first.zh, first.en)}")
    await visit.platform.rules.evaluate_person(sitting.card.person, today)
    return redirect(visit, await _onward(visit, sitting, then))


def _held_up(parsed: Parsed, typed: Typed, seen: frozenset[str], *, may_wait: bool) -> tuple[Problem, ...]:
    """Return the problems that keep a visit from being saved; unusual values do so once, until they were seen."""
    unseen = any(
        problem.kind == "unusual" and f"{problem.link_id}={typed.raw.get(problem.link_id, '')}" not in seen for problem in parsed.problems
    )
    refused = any(problem.kind == "error" or problem.kind == "missing" and not may_wait for problem in parsed.problems)
    return parsed.problems if refused or unseen else ()


async def entries(visit: Visit, sitting: Sitting, parsed: Parsed, sending: Sending, *, is_complete: bool) -> list[Entry]:
    """Return what goes into the exchange for one visit; the visit itself must not be there yet.

    Raises: ConflictError for an account without a worker or institution.
    """
    scope, recording = visit.scope, recording_of(sitting.form)
    if scope.practitioner_rid is None or scope.institution_rid is None:
        raise ConflictError(
            "您的账号没有关联医务人员和机构：请联系系统管理员",
            "your account is tied to no worker or institution: ask the system administrator",
        )
    keys = await visit.platform.store.keys([scope.practitioner_rid, scope.institution_rid])
    at = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    setting = recording.Setting(
        patient=sitting.patient,
        practitioner=keys[scope.practitioner_rid][1],
        organization=keys[scope.institution_rid][1],
        at=at,
        new_id=sending.next_id,
        episode=sitting.episode,
    )
    if sitting.programme == EXAMINATION:
        examined: list[Entry] = recording.examination_entries(sitting.form, parsed.answers, setting, is_complete=is_complete)
        return [replace(examined[0], if_version=0), *examined[1:], *_superseded(sitting)]
    found: list[Entry] = recording.followup_entries(
        sitting.form, parsed.answers, setting, is_complete=is_complete, referral=_referral(visit, recording, parsed)
    )
    return [replace(found[0], if_version=0), *found[1:], *_superseded(sitting)]


def _referral(visit: Visit, recording: Any, parsed: Parsed) -> Any:
    """Return the referral the doctor wrote down, with the day its result is asked for; None without one."""
    answers = parsed.answers
    if not answers.get("referral_reason"):
        return None
    due = visit.platform.rules.calculate("referral-result-due", {"referred_on": answers.get("visit_date")}, visit.platform.clock.today())
    return recording.Referral(
        reason=answers.get("referral_reason"),
        due_on=due,
        urgent=answers.derived.get("referral") == "emergency",
        to=answers.get("referral_institution") or "",
    )


def _superseded(sitting: Sitting) -> list[Entry]:
    """Return the unfinished visit this one completes, taken back with all that came with it, and its task done."""
    found = []
    for stored, body in sitting.replaced:
        status = "completed" if stored.rtype == "Task" else "entered-in-error"
        resource = {name: value for name, value in body.items() if name != "meta"}
        found.append(Entry({**resource, "status": status}, f"{stored.rtype}/{stored.id}", if_version=stored.version))
    return found


async def _onward(visit: Visit, sitting: Sitting, then: str) -> str:
    """Return the next resident's form of the same programme for F4, else this resident's record."""
    if then == "next":
        work = Worklists(visit.platform.database)
        for name in ("examination",) if sitting.programme == EXAMINATION else ("overdue", "today"):
            duties, _ = await work.page(
                visit.scope, visit.platform.clock.today(), WorklistQuery(name, KINDS[sitting.programme][1], limit=2)
            )
            following = next((duty for duty in duties if duty.person != sitting.card.person), None)
            if following is not None:
                return f"{path_of(following.person, sitting.programme)}?told=1"
        return "/desk"
    return f"/residents/{sitting.card.person}?told=1"


def path_of(person: int, programme: str) -> str:
    """Return the address of a resident's form."""
    return f"/residents/{person}/examination" if programme == EXAMINATION else f"/residents/{person}/followup/{programme}"


async def show_unfinished(visit: Visit) -> Response:
    """Lead from a 待补全 duty to the form that completes it. Raises: IncorrectError when nothing is to be completed."""
    person = visit.request.path_params["person"]
    stored = await visit.platform.store.person_bodies(visit.scope, person, ("Encounter",))
    for one in stored:
        body = orjson.loads(one.body)
        programme = _code(body.get("type")).removeprefix("followup-")
        if body.get("status") == "in-progress" and programme in PROGRAMMES:
            return redirect(visit, f"/residents/{person}/followup/{programme}?visit={one.id}")
    raise IncorrectError("没有待补全的随访：可能已经补全，请刷新名单", "no visit waits to be completed: it may be done, reload the list")


_FORM: Final = "/residents/{person:int}/followup/{programme}"
ROUTES: Final = (
    page("/residents/{person:int}/followup", show_unfinished, right="followup.write"),
    page(_FORM, show_form, right="followup.write"),
    page(_FORM, save_form, right="followup.write", methods=("POST",)),
    page(_FORM + "/compute", compute, right="followup.write", methods=("POST",)),
    page("/residents/{person:int}/examination", show_form, right="examination.write"),
    page("/residents/{person:int}/examination", save_form, right="examination.write", methods=("POST",)),
    page("/residents/{person:int}/examination/compute", compute, right="examination.write", methods=("POST",)),
)
MENU: Final = ()
