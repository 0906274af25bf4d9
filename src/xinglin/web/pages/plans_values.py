"""录入数值: the values of indicators that no measure computes, and their approval."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit, page, redirect
from xinglin.web.pages.plans_asking import living, plan_asked
from xinglin.web.pages.plans_indicators import sheet_context

STATES: Final = {"entered": (mark("待批准"), "warn"), "approved": (mark("已批准"), "good"), "refused": (mark("已退回"), "bad")}


async def _fetch(visit: Visit, query: Query) -> Rows:
    plan = await plan_asked(visit)
    found = [
        (one, value)
        for one in await visit.platform.plans.figures.indicators(visit.scope, plan.plan_no)
        for value in one.values
        if query.get("state") in ("", value.state) and query.get("q") in one.data["name"] and query.get("year") in ("", str(value.year))
    ]
    found.sort(key=lambda item: (item[1].state != "entered", -item[1].year, -item[1].month, item[0].place))
    rows = []
    for one, value in found[query.offset : query.offset + query.size]:
        label, kind = STATES[value.state]
        rows.append(
            {
                "no": one.indicator_no, "name": one.data["name"], "link": f"/plans/indicators/{one.indicator_no}", "unit": one.data.get("unit"),
                "year": str(value.year), "month": value.month or "", "value": living.figure(value.value), "source": value.source, "state": Tag(visit.text(label), kind),
                "entered": f"{value.entered_name} {value.entered_at:%Y-%m-%d}", "decided": f"{value.decided_name} {value.decided_at:%Y-%m-%d}" if value.decided_at else "",
            }
        )  # fmt: skip
    return Rows(rows, len(found))


VALUES: Final = ListPage(
    path="/plans/values",
    title=mark("录入的数值"),
    rights=("plan.read",),
    fetch=_fetch,
    context=sheet_context("values"),
    template="plans/values.html",
    columns=(
        Column("no", mark("编号"), "number"),
        Column("name", mark("指标名称"), path="link", is_main=True),
        Column("unit", mark("单位")),
        Column("year", mark("年")),
        Column("month", mark("月")),
        Column("value", mark("数值")),
        Column("source", mark("来源")),
        Column("state", mark("状态"), "tag"),
        Column("entered", mark("录入")),
        Column("decided", mark("批准")),
    ),
    filters=(
        Filter("plan", "", "hidden"),
        Filter("q", mark("指标名称"), hint=mark("名称")),
        Filter("year", mark("年")),
        Filter("state", mark("状态"), "choice", tuple((code, label) for code, (label, _) in STATES.items())),
    ),
    empty_title=mark("没有录入的数值"),
    empty_hint=mark("下载模板填好后导入，或在指标页逐个录入"),
)


async def decide_values(visit: Visit) -> Response:
    """Approve or refuse every value of a plan that waits."""
    plan, form = await plan_asked(visit), await visit.form()
    indicators = await visit.platform.plans.figures.indicators(visit.scope, plan.plan_no)
    waiting: list[Any] = [value.value_no for one in indicators for value in one.values if value.state == "entered"]
    await visit.platform.plans.figures.decide(visit.scope, waiting, str(form.get("action", "")))
    return redirect(visit, f"/plans/values?plan={plan.plan_no}")


ROUTES: Final = (
    *VALUES.routes(),
    page("/plans/{plan}/values/decide", decide_values, right="plan.approve", methods=("POST",)),
)
MENU: Final = ()
