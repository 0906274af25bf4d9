"""What every part of the plans' door stands on: the database, the clock, and an audit entry for every change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from xinglin.base.clock import Clock
from xinglin.base.database import Database
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

    async def allow(self, scope: Scope, right: str, action: str, detail: str) -> None:
        """Return once the scope's right is checked and the change stands in the audit log.

        detail: numbers and names of fields only.  Raises: ForbiddenError; UnavailableError when the log cannot be written.
        """
        if not scope.is_house:
            scope.require(right)
        await self.audit.record(AuditEntry(scope, action, "plan", detail=detail))


def account(scope: Scope) -> int | None:
    """Return the account that acts, None for the house."""
    return None if scope.is_house else scope.account_no
