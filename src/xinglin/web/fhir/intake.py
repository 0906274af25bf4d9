"""Bodies on their way in: read, kept in the ledger even when nothing can be made of them, handed to the exchange, audited."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from xinglin.base.errors import Category, XinglinError
from xinglin.engines.exchange import OWN_API, Entry, Note, Receipt, Submission, UnreadableError
from xinglin.engines.security import AuditEntry
from xinglin.web.fhir.doors import Call
from xinglin.web.fhir.wire import open_body, read_body

_SENDERS_FAULT: Final = frozenset({Category.INCORRECT, Category.NOT_FOUND, Category.CONFLICT, Category.UNSUPPORTED})


async def take_body(call: Call) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a body and the JSON object they hold; a body that holds none is in the ledger when its refusal is told.

    Raises: IncorrectError. What is over the limit of a request is not kept: its sender is told to divide it.
    """
    sent = await read_body(call.request, call.doors.limits)
    async with kept_if_refused(call, sent):
        return open_body(call.request, sent, call.doors.limits)


@asynccontextmanager
async def kept_if_refused(call: Call, content: bytes) -> AsyncIterator[None]:
    """Keep a message in the ledger, and its refusal in the audit log, when the block refuses it for what was sent."""
    try:
        yield
    except XinglinError as error:
        if error.category in _SENDERS_FAULT:
            await keep(call, content, error)
        raise


async def keep(call: Call, content: bytes, error: XinglinError) -> None:
    """Write down a message that is refused as a whole. The same bytes of the same account are one message, however often they come."""
    reason = error.reason if isinstance(error, UnreadableError) else "invalid"
    name = f"refused-{call.scope.account_no}-{hashlib.sha256(content).hexdigest()[:32]}"
    why = UnreadableError(reason, error.zh, error.en, where=error.where)
    receipt = await call.doors.intake.keep_unreadable(call.scope, (OWN_API, name, content), why)
    entry = AuditEntry(call.scope, "write", "message", rids=(), detail=f"message {receipt.message_no}: refused", outcome="refused")
    await call.doors.audit.record(entry)


async def submit(call: Call, content: bytes, entries: list[Entry], *, atomic: bool, kind: str = "rest") -> Receipt:
    """Hand a message of this caller to the exchange; one audit entry tells what was written or refused."""
    submission = Submission(OWN_API, call.doors.new_id(), content, entries, kind=kind, atomic=atomic)
    types = sorted({str(entry.resource["resourceType"]) for entry in entries})
    note = Note(types[0] if len(types) == 1 else "Bundle", " ".join(types))
    return await call.doors.intake.submit(call.scope, submission, note=note)
