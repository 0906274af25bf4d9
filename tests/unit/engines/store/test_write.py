"""What writing promises: bytes, versions, conflicts, deletions, one ordered feed."""

from __future__ import annotations

import asyncio
import pickle
from decimal import Decimal

import orjson
import pytest

from tests.record import Record, patient, weight
from xinglin.base.errors import Category, FaultError, NotFoundError
from xinglin.engines.store import Cause, Cursor, Delete, HistoryQuery, Put, pack


async def test_a_body_is_served_as_written_with_id_and_meta_of_ours(record: Record) -> None:
    sent = patient("body", meta={"versionId": "9", "source": "http://elsewhere", "tag": [{"code": "t"}]}, active=True)
    [outcome] = await record.put(sent)
    found = await record.store.read(record.house, "Patient", "body")
    assert orjson.loads(found.body) == {
        "resourceType": "Patient",
        "id": "body",
        "meta": {
            "versionId": "1",
            "lastUpdated": "2026-11-21T02:00:00.000Z",
            "source": f"urn:xinglin:message:{record.messages}",
            "tag": [{"code": "t"}],
        },
        "active": True,
    }
    assert (found.rid, found.version, found.seq) == (outcome.rid, 1, outcome.seq)


async def test_a_decimal_keeps_the_digits_it_was_written_with(record: Record) -> None:
    reading = weight("digits", "p", 0, "2026-01-02")
    reading["valueQuantity"]["value"] = Decimal("70.50")
    await record.put(reading)
    assert b'"value":70.50,' in (await record.store.read(record.house, "Observation", "digits")).body


async def test_equal_content_makes_no_version_and_no_feed_entry(record: Record) -> None:
    await record.put(patient("same", active=True, gender="female"))
    head = await record.store.head()
    [outcome] = await record.put(patient("same", gender="female", active=True))
    assert (outcome.status, outcome.version) == ("unchanged", 1)
    assert await record.store.head() == head


async def test_each_change_is_a_version_and_the_old_bytes_stay(record: Record) -> None:
    await record.put(patient("versions", gender="male"))
    first = (await record.store.read(record.house, "Patient", "versions")).body
    [outcome] = await record.put(patient("versions", gender="female"))
    assert (outcome.status, outcome.version) == ("updated", 2)
    assert (await record.store.vread(record.house, "Patient", "versions", 1)).body == first
    assert b'"gender":"female"' in (await record.store.vread(record.house, "Patient", "versions", 2)).body


async def test_a_change_expecting_another_version_is_refused_and_its_neighbours_are_written(record: Record) -> None:
    await record.put(patient("conflict", gender="male"))
    outcomes = await record.write(
        Put("Patient", "neighbour-1", patient("neighbour-1")),
        Put("Patient", "conflict", patient("conflict", gender="female"), if_version=4),
        Put("Patient", "conflict-new", patient("conflict-new"), if_version=1),
        Put("Patient", "neighbour-2", patient("neighbour-2"), if_version=0),
    )
    assert [outcome.status for outcome in outcomes] == ["created", "refused", "refused", "created"]
    assert outcomes[1].error is not None and outcomes[1].error.category is Category.CONFLICT
    assert (await record.store.read(record.house, "Patient", "conflict")).version == 1
    [outcome] = await record.write(Put("Patient", "conflict", patient("conflict", gender="female"), if_version=1))
    assert outcome.status == "updated"


async def test_a_resource_named_twice_in_one_call_gets_both_versions(record: Record) -> None:
    outcomes = await record.put(patient("twice", gender="male"), patient("twice", gender="female"), patient("once"))
    assert [(outcome.status, outcome.version) for outcome in outcomes] == [("created", 1), ("updated", 2), ("created", 1)]


async def test_what_is_deleted_is_gone_but_its_history_stays_and_it_can_come_back(record: Record) -> None:
    await record.put(patient("gone", gender="male"))
    [outcome] = await record.write(Delete("Patient", "gone"))
    assert (outcome.status, outcome.version) == ("deleted", 2)
    with pytest.raises(NotFoundError) as refused:
        await record.store.read(record.house, "Patient", "gone")
    assert refused.value.http_status == 410
    assert await record.found("Patient", ("_id", "gone")) == []
    history = await record.store.history(record.house, HistoryQuery("Patient", "gone"))
    assert [(entry.version, entry.is_deleted) for entry in history.entries] == [(2, True), (1, False)]
    [again] = await record.write(Delete("Patient", "gone"))
    assert again.status == "unchanged"
    [back] = await record.put(patient("gone", gender="male"))
    assert (back.status, back.version) == ("created", 3)


async def test_what_never_was_is_not_found(record: Record) -> None:
    with pytest.raises(NotFoundError) as refused:
        await record.store.read(record.house, "Patient", "never")
    assert refused.value.http_status == 404


async def test_the_feed_tells_every_change_in_order_with_its_bytes(record: Record) -> None:
    after = Cursor(await record.store.head())
    await record.put(patient("fed", gender="male"))
    await record.put(patient("fed", gender="female"))
    await record.write(Delete("Patient", "fed"))
    entries = await record.store.feed(after, 10)
    assert [(entry.seq - after.seq, entry.kind, entry.rtype, entry.ver) for entry in entries] == [
        (1, "resource", "Patient", 1),
        (2, "resource", "Patient", 2),
        (3, "resource", "Patient", 3),
    ]
    assert b'"male"' in (entries[0].body or b"") and b'"female"' in (entries[1].body or b"") and entries[2].body is None
    assert Cursor.parse(str(entries[1].cursor)) == entries[1].cursor
    assert await record.store.feed(entries[1].cursor, 10) == entries[2:]


async def test_an_id_keeps_the_number_it_got_when_it_was_first_mentioned(record: Record) -> None:
    await record.put(weight("mentions", "mentioned-first", 70, "2026-01-02"))
    rids = await record.store.rids([("Patient", "mentioned-first")])
    [outcome] = await record.put(patient("mentioned-first"))
    assert rids == {("Patient", "mentioned-first"): outcome.rid}
    assert await record.store.keys([outcome.rid]) == {outcome.rid: ("Patient", "mentioned-first")}


async def test_a_rolled_back_transaction_leaves_nothing(record: Record) -> None:
    head = await record.store.head()
    with pytest.raises(RuntimeError):
        async with record.database.transaction() as connection:
            await record.store.write(connection, record.house, [Put("Patient", "undone", patient("undone"))], Cause(1, 1, 1))
            raise RuntimeError
    assert await record.store.head() == head
    with pytest.raises(NotFoundError):
        await record.store.read(record.house, "Patient", "undone")


async def test_an_id_that_is_no_id_and_a_body_of_another_type_are_refused_alone(record: Record) -> None:
    outcomes = await record.write(
        Put("Patient", "not an id", patient("x")),
        Put("Patient", "wrong-type", {"resourceType": "Group"}),
        Put("Patient", "right", patient("right")),
    )
    assert [outcome.status for outcome in outcomes] == ["refused", "refused", "created"]


async def test_waiting_for_the_feed_ends_when_something_is_written(record: Record) -> None:
    after = Cursor(await record.store.head())
    assert not await record.store.wait(after, 0.05)
    waiting = asyncio.create_task(record.store.wait(after, 20))
    await asyncio.sleep(0)
    await record.put(patient("awaited"))
    assert await waiting


async def test_what_another_process_made_ready_is_written_as_if_it_were_made_here(record: Record) -> None:
    changes = [Put("Patient", f"packed{n}", patient(f"packed{n}", gender="female")) for n in range(120)]
    packed = pack(await record.store.ready(changes, Cause(1, 1, 7)))
    assert packed is not None
    ready = pickle.loads(pickle.dumps(packed))
    async with record.database.transaction() as connection:
        outcomes = await record.store.write_ready(connection, record.house, record.store.taken(ready))
    assert [(one.id, one.status, one.version) for one in outcomes] == [(change.id, "created", 1) for change in changes]
    found = await record.store.read(record.house, "Patient", "packed7")
    assert orjson.loads(found.body)["gender"] == "female"


async def test_only_the_house_writes_what_another_process_made_ready(record: Record) -> None:
    changes = [Put("Patient", f"sealed{n}", patient(f"sealed{n}")) for n in range(100)]
    packed = pack(await record.store.ready(changes, Cause(1, 1, 7)))
    assert packed is not None
    with pytest.raises(FaultError):
        async with record.database.transaction() as connection:
            await record.store.write_ready(connection, record.east, record.store.taken(packed))


@pytest.mark.parametrize(
    "change", [Delete("Patient", "gone"), Put("Patient", "kept", patient("kept"), 1), Put("Patient", "a b", patient("a b"))]
)
async def test_what_needs_a_look_here_is_not_packed(record: Record, change: Put | Delete) -> None:
    changes = [*(Put("Patient", f"plain{n}", patient(f"plain{n}")) for n in range(100)), change]
    assert pack(await record.store.ready(changes, Cause(1, 1, 7))) is None
