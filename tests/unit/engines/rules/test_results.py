"""Both paths write the same rows of `result`, the higher seq wins, and who leaves a programme leaves its list."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import xinglin.modules.chronic_disease
from tests.generative.made_people import TODAY, connect, make_people, read_alone
from xinglin.base.database import Database
from xinglin.definitions import Reads, load
from xinglin.engines.rules import ResultGround, Rules, SqlTexts
from xinglin.engines.security import Security

CATALOGUE = load([Path(xinglin.modules.chronic_disease.__file__).parent / "definitions"])
HOUSE = Security.system_scope()
TOLD = "person, definition, due_from, due_by, lost_after, state::text, evidence, seq, definition_hash"


class World:
    """People whose rows are both the record and the columns."""

    def __init__(self) -> None:
        self.people = make_people(11, 30)
        self.seq = 40

    async def query(self, scope: Any, sql: str, parameters: Any = (), *, as_known_on: int | None = None) -> tuple[Any, int]:
        return connect(self.people).sql(sql, params=parameters or None).to_arrow_table(), self.seq

    async def person_rows(self, scope: Any, person: int, reads: Reads) -> tuple[Any, int]:
        return read_alone(self.people[person], reads), self.seq


@pytest.fixture
async def database(database_url: str, zone: ZoneInfo) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, zone=zone, size=2)
    async with opened.transaction() as connection:
        await connection.execute("truncate result")
    yield opened
    await opened.close()


def rules(database: Database, world: World) -> Rules:
    return Rules(CATALOGUE, ResultGround(database, world, world, SqlTexts(), HOUSE, 1))


async def rows(database: Database) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(f"select {TOLD} from result where applies order by definition, person")]


async def test_one_person_at_a_time_and_everyone_at_once_write_the_same(database: Database) -> None:
    world = World()
    door = rules(database, world)
    for person in world.people:
        await door.evaluate_person(person, TODAY)
    one_by_one = await rows(database)
    drift = await door.evaluate_all(TODAY)
    assert len(one_by_one) > 40
    assert await rows(database) == one_by_one
    assert [(item.fresh, item.changed, item.ended, item.drifted) for item in drift] == [(0, 0, 0, 0)] * len(drift)
    assert sum(item.rows for item in drift) == len(one_by_one)


async def test_an_older_view_of_the_record_does_not_overwrite_a_newer_one(database: Database) -> None:
    world = World()
    door = rules(database, world)
    await door.evaluate_all(TODAY)
    person = next(person for person, *_ in await rows(database))
    world.seq, world.people[person] = 50, {}
    await door.evaluate_person(person, TODAY)
    assert person not in {row[0] for row in await rows(database)}
    world.seq, world.people = 45, make_people(11, 30)
    drift = await door.evaluate_all(TODAY)
    assert person not in {row[0] for row in await rows(database)}
    assert sum(item.drifted for item in drift) == 0


async def test_a_full_run_ends_what_no_longer_applies_and_reports_what_differs(database: Database) -> None:
    world = World()
    door = rules(database, world)
    await door.evaluate_all(TODAY)
    before = await rows(database)
    async with database.transaction() as connection:
        await connection.execute("update result set due_by = date '2001-01-01' where person = $1", before[0][0])
    assert sum(item.drifted for item in await door.evaluate_all(TODAY)) > 0
    assert await rows(database) == before
    world.seq, world.people = 60, {person: found for person, found in world.people.items() if person > 15}
    assert sum(item.ended for item in await door.evaluate_all(TODAY)) == len([row for row in before if row[0] <= 15])
