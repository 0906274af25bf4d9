"""Understanding the head of a table: which column is the name, the unit, a base, a target, the kind, the owners."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.normal import bare, tidy

PLAN_ENDS: Final = {"十一五": 2010, "十二五": 2015, "十三五": 2020, "十四五": 2025, "十五五": 2030, "十六五": 2035}
_YEAR: Final = re.compile(r"(?<!\d)(19\d\d|20\d\d)(?!\d)")
_SHORT_YEAR: Final = re.compile(r"(?<!\d)(1[0-9]|2[0-9]|3[05])年")
_PLAN: Final = re.compile(r"[“\"'‘「]?(十[一二三四五六]五)[”\"'’」]?")
_SCOPE_NOISE: Final = re.compile(
    r"[()\[\]（）“”\"'：:、,，/\s\d*]|年底|年末|年度|年|值|数据|末|期|水平|情况|发展|标准|的|指标|单位|%|‰|为|力争|约|达到|底|规划|计划|快报数|初步统计|主要|预期性?|约束性|远景|平均|均值|参考|任务|基[数准期]"
)
PLAN_YEARS: Final = 5
_BRACKETS: Final = str.maketrans("（）：", "():")


@dataclass(frozen=True, slots=True)
class Column:
    """What one column carries.  role: serial category name unit kind owners note base target value; years as printed."""

    role: str
    text: str
    years: tuple[int, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known around a table: the plan's last and first year, its area's names, the title over the table.

    signed: the columns whose cells carry signs of a target (≥, 左右, 比2015年降低): these are no bases.
    """

    horizon: int | None
    area_text: str
    title: str = ""
    start: int | None = None
    signed: frozenset[int] = frozenset()


def is_year_text(text: str) -> bool:
    """Say whether the only numbers of the text are years: 2020年, 2019年（2020年）, 2025."""
    word = bare(tidy(text))
    return bool(_YEAR.search(word)) and not re.search(r"\d", _YEAR.sub("", word)) and not re.search(r"[≥≤<>%]", word)


def plain_header(text: str) -> str:
    """Return a header cell in the form in which header words are compared."""
    return re.sub(r"[*#_·]+$", "", bare(tidy(text)).translate(_BRACKETS).lower().strip("*: ："))


def years_of(text: str) -> tuple[int, ...]:
    """Return the years a header or heading names: 2019年（2020年), “十四五”末, 2025."""
    word = bare(tidy(text))
    years = [int(year) for year in _YEAR.findall(word)]
    if not years:
        years = [2000 + int(year) for year in _SHORT_YEAR.findall(word)]
    if not years:
        years = [PLAN_ENDS[match] for match in _PLAN.findall(word)]
    return tuple(dict.fromkeys(years))


@lru_cache(maxsize=8192)
def classify(text: str) -> Column | None:
    """Return what a single header cell says of its column, or None when it is no header word."""
    word = plain_header(text)
    if not word or len(word) > 40:
        return None
    lexicon = catalogue().header
    for role in ("serial", "kind", "unit", "owners", "note", "name", "category"):
        if word in lexicon[role]:
            return Column(role, word)
    stripped = re.sub(r"\([^()]*\)$", "", word)
    if stripped != word and stripped and not years_of(word):
        for role in ("serial", "kind", "unit", "owners", "note", "name", "category"):
            if stripped in lexicon[role]:
                return Column(role, word)
    if re.fullmatch(r"[一-鿿]{2,6}(?:名称|类别|类型)|(?!.*(?:约束|预期|一级))[一-鿿]{1,6}指标(?:体系|名称|内容|项目|项)?", word):
        return Column("name", word)
    return _value_column(word)


def _value_column(word: str) -> Column | None:
    known = catalogue()
    years = years_of(word)
    is_base = any(part in word for part in known.base_words)
    is_target = any(part in word for part in known.target_words)
    if re.search(r"增速|累计|增长率|增减|增幅|变化", word):
        return Column("note", word)
    if not years and not is_base and not is_target:
        return None
    if len(word) > 30 or re.search(r"[。；;]", word) or (word.endswith("指标") and len(word) > 8):
        return None
    scope = _PLAN.sub("", word)
    for part in (*known.base_words, *known.target_words):
        scope = scope.replace(part, "")
    scope = _SCOPE_NOISE.sub("", scope)
    scope = re.sub(r"[A-Za-z<>=≥≤.-]", "", scope)
    if len(scope) > 12:
        return None
    role = "target" if is_target and not is_base else "base" if is_base and not is_target else "value"
    if is_base and is_target:
        role = "base" if re.search(r"完成|实际|实绩", word) else "value"
    return Column(role, word, years, scope)


def is_pace(column: Column) -> bool:
    """Say whether a column tells growth or sums of the years (年均增速, 累计, 年均/累计)."""
    return column.role == "note" and bool(re.search(r"增速|累计|增长|年均|增幅", column.text))


def is_header_row(texts: Sequence[str]) -> bool:
    """Say whether these cells are the head of an indicator table: a name column and a value column, no data."""
    columns = [classify(text) for text in texts if text.strip()]
    roles = {column.role for column in columns if column}
    unknown = sum(column is None for column in columns)
    return (
        bool(roles & {"name", "category", "serial"}) and bool(roles & {"value", "base", "target"}) and unknown <= max(1, len(columns) // 3)
    )


def settle(columns: Sequence[Column], setting: Setting) -> list[Column]:
    """Return the columns with every value column decided: base, target (the plan's own last year) or other.

    A year five years before the last target year is a base unless its header says 目标, and so is the first year, with the year
    right behind it where a gap follows (2019, 2020, 2025); a later one is an intermediate target.  Of several targets of one year the plan's own area is the target, the others are `other`.
    """
    decided = list(columns)
    indexes = [index for index, column in enumerate(decided) if column.role in {"value", "base", "target"}]
    years = [year for index in indexes for year in decided[index].years]
    final = _final_year(decided, indexes, setting)
    for index in indexes:
        later = index != indexes[0] and (index in setting.signed or _is_under_way(decided[index], setting.start))
        decided[index] = _decide(decided[index], final, years, later)
    targets = [index for index in indexes if decided[index].role == "target"]
    if not targets and indexes and final is not None:
        last = indexes[-1]
        if len(indexes) > 1 or decided[last].role == "value":
            decided[last] = replace(decided[last], role="target", years=decided[last].years or (final,))
            targets = [last]
    _choose_own(decided, targets, setting, final)
    _other_bases(decided, indexes, setting)
    return decided


def _final_year(columns: Sequence[Column], indexes: Sequence[int], setting: Setting) -> int | None:
    titled = years_of(setting.title)
    marked = [year for index in indexes if columns[index].role == "target" for year in columns[index].years]
    candidates = [year for index in indexes if columns[index].role != "base" for year in columns[index].years]
    if setting.horizon in marked or (not marked and setting.horizon in candidates):
        return setting.horizon
    if marked:
        return max(marked)
    if candidates:
        return max(candidates)
    return max(titled) if titled and not setting.horizon else setting.horizon


def _is_under_way(column: Column, start: int | None) -> bool:
    return bool(column.years) and start is not None and max(column.years) > start


def _decide(column: Column, final: int | None, years: Sequence[int], later: bool) -> Column:
    if column.role == "base":
        return column
    own = max(column.years) if column.years else None
    if column.role == "target":
        if own is None or final is None or own == final:
            return replace(column, years=column.years or ((final,) if final else ()))
        return replace(column, role="other")
    if own is None:
        return replace(column, role="target" if final else "base")
    if later and final is not None and own < final:
        return replace(column, role="other")
    if final is None or own <= final - PLAN_YEARS or (own < final and own in _first_run(years)):
        return replace(column, role="base")
    return replace(column, role="target" if own == final else "other")


def _first_run(years: Sequence[int]) -> frozenset[int]:
    """Return the first year, and the one right behind it when the next but one does not follow on."""
    ordered = sorted(set(years))
    first = ordered[0]
    if len(ordered) > 2 and ordered[1] == first + 1 and ordered[2] > first + 2:
        return frozenset(ordered[:2])
    return frozenset({first})


def is_own_scope(scope: str, area_text: str) -> bool:
    """Say whether a header's scope (某某市, 全区, 本县) is the plan's own area, whose names `area_text` holds."""
    if not scope:
        return True
    level = re.search(r"(省|自治区|市|区|县|州|旗|团|师)(?!.*[省市区县州旗])", area_text)
    if scope in catalogue().general_scopes:
        return scope[-1:] == (level.group(1)[-1] if level else "?") or scope[0] in "本我"
    return scope in area_text or (len(scope) > 2 and scope.rstrip("省市区县州") in area_text and scope[-1] not in "省市区县州")


def _choose_own(columns: list[Column], targets: Sequence[int], setting: Setting, final: int | None) -> None:
    if len(targets) < 2:
        return
    own = [index for index in targets if is_own_scope(columns[index].scope, setting.area_text)]
    bases = {column.scope for column in columns if column.role == "base"}
    chosen = next((index for index in own if columns[index].scope in bases and columns[index].scope), None)
    chosen = chosen if chosen is not None else own[0] if own else targets[0]
    for index in targets:
        if index != chosen:
            columns[index] = replace(columns[index], role="other")


def _other_bases(columns: list[Column], indexes: Sequence[int], setting: Setting) -> None:
    bases = [index for index in indexes if columns[index].role == "base"]
    foreign = [index for index in bases if not is_own_scope(columns[index].scope, setting.area_text)]
    if len(foreign) < len(bases):
        for index in foreign:
            columns[index] = replace(columns[index], role="other")
