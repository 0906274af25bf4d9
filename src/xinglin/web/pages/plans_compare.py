"""并列比较: several plans beside each other, indicator by indicator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from starlette.responses import Response

from xinglin.engines.plans import Plan
from xinglin.web.exports import Heading, export_answer
from xinglin.web.i18n import mark
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.plans_asking import base_words, living, number_of

_MOST_PLANS: Final = 8


async def _chosen(visit: Visit) -> tuple[list[Plan], list[Plan]]:
    """Return every plan in use and those to compare: the ones the address names, else all up to eight."""
    every = [one for one in await visit.platform.plans.books.plans(visit.scope) if one.status != "withdrawn"]
    asked = {number_of(text) for text in visit.request.query_params.getlist("plan")} - {None}
    plans = [one for one in every if one.is_open or one.plan_no in asked]
    chosen = [one for one in plans if one.plan_no in asked] or plans
    return plans, chosen[:_MOST_PLANS]


async def _lines(visit: Visit, chosen: Sequence[Plan]) -> list[Any]:
    least = 2 if visit.request.query_params.get("least", "2") == "2" and len(chosen) > 1 else 1
    told = [(one.plan_no, [row.data for row in await visit.platform.plans.figures.indicators(visit.scope, one.plan_no)]) for one in chosen]
    query = visit.request.query_params.get("q", "").strip()
    return [line for line in living.side_by_side(told, least) if query in f"{line.name}{line.category}"]


async def compared(visit: Visit) -> tuple[list[Plan], list[Plan], list[Any]]:
    """Return every plan in use, those to compare, and the lines the address asks for."""
    plans, chosen = await _chosen(visit)
    return plans, chosen, await _lines(visit, chosen)


def cell_of(data: Any) -> dict[str, str]:
    """Return what a plan says of an indicator: base and target as written."""
    if data is None:
        return {"base": "", "target": ""}
    target = living.target_of(data)
    words = (
        f"{living.target_words(target, data.get('unit'))} ({target.year})"
        if target
        else living.amount(data.get("target_value"), data.get("unit"))
    )
    return {"base": base_words(data), "target": words}


async def show_compare(visit: Visit) -> Response:
    """Show the plans beside each other."""
    plans, chosen, found = await compared(visit)
    lines = [(line, [cell_of(line.cells.get(one.plan_no)) for one in chosen]) for line in found]
    context = {
        "plans": plans,
        "chosen": chosen,
        "numbers": {one.plan_no for one in chosen},
        "lines": lines,
        "q": visit.request.query_params.get("q", ""),
        "least": visit.request.query_params.get("least", "2"),
        "query": visit.request.url.query,
    }
    return render(visit, "plans/compare.html", context)


async def export_compare(visit: Visit) -> Response:
    """Return the comparison as Excel."""
    visit.scope.require("export")
    _, chosen, lines = await compared(visit)
    labels = [(visit.text(mark("指标名称")), "text"), (visit.text(mark("单位")), "text")]
    for one in chosen:
        labels += [(f"{one.title} {visit.text(mark('基期'))}", "text"), (f"{one.title} {visit.text(mark('目标'))}", "text")]

    async def cells() -> AsyncIterator[Sequence[object]]:
        for line in lines:
            found = [cell_of(line.cells.get(one.plan_no)) for one in chosen]
            yield [line.name, line.unit, *(text for cell in found for text in (cell["base"], cell["target"]))]
        await visit.record("export", "plan", detail="comparison")

    return await export_answer(visit, Heading(visit.text(mark("规划并列比较")), labels, len(lines)), cells())


ROUTES: Final = (
    page("/plans/compare", show_compare, right="plan.read"),
    page("/plans/compare/export.xlsx", export_compare, right="plan.read"),
)
MENU: Final = (Entry("plan", mark("规划并列比较"), "/plans/compare", ("plan.read",)),)
