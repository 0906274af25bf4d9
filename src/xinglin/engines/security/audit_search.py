"""Finds entries of the audit log for an auditor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

import asyncpg

from xinglin.base.errors import IncorrectError

PAGE_LIMIT: Final = 500
SKIP_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What to look for; None asks nothing.

    since, until: instants, until excluded.  person: a person number; what names one of the person's resources is found too; 0 is nobody.  rid: a resource (or account) the entry names.
    """

    account_no: int | None = None
    person: int | None = None
    rid: int | None = None
    action: str | None = None
    outcome: str | None = None
    subject_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditFound:
    """An entry as shown to an auditor; day, process and n are its place in the log.

    at: when it happened.  recorded_at: when it was written into the log, where that was later (its process was gone), else None.
    persons: those it names; where it names resources alone (a reading through the API, a saved form) those they are about now.
    """

    day: date
    process: int
    n: int
    at: datetime
    account_no: int | None
    login: str | None
    display_name: str | None
    role: str
    purpose: str
    institution: int | None
    action: str
    subject_type: str
    rids: tuple[int, ...]
    persons: tuple[int, ...]
    outcome: str
    detail: str
    request_id: str
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, newest first; next_cursor is None on the last page."""

    entries: tuple[AuditFound, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of what matches: after a cursor, passing over `skip` entries, at most `limit`."""

    cursor: str | None
    limit: int
    skip: int = 0


_SELECT: Final = (
    "select l.day, l.process, l.n, l.at, l.account_no, a.login, a.display_name, l.role, l.purpose, l.institution, l.action,"
    " l.subject_type, l.rids, l.persons, l.outcome, l.detail, l.request_id, l.recorded_at from audit l left join account a using (account_no)"
)
_CLINICAL: Final = "(l.subject_type in ('person', 'resident') or l.subject_type ~ '^[A-Z]')"
"""Entries whose rids are numbers of resources; those of accounts, maps and files count otherwise."""
_RESOURCES: Final = "select array_agg(r.rid) from person_link k join res r on r.rid = k.patient or r.pat = k.patient where k.person = {0}::bigint and k.to_seq is null"
_ABOUT: Final = "select r.rid, k.person from res r join person_link k on k.patient = coalesce(r.pat, r.rid) and k.to_seq is null where r.rid = any($1::bigint[])"
_CONDITIONS: Final = (
    ("account_no", "l.account_no = {}"),
    ("person", f"(l.persons @> array[{{0}}::bigint] or ({_CLINICAL} and l.rids && coalesce(({_RESOURCES}), '{{{{}}}}')))"),
    ("rid", "l.rids @> array[{}::bigint]"),
    ("action", "l.action = {}"),
    ("outcome", "l.outcome = {}"),
    ("subject_type", "l.subject_type = {}"),
    ("since", "l.at >= {}"),
    ("until", "l.at < {}"),
)


async def find_entries(connection: asyncpg.Connection[Any], query: AuditQuery, part: Slice) -> AuditPage:
    """Return a page of what matches.  Raises: IncorrectError for a cursor or a limit that cannot be."""
    limit = part.limit
    if not 1 <= limit <= PAGE_LIMIT or not 0 <= part.skip <= SKIP_LIMIT:
        raise IncorrectError(
            f"每页 1 到 {PAGE_LIMIT} 条，最多翻过 {SKIP_LIMIT} 条；请缩小查询范围",
            f"write a page size from 1 to {PAGE_LIMIT} and pass over {SKIP_LIMIT} entries at most; narrow the search instead",
            where="limit",
        )
    conditions, values = _where(query)
    if part.cursor is not None:
        values += _place(part.cursor)
        conditions.append(f"(l.at, l.process, l.n) < (${len(values) - 2}, ${len(values) - 1}, ${len(values)})")
    where = f" where {' and '.join(conditions)}" if conditions else ""
    rows = await connection.fetch(
        f"{_SELECT}{where} order by l.at desc, l.process desc, l.n desc limit {int(limit) + 1} offset {int(part.skip)}", *values
    )
    entries = await _with_persons(connection, [_found(row) for row in rows[:limit]])
    more = len(rows) > limit
    return AuditPage(entries, _cursor(entries[-1]) if more else None)


async def _with_persons(connection: asyncpg.Connection[Any], found: Sequence[AuditFound]) -> tuple[AuditFound, ...]:
    """Return the entries, those that name resources alone with the persons these are about."""
    bare = {place for place, one in enumerate(found) if not one.persons and one.rids and _is_clinical(one.subject_type)}
    rids = sorted({rid for place in bare for rid in found[place].rids})
    about = {row["rid"]: row["person"] for row in await connection.fetch(_ABOUT, rids)} if rids else {}
    told = {place: tuple(dict.fromkeys(about[rid] for rid in found[place].rids if rid in about)) for place in bare}
    return tuple(replace(one, persons=told[place]) if place in told else one for place, one in enumerate(found))


def _is_clinical(subject_type: str) -> bool:
    return subject_type in ("person", "resident") or subject_type[:1].isupper()


def _where(query: AuditQuery) -> tuple[list[str], list[Any]]:
    values: list[Any] = []
    conditions: list[str] = []
    for name, condition in _CONDITIONS:
        if (value := getattr(query, name)) is not None:
            values.append(value)
            conditions.append(condition.format(f"${len(values)}"))
    return conditions, values


def _found(row: Sequence[Any]) -> AuditFound:
    fields = list(row)
    fields[12], fields[13] = tuple(fields[12]), tuple(fields[13])
    return AuditFound(*fields)


def _cursor(entry: AuditFound) -> str:
    return f"{entry.at.isoformat()}~{entry.process}~{entry.n}"


def _place(cursor: str) -> list[Any]:
    try:
        at, process, n = cursor.split("~")
        return [datetime.fromisoformat(at), int(process), int(n)]
    except ValueError as error:
        raise IncorrectError("翻页位置无效，请从第一页查起", "not a page position; start from the first page", where="cursor") from error
