"""What an indicator is to reach and by which path: pure arithmetic over the row as read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

Data = Mapping[str, Any]
LOWER: Final = frozenset({"<=", "<"})
_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached by the end of a year. op: <= >= < > = or range; high: of a range.  relative: it was printed as a rise over the base."""

    year: int
    op: str
    value: float
    high: float | None = None
    relative: bool = False

    @property
    def is_lower_better(self) -> bool:
        """Return whether less is better."""
        return self.op in LOWER

    def is_met(self, value: float) -> bool:
        """Return whether a value reaches the target.

        >>> Target(2030, ">=", 75.0).is_met(75.0), Target(2030, "<", 5.0).is_met(5.0), Target(2030, "range", 2.0, 3.0).is_met(2.5)
        (True, False, True)
        """
        if self.op == "range":
            return self.value - _SLACK <= value <= (self.high if self.high is not None else self.value) + _SLACK
        return {
            "<=": value <= self.value + _SLACK,
            "<": value < self.value - _SLACK,
            ">": value > self.value + _SLACK,
        }.get(self.op, value >= self.value - _SLACK)

    def shortfall(self, value: float) -> float:
        """Return how far a value is from the target in the wrong direction, 0 where it is met."""
        if self.is_met(value):
            return 0.0
        if self.op == "range" and self.high is not None and value > self.high:
            return value - self.high
        return value - self.value if self.is_lower_better else self.value - value


@dataclass(frozen=True, slots=True)
class Point:
    """A value for the end of a year (or a day, as a decimal year). origin: base, given (printed), set (by the district) or line (between)."""

    at: float
    value: float
    origin: str


def decimal_year(day: date) -> float:
    """Return a day as a decimal year: the end of 2026-12-31 is 2027.0.

    >>> decimal_year(date(2026, 12, 31)), decimal_year(date(2025, 7, 2))
    (2027.0, 2025.5013698630137)
    """
    first, after = date(day.year, 1, 1), date(day.year + 1, 1, 1)
    return day.year + ((day - first).days + 1) / (after - first).days


def target_of(data: Data) -> Target | None:
    """Return the target of an indicator as an absolute number, None where none can be said.

    `rise` by a number adds it to the base; `grow` is per cent of the base, year by year where the row says 年均 or 每年. `=` counts as
    reached from either side by the direction from the base. A rise without a number is no number.
    """
    year, op, value = data.get("target_year"), data.get("target_op"), data.get("target_value")
    if year is None or value is None:
        return None
    base, base_year = data.get("base_value"), data.get("base_year")
    if op == "rise":
        return None if base is None else Target(int(year), ">=" if value >= 0 else "<=", base + value, relative=True)
    if op == "grow":
        return _grown(data, int(year), float(value))
    if op in (None, "="):
        op = "<=" if base is not None and base_year is not None and base > value else ">="
    return Target(int(year), str(op), float(value), data.get("target_high"))


def _grown(data: Data, year: int, percent: float) -> Target | None:
    base, base_year = data.get("base_value"), data.get("base_year")
    if base is None or base_year is None:
        return None
    words = f"{data.get('printed', '')}{data.get('name', '')}{data.get('note', '')}"
    times = max(1, year - int(base_year)) if any(word in words for word in ("年均", "每年", "年平均", "逐年")) else 1
    return Target(year, ">=" if percent >= 0 else "<=", base * (1 + percent / 100) ** times, relative=True)


def path_of(data: Data, set_by_district: Mapping[int, float], first_known: tuple[float, float] | None = None) -> list[Point]:
    """Return the fixed points of an indicator's path in order of time: base, printed intermediate years, what the district set, target.

    set_by_district: year → value, winning over what is printed.  first_known: (decimal year, value) that stands in for a base where none is printed.
    """
    points: dict[float, Point] = {}
    if data.get("base_year") is not None and data.get("base_value") is not None:
        points[data["base_year"] + 1.0] = Point(data["base_year"] + 1.0, float(data["base_value"]), "base")
    elif first_known is not None:
        points[first_known[0]] = Point(*first_known, "base")
    target = target_of(data)
    if target is not None:
        for other in data.get("others", ()):
            is_own = not other.get("scope") and other.get("value") is not None and other.get("op") not in ("rise", "grow")
            if is_own and other.get("year") is not None and other["year"] < target.year:
                points[other["year"] + 1.0] = Point(other["year"] + 1.0, float(other["value"]), "given")
        points[target.year + 1.0] = Point(target.year + 1.0, target.value, "given")
    for year, value in set_by_district.items():
        points[year + 1.0] = Point(year + 1.0, value, "set")
    return sorted(points.values(), key=lambda one: one.at)


def value_on_path(path: Sequence[Point], at: float) -> float | None:
    """Return the value of a path at a decimal year: straight lines between its points, flat before the first and after the last.

    >>> line = [Point(2021.0, 60.0, "base"), Point(2026.0, 70.0, "given")]
    >>> value_on_path(line, 2023.5), value_on_path(line, 2030.0), value_on_path([], 2024.0)
    (65.0, 70.0, None)
    """
    if not path:
        return None
    if at <= path[0].at:
        return path[0].value
    for before, after in zip(path, path[1:], strict=False):
        if at <= after.at:
            return before.value + (after.value - before.value) * (at - before.at) / (after.at - before.at)
    return path[-1].value


def yearly(path: Sequence[Point]) -> list[tuple[int, float, str]]:
    """Return (year, value, origin) for the end of every year from the first to the last point of a path; origin `line` between points."""
    if not path:
        return []
    known = {one.at: one.origin for one in path}
    first, last = int(-(-path[0].at // 1)), int(path[-1].at)
    return [(at - 1, value_on_path(path, float(at)) or 0.0, known.get(float(at), "line")) for at in range(first, last + 1)]
