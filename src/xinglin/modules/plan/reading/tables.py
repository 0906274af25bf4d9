"""All indicator tables of a text, whatever broke them: separated grids first, then broken lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from xinglin.modules.plan.reading.gridtable import find_header, read_rows, settle_columns
from xinglin.modules.plan.reading.header import Column, Setting, years_of
from xinglin.modules.plan.reading.layout import Cell, Grid, is_page_mark
from xinglin.modules.plan.reading.model import PlanPart
from xinglin.modules.plan.reading.normal import bare, squeeze, tidy
from xinglin.modules.plan.reading.rows import Draft, Table
from xinglin.modules.plan.reading.stream import Region, find_regions
from xinglin.modules.plan.reading.streamtable import read_region
from xinglin.modules.plan.reading.values import parse_value


def find_tables(lines: Sequence[str], grids: Sequence[Grid], parts: Sequence[PlanPart]) -> list[Table]:
    """Return the indicator tables of the text in the order of print; a table cut by a page break is one table."""
    tables: list[Table] = []
    for grid in grids:
        tables.extend(_grid_tables(grid, lines, parts))
    taken = frozenset(number for grid in grids for number in range(grid.from_line, grid.to_line + 1))
    regions = find_regions(lines, taken)
    signed = _signed_by_head(regions, lines, parts)
    for region in regions:
        table = _region_table(region, replace(_setting(lines, region.from_line, parts), signed=signed[region.columns]), tables)
        if table is not None:
            tables.append(table)
    return sorted(_continued(tables, lines), key=lambda table: table.from_line)


def part_at(parts: Sequence[PlanPart], line: int) -> PlanPart:
    """Return the plan in which a line stands."""
    return next((part for part in parts if part.from_line <= line <= part.to_line), parts[-1])


def title_above(lines: Sequence[str], line: int) -> str:
    """Return the words over a table: the nearest one to three short lines above it."""
    words: list[str] = []
    for raw in reversed(lines[max(0, line - 12) : line - 1]):
        text = squeeze(tidy(raw)).strip("#* ")
        if not text or is_page_mark(raw):
            continue
        if len(text) > 60 or text.endswith("。") or "\t" in raw:
            break
        words.append(text)
        if len(words) == 2 or re.match(r"^(?:附?表|专栏)\s*\d*", text):
            break
    return " ".join(reversed(words))


def _setting(lines: Sequence[str], line: int, parts: Sequence[PlanPart]) -> Setting:
    part = part_at(parts, line)
    return Setting(part.horizon, part.title or part.area, title_above(lines, line), part.start)


def _signed_columns(columns: Sequence[Column], drafts: Sequence[Draft]) -> frozenset[int]:
    """Return the base columns, but the first, of which two cells or more, and one in eight, carry a sign of a target."""
    found: set[int] = set()
    bases = [index for index, column in enumerate(columns) if column.role == "base" and column.years]
    for index in bases[1:]:
        cells = [cell.text for draft in drafts for column, cell in draft.cells if column is columns[index] and cell]
        signs = sum(value is not None and value.op is not None for value in map(parse_value, cells))
        if signs >= 2 and signs * 8 >= len(cells):
            found.add(index)
    return frozenset(found)


def _grid_tables(grid: Grid, lines: Sequence[str], parts: Sequence[PlanPart]) -> list[Table]:
    made: list[Table] = []
    heads = list(_heads_of(grid))
    for order, (first, _, raw_columns) in enumerate(heads):
        if order and raw_columns == heads[order - 1][2]:
            continue
        rows: list[tuple[Cell, ...]] = []
        for place in range(order, len(heads)):
            if heads[place][2] != raw_columns:
                break
            stop = heads[place + 1][0] if place + 1 < len(heads) else len(grid.rows)
            rows.extend(grid.rows[heads[place][1] : stop])
        line = grid.rows[first][0].from_line
        setting = _setting(lines, line, parts)
        category = made[-1].drafts[-1].category if made and made[-1].drafts else ""
        columns, drafts = _read_grid(rows, raw_columns, setting, category)
        if drafts and _has_values(columns):
            made.append(_table(columns, drafts, setting, line))
    return made


def _heads_of(grid: Grid) -> Iterator[tuple[int, int, list[Column]]]:
    found = find_header(grid)
    while found is not None:
        yield found
        found = find_header(grid, found[1])


def _read_grid(
    rows: Sequence[tuple[Cell, ...]], raw_columns: Sequence[Column], setting: Setting, category: str
) -> tuple[list[Column], list[Draft]]:
    """Return the columns and drafts of data rows; read again when their signs show that a column is no base."""
    columns = settle_columns(raw_columns, setting)
    drafts = read_rows(rows, columns, category)
    if signed := _signed_columns(columns, drafts):
        columns = settle_columns(raw_columns, replace(setting, signed=signed))
        drafts = read_rows(rows, columns, category)
    return columns, drafts


def _signed_by_head(regions: Sequence[Region], lines: Sequence[str], parts: Sequence[PlanPart]) -> dict[tuple[Column, ...], frozenset[int]]:
    """Return for each printed head the columns that are no bases by the signs in any part of the table under it."""
    signed: dict[tuple[Column, ...], frozenset[int]] = {}
    for region in regions:
        columns = settle_columns(region.columns, _setting(lines, region.from_line, parts))
        found = _signed_columns(columns, read_region(columns, region.tokens)) if _has_values(columns) else frozenset()
        signed[region.columns] = signed.get(region.columns, frozenset()) | found
    return signed


def _region_table(region: Region, setting: Setting, before: Sequence[Table]) -> Table | None:
    columns = settle_columns(region.columns, setting)
    if not _has_values(columns):
        return None
    previous = next((table for table in reversed(before) if _same_head(table.columns, columns)), None)
    category = previous.drafts[-1].category if previous and region.from_line - previous.to_line < 30 else ""
    drafts = read_region(columns, region.tokens, category)
    return _table(columns, drafts, setting, region.from_line) if drafts else None


def _has_values(columns: Sequence[Column]) -> bool:
    return any(column.role == "target" for column in columns) and any(column.role == "name" for column in columns)


def _table(columns: Sequence[Column], drafts: list[Draft], setting: Setting, line: int) -> Table:
    return Table(tuple(columns), tuple(drafts), setting.title, line, max(draft.to_line for draft in drafts), _is_past(columns, setting))


def _is_past(columns: Sequence[Column], setting: Setting) -> bool:
    """A table tells of a past period when its target lies before the plan's, or when what was done stands beside the target."""
    targets = [year for column in columns if column.role == "target" for year in column.years]
    done = [year for column in columns if column.role == "base" and re.search(r"完成|实际|实绩", column.text) for year in column.years]
    if setting.horizon and targets and max(targets) <= setting.horizon - 5:
        return True
    if targets and done and max(done) >= max(targets):
        return True
    titled = years_of(setting.title)
    return (
        bool(re.search(r"完成情况|实现情况", bare(setting.title)))
        and bool(titled)
        and bool(setting.horizon)
        and max(titled) < (setting.horizon or 0)
    )


def _same_head(one: Sequence[Column], other: Sequence[Column]) -> bool:
    return [(column.role, column.years, column.scope) for column in one] == [(column.role, column.years, column.scope) for column in other]


def _continued(tables: Sequence[Table], lines: Sequence[str]) -> list[Table]:
    """Join tables of the same head when only blank lines, page marks or a repeated head stand between them."""
    joined: list[Table] = []
    for table in sorted(tables, key=lambda one: one.from_line):
        last = joined[-1] if joined else None
        if last and _same_head(last.columns, table.columns) and _near(lines, last.to_line, table.from_line):
            joined[-1] = Table(last.columns, last.drafts + table.drafts, last.title, last.from_line, table.to_line, last.past)
        else:
            joined.append(table)
    return joined


def _near(lines: Sequence[str], end: int, start: int) -> bool:
    between = [squeeze(tidy(raw)) for raw in lines[end : start - 1] if raw.strip() and not is_page_mark(raw)]
    return len(between) <= 3 and all(len(text) < 30 and not text.endswith("。") for text in between)
