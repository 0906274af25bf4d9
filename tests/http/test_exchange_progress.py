"""How long work stands on the pages of 数据接入: once, from the start, and never falling back."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.district import HIS, open_district
from tests.http.signed_in import World, people
from tests.http.test_exchange_pages import patients
from xinglin.engines.exchange import NewJob, Report


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform, people(platform) as found:
        yield World(platform, found)


async def test_work_that_goes_on_stands_once_on_every_page(world: World) -> None:
    ended, begun = asyncio.Event(), asyncio.Event()

    async def work(report: Report) -> str:
        await report(3, "")
        begun.set()
        await ended.wait()
        return "好了\ndone"

    await world.platform.jobs.begin(NewJob("long", ("整理数据", "tidying"), 7), work)
    await begun.wait()
    for path in ("/exchange", "/exchange/import", "/exchange/quarantine", "/residents"):
        page = (await world.steward.get(path)).text
        assert page.count("整理数据") == 1 and page.count("3 / 7") == 1, path
    ended.set()
    await world.platform.jobs.settle()
    page = (await world.steward.get("/exchange")).text
    assert page.count("整理数据") == 1 and "已完成" in page
    assert "整理数据" not in (await world.steward.get("/residents")).text


async def test_work_that_died_long_ago_does_not_stand_on_every_page(world: World) -> None:
    now = world.platform.clock.now()
    async with world.platform.database.connection() as connection:
        await connection.execute(
            "insert into progress (job, label_zh, label_en, done, total, changed_at)"
            " values ('alive', '正在导入', 'alive', 1, 9, $1), ('dead', '断在半路', 'dead', 1, 9, $1 - interval '16 minutes')",
            now,
        )
    page = (await world.steward.get("/residents")).text
    assert "正在导入" in page and "断在半路" not in page
    async with world.platform.database.connection() as connection:
        await connection.execute("delete from progress where job in ('alive', 'dead')")


async def test_the_lines_of_a_packed_file_are_counted_as_they_are_written(world: World, tmp_path: Path) -> None:
    blank = b"\n".join([b" " * 30_000] * 40)
    files = [
        ("files", ("one.ndjson", patients(*range(200, 220)) + b"\n" + blank)),
        ("files", ("two.ndjson.gz", gzip.compress(patients(*range(220, 240)) + b"\n"))),
        ("files", ("three.json", b"{\n\n\n}")),
    ]
    await world.steward.post("/exchange/import", {"source": HIS}, 303, files)
    await world.platform.jobs.settle()
    async with world.platform.database.connection() as connection:
        total = await connection.fetchval("select total from progress where job like 'import-%'")
    assert total == 59 + 20 + 1
