"""Sheets that come in: bytes → cells, the heading found by its titles, rows read one by one; a bad row never stops the others."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import fastexcel

from xinglin.base.errors import IncorrectError
from xinglin.base.text import to_halfwidth
from xinglin.base.unpacking import PackedError, check_workbook, holds_package
from xinglin.engines.exchange.reading import UnreadableError, check_text, unopened
from xinglin.engines.exchange.upper.cells import read_cell
from xinglin.engines.exchange.upper.model import NO_DAY, Catalogue, CellProblem, SheetColumn, SheetMapping, SheetRow

_HEAD_ROWS: Final = 30
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"
Cells = list[list[str]]


@dataclass(frozen=True, slots=True)
class Heading:
    """Where the heading stands. last_row: 0-based row of its last line.  places: column of the sheet → column of the mapping."""

    last_row: int
    places: Mapping[int, SheetColumn]


@dataclass(frozen=True, slots=True)
class SheetRead:
    """A whole sheet. titles: the heading as written."""

    titles: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def read_sheet(content: bytes, mapping: SheetMapping, catalogue: Catalogue) -> SheetRead:
    """Return the rows of the first sheet whose heading has the columns that records are matched by.

    Raises: UnreadableError that says what the file is, or which columns are missing.
    """
    best: tuple[set[str], list[str]] | None = None
    for cells in _sheets(content):
        if not any(any(row) for row in cells):
            continue
        heading = find_heading(cells, mapping.columns)
        found = {column.field for column in heading.places.values()} if heading else set()
        missing = {name for name in mapping.kind.key if name not in found}
        if heading is not None and not missing:
            return SheetRead(_titles(cells, heading), tuple(_rows(cells, heading, mapping, catalogue)))
        if best is None or len(missing) < len(best[0]):
            best = (
                missing,
                [cell for cell in (cells[heading.last_row] if heading else next(row for row in cells if any(row))) if cell][:20],
            )
    if best is None:
        raise UnreadableError("empty", "表格是空的，请检查导出程序", "the workbook is empty; check what exported it")
    names = "、".join(next(one.title for one in mapping.columns if one.field == name) for name in mapping.kind.key if name in best[0])
    seen = "、".join(best[1])
    raise UnreadableError(
        "invalid",
        f"没有找到列：{names}。请在第一行写列名，或在“列对应”中登记贵平台的列名。表中现有：{seen}",
        f"columns not found: {names}. Write the titles in the first row or enter them under column mapping. The sheet has: {seen}",
    )


def _sheets(content: bytes) -> Iterator[Cells]:
    if holds_package(content):
        _check_package(content)
        yield from _workbook(content)
    elif content[:4] == _OLD_OFFICE:
        yield from _workbook(content)
    else:
        yield _text_table(content)


def _check_package(content: bytes) -> None:
    try:
        check_workbook(content)
    except PackedError as error:
        raise unopened(error) from error


def _workbook(content: bytes) -> Iterator[Cells]:
    try:
        book = fastexcel.read_excel(content)
        for name in book.sheet_names:
            yield _cells_of(book, name)
    except fastexcel.FastExcelError as error:
        raise UnreadableError(
            "unreadable",
            "无法读取：请用 Excel 或 WPS 打开后另存为 .xlsx，去掉打开密码",
            "it cannot be read: open it in Excel, take the password off and save it as .xlsx",
        ) from error


def _cells_of(book: Any, name: str) -> Cells:
    try:
        batch = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_arrow()
    except fastexcel.FastExcelError as error:
        if "no data" in str(error).lower() or "empty" in str(error).lower():
            return []
        raise
    columns = [column.to_pylist() for column in batch.columns]
    return [[_plain(value) for value in row] for row in zip(*columns, strict=True)] if columns else []


def _plain(value: str | None) -> str:
    return "" if value is None else value.strip()


def _text_table(content: bytes) -> Cells:
    """Return a CSV or tab-separated text in UTF-8 or GB18030."""
    head = content[:512].lstrip().lower()
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        raise UnreadableError(
            "not_fhir",
            "这是网页格式的表格，请用 Excel 打开后另存为 .xlsx",
            "this is a web page saved as a table; open it in Excel and save it as .xlsx",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = content.decode("gb18030")
        except UnicodeDecodeError:
            check_text(content)
            raise
    check_text(text.encode())
    if "\0" in text or text.lstrip().startswith(("{", "[")):
        raise UnreadableError("not_fhir", "不是表格，请上传 Excel（.xlsx、.xls）或 CSV", "not a table; send Excel (.xlsx, .xls) or CSV")
    lines = text.splitlines()
    mark = "\t" if lines and lines[0].count("\t") > lines[0].count(",") else ","
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    except csv.Error as error:
        raise UnreadableError("unreadable", "CSV 格式有误，请另存为 .xlsx", "the CSV is malformed; save it as .xlsx") from error


def plain_title(text: str) -> str:
    """Return a heading as it is compared: half width, without blanks, marks of duty, units in brackets kept.

    >>> plain_title(" * 血 压 （mmHg）： ")
    '血压(mmhg)'
    """
    return "".join(to_halfwidth(text).split()).strip("*:").lower()


def find_heading(cells: Cells, columns: Sequence[SheetColumn]) -> Heading | None:
    """Return the heading of one or two lines with most known titles; None where no line has two of them.

    A merged cell of the upper line stands over the empty cells right of it.
    """
    known = {plain_title(title): column for column in columns for title in (column.title, *column.also)}
    best: Heading | None = None
    for row in range(min(len(cells), _HEAD_ROWS)):
        for depth in (1, 2):
            if row + depth > len(cells):
                continue
            places = _places(cells[row : row + depth], known)
            if len(places) >= min(2, len(columns)) and (best is None or len(places) > len(best.places)):
                best = Heading(row + depth - 1, places)
    return best


def _places(lines: Cells, known: Mapping[str, SheetColumn]) -> dict[int, SheetColumn]:
    places: dict[int, SheetColumn] = {}
    taken: set[str] = set()
    above = ""
    for place in range(max(len(line) for line in lines)):
        cell = [line[place] if place < len(line) else "" for line in lines]
        above = cell[0] or above
        titles = [cell[0]] if len(lines) == 1 else [above + cell[1], cell[1], cell[0]]
        for title in titles:
            column = known.get(plain_title(title)) if title else None
            if column is not None and column.field not in taken:
                places[place] = column
                taken.add(column.field)
                break
    return places


def _titles(cells: Cells, heading: Heading) -> tuple[str, ...]:
    width = max((len(row) for row in cells), default=0)
    above = cells[heading.last_row - 1] if heading.last_row else []
    line = cells[heading.last_row]
    return tuple(
        heading.places[n].title if n in heading.places else (line[n] if n < len(line) else "") or (above[n] if n < len(above) else "")
        for n in range(width)
    )


def _rows(cells: Cells, heading: Heading, mapping: SheetMapping, catalogue: Catalogue) -> Iterator[SheetRow]:
    seen: dict[tuple[str, date], int] = {}
    for place, row in enumerate(cells[heading.last_row + 1 :], heading.last_row + 2):
        if not any(row[n] for n in heading.places if n < len(row)):
            continue
        read = read_row((place, row), heading, mapping, catalogue)
        key = (read.id_number, read.day)
        if not read.is_refused and key in seen:
            words = (f"与第 {seen[key]} 行是同一条记录，只取前一行", f"the same record as line {seen[key]}; the earlier one was taken")
            read = replace(read, problems=(*read.problems, CellProblem("", *words, refuses=True)))
        elif not read.is_refused:
            seen[key] = place
        yield read


def read_row(line: tuple[int, Sequence[str]], heading: Heading, mapping: SheetMapping, catalogue: Catalogue) -> SheetRow:
    """Return one row with every problem of its cells; a wrong key refuses the row, any other wrong cell is left out. line: (number, cells)."""
    number, cells = line
    values: dict[str, str] = {}
    problems: list[CellProblem] = []
    for place, column in heading.places.items():
        text = cells[place] if place < len(cells) else ""
        is_key = column.field in mapping.kind.key
        try:
            found = read_cell(catalogue.fields[column.field], text, column.codes)
        except IncorrectError as error:
            problems.append(CellProblem(column.title, error.zh, error.en, refuses=is_key))
            continue
        if is_key and not found:
            problems.append(CellProblem(column.title, "不能为空", "must not be empty", refuses=True))
        values |= found
    day_field = mapping.kind.day_field
    day = date.fromisoformat(values[day_field]) if values.get(day_field) else NO_DAY
    return SheetRow(number, values.get("id_number", ""), day, values, tuple(cells), tuple(problems))
