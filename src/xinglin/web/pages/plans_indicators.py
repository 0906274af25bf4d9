"""指标表: every indicator with base, path, target, today's value, forecast, gap and owner; the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows
from xinglin.web.page import Visit, page
from xinglin.web.pages.plans_asking import (
    STATES,
    BoardRow,
    as_of_words,
    base_words,
    board_of,
    held_together,
    living,
    plan_asked,
    plan_options,
    state_tag,
    status_tag,
    target_words,
)
from xinglin.web.pages.plans_cockpit import table_json

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


def table_row(visit: Visit, row: BoardRow, waits: bool) -> dict[str, Any]:
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
        if row.definition is not None and visit.allows("county.figures", "institution.figures", "cdc.figures", "report.monthly")
        else "",
        "day": now.day.isoformat() if now else "",
        "wanted": held_together(living.amount(view.standing.wanted, row.unit)) if view.standing.wanted is not None else "",
        "state": state_tag(visit, view.standing.state),
        "trend": [one.value for one in view.observed][-_SPARK:],
        "forecast": "" if not now else visit.text("正在计算走势…") if waits and row.definition else view.forecast_words.say(language),
        "gap": view.gap_words.say(language) if view.missing else "",
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
    shown = [table_row(visit, row, board.waits) for row in rows[query.offset : query.offset + query.size]]
    return Rows(shown, len(rows), as_of=await as_of_words(visit, board))


async def plan_context(visit: Visit, query: Query) -> Mapping[str, object]:
    """Return what every list of a plan shows above it: the plan, its tabs, the plans to choose from."""
    plan = await plan_asked(visit)
    return {"plan": plan, "status": status_tag(visit, plan), "plan_options": await plan_options(visit)}


INDICATORS: Final = ListPage(
    path="/plans/indicators",
    title=mark("规划指标表"),
    rights=("plan.read",),
    group="plan",
    fetch=_fetch,
    context=plan_context,
    template="plans/list.html",
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


async def plan_json(visit: Visit) -> Response:
    """Return a plan's table as JSON: indicators as `xinglin plan read --json` prints them with `today`, tasks, projects, findings."""
    plan = await plan_asked(visit)
    board = await board_of(visit, plan)
    work = visit.platform.plans.work
    body = {
        "plan": {"id": plan.plan_no, "title": plan.title, "area": plan.area_name, "level": plan.level, "status": plan.status, "version": plan.version, "start_year": plan.start_year, "end_year": plan.end_year},
        "as_of": visit.platform.clock.today().isoformat(),
        "seq": board.seq or None,
        "indicators": table_json(board),
        "tasks": [{**one["data"], "state": one["state"], "unit": one["unit"], "due": one["due"], "evidence": one["evidence"]} for one in await work.tasks(visit.scope, plan.plan_no)],
        "projects": [{**one["data"], "milestones": [{name: stone[name] for name in ("title", "due", "done_on", "note")} for stone in one["milestones"]]} for one in await work.projects(visit.scope, plan.plan_no)],
        "findings": [{**one["data"], "state": one["state"], "decision": one["note"]} for one in await work.findings(visit.scope, plan.plan_no)],
    }  # fmt: skip
    return Response(orjson.dumps(body), media_type="application/json")


ROUTES: Final = (*INDICATORS.routes(), page("/plans/{plan}.json", plan_json, right="plan.read"))
MENU: Final = (INDICATORS.entry(),)
