"""Searches: inside a scope, on index columns alone, paged by keys, with totals that are exact or absent."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg

from xinglin.base.errors import IncorrectError, UnsupportedError
from xinglin.engines.security import AuditEntry, Scope
from xinglin.engines.store import conditions as compiling
from xinglin.engines.store.conditions import Clusters, Compiler, reference_targets
from xinglin.engines.store.counts import Counts
from xinglin.engines.store.cursors import open_cursor, sign_cursor
from xinglin.engines.store.ground import Ground
from xinglin.engines.store.include import Includer
from xinglin.engines.store.index import PATIENT_PARAMS
from xinglin.engines.store.mask import Masks
from xinglin.engines.store.model import Page, Query, Stored
from xinglin.engines.store.plan import gather_sql, keys_of, prefers_walk, walk_sql
from xinglin.engines.store.query import Ask, Manner, Term, read_query, unescape
from xinglin.engines.store.read import stored
from xinglin.engines.store.recheck import fulfils, needs_recheck
from xinglin.engines.store.visibility import row_seen
from xinglin.fhir import RESOURCE_TYPES

_CLUSTER: Final = """
    select i.id as asked, m.patient, n.id as own from ident i
    left join person_link l on l.patient = i.rid and l.to_seq is null
    cross join lateral (
        select i.rid as patient union
        select m.patient from person_link m where m.person = l.person and m.to_seq is null
    ) m
    join ident n on n.rid = m.patient
    where i.rtype = 'Patient' and i.id = any($1::text[])
"""


@dataclass(frozen=True, slots=True)
class _Hits:
    """Rows of one page before they are handed out. more: position to go on from, None at the end."""

    rows: tuple[Stored, ...]
    total: int | None
    more: tuple[Any, ...] | None


class Searcher:
    """Answers searches."""

    def __init__(self, ground: Ground, masks: Masks, counts: Counts) -> None:
        self._ground = ground
        self._masks = masks
        self._counts = counts
        self._includer = Includer(ground.clock.zone)

    async def search(self, scope: Scope, rtype: str, query: Query, *, lenient: bool = False) -> Page:
        """Return one page of what fulfils every parameter.

        Order: `_sort`, else by rid; stable between pages, whatever is written meanwhile.  total: exact where it costs nothing or where
        `_total=accurate` asks, else None.  A hidden resource is as good as none: in entries, totals, includes.
        lenient: unknown parameters are passed over.
        Raises: IncorrectError naming the parameter and what to write instead; UnsupportedError for a type R4 does not have.
        """
        if rtype not in RESOURCE_TYPES:
            raise UnsupportedError(
                "不是 FHIR R4 的资源类型", "not a resource type of R4; write one such as Patient", where=rtype[:50], status=404
            )
        ask = read_query(rtype, query, self._manner(scope, lenient))
        async with self._ground.database.connection() as connection:
            hits = await self._hits(connection, scope, ask)
            included: list[Stored] = []
            if ask.includes:
                included = await self._includer.include(connection, scope, ask, hits.rows)
        entries = self._masks.apply(scope, hits.rows)
        others = self._masks.apply(scope, included)
        names = " ".join(term.name for term in ask.terms)
        await self._ground.audit.record(AuditEntry(scope, "search", rtype, [each.rid for each in (*entries, *others)], detail=names[:500]))
        more = sign_cursor(self._ground.signing_key, ask.subject, hits.more) if hits.more is not None else None
        return Page(tuple(entries), hits.total, more, tuple(others))

    async def match(self, connection: asyncpg.Connection[Any], scope: Scope, rtype: str, query: Query) -> list[Stored]:
        """Return at most two resources a condition fits, as the caller's transaction sees them, for conditional interactions.

        Not audited: nothing of it leaves the house.  Raises: IncorrectError for a condition without a parameter.
        """
        ask = read_query(rtype, query, self._manner(scope, False))
        if not ask.terms:
            raise IncorrectError("条件里没有检索参数", "a condition needs a search parameter, such as identifier=system|value", where=rtype)
        hits = await self._hits(connection, scope, replace(ask, count=2, total="none", cursor=None, counts_only=False))
        return list(hits.rows)

    def _manner(self, scope: Scope, lenient: bool) -> Manner:
        return Manner(lenient, lambda rtype, param: self._masks.hides_parameter(scope, rtype, param))

    async def _hits(self, connection: asyncpg.Connection[Any], scope: Scope, ask: Ask) -> _Hits:
        compiler = Compiler(ask.rtype, await self._standing(connection, ask))
        found = [compiler.condition(term) for term in ask.terms]
        base = [f"r.rtype = '{ask.rtype}'", row_seen(scope, "r")]
        if ask.counts_only:
            sql = f"select count(*) from res r where {' and '.join([*base, *(each.sql for each in found)])}"
            return _Hits((), await connection.fetchval(sql, *compiler.arguments), None)
        await self._counts.read(connection)
        keys = keys_of(compiler, ask.sort)
        after = open_cursor(self._ground.signing_key, ask.subject, ask.cursor) if ask.cursor else None
        wanted = ask.count + 1
        walks = ask.total != "accurate" and prefers_walk(ask.rtype, self._counts, found, (keys, wanted))
        if walks:
            sql = walk_sql(compiler, [*base, *(each.plain for each in found)], keys, after, wanted)
        else:
            sql = gather_sql(compiler, [*base, *(each.sql for each in found)], keys, after, wanted)
        rows = await connection.fetch(sql, *compiler.arguments)
        page = rows[: ask.count]
        more = tuple(page[-1][f"k{n}"] for n in range(len(keys))) if len(rows) > ask.count else None
        total = None if walks or ask.total == "none" else (rows[0]["total"] if rows else 0)
        return await self._verified(connection, scope, ask, _Hits(tuple(map(stored, page)), total, more))

    async def _verified(self, connection: asyncpg.Connection[Any], scope: Scope, ask: Ask, hits: _Hits) -> _Hits:
        """Leave out hits whose real value is another; a total that may count such a hit is absent."""
        terms = [term for term in ask.terms if needs_recheck(term)]
        if not terms:
            return hits
        zone = self._ground.clock.zone
        rows = tuple(row for row in hits.rows if fulfils(ask.rtype, terms, row.body, zone))
        total = hits.total if len(rows) == len(hits.rows) else None
        return _Hits(rows, total, hits.more)

    async def _standing(self, connection: asyncpg.Connection[Any], ask: Ask) -> compiling.Ground:
        ground = self._ground
        now_us = int(ground.clock.now().timestamp() * 1_000_000)
        asked = {own for term in ask.terms for own in _patients_asked(term)}
        clusters = Clusters()
        if asked:
            rids: dict[str, tuple[int, ...]] = {}
            ids: dict[str, tuple[str, ...]] = {}
            for row in await connection.fetch(_CLUSTER, sorted(asked)):
                rids[row["asked"]] = (*rids.get(row["asked"], ()), row["patient"])
                ids[row["asked"]] = (*ids.get(row["asked"], ()), row["own"])
            clusters = Clusters(rids, ids)
        return compiling.Ground(ground.tokens, ground.clock.zone, now_us, clusters)


def _patients_asked(term: Term) -> list[str]:
    if term.param.name not in PATIENT_PARAMS or term.modifier in ("identifier", "missing"):
        return []
    targets = [target for value in term.values for target in reference_targets(term, unescape(value))]
    return [target.removeprefix("Patient/") for target in targets if target.startswith("Patient/")]
