"""Lines of NDJSON on their way: read, through the gate, ready to be written; in this process or packed for it by another."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Final

from xinglin.base.errors import XinglinError
from xinglin.engines.exchange.door import REGISTERED_TYPES, Exchange
from xinglin.engines.exchange.gate import Item, Prepared, without
from xinglin.engines.exchange.ledger import Source
from xinglin.engines.exchange.model import Entry, EntryProblem
from xinglin.engines.exchange.reading import UnreadableError, lines_of, parse_json
from xinglin.engines.store import Cause, PackedReady, Ready, pack

LINES_A_CHUNK: Final = 500
_READ_AFTER_THE_STORE: Final = frozenset({"Patient", *REGISTERED_TYPES})
"""Types whose content identity or the registers read when the store has written them."""
_REGISTERED_LINE: Final = re.compile(rb'"resourceType"\s*:\s*"(?:%s)"' % "|".join(REGISTERED_TYPES).encode())
_SENT: Final = Entry({})


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are written together. numbered: (1-based number, line)."""

    numbered: tuple[tuple[int, bytes], ...]

    @property
    def last(self) -> int:
        """The number of the last line."""
        return self.numbered[-1][0]

    @property
    def register(self) -> bool:
        """Whether they may bring an institution or a practitioner, as far as a look at the text tells."""
        return any(_REGISTERED_LINE.search(line) for _, line in self.numbered)

    def read(self, among: Container[int] | None = None) -> tuple[list[tuple[int, Entry]], list[EntryProblem]]:
        """Return the entries of the lines that parse, and why the others do not. among: the numbers to read, None = all."""
        entries, problems = [], []
        for number, line in self.numbered:
            if among is not None and number not in among:
                continue
            try:
                entries.append((number, Entry(parse_json(line, f"line {number}"))))
            except UnreadableError as error:
                problems.append(EntryProblem(number, error.reason, error.where, error.zh, error.en))
            except XinglinError as error:
                problems.append(EntryProblem(number, "invalid", error.where, error.zh, error.en))
        return entries, problems


def chunks_of(text: bytes, done: int) -> Iterator[Lines]:
    """Yield the lines after line `done`, so many at a time."""
    lines = (item for item in lines_of(text) if item[0] > done)
    while batch := tuple(islice(lines, LINES_A_CHUNK)):
        yield Lines(batch)


@dataclass(frozen=True, slots=True)
class Order:
    """Lines to be prepared. cause: of the versions they make."""

    source: Source
    cause: Cause
    lines: Lines


@dataclass(frozen=True, slots=True)
class LineWork:
    """What was made of lines. unread: problems of those that are no entries."""

    prepared: Prepared
    ready: Ready
    unread: Sequence[EntryProblem]


async def work_on(exchange: Exchange, order: Order, refused: Sequence[EntryProblem] = ()) -> LineWork:
    """Read lines, pass them through the gate and make them ready. refused: problems found while writing; their lines are left out."""
    entries, unread = await asyncio.to_thread(order.lines.read)
    prepared = await exchange.prepare(entries, order.source)
    if refused:
        prepared = without(prepared, refused)
    return LineWork(prepared, await exchange.ready(prepared, order.cause), unread)


@dataclass(frozen=True, slots=True)
class PackedLines:
    """`LineWork` as columns: per item its number, type, id, institution and day, and the contents that are read after the store."""

    columns: tuple[list[int], list[str], list[str], list[str | None], list[date | None]]
    contents: dict[int, dict[str, Any]]
    problems: tuple[list[EntryProblem], set[int], list[EntryProblem], Sequence[EntryProblem]]
    ready: PackedReady


def packed(work: LineWork) -> PackedLines | None:
    """Return work for the process that writes it, None where that process must prepare the lines itself."""
    ready = pack(work.ready)
    if ready is None:
        return None
    prepared = work.prepared
    rows = [(item.entry_no, item.rtype, item.id, item.organization, item.happened_on) for item in prepared.items]
    contents = {item.entry_no: item.resource for item in prepared.items if item.rtype in _READ_AFTER_THE_STORE}
    columns: Any = tuple(list(column) for column in zip(*rows, strict=True))
    return PackedLines(columns, contents, (prepared.problems, prepared.refused, prepared.warnings, work.unread), ready)


def unpacked(exchange: Exchange, lines: PackedLines) -> LineWork:
    """Return the work another process did."""
    problems, refused, warnings, unread = lines.problems
    nothing: dict[str, Any] = {}
    items = [
        Item(number, _SENT, rtype, own, lines.contents.get(number, nothing), organization, day)
        for number, rtype, own, organization, day in zip(*lines.columns, strict=True)
    ]
    return LineWork(Prepared(items, problems, refused, warnings), exchange.taken(lines.ready), unread)
