"""The conditions of a scope, asked of PostgreSQL: who is seen is decided by open rows of person_scope."""

from __future__ import annotations

import pytest

from xinglin.base.database import Database
from xinglin.engines.security import ActingFor, Scope, Scopes, scope_condition

TOWN, OTHER = (420999101000, 420999101999), (420999102000, 420999102999)
# Person → (area, is the row open). 4 moved from one town to the other, 5 belongs nowhere, 6 belonged once.
ROWS = [(1, 420999101201, True), (2, 420999101000, True), (3, 420999102201, True), (4, 420999101201, False), (4, 420999102201, True)]
ROWS += [(6, 420999101201, False), (7, 420999101201, True)]


@pytest.fixture
async def people(database: Database) -> Database:
    async with database.transaction() as connection:
        await connection.execute("truncate person_scope")
        await connection.executemany(
            "insert into person_scope (person, area, institution, from_seq, to_seq, reason) values ($1, $2, 1, $3, $4, '')",
            [(person, area, number + 1, None if is_open else 100) for number, (person, area, is_open) in enumerate(ROWS)],
        )
    return database


async def _seen(database: Database, scope: Scope) -> list[int]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            f"select p.person from generate_series(1, 7) p(person) where {scope_condition(scope, 'p.person')} order by 1"
        )
    return [row["person"] for row in rows]


async def test_each_scope_sees_its_own(people: Database, scopes: Scopes, house: Scope) -> None:
    def of(role: str, *areas: tuple[int, int]) -> Scope:
        return scopes.acting_for(house, ActingFor(role, areas))

    assert await _seen(people, of("responsible_doctor", TOWN)) == [1, 2, 7]
    assert await _seen(people, of("village_doctor", (420999101201, 420999101201))) == [1, 7]
    assert await _seen(people, of("responsible_doctor", OTHER)) == [3, 4]
    assert await _seen(people, of("county", TOWN, OTHER)) == [1, 2, 3, 4, 7]
    assert await _seen(people, of("steward", TOWN)) == [1, 2, 5, 6, 7]
    assert await _seen(people, of("steward")) == [5, 6]
    assert await _seen(people, of("auditor")) == []
    assert await _seen(people, house) == [1, 2, 3, 4, 5, 6, 7]
    assert await _seen(people, house.narrowed(areas=[TOWN])) == [1, 2, 7]
