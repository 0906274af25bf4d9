"""The lake follows the feed: current rows, rows as once known, links, erasure, one snapshot for all tables."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from tests.unit.engines.lake import district
from tests.unit.engines.lake.conftest import CLOCK, OPTIONS, ZONE
from tests.unit.engines.lake.memory_feed import MemoryFeed
from xinglin.base.errors import DefinitionError, UnavailableError
from xinglin.engines.lake import Lake, LakeService, Reader, ReaderOptions, Snapshot, Views, load_views
from xinglin.engines.security import Scope

TOWN, OTHER_TOWN = (420999101000, 420999101999), (420999102000, 420999102999)


async def _rows(
    service: LakeService, scope: Scope, sql: str, parameters: Any = (), as_known_on: int | None = None
) -> list[tuple[Any, ...]]:
    table, _ = await service.query(scope, sql, parameters, as_known_on=as_known_on)
    return [tuple(row.values()) for row in table.to_pylist()]


async def test_empty_tables_answer(service: LakeService, house: Scope) -> None:
    for table in ("patient", "answer", "person_link", "person_scope", "blood_pressure"):
        assert await _rows(service, house, f"select count(*) from {table}") == [(0,)]


async def test_a_correction_replaces_and_the_past_stays(service: LakeService, house: Scope, feed: MemoryFeed) -> None:
    feed.put(district.blood_pressure(systolic=152))
    first = await service.refresh()
    feed.put(district.blood_pressure(systolic=125))
    second = await service.refresh()
    sql = "select systolic_mmhg, ver, seq, taken_on from blood_pressure"
    assert await _rows(service, house, sql) == [(125.0, 2, second.seq, date(2026, 11, 21))]
    assert await _rows(service, house, sql, as_known_on=first.seq) == [(152.0, 1, first.seq, date(2026, 11, 21))]
    assert await _rows(service, house, sql, as_known_on=0) == []


async def test_a_correction_can_move_a_row_to_another_table(service: LakeService, house: Scope, feed: MemoryFeed) -> None:
    feed.put(district.blood_pressure("x"))
    feed.put(district.measurement("x"))
    await service.refresh()
    assert await _rows(service, house, "select count(*) from blood_pressure") == [(0,)]
    assert await _rows(service, house, "select code from measurement") == [("14771-0",)]


async def test_deleted_then_put_again(service: LakeService, house: Scope, feed: MemoryFeed) -> None:
    feed.put(district.measurement())
    gone = feed.delete("Observation", "m1")
    feed.put(district.measurement(value=6.0))
    await service.refresh()
    assert await _rows(service, house, "select value, ver from measurement") == [(6.0, 3)]
    assert await _rows(service, house, "select value from measurement", as_known_on=gone) == []


async def test_links_and_belongings_of_one_moment(service: LakeService, house: Scope, feed: MemoryFeed) -> None:
    feed.link("p1", 7)
    feed.scope(7, TOWN[0], institution=12)
    before = (await service.refresh()).seq
    feed.link("p1", 8)
    feed.scope(7, OTHER_TOWN[0], is_first=False)
    await service.refresh()
    link, place = "select patient, person, to_seq from person_link", "select person, area, institution, to_seq from person_scope"
    number = feed.rid("Patient", "p1")
    assert await _rows(service, house, link) == [(number, 8, None)]
    assert await _rows(service, house, place) == [(7, OTHER_TOWN[0], None, None)]
    assert await _rows(service, house, link, as_known_on=before) == [(number, 7, None)]
    assert await _rows(service, house, place, as_known_on=before) == [(7, TOWN[0], 12, None)]
    feed.link("p1", None)
    await service.refresh()
    assert await _rows(service, house, link) == []


async def test_a_scope_sees_only_its_area(service: LakeService, house: Scope, feed: MemoryFeed) -> None:
    for number, person, area in (("p1", 1, TOWN[0]), ("p2", 2, OTHER_TOWN[0])):
        feed.put(district.patient(number))
        feed.put(district.measurement(f"m-{number}", who=number))
        feed.link(number, person)
        feed.scope(person, area)
    feed.put({"resourceType": "Organization", "id": "o1", "name": "示例卫生院"})
    await service.refresh()
    here = house.narrowed(areas=[TOWN])
    for table, column, expected in (
        ("patient", "rid", "Patient"),
        ("measurement", "patient", "Patient"),
        ("person_link", "patient", "Patient"),
    ):
        assert await _rows(service, here, f"select {column} from {table}") == [(feed.rid(expected, "p1"),)]
        assert len(await _rows(service, house, f"select {column} from {table}")) == 2
    assert await _rows(service, here, "select person from person_scope") == [(1,)]
    assert await _rows(service, here, "select count(*) from organization") == [(1,)]
    assert await _rows(service, house.narrowed(areas=[]), "select count(*) from patient") == [(0,)]
    assert await _rows(service, here, "select count(*) from measurement m join patient p on p.rid = m.patient", as_known_on=4) == [(1,)]


async def test_parameters_by_place_and_by_name(service: LakeService, house: Scope, feed: MemoryFeed) -> None:
    feed.put(district.measurement())
    await service.refresh()
    sql = "select count(*) from measurement where taken_on = {} and value > {}"
    assert await _rows(service, house, sql.format("?", "?"), [date(2026, 11, 21), 7]) == [(1,)]
    named: Mapping[str, Any] = {"day": date(2026, 11, 21), "value": 7.3}
    assert await _rows(service, house, sql.format("$day", "$value"), named) == [(0,)]


@pytest.mark.parametrize(
    "sql",
    [
        "delete from patient",
        "select 1; select 2",
        "select * from read_parquet('x')",
        "select * from 'g000001/patient/a.parquet'",
        "select * from moment_1.patient",
        "select no_such_column from patient",
        "selec 1",
        "attach 'x' as y",
    ],
)
async def test_only_one_select_over_the_tables(service: LakeService, house: Scope, sql: str) -> None:
    assert await _rows(service, house, "select count(*) from patient") == [(0,)]
    with pytest.raises(DefinitionError):
        await service.query(house, sql)


async def test_rebuild_gives_the_same_rows(service: LakeService, house: Scope, feed: MemoryFeed, views: Views) -> None:
    feed.put(district.patient())
    feed.link("p1", 1)
    for value in range(5):
        feed.put(district.measurement(value=value))
        feed.put(district.form(f"q{value}"))
        await service.refresh()
    feed.delete("QuestionnaireResponse", "q3")
    await service.refresh()
    tables = [*views.names, "person_link", "person_scope"]
    before = {name: sorted(map(repr, await _rows(service, house, f"select * from {name}"))) for name in tables}
    number = (await service.freshness()).seq
    await service.rebuild()
    assert (await service.freshness()).seq == number
    assert {name: sorted(map(repr, await _rows(service, house, f"select * from {name}"))) for name in tables} == before
    assert len(before["answer"]) == 24


async def test_erasure_leaves_nothing_in_any_file(service: LakeService, house: Scope, feed: MemoryFeed, tmp_path: Path) -> None:
    feed.put(district.patient("p1"))
    feed.put(district.patient("p2"))
    feed.put(district.measurement("m1", who="p1"))
    feed.put(district.measurement("m2", who="p2"))
    feed.link("p1", 1)
    feed.link("p2", 2)
    feed.scope(1, TOWN[0])
    feed.scope(2, TOWN[0])
    await service.refresh()
    feed.erase(None, person=1)
    await service.refresh()
    kept = [(feed.rid("Patient", "p2"),)]
    assert await _rows(service, house, "select patient from measurement") == kept
    assert await _rows(service, house, "select rid from patient") == kept
    assert await _rows(service, house, "select patient from person_link") == kept
    assert await _rows(service, house, "select person from person_scope") == [(2,)]
    gone = feed.rid("Patient", "p1")
    paths = list((tmp_path / "lake").rglob("*.parquet"))
    assert paths
    for path in paths:
        for column in pq.read_table(path, partitioning=None).select(["rid"]).columns:
            assert gone not in column.to_pylist()
    await service.rebuild()
    assert await _rows(service, house, "select rid from patient") == kept
    assert await _rows(service, house, "select patient from measurement") == kept


async def test_text_stands_in_no_statistics(service: LakeService, feed: MemoryFeed, tmp_path: Path) -> None:
    feed.put(district.measurement())
    await service.refresh()
    (path,) = (tmp_path / "lake").glob("g*/measurement/*.parquet")
    group = pq.ParquetFile(path).metadata.row_group(0)
    found = {group.column(at).path_in_schema: group.column(at).is_stats_set for at in range(group.num_columns)}
    assert found["value"] and found["taken_on"] and found["rid"]
    assert not (found["code"] or found["unit"] or found["status"])


async def test_a_running_reader_keeps_its_files(tmp_path: Path, views: Views, feed: MemoryFeed, house: Scope) -> None:
    lake = Lake(tmp_path / "lake", views, CLOCK, OPTIONS)
    for value in range(5):
        feed.put(district.measurement(f"m{value}"))
        await lake.refresh(feed)
    reader = Reader(lake.folder, lake.schemas, lake.snapshot, ReaderOptions(ZONE))
    lake.watch_use(reader.files_in_use)
    old = lake.snapshot
    assert await asyncio.to_thread(lake.compact)
    assert lake.sweep(older_than_s=None) == 0
    assert reader.query(house, "select count(*) from measurement")[0].to_pylist() == [{"count_star()": 5}]
    reader.show(lake.snapshot)
    assert len(lake.snapshot.paths("measurement")) == 1 < len(old.paths("measurement"))
    assert lake.sweep(older_than_s=None) == 5
    assert reader.query(house, "select count(*) from measurement")[0].to_pylist() == [{"count_star()": 5}]
    reader.close()
    lake.close()


async def test_a_lake_opened_again_goes_on(tmp_path: Path, views: Views, feed: MemoryFeed, house: Scope) -> None:
    folder = tmp_path / "lake"
    for round_ in range(3):
        lake = Lake(folder, views, CLOCK, OPTIONS)
        with pytest.raises(UnavailableError):
            Lake(folder, views, CLOCK, OPTIONS)
        feed.put(district.measurement(f"m{round_}"))
        snapshot = await lake.refresh(feed)
        reader = Reader(folder, lake.schemas, snapshot, ReaderOptions(ZONE))
        assert reader.query(house, "select count(*) as n from measurement")[0].to_pylist() == [{"n": round_ + 1}]
        reader.close()
        lake.close()


async def test_a_refresh_cut_between_tables_is_made_good(service: LakeService, house: Scope, feed: MemoryFeed, tmp_path: Path) -> None:
    feed.put(district.measurement("m0"))
    await service.refresh()
    for number in range(3):
        feed.put(district.blood_pressure(f"b{number}"))
        feed.put(district.measurement(f"m{number}"))
    log = tmp_path / "lake" / "g000001" / "measurement" / "_delta_log"
    log.rename(log.with_name("away"))
    log.write_text("in the way")
    with pytest.raises(UnavailableError):
        await service.refresh()
    assert await _rows(service, house, "select count(*) from blood_pressure") == [(0,)]
    log.unlink()
    log.with_name("away").rename(log)
    feed.put(district.measurement("m9"))
    await service.refresh()
    sql = "select (select count(*) from blood_pressure), (select count(*) from measurement), (select sum(ver) from measurement)"
    assert await _rows(service, house, sql) == [(3, 4, 5)]


class _BreaksAt(MemoryFeed):
    """A feed that is lost after some entries."""

    def __init__(self, feed: MemoryFeed, last: int) -> None:
        super().__init__()
        self.entries, self._last = feed.entries, last

    async def feed(self, after: int, limit: int) -> Any:
        if after >= self._last:
            raise UnavailableError("没有", "away")
        return await super().feed(after, limit)


async def test_a_rebuild_that_fails_leaves_the_old_tables(tmp_path: Path, views: Views, feed: MemoryFeed, house: Scope) -> None:
    lake = Lake(tmp_path / "lake", views, CLOCK, OPTIONS)
    for number in range(20):
        feed.put(district.measurement(f"m{number}"))
    await lake.refresh(feed)
    with pytest.raises(UnavailableError):
        await lake.rebuild(_BreaksAt(feed, 14))
    feed.put(district.measurement("m20"))
    with pytest.raises(UnavailableError):
        await lake.refresh(_BreaksAt(feed, 21))
    reader = Reader(lake.folder, lake.schemas, lake.snapshot, ReaderOptions(ZONE))
    assert lake.snapshot.seq == 21
    assert reader.query(house, "select count(*) as n from measurement")[0].to_pylist() == [{"n": 21}]
    assert lake.sweep(older_than_s=None) == 2
    reader.close()
    lake.close()


async def test_a_cancelled_refresh_leaves_a_whole_lake(service: LakeService, feed: MemoryFeed, house: Scope) -> None:
    for number in range(60):
        feed.put(district.measurement(f"m{number}"))
    for pause_s in (0.0, 0.002, 0.005, 0.01, 0.03):
        task = asyncio.create_task(service.refresh())
        await asyncio.sleep(pause_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await service.refresh()
    assert await _rows(service, house, "select count(*), count(distinct rid) from measurement") == [(60, 60)]


async def test_a_lost_file_makes_the_lake_anew(tmp_path: Path, views: Views, feed: MemoryFeed) -> None:
    lake = Lake(tmp_path / "lake", views, CLOCK, OPTIONS)
    feed.put(district.measurement())
    (path,) = (await lake.refresh(feed)).paths("measurement")
    lake.close()
    (tmp_path / "lake" / path).unlink()
    again = Lake(tmp_path / "lake", views, CLOCK, OPTIONS)
    assert again.snapshot.seq == 0
    assert len((await again.refresh(feed)).paths("measurement")) == 1
    again.close()


async def test_other_views_make_the_lake_anew(tmp_path: Path, views: Views, feed: MemoryFeed) -> None:
    lake = Lake(tmp_path / "lake", views, CLOCK, OPTIONS)
    feed.put(district.measurement())
    await lake.refresh(feed)
    lake.close()
    other = Lake(tmp_path / "lake", load_views(ZoneInfo("Asia/Urumqi")), CLOCK, OPTIONS)
    assert other.snapshot.seq == 0
    assert (await other.refresh(feed)).seq == 1
    other.close()


async def test_the_loop_follows_the_feed_and_tells_listeners(service: LakeService, feed: MemoryFeed, house: Scope) -> None:
    told: asyncio.Queue[Snapshot] = asyncio.Queue()

    async def fails(_: Snapshot) -> None:
        raise ValueError

    service.after_refresh(fails)
    service.after_refresh(told.put)
    service.start(poll_s=0.05)
    for value in range(20):
        feed.put(district.measurement(f"m{value}"))
    snapshot = await asyncio.wait_for(told.get(), 120)
    assert snapshot.seq == 20
    freshness = await service.freshness()
    assert (freshness.seq, freshness.head, freshness.lag, freshness.problems) == (20, 20, 0, 0)
    assert (await service.handlers()["lake.freshness"]())["seq"] == 20
    assert await _rows(service, house, "select count(*) from measurement") == [(20,)]


async def test_several_questions_at_once_during_refreshes(service: LakeService, feed: MemoryFeed, house: Scope) -> None:
    async def ask() -> None:
        sql = "select (select count(*) from measurement), (select count(*) from person_link)"
        for _ in range(15):
            ((measured, linked),) = await _rows(service, house, sql)
            assert measured == linked

    async def write() -> None:
        for value in range(15):
            feed.put(district.measurement(f"m{value}"))
            feed.link(f"p{value}", value)
            await service.refresh()

    await asyncio.gather(ask(), ask(), ask(), write())


async def test_a_bad_version_is_counted_and_the_rest_goes_on(service: LakeService, feed: MemoryFeed, house: Scope) -> None:
    bad = district.form()
    bad["item"][0]["linkId"] = ["a", "b"]
    feed.put(bad)
    feed.put(district.measurement())
    await service.refresh()
    assert (await service.freshness()).problems == 1
    assert await _rows(service, house, "select count(*) from measurement") == [(1,)]
    assert (await service.freshness()).made_at == datetime(2026, 11, 21, 12, tzinfo=UTC)
