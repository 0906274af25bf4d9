"""Both paths write the same rows of `result`, the higher seq wins, and who leaves a programme leaves its list."""

from __future__ import annotations

import asyncio
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
from xinglin.engines.rules.results import Results
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
    opened = await Database.open(database_url, zone=zone, size=4)
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


async def test_two_that_write_one_persons_rows_at_once_do_not_wait_for_each_other(database: Database) -> None:
    """What applies for the one ends for the other; each would write first what it holds to apply."""
    world = World()
    ground = ResultGround(database, world, world, SqlTexts(), HOUSE, 1)
    definitions = CATALOGUE.edition(TODAY).of_kind("programme", "worklist")
    said = {
        person: {one.definition for one in await Results(ground).of_person(definitions, (person, CATALOGUE.reads), TODAY)}
        for person in world.people
    }
    one, other = next((a, b) for a in said for b in said if said[a] - said[b] and said[b] - said[a])
    ours, theirs = min(said[one] - said[other]), min(said[other] - said[one])
    pair = [definition for definition in definitions if definition.id in (ours, theirs)]
    both = [World(), World()]
    for place, as_person in zip(both, (one, other), strict=True):
        place.people = {one: world.people[as_person]}
    async with database.transaction() as connection:
        await connection.execute("update result set person = $1 where person = $2 and definition = $3", one, other, theirs)
        await connection.execute("update result set seq = 1 where person = $1", one)
    writing = []
    async with database.transaction() as connection:
        await connection.execute("select from result where person = $1 and definition = $2 for update", one, ours)
        for number, place in enumerate(both, 1):
            results = Results(ResultGround(database, place, place, SqlTexts(), HOUSE, 1))
            writing.append(asyncio.create_task(results.of_person(pair, (one, CATALOGUE.reads), TODAY)))
            async with asyncio.timeout(30):
                while await _waiting(database) < number:
                    await asyncio.sleep(0.01)
    assert [[row.definition for row in await each] for each in writing] == [[ours], [theirs]]


async def _waiting(database: Database) -> int:
    """Return how many wait for a lock."""
    query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    async with database.connection() as connection:
        return int(await connection.fetchval(query))


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
