"""Rows of an indicator table before they are indicators: the draft every layout produces."""

from __future__ import annotations

from dataclasses import dataclass, field

from xinglin.modules.plan.reading.header import Column
from xinglin.modules.plan.reading.layout import Cell


@dataclass(slots=True)
class Draft:
    """One printed row: its texts by role and its value cells in the order of the table's value columns.

    pace: the cell of a column of growth or sums (年均增速, 年均/累计), which is the target where no target is printed.
    whole: the name, without values of its own, that stands over this row and others in one cell.
    """

    name: str = ""
    category: str = ""
    serial: str = ""
    unit: str = ""
    kind: str = ""
    owners: str = ""
    note: str = ""
    cells: list[tuple[Column, Cell | None]] = field(default_factory=list)
    from_line: int = 0
    to_line: int = 0
    reasons: list[str] = field(default_factory=list)
    printed: str = ""
    pace: Cell | None = None
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """An indicator table: settled columns, drafts, the title over it, where it stands, and the marks its footnotes explain."""

    columns: tuple[Column, ...]
    drafts: tuple[Draft, ...]
    title: str
    from_line: int
    to_line: int
    past: bool = False
