"""Files and folders in: bundles one transaction each, NDJSON in chunks that a restart goes on with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from xinglin.base.errors import BusyError, NotFoundError, UnavailableError, XinglinError
from xinglin.engines.exchange.conditions import ChangedError
from xinglin.engines.exchange.door import NOTHING_MET, Exchange, RolledBackError, Rooms
from xinglin.engines.exchange.gate import Prepared, without
from xinglin.engines.exchange.ledger import Envelope
from xinglin.engines.exchange.model import WARNING, Entry, EntryProblem, ImportReport, Receipt, State
from xinglin.engines.exchange.reading import UnreadableError, check_text, lines_of, parse_json, unpack
from xinglin.engines.exchange.waiting import waiting_rows
from xinglin.engines.security import Scope
from xinglin.engines.store import Ready

LINES_A_CHUNK: Final = 500
MOST_CHANGES: Final = 20
Progress = Callable[[str, int, int], None]
"""Called with (file name, files or lines done, of how many)."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a folder is taken in. institution: rid of who keeps the residents of a foreign source."""

    source: str
    institution: int | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Lines of an NDJSON file: entries that parse, problems of those that do not, and the last line's number."""

    entries: tuple[tuple[int, Entry], ...]
    problems: tuple[EntryProblem, ...]
    unread: tuple[tuple[int, bytes], ...]
    last_line: int


def files_below(path: Path) -> list[Path]:
    """Return the file, or every file below the folder in the order of names.  Raises: NotFoundError."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFoundError("没有这个文件或文件夹", "there is no such file or folder", where=path.name)
    return sorted(found for found in path.rglob("*") if found.is_file() and not found.name.startswith("."))


class Importer:
    """Takes files in through the exchange."""

    def __init__(self, exchange: Exchange, rooms: Rooms) -> None:
        self._exchange = exchange
        self._rooms = rooms

    async def import_path(self, scope: Scope, path: Path, options: ImportOptions) -> ImportReport:
        """Take in a file or every file below a folder; a bad file never stops the good ones.

        A file's name and content are its identity: imported again it changes nothing.
        Raises: ForbiddenError without `exchange.import`; NotFoundError; UnavailableError (what is committed stays, start again to go on).
        """
        scope.require("exchange.import")
        report = ImportReport()
        files = files_below(path)
        for number, file in enumerate(files):
            if options.progress:
                options.progress(file.name, number, len(files))
            name = file.name if file == path else file.relative_to(path).as_posix()
            content = await asyncio.to_thread(_read, file)
            report.files += 1
            report.add(name, await self.import_content(scope, (name, content), options))
        if options.progress and files:
            options.progress(files[-1].name, len(files), len(files))
        return report

    async def import_content(self, scope: Scope, file: tuple[str, bytes], options: ImportOptions) -> Receipt:
        """Take in one file as (name, bytes): NDJSON by its ending, else a Bundle or a resource."""
        scope.require("exchange.import")
        name, content = file
        if name.removesuffix(".gz").endswith((".ndjson", ".jsonl")):
            return await self._ndjson(scope, file, options)
        return await self._exchange.receive(scope, options.source, name, content, institution=options.institution)

    async def _ndjson(self, scope: Scope, file: tuple[str, bytes], options: ImportOptions) -> Receipt:
        name, content = file
        try:
            text = unpack(content)
            check_text(text)
        except UnreadableError as error:
            return await self._exchange.keep_unreadable(scope, (options.source, name, content), error)
        source = await self._exchange.ledger.source(options.source)
        envelope = Envelope(source, name, content, "ndjson", "application/fhir+ndjson", scope.account_no, options.institution)
        before = await self._exchange.ledger.arrived(envelope)
        if before is not None and before.is_final:
            return await self._exchange.ledger.told(before)
        async with self._rooms.database.transaction() as connection:
            arrived = await self._exchange.ledger.open(connection, envelope)
        if arrived.is_final:
            return arrived.receipt()
        problems = await self._chunks(scope, (envelope, arrived.message_no), (text, arrived.done_lines))
        return await self._close(arrived.message_no, problems)

    async def _chunks(self, scope: Scope, origin: tuple[Envelope, int], work: tuple[bytes, int]) -> list[EntryProblem]:
        """Write chunk after chunk; the next is parsed, validated, indexed and encoded while the database writes the one before."""
        text, done = work
        problems: list[EntryProblem] = []
        writing: asyncio.Task[list[EntryProblem]] | None = None
        chunks = _chunks_of(text, done)
        try:
            while chunk := await asyncio.to_thread(next, chunks, None):
                prepared = await self._exchange.prepare(chunk.entries, origin[0].source)
                ready = await self._exchange.ready(scope, prepared, origin)
                if writing is not None:
                    problems.extend(await writing)
                writing = asyncio.create_task(self._write(scope, origin, (chunk, prepared, ready)))
        finally:
            if writing is not None:
                problems.extend(await writing)
        return problems

    async def _write(self, scope: Scope, origin: tuple[Envelope, int], work: tuple[_Chunk, Prepared, Ready]) -> list[EntryProblem]:
        """Write a chunk; the lines of residents who may not be written are put aside, and the others written without them."""
        chunk, prepared, ready = work
        changes = 0
        while True:
            try:
                return await self._write_once(scope, origin, (chunk, prepared, ready))
            except RolledBackError as refusal:
                prepared = without(prepared, refusal.problems)
                ready = await self._exchange.ready(scope, prepared, origin)
            except ChangedError:
                changes += 1
                if changes > MOST_CHANGES:
                    words = ("写入时数据一直被别处修改，请稍后再导入", "what is being written keeps changing elsewhere; import again later")
                    raise BusyError(*words, status=503) from None
                prepared = await self._exchange.prepare(chunk.entries, origin[0].source)
                ready = await self._exchange.ready(scope, prepared, origin)

    async def _write_once(self, scope: Scope, origin: tuple[Envelope, int], work: tuple[_Chunk, Prepared, Ready]) -> list[EntryProblem]:
        (chunk, prepared, ready), message_no = work, origin[1]
        async with self._rooms.database.transaction() as connection:
            arrived = await self._exchange.ledger.hold(connection, message_no)
            if arrived.is_final or arrived.done_lines >= chunk.last_line:
                return []  # the same file is being imported twice at once, and the other was faster
            written = await self._exchange.write_ready(connection, scope, (prepared, ready, NOTHING_MET), origin)
            problems = [*chunk.problems, *prepared.problems, *written.problems]
            rows = waiting_rows(chunk.entries, problems)
            rows |= {number: (rows[number][0], line) for number, line in chunk.unread}
            await self._exchange.ledger.quarantine(connection, message_no, rows)
            await self._exchange.ledger.warn(connection, message_no, prepared.warnings)
            stored, unchanged = written.counts()
            await self._exchange.ledger.advance(connection, message_no, chunk.last_line, (stored, unchanged, len(rows)))
        return [*problems, *prepared.warnings]

    async def _close(self, message_no: int, problems: list[EntryProblem]) -> Receipt:
        """Finish a file by what the ledger counted, whoever wrote it."""
        async with self._rooms.database.transaction() as connection:
            arrived = await self._exchange.ledger.hold(connection, message_no)
            if arrived.is_final:
                return arrived.receipt()
            stored, unchanged, rejected = arrived.stored, arrived.unchanged, arrived.rejected
            done = stored or unchanged
            state = State.PARTLY if rejected and done else State.QUARANTINED if rejected else State.STORED if stored else State.UNCHANGED
            told = tuple(problem for problem in problems if problem.reason != WARNING)
            doubts = tuple(problem for problem in problems if problem.reason == WARNING)
            receipt = Receipt(message_no, state, stored, unchanged, rejected, problems=told, warnings=doubts)
            await self._exchange.ledger.close(connection, receipt, stored + unchanged + rejected)
        return receipt


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UnavailableError("文件无法读取，请检查权限", "the file cannot be read; check its permission", where=file.name) from error


def _chunks_of(text: bytes, done: int) -> Iterator[_Chunk]:
    lines = (item for item in lines_of(text) if item[0] > done)
    while batch := list(islice(lines, LINES_A_CHUNK)):
        entries, problems, unread = [], [], []
        for number, line in batch:
            try:
                entries.append((number, Entry(parse_json(line, f"line {number}"))))
            except UnreadableError as error:
                problems.append(EntryProblem(number, error.reason, error.where, error.zh, error.en))
                unread.append((number, line))
            except XinglinError as error:
                problems.append(EntryProblem(number, "invalid", error.where, error.zh, error.en))
                unread.append((number, line))
        yield _Chunk(tuple(entries), tuple(problems), tuple(unread), batch[-1][0])
