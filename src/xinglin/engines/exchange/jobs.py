"""Long work somebody watches: it goes on when they leave the page, and its row in table `progress` says how far it is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import FaultError, XinglinError

_SHOWN_AFTER: Final = timedelta(minutes=10)
_FORGOTTEN_AFTER: Final = timedelta(days=1)
_STALE_AFTER: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Job:
    """One row of table `progress`. label: (Chinese, English).  failed: sentence of what went wrong, "" where nothing did."""

    job: str
    label: tuple[str, str]
    done: int
    total: int
    note: str
    started_at: datetime
    finished_at: datetime | None
    failed: str
    is_stale: bool = False


@dataclass(frozen=True, slots=True)
class NewJob:
    """Work to begin. job: its name, unique.  label: (Chinese, English)."""

    job: str
    label: tuple[str, str]
    total: int


Report = Callable[[int, str], Awaitable[None]]
"""Called with (done, note)."""


class Jobs:
    """Begins long work in this process and shows that of every process.

    Nothing is lost when the process ends: what is committed stays, and the same work begun again goes on from there.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()

    async def begin(self, new: NewJob, work: Callable[[Report], Awaitable[str]]) -> None:
        """Begin work; it returns the note to end with. A XinglinError ends the job with its sentence."""
        async with self._database.connection() as connection:
            await connection.execute(
                """insert into progress (job, label_zh, label_en, total, started_at, changed_at) values ($1, $2, $3, $4, $5, $5)
                   on conflict (job) do update set done = 0, total = excluded.total, note = '', started_at = excluded.started_at,
                   changed_at = excluded.changed_at, finished_at = null, failed = null""",
                new.job, *new.label, new.total, self._now(),
            )  # fmt: skip
        task = asyncio.create_task(self._run(new.job, work), name=f"job {new.job}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, job: str, work: Callable[[Report], Awaitable[str]]) -> None:
        async def report(done: int, note: str = "") -> None:
            await self._write("update progress set done = $2, note = $3, changed_at = $4 where job = $1", job, done, note, self._now())

        try:
            note = await work(report)
        except XinglinError as error:
            await self._end(job, "", f"{error.zh}\n{error.en}")
        except asyncio.CancelledError:
            await self._end(job, "", "系统停止，重新开始即可继续\nthe system stopped; begin again to go on")
            raise
        except Exception as error:
            fault = FaultError("没有完成，请重试", "it was not completed; try again")
            await self._end(job, "", f"{fault.zh}\n{fault.en}")
            raise error
        else:
            await self._end(job, note, None)

    async def _end(self, job: str, note: str, failed: str | None) -> None:
        with contextlib.suppress(XinglinError):
            await self._write(
                "update progress set finished_at = $2, changed_at = $2, note = $3, failed = $4::text, done = case when $4::text is null then total else done end"
                " where job = $1",
                job, self._now(), note, failed,
            )  # fmt: skip

    async def _write(self, query: str, *values: object) -> None:
        async with self._database.connection() as connection:
            await connection.execute(query, *values)

    async def shown(self) -> list[Job]:
        """Return what runs or ended in the last minutes, newest first."""
        now = self._now()
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """select * from progress where (finished_at is null and changed_at > $2) or finished_at > $1
                   order by finished_at is null desc, started_at desc limit 20""",
                now - _SHOWN_AFTER,
                now - _FORGOTTEN_AFTER,
            )
        return [
            Job(
                row["job"], (row["label_zh"], row["label_en"]), row["done"], row["total"], row["note"], row["started_at"], row["finished_at"],
                row["failed"] or "", row["finished_at"] is None and now - row["changed_at"] > _STALE_AFTER,
            )
            for row in rows
        ]  # fmt: skip

    async def settle(self) -> None:
        """Return when everything this process began has ended."""
        while self._running:
            await asyncio.wait(set(self._running))

    async def close(self) -> None:
        """Stop what still runs."""
        for task in set(self._running):
            task.cancel()
        for task in set(self._running):
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    def _now(self) -> datetime:
        return self._clock.now()
