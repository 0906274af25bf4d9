"""Today's values of a plan's measures: of the whole district, and of the part of it who asks answers for; and why one is not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from xinglin.base.errors import Category, XinglinError
from xinglin.engines.geo import subtree
from xinglin.engines.rules import month_ends
from xinglin.engines.security import Scope
from xinglin.web.i18n import mark
from xinglin.web.modules import part_of_module
from xinglin.web.page import Visit

living: Final = part_of_module("plan.living")
COUNTED, COUNTING, AWAY = "counted", "counting", "away"
SAID: Final[Mapping[str, str]] = {
    COUNTING: mark("本系统计算的指标还在计算，稍后自动出现；在此之前不显示数值"),
    AWAY: mark("统计引擎没有回答（正在启动、重启或太忙）：本系统计算的指标暂时不显示数值，录入的数值照常。引擎恢复后自动出现"),
}
_PENDING: Final = {COUNTING: living.BEING_COUNTED, AWAY: living.ENGINE_AWAY}
_YEARS_BACK: Final = 4


@dataclass(frozen=True, slots=True)
class Figures:
    """What the measures tell. by_measure: its totals today, at month ends, a year ago and at year ends.  own: today's total of one's own part.

    state: counted, counting (some are being made), away (the engine does not answer).  seq: of the values, 0 without any.
    is_part: who asks answers for a part of the district only.
    """

    by_measure: Mapping[str, Sequence[Any]]
    own: Mapping[str, Any]
    state: str
    seq: int
    is_part: bool

    @property
    def waits(self) -> bool:
        """Return whether some earlier day is still being made."""
        return any(map(self.waits_for, self.by_measure))

    def waits_for(self, measure: str) -> bool:
        """Return whether some earlier day of a measure is still being made."""
        return any(figure.total is None for figure in self.by_measure.get(measure, ()))

    @property
    def pending(self) -> Any:
        """Return why a computed value is not there, None where nothing is awaited."""
        return _PENDING.get(self.state)


async def figures_of(visit: Visit, wanted: Sequence[str], today: date) -> Figures:
    """Return the values of measures for the district, and for one's own part where that is less; a number before the first count is none."""
    areas = await _district(visit)
    is_part = not all(any(low <= a and b <= high for low, high in visit.scope.areas) for a, b in areas)
    if not wanted:
        return Figures({}, {}, COUNTED, 0, is_part)
    scope = visit.platform.security.for_totals(visit.scope, areas) if is_part else visit.scope
    ends = [date(today.year - back, 12, 31) for back in range(1, _YEARS_BACK + 1)]
    days = list(dict.fromkeys([today, *month_ends(today)[1:], living.day_before_a_year(today), *ends]))
    told, state = await _told(visit, scope, [(one, days) for one in wanted])
    own, _ = await _told(visit, visit.scope, [(one, [today]) for one in wanted]) if is_part and told else ({}, state)
    seq = min((found[0].seq for found in told.values()), default=0)
    return Figures(told, {one: found[0].total for one, found in own.items()}, state, seq, is_part)


async def _told(visit: Visit, scope: Scope, asks: Sequence[tuple[str, Sequence[date]]]) -> tuple[dict[str, Any], str]:
    """Return measure → its totals by day, and whether all were counted. A measure that fails leaves the others."""
    try:
        told = await visit.platform.measures.overview(scope, asks)
    except XinglinError as error:
        return {}, COUNTING if error.category is Category.BUSY else AWAY
    found = {one: row for (one, _), row in zip(asks, told, strict=True) if row[0].total is not None and row[0].seq > 0}
    return found, COUNTED if len(found) == len(asks) else COUNTING


async def _district(visit: Visit) -> list[tuple[int, int]]:
    return [subtree(root.area) for root in await visit.platform.geo.children(None)]


async def own_place(visit: Visit, measure: str, today: date, is_lower_better: bool) -> tuple[int, int] | None:
    """Return the rank of one's own institution by a measure and among how many; the others' numbers stay where they are. None without one."""
    scope = visit.platform.security.for_totals(visit.scope, await _district(visit))
    try:
        table = await visit.platform.measures.measure(scope, measure, today, "institution")
    except XinglinError:
        return None
    shares = {row.group: row.numerator / row.denominator for row in table.rows if row.group is not None and row.denominator}
    own = shares.get(visit.scope.institution_rid or 0)
    if own is None:
        return None
    ahead = sum(share < own - 1e-12 if is_lower_better else share > own + 1e-12 for share in shares.values())
    return 1 + ahead, len(shares)
