"""The lake reads the real store: what was written is in the columns, in the order of commits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.engines.lake import district
from tests.unit.engines.lake.conftest import CLOCK, OPTIONS, ZONE
from xinglin.base.database import Database
from xinglin.engines.lake import Lake, LakeService, ReaderOptions, StoreFeed, Views, fact_of, rows_of
from xinglin.engines.security import AuditEntry, Scope
from xinglin.engines.store import Belonging, Cause, Delete, Link, Put, Store, StoreOptions

CAUSE = Cause(message_no=1, source_no=1, actor=1)


class _NoAudit:
    async def record(self, entry: AuditEntry) -> None:
        """Take an entry; nothing is read here that a person asked for."""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, zone=ZONE, size=4)
    yield database
    await database.close()


@pytest.fixture
async def store(database: Database) -> AsyncIterator[Store]:
    store = await Store.open(database, _NoAudit(), CLOCK, StoreOptions(token_key=b"k" * 16, cursor_key=b"c" * 16))
    yield store
    await store.close()


async def test_what_the_store_took_stands_in_the_columns(
    database: Database, store: Store, house: Scope, views: Views, tmp_path: Path
) -> None:
    async def write(*resources: dict[str, Any]) -> list[Any]:
        async with database.transaction() as connection:
            return await store.write(connection, house, [Put(r["resourceType"], r["id"], r) for r in resources], CAUSE)

    feed = StoreFeed(store)
    service = LakeService(Lake(tmp_path / "lake", views, CLOCK, OPTIONS), feed, CLOCK, ReaderOptions(ZONE))
    outcomes = await write(district.patient(), district.encounter(), district.blood_pressure(), district.form(), district.measurement())
    patient = outcomes[0].rid
    async with database.transaction() as connection:
        await store.write_links(connection, [Link(patient, 70, "test")], CAUSE)
        await store.write_scopes(connection, [Belonging(70, 420999101201, None, "test")], CAUSE)
    await write(district.blood_pressure(systolic=131))
    async with database.transaction() as connection:
        await store.write(connection, house, [Delete("Observation", "m1")], CAUSE)
    snapshot = await service.refresh()
    assert snapshot.seq == await store.head() == 9
    here = house.narrowed(areas=[(420999101000, 420999101999)])
    sql = (
        "select b.systolic_mmhg, e.way, e.rid = b.encounter, b.site, (select count(*) from answer), (select count(*) from measurement) "
        "from blood_pressure b join encounter e on e.rid = b.encounter join person_link l on l.patient = b.patient and l.person = 70"
    )
    table, seq = await service.query(here, sql)
    assert [tuple(row.values()) for row in table.to_pylist()] == [(131.0, "1", True, 1, 6, 0)]
    before, _ = await service.query(house, "select systolic_mmhg from blood_pressure", as_known_on=5)
    assert before.to_pylist() == [{"systolic_mmhg": 152.0}]
    bodies = await store.bodies([outcome.rid for outcome in outcomes])
    rows = await rows_of(views, [fact_of(body, site=1) for body in bodies], feed)
    assert rows["blood_pressure"][0]["patient"] == patient
    for name in ("patient", "encounter", "blood_pressure", "answer"):
        shown, _ = await service.query(house, f"select rid, ver, seq, site from {name} order by all")
        assert shown.to_pylist() == sorted(({k: row[k] for k in ("rid", "ver", "seq", "site")} for row in rows[name]), key=repr)
    assert not await feed.wait(seq, 0.01)
    assert await feed.wait(0, 0.01)
    await service.stop()
