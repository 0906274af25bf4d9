"""HTML: its text as lines, its tables as grids with rowspan and colspan spread out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from xinglin.modules.plan.reading import errors
from xinglin.modules.plan.reading.layout import Cell, Grid, Source, cell_of, joined
from xinglin.modules.plan.reading.normal import squeeze, tidy

_BREAKS: Final = frozenset(
    [
        "p",
        "div",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "section",
        "article",
        "header",
        "footer",
        "blockquote",
        "dt",
        "dd",
        "dl",
        "pre",
        "hr",
        "form",
        "title",
        "main",
        "aside",
        "nav",
        "figure",
        "figcaption",
    ]
)
_HIDDEN: Final = frozenset({"script", "style", "noscript", "template", "svg", "select", "button"})
_MAX_SPAN: Final = 200
_LONG_CELL: Final = 400


@dataclass(slots=True)
class _Slot:
    parts: list[str]
    rows: int
    columns: int
    line: int = 0

    @property
    def text(self) -> str:
        """The text of the cell; its lines, where it has several, are parted by line feeds."""
        return "\n".join(part for part in (squeeze(tidy(part)) for part in "".join(self.parts).split("\n")) if part)


@dataclass(slots=True)
class _OpenTable:
    rows: list[list[_Slot]] = field(default_factory=list)
    cell: _Slot | None = None
    is_layout: bool = False


class _Reader(HTMLParser):
    """Collects lines, headings and tables; a table that only lays out the page gives its text as lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.grids: list[Grid] = []
        self._line: list[str] = []
        self._tables: list[_OpenTable] = []
        self.headings: list[tuple[int, int]] = []
        self._level = 0
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "table":
            self._open_table()
        elif tag in {"tr", "td", "th"} and self._tables and self._tables[-1].is_layout:
            self._break()
        elif tag == "tr" and self._tables:
            self._tables[-1].rows.append([])
            self._tables[-1].cell = None
        elif tag in {"td", "th"} and self._tables:
            self._open_cell(dict(attrs))
        elif tag == "br" or tag in _BREAKS:
            self._break()
            self._level = int(tag[1]) if re.fullmatch(r"h[1-6]", tag) else self._level

    def _open_table(self) -> None:
        """Begin a table; one that holds another only lays out the page."""
        if self._tables and not self._tables[-1].is_layout:
            self._as_lines(self._tables[-1])
        self._break()
        self._tables.append(_OpenTable())

    def _as_lines(self, table: _OpenTable) -> None:
        table.is_layout = True
        for row in table.rows:
            for slot in row:
                texts = (re.sub(r"[ \t\r]+", " ", text).strip() for text in "".join(slot.parts).split("\n"))
                self.lines.extend(text for text in texts if text)
        table.rows = []

    def _open_cell(self, attributes: dict[str, str | None]) -> None:
        table = self._tables[-1]
        if not table.rows:
            table.rows.append([])
        slot = _Slot([], _span(attributes.get("rowspan")), _span(attributes.get("colspan")), self.getpos()[0])
        table.rows[-1].append(slot)
        table.cell = slot

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "table" and self._tables:
            self.close_table()
        elif tag in {"td", "th"} and self._tables:
            self._tables[-1].cell = None
        elif tag in _BREAKS:
            self._break()

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._tables or self._tables[-1].is_layout:
            self._line.append(data)
        elif self._tables[-1].cell is not None:
            self._tables[-1].cell.parts.append(re.sub(r"\s+", " ", data))

    def _break(self) -> None:
        if self._tables and not self._tables[-1].is_layout:
            if self._tables[-1].cell is not None:
                self._tables[-1].cell.parts.append("\n")
            return
        text = re.sub(r"[ \t\r\n]+", " ", "".join(self._line)).strip(" ")
        self._line = []
        if text:
            self.lines.append(text)
            if self._level:
                self.headings.append((len(self.lines), self._level))
        self._level = 0

    def close_table(self) -> None:
        """End the innermost table: as a grid and as lines of text, or as lines alone when it only lays out or frames text."""
        if self._tables[-1].is_layout:
            self._break()
            self._tables.pop()
            return
        table = self._tables.pop()
        rows = [row for row in table.rows if row]
        if not rows:
            return
        if max(len(row) for row in rows) == 1 or any(len(slot.text) > _LONG_CELL for row in rows for slot in row):
            self._as_lines(table)
            return
        spread = spread_spans([[(slot.text, slot.rows, slot.columns) for slot in row] for row in rows])
        self.grids.extend(put_table(spread, self.lines))

    def finish(self) -> None:
        """Close what the document left open."""
        while self._tables:
            self.close_table()
        self._break()


def _span(text: str | None) -> int:
    digits = re.match(r"\s*(\d{1,4})", text or "")
    return min(_MAX_SPAN, max(1, int(digits.group(1)))) if digits else 1


def spread_spans(rows: Sequence[Sequence[tuple[str, int, int]]]) -> list[list[tuple[str, bool]]]:
    """Return rows of (text, repeated) in which every cell of a span stands, the repeats marked."""
    spread: list[list[tuple[str, bool]]] = []
    open_spans: dict[int, tuple[int, str]] = {}
    for row in rows:
        out: list[tuple[str, bool]] = []
        waiting = list(row)
        while waiting or any(index >= len(out) for index in open_spans):
            index = len(out)
            if index in open_spans:
                left, text = open_spans.pop(index)
                out.append((text, True))
                if left > 1:
                    open_spans[-index - 1] = (left - 1, text)
            elif waiting:
                text, down, across = waiting.pop(0)
                for offset in range(across):
                    out.append((text, offset > 0))
                    if down > 1:
                        open_spans[-(index + offset) - 1] = (down - 1, text)
            else:
                out.append(("", True))
        open_spans = {-key - 1 if key < 0 else key: span for key, span in open_spans.items()}
        spread.append(out)
    return spread


def put_table(spread: Sequence[Sequence[tuple[str, bool]]], lines: list[str]) -> list[Grid]:
    """Write the table to the lines (a row a line, cells parted by tabs, repeats left blank) and return its grid."""
    rows: list[tuple[Cell, ...]] = []
    for row in spread:
        lines.append("\t".join("" if repeated else joined(text) for text, repeated in row))
        rows.append(tuple(cell_of(text, len(lines), repeated) for text, repeated in row))
    rows = [row for row in rows if row]
    return [Grid(tuple(rows), rows[0][0].from_line, rows[-1][0].to_line, native=True)] if rows else []


def read_html(text: str, name: str) -> Source:
    """Return an HTML page as lines and grids.  Raises: IncorrectError when it holds no text."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    reader.finish()
    if not any(line.strip() for line in reader.lines):
        raise errors.empty(name)
    return Source(name, "html", tuple(reader.lines), tuple(reader.grids), headings=tuple(reader.headings))


def html_grids(lines: Sequence[str]) -> tuple[Grid, ...]:
    """Return the grids of HTML tables that stand inside a text or Markdown document, at the lines where they stand."""
    text = "\n".join(lines)
    grids: list[Grid] = []
    for match in re.finditer(r"<table.*?(?:</table>|\Z)", text, re.I | re.S):
        first = text.count("\n", 0, match.start()) + 1
        reader = _PlacedReader(first)
        reader.feed(match.group())
        reader.close()
        reader.finish()
        grids.extend(reader.grids)
    return tuple(grids)


class _PlacedReader(_Reader):
    """A reader whose cells keep the lines of the text around them."""

    def __init__(self, first_line: int) -> None:
        super().__init__()
        self._first = first_line

    def close_table(self) -> None:
        table = self._tables.pop()
        rows = [] if table.is_layout else [row for row in table.rows if row]
        places = [row[0].line + self._first - 1 for row in rows]
        spread = spread_spans([[(slot.text, slot.rows, slot.columns) for slot in row] for row in rows])
        grid = tuple(
            tuple(cell_of(text, line, repeated) for text, repeated in row) for row, line in zip(spread, places, strict=True) if row
        )
        if grid:
            self.grids.append(Grid(grid, grid[0][0].from_line, grid[-1][0].to_line, native=True))
