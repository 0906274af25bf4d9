"""_include and _revinclude, one step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import tzinfo
from typing import Any, Final

import asyncpg
import msgspec

from xinglin.base.errors import IncorrectError
from xinglin.engines.security import Scope
from xinglin.engines.store.conditions import Clusters, Compiler, Standing
from xinglin.engines.store.model import Key, Stored
from xinglin.engines.store.query import Ask, Include, Term
from xinglin.engines.store.read import columns_of, stored
from xinglin.engines.store.recheck import fulfils, needs_recheck
from xinglin.engines.store.tokens import Tokens
from xinglin.engines.store.visibility import row_seen
from xinglin.fhir import extractor, search_parameters

INCLUDE_LIMIT: Final = 1000
_DECODER: Final = msgspec.json.Decoder()


class Includer:
    """Finds what a page's resources refer to, and what refers to them, as far as the scope sees it."""

    def __init__(self, tokens: Tokens, zone: tzinfo) -> None:
        self._tokens = tokens
        self._zone = zone

    async def include(self, connection: asyncpg.Connection[Any], scope: Scope, ask: Ask, rows: Sequence[Stored]) -> list[Stored]:
        """Return the resources _include and _revinclude bring to a page, each once and none of the page itself.

        Raises: IncorrectError where they would be more than 1,000.
        """
        found = {row.rid: row for row in await self._referred(connection, scope, ask, rows)}
        for wish in ask.revincludes:
            if wish.target in (None, ask.rtype) and rows:
                found |= {row.rid: row for row in await self._referring(connection, scope, wish, rows)}
        here = {row.rid for row in rows}
        if len(found) > INCLUDE_LIMIT:
            raise _too_many()
        return [row for rid, row in sorted(found.items()) if rid not in here]

    async def _referred(self, connection: asyncpg.Connection[Any], scope: Scope, ask: Ask, rows: Sequence[Stored]) -> list[Stored]:
        keys = sorted({key for wish in ask.includes if wish.source == ask.rtype for key in self._keys(wish, rows)})
        if len(keys) > INCLUDE_LIMIT:
            raise _too_many()
        if not keys:
            return []
        found = await connection.fetch(
            f"select {columns_of('r')} from unnest($1::text[], $2::text[]) k(rtype, id) join ident i on i.rtype = k.rtype and i.id = k.id "
            f"join res r on r.rid = i.rid and r.rtype = i.rtype where {row_seen(scope, 'r')} order by r.rid",
            [rtype for rtype, _ in keys],
            [own for _, own in keys],
        )
        return [stored(row) for row in found]

    def _keys(self, wish: Include, rows: Sequence[Stored]) -> Iterable[Key]:
        extract = extractor(wish.source, self._zone, frozenset({wish.param}))
        for row in rows:
            for _, kind, own in extract(_DECODER.decode(row.body)).references:
                if kind is not None and ":" not in own and wish.target in (None, kind):
                    yield kind, own

    async def _referring(self, connection: asyncpg.Connection[Any], scope: Scope, wish: Include, rows: Sequence[Stored]) -> list[Stored]:
        term = Term(search_parameters(wish.source)[wish.param], "", tuple(f"{row.rtype}/{row.id}" for row in rows))
        compiler = Compiler(wish.source, Standing(self._tokens, self._zone, 0, Clusters({row.id: (row.rid,) for row in rows})))
        condition = compiler.condition(term)
        found = await connection.fetch(
            f"select {columns_of('r')} from res r where r.rtype = '{wish.source}' and {condition.sql} and {row_seen(scope, 'r')} "
            f"order by r.rid limit {INCLUDE_LIMIT + 1}",
            *compiler.arguments,
        )
        checks = [term] if needs_recheck(wish.source, term) else []
        return [stored(row) for row in found if not checks or fulfils(wish.source, checks, row["body"], self._zone)]


def _too_many() -> IncorrectError:
    return IncorrectError(
        f"附带的资源超过 {INCLUDE_LIMIT} 个，请减小 _count", f"more than {INCLUDE_LIMIT} included; lower _count", where="_include"
    )
