"""Excel sheets are read within limits, wherever in the file they begin."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from xinglin.base.errors import IncorrectError
from xinglin.base.unpacking import PackedError
from xinglin.web.sheets import read_sheet


def workbook(last_row: int, last_column: int) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "编号")
        sheet.write(last_row, last_column, "7")
    return out.getvalue()


@pytest.mark.parametrize("before", [b"", b"x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
def test_a_sheet_is_read_within_limits_whatever_stands_before_it(before: bytes) -> None:
    assert read_sheet(before + workbook(1, 0)) == [{"编号": "7"}]
    with pytest.raises(PackedError) as told:
        read_sheet(before + workbook(1_000_000, 300))
    assert told.value.reason == "too_large"


@pytest.mark.parametrize("content", [b"no workbook", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600])
def test_what_is_no_workbook_is_said(content: bytes) -> None:
    with pytest.raises(IncorrectError, match="xlsx"):
        read_sheet(content)
