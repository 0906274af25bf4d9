"""The move of a demonstration to today: the days between come in, twice changes nothing, and what people entered stays.

The tests share a database: each writes the days from the day of data on, what another has loaded comes as nothing new, and each moves to a later day.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.record import ZONE, MovingClock
from xinglin.assembly import Platform, assemble
from xinglin.base.errors import UnavailableError
from xinglin.base.ids import uuid5_of
from xinglin.base.kept_day import KeptDay
from xinglin.base.settings import Settings
from xinglin.cli.continuing import load_days, move_on
from xinglin.cli.loading import load
from xinglin.engines.exchange import OWN_PAGES, Entry, Submission
from xinglin.synthetic import Plan, advance, generate, plan_of

RECORD = "select md5(string_agg(md5(body) || ver::text, '' order by rid)) from res"
DAY, LATER, LAST, CUT, HANDS = date(2026, 11, 21), date(2026, 12, 21), date(2027, 1, 5), date(2027, 1, 25), date(2027, 3, 1)
BASE = "base-platform"


@pytest.fixture
async def demonstration(database_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    folder = tmp_path / "demo"
    generate(Plan(residents=300, seed=1, as_of=DAY, years=1), folder)
    settings = Settings(data_dir=tmp_path, database_url=database_url, demo=True)
    async with assemble(settings, "command") as platform:
        assert platform.kept_day is not None
        platform.kept_day.keep()
        await load(platform, folder)
        yield platform


def asked(folder: Path, until: date) -> KeptDay:
    """Ask for a move as if the machine's day were `until`."""
    kept = KeptDay(folder / "demo" / "day.json", MovingClock(datetime(until.year, until.month, until.day, 12, tzinfo=ZONE), ZONE), DAY)
    kept.ask()
    return kept


async def ask(platform: Platform, query: str, *values: object) -> Any:
    async with platform.database.connection() as connection:
        return await connection.fetchval(query, *values)


async def silent(done: int, note: str) -> None:
    pass


def written(folder: Path, until: date) -> list[tuple[str, dict[str, Any]]]:
    part = folder / "demo" / f"advance-{until}"
    return [(p.parent.name, orjson.loads(line)) for p in sorted(part.glob("*/000*.ndjson")) for line in p.read_bytes().splitlines()]


async def version(platform: Platform, source: str, name: str) -> tuple[int, dict[str, Any]]:
    kind = name.partition("/")[0]
    stored = await platform.store.read(platform.security.system_scope(), kind, uuid5_of(source, name))
    body = orjson.loads(stored.body)
    return int(body["meta"]["versionId"]), body


async def change_by_hand(platform: Platform, source: str, name: str, **changes: Any) -> None:
    """Store a new version of a resource as our own pages do."""
    _, body = await version(platform, source, name)
    entry = Entry({name: value for name, value in body.items() if name != "meta"} | changes)
    content = orjson.dumps(changes)
    message = Submission(OWN_PAGES, f"page-{name}", content, [entry], kind="page", media="application/json", atomic=True)
    receipt = await platform.exchange.submit(platform.security.system_scope(), message)
    assert not receipt.problems


async def test_a_move_brings_the_days_between_and_a_second_time_changes_nothing(demonstration: Platform, tmp_path: Path) -> None:
    before = await ask(demonstration, RECORD)
    await move_on(demonstration, tmp_path / "demo")
    assert await ask(demonstration, RECORD) == before, "nobody asked"

    kept, counted = asked(tmp_path, LATER), []

    async def reckoned(platform: Platform) -> None:
        counted.append(
            (
                platform.clock.now(),
                kept.asked(),
                await ask(platform, "select count(*) from progress where job = 'demo-moved' and finished_at is null"),
            )
        )

    await move_on(demonstration, tmp_path / "demo", reckoned)
    assert len(counted) == 1 and counted[0][1:] == (LATER, 1), "the move is not done before figures are reckoned"
    assert kept.asked() is None and kept.stands_at() == LATER
    lines = written(tmp_path, LATER)
    assert lines
    for source, one in lines:
        assert (await version(demonstration, source, f"{one['resourceType']}/{one['id']}"))[0] >= 1
    assert (
        await ask(demonstration, "select count(*) from quarantine q join message m using (message_no) where m.message_id like 'advance-%'")
        == 0
    )
    assert await ask(demonstration, "select array_agg(job || ' ' || (finished_at is not null) order by job) from progress where job like 'demo-%'") == [
        "demo-lived true", "demo-load true", "demo-moved true",
    ]  # fmt: skip

    after = await ask(demonstration, RECORD), await ask(demonstration, "select max(seq) from feed")
    await load_days(demonstration, tmp_path / "demo" / f"advance-{LATER}", silent)
    assert (await ask(demonstration, RECORD), await ask(demonstration, "select max(seq) from feed")) == after

    asked(tmp_path, LAST)
    await move_on(demonstration, tmp_path / "demo")
    manifest = orjson.loads((tmp_path / "demo" / f"advance-{LAST}" / "manifest.json").read_bytes())
    assert (manifest["since"], manifest["until"]) == (LATER.isoformat(), LAST.isoformat())
    assert await ask(demonstration, "select count(*) from population where year = 2027") > 0
    assert await ask(demonstration, "select max(seq) from feed") > after[1]


async def test_a_move_that_was_cut_off_is_taken_up_and_ends_the_same(
    demonstration: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = asked(tmp_path, CUT)
    whole, sent = demonstration.importer.import_content, []

    async def cut(*given: Any) -> Any:
        sent.append(given)
        if len(sent) > 3:
            raise UnavailableError("断开", "cut off")
        return await whole(*given)

    monkeypatch.setattr(demonstration.importer, "import_content", cut)
    with pytest.raises(UnavailableError, match="tried again"):
        await move_on(demonstration, tmp_path / "demo")
    assert kept.asked() == CUT, "the request stands"
    monkeypatch.undo()
    await move_on(demonstration, tmp_path / "demo")
    assert kept.asked() is None
    for source, one in written(tmp_path, CUT):
        assert (await version(demonstration, source, f"{one['resourceType']}/{one['id']}"))[1]["id"]
    after = await ask(demonstration, RECORD)
    await load_days(demonstration, tmp_path / "demo" / f"advance-{CUT}", silent)
    assert await ask(demonstration, RECORD) == after, "nothing came twice"


async def test_what_people_changed_by_hand_stays_and_they_get_no_more_days(demonstration: Platform, tmp_path: Path) -> None:
    """The days are written first, to see whom they concern; then people change some of it, and the move is made."""
    kept = asked(tmp_path, HANDS)
    advance(plan_of(tmp_path / "demo"), (DAY, HANDS), tmp_path / "demo" / f"advance-{HANDS}")
    old = {
        orjson.loads(line)["id"]
        for name in ("0001-patients", "0005-followups", "0006-referrals")
        for line in (tmp_path / "demo" / BASE / f"{name}.ndjson").read_bytes().splitlines()
    }
    late = [
        one for source, one in written(tmp_path, HANDS) if source == BASE and one["resourceType"] == "Encounter" and one["id"] not in old
    ]
    late = [one for one in late if one["period"]["start"] > f"{CUT}T24"]
    free, held = late[0], next(one for one in late if one["subject"] != late[0]["subject"])
    own = next(one for source, one in written(tmp_path, HANDS) if source == BASE and one["resourceType"] == "Task" and one["id"] in old)

    kept_names = held["subject"]["reference"], f"Task/{own['id']}"
    await change_by_hand(demonstration, BASE, kept_names[0], active=False)
    await change_by_hand(demonstration, BASE, kept_names[1], status="in-progress")
    before = [await version(demonstration, BASE, name) for name in kept_names]
    await move_on(demonstration, tmp_path / "demo")
    assert kept.asked() is None

    assert (await version(demonstration, BASE, f"Encounter/{free['id']}"))[1]["status"] == free["status"]
    assert await ask(demonstration, "select count(*) from res where id = $1", uuid5_of(BASE, f"Encounter/{held['id']}")) == 0
    assert [await version(demonstration, BASE, name) for name in kept_names] == before
