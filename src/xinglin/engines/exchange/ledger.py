"""The ledger: every message, whatever became of it; and the quarantine, with what each waiting entry lacks."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import asyncpg
import orjson

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.base.text import storable
from xinglin.engines.exchange.blobs import Blobs
from xinglin.engines.exchange.gate import Item, Sender
from xinglin.engines.exchange.model import INLINE_BYTES, EntryProblem, Receipt, State
from xinglin.engines.exchange.noting import Noted

_TOLD_AGAIN: Final = 20
_MOST_WARNINGS: Final = 500
_FINAL: Final = (State.STORED, State.UNCHANGED, State.PARTLY, State.QUARANTINED)


@dataclass(frozen=True, slots=True)
class Source:
    """A row of table `source`."""

    source_no: int
    code: str
    name: str
    is_foreign: bool
    ids_are_ours: bool
    trust: int

    @property
    def sender(self) -> Sender:
        """Return the source as the gate sees it."""
        return Sender(self.code, self.ids_are_ours)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message as it stands in the ledger. done_lines: lines of NDJSON that are committed already."""

    message_no: int
    state: State
    done_lines: int
    stored: int
    unchanged: int
    rejected: int

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in _FINAL

    def receipt(self) -> Receipt:
        """Return the receipt of a message that came before."""
        return Receipt(self.message_no, self.state, self.stored, self.unchanged, self.rejected, repeated=True)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the ledger writes down of a message before anything else. actor: account.  institution: keeper of foreign residents.

    noted: what the audit log is to say of it, by whom; None where the caller tells the log itself.
    """

    source: Source
    message_id: str
    content: bytes
    kind: str
    media: str
    actor: int
    institution: int | None = None
    noted: Noted | None = None

    @property
    def digest(self) -> bytes:
        """Return the SHA-256 of the content."""
        return hashlib.sha256(self.content).digest()


class Ledger:
    """Reads and writes the tables source, message, quarantine and message_tally."""

    def __init__(self, database: Database, blobs: Blobs, clock: Clock, site: int) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._site = site

    async def source(self, code: str, *, name: str | None = None, foreign: bool = False, trust: int = 0) -> Source:
        """Return the source of a code, registering it first when a name is given.  Raises: NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_SOURCE, code)
            if row is None and name is not None:
                await connection.execute(
                    "insert into source (code, name, is_foreign, trust) values ($1, $2, $3, $4) on conflict do nothing",
                    code,
                    name,
                    foreign,
                    trust,
                )
                row = await connection.fetchrow(_SOURCE, code)
        if row is None:
            raise NotFoundError("没有登记这个数据来源，请先登记", "no such source is registered; register it first", where=code)
        return Source(**dict(row))

    async def sources(self, connection: asyncpg.Connection[Any] | None = None) -> list[Source]:
        """Return every registered source by code. connection: of a caller inside a transaction, who must not wait for a second one."""
        if connection is not None:
            return [Source(**dict(row)) for row in await connection.fetch(f"{_SOURCES} order by code")]
        async with self._database.connection() as own:
            return await self.sources(own)

    async def arrived(self, envelope: Envelope) -> Arrived | None:
        """Return the message of the same source, id and content that came before, None when it is new."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                """select message_no, state, done_lines, stored, unchanged, rejected from message
                   where source_no = $1 and message_id = $2 and digest = $3""",
                envelope.source.source_no,
                storable(envelope.message_id),
                envelope.digest,
            )
        return None if row is None else _arrived(row)

    async def open(self, connection: asyncpg.Connection[Any], envelope: Envelope) -> Arrived:
        """Write the message down as received and keep others from it until the transaction ends; returns it as it stands now.

        Large content goes to the blob folder first. A message that was written down before keeps its number; one that somebody else
        finished meanwhile is final, and nothing more may be done about it.
        """
        inline = envelope.content if len(envelope.content) <= INLINE_BYTES else None
        if inline is None:
            await asyncio.to_thread(self._blobs.put, envelope.digest, envelope.content)
        row = await connection.fetchrow(
            """insert into message (source_no, message_id, digest, kind, media, size, body, institution, received_at, state, actor, site)
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'received', $10, $11)
               on conflict (source_no, message_id, digest) do update
               set actor = case when message.state = 'received' then excluded.actor else message.actor end
               returning message_no, state, done_lines, stored, unchanged, rejected""",
            envelope.source.source_no, storable(envelope.message_id), envelope.digest, envelope.kind, envelope.media, len(envelope.content), inline,
            envelope.institution, self._clock.now(), envelope.actor, self._site,
        )  # fmt: skip
        return _arrived(row)

    async def hold(self, connection: asyncpg.Connection[Any], message_no: int) -> Arrived:
        """Return a message as it stands now and keep others from it until the transaction ends."""
        row = await connection.fetchrow(
            "select message_no, state, done_lines, stored, unchanged, rejected from message where message_no = $1 for update", message_no
        )
        return _arrived(row)

    async def close(self, connection: asyncpg.Connection[Any], receipt: Receipt, entries: int, reason: EntryProblem | None = None) -> None:
        """Write down what became of a message."""
        facts = (
            orjson.dumps({"code": reason.reason, "zh": reason.zh, "en": reason.en, "where": storable(reason.path)}).decode()
            if reason
            else None
        )
        await connection.execute(
            """update message set state = $2, entries = $3, stored = $4, unchanged = $5, rejected = $6, reason = $7, finished_at = $8
               where message_no = $1""",
            receipt.message_no, receipt.state.value, entries, receipt.stored, receipt.unchanged, receipt.rejected, facts, self._clock.now(),
        )  # fmt: skip

    async def advance(self, connection: asyncpg.Connection[Any], message_no: int, lines: int, counts: tuple[int, int, int]) -> None:
        """Note that the first `lines` lines are committed; counts: (stored, unchanged, rejected) of this chunk, added up."""
        await connection.execute(
            """update message set done_lines = $2, stored = stored + $3, unchanged = unchanged + $4, rejected = rejected + $5,
               entries = entries + $3 + $4 + $5 where message_no = $1""",
            message_no, lines, *counts,
        )  # fmt: skip

    async def quarantine(
        self, connection: asyncpg.Connection[Any], message_no: int, waiting: Mapping[int, tuple[Sequence[EntryProblem], bytes | None]]
    ) -> None:
        """Put entries aside: entry number → (problems, the entry as sent)."""
        now = self._clock.now()
        rows = [_quarantine_row(message_no, number, problems, (body, now)) for number, (problems, body) in sorted(waiting.items())]
        await connection.executemany(
            """insert into quarantine (message_no, entry_no, full_url, rtype, reason, problems, body, opened_at)
               values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (message_no, entry_no) do nothing""",
            rows,
        )

    async def warn(self, connection: asyncpg.Connection[Any], message_no: int, warnings: Sequence[EntryProblem]) -> None:
        """Write down what was stored and should be looked at by its sender all the same; the first hundreds of a message are enough."""
        if warnings:
            held = await connection.fetchval("select count(*) from message_warning where message_no = $1", message_no)
            rows = [(message_no, one.entry_no, storable(one.path), one.zh, one.en) for one in warnings[: max(0, _MOST_WARNINGS - held)]]
            await connection.executemany("insert into message_warning values ($1, $2, $3, $4, $5)", rows)

    async def tally(
        self, connection: asyncpg.Connection[Any], message_no: int, items: Iterable[Item], rids: Mapping[tuple[str, str], int]
    ) -> None:
        """Count what was stored by institution and type. rids: (type, id) → rid, for the institutions."""
        counts: dict[tuple[int | None, str], tuple[int, Any]] = {}
        for item in items:
            institution = rids.get(("Organization", item.organization)) if item.organization else None
            stored, last = counts.get((institution, item.rtype), (0, None))
            happened = item.happened_on
            counts[(institution, item.rtype)] = (stored + 1, max((day for day in (last, happened) if day), default=None))
        rows = [(message_no, institution, rtype, stored, 0, last) for (institution, rtype), (stored, last) in counts.items()]
        await connection.executemany("insert into message_tally values ($1, $2, $3, $4, $5, $6)", rows)

    async def content(self, message_no: int) -> bytes:
        """Return the bytes of a message as they were received.  Raises: NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow("select body, digest from message where message_no = $1", message_no)
        if row is None:
            raise NotFoundError("没有这条报文", "there is no such message", where=str(message_no))
        return bytes(row["body"]) if row["body"] is not None else self._blobs.get(bytes(row["digest"]))

    async def tidy(self) -> int:
        """Remove what killed processes left half written in the folder of large messages; returns how many files that were."""
        return await asyncio.to_thread(self._blobs.forget_partial)

    async def state_of(self, message_no: int) -> State:
        """Return where a message stands.  Raises: NotFoundError."""
        async with self._database.connection() as connection:
            state = await connection.fetchval("select state from message where message_no = $1", message_no)
        if state is None:
            raise NotFoundError("没有这条报文", "there is no such message", where=str(message_no))
        return State(state)

    async def attempts(self, source_no: int, name: str) -> int:
        """Return how many messages of a source are called `name` or `name.2`, `name.3` and so on."""
        async with self._database.connection() as connection:
            number: int = await connection.fetchval(
                "select count(*) from message where source_no = $1 and (message_id = $2 or starts_with(message_id, $2 || '.'))",
                source_no,
                name,
            )
        return number

    async def waiting(self, numbers: Sequence[int] | None, message_no: int | None, limit: int) -> list[dict[str, Any]]:
        """Return open quarantine rows, oldest first: those of `numbers`, or of a message, or all."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """select q.*, m.source_no, m.message_id, m.kind, m.institution, s.code as source_code from quarantine q
                   join message m using (message_no) join source s using (source_no)
                   where q.state = 'open' and ($1::bigint[] is null or q.quarantine_no = any($1)) and ($2::bigint is null or q.message_no = $2)
                   order by q.quarantine_no limit $3""",
                list(numbers) if numbers is not None else None, message_no, limit,
            )  # fmt: skip
        return [dict(row) for row in rows]

    async def told(self, arrived: Arrived) -> Receipt:
        """Return the receipt of a message that came before, with what was found wrong with it then and still waits (20 entries at most)."""
        rows = await self.waiting(None, arrived.message_no, _TOLD_AGAIN) if arrived.rejected else []
        problems = [
            EntryProblem(row["entry_no"], row["reason"], problem["path"], problem["zh"], problem["en"])
            for row in rows
            for problem in orjson.loads(row["problems"])
        ]
        return replace(arrived.receipt(), problems=tuple(problems))

    async def settle(self, numbers: Sequence[int], state: str, actor: int, replayed_as: int | None = None) -> int:
        """Close open quarantine rows as `replayed` or `discarded`; returns how many."""
        if state not in ("replayed", "discarded"):
            raise IncorrectError("只能标为已重放或已作废", "write replayed or discarded", where="state")
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """update quarantine set state = $2, closed_at = $3, closed_by = $4, replayed_as = $5
                   where quarantine_no = any($1::bigint[]) and state = 'open' returning quarantine_no""",
                list(numbers), state, self._clock.now(), actor, replayed_as,
            )  # fmt: skip
        return len(rows)

    async def discard(self, numbers: Sequence[int], actor: int, reason: str) -> int:
        """Close open quarantine rows for good; returns how many.  Raises: IncorrectError without a reason."""
        if not reason.strip():
            raise IncorrectError("请写明作废的原因", "write why it is discarded", where="reason")
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """update quarantine set state = 'discarded', closed_at = $2, closed_by = $3, closed_reason = $4
                   where quarantine_no = any($1::bigint[]) and state = 'open' returning quarantine_no""",
                list(numbers), self._clock.now(), actor, reason.strip()[:500],
            )  # fmt: skip
        return len(rows)


_SOURCES: Final = "select source_no, code, name, is_foreign, ids_are_ours, trust from source"
_SOURCE: Final = f"{_SOURCES} where code = $1"


def _arrived(row: Any) -> Arrived:
    return Arrived(row[0], State(row[1]), *row[2:])


def _quarantine_row(message_no: int, number: int, problems: Sequence[EntryProblem], rest: tuple[bytes | None, datetime]) -> tuple[Any, ...]:
    body, now = rest
    full_url = rtype = None
    if body:
        try:
            sent = orjson.loads(body)
            full_url, rtype = sent.get("fullUrl"), (sent.get("resource") or sent).get("resourceType")
        except (orjson.JSONDecodeError, AttributeError):
            pass
    listed = [{"path": storable(problem.path), "zh": problem.zh, "en": problem.en} for problem in problems]
    return (
        message_no, number, storable(full_url) if isinstance(full_url, str) else None, storable(rtype) if isinstance(rtype, str) else None,
        problems[0].reason if problems else "invalid", orjson.dumps(listed).decode(), body, now,
    )  # fmt: skip
