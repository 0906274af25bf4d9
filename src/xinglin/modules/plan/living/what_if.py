"""What-if, first form: another pace, or more workers, and which targets that reaches, with the arithmetic in words."""

from __future__ import annotations

from dataclasses import dataclass

from xinglin.modules.plan.living.forecast import within
from xinglin.modules.plan.living.targets import Target
from xinglin.modules.plan.living.words import Said, amount, figure


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a supposition leads to. value: at the end of the target year.  arithmetic: how it is reckoned."""

    value: float
    is_met: bool
    arithmetic: Said


@dataclass(frozen=True, slots=True)
class Work:
    """More work. workers: how many more.  per_worker_month: people each brings a month.  months: how long."""

    workers: float
    per_worker_month: float
    months: float

    @property
    def people(self) -> float:
        """Return how many people they bring in all."""
        return self.workers * self.per_worker_month * self.months


def at_pace(
    now: tuple[float, float], per_year: float, target: Target, unit: str, bounds: tuple[float | None, float | None] = (None, None)
) -> Outcome:
    """Return where a value gets to by the end of the target year at a pace. now: (decimal year, value).  per_year: in the indicator's unit.

    >>> at_pace((2025.0, 70.0), 2.5, Target(2026, ">=", 75.0), "%").value
    75.0
    """
    at, value = now
    years = max(0.0, target.year + 1 - at)
    plain = value + per_year * years
    reached = within(plain, bounds)
    held_zh = f"，不超出 {figure(reached)}" if reached != plain else ""
    held_en = f", held at {figure(reached)}" if reached != plain else ""
    sign = "+" if per_year >= 0 else "-"
    sum_text = f"{figure(value)} {sign} {figure(abs(per_year))} × {figure(years)}"
    return Outcome(
        reached,
        target.is_met(reached),
        Said(f"{sum_text} 年 = {amount(plain, unit)}{held_zh}", f"{sum_text} years = {amount(plain, unit)}{held_en}"),
    )


def with_workers(share: tuple[float, float], work: Work, target: Target, scale: float = 100.0) -> Outcome:
    """Return the share when more workers each bring so many people a month into the numerator. share: (numerator, denominator) today."""
    numerator, denominator = share
    added = work.people
    total = min(denominator, numerator + added)
    value = total / denominator * scale
    head = f"{figure(work.workers)} × {figure(work.per_worker_month)} × {figure(work.months)} = {figure(added)}"
    tail = f"({figure(numerator)} + {figure(added)}) ÷ {figure(denominator)}"
    full_zh = "，分子不超过分母" if total < numerator + added else ""
    full_en = ", the numerator held at the denominator" if total < numerator + added else ""
    return Outcome(
        value,
        target.is_met(value),
        Said(
            f"人数 × 每人每月 × 月数：{head} 人；{tail} = {figure(value)}{full_zh}",
            f"workers × each a month × months: {head} people; {tail} = {figure(value)}{full_en}",
        ),
    )


def workers_needed(missing: int, per_worker_month: float, months: float) -> int | None:
    """Return how many workers bring the missing people in time, None where nobody can (no time, no work).

    >>> workers_needed(1312, 60.0, 5.0)
    5
    """
    if per_worker_month <= 0 or months <= 0:
        return None
    whole = missing / (per_worker_month * months)
    return int(whole) + (1 if whole > int(whole) else 0)
