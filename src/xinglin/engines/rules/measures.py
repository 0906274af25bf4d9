"""Measures over everyone: numerator, denominator, exclusions and unknowns by group, and the people behind each number."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal, get_args

import numpy as np

from xinglin.base.errors import IncorrectError
from xinglin.definitions import LAKE, Definition, Question, combine, nodes
from xinglin.engines.rules.closures import Closures
from xinglin.engines.rules.explain import explain
from xinglin.engines.rules.flags import NOBODY, Counted, Flags, Ints, counted, flags_of
from xinglin.engines.rules.intervals import wilson
from xinglin.engines.rules.ports import Columns, Rows
from xinglin.engines.rules.shelf import Shelf
from xinglin.engines.rules.texts import SqlTexts
from xinglin.engines.security import Scope

GroupBy = Literal["none", "town", "institution", "village", "practitioner"]
Part = Literal["numerator", "denominator", "gap", "excluded", "unknown"]
_GROUP_WORDS: Final = get_args(GroupBy)
_PART_WORDS: Final = get_args(Part)
_HOME: Final = """
select person, area, institution from person_scope where to_seq is null
qualify row_number() over (partition by person order by from_seq desc, area desc, institution desc) = 1"""
_MOST_KEPT_BYTES: Final = 160 * 1024 * 1024
_MOST_SEEN_BYTES: Final = 24 * 1024 * 1024
_MOST_PAGES: Final = 16 * 1024 * 1024
_MOST_COUNTS: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Focus:
    """A part of a measure, beside what the scope sees. institution: rid; practitioner: rid of who is responsible; None for all.

    known_on: seq of the feed up to which the record is known, None for all of it.
    patience_s: how long to wait for what the columns newly know before what is kept is told instead; None = until it is there.
    """

    institution: int | None = None
    practitioner: int | None = None
    known_on: int | None = None
    patience_s: float | None = None

    @property
    def key(self) -> tuple[int | None, ...]:
        """Return what decides the numbers."""
        return (self.institution, self.practitioner, self.known_on)


EVERYTHING: Final = Focus()


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
    """A person behind a number. reason: of an exclusion. evidence: rids of the rows that count.

    verdict, changes: (Chinese, English): what is said of the person, and what would change it.
    """

    person: int
    numerator: int
    denominator: int
    reason: str | None
    evidence: tuple[int, ...]
    verdict: tuple[str, str]
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Some of the people behind a number. total: how many there are. seq: of the columns."""

    members: list[Member]
    total: int
    seq: int

    @property
    def bytes(self) -> int:
        """Return about the memory it takes."""
        return 1200 * (1 + len(self.members))


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """Which people. group: of `group_by`, None for those without one where group_by is not none. page: from 1."""

    part: Part
    group_by: GroupBy = "none"
    group: int | None = None
    page: int = 1
    size: int = 50
    reason: str | None = None
    focus: Focus = EVERYTHING


@dataclass(frozen=True, slots=True)
class Visible:
    """The persons a scope sees. seq: of the columns that judged it."""

    seq: int
    persons: Ints

    @property
    def bytes(self) -> int:
        """Return the memory the array takes."""
        return self.persons.nbytes


@dataclass(frozen=True, slots=True)
class Counts:
    """A measure counted for somebody. seq: of the columns."""

    seq: int
    total: Counted
    rows: tuple[Counted, ...]

    @property
    def bytes(self) -> int:
        """Return about the memory the counts take."""
        return 400 * (1 + len(self.rows))


class Measures:
    """Computes each measure once per (definition hash, day, seq) for everyone, then counts what a scope sees."""

    def __init__(self, columns: Columns, texts: SqlTexts, house: Scope) -> None:
        self._columns = columns
        self._texts = texts
        self._house = house
        self._closures = Closures()
        self._shelf: Shelf[Flags] = Shelf(_MOST_KEPT_BYTES)
        self._seen: Shelf[Visible] = Shelf(_MOST_SEEN_BYTES)
        self._counts: Shelf[Counts] = Shelf(_MOST_COUNTS)
        self._pages: Shelf[MemberPage] = Shelf(_MOST_PAGES)
        self._moved: int | None = None

    def moved(self, seq: int) -> None:
        """Say up to which seq the columns know the record, so that it need not be asked at every call."""
        self._moved = seq

    async def refresh(self, used_since: float) -> bool:
        """Make one kept set of flags again that was used since an instant (monotonic) and is behind the columns; tell whether there was one."""
        return await self._shelf.refresh(await self._seq(), used_since)

    @property
    def generation(self) -> tuple[int, int]:
        """Return what changes whenever anything kept was made anew."""
        return self._shelf.puts, self._seen.puts

    def kept(self, scope: Scope, definition: Definition, as_of: date) -> MeasureTable | None:
        """Return the total of a measure on a day from what is kept, however old, without waiting; None where it is not."""
        flags = self._shelf.peek((definition.hash, as_of, None))
        visible = None if scope.is_house else self._seen.peek(_who(scope))
        if flags is None or (visible is None and not scope.is_house):
            return None
        key = _counts_key(flags, visible, (definition, as_of, "none"), EVERYTHING)
        counts = self._counts.peek((*key, _who(scope))) or _counts(flags, visible, "none", EVERYTHING)
        return MeasureTable(definition.id, definition.hash, as_of, flags.seq, "none", _row(counts.total, flags, definition), [])

    async def table(
        self, scope: Scope, definition: Definition, as_of: date, group_by: GroupBy = "none", focus: Focus = EVERYTHING
    ) -> MeasureTable:
        """Return the measure for what the scope sees, in total and by group.  Raises: IncorrectError for an unknown grouping."""
        _check(group_by, _GROUP_WORDS, "group_by")
        flags = await self._flags(definition, as_of, focus)
        visible = await self._visible(scope, focus)

        async def count(_: int) -> Counts:
            return await asyncio.to_thread(_counts, flags, visible, group_by, focus)

        key = _counts_key(flags, visible, (definition, as_of, group_by), focus)
        counts = await self._counts.get((*key, _who(scope)), flags.seq, count, None)
        rows = [_row(one, flags, definition) for one in counts.rows] if group_by != "none" else []
        return MeasureTable(definition.id, definition.hash, as_of, flags.seq, group_by, _row(counts.total, flags, definition), rows)

    async def members(self, scope: Scope, definition: Definition, as_of: date, query: MemberQuery) -> MemberPage:
        """Return people behind a number, with the rows that count for each.  Raises: IncorrectError for an unknown part or grouping."""
        _check(query.group_by, _GROUP_WORDS, "group_by")
        _check(query.part, _PART_WORDS, "part")
        flags = await self._flags(definition, as_of, query.focus)
        visible = await self._visible(scope, query.focus)

        async def make(_: int) -> MemberPage:
            return await self._page((definition, as_of), (flags, visible), query)

        asked = (query.part, query.group_by, query.group, query.page, query.size, query.reason, query.focus.key)
        key = (definition.hash, as_of, asked, _who(scope), flags.seq, visible.seq if visible else 0)
        return await self._pages.get(key, flags.seq, make, None)

    async def _page(self, what: tuple[Definition, date], known: tuple[Flags, Visible | None], query: MemberQuery) -> MemberPage:
        (definition, as_of), (flags, visible) = what, known
        found = await asyncio.to_thread(_selected, flags, visible, query)
        size = max(1, min(query.size, 1000))
        start = (max(1, query.page) - 1) * size
        places = [int(place) for place in found[start : start + size]]
        rows = await self._rows_of(definition, [int(flags.person[place]) for place in places], query.focus)
        members = [self._member(definition, flags, place, (rows, as_of)) for place in places]
        return MemberPage(members, len(found), flags.seq)

    def _member(self, definition: Definition, flags: Flags, place: int, known: tuple[dict[int, Rows], date]) -> Member:
        rows, as_of = known
        person = int(flags.person[place])
        told = explain(definition, Question(rows.get(person, {}), as_of), self._closures)
        reason = int(flags.reason[place])
        return Member(
            person=person,
            numerator=int(flags.numerator[place]),
            denominator=int(flags.denominator[place]),
            reason=flags.reasons[reason] if reason != NOBODY else None,
            evidence=told.evidence,
            verdict=(told.verdict.zh, told.verdict.en),
            changes=tuple((one.zh, one.en) for one in told.changes),
        )

    async def _flags(self, definition: Definition, as_of: date, focus: Focus) -> Flags:
        """Return everyone in the population: what is kept, made again where the columns have moved on."""
        reasons = [exclusion.reason for exclusion in definition.exclusions]

        async def make(_: int) -> Flags:
            names = "f.person, f.numerator, f.denominator, f.unknown, f.reason, f.responsible, h.area, h.institution"
            text = self._texts.sql(definition)
            sql = f"select {names} from (\n{text}\n) f left join ({_HOME}) h on h.person = f.person where f.population = 1"
            table, seq = await self._columns.query(self._house, sql, {"as_of": as_of}, as_known_on=focus.known_on)
            return await asyncio.to_thread(flags_of, table, seq, reasons)

        seq = await self._seq() if focus.known_on is None else focus.known_on
        return await self._shelf.get((definition.hash, as_of, focus.known_on), seq, make, focus.patience_s)

    async def _seq(self) -> int:
        if self._moved is not None:
            return self._moved
        _, seq = await self._columns.query(self._house, "select 1 as one", {})
        return seq

    async def _visible(self, scope: Scope, focus: Focus) -> Visible | None:
        """Return the persons the scope sees, as the lake judges it by today's belonging; None for all."""
        if scope.is_house:
            return None

        async def make(_: int) -> Visible:
            table, seq = await self._columns.query(scope, "select distinct person from person_link where to_seq is null", {})
            return Visible(seq, np.asarray(table.column("person").to_numpy(), dtype=np.int64))

        return await self._seen.get(_who(scope), await self._seq(), make, focus.patience_s)

    async def _rows_of(self, definition: Definition, persons: list[int], focus: Focus) -> dict[int, Rows]:
        """Return person → table → rows, of the tables the measure reads."""
        found: dict[int, Rows] = {person: {} for person in persons}
        if not persons:
            return found
        wanted = ", ".join(str(int(person)) for person in persons)

        async def read(table: str) -> list[dict[str, Any]]:
            patient = "rid" if table == "patient" else "patient"
            sql = f"select t.*, l.person as of_person from {table} t join person_link l on l.patient = t.{patient} where l.to_seq is null and l.person in ({wanted})"
            rows, _ = await self._columns.query(self._house, sql, {}, as_known_on=focus.known_on)
            return list(rows.to_pylist())

        tables = sorted(_tables(definition))
        for table, rows in zip(tables, await asyncio.gather(*(read(table) for table in tables)), strict=True):
            for row in rows:
                found[row.pop("of_person")].setdefault(table, []).append(row)
        return found


def _counts_key(flags: Flags, visible: Visible | None, what: tuple[Definition, date, str], focus: Focus) -> tuple[Any, ...]:
    definition, as_of, group_by = what
    return (definition.hash, as_of, group_by, focus.key, flags.seq, visible.seq if visible else 0)


def _who(scope: Scope) -> tuple[Any, ...]:
    return (scope.areas, scope.sees_unassigned, scope.role if scope.is_house else "")


def _tables(definition: Definition) -> set[str]:
    found = set()
    for output in definition.outputs.values():
        for node in nodes.walk(output):
            if isinstance(node, combine.Table):
                found.add(node.name)
            elif isinstance(node, nodes.Follow):
                found.add(node.target)
    return found & set(LAKE)


def _check(word: str, known: tuple[str, ...], where: str) -> None:
    if word not in known:
        words = ", ".join(known)
        raise IncorrectError(f"只能是 {words}", f"write one of {words}", where=where)


def _counts(flags: Flags, visible: Visible | None, group_by: str, focus: Focus) -> Counts:
    mask = flags.within(visible.persons if visible else None, focus.institution, focus.practitioner)
    total = counted(flags, mask, "none") or [Counted(0, 0, 0, 0, (0,) * len(flags.reasons))]
    return Counts(flags.seq, total[0], tuple(counted(flags, mask, group_by)) if group_by != "none" else ())


def _row(one: Counted, flags: Flags, definition: Definition) -> MeasureRow:
    is_share = definition.unit in ("people", "visits") and one.denominator > 0
    return MeasureRow(
        group=one.group if one.group > 0 else None,
        numerator=one.numerator,
        denominator=one.denominator,
        unknown=one.unknown,
        exclusions=dict(zip(flags.reasons, one.exclusions, strict=True)),
        share=one.numerator / one.denominator if is_share else None,
        interval=wilson(one.numerator, one.denominator) if is_share and definition.counts_people else None,
    )


def _selected(flags: Flags, visible: Visible | None, query: MemberQuery) -> Ints:
    focus = query.focus
    mask = flags.within(visible.persons if visible else None, focus.institution, focus.practitioner) & flags.part(query.part)
    if query.group_by != "none":
        mask &= flags.groups(query.group_by) == (NOBODY if query.group is None else query.group)
    if query.reason is not None:
        place = flags.reasons.index(query.reason) if query.reason in flags.reasons else len(flags.reasons)
        mask &= flags.reason == place
    return np.flatnonzero(mask)
