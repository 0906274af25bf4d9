"""What the rules need of the rooms below, as protocols, and the one-person reading of the record that satisfies one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from xinglin.engines.lake import Views, fact_of, rows_of
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

    async def person_rows(self, scope: Scope, person: int) -> tuple[Rows, int]:
        """Return table → rows and a seq up to which they are certainly complete. Raises: NotFoundError outside the scope."""
        ...


@dataclass(frozen=True, slots=True)
class StoreRecord:
    """Reads a person's bodies through the store and makes the rows by the views of the lake, without waiting for the lake.

    views: of the tables that some definition reads; what no definition reads is neither fetched nor parsed.  site: number of this installation.
    """

    store: Store
    views: Views
    site: int

    async def person_rows(self, scope: Scope, person: int) -> tuple[Rows, int]:
        """Return table → rows of every source patient of the person, each with its `seq`, and the head of the feed before reading."""
        seq = await self.store.head()
        bodies = await self.store.person_bodies(scope, person, self.views.resource_types)
        return await rows_of(self.views, [fact_of(body, self.site) for body in bodies], _Numbers(self.store)), seq


@dataclass(frozen=True, slots=True)
class _Numbers:
    store: Store

    async def rids(self, keys: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return await self.store.rids(keys)
