"""kill -9 of the importer or of PostgreSQL in the middle of an import loses nothing acknowledged and doubles nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.fault.installation import kill_server
from xinglin.base.database import migrate
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.synthetic import Plan, generate

pytestmark = pytest.mark.fault
KILLS = 6
COUNTS = """select (select count(*) from res), (select count(*) from hist), (select coalesce(max(ver), 0) from res),
    (select count(*) from person_link where to_seq is null), (select count(*) from person_link where to_seq is not null),
    (select count(*) from resident), (select count(*) from message), (select count(*) from message where state = 'received'),
    (select count(*) from quarantine), (select count(*) - coalesce(max(seq), 0) from feed)"""


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of one source of a very small district."""
    folder = tmp_path_factory.mktemp("district")
    generate(Plan(residents=300, seed=7, as_of=date(2026, 6, 1), years=2), folder)
    return folder / "base-platform"


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server and an empty, migrated database of its own."""
    os.chmod(tmp_path, 0o711)
    server = EmbeddedPostgres(open_data_folder(tmp_path / "data"))
    migrate(server.start())
    yield server
    server.stop()


def start_import(server: EmbeddedPostgres, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "XINGLIN_DATA": str(server.data_dir), "XINGLIN_DATABASE_URL": server.url}
    command = [sys.executable, "-m", "xinglin", "import", str(folder), "--source", "base-platform", "--name", "x", "--no-foreign"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


def counts(server: EmbeddedPostgres) -> tuple[Any, ...]:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(COUNTS).fetchone()
        assert row is not None
        return tuple(row)


def await_progress(server: EmbeddedPostgres, process: subprocess.Popen[bytes], seq: int) -> bool:
    """Wait until the feed has reached seq (True) or the import has ended (False)."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        while process.poll() is None:
            row = connection.execute("select seq from feed_head").fetchone()
            if row is not None and row[0] >= seq:
                return True
            time.sleep(0.01)
    return False


def test_killing_the_importer_or_the_database_changes_nothing(installation: EmbeddedPostgres, district: Path) -> None:
    chance = random.Random(11)
    lines = sum(sum(1 for line in path.open("rb") if line.strip()) for path in district.glob("*.ndjson"))
    for kill in range(KILLS):
        process = start_import(installation, district)
        assert await_progress(installation, process, lines * (kill + 1) // (KILLS + 2)), "the import ended before it could be killed"
        time.sleep(chance.uniform(0, 0.1))
        if kill % 3 == 2:
            kill_server(installation)
        process.kill()
        process.wait()
        installation.start()
    assert start_import(installation, district).wait(600) == 0
    stored, superseded, version, linked, unlinked, _, messages, unfinished, waiting, holes = counts(installation)
    assert (stored + waiting, superseded, version) == (lines, 0, 1)
    assert (unlinked, unfinished, holes) == (0, 0, 0)
    assert messages == len(list(district.glob("*.ndjson")))
    patients = sum(1 for _ in (district / "0001-patients.ndjson").open("rb"))
    assert linked == patients
    before = counts(installation)
    assert start_import(installation, district).wait(600) == 0
    assert counts(installation) == before
