"""Sessions: from a signed-in browser or program to the Scope its requests act under."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError
from xinglin.engines.security.accounts import Membership, end_sessions, open_memberships
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.ground import SecurityGround
from xinglin.engines.security.passwords import Hasher, check_password
from xinglin.engines.security.scope import Scope
from xinglin.engines.security.session_rows import Session, find_session, open_session, scope_from, session_from
from xinglin.engines.security.sign_in import PasswordGate

_STANDS: Final = "select true from account where account_no = $1 and password_hash = $2 and disabled_at is null for share"
_KEPT: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its owner sees it in a list."""

    session_no: int
    address: str
    created_at: datetime
    seen_at: datetime
    is_this: bool


class Sessions:
    """Signs people in and out and says under which Scope a request acts."""

    def __init__(self, ground: SecurityGround, hasher: Hasher, gate: PasswordGate) -> None:
        self._ground = ground
        self._hasher = hasher
        self._gate = gate

    async def sign_in(self, login: str, password: str, address: str) -> Session:
        """Return a new session, in the office used last.  Raises: ForbiddenError (401; the same for an unknown login), BusyError (429)."""
        account = await self._gate.admit(login, password, address)
        token = base64.urlsafe_b64encode(self._ground.entropy(32)).decode().rstrip("=")
        now = self._ground.clock.now()
        async with self._ground.deed() as deed:
            connection = deed.connection
            # The account's row is held against who closes it or sets a new password meanwhile: that ends the sessions it knows of.
            stands = await connection.fetchval(_STANDS, account["account_no"], account["password_hash"])
            if not stands:
                await self._gate.refuse(account)
            offices = (await open_memberships(connection, [account["account_no"]])).get(account["account_no"], ())
            last = await connection.fetchval(
                "select membership_no from session where account_no = $1 order by session_no desc limit 1", account["account_no"]
            )
            chosen = next((office for office in offices if office.membership_no == last), offices[0] if offices else None)
            await connection.execute(
                "insert into session (token_hash, account_no, membership_no, waits_for_code, address, created_at, seen_at, expires_at)"
                " values ($1, $2, $3, $4, $5, $6, $6, $7)",
                self._ground.keyed("token", token),
                account["account_no"],
                chosen.membership_no if chosen else None,
                account["totp_confirmed_at"] is not None,
                address[:100],
                now,
                now + self._ground.rules.longest,
            )
            row = await open_session(self._ground, connection, token)
            await deed.tell(AuditEntry(scope_from(self._ground, row), "sign_in", "account", rids=(row["account_no"],)))
        return session_from(token, row)

    async def session_of(self, token: str) -> Session:
        """Return the session of a token, also one that still owes a code or a new password.  Raises: ForbiddenError (401)."""
        return session_from(token, await find_session(self._ground, token, may_wait=True))

    async def scope_of(self, token: str) -> Scope:
        """Return the scope a request with this token acts under.

        Raises: ForbiddenError: 401 if the session is unknown, ended, idle too long or owes its second factor; 403 while the password
        must be changed or no office is held.
        """
        row = await find_session(self._ground, token)
        if row["must_change_password"]:
            raise ForbiddenError("请先修改初始密码", "change the first password before anything else")
        if row["role"] is None:
            raise ForbiddenError("此账号还没有岗位，请安全管理员授权", "this account holds no role; ask the security administrator for one")
        return scope_from(self._ground, row)

    async def memberships(self, token: str) -> tuple[Membership, ...]:
        """Return the offices the session may switch to."""
        row = await find_session(self._ground, token)
        async with self._ground.database.connection() as connection:
            return (await open_memberships(connection, [row["account_no"]])).get(row["account_no"], ())

    async def switch_role(self, token: str, membership_no: int) -> Session:
        """Return the session acting in another office of the same account.  Raises: NotFoundError if it is not one of them."""
        row = await find_session(self._ground, token)
        if membership_no not in {office.membership_no for office in await self.memberships(token)}:
            raise NotFoundError("没有这个岗位", "no such membership of this account")
        async with self._ground.deed() as deed:
            await deed.connection.execute("update session set membership_no = $2 where session_no = $1", row["session_no"], membership_no)
            row = await open_session(self._ground, deed.connection, token)
            await deed.tell(AuditEntry(scope_from(self._ground, row), "switch_role", "account", rids=(row["account_no"],)))
        return session_from(token, row)

    async def change_password(self, token: str, old: str, new: str) -> Session:
        """Set a new password and end the account's other sessions.

        Raises: ForbiddenError if `old` is wrong (counted like a wrong sign-in), IncorrectError if `new` breaks a rule or was used before,
        ConflictError if it was changed or reset, or the account closed, while this went on.
        """
        row = await find_session(self._ground, token)
        account = await self._gate.admit(row["login"], old, row["address"])
        check_password(new, row["login"], self._ground.policy)
        await self._refuse_used(row["account_no"], account["password_hash"], new)
        password_hash, now = await self._hasher.hash(new), self._ground.clock.now()
        async with self._ground.deed() as deed:
            changed = await deed.connection.fetchval(
                "update account set password_hash = $2, password_set_at = $3, must_change_password = false, demo_password = false"
                " where account_no = $1 and password_hash = $4 and disabled_at is null returning account_no",
                row["account_no"],
                password_hash,
                now,
                account["password_hash"],
            )
            if changed is None:
                raise ConflictError("密码刚在别处改过，请重新登录", "the password was changed elsewhere just now; sign in again")
            await deed.connection.execute(
                "insert into password_history (account_no, password_hash) values ($1, $2)", row["account_no"], account["password_hash"]
            )
            await end_sessions(deed.connection, row["account_no"], now, but=row["session_no"])
            await deed.tell(AuditEntry(scope_from(self._ground, row), "change_password", "account", rids=(row["account_no"],)))
        return await self.session_of(token)

    async def sign_out(self, token: str) -> None:
        """End the session of a token; an unknown or ended one is left as it is."""
        async with self._ground.deed() as deed:
            number = await deed.connection.fetchval(
                "update session set ended_at = $2 where token_hash = $1 and ended_at is null returning account_no",
                self._ground.keyed("token", token),
                self._ground.clock.now(),
            )
            if number is not None:
                await deed.tell(AuditEntry(None, "sign_out", "account", rids=(number,)))

    async def open_sessions(self, token: str) -> tuple[OpenSession, ...]:
        """Return the open sessions of the token's account, newest first."""
        row = await find_session(self._ground, token)
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(
                "select session_no, address, created_at, seen_at, session_no = $2 from session where account_no = $1 and ended_at is null"
                " and expires_at > $3 and seen_at > $4 order by session_no desc",
                row["account_no"],
                row["session_no"],
                self._ground.clock.now(),
                self._ground.clock.now() - self._ground.rules.idle,
            )
        return tuple(OpenSession(*each) for each in rows)

    async def revoke(self, token: str, session_no: int) -> None:
        """End another session of the same account.  Raises: NotFoundError if it is not one of them."""
        row = await find_session(self._ground, token)
        async with self._ground.deed() as deed:
            ended = await deed.connection.fetchval(
                "update session set ended_at = $3 where session_no = $1 and account_no = $2 and ended_at is null returning session_no",
                session_no,
                row["account_no"],
                self._ground.clock.now(),
            )
            if ended is None:
                raise NotFoundError("没有这个会话", "no such open session of this account")
            await deed.tell(AuditEntry(scope_from(self._ground, row), "revoke_session", "account", rids=(row["account_no"],)))

    def form_token(self, token: str) -> str:
        """Return what a form of this session must carry back, so that no other site can post in its name."""
        return self._ground.keyed("form", token)[:16].hex()

    async def forget_old(self) -> None:
        """Delete sessions and tries older than 180 days; for a nightly job."""
        before = self._ground.clock.now() - _KEPT
        async with self._ground.database.transaction() as connection:
            await connection.execute("delete from session where expires_at < $1", before)
            await connection.execute("delete from sign_in_try where at < $1", before)

    async def _refuse_used(self, account_no: int, present: str, password: str) -> None:
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(
                "select password_hash from password_history where account_no = $1 order by history_no desc limit $2",
                account_no,
                self._ground.policy.remembered - 1,
            )
        for known_hash in (present, *(row["password_hash"] for row in rows)):
            if await self._hasher.verify(known_hash, password):
                times = self._ground.policy.remembered
                raise IncorrectError(f"不能与最近 {times} 个密码相同", f"choose one that is not among the last {times}", where="password")
