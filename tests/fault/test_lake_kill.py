"""A lake writer killed at any moment loses nothing and doubles nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.unit.engines.lake.conftest import CLOCK, ZONE
from tests.unit.engines.lake.long_feed import long_feed
from xinglin.engines.lake import Lake, Reader, ReaderOptions, load_views
from xinglin.engines.security import Scopes

HEAD, KILLS = 500, 8


def _run_and_kill(folder: Path, lines: int, wait_s: float) -> bool:
    """Start the writer, kill it with SIGKILL some time after so many lines; returns whether it had ended by itself."""
    command = [sys.executable, "-m", "tests.fault.lake_writer", str(folder), str(HEAD)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], text=True) as process:
        assert process.stdout is not None
        for read, _ in enumerate(process.stdout):
            if read >= lines:
                break
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        else:
            assert process.returncode == 0
            return True
        process.wait()
        assert process.returncode == -signal.SIGKILL
        return False


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
    random, killed = Random(7), 0
    for _ in range(KILLS):
        killed += not _run_and_kill(tmp_path / "killed", random.randint(0, 3), random.random() * 0.12)
    assert killed >= KILLS // 2
    while not _run_and_kill(tmp_path / "killed", HEAD, 60):
        pass
    straight = Lake(tmp_path / "straight", load_views(ZONE), CLOCK)
    assert asyncio.run(straight.refresh(long_feed(HEAD))).seq == HEAD
    straight.close()
    expected = _contents(tmp_path / "straight")
    assert expected["answer@None"] and expected["person_scope@100"]
    assert _contents(tmp_path / "killed") == expected
