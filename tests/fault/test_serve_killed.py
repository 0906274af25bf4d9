"""kill -9 of web, engine, importer or PostgreSQL while an import runs under `xinglin serve`: everything comes back, nothing is lost or doubled."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.fault.installation import Served, serving, until
from tests.fault.test_import_killed import COUNTS, await_progress
from xinglin.synthetic import Plan, generate

pytestmark = pytest.mark.fault
VICTIMS = ("importer", "postgres", "web", "engine")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of one source of a very small district."""
    folder = tmp_path_factory.mktemp("district")
    generate(Plan(residents=300, seed=3, as_of=date(2026, 6, 1), years=1), folder)
    return folder / "base-platform"


def begin(served: Served, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "XINGLIN_DATA": str(served.data)}
    command = [sys.executable, "-m", "xinglin", "import", str(folder), "--source", "base-platform", "--name", "x", "--no-foreign"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


def counts(served: Served) -> tuple[int, ...]:
    until(lambda: answers(served))  # the server may still be reading its log after the last kill
    with psycopg.connect(served.server.url) as connection:
        row = connection.execute(COUNTS).fetchone()
        assert row is not None
        return tuple(row)


def answers(served: Served) -> bool:
    try:
        psycopg.connect(served.server.url).close()
    except psycopg.OperationalError:
        return False
    return True


def is_caught_up(served: Served) -> bool:
    """Return whether results have been reckoned up to the newest entry of the feed."""
    try:
        with psycopg.connect(served.server.url) as connection:
            row = connection.execute("select r.seq, h.seq from feed_head h left join feed_reader r on r.name = 'results'").fetchone()
            return row is not None and row[0] == row[1]
    except psycopg.OperationalError:
        return False


def is_served(served: Served) -> bool:
    try:
        return httpx.get(f"{served.address}/sign-in", timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def restarted(served: Served, victim: str, number: int) -> bool:
    """Return whether the parent has put another process in the place of one that was killed."""
    try:
        return served.pid(victim) != number and answers(served) and is_served(served)
    except (AssertionError, FileNotFoundError):
        return False


def test_whatever_is_killed_comes_back_and_nothing_is_lost_or_doubled(tmp_path: Path, source: Path) -> None:
    os.chmod(tmp_path, 0o711)
    lines = sum(sum(1 for line in path.open("rb") if line.strip()) for path in source.glob("*.ndjson"))
    with serving(tmp_path / "data") as served:
        importer = begin(served, source)
        for turn, victim in enumerate(VICTIMS, 1):
            is_at_work = await_progress(served.server, importer, lines * turn // 6)
            assert is_at_work or turn > 2, "the import is under way when it or its database is killed"
            if victim == "importer":
                importer.kill()
            else:
                number = served.kill(victim)
                until(lambda victim=victim, number=number: restarted(served, victim, number))  # type: ignore[misc]
            if victim == "importer" or importer.poll() not in (None, 0):
                importer.wait()
                importer = begin(served, source)
        if importer.wait(600) != 0:
            importer = begin(served, source)
        assert importer.wait(600) == 0
        stored, superseded, version, _, unlinked, _, messages, unfinished, waiting, holes = counts(served)
        assert (stored + waiting, superseded, version, unlinked, unfinished, holes) == (lines, 0, 1, 0, 0, 0)
        assert messages == len(list(source.glob("*.ndjson")))
        until(lambda: is_caught_up(served))
