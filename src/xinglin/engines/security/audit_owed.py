"""Promises: an entry written down in the transaction of what it tells of, and moved into a chain after the commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from xinglin.engines.security.audit_chain import AuditEntry, PastActor, check_entry


async def promise(connection: asyncpg.Connection[Any], entry: AuditEntry, now: datetime) -> AuditEntry:
    """Write an entry down as owed, inside the caller's transaction; returns it with the number that `record` takes off the list.

    now: the instant the entry tells of, by the clock of the log; who keeps the promise in our stead says it.
    """
    check_entry(entry)
    actor = entry.scope
    facts = {
        "actor": None if actor is None else [actor.account_no, actor.role, actor.purpose, actor.institution_rid],
        "action": entry.action,
        "subject_type": entry.subject_type,
        "rids": list(entry.rids),
        "detail": entry.detail,
        "outcome": entry.outcome,
        "persons": list(entry.persons),
        "request_id": entry.request_id,
        "at": now.isoformat(),
    }
    number = await connection.fetchval("insert into audit_owed (entry) values ($1::jsonb) returning owed_no", orjson.dumps(facts).decode())
    return replace(entry, owed_no=number)


async def owed(connection: asyncpg.Connection[Any], least_age_s: float) -> list[AuditEntry]:
    """Return the entries that were promised so long ago that whoever promised them must be gone, the oldest first."""
    rows = await connection.fetch(
        "select owed_no, entry, at from audit_owed where at <= now() - make_interval(secs => $1) order by owed_no limit 1000", least_age_s
    )
    return [_entry(row["owed_no"], row["at"], orjson.loads(row["entry"])) for row in rows]


async def keep(connection: asyncpg.Connection[Any], numbers: list[int]) -> set[int]:
    """Take promises off the list, inside the transaction that writes them into a chain; returns those that nobody else kept before."""
    rows = await connection.fetch("delete from audit_owed where owed_no = any($1::bigint[]) returning owed_no", numbers)
    return {row["owed_no"] for row in rows}


def _entry(number: int, row_at: datetime, facts: dict[str, Any]) -> AuditEntry:
    """Return a promise as an entry. One that was made before promises said their instant has that of its row."""
    actor, at = facts.pop("actor"), facts.pop("at", None)
    promised_at = row_at if at is None else datetime.fromisoformat(at)
    return AuditEntry(**facts, scope=None if actor is None else PastActor(*actor), owed_no=number, at=promised_at)
