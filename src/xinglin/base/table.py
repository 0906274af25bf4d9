"""Tables as offices send them: CSV in UTF-8 or GB18030 with the columns' names in the first line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from xinglin.base.errors import IncorrectError, XinglinError

Item = TypeVar("Item")


def csv_text(content: bytes) -> str:
    """Return the text of a file in UTF-8 (with or without its mark) or GB18030.  Raises: IncorrectError for any other."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise IncorrectError("文字编码须为 UTF-8 或 GB18030", "save the file as UTF-8 or GB18030")


def csv_rows(content: bytes, needed: Sequence[str]) -> Iterator[tuple[dict[str, str], str]]:
    """Yield (column → text without blanks around it, "line 12") of each row.

    Raises: IncorrectError for an unknown encoding, or naming the columns of `needed` that are missing.

    >>> list(csv_rows("代码,名称\\n1, 甲 \\n".encode("gb18030"), ("代码",)))
    [({'代码': '1', '名称': '甲'}, 'line 2')]
    """
    reader = csv.DictReader(io.StringIO(csv_text(content)))
    try:
        yield from _rows(reader, needed)
    except csv.Error as error:
        words = ("不是合法的 CSV：请用 Excel 另存为“CSV UTF-8”", "not valid CSV: save it as “CSV UTF-8” from Excel")
        raise IncorrectError(*words, where=f"line {reader.line_num}") from error


def _rows(reader: csv.DictReader[str], needed: Sequence[str]) -> Iterator[tuple[dict[str, str], str]]:
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise IncorrectError(f"缺少列 {'、'.join(missing)}", f"add the column(s) {', '.join(missing)}", where="line 1")
    for row in reader:
        yield {name: (value or "").strip() for name, value in row.items() if name is not None}, f"line {reader.line_num}"


@dataclass(frozen=True, slots=True)
class RowsRead(Generic[Item]):
    """A table read row by row. items: (place, what the row says).  problems: one for each row that says nothing that can stand."""

    items: tuple[tuple[str, Item], ...]
    problems: tuple[XinglinError, ...]

    def all_or_first(self) -> list[Item]:
        """Return every item.  Raises: the first problem where there is any."""
        if self.problems:
            raise self.problems[0]
        return [item for _, item in self.items]


def read_rows(rows: Iterable[tuple[dict[str, str], str]], read: Callable[[dict[str, str], str], Item]) -> RowsRead[Item]:
    """Return what `read` makes of each row (text by column, place), going on after a row it refuses with an IncorrectError."""
    items: list[tuple[str, Item]] = []
    problems: list[XinglinError] = []
    for row, where in rows:
        if not any(row.values()):
            continue
        try:
            items.append((where, read(row, where)))
        except IncorrectError as error:
            problems.append(error)
    return RowsRead(tuple(items), tuple(problems))


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as CSV that Excel opens with the right letters; a cell that a spreadsheet would reckon stays text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        texts = ["" if cell is None else str(cell) for cell in row]
        writer.writerow([f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") and not _is_number(text) else text for text in texts])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
