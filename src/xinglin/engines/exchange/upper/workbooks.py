"""Workbooks out: what is reported, and the rows of an incoming sheet that were not taken as they stand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import xlsxwriter

from xinglin.engines.exchange.upper.cells import word_of
from xinglin.engines.exchange.upper.model import Catalogue, OurRecord, SheetMapping
from xinglin.engines.exchange.upper.sheets import SheetRead

_WIDTHS: Final = {"id_number": 22, "institution_name": 24, "symptoms_hypertension": 22, "symptoms_diabetes": 22}


def report_workbook(catalogue: Catalogue, mapping: SheetMapping, records: Sequence[OurRecord], watermark: str) -> bytes:
    """Return the sheet to upload: heading in row 1, one record a row, every cell text; the watermark stands below and in the footer.

    Platforms read from the first row, so nothing stands above the heading.
    """
    content, book, sheet = _new(mapping.kind.zh, watermark)
    head = book.add_format({"bold": True, "bg_color": "#E7F3EF", "bottom": 1})
    for place, column in enumerate(mapping.columns):
        sheet.set_column(place, place, _WIDTHS.get(column.field, max(10, 2 * len(column.title) + 2)))
        sheet.write_string(0, place, column.title, head)
    for line, record in enumerate(records, 1):
        for place, column in enumerate(mapping.columns):
            sheet.write_string(line, place, _cell(catalogue, record, column.field, column.codes))
    sheet.freeze_panes(1, 0)
    notes = book.add_worksheet("说明")
    notes.set_column(0, 0, 80)
    notes.write_string(0, 0, watermark)
    notes.write_string(1, 0, f"{mapping.kind.zh}：{len(records)}")
    book.close()
    return content.getvalue()


def _cell(catalogue: Catalogue, record: OurRecord, name: str, codes: Any) -> str:
    if name == "blood_pressure":
        parts = [record.values.get(part, "") for part in ("systolic", "diastolic")]
        return "/".join(parts) if all(parts) else ""
    return word_of(catalogue.fields[name], record.values.get(name, ""), codes)


def problem_workbook(read: SheetRead, language: str, watermark: str) -> bytes:
    """Return the rows with problems as they came, with line, what was done and what to write instead before them."""
    names = {
        "zh": ("原行号", "处理", "问题", "未接收", "已接收，下列单元格除外"),
        "en": ("Line", "Done", "Problem", "not taken", "taken, except these cells"),
    }
    line_title, done_title, problem_title, refused, partly = names[language]
    content, book, sheet = _new(problem_title, watermark)
    head = book.add_format({"bold": True, "bg_color": "#FCEDEA", "bottom": 1, "text_wrap": True})
    red = book.add_format({"font_color": "#B93A2E", "text_wrap": True, "valign": "top"})
    titles = (line_title, done_title, problem_title, *read.titles)
    for place, title in enumerate(titles):
        sheet.set_column(place, place, {0: 8, 1: 14, 2: 60}.get(place, 16))
        sheet.write_string(0, place, title, head)
    line = 0
    for row in read.rows:
        if not row.problems:
            continue
        line += 1
        told = "\n".join(f"{one.title}：{one.zh}" if language == "zh" else f"{one.title}: {one.en}" for one in row.problems)
        sheet.write_number(line, 0, row.line)
        sheet.write_string(line, 1, refused if row.is_refused else partly)
        sheet.write_string(line, 2, told.lstrip("：: "), red)
        for place, cell in enumerate(row.cells, 3):
            sheet.write_string(line, place, cell)
    sheet.freeze_panes(1, 3)
    book.close()
    return content.getvalue()


def _new(title: str, watermark: str) -> tuple[io.BytesIO, Any, Any]:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"comments": watermark, "created": datetime(2020, 1, 1)})
    sheet = book.add_worksheet(title[:28])
    safe = watermark.replace("&", "&&")[:200]
    sheet.set_header("&C&16&K999999" + safe)
    sheet.set_footer("&L" + safe + "&R&P / &N")
    return content, book, sheet
