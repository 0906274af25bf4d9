"""Keeping residents' records: 纳入管理, 终止/迁出 and its undoing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.base.errors import ConflictError, IncorrectError, XinglinError
from xinglin.definitions import Answers
from xinglin.engines.exchange import Entry
from xinglin.engines.identity import PersonCard
from xinglin.engines.store import Stored
from xinglin.web.doors import record_of
from xinglin.web.forms import normal_date
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.record_setting import record_recording, record_setting
from xinglin.web.pages.residents import card_row
from xinglin.web.record import EXIT_REASONS, PROGRAMMES
from xinglin.web.recording import insist, submit

_ENDINGS: Final = ("moved_out", "died", "lost", "diagnosis_corrected", "declined")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A resident with the resources this group changes: the Patient that holds the record, and every EpisodeOfCare."""

    card: PersonCard
    patient: Stored
    episodes: Sequence[tuple[Stored, dict[str, Any]]]


async def _kept(visit: Visit) -> _Kept:
    person = visit.request.path_params["person"]
    card = await visit.platform.residents.card(visit.scope, person)
    found = await visit.platform.store.person_bodies(visit.scope, person, ("Patient", "EpisodeOfCare"))
    patients = [one for one in found if one.rtype == "Patient"]
    holds = [one for one in patients if card.record_number and card.record_number.encode() in one.body]
    episodes = [(one, orjson.loads(one.body)) for one in found if one.rtype == "EpisodeOfCare"]
    return _Kept(card, (holds or patients)[0], episodes)


def _programme_of(resource: Mapping[str, Any]) -> str:
    return next((coding.get("code", "") for kind in resource.get("type") or () for coding in kind.get("coding") or ()), "")


async def _enrol_page(visit: Visit, kept: _Kept, typed: Mapping[str, str], refusal: str = "") -> Response:
    active = {_programme_of(resource) for _, resource in kept.episodes if resource.get("status") == "active"}
    context = {
        "card": kept.card,
        "row": card_row(visit, kept.card),
        "record": await record_of(visit, kept.card.person),
        "programmes": [(code, visit.text(label), code in active, _barred(visit, kept.card, code)) for code, label in PROGRAMMES.items()],
        "typed": typed,
        "refusal": refusal,
    }
    return render(visit, "residents/enrol.html", context, status=422 if refusal else 200)


def _barred(visit: Visit, card: PersonCard, programme: str) -> str:
    """Return why a resident cannot be enrolled in a programme, "" when they can.

    Source: 国家基本公共卫生服务规范（第三版）, 老年人健康管理服务规范, 服务对象（65 岁及以上）.
    """
    if card.death_date or card.residence_status == "moved_out":
        return visit.text("已死亡或已迁出")
    born = card.birth_date
    is_younger = programme == "elderly" and born is not None and visit.platform.clock.today().year - born.year < 65
    return visit.text("满 65 岁的当年起") if is_younger else ""


async def show_enrol(visit: Visit) -> Response:
    """Show the form of an enrolment beside what the record says."""
    return await _enrol_page(visit, await _kept(visit), {"programme": "", "start": visit.platform.clock.today().isoformat()})


async def enrol(visit: Visit) -> Response:
    """Enrol a resident in a programme from a day on."""
    kept, form, today = await _kept(visit), await visit.form(), visit.platform.clock.today()
    typed = {"programme": str(form.get("programme", "")), "start": normal_date(str(form.get("start", "")), today)}
    try:
        start = _past_day(typed["start"], today, kept.card)
        if typed["programme"] not in PROGRAMMES:
            raise IncorrectError("请选择要纳入的管理", "choose a programme")
        if barred := _barred(visit, kept.card, typed["programme"]):
            raise ConflictError(f"不能纳入：{barred}", f"cannot be enrolled: {barred}")
        if any(_programme_of(one) == typed["programme"] and one.get("status") == "active" for _, one in kept.episodes):
            raise ConflictError("已经在管，不必重复纳入", "already under management: nothing to do")
        if visit.scope.practitioner_rid is None:
            raise ConflictError(
                "您的账号没有关联医务人员：请联系系统管理员", "your account is tied to no worker: ask the system administrator"
            )
        setting = await record_setting(visit, kept.card.area or 0, kept.patient.id)
        insist(
            await submit(
                visit, "enrol", record_recording(visit).enrolment_entries(typed["programme"], Answers({"enrolled_on": start}), setting)
            )
        )
    except XinglinError as error:
        return await _enrol_page(visit, kept, typed, visit.said(error))
    return await _after_change(visit, kept.card.person)


def _past_day(text: str, today: date, card: PersonCard) -> date:
    """Return a day of a resident's life up to today.  Raises: IncorrectError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise IncorrectError(
            "没有这一天：请写成 20261121 或 2026-11-21", "there is no such day: write it as 20261121 or 2026-11-21"
        ) from error
    if day > today:
        raise IncorrectError("日期不能晚于今天", "the day cannot be later than today")
    if card.birth_date is not None and day < card.birth_date:
        raise IncorrectError("日期不能早于出生日期", "the day cannot be before the birth")
    return day


async def _after_change(visit: Visit, person: int) -> Response:
    """Reckon the person's results at once, then show the record."""
    await visit.platform.rules.evaluate_person(person, visit.platform.clock.today())
    return redirect(visit, f"/residents/{person}?told=1")


async def _end_page(visit: Visit, kept: _Kept, typed: Mapping[str, str], refusal: str = "") -> Response:
    active = [
        (stored.id, visit.text(PROGRAMMES.get(_programme_of(one), "")) if _programme_of(one) in PROGRAMMES else _programme_of(one))
        for stored, one in kept.episodes
        if one.get("status") == "active"
    ]
    reasons = [(code, visit.text(EXIT_REASONS[code])) for code in _ENDINGS]
    context = {
        "card": kept.card,
        "row": card_row(visit, kept.card),
        "active": active,
        "reasons": reasons,
        "typed": typed,
        "refusal": refusal,
    }
    return render(visit, "residents/end.html", context, status=422 if refusal else 200)


async def show_end(visit: Visit) -> Response:
    """Show the form that ends management or marks a move."""
    return await _end_page(visit, await _kept(visit), {"reason": "", "day": visit.platform.clock.today().isoformat(), "episode": ""})


async def end(visit: Visit) -> Response:
    """End one stay, or (moved out, died) all of them, and mark the resident so; the denominators follow at once."""
    kept, form, today = await _kept(visit), await visit.form(), visit.platform.clock.today()
    typed = {key: str(form.get(key, "")) for key in ("reason", "day", "episode")}
    typed["day"] = normal_date(typed["day"], today)
    try:
        day = _past_day(typed["day"], today, kept.card)
        if typed["reason"] not in _ENDINGS:
            raise IncorrectError("请选择原因", "choose a reason")
        changed = _endings(record_recording(visit), kept, typed, day)
        if not changed:
            raise ConflictError("没有正在进行的管理可以终止", "there is no management going on to end")
        insist(await submit(visit, "end", changed))
    except XinglinError as error:
        return await _end_page(visit, kept, typed, visit.said(error))
    return await _after_change(visit, kept.card.person)


def _endings(recording: Any, kept: _Kept, typed: Mapping[str, str], day: date) -> list[Entry]:
    """Return what ends the stays chosen (all of who moved out or died) and marks the resident.  Raises: IncorrectError for a day before a stay began."""
    everything = typed["reason"] in ("moved_out", "died")
    chosen = [
        (stored, one) for stored, one in kept.episodes if one.get("status") == "active" and (everything or stored.id == typed["episode"])
    ]
    if any(day.isoformat() < one.get("period", {}).get("start", "")[:10] for _, one in chosen):
        raise IncorrectError("日期不能早于纳入日期：请核对", "the day cannot be before the enrolment: check it")
    changed: list[Entry] = [entry for _, one in chosen for entry in recording.exit_entries(one, day, typed["reason"])]
    return [*changed, *recording.leaving_entries(orjson.loads(kept.patient.body), typed["reason"], day)]


async def reopen(visit: Visit) -> Response:
    """Take an end back: the stay goes on; of a move or a death, the resident is on record again with every stay it ended."""
    kept, wanted = await _kept(visit), str((await visit.form()).get("episode", ""))
    found = next((one for stored, one in kept.episodes if stored.id == wanted and one.get("status") == "finished"), None)
    if found is None:
        raise ConflictError("这项管理没有终止，请刷新页面", "this management has not ended: reload the page")
    reason, day = _ending(found)
    together = [
        (stored, one)
        for stored, one in kept.episodes
        if stored.id == wanted or reason in ("moved_out", "died") and _ending(one) == (reason, day)
    ]
    finished = [one for _, one in together if one.get("status") == "finished"]
    recording = record_recording(visit)
    changed: list[Entry] = [entry for one in finished for entry in recording.undo_exit_entries(one)]
    changed += recording.returning_entries(orjson.loads(kept.patient.body), reason)
    insist(await submit(visit, "reopen", changed))
    return await _after_change(visit, kept.card.person)


def _ending(resource: Mapping[str, Any]) -> tuple[str, str]:
    reasons = [one.get("valueCode", "") for one in resource.get("extension") or () if one.get("url") == "urn:xinglin:ext:exit-reason"]
    return "".join(reasons[:1]), str(resource.get("period", {}).get("end", ""))


ROUTES: Final = (
    page("/residents/{person:int}/enrol", show_enrol, right="enrol"),
    page("/residents/{person:int}/enrol", enrol, right="enrol", methods=("POST",)),
    page("/residents/{person:int}/end", show_end, right="enrol"),
    page("/residents/{person:int}/end", end, right="enrol", methods=("POST",)),
    page("/residents/{person:int}/reopen", reopen, right="enrol", methods=("POST",)),
)
MENU: Final = ()
