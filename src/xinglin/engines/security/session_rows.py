"""The open session behind a token, and the scope its office gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

import asyncpg

from xinglin.base.errors import ForbiddenError
from xinglin.engines.security.accounts import Membership
from xinglin.engines.security.ground import SecurityGround
from xinglin.engines.security.scope import Actor, Scope, make_scope

_SEEN_EVERY: Final = timedelta(minutes=1)
_FIND: Final = (
    "select s.*, a.login, a.display_name, a.practitioner_rid, a.must_change_password, a.password_hash, m.role, m.institution_rid, m.areas"
    " from session s join account a using (account_no) left join membership m on m.membership_no = s.membership_no and m.ended_at is null"
    " where s.token_hash = $1 and s.ended_at is null and a.disabled_at is null"
)


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser or program.

    token: what it shows at each request; only its keyed hash is stored.  membership: the office it acts in, None without any.
    must_change_password, waits_for_code: until that is done no scope is given.
    """

    token: str
    session_no: int
    account_no: int
    login: str
    display_name: str
    expires_at: datetime
    must_change_password: bool
    waits_for_code: bool
    membership: Membership | None


async def find_session(ground: SecurityGround, token: str, *, may_wait: bool = False) -> asyncpg.Record:
    """Return the open session behind a token and note that it was used; one that is past its time ends here.

    may_wait: also one that still owes its one-time code.  Raises: ForbiddenError (401).
    """
    now, rules = ground.clock.now(), ground.rules
    async with ground.database.connection() as connection:
        row = await open_session(ground, connection, token)
        if now >= row["expires_at"] or now - row["seen_at"] >= rules.idle:
            await connection.execute("update session set ended_at = $2 where session_no = $1", row["session_no"], now)
            _signed_out()
        if now - row["seen_at"] >= min(_SEEN_EVERY, rules.idle / 4):
            await connection.execute("update session set seen_at = $2 where session_no = $1", row["session_no"], now)
    if row["waits_for_code"] and not may_wait:
        raise ForbiddenError("请输入动态验证码", "enter the one-time code first", status=401)
    return row


async def open_session(ground: SecurityGround, connection: asyncpg.Connection[Any], token: str) -> asyncpg.Record:
    """Return the row of an open session as the caller's connection sees it, however old.  Raises: ForbiddenError (401)."""
    row = await connection.fetchrow(_FIND, ground.keyed("token", token))
    if row is None:
        _signed_out()
    return row


def scope_from(ground: SecurityGround, row: asyncpg.Record) -> Scope:
    """Return the scope of a session's office; that of nobody, without a right, where there is none."""
    role = ground.roles.roles.get(row["role"]) if row["role"] else None
    actor = Actor(
        account_no=row["account_no"],
        login=row["login"],
        display_name=row["display_name"],
        role="",
        purpose="",
        institution_rid=row["institution_rid"],
        practitioner_rid=row["practitioner_rid"],
        areas=(),
        sees_unassigned=False,
        rights=frozenset(),
    )
    if role is None:
        return make_scope(actor)
    areas = ground.areas.ranges(row["areas"])
    return make_scope(
        replace(actor, role=role.code, purpose=role.purpose, areas=areas, sees_unassigned=role.sees_unassigned, rights=role.rights)
    )


def session_from(token: str, row: asyncpg.Record) -> Session:
    """Return a row of `find_session` as a Session."""
    office = Membership(row["membership_no"], row["role"], row["institution_rid"], tuple(row["areas"])) if row["role"] else None
    return Session(
        token=token,
        session_no=row["session_no"],
        account_no=row["account_no"],
        login=row["login"],
        display_name=row["display_name"],
        expires_at=row["expires_at"],
        must_change_password=row["must_change_password"],
        waits_for_code=row["waits_for_code"],
        membership=office,
    )


def _signed_out() -> NoReturn:
    raise ForbiddenError("请先登录", "sign in first; the session is unknown or has ended", status=401)
