"""Reading the feed: what changed, in the order of commits, without holes."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any, Final

import asyncpg

from xinglin.base.errors import IncorrectError
from xinglin.engines.store.ground import Ground
from xinglin.engines.store.model import Cursor, FeedEntry

CHANNEL: Final = "xinglin_feed"
LIMIT: Final = 10_000
_POLL_S: Final = 1.0
_READ: Final = """
    select f.seq, f.kind, f.rid, f.ver, f.rtype, f.person, f.message_no, f.ts, f.site, f.actor, f.format,
        case when f.kind = 'resource' then coalesce(
            (select r.body from res r where r.rid = f.rid and r.rtype = f.rtype and r.ver = f.ver),
            (select h.body from hist h where h.rid = f.rid and h.ver = f.ver)) end as body,
        s.area, s.institution
    from feed f left join person_scope s on f.kind = 'scope' and f.ver = 1 and s.person = f.person and s.from_seq = f.seq
    where f.seq > $1 order by f.seq limit $2
"""


# A plan made while a table was empty reads all of it for every entry once a load has filled it.
_PLAN_ANEW: Final = "set local plan_cache_mode = force_custom_plan; set local enable_seqscan = off; set local jit = off"


class Feed:
    """The feed as readers see it. Everything downstream can be rebuilt from it."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def read(self, after: Cursor, limit: int) -> list[FeedEntry]:
        """Return the next entries after a cursor, at most `limit` (1 to 10,000).  Raises: IncorrectError for another shard's cursor."""
        if after.shard != 0:
            raise IncorrectError("游标属于另一个库", "the cursor belongs to another shard", where="cursor")
        async with self._ground.database.transaction() as connection:
            await connection.execute(_PLAN_ANEW)
            rows = await connection.fetch(_READ, after.seq, max(1, min(limit, LIMIT)))
        return [_entry(row) for row in rows]

    async def head(self) -> int:
        """Return the seq of the newest entry, 0 if there is none."""
        async with self._ground.database.connection() as connection:
            seq: int = await connection.fetchval("select seq from feed_head")
        return seq

    async def wait(self, after: Cursor, timeout_s: float) -> bool:
        """Return True as soon as there is an entry after the cursor, False when the time is over. Does not depend on a notice arriving."""
        deadline = time.monotonic() + timeout_s
        async with self._ground.database.connection() as connection:
            told = asyncio.Event()

            def tell(*_: Any) -> None:
                told.set()

            await connection.add_listener(CHANNEL, tell)
            try:
                while True:
                    told.clear()
                    if await connection.fetchval("select seq from feed_head") > after.seq:
                        return True
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return False
                    with suppress(TimeoutError):
                        await asyncio.wait_for(told.wait(), min(left, _POLL_S))
            finally:
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await connection.remove_listener(CHANNEL, tell)


def _entry(row: Any) -> FeedEntry:
    return FeedEntry(
        seq=row["seq"],
        kind=row["kind"],
        rid=row["rid"],
        ver=row["ver"],
        rtype=row["rtype"],
        person=row["person"],
        message_no=row["message_no"],
        updated_at=row["ts"],
        site=row["site"],
        actor=row["actor"],
        format=row["format"],
        body=row["body"],
        area=row["area"],
        institution=row["institution"],
    )
