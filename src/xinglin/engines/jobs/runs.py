"""Table `engine_run`: what was done, when, for which day, how long it took and what came of it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import XinglinError

Detail = Mapping[str, Any]
Work = Callable[[date], Awaitable[Detail]]


@dataclass(frozen=True, slots=True)
class Run:
    """One run. day: it was done for.  finished_at: None while it runs, or where a kill cut it off.

    duration_ms: by a clock that never jumps.  failed: "" where it went well.
    """

    run_no: int
    job: str
    day: date
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    detail: Detail
    failed: str

    @property
    def went_well(self) -> bool:
        """Whether it came to its end."""
        return self.finished_at is not None and not self.failed


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs. job: "" for every one.  since, until: days on which they began, both inside."""

    job: str = ""
    since: date | None = None
    until: date | None = None
    only_failed: bool = False
    limit: int = 20
    offset: int = 0


class Runs:
    """Writes and reads `engine_run`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def run(self, job: str, work: Work) -> Run:
        """Do `work` for today and write down what came of it; its counts become the detail.  An error is written down and raised again."""
        day, started = self._clock.today(), time.monotonic()
        async with self._database.connection() as connection:
            number = await connection.fetchval(
                "insert into engine_run (job, day, started_at) values ($1, $2, $3) returning run_no", job, day, self._clock.now()
            )
        try:
            detail = await work(day)
        except Exception as error:
            told = f"{error.message('zh')} · {error.message('en')}" if isinstance(error, XinglinError) else type(error).__name__
            await self._close(number, (time.monotonic() - started, {}, told))
            raise
        await self._close(number, (time.monotonic() - started, detail, None))
        return await self._read(number)

    async def _close(self, number: int, result: tuple[float, Detail, str | None]) -> None:
        seconds, detail, failed = result
        async with self._database.connection() as connection:
            await connection.execute(
                "update engine_run set finished_at = $2, duration_ms = $3, detail = $4::jsonb, failed = $5 where run_no = $1",
                number,
                self._clock.now(),
                round(seconds * 1000),
                orjson.dumps(dict(detail)).decode(),
                failed,
            )

    async def _read(self, number: int) -> Run:
        async with self._database.connection() as connection:
            return _run(await connection.fetchrow("select * from engine_run where run_no = $1", number))

    async def newest(self) -> list[Run]:
        """Return the newest run of every job, by name."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("select distinct on (job) * from engine_run order by job, run_no desc")
        return [_run(row) for row in rows]

    async def last(self, job: str, count: int = 30) -> list[Run]:
        """Return the newest runs of a job, newest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("select * from engine_run where job = $1 order by run_no desc limit $2", job, count)
        return [_run(row) for row in rows]

    async def page(self, query: RunQuery) -> tuple[list[Run], int]:
        """Return some runs, newest first, and how many fit in all."""
        where = (
            "($1 = '' or job = $1) and ($2::date is null or started_at >= $2::date::timestamptz)"
            " and ($3::date is null or started_at < ($3::date + 1)::timestamptz) and (not $4 or failed is not null)"
        )
        values = (query.job, query.since, query.until, query.only_failed)
        async with self._database.connection() as connection:
            total: int = await connection.fetchval(f"select count(*) from engine_run where {where}", *values)
            rows = await connection.fetch(
                f"select * from engine_run where {where} order by run_no desc limit $5 offset $6", *values, query.limit, query.offset
            )
        return [_run(row) for row in rows], total

    async def jobs(self) -> list[str]:
        """Return the names of the jobs that have ever run."""
        async with self._database.connection() as connection:
            return [row["job"] for row in await connection.fetch("select distinct job from engine_run order by job")]

    async def newest_day_done(self, job: str) -> date | None:
        """Return the latest day for which the job went well, None for never.

        Tomorrow's counts, for a clock that was put back; a later one was said by a clock that had run away, and keeps nothing from being done.
        """
        async with self._database.connection() as connection:
            day: date | None = await connection.fetchval(
                "select max(day) from engine_run where job = $1 and finished_at is not null and failed is null and day <= $2",
                job,
                self._clock.today() + timedelta(days=1),
            )
        return day


def _run(row: Any) -> Run:
    return Run(
        row["run_no"],
        row["job"],
        row["day"],
        row["started_at"],
        row["finished_at"],
        row["duration_ms"],
        orjson.loads(row["detail"]),
        row["failed"] or "",
    )
