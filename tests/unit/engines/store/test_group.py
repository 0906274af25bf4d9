"""Single writes of many callers go together, and fail apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import pytest

from tests.record import Record, patient, weight
from xinglin.base.errors import ConflictError, NotFoundError, UnavailableError
from xinglin.engines.store import Cause, Cursor, Delete, GroupWriter, Outcome, Put


@dataclass
class ListedLedger:
    """A ledger that remembers the groups it was given; a ticket below nought is refused by the database."""

    groups: list[list[int]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    async def open(self, connection: asyncpg.Connection[Any], tickets: Sequence[int]) -> Sequence[Cause]:
        """Write nothing, but let the database refuse a wrong ticket."""
        await connection.fetchval("select sqrt(min(t)) from unnest($1::float8[]) t", [float(ticket) for ticket in tickets])
        self.groups.append(list(tickets))
        return [Cause(ticket, 1, 7) for ticket in tickets]

    async def close(self, connection: asyncpg.Connection[Any], tickets: Sequence[int], outcomes: Sequence[Sequence[Outcome]]) -> None:
        """Remember what became of each."""
        self.closed += [each.status for several in outcomes for each in several]


@pytest.fixture
async def ledger() -> ListedLedger:
    return ListedLedger()


@pytest.fixture
async def writer(record: Record, ledger: ListedLedger) -> AsyncIterator[GroupWriter[int]]:
    opened = record.store.group_writer(ledger)
    yield opened
    await opened.close()


async def test_concurrent_writes_share_a_transaction_and_keep_their_own_cause(
    record: Record, writer: GroupWriter[int], ledger: ListedLedger
) -> None:
    after = Cursor(await record.store.head())
    results = await asyncio.gather(*(writer.submit(record.house, [Put("Patient", f"g{n}", patient(f"g{n}"))], n) for n in range(100)))
    assert [each.status for [each] in results] == ["created"] * 100
    assert len(ledger.groups) < 20 and sorted(ticket for group in ledger.groups for ticket in group) == list(range(100))
    entries = await record.store.feed(after, 200)
    rids = {outcome.rid: number for number, [outcome] in enumerate(results)}
    assert {entry.rid: entry.message_no for entry in entries} == rids
    assert ledger.closed == ["created"] * 100


async def test_a_conflict_of_one_is_its_own(record: Record, writer: GroupWriter[int]) -> None:
    await record.put(patient("guarded"))
    [first], [second], [third] = await asyncio.gather(
        writer.submit(record.house, [Put("Patient", "guarded", patient("guarded", language="a"), if_version=1)], 1),
        writer.submit(record.house, [Put("Patient", "guarded", patient("guarded", language="b"), if_version=1)], 2),
        writer.submit(record.house, [Put("Patient", "free-neighbour", patient("free-neighbour"))], 3),
    )
    assert (first.status, second.status, third.status) == ("updated", "refused", "created")
    assert isinstance(second.error, ConflictError)


async def test_a_write_the_database_refuses_fails_alone(record: Record, writer: GroupWriter[int]) -> None:
    results = await asyncio.gather(
        writer.submit(record.house, [Put("Patient", "before", patient("before"))], 1),
        writer.submit(record.house, [Put("Patient", "poison", patient("poison"))], -1),
        writer.submit(record.house, [Put("Patient", "behind", patient("behind"))], 2),
        return_exceptions=True,
    )
    assert isinstance(results[1], asyncpg.PostgresError)
    assert [each[0].status for each in (results[0], results[2]) if isinstance(each, list)] == ["created", "created"]
    with pytest.raises(NotFoundError):
        await record.store.read(record.house, "Patient", "poison")


async def test_each_caller_writes_in_the_own_scope(record: Record, writer: GroupWriter[int]) -> None:
    [created] = await record.put(patient("unseen"))
    await record.settle(7001, created.rid, 420999102001)
    [house], [east], [west] = await asyncio.gather(
        writer.submit(record.house, [Put("Observation", "scope-w", weight("scope-w", "unseen", 70, "2026-01-01"))], 1),
        writer.submit(record.east, [Delete("Patient", "unseen")], 2),
        writer.submit(record.west, [Put("Patient", "unseen", patient("unseen", language="zh"))], 3),
    )
    assert (house.status, east.status, west.status) == ("created", "refused", "updated")


async def test_a_ledger_that_fails_by_a_defect_fails_its_own_caller_alone(record: Record, ledger: ListedLedger) -> None:
    told = ledger.open

    async def open_(connection: asyncpg.Connection[Any], tickets: Sequence[int]) -> Sequence[Cause]:
        if 13 in tickets:
            raise KeyError(13)
        return await told(connection, tickets)

    ledger.open = open_  # type: ignore[method-assign]
    opened = record.store.group_writer(ledger)
    async with asyncio.timeout(30):
        results = await asyncio.gather(
            *(opened.submit(record.house, [Put("Patient", f"defect{n}", patient(f"defect{n}"))], n) for n in (12, 13, 14)),
            return_exceptions=True,
        )
        [later] = await opened.submit(record.house, [Put("Patient", "defect-later", patient("defect-later"))], 15)
        await opened.close()
    assert [type(each) for each in results] == [list, KeyError, list] and later.status == "created"


async def test_a_closed_writer_refuses(record: Record, ledger: ListedLedger) -> None:
    opened = record.store.group_writer(ledger)
    await opened.close()
    with pytest.raises(UnavailableError):
        await opened.submit(record.house, [], 1)
