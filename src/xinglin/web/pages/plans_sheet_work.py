"""The sheets of a plan's work: tasks, milestones of projects, decisions on findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from xinglin.base.errors import IncorrectError
from xinglin.engines.plans import NewMilestone, Plan, TaskChange
from xinglin.web.i18n import mark
from xinglin.web.page import Visit
from xinglin.web.pages.plans_findings import FINDING_STATES, SEVERITIES
from xinglin.web.pages.plans_sheet_kinds import row_meant, whole
from xinglin.web.pages.plans_sheets import NEW, Change, Ground, Sheet, State
from xinglin.web.pages.plans_work import TASK_STATES, day_typed, is_asked_of, owner_of


def _day(visit: Visit, text: str, where: str) -> str | None:
    found = day_typed(visit, text, where)
    return found.isoformat() if found else None


def _date(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _state_typed(visit: Visit, states: Mapping[str, tuple[str, str]], text: str, held: str) -> str:
    """Return the code of a typed state, the one held for nothing.  Raises: IncorrectError."""
    known = {word: code for code, (label, _) in states.items() for word in (label, visit.text(label), code)}
    if text and text not in known:
        words = "、".join(visit.text(label) for label, _ in states.values())
        raise IncorrectError(f"状态只能写 {words}", f"write a state of {words}", where="state")
    return known.get(text, held)


class Tasks:
    """State, unit, days and evidence of tasks."""

    kind = "tasks"
    title = mark("任务进展")
    back = "/plans/tasks?plan={plan}"
    needed: tuple[str, ...] = ("no", "state", "unit", "due", "remind_on", "evidence")
    columns: Mapping[str, str] = {
        mark("编号"): "no", mark("任务内容"): "words", mark("责任单位"): "unit", mark("状态"): "state", mark("期限"): "due", mark("提醒日"): "remind_on",
        mark("完成依据"): "evidence",
    }  # fmt: skip

    async def lines(self, visit: Visit, plan: Plan) -> Sequence[Mapping[str, object]]:
        """Return a line for every task."""
        return [
            {
                "no": one["task_no"], "words": one["data"].get("title") or one["data"].get("text"), "unit": owner_of(one),
                "state": visit.text(TASK_STATES[one["state"]][0]), "due": one["due"], "remind_on": one["remind_on"], "evidence": one["evidence"],
            }
            for one in await visit.platform.plans.work.tasks(visit.scope, plan.plan_no)
            if is_asked_of(one)
        ]  # fmt: skip

    async def ground(self, visit: Visit, plan: Plan) -> Ground:
        """Return the tasks as they stand."""
        rows = {one["task_no"]: one for one in await visit.platform.plans.work.tasks(visit.scope, plan.plan_no)}
        return Ground(rows, {str(number): self._held(one) for number, one in rows.items()})

    def _held(self, one: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "state": one["state"],
            "unit": one["unit"] or "",
            "due": _iso(one["due"]),
            "remind_on": _iso(one["remind_on"]),
            "evidence": one["evidence"],
        }

    def typed(self, visit: Visit, ground: Ground, cells: Mapping[str, str]) -> Sequence[Change]:
        """Return how a row wants its task."""
        one = row_meant(ground, cells["no"])
        held = self._held(one)
        after = {
            "state": _state_typed(visit, TASK_STATES, cells["state"], held["state"]),
            "unit": held["unit"] if cells["unit"] == owner_of(one) else cells["unit"],
            "due": _day(visit, cells["due"], "due"),
            "remind_on": _day(visit, cells["remind_on"], "remind_on"),
            "evidence": cells["evidence"],
        }
        if after != held and after["state"] == "done" and not after["evidence"]:
            raise IncorrectError(
                "标为完成要写明依据：文件号、数字或地点", "say by what it is done: a document, a number or a place", where="evidence"
            )
        return [Change(str(one["task_no"]), str(one["data"].get("title") or one["data"].get("text") or "")[:80], after)]

    async def put(self, visit: Visit, change: Change, before: State | None) -> str:
        """Write the task."""
        after = change.after or {}
        told = TaskChange(after["state"], after["unit"], _date(after["due"]), _date(after["remind_on"]), after["evidence"])
        await visit.platform.plans.work.change_task(visit.scope, int(change.key), told)
        return change.key

    async def undo(self, visit: Visit, change: Change, before: State | None) -> None:
        """Write the task as it was."""
        await self.put(visit, Change(change.key, change.label, before), change.after)

    def words(self, visit: Visit, name: str, value: Any) -> str:
        """Return the name of a state; other values as they are."""
        return visit.text(TASK_STATES[value][0]) if name == "state" else str(value)


class Milestones:
    """Milestones of projects: a row without a number is a new one."""

    kind = "milestones"
    title = mark("项目节点")
    back = "/plans/projects?plan={plan}"
    needed: tuple[str, ...] = ("project", "no", "title", "due", "done_on", "note")
    columns: Mapping[str, str] = {
        mark("项目编号"): "project", mark("项目名称"): "name", mark("节点编号"): "no", mark("节点"): "title", mark("期限"): "due", mark("完成日"): "done_on",
        mark("说明"): "note",
    }  # fmt: skip

    async def lines(self, visit: Visit, plan: Plan) -> Sequence[Mapping[str, object]]:
        """Return a line for every milestone, and an empty one for a project without any."""
        return [
            {"project": one["project_no"], "name": one["data"].get("name"), "no": stone.get("milestone_no"), **stone}
            for one in await visit.platform.plans.work.projects(visit.scope, plan.plan_no)
            for stone in (one["milestones"] or [{}])
        ]

    async def ground(self, visit: Visit, plan: Plan) -> Ground:
        """Return the milestones as they stand."""
        rows = {one["project_no"]: one for one in await visit.platform.plans.work.projects(visit.scope, plan.plan_no)}
        held = {
            f"{number}:{stone['milestone_no']}": {
                "title": stone["title"],
                "due": _iso(stone["due"]),
                "done_on": _iso(stone["done_on"]),
                "note": stone["note"],
            }
            for number, one in rows.items()
            for stone in one["milestones"]
        }
        return Ground(rows, held)

    def typed(self, visit: Visit, ground: Ground, cells: Mapping[str, str]) -> Sequence[Change]:
        """Return the milestone of a row."""
        if not any(cells[name] for name in ("no", "title", "due", "done_on", "note")):
            return []
        project = row_meant(ground, cells["project"])
        if not cells["title"]:
            raise IncorrectError(
                "请写节点名称；要移除请在项目页上移除", "write what the milestone is; take one off on its page", where="title"
            )
        after = {
            "title": cells["title"],
            "due": _day(visit, cells["due"], "due"),
            "done_on": _day(visit, cells["done_on"], "done_on"),
            "note": cells["note"],
        }
        key = f"{project['project_no']}:{whole(cells['no']) if cells['no'] else NEW + cells['title']}"
        if cells["no"] and key not in ground.held:
            raise IncorrectError(
                "节点编号不是这个项目的；新节点请留空", "the milestone is not of this project; leave it empty for a new one", where="no"
            )
        if not cells["no"] and any(key.split(":")[0] == place.split(":")[0] and state == after for place, state in ground.held.items()):
            return []
        return [Change(key, f"{project['data'].get('name') or ''} · {cells['title']}", after)]

    async def put(self, visit: Visit, change: Change, before: State | None) -> str:
        """Write the milestone."""
        project, number = change.key.split(":", 1)
        after = change.after or {}
        told = NewMilestone(after["title"], _date(after["due"]), _date(after["done_on"]), after["note"])
        held = None if number.startswith(NEW) else int(number)
        return f"{project}:{await visit.platform.plans.work.put_milestone(visit.scope, int(project), held, told)}"

    async def undo(self, visit: Visit, change: Change, before: State | None) -> None:
        """Write the milestone as it was; take a new one off."""
        project, number = change.key.split(":", 1)
        if before is None:
            await visit.platform.plans.work.remove_milestone(visit.scope, int(project), int(number))
        else:
            await self.put(visit, Change(change.key, change.label, before), change.after)

    def words(self, visit: Visit, name: str, value: Any) -> str:
        """Return a value as it is."""
        return str(value)


class Findings:
    """What was decided about the inconsistencies of a document."""

    kind = "findings"
    title = mark("核对发现的处理")
    back = "/plans/findings?plan={plan}"
    needed: tuple[str, ...] = ("no", "state", "note")
    columns: Mapping[str, str] = {
        mark("编号"): "no", mark("发现"): "words", mark("程度"): "severity", mark("行"): "lines", mark("处理"): "state", mark("理由"): "note",
    }  # fmt: skip

    async def lines(self, visit: Visit, plan: Plan) -> Sequence[Mapping[str, object]]:
        """Return a line for every finding."""
        return [
            {
                "no": one["finding_no"], "words": visit.words.pick(one["data"].get("zh", ""), one["data"].get("en", "")),
                "severity": visit.text(SEVERITIES.get(one["data"].get("severity", ""), ("", ""))[0]), "lines": "、".join(map(str, one["data"].get("lines") or ())),
                "state": visit.text(FINDING_STATES[one["state"]][0]), "note": one["note"],
            }
            for one in await visit.platform.plans.work.findings(visit.scope, plan.plan_no)
        ]  # fmt: skip

    async def ground(self, visit: Visit, plan: Plan) -> Ground:
        """Return the findings as they stand."""
        rows = {one["finding_no"]: one for one in await visit.platform.plans.work.findings(visit.scope, plan.plan_no)}
        return Ground(rows, {str(number): {"state": one["state"], "note": one["note"]} for number, one in rows.items()})

    def typed(self, visit: Visit, ground: Ground, cells: Mapping[str, str]) -> Sequence[Change]:
        """Return the decision of a row."""
        one = row_meant(ground, cells["no"])
        after = {"state": _state_typed(visit, FINDING_STATES, cells["state"], one["state"]), "note": cells["note"]}
        if after["state"] != "open" and not after["note"]:
            raise IncorrectError("请写明理由", "say why", where="note")
        return [Change(str(one["finding_no"]), visit.words.pick(one["data"].get("zh", ""), one["data"].get("en", ""))[:80], after)]

    async def put(self, visit: Visit, change: Change, before: State | None) -> str:
        """Write the decision."""
        after = change.after or {}
        await visit.platform.plans.work.decide(visit.scope, int(change.key), after["state"], after["note"])
        return change.key

    async def undo(self, visit: Visit, change: Change, before: State | None) -> None:
        """Write the decision as it was."""
        await self.put(visit, Change(change.key, change.label, before), change.after)

    def words(self, visit: Visit, name: str, value: Any) -> str:
        """Return the name of a state; other values as they are."""
        return visit.text(FINDING_STATES[value][0]) if name == "state" else str(value)


WORK_SHEETS: Final[tuple[Sheet, ...]] = (Tasks(), Milestones(), Findings())
