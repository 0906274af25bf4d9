"""Sentences in Chinese and English about numbers of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.living.forecast import LEAST_POINTS, Forecast
from xinglin.modules.plan.living.targets import Target

_PERCENT: Final = frozenset({"%", "％"})
_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
_LEAST_BAND: Final = "0.01"
SIGNS: Final = {"<=": "≤", ">=": "≥", "<": "<", ">": ">", "=": "", "range": ""}


@dataclass(frozen=True, slots=True)
class Said:
    """The same sentence in Chinese and English."""

    zh: str
    en: str

    def say(self, language: str) -> str:
        """Return the sentence in "zh" or "en"."""
        return self.en if language.startswith("en") else self.zh


def figure(value: float | None) -> str:
    """Return a number with at most two digits after the point and groups of three, "" for None.

    >>> figure(74.10), figure(12345.0), figure(0.125)
    ('74.1', '12,345', '0.12')
    """
    if value is None:
        return ""
    text = f"{value:,.2f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def amount(value: float | None, unit: str | None) -> str:
    """Return a number and its unit, parted by a space.

    >>> amount(74.1, "%"), amount(3.0, "张"), amount(1.5, None)
    ('74.1 %', '3 张', '1.5')
    """
    return " ".join(part for part in (figure(value), unit or "") if part)


def target_words(target: Target | None, unit: str | None) -> str:
    """Return a target as it is written: ≥75 %, 2–3 张; "" for None."""
    if target is None:
        return ""
    high = f"–{figure(target.high)}" if target.op == "range" and target.high is not None else ""
    return " ".join(part for part in (f"{SIGNS.get(target.op, '')}{figure(target.value)}{high}", unit or "") if part)


def points_of(unit: str | None) -> Said:
    """Return what a difference of two values is counted in: percentage points for per cent, else the unit."""
    return Said("个百分点", "points") if unit in _PERCENT else Said(unit or "", unit or "")


def too_wide(count: int) -> Said:
    """Return the sentence for a forecast of so many values whose interval covers every share there is."""
    return Said(
        f"{count} 个值起伏太大，预测区间盖满 0–100 %，还不能预测",
        f"{count} values move too much: the interval covers 0–100 %, so no forecast can be told",
    )


def forecast_words(found: Forecast | None, target: Target | None, unit: str | None, known: int) -> Said:
    """Return in plain words where an indicator will be at the end of its target year. known: how many values there are."""
    if target is None:
        return Said("没有可以比较的目标数，不作预测", "no target number to compare with: no forecast")
    if found is None:
        return Said(
            f"只有 {known} 个值，至少要 {LEAST_POINTS} 个才能预测",
            f"only {known} value{'' if known == 1 else 's'}: a forecast needs at least {LEAST_POINTS}",
        )
    year, month = target.year, 12
    told = amount(found.value, unit)
    if unit in _PERCENT and found.low <= 0 and found.high >= 100:
        return too_wide(found.n)
    band = f"{figure(found.low)}–{figure(found.high)}" if figure(found.low) != figure(found.high) else f"±{_LEAST_BAND}"
    zh = f"按目前速度，{year} 年 {month} 月为 {told}（95 % 区间 {band}），"
    en = f"at this pace {told} in {_MONTHS[month - 1]} {year} (95 % interval {band}), "
    short = target.shortfall(found.value)
    points = points_of(unit).zh
    if not short:
        return Said(zh + "可以达到目标", en + "reaching the target")
    side_zh, side_en = ("高于", "above") if found.value > target.value else ("低于", "below")
    return Said(f"{zh}{side_zh}目标 {figure(short)} {points}".rstrip(), f"{en}{figure(short)} {side_en}")
