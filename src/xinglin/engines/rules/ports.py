"""What the rules need of the rooms below, as protocols, and the one-person reading of the record that satisfies one of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Final, Protocol

import pyarrow as pa

from xinglin.definitions import Reads
from xinglin.engines.lake import Views, fact_of, narrow_views, rows_of
from xinglin.engines.security import Scope
from xinglin.engines.store import Store, Stored

Rows = dict[str, list[dict[str, Any]]]
MOST_KEPT: Final = 8000
"""Versions whose rows a process keeps: some fifty residents under management, about 10 MB."""


class Columns(Protocol):
    """The lake: SQL over the columns of one moment."""

    async def query(
        self, scope: Scope, sql: str, parameters: Mapping[str, Any] = ..., *, as_known_on: int | None = None
    ) -> tuple[pa.Table, int]:
        """Return the rows of one SELECT and the seq they are true for."""
        ...


class Record(Protocol):
    """The record of one person as rows of the lake tables."""

    async def person_rows(self, scope: Scope, person: int, reads: Reads) -> tuple[Rows, int]:
        """Return table → rows and a seq up to which they are certainly complete. Raises: NotFoundError outside the scope.

        reads: what will be looked at; other tables and rows may be left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """Reads a person's bodies through the store and makes the rows by the views of the lake, without waiting for the lake.

    zone: the district's.  site: number of this installation.  kept: rows made before; what comes from it is shared, change nothing of it.
    """

    store: Store
    zone: tzinfo
    site: int
    kept: KeptRows = field(default_factory=lambda: KeptRows())

    async def person_rows(self, scope: Scope, person: int, reads: Reads) -> tuple[Rows, int]:
        """Return table → rows of every source patient of the person, each with its `seq`, and the head of the feed before reading.

        Only what is read: types that no table needs are not fetched, rows beyond a limit are not made.
        """
        views = _views(self.zone, reads)
        seq = await self.store.head()
        bodies = await self.store.person_bodies(scope, person, views.resource_types, views.search)
        kept = self.kept if scope.is_house else KeptRows()  # what a role's mask leaves out must not be missing for the house
        known = kept.of(views, bodies)
        missing = [body for body in bodies if _version(body) not in known]
        if missing:
            made = await rows_of(views, [fact_of(body, self.site) for body in missing], _Numbers(self.store))
            known |= kept.keep(views, missing, made)
        found: Rows = {name: [] for name in views.names}
        for body in bodies:
            for table, row in known[_version(body)]:
                found[table].append(row)
        return found, seq


Version = tuple[int, int]
Made = list[tuple[str, dict[str, Any]]]


def _version(body: Stored) -> Version:
    # Of who was erased and comes again the versions begin anew; the place in the feed is never given twice.
    return body.rid, body.seq


class KeptRows:
    """The rows of the versions used last: a version never changes, so its rows are made once. most: how many versions are kept."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._views: Views | None = None
        self._rows: OrderedDict[Version, Made] = OrderedDict()

    def __len__(self) -> int:
        """Return how many versions are kept."""
        return len(self._rows)

    def of(self, views: Views, bodies: Sequence[Stored]) -> dict[Version, Made]:
        """Return the rows of the versions that are here. What other views made is forgotten."""
        if views is not self._views:
            self._rows.clear()
            self._views = views
        found = {version: self._rows[version] for version in map(_version, bodies) if version in self._rows}
        for version in found:
            self._rows.move_to_end(version)
        return found

    def keep(self, views: Views, bodies: Sequence[Stored], made: Rows) -> dict[Version, Made]:
        """Keep and return the rows of versions, none for one that makes none; those used longest ago are forgotten."""
        by_rid: dict[int, Made] = {body.rid: [] for body in bodies}
        for table, rows in made.items():
            for row in rows:
                by_rid[row["rid"]].append((table, row))
        found = {_version(body): by_rid[body.rid] for body in bodies}
        if views is self._views:
            self._rows |= found
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)
        return found


@lru_cache(maxsize=16)
def _views(zone: tzinfo, reads: Reads) -> Views:
    return narrow_views(zone, reads.tables, dict(reads.limits))


@dataclass(frozen=True, slots=True)
class _Numbers:
    store: Store

    async def rids(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return await self.store.rids(keys)
