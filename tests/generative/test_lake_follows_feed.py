"""Whatever the feed, the batches and the folding: the lake shows, at any moment, what a plain reading of the feed gives."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.engines.lake.conftest import CLOCK, ZONE
from tests.unit.engines.lake.long_feed import long_feed
from tests.unit.engines.lake.memory_feed import MemoryFeed
from xinglin.engines.lake import Fact, Lake, LakeOptions, Reader, ReaderOptions, load_views, rows_of
from xinglin.engines.security import Scopes

VIEWS = load_views(ZONE)
Rows = dict[str, list[Any]]


async def _reference(feed: MemoryFeed, upto: int) -> Rows:
    """Replay the feed entry by entry into dictionaries: slow, plain, and right."""
    last: dict[int, Any] = {}
    links: dict[int | None, int | None] = {}
    places: dict[int | None, tuple[int | None, int | None]] = {}
    for entry in feed.entries[:upto]:
        if entry.kind == "resource" and entry.rid is not None:
            last[entry.rid] = entry
        elif entry.kind == "link":
            links.pop(entry.rid, None)
            links |= {entry.rid: entry.person} if entry.ver else {}
        elif entry.kind == "scope":
            places.pop(entry.person, None)
            places |= {entry.person: (entry.area, entry.institution)} if entry.ver else {}
    facts = [Fact(e.rid, e.ver, e.seq, e.site, orjson.loads(e.body)) for e in last.values() if e.body]
    tables = await rows_of(VIEWS, facts, feed)
    found: Rows = {name: sorted(repr(sorted(row.items())) for row in rows) for name, rows in tables.items()}
    return found | {"person_link": sorted(links.items()), "person_scope": sorted((p, *place) for p, place in places.items())}


def _shown(reader: Reader, upto: int) -> Rows:
    def rows(sql: str) -> list[dict[str, Any]]:
        return reader.query(Scopes.system_scope(), sql, as_known_on=upto)[0].to_pylist()

    found: Rows = {name: sorted(repr(sorted(_in_utc(row).items())) for row in rows(f"select * from {name}")) for name in VIEWS.names}
    found["person_link"] = sorted(tuple(row.values()) for row in rows("select patient, person from person_link"))
    found["person_scope"] = sorted(tuple(row.values()) for row in rows("select person, area, institution from person_scope"))
    return found


def _in_utc(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in row.items()}


async def _check(feed: MemoryFeed, stops: list[int], moment: int, options: LakeOptions) -> None:
    entries = feed.entries
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(Path(folder) / "lake", VIEWS, CLOCK, options)
        for stop in sorted({*stops, len(entries)}):
            feed.entries = entries[:stop]
            await lake.refresh(feed)
            lake.compact()
            lake.sweep(None)
        reader = Reader(lake.folder, lake.schemas, lake.snapshot, ReaderOptions(ZONE))
        for upto in (moment, len(entries)):
            assert _shown(reader, upto) == await _reference(feed, upto)
        reader.close()
        lake.close()


@given(
    seed=st.integers(0, 10_000),
    length=st.integers(1, 90),
    stops=st.lists(st.integers(0, 90), max_size=6),
    moment=st.integers(0, 90),
    batch=st.integers(1, 40),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_lake_is_the_feed(seed: int, length: int, stops: list[int], moment: int, batch: int) -> None:
    asyncio.run(_check(long_feed(length, seed), [min(s, length) for s in stops], min(moment, length), LakeOptions(batch, 2)))
