"""The lake as the engine process runs it: refresh as the feed moves, answer queries, tell who waits for new rows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import pyarrow as pa

from xinglin.base.clock import Clock
from xinglin.base.errors import UnavailableError
from xinglin.base.loop import Loop
from xinglin.engines.lake.feed import FeedSource
from xinglin.engines.lake.lake import Lake
from xinglin.engines.lake.reader import Parameters, Reader, ReaderOptions
from xinglin.engines.lake.snapshot import Snapshot
from xinglin.engines.lake.threads import in_thread
from xinglin.engines.security import Scope

_log = logging.getLogger(__name__)
COALESCE_S: Final = 0.2
LOAD_ENTRIES: Final = 200
"""So many entries within one look at the feed are a load."""
LOAD_PAUSE_S: Final = 0.5
LONGEST_S: Final = 10.0
_RETRY_S: Final = 2.0
AfterRefresh = Callable[[Snapshot], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How far the columns lag behind the record.  seq: of the snapshot; head: newest entry of the feed; problems: versions no view could read."""

    seq: int
    head: int
    made_at: datetime
    problems: int

    @property
    def lag(self) -> int:
        """Return how many entries are not in the columns yet."""
        return self.head - self.seq


class LakeService:
    """One per engine process.  All methods are for its event loop; files and SQL run in threads."""

    def __init__(self, lake: Lake, source: FeedSource, clock: Clock, options: ReaderOptions) -> None:
        self._lake = lake
        self._source = source
        self._clock = clock
        self._reader = Reader(lake.folder, lake.schemas, lake.snapshot, options)
        lake.watch_use(self._reader.files_in_use)
        self._writing = asyncio.Lock()
        self._most_questions = 2 * options.threads
        self._slots = asyncio.Semaphore(self._most_questions)
        self._listeners: list[AfterRefresh] = []
        self._background = Loop("lake")

    def after_refresh(self, listener: AfterRefresh) -> None:
        """Call `listener` with the snapshot after each refresh that brought something."""
        self._listeners.append(listener)

    async def refresh(self) -> Snapshot:
        """Bring the columns up to the head of the feed, show them to new queries, and return the snapshot."""
        return await self._write(self._lake.refresh)

    async def rebuild(self) -> Snapshot:
        """Make every table anew from the feed; queries see the old ones until it is done."""
        return await self._write(self._lake.rebuild)

    async def fold(self) -> None:
        """Fold small files where a table has too many; queries go on meanwhile."""
        async with self._writing:
            if await in_thread(self._lake.compact):
                self._reader.show(self._lake.snapshot)

    async def tidy(self) -> int:
        """Fold, then delete the files no snapshot and no query needs any more; returns how many.  For a quiet hour."""
        await self.fold()
        async with self._writing:
            return await in_thread(partial(self._lake.sweep, self._lake.options.keep_s))

    async def query(self, scope: Scope, sql: str, parameters: Parameters = (), *, as_known_on: int | None = None) -> tuple[pa.Table, int]:
        """Return the rows of one SELECT and the seq they are true for; see `Reader.query`."""
        async with self._slots:
            return await in_thread(partial(self._reader.query, scope, sql, parameters, as_known_on=as_known_on))

    async def freshness(self) -> Freshness:
        """Return how far the columns lag behind the record."""
        snapshot = self._reader.snapshot
        return Freshness(snapshot.seq, await self._source.head(), snapshot.made_at, len(self._lake.problems))

    def start(self, poll_s: float = 1.0) -> None:
        """Refresh as soon as the feed moves, gathering what comes within COALESCE_S, longer during a load.  poll_s: how long one wait for the feed lasts."""
        self._background.start(lambda: self._run(poll_s))

    async def stop(self) -> None:
        """End the loop, wait for running questions, then close the engine and give back the writer's lock."""
        await self._background.stop()
        for _ in range(self._most_questions):
            await self._slots.acquire()
        async with self._writing:
            self._reader.close()
            self._lake.close()

    def handlers(self) -> dict[str, Callable[..., Awaitable[Any]]]:
        """Return what other processes may call through `base.channel`; no record leaves by it."""

        async def freshness() -> dict[str, Any]:
            found = await self.freshness()
            return {"seq": found.seq, "head": found.head, "made_at": found.made_at.isoformat(), "problems": found.problems}

        async def refresh() -> dict[str, Any]:
            snapshot = await self.refresh()
            return {"seq": snapshot.seq, "made_at": snapshot.made_at.isoformat()}

        return {"lake.freshness": freshness, "lake.refresh": refresh}

    async def _write(self, work: Callable[[FeedSource], Awaitable[Snapshot]]) -> Snapshot:
        async with self._writing:
            before = self._reader.snapshot
            snapshot = await work(self._source)
            self._reader.show(snapshot)
            if self._lake.owes_sweep:
                await in_thread(partial(self._lake.sweep, None))
        if snapshot.number != before.number:
            for listener in self._listeners:
                try:
                    await listener(snapshot)
                except Exception:  # noqa: BLE001 - a listener's failure is its own: the refresh is done and the others are told
                    _log.exception("a listener of the lake failed")
        return snapshot

    async def _gather(self) -> None:
        """Let entries come in for COALESCE_S; while a load brings more and more, leave it the machine, for LONGEST_S at most."""
        loop = asyncio.get_running_loop()
        latest, pause_s = loop.time() + LONGEST_S, COALESCE_S
        head = await self._source.head()
        while True:
            await asyncio.sleep(pause_s)
            before, head = head, await self._source.head()
            if head - before < LOAD_ENTRIES or loop.time() >= latest:
                return
            pause_s = LOAD_PAUSE_S

    async def _run(self, poll_s: float) -> None:
        while True:
            try:
                if await self._source.wait(self._reader.snapshot.seq, poll_s):
                    await self._gather()
                    await self.refresh()
                    await self.fold()
            except UnavailableError as error:
                _log.warning("the lake waits: %s", error)
                await asyncio.sleep(_RETRY_S)
            except Exception:  # noqa: BLE001 - the outermost edge of the loop: what failed is logged and tried again
                _log.exception("the lake could not be refreshed")
                await asyncio.sleep(_RETRY_S)
