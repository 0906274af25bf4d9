"""The feed under many writers, and writers that die."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.record import Record, open_record, patient
from xinglin.base.errors import NotFoundError
from xinglin.engines.security import InstallationSecrets
from xinglin.engines.store import Cursor, Delete, FeedEntry

pytestmark = pytest.mark.fault
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("secrets")


@pytest.fixture(scope="module")
async def record(database_url: str, secrets_folder: Path) -> AsyncIterator[Record]:
    async with open_record(database_url, InstallationSecrets.load(secrets_folder)) as opened:
        yield opened


async def start(url: str, secrets: Path, name: str) -> asyncio.subprocess.Process:
    """Start a writer process."""
    command = ("-m", "tests.fault.store_writer", url, str(secrets), name)
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE
    )


async def follow(record: Record, writers: list[asyncio.subprocess.Process]) -> list[FeedEntry]:
    """Read the feed while it is written, until the writers have ended; a hole at any moment fails."""
    read: list[FeedEntry] = []
    while True:
        ended = all(writer.returncode is not None for writer in writers)
        entries = await record.store.feed(Cursor(len(read)), 50)
        assert [entry.seq for entry in entries] == list(range(len(read) + 1, len(read) + len(entries) + 1))
        read += entries
        if not entries and ended:
            return read
        if not entries:
            await record.store.wait(Cursor(len(read)), 0.2)


async def test_four_writers_make_one_dense_feed_in_the_order_of_their_commits(
    record: Record, database_url: str, secrets_folder: Path
) -> None:
    writers = [await start(database_url, secrets_folder, name) for name in "abcd"]
    waiting = [asyncio.create_task(writer.wait()) for writer in writers]
    read = await follow(record, writers)
    assert [await each for each in waiting] == [0, 0, 0, 0]
    assert len(read) == await record.store.head() > 200
    versions: dict[int, int] = {}
    for entry in read:
        assert entry.rid is not None and entry.ver == versions.get(entry.rid, 0) + 1
        assert entry.body is not None and f'"versionId":"{entry.ver}"'.encode() in entry.body
        versions[entry.rid] = entry.ver
    instants = [entry.updated_at for entry in read]
    assert instants == sorted(instants) and len(set(instants)) > 20, "in order, though the writers' clocks disagree"
    async with record.database.connection() as connection:
        rows = await connection.fetch("select rid, ver from res")
    assert {row["rid"]: row["ver"] for row in rows} == versions


async def test_a_writer_killed_before_its_commit_leaves_nothing_and_holds_nobody_up(
    record: Record, database_url: str, secrets_folder: Path
) -> None:
    head = await record.store.head()
    writer = await start(database_url, secrets_folder, "stop")
    assert writer.stdout is not None and await writer.stdout.readline() == b"written\n"
    writer.kill()
    await writer.wait()
    [outcome] = await record.put(patient("after-the-kill"))
    assert (outcome.status, outcome.seq) == ("created", head + 1)
    with pytest.raises(NotFoundError) as missing:
        await record.store.read(record.house, "Patient", "unfinished")
    assert missing.value.http_status == 404
    async with record.database.connection() as connection:
        for table in ("res", "hist", "feed"):
            count = await connection.fetchval(f"select count(*) from {table} t join ident i on i.rid = t.rid where i.id = 'unfinished'")
            assert count == 0, table


async def test_opposite_orders_do_not_deadlock(record: Record) -> None:
    bodies = [patient(f"crossed-{n}") for n in range(20)]

    async def turn(number: int) -> None:
        order = bodies if number % 2 else list(reversed(bodies))
        await record.put(*({**body, "language": f"{number}"} for body in order))
        await record.write(*(Delete("Patient", body["id"]) for body in order[:5]))

    await asyncio.gather(*(turn(number) for number in range(12)))
    assert await record.store.head() == len(await record.store.feed(Cursor(0), 10_000))
