"""A platform whose security is a double with one account per role, for tests of the page frame alone."""

from __future__ import annotations

import re
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
    roles: tuple[str, ...]
    must_change_password: bool = False


def scope_of_role(role: str, areas: tuple[tuple[int, int], ...] = TOWN) -> Scope:
    """Return the scope of a role in a town."""
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
            rights=known.rights,
        )
    )


class OneAccountPerRole:
    """Security as the frame sees it: sign-in, session, password, roles."""

    def __init__(self) -> None:
        self.roles = load_roles()
        self.sessions: dict[str, OpenSession] = {}
        self.first_password: set[str] = set()

    async def sign_in(self, login: str, password: str, address: str) -> OpenSession:
        if login not in self.roles.roles or password != PASSWORD:
            raise ForbiddenError("账号或密码不对：请重新输入", "the account or the password is wrong: type them again")
        session = OpenSession(f"token-{len(self.sessions)}", scope_of_role(login), (login,), login in self.first_password)
        self.sessions[session.token] = session
        return session

    async def session_of(self, token: str) -> OpenSession:
        if token not in self.sessions:
            raise ForbiddenError("请重新登录", "sign in again")
        return self.sessions[token]

    async def sign_out(self, token: str) -> None:
        self.sessions.pop(token, None)

    async def demo_accounts(self) -> list[Any]:
        return []


@dataclass
class AuditTape:
    entries: list[AuditEntry] = field(default_factory=list)

    async def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


def frame_platform(*, demo: bool = True) -> Any:
    """Return a platform on which sign-in, frame and lists work."""
    settings = Settings(data_dir=Path("unused"), demo=demo)
    return SimpleNamespace(settings=settings, clock=CLOCK, security=OneAccountPerRole(), audit=AuditTape())


def form_token(page: str) -> str:
    """Return the form token of a rendered page."""
    found = re.search(r'name="form-token" content="([0-9a-f]{64})"', page)
    assert found, "the page has no form token"
    return found[1]
