"""The numbers the district adds to a plan's indicators: bindings, paths, values from elsewhere, owners."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError
from xinglin.engines.plans.ground import PlanGround, account, written
from xinglin.engines.plans.model import NewValue, PlanIndicator, PlanValue
from xinglin.engines.security import Scope

_MOST: Final = 1e12
_ALL: Final = """
select i.indicator_no, i.plan_no, i.fingerprint, i.place, i.data, coalesce(i.owner, '') as owner, coalesce(b.measure, '') as measure,
coalesce(b.confirmed_name, '') as confirmed_name, b.confirmed_at, coalesce(i.reason, '') as reason, coalesce(i.reason_name, '') as reason_name, i.reasoned_at
from plan_indicator i left join plan_binding b on b.indicator_no = i.indicator_no and b.ended_at is null
where i.removed_at is null and {condition} order by i.place"""
_VALUES: Final = """
select value_no, indicator_no, year, month, value, source, state, entered_at, entered_name, decided_at, decided_name
from plan_value where indicator_no = any($1) and ended_at is null order by year, month, state <> 'approved'"""

_HELD: Final = """
select value_no, value, source, state from plan_value
where indicator_no = $1 and year = $2 and month = $3 and ended_at is null order by state = 'approved' for update"""
_ENTER: Final = """
insert into plan_value (indicator_no, year, month, value, source, entered_at, entered_by, entered_name)
values ($1, $2, $3, $4, $5, $6, $7, $8) returning value_no"""
_REPLACE: Final = """
update plan_value a set ended_at = $2, ended_for = w.value_no from plan_value w where w.value_no = any($1) and w.ended_at is null and w.state = 'entered'
and (a.indicator_no, a.year, a.month) = (w.indicator_no, w.year, w.month) and a.ended_at is null and a.state = 'approved'"""
_BESIDE: Final = """
from plan_value a where a.value_no = any($1) and a.ended_at is null and a.state = 'approved'
and (a.indicator_no, a.year, a.month) = (w.indicator_no, w.year, w.month) and w.ended_at is null"""


class Figures:
    """The door to indicators and their numbers."""

    def __init__(self, ground: PlanGround) -> None:
        self._ground = ground

    async def indicators(self, scope: Scope, plan_no: int) -> list[PlanIndicator]:
        """Return the indicators of a plan in the document's order.  Raises: ForbiddenError without `plan.read`."""
        return await self._read(scope, "i.plan_no = $1", plan_no)

    async def indicator(self, scope: Scope, indicator_no: int) -> PlanIndicator:
        """Return one indicator.  Raises: ForbiddenError, NotFoundError."""
        found = await self._read(scope, "i.indicator_no = $1", indicator_no)
        if not found:
            raise NotFoundError("没有这条指标", "there is no such indicator")
        return found[0]

    async def _read(self, scope: Scope, condition: str, number: int) -> list[PlanIndicator]:
        if not scope.is_house:
            scope.require("plan.read")
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(_ALL.format(condition=condition), number)
            numbers = [row["indicator_no"] for row in rows]
            paths = await connection.fetch(
                "select indicator_no, year, value from plan_target where indicator_no = any($1) and ended_at is null", numbers
            )
            values = await connection.fetch(_VALUES, numbers)
        told = [self._ground.told(value) for value in values]
        return [_indicator(self._ground.told(row), paths, told) for row in rows]

    async def bind(self, scope: Scope, indicator_no: int, measure: str) -> None:
        """Bind an indicator to a measure that a person confirmed; "" ends the binding.  Raises: ForbiddenError, NotFoundError."""
        measure, one = written(measure, 100), await self.indicator(scope, indicator_no)
        await self._ground.must_be_open("indicator", [indicator_no])
        await self._ground.allow(scope, "plan.edit", "bind", f"indicator {indicator_no} measure {measure}")
        if one.measure == measure:
            return
        now = self._ground.now()
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                "update plan_binding set ended_at = $2, ended_name = $3 where indicator_no = $1 and ended_at is null",
                *(indicator_no, now, scope.display_name),
            )
            if measure:
                await connection.execute(
                    "insert into plan_binding (indicator_no, measure, confirmed_at, confirmed_by, confirmed_name) values ($1, $2, $3, $4, $5)",
                    *(indicator_no, measure, now, account(scope), scope.display_name),
                )

    async def set_path(self, scope: Scope, indicator_no: int, path: Mapping[int, float | None]) -> None:
        """Set the values of years; None takes a year's value back to the straight line.  Raises: ForbiddenError, NotFoundError, IncorrectError."""
        held = (await self.indicator(scope, indicator_no)).path
        for year, value in path.items():
            _check_number(year, value)
        changed = {year: value for year, value in path.items() if held.get(year) != value}
        if not changed:
            return
        await self._ground.must_be_open("indicator", [indicator_no])
        await self._ground.allow(scope, "plan.edit", "set-path", f"indicator {indicator_no} years {' '.join(map(str, sorted(changed)))}")
        now = self._ground.now()
        async with self._ground.database.transaction() as connection:
            for year, value in changed.items():
                await connection.execute(
                    "update plan_target set ended_at = $3 where indicator_no = $1 and year = $2 and ended_at is null",
                    indicator_no,
                    year,
                    now,
                )
                if value is not None:
                    await connection.execute(
                        "insert into plan_target (indicator_no, year, value, set_at, set_by, set_name) values ($1, $2, $3, $4, $5, $6)",
                        *(indicator_no, year, value, now, account(scope), scope.display_name),
                    )

    async def set_owner(self, scope: Scope, indicator_no: int, owner: str) -> None:
        """Name who answers for an indicator; "" goes back to what is printed.  Raises: ForbiddenError, NotFoundError."""
        await self.indicator(scope, indicator_no)
        await self._ground.must_be_open("indicator", [indicator_no])
        await self._ground.allow(scope, "plan.edit", "set-owner", f"indicator {indicator_no}")
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                "update plan_indicator set owner = $2 where indicator_no = $1", indicator_no, written(owner, 200) or None
            )

    async def set_reason(self, scope: Scope, indicator_no: int, reason: str) -> None:
        """Write why an indicator falls short and what is done; "" takes it back.  Raises: ForbiddenError, NotFoundError."""
        await self.indicator(scope, indicator_no)
        await self._ground.must_be_open("indicator", [indicator_no])
        await self._ground.allow(scope, "plan.edit", "set-reason", f"indicator {indicator_no}")
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                "update plan_indicator set reason = $2, reason_name = $3, reasoned_at = $4 where indicator_no = $1",
                *(indicator_no, written(reason, 2000) or None, scope.display_name, self._ground.now()),
            )

    async def enter(self, scope: Scope, values: Sequence[NewValue]) -> int:
        """Enter values; equal ones change nothing, others wait for approval. Return how many changed.

        What waited or was refused for the period gives way at once; an approved value stands until the new one is approved itself.
        Raises: ForbiddenError without `plan.edit`; IncorrectError for a value without a source or outside any range.
        """
        for one in values:
            _check_value(one)
        await self._ground.must_be_open("indicator", [one.indicator_no for one in values])
        await self._ground.allow(scope, "plan.edit", "enter", f"values {len(values)}")
        async with self._ground.database.transaction() as connection:
            return sum([await self._enter(connection, scope, one) for one in values])

    async def _enter(self, connection: asyncpg.Connection[Any], scope: Scope, one: NewValue) -> bool:
        key, source, now = (one.indicator_no, one.year, one.month), written(one.source, 200), self._ground.now()
        held = await connection.fetch(_HELD, *key)
        newest = next((row for row in held if row["state"] != "refused"), None)
        if newest is not None and (newest["value"], newest["source"]) == (one.value, source):
            return False
        gone = [row["value_no"] for row in held if row["state"] != "approved"]
        await connection.execute("update plan_value set ended_at = $2 where value_no = any($1)", gone, now)
        number = await connection.fetchval(_ENTER, *key, one.value, source, now, account(scope), scope.display_name)
        await connection.execute("update plan_value set ended_for = $2 where value_no = any($1)", gone, number)
        return True

    async def take_back(self, scope: Scope, indicator_no: int, period: tuple[int, int]) -> None:
        """Take back the newest value of a period (year, month): what it replaced holds again, approved if it was; else there is none.

        Raises: ForbiddenError without `plan.edit`, and without `plan.approve` for a value that is approved; NotFoundError where no value holds.
        """
        await self._ground.must_be_open("indicator", [indicator_no])
        if not scope.is_house:
            scope.require("plan.edit")
        async with self._ground.database.transaction() as connection:
            held = await connection.fetch(_HELD, indicator_no, *period)
            row = next((one for one in held if one["state"] != "refused"), None)
            if row is None:
                raise NotFoundError("没有这个时间的数值", "there is no value of that time")
            if row["state"] == "approved" and not (scope.is_house or scope.allows("plan.approve")):
                raise ForbiddenError(
                    "这个数值已经批准：请有审批规划权限的人撤回",
                    "this value is approved: ask somebody with the right to approve to take it back",
                )
            await self._ground.allow(scope, "plan.edit", "take-back", f"indicator {indicator_no} {period[0]} {period[1]}")
            # What was refused over an approved value goes with it: it was said of a value that holds no longer.
            gone = [one["value_no"] for one in held if one is row or row["state"] == "approved"]
            await connection.execute("update plan_value set ended_at = $2 where value_no = any($1)", gone, self._ground.now())
            await connection.execute("update plan_value set ended_at = null, ended_for = null where ended_for = $1", row["value_no"])

    async def decide(self, scope: Scope, value_nos: Sequence[int], state: str) -> int:
        """Approve or refuse values that wait, or (`entered`) take either back so that they wait again; return how many.

        Approving ends the approved value of the same period; taking the approval back lets that one hold again.
        Raises: ForbiddenError without `plan.approve`; IncorrectError; ConflictError where a newer value waits beside an approved one.
        """
        if state not in ("approved", "refused", "entered"):
            raise IncorrectError("请选择批准、退回或撤销", "choose to approve, to refuse or to undo", where="state")
        await self._ground.allow(scope, "plan.approve", "undo" if state == "entered" else state, f"values {len(value_nos)}")
        now, chosen = self._ground.now(), list(value_nos)
        async with self._ground.database.transaction() as connection:
            if state == "approved":
                await connection.execute(_REPLACE, chosen, now)
            if state == "entered":
                await _make_room(connection, chosen, now)
            done = await connection.fetch(
                """update plan_value set state = $2, decided_at = $3, decided_by = $4, decided_name = $5
                   where value_no = any($1) and (state = 'entered') <> ($2 = 'entered') and ended_at is null returning value_no""",
                *(chosen, state, now, account(scope), scope.display_name),
            )
            if state == "entered":
                await connection.execute(
                    "update plan_value set ended_at = null, ended_for = null where ended_for = any($1) and state = 'approved'",
                    [row["value_no"] for row in done],
                )
        return len(done)


async def _make_room(connection: asyncpg.Connection[Any], chosen: list[int], now: datetime) -> None:
    """End what was refused beside approved values that are to wait again.  Raises: ConflictError where something waits beside one."""
    if await connection.fetchval(
        f"select exists (select 1 from plan_value w where w.state = 'entered' and exists (select 1 {_BESIDE}))", chosen
    ):
        raise ConflictError(
            "这个时间另有数值待批准：请先批准或退回它", "another value of that time waits for approval: approve or refuse it first"
        )
    await connection.execute(f"update plan_value w set ended_at = $2 {_BESIDE} and w.state = 'refused'", chosen, now)


def _indicator(row: Any, paths: Sequence[Any], values: Sequence[Any]) -> PlanIndicator:
    number = row["indicator_no"]
    return PlanIndicator(
        **{**row, "data": orjson.loads(row["data"])},
        path={one["year"]: one["value"] for one in paths if one["indicator_no"] == number},
        values=tuple(PlanValue(**one) for one in values if one["indicator_no"] == number),
    )


def _check_number(year: int, value: float | None) -> None:
    if not 1990 <= year <= 2100:
        raise IncorrectError("年份写成 2026", "write a year as 2026", where="year")
    if value is not None and not (math.isfinite(value) and abs(value) <= _MOST):
        raise IncorrectError("数值写成数字，如 74.5", "write a value as a number such as 74.5", where="value")


def _check_value(one: NewValue) -> None:
    _check_number(one.year, one.value)
    if not 0 <= one.month <= 12:
        raise IncorrectError("月份写 1 到 12，全年留空", "write a month from 1 to 12, leave it empty for the year", where="month")
    if not written(one.source, 200):
        raise IncorrectError("请写明数据来源", "name where the value comes from", where="source")
