"""Sign-in: the password, the lock after wrong ones, and the record of every try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

import asyncpg

from xinglin.base.errors import BusyError, ForbiddenError
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.ground import SecurityGround, fold_login
from xinglin.engines.security.passwords import Hasher


@dataclass(frozen=True, slots=True)
class _Try:
    """A try that counts as wrong until it is proved right."""

    number: int
    account: asyncpg.Record | None


class PasswordGate:
    """Lets an account through on its password. An unknown login gets the same answer, after the same work, as a wrong password."""

    def __init__(self, ground: SecurityGround, hasher: Hasher) -> None:
        self._ground = ground
        self._hasher = hasher

    async def admit(self, login: str, password: str, address: str) -> asyncpg.Record:
        """Return the account's row.  Raises: ForbiddenError (401), BusyError (429) while locked."""
        attempt = await self._begin(login, address)
        account = attempt.account
        usable = account is not None and account["disabled_at"] is None and (self._ground.rules.demo or not account["demo_password"])
        agrees = await self._hasher.verify(account["password_hash"] if account is not None and usable else None, password)
        if account is None or not agrees:
            await self.refuse(account)
        async with self._ground.database.connection() as connection:
            await connection.execute("update sign_in_try set succeeded = true where try_no = $1", attempt.number)
        return account

    async def check_code_try(self, account_no: int, address: str) -> int:
        """Count a try of a one-time code and return its number; wrong ones lock like passwords.  Raises: BusyError."""
        async with self._ground.database.transaction() as connection:
            return await self._count(connection, self._ground.keyed("code try", str(account_no)), address)

    async def right_code(self, try_no: int) -> None:
        """Take a counted try back as right."""
        async with self._ground.database.connection() as connection:
            await connection.execute("update sign_in_try set succeeded = true where try_no = $1", try_no)

    async def _begin(self, login: str, address: str) -> _Try:
        folded = fold_login(login)[:200]
        async with self._ground.database.transaction() as connection:
            number = await self._count(connection, self._ground.keyed("try", folded), address)
            return _Try(number, await connection.fetchrow("select * from account where login = $1", folded))

    async def _count(self, connection: asyncpg.Connection[Any], login_hash: bytes, address: str) -> int:
        """Write the try down as wrong before anything is checked: guesses made at the same moment count too."""
        rules, now = self._ground.rules, self._ground.clock.now()
        await connection.execute("select pg_advisory_xact_lock($1)", int.from_bytes(login_hash[:8], "big", signed=True))
        wrong = await connection.fetch(
            "select at from sign_in_try where login_hash = $1 and not succeeded and try_no > coalesce("
            "(select max(try_no) from sign_in_try where login_hash = $1 and succeeded), 0) order by try_no desc limit $2",
            login_hash,
            rules.tries,
        )
        here = await connection.fetchval(
            "select count(*) from sign_in_try where address = $1 and not succeeded and at > $2", address[:100], now - rules.window
        )
        if self._is_locked([row["at"] for row in wrong], now) or here >= rules.address_tries:
            await self._locked()
        number = await connection.fetchval(
            "insert into sign_in_try (login_hash, address, at, succeeded) values ($1, $2, $3, false) returning try_no",
            login_hash,
            address[:100],
            now,
        )
        return int(number)

    def _is_locked(self, wrong: list[datetime], now: datetime) -> bool:
        rules = self._ground.rules
        if len(wrong) < rules.tries:
            return False
        return wrong[0] - wrong[-1] <= rules.window and now - wrong[0] < rules.locked

    async def _locked(self) -> NoReturn:
        await self._ground.audit.record(AuditEntry(None, "sign_in", "account", outcome="refused", detail="locked"))
        minutes = int(self._ground.rules.locked.total_seconds() // 60)
        raise BusyError(
            f"连续输错次数过多，请 {minutes} 分钟后再试，或请系统管理员重置密码",
            f"too many wrong tries; wait {minutes} minutes or ask the system administrator to reset the password",
        )

    async def refuse(self, account: asyncpg.Record | None) -> NoReturn:
        """Write a refused try into the log and answer it.  Raises: ForbiddenError (401)."""
        rids = (account["account_no"],) if account is not None else ()
        await self._ground.audit.record(AuditEntry(None, "sign_in", "account", rids=rids, outcome="refused"))
        raise ForbiddenError("登录名或密码不对", "login or password is wrong; check both and try again", status=401)
