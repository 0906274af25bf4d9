"""The lines of a broken table as blocks: a line, or a whole cell where the document parts its cells by lines of spaces or strokes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from xinglin.modules.plan.reading.layout import is_page_mark, is_rule
from xinglin.modules.plan.reading.normal import tidy


@dataclass(frozen=True, slots=True)
class Block:
    """A line or, where blank-but-not-empty lines part the cells of a web table, a whole cell."""

    text: str
    from_line: int
    to_line: int
    cell: bool


def blocks_of(lines: Sequence[str], taken: frozenset[int]) -> Iterator[Block]:
    """Yield non-blank lines; inside a web table (cells parted by lines of spaces) the lines of one cell are one block."""
    pending: list[tuple[int, str]] = []
    spaced = _spaced_spans(lines)
    stroked = _stroked_spans(lines)
    for number, raw in enumerate(lines, 1):
        if number in taken or is_rule(raw) or (raw.strip() and is_page_mark(raw)):
            continue
        line = tidy(raw)
        if number in stroked:
            if cell := line.strip().strip("|").strip():
                yield Block(cell, number, number, True)
            continue
        inside = number in spaced
        if inside and line.strip():
            pending.append((number, line.strip()))
            continue
        if pending and (not inside or (raw and not raw.strip())):
            yield Block("".join(text for _, text in pending), pending[0][0], pending[-1][0], True)
            pending = []
        if not inside and line.strip():
            yield Block(line.strip(), number, number, False)
    if pending:
        yield Block("".join(text for _, text in pending), pending[0][0], pending[-1][0], True)


def _spaced_spans(lines: Sequence[str]) -> frozenset[int]:
    """Return the lines that lie between closely set lines of nothing but spaces: the cells of a copied web table."""
    marks = [number for number, raw in enumerate(lines, 1) if raw and not raw.strip() and "\t" not in raw]
    spans: set[int] = set()
    run: list[int] = []
    for mark in [*marks, 10**9]:
        if run and mark - run[-1] > 12:
            if len(run) >= 8:
                spans.update(range(_cell_start(lines, run[0]), run[-1] + 1))
            run = []
        run.append(mark)
    return frozenset(spans)


def _stroked_spans(lines: Sequence[str]) -> frozenset[int]:
    """Return the lines of tables that a web page was turned into with one cell and its stroke a line: 婴儿死亡率（‰） |."""
    spans: set[int] = set()
    run: list[int] = []
    for number, raw in enumerate([*lines, "."], 1):
        word = raw.strip()
        if word.endswith("|") and (word.count("|") == 1 or not word.strip("|")):
            run.append(number)
        elif word:
            if len(run) >= 8:
                spans.update(run)
            run = []
    return frozenset(spans)


def _cell_start(lines: Sequence[str], first_mark: int) -> int:
    """Return the line where the cell before the first mark begins: the lines directly above it that are short."""
    start = first_mark
    while start > 1 and not lines[start - 2].strip():
        start -= 1
    return max(1, start - 1)
