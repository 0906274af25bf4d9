"""Where an indicator is going: a straight line through its values by ordinary least squares, with the interval of a prediction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LEAST_POINTS: Final = 3
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line: value = intercept + slope × (at - mean_at). residual: standard deviation around it, n - 2 degrees of freedom."""

    n: int
    mean_at: float
    intercept: float
    slope: float
    residual: float
    spread: float
    """Sum of squares of at around its mean."""

    def at(self, when: float) -> float:
        """Return the line's value at a decimal year."""
        return self.intercept + self.slope * (when - self.mean_at)

    def margin(self, when: float, confidence: float = CONFIDENCE) -> float:
        """Return half the width of the prediction interval of one new value at a decimal year."""
        factor = student_quantile(0.5 + confidence / 2, self.n - 2)
        return factor * self.residual * math.sqrt(1 + 1 / self.n + (when - self.mean_at) ** 2 / self.spread)


@dataclass(frozen=True, slots=True)
class Forecast:
    """A value expected at a decimal year, with its 95 % interval. n: values it rests on.  per_year: slope."""

    at: float
    value: float
    low: float
    high: float
    n: int
    per_year: float


def fit(points: Sequence[tuple[float, float]]) -> Line | None:
    """Return the least-squares line through (decimal year, value) points, None for fewer than three or all on one day."""
    n = len(points)
    if n < LEAST_POINTS:
        return None
    mean_at = math.fsum(at for at, _ in points) / n
    mean = math.fsum(value for _, value in points) / n
    spread = math.fsum((at - mean_at) ** 2 for at, _ in points)
    if spread <= 0:
        return None
    slope = math.fsum((at - mean_at) * (value - mean) for at, value in points) / spread
    rest = math.fsum((value - mean - slope * (at - mean_at)) ** 2 for at, value in points)
    return Line(n, mean_at, mean, slope, math.sqrt(max(0.0, rest) / (n - 2)), spread)


def forecast(
    points: Sequence[tuple[float, float]], when: float, bounds: tuple[float | None, float | None] = (None, None)
) -> Forecast | None:
    """Return the value expected at a decimal year, None where fewer than three values are known.

    bounds: what no value can be below or above (a share: 0 and 100); value and interval are held within.
    """
    line = fit(points)
    if line is None:
        return None
    value, margin = line.at(when), line.margin(when)
    held = [within(one, bounds) for one in (value, value - margin, value + margin)]
    return Forecast(when, held[0], held[1], held[2], line.n, line.slope)


def within(value: float, bounds: tuple[float | None, float | None]) -> float:
    """Return a value held between two bounds, None for no bound."""
    low, high = bounds
    value = value if low is None else max(low, value)
    return value if high is None else min(high, value)


def student_quantile(share: float, degrees: int) -> float:
    """Return the quantile of Student's t for a share above one half and whole degrees of freedom.

    >>> round(student_quantile(0.975, 10), 3), round(student_quantile(0.975, 1), 3)
    (2.228, 12.706)

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4 (the share within ±t for whole degrees).
    """
    wanted = 2 * share - 1
    low, high = 0.0, math.pi / 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if _share_within(middle, degrees) < wanted else (low, middle)
    return math.tan(high) * math.sqrt(degrees)


def _share_within(angle: float, degrees: int) -> float:
    """Return the share of Student's t within ±t, where t = tan(angle) × √degrees."""
    cosine = math.cos(angle)
    if degrees % 2:
        term, total = cosine, 0.0
        for number in range(3, degrees + 1, 2):
            total += term
            term *= cosine * cosine * (number - 1) / number
        return (angle + math.sin(angle) * total) * 2 / math.pi
    term, total = 1.0, 0.0
    for number in range(2, degrees + 1, 2):
        total += term
        term *= cosine * cosine * (number - 1) / number
    return math.sin(angle) * total
