"""From drafts of rows to indicators: values by column, direction, parents, several names in one row, notes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from xinglin.modules.plan.reading.catalogue import HIGHER, LOWER, catalogue
from xinglin.modules.plan.reading.header import Column
from xinglin.modules.plan.reading.layout import Cell
from xinglin.modules.plan.reading.model import Base, Indicator, OtherValue
from xinglin.modules.plan.reading.names import Name, read_name, split_names
from xinglin.modules.plan.reading.normal import bare, squeeze
from xinglin.modules.plan.reading.rows import Draft, Table
from xinglin.modules.plan.reading.values import Value, parse_value, parse_values

BY_CATALOGUE = "目标无符号，方向据指标词表"
BY_PARENT = "目标无符号，方向从上级指标"
AS_PRINTED = "目标无符号，按等于处理"
BY_MOVEMENT = "目标无符号，方向据基期与目标的变化"


@dataclass(frozen=True, slots=True)
class _Reads:
    """One value column of one row: the values read (one per name), or the words where no value stood."""

    column: Column
    cell: Cell | None
    values: tuple[Value, ...]

    def of(self, index: int) -> Value | None:
        return None if not self.values else self.values[index] if index < len(self.values) else self.values[-1]


def fingerprint(printed: str, taken: dict[str, int]) -> str:
    """Return a name for a printed row that stays the same when the document is read again.

    `taken` counts rows of the same text, so that the second 其中 row of that text has its own.
    """
    key = hashlib.sha256(bare(printed).encode()).hexdigest()[:16]
    taken[key] = taken.get(key, 0) + 1
    return key if taken[key] == 1 else f"{key}-{taken[key]}"


@dataclass(frozen=True, slots=True)
class _Around:
    """What a row stands in: its table, the last row that was no 其中 row, the texts seen so far."""

    table: Table
    parent: Indicator | None
    taken: dict[str, int]


def indicators_of(table: Table, taken: dict[str, int]) -> list[Indicator]:
    """Return the indicators of a table, in the order of print."""
    found: list[Indicator] = []
    parent: Indicator | None = None
    for draft in table.drafts:
        made = _row(draft, _Around(table, parent, taken))
        if made and made[0].parent is None:
            parent = made[0]
        found.extend(made)
    return found


def _row(draft: Draft, around: _Around) -> list[Indicator]:
    name = read_name(draft.name)
    reads = [_Reads(column, cell, tuple(parse_values(cell.text)) if cell else ()) for column, cell in draft.cells]
    count = max((len(read.values) for read in reads), default=1)
    texts = split_names(name.text, count) if count > 1 else [name.text]
    reasons = list(draft.reasons)
    if texts is None:
        texts = [name.text]
        reasons.append(f"一格有{count}个数值，名称无法拆成{count}个")
    made: list[Indicator] = []
    for index, text in enumerate(texts):
        one = _indicator(replace(name, text=text), draft, reads, index, reasons)
        made.append(_finish(one, name, draft, around))
    return made


def _finish(one: Indicator, name: Name, draft: Draft, around: _Around) -> Indicator:
    notes = [one.note] if one.note else []
    unit, parent = one.unit, around.parent
    is_part = name.of_which or bool(draft.whole)
    if draft.whole:
        over = read_name(draft.whole)
        parent = replace(one, name=over.text, unit=over.unit)
    if is_part and parent is not None and unit is None:
        unit = parent.unit
        if unit:
            notes.append("单位从上级指标")
    sign = direction_sign(parent.name) if is_part and parent is not None and AS_PRINTED in one.note else None
    if sign is not None:
        notes = [note.replace(AS_PRINTED, BY_PARENT) for note in notes]
    if draft.note:
        notes.append(squeeze(draft.note))
    if name.mark:
        notes.append(f"名称带标记{name.mark}")
    return replace(
        one,
        unit=unit,
        target_op=sign or one.target_op,
        parent=parent.name if is_part and parent else None,
        note="；".join(dict.fromkeys(notes)),
        period="past" if around.table.past else "current",
        fingerprint=fingerprint(draft.printed + ("" if one.name == name.text else one.name), around.taken),
        printed=draft.printed,
    )


def _indicator(name: Name, draft: Draft, reads: Sequence[_Reads], index: int, reasons: Sequence[str]) -> Indicator:
    notes = [name.extra] if name.extra else []
    doubts = list(reasons)
    bases = [base for read in reads if read.column.role == "base" for base in _bases(read, index, notes, doubts)]
    known = [base for base in bases if base.value is not None]
    latest = max(known, key=lambda base: base.year or 0) if known else bases[-1] if bases else Base(None, None)
    target = next((read for read in reads if read.column.role == "target"), None)
    value = target.of(index) if target else None
    value = _paced(value, draft, notes)
    year = max(target.column.years) if target and target.column.years else None
    op = _operator(name.text, value, latest.value, notes, doubts)
    if target and target.cell and value is None:
        notes.append(f"目标原文：{squeeze(target.cell.text)}")
    if value and value.words and value.value is None:
        notes.append(f"目标原文：{value.words}")
    elif value and (value.mark or value.words):
        notes.append("目标" + (value.words or f"带标记{value.mark}"))
    printed = squeeze(draft.unit)
    unit = name.unit or (printed if re.search(r"[^-—–―/\s]", printed) else None) or _unit_of(reads, index)
    return Indicator(
        name=name.text,
        parent=None,
        category=_category(draft.category),
        unit=unit,
        base_year=latest.year,
        base_value=latest.value,
        bases=tuple(bases),
        target_year=year,
        target_op=op,
        target_value=value.value if value else None,
        target_high=value.high if value else None,
        others=tuple(other for read in reads if read.column.role == "other" for other in _others(name.text, read, index)),
        kind=kind_of(draft.kind) or kind_of(name.kind) or _kind_of_group(draft.category),
        owners=split_owners(draft.owners),
        origin="table",
        from_line=draft.from_line,
        to_line=draft.to_line,
        sure=not doubts,
        note="；".join(notes),
        reasons=tuple(doubts),
    )


def _paced(value: Value | None, draft: Draft, notes: list[str]) -> Value | None:
    """Return the target; where its column holds a dash or nothing, what the column of growth or sums says."""
    if draft.pace is None or (value is not None and not value.is_dash):
        return value
    pace = parse_value(draft.pace.text)
    if pace is None or pace.is_dash:
        return value
    notes.append("目标取自年均或累计一栏")
    return replace(pace, op="grow" if pace.op in {None, "="} and pace.value is not None else pace.op)


def _bases(read: _Reads, index: int, notes: list[str], doubts: list[str]) -> list[Base]:
    years = read.column.years or (None,)
    if read.cell is None:
        return []
    value = read.of(index)
    if value is None:
        notes.append(f"基期原文：{squeeze(read.cell.text)}")
        return []
    text = bare(read.cell.text)
    bracketed = text[:1] in "（(" and text[-1:] in "）)*" and value.inner is None
    dated = re.fullmatch(r"(?:截至)?((?:19|20)\d\d)年?(?:底|末|数据|数|值)?", value.words)
    if dated:
        years = (int(dated.group(1)),)
    note = value.words or (f"带标记{value.mark}" if value.mark else "")
    if note:
        notes.append(f"基期{note}")
    if len(years) > 1:
        outer = Base(years[-1] if bracketed and value.value is not None else years[0], value.value)
        return [outer, Base(years[-1], value.inner.value)] if value.inner else [outer]
    if value.inner is not None:
        doubts.append("基期一格有两个数，表头只有一个年份")
        notes.append(f"括号内{value.inner.value:g}")
    return [Base(years[0], value.value)]


def _others(name: str, read: _Reads, index: int) -> list[OtherValue]:
    value = read.of(index)
    if value is None:
        return []
    year = max(read.column.years) if read.column.years else None
    op = value.op or (direction_sign(name) if value.value is not None else None)
    return [OtherValue(year, read.column.scope or None, value.value, value.high, op)]


def _operator(name: str, value: Value | None, base: float | None, notes: list[str], doubts: list[str]) -> str | None:
    if value is None or value.is_dash:
        return None
    if value.op is not None or value.value is None:
        return value.op
    sign = direction_sign(name)
    if sign is not None:
        notes.append(BY_CATALOGUE)
        return sign
    if base is not None and base != value.value:
        notes.append(BY_MOVEMENT)
        doubts.append("词表中没有这一指标的方向")
        return ">=" if value.value > base else "<="
    notes.append(AS_PRINTED)
    return "="


def direction_sign(name: str) -> str | None:
    """Return ">=" or "<=" for an indicator whose target carries no sign, from the catalogue; None when it says nothing."""
    return {HIGHER: ">=", LOWER: "<=", None: None}[catalogue().direction(name)]


def _unit_of(reads: Sequence[_Reads], index: int) -> str | None:
    for read in reversed(reads):
        value = read.of(index)
        if value is not None and value.unit and value.op != "grow":
            return value.unit
    return None


def _category(text: str) -> str | None:
    return (
        re.sub(r"\s*[（(]\s*\d+\s*[个项条]\s*[）)]$|^[一二三四五六七八九十]+、|^[（(][一二三四五六七八九十]+[）)]", "", squeeze(text))
        or None
    )


def kind_of(text: str) -> str | None:
    """Return binding for 约束性, expected for 预期性, else None."""
    return "binding" if "约束" in text else "expected" if "预期" in text else None


def _kind_of_group(category: str) -> str | None:
    """Return the kind of a row that stands under 一、约束性指标."""
    return kind_of(category) if re.search(r"(?:约束|预期)性?(?:指标)?(?:[（(].*[）)])?$", bare(category)) else None


def split_owners(text: str) -> tuple[str, ...]:
    """Return the responsible units of a cell or bracket, in order, without repeats."""
    parts = [
        re.sub(r"(?:等|按职责分工负责|分别负责|负责|牵头|配合)$", "", part.strip()) for part in re.split(r"[、，,；;/\s]+", squeeze(text))
    ]
    return tuple(dict.fromkeys(part for part in parts if len(part) > 1))


__all__ = ["direction_sign", "fingerprint", "indicators_of", "kind_of", "parse_value", "split_owners"]
