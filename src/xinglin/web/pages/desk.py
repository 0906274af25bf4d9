"""工作台: one search box, the counts that matter today, and the list itself; one key opens the form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.text import fold
from xinglin.engines.geo import subtree
from xinglin.engines.identity import PersonCard
from xinglin.engines.rules import Duty, WorklistQuery, Worklists
from xinglin.web.i18n import capital, mark
from xinglin.web.lists import Action, Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.residents import area_options, card_row

_RIGHTS: Final = ("followup.write", "examination.write")
COUNTS: Final = (
    ("today", mark("今日应访"), "brand", "calendar-check"),
    ("overdue", mark("逾期"), "bad", "exclamation-triangle"),
    ("recheck", mark("不满意两周内"), "apricot", "arrow-clockwise"),
    ("referral", mark("转诊待追踪"), "warn", "send"),
    ("examination", mark("待体检"), "good", "clipboard2-pulse"),
)
_MORE: Final = (("complete", mark("待补全")), ("suspected", mark("疑似高血压待复测")), ("managed", mark("全部在管")))
_PROGRAMMES: Final = (("hypertension-followup", mark("高血压")), ("diabetes2-followup", mark("2 型糖尿病")))
_ACTIONS: Final = {
    "hypertension-followup": (mark("随访"), "followup.write"),
    "diabetes2-followup": (mark("随访"), "followup.write"),
    "followup-to-complete": (mark("补全"), "followup.write"),
    "annual-examination": (mark("体检"), "examination.write"),
    "examination-to-complete": (mark("补全"), "examination.write"),
    "hypertension-from-reading": (mark("补全"), "followup.write"),
    "diabetes2-from-reading": (mark("补全"), "followup.write"),
}
FORMS: Final = {"hypertension-followup": "hypertension", "diabetes2-followup": "diabetes2"}


def reading_of(duty: Duty) -> str:
    """Return the last reading a follow-up knows of, "" where there is none."""
    state = duty.state
    pressure = (
        f"{state['last_systolic']:g}/{state['last_diastolic']:g}" if state.get("last_systolic") and state.get("last_diastolic") else ""
    )
    glucose = f"{state['last_glucose']:g}" if state.get("last_glucose") else ""
    return " · ".join(part for part in (pressure, glucose) if part)


def form_path(person: int, definition: str) -> str:
    """Return the form that does what a duty asks for: definition is its id; the resident's record where the duty has no form."""
    if definition in FORMS:
        return f"/residents/{person}/followup/{FORMS[definition]}"
    further = {
        "followup-to-complete": "/followup",
        "annual-examination": "/examination",
        "examination-to-complete": "/examination/complete",
        "hypertension-from-reading": "/followup?reading=hypertension",
        "diabetes2-from-reading": "/followup?reading=diabetes2",
    }
    return f"/residents/{person}{further.get(definition, '')}"


def duty_row(visit: Visit, card: PersonCard, duty: Duty) -> dict[str, object]:
    """Return a duty as a row: the resident, the last reading, why due and when."""
    today, definition = visit.platform.clock.today(), visit.platform.rules.edition(visit.platform.clock.today()).get(duty.definition)
    why = str(duty.state.get("why", ""))
    late = duty.due_by is not None and duty.due_by < today
    soon = why in ("recheck", "emergency", "referral")
    label = definition.classes[why].say(visit.language) if why in definition.classes else definition.words.say(visit.language)
    label = capital(label)
    return {
        **card_row(visit, card),
        "programme": capital(definition.words.say(visit.language)),
        "reading": reading_of(duty),
        "read_on": str(duty.state.get("last_visit_on") or duty.state.get("last_examined_on") or "")[:10],
        "why": Tag(label, "bad" if late else "apricot" if soon else "brand"),
        "due_by": duty.due_by,
        "days": visit.text("逾期 {days} 天", days=(today - duty.due_by).days) if late and duty.due_by else "",
        "actions": _actions(visit, card.person, duty.definition),
    }


def _actions(visit: Visit, person: int, definition: str) -> list[Action]:
    """Return the form that does what is due; for who may not fill it in, where the resident's phone and address stand, to send for them."""
    label, right = _ACTIONS.get(definition, ("", ""))
    if not right:
        return []
    if visit.allows(right):
        return [Action(label, form_path(person, definition), "clipboard2-pulse", "f")]
    return [Action(mark("通知"), f"/residents/{person}", "telephone", "f")]


def _query(visit: Visit, query: Query) -> WorklistQuery:
    area, lists = query.get("area"), {name for name, *_ in COUNTS} | {name for name, _ in _MORE}
    return WorklistQuery(
        list=query.get("list") if query.get("list") in lists else "today",
        definition=query.get("programme") if query.get("programme") in dict(_PROGRAMMES) else "",
        areas=subtree(int(area)) if len(area) == 12 and read_number(area) else None,
        name=fold(query.get("text")).replace(" ", ""),
        responsible=visit.scope.practitioner_rid if query.get("mine") else None,
        sort=query.sort,
        descending=query.descending,
        limit=query.size,
        offset=query.offset,
    )


async def _fetch(visit: Visit, query: Query) -> Rows:
    duties, total, people = await Worklists(visit.platform.database).page(visit.scope, visit.platform.clock.today(), _query(visit, query))
    cards = await visit.platform.residents.cards(visit.scope, [duty.person for duty in duties])
    await visit.record("list", "worklist", persons=sorted(cards))
    shown = [duty_row(visit, cards[duty.person], duty) for duty in duties if duty.person in cards]
    return Rows(shown, total, people=people, waits=await _waits(visit))


async def _waits(visit: Visit) -> str:
    """Return why a list may not be whole yet, "" when it is: data is being loaded, or what is due is being reckoned."""
    if visit.frame.work:
        return mark("数据正在载入，名单和数字还不全；载入完后自动算齐，请稍后刷新")
    behind = await Worklists(visit.platform.database).is_behind(visit.platform.clock.now())
    return mark("有新到的记录正在计算，名单和数字稍后补全；请稍后刷新") if behind else ""


async def _context(visit: Visit, query: Query) -> Mapping[str, object]:
    counts = await Worklists(visit.platform.database).counts(visit.scope, visit.platform.clock.today())
    current = query.get("list") or "today"
    return {
        "waiting": bool(await _waits(visit)),
        "counts": [(name, visit.text(label), kind, picture, counts[name]) for name, label, kind, picture in COUNTS],
        "current": current,
        "more": [(name, visit.text(label), counts[name]) for name, label in _MORE],
    }


DESK: Final = ListPage(
    path="/desk",
    title=mark("工作台"),
    group="desk",
    rights=_RIGHTS,
    fetch=_fetch,
    context=_context,
    template="desk/desk.html",
    sort="due_by",
    columns=(
        Column("name", mark("姓名"), path="link", sortable=True, is_main=True),
        Column("sex", mark("性别")),
        Column("age", mark("年龄"), "number", sortable=True),
        Column("area", mark("村（居）"), sortable=True),
        Column("phone", mark("电话")),
        Column("programme", mark("项目")),
        Column("reading", mark("最近读数")),
        Column("read_on", mark("日期"), "date"),
        Column("why", mark("原因"), "tag"),
        Column("due_by", mark("应访日期"), "date", sortable=True),
        Column("days", mark("超期")),
        Column("actions", "", "actions"),
    ),
    filters=(
        Filter("list", mark("名单"), "choice", tuple((name, label) for name, label, *_ in COUNTS) + _MORE, default="today"),
        Filter("text", mark("姓名或简拼")),
        Filter("area", mark("村（居）"), "choice", area_options),
        Filter("programme", mark("项目"), "choice", _PROGRAMMES),
        Filter("mine", mark("负责人"), "choice", (("1", mark("只看我负责的")),)),
    ),
    empty_title=mark("这个名单里没有人"),
    empty_hint=mark("这里没有要做的。可选其他名单，或查全部在管居民"),
)


async def show_due_sheet(visit: Visit) -> Response:
    """Show 应访名单 to print: one part a village, with room to write what was measured."""
    visit.scope.require("print")
    asked = DESK.query(visit)
    query = _query(visit, Query(asked.filters, "area", False, 1, 2000))
    duties, *_ = await Worklists(visit.platform.database).page(visit.scope, visit.platform.clock.today(), query)
    cards = await visit.platform.residents.cards(visit.scope, [duty.person for duty in duties])
    await visit.record("print", "worklist", persons=sorted(cards))
    rows = [duty_row(visit, cards[duty.person], duty) for duty in duties if duty.person in cards]
    label = next((label for name, label, *_ in COUNTS if name == query.list), dict(_MORE).get(query.list, ""))
    context = {"villages": _by_village(rows), "label": visit.text(label), "is_examination": query.list == "examination"}
    return render(visit, "desk/due_sheet.html", context)


def _by_village(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    villages: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        villages.setdefault(str(row["area"]), []).append(row)
    return villages


ROUTES: Final = (page("/desk/due-sheet", show_due_sheet, right=_RIGHTS), *DESK.routes())
MENU: Final = (DESK.entry(),)
