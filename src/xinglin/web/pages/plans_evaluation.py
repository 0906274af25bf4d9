"""评估报告: the mid-term or final evaluation of a plan, to print or as a Word document, in one click."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import Response

from xinglin.engines.plans import Plan
from xinglin.web.exports import Heading, export_answer, watermark
from xinglin.web.i18n import mark
from xinglin.web.modules import part_of_module
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.plans_asking import STATES, Board, BoardRow, as_of_words, board_of, living, plan_asked, status_tag
from xinglin.web.pages.plans_work import TASK_STATES, is_asked_of, owner_of, urgency

report: Final = part_of_module("plan.report")
WORD: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def made_report(visit: Visit, plan: Plan) -> tuple[Any, Board]:
    """Return the report of a plan today, and the board it rests on."""
    board = await board_of(visit, plan)
    today = visit.platform.clock.today()
    work = visit.platform.plans.work
    findings = sum(one["state"] == "open" for one in await work.findings(visit.scope, plan.plan_no))
    tasks = [
        living.TaskLine(
            one["data"].get("title") or one["data"].get("text") or "",
            owner_of(one),
            one["state"],
            one["evidence"],
            urgency(one, today) == "late",
            one["data"].get("text") or "",
        )
        for one in await work.tasks(visit.scope, plan.plan_no)
        if is_asked_of(one)
    ]
    asked = visit.request.query_params.get("kind", "")
    kind = asked if asked in (living.MID_TERM, living.FINAL) else _kind(plan, today.year)
    projects = [_project(one, today) for one in await work.projects(visit.scope, plan.plan_no)]
    subject = living.Subject(
        kind,
        plan.title,
        today,
        findings,
        [str(row.data["name"]) for row in board.doubtful],
        (plan.start_year, plan.end_year),
        await as_of_words(visit, board),
        visit.scope.display_name,
        board.figures.pending or (living.TREND_WAITS if board.waits else None),
    )
    return living.evaluate(subject, [_judged(visit, row) for row in board.rows], tasks, projects), board


def _project(one: Mapping[str, Any], today: date) -> Any:
    stones = one["milestones"]
    coming = next((stone for stone in stones if stone["done_on"] is None), None)
    late = coming is not None and coming["due"] is not None and coming["due"] < today
    words = "" if coming is None else f"{coming['title']} {coming['due'] or ''}".strip()
    done = sum(stone["done_on"] is not None for stone in stones)
    return living.ProjectLine(str(one["data"].get("name") or ""), str(one["data"].get("unit") or ""), done, len(stones), words, late)


def _kind(plan: Plan, year: int) -> str:
    """Return which evaluation is due: the final one from the plan's last year on, the mid-term one before."""
    found: str = living.FINAL if plan.end_year is not None and year >= plan.end_year else living.MID_TERM
    return found


def _judged(visit: Visit, row: BoardRow) -> Any:
    measure = f"{row.definition.title.say(visit.language)}（{row.definition.source}）" if row.definition else ""
    sources = [value.source for value in reversed(row.indicator.values) if value.state == "approved"]
    return living.Judged(row.data, row.view, row.owner, measure, sources, row.indicator.reason)


async def show_evaluation(visit: Visit) -> Response:
    """Show the report, missing items first."""
    plan = await plan_asked(visit)
    made, board = await made_report(visit, plan)
    kind = visit.request.query_params.get("kind", "") or _kind(plan, visit.platform.clock.today().year)
    context = {
        "plan": plan,
        "status": status_tag(visit, plan),
        "report": made,
        "states": STATES,
        "task_states": TASK_STATES,
        "kind": kind,
        "board": board,
        "as_of": await as_of_words(visit, board),
    }
    return render(visit, "plans/evaluation.html", context)


async def print_evaluation(visit: Visit) -> Response:
    """Show the report as a sheet to print."""
    visit.scope.require("print")
    plan = await plan_asked(visit)
    made, board = await made_report(visit, plan)
    await visit.record("print", "plan", detail=f"evaluation {plan.plan_no}")
    context = {"plan": plan, "report": made, "states": STATES, "task_states": TASK_STATES, "as_of": await as_of_words(visit, board)}
    return render(visit, "plans/evaluation_paper.html", context)


async def word_evaluation(visit: Visit) -> Response:
    """Return the report as a Word document."""
    visit.scope.require("export")
    plan = await plan_asked(visit)
    made, _ = await made_report(visit, plan)
    await visit.record("export", "plan", detail=f"evaluation {plan.plan_no}")
    content = await asyncio.to_thread(report.evaluation_docx, made, report.Imprint(visit.language, watermark(visit)))
    name = f"{plan.title} {made.title.say(visit.language)} {made.as_of}.docx"
    return Response(content, media_type=WORD, headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"})


async def excel_evaluation(visit: Visit) -> Response:
    """Return the indicators of the report as Excel, each with why it stands where it stands and its evidence."""
    visit.scope.require("export")
    plan = await plan_asked(visit)
    made, board = await made_report(visit, plan)
    heads = (
        (mark("序号"), "number"), (mark("指标名称"), "text"), (mark("类别"), "text"), (mark("基期"), "text"), (mark("目标"), "text"), (mark("今天的值"), "text"),
        (mark("状态"), "text"), (mark("责任单位"), "text"), (mark("理由"), "text"), (mark("原因和措施"), "text"), (mark("数据依据"), "text"),
    )  # fmt: skip

    async def cells() -> AsyncIterator[Sequence[object]]:
        for one in made.entries:
            state = visit.text(STATES[one.state][0])
            said = [words.say(visit.language) for words in (one.why, one.evidence)]
            yield [one.number, one.name, one.category, one.base, one.target, one.value, state, one.owner, said[0], one.reason, said[1]]

    await visit.record("export", "plan", detail=f"evaluation {plan.plan_no}")
    labels = [(visit.text(head), kind) for head, kind in heads]
    heading = Heading(made.title.say(visit.language), labels, len(made.entries), await as_of_words(visit, board))
    return await export_answer(visit, heading, cells())


ROUTES: Final = (
    page("/plans/{plan}/evaluation", show_evaluation, right="plan.read"),
    page("/plans/{plan}/evaluation/print", print_evaluation, right="plan.read"),
    page("/plans/{plan}/evaluation.docx", word_evaluation, right="plan.read"),
    page("/plans/{plan}/evaluation.xlsx", excel_evaluation, right="plan.read"),
)
MENU: Final = ()
