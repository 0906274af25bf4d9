"""A new installation's first accounts: three officers by one-time codes, or the known accounts of a demonstration."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from xinglin.base.errors import ForbiddenError, UnavailableError
from xinglin.engines.security.accounts import (
    AccountCard,
    NewAccount,
    NewMembership,
    add_account,
    add_membership,
    card_of,
    check_login,
    open_memberships,
)
from xinglin.engines.security.algorithms import same
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.ground import SecurityGround
from xinglin.engines.security.passwords import Hasher, check_password
from xinglin.engines.security.scope import HOUSE_ACCOUNT

LIFE: Final = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class SetupCode:
    """A one-time code with which one officer makes the first account of that role. It is shown only now."""

    role: str
    code: str


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of a demonstration, with a password everybody may know."""

    login: str
    display_name: str
    password: str
    membership: NewMembership
    practitioner_rid: int | None = None


class Setup:
    """Brings an installation from nothing to its first accounts; there is no default password."""

    def __init__(self, ground: SecurityGround, hasher: Hasher) -> None:
        self._ground = ground
        self._hasher = hasher

    async def codes(self) -> tuple[SetupCode, ...]:
        """Return a new code for each officer's role nobody holds, to be printed on the terminal; earlier codes are void.

        Called at each start outside a demonstration; empty once the three officers are there. A code serves once, for 72 hours.
        """
        now = self._ground.clock.now()
        made: list[SetupCode] = []
        async with self._ground.database.transaction() as connection:
            held = await connection.fetch(
                "select distinct role from membership join account using (account_no) where ended_at is null and disabled_at is null"
            )
            for role in self._ground.roles.officers():
                if role in {row["role"] for row in held}:
                    continue
                code = base64.b32encode(self._ground.entropy(15)).decode()
                await connection.execute(
                    "insert into setup_code (role, code_hash, made_at, expires_at) values ($1, $2, $3, $4) on conflict (role) do update"
                    " set code_hash = excluded.code_hash, made_at = excluded.made_at, expires_at = excluded.expires_at,"
                    " used_at = null, used_by = null",
                    role,
                    self._ground.keyed("setup", code),
                    now,
                    now + LIFE,
                )
                made.append(SetupCode(role, "-".join(code[start : start + 6] for start in range(0, len(code), 6))))
        return tuple(made)

    async def redeem(self, code: str, new: NewAccount, password: str) -> int:
        """Return the number of the officer's account made with a code and a password of the officer's own.

        Raises: ForbiddenError if the code is unknown, used or too old; IncorrectError (login, password), ConflictError (login taken).
        """
        login = check_login(new.login, new.display_name)
        check_password(password, login, self._ground.policy)
        password_hash = await self._hasher.hash(password)
        wanted = self._ground.keyed("setup", code.replace("-", "").replace(" ", "").upper())
        now = self._ground.clock.now()
        async with self._ground.deed() as deed:
            rows = await deed.connection.fetch("select * from setup_code where used_at is null and expires_at > $1 for update", now)
            role = next((row["role"] for row in rows if same(row["code_hash"], wanted)), None)
            if role is None:
                raise ForbiddenError(
                    "初始化码不对、已用过或已过期；重新启动会打印新的",
                    "the set-up code is wrong, used or too old; a restart prints new ones",
                )
            account_no = await add_account(deed.connection, new, (login, password_hash), now, HOUSE_ACCOUNT)
            await deed.connection.execute("update account set must_change_password = false where account_no = $1", account_no)
            await add_membership(deed.connection, account_no, NewMembership(role), now, HOUSE_ACCOUNT)
            await deed.connection.execute("update setup_code set used_at = $2, used_by = $3 where role = $1", role, now, account_no)
            await deed.tell(AuditEntry(None, "set_up", "account", rids=(account_no,), detail=role))
        return account_no

    async def add_demo_account(self, demo: DemoAccount) -> int:
        """Return the number of an account whose password is known to all; what is there under that login stays.

        Raises: ForbiddenError outside a demonstration, IncorrectError (login, role).
        """
        if not self._ground.rules.demo:
            raise ForbiddenError(
                "只有演示环境可以有公开密码的账号", "only a demonstration has accounts with known passwords; start with demo"
            )
        self._ground.roles.role(demo.membership.role)
        login = check_login(demo.login, demo.display_name)
        password_hash = await self._hasher.hash(demo.password)
        now = self._ground.clock.now()
        async with self._ground.deed() as deed:
            await deed.connection.execute("lock table account in share row exclusive mode")
            known = await deed.connection.fetchval("select account_no from account where login = $1", login)
            if known is not None:
                return int(known)
            new = NewAccount(login, demo.display_name, demo.practitioner_rid)
            account_no = await add_account(deed.connection, new, (login, password_hash), now, HOUSE_ACCOUNT)
            await deed.connection.execute(
                "update account set must_change_password = false, demo_password = true where account_no = $1", account_no
            )
            await add_membership(deed.connection, account_no, demo.membership, now, HOUSE_ACCOUNT)
            await deed.tell(AuditEntry(None, "create", "account", rids=(account_no,), detail="demonstration"))
        return account_no

    async def demo_accounts(self) -> tuple[AccountCard, ...]:
        """Return the open accounts with known passwords, for the sign-in page of a demonstration; none outside one."""
        if not self._ground.rules.demo:
            return ()
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch("select * from account where demo_password and disabled_at is null order by account_no")
            offices = await open_memberships(connection, [row["account_no"] for row in rows])
        return tuple(card_of(row, offices.get(row["account_no"], ())) for row in rows)

    async def refuse_demo_passwords(self) -> None:
        """Refuse to go on outside a demonstration while an open account still has a known password.  Raises: UnavailableError."""
        if self._ground.rules.demo:
            return
        async with self._ground.database.connection() as connection:
            count = await connection.fetchval("select count(*) from account where demo_password and disabled_at is null")
        if count:
            raise UnavailableError(
                f"还有 {count} 个演示账号使用公开密码，正式环境不能启动；请换用新的数据文件夹，或停用这些账号",
                f"{count} demonstration accounts still have known passwords; use a new data folder or disable them before serving",
                where="account",
            )

    async def disable_demo_accounts(self) -> int:
        """Close every account that has a known password and return how many there were."""
        now = self._ground.clock.now()
        async with self._ground.deed() as deed:
            rows = await deed.connection.fetch(
                "update account set disabled_at = $1 where demo_password and disabled_at is null returning account_no", now
            )
            numbers = [row["account_no"] for row in rows]
            await deed.connection.execute(
                "update session set ended_at = $2 where account_no = any($1::bigint[]) and ended_at is null", numbers, now
            )
            if numbers:
                await deed.tell(AuditEntry(None, "disable", "account", rids=numbers, detail="demonstration"))
        return len(numbers)
