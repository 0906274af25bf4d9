"""Single writes of many callers, committed together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

import asyncpg

from xinglin.base.database import Database
from xinglin.base.errors import BusyError, UnavailableError
from xinglin.engines.security import Scope
from xinglin.engines.store.model import Cause, Change, Outcome
from xinglin.engines.store.write import Writer

Ticket = TypeVar("Ticket")
Ticket_contra = TypeVar("Ticket_contra", contravariant=True)
GROUP_LIMIT: Final = 256
WAIT_S: Final = 0.002
QUEUE_LIMIT: Final = 4096


class GroupLedger(Protocol[Ticket_contra]):
    """Writes down why: one row per ticket, in the transaction of the group."""

    async def open(self, connection: asyncpg.Connection[Any], tickets: Sequence[Ticket_contra]) -> Sequence[Cause]:
        """Write the rows and return the cause of each ticket, in order."""
        ...

    async def close(
        self, connection: asyncpg.Connection[Any], tickets: Sequence[Ticket_contra], outcomes: Sequence[Sequence[Outcome]]
    ) -> None:
        """Write down what became of each ticket."""
        ...


@dataclass(eq=False, slots=True)
class _Waiting(Generic[Ticket]):
    """One caller's changes on their way."""

    scope: Scope
    changes: Sequence[Change]
    ticket: Ticket
    done: asyncio.Future[list[Outcome]]
    outcomes: list[Outcome] = field(default_factory=list)


class GroupWriter(Generic[Ticket]):
    """Groups the changes of concurrent callers into one transaction: up to 256, or what comes within 2 ms.

    Each caller's outcome is its own: a conflict or an error of one never fails its neighbours. Make it on a running loop; close it.
    """

    def __init__(self, writer: Writer, database: Database, ledger: GroupLedger[Ticket]) -> None:
        self._writer = writer
        self._database = database
        self._ledger = ledger
        self._queue: asyncio.Queue[_Waiting[Ticket] | None] = asyncio.Queue(QUEUE_LIMIT)
        self._is_closing = False
        self._task = asyncio.create_task(self._run(), name="group writer")
        # Should the task end by a defect, nobody waits for it in vain.
        self._task.add_done_callback(lambda _: self._end())

    async def submit(self, scope: Scope, changes: Sequence[Change], ticket: Ticket) -> list[Outcome]:
        """Return the outcomes of one caller's changes once they are committed.

        Raises: BusyError when 4,096 callers wait already; UnavailableError when nothing could be written.
        """
        if self._is_closing:
            raise _closing()
        waiting = _Waiting(scope, changes, ticket, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise BusyError("写入太多，请稍后重试", "too many writes at once; try again in a moment", status=503) from None
        return await waiting.done

    async def close(self) -> None:
        """Commit what waits, then stop."""
        if not self._is_closing:
            self._is_closing = True
            await self._queue.put(None)
        await self._task

    async def _run(self) -> None:
        while (first := await self._queue.get()) is not None:
            group, is_last = await self._gather(first)
            await self._commit(group)
            if is_last:
                return

    def _end(self) -> None:
        self._is_closing = True
        while not self._queue.empty():
            waiting = self._queue.get_nowait()
            if waiting is not None and not waiting.done.done():
                waiting.done.set_exception(_closing())

    async def _gather(self, first: _Waiting[Ticket]) -> tuple[list[_Waiting[Ticket]], bool]:
        """Return the group that starts with a caller, and whether the end of all work came after it."""
        group, size = [first], len(first.changes)
        ends = asyncio.get_running_loop().time() + WAIT_S
        while size < GROUP_LIMIT:
            try:
                async with asyncio.timeout_at(ends):
                    following = await self._queue.get()
            except TimeoutError:
                return group, False
            if following is None:
                return group, True
            group.append(following)
            size += len(following.changes)
        return group, False

    async def _commit(self, group: Sequence[_Waiting[Ticket]]) -> None:
        """Write a group; where it cannot be written whole, each caller alone, so that only the one at fault is told."""
        try:
            await self._write(group)
        except Exception as error:  # noqa: BLE001 - each caller is told what came of the write
            if len(group) > 1 and not isinstance(error, UnavailableError):
                for waiting in group:
                    await self._commit([waiting])
                return
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
            return
        for waiting in group:
            if not waiting.done.done():
                waiting.done.set_result(waiting.outcomes)

    async def _write(self, group: Sequence[_Waiting[Ticket]]) -> None:
        tickets = [waiting.ticket for waiting in group]
        async with self._database.transaction() as connection:
            causes = await self._ledger.open(connection, tickets)
            for run in _runs(list(zip(group, causes, strict=True))):
                changes = [change for waiting, _ in run for change in waiting.changes]
                reasons = [cause for waiting, cause in run for _ in waiting.changes]
                outcomes = iter(await self._writer.write(connection, run[0][0].scope, changes, reasons))
                for waiting, _ in run:
                    waiting.outcomes = [next(outcomes) for _ in waiting.changes]
            await self._ledger.close(connection, tickets, [waiting.outcomes for waiting in group])


def _closing() -> UnavailableError:
    return UnavailableError("正在关闭，本次没有保存", "shutting down, nothing was saved")


def _runs(pairs: Sequence[tuple[_Waiting[Ticket], Cause]]) -> list[list[tuple[_Waiting[Ticket], Cause]]]:
    """Return the callers in their order, cut where the scope changes."""
    runs: list[list[tuple[_Waiting[Ticket], Cause]]] = []
    for pair in pairs:
        if not runs or runs[-1][0][0].scope is not pair[0].scope:
            runs.append([])
        runs[-1].append(pair)
    return runs
