"""Where an indicator stands today: reached, on track, behind, or without a value; with the rule that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from xinglin.modules.plan.living.targets import Point, Target, decimal_year, value_on_path
from xinglin.modules.plan.living.words import Said, amount, figure, points_of

REACHED, ON_TRACK, BEHIND, NO_VALUE = "reached", "on_track", "behind", "no_value"
STATES: Final = (REACHED, ON_TRACK, BEHIND, NO_VALUE)
RULE: Final = Said(
    "规则：最新的值已满足目标为“已达到”；没有满足但不差于路径在该值日期的数为“按进度”；差于路径为“落后”；没有目标数或没有值为“无数值”。"
    "本系统计算的值日期是今天，录入的值日期是所填年月的最后一天。路径由基期、规划所列年度值、县里改动的年度值和目标连成直线。",
    "Rule: reached = the newest value meets the target; on track = it does not yet, but is no worse than the path on the value's day; behind = worse"
    " than the path; no value = no target number or no value. A computed value is of today, an entered one of the last day of its month or year."
    " The path joins base, printed years, the years the district set, and target by straight lines.",
)

BEING_COUNTED: Final = Said("由本系统计算，正在计算", "computed here, being counted")
ENGINE_AWAY: Final = Said("由本系统计算，统计引擎没有回答", "computed here, the statistics engine does not answer")


@dataclass(frozen=True, slots=True)
class Standing:
    """A state, the value the path wants on the value's day (None without one), and the sentence why."""

    state: str
    wanted: float | None
    why: Said


def standing(target: Target | None, path: Sequence[Point], value: float | None, day: date, unit: str = "") -> Standing:
    """Return where a value of a day stands. unit: as printed, for the words.

    >>> line = [Point(2021.0, 60.0, "base"), Point(2026.0, 70.0, "given")]
    >>> [standing(Target(2025, ">=", 70.0), line, value, date(2023, 12, 31)).state for value in (71.0, 66.0, 65.9, None)]
    ['reached', 'on_track', 'behind', 'no_value']
    """
    if target is None:
        return Standing(NO_VALUE, None, Said("文件没有给出可以比较的目标数", "the document gives no target number to compare with"))
    at = decimal_year(day)
    wanted = value_on_path(path, at) if len(path) > 1 or at >= target.year + 1 else None
    if value is None:
        return Standing(NO_VALUE, wanted, Said("还没有值：请绑定指标或录入数值", "no value yet: bind a measure or enter one"))
    told, aim = f"{amount(value, unit)}（{day}）", amount(target.value, unit)
    english = f"{amount(value, unit)} ({day})"
    if target.is_met(value):
        return Standing(REACHED, wanted, Said(f"{told}已满足目标 {aim}", f"{english} meets the target {aim}"))
    if wanted is None:
        return Standing(
            BEHIND,
            None,
            Said(f"{told}没有达到目标 {aim}；没有基期，画不出路径", f"{english} is short of {aim}; without a base there is no path"),
        )
    road, points, apart = amount(wanted, unit), points_of(unit), figure(abs(value - wanted))
    ahead = value <= wanted + 1e-9 if target.is_lower_better else value >= wanted - 1e-9
    if ahead:
        side = Said("不高于", "no higher than") if target.is_lower_better else Said("不低于", "no lower than")
        return Standing(ON_TRACK, wanted, Said(f"{told}，{side.zh}路径当日的 {road}", f"{english}, {side.en} the path's {road} that day"))
    side = Said("高", "above") if target.is_lower_better else Said("低", "below")
    return Standing(
        BEHIND,
        wanted,
        Said(
            f"{told}，比路径当日的 {road} {side.zh} {apart} {points.zh}".rstrip(),
            f"{english}, {apart} {points.en} {side.en} the path's {road} that day".replace("  ", " "),
        ),
    )
