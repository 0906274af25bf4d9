"""Reads of what is known by name: a resource, one version, its history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from xinglin.base.errors import NotFoundError
from xinglin.base.text import storable
from xinglin.engines.security import AuditEntry, Scope
from xinglin.engines.store.cursors import open_cursor, sign_cursor
from xinglin.engines.store.ground import Ground
from xinglin.engines.store.mask import Masks
from xinglin.engines.store.model import Coded, Page, Stored
from xinglin.engines.store.visibility import patient_seen, row_seen
from xinglin.engines.store.write import not_found

COLUMNS: Final = "rid, rtype, id, ver, seq, ts, body, message_no"
HISTORY_COUNT: Final = 100
HISTORY_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """What part of a history is asked for.

    rtype, id: both None = of everything, id None = of a type.  since: versions from this instant on.  count: per page, 1 to 1000.
    """

    rtype: str | None = None
    id: str | None = None
    since: datetime | None = None
    count: int = HISTORY_COUNT
    cursor: str | None = None


def columns_of(alias: str) -> str:
    """Return the columns of a `Stored` under an alias of `res` or `hist`."""
    return ", ".join(f"{alias}.{name}" for name in COLUMNS.split(", "))


def stored(row: Any) -> Stored:
    """Return the version a row of `res` or `hist` holds."""
    return Stored(
        rid=row["rid"],
        rtype=row["rtype"],
        id=row["id"],
        version=row["ver"],
        seq=row["seq"],
        updated_at=row["ts"],
        body=row["body"] or b"",
        message_no=row["message_no"],
    )


class Reader:
    """Reads inside a scope; every access is audited before its bytes leave."""

    def __init__(self, ground: Ground, masks: Masks) -> None:
        self._ground = ground
        self._masks = masks

    async def read(self, scope: Scope, rtype: str, own_id: str) -> Stored:
        """Return the current version.  Raises: NotFoundError; with status 410 where the scope may know that it was deleted."""
        current = f"""
            select {columns_of("r")} from ident i join res r on r.rid = i.rid and r.rtype = i.rtype
            where i.rtype = $1 and i.id = $2 and r.rtype = $1 and {row_seen(scope, "r")}
        """
        own_id = storable(own_id)
        async with self._ground.database.connection() as connection:
            row = await connection.fetchrow(current, rtype, own_id)
            gone = None if row else await connection.fetchrow(_last(scope), rtype, own_id)
        if row is not None:
            return (await self._handed_out(scope, "read", rtype, [stored(row)]))[0]
        await self._ground.audit.record(AuditEntry(scope, "read", rtype, outcome="refused"))
        raise _gone(rtype) if gone is not None else not_found(rtype)

    async def vread(self, scope: Scope, rtype: str, own_id: str, version: int) -> Stored:
        """Return one version, current or not.  Raises: NotFoundError; with status 410 for the version that deleted it."""
        sql = f"""
            select {columns_of("r")} from ident i join res r on r.rid = i.rid and r.rtype = i.rtype
            where i.rtype = $1 and i.id = $2 and r.rtype = $1 and r.ver = $3 and {row_seen(scope, "r")}
            union all
            select {columns_of("h")} from ident i join hist h on h.rid = i.rid
            where i.rtype = $1 and i.id = $2 and h.ver = $3 and {row_seen(scope, "h")}
        """
        async with self._ground.database.connection() as connection:
            row = await connection.fetchrow(sql, rtype, storable(own_id), version)
        if row is None or row["body"] is None:
            await self._ground.audit.record(AuditEntry(scope, "vread", rtype, outcome="refused"))
            raise not_found(rtype) if row is None else _gone(rtype)
        return (await self._handed_out(scope, "vread", rtype, [stored(row)]))[0]

    async def history(self, scope: Scope, query: HistoryQuery) -> Page:
        """Return versions, newest first; deletions are entries with an empty body. Of one resource the total is exact.

        Raises: NotFoundError for a resource that never was or that the scope may not see.
        """
        count = max(1, min(query.count, HISTORY_LIMIT))
        subject = f"history {query.rtype}/{query.id} since {query.since} as {scope.account_no}"
        before = (1 << 62) if query.cursor is None else int(open_cursor(self._ground.signing_key, subject, query.cursor)[0])
        sql, arguments = _history_sql(scope, query)
        total: int | None = None
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(f"{sql} and v.seq < $1 order by v.seq desc limit {count + 1}", before, *arguments)
            if query.id is not None:
                total = await connection.fetchval(f"select count(*) from ({sql} and v.seq < $1) counted", 1 << 62, *arguments)
        if query.id is not None and not total and query.since is None:
            await self._ground.audit.record(AuditEntry(scope, "history", query.rtype or "", outcome="refused"))
            raise not_found(query.rtype or "")
        entries = await self._handed_out(scope, "history", query.rtype or "", [stored(row) for row in rows[:count]])
        more = sign_cursor(self._ground.signing_key, subject, [entries[-1].seq]) if len(rows) > count else None
        return Page(tuple(entries), total, more)

    async def person_bodies(self, scope: Scope, person: int, types: Sequence[str], coded: Coded) -> list[Stored]:
        """Return the current resources of a person, from all source patients of the cluster, newest date first; empty types = all.

        coded: type → codes one of which its resources must have, as `Store.person_bodies` says.
        Raises: NotFoundError for a person who is not there or not in the scope.
        """
        seen = patient_seen(scope, "l.patient")
        wanted = "and r.rtype = any($2::text[])" if types else "and cardinality($2::text[]) = 0"
        wanted += "".join(f" and (r.rtype <> ${at} or r.tok && ${at + 1}::bigint[])" for at in range(3, 3 + 2 * len(coded), 2))
        async with self._ground.database.connection() as connection:
            patients = await connection.fetch(
                f"select l.patient from person_link l where l.person = $1 and l.to_seq is null and {seen}", person
            )
            rows = await connection.fetch(
                f"select {columns_of('r')} from res r where r.pat = any($1::bigint[]) {wanted} and {row_seen(scope, 'r')} "
                "order by r.dt desc, r.rid",
                [row["patient"] for row in patients],
                list(types),
                *(value for rtype, codes in coded.items() for value in (rtype, [self._token(rtype, *code) for code in codes])),
            )
        if not patients:
            await self._ground.audit.record(AuditEntry(scope, "read", "person", outcome="refused"))
            raise NotFoundError("没有这位居民", "there is no such resident", where="person")
        found = self._masks.apply(scope, [stored(row) for row in rows])
        await self._ground.audit.record(AuditEntry(scope, "read", "person", [entry.rid for entry in found], persons=(person,)))
        return found

    def _token(self, rtype: str, param: str, system: str | None, code: str) -> int:
        tokens = self._ground.tokens
        return tokens.code(rtype, param, code) if system is None else tokens.coded(rtype, param, system, code)

    async def _handed_out(self, scope: Scope, action: str, rtype: str, found: Sequence[Stored]) -> list[Stored]:
        masked = self._masks.apply(scope, found)
        await self._ground.audit.record(AuditEntry(scope, action, rtype, [entry.rid for entry in found]))
        return masked


def _last(scope: Scope) -> str:
    return f"""
        select h.ver from ident i join hist h on h.rid = i.rid
        where i.rtype = $1 and i.id = $2 and h.body is null and {row_seen(scope, "h")} limit 1
    """


def _gone(rtype: str) -> NotFoundError:
    return NotFoundError("这个资源已被删除", "this resource was deleted", where=rtype, status=410)


def _history_sql(scope: Scope, query: HistoryQuery) -> tuple[str, list[Any]]:
    """Return a select of versions `v` ending in a where clause, and its arguments from $2 on."""
    arguments: list[Any] = []
    since = ""
    if query.since is not None:
        arguments.append(query.since)
        since = f"and v.ts >= ${len(arguments) + 1}"
    if query.id is not None:
        arguments += [query.rtype, storable(query.id)]
        place = f"i.rtype = ${len(arguments)} and i.id = ${len(arguments) + 1}"
        versions = f"""
            select {columns_of("r")} from ident i join res r on r.rid = i.rid and r.rtype = i.rtype where {place} and {row_seen(scope, "r")}
            union all
            select {columns_of("h")} from ident i join hist h on h.rid = i.rid where {place} and {row_seen(scope, "h")}
        """
        return f"select * from ({versions}) v where true {since}", arguments
    kind = ""
    if query.rtype is not None:
        arguments.append(query.rtype)
        kind = f"and f.rtype = ${len(arguments) + 1}"
    current, past = row_seen(scope, "r"), row_seen(scope, "h")
    versions = f"""
        select * from feed f cross join lateral (
            select {columns_of("r")} from res r where r.rid = f.rid and r.rtype = f.rtype and r.ver = f.ver and {current}
            union all
            select {columns_of("h")} from hist h where h.rid = f.rid and h.ver = f.ver and {past}
        ) x(rid_, rtype_, id, ver_, seq_, ts_, body, message_)
        where f.kind = 'resource' {kind}
    """
    picked = f"select seq, rid, rtype, ver, ts, message_no, id, body from ({versions}) picked"
    return f"select * from ({picked}) v where true {since}", arguments
