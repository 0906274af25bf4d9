"""What the pages of 数据接入 show: messages, what waits, and institutions × data received."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.engines.security import Scope, scope_areas_condition, scope_condition

_SORTS: Final = {
    "received_at": "m.received_at",
    "message_no": "m.message_no",
    "source": "s.code",
    "rejected": "m.rejected",
    "size": "m.size",
}
_ENDINGS: Final = ("json", "ndjson", "jsonl", "gz", "xlsx", "xls", "csv")
_EVENTS: Final = ("Encounter", "Observation", "Condition", "QuestionnaireResponse", "Immunization", "Procedure", "MedicationStatement")
"""Types whose newest date says how late a message came; a Patient or a Contract may rightly be old."""


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Which messages. institution: rid of one it brought something of.  sort: a key of received_at, message_no, source, rejected, size; '-' before it = descending."""

    source: str | None = None
    state: str | None = None
    text: str | None = None
    since: date | None = None
    until: date | None = None
    institution: int | None = None
    sort: str = "-message_no"
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A row of the list of messages."""

    message_no: int
    source: str
    source_name: str
    message_id: str
    kind: str
    size: int
    received_at: datetime
    finished_at: datetime | None
    state: str
    entries: int
    stored: int
    unchanged: int
    rejected: int
    reason: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """A row of the quarantine. problems: [{path, zh, en}]."""

    quarantine_no: int
    message_no: int
    source: str
    source_name: str
    message_id: str
    entry_no: int
    rtype: str | None
    reason: str
    problems: list[dict[str, str]]
    state: str
    opened_at: datetime
    closed_at: datetime | None
    closed_reason: str
    replayed_as: int | None


@dataclass(frozen=True, slots=True)
class WarningRow:
    """What was stored and should be looked at by its sender. entry_no: 1-based.  path: its place in the entry."""

    entry_no: int
    path: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class WrittenRow:
    """One feed entry a message caused. kind: resource, link or scope.  person: whom it is about, None for nobody."""

    seq: int
    kind: str
    rtype: str | None
    id: str | None
    version: int
    person: int | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source and what came from it."""

    source_no: int
    code: str
    name: str
    is_foreign: bool
    ids_are_ours: bool
    trust: int
    messages: int
    waiting: int
    last_received_at: datetime | None


@dataclass(frozen=True, slots=True)
class InstitutionRow:
    """Data received from an institution in a time. delay_days: mean days from a message's newest event to its arrival, None where nothing came.

    last_received_at, last_event: also of what came before that time.
    """

    institution: int
    code: str
    name: str
    received: int
    rejected: int
    last_received_at: datetime | None
    last_event: date | None
    delay_days: float | None


class Panel:
    """Reads the ledger for pages. Every method requires `exchange.read`. What senders call their messages is for who takes them in."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def messages(self, scope: Scope, query: MessageQuery) -> tuple[list[MessageRow], int]:
        """Return a page of messages and how many there are in all."""
        scope.require("exchange.read")
        order = _SORTS.get(query.sort.lstrip("-"), "m.message_no")
        direction = "desc" if query.sort.startswith("-") else "asc"
        named = "m.message_id ilike '%' || $3 || '%'" if _sees_names(scope) else "m.message_no::text = $3"
        where = f"""($1::text is null or s.code = $1) and ($2::text is null or m.state = $2) and ($3::text is null or {named})
            and ($4::date is null or m.received_at >= $4) and ($5::date is null or m.received_at < $5)
            and ($6::bigint is null or exists (select 1 from message_tally t where t.message_no = m.message_no and t.institution = $6))"""
        where += f" and {_message_seen(scope)}"
        until = query.until + timedelta(days=1) if query.until else None
        values = (query.source, query.state, query.text, query.since, until, query.institution)
        async with self._database.connection() as connection:
            total = await connection.fetchval(f"select count(*) from message m join source s using (source_no) where {where}", *values)
            rows = await connection.fetch(
                f"""select m.message_no, s.code as source, s.name as source_name, m.message_id, m.kind, m.size, m.received_at, m.finished_at, m.state,
                    m.entries, m.stored, m.unchanged, m.rejected, m.reason from message m join source s using (source_no)
                    where {where} order by {order} {direction}, m.message_no desc limit $7 offset $8""",
                *values, query.limit, query.offset,
            )  # fmt: skip
        return [_message(scope, row) for row in rows], total

    async def message(self, scope: Scope, message_no: int) -> MessageRow:
        """Return one message.  Raises: NotFoundError."""
        scope.require("exchange.read")
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"""select m.message_no, s.code as source, s.name as source_name, m.message_id, m.kind, m.size, m.received_at, m.finished_at, m.state,
                    m.entries, m.stored, m.unchanged, m.rejected, m.reason from message m join source s using (source_no)
                    where m.message_no = $1 and {_message_seen(scope)}""",
                message_no,
            )
        if row is None:
            raise NotFoundError("没有这条报文", "there is no such message", where=str(message_no))
        return _message(scope, row)

    async def waiting(
        self,
        scope: Scope,
        *,
        state: str = "open",
        message_no: int | None = None,
        reason: str | None = None,
        page: tuple[int, int] = (50, 0),
    ) -> tuple[list[WaitingRow], int]:
        """Return a page (limit, offset) of the quarantine, newest first, and how many rows fit in all."""
        scope.require("exchange.read")
        where = "q.state = $1 and ($2::bigint is null or q.message_no = $2) and ($3::text is null or q.reason = $3)"
        where += f" and {_message_seen(scope)}"
        async with self._database.connection() as connection:
            total = await connection.fetchval(
                f"select count(*) from quarantine q join message m using (message_no) where {where}", state, message_no, reason
            )
            rows = await connection.fetch(
                f"""select q.quarantine_no, q.message_no, s.code as source, s.name as source_name, m.message_id, q.entry_no, q.rtype, q.reason, q.problems, q.state,
                    q.opened_at, q.closed_at, q.closed_reason, q.replayed_as from quarantine q join message m using (message_no) join source s using (source_no)
                    where {where} order by q.quarantine_no desc limit $4 offset $5""",
                state, message_no, reason, *page,
            )  # fmt: skip
        return [_waiting(scope, row) for row in rows], total

    async def warnings(self, scope: Scope, message_no: int, page: tuple[int, int] = (50, 0)) -> tuple[list[WarningRow], int]:
        """Return a page (limit, offset) of what a message stored and its sender should look at, and how many there are."""
        scope.require("exchange.read")
        where = f"from message_warning w join message m using (message_no) where w.message_no = $1 and {_message_seen(scope)}"
        async with self._database.connection() as connection:
            total: int = await connection.fetchval(f"select count(*) {where}", message_no)
            rows = await connection.fetch(
                f"select w.entry_no, w.path, w.zh, w.en {where} order by w.entry_no, w.path limit $2 offset $3", message_no, *page
            )
        return [WarningRow(**dict(row)) for row in rows], total

    async def entry(self, scope: Scope, quarantine_no: int) -> tuple[WaitingRow, bytes]:
        """Return a quarantine row and, for who may replay it, the entry as it was sent (else b"").  Raises: NotFoundError."""
        scope.require("exchange.read")
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"""select q.quarantine_no, q.message_no, s.code as source, s.name as source_name, m.message_id, q.entry_no, q.rtype, q.reason, q.problems, q.state,
                    q.opened_at, q.closed_at, q.closed_reason, q.replayed_as, q.body from quarantine q join message m using (message_no) join source s using (source_no)
                    where q.quarantine_no = $1 and {_message_seen(scope)}""",
                quarantine_no,
            )
        if row is None:
            raise NotFoundError("没有这一行", "there is no such row", where=str(quarantine_no))
        return _waiting(scope, row), bytes(row["body"] or b"") if scope.allows("exchange.replay") else b""

    async def open_numbers(self, scope: Scope, *, message_no: int | None = None, reason: str | None = None) -> list[int]:
        """Return the numbers of the open quarantine rows of a message, of a reason, or all, oldest first."""
        scope.require("exchange.replay")
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"""select q.quarantine_no from quarantine q join message m using (message_no) where q.state = 'open'
                    and ($1::bigint is null or q.message_no = $1) and ($2::text is null or q.reason = $2) and {_message_seen(scope)}
                    order by q.quarantine_no""",
                message_no,
                reason,
            )
        return [row["quarantine_no"] for row in rows]

    async def written(self, scope: Scope, message_no: int, page: tuple[int, int] = (50, 0)) -> tuple[list[WrittenRow], int]:
        """Return a page (limit, offset) of what a message wrote about residents the scope sees or about nobody, and how much that is in all.

        In the order of the feed.
        """
        scope.require("exchange.read")
        sees_nobodys = "true" if scope.sees_unassigned else "false"
        wrote = f"""from (
            select f.seq, f.kind, f.rtype, n.id, f.ver as version, coalesce(f.person, l.person) as person,
                coalesce(r.pat, h.pat, case when n.rtype = 'Patient' then f.rid end) as patient
            from feed f left join ident n on n.rid = f.rid left join res r on r.rid = f.rid and r.rtype = n.rtype
            left join hist h on h.rid = f.rid and h.ver = f.ver
            left join person_link l on l.patient = coalesce(r.pat, h.pat, case when n.rtype = 'Patient' then f.rid end) and l.to_seq is null
            where f.message_no = $1
        ) q where case when q.person is not null then {scope_condition(scope, "q.person")} else q.patient is null or {sees_nobodys} end"""
        async with self._database.connection() as connection:
            total = await connection.fetchval(f"select count(*) {wrote}", message_no)
            rows = await connection.fetch(
                f"select q.seq, q.kind, q.rtype, q.id, q.version, q.person {wrote} order by q.seq limit $2 offset $3", message_no, *page
            )
        return [WrittenRow(**dict(row)) for row in rows], total

    async def sources(self, scope: Scope) -> list[SourceRow]:
        """Return every registered source by code, with what came from it."""
        scope.require("exchange.read")
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """select s.source_no, s.code, s.name, s.is_foreign, s.ids_are_ours, s.trust, count(m.message_no)::int as messages,
                   (select count(*) from quarantine q join message w using (message_no) where w.source_no = s.source_no and q.state = 'open')::int as waiting,
                   max(m.received_at) as last_received_at from source s left join message m using (source_no) group by s.source_no order by s.code"""
            )
        return [SourceRow(**dict(row)) for row in rows]

    async def change_source(self, scope: Scope, code: str, name: str, standing: tuple[int, bool]) -> None:
        """Register or rename a source and say how far it is believed. standing: (trust rank -100 to 100, foreign).

        A new rank holds for what arrives from now on; a resident's golden record follows at its next change.
        Raises: ForbiddenError without `steward`; IncorrectError.
        """
        scope.require("steward")
        trust, is_foreign = standing
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{1,62}", code):
            raise IncorrectError(
                "来源代码用 2 到 63 个小写字母、数字、点、横线",
                "write a code of 2 to 63 lower-case letters, digits, dots and dashes",
                where="code",
            )
        if not name.strip() or len(name) > 100:
            raise IncorrectError("请写来源名称，不超过 100 字", "write a name of at most 100 characters", where="name")
        if not -100 <= trust <= 100:
            raise IncorrectError("可信等级为 -100 到 100", "write a rank from -100 to 100", where="trust")
        async with self._database.connection() as connection:
            await connection.execute(
                """insert into source (code, name, trust, is_foreign) values ($1, $2, $3, $4) on conflict (code) do update
                   set name = excluded.name, trust = excluded.trust, is_foreign = excluded.is_foreign and not source.ids_are_ours""",
                code, name.strip(), trust, is_foreign,
            )  # fmt: skip

    async def institutions(self, scope: Scope, *, days: int = 30) -> list[InstitutionRow]:
        """Return what each institution of the scope's areas sent in the last `days` days, the silent ones too."""
        scope.require("exchange.read")
        since = self._clock.now() - timedelta(days=days)
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"""with t as (select x.institution, x.message_no, m.received_at, sum(x.stored) as stored, sum(x.rejected) as rejected,
                      max(x.last_event) as last_event, max(x.last_event) filter (where x.rtype = any($2)) as last_visit
                      from message_tally x join message m using (message_no) where m.received_at >= $1 group by 1, 2, 3)
                    select i.rid as institution, i.code, i.name, coalesce(sum(t.stored), 0)::int as received, coalesce(sum(t.rejected), 0)::int as rejected,
                    before.received_at as last_received_at, coalesce(max(t.last_event), before.last_event) as last_event,
                    avg(greatest(extract(epoch from t.received_at - t.last_visit::timestamptz) / 86400, 0)) filter (where t.last_visit is not null)::float
                      as delay_days
                    from institution i left join t on t.institution = i.rid
                    left join lateral (select m.received_at, x.last_event from message_tally x join message m using (message_no)
                      where x.institution = i.rid order by x.message_no desc limit 1) before on true
                    where {scope_areas_condition(scope, "i.area")}
                    group by i.rid, i.code, i.name, before.received_at, before.last_event order by received desc, i.code""",
                since,
                list(_EVENTS),
            )
        return [InstitutionRow(**dict(row)) for row in rows]


def _message_seen(scope: Scope) -> str:
    """Return SQL: message `m` is the scope's business. Only integers are inlined.

    Who has every institution in its areas sees the whole ledger; others what they sent themselves and what brought something of an
    institution of theirs, so that a township does not read its neighbour's traffic.
    """
    if scope.is_house:
        return "true"
    inside = scope_areas_condition(scope, "i.area")
    everything = f"not exists (select 1 from institution i where i.area is not null and not {inside})"
    own = (
        f"exists (select 1 from message_tally t join institution i on i.rid = t.institution where t.message_no = m.message_no and {inside})"
    )
    return f"({everything} or m.actor = {int(scope.account_no)} or {own})"


def _sees_names(scope: Scope) -> bool:
    """Whether the scope is told what senders call their messages: files are often named after the person in them."""
    return scope.is_house or scope.allows("steward") or scope.allows("exchange.import")


def _told_id(scope: Scope, message_id: str) -> str:
    """Return a message's name for who may see it; for others its ending alone, which tells what kind of file it was."""
    if _sees_names(scope):
        return message_id
    name = message_id.rsplit("/", 1)[-1]
    return "…" + "".join(f".{part}" for part in name.split(".")[1:] if part in _ENDINGS)


def _message(scope: Scope, row: Any) -> MessageRow:
    facts = dict(row)
    facts["message_id"] = _told_id(scope, facts["message_id"])
    facts["reason"] = orjson.loads(facts["reason"]) if facts["reason"] else None
    return MessageRow(**facts)


def _waiting(scope: Scope, row: Any) -> WaitingRow:
    facts = {name: value for name, value in dict(row).items() if name != "body"}
    facts["message_id"] = _told_id(scope, facts["message_id"])
    facts["problems"] = orjson.loads(facts["problems"])
    return WaitingRow(**facts)


def open_reasons() -> Sequence[tuple[str, str, str]]:
    """Return the quarantine's reason codes with Chinese and English names."""
    return (
        ("invalid", "内容不合规范", "invalid content"),
        ("reference", "引用无法解析", "reference leads nowhere"),
        ("conflict", "版本冲突", "version conflict"),
        ("duplicate", "标识重复", "duplicate id"),
        ("unreadable", "无法读取", "unreadable"),
        ("encoding", "编码不符", "wrong encoding"),
        ("empty", "空文件", "empty"),
        ("too_large", "过大", "too large"),
        ("not_fhir", "不是 FHIR", "not FHIR"),
    )
