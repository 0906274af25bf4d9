"""The numbers (rid) of ids, given when an id is first mentioned."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from xinglin.base.database import Database
from xinglin.engines.store.arrays import array_of_words
from xinglin.engines.store.model import Key

SAYS_NOTHING: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
"""Pattern of ids that cannot say who somebody is (UUIDs); any other is renamed when its person is erased."""
_KEPT: Final = re.compile(SAYS_NOTHING)
_CACHE_LIMIT: Final = 60_000
_KNOWN: Final = "select i.rtype, i.id, i.rid from unnest($1::text::text[], $2::text::text[]) as k(rtype, id) join ident i using (rtype, id)"
_GIVE: Final = """
    insert into ident (rtype, id) select rtype, id from unnest($1::text::text[], $2::text::text[]) as k(rtype, id) order by rtype, id
    on conflict do nothing returning rtype, id, rid
"""


class Numbers:
    """Gives and remembers rids.

    A number is given in a short transaction of its own, on connections nobody else waits for: a writer holds no lock on `ident`,
    two writers that mention the same id never wait for each other's commit, and what is remembered here can never be rolled back. Only
    ids that keep their number for ever are remembered: one that an erasure may rename is looked up each time.
    A number without a record means nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[Key, int] = {}

    async def give(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Return the rid of every key, new numbers for those nobody has mentioned before."""
        wanted = set(keys)
        found = self._remembered(wanted)
        if len(found) < len(wanted):
            found |= await self._look_up(wanted - found.keys())
        missing = sorted(wanted - found.keys())
        if missing:
            async with self._database.connection() as connection:
                rows = await connection.fetch(_GIVE, *_columns(missing))
            given = {(row["rtype"], row["id"]): row["rid"] for row in rows}
            self.remember(given)
            found |= given
            if len(found) < len(wanted):
                found |= await self._look_up(wanted - found.keys())
        return found

    async def known(self, keys: Iterable[Key]) -> dict[Key, int]:
        """Return the rids of the keys that somebody has mentioned; the others are left out."""
        wanted = set(keys)
        found = self._remembered(wanted)
        if len(found) < len(wanted):
            found |= await self._look_up(wanted - found.keys())
        return found

    def _remembered(self, keys: set[Key]) -> dict[Key, int]:
        known = self._known
        return {key: known[key] for key in keys if key in known}

    async def _look_up(self, keys: set[Key]) -> dict[Key, int]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(_KNOWN, *_columns(keys))
        found = {(row["rtype"], row["id"]): row["rid"] for row in rows}
        self.remember(found)
        return found

    def remember(self, found: Mapping[Key, int]) -> None:
        """Keep numbers that were given, by whichever process."""
        if len(self._known) + len(found) > _CACHE_LIMIT:
            self._known.clear()
        self._known.update((key, rid) for key, rid in found.items() if _KEPT.fullmatch(key[1]))


def _columns(keys: Collection[Key]) -> tuple[str, str]:
    return array_of_words([rtype for rtype, _ in keys]), array_of_words([own_id for _, own_id in keys])
