"""A database, a clock that is set by hand, and the parts of security on top of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest

from xinglin.base.database import Database
from xinglin.engines.security import ActingFor, Audit, AuditOptions, AuditPlace, InstallationSecrets, Scope, Scopes, load_roles
from xinglin.engines.security import suite as suite_named


@dataclass
class SetClock:
    """A clock a test sets and moves."""

    instant: datetime
    zone: ZoneInfo

    def now(self) -> datetime:
        return self.instant

    def today(self) -> date:
        return self.instant.astimezone(self.zone).date()

    def pass_(self, **duration: float) -> None:
        """Let time pass: pass_(minutes=3)."""
        self.instant += timedelta(**duration)


@pytest.fixture
def clock(zone: ZoneInfo) -> SetClock:
    return SetClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC), zone)


@pytest.fixture
def secrets(tmp_path: Path) -> InstallationSecrets:
    return InstallationSecrets.load(tmp_path / "secrets")


@pytest.fixture
def scopes(secrets: InstallationSecrets, clock: SetClock) -> Scopes:
    return Scopes(secrets, suite_named("international"), clock, load_roles())


@pytest.fixture
def house(scopes: Scopes) -> Scope:
    return scopes.system_scope()


@pytest.fixture
def doctor(scopes: Scopes, house: Scope) -> Scope:
    """A responsible doctor of town 420999101."""
    who = ActingFor("responsible_doctor", ((420999101000, 420999101999),), account_no=7, institution_rid=70, login="doctor")
    return scopes.acting_for(house, who)


@pytest.fixture
def auditor(scopes: Scopes, house: Scope) -> Scope:
    return scopes.acting_for(house, ActingFor("auditor", (), account_no=9))


@pytest.fixture
async def database(database_url: str, zone: ZoneInfo) -> AsyncIterator[Database]:
    """The module's database, emptied of accounts and of the audit log."""
    opened = await Database.open(database_url, zone=zone, size=8)
    async with opened.transaction() as connection:
        await connection.execute("alter table audit disable trigger user; alter table audit_anchor disable trigger user")
        await connection.execute(
            "truncate account, password_history, membership, session, sign_in_try, setup_code, audit, audit_head, audit_anchor,"
            " audit_process restart identity"
        )
        await connection.execute("alter table audit enable trigger user; alter table audit_anchor enable trigger user")
    yield opened
    await opened.close()


class Reopen(Protocol):
    """Opens the audit log once more, as another process would."""

    async def __call__(self, *, queue_length: int = 4096, suite: str = "international") -> Audit: ...


@pytest.fixture
def reopen(database: Database, secrets: InstallationSecrets, clock: SetClock, tmp_path: Path) -> Reopen:
    async def open_again(*, queue_length: int = 4096, suite: str = "international") -> Audit:
        options = AuditOptions(queue_length=queue_length, anchor_s=0)
        return await Audit.open(database, AuditPlace(secrets, suite_named(suite), 1, tmp_path / "anchors.txt", options), clock)

    return open_again


@pytest.fixture
async def audit(reopen: Reopen) -> AsyncIterator[Audit]:
    opened = await reopen()
    yield opened
    await opened.close()
