"""Excel in for plans: rows with their line numbers, and the page that says which were kept and which were not, and why."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from xinglin.base.errors import IncorrectError
from xinglin.web.page import Visit, render
from xinglin.web.pages.plans_asking import status_tag
from xinglin.web.sheets import read_sheet_rows

MOST_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not kept. line: of the sheet, 0 for the whole file."""

    line: int
    words: str


async def read_rows(visit: Visit, upload: object, heads: Mapping[str, str]) -> list[tuple[int, dict[str, str]]]:
    """Return (line of the sheet, cells by name) of an uploaded workbook. heads: Chinese heading → name; the page's language will do too.

    The headings stand in the first row that has the first of them, so that an export with its watermark line can be filled in and sent back.
    Raises: IncorrectError for no file, no workbook, or headings that are missing.
    """
    content = await upload.read(MOST_BYTES + 1) if isinstance(upload, UploadFile) else b""
    if not content:
        raise IncorrectError("请选择一个 Excel 文件", "choose an Excel file", where="file")
    if len(content) > MOST_BYTES:
        raise IncorrectError(
            "文件超过 4 MB：请只保留要导入的表", "the file is over 4 MB: keep the sheet to import", where="file", status=413
        )
    rows = await asyncio.to_thread(read_sheet_rows, content)
    known = {**heads, **{visit.text(head): name for head, name in heads.items()}}
    first = next((place for place, (_, cells) in enumerate(rows) if any(cell in known for cell in cells)), None)
    if first is None:
        raise IncorrectError(
            f"第一行要有列名：{'、'.join(heads)}",
            f"the first row needs the headings {', '.join(visit.text(head) for head in heads)}",
            where="file",
        )
    places = {known[cell]: number for number, cell in enumerate(rows[first][1]) if cell in known}
    missing = [head for head, name in heads.items() if name not in places]
    if missing:
        raise IncorrectError(
            f"缺少列：{'、'.join(missing)}", f"the columns {', '.join(visit.text(head) for head in missing)} are missing", where="file"
        )
    return [(line, {name: cells[place] for name, place in places.items()}) for line, cells in rows[first + 1 :]]


async def refused_page(visit: Visit, plan: Any, back: str, refused: Sequence[Refused], kept: int) -> Response:
    """Return the page that says how many rows were kept and why others were not."""
    context = {"plan": plan, "status": status_tag(visit, plan), "back": back, "refused": refused, "kept": kept}
    return render(visit, "plans/imported.html", context, status=422 if refused and not kept else 200)
