"""A platform whose security is a double with one account per role, for tests of the page frame alone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from xinglin.base.clock import FixedClock
from xinglin.base.errors import ForbiddenError
from xinglin.base.settings import Settings
from xinglin.engines.security import AuditEntry, Scope, load_roles
from xinglin.engines.security.scope import Actor, make_scope

PASSWORD = "correct horse 7"
ZONE = ZoneInfo("Asia/Shanghai")
CLOCK = FixedClock(datetime(2026, 11, 21, 2, 30, tzinfo=UTC), ZONE)
TOWN = ((420999101000, 420999101999),)


@dataclass(frozen=True)
class OpenSession:
    token: str
    scope: Scope
    must_change_password: bool = False
    waits_for_code: bool = False


def scope_of_role(role: str, areas: tuple[tuple[int, int], ...] = TOWN, withheld: frozenset[str] = frozenset()) -> Scope:
    """Return the scope of a role in a town. withheld: rights of the role it does not get."""
    known = load_roles().role(role)
    return make_scope(
        Actor(
            account_no=7,
            login=role,
            display_name=known.zh,
            role=role,
            purpose=known.purpose,
            institution_rid=None,
            practitioner_rid=None,
            areas=areas,
            sees_unassigned=known.sees_unassigned,
            rights=known.rights - withheld,
        )
    )


class OneAccountPerRole:
    """Security as the frame sees it: sign-in, session, password, roles."""

    def __init__(self) -> None:
        self.roles = load_roles()
        self.sessions = self.setup = self
        self.first_password: set[str] = set()
        self.withheld: frozenset[str] = frozenset()
        self.open: dict[str, OpenSession] = {}

    async def sign_in(self, login: str, password: str, address: str) -> OpenSession:
        if login not in self.roles.roles or password != PASSWORD:
            raise ForbiddenError("账号或密码不对：请重新输入", "the account or the password is wrong: type them again")
        session = OpenSession(f"token-{len(self.open)}", scope_of_role(login, withheld=self.withheld), login in self.first_password)
        self.open[session.token] = session
        return session

    async def session_of(self, token: str) -> OpenSession:
        if token not in self.open:
            raise ForbiddenError("请重新登录", "sign in again")
        return self.open[token]

    async def scope_of(self, token: str) -> Scope:
        session = await self.session_of(token)
        if session.must_change_password:
            raise ForbiddenError("请先修改初始密码", "change the first password")
        return session.scope

    async def demo_accounts(self) -> tuple[Any, ...]:
        return ()

    async def memberships(self, token: str) -> tuple[Any, ...]:
        return ()

    async def sign_out(self, token: str) -> None:
        self.open.pop(token, None)


class NoRows:
    """A database in which nothing is under way."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[NoRows]:
        yield self

    async def fetch(self, query: str, *values: object) -> list[Any]:
        return []


class NoReminders:
    """Nothing waits for anybody."""

    async def unread(self, scope: Scope) -> int:
        return 0


class NamedPlaces:
    """Divisions as the frame sees them."""

    async def children(self, area: int | None) -> list[Any]:
        return [SimpleNamespace(name="示例县", area=420999000000)]

    async def names(self, areas: Any) -> dict[int, str]:
        return {420999101000: "青石镇"}


@dataclass
class AuditTape:
    entries: list[AuditEntry] = field(default_factory=list)

    async def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


def frame_platform(*, demo: bool = True) -> Any:
    """Return a platform on which sign-in, frame and lists work."""
    settings = Settings(data_dir=Path("unused"), demo=demo)
    return SimpleNamespace(
        settings=settings,
        clock=CLOCK,
        kept_day=None,
        security=OneAccountPerRole(),
        audit=AuditTape(),
        geo=NamedPlaces(),
        database=NoRows(),
        reminders=NoReminders(),
    )


def form_token(page: str) -> str:
    """Return the form token of a rendered page."""
    found = re.search(r'name="form-token" content="([0-9a-f]{64})"', page)
    assert found, "the page has no form token"
    return found[1]
