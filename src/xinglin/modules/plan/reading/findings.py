"""Inconsistencies inside one plan, found by rules, each with its reason: shown to a person, never hidden or repaired."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.reading.assemble import direction_sign
from xinglin.modules.plan.reading.model import Box, Finding, Indicator, Project, Reading, TextFact
from xinglin.modules.plan.reading.names import without_of_which
from xinglin.modules.plan.reading.normal import plain
from xinglin.modules.plan.reading.plausible import unit_findings
from xinglin.modules.plan.reading.sameness import core, same_measure, same_unit

_INFANT: Final = re.compile(r"^(?:全[省市区县])?婴儿死亡率")
_UNDER_FIVE: Final = re.compile(r"[5五]周?岁(?:及)?以下儿童死亡率")
_NEWBORN: Final = re.compile(r"新生儿死亡率")
_LIFE: Final = re.compile(r"^(?!.*健康)(?:居民|人口)?(?:人均|人口平均)?(?:预期|期望)寿命|^人均(?:预期|期望)寿命")
_HEALTHY_LIFE: Final = re.compile(r"健康(?:预期|期望)寿命")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules look at: the indicators, facts of the past in the text, projects and boxes of one plan."""

    indicators: tuple[Indicator, ...]
    facts: tuple[TextFact, ...]
    projects: tuple[Project, ...]
    boxes: tuple[Box, ...]

    @property
    def table(self) -> list[Indicator]:
        """Return the current table's indicators."""
        return [one for one in self.indicators if one.origin == "table" and one.period == "current"]

    @property
    def text(self) -> list[Indicator]:
        """Return the targets of the text."""
        return [one for one in self.indicators if one.origin == "text"]


def find_inconsistencies(evidence: Evidence) -> list[Finding]:
    """Return the findings of all rules, in the order of the lines."""
    found = [finding for rule in _RULES for finding in rule(evidence)]
    return sorted(dict.fromkeys(found), key=lambda one: (one.lines, one.rule))


def findings_of(reading: Reading) -> list[Finding]:
    """Return the findings of all rules on each plan of a reading."""
    found: list[Finding] = []
    for plan in reading.plans:
        found.extend(
            find_inconsistencies(
                Evidence(
                    tuple(one for one in reading.indicators if one.plan == plan.number),
                    tuple(one for one in reading.facts if one.plan == plan.number),
                    tuple(one for one in reading.projects if one.plan == plan.number),
                    tuple(one for one in reading.boxes if one.plan == plan.number),
                )
            )
        )
    return found


def is_looser(name: str, op: str | None, looser: float, than: float) -> bool:
    """Say whether the first value asks for less than the second, for an indicator of this name and sign."""
    sign = {"<=": "<=", "<": "<=", ">=": ">=", ">": ">="}.get(op or "") or direction_sign(name)
    return (looser > than) if sign == "<=" else (looser < than) if sign == ">=" else False


def _looser_than_base(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.table:
        if one.base_value is None or one.target_value is None or one.target_op in {"grow", "rise"}:
            continue
        best = one.target_high if one.target_high is not None and direction_sign(one.name) == ">=" else one.target_value
        if is_looser(one.name, one.target_op, best, one.base_value):
            yield Finding(
                "target-looser-than-base",
                "warning",
                f"“{one.name}”的目标 {best:g} 比{one.base_year or ''}年基期 {one.base_value:g} 还松：照此目标，现在已经达到。",
                f"The target {best:g} of {one.name} is looser than its base {one.base_value:g}: it is already met.",
                (one.from_line,),
                (one.name,),
            )


def _past_not_reached(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.indicators:
        if one.period != "past" or one.base_value is None or one.target_value is None:
            continue
        if is_looser(one.name, one.target_op, one.base_value, one.target_value):
            yield Finding(
                "past-target-not-reached",
                "info",
                f"上一规划期“{one.name}”目标 {one.target_value:g}，实际 {one.base_value:g}，没有达到。",
                f"In the past period {one.name} was to reach {one.target_value:g} and reached {one.base_value:g}.",
                (one.from_line,),
                (one.name,),
            )


def _text_against_table(evidence: Evidence) -> Iterator[Finding]:
    rows = _by_core(evidence.table)
    for one in evidence.text:
        for row in rows.get(core(one.name), ()):
            if (
                one.target_value is None
                or row.target_value is None
                or one.target_year != row.target_year
                or one.target_op == "grow"
                or row.target_op == "grow"
            ):
                continue
            if not same_measure(one.name, row.name) or not same_unit(one.unit, row.unit, row.name):
                continue
            if (one.target_value, one.target_high) != (row.target_value, row.target_high):
                yield Finding(
                    "text-against-table",
                    "warning",
                    f"“{row.name}”表中目标是 {row.target_value:g}，第{one.from_line}行文中写的是 {one.target_value:g}。",
                    f"The table says {row.target_value:g} for {row.name}, the text says {one.target_value:g}.",
                    (row.from_line, one.from_line),
                    (row.name, one.name),
                )


def _facts_against_table(evidence: Evidence) -> Iterator[Finding]:
    rows = _by_core([one for one in evidence.indicators if one.origin == "table"])
    for fact in evidence.facts:
        for row in rows.get(core(fact.name), ()):
            if not same_measure(fact.name, row.name) or not same_unit(fact.unit, row.unit, row.name):
                continue
            bases = [base for base in row.bases if base.value is not None and (fact.year is None or base.year == fact.year)]
            if (
                bases
                and all(base.value != fact.value for base in row.bases)
                and row.base_value is not None
                and _is_near(fact.value, row.base_value)
            ):
                yield Finding(
                    "text-base-against-table",
                    "warning",
                    f"“{row.name}”表中基期是 {bases[-1].value:g}（{bases[-1].year or '未注年份'}），第{fact.line}行文中写的是 {fact.value:g}{f'（{fact.year}年）' if fact.year else ''}。",
                    f"The table gives {bases[-1].value:g} as base of {row.name}, the text gives {fact.value:g}.",
                    (row.from_line, fact.line),
                    (row.name, fact.name),
                )
                break


def _by_core(rows: Sequence[Indicator]) -> dict[str, list[Indicator]]:
    found: dict[str, list[Indicator]] = {}
    for row in rows:
        found.setdefault(core(row.name), []).append(row)
    return found


def _is_near(one: float, other: float) -> bool:
    """Compare only values of one size: a text that tells the way from 78.98 to 83.11 names both."""
    return other != 0 and 0.5 <= one / other <= 2


def _weaker_than_city(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.table:
        for other in one.others:
            if other.scope is None or other.value is None or one.target_value is None or other.year != one.target_year:
                continue
            if is_looser(one.name, other.op or one.target_op, one.target_value, other.value):
                yield Finding(
                    "weaker-than-upper-plan",
                    "warning",
                    f"“{one.name}”本地目标 {one.target_value:g} 松于{other.scope}目标 {other.value:g}。",
                    f"The own target {one.target_value:g} of {one.name} is weaker than that of {other.scope}, {other.value:g}.",
                    (one.from_line,),
                    (one.name,),
                )


def _pair(evidence: Evidence, smaller: re.Pattern[str], larger: re.Pattern[str], rule: str, words: tuple[str, str]) -> Iterator[Finding]:
    for period in ("current", "past"):
        rows = [one for one in evidence.indicators if one.origin == "table" and one.period == period]
        small = next((one for one in rows if smaller.search(one.name)), None)
        large = next((one for one in rows if larger.search(one.name) and one is not small), None)
        if small is None or large is None:
            continue
        for what, low, high in _pair_values(small, large):
            if low > high:
                yield Finding(
                    rule,
                    "error",
                    f"{what}：{small.name} {low:g} 大于 {large.name} {high:g}，{words[0]}。",
                    f"{small.name} {low:g} is above {large.name} {high:g}: {words[1]}.",
                    (small.from_line, large.from_line),
                    (small.name, large.name),
                )


def _pair_values(small: Indicator, large: Indicator) -> Iterator[tuple[str, float, float]]:
    for base in small.bases:
        match = next((other for other in large.bases if other.year == base.year and other.value is not None), None)
        if base.value is not None and match is not None and match.value is not None:
            yield f"{base.year or ''}年基期", base.value, match.value
    if small.target_value is not None and large.target_value is not None and small.target_year == large.target_year:
        yield f"{small.target_year or ''}年目标", small.target_value, large.target_value


def _mortality(evidence: Evidence) -> Iterator[Finding]:
    yield from _pair(
        evidence,
        _INFANT,
        _UNDER_FIVE,
        "under-five-below-infant",
        ("而5岁以下儿童死亡包含婴儿死亡，不可能更低", "deaths under five contain infant deaths"),
    )
    yield from _pair(
        evidence,
        _NEWBORN,
        _INFANT,
        "infant-below-newborn",
        ("而婴儿死亡包含新生儿死亡，不可能更低", "infant deaths contain deaths of the newborn"),
    )
    yield from _pair(
        evidence,
        _HEALTHY_LIFE,
        _LIFE,
        "healthy-life-above-life",
        ("健康预期寿命不可能超过预期寿命", "healthy life expectancy cannot exceed life expectancy"),
    )


def _units(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.indicators:
        yield from unit_findings(one)


def _years(evidence: Evidence) -> Iterator[Finding]:
    for one in evidence.table:
        if one.base_year is not None and one.target_year is not None and one.base_year >= one.target_year:
            yield Finding(
                "base-not-before-target",
                "error",
                f"“{one.name}”的基期年份 {one.base_year} 不早于目标年份 {one.target_year}。",
                f"The base year {one.base_year} of {one.name} is not before its target year {one.target_year}.",
                (one.from_line,),
                (one.name,),
            )


def _parts(evidence: Evidence) -> Iterator[Finding]:
    """A 其中 row cannot exceed the row it is part of, nor can its 其中 rows together when they are counts of one unit."""
    rows = {row.name: row for row in reversed(evidence.table)}
    for one in evidence.table:
        parent = rows.get(one.parent or "")
        if parent is None or not same_unit(one.unit, parent.unit, one.name):
            continue
        for what, part, whole in (("基期", one.base_value, parent.base_value), ("目标", one.target_value, parent.target_value)):
            if part is not None and whole is not None and part > whole and without_of_which(one.name) != parent.name:
                yield Finding(
                    "part-above-whole",
                    "error",
                    f"{what}：“{one.name}” {part:g} 大于所属的“{parent.name}” {whole:g}。",
                    f"{one.name} {part:g} is above the row it belongs to, {parent.name} {whole:g}.",
                    (parent.from_line, one.from_line),
                    (one.name, parent.name),
                )


def _repeats(evidence: Evidence) -> Iterator[Finding]:
    seen: dict[tuple[str, str | None], Indicator] = {}
    for one in evidence.table:
        key = (plain(one.name), one.parent)
        before = seen.setdefault(key, one)
        if before is not one and (before.base_value, before.target_value) != (one.base_value, one.target_value) and before.plan == one.plan:
            yield Finding(
                "same-name-two-values",
                "warning",
                f"“{one.name}”在表中出现两次，数值不同（第{before.from_line}行、第{one.from_line}行）。",
                f"{one.name} stands twice in the table with different values.",
                (before.from_line, one.from_line),
                (one.name,),
            )
        doubled = re.search(r"(率率|数数|例例|比比|水平水平|的的)", one.name)
        if doubled:
            yield Finding(
                "doubled-word",
                "info",
                f"“{one.name}”里“{doubled.group()}”重复，像是笔误；名称照原文保留。",
                f"A word stands twice in the name {one.name}; it is kept as printed.",
                (one.from_line,),
                (one.name,),
            )


def _boxes(evidence: Evidence) -> Iterator[Finding]:
    numbers = [(int(box.number), box) for box in evidence.boxes if box.number.isdigit()]
    for (before, _), (number, box) in zip(numbers, numbers[1:], strict=False):
        if number != before + 1:
            yield Finding(
                "box-number-order",
                "info",
                f"专栏编号不连续：{before} 之后是 {number}。",
                f"Box numbers do not follow: {number} after {before}.",
                (box.from_line,),
            )


def _copies(evidence: Evidence) -> Iterator[Finding]:
    twice = [one for one in evidence.projects if one.copies]
    if twice:
        yield Finding(
            "project-table-twice",
            "info",
            f"项目表印了不止一次，{len(twice)} 个项目内容相同，只计一次。",
            f"The project table is printed more than once; {len(twice)} equal projects are counted once.",
            (twice[0].from_line, twice[0].copies[0][0]),
            tuple(one.name for one in twice),
        )


_RULES: Final[tuple[Callable[[Evidence], Iterator[Finding]], ...]] = (
    _looser_than_base,
    _past_not_reached,
    _text_against_table,
    _facts_against_table,
    _weaker_than_city,
    _mortality,
    _units,
    _years,
    _parts,
    _repeats,
    _boxes,
    _copies,
)


RULE_NAMES: Final = frozenset(
    {
        "target-looser-than-base",
        "past-target-not-reached",
        "text-against-table",
        "text-base-against-table",
        "weaker-than-upper-plan",
        "under-five-below-infant",
        "infant-below-newborn",
        "healthy-life-above-life",
        "unit-cannot-be-right",
        "share-above-100",
        "value-cannot-be-right",
        "base-not-before-target",
        "part-above-whole",
        "same-name-two-values",
        "doubled-word",
        "box-number-order",
        "project-table-twice",
    }
)
