"""What every part of the plans' door stands on: the database, the clock, and an audit entry for every change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

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
