"""The audit log of the house: record, anchor, check, search."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, Protocol

import asyncpg

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import XinglinError
from xinglin.engines.security.algorithms import Suite
from xinglin.engines.security.audit_anchor import Anchor, anchor_line, compare_anchors, read_anchor_lines, write_anchor
from xinglin.engines.security.audit_chain import AuditEntry
from xinglin.engines.security.audit_check import ChainReport, verify_day
from xinglin.engines.security.audit_owed import owed, promise
from xinglin.engines.security.audit_search import PAGE_LIMIT, AuditFound, AuditPage, AuditQuery, Slice, find_entries
from xinglin.engines.security.audit_writer import AuditOptions, AuditWriter, ChainSource
from xinglin.engines.security.installation import InstallationSecrets
from xinglin.engines.security.scope import Scope

_KEY_OF_AUDIT: Final = "audit"


class AuditWitness(Protocol):
    """Where a room writes what it did, in the transaction that did it."""

    async def promise(self, connection: asyncpg.Connection[Any], entry: AuditEntry) -> AuditEntry:
        """Write an entry down in the caller's transaction; returns what `record` is to be given after the commit."""
        ...

    async def record(self, entry: AuditEntry) -> None:
        """Return once the entry is committed."""
        ...


class AuditSink(Protocol):
    """Where rooms write what was accessed."""

    async def record(self, entry: AuditEntry) -> None:
        """Return once the entry is committed."""
        ...


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """Where and how a process keeps its part of the log.

    anchor_file: a file that also gets every anchor, a line each; ship it to another machine and nobody here can rewrite the past unseen.
    """

    secrets: InstallationSecrets
    suite: Suite
    site: int
    anchor_file: Path | None = None
    options: AuditOptions = AuditOptions()


class Audit:
    """The audit log as one process sees it. Many processes write at once, each its own chain."""

    def __init__(self, database: Database, place: AuditPlace, clock: Clock, process: int) -> None:
        self.process = process
        self._database = database
        self._clock = clock
        self._place = place
        self._key = place.secrets.key(_KEY_OF_AUDIT)
        source = ChainSource(self._key, place.suite.digest.name, process, place.site, clock)
        self._writer = AuditWriter(database, clock, source, place.options)
        self._anchoring = asyncio.create_task(self._anchor_regularly(), name="audit anchors") if place.options.anchor_s > 0 else None

    @classmethod
    async def open(cls, database: Database, place: AuditPlace, clock: Clock) -> Audit:
        """Return the log with a process number of its own.  Raises: UnavailableError if the database is away."""
        async with database.connection() as connection:
            process = await connection.fetchval(
                "insert into audit_process (started_at, algorithm, site) values ($1, $2, $3) returning process",
                clock.now(),
                place.suite.digest.name,
                place.site,
            )
        return cls(database, place, clock, process)

    async def record(self, entry: AuditEntry) -> None:
        """Return once the entry is committed.

        Raises: UnavailableError if it cannot be (queue full, database away): then do not do what was to be recorded.
        """
        await self._writer.record(entry)

    async def promise(self, connection: asyncpg.Connection[Any], entry: AuditEntry) -> AuditEntry:
        """Write an entry down in the caller's transaction; hand what comes back to `record` after the commit.

        The chain is written by a connection of its own, so what is committed and its row in the chain cannot be one transaction. With the
        promise they cannot come apart either: who dies in between leaves it, and any process keeps it within a minute or two. The entry
        then says when it was promised, and beside it when it was recorded.
        Raises: UnavailableError while the log takes nothing: then the transaction is not to be committed.
        """
        self._writer.must_take()
        return await promise(connection, entry, self._clock.now())

    async def keep_promises(self) -> int:
        """Record what processes that are gone promised; returns how many entries that were."""
        async with self._database.connection() as connection:
            entries = await owed(connection, self._place.options.owed_s)
        for entry in entries:
            await self.record(entry)
        return len(entries)

    async def close(self) -> None:
        """Commit what waits and stop."""
        if self._anchoring is not None:
            self._anchoring.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._anchoring
        await self._writer.close()

    async def anchor(self, *, least_age_s: float = 0.0) -> Anchor | None:
        """Write down the heads of all chains now; None if the last anchor is younger than `least_age_s` or another process is at it."""
        async with self._database.transaction() as connection:
            anchor = await write_anchor(connection, self._key, self._place.suite.digest.name, self._clock.now(), least_age_s)
        if anchor is not None and self._place.anchor_file is not None:
            await asyncio.to_thread(_append, self._place.anchor_file, anchor_line(anchor))
        return anchor

    async def verify(self, scope: Scope, day: date, *, shipped: Sequence[str] = ()) -> ChainReport:
        """Return whether the chains of a day stand as written.

        shipped: lines of an anchor file kept elsewhere; anchors that differ from them, or are gone, are told too. Without them,
        somebody who sets the whole database back to an earlier state is not seen.
        Raises: ForbiddenError without `audit.read`, IncorrectError for a line that is no anchor.
        """
        scope.require("audit.read")
        await self.record(AuditEntry(scope, "verify", "audit", detail=day.isoformat()))
        async with self._database.connection() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            report = await verify_day(connection, self._key, day)
            problems = await compare_anchors(connection, read_anchor_lines(shipped))
        return replace(report, problems=(*report.problems, *problems))

    async def search(self, scope: Scope, query: AuditQuery, *, cursor: str | None = None, limit: int = 50, skip: int = 0) -> AuditPage:
        """Return a page of entries, newest first; the look-up is itself recorded.

        cursor: `next_cursor` of the page before.  skip: entries to pass over first, for pages that are numbered; the log grows meanwhile,
        so that only the cursor never shows an entry twice.  Raises: ForbiddenError without `audit.read`.
        """
        scope.require("audit.read")
        await self.record(_looked(scope, "search", query))
        async with self._database.connection() as connection:
            return await find_entries(connection, query, Slice(cursor, limit, skip))

    async def export(self, scope: Scope, query: AuditQuery) -> AsyncIterator[AuditFound]:
        """Yield every entry that matches, newest first; recorded as an export.  Raises: ForbiddenError without `audit.read`."""
        scope.require("audit.read")
        await self.record(_looked(scope, "export", query))
        cursor: str | None = None
        while True:
            async with self._database.connection() as connection:
                page = await find_entries(connection, query, Slice(cursor, PAGE_LIMIT))
            for entry in page.entries:
                yield entry
            if (cursor := page.next_cursor) is None:
                return

    async def _anchor_regularly(self) -> None:
        """Anchor every minute while the database is there; a missed minute shows as a gap between anchors, not as a failure."""
        while True:
            await asyncio.sleep(self._place.options.anchor_s)
            with contextlib.suppress(XinglinError, asyncpg.PostgresError, OSError):
                await self.keep_promises()
                await self.anchor(least_age_s=self._place.options.anchor_s / 2)


def _looked(scope: Scope, action: str, query: AuditQuery) -> AuditEntry:
    asked = [name for name in AuditQuery.__dataclass_fields__ if getattr(query, name) is not None]
    persons = (query.person,) if query.person else ()
    rids = () if query.rid is None else (query.rid,)
    return AuditEntry(scope, action, "audit", rids=rids, persons=persons, detail=" ".join(asked))


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        file.write(line)
