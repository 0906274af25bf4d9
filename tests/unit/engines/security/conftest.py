"""A database, a clock that is set by hand, and the parts of security on top of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

import pytest

from xinglin.base.database import Database
from xinglin.engines.security import (
    ActingFor,
    Audit,
    AuditOptions,
    AuditPlace,
    HashCost,
    InstallationSecrets,
    NewAccount,
    NewMembership,
    Scope,
    Scopes,
    Security,
    SecurityGround,
    load_roles,
)
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
            " audit_process restart identity cascade"
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


class Places:
    """The areas of a county of two towns; geo's part in these tests."""

    KNOWN = (420999000000, 420999101000, 420999102000, 420999101201)

    def ranges(self, areas: Sequence[int]) -> tuple[tuple[int, int], ...]:
        span = {0: 10**6 - 1}
        return tuple((area, area + (span.get(area % 10**6, 999 if area % 1000 == 0 else 0))) for area in areas)

    async def unknown(self, areas: Sequence[int]) -> tuple[int, ...]:
        return tuple(area for area in areas if area not in self.KNOWN)


@pytest.fixture
def ground(database: Database, audit: Audit, clock: SetClock, secrets: InstallationSecrets) -> SecurityGround:
    """Everything security stands on, with cheap password hashes."""
    return SecurityGround(database, audit, clock, secrets, suite_named("international"), Places(), cost=HashCost(1, 8, 1))


@pytest.fixture
def security(ground: SecurityGround) -> Security:
    return Security(ground)


@dataclass(frozen=True)
class Officers:
    """Scopes of the three officers, from accounts they set up with their one-time codes."""

    sysadmin: Scope
    secadmin: Scope
    auditor: Scope


OFFICER_PASSWORD = "Right-Horse-Battery-7"


@pytest.fixture
async def officers(security: Security) -> Officers:
    scopes = {}
    for setup_code in await security.setup.codes():
        await security.setup.redeem(setup_code.code, NewAccount(setup_code.role, setup_code.role), OFFICER_PASSWORD)
        session = await security.sign_in(setup_code.role, OFFICER_PASSWORD, "10.0.0.1")
        scopes[setup_code.role] = await security.scope_of(session.token)
    return Officers(**scopes)


@dataclass
class Person:
    """Somebody with an account."""

    account_no: int
    login: str
    password: str


class MakePerson(Protocol):
    """Makes a signed-up person with roles."""

    async def __call__(self, login: str, *memberships: NewMembership) -> Person: ...


TOWN_DOCTOR = NewMembership("responsible_doctor", 70, (420999101000,))
PASSWORD = "Correct-Horse-1"


@pytest.fixture
def make_person(security: Security, officers: Officers) -> MakePerson:
    async def make(login: str, *memberships: NewMembership) -> Person:
        first = await security.accounts.create(officers.sysadmin, NewAccount(login, "王医生"))
        for membership in memberships:
            await security.accounts.give_role(officers.secadmin, first.account_no, membership)
        session = await security.sign_in(login, first.password, "10.0.0.2")
        await security.change_password(session.token, first.password, PASSWORD)
        await security.sign_out(session.token)
        return Person(first.account_no, login, PASSWORD)

    return make
