"""核对发现: what the plan's document contradicts itself in, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.errors import NotFoundError, XinglinError
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.plans_asking import number_of, plan_asked, status_tag
from xinglin.web.pages.plans_indicators import sheet_context

FINDING_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "open": (mark("未处理"), "warn"),
    "accepted": (mark("照原文保留"), ""),
    "corrected": (mark("已更正"), "good"),
}
SEVERITIES: Final[Mapping[str, tuple[str, str]]] = {
    "error": (mark("错误"), "bad"),
    "warning": (mark("可疑"), "warn"),
    "info": (mark("提示"), ""),
}


async def _findings(visit: Visit, query: Query) -> Rows:
    plan = await plan_asked(visit)
    found = await visit.platform.plans.work.findings(visit.scope, plan.plan_no)
    found = [
        one for one in found if query.get("state") in ("", one["state"]) and query.get("severity") in ("", one["data"].get("severity"))
    ]
    return Rows([_finding_row(visit, one) for one in found[query.offset : query.offset + query.size]], len(found))


def _finding_row(visit: Visit, one: Mapping[str, Any]) -> dict[str, Any]:
    data = one["data"]
    (label, kind), (weight, colour) = FINDING_STATES[one["state"]], SEVERITIES.get(data.get("severity", ""), ("", ""))
    return {
        "no": one["finding_no"],
        "words": visit.words.pick(data["zh"], data["en"]),
        "link": f"/plans/findings/{one['finding_no']}",
        "severity": Tag(visit.text(weight), colour) if weight else None,
        "lines": "、".join(str(line) for line in data.get("lines") or ()),
        "names": "、".join(data.get("names") or ()),
        "state": Tag(visit.text(label), kind),
        "note": one["note"],
        "decided": one["decided_name"] or "",
    }


FINDINGS: Final = ListPage(
    path="/plans/findings",
    title=mark("规划里的不一致"),
    rights=("plan.read",),
    fetch=_findings,
    context=sheet_context("findings"),
    template="plans/list.html",
    columns=(
        Column("no", mark("编号"), "number"),
        Column("words", mark("发现"), path="link", is_main=True),
        Column("severity", mark("程度"), "tag"),
        Column("lines", mark("行")),
        Column("names", mark("指标名称")),
        Column("state", mark("处理"), "tag"),
        Column("note", mark("理由")),
        Column("decided", mark("处理人")),
    ),
    filters=(
        Filter("plan", "", "hidden"),
        Filter("severity", mark("程度"), "choice", tuple((code, label) for code, (label, _) in SEVERITIES.items())),
        Filter("state", mark("处理"), "choice", tuple((code, label) for code, (label, _) in FINDING_STATES.items())),
    ),
    empty_title=mark("没有发现不一致"),
    empty_hint=mark("规则检查目标与基期、正文与表、县与市、单位和合计"),
)


async def show_finding(visit: Visit, refusal: str = "", status: int = 200) -> Response:
    """Show one finding beside its lines, to decide on it."""
    number = number_of(visit.request.path_params["finding"])
    if number is None:
        raise NotFoundError("没有这条核对结果", "there is no such finding")
    found = await visit.platform.plans.work.finding(visit.scope, number)
    plan = await visit.platform.plans.books.plan(visit.scope, found["plan_no"])
    context = {
        "plan": plan,
        "status": status_tag(visit, plan),
        "one": found,
        "row": _finding_row(visit, found),
        "states": FINDING_STATES,
        "refusal": refusal,
    }
    return render(visit, "plans/finding.html", context, status=status)


async def decide_finding(visit: Visit) -> Response:
    """Say what was decided about a finding."""
    form, number = await visit.form(), number_of(visit.request.path_params["finding"])
    try:
        plan_no = await visit.platform.plans.work.decide(visit.scope, number or 0, str(form.get("state", "")), str(form.get("note", "")))
    except XinglinError as error:
        return await show_finding(visit, visit.said(error), error.http_status)
    return redirect(visit, f"/plans/findings?plan={plan_no}")


ROUTES: Final = (
    *FINDINGS.routes(),
    page("/plans/findings/{finding}", show_finding, right="plan.read"),
    page("/plans/findings/{finding}", decide_finding, right="plan.edit", methods=("POST",)),
)
MENU: Final = ()
