"""Once a day of the district, after a time of day, whatever the clock does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from xinglin.base.clock import Clock
from xinglin.base.errors import UnavailableError
from xinglin.base.loop import Loop
from xinglin.engines.jobs.runs import Runs, Work

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DailyJob:
    """Repeatable work. name: stable, it stands in `engine_run`.  work: takes the district's day and returns counts."""

    name: str
    work: Work


@dataclass(frozen=True, slots=True)
class DailyOptions:
    """at: time of day in the district's zone.  retry_after: how long what failed waits.  look_s: how often the clock is looked at."""

    at: time = time(2, 30)
    retry_after: timedelta = timedelta(minutes=10)
    look_s: float = 20.0


class Daily:
    """Runs each job once a day, one after another, in the order given."""

    def __init__(self, runs: Runs, clock: Clock, jobs: Sequence[DailyJob], options: DailyOptions | None = None) -> None:
        self._runs = runs
        self._clock = clock
        self._jobs = tuple(jobs)
        self._options = options or DailyOptions()
        self._failed_at: dict[str, datetime] = {}
        self._background = Loop("daily")

    async def due(self) -> list[DailyJob]:
        """Return the jobs that are due now: the time of day has come, and no run for this day or a later one went well."""
        now = self._clock.now().astimezone(self._clock.zone)
        if now.time() < self._options.at:
            return []
        found = []
        for job in self._jobs:
            failed_at = self._failed_at.get(job.name)
            if failed_at is not None and abs(now - failed_at) < self._options.retry_after:
                continue
            done = await self._runs.newest_day_done(job.name)
            if done is None or done < now.date():
                found.append(job)
        return found

    async def run_due(self) -> list[str]:
        """Run what is due and return the names of what went well; a job that fails does not keep the others from running."""
        well = []
        for job in await self.due():
            try:
                await self._runs.run(job.name, job.work)
            except Exception:  # noqa: BLE001 - the outermost edge of a job: it is written down and tried again
                _log.exception("the daily job %s failed", job.name)
                self._failed_at[job.name] = self._clock.now()
            else:
                self._failed_at.pop(job.name, None)
                well.append(job.name)
        return well

    def start(self) -> None:
        """Look at the clock now and then, and run what is due."""
        self._background.start(self._loop)

    async def stop(self) -> None:
        """End the loop; what runs is cut off and begun again another time."""
        await self._background.stop()

    async def _loop(self) -> None:
        while True:
            try:
                await self.run_due()
            except UnavailableError as error:
                _log.warning("the daily jobs wait: %s", error)
            except Exception:  # noqa: BLE001 - the outermost edge of the loop
                _log.exception("the daily jobs could not be looked at")
            await asyncio.sleep(self._options.look_s)
