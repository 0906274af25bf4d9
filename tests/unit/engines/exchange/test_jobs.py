"""Long work: shown while it runs, told when it fails, never silent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.record import MovingClock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError
from xinglin.engines.exchange import Jobs, NewJob, Report

LABEL = ("试一试", "a try")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, zone=MovingClock().zone, size=3)
    yield opened
    await opened.close()


async def test_progress_is_shown_to_every_process_and_the_end_told(database: Database) -> None:
    jobs, other = Jobs(database, MovingClock()), Jobs(database, MovingClock())
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def work(report: Report) -> str:
        await report(3, "half")
        reached.set()
        await go_on.wait()
        return "all"

    await jobs.begin(NewJob("one", LABEL, 6), work)
    await reached.wait()
    running = (await other.shown())[0]
    assert (running.done, running.total, running.note, running.finished_at) == (3, 6, "half", None)
    go_on.set()
    await jobs.settle()
    ended = (await other.shown())[0]
    assert (ended.done, ended.note, ended.failed, ended.finished_at is None) == (6, "all", "", False)


async def test_a_refusal_ends_the_job_with_its_sentence(database: Database) -> None:
    jobs = Jobs(database, MovingClock())

    async def work(report: Report) -> str:
        raise ConflictError("不行", "no")

    await jobs.begin(NewJob("two", LABEL, 1), work)
    await jobs.settle()
    assert next(job for job in await jobs.shown() if job.job == "two").failed == "不行\nno"


async def test_work_that_stopped_with_its_process_is_told_to_be_begun_again(database: Database) -> None:
    clock = MovingClock()
    jobs = Jobs(database, clock)

    async def work(report: Report) -> str:
        await asyncio.Event().wait()
        return ""

    await jobs.begin(NewJob("three", LABEL, 1), work)
    await asyncio.sleep(0)
    clock.pass_(minutes=3)
    assert next(job for job in await jobs.shown() if job.job == "three").is_stale
    await jobs.close()
    assert "重新开始" in next(job for job in await jobs.shown() if job.job == "three").failed
    clock.pass_(minutes=30)
    assert "three" not in {job.job for job in await jobs.shown()}
