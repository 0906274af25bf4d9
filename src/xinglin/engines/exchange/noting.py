"""Who is told in the audit log that a message was written: promised in its transaction, recorded after the commit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from xinglin.base.errors import FaultError, UnavailableError
from xinglin.engines.exchange.model import Receipt
from xinglin.engines.security import AuditEntry, AuditWitness, Scope


@dataclass(frozen=True, slots=True)
class Note:
    """What the audit log is to say of a message. detail: words; the message's number is added.  subject: what kind of thing it is about."""

    subject: str
    detail: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """A note and who wrote the message."""

    scope: Scope
    note: Note


class Notary:
    """Writes notes through the audit log."""

    def __init__(self, audit: AuditWitness | None) -> None:
        self._audit = audit

    def _witness(self) -> AuditWitness:
        if self._audit is None:
            raise FaultError("没有审计日志，不能写入", "there is no audit log to write to")
        return self._audit

    async def promise(self, connection: asyncpg.Connection[Any], noted: Noted | None, receipt: Receipt) -> Receipt:
        """Return a receipt with the entry that tells of it, written down as owed in the caller's transaction."""
        if noted is None:
            return receipt
        written = [outcome.rid for outcome in receipt.outcomes if outcome is not None]
        entry = AuditEntry(
            noted.scope, "write", noted.note.subject, rids=written, detail=f"message {receipt.message_no}: {noted.note.detail}"[:500],
            outcome="done" if written else "refused", request_id=noted.note.request_id,
        )  # fmt: skip
        return receipt.with_owed(await self._witness().promise(connection, entry))

    async def keep(self, receipt: Receipt) -> Receipt:
        """Record what was promised. It is committed either way: a log that is full or away for the moment takes it later."""
        if receipt.owed is not None:
            with suppress(UnavailableError):
                await self._witness().record(receipt.owed)
        return receipt
