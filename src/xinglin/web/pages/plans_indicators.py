"""指标表: every indicator with base, path, target, today's value, forecast, gap and owner; the same as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.web.exports import export_answer
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
    number_of,
    plan_asked,
    plan_options,
    state_tag,
    status_tag,
    target_words,
)
from xinglin.web.pages.plans_cockpit import table_json
from xinglin.web.pages.plans_indicator import typed_path
from xinglin.web.pages.plans_sheets import Refused, read_rows, refused_page

_SPARK: Final = 14
_PATH_HEADS: Final = {mark("编号"): "no", mark("年"): "year", mark("路径值"): "value", mark("责任单位"): "owner"}
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
        "tasks": [{**one["data"], "id": one["task_no"], "state": one["state"], "unit": one["unit"], "due": one["due"], "remind_on": one["remind_on"], "evidence": one["evidence"]} for one in await work.tasks(visit.scope, plan.plan_no)],
        "projects": [{**one["data"], "id": one["project_no"], "milestones": [{"id": stone["milestone_no"], **{name: stone[name] for name in ("title", "due", "done_on", "note")}} for stone in one["milestones"]]} for one in await work.projects(visit.scope, plan.plan_no)],
        "findings": [{**one["data"], "id": one["finding_no"], "state": one["state"], "decision": one["note"]} for one in await work.findings(visit.scope, plan.plan_no)],
    }  # fmt: skip
    return Response(orjson.dumps(body), media_type="application/json")


async def path_template(visit: Visit) -> Response:
    """Return the sheet of paths: a line for every indicator and year the district may set, with what holds now."""
    plan = await plan_asked(visit)
    labels = [(head, "number" if name in ("no", "year", "value") else "text") for head, name in _PATH_HEADS.items()]
    labels.insert(1, (mark("指标名称"), "text"))
    lines = [
        (one.indicator_no, one.data["name"], year, round(value, 4), one.owner)
        for one in await visit.platform.plans.figures.indicators(visit.scope, plan.plan_no)
        if living.is_counted(one.data)
        for year, value, origin in living.yearly(living.path_of(one.data, one.path))
        if origin in ("line", "set")
    ]

    async def cells() -> AsyncIterator[Sequence[object]]:
        for line in lines:
            yield line

    return await export_answer(
        visit, visit.text(mark("规划路径")), [(visit.text(head), kind) for head, kind in labels], cells(), len(lines)
    )


async def take_paths(visit: Visit) -> Response:
    """Take paths and owners from a filled sheet; good rows are kept, the others are said with their line."""
    plan, form = await plan_asked(visit), await visit.form()
    figures, back = visit.platform.plans.figures, f"/plans/indicators?plan={plan.plan_no}"
    known = {one.indicator_no: one for one in await figures.indicators(visit.scope, plan.plan_no)}
    try:
        rows = await read_rows(visit, form.get("file"), _PATH_HEADS)
    except XinglinError as error:
        return await refused_page(visit, plan, back, [Refused(0, error.message(visit.language))], 0)
    refused, kept = [], 0
    for line, cells in rows:
        try:
            one = known.get(number_of(cells["no"].removesuffix(".0")) or 0)
            if one is None:
                raise IncorrectError(
                    "编号不是这份规划的指标：请用下载的表", "the number is no indicator of this plan: use the sheet", where="no"
                )
            await figures.set_path(
                visit.scope, one.indicator_no, typed_path({f"year-{cells['year'].removesuffix('.0')}": cells["value"]}, one)
            )
            if cells["owner"] != one.owner:
                await figures.set_owner(visit.scope, one.indicator_no, cells["owner"])
            kept += 1
        except XinglinError as error:
            refused.append(Refused(line, error.message(visit.language)))
    return await refused_page(visit, plan, back, refused, kept)


ROUTES: Final = (
    *INDICATORS.routes(),
    page("/plans/{plan}/paths/template.xlsx", path_template, right="plan.edit"),
    page("/plans/{plan}/paths/import", take_paths, right="plan.edit", methods=("POST",)),
    page("/plans/{plan}.json", plan_json, right="plan.read"),
)
MENU: Final = (INDICATORS.entry(),)
