"""Two people who open a record in one village at the same moment get two numbers."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest

from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError
from xinglin.engines.identity import next_record_number

VILLAGE = 420999101203


async def test_numbers_given_out_at_once_are_all_different_and_leave_no_hole(database_url: str, zone: ZoneInfo) -> None:
    first, second = await Database.open(database_url, zone=zone), await Database.open(database_url, zone=zone)
    numbers = await asyncio.gather(*(next_record_number(each, VILLAGE) for each in [first, second] * 40))
    assert sorted(numbers) == [f"{VILLAGE}{serial:05d}" for serial in range(1, 81)]
    assert await next_record_number(first, VILLAGE + 1) == f"{VILLAGE + 1}00001", "each village counts for itself"
    await first.close()
    await second.close()


async def test_a_number_that_came_from_elsewhere_is_passed_over_and_the_last_is_the_last(database_url: str, zone: ZoneInfo) -> None:
    database = await Database.open(database_url, zone=zone)
    village = VILLAGE + 7
    async with database.connection() as connection:
        for patient, number in enumerate((f"{village}00041", f"{village}9999X", f"{village + 1}00077", "1"), 1):
            await connection.execute("insert into patient_key (patient, source_no, record_number) values ($1, 1, $2)", patient, number)
    assert await next_record_number(database, village) == f"{village}00042"
    async with database.connection() as connection:
        await connection.execute("update record_serial set last = 99999 where area = $1", village)
    with pytest.raises(IncorrectError, match="used up"):
        await next_record_number(database, village)
    await database.close()
