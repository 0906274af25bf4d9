"""Accounts and their offices: made by the system administrator, given rights by the security administrator."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.deed import Deed
from xinglin.engines.security.ground import SecurityGround, fold_login
from xinglin.engines.security.passwords import Hasher, make_password
from xinglin.engines.security.scope import Scope

_LOGIN: Final = re.compile(r"[\w][\w.@-]{1,63}")
PAGE_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Somebody who is to sign in. practitioner_rid: rid of the Practitioner this person is, where there is one."""

    login: str
    display_name: str
    practitioner_rid: int | None = None


@dataclass(frozen=True, slots=True)
class FirstPassword:
    """An account and the password to hand to its owner; it must be changed at first use and is shown only now."""

    account_no: int
    password: str


@dataclass(frozen=True, slots=True)
class NewMembership:
    """An office to be given: role, institution (rid of Organization) and the divisions it covers with all that is under them."""

    role: str
    institution_rid: int | None = None
    areas: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Membership:
    """An office an account holds."""

    membership_no: int
    role: str
    institution_rid: int | None
    areas: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class AccountCard:
    """An account as administrators see it."""

    account_no: int
    login: str
    display_name: str
    practitioner_rid: int | None
    is_disabled: bool
    must_change_password: bool
    has_second_factor: bool
    created_at: datetime
    memberships: tuple[Membership, ...]


class Accounts:
    """Makes, lists and closes accounts; every change stands in the audit log exactly when it holds."""

    def __init__(self, ground: SecurityGround, hasher: Hasher) -> None:
        self._ground = ground
        self._hasher = hasher

    async def create(self, scope: Scope, new: NewAccount) -> FirstPassword:
        """Return a new account, without any office yet.  Raises: ForbiddenError, IncorrectError, ConflictError (login taken)."""
        scope.require("accounts.manage")
        login = check_login(new.login, new.display_name)
        password = make_password(self._ground.entropy)
        password_hash = await self._hasher.hash(password)
        async with self._ground.deed() as deed:
            account_no = await add_account(deed.connection, new, (login, password_hash), self._ground.clock.now(), scope.account_no)
            await self._tell(deed, scope, "create", account_no)
        return FirstPassword(account_no, password)

    async def reset_password(self, scope: Scope, account_no: int) -> FirstPassword:
        """Return a new first password; what the owner had is void and every session of the account ends."""
        scope.require("accounts.manage")
        password = make_password(self._ground.entropy)
        password_hash = await self._hasher.hash(password)
        now = self._ground.clock.now()
        async with self._ground.deed() as deed:
            await self._change(
                deed.connection,
                "update account set password_hash = $2, password_set_at = $3, must_change_password = true, demo_password = false"
                " where account_no = $1 returning account_no",
                (account_no, password_hash, now),
            )
            await end_sessions(deed.connection, account_no, now)
            await self._tell(deed, scope, "reset_password", account_no)
        return FirstPassword(account_no, password)

    async def set_disabled(self, scope: Scope, account_no: int, *, disabled: bool) -> None:
        """Close or reopen an account; closing ends its sessions. Nobody closes their own."""
        scope.require("accounts.manage")
        self._refuse_own(scope, account_no)
        now = self._ground.clock.now()
        async with self._ground.deed() as deed:
            query = "update account set disabled_at = $2 where account_no = $1 returning account_no"
            await self._change(deed.connection, query, (account_no, now if disabled else None))
            if disabled:
                await end_sessions(deed.connection, account_no, now)
            await self._tell(deed, scope, "disable" if disabled else "enable", account_no)

    async def remove_second_factor(self, scope: Scope, account_no: int) -> None:
        """Take the second factor off an account whose owner lost the device."""
        scope.require("accounts.manage")
        self._refuse_own(scope, account_no)
        async with self._ground.deed() as deed:
            query = "update account set totp_secret = null, totp_confirmed_at = null where account_no = $1 returning account_no"
            await self._change(deed.connection, query, (account_no,))
            await self._tell(deed, scope, "remove_second_factor", account_no)

    async def give_role(self, scope: Scope, account_no: int, new: NewMembership) -> int:
        """Return the number of a new office of an account.

        Raises: ForbiddenError (not `roles.manage`, or one's own account), IncorrectError (role, area, or two of the three officers),
        NotFoundError (account).
        """
        scope.require("roles.manage")
        self._refuse_own(scope, account_no)
        await self._check_membership(new)
        async with self._ground.deed() as deed:
            # The account's row is held, so that two offices given at once see each other.
            await self._change(deed.connection, "select account_no from account where account_no = $1 for update", (account_no,))
            held = await deed.connection.fetch("select role from membership where account_no = $1 and ended_at is null", account_no)
            self._ground.roles.check_together([*(row["role"] for row in held), new.role])
            membership_no = await add_membership(deed.connection, account_no, new, self._ground.clock.now(), scope.account_no)
            await self._tell(deed, scope, "give_role", account_no, detail=f"{new.role} membership {membership_no}")
        return membership_no

    async def end_role(self, scope: Scope, membership_no: int) -> None:
        """End an office; sessions that use it end too.  Raises: ForbiddenError, NotFoundError."""
        scope.require("roles.manage")
        now = self._ground.clock.now()
        async with self._ground.deed() as deed:
            row = await self._change(
                deed.connection,
                "update membership set ended_at = $2, ended_by = $3 where membership_no = $1 and ended_at is null returning account_no, role",
                (membership_no, now, scope.account_no),
            )
            self._refuse_own(scope, row["account_no"])
            await deed.connection.execute(
                "update session set ended_at = $2 where membership_no = $1 and ended_at is null", membership_no, now
            )
            await self._tell(deed, scope, "end_role", row["account_no"], detail=f"{row['role']} membership {membership_no}")

    async def list(self, scope: Scope, text: str = "", *, after: int = 0, limit: int = 50) -> tuple[AccountCard, ...]:
        """Return accounts whose login or name contains `text`, by number after `after`.  Raises: ForbiddenError unless an officer's."""
        self._require_officer(scope)
        pattern = fold_login(text).replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(
                "select * from account where account_no > $1 and (login like '%' || $2 || '%' or lower(display_name) like '%' || $2 || '%')"
                " order by account_no limit $3",
                after,
                pattern,
                max(1, min(limit, PAGE_LIMIT)),
            )
            offices = await open_memberships(connection, [row["account_no"] for row in rows])
        return tuple(card_of(row, offices.get(row["account_no"], ())) for row in rows)

    async def _check_membership(self, new: NewMembership) -> None:
        role = self._ground.roles.role(new.role)
        if role.is_officer and (new.areas or new.institution_rid is not None):
            raise IncorrectError("三员不属于机构和区划", "an officer has no institution and no area; leave both out", where="areas")
        if not role.is_officer and not new.areas:
            raise IncorrectError("要写管辖的区划", "write at least one division the role covers", where="areas")
        unknown = await self._ground.areas.unknown(new.areas)
        if unknown:
            raise IncorrectError(
                f"没有这些区划：{list(unknown)}", f"no such divisions: {list(unknown)}; load or correct them", where="areas"
            )

    async def _change(self, connection: asyncpg.Connection[Any], query: str, values: Sequence[Any]) -> asyncpg.Record:
        row = await connection.fetchrow(query, *values)
        if row is None:
            raise NotFoundError("没有这个账号或岗位", "no such account or membership")
        return row

    @staticmethod
    async def _tell(deed: Deed, scope: Scope, action: str, account_no: int, detail: str = "") -> None:
        await deed.tell(AuditEntry(scope, action, "account", rids=(account_no,), detail=detail))

    def _require_officer(self, scope: Scope) -> None:
        if not any(scope.allows(right) for right in ("accounts.manage", "roles.manage", "audit.read")):
            scope.require("accounts.manage")

    @staticmethod
    def _refuse_own(scope: Scope, account_no: int) -> None:
        if scope.account_no == account_no:
            raise ForbiddenError("不能对自己的账号做这件事，请由另一位管理员操作", "not on one's own account; ask another administrator")


def check_login(login: str, display_name: str) -> str:
    """Return a login folded.  Raises: IncorrectError if login or name cannot serve."""
    folded = fold_login(login)
    if not _LOGIN.fullmatch(folded):
        raise IncorrectError(
            "登录名为 2 到 64 个字母、数字或 . _ @ -", "write a login of 2 to 64 letters, digits or . _ @ -", where="login"
        )
    if not display_name.strip() or len(display_name) > 64:
        raise IncorrectError("要写姓名，不超过 64 字", "write a name of at most 64 characters", where="display_name")
    return folded


async def add_account(connection: asyncpg.Connection[Any], new: NewAccount, secret: tuple[str, str], now: datetime, by: int) -> int:
    """Insert an account; `secret` is (folded login, password hash).  Raises: ConflictError when the login is taken."""
    login, password_hash = secret
    number = await connection.fetchval(
        "insert into account (login, display_name, practitioner_rid, password_hash, password_set_at, created_at, created_by)"
        " values ($1, $2, $3, $4, $5, $5, $6) on conflict (login) do nothing returning account_no",
        login,
        new.display_name.strip(),
        new.practitioner_rid,
        password_hash,
        now,
        by,
    )
    if number is None:
        raise ConflictError("这个登录名已有人用", "this login is taken; choose another", where="login")
    return int(number)


async def add_membership(connection: asyncpg.Connection[Any], account_no: int, new: NewMembership, now: datetime, by: int) -> int:
    """Insert an office.  Raises: IncorrectError if the account already holds one of the three officers' (kept by the database too)."""
    try:
        number = await connection.fetchval(
            "insert into membership (account_no, role, institution_rid, areas, given_by, given_at) values ($1, $2, $3, $4, $5, $6)"
            " returning membership_no",
            account_no,
            new.role,
            new.institution_rid,
            list(new.areas),
            by,
            now,
        )
    except asyncpg.UniqueViolationError as error:
        raise IncorrectError("该账号已担任三员之一", "the account already is one of the three officers", where="role") from error
    return int(number)


async def end_sessions(connection: asyncpg.Connection[Any], account_no: int, now: datetime, *, but: int = 0) -> None:
    """End every open session of an account, except number `but`."""
    await connection.execute(
        "update session set ended_at = $2 where account_no = $1 and ended_at is null and session_no <> $3", account_no, now, but
    )


async def open_memberships(connection: asyncpg.Connection[Any], accounts: Sequence[int]) -> dict[int, tuple[Membership, ...]]:
    """Return account → its open offices, oldest first."""
    found: dict[int, tuple[Membership, ...]] = {}
    query = "select * from membership where account_no = any($1::bigint[]) and ended_at is null order by membership_no"
    for row in await connection.fetch(query, list(accounts)):
        office = Membership(row["membership_no"], row["role"], row["institution_rid"], tuple(row["areas"]))
        found[row["account_no"]] = (*found.get(row["account_no"], ()), office)
    return found


def card_of(row: asyncpg.Record, memberships: tuple[Membership, ...]) -> AccountCard:
    """Return a row of table `account` with its offices."""
    return AccountCard(
        account_no=row["account_no"],
        login=row["login"],
        display_name=row["display_name"],
        practitioner_rid=row["practitioner_rid"],
        is_disabled=row["disabled_at"] is not None,
        must_change_password=row["must_change_password"],
        has_second_factor=row["totp_confirmed_at"] is not None,
        created_at=row["created_at"],
        memberships=memberships,
    )
