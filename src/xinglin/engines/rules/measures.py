"""Measures over everyone: numerator, denominator, exclusions and unknowns by group, and the people behind each number."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import duckdb
import pyarrow as pa

from xinglin.base.errors import IncorrectError
from xinglin.definitions import LAKE, Definition, Question, combine, nodes
from xinglin.engines.rules.closures import Closures, Frame
from xinglin.engines.rules.intervals import wilson
from xinglin.engines.rules.ports import Columns, Rows
from xinglin.engines.rules.texts import SqlTexts
from xinglin.engines.security import Scope

GroupBy = Literal["none", "town", "institution", "village", "practitioner"]
Part = Literal["numerator", "denominator", "gap", "excluded", "unknown"]
_GROUPS: Final[dict[str, str]] = {
    "none": "0",
    "town": "area - area % 1000",
    "village": "area",
    "institution": "institution",
    "practitioner": "responsible",
}
_PARTS: Final[dict[str, str]] = {
    "numerator": "numerator > 0",
    "denominator": "denominator > 0",
    "gap": "denominator > numerator",
    "excluded": "reason is not null",
    "unknown": "unknown > 0",
}
_HOME: Final = """
select person, area, institution from person_scope where to_seq is null
qualify row_number() over (partition by person order by from_seq desc, area desc, institution desc) = 1"""
_MOST_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class MeasureRow:
    """One group. group: area, institution or practitioner as a number, None where a person belongs to none (always None without groups).

    numerator, denominator: people, or visits for a measure of visits. exclusions: reason → people left out by rule. unknown: people counted
    for whom the record does not tell. share: None where nothing is counted; interval: 95 % Wilson, of people only.
    """

    group: int | None
    numerator: int
    denominator: int
    unknown: int
    exclusions: dict[str, int]
    share: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class MeasureTable:
    """A measure on a day, for what a scope sees. seq: of the columns it was computed from."""

    definition: str
    definition_hash: str
    as_of: date
    seq: int
    group_by: str
    total: MeasureRow
    rows: list[MeasureRow]


@dataclass(frozen=True, slots=True)
class Member:
    """A person behind a number. reason: of an exclusion. evidence: rids of the rows that count."""

    person: int
    numerator: int
    denominator: int
    reason: str | None
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Some of the people behind a number. total: how many there are. seq: of the columns."""

    members: list[Member]
    total: int
    seq: int


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """Which people. group: of `group_by`, None for those without one where group_by is not none. page: from 1."""

    part: Part
    group_by: GroupBy = "none"
    group: int | None = None
    page: int = 1
    size: int = 50
    reason: str | None = None


class Measures:
    """Computes each measure once per (definition hash, day, seq) for everyone, then counts what a scope sees."""

    def __init__(self, columns: Columns, texts: SqlTexts, house: Scope) -> None:
        self._columns = columns
        self._texts = texts
        self._house = house
        self._closures = Closures()
        self._kept: OrderedDict[tuple[Any, ...], pa.Table] = OrderedDict()

    async def table(self, scope: Scope, definition: Definition, as_of: date, group_by: GroupBy = "none") -> MeasureTable:
        """Return the measure for what the scope sees, in total and by group.  Raises: IncorrectError for an unknown grouping."""
        _check(group_by, _GROUPS, "group_by")
        flags, seq = await self._flags(definition, as_of)
        visible = await self._visible(scope, seq)
        total, rows = await asyncio.to_thread(_counted, flags, visible, definition, group_by)
        return MeasureTable(definition.id, definition.hash, as_of, seq, group_by, total, rows)

    async def members(self, scope: Scope, definition: Definition, as_of: date, query: MemberQuery) -> MemberPage:
        """Return people behind a number, with the rows that count for each.  Raises: IncorrectError for an unknown part or grouping."""
        _check(query.group_by, _GROUPS, "group_by")
        _check(query.part, _PARTS, "part")
        flags, seq = await self._flags(definition, as_of)
        visible = await self._visible(scope, seq)
        found, total = await asyncio.to_thread(_selected, flags, visible, query)
        rows = await self._rows_of(definition, [item["person"] for item in found])
        members = []
        for item in found:
            frame = Frame(Question(rows.get(item["person"], {}), as_of))
            rids = {rid for node in definition.evidence for rid in self._closures.rule(node)(frame, None)}
            members.append(Member(item["person"], int(item["numerator"]), int(item["denominator"]), item["reason"], tuple(sorted(rids))))
        return MemberPage(members, total, seq)

    async def _flags(self, definition: Definition, as_of: date) -> tuple[pa.Table, int]:
        """Return person, numerator, denominator, unknown, reason, responsible, area, institution of everyone in the population."""
        seq = await self._seq()
        key = (definition.hash, as_of, seq)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key], seq
        names = "f.person, f.numerator, f.denominator, f.unknown, f.reason, f.responsible, h.area, h.institution"
        sql = (
            f"select {names} from (\n{self._texts.sql(definition)}\n) f left join ({_HOME}) h on h.person = f.person where f.population = 1"
        )
        table, seq = await self._columns.query(self._house, sql, {"as_of": as_of})
        self._keep((definition.hash, as_of, seq), table)
        return table, seq

    async def _seq(self) -> int:
        _, seq = await self._columns.query(self._house, "select 1 as one", {})
        return seq

    def _keep(self, key: tuple[Any, ...], table: pa.Table) -> None:
        self._kept[key] = table
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)

    async def _visible(self, scope: Scope, seq: int) -> pa.Table | None:
        """Return the persons the scope sees, as the lake judges it; None for all."""
        if scope.is_house:
            return None
        key = ("visible", scope.areas, scope.sees_unassigned, scope.role, seq)
        if key not in self._kept:
            table, _ = await self._columns.query(scope, "select distinct person from person_link where to_seq is null", {})
            self._keep(key, table)
        return self._kept[key]

    async def _rows_of(self, definition: Definition, persons: list[int]) -> dict[int, Rows]:
        """Return person → table → rows, of the tables the evidence reads."""
        found: dict[int, Rows] = {person: {} for person in persons}
        if not persons:
            return found
        wanted = ", ".join(str(int(person)) for person in persons)
        for table in sorted(_tables(definition)):
            patient = "rid" if table == "patient" else "patient"
            sql = f"select t.*, l.person as of_person from {table} t join person_link l on l.patient = t.{patient} where l.to_seq is null and l.person in ({wanted})"
            rows, _ = await self._columns.query(self._house, sql, {})
            for row in rows.to_pylist():
                found[row.pop("of_person")].setdefault(table, []).append(row)
        return found


def _tables(definition: Definition) -> set[str]:
    found = set()
    for output in definition.evidence:
        for node in nodes.walk(output):
            if isinstance(node, combine.Table):
                found.add(node.name)
            elif isinstance(node, nodes.Follow):
                found.add(node.target)
    return found & set(LAKE)


def _check(word: str, known: dict[str, str], where: str) -> None:
    if word not in known:
        words = ", ".join(known)
        raise IncorrectError(f"只能是 {words}", f"write one of {words}", where=where)


def _opened(flags: pa.Table, visible: pa.Table | None) -> tuple[duckdb.DuckDBPyConnection, str]:
    duck = duckdb.connect(":memory:", config={"threads": 1})
    duck.register("flags", flags)
    if visible is None:
        return duck, "flags"
    duck.register("visible", visible)
    return duck, "(select * from flags where person in (select person from visible))"


def _counted(flags: pa.Table, visible: pa.Table | None, definition: Definition, group_by: str) -> tuple[MeasureRow, list[MeasureRow]]:
    duck, source = _opened(flags, visible)
    try:
        reasons = [exclusion.reason for exclusion in definition.exclusions]
        out = "".join(f", count(*) filter (where reason = '{reason}') as out_{number}" for number, reason in enumerate(reasons))
        sums = "coalesce(sum(numerator), 0)::bigint as numerator, coalesce(sum(denominator), 0)::bigint as denominator"
        sql = f"select {{group}} as grouped, {sums}, coalesce(sum(unknown), 0)::bigint as unknown{out} from {source} group by 1 order by 1 nulls last"
        total = [_row(item, reasons, definition) for item in duck.sql(sql.format(group="0")).to_arrow_table().to_pylist()]
        rows = []
        if group_by != "none":
            rows = [_row(item, reasons, definition) for item in duck.sql(sql.format(group=_GROUPS[group_by])).to_arrow_table().to_pylist()]
    finally:
        duck.close()
    empty = MeasureRow(None, 0, 0, 0, dict.fromkeys(reasons, 0), None, None)
    whole = total[0] if total else empty
    return MeasureRow(None, whole.numerator, whole.denominator, whole.unknown, whole.exclusions, whole.share, whole.interval), rows


def _row(item: dict[str, Any], reasons: list[str], definition: Definition) -> MeasureRow:
    numerator, denominator = item["numerator"], item["denominator"]
    is_share = definition.unit in ("people", "visits") and denominator > 0
    return MeasureRow(
        group=item["grouped"],
        numerator=numerator,
        denominator=denominator,
        unknown=item["unknown"],
        exclusions={reason: item[f"out_{number}"] for number, reason in enumerate(reasons)},
        share=numerator / denominator if is_share else None,
        interval=wilson(numerator, denominator) if is_share and definition.counts_people else None,
    )


def _selected(flags: pa.Table, visible: pa.Table | None, query: MemberQuery) -> tuple[list[dict[str, Any]], int]:
    duck, source = _opened(flags, visible)
    try:
        conditions: list[str] = [_PARTS[query.part]]
        values: dict[str, Any] = {}
        if query.group_by != "none":
            conditions.append(f"({_GROUPS[query.group_by]}) is not distinct from $group")
            values["group"] = query.group
        if query.reason is not None:
            conditions.append("reason = $reason")
            values["reason"] = query.reason
        where = " and ".join(conditions)
        total = duck.sql(f"select count(*) from {source} where {where}", params=values or None).fetchall()
        size = max(1, min(query.size, 1000))
        page = f"limit {size} offset {(max(1, query.page) - 1) * size}"
        found = duck.sql(f"select * from {source} where {where} order by person {page}", params=values or None).to_arrow_table().to_pylist()
    finally:
        duck.close()
    return found, int(total[0][0])
