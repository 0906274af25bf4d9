"""One indicator as the pages show it: today's value, path, standing, forecast and gap, reckoned from what is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from xinglin.modules.plan.living.catalogue import Known
from xinglin.modules.plan.living.forecast import Forecast, forecast, within
from xinglin.modules.plan.living.gap import Counted, gap_words, people_missing
from xinglin.modules.plan.living.standing import BEHIND, NO_VALUE, STATES, Standing, standing
from xinglin.modules.plan.living.targets import Point, Target, decimal_year, path_of, target_of
from xinglin.modules.plan.living.words import Said, forecast_words, too_wide

COMPUTED, ENTERED = "computed", "entered"
_LAST_MONTH: Final = 12
_ANEW: Final = Said("每年 1 月重新计数，年底前还会增加", "it starts anew every January and still grows until the year ends")
TREND_WAITS: Final = Said("走势还在计算，预测稍后出现", "its trend is still being counted; the forecast follows")


@dataclass(frozen=True, slots=True)
class Observed:
    """A value of a day, in the indicator's unit. counted: numerator and denominator of a share."""

    day: date
    value: float
    counted: Counted | None = None


@dataclass(frozen=True, slots=True)
class Material:
    """What is known of one indicator beside its row.

    observed: values in order of time, the newest last.  origin: computed (a measure) or entered.  path: year → value the district set.
    scale: what a whole share is in the unit; None where the measure is a number.  measure: what plans call it, None where unknown.
    pending: why a computed value is not there yet, None where nothing is awaited.  waits: earlier days are still being counted.
    """

    observed: Sequence[Observed]
    origin: str = ENTERED
    path: Mapping[int, float] | None = None
    scale: float | None = None
    measure: Known | None = None
    pending: Said | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """An indicator as it stands on a day. moved: change against the value a month before (or the one before), None without one."""

    target: Target | None
    path: Sequence[Point]
    observed: Sequence[Observed]
    origin: str
    standing: Standing
    forecast: Forecast | None
    forecast_words: Said
    missing: int | None
    gap_words: Said
    moved: float | None

    @property
    def is_told(self) -> bool:
        """Return whether the forecast says something: its trend is whole, and its interval does not cover everything."""
        return self.forecast is not None and self.forecast_words not in (TREND_WAITS, too_wide(self.forecast.n))

    @property
    def now(self) -> Observed | None:
        """Return the newest value."""
        return self.observed[-1] if self.observed else None


def is_counted(data: Mapping[str, Any]) -> bool:
    """Return whether a row is one of the plan's indicators on the cockpit: of the current period, sure or accepted, with a target.

    A target of the running text counts only where no doubt is left.
    """
    return data.get("period") == "current" and bool(data.get("sure")) and data.get("target_year") is not None


def view_of(data: Mapping[str, Any], known: Material, today: date) -> View:
    """Return an indicator as it stands on a day."""
    unit, target = data.get("unit") or "", target_of(data)
    observed = sorted(known.observed, key=lambda one: one.day)
    first = (decimal_year(observed[0].day), observed[0].value) if observed else None
    path = path_of(data, known.path or {}, first)
    value = observed[-1].value if observed else None
    stands = standing(target, path, value, observed[-1].day if observed else today, unit)
    if value is None and target is not None and known.pending is not None:
        stands = replace(stands, why=known.pending)
    if stands.state == BEHIND and known.measure is not None and known.measure.within_year and today.month < _LAST_MONTH:
        stands = replace(stands, why=Said(f"{stands.why.zh}（{_ANEW.zh}）", f"{stands.why.en} ({_ANEW.en})"))
    points = pace_points(data, known, today)
    found = None if target is None or known.waits else forecast(points, target.year + 1.0, bounds_of(unit, known.scale))
    counted = observed[-1].counted if observed else None
    missing = people_missing(target, counted, known.scale) if target and counted and known.scale else None
    words = gap_words(missing, target, known.measure) if target else Said("", "")
    told = TREND_WAITS if known.waits else forecast_words(found, target, unit, len(points))
    moved = _moved(observed, known.origin, today)
    return View(target, path, observed, known.origin, stands, found, told, missing, words, moved)


def bounds_of(unit: str, scale: float | None = None) -> tuple[float | None, float | None]:
    """Return what no value of the unit can pass: a share of a measure ends at its scale, any other value only at 0."""
    return (0.0, 100.0 if unit in ("%", "％") else scale)


def pace_points(data: Mapping[str, Any], known: Material, today: date) -> list[tuple[float, float]]:
    """Return the (decimal year, value) points the forecast rests on.

    Of a measure that runs on: its values of the last thirteen months. Of one that starts anew every January: the year ends before, and this
    year's end as today's value plus what last year still added from the same day on. Of entered values: the printed bases and the values.
    """
    points = [(decimal_year(one.day), one.value) for one in sorted(known.observed, key=lambda one: one.day)]
    if known.origin != COMPUTED:
        bases = {
            base["year"] + 1.0: float(base["value"]) for base in data.get("bases", ()) if base.get("year") and base.get("value") is not None
        }
        return sorted((bases | dict(points)).items())
    if known.measure is None or not known.measure.within_year:
        return [point for point in points if point[0] > decimal_year(today) - 1.1]
    ends = [point for point in points if point[0] == int(point[0]) and point[0] < today.year + 1]
    return [*ends, *_this_year(known, today, bounds_of(data.get("unit") or "", known.scale))]


def day_before_a_year(day: date) -> date:
    """Return the same day of the year before, 28 February for 29.

    >>> day_before_a_year(date(2028, 2, 29))
    datetime.date(2027, 2, 28)
    """
    return day.replace(year=day.year - 1, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year - 1)


def _this_year(known: Material, today: date, bounds: tuple[float | None, float | None]) -> list[tuple[float, float]]:
    """Return the expected value of this year's end of a measure that starts anew every January, nothing where last year cannot tell."""
    by_day = {one.day: one.value for one in known.observed}
    earlier, end = day_before_a_year(today), date(today.year - 1, 12, 31)
    if today not in by_day or earlier not in by_day or end not in by_day:
        return []
    return [(today.year + 1.0, within(by_day[today] + by_day[end] - by_day[earlier], bounds))]


def _moved(observed: Sequence[Observed], origin: str, today: date) -> float | None:
    """Return the change this month: of a measure against the end of the month before; of entered values where the newest is of this month."""
    if len(observed) < 2:
        return None
    newest = observed[-1]
    if origin == ENTERED:
        return newest.value - observed[-2].value if (newest.day.year, newest.day.month) == (today.year, today.month) else None
    before = next((one for one in observed if one.day == today.replace(day=1) - timedelta(days=1)), None)
    return newest.value - before.value if before else None


def counts_of(views: Sequence[View]) -> Mapping[str, int]:
    """Return how many indicators stand in each state, and how many have a value that is computed here (`computed`)."""
    counts = {state: sum(one.standing.state == state for one in views) for state in STATES}
    return counts | {"all": len(views), COMPUTED: sum(one.origin == COMPUTED and one.standing.state != NO_VALUE for one in views)}
