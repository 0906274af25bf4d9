"""A lake writer killed at any moment loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.unit.engines.lake.conftest import CLOCK, ZONE
from tests.unit.engines.lake.long_feed import long_feed
from xinglin.engines.lake import Lake, Reader, ReaderOptions, load_views
from xinglin.engines.security import Scopes

HEAD, KILLS, MOST_BATCHES = 500, 8, 3


def _writer(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.fault.lake_writer", str(folder), str(HEAD)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True)


def _kill_at_work(folder: Path, batches: int, wait_s: float) -> None:
    """Allow the writer so many batches and one more, and kill it with SIGKILL some time into that one: it cannot have ended by itself."""
    with _writer(folder) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("on\n" * (batches + 1))
        process.stdin.flush()
        reached = [int(process.stdout.readline()) for _ in range(batches + 1)]
        time.sleep(wait_s)
        process.kill()
        process.wait()
        assert process.returncode == -signal.SIGKILL and reached == sorted(set(reached)), reached


def _finish(folder: Path) -> None:
    with _writer(folder) as process:
        process.communicate("on\n" * HEAD)
        assert process.returncode == 0


def _contents(folder: Path) -> dict[str, list[str]]:
    lake = Lake(folder, load_views(ZONE), CLOCK)
    reader = Reader(folder, lake.schemas, lake.snapshot, ReaderOptions(ZONE))
    found = {}
    for name in lake.schemas:
        if name != "ended":
            for moment in (None, 100, 333):
                rows, _ = reader.query(Scopes.system_scope(), f"select * from {name}", as_known_on=moment)
                found[f"{name}@{moment}"] = sorted(map(repr, rows.to_pylist()))
    reader.close()
    lake.close()
    return found


@pytest.mark.fault
def test_a_killed_writer_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    random = Random(7)
    for _ in range(KILLS):
        _kill_at_work(tmp_path / "killed", random.randint(0, MOST_BATCHES - 1), random.random() * 0.12)
    _finish(tmp_path / "killed")
    straight = Lake(tmp_path / "straight", load_views(ZONE), CLOCK)
    assert asyncio.run(straight.refresh(long_feed(HEAD))).seq == HEAD
    straight.close()
    expected = _contents(tmp_path / "straight")
    assert expected["answer@None"] and expected["person_scope@100"]
    assert _contents(tmp_path / "killed") == expected
