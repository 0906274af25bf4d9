"""Taking source patients out of the ledger, row by row: the message and its digest stay, so that sent again it is still the same message."""

from __future__ import annotations

import asyncio
import gzip
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import asyncpg
import orjson

from xinglin import fhir
from xinglin.base.errors import NotFoundError
from xinglin.base.ids import uuid5_of
from xinglin.engines.exchange.blobs import Blobs
from xinglin.engines.exchange.gate import Sender, given_id
from xinglin.engines.exchange.model import OWN_API
from xinglin.engines.exchange.reading import UnreadableError, unpack
from xinglin.engines.exchange.searching import holds
from xinglin.engines.exchange.sheet_rows import is_workbook, without_rows
from xinglin.engines.identity import Known

_REASON: Final = "按规定删除个人数据 · erased"
_GONE: Final = object()


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a message. actor: the account, whose own names of resources count at the API."""

    sender: Sender
    actor: int = 0

    def ids_of(self, name: str) -> tuple[str, ...]:
        """Return the ids in the store that a sender's name of a Patient (urn or Patient/id) may stand for."""
        given = given_id(name, "Patient", self.sender)
        return (given, caller_id(self.actor, name)) if self.sender.code == OWN_API else (given,)


def caller_id(account_no: int, name: str) -> str:
    """Return the id of what a caller of the API names Type/id, when the id is the caller's own (see web.fhir.writes.own_name)."""
    return uuid5_of(f"{OWN_API}/{account_no}", name)


_OURS: Final = Origin(Sender("", True))


@dataclass(frozen=True, slots=True)
class Gone:
    """Whose rows are to go. ids: of the Patients in the store.  known: numbers that are theirs alone."""

    ids: frozenset[str]
    known: Known

    def is_named(self, reference: object, origin: Origin) -> bool:
        """Say whether a reference as the sender wrote it leads to one of the patients."""
        if not isinstance(reference, str) or not reference:
            return False
        names = {reference, "/".join(reference.rstrip("/").rsplit("/", 2)[-2:])}
        return any(not self.ids.isdisjoint(origin.ids_of(name)) for name in names if name.startswith(("urn:", "Patient/")))

    def scrubbed(self, value: Any, origin: Origin) -> Any:
        """Return a JSON value without the patients' resources and without what names them elsewhere."""
        if isinstance(value, dict):
            if isinstance(value.get("resourceType"), str) and value["resourceType"] != "Bundle" and self._is_theirs(value, origin):
                return {"resourceType": value["resourceType"]}
            held = value.get("resource")
            if isinstance(held, dict) and held.get("resourceType") == "Patient" and self.is_named(value.get("fullUrl"), origin):
                return {**value, "resource": {"resourceType": "Patient"}}
            return {name: inner for name, item in value.items() if (inner := self._kept(item, origin)) is not _GONE}
        if isinstance(value, list):
            return [inner for item in value if (inner := self._kept(item, origin)) is not _GONE]
        return value

    def without_references(self, resource: dict[str, Any]) -> dict[str, Any]:
        """Return a resource of ours without the elements that name the patients."""
        found = self._kept_elements(resource, _OURS)
        assert isinstance(found, dict)
        return found

    def _kept_elements(self, value: Any, origin: Origin) -> Any:
        if isinstance(value, dict):
            kept = {name: item for name, item in value.items() if not (isinstance(item, dict) and self._names(item, origin))}
            return {name: self._kept_elements(item, origin) for name, item in kept.items()}
        if isinstance(value, list):
            return [self._kept_elements(item, origin) for item in value if not (isinstance(item, dict) and self._names(item, origin))]
        return value

    def _kept(self, item: Any, origin: Origin) -> Any:
        if isinstance(item, dict) and "resourceType" not in item and "resource" not in item and self._names(item, origin):
            return _GONE
        return self.scrubbed(item, origin) if isinstance(item, dict | list) else item

    def _names(self, item: Mapping[str, Any], origin: Origin) -> bool:
        """Say whether an element names a patient itself, not through a list of elements below it."""
        if self.is_named(item.get("reference"), origin):
            return True
        return any(isinstance(inner, dict) and "resourceType" not in inner and self._names(inner, origin) for inner in item.values())

    def _is_theirs(self, resource: Mapping[str, Any], origin: Origin) -> bool:
        rtype, own = resource["resourceType"], resource.get("id")
        if rtype == "Patient" and isinstance(own, str) and any(self.is_named(f"{way}{own}", origin) for way in ("Patient/", "urn:uuid:")):
            return True
        if self.known.stands_in(orjson.dumps(resource)):
            return True
        return any(self.is_named(reference, origin) for reference in _patients(resource)[:1])


def _patients(resource: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        return fhir.patient_references(resource)
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()


def without(content: bytes, kind: str, gone: Gone, origin: Origin) -> tuple[bytes, int]:
    """Return a message's bytes without the patients' rows; a row of NDJSON or of a table leaves an empty one, so that numbers of lines stay.

    Second: the rows of tables that may be somebody else's (see `without_rows`).

    What cannot be read by rows is emptied when one of the numbers stands in it, and so is what nobody can look into (locked, damaged, a
    picture): it was refused as a whole when it came, and no one can say who stands in it.
    """
    try:
        text = unpack(content)
    except UnreadableError:
        return (content, 0) if holds(content, gone.known.numbers) is False else (b"", 0)
    doubtful = 0
    if kind == "excel" or is_workbook(text):
        new, doubtful = without_rows(text, gone.known.numbers)
    else:
        new = b"\n".join(_lines(text, gone, origin)) if kind == "ndjson" else _document(text, gone, origin)
        if holds(new, gone.known.numbers) is not False:
            new = b""
    if new == text:
        return content, 0
    return (gzip.compress(new, mtime=0) if new and content[:2] == b"\x1f\x8b" else new), doubtful


def _lines(text: bytes, gone: Gone, origin: Origin) -> Iterator[bytes]:
    for line in text.split(b"\n"):
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            yield b"" if gone.known.stands_in(line) else line
            continue
        new = gone.scrubbed(value, origin)
        yield line if new == value else b"" if isinstance(new, dict) and len(new) == 1 else orjson.dumps(new)


def _document(text: bytes, gone: Gone, origin: Origin) -> bytes:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    new = gone.scrubbed(value, origin)
    return text if new == value else orjson.dumps(new)


_PAGE: Final = 100
_IN_FLIGHT: Final = 10_000
"""So many messages at most are numbered while one of them is not committed yet."""
_REFUSED: Final = """
update quarantine set body = null, full_url = null, state = case state when 'open' then 'discarded' else state end,
  closed_at = coalesce(closed_at, now()), closed_by = coalesce(closed_by, $2), closed_reason = $3 where quarantine_no = $1"""
_REWRITE: Final = "update message set body = $2 where message_no = $1"
_REWRITE_FREE: Final = f"{_REWRITE} and message_no in (select message_no from message where message_no = $1 for update skip locked)"
_MESSAGES: Final = """
select m.message_no, m.kind, m.body, m.digest, m.actor, s.code, s.ids_are_ours from message m join source s using (source_no)
where m.message_no > $1 and not m.message_no = any($2::bigint[]) order by m.message_no limit $3"""
_WAITING: Final = """
select q.quarantine_no, q.body, m.actor, s.code, s.ids_are_ours from quarantine q join message m using (message_no) join source s using (source_no)
where q.quarantine_no > $1 and not q.quarantine_no = any($2::bigint[]) and q.body is not null order by q.quarantine_no limit $3"""


class LedgerEraser:
    """Rewrites what the ledger holds of source patients. actor: the account at work.

    messages: how many it changed so far.  doubtful: rows of tables taken out because what a spreadsheet left of a number fits.
    """

    def __init__(self, blobs: Blobs, gone: Gone, actor: int) -> None:
        self._blobs = blobs
        self._gone = gone
        self._actor = actor
        self._seen: dict[str, deque[int]] = {query: deque(maxlen=_IN_FLIGHT) for query in (_MESSAGES, _WAITING)}
        self.messages = 0
        self.doubtful = 0

    async def rewrite(self, connection: asyncpg.Connection[Any], *, waits: bool = True) -> None:
        """Rewrite messages, quarantine and files inside the caller's transaction; called again, what came meanwhile.

        Files are written at once: where the transaction is rolled back the erasure is asked for again, and finds them done.
        waits: for who holds a message; not where the caller holds up all writers: what is still being taken in then is new data.
        """
        async for row in self._rows(connection, _MESSAGES):
            await self._rewrite_message(connection, row, _REWRITE if waits else _REWRITE_FREE)
        async for row in self._rows(connection, _WAITING):
            body = bytes(row["body"])
            new, _ = await asyncio.to_thread(without, body, "bundle", self._gone, _origin(row))
            if new != body:
                await connection.execute(_REFUSED, row["quarantine_no"], self._actor, _REASON)

    async def forget_upper(self, connection: asyncpg.Connection[Any], person: int | None) -> None:
        """Take out what the upper platform is known to have of them."""
        await connection.execute("delete from upper_out where person = $1", person)
        await connection.execute("delete from upper_row where id_number = any($1::text[])", sorted(self._gone.known.numbers))

    async def forget_strays(self, connection: asyncpg.Connection[Any]) -> None:
        """Remove files that may name them and stand in no message, because their process was killed before it wrote that down."""
        await asyncio.to_thread(self._blobs.forget_partial)
        digests = await asyncio.to_thread(lambda: set(self._blobs.digests()))
        digests -= {bytes(row["digest"]) for row in await connection.fetch("select digest from message where body is null")}
        for digest in digests:
            await asyncio.to_thread(self._forget_naming, digest)

    def _forget_naming(self, digest: bytes) -> None:
        with suppress(NotFoundError):
            if holds(self._blobs.get(digest), self._gone.known.numbers) is not False:
                self._blobs.forget(digest)

    async def _rewrite_message(self, connection: asyncpg.Connection[Any], row: Any, change: str) -> None:
        digest, is_inline = bytes(row["digest"]), row["body"] is not None
        try:
            content = bytes(row["body"]) if is_inline else await asyncio.to_thread(self._blobs.get, digest)
        except NotFoundError:
            return  # a file somebody lost names nobody
        new, doubtful = await asyncio.to_thread(without, content, row["kind"], self._gone, _origin(row))
        if new == content:
            return
        if is_inline:
            await connection.execute(change, row["message_no"], new)
        else:
            await asyncio.to_thread(self._blobs.replace, digest, new)
        self.messages += 1
        self.doubtful += doubtful

    async def _rows(self, connection: asyncpg.Connection[Any], query: str) -> AsyncIterator[Any]:
        """Yield the rows of a query by their number, a few at a time: of those yielded before, only what was not committed then."""
        seen = self._seen[query]
        before = list(seen)
        last = before[0] - 1 if len(before) == _IN_FLIGHT else 0
        while rows := await connection.fetch(query, last, before, _PAGE):
            for row in rows:
                last = row[0]
                seen.append(last)
                yield row


def _origin(row: Mapping[str, Any]) -> Origin:
    return Origin(Sender(row["code"], row["ids_are_ours"]), row["actor"])
