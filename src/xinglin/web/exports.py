"""Excel files out: streamed into a temporary file, watermarked with who made them, when, and of what moment the data are."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import xlsxwriter
from starlette.responses import Response, StreamingResponse

from xinglin.base.errors import XinglinError
from xinglin.web.page import Visit

EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PROGRESS: Final = "application/x-xinglin-progress"
EXCEL_ROWS: Final = 1_048_000
_CHUNK: Final = 64 * 1024
Labels = Sequence[tuple[str, str]]
"""(heading, kind) of each column; kind number and percent are right-aligned, date is a day."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a copy says of itself. total: how many rows to expect, None where that is not known.

    as_of: of what moment its data are, in the words of the page's foot; "" for the moment it is made.
    """

    title: str
    labels: Labels
    total: int | None = None
    as_of: str = ""


class Workbook:
    """One sheet being written row by row in constant memory."""

    def __init__(self, path: Path, title: str, labels: Labels, imprint: str) -> None:
        self._book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "default_date_format": "yyyy-mm-dd"})
        self._sheet = self._book.add_worksheet(title[:28].translate(str.maketrans("[]:*?/\\", "       ")).strip() or "Sheet1")
        self._labels = labels
        self._formats = {
            "percent": self._book.add_format({"num_format": "0.0%"}),
            "date": self._book.add_format({"num_format": "yyyy-mm-dd"}),
        }
        self._head(title, imprint)
        self.rows = 0

    def _head(self, title: str, imprint: str) -> None:
        mark = self._book.add_format({"font_color": "#8a6d3b", "italic": True, "font_size": 9})
        head = self._book.add_format({"bold": True, "bg_color": "#E7F3EF", "bottom": 1, "text_wrap": True, "valign": "vcenter"})
        for number, (label, kind) in enumerate(self._labels):
            self._sheet.set_column(number, number, 12 if kind in ("number", "percent", "date") else min(40, max(10, 2 * len(label) + 4)))
        self._sheet.set_header("&C&16&K999999" + imprint.replace("&", "&&")[:200])
        self._sheet.set_footer("&L" + imprint.replace("&", "&&")[:200] + "&R&P / &N")
        self._sheet.freeze_panes(2, 0)
        self._sheet.write_string(0, 0, f"{title}    {imprint}", mark)
        for number, (label, _) in enumerate(self._labels):
            self._sheet.write_string(1, number, label, head)

    def add(self, cells: Sequence[object]) -> None:
        """Write one row. A text is always written as text: an ID number keeps its digits, a `=...` is no formula."""
        line = self.rows + 2
        for number, (value, (_, kind)) in enumerate(zip(cells, self._labels, strict=True)):
            if value is None or value == "":
                continue
            if isinstance(value, int | float) and not isinstance(value, bool):
                self._sheet.write_number(line, number, value, self._formats.get(kind))
            elif isinstance(value, date) and not isinstance(value, datetime):
                self._sheet.write_datetime(line, number, datetime(value.year, value.month, value.day), self._formats["date"])
            else:
                self._sheet.write_string(line, number, value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else str(value))
        self.rows += 1

    def close(self) -> None:
        """Finish the file."""
        self._book.close()


def watermark(visit: Visit) -> str:
    """Return who made a copy and when; in a demo also that the data are invented."""
    now = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    words = visit.text(
        "{name}（{login}）于 {time} 导出", name=visit.scope.display_name, login=visit.scope.login, time=now.strftime("%Y-%m-%d %H:%M")
    )
    return f"{visit.text('虚构数据')} · {words}" if visit.platform.settings.demo else words


def imprint(visit: Visit, as_of: str = "") -> str:
    """Return the watermark and of what moment the data are, as the page's foot says it; "" for the moment it is made."""
    now = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    return f"{watermark(visit)} · {visit.text('数据截至')} {as_of or now.strftime('%Y-%m-%d %H:%M')}"


async def export_answer(visit: Visit, heading: Heading, cells: AsyncIterator[Sequence[object]]) -> Response:
    """Return an Excel file of the cells; where the browser asks for PROGRESS, lines of progress come before the bytes."""
    name = f"{heading.title}_{visit.platform.clock.today().isoformat()}.xlsx"
    if visit.request.headers.get("accept") == PROGRESS:
        return StreamingResponse(_with_progress(visit, name, heading, cells), media_type=PROGRESS)
    # Written before the answer starts, so that a refusal half-way is a page and not a broken file.
    with tempfile.TemporaryDirectory(prefix="xinglin-export-") as folder:
        path = Path(folder) / "list.xlsx"
        book = Workbook(path, heading.title, heading.labels, imprint(visit, heading.as_of))
        async for row in cells:
            book.add(row)
            if book.rows >= EXCEL_ROWS:
                break
        await asyncio.to_thread(book.close)
        content = path.read_bytes()
    return Response(content, media_type=EXCEL, headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}"})


async def _with_progress(visit: Visit, name: str, heading: Heading, cells: AsyncIterator[Sequence[object]]) -> AsyncIterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="xinglin-export-") as folder:
        path = Path(folder) / "list.xlsx"
        book: Any = Workbook(path, heading.title, heading.labels, imprint(visit, heading.as_of))
        try:
            async for row in cells:
                book.add(row)
                if book.rows % 200 == 0:
                    yield f"rows {book.rows} {'…' if heading.total is None else heading.total}\n".encode()
                if book.rows >= EXCEL_ROWS:
                    break
            await asyncio.to_thread(book.close)
        except XinglinError as error:
            yield f"error {visit.said(error)}\n".encode()
            return
        yield f"file {name}\n".encode()
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece
