"""The second factor: a one-time code of an authenticator app after the password.

Source: RFC 6238 (TOTP), RFC 4226; GB/T 22239-2019, 8.1.4.1 d asks for two factors, one of them by cryptography (unverified).
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

import asyncpg

from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError
from xinglin.engines.security.algorithms import NONCE_BYTES, same, totp
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.ground import SecurityGround
from xinglin.engines.security.session_rows import Session, find_session, scope_from, session_from
from xinglin.engines.security.sign_in import PasswordGate

STEP_S: Final = 30
DRIFT_STEPS: Final = 1


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs to make codes; shown once. secret: base32.  uri: the same as an otpauth link, for a QR code."""

    secret: str
    uri: str


class SecondFactor:
    """Enrols an app with an account and asks its codes at sign-in."""

    def __init__(self, ground: SecurityGround, gate: PasswordGate) -> None:
        self._ground = ground
        self._gate = gate

    async def enrol(self, token: str, issuer: str = "Xinglin") -> Enrolment:
        """Return a new secret for the session's account; it counts once `confirm` has seen a code made with it.

        Raises: ConflictError if the account has a second factor already.
        """
        row = await find_session(self._ground, token)
        secret = self._ground.entropy(20)
        sealed = self._ground.suite.cipher.seal(
            self._ground.secrets.key("totp"), secret, nonce=self._ground.entropy(NONCE_BYTES), context=_context(row)
        )
        async with self._ground.database.connection() as connection:
            changed = await connection.fetchval(
                "update account set totp_secret = $2, totp_last_step = 0 where account_no = $1 and totp_confirmed_at is null returning 1",
                row["account_no"],
                sealed,
            )
        if changed is None:
            raise ConflictError(
                "已启用动态验证码；更换请先由系统管理员解除", "a second factor is set; have the system administrator remove it first"
            )
        text = base64.b32encode(secret).decode().rstrip("=")
        query = urlencode({"secret": text, "issuer": issuer, "algorithm": "SHA1", "digits": 6, "period": STEP_S})
        return Enrolment(text, f"otpauth://totp/{quote(issuer)}:{quote(row['login'])}?{query}")

    async def confirm(self, token: str, code: str) -> None:
        """Switch the second factor on after a code of the enrolled app.  Raises: IncorrectError (code), BusyError (too many tries)."""
        row = await find_session(self._ground, token)
        await self._check(row, code)
        async with self._ground.deed() as deed:
            await deed.connection.execute(
                "update account set totp_confirmed_at = $2 where account_no = $1", row["account_no"], self._ground.clock.now()
            )
            await deed.tell(AuditEntry(scope_from(self._ground, row), "enrol_second_factor", "account", rids=(row["account_no"],)))

    async def enter(self, token: str, code: str) -> Session:
        """Return the session, no longer waiting for its code.  Raises: IncorrectError (code), BusyError (too many tries)."""
        row = await find_session(self._ground, token, may_wait=True)
        await self._check(row, code)
        async with self._ground.deed() as deed:
            await deed.connection.execute("update session set waits_for_code = false where session_no = $1", row["session_no"])
            await deed.tell(AuditEntry(scope_from(self._ground, row), "enter_code", "account", rids=(row["account_no"],)))
        return session_from(token, await find_session(self._ground, token))

    async def _check(self, row: asyncpg.Record, code: str) -> None:
        try_no = await self._gate.check_code_try(row["account_no"], row["address"])
        async with self._ground.database.transaction() as connection:
            account = await connection.fetchrow(
                "select totp_secret, totp_last_step from account where account_no = $1 for update", row["account_no"]
            )
            if account["totp_secret"] is None:
                raise ForbiddenError("还没有登记动态验证码", "no second factor is enrolled; enrol an app first")
            secret = self._ground.suite.cipher.open(self._ground.secrets.key("totp"), account["totp_secret"], context=_context(row))
            now_step = int(self._ground.clock.now().timestamp()) // STEP_S
            # A code serves once: steps up to the last one used are over.
            steps = range(max(now_step - DRIFT_STEPS, account["totp_last_step"] + 1), now_step + DRIFT_STEPS + 1)
            found = next((step for step in steps if same(totp(secret, step).encode(), code.strip().encode("utf-8", "replace"))), None)
            if found is not None:
                await connection.execute("update account set totp_last_step = $2 where account_no = $1", row["account_no"], found)
        if found is None:
            await self._ground.audit.record(AuditEntry(None, "enter_code", "account", rids=(row["account_no"],), outcome="refused"))
            raise IncorrectError(
                "动态验证码不对或已用过；请输入新的 6 位数字", "the code is wrong or was used; enter the present 6 digits", where="code"
            )
        await self._gate.right_code(try_no)


def _context(row: asyncpg.Record) -> bytes:
    """Bind a sealed secret to its account, so that it is of no use in another's row."""
    return f"totp {row['account_no']}".encode()
