"""指标表: every indicator with base, path, target, today's value, forecast, gap and owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows
from xinglin.web.page import Visit
from xinglin.web.pages.plans_asking import (
    STATES,
    BoardRow,
    as_of_words,
    base_words,
    board_of,
    held_together,
    living,
    own_words,
    plan_asked,
    plan_options,
    state_tag,
    status_tag,
    target_words,
)
from xinglin.web.pages.statistics_asking import RIGHTS

_SPARK: Final = 14
ORIGINS: Final = (
    ("counted", mark("规划指标")),
    ("table", mark("指标表")),
    ("text", mark("文中目标")),
    ("past", mark("上一规划期")),
    ("all", mark("全部")),
)


def chosen(row: BoardRow, query: Query) -> bool:
    """Return whether a row is asked for."""
    origin, data = query.get("origin") or "counted", row.data
    kinds = {
        "counted": living.is_counted(data),
        "table": data.get("origin") == "table" and data.get("period") == "current",
        "text": data.get("origin") == "text" and data.get("period") == "current",
        "past": data.get("period") == "past",
    }
    return (
        kinds.get(origin, True)
        and query.get("state") in ("", row.view.standing.state)
        and query.get("q") in f"{data.get('parent') or ''}{data['name']}{data.get('category') or ''}"
        and query.get("owner") in row.owner
    )


def table_row(visit: Visit, row: BoardRow) -> dict[str, Any]:
    """Return an indicator as a row of the list."""
    data, view, language = row.data, row.view, visit.language
    now = view.now
    return {
        "name": f"{data['parent']} · {data['name']}" if data.get("parent") else data["name"],
        "link": f"/plans/indicators/{row.indicator.indicator_no}",
        "category": data.get("category"),
        "base": base_words(data),
        "target": target_words(row),
        "value": held_together(living.amount(now.value, row.unit)) if now else "",
        "value_link": f"/measures/{row.indicator.measure}"
        if row.definition is not None and row.own is None and visit.allows(*RIGHTS)
        else "",
        "day": now.day.isoformat() if now else "",
        "wanted": held_together(living.amount(view.standing.wanted, row.unit)) if view.standing.wanted is not None else "",
        "state": state_tag(visit, view.standing.state),
        "trend": [one.value for one in view.observed][-_SPARK:],
        "forecast": view.forecast_words.say(language) if now else "",
        "gap": " · ".join(part for part in (view.gap_words.say(language) if view.missing else "", own_words(visit, row)) if part),
        "owner": row.owner,
    }


async def _fetch(visit: Visit, query: Query) -> Rows:
    plan = await plan_asked(visit)
    board = await board_of(visit, plan)
    rows = [row for row in board.rows if chosen(row, query)]
    if query.sort == "state":
        order = list(STATES)
        rows.sort(key=lambda row: order.index(row.view.standing.state), reverse=query.descending)
    elif query.sort == "name":
        rows.sort(key=lambda row: row.data["name"], reverse=query.descending)
    shown = [table_row(visit, row) for row in rows[query.offset : query.offset + query.size]]
    return Rows(shown, len(rows), as_of=await as_of_words(visit, board), waits=board.note)


async def plan_context(visit: Visit, query: Query) -> Mapping[str, object]:
    """Return what every list of a plan shows above it: the plan, its tabs, the plans to choose from."""
    plan = await plan_asked(visit)
    return {"plan": plan, "status": status_tag(visit, plan), "plan_options": await plan_options(visit)}


def sheet_context(*kinds: str) -> Callable[[Visit, Query], Awaitable[Mapping[str, object]]]:
    """Return the context of a list that sheets of some kinds can be sent for."""

    async def context(visit: Visit, query: Query) -> Mapping[str, object]:
        return {**await plan_context(visit, query), "sheets": kinds}

    return context


INDICATORS: Final = ListPage(
    path="/plans/indicators",
    title=mark("规划指标表"),
    rights=("plan.read",),
    group="plan",
    fetch=_fetch,
    context=sheet_context("paths", "bindings"),
    template="plans/indicators.html",
    columns=(
        Column("name", mark("指标名称"), path="link", sortable=True, is_main=True),
        Column("category", mark("类别")),
        Column("base", mark("基期")),
        Column("target", mark("目标")),
        Column("value", mark("今天的值"), path="value_link"),
        Column("wanted", mark("路径当日")),
        Column("state", mark("状态"), "tag", sortable=True),
        Column("trend", mark("走势"), "spark", exported=False),
        Column("forecast", mark("预测")),
        Column("gap", mark("差距")),
        Column("owner", mark("责任单位")),
    ),
    filters=(
        Filter("plan", "", "hidden"),
        Filter("q", mark("指标名称"), hint=mark("名称或类别")),
        Filter("origin", mark("指标范围"), "choice", ORIGINS, default="counted"),
        Filter("state", mark("状态"), "choice", tuple((code, label) for code, (label, _) in STATES.items())),
        Filter("owner", mark("责任单位")),
    ),
    empty_title=mark("没有符合条件的指标"),
    empty_hint=mark("放宽条件；读取时存疑的行要先在“核对”里确认"),
)


ROUTES: Final = (*INDICATORS.routes(),)
MENU: Final = (INDICATORS.entry(),)
