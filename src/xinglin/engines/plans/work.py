"""What is to be done for a plan: tasks, projects with milestones, findings to decide on."""

from __future__ import annotations

from typing import Any

import orjson

from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.engines.plans.ground import PlanGround, account, written
from xinglin.engines.plans.model import FINDING_STATES, TASK_STATES, NewMilestone, TaskChange
from xinglin.engines.security import Scope


class Work:
    """The door to tasks, projects, milestones and findings of plans."""

    def __init__(self, ground: PlanGround) -> None:
        self._ground = ground

    async def tasks(self, scope: Scope, plan_no: int) -> list[dict[str, Any]]:
        """Return the tasks of a plan in the document's order; `data` is what was read."""
        return await self._rows(scope, "select * from plan_task where plan_no = $1 and removed_at is null order by place", plan_no)

    async def task(self, scope: Scope, task_no: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return a task and what was noted about it, newest first.  Raises: ForbiddenError, NotFoundError."""
        found = await self._rows(scope, "select * from plan_task where task_no = $1 and removed_at is null", task_no)
        if not found:
            raise NotFoundError("没有这项任务", "there is no such task")
        async with self._ground.database.connection() as connection:
            notes = await connection.fetch("select * from plan_task_note where task_no = $1 order by note_no desc", task_no)
        return found[0], [self._ground.told(one) for one in notes]

    async def change_task(self, scope: Scope, task_no: int, change: TaskChange) -> None:
        """Write a task's state, unit, dates and evidence.  Raises: ForbiddenError, NotFoundError, IncorrectError."""
        await self.task(scope, task_no)
        if change.state not in TASK_STATES:
            raise IncorrectError("请选择任务状态", "choose the task's state", where="state")
        evidence = written(change.evidence, 2000)
        if change.state == "done" and not evidence:
            raise IncorrectError(
                "标为完成要写明依据：文件号、数字或地点", "say by what it is done: a document, a number or a place", where="evidence"
            )
        if change.due and change.remind_on and change.remind_on > change.due:
            raise IncorrectError("提醒日不能晚于期限", "the reminder cannot come after the due day", where="remind_on")
        await self._ground.must_be_open("task", [task_no])
        await self._ground.allow(scope, "plan.edit", "task", f"task {task_no} {change.state}")
        now = self._ground.now()
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                """update plan_task set state = $2, unit = $3, due = $4, remind_on = $5, evidence = $6, changed_at = $7, changed_name = $8
                   where task_no = $1""",
                *(
                    task_no,
                    change.state,
                    written(change.unit, 200) or None,
                    change.due,
                    change.remind_on,
                    evidence,
                    now,
                    scope.display_name,
                ),
            )
            await connection.execute(
                "insert into plan_task_note (task_no, noted_at, noted_by, noted_name, state, evidence) values ($1, $2, $3, $4, $5, $6)",
                *(task_no, now, account(scope), scope.display_name, change.state, evidence),
            )

    async def projects(self, scope: Scope, plan_no: int) -> list[dict[str, Any]]:
        """Return the projects of a plan, each with its `milestones` by day."""
        found = await self._rows(scope, "select * from plan_project where plan_no = $1 and removed_at is null order by place", plan_no)
        numbers = [one["project_no"] for one in found]
        query = "select * from plan_milestone where project_no = any($1) and removed_at is null order by due nulls last, milestone_no"
        async with self._ground.database.connection() as connection:
            stones = [self._ground.told(row) for row in await connection.fetch(query, numbers)]
        return [{**one, "milestones": [stone for stone in stones if stone["project_no"] == one["project_no"]]} for one in found]

    async def project(self, scope: Scope, project_no: int) -> dict[str, Any]:
        """Return a project with its milestones.  Raises: ForbiddenError, NotFoundError."""
        found = await self._rows(scope, "select * from plan_project where project_no = $1 and removed_at is null", project_no)
        if not found:
            raise NotFoundError("没有这个项目", "there is no such project")
        return next(one for one in await self.projects(scope, found[0]["plan_no"]) if one["project_no"] == project_no)

    async def put_milestone(self, scope: Scope, project_no: int, milestone_no: int | None, new: NewMilestone) -> int:
        """Add a milestone, or change one; return its number.  Raises: ForbiddenError, NotFoundError, IncorrectError."""
        await self.project(scope, project_no)
        title = written(new.title, 200)
        if not title:
            raise IncorrectError("请写节点名称", "write what the milestone is", where="title")
        await self._ground.must_be_open("project", [project_no])
        await self._ground.allow(scope, "plan.edit", "milestone", f"project {project_no}")
        values = (title, new.due, new.done_on, written(new.note, 500), self._ground.now(), account(scope), scope.display_name)
        async with self._ground.database.transaction() as connection:
            if milestone_no is None:
                number: int = await connection.fetchval(
                    """insert into plan_milestone (project_no, title, due, done_on, note, changed_at, changed_by, changed_name)
                       values ($1, $2, $3, $4, $5, $6, $7, $8) returning milestone_no""",
                    *(project_no, *values),
                )
                return number
            done = await connection.execute(
                """update plan_milestone set title = $3, due = $4, done_on = $5, note = $6, changed_at = $7, changed_by = $8, changed_name = $9
                   where project_no = $1 and milestone_no = $2 and removed_at is null""",
                *(project_no, milestone_no, *values),
            )
        if done.endswith(" 0"):
            raise NotFoundError("没有这个节点", "there is no such milestone")
        return milestone_no

    async def remove_milestone(self, scope: Scope, project_no: int, milestone_no: int) -> None:
        """Take a milestone off the project.  Raises: ForbiddenError."""
        await self._ground.must_be_open("project", [project_no])
        await self._ground.allow(scope, "plan.edit", "milestone", f"project {project_no} removed {milestone_no}")
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                "update plan_milestone set removed_at = $3 where project_no = $1 and milestone_no = $2",
                project_no,
                milestone_no,
                self._ground.now(),
            )

    async def findings(self, scope: Scope, plan_no: int) -> list[dict[str, Any]]:
        """Return the findings of a plan, those still open first."""
        return await self._rows(
            scope, "select * from plan_finding where plan_no = $1 and gone_at is null order by state <> 'open', place", plan_no
        )

    async def finding(self, scope: Scope, finding_no: int) -> dict[str, Any]:
        """Return one finding.  Raises: ForbiddenError, NotFoundError."""
        found = await self._rows(scope, "select * from plan_finding where finding_no = $1 and gone_at is null", finding_no)
        if not found:
            raise NotFoundError("没有这条核对结果", "there is no such finding")
        return found[0]

    async def decide(self, scope: Scope, finding_no: int, state: str, note: str) -> int:
        """Say what was decided about a finding; return its plan.  Raises: ForbiddenError, NotFoundError, IncorrectError."""
        if state not in FINDING_STATES:
            raise IncorrectError("请选择处理结果", "choose what was decided", where="state")
        if state != "open" and not written(note, 500):
            raise IncorrectError("请写明理由", "say why", where="note")
        await self._ground.must_be_open("finding", [finding_no])
        await self._ground.allow(scope, "plan.edit", "finding", f"finding {finding_no} {state}")
        async with self._ground.database.transaction() as connection:
            plan_no: int | None = await connection.fetchval(
                """update plan_finding set state = $2, note = $3, decided_at = $4, decided_by = $5, decided_name = $6
                   where finding_no = $1 and gone_at is null returning plan_no""",
                *(finding_no, state, written(note, 500), self._ground.now(), account(scope), scope.display_name),
            )
        if plan_no is None:
            raise NotFoundError("没有这条核对结果", "there is no such finding")
        return plan_no

    async def _rows(self, scope: Scope, query: str, number: int) -> list[dict[str, Any]]:
        if not scope.is_house:
            scope.require("plan.read")
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(query, number)
        return [{**self._ground.told(row), "data": orjson.loads(row["data"])} for row in rows]
