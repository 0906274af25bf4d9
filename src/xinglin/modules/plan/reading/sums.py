"""Totals that do not add up: 其中 parts of a sentence above their whole, and 合计 rows of project tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from xinglin.modules.plan.reading.layout import Grid
from xinglin.modules.plan.reading.mentions import Mention, mentions_of
from xinglin.modules.plan.reading.model import Finding
from xinglin.modules.plan.reading.numerals import DIGITS, digits_value
from xinglin.modules.plan.reading.paragraphs import Paragraph
from xinglin.modules.plan.reading.projects import is_project_head, project_role

_TOTAL: Final = re.compile(r"合\s*计|总\s*计|小\s*计")
_LONG: Final = 2000
_SENTENCE: Final = re.compile(r"[^。；！？]+[。；！？]?(?:其中[^。]+。?)?")


def sums_in_text(paragraphs: Sequence[Paragraph]) -> Iterator[Finding]:
    """Yield a finding for each sentence whose 其中 parts of one unit together exceed, or as a full list miss, the whole."""
    for one in paragraphs:
        for match in _SENTENCE.finditer(one.text):
            head, mark, tail = match.group().partition("其中")
            if not mark or len(match.group()) > _LONG or not re.search(r"\d", head):
                continue
            wholes = [mention for mention in mentions_of(head) if mention.kind == "value"]
            if not wholes or wholes[-1].unit in {None, "%", "‰", "岁"}:
                continue
            parts = [
                mention
                for mention in mentions_of(tail)
                if mention.kind == "value" and mention.unit == wholes[-1].unit and mention.high is None
            ]
            finding = _compare(wholes[-1], parts, one, match.start() + wholes[-1].start)
            if finding is not None:
                yield finding


def _compare(whole: Mention, parts: Sequence[Mention], one: Paragraph, position: int) -> Finding | None:
    total = sum(part.value for part in parts)
    if len(parts) < 2 or whole.high is not None or total <= whole.value:
        return None
    words = "、".join(f"{part.value:g}" for part in parts)
    return Finding(
        "parts-do-not-add-up",
        "warning",
        f"“其中”各项 {words} 合计 {total:g}{whole.unit}，超过总数 {whole.value:g}{whole.unit}（各项可能有重叠，请核对）。",
        f"The parts {words} add up to {total:g}, above the whole {whole.value:g}; they may overlap.",
        (one.line_at(position),),
    )


def sums_in_grids(grids: Sequence[Grid]) -> Iterator[Finding]:
    """Yield a finding for each 合计 row of a project table whose number is not the sum of the rows above it."""
    for grid in grids:
        head = next((index for index, row in enumerate(grid.rows) if is_project_head([cell.text for cell in row])), None)
        if head is None:
            continue
        roles = [project_role(cell.text) for cell in grid.rows[head]]
        totals = [row for row in grid.rows[head + 1 :] if any(_TOTAL.search(cell.text) for cell in row)]
        rows = [row for row in grid.rows[head + 1 :] if row not in totals]
        for row in totals:
            for index, role in enumerate(roles):
                if role not in {"beds", "convertible", "investment"} or index >= len(row):
                    continue
                printed = _number(row[index].text)
                added = sum(value for other in rows if index < len(other) and (value := _number(other[index].text)) is not None)
                if printed is not None and abs(printed - added) > 1e-6 * max(1.0, abs(added)):
                    yield Finding(
                        "total-row-wrong",
                        "error",
                        f"合计行“{grid.rows[head][index].text}”印作 {printed:g}，各行相加是 {added:g}。",
                        f"The total row prints {printed:g} where the rows add up to {added:g}.",
                        (row[index].from_line,),
                    )


def _number(text: str) -> float | None:
    match = re.search(DIGITS, text)
    return digits_value(match.group()) if match else None
