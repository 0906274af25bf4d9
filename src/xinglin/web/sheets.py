"""Excel sheets in: the first sheet's rows as texts under the headings of its first filled row."""

from __future__ import annotations

import fastexcel

from xinglin.base.errors import IncorrectError
from xinglin.base.unpacking import check_workbook, holds_package


def read_sheet_rows(content: bytes) -> list[tuple[int, list[str]]]:
    """Return the filled rows of the first sheet as (line of the sheet, texts).  Raises: IncorrectError for what is no workbook."""
    if holds_package(content):
        check_workbook(content)
    try:
        sheet = fastexcel.read_excel(content).load_sheet(0, header_row=None, dtypes="string")
        columns = [column.to_pylist() for column in sheet.to_arrow().columns]
    except fastexcel.FastExcelError as error:
        raise IncorrectError(
            "这不是 Excel 工作簿：请另存为 .xlsx 后再传", "this is not an Excel workbook: save it as .xlsx and send it again"
        ) from error
    rows = [[("" if cell is None else str(cell)).strip() for cell in row] for row in zip(*columns, strict=True)]
    return [(line, row) for line, row in enumerate(rows, 1) if any(row)]


def read_sheet(content: bytes) -> list[dict[str, str]]:
    """Return the rows of the first sheet, heading → text ("" for an empty cell); rows without any text are left out.

    Raises: IncorrectError for what is no workbook.
    """
    filled = [row for _, row in read_sheet_rows(content)]
    if not filled:
        return []
    heads = filled[0]
    return [dict(zip(heads, row, strict=True)) for row in filled[1:]]
