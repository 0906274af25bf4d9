"""Files and folders in: bundles one transaction each, NDJSON in chunks that a restart goes on with."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from xinglin.base.errors import BusyError, NotFoundError, UnavailableError
from xinglin.engines.exchange.beside import Beside
from xinglin.engines.exchange.conditions import ChangedError
from xinglin.engines.exchange.door import NOTHING_MET, Exchange, RolledBackError, Rooms, cause_of
from xinglin.engines.exchange.ledger import Envelope
from xinglin.engines.exchange.lines import Lines, LineWork, Order, chunks_of, work_on
from xinglin.engines.exchange.model import MOST_TOLD, WARNING, EntryProblem, ImportReport, Receipt, State
from xinglin.engines.exchange.reading import UnreadableError, check_text, unpack
from xinglin.engines.exchange.waiting import waiting_rows
from xinglin.engines.security import Scope

MOST_CHANGES: Final = 20
Progress = Callable[[str, int, int], None]
"""Called with (file name, files or lines done, of how many)."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a folder is taken in. institution: rid of who keeps the residents of a foreign source."""

    source: str
    institution: int | None = None
    progress: Progress | None = None


class _Row:
    """Chunks in their order, some being prepared, one being written by `store`."""

    def __init__(self, store: Callable[[Order, LineWork], Coroutine[Any, Any, list[EntryProblem]]]) -> None:
        self.problems: list[EntryProblem] = []
        """What is told of the chunks, so many problems and so many warnings at most: all of them wait in the ledger."""
        self._room = dict.fromkeys((False, True), MOST_TOLD)
        self._store = store
        self._ahead: deque[tuple[Order, asyncio.Task[LineWork]]] = deque()
        self._writing: asyncio.Task[list[EntryProblem]] | None = None

    def take(self, order: Order, making: asyncio.Task[LineWork]) -> None:
        """Put a chunk at the end of the row."""
        self._ahead.append((order, making))

    async def write(self, most: int) -> None:
        """Begin to write the first chunks until so many at most are being prepared; each begins when the one before is written."""
        while len(self._ahead) > most:
            order, making = self._ahead[0]
            work = await making
            self._ahead.popleft()
            await self.written()
            self._writing = asyncio.create_task(self._store(order, work))

    async def written(self) -> None:
        """Wait until what has been begun is written."""
        if self._writing is not None:
            writing, self._writing = self._writing, None
            for problem in await writing:
                is_warning = problem.reason == WARNING
                if self._room[is_warning]:
                    self._room[is_warning] -= 1
                    self.problems.append(problem)

    async def leave(self) -> None:
        """Give up what is not begun, and let what is begun come to its end."""
        for _, making in self._ahead:
            making.cancel()
        await asyncio.gather(*(making for _, making in self._ahead), return_exceptions=True)
        await self.written()


def files_below(path: Path) -> list[Path]:
    """Return the file, or every file below the folder in the order of names.  Raises: NotFoundError."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFoundError("没有这个文件或文件夹", "there is no such file or folder", where=path.name)
    return sorted(found for found in path.rglob("*") if found.is_file() and not found.name.startswith("."))


class Importer:
    """Takes files in through the exchange. beside: prepares the lines of large files, None = this process does."""

    def __init__(self, exchange: Exchange, rooms: Rooms, beside: Beside | None = None) -> None:
        self._exchange = exchange
        self._rooms = rooms
        self._beside = beside

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
        """Write chunk after chunk; those that follow are parsed, validated, indexed and encoded while the database writes.

        What brings institutions or practitioners is written before anything after it is prepared: that may name them by their codes.
        """
        text, done = work
        beside = self._beside if scope.is_house and self._beside is not None and len(text) >= self._beside.large else None
        row = _Row(partial(self._write, scope, origin))
        try:
            for lines in chunks_of(text, done):
                order = Order(origin[0].source, cause_of(scope, origin), lines)
                making = beside.prepare(self._exchange, order) if beside is not None else work_on(self._exchange, order)
                row.take(order, asyncio.create_task(making))
                await row.write(beside.hands if beside is not None and not lines.register else 0)
                if lines.register:
                    await row.written()
            await row.write(0)
            await row.written()
        finally:
            await row.leave()
        return row.problems

    async def _write(self, scope: Scope, origin: tuple[Envelope, int], order: Order, work: LineWork) -> list[EntryProblem]:
        """Write a chunk; the lines of residents who may not be written are put aside, and the others written without them."""
        changes = 0
        refused: list[EntryProblem] = []
        while True:
            try:
                return await self._write_once(scope, origin, order.lines, work)
            except RolledBackError as refusal:
                refused.extend(refusal.problems)
            except ChangedError:
                changes += 1
                if changes > MOST_CHANGES:
                    words = ("写入时数据一直被别处修改，请稍后再导入", "what is being written keeps changing elsewhere; import again later")
                    raise BusyError(*words, status=503) from None
            work = await work_on(self._exchange, order, refused)

    async def _write_once(self, scope: Scope, origin: tuple[Envelope, int], lines: Lines, work: LineWork) -> list[EntryProblem]:
        message_no = origin[1]
        async with self._rooms.database.transaction() as connection:
            arrived = await self._exchange.ledger.hold(connection, message_no)
            if arrived.is_final or arrived.done_lines >= lines.last:
                return []  # the same file is being imported twice at once, and the other was faster
            written = await self._exchange.write_ready(connection, scope, (work.prepared, work.ready, NOTHING_MET), origin)
            problems = [*work.unread, *work.prepared.problems, *written.problems]
            rows = _waiting(lines, problems, work.unread)
            await self._exchange.ledger.quarantine(connection, message_no, rows)
            await self._exchange.ledger.warn(connection, message_no, work.prepared.warnings)
            stored, unchanged = written.counts()
            await self._exchange.ledger.advance(connection, message_no, lines.last, (stored, unchanged, len(rows)))
        return [*problems, *work.prepared.warnings]

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


def _waiting(
    lines: Lines, problems: Sequence[EntryProblem], unread: Sequence[EntryProblem]
) -> dict[int, tuple[list[EntryProblem], bytes | None]]:
    """Return line number → (its problems, what was sent), for the lines that have problems; a line that is no entry is kept as it is."""
    entries, _ = lines.read({problem.entry_no for problem in problems})
    rows = waiting_rows(entries, problems)
    sent = dict(lines.numbered)
    return rows | {problem.entry_no: (rows[problem.entry_no][0], sent[problem.entry_no]) for problem in unread}
