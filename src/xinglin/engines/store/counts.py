"""How common tokens are: what the choice of plan rests on."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Final

import asyncpg

from xinglin.engines.store.ground import Ground

_SAMPLE_ROWS: Final = 30_000
_LEAST_IN_SAMPLE: Final = 10
_KEPT_S: Final = 60.0
_SAMPLE: Final = """
    insert into token_count (rtype, token, row_count)
    select r.rtype, t.token, (count(*) * 100 / {percent})::bigint
    from res r tablesample system ({percent}) cross join lateral unnest(r.tok) t(token) group by 1, 2 having count(*) >= {least}
"""


class Counts:
    """Estimates from the last sample, read again every minute."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._totals: dict[str, int] = {}
        self._rows: dict[tuple[str, int], int] = {}
        self._read_at = float("-inf")

    async def refresh(self) -> None:
        """Take a new sample of the record and keep what it says; readers see it within a minute. The server looks again at its tables too."""
        async with self._ground.database.connection() as connection:
            await connection.execute("analyze res, ident, idx_string, idx_date, idx_number, person_link, person_scope", timeout=1200)
        async with self._ground.database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock(hashtext('xinglin token_count'))")
            size = await connection.fetchval(
                "select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint from pg_inherits i join pg_class c on c.oid = i.inhrelid "
                "where i.inhparent = 'res'::regclass"
            )
            percent = min(100.0, max(0.01, 100.0 * _SAMPLE_ROWS * 10 / max(size, 1)))
            await connection.execute("delete from token_count")
            await connection.execute("delete from token_count_total")
            await connection.execute(_SAMPLE.format(percent=percent, least=_LEAST_IN_SAMPLE))
            await connection.execute(
                f"insert into token_count_total select r.rtype, (count(*) * 100 / {percent})::bigint, $1 "
                f"from res r tablesample system ({percent}) group by r.rtype",
                self._ground.clock.now(),
            )
        self._read_at = float("-inf")

    async def read(self, connection: asyncpg.Connection[Any]) -> None:
        """Bring what is known up to date if it is older than a minute."""
        if time.monotonic() - self._read_at < _KEPT_S:
            return
        self._read_at = time.monotonic()
        self._totals = {row["rtype"]: row["row_count"] for row in await connection.fetch("select rtype, row_count from token_count_total")}
        rows = await connection.fetch("select rtype, token, row_count from token_count")
        self._rows = {(row["rtype"], row["token"]): row["row_count"] for row in rows}

    def total(self, rtype: str) -> int:
        """Return about how many resources of a type there are, 0 if nobody has looked."""
        return self._totals.get(rtype, 0)

    def carrying(self, rtype: str, tokens: Iterable[int]) -> int:
        """Return about how many rows carry any of the tokens; rare ones count as one row."""
        return sum(self._rows.get((rtype, token), 1) for token in tokens)
