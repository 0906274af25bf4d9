"""The gap in people, and the ranking of places: what a share that falls short means in residents."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from xinglin.modules.plan.living.catalogue import Known
from xinglin.modules.plan.living.targets import Target
from xinglin.modules.plan.living.words import Said, figure


@dataclass(frozen=True, slots=True)
class Counted:
    """A share's two numbers for the district or one of its places. group: names the place, None for the whole."""

    numerator: float
    denominator: float
    group: int | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place in the ranking. value: in the indicator's unit.  people: how many are missing for the target, negative where it is passed."""

    rank: int
    counted: Counted
    value: float
    people: int
    is_met: bool


def people_missing(target: Target, counted: Counted, scale: float = 100.0) -> int | None:
    """Return how many more people the numerator needs (or must lose, where less is better); 0 when met, None without a denominator.

    scale: what a whole share is in the indicator's unit: 100 for %, 1000 for ‰.

    >>> people_missing(Target(2025, ">=", 75.0), Counted(6180, 8240)), people_missing(Target(2025, ">=", 76.0), Counted(6180, 8240))
    (0, 83)
    """
    if counted.denominator <= 0:
        return None
    wanted = target.value / scale * counted.denominator
    if target.is_lower_better:
        missing = counted.numerator - math.floor(wanted + 1e-9)
        missing += 1 if target.op == "<" and abs(wanted - round(wanted)) < 1e-9 else 0
    else:
        missing = math.ceil(wanted - 1e-9) - counted.numerator
        missing += 1 if target.op == ">" and abs(wanted - round(wanted)) < 1e-9 else 0
    return max(0, int(missing))


def gap_words(missing: int | None, target: Target, known: Known | None) -> Said:
    """Return the gap in a sentence; the measure's own words where the catalogue has them."""
    if missing is None:
        return Said("没有分母，差距不能换算成人数", "without a denominator the gap cannot be said in people")
    if missing == 0:
        return Said("按今天的分母，人数已够", "with today's denominator the number of people suffices")
    count = figure(missing)
    if target.is_lower_better:
        return Said(f"按今天的分母，还需减少 {count} 人", f"with today's denominator {count} fewer people")
    if known is not None and known.more_zh:
        return Said(known.more_zh.format(n=count), known.more_en.format(n=count))
    return Said(f"按今天的分母，分子还需增加 {count} 人", f"with today's denominator {count} more people in the numerator")


def ranking(places: Sequence[Counted], target: Target, scale: float = 100.0) -> list[Ranked]:
    """Return the places that have a denominator, best first (ties share a rank), each with what it lacks."""
    shares = [(one, one.numerator / one.denominator * scale) for one in places if one.denominator > 0]
    shares.sort(key=lambda item: item[1] if target.is_lower_better else -item[1])
    found: list[Ranked] = []
    for place, (one, value) in enumerate(shares, 1):
        rank = found[-1].rank if found and abs(found[-1].value - value) < 1e-12 else place
        found.append(Ranked(rank, one, value, people_missing(target, one, scale) or 0, target.is_met(value)))
    return found
