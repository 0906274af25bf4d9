"""Indicator tables whose cells are separated (tabs, strokes, HTML, .docx): head, merged cells, continued pages, rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.header import Column, Setting, classify, is_header_row, is_pace, is_year_text, plain_header, settle
from xinglin.modules.plan.reading.layout import Cell, Grid
from xinglin.modules.plan.reading.normal import bare, squeeze
from xinglin.modules.plan.reading.rows import Draft
from xinglin.modules.plan.reading.stacked import stacked_rows
from xinglin.modules.plan.reading.values import parse_values

_HEAD_ROWS = 3


def find_header(grid: Grid, start: int = 0) -> tuple[int, int, list[Column]] | None:
    """Return (first header row, first data row, columns) of the next indicator header in the grid, or None."""
    for first in range(start, len(grid.rows)):
        for height in range(_HEAD_ROWS, 0, -1):
            rows = grid.rows[first : first + height]
            if len(rows) < height or not _may_be_head(rows):
                continue
            columns = head_columns(rows)
            if columns is not None:
                return first, first + height, columns
    return None


def _may_be_head(rows: Sequence[Sequence[Cell]]) -> bool:
    for row in rows:
        filled = [cell.text for cell in row if cell.text]
        if not filled:
            return False
        data = sum(bool(parse_values(text)) and not is_year_text(text) for text in filled)
        if data or any(re.search(r"预期性$|约束性$", bare(text)) and len(bare(text)) <= 3 for text in filled):
            return False
    return True


def head_columns(rows: Sequence[Sequence[Cell]]) -> list[Column] | None:
    """Return the columns under one to three header rows, or None when they are no head of an indicator table.

    A blank cell of an upper row takes the text to its left when a lower row fills that column: a head merged over columns.
    """
    width = max(len(row) for row in rows)
    texts = [""] * width
    for index in range(width):
        parts: list[str] = []
        for depth, row in enumerate(rows):
            cell = row[index] if index < len(row) else None
            text = cell.text if cell else ""
            if not text and depth < len(rows) - 1 and _filled_below(rows, depth, index):
                text = _left_text(row, index)
            if text and (not parts or parts[-1] != text):
                parts.append(text)
        texts[index] = "".join(parts)
    if len(rows) > 1 and not _every_row_adds(rows, texts):
        return None
    if not is_header_row(texts):
        return None
    return [classify(text) or Column("ignored" if text else "blank", plain_header(text)) for text in texts]


def _filled_below(rows: Sequence[Sequence[Cell]], depth: int, index: int) -> bool:
    return any(index < len(row) and row[index].text for row in rows[depth + 1 :])


def _left_text(row: Sequence[Cell], index: int) -> str:
    """Return the text of the nearest filled cell to the left when it is a year or target head, else ""."""
    for cell in reversed(row[: min(index, len(row))]):
        if cell.text:
            column = classify(cell.text)
            return cell.text if column is None or column.role in {"value", "base", "target"} else ""
    return ""


def _every_row_adds(rows: Sequence[Sequence[Cell]], texts: Sequence[str]) -> bool:
    """A lower header row is one only when it is made of scope or year words, not of a data row's name."""
    for row in rows[1:]:
        for cell in row:
            word = plain_header(cell.text)
            if cell.merged or not word:
                continue
            if len(word) > 14 or not (
                classify(cell.text)
                or word in catalogue().general_scopes
                or re.fullmatch(r"[一-鿿]{1,8}(?:省|市|区|县|州|值)", word)
                or "(" in word[:1]
            ):
                return False
    return all([cell.text for cell in upper] != [cell.text for cell in lower] for upper, lower in zip(rows, rows[1:], strict=False))


def read_rows(rows: Sequence[Sequence[Cell]], columns: Sequence[Column], last_category: str = "") -> list[Draft]:
    """Return the drafts of data rows under settled columns; merged categories carry down."""
    drafts: list[Draft] = []
    category = last_category
    for row in rows:
        texts = [cell.text for cell in row]
        if is_header_row(texts) or not any(texts):
            continue
        if len({text for text in texts if text}) == 1 and (any(cell.merged for cell in row) or sum(bool(text) for text in texts) == 1):
            text = max(texts, key=len)
            category = category if re.match(r"注|备注|说明|[*※]", text) else squeeze(text)
            continue
        shifted = _align(row, columns)
        for cells, whole in stacked_rows(shifted, columns):
            draft = _draft(cells, columns)
            if draft is None:
                continue
            draft.whole = whole
            category = draft.category = draft.category or category
            drafts.append(draft)
    return drafts


def _align(row: Sequence[Cell], columns: Sequence[Column]) -> list[Cell]:
    """Return the row with as many cells as columns: a row that leaves out merged leading cells is moved right.

    Blank cells at the end may have been filled up for those that were left out in front.
    """
    cells = list(row)
    blank = Cell("", row[0].from_line, row[0].to_line)
    while len(cells) > len(columns) and not cells[-1].text:
        cells.pop()
    cells = cells[: len(columns)]
    while len(cells) > 1 and not cells[-1].text:
        cells.pop()
    missing = len(columns) - len(cells)
    candidates = [[blank] * lead + cells + [blank] * (missing - lead) for lead in range(missing + 1)]
    return max(candidates, key=lambda candidate: _fit(candidate, columns))


def _fit(cells: Sequence[Cell], columns: Sequence[Column]) -> int:
    score = 0
    for cell, column in zip(cells, columns, strict=False):
        if not cell.text:
            continue
        values = parse_values(cell.text)
        if column.role in {"base", "target", "other", "serial"}:
            score += 2 if values else -2
        elif column.role == "kind":
            score += 2 if re.search(r"预期|约束", cell.text) else -2
        elif column.role == "unit":
            score += 2 if catalogue().is_unit(cell.text) else -2
        elif column.role in {"name", "category"}:
            score += -2 if values else 1
    return score


def _draft(cells: Sequence[Cell], columns: Sequence[Column]) -> Draft | None:
    draft = Draft(from_line=min(cell.from_line for cell in cells), to_line=max(cell.to_line for cell in cells))
    names: list[str] = []
    for cell, column in zip(cells, columns, strict=False):
        text = cell.text
        match column.role:
            case "name":
                if text and text not in names:
                    names.append(text)
            case "category":
                draft.category = "" if text.isdigit() else draft.category or squeeze(text)
            case "note" if is_pace(column) and parse_values(text):
                draft.pace = cell
                _unnamed(draft, column, squeeze(text))
            case "serial" | "unit" | "kind" | "note":
                setattr(draft, column.role, getattr(draft, column.role) or squeeze(text))
            case "owners":
                draft.owners = "、".join(part for part in (draft.owners, squeeze(text)) if part)
            case "base" | "target" | "other":
                draft.cells.append((column, cell if text else None))
            case _:
                _unnamed(draft, column, squeeze(text))
    draft.name = names[-1] if names else ""
    if len(names) > 1:
        draft.category = draft.category or names[0]
    shown = [cell.text for cell, column in zip(cells, columns, strict=False) if cell.text and not cell.merged and column.role != "serial"]
    draft.printed = "\t".join(shown)
    return draft if draft.name and any(cell for _, cell in draft.cells) else None


def _unnamed(draft: Draft, column: Column, text: str) -> None:
    """Take in a column whose head says nothing: a kind or a unit shows itself by its words, the rest is kept as a note."""
    if re.fullmatch(r"预期性?|约束性?|约束性指标|预期性指标", text):
        draft.kind = draft.kind or text
    elif catalogue().is_unit(text):
        draft.unit = draft.unit or text
    elif text and column.text:
        draft.note = "；".join(part for part in (draft.note, f"{column.text}：{text}") if part)


def settle_columns(columns: Sequence[Column], setting: Setting) -> list[Column]:
    """Return settled columns; when no column is the name, the first unnamed one before the values becomes it."""
    decided = settle(columns, setting)
    if any(column.role == "name" for column in decided):
        return decided
    for index, column in enumerate(decided):
        if column.role in {"blank", "ignored"}:
            decided[index] = replace(column, role="name")
            return decided
    for index in range(len(decided) - 1, -1, -1):
        if decided[index].role == "category":
            decided[index] = replace(decided[index], role="name")
            return decided
    return decided
