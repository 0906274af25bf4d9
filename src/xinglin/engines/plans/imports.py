"""Sheets sent for a plan: kept with what they would change, taken once, taken back once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from xinglin.base.errors import ConflictError, NotFoundError
from xinglin.engines.plans.ground import PlanGround, account, kept_json, written
from xinglin.engines.security import Scope

SHOWN, TAKEN, UNDONE = "shown", "taken", "undone"
_NEXT: Final = {TAKEN: SHOWN, UNDONE: TAKEN}


@dataclass(frozen=True, slots=True)
class NewImport:
    """What a sheet would do. kind: which sheet.  changes: {line, key, label, before, after} each.  refused: {line, zh, en} each."""

    plan_no: int
    kind: str
    filename: str
    changes: Sequence[Mapping[str, Any]]
    refused: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Import:
    """A kept sheet. state: shown (nothing changed yet), taken, undone."""

    import_no: int
    plan_no: int
    kind: str
    filename: str
    changes: Sequence[dict[str, Any]]
    refused: Sequence[dict[str, Any]]
    state: str
    made_at: datetime
    made_name: str


def waits(change: Mapping[str, Any], state: str) -> bool:
    """Return whether a change of a sheet still waits for a step, `taken` or `undone`, because nobody noted what became of it.

    >>> waits({}, "taken"), waits({"outcome": {"done": True}}, "taken"), waits({"outcome": {"done": True}}, "undone")
    (True, False, True)
    """
    outcome = change.get("outcome")
    return outcome is None or (state == UNDONE and outcome["done"] and "undone" not in outcome)


class Imports:
    """The door to table `plan_import`."""

    def __init__(self, ground: PlanGround) -> None:
        self._ground = ground

    async def keep(self, scope: Scope, new: NewImport) -> int:
        """Keep what a sheet would change and return its number; nothing of the plan changes by this.  Raises: ForbiddenError without `plan.edit`."""
        await self._ground.allow(scope, "plan.edit", "sheet", f"plan {new.plan_no} {new.kind} rows {len(new.changes)}")
        async with self._ground.database.transaction() as connection:
            number: int = await connection.fetchval(
                """insert into plan_import (plan_no, kind, filename, changes, refused, made_at, made_by, made_name)
                   values ($1, $2, $3, $4::jsonb, $5::jsonb, $6, $7, $8) returning import_no""",
                *(new.plan_no, written(new.kind, 40), written(new.filename, 200), _list(new.changes), _list(new.refused)),
                *(self._ground.now(), account(scope), scope.display_name),
            )
        return number

    async def get(self, scope: Scope, import_no: int) -> Import:
        """Return a kept sheet.  Raises: ForbiddenError without `plan.edit`; NotFoundError."""
        if not scope.is_house:
            scope.require("plan.edit")
        query = (
            "select import_no, plan_no, kind, filename, changes, refused, state, made_at, made_name from plan_import where import_no = $1"
        )
        async with self._ground.database.connection() as connection:
            row = await connection.fetchrow(query, import_no)
        if row is None:
            raise NotFoundError("没有这次导入", "there is no such import")
        return Import(**{**self._ground.told(row), "changes": orjson.loads(row["changes"]), "refused": orjson.loads(row["refused"])})

    @asynccontextmanager
    async def step(self, scope: Scope, import_no: int, state: str) -> AsyncIterator[Import]:
        """Hold a step of a sheet, `taken` or `undone`, for one caller alone while the block runs, and yield the sheet as it stood before.

        A step that was cut off can be gone on with: then the sheet comes with that state, and `waits` tells what is left to do.
        Raises: ConflictError where the step was done already, or somebody is at it; ForbiddenError, NotFoundError.
        """
        async with self._ground.database.transaction() as guard:
            # Let go of with the transaction, so also by a process that dies; the lock writes nothing.
            if not await guard.fetchval("select pg_try_advisory_xact_lock(hashtextextended('plan_import', $1))", import_no):
                raise ConflictError("正在处理这次导入，请稍后刷新页面", "this import is being dealt with: reload the page in a moment")
            found = await self.get(scope, import_no)
            is_cut_off = found.state == state and any(waits(one, state) for one in found.changes)
            if found.state != _NEXT[state] and not is_cut_off:
                raise ConflictError("这次导入已经处理过，请刷新页面", "this import was dealt with already: reload the page")
            await self._ground.allow(scope, "plan.edit", f"sheet-{state}", f"import {import_no}")
            async with self._ground.database.transaction() as connection:
                await connection.execute(
                    "update plan_import set state = $2, changed_at = $3 where import_no = $1", import_no, state, self._ground.now()
                )
            yield found

    async def note(self, scope: Scope, import_no: int, changes: Sequence[Mapping[str, Any]]) -> None:
        """Write down what became of each change of a sheet.  Raises: ForbiddenError."""
        if not scope.is_house:
            scope.require("plan.edit")
        async with self._ground.database.transaction() as connection:
            await connection.execute("update plan_import set changes = $2::jsonb where import_no = $1", import_no, _list(changes))


def _list(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"[{','.join(kept_json(row) for row in rows)}]"
