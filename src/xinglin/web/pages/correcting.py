"""更正, 作废, 撤销作废: a saved follow-up or examination gets new versions; what it said before stays in its history."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.base.errors import ConflictError, ForbiddenError
from xinglin.definitions import Parsed
from xinglin.web.changes import changes_of, is_withdrawn
from xinglin.web.form_view import Typed, answers_of, raw_of
from xinglin.web.hands import changeable
from xinglin.web.modules import correcting_of, recording_of
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.followup import anew, as_sent, computed_of, form_context, held_up, reckoned, referral_of
from xinglin.web.pages.residents import card_row
from xinglin.web.pages.sitting import Body, Sitting, readings, sit_again
from xinglin.web.record import OVERRULED
from xinglin.web.recording import Sending, insist, new_id, submit

_REASON: Final = "change_reason"
_LONGEST: Final = 200


async def _saved(visit: Visit, *, withdrawn: bool = False) -> tuple[Sitting, list[Body]]:
    """Return the form of a saved visit and all that belongs to it, the Encounter first; without what was taken out of it before.

    Raises: NotFoundError outside the scope, ForbiddenError for who may not change it, ConflictError when it is not in force (or not withdrawn).
    """
    sitting, found = await sit_again(visit, visit.request.path_params["person"], visit.request.path_params["visit"])
    stored, encounter = found[0]
    if not await changeable(visit, [(encounter, stored.message_no)]):
        raise ForbiddenError(
            "只能更正或作废本人或本机构在本系统录入的随访和体检",
            "only what you or your institution entered on these pages can be changed here",
        )
    if withdrawn:
        if not is_withdrawn(encounter):
            raise ConflictError("这次记录没有作废，请刷新页面", "this visit was not withdrawn: reload the page")
        return sitting, [pair for pair in found if pair[0].message_no == stored.message_no]
    if encounter.get("status") == "entered-in-error":
        raise ConflictError("这次记录已经作废，请刷新页面", "this visit was withdrawn: reload the page")
    return sitting, [pair for pair in found if pair[1].get("status") != "entered-in-error"]


async def _to_correct(visit: Visit) -> tuple[Sitting, list[Body]]:
    sitting, found = await _saved(visit)
    if found[0][1].get("status") != "finished":
        raise ConflictError("这次记录还没有补全：请先补全", "this visit is not complete yet: complete it first")
    return sitting, found


def _said(sitting: Sitting, found: list[Body]) -> dict[str, str]:
    """Return what a saved visit says, as somebody would type it, with why computed values were overruled."""
    said: dict[str, str] = {}
    for stored, body in found:
        if stored.rtype == "QuestionnaireResponse":
            said |= {name: text for name, text in raw_of(answers_of(sitting.form, body)).items() if text}
            overruled = [one for one in body.get("item") or () if str(one.get("linkId", "")).startswith(OVERRULED)]
            said |= {str(one["linkId"]): str(one["answer"][0].get("valueString", "")) for one in overruled}
    return said


def _as_saved(sitting: Sitting, found: list[Body]) -> Typed:
    """Return the form filled as saved; what the rules computed and nobody overruled is computed again."""
    said = _said(sitting, found)
    again = {item.link_id for item in sitting.form.items if item.computed is not None and item.override_link_id not in said}
    raw = {name: text for name, text in said.items() if name not in again}
    return Typed(raw, earlier=readings(sitting.form, sitting.record, but=found[0][0].id))


def _is_unchanged(sitting: Sitting, found: list[Body], parsed: Parsed) -> bool:
    typed = {name: text for name, text in raw_of(parsed.answers.values).items() if text}
    return _said(sitting, found) == typed | {f"{OVERRULED}{name}": why for name, why in parsed.answers.overrides.items()}


def _heading(visit: Visit, sitting: Sitting, found: list[Body], words: str) -> str:
    day = str(found[0][1].get("period", {}).get("start", ""))[:10]
    return visit.text(words, day=day, what=sitting.form.words.say(visit.language))


async def _correction_page(
    visit: Visit, saved: tuple[Sitting, list[Body]], typed: Typed, parsed: Parsed | None = None, refusal: str = ""
) -> Response:
    """Show the form of a saved visit. parsed: what was read of what was sent, where something in it keeps it from being saved."""
    sitting, found = saved
    problems = parsed.problems if parsed is not None else ()
    context = await form_context(visit, sitting, typed, problems)
    context |= {
        "title": _heading(visit, sitting, found, "更正 {day} 的{what}"),
        "correcting": True,
        "reason": typed.raw.get(_REASON, ""),
        "can_wait": False,
        "refusal": refusal,
    }
    return render(visit, "followup/form.html", context, status=422 if problems or refusal else 200)


async def show_correction(visit: Visit) -> Response:
    """Show the form of a saved visit with every value as saved."""
    sitting, found = await _to_correct(visit)
    typed, _ = reckoned(sitting, _as_saved(sitting, found), visit.platform.clock.today())
    return await _correction_page(visit, (sitting, found), typed)


async def compute_correction(visit: Visit) -> Response:
    """Answer the form while it is typed, as that of a new visit."""
    return await computed_of(visit, (await _to_correct(visit))[0])


async def correct(visit: Visit) -> Response:
    """Save a correction; what is wrong stands beside its field, who changed the visit meanwhile is told, and nothing typed is lost."""
    sitting, found = await _to_correct(visit)
    form, today = await visit.form(), visit.platform.clock.today()
    typed, parsed = reckoned(sitting, as_sent(sitting, form), today)
    sending = Sending(visit, str(form.get("sending", "")))
    is_kept = any(change.id == sending.number for change in changes_of(found[0][1]))
    if is_kept and _is_unchanged(sitting, found, parsed):
        return redirect(visit, f"/residents/{sitting.card.person}?told=1")
    if refusal := _clash(visit, sitting, found, typed.raw.get("known", "")):
        return await _correction_page(visit, (sitting, found), anew(typed), parsed, refusal)
    if held_up(parsed, typed, frozenset(str(one) for one in form.getlist("seen")), may_wait=False):
        return await _correction_page(visit, (sitting, found), typed, parsed)
    if refusal := _refused(visit, typed, _is_unchanged(sitting, found, parsed)):
        return await _correction_page(visit, (sitting, found), typed, None, refusal)
    correcting, recording = correcting_of(sitting.form), recording_of(sitting.form)
    corrected = correcting.Corrected(sitting.form, parsed.answers, referral_of(visit, recording, parsed))
    change = await _change(visit, correcting, typed.raw[_REASON], sending)
    entries = correcting.correction_entries([body for _, body in found], corrected, change, lambda: new_id(visit))
    receipt = await submit(visit, "correct", entries)
    if receipt.problems:
        since = await _to_correct(visit)
        first = receipt.problems[0]
        told = _clash(visit, *since, str(sitting.known)) or f"{first.path} {visit.words.pick(first.zh, first.en)}"
        return await _correction_page(visit, since, anew(typed), None, told)
    return await _after_change(visit, sitting)


def _refused(visit: Visit, typed: Typed, is_unchanged: bool) -> str:
    if is_unchanged:
        return visit.text("与已保存的一样，没有要更正的：改好再保存，或按 Esc 放弃")
    return _without_reason(visit, typed.raw.get(_REASON, ""))


def _without_reason(visit: Visit, reason: str) -> str:
    if not reason.strip():
        return visit.text("请写原因，如：血压录反，152 应为 125")
    return visit.text("原因不超过 {most} 字", most=_LONGEST) if len(reason.strip()) > _LONGEST else ""


def _clash(visit: Visit, sitting: Sitting, found: list[Body], known: str) -> str:
    """Return who changed the visit since its form was opened, in words; "" when nobody did. known: as the form carries it."""
    number, changes = read_number(known), changes_of(found[0][1])
    if number is None or number == sitting.known:
        return ""
    return visit.text(
        "您填写期间，{who}更改了这次记录（{why}）。您填的内容都还在这里，没有丢：核对后再保存以您填的为准，按 Esc 放弃",
        who=changes[-1].by if changes else visit.text("另一处"),
        why=changes[-1].reason if changes else "",
    )


async def _change(visit: Visit, correcting: Any, reason: str, sending: Sending) -> Any:
    """Return who changes the visit now, and why."""
    rid = visit.scope.practitioner_rid
    keys = await visit.platform.store.keys([rid] if rid is not None else [])
    at = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    practitioner = keys[rid][1] if rid is not None else ""
    return correcting.Change(practitioner, visit.scope.display_name, at, reason.strip(), sending.number)


async def _after_change(visit: Visit, sitting: Sitting) -> Response:
    """Reckon the person's results at once, then show the record."""
    await visit.platform.rules.evaluate_person(sitting.card.person, visit.platform.clock.today())
    return redirect(visit, f"/residents/{sitting.card.person}?told=1")


async def _withdrawal_page(visit: Visit, saved: tuple[Sitting, list[Body]], reason: str = "", refusal: str = "") -> Response:
    sitting, found = saved
    own = found[0][0].id
    context = {
        "card": sitting.card,
        "row": card_row(visit, sitting.card),
        "title": _heading(visit, sitting, found, "作废 {day} 的{what}"),
        "known": sitting.known,
        "sending": Sending(visit).number,
        "one": next((one for one in sitting.record.timeline if one.id == own), None),
        "tasks": sum(stored.rtype == "ServiceRequest" for stored, _ in found),
        "reason": reason,
        "refusal": refusal,
    }
    return render(visit, "followup/withdraw.html", context, status=422 if refusal else 200)


async def show_withdrawal(visit: Visit) -> Response:
    """Show what is to be withdrawn, and ask why."""
    return await _withdrawal_page(visit, await _saved(visit))


async def withdraw(visit: Visit) -> Response:
    """Mark a visit with all that came of it entered in error, in one transaction; open tasks of it are cancelled."""
    sitting, found = await _saved(visit)
    form = await visit.form()
    reason = str(form.get(_REASON, ""))
    refusal = _clash(visit, sitting, found, str(form.get("known", ""))) or _without_reason(visit, reason)
    if refusal:
        return await _withdrawal_page(visit, (sitting, found), reason, refusal)
    correcting = correcting_of(sitting.form)
    change = await _change(visit, correcting, reason, Sending(visit, str(form.get("sending", ""))))
    insist(await submit(visit, "withdraw", correcting.withdrawal_entries([body for _, body in found], change)))
    return await _after_change(visit, sitting)


async def restore(visit: Visit) -> Response:
    """Take a withdrawal back: everything it marked stands again as it was before."""
    sitting, found = await _saved(visit, withdrawn=True)
    store, pairs = visit.platform.store, []
    for stored, body in found:
        before = await store.vread(visit.scope, stored.rtype, stored.id, stored.version - 1)
        pairs.append((body, orjson.loads(before.body)))
    insist(await submit(visit, "restore", correcting_of(sitting.form).restoring_entries(pairs)))
    return await _after_change(visit, sitting)


_VISIT: Final = "/residents/{person:int}/visits/{visit}"
_WRITE: Final = ("followup.write", "examination.write")
ROUTES: Final = (
    page(_VISIT + "/correct", show_correction, right=_WRITE),
    page(_VISIT + "/correct", correct, right=_WRITE, methods=("POST",)),
    page(_VISIT + "/correct/compute", compute_correction, right=_WRITE, methods=("POST",)),
    page(_VISIT + "/withdraw", show_withdrawal, right=_WRITE),
    page(_VISIT + "/withdraw", withdraw, right=_WRITE, methods=("POST",)),
    page(_VISIT + "/restore", restore, right=_WRITE, methods=("POST",)),
)
MENU: Final = ()
