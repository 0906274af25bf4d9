"""Units and values that cannot be right for an indicator of such a name: a share above 100 %, a mortality of infants in %."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xinglin.modules.plan.reading.catalogue import Plausible, catalogue
from xinglin.modules.plan.reading.model import Finding, Indicator


def unit_findings(one: Indicator) -> Iterator[Finding]:
    """Yield what is wrong with the unit or the size of an indicator's values, by the catalogue's entries on names."""
    known = catalogue().plausible_for(one.name)
    if known is not None and one.origin == "table" and one.target_op != "grow":
        yield from _unit(one, known)
        yield from _size(one, known)
    yield from _percent(one)


def _unit(one: Indicator, known: Plausible) -> Iterator[Finding]:
    if one.unit and one.unit.lower() not in known.units and not _is_per_head(one, known):
        usual = known.units[:3]
        yield Finding(
            "unit-cannot-be-right",
            "error",
            f"“{one.name}”的单位印作 {one.unit}，通常是 {'、'.join(usual)}；请核对后再与别处比较。",
            f"The unit of {one.name} is printed as {one.unit}; it is usually {', '.join(usual)}.",
            (one.from_line,),
            (one.name,),
        )


def _is_per_head(one: Indicator, known: Plausible) -> bool:
    """每千人口……（张/千人） is right; 每万人口……（人/千人） is not."""
    head, stroke, base = (one.unit or "").lower().partition("/")
    return bool(stroke) and bool(re.search(r"每[千万]", one.name)) and head in known.units and base.strip("人口") in one.name


def _size(one: Indicator, known: Plausible) -> Iterator[Finding]:
    if not one.unit or one.unit.lower() not in known.units:
        return
    for value in dict.fromkeys((one.base_value, one.target_value, one.target_high)):
        if value is not None and not known.lowest <= value <= known.highest:
            yield Finding(
                "value-cannot-be-right",
                "error",
                f"“{one.name}”的数值 {value:g}{one.unit} 不在常见范围 {known.lowest:g}～{known.highest:g}，请核对小数点和单位。",
                f"The value {value:g} of {one.name} lies outside {known.lowest:g} to {known.highest:g}; check point and unit.",
                (one.from_line,),
                (one.name,),
            )


def _percent(one: Indicator) -> Iterator[Finding]:
    values = [value for value in (one.base_value, one.target_value, one.target_high) if value is not None]
    if one.unit != "%" or one.target_op in {"grow", "rise"} or not any(value > 100 for value in values):
        return
    if not re.search(r"增长|增幅|性别比|比上年", one.name):
        yield Finding(
            "share-above-100",
            "error",
            f"“{one.name}”单位是 %，数值 {max(values):g} 超过 100：多半是个数而不是比例。",
            f"{one.name} is printed in % with {max(values):g}, above 100: probably a count.",
            (one.from_line,),
            (one.name,),
        )
