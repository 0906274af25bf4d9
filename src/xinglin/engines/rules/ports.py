"""What the rules need of the rooms below, as protocols, and the one-person reading of the record that satisfies one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import lru_cache
from typing import Any, Protocol

import pyarrow as pa

from xinglin.definitions import Reads
from xinglin.engines.lake import Views, fact_of, narrow_views, rows_of
from xinglin.engines.security import Scope
from xinglin.engines.store import Store

Rows = dict[str, list[dict[str, Any]]]


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

    zone: the district's.  site: number of this installation.
    """

    store: Store
    zone: tzinfo
    site: int

    async def person_rows(self, scope: Scope, person: int, reads: Reads) -> tuple[Rows, int]:
        """Return table → rows of every source patient of the person, each with its `seq`, and the head of the feed before reading.

        Only what is read: types that no table needs are not fetched, rows beyond a limit are not made.
        """
        views = _views(self.zone, reads)
        seq = await self.store.head()
        bodies = await self.store.person_bodies(scope, person, views.resource_types)
        return await rows_of(views, [fact_of(body, self.site) for body in bodies], _Numbers(self.store)), seq


@lru_cache(maxsize=16)
def _views(zone: tzinfo, reads: Reads) -> Views:
    return narrow_views(zone, reads.tables, dict(reads.limits))


@dataclass(frozen=True, slots=True)
class _Numbers:
    store: Store

    async def rids(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return await self.store.rids(keys)
