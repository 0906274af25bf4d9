"""Measures brought up to the record by the people who changed say what everyone reckoned anew says."""

from __future__ import annotations

import asyncio
import random
from datetime import date
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.generative.made_people import TODAY, connect, make_people, read_alone
from xinglin.base.errors import NotFoundError
from xinglin.definitions import Reads, shipped_catalogue
from xinglin.engines.rules import Change, ResultGround, Rules, SqlTexts
from xinglin.engines.security import Security

CATALOGUE = shipped_catalogue()
HOUSE = Security.system_scope()
TEXTS = SqlTexts()
DAYS = (TODAY, date(2026, 9, 30))
LOW, HIGH = 420999101000, 420999101999
People = dict[int, dict[str, list[dict[str, Any]]]]


class Record:
    """The record and its columns: people as they are, at a seq."""

    def __init__(self, people: People) -> None:
        self.questions = 0
        self.become(people, 5)

    def become(self, people: People, seq: int) -> None:
        self.people, self.seq, self._duck = people, seq, connect(people)

    async def query(self, scope: Any, sql: str, parameters: Any = (), *, as_known_on: int | None = None) -> tuple[Any, int]:
        self.questions += "layer_0" in sql
        if not scope.is_house:
            of_town = f"select person from person_scope where area between {LOW} and {HIGH}"
            sql = sql.replace("person_link", f"(select * from person_link where person in ({of_town}))")
        return self._duck.sql(sql, params=parameters or None).to_arrow_table(), self.seq

    async def person_rows(self, scope: Any, person: int, reads: Reads) -> tuple[Any, int]:
        if person not in self.people:
            raise NotFoundError("没有这个人", "there is no such person")
        return read_alone(self.people[person], reads), self.seq


def rules(record: Record) -> Rules:
    return Rules(CATALOGUE, ResultGround(None, record, record, TEXTS, HOUSE, 1))  # type: ignore[arg-type]


def changed(everyone: People, before: People, chance: random.Random) -> People:
    """Return the people after a while: some with other rows, some gone, some new."""
    after = dict(before)
    for at, person in enumerate(chance.sample(sorted(before), 9)):
        if at < 6:
            after[person] = everyone[61 + at]
        else:
            del after[person]
    return after | {70 + number: everyone[70 + number] for number in range(4)}


async def told(door: Rules, scope: Any) -> dict[tuple[str, date], Any]:
    found = {}
    for day in DAYS:
        for definition in CATALOGUE.edition(day).of_kind("measure"):
            table = await door.measure(scope, definition.id, day, "village")
            found[definition.id, day] = table.total, table.rows
    return found


@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_following_those_who_changed_is_reckoning_everyone(seed: int) -> None:
    async def walk() -> None:
        chance, everyone = random.Random(seed), make_people(seed, 80)
        before = {person: everyone[person] for person in range(1, 61)}
        record = Record(before)
        door, town = rules(record), HOUSE.narrowed(areas=[(LOW, HIGH)])
        door.measures.moved(5)
        first = await told(door, HOUSE), await told(door, town)

        after = changed(everyone, before, chance)
        record.become(after, 9)
        named = {person for person in before.keys() | after.keys() if before.get(person) is not after.get(person)}
        changes = [Change(person, 9, person not in before or person not in after) for person in sorted(named)]
        await door.measures.follow(9, 5, changes, door.person_rows)
        door.measures.moved(9)
        asked = record.questions
        followed = await told(door, HOUSE), await told(door, town)
        assert record.questions == asked, "nothing was reckoned for everyone"
        assert followed[0] != first[0] and followed[1] != first[1]

        fresh = rules(record)
        assert followed == (await told(fresh, HOUSE), await told(fresh, town))

    asyncio.run(walk())
