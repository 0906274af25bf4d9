"""Plans themselves: made from a reading, kept in step with its corrections, approved, superseded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final

from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError
from xinglin.engines.plans.ground import PlanGround, account, kept_json, written
from xinglin.engines.plans.model import LEVELS, NewPlan, Plan, PlanRows, Row
from xinglin.engines.security import Scope

_COLUMNS: Final = ", ".join(one.name for one in fields(Plan))
_YEARS: Final = range(1990, 2101)
_TABLES: Final[Mapping[str, tuple[str, str]]] = {
    "indicators": ("plan_indicator", "fingerprint"),
    "tasks": ("plan_task", "key"),
    "projects": ("plan_project", "key"),
}
_CARRIED: Final = (
    """insert into plan_target (indicator_no, year, value, set_at, set_by, set_name)
       select $2, year, value, set_at, set_by, set_name from plan_target where indicator_no = $1 and ended_at is null on conflict do nothing""",
    """insert into plan_binding (indicator_no, measure, confirmed_at, confirmed_by, confirmed_name)
       select $2, measure, confirmed_at, confirmed_by, confirmed_name from plan_binding where indicator_no = $1 and ended_at is null on conflict do nothing""",
    """insert into plan_value (indicator_no, year, month, value, source, state, entered_at, entered_by, entered_name, decided_at, decided_by, decided_name)
       select $2, year, month, value, source, state, entered_at, entered_by, entered_name, decided_at, decided_by, decided_name
       from plan_value where indicator_no = $1 and ended_at is null on conflict do nothing""",
    "update plan_indicator set owner = (select owner from plan_indicator where indicator_no = $1) where indicator_no = $2 and owner is null",
    """update plan_indicator n set reason = o.reason, reason_name = o.reason_name, reasoned_at = o.reasoned_at
       from plan_indicator o where o.indicator_no = $1 and n.indicator_no = $2 and n.reasoned_at is null""",
)


class Books:
    """The door to table `plan` and the rows a reading fills."""

    def __init__(self, ground: PlanGround) -> None:
        self._ground = ground

    async def plans(self, scope: Scope) -> list[Plan]:
        """Return all plans, the district's own first, newest first.  Raises: ForbiddenError without `plan.read`."""
        _may_read(scope)
        query = f"select {_COLUMNS} from plan order by array_position(array['own', 'city', 'compared'], level), status in ('superseded', 'withdrawn'), end_year desc nulls last, plan_no desc"
        async with self._ground.database.connection() as connection:
            return [Plan(**self._ground.told(row)) for row in await connection.fetch(query)]

    async def plan(self, scope: Scope, plan_no: int) -> Plan:
        """Return a plan.  Raises: ForbiddenError, NotFoundError."""
        _may_read(scope)
        async with self._ground.database.connection() as connection:
            row = await connection.fetchrow(f"select {_COLUMNS} from plan where plan_no = $1", plan_no)
        if row is None:
            raise NotFoundError("没有这份规划", "there is no such plan")
        return Plan(**self._ground.told(row))

    async def make(self, scope: Scope, new: NewPlan, rows: PlanRows) -> Plan:
        """Make a draft from a reading; the same part of the same document stays the plan it is.  Raises: ForbiddenError, IncorrectError."""
        new = _checked(new)
        await self._ground.allow(scope, "plan.edit", "make", f"document {new.document_no} part {new.part}")
        async with self._ground.database.transaction() as connection:
            await connection.execute("lock table plan in share row exclusive mode")
            number = await connection.fetchval(
                "select plan_no from plan where document_no = $1 and part = $2 and status in ('draft', 'approved')",
                new.document_no,
                new.part,
            )
            if number is None:
                version = await connection.fetchval("select version + 1 from plan where plan_no = $1", new.replaces)
                number = await connection.fetchval(
                    """insert into plan (document_no, part, title, area_name, level, start_year, end_year, version, replaces, read_at, created_by, created_name)
                       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning plan_no""",
                    *(
                        new.document_no,
                        new.part,
                        new.title,
                        new.area_name,
                        new.level,
                        new.start_year,
                        new.end_year,
                        version or 1,
                        new.replaces,
                    ),
                    *(self._ground.now(), account(scope), scope.display_name),
                )
            await self._put_rows(connection, number, rows)
        return await self.plan(scope, number)

    async def describe(self, scope: Scope, plan_no: int, new: NewPlan) -> None:
        """Change title, place, level and period of a plan.

        Raises: ForbiddenError, NotFoundError, IncorrectError; ConflictError for a version that is superseded or withdrawn.
        """
        plan = await self.plan(scope, plan_no)
        _must_be_open(plan)
        new = _checked(new)
        await self._ground.allow(scope, "plan.edit", "describe", f"plan {plan.plan_no}")
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                "update plan set title = $2, area_name = $3, level = $4, start_year = $5, end_year = $6 where plan_no = $1",
                *(plan_no, new.title, new.area_name, new.level, new.start_year, new.end_year),
            )

    async def fill(self, scope: Scope, plan_no: int, rows: PlanRows) -> None:
        """Bring a plan's rows in step with a reading: what is new comes, what is gone is marked, what stays keeps all that hangs on it."""
        plan = await self.plan(scope, plan_no)
        _must_be_open(plan)
        await self._ground.allow(scope, "plan.edit", "fill", f"plan {plan_no}")
        async with self._ground.database.transaction() as connection:
            await self._put_rows(connection, plan_no, rows)

    async def carry(self, scope: Scope, plans: tuple[int, int], same: Mapping[str, str]) -> int:
        """Copy path, binding, values and owner of a version's rows to the next version's. same: fingerprint before → now. Return how many rows."""
        before, now = plans
        await self._ground.allow(scope, "plan.edit", "carry", f"plan {before} to {now}")
        async with self._ground.database.transaction() as connection:
            old, new = [await _numbers(connection, number) for number in (before, now)]
            pairs = [(old[one], new[other]) for one, other in same.items() if one in old and other in new]
            for statement in _CARRIED:
                await connection.executemany(statement, pairs)
            await connection.execute(
                """update plan_task n set unit = o.unit, state = o.state, due = o.due, remind_on = o.remind_on, evidence = o.evidence, changed_at = o.changed_at,
                   changed_name = o.changed_name from plan_task o where o.plan_no = $1 and n.plan_no = $2 and o.key = n.key and n.changed_at is null""",
                *(before, now),
            )
        return len(pairs)

    async def approve(self, scope: Scope, plan_no: int) -> None:
        """Approve a draft; the version it replaces is superseded.  Raises: ForbiddenError without `plan.approve`; ConflictError."""
        plan = await self.plan(scope, plan_no)
        if plan.status != "draft":
            raise ConflictError("只有草稿可以批准", "only a draft can be approved")
        await self._ground.allow(scope, "plan.approve", "approve", f"plan {plan_no}")
        async with self._ground.database.transaction() as connection:
            is_done = await connection.fetchval(
                "update plan set status = 'approved', approved_at = $2, approved_by = $3, approved_name = $4"
                " where plan_no = $1 and status = 'draft' returning true",
                *(plan_no, self._ground.now(), account(scope), scope.display_name),
            )
            if not is_done:
                raise _decided()
            await connection.execute("update plan set status = 'superseded' where plan_no = $1", plan.replaces)

    async def withdraw(self, scope: Scope, plan_no: int) -> None:
        """Put a draft aside; it and its document stay kept.  Raises: ForbiddenError, ConflictError."""
        plan = await self.plan(scope, plan_no)
        if plan.status != "draft":
            raise ConflictError("只有草稿可以撤回", "only a draft can be withdrawn")
        await self._ground.allow(scope, "plan.edit", "withdraw", f"plan {plan_no}")
        async with self._ground.database.transaction() as connection:
            query = "update plan set status = 'withdrawn' where plan_no = $1 and status = 'draft' returning true"
            if not await connection.fetchval(query, plan_no):
                raise _decided()

    async def undo(self, scope: Scope, plan_no: int) -> None:
        """Take back what was decided of a plan: a withdrawn one is a draft again, an approved one too, and the version it replaced holds again.

        Raises: ForbiddenError (`plan.edit`, for an approval `plan.approve`); ConflictError for a plan that was not decided, or whose place is taken.
        """
        plan = await self.plan(scope, plan_no)
        if plan.status not in ("withdrawn", "approved"):
            raise ConflictError("只有已撤回或已批准的规划可以恢复为草稿", "only a plan that is withdrawn or approved becomes a draft again")
        right = "plan.approve" if plan.status == "approved" else "plan.edit"
        await self._ground.allow(scope, right, "undo", f"plan {plan_no} {plan.status}")
        async with self._ground.database.transaction() as connection:
            await connection.execute("lock table plan in share row exclusive mode")
            taken = await connection.fetchval(
                """select exists (select 1 from plan where plan_no <> $1 and status in ('draft', 'approved')
                   and ((document_no = $2 and part = $3) or (replaces = $1 and status = 'approved')))""",
                *(plan_no, plan.document_no, plan.part),
            )
            if taken:
                raise ConflictError(
                    "同一份文件已有在用的规划，或后一版已批准：先处理那一份",
                    "another plan of this document is in use, or the next version is approved: deal with that first",
                )
            await connection.execute(
                "update plan set status = 'draft', approved_at = null, approved_by = null, approved_name = null where plan_no = $1", plan_no
            )
            if plan.status == "approved":
                await connection.execute("update plan set status = 'approved' where plan_no = $1 and status = 'superseded'", plan.replaces)

    async def _put_rows(self, connection: Any, plan_no: int, rows: PlanRows) -> None:
        for kind, (table, key) in _TABLES.items():
            found: Sequence[Row] = getattr(rows, kind)
            await connection.executemany(
                f"""insert into {table} (plan_no, {key}, place, data) values ($1, $2, $3, $4::jsonb) on conflict (plan_no, {key})
                    do update set place = excluded.place, data = excluded.data, removed_at = null""",
                [(plan_no, one.key, place, kept_json(one.data)) for place, one in enumerate(found)],
            )
            await connection.execute(
                f"update {table} set removed_at = $3 where plan_no = $1 and removed_at is null and not ({key} = any($2))",
                *(plan_no, [one.key for one in found], self._ground.now()),
            )
        await connection.executemany(
            """insert into plan_finding (plan_no, key, place, data) values ($1, $2, $3, $4::jsonb) on conflict (plan_no, key)
               do update set place = excluded.place, data = excluded.data, gone_at = null""",
            [(plan_no, one.key, place, kept_json(one.data)) for place, one in enumerate(rows.findings)],
        )
        await connection.execute(
            "update plan_finding set gone_at = $3 where plan_no = $1 and gone_at is null and not (key = any($2))",
            *(plan_no, [one.key for one in rows.findings], self._ground.now()),
        )


def _must_be_open(plan: Plan) -> None:
    if not plan.is_open:
        raise ConflictError("这一版规划已被取代或撤回，不能再改", "this version is superseded or withdrawn and cannot be changed")


def _decided() -> ConflictError:
    return ConflictError("这份规划刚由别人处理过，请刷新页面", "somebody decided on this plan just now: reload the page")


async def _numbers(connection: Any, plan_no: int) -> dict[str, int]:
    rows = await connection.fetch("select fingerprint, indicator_no from plan_indicator where plan_no = $1", plan_no)
    return {row["fingerprint"]: row["indicator_no"] for row in rows}


def _checked(new: NewPlan) -> NewPlan:
    title = written(" ".join(new.title.split()), 200)
    if not title:
        raise IncorrectError("请写规划名称", "write the plan's title", where="title")
    if new.level not in LEVELS:
        raise IncorrectError("请选择规划类别", "choose what plan it is", where="level")
    for name, year in (("start_year", new.start_year), ("end_year", new.end_year)):
        if year is not None and year not in _YEARS:
            raise IncorrectError("年份写成 2026", "write a year as 2026", where=name)
    if new.start_year is not None and new.end_year is not None and new.start_year > new.end_year:
        raise IncorrectError("起始年不能晚于结束年", "the first year cannot be after the last", where="start_year")
    return replace(new, title=title, area_name=written(new.area_name, 60))


def _may_read(scope: Scope) -> None:
    if not scope.is_house:
        scope.require("plan.read")
