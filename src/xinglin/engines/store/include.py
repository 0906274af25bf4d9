"""_include, one step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, Final

import asyncpg
import msgspec

from xinglin.base.errors import IncorrectError
from xinglin.engines.security import Scope
from xinglin.engines.store.model import Key, Stored
from xinglin.engines.store.query import Ask, Include
from xinglin.engines.store.read import columns_of, stored
from xinglin.engines.store.visibility import row_seen
from xinglin.fhir import extractor

INCLUDE_LIMIT: Final = 1000
_DECODER: Final = msgspec.json.Decoder()


class Includer:
    """Finds what a page's resources refer to."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    async def include(self, connection: asyncpg.Connection[Any], scope: Scope, ask: Ask, rows: Sequence[Stored]) -> list[Stored]:
        """Return the resources that the page's resources refer to, each once, as far as the scope sees them.

        Raises: IncorrectError where they would be more than 1,000.
        """
        wanted = {key for wish in ask.includes if wish.source == ask.rtype for key in self._referred(wish, rows)}
        keys = sorted(wanted - {(row.rtype, row.id) for row in rows})
        if len(keys) > INCLUDE_LIMIT:
            raise IncorrectError(
                f"附带的资源超过 {INCLUDE_LIMIT} 个，请减小 _count", f"more than {INCLUDE_LIMIT} included; lower _count", where="_include"
            )
        found = await connection.fetch(
            f"select {columns_of('r')} from unnest($1::text[], $2::text[]) k(rtype, id) join ident i on i.rtype = k.rtype and i.id = k.id "
            f"join res r on r.rid = i.rid and r.rtype = i.rtype where {row_seen(scope, 'r')} order by r.rid",
            [rtype for rtype, _ in keys],
            [own for _, own in keys],
        )
        return [stored(row) for row in found]

    def _referred(self, wish: Include, rows: Sequence[Stored]) -> Iterable[Key]:
        extract = extractor(wish.source, self._zone, frozenset({wish.param}))
        for row in rows:
            for _, kind, own in extract(_DECODER.decode(row.body)).references:
                if kind is not None and ":" not in own and wish.target in (None, kind):
                    yield kind, own
