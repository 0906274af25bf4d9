"""A printed row that carries several: names over names in one cell, and as many values over values in the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from xinglin.modules.plan.reading.header import Column
from xinglin.modules.plan.reading.layout import Cell
from xinglin.modules.plan.reading.values import parse_value

_VALUES: Final = frozenset({"base", "target", "other"})
_OF_WHICH: Final = re.compile(r"^(?:[#＃]|[-—–]{1,2})?\s*其中|^[#＃]")
_BEGINS: Final = re.compile(r"^(?:[#＃]|其中|\d{1,3}[.、．]|[（(]\d{1,2}[）)]|[①-⑳]|每[千万百十]|人均)")
_COMPLETE: Final = re.compile(r"(?:[（(][^（()）]{1,12}[）)]|率|数|比例|比重|占比|寿命|强度|水平|总量)$")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a stacked row, and the name of the whole that stands over its parts, or ""."""

    whole: str
    names: tuple[str, ...]


def group_names(parts: Sequence[str], count: int) -> Names | None:
    """Return `count` names out of the lines of a name cell, None where they do not fall into so many.

    >>> group_names(["班额达标比例（%）", "其中：小学", "初中"], 2)
    Names(whole='班额达标比例（%）', names=('其中：小学', '初中'))
    """
    for groups in (list(parts), _joined(parts)):
        if len(groups) == count:
            return Names("", tuple(groups))
        if len(groups) == count + 1 and _OF_WHICH.match(groups[1]):
            return Names(groups[0], tuple(groups[1:]))
    return None


def _joined(parts: Sequence[str]) -> list[str]:
    """Join the lines of names that were only broken: a new one begins with 其中 or a number, or behind a finished one."""
    groups: list[str] = []
    for part in parts:
        if groups and not _BEGINS.match(part) and not _COMPLETE.search(groups[-1]):
            groups[-1] += part
        else:
            groups.append(part)
    return groups


def stacked_rows(cells: Sequence[Cell], columns: Sequence[Column]) -> list[tuple[list[Cell], str]]:
    """Return the rows in a printed row as (cells, name of the whole): one, or several where values stand over values."""
    counts = {_count(cell) for cell, column in zip(cells, columns, strict=False) if column.role in _VALUES} - {0, 1}
    names = next((cell for cell, column in reversed(list(zip(cells, columns, strict=False))) if column.role == "name" and cell.text), None)
    if len(counts) != 1 or names is None:
        return [(list(cells), "")]
    count = counts.pop()
    found = group_names(names.parts or (names.text,), count)
    if found is None:
        return [([_listed(cell) if column.role in _VALUES else cell for cell, column in zip(cells, columns, strict=False)], "")]
    rows: list[tuple[list[Cell], str]] = []
    for index, name in enumerate(found.names):
        row = [_part(cell, column, index, count) for cell, column in zip(cells, columns, strict=False)]
        row[next(place for place, cell in enumerate(cells) if cell is names)] = replace(names, text=name, parts=())
        rows.append((row, found.whole))
    return rows


def _count(cell: Cell) -> int:
    """Return how many values stand over each other in a cell; a bracket belongs to the value above it."""
    parts = cell.parts or ((cell.text,) if cell.text else ())
    whole = all(parse_value(part) is not None and part[:1] not in "（([〔" for part in parts)
    return len(parts) if whole else min(1, len(parts))


def _listed(cell: Cell) -> Cell:
    return replace(cell, text="；".join(cell.parts), parts=()) if _count(cell) > 1 else cell


def _part(cell: Cell, column: Column, index: int, count: int) -> Cell:
    if len(cell.parts) == count and column.role in _VALUES | {"unit", "kind", "serial", "note"}:
        return replace(cell, text=cell.parts[index], parts=())
    return cell if column.role != "serial" or index == 0 else replace(cell, text="", parts=())
