"""Tables as they were sent (workbooks new and old, CSV), without the rows in which one of a few numbers stands."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import fastexcel
import xlsxwriter

from xinglin.base.text import to_halfwidth
from xinglin.base.unpacking import PackedError, check_workbook, holds_package
from xinglin.engines.exchange.searching import holds

_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_MARKUP = (b"<", b"{", b"[")


def is_workbook(content: bytes) -> bool:
    """Return whether bytes are to be opened as a workbook: an Office package or an old Office file."""
    return holds_package(content) or content.startswith(_OLD_OFFICE)


def without_rows(content: bytes, numbers: Iterable[str]) -> bytes:
    """Return a table without the rows in which a number stands, however it is written (full width, blanks, small x); each leaves an empty row.

    A workbook that loses rows comes back as .xlsx with its cells alone: notes and properties go with them. What is no table that can be
    read is emptied where a number stands in it or nobody can look into it.
    """
    wanted = frozenset(numbers)
    new = _workbook(content, wanted) if is_workbook(content) else _text(content, wanted)
    if new is None:
        return content if holds(content, wanted) is False else b""
    return b"" if new != content and holds(new, wanted) else new


def _is_named(cells: Iterable[object], wanted: frozenset[str]) -> bool:
    row = "\n".join("".join(to_halfwidth(str(cell)).split()).upper() for cell in cells if cell is not None)
    return any(number.upper() in row for number in wanted)


def _workbook(content: bytes, wanted: frozenset[str]) -> bytes | None:
    """Return the workbook without the rows, itself where it names nobody; None where it cannot be read."""
    try:
        if holds_package(content):
            check_workbook(content)
        book = fastexcel.read_excel(content)
        sheets = {name: _rows(book, name) for name in book.sheet_names}
    except (fastexcel.FastExcelError, PackedError, ValueError):
        return None
    kept = {name: [[] if _is_named(row, wanted) else row for row in rows] for name, rows in sheets.items()}
    if kept == sheets and holds(content, wanted) is not True:
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


def _text(content: bytes, wanted: frozenset[str]) -> bytes | None:
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


def _written(text: str, wanted: frozenset[str]) -> str:
    first = text.partition("\n")[0]
    mark = "\t" if first.count("\t") > first.count(",") else ","
    rows: Sequence[Sequence[str]] = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    kept = [[] if _is_named(row, wanted) else row for row in rows]
    if kept == rows:
        return text
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark).writerows(kept)
    return out.getvalue()
