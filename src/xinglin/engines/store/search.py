"""Searches: inside a scope, on index columns alone, paged by keys, with totals that are exact or absent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg

from xinglin.base.errors import IncorrectError, UnsupportedError
from xinglin.engines.security import AuditEntry, Scope
from xinglin.engines.store.conditions import Clusters, Compiler, Standing, reference_targets
from xinglin.engines.store.counts import Counts
from xinglin.engines.store.cursors import open_cursor, sign_cursor
from xinglin.engines.store.ground import Ground
from xinglin.engines.store.include import Includer
from xinglin.engines.store.index import PATIENT_PARAMS
from xinglin.engines.store.mask import Masks
from xinglin.engines.store.model import Page, Query, Stored
from xinglin.engines.store.plan import gather_sql, indexed, keys_of, position_of, prefers_walk, walk_sql
from xinglin.engines.store.query import Ask, Manner, Term, read_query, unescape
from xinglin.engines.store.read import stored
from xinglin.engines.store.recheck import fulfils, needs_recheck
from xinglin.engines.store.visibility import row_seen
from xinglin.fhir import RESOURCE_TYPES

_VERIFIED_LIMIT: Final = 5000
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
        self._includer = Includer(ground.tokens, ground.clock.zone)

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
            if ask.includes or ask.revincludes:
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
        """Return one page of verified hits; where a hash misled, it goes on until the page is full or the hits are over."""
        terms = [term for term in ask.terms if needs_recheck(ask.rtype, term)]
        standing = await self._standing(connection, ask)
        if ask.counts_only:
            return await self._counted(connection, scope, ask, (standing, terms))
        await self._counts.read(connection)
        after = open_cursor(self._ground.signing_key, ask.subject, ask.cursor) if ask.cursor else None
        rows: list[Stored] = []
        while True:
            wish = replace(ask, count=ask.count - len(rows))
            hits = await self._page(connection, scope, wish, (standing, after))
            good = [row for row in hits.rows if not terms or fulfils(ask.rtype, terms, row.body, standing.zone)]
            is_whole = len(good) == len(hits.rows) and not rows and (not terms or (hits.more is None and after is None))
            rows += good
            if hits.more is None or len(rows) >= ask.count:
                break
            after = list(hits.more)
        if is_whole or ask.total != "accurate":
            return _Hits(tuple(rows), hits.total if is_whole else None, hits.more)
        return _Hits(tuple(rows), (await self._counted(connection, scope, ask, (standing, terms))).total, hits.more)

    async def _page(
        self, connection: asyncpg.Connection[Any], scope: Scope, ask: Ask, place: tuple[Standing, Sequence[Any] | None]
    ) -> _Hits:
        """Return one page as the index answers it, by the cheaper plan. place: what the search stands on, the position it goes on from."""
        standing, after = place
        compiler = Compiler(ask.rtype, standing)
        found = [compiler.condition(term) for term in ask.terms]
        base = [f"r.rtype = '{ask.rtype}'", row_seen(scope, "r")]
        keys = keys_of(compiler, ask.sort)
        wanted = ask.count + 1
        walks = ask.total != "accurate" and prefers_walk(ask.rtype, self._counts, found, (keys, wanted))
        if walks:
            sql = walk_sql(compiler, [*base, *(each.plain for each in found)], keys, after, wanted)
        else:
            sql = gather_sql(compiler, [*base, *indexed(found)], keys, after, wanted)
        rows = await connection.fetch(sql, *compiler.arguments)
        page = rows[: ask.count]
        more = position_of(page[-1], keys) if len(rows) > ask.count else None
        is_counted = not walks and ask.total != "none" and (rows or after is None)
        total = (rows[0]["total"] if rows else 0) if is_counted else None
        return _Hits(tuple(map(stored, page)), total, more)

    async def _counted(self, connection: asyncpg.Connection[Any], scope: Scope, ask: Ask, place: tuple[Standing, Sequence[Term]]) -> _Hits:
        """Return the number of hits alone. place: what the search stands on, the terms to check on the real value.

        Up to 5,000 hits are checked one by one; beyond that the chance of one wrong in a count of 64-bit hashes is below one in 10**12.
        """
        standing, terms = place
        compiler = Compiler(ask.rtype, standing)
        where = [f"r.rtype = '{ask.rtype}'", row_seen(scope, "r"), *indexed([compiler.condition(term) for term in ask.terms])]
        total: int = await connection.fetchval(f"select count(*) from res r where {' and '.join(where)}", *compiler.arguments)
        if terms and total <= _VERIFIED_LIMIT:
            bodies = await connection.fetch(f"select r.body from res r where {' and '.join(where)}", *compiler.arguments)
            total = sum(fulfils(ask.rtype, terms, row["body"], standing.zone) for row in bodies)
        return _Hits((), total, None)

    async def _standing(self, connection: asyncpg.Connection[Any], ask: Ask) -> Standing:
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
        return Standing(ground.tokens, ground.clock.zone, now_us, clusters)


def _patients_asked(term: Term) -> list[str]:
    if term.param.name not in PATIENT_PARAMS or term.modifier in ("identifier", "missing"):
        return []
    targets = [target for value in term.values for target in reference_targets(term, unescape(value))]
    return [target.removeprefix("Patient/") for target in targets if target.startswith("Patient/")]
