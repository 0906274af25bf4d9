"""提醒: what waits for who is signed in, each opening the thing; read, put aside, brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from xinglin.base.errors import NotFoundError
from xinglin.engines.identity import PersonCard
from xinglin.engines.workflow import DISMISSED, READ, UNREAD, Reminder
from xinglin.web.frame import REMINDED
from xinglin.web.i18n import capital, mark
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.desk import form_path

KINDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "plan-task": (mark("规划任务"), "list-check", "/plans/tasks/{opens}"),
    "plan-milestone": (mark("项目节点"), "building", "/plans/projects/{opens}"),
    "plan-values": (mark("待批准的数值"), "table", "/plans/values?plan={opens}&state=entered"),
    "plan-rows": (mark("待确认的读取"), "pencil", "/plans/{opens}/review"),
    "plan-findings": (mark("文件里的不一致"), "exclamation-triangle", "/plans/findings?plan={opens}&state=open"),
    "duty-referral": (mark("转诊待追踪"), "send", "{form}"),
    "duty-complete": (mark("待补全"), "clipboard2-pulse", "{form}"),
}
_COUNTED: Final[Mapping[str, str]] = {
    "plan-values": mark("{count} 个录入的数值待批准"),
    "plan-rows": mark("{count} 行读取存疑，等人确认"),
    "plan-findings": mark("{count} 处不一致没有处理"),
}
SHOWN: Final[Mapping[str, str]] = {"": mark("等您处理"), "unread": mark("未读"), "dismissed": mark("已移除")}
_MOST_UNDONE: Final = 30


async def show_reminders(visit: Visit) -> Response:
    """Show what waits, by kind; the ones put aside under a tab of their own."""
    every = await visit.platform.reminders.waiting(visit.scope)
    asked = visit.request.query_params.get("show", "")
    shown = asked if asked in SHOWN else ""
    wanted = [one for one in every if _is_shown(one, shown)]
    cards = await _cards(visit, wanted)
    rows = [_row(visit, one, cards) for one in wanted if "person" not in one.facts or one.facts["person"] in cards]
    groups = [(visit.text(label), icon, [row for row in rows if row["kind"] == kind]) for kind, (label, icon, _) in KINDS.items()]
    context = {
        "groups": [group for group in groups if group[2]],
        "shown": shown,
        "tabs": [(code, visit.text(label), sum(_is_shown(one, code) for one in every)) for code, label in SHOWN.items()],
        "undo": visit.request.query_params.getlist("put-aside")[:_MOST_UNDONE],
        "units": await visit.platform.reminders.units(visit.scope) if visit.allows("plan.read") else [],
        "printed": await _printed_units(visit),
        "chosen": await visit.platform.reminders.chosen_units(visit.scope) if visit.allows("plan.read") else [],
    }
    return render(visit, "reminders/reminders.html", context)


def _is_shown(one: Reminder, shown: str) -> bool:
    if shown == "dismissed":
        return one.state == DISMISSED
    return one.state == UNREAD if shown == "unread" else one.state != DISMISSED


async def _cards(visit: Visit, wanted: Sequence[Reminder]) -> dict[int, PersonCard]:
    persons = [one.facts["person"] for one in wanted if "person" in one.facts]
    if not persons:
        return {}
    cards = await visit.platform.residents.cards(visit.scope, persons)
    await visit.record("list", "reminders", persons=sorted(cards))
    return cards


def address_of(one: Reminder) -> str:
    """Return the page of the thing a reminder is about."""
    facts = one.facts
    form = form_path(facts["person"], facts["definition"]) if "person" in facts else ""
    return KINDS[one.kind][2].format(**facts, form=form)


def _row(visit: Visit, one: Reminder, cards: Mapping[int, PersonCard]) -> dict[str, Any]:
    facts = one.facts
    if "person" in facts:
        definition = visit.platform.rules.edition(visit.platform.clock.today()).get(facts["definition"])
        words, more = cards[facts["person"]].name, capital(next(iter(definition.classes.values())).say(visit.language))
    else:
        words = visit.text(_COUNTED[one.kind], count=facts["count"]) if one.kind in _COUNTED else facts["words"]
        more = " · ".join([facts["plan"], *(["、".join(facts["units"])] if facts["units"] else [])])
    return {
        "key": one.key, "kind": one.kind, "words": words, "more": more, "due": one.due, "is_late": one.is_late, "state": one.state,
        "is_stuck": facts.get("state") == "stuck", "path": "/reminders/open?" + urlencode({"key": one.key}),
    }  # fmt: skip


async def _printed_units(visit: Visit) -> list[str]:
    """Return the responsible units the followed plans print, for an account that keeps no plan to choose its own from."""
    if not visit.allows("plan.read") or visit.allows("plan.edit"):
        return []
    plans = visit.platform.plans
    found: set[str] = set()
    for plan in await plans.books.plans(visit.scope):
        if plan.is_open and plan.level != "compared":
            for task in await plans.work.tasks(visit.scope, plan.plan_no):
                found |= set(task["unit"].split("、") if task["unit"] else task["data"].get("owners") or ())
    return sorted(found - {""})


async def open_reminder(visit: Visit) -> Response:
    """Mark a reminder as read and lead to its thing.  Raises: NotFoundError for one that waits no longer."""
    key = visit.request.query_params.get("key", "")
    one = next((one for one in await visit.platform.reminders.waiting(visit.scope) if one.key == key), None)
    if one is None:
        raise NotFoundError("这件事已经办完，或不再由您处理", "this is done already, or no longer yours")
    if one.state == UNREAD:
        await visit.platform.reminders.mark(visit.scope, [key], READ)
    return redirect(visit, address_of(one))


async def change_reminders(visit: Visit) -> Response:
    """Mark reminders as read, put them aside, or bring them back."""
    form = await visit.form()
    keys, state = [str(key) for key in form.getlist("key")], str(form.get("state", ""))
    await visit.platform.reminders.mark(visit.scope, keys, state)
    shown = str(form.get("show", ""))
    asked = [("show", shown)] if shown in SHOWN and shown else []
    if state == DISMISSED:
        asked += [("put-aside", key) for key in keys[:_MOST_UNDONE]]
    return redirect(visit, "/reminders" + ("?" + urlencode(asked) if asked else ""))


async def choose_units(visit: Visit) -> Response:
    """Take the responsible units whose tasks this account wants to be reminded of."""
    form = await visit.form()
    await visit.platform.reminders.choose_units(visit.scope, [str(unit) for unit in form.getlist("unit")])
    return redirect(visit, "/reminders")


ROUTES: Final = (
    page("/reminders", show_reminders, right=REMINDED),
    page("/reminders", change_reminders, right=REMINDED, methods=("POST",)),
    page("/reminders/open", open_reminder, right=REMINDED),
    page("/reminders/units", choose_units, right="plan.read", methods=("POST",)),
)
MENU: Final = ()
