"""Writes the audit log: entries queue up, one task commits them in groups, each caller waits for its commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final

import asyncpg

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import UnavailableError, XinglinError
from xinglin.engines.security.audit_chain import COLUMNS, AuditEntry, Chain, check_entry
from xinglin.engines.security.audit_owed import keep

PAUSE_AFTER_FAILURE_S: Final = 0.2
_FAILURES: Final = (XinglinError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How the log is written.

    queue_length: entries that may wait; one more is refused with 503.  group: most rows in one commit.
    anchor_s: seconds between two anchors; 0 for none made by itself.
    owed_s: age in seconds after which a promise is kept by whoever finds it.
    """

    queue_length: int = 4096
    group: int = 256
    anchor_s: float = 60.0
    owed_s: float = 30.0


@dataclass(frozen=True, slots=True)
class ChainSource:
    """Makes the chain of the present day for one process."""

    key: bytes
    algorithm: str
    process: int
    site: int
    clock: Clock

    def today(self) -> Chain:
        """Return the chain new entries belong to."""
        return Chain(self.key, self.algorithm, self.clock.today(), self.process, self.site)


@dataclass(frozen=True, slots=True)
class _Waiting:
    entry: AuditEntry
    done: asyncio.Future[None]


class AuditWriter:
    """The one writer of a process. Its chain of the day starts with its process number, which a new start gets anew."""

    def __init__(self, database: Database, clock: Clock, chain_of: ChainSource, options: AuditOptions) -> None:
        self._database = database
        self._clock = clock
        self._chain_of = chain_of
        self._options = options
        self._queue: asyncio.Queue[_Waiting | None] = asyncio.Queue(options.queue_length)
        self._is_closing = False
        self._group: list[_Waiting] = []
        self._task = asyncio.create_task(self._run(), name="audit writer")
        # Should the task ever end by a defect, nobody waits for it in vain and nothing goes on unaudited.
        self._task.add_done_callback(lambda _: self._end())

    async def record(self, entry: AuditEntry) -> None:
        """Return once the entry is committed.  Raises: UnavailableError if the queue is full or the database away, IncorrectError."""
        check_entry(entry)
        if self._is_closing:
            raise _unaudited()
        waiting = _Waiting(entry, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise _unaudited() from None
        await waiting.done

    def must_take(self) -> None:
        """Raise UnavailableError where `record` would refuse an entry at once."""
        if self._is_closing or self._queue.full():
            raise _unaudited()

    async def close(self) -> None:
        """Commit what waits, then stop."""
        if not self._is_closing:
            self._is_closing = True
            await self._queue.put(None)
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        """Keep one connection for the log alone, so that callers who hold the others cannot stop it; a lost one is replaced."""
        group = self._group
        while group or not (self._is_closing and self._queue.empty()):
            if not group and (first := await self._queue.get()) is not None:
                group.append(first)
            if not group:
                continue
            try:
                async with self._database.connection() as connection:
                    await self._serve(connection, group)
            except _FAILURES:
                self._refuse()
                await asyncio.sleep(0 if self._is_closing else PAUSE_AFTER_FAILURE_S)

    async def _serve(self, connection: asyncpg.Connection[Any], group: list[_Waiting]) -> None:
        """Commit group after group until closed; `group` holds those not yet written. Returns early if the connection died while idle."""
        chain = self._chain_of.today()
        n, previous = await _head(connection, chain)
        while True:
            if connection.is_closed():
                return
            self._fill(group)
            if group:
                if (today := self._chain_of.today()) != chain:
                    chain = today
                    n, previous = await _head(connection, chain)
                n, previous = await self._commit(connection, chain, group, (n, previous))
                for each in group:
                    if not each.done.done():
                        each.done.set_result(None)
                group.clear()
            first = await self._queue.get()
            if first is None:
                return
            group.append(first)

    def _fill(self, group: list[_Waiting]) -> None:
        while len(group) < self._options.group and not self._queue.empty():
            each = self._queue.get_nowait()
            if each is None:
                # The closing mark; whoever reads the queue next must find it again.
                self._queue.put_nowait(None)
                return
            group.append(each)

    async def _commit(
        self, connection: asyncpg.Connection[Any], chain: Chain, group: Sequence[_Waiting], head: tuple[int, bytes]
    ) -> tuple[int, bytes]:
        n, previous = head
        promised = [each.entry.owed_no for each in group if each.entry.owed_no is not None]
        async with connection.transaction():
            mine = await keep(connection, promised) if promised else set()
            rows = []
            for each in group:
                promise = each.entry.owed_no
                if promise is None or promise in mine:
                    mine.discard(promise)  # a promise that is recorded twice stands once
                    row = chain.link(each.entry, n + 1, self._clock.now(), previous)
                    n, previous = row.n, row.hash
                    rows.append(astuple(row))
            if not rows:
                return head
            await connection.copy_records_to_table("audit", records=rows, columns=COLUMNS)
            await connection.execute(
                "insert into audit_head (day, process, n, hash) values ($1, $2, $3, $4)"
                " on conflict (day, process) do update set n = excluded.n, hash = excluded.hash",
                chain.day,
                chain.process,
                n,
                previous,
            )
        return n, previous

    def _refuse(self) -> None:
        """Tell everybody who waits that their entry was not written."""
        while not self._queue.empty():
            each = self._queue.get_nowait()
            if each is not None:
                self._group.append(each)
        for each in self._group:
            if not each.done.done():
                each.done.set_exception(_unaudited())
        self._group.clear()

    def _end(self) -> None:
        self._is_closing = True
        self._refuse()


async def _head(connection: asyncpg.Connection[Any], chain: Chain) -> tuple[int, bytes]:
    """Return number and hash of the chain's last row, from the database: after a lost connection nobody else knows what was committed."""
    row = await connection.fetchrow("select n, hash from audit_head where day = $1 and process = $2", chain.day, chain.process)
    return (row["n"], row["hash"]) if row else (0, chain.genesis())


def _unaudited() -> UnavailableError:
    return UnavailableError(
        "审计日志暂时无法写入，未审计的操作一律不执行；请稍后重试",
        "the audit log cannot be written at the moment and nothing is done unaudited; try again in a moment",
    )
