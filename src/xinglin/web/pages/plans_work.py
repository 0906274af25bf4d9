"""任务, 项目: what the plan asks of whom, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.errors import IncorrectError, NotFoundError, XinglinError
from xinglin.engines.plans import NewMilestone, TaskChange
from xinglin.web.forms import normal_date
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.plans_asking import number_of, plan_asked, status_tag
from xinglin.web.pages.plans_indicators import sheet_context

TASK_STATES: Final[Mapping[str, tuple[str, str]]] = {
    "open": (mark("未开始"), ""),
    "doing": (mark("进行中"), "brand"),
    "done": (mark("完成"), "good"),
    "stuck": (mark("受阻"), "bad"),
}
URGENT: Final = (("late", mark("已过期")), ("soon", mark("到提醒日")), ("none", mark("没有期限")))
_LONG: Final = 120


def owner_of(task: Mapping[str, Any]) -> str:
    """Return who answers for a task: whom the district named, else the printed units."""
    return str(task["unit"] or "、".join(task["data"].get("owners") or ()))


def urgency(task: Mapping[str, Any], today: date) -> str:
    """Return late, soon, none (no due day) or "" for a task; one that is done is never urgent."""
    if task["state"] == "done":
        return ""
    if task["due"] and task["due"] < today:
        return "late"
    if task["remind_on"] and task["remind_on"] <= today:
        return "soon"
    return "" if task["due"] else "none"


def is_asked_of(task: Mapping[str, Any]) -> bool:
    """Return whether a row is work for somebody: it has a sentence or a unit; a bare heading only orders the others."""
    return bool(task["data"].get("text") or owner_of(task))


async def _tasks(visit: Visit, query: Query) -> Rows:
    plan = await plan_asked(visit)
    today = visit.platform.clock.today()
    tasks = [one for one in await visit.platform.plans.work.tasks(visit.scope, plan.plan_no) if is_asked_of(one)]
    found = [
        one
        for one in tasks
        if query.get("owner") in owner_of(one)
        and query.get("state") in ("", one["state"])
        and query.get("urgent") in ("", urgency(one, today))
        and query.get("q") in f"{one['data'].get('title', '')}{one['data'].get('text', '')}"
    ]
    if query.sort == "owner":
        found.sort(key=owner_of, reverse=query.descending)
    elif query.sort == "due":
        found.sort(key=lambda one: (one["due"] is None, one["due"] or today), reverse=query.descending)
    return Rows([_task_row(visit, one, today) for one in found[query.offset : query.offset + query.size]], len(found))


def _task_row(visit: Visit, one: Mapping[str, Any], today: date) -> dict[str, Any]:
    data, (label, kind) = one["data"], TASK_STATES[one["state"]]
    words = data.get("title") or data.get("text") or ""
    late = urgency(one, today)
    warned = {"late": Tag(visit.text(mark("已过期")), "bad"), "soon": Tag(visit.text(mark("到提醒日")), "warn")}
    return {
        "no": one["task_no"],
        "number": data.get("number"),
        "title": words[:_LONG] + ("…" if len(words) > _LONG else ""),
        "link": f"/plans/tasks/{one['task_no']}",
        "above": " › ".join((data.get("path") or ())[-1:]),
        "owner": owner_of(one),
        "state": Tag(visit.text(label), kind),
        "warned": warned.get(late),
        "due": one["due"],
        "remind_on": one["remind_on"],
        "evidence": one["evidence"],
        "line": data.get("from_line"),
    }


TASKS: Final = ListPage(
    path="/plans/tasks",
    title=mark("规划任务"),
    rights=("plan.read",),
    fetch=_tasks,
    context=sheet_context("tasks"),
    template="plans/tasks.html",
    columns=(
        Column("no", mark("编号"), "number"),
        Column("title", mark("任务内容"), path="link", is_main=True),
        Column("above", mark("所属")),
        Column("owner", mark("责任单位"), sortable=True),
        Column("state", mark("状态"), "tag"),
        Column("warned", mark("提醒"), "tag"),
        Column("due", mark("期限"), "date", sortable=True),
        Column("remind_on", mark("提醒日"), "date"),
        Column("evidence", mark("完成依据")),
    ),
    filters=(
        Filter("plan", "", "hidden"),
        Filter("q", mark("任务内容"), hint=mark("文字")),
        Filter("owner", mark("责任单位")),
        Filter("state", mark("状态"), "choice", tuple((code, label) for code, (label, _) in TASK_STATES.items())),
        Filter("urgent", mark("期限"), "choice", URGENT),
    ),
    empty_title=mark("没有符合条件的任务"),
    empty_hint=mark("任务从规划正文读取；放宽条件再查"),
)


def day_typed(visit: Visit, text: str, where: str) -> date | None:
    """Return a typed day, None for nothing.  Raises: IncorrectError."""
    plain = normal_date(text, visit.platform.clock.today()).strip()[:10]
    if not plain:
        return None
    try:
        return date.fromisoformat(plain)
    except ValueError as error:
        raise IncorrectError("日期写成 2026-11-21", "write a day as 2026-11-21", where=where) from error


async def show_task(visit: Visit, refusal: str = "", status: int = 200) -> Response:
    """Show one task with what was noted about it."""
    number = number_of(visit.request.path_params["task"])
    if number is None:
        raise NotFoundError("没有这项任务", "there is no such task")
    task, notes = await visit.platform.plans.work.task(visit.scope, number)
    plan = await visit.platform.plans.books.plan(visit.scope, task["plan_no"])
    context = {
        "plan": plan,
        "status": status_tag(visit, plan),
        "task": task,
        "notes": notes,
        "states": TASK_STATES,
        "owner": owner_of(task),
        "refusal": refusal,
    }
    return render(visit, "plans/task.html", context, status=status)


async def change_task(visit: Visit) -> Response:
    """Write a task's state, unit, days and evidence."""
    form, number = await visit.form(), number_of(visit.request.path_params["task"])
    try:
        change = TaskChange(
            str(form.get("state", "")),
            str(form.get("unit", "")),
            day_typed(visit, str(form.get("due", "")), "due"),
            day_typed(visit, str(form.get("remind_on", "")), "remind_on"),
            str(form.get("evidence", "")),
        )
        await visit.platform.plans.work.change_task(visit.scope, number or 0, change)
    except XinglinError as error:
        return await show_task(visit, visit.said(error), error.http_status)
    return redirect(visit, f"/plans/tasks/{number}")


async def _projects(visit: Visit, query: Query) -> Rows:
    plan = await plan_asked(visit)
    today = visit.platform.clock.today()
    found = [
        one
        for one in await visit.platform.plans.work.projects(visit.scope, plan.plan_no)
        if query.get("q") in f"{one['data'].get('name', '')}{one['data'].get('unit') or ''}"
    ]
    return Rows([_project_row(visit, one, today) for one in found[query.offset : query.offset + query.size]], len(found))


def _project_row(visit: Visit, one: Mapping[str, Any], today: date) -> dict[str, Any]:
    data, stones = one["data"], one["milestones"]
    done = sum(stone["done_on"] is not None for stone in stones)
    coming = next((stone for stone in stones if stone["done_on"] is None), None)
    late = coming is not None and coming["due"] is not None and coming["due"] < today
    return {
        "name": data.get("name"),
        "link": f"/plans/projects/{one['project_no']}",
        "unit": data.get("unit"),
        "nature": data.get("nature"),
        "period": "–".join(str(year) for year in (data.get("start_year"), data.get("end_year")) if year),
        "beds": data.get("beds"),
        "investment": data.get("investment_10k_yuan"),
        "milestones": f"{done} / {len(stones)}" if stones else "",
        "next": "" if coming is None else f"{coming['title']} {coming['due'] or ''}".strip(),
        "state": Tag(visit.text(mark("延期")), "bad")
        if late
        else Tag(visit.text(mark("完成")), "good")
        if stones and done == len(stones)
        else Tag(""),
    }


PROJECTS: Final = ListPage(
    path="/plans/projects",
    title=mark("规划项目"),
    rights=("plan.read",),
    fetch=_projects,
    context=sheet_context("milestones"),
    template="plans/list.html",
    columns=(
        Column("name", mark("项目名称"), path="link", is_main=True),
        Column("unit", mark("单位")),
        Column("nature", mark("性质")),
        Column("period", mark("起止年")),
        Column("beds", mark("床位"), "number"),
        Column("investment", mark("投资（万元）"), "number"),
        Column("milestones", mark("节点")),
        Column("next", mark("下一节点")),
        Column("state", mark("状态"), "tag"),
    ),
    filters=(Filter("plan", "", "hidden"), Filter("q", mark("项目名称"), hint=mark("名称或单位"))),
    empty_title=mark("没有读到项目"),
    empty_hint=mark("项目从规划的项目表和正文读取"),
)


async def show_project(visit: Visit, refusal: str = "", status: int = 200) -> Response:
    """Show one project with its milestones."""
    number = number_of(visit.request.path_params["project"])
    if number is None:
        raise NotFoundError("没有这个项目", "there is no such project")
    project = await visit.platform.plans.work.project(visit.scope, number)
    plan = await visit.platform.plans.books.plan(visit.scope, project["plan_no"])
    context = {
        "plan": plan,
        "status": status_tag(visit, plan),
        "project": project,
        "row": _project_row(visit, project, visit.platform.clock.today()),
        "refusal": refusal,
    }
    return render(visit, "plans/project.html", context, status=status)


async def change_project(visit: Visit) -> Response:
    """Add, change or take off a milestone."""
    form, number = await visit.form(), number_of(visit.request.path_params["project"])
    work, stone = visit.platform.plans.work, number_of(str(form.get("milestone", "")))
    try:
        if form.get("action") == "remove" and stone:
            await work.remove_milestone(visit.scope, number or 0, stone)
        else:
            due, done_on = (day_typed(visit, str(form.get(name, "")), name) for name in ("due", "done_on"))
            new = NewMilestone(str(form.get("title", "")), due, done_on, str(form.get("note", "")))
            await work.put_milestone(visit.scope, number or 0, stone, new)
    except XinglinError as error:
        return await show_project(visit, visit.said(error), error.http_status)
    return redirect(visit, f"/plans/projects/{number}")


def by_owner(tasks: Sequence[Mapping[str, Any]], today: date) -> list[dict[str, Any]]:
    """Return for each responsible unit how many of its tasks are open, under way, done, stuck and late; the most to do first."""
    units: dict[str, dict[str, Any]] = {}
    for task in tasks:
        for name in owner_of(task).split("、"):
            if name and is_asked_of(task):
                row = units.setdefault(name, {"unit": name, "all": 0, "late": 0, **dict.fromkeys(TASK_STATES, 0)})
                row["all"] += 1
                row[task["state"]] += 1
                row["late"] += urgency(task, today) == "late"
    return sorted(units.values(), key=lambda row: (-row["late"], -row["all"], row["unit"]))


async def show_units(visit: Visit) -> Response:
    """Show the tasks counted by responsible unit."""
    plan = await plan_asked(visit)
    tasks = await visit.platform.plans.work.tasks(visit.scope, plan.plan_no)
    context = {"plan": plan, "status": status_tag(visit, plan), "units": by_owner(tasks, visit.platform.clock.today())}
    return render(visit, "plans/units.html", context)


ROUTES: Final = (
    *TASKS.routes(),
    page("/plans/tasks/units", show_units, right="plan.read"),
    page("/plans/tasks/{task}", show_task, right="plan.read"),
    page("/plans/tasks/{task}", change_task, right="plan.edit", methods=("POST",)),
    *PROJECTS.routes(),
    page("/plans/projects/{project}", show_project, right="plan.read"),
    page("/plans/projects/{project}", change_project, right="plan.edit", methods=("POST",)),
)
MENU: Final = ()
