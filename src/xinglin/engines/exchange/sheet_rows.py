"""Tables as they were sent (workbooks new and old, CSV), without the rows in which one of a few numbers stands."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import fastexcel
import xlsxwriter

from xinglin.base.text import to_halfwidth
from xinglin.base.unpacking import PackedError, check_workbook, holds_package
from xinglin.engines.exchange.searching import EXACT_DIGITS, holds

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_MARKUP = (b"<", b"{", b"[")


def is_workbook(content: bytes) -> bool:
    """Return whether bytes are to be opened as a workbook: an Office package or an old Office file."""
    return holds_package(content) or content.startswith(_OLD_OFFICE)


def without_rows(content: bytes, numbers: Iterable[str]) -> tuple[bytes, int]:
    """Return a table without the rows in which a number stands, however it is written (full width, blanks, small x); each leaves an empty row.

    Second: how many of these rows hold the number only as a quantity that lost its last digits, so that they may be somebody else's.
    A workbook that loses rows comes back as .xlsx with its cells alone: notes and properties go with them. What is no table that can be
    read is emptied where a number stands in it or nobody can look into it.
    """
    wanted = _Wanted(frozenset(numbers))
    new = _workbook(content, wanted) if is_workbook(content) else _text(content, wanted)
    if new is None:
        return (content, 0) if holds(content, wanted.numbers) is False else (b"", 0)
    return (b"", 0) if new != content and holds(new, wanted.numbers) else (new, wanted.doubtful)


_QUANTITY = re.compile(r"\d{16,18}(?:\.0+)?|\d(?:\.\d+)?E\+?\d\d")


@dataclass(slots=True)
class _Wanted:
    """Numbers whose rows are to go. rounded: what is left of them as quantities.  doubtful: rows found by these so far."""

    numbers: frozenset[str]
    rounded: frozenset[float] = field(init=False)
    doubtful: int = 0

    def __post_init__(self) -> None:
        self.rounded = frozenset(value for number in self.numbers for value in _rounded(number))

    def kept(self, row: Sequence[Any]) -> Sequence[Any]:
        """Return a row, an empty one where a number stands in it."""
        cells = ["".join(to_halfwidth(str(cell)).split()).upper() for cell in row if cell is not None]
        if any(number.upper() in "\n".join(cells) for number in self.numbers):
            return []
        if self.rounded and any(self._is_rounded(cell) for cell in cells):
            self.doubtful += 1
            return []
        return row

    def _is_rounded(self, cell: str) -> bool:
        """Say whether a cell may be one of the numbers, taken for a quantity: a text that has all its digits is another number."""
        if not _QUANTITY.fullmatch(cell) or (value := float(cell)) not in self.rounded:
            return False
        return not cell.isdecimal() or int(value) == int(cell) or cell.endswith("0" * (len(cell) - EXACT_DIGITS))


def _rounded(number: str) -> Iterator[float]:
    """Yield what programs keep of a number too long to be a quantity: Excel cuts it after 15 digits, others round it to 15, 16 or 17."""
    if number.isdecimal() and len(number) > EXACT_DIGITS:
        yield from (float(number[:digits].ljust(len(number), "0")) for digits in (EXACT_DIGITS, EXACT_DIGITS + 1))
        yield from (float(number), float(f"{int(number):.14e}"), float(f"{int(number):.15e}"))


def _workbook(content: bytes, wanted: _Wanted) -> bytes | None:
    """Return the workbook without the rows, itself where it names nobody; None where it cannot be read."""
    try:
        if holds_package(content):
            check_workbook(content)
        book = fastexcel.read_excel(content)
        sheets = {name: _rows(book, name) for name in book.sheet_names}
    except (fastexcel.FastExcelError, PackedError, ValueError):
        return None
    kept = {name: [wanted.kept(row) for row in rows] for name, rows in sheets.items()}
    if kept == sheets and holds(content, wanted.numbers) is not True:
        return content
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as written:
        for name, rows in kept.items():
            sheet = written.add_worksheet(name)
            for at, row in enumerate(rows):
                sheet.write_row(at, 0, row)
    return out.getvalue()


def _rows(book: Any, name: str) -> list[list[str]]:
    """Return the cells of a sheet; none of an empty one, which the reader does not open."""
    try:
        columns = [column.to_pylist() for column in book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_arrow().columns]
    except fastexcel.FastExcelError as error:
        if "no data" in str(error).lower() or "empty" in str(error).lower():
            return []
        raise
    return [["" if value is None else value for value in row] for row in zip(*columns, strict=True)] if columns else []


def _text(content: bytes, wanted: _Wanted) -> bytes | None:
    """Return a CSV or tab-separated text in its encoding without the rows; None for what is none."""
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_MARKUP) or b"\0" in content:
        return None
    for encoding in ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
            return _written(text, wanted).encode(encoding)
        except UnicodeDecodeError:
            continue
        except csv.Error:
            return None
    return None


def _written(text: str, wanted: _Wanted) -> str:
    first = text.partition("\n")[0]
    mark = "\t" if first.count("\t") > first.count(",") else ","
    rows: Sequence[Sequence[str]] = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    kept = [wanted.kept(row) for row in rows]
    if kept == rows:
        return text
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark).writerows(kept)
    return out.getvalue()
