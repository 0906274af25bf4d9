"""The record: one write path, reads and searches inside a scope, one ordered feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.engines.security import Scope
from xinglin.engines.store.counts import Counts
from xinglin.engines.store.feed import Feed
from xinglin.engines.store.ground import AuditSink, Ground
from xinglin.engines.store.group import GroupLedger, GroupWriter, Ticket
from xinglin.engines.store.index import Index
from xinglin.engines.store.links import write_links, write_scopes
from xinglin.engines.store.mask import Masks
from xinglin.engines.store.model import (
    NO_CODES,
    Belonging,
    Cause,
    Change,
    Coded,
    Cursor,
    FeedEntry,
    Key,
    Link,
    Outcome,
    Page,
    Query,
    Stored,
)
from xinglin.engines.store.numbers import Numbers
from xinglin.engines.store.packing import PackedReady, unpack
from xinglin.engines.store.read import HistoryQuery, Reader, columns_of, stored
from xinglin.engines.store.search import Searcher
from xinglin.engines.store.tokens import Tokens
from xinglin.engines.store.write import Ready, Writer


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """What differs between two stores.

    token_key: key of the hashes in the index, 16 bytes at least (another key needs a new index).  cursor_key: signs page markers.
    site: number of this installation.  masks: role → resource type → top-level JSON elements that role never sees.
    token_bits: fewer than 64 makes hashes collide, for tests.
    """

    token_key: bytes = field(repr=False)
    cursor_key: bytes = field(repr=False)
    site: int = 1
    masks: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    token_bits: int = 64


class Store:
    """The record; one per process."""

    def __init__(self, ground: Ground, numbering: Database, options: StoreOptions) -> None:
        masks = Masks(options.masks)
        self._ground = ground
        self._numbering = numbering
        self._index = Index(ground.tokens, ground.clock.zone)
        self._writer = Writer(ground, self._index)
        self._reader = Reader(ground, masks)
        self._counts = Counts(ground)
        self._searcher = Searcher(ground, masks, self._counts)
        self._feed = Feed(ground)

    @classmethod
    async def open(cls, database: Database, audit: AuditSink, clock: Clock, options: StoreOptions) -> Store:
        """Return the store of a migrated database; gives rids over two connections of its own.  Raises: UnavailableError."""
        numbering = await Database.open(database.url, zone=clock.zone, size=2)
        tokens = Tokens(options.token_key, bits=options.token_bits)
        ground = Ground(database, Numbers(numbering), tokens, clock, audit, options.site, options.cursor_key)
        return cls(ground, numbering, options)

    async def close(self) -> None:
        """Give back its own connections; the database it was opened on stays open."""
        await self._numbering.close()

    async def write(
        self, connection: asyncpg.Connection[Any], scope: Scope, changes: Sequence[Change], cause: Cause | Sequence[Cause]
    ) -> list[Outcome]:
        """Write changes inside the caller's transaction, as its last act; one outcome per change, in order.

        Equal content is `unchanged`: no version, no feed entry. A refused change (`error` set) leaves its neighbours written: whoever
        wants all or none rolls back. An id the scope cannot see answers as one that does not exist. cause: one for all, or one each.
        """
        return await self._writer.write(connection, scope, changes, cause)

    async def ready(self, changes: Sequence[Change], cause: Cause | Sequence[Cause]) -> Ready:
        """Number, index and encode changes ahead, so that a load does it while the database writes what came before."""
        return await self._writer.ready(changes, cause)

    async def write_ready(self, connection: asyncpg.Connection[Any], scope: Scope, ready: Ready) -> list[Outcome]:
        """Write what `ready` returned, once; as `write`."""
        return await self._writer.write_ready(connection, scope, ready)

    def taken(self, packed: PackedReady) -> Ready:
        """Return what another process of this installation made ready (see `pack`), and keep the rids it gave."""
        ready = unpack(packed)
        self._ground.numbers.remember(ready.rids)
        return ready

    def group_writer(self, ledger: GroupLedger[Ticket]) -> GroupWriter[Ticket]:
        """Return a writer that commits the single writes of concurrent callers together; close it before the store."""
        return GroupWriter(self._writer, self._ground.database, ledger)

    async def hold(self, connection: asyncpg.Connection[Any]) -> None:
        """Keep all other writers out until the caller's transaction ends, so that what it looks up now is still so when it writes."""
        await connection.execute("set local idle_in_transaction_session_timeout = '60s'")
        await connection.execute("select 1 from feed_head for update")

    async def match(self, connection: asyncpg.Connection[Any], scope: Scope, rtype: str, query: Query) -> list[Stored]:
        """Return at most two resources a condition fits inside the scope, as the caller's transaction sees them.

        For conditional interactions; call `hold` first.  Raises: IncorrectError.
        """
        return await self._searcher.match(connection, scope, rtype, query)

    async def lookup(self, scope: Scope, rtype: str, query: Query) -> list[Stored]:
        """Return at most two resources a condition fits inside the scope, as committed; not audited, so hand out nothing of them.

        Raises: IncorrectError.
        """
        async with self._ground.database.connection() as connection:
            return await self._searcher.match(connection, scope, rtype, query)

    async def write_links(self, connection: asyncpg.Connection[Any], links: Sequence[Link], cause: Cause) -> int:
        """End and begin links of source patients to persons inside the caller's transaction; returns the number of feed entries."""
        return await write_links(connection, self._ground, links, cause)

    async def write_scopes(self, connection: asyncpg.Connection[Any], scopes: Sequence[Belonging], cause: Cause) -> int:
        """End and begin belongings of persons inside the caller's transaction; returns the number of feed entries."""
        return await write_scopes(connection, self._ground, scopes, cause)

    async def read(self, scope: Scope, rtype: str, own_id: str) -> Stored:
        """Return the current version.  Raises: NotFoundError (status 410 where the scope may know that it was deleted)."""
        return await self._reader.read(scope, rtype, own_id)

    async def vread(self, scope: Scope, rtype: str, own_id: str, version: int) -> Stored:
        """Return one version, current or not.  Raises: NotFoundError."""
        return await self._reader.vread(scope, rtype, own_id, version)

    async def history(self, scope: Scope, query: HistoryQuery) -> Page:
        """Return versions of a resource, a type or everything, newest first.  Raises: NotFoundError, IncorrectError (cursor)."""
        return await self._reader.history(scope, query)

    async def search(self, scope: Scope, rtype: str, query: Query, *, lenient: bool = False) -> Page:
        """Return one page of the resources that fulfil every parameter (see Searcher.search).  Raises: IncorrectError, UnsupportedError."""
        return await self._searcher.search(scope, rtype, query, lenient=lenient)

    async def person_bodies(self, scope: Scope, person: int, types: Sequence[str] = (), coded: Coded = NO_CODES) -> list[Stored]:
        """Return a person's current resources from all source patients, newest date first; no types = all.

        coded: type → (search parameter, system or None for any, code); of such a type only resources found by one of them, and now and
        then one more: they are compared by hash.  Raises: NotFoundError.
        """
        return await self._reader.person_bodies(scope, person, types, coded)

    async def bodies(self, rids: Sequence[int]) -> list[Stored]:
        """Return the current resources of rids, ordered by rid, without a scope: for the house's own lake and rules, never for a request."""
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(
                f"select {columns_of('r')} from ident i join res r on r.rid = i.rid and r.rtype = i.rtype "
                "where i.rid = any($1::bigint[]) order by r.rid",
                list(rids),
            )
        return [stored(row) for row in rows]

    async def rids(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Return the rid of every (type, id); one nobody has mentioned before gets its number now."""
        return await self._ground.numbers.give(keys)

    async def keys(self, rids: Sequence[int]) -> dict[int, Key]:
        """Return (type, id) of rids; unknown ones are left out."""
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch("select rid, rtype, id from ident where rid = any($1::bigint[])", list(rids))
        return {row["rid"]: (row["rtype"], row["id"]) for row in rows}

    async def feed(self, after: Cursor, limit: int = 1000) -> list[FeedEntry]:
        """Return the next entries of the feed after a cursor, in the order of commits."""
        return await self._feed.read(after, limit)

    async def head(self) -> int:
        """Return the seq of the newest feed entry, 0 if there is none."""
        return await self._feed.head()

    async def wait(self, after: Cursor, timeout_s: float) -> bool:
        """Return True as soon as the feed has an entry after the cursor, False when the time is over."""
        return await self._feed.wait(after, timeout_s)

    async def sample_tokens(self) -> None:
        """Look again how common tokens are, which the choice of plans rests on; after a bulk load, and nightly."""
        await self._counts.refresh()
