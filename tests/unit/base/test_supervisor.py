"""A process that is started whenever a file stands: never before, again while it stands, not after it is gone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from xinglin.base.supervisor import Child, Supervisor


async def nothing() -> None:
    """What is done once the children have been started."""


async def until_it_said(log: Path, more_than: int) -> int:
    while not log.exists() or log.stat().st_size <= more_than:
        await asyncio.sleep(0.1)
    return log.stat().st_size


async def test_a_process_runs_whenever_its_file_stands(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    note, log = tmp_path / "note", tmp_path / "log" / "errand.log"
    supervisor = Supervisor(dict(os.environ), tmp_path / "log", None)
    running = asyncio.create_task(supervisor.run([Child("errand", ["--help"], when=note)], nothing))
    await asyncio.sleep(1)
    assert supervisor.pids() == {} and not log.exists(), "nobody asked for it"

    note.touch()
    once = await until_it_said(log, 0)
    await until_it_said(log, once)
    note.unlink()

    supervisor.stop()
    await running
    assert supervisor.pids() == {}
