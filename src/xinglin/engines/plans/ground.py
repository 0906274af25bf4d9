"""What every part of the plans' door stands on: the database, the clock, and an audit entry for every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError
from xinglin.engines.security import AuditEntry, AuditSink, Scope


@dataclass(frozen=True, slots=True)
class PlanGround:
    """Database, audit and clock."""

    database: Database
    audit: AuditSink
    clock: Clock

    def now(self) -> datetime:
        """Return the instant a change is written with."""
        return self.clock.now()

    def told(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row of the database with its instants in the district's zone, as people read them."""
        return {name: value.astimezone(self.clock.zone) if isinstance(value, datetime) else value for name, value in row.items()}

    async def must_be_open(self, kind: str, numbers: Sequence[int]) -> None:
        """Raise ConflictError where rows (indicator, task, project, finding) belong to a version that is superseded or withdrawn."""
        async with self.database.connection() as connection:
            is_closed: bool = await connection.fetchval(_CLOSED[kind], list(numbers))
        if is_closed:
            raise ConflictError("这一版规划已被取代或撤回，不能再改", "this version is superseded or withdrawn and cannot be changed")

    async def allow(self, scope: Scope, right: str, action: str, detail: str) -> None:
        """Return once the scope's right is checked and the change stands in the audit log.

        detail: numbers and names of fields only.  Raises: ForbiddenError; UnavailableError when the log cannot be written.
        """
        if not scope.is_house:
            scope.require(right)
        await self.audit.record(AuditEntry(scope, action, "plan", detail=detail))


_CLOSED: Final[Mapping[str, str]] = {
    name: f"select exists (select 1 from plan_{name} x join plan p on p.plan_no = x.plan_no where x.{name}_no = any($1) and p.status in ('superseded', 'withdrawn'))"
    for name in ("indicator", "task", "project", "finding")
}


def account(scope: Scope) -> int | None:
    """Return the account that acts, None for the house."""
    return None if scope.is_house else scope.account_no


def written(text: str, most: int) -> str:
    """Return a typed text as it is kept: without blanks around it and NUL signs, which the database cannot hold, at most so long."""
    return text.replace("\x00", "").strip()[:most]


def kept_json(data: Mapping[str, Any]) -> str:
    """Return plain data as JSON text; NUL signs of a document are left out, because the database cannot hold them."""
    return orjson.dumps(_without_nul(dict(data))).decode()


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(inner) for key, inner in value.items()}
    return [_without_nul(one) for one in value] if isinstance(value, list | tuple) else value
