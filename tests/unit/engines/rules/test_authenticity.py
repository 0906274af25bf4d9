"""Entries worth a telephone call are found, with the rows to look at; what is usual is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.generative.made_people import TODAY, connect
from tests.spec.chronic_disease.people import A
from xinglin.base.database import Database
from xinglin.engines.rules.authenticity import Finding, look
from xinglin.engines.security import Security

WORKER = 501


@pytest.fixture(scope="module")
async def database(database_url: str, zone: ZoneInfo) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, zone=zone, size=2)
    yield opened
    await opened.close()


class Lake:
    """The rows of a few people as one DuckDB."""

    def __init__(self, *people: A) -> None:
        made = {}
        for number, person in enumerate(people, start=1):
            made[number] = {table: [_moved(row, number * 1000) for row in rows] for table, rows in person.rows.items()}
        self._duck = connect(made)

    async def query(self, scope: Any, sql: str, parameters: Any = (), *, as_known_on: int | None = None) -> tuple[Any, int]:
        return self._duck.sql(sql, params=parameters or None).to_arrow_table(), 9


def _moved(row: dict[str, Any], by: int) -> dict[str, Any]:
    moved = {name: row[name] + by for name in ("rid", "patient", "encounter") if row.get(name) is not None}
    return {**row, **moved, **({"practitioner": WORKER} if "practitioner" in row and row.get("kind") != "inpatient" else {})}


async def found(database: Database, check: str, *people: A) -> list[Finding]:
    findings, seq = await look(Lake(*people), database, Security.system_scope(), TODAY)
    assert seq == 9
    return [finding for finding in findings if finding.check == check]


def visits(*pressures: tuple[int, int]) -> A:
    person = A().enrolled(date(2025, 1, 1))
    for number, pressure in enumerate(pressures):
        person.visited(date(2026, 1, 5) + timedelta(days=30 * number), pressure)
    return person


async def test_the_same_reading_three_times_in_a_row(database: Database) -> None:
    finding, *others = await found(
        database, "same_reading", visits((136, 84), (136, 84), (136, 84)), visits((136, 84), (138, 84), (136, 84))
    )
    assert others == []
    assert (finding.person, finding.worker, len(finding.evidence)) == (1, WORKER, 3)
    assert finding.facts["systolic"] == 136


async def test_more_than_sixty_visits_of_one_worker_on_one_day(database: Database) -> None:
    day = [A().enrolled(date(2025, 1, 1)).visited(date(2026, 3, 2), (130, 80)) for _ in range(61)]
    (finding,) = await found(database, "many_visits", *day)
    assert (finding.worker, finding.day, finding.facts["visits"]) == (WORKER, date(2026, 3, 2), 61)
    assert await found(database, "many_visits", *day[:60]) == []


async def test_a_visit_after_death(database: Database) -> None:
    late = A(died=date(2026, 5, 1)).visited(date(2026, 5, 2), (130, 80))
    same_day = A(died=date(2026, 5, 1)).visited(date(2026, 5, 1), (130, 80))
    (finding,) = await found(database, "after_death", late, same_day)
    assert finding.person == 1


async def test_a_face_to_face_visit_during_an_admission(database: Database) -> None:
    def admitted(day: date, way: str) -> A:
        person = A().row("encounter", kind="inpatient", status="finished", start_date=date(2026, 5, 1), end_date=date(2026, 5, 9))
        return person.visited(day, (130, 80), way=way)

    inside, by_phone, on_the_last_day = admitted(date(2026, 5, 4), "2"), admitted(date(2026, 5, 4), "3"), admitted(date(2026, 5, 9), "2")
    (finding,) = await found(database, "during_admission", inside, by_phone, on_the_last_day)
    assert (finding.person, len(finding.evidence)) == (1, 2)


async def test_readings_that_end_in_zero_come_with_their_statistic(database: Database) -> None:
    rounded = [visits(*[(120 + 10 * (number % 4), 80) for number in range(10)]) for _ in range(6)]
    (finding,) = await found(database, "digit_preference", *rounded)
    assert (finding.facts["readings"], finding.facts["zeros"], finding.facts["chi_square"]) == (60, 60, 540.0)
    even = [visits(*[(120 + number, 80) for number in range(10)]) for _ in range(6)]
    assert await found(database, "digit_preference", *even) == []


async def test_one_telephone_of_many_residents_is_named_by_its_residents_not_its_number(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("delete from resident where person between 9001 and 9009")
        for person in range(9001, 9010):
            phone = "10000000001" if person < 9006 else "10000000002"
            await connection.execute(
                "insert into resident (person, phone, patients, fields_from) values ($1, $2, '{}', '{}')", person, phone
            )
    (finding,) = await found(database, "shared_phone", A())
    assert finding.facts == {"residents": 5, "persons": [9001, 9002, 9003, 9004, 9005]}
    assert "1000000000" not in f"{finding}"
