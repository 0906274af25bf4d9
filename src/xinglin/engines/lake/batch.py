"""Entries of the feed → Arrow rows per table, with what they end and what they erase."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import orjson
import pyarrow as pa

from xinglin.engines.lake.feed import Entry, FeedSource
from xinglin.engines.lake.rows import SYSTEM_FIELDS, Extraction, Fact, Key, Problem, Views
from xinglin.engines.lake.threads import in_thread

PERSON_LINK: Final = "person_link"
PERSON_SCOPE: Final = "person_scope"
ENDED: Final = "ended"
FEED_SCHEMAS: Final[Mapping[str, pa.Schema]] = {
    PERSON_LINK: pa.schema([*SYSTEM_FIELDS, pa.field("patient", pa.int64()), pa.field("person", pa.int64())]),
    PERSON_SCOPE: pa.schema(
        [*SYSTEM_FIELDS, pa.field("person", pa.int64()), pa.field("area", pa.int64()), pa.field("institution", pa.int64())]
    ),
    # known_from: seq of the entry that ended the rows of `rid` in `table` that were known before it.
    ENDED: pa.schema([*SYSTEM_FIELDS, pa.field("table", pa.string())]),
}


@dataclass(frozen=True, slots=True)
class Erasure:
    """Everything known before `seq` about a resource, or about a person, shall be gone."""

    seq: int
    rid: int | None
    person: int | None


@dataclass(slots=True)
class Batch:
    """What some entries of the feed mean for the tables.  after, upto: the entries are those of (after, upto]."""

    after: int
    upto: int
    tables: dict[str, pa.Table]
    erasures: list[Erasure] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


class _Reader:
    def __init__(self, views: Views) -> None:
        self.extraction = Extraction(views)
        self.erasures: list[Erasure] = []
        self._views = views
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in FEED_SCHEMAS}

    def take(self, entry: Entry) -> None:
        match entry.kind:
            case "resource":
                self._resource(entry)
            case "link":
                if entry.ver:
                    self._rows[PERSON_LINK].append((*_head(entry, entry.rid), entry.rid, entry.person))
                else:
                    self._end(entry, entry.rid, PERSON_LINK)
            case "scope":
                if entry.ver:
                    self._rows[PERSON_SCOPE].append((*_head(entry, entry.person), entry.person, entry.area, entry.institution))
                else:
                    self._end(entry, entry.person, PERSON_SCOPE)
            case "erase":
                self.erasures.append(Erasure(entry.seq, entry.rid, entry.person))

    def tables(self, rids: Mapping[Key, int]) -> dict[str, pa.Table]:
        found = {name: self.extraction.arrow(name, rids) for name in self.extraction.rows_by_table}
        for name, rows in self._rows.items():
            if rows:
                schema = FEED_SCHEMAS[name]
                found[name] = pa.table(dict(zip(schema.names, zip(*rows, strict=True), strict=True)), schema=schema)
        return found

    def _resource(self, entry: Entry) -> None:
        if entry.rid is None or entry.rtype is None:
            return
        if entry.ver > 1:
            for view in self._views.of_type(entry.rtype):
                self._end(entry, entry.rid, view.name)
        if entry.body and self._views.of_type(entry.rtype):
            self.extraction.add(Fact(entry.rid, entry.ver, entry.seq, entry.site, orjson.loads(entry.body)))

    def _end(self, entry: Entry, rid: int | None, table: str) -> None:
        self._rows[ENDED].append((*_head(entry, rid), table))


def _head(entry: Entry, rid: int | None) -> tuple[int | None, int, int, int]:
    return (rid, entry.ver, entry.seq, entry.site)


async def read_batch(views: Views, source: FeedSource, entries: Sequence[Entry], after: int) -> Batch:
    """Return the rows of some entries, references resolved in one question; the event loop stays free meanwhile.

    entries: not empty, in order, all after `after`.
    """
    reader = await in_thread(partial(_read, views, entries))
    keys = reader.extraction.keys()
    rids = await source.rids(keys) if keys else {}
    tables = await in_thread(partial(reader.tables, rids))
    return Batch(after, entries[-1].seq, tables, reader.erasures, reader.extraction.problems)


def _read(views: Views, entries: Sequence[Entry]) -> _Reader:
    reader = _Reader(views)
    for entry in entries:
        reader.take(entry)
    return reader


def ended_first(names: Iterable[str]) -> list[str]:
    """Return names of tables in the order they are committed: any order is right, one order makes a kill reproducible."""
    return sorted(names, key=lambda name: (name != ENDED, name))
