"""Whether two names, printed differently, mean one measure: 全市居民健康素养水平 and 居民健康素养水平."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from xinglin.modules.plan.reading.normal import plain

_NOISE: Final = re.compile(
    r"每?(?:十万|千|万)(?:名|个)?(?:常住|户籍)?(?:人口|居民|人)|全[省市区县州]|[本我][省市区县]|辖区|居民|常住|人口平均|人均|拥有|达到?|总体|医疗卫生机构|医疗机构|数量|数$|人数$|的|患者|人群|周岁|岁|及以上|以上|\(.*?\)|拥有|指标|水平|每千人|每千|每万名|每万人|每万"
)
_SPELL: Final = (
    ("期望寿命", "预期寿命"),
    ("医生", "医师"),
    ("五岁", "5岁"),
    ("烟草使用流行率", "吸烟率"),
    ("全科医师", "全科医生"),
    ("执业助理医师", "执业医师"),
    ("基层就诊率", "基层医疗卫生机构就诊率"),
)
_PER_HEAD: Final = re.compile(r"每(十万|千|万)|(?<![\d万])(?=(千|万)(?:名|个)?(?:常住|户籍)?人口)")
_BASES: Final = {"千": 1000, "万": 10_000, "十万": 100_000}


@lru_cache(maxsize=8192)
def core(name: str) -> str:
    """Return the name without the words that differ between a table and running text."""
    word = plain(name)
    for printed, usual in _SPELL:
        word = word.replace(printed, usual)
    return _NOISE.sub("", word)


def same_measure(one: str, other: str) -> bool:
    """Say whether two names mean the same measure: equal cores, ages and bases alike."""
    if core(one) != core(other) or not core(one):
        return False
    return _ages(one) == _ages(other) and _base(one) == _base(other)


def _ages(name: str) -> list[str]:
    return re.findall(r"\d+", plain(name).replace("五", "5"))


def _base(name: str) -> int:
    found = _PER_HEAD.search(plain(name))
    return _BASES[found.group(1) or found.group(2)] if found else 0


def same_unit(one: str | None, other: str | None, name: str) -> bool:
    """Say whether two units may be compared; a missing unit compares with any, 张/千人 with 张 when the name says 每千."""
    if not one or not other:
        return True
    first, second = (_unit(unit, name) for unit in (one, other))
    return (
        first == second or {first, second} <= {"人", "名", "位"} or {first, second} <= {"个", "家", "所"} or {first, second} <= {"‰", "%"}
    )


def _unit(unit: str, name: str) -> str:
    unit = unit.lower().replace("1/", "/").replace("十万", "10万").replace("周岁", "岁")
    return unit.partition("/")[0] if "/" in unit and not unit.startswith("/") and "每" in name else unit
