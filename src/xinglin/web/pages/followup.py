"""随访表、体检表: one visit of one resident, with the last readings beside the empty boxes; saved through the exchange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

import orjson
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response

from xinglin.base.errors import ConflictError, IncorrectError
from xinglin.definitions import Parsed, Problem, carry_over, computed, parse_answers
from xinglin.engines.exchange import Entry
from xinglin.engines.rules import WorklistQuery, Worklists
from xinglin.web.form_view import Typed, answers_of, raw_of, sections_of, text_of
from xinglin.web.i18n import capital
from xinglin.web.modules import recording_of
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.residents import card_row
from xinglin.web.pages.sitting import (
    EXAMINATION,
    KINDS,
    PROGRAMMES,
    Sitting,
    Start,
    form_of,
    measured_at,
    path_of,
    readings,
    sit,
    unfinished,
)
from xinglin.web.record import Happening
from xinglin.web.recording import Sending, submit


def _carried(sitting: Sitting) -> dict[str, str]:
    """Return what is brought over from the last form; what an unfinished visit holds was seen when it was left."""
    held, last = raw_of(sitting.unfinished), sitting.earlier[0] if sitting.earlier else {}
    return {name: text for name, text in raw_of(carry_over(sitting.form, last)).items() if name not in held}


def _fresh(visit: Visit, sitting: Sitting) -> Typed:
    """Return the form before anything is typed: today, the doctor's name, what is carried over, what an unfinished visit has."""
    today, carried = visit.platform.clock.today(), _carried(sitting)
    raw = {**carried, KINDS[sitting.programme][2]: today.isoformat(), "doctor": visit.scope.display_name, **raw_of(sitting.unfinished)}
    return Typed(raw, carried, frozenset(), {}, readings(sitting.form, sitting.record), frozenset(sitting.unfinished))


def as_sent(sitting: Sitting, form: Any) -> Typed:
    """Return the form as it was sent. A computed value that still is what was shown counts as not typed.

    What was not brought over when the form was opened was typed, even where it says the same as a visit saved since.
    """
    raw = {
        key: str(value) for key, value in form.items() if isinstance(value, str) and key not in ("form_token", "confirmed", "then", "seen")
    }
    shown = {key.removeprefix("computed_"): value for key, value in raw.items() if key.startswith("computed_")}
    raw = {
        key: "" if key in shown and value.strip() == shown[key] else value for key, value in raw.items() if not key.startswith("computed_")
    }
    brought = str(form.get("brought", " ".join(_carried(sitting)))).split()
    carried = {name: text for name, text in _carried(sitting).items() if name in brought}
    confirmed = frozenset(carried) if form.get("confirm_all") else frozenset(str(name) for name in form.getlist("confirmed"))
    return Typed(raw, carried, confirmed, {}, readings(sitting.form, sitting.record), frozenset(sitting.unfinished))


def reckoned(sitting: Sitting, typed: Typed, today: date) -> tuple[Typed, Parsed]:
    """Return the typed form with what the rules make of it filled in, and what was read."""
    parsed = parse_answers(sitting.form, typed.raw, sitting.context(today))
    made = {link_id: text_of(value) for link_id, value in parsed.answers.computed.items()}
    raw = {**typed.raw, **{link_id: text for link_id, text in made.items() if not typed.raw.get(link_id)}}
    return replace(typed, raw=raw, computed=made), parsed


async def show_form(visit: Visit) -> Response:
    """Show the form of a new visit, or of one to be completed (`?visit=`); the record is read for the save once the page has gone out."""
    sitting = await _sitting(visit)
    response = await _shown(visit, sitting)
    response.background = BackgroundTask(visit.platform.rules.look_ahead, sitting.card.person)
    return response


async def _shown(visit: Visit, sitting: Sitting) -> Response:
    typed, today = _fresh(visit, sitting), visit.platform.clock.today()
    if sitting.unfinished:
        return await _form_page(visit, sitting, reckoned(sitting, typed, today)[0], ())
    made = computed(sitting.form, {}, sitting.context(today))
    return await _form_page(visit, sitting, replace(typed, computed={key: text_of(value) for key, value in made.items()}), ())


async def _sitting(visit: Visit) -> Sitting:
    path = visit.request.path_params
    asked = visit.request.query_params
    return await sit(visit, path["person"], path.get("programme", EXAMINATION), Start(asked.get("visit", ""), asked.get("from", "")))


async def _form_page(visit: Visit, sitting: Sitting, typed: Typed, problems: Sequence[Problem], refusal: str = "") -> Response:
    context = await form_context(visit, sitting, typed, problems) | {"refusal": refusal}
    return render(visit, "followup/form.html", context, status=422 if problems or refusal else 200)


async def form_context(visit: Visit, sitting: Sitting, typed: Typed, problems: Sequence[Problem]) -> dict[str, Any]:
    """Return what the page of a form shows, but why it was refused."""
    today = visit.platform.clock.today()
    duties = [
        one
        for one in await Worklists(visit.platform.database).of_persons(visit.scope, [sitting.card.person])
        if one.definition == KINDS[sitting.programme][1]
    ]
    return {
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
        "unfinished": bool(sitting.unfinished),
        "can_wait": any(problem.kind == "missing" for problem in problems) and all(problem.kind != "error" for problem in problems),
        "wrong": bool(problems),
        "told": await _told(visit),
        "known": sitting.known,
        "brought": " ".join(typed.carried),
        "today": today,
        "sending": typed.raw.get("sending") or Sending(visit).number,
        "advice": _advice(visit, sitting, typed, problems),
        "correcting": False,
    }


async def _told(visit: Visit) -> str:
    """Return whose visit was saved before this form came up, "" for a form opened by itself."""
    person = read_number(visit.request.query_params.get("told", ""))
    card = (await visit.platform.residents.cards(visit.scope, [person])).get(person) if person is not None else None
    return visit.text("{name} 已保存，下一位：", name=card.name) if card is not None else ""


def _advice(visit: Visit, sitting: Sitting, typed: Typed, problems: Sequence[Problem]) -> str:
    """Return what the rules propose for what has been typed so far: a referral, in words, "" for nothing."""
    if any(problem.kind == "error" for problem in problems):
        return ""
    parsed = parse_answers(sitting.form, typed.raw, sitting.context(visit.platform.clock.today()))
    return _referral_words(visit, sitting.programme, parsed)


def _referral_words(visit: Visit, programme: str, parsed: Parsed) -> str:
    reason = parsed.answers.derived.get("referral")
    if not reason:
        is_judged_unmeasured = parsed.answers.get("outcome_class") and parsed.answers.derived.get("is_unsettled")
        return visit.text("上次测量控制不满意，这次没有测量：测得满意之前仍须 2 周内随访") if is_judged_unmeasured else ""
    definition = visit.platform.rules.edition(visit.platform.clock.today()).get(f"{programme}-referral")
    return definition.classes[reason].say(visit.language)


async def compute(visit: Visit) -> Response:
    """Answer the form while it is typed: what is computed, what is refused or unusual, what is proposed."""
    return await computed_of(visit, await _sitting(visit))


async def computed_of(visit: Visit, sitting: Sitting) -> Response:
    """Return what is computed, refused, unusual and proposed for what has been typed so far."""
    typed, parsed = reckoned(sitting, as_sent(sitting, await visit.form()), visit.platform.clock.today())
    told: dict[str, dict[str, str]] = {
        item.link_id: {"hint": item.hint.say(visit.language)} for item in sitting.form.items if typed.raw.get(item.link_id) or item.computed
    }
    for item in sitting.form.items:
        if item.computed is not None:
            told[item.link_id]["value"] = typed.computed.get(item.link_id, "")
    for problem in parsed.problems:
        if problem.kind != "missing" and problem.link_id in told:
            told[problem.link_id]["error" if problem.kind == "error" else "warning"] = capital(problem.words.say(visit.language))
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
    typed, parsed = reckoned(sitting, as_sent(sitting, form), today)
    then, sending = str(form.get("then", "")), Sending(visit, str(form.get("sending", "")))
    kept = await sending.kept("QuestionnaireResponse")
    if kept is not None and is_same(sitting, kept, parsed):
        return redirect(visit, await _onward(visit, sitting, then))
    if refusal := clash(visit, sitting, typed.raw.get("known", "")):
        return await _form_page(visit, sitting, anew(typed), parsed.problems, refusal)
    problems = held_up(parsed, typed, frozenset(str(one) for one in form.getlist("seen")), may_wait=then == "wait")
    if form.get("confirm_all") or problems:
        return await _form_page(visit, sitting, typed, problems)
    if typed.grey:
        refusal = visit.text("还有 {count} 项带入值没有确认：按 F8 全部确认，或逐项改写", count=len(typed.grey))
        return await _form_page(visit, sitting, typed, (), refusal)
    receipt = await submit(visit, "followup", await entries(visit, sitting, parsed, sending, is_complete=then != "wait"))
    if receipt.problems:
        first, since = receipt.problems[0], await _sitting(visit)
        told = clash(visit, since, str(sitting.known)) or f"{first.path} {visit.words.pick(first.zh, first.en)}"
        return await _form_page(visit, since, anew(typed), (), told)
    await visit.platform.rules.evaluate_person(sitting.card.person, today)
    return redirect(visit, await _onward(visit, sitting, then))


def is_same(sitting: Sitting, kept: bytes, parsed: Parsed) -> bool:
    """Return whether a stored form says what was sent now: the same form sent twice is one visit."""
    stored = raw_of(answers_of(sitting.form, orjson.loads(kept)))
    sent = {name: text for name, text in raw_of(parsed.answers.values).items() if text}
    return {name: text for name, text in stored.items() if text} == sent


def anew(typed: Typed) -> Typed:
    """Return the form as typed, to be sent as another one: what its number has stored is somebody's visit now."""
    return replace(typed, raw={**typed.raw, "sending": ""})


def clash(visit: Visit, sitting: Sitting, known: str) -> str:
    """Return who saved what of this kind since a form was opened, in words; "" when nobody did. known: as the form carries it."""
    number = read_number(known)
    later = sitting.later_than(number) if number is not None else []
    if not later:
        return ""
    return visit.text(
        "您填写期间，{who}保存了这位居民 {day} 的{what}。您填的内容都还在这里，没有丢：核对后再保存会另记一次，按 Esc 放弃",
        who=later[0].worker or later[0].place or visit.text("另一处"),
        day=later[0].day,
        what=_named(visit, sitting, later[0]),
    )


def _named(visit: Visit, sitting: Sitting, one: Happening) -> str:
    """Return a saved visit in words: what form, what was measured."""
    title = sitting.form.words.say(visit.language)
    read = " · ".join(reading.text for reading in one.readings if reading.code in ("85354-9", "14771-0"))
    return visit.words.pick(f"{title}（{read}）", f"{title} ({read})") if read else title


def held_up(parsed: Parsed, typed: Typed, seen: frozenset[str], *, may_wait: bool) -> tuple[Problem, ...]:
    """Return the problems that keep a visit from being saved; unusual values do so once, until they were seen."""
    unseen = any(
        problem.kind == "unusual" and f"{problem.link_id}={typed.raw.get(problem.link_id, '')}" not in seen for problem in parsed.problems
    )
    refused = any(problem.kind == "error" or problem.kind == "missing" and not may_wait for problem in parsed.problems)
    return parsed.problems if refused or unseen else ()


async def entries(visit: Visit, sitting: Sitting, parsed: Parsed, sending: Sending, *, is_complete: bool) -> list[Entry]:
    """Return what goes into the exchange for one visit; it is refused when another was saved since the record was read.

    The filled form has the number of this sending, by which the same form sent twice is seen.

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
        new_id=sending.ids(first=sitting.visit_id()),
        episode=sitting.episode,
    )
    found: list[Entry] = (
        recording.examination_entries(sitting.form, parsed.answers, setting, is_complete=is_complete)
        if sitting.programme == EXAMINATION
        else recording.followup_entries(
            sitting.form, parsed.answers, setting, is_complete=is_complete, referral=referral_of(visit, recording, parsed)
        )
    )
    named = [
        replace(one, resource={**one.resource, "id": sending.number}) if one.resource["resourceType"] == "QuestionnaireResponse" else one
        for one in found[1:]
    ]
    return [replace(found[0], if_version=0), *named, *_superseded(sitting)]


def referral_of(visit: Visit, recording: Any, parsed: Parsed) -> Any:
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
    """Return the form of the next resident of the same programme whom nobody saw today for F4, else this resident's record."""
    if then == "next":
        work, today = Worklists(visit.platform.database), visit.platform.clock.today()
        for name in ("examination",) if sitting.programme == EXAMINATION else ("overdue", "today"):
            query = WorklistQuery(name, KINDS[sitting.programme][1], not_seen_on=today, limit=2)
            duties, *_ = await work.page(visit.scope, today, query)
            following = next((duty for duty in duties if duty.person != sitting.card.person), None)
            if following is not None:
                return f"{path_of(following.person, sitting.programme)}?told={sitting.card.person}"
        return "/desk"
    return f"/residents/{sitting.card.person}?told=1"


async def show_unfinished(visit: Visit) -> Response:
    """Lead from a 待补全 duty to the form that completes it. Raises: IncorrectError when nothing is to be completed."""
    person, is_examination = visit.request.path_params["person"], visit.request.url.path.endswith("/examination/complete")
    stored = await visit.platform.store.person_bodies(visit.scope, person, ("Encounter", "QuestionnaireResponse", "Observation"))
    bodies = [(one, orjson.loads(one.body)) for one in stored]
    further = (EXAMINATION,) if visit.allows("examination.write") else ()
    for programme in further if is_examination else (*PROGRAMMES, *further):
        if found := unfinished(form_of(visit, programme), bodies, visit.platform.clock.today()):
            return redirect(visit, f"{path_of(person, programme)}?visit={found}")
    wanted = visit.request.query_params.get("reading", "")
    if wanted in PROGRAMMES and (found := measured_at(form_of(visit, wanted), bodies)):
        return redirect(visit, f"{path_of(person, wanted)}?from={found}")
    raise IncorrectError(
        "没有待补全的随访或体检：可能已经补全，请刷新名单", "nothing waits to be completed: it may be done, reload the list"
    )


_FORM: Final = "/residents/{person:int}/followup/{programme}"
ROUTES: Final = (
    page("/residents/{person:int}/followup", show_unfinished, right="followup.write"),
    page(_FORM, show_form, right="followup.write"),
    page(_FORM, save_form, right="followup.write", methods=("POST",)),
    page(_FORM + "/compute", compute, right="followup.write", methods=("POST",)),
    page("/residents/{person:int}/examination/complete", show_unfinished, right="examination.write"),
    page("/residents/{person:int}/examination", show_form, right="examination.write"),
    page("/residents/{person:int}/examination", save_form, right="examination.write", methods=("POST",)),
    page("/residents/{person:int}/examination/compute", compute, right="examination.write", methods=("POST",)),
)
MENU: Final = ()
