"""A writer of its own process: saves follow-ups one after the other until it is stopped, and tells how many.  See `bench.pages`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bench.ground import platform_of, run_async
from bench.house import House
from bench.visits import Desk
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.base.settings import read_settings

EVERY_S: Final = 0.5
REPOSITORY: Final = Path(__file__).resolve().parents[1]


async def _write(data_dir: Path) -> None:
    settings = read_settings({"XINGLIN_DATA": str(data_dir)}).with_(database_url=EmbeddedPostgres(data_dir).url, demo=True)
    async with platform_of(settings) as platform:
        desk = await Desk.open(platform)
        persons = await desk.persons(100)
        print(0, flush=True)
        written = 0
        while True:
            await desk.save(persons[written % len(persons)], "132/82")
            written += 1
            print(written, flush=True)
            await asyncio.sleep(EVERY_S)


class Writer:
    """A running writer. written: follow-ups it saved so far."""

    written = 0

    async def follow(self, output: asyncio.StreamReader) -> None:
        """Read what it tells."""
        async for line in output:
            self.written = int(line)


@asynccontextmanager
async def writing(house: House) -> AsyncIterator[Writer]:
    """Let a writer write beside the block."""
    environment = {**os.environ, "XINGLIN_DATABASE_URL": ""}
    command = [sys.executable, "-m", "bench.writer", str(house.data_dir.resolve())]
    process = await asyncio.create_subprocess_exec(*command, env=environment, cwd=REPOSITORY, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    writer = Writer()
    try:
        if not await asyncio.wait_for(process.stdout.readline(), 120):
            raise AssertionError("the writer ended before it wrote anything")
        following = asyncio.create_task(writer.follow(process.stdout))
        yield writer
        following.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
    if not writer.written:
        raise AssertionError("the writer wrote nothing")


if __name__ == "__main__":
    run_async(_write(Path(sys.argv[1])))
