"""A daily job runs once a day of the district, whatever the clock does, and tells what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.record import MovingClock
from xinglin.base.database import Database
from xinglin.base.errors import UnavailableError
from xinglin.engines.jobs import Daily, DailyJob, Runs

ZONE = ZoneInfo("Asia/Shanghai")


def at(text: str) -> datetime:
    """Return an instant written as the district's wall shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@dataclass
class Night:
    """A daily job that notes the days it ran for, on a clock a test moves."""

    database: Database
    clock: MovingClock
    days: list[date] = field(default_factory=list)
    refuses: bool = False

    def daily(self) -> Daily:
        return Daily(Runs(self.database, self.clock), self.clock, [DailyJob("results", self.work), DailyJob("tokens", self.other)])

    async def work(self, day: date) -> dict[str, Any]:
        if self.refuses:
            raise UnavailableError("湖不可写", "the lake cannot be written")
        self.days.append(day)
        return {"rows": len(self.days)}

    async def other(self, day: date) -> dict[str, Any]:
        return {}


@pytest.fixture
async def night(database_url: str) -> AsyncIterator[Night]:
    database = await Database.open(database_url, zone=ZONE, size=2)
    async with database.connection() as connection:
        await connection.execute("truncate engine_run")
    yield Night(database, MovingClock(at("2026-11-21 02:29"), ZONE))
    await database.close()


async def test_a_job_runs_when_its_time_comes_and_once(night: Night) -> None:
    daily = night.daily()
    assert await daily.run_due() == []
    night.clock.pass_(minutes=1)
    assert await daily.run_due() == ["results", "tokens"]
    for _ in range(3):
        night.clock.pass_(hours=4)
        assert await daily.run_due() == []
    assert night.days == [date(2026, 11, 21)]


async def test_a_clock_that_goes_back_an_hour_does_not_double_a_run(night: Night) -> None:
    daily = night.daily()
    night.clock.pass_(minutes=10)
    await daily.run_due()
    night.clock.pass_(hours=-1)
    assert await daily.run_due() == []
    night.clock.pass_(hours=2)
    assert await daily.run_due() == []
    assert len(night.days) == 1


async def test_a_clock_that_goes_back_over_midnight_waits_for_the_next_new_day(night: Night) -> None:
    daily = night.daily()
    night.clock.pass_(hours=1)
    await daily.run_due()
    night.clock.instant = at("2026-11-20 23:00")
    assert await daily.run_due() == []
    night.clock.instant = at("2026-11-21 05:00")
    assert await daily.run_due() == []
    night.clock.instant = at("2026-11-22 02:30")
    await daily.run_due()
    assert night.days == [date(2026, 11, 21), date(2026, 11, 22)]


async def test_a_clock_that_jumps_a_day_ahead_runs_the_day_it_lands_on_at_once(night: Night) -> None:
    daily = night.daily()
    night.clock.pass_(hours=1)
    await daily.run_due()
    night.clock.pass_(days=1, hours=8)
    await daily.run_due()
    await daily.run_due()
    assert night.days == [date(2026, 11, 21), date(2026, 11, 22)]


async def test_a_clock_that_ran_away_by_years_and_was_put_right_keeps_no_night_from_being_done(night: Night) -> None:
    daily = night.daily()
    night.clock.pass_(days=3650, hours=1)
    await daily.run_due()
    night.clock.pass_(days=-3650)
    await daily.run_due()
    await daily.run_due()
    night.clock.pass_(days=1)
    await daily.run_due()
    assert night.days[1:] == [date(2026, 11, 21), date(2026, 11, 22)]


async def test_a_restart_goes_by_what_is_written_down_and_repeats_what_was_cut_off(night: Night) -> None:
    night.clock.pass_(hours=1)
    await night.daily().run_due()
    assert await night.daily().run_due() == []
    async with night.database.connection() as connection:
        await connection.execute("update engine_run set finished_at = null")
    assert "results" in await night.daily().run_due()


async def test_a_job_that_fails_lets_the_others_run_and_is_tried_again_later(night: Night) -> None:
    daily = night.daily()
    night.clock.pass_(hours=1)
    night.refuses = True
    assert await daily.run_due() == ["tokens"]
    night.refuses = False
    assert await daily.run_due() == []
    night.clock.instant += timedelta(minutes=11)
    assert await daily.run_due() == ["results"]
    told = {run.job: run for run in await Runs(night.database, night.clock).newest()}
    assert told["results"].went_well and told["results"].detail == {"rows": 1}
    assert [run.went_well for run in await Runs(night.database, night.clock).last("results")] == [True, False]


async def test_a_job_without_counts_is_written_down_as_done(night: Night) -> None:
    night.clock.pass_(hours=1)
    await night.daily().run_due()
    told = {run.job: run for run in await Runs(night.database, night.clock).newest()}
    assert told["tokens"].went_well and told["tokens"].duration_ms is not None
