"""All indicator tables of a text, whatever broke them: separated grids first, then broken lines."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xinglin.modules.plan.reading.gridtable import find_header, read_rows, settle_columns
from xinglin.modules.plan.reading.header import Column, Setting, years_of
from xinglin.modules.plan.reading.layout import Grid, is_page_mark
from xinglin.modules.plan.reading.model import PlanPart
from xinglin.modules.plan.reading.normal import bare, squeeze, tidy
from xinglin.modules.plan.reading.rows import Draft, Table
from xinglin.modules.plan.reading.stream import Region, find_regions
from xinglin.modules.plan.reading.streamtable import read_region


def find_tables(lines: Sequence[str], grids: Sequence[Grid], parts: Sequence[PlanPart]) -> list[Table]:
    """Return the indicator tables of the text in the order of print; a table cut by a page break is one table."""
    tables: list[Table] = []
    for grid in grids:
        tables.extend(_grid_tables(grid, lines, parts))
    taken = frozenset(number for grid in grids for number in range(grid.from_line, grid.to_line + 1))
    for region in find_regions(lines, taken):
        table = _region_table(region, lines, parts, tables)
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
    return Setting(part.horizon, part.title or part.area, title_above(lines, line))


def _grid_tables(grid: Grid, lines: Sequence[str], parts: Sequence[PlanPart]) -> list[Table]:
    made: list[Table] = []
    found = find_header(grid)
    while found is not None:
        first, data, raw_columns = found
        following = find_header(grid, data)
        stop = following[0] if following else len(grid.rows)
        line = grid.rows[first][0].from_line
        setting = _setting(lines, line, parts)
        columns = settle_columns(raw_columns, setting)
        category = made[-1].drafts[-1].category if made and made[-1].drafts else ""
        drafts = read_rows(grid.rows[data:stop], columns, category)
        if drafts and _has_values(columns):
            made.append(_table(columns, drafts, setting, line))
        found = following
    return made


def _region_table(region: Region, lines: Sequence[str], parts: Sequence[PlanPart], before: Sequence[Table]) -> Table | None:
    setting = _setting(lines, region.from_line, parts)
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
