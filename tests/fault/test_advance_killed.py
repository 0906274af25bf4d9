"""kill -9 of the process that moves a demonstration to today: begun again it goes on, and every day comes in once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path

import psycopg
import pytest

from tests.record import ZONE, MovingClock
from xinglin.assembly import assemble
from xinglin.base.kept_day import KeptDay
from xinglin.base.settings import Settings
from xinglin.cli.loading import load
from xinglin.synthetic import Plan, generate

pytestmark = pytest.mark.fault
DAY, UNTIL = date(2026, 3, 1), date(2027, 3, 1)
UNFINISHED = "select count(*) from message where message_id like 'advance-%' and state = 'received'"
NEW_SINCE = "select count(*) from feed where kind = 'resource' and seq > %s"
MOMENTS = {
    "the days are being written": "select count(*) from progress where job = 'demo-lived'",
    "the first file is being sent": "select count(*) from message where message_id like 'advance-%'",
    "the sixth file is being sent": "select count(*) - 5 from message where message_id like 'advance-%'",
    "every file is sent": "select count(*) from progress where job = 'demo-moved' and note like '计算指标%'",
}


def asked(url: str, query: str, *values: object) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(query, values or None).fetchone()
        assert row is not None
        return int(row[0])


async def demonstration(url: str, folder: Path) -> None:
    generate(Plan(residents=300, seed=1, as_of=DAY, years=1), folder / "demo")
    async with assemble(Settings(data_dir=folder, database_url=url, demo=True), "command") as platform:
        assert platform.kept_day is not None
        platform.kept_day.keep()
        await load(platform, folder / "demo")


def mover(url: str, folder: Path) -> subprocess.Popen[bytes]:
    """Begin the process as the supervisor does."""
    environment = os.environ | {"XINGLIN_DATA": str(folder), "XINGLIN_DATABASE_URL": url}
    with (folder / "mover.log").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "xinglin", "advance-demo"], env=environment, stdout=log, stderr=log, cwd="/")


def wait(process: subprocess.Popen[bytes], url: str, moment: str) -> None:
    """Return once a moment has come. The process never ends by itself: nobody reckons figures here, and it waits for them."""
    while asked(url, moment) < 1:
        assert process.poll() is None, "the move ended by itself"
        time.sleep(0.1)


async def test_a_move_that_is_killed_again_and_again_brings_every_day_once(database_url: str, tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o711)
    await demonstration(database_url, tmp_path)
    head = asked(database_url, "select seq from feed_head")
    kept = KeptDay(tmp_path / "demo" / "day.json", MovingClock(datetime(2027, 3, 1, 12, tzinfo=ZONE), ZONE), DAY)
    assert kept.ask() == UNTIL

    for moment in MOMENTS.values():
        process = mover(database_url, tmp_path)
        wait(process, database_url, moment)
        process.kill()
        process.wait()
        assert kept.asked() == UNTIL, "the request stands until the move is done"

    parts = list((tmp_path / "demo").glob("advance-*[0-9]"))
    assert [part.name for part in parts] == [f"advance-{UNTIL}"] and kept.stands_at() == UNTIL
    lines = sum(path.read_bytes().count(b"\n") for path in parts[0].glob("*/000*.ndjson"))
    assert asked(database_url, UNFINISHED) == 0
    assert asked(database_url, NEW_SINCE, head) == lines, "every line is in the feed once"
