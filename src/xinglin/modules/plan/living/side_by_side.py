"""Plans beside each other: one line for each indicator that means the same, one column for each plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xinglin.modules.plan.reading.sameness import core, same_measure, same_unit


@dataclass(frozen=True, slots=True)
class Line:
    """One indicator across plans. cells: plan number → row as read."""

    name: str
    unit: str
    category: str
    cells: Mapping[int, Mapping[str, Any]]


def side_by_side(plans: Sequence[tuple[int, Sequence[Mapping[str, Any]]]], least: int = 1) -> list[Line]:
    """Return the lines in the order of the first plan, then what only later plans have; `least`: only lines in so many plans.

    plans: (number, rows as read). Only rows of the current period whose target is a number take part; a table row stands for its text twin.
    """
    made: list[tuple[Mapping[str, Any], dict[int, Mapping[str, Any]]]] = []
    by_core: dict[str, list[int]] = {}
    for number, rows in plans:
        for row in sorted(rows, key=lambda one: one.get("origin") != "table"):
            if row.get("period") != "current" or row.get("target_value") is None or not row.get("sure"):
                continue
            place = _place(made, by_core, row)
            if place is None:
                by_core.setdefault(core(_usual(row)), []).append(len(made))
                made.append((row, {number: row}))
            else:
                made[place][1].setdefault(number, row)
    lines = [Line(str(head["name"]), str(head.get("unit") or ""), str(head.get("category") or ""), cells) for head, cells in made]
    return [line for line in lines if len(line.cells) >= least]


def _place(made: Sequence[tuple[Mapping[str, Any], Any]], by_core: Mapping[str, list[int]], row: Mapping[str, Any]) -> int | None:
    name = _usual(row)
    for place in by_core.get(core(name), ()):
        head = made[place][0]
        if same_measure(_usual(head), name) and same_unit(head.get("unit"), row.get("unit"), name):
            return place
    return None


def _usual(row: Mapping[str, Any]) -> str:
    """Return a row's name with the words for the same population written in one way."""
    return str(row["name"]).replace("常住人口", "人口")
