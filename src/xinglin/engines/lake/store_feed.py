"""The feed of engine store as the lake reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from xinglin.engines.lake.rows import Fact, Key
from xinglin.engines.store import Cursor, FeedEntry, Store, Stored


class StoreFeed:
    """A `FeedSource` over a store of one shard."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def feed(self, after: int, limit: int) -> Sequence[FeedEntry]:
        """Return the next entries after a seq, in the order of commits."""
        return await self._store.feed(Cursor(after), limit)

    async def head(self) -> int:
        """Return the seq of the newest entry, 0 if there is none."""
        return await self._store.head()

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Return True as soon as there is an entry after `after`, False when the time is over."""
        return await self._store.wait(Cursor(after), timeout_s)

    async def rids(self, keys: Sequence[Key]) -> Mapping[Key, int]:
        """Return (type, id) → rid."""
        return await self._store.rids(keys)


def fact_of(stored: Stored, site: int) -> Fact:
    """Return what `rows_of` takes for a version read from the store (`Store.person_bodies`).  site: of the installation."""
    return Fact(stored.rid, stored.version, stored.seq, site, orjson.loads(stored.body))
