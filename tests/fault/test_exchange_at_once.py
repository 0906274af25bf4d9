"""Many senders at once: nobody waits for a connection that waits for him, and one message counts once whoever sends it how often."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.district import HIS, followup, open_district, resident, scope_of, send
from xinglin.assembly import POOL_SIZE, Platform
from xinglin.engines.exchange import Entry, ImportOptions, State, Submission

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as found:
        yield found


def newcomer(serial: int) -> list[dict[str, Any]]:
    return [resident(serial, f"孙测{serial}", 420999101201, "E1"), *followup(serial, "2026-11-12", (140, 88))]


async def test_more_senders_of_new_residents_than_connections(platform: Platform) -> None:
    senders = 40
    assert senders > POOL_SIZE["command"]
    async with asyncio.timeout(300):  # they would wait for one another for ever
        receipts = await asyncio.gather(*(send(platform, *newcomer(200 + n), message_id=f"at-once-{n}") for n in range(senders)))
    assert {(one.state, one.stored) for one in receipts} == {(State.STORED, 3)}
    assert len({person for one in receipts for person in one.persons.values()}) == senders


async def test_one_message_sent_by_many_at_once_is_stored_and_counted_once(platform: Platform) -> None:
    receipts = await asyncio.gather(*(send(platform, *newcomer(300), message_id="the-same") for _ in range(8)))
    assert {(one.message_no, one.state, one.stored) for one in receipts} == {(receipts[0].message_no, State.STORED, 3)}
    assert sum(not one.repeated for one in receipts) == 1
    async with platform.database.connection() as connection:
        row = await connection.fetchrow("select state, stored, unchanged from message where message_id = 'the-same'")
        tallied = await connection.fetchval("select sum(stored) from message_tally where message_no = $1", receipts[0].message_no)
    assert (*row, tallied) == ("stored", 3, 0, 3)


async def test_a_wrong_message_sent_by_many_at_once_waits_once(platform: Platform) -> None:
    wrong = resident(301, "孙测", 420999101201, "E1") | {"birthDate": "1960-02-31"}
    receipts = await asyncio.gather(*(send(platform, wrong, message_id="the-same-wrong") for _ in range(6)))
    assert {(one.message_no, one.state) for one in receipts} == {(receipts[0].message_no, State.QUARANTINED)}
    assert len(await platform.exchange.ledger.waiting(None, receipts[0].message_no, 10)) == 1


async def test_two_imports_of_one_file_at_once_count_every_line_once(platform: Platform) -> None:
    lines = b"\n".join(orjson.dumps(resident(n, f"吴测{n}", 420999101201, "E1")) for n in range(400, 460))
    steward = scope_of(platform, "steward")
    taking = (platform.importer.import_content(steward, ("twice.ndjson", lines), ImportOptions(HIS)) for _ in range(2))
    receipts = await asyncio.gather(*taking)
    assert {(one.state, one.stored, one.unchanged, one.rejected) for one in receipts} == {(State.STORED, 60, 0, 0)}
    async with platform.database.connection() as connection:
        row = await connection.fetchrow(
            "select state, stored, unchanged, entries, done_lines from message where message_id = 'twice.ndjson'"
        )
        tallied = await connection.fetchval("select sum(stored) from message_tally where message_no = $1", receipts[0].message_no)
    assert (*row, tallied) == ("stored", 60, 0, 60, 60, 60)


async def test_replays_of_one_row_at_once_write_once(platform: Platform) -> None:
    wrong = resident(302, "孙测", 420999101201, "E1") | {"birthDate": "1960-02-31"}
    receipt = await send(platform, wrong, message_id="replayed-at-once")
    [row] = await platform.exchange.ledger.waiting(None, receipt.message_no, 10)
    repaired = orjson.dumps({"resource": wrong | {"birthDate": "1960-02-28"}})
    steward = scope_of(platform, "steward")
    answers = await asyncio.gather(
        *(platform.exchange.replay(steward, row["quarantine_no"], repaired) for _ in range(5)), return_exceptions=True
    )
    assert sum(getattr(one, "stored", 0) for one in answers if not getattr(one, "repeated", True)) == 1
    assert await platform.exchange.ledger.waiting(None, receipt.message_no, 10) == []


async def test_a_condition_sent_by_many_at_once_makes_one_resource(platform: Platform) -> None:
    def message(n: int) -> Submission:
        device = {
            "resourceType": "Device", "id": f"d{n}", "identifier": [{"system": "urn:maker", "value": "bp-1"}], "status": "active"
        }  # fmt: skip
        return Submission(HIS, f"device-{n}", orjson.dumps(device), [Entry(device, None, "POST", None, "identifier=urn:maker|bp-1")])

    house = platform.security.system_scope()
    receipts = await asyncio.gather(*(platform.exchange.submit(house, message(n)) for n in range(12)))
    assert len({one.outcomes[0].rid for one in receipts if one.outcomes[0]}) == 1
    assert [one.stored for one in receipts].count(1) == 1 and all(one.state in (State.STORED, State.UNCHANGED) for one in receipts)
