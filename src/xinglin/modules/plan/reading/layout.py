"""Cells, grids and the text they stand in: what every source (text, HTML, .docx, PDF) is turned into before it is understood."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.reading.normal import squeeze, tidy


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its repaired text and the lines it stands on; `merged` when it repeats a cell that spans rows or columns.

    parts: the lines inside the cell where the document breaks it into two or more.
    """

    text: str
    from_line: int
    to_line: int
    merged: bool = False
    parts: tuple[str, ...] = ()


def cell_of(text: str, line: int, merged: bool = False) -> Cell:
    """Return the cell of a text whose lines, where it has several, are parted by line feeds."""
    parts = tuple(part for part in text.split("\n") if part)
    return Cell(joined(text), line, line, merged, parts if len(parts) > 1 else ())


def joined(text: str) -> str:
    """Return the lines of a cell as one text."""
    return squeeze(" ".join(text.split("\n"))) if "\n" in text else text


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of cells that stand together; `native` when the document itself said that this is a table."""

    rows: tuple[tuple[Cell, ...], ...]
    from_line: int
    to_line: int
    native: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A document as text: its lines as read, the tables it declared itself, and what must be told to the reader.

    headings: (line, level 1 to 6) of the headings that the document declared itself.
    """

    filename: str
    format: str
    lines: tuple[str, ...]
    grids: tuple[Grid, ...] = ()
    notices: tuple[str, ...] = ()
    headings: tuple[tuple[int, int], ...] = ()


_PAGE_MARK: Final = re.compile(
    r"\s*(?:[-—–―·~]+\s*\d{1,4}\s*[-—–―·~]+|第\s*\d{1,4}\s*页(?:\s*[,，/]?\s*共\s*\d{1,4}\s*页)?|\d{1,4}\s*/\s*\d{1,4}|\f|Page\s+\d+(?:\s+of\s+\d+)?|[-—–―]{1,3}\s*\d{1,4}|\d{1,4}\s*[-—–―]{1,3})\s*",
    re.I,
)
_RULE: Final = re.compile(r"\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*")
_BORDER: Final = re.compile(r"[\s┌┬┐├┼┤└┴┘─━═╔╦╗╠╬╣╚╩╝+=-]+")


def is_page_mark(line: str) -> bool:
    """Say whether the line is only a page number: — 12 —, 第 3 页."""
    return bool(_PAGE_MARK.fullmatch(line))


def is_rule(line: str) -> bool:
    """Say whether the line only draws the frame of a table."""
    stripped = line.strip()
    return bool(stripped) and (
        bool(_RULE.fullmatch(stripped) and "-" in stripped) or (len(stripped) > 3 and bool(_BORDER.fullmatch(stripped)))
    )


def split_row(line: str) -> list[str] | None:
    """Return the cells of a line that separates them itself (tab, | or │), or None for any other line."""
    line = line.replace("│", "|").replace("┃", "|").replace("║", "|").replace("｜", "|")
    if "\t" in line and line.strip():
        return [squeeze(tidy(part)) for part in line.split("\t")]
    if "|" in line:
        inner = line.strip()
        framed = inner.startswith("|")
        inner = inner[1:] if framed else inner
        inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
        cells = [_piped(part.replace("\x00", "|")) for part in inner.replace("\\|", "\x00").split("|")]
        return cells if len(cells) > 1 else None
    return None


def _piped(text: str) -> str:
    return "\n".join(squeeze(part) for part in _emphasis(tidy(text)).split("\n"))


def _emphasis(text: str) -> str:
    return re.sub(r"<br\s*/?>", "\n", re.sub(r"\*\*(.+?)\*\*|__(.+?)__", lambda match: match.group(1) or match.group(2), text), flags=re.I)


def find_grids(lines: Sequence[str]) -> list[Grid]:
    """Return the grids of a text whose rows are separated by tabs or strokes.

    Rows belong together when only blank lines, page marks or frame lines stand between them.
    """
    grids: list[Grid] = []
    rows: list[tuple[Cell, ...]] = []
    for number, line in enumerate(lines, 1):
        if is_rule(line) or not line.strip() or is_page_mark(line):
            continue
        cells = split_row(line)
        if cells is None or not any(cells):
            _close(grids, rows)
            rows = []
            continue
        rows.append(tuple(cell_of(text, number) for text in cells))
    _close(grids, rows)
    return grids


def _close(grids: list[Grid], rows: list[tuple[Cell, ...]]) -> None:
    if rows:
        grids.append(Grid(tuple(rows), rows[0][0].from_line, rows[-1][0].to_line))
