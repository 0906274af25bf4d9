"""Measures over everyone: numerator, denominator, exclusions and unknowns by group, and the people behind each number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final, get_args

import numpy as np

from xinglin.base.errors import IncorrectError
from xinglin.definitions import LAKE, Definition, Question, combine, nodes
from xinglin.engines.rules.closures import Closures
from xinglin.engines.rules.deltas import Change, Changed, Kept, caught_up
from xinglin.engines.rules.explain import explain
from xinglin.engines.rules.flags import NOBODY, Counted, Flags, Ints, counted, flags_of
from xinglin.engines.rules.intervals import wilson
from xinglin.engines.rules.measure_answers import (
    EVERYTHING,
    Focus,
    GroupBy,
    Judgement,
    MeasureRow,
    MeasureTable,
    Member,
    MemberPage,
    MemberQuery,
    Part,
)
from xinglin.engines.rules.ports import Columns, Rows
from xinglin.engines.rules.shelf import Shelf
from xinglin.engines.rules.texts import SqlTexts
from xinglin.engines.security import Scope

_GROUP_WORDS: Final = get_args(GroupBy)
_PART_WORDS: Final = get_args(Part)
_HOME: Final = """
select person, area, institution from person_scope where to_seq is null
qualify row_number() over (partition by person order by from_seq desc, area desc, institution desc) = 1"""
Read = Callable[[int], Awaitable[Rows | None]]
_MOST_KEPT_BYTES: Final = 160 * 1024 * 1024
_MOST_SEEN_BYTES: Final = 24 * 1024 * 1024
_MOST_PAGES: Final = 16 * 1024 * 1024
_MOST_COUNTS: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Visible:
    """The persons a scope sees. seq: of the columns that judged it.  mark: the same as long as they are the same."""

    seq: int
    persons: Ints
    mark: object = field(default_factory=object, compare=False)

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
        self._definitions: dict[str, Definition] = {}

    def moved(self, seq: int) -> None:
        """Say up to which seq the columns know the record, so that it need not be asked at every call."""
        self._moved = seq

    @property
    def reached(self) -> int | None:
        """Return the seq up to which what is kept was last followed; None before the first time."""
        return self._moved

    def behind(self, upto: int) -> list[tuple[Any, Kept]]:
        """Return the kept flags of the record as it stands that are behind a seq, by key."""
        found = [(key, flags) for key, flags in self._shelf.items() if flags.seq < upto]
        return [(key, Kept(self._definitions[key[0]], key[1], flags)) for key, flags in found if key[2] is None]

    async def follow(self, upto: int, since: int, changes: Sequence[Change], read: Read) -> None:
        """Bring what is kept from `since` or later up to a seq. changes: everyone named after `since`.  read: a person's rows, None when gone."""
        kept = [(key, one) for key, one in self.behind(upto) if one.flags.seq >= since]
        if kept:
            homes = await self._homes([change.person for change in changes])
            nowhere = (NOBODY, NOBODY)
            people = [Changed(one.person, one.seq, await read(one.person), *homes.get(one.person, nowhere)) for one in changes]
            fresh = await asyncio.to_thread(caught_up, [one for _, one in kept], people, upto, self._closures)
            for (key, one), flags in zip(kept, fresh, strict=True):
                self._shelf.renew(key, one.flags, flags)
        needed = max((change.seq for change in changes if change.is_belonging), default=since)
        for who, visible in self._seen.items():
            if max(needed, since) <= visible.seq < upto:
                self._seen.renew(who, visible, replace(visible, seq=upto))

    async def _homes(self, persons: Sequence[int]) -> dict[int, tuple[int, int]]:
        if not persons:
            return {}
        wanted = ", ".join(str(int(person)) for person in persons)
        table, _ = await self._columns.query(self._house, f"select * from ({_HOME}) h where person in ({wanted})", {})
        return {row["person"]: (_or_nobody(row["area"]), _or_nobody(row["institution"])) for row in table.to_pylist()}

    async def refresh(self, used_since: float) -> bool:
        """Make one kept set of flags again that was used since an instant (monotonic) and is behind the columns; tell whether there was one."""
        return await self._shelf.refresh(await self._seq(), used_since)

    @property
    def generation(self) -> tuple[int, int]:
        """Return what changes whenever anything kept was made anew or brought up to the record."""
        return self._shelf.puts, self._seen.puts

    def kept(self, scope: Scope, definition: Definition, as_of: date) -> MeasureTable | None:
        """Return the total of a measure on a day from what is kept, however old, without waiting; None where it is not."""
        flags = self._shelf.peek((definition.hash, as_of, None))
        visible = None if scope.is_house else self._seen.peek(_who(scope))
        if flags is None or (visible is None and not scope.is_house):
            return None
        key = _counts_key(flags, visible, (definition, as_of, "none"), EVERYTHING)
        counts = self._counts.peek(key)
        if counts is None:
            counts = _counts(flags, visible, "none", EVERYTHING)
            self._counts.put(key, counts)
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
        counts = await self._counts.get(key, 0, count, None)
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

    async def judgement(self, scope: Scope, definition: Definition, person: int, as_of: date, known_on: int) -> Judgement:
        """Return why the measure counted a person as it did, by the record as it was known at a seq.

        Who may be seen is judged by today's belonging; of somebody outside the scope nothing is known, as of somebody without a record.
        """
        rows = (await self._rows_of(scope, definition, [person], Focus(known_on=known_on)))[person]
        told = explain(definition, Question(rows, as_of), self._closures)
        versions = {row["rid"]: row["ver"] for of_table in rows.values() for row in of_table}
        return Judgement(told.verdict, told.sentences, told.changes, tuple((rid, versions[rid]) for rid in told.evidence), known_on)

    async def _page(self, what: tuple[Definition, date], known: tuple[Flags, Visible | None], query: MemberQuery) -> MemberPage:
        (definition, as_of), (flags, visible) = what, known
        found = await asyncio.to_thread(_selected, flags, visible, query)
        size = max(1, min(query.size, 1000))
        start = (max(1, query.page) - 1) * size
        places = [int(place) for place in found[start : start + size]]
        rows = await self._rows_of(self._house, definition, [int(flags.person[place]) for place in places], query.focus)
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
        self._definitions[definition.hash] = definition
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

    async def see(self, scope: Scope, focus: Focus) -> None:
        """Learn whom a scope sees, so that `kept` can tell what it counts."""
        await self._visible(scope, focus)

    async def _visible(self, scope: Scope, focus: Focus) -> Visible | None:
        """Return the persons the scope sees, as the lake judges it by today's belonging; None for all."""
        if scope.is_house:
            return None

        async def make(_: int) -> Visible:
            table, seq = await self._columns.query(scope, "select distinct person from person_link where to_seq is null", {})
            found = Visible(seq, np.sort(np.asarray(table.column("person").to_numpy(), dtype=np.int64)))
            before = self._seen.peek(_who(scope))
            is_same = before is not None and np.array_equal(before.persons, found.persons)
            return replace(found, mark=before.mark) if before is not None and is_same else found

        return await self._seen.get(_who(scope), await self._seq(), make, focus.patience_s)

    async def _rows_of(self, scope: Scope, definition: Definition, persons: list[int], focus: Focus) -> dict[int, Rows]:
        """Return person → table → rows, of the tables the measure reads; no rows of whom the scope does not see."""
        found: dict[int, Rows] = {person: {} for person in persons}
        if not persons:
            return found
        wanted = ", ".join(str(int(person)) for person in persons)

        async def read(table: str) -> list[dict[str, Any]]:
            patient = "rid" if table == "patient" else "patient"
            sql = f"select t.*, l.person as of_person from {table} t join person_link l on l.patient = t.{patient} where l.to_seq is null and l.person in ({wanted})"
            rows, _ = await self._columns.query(scope, sql, {}, as_known_on=focus.known_on)
            return list(rows.to_pylist())

        tables = sorted(_tables(definition))
        for table, rows in zip(tables, await asyncio.gather(*(read(table) for table in tables)), strict=True):
            for row in rows:
                found[row.pop("of_person")].setdefault(table, []).append(row)
        return found


def _counts_key(flags: Flags, visible: Visible | None, what: tuple[Definition, date, str], focus: Focus) -> tuple[Any, ...]:
    definition, as_of, group_by = what
    return (definition.hash, as_of, group_by, focus.key, flags.mark, visible.mark if visible else None)


def _or_nobody(value: int | None) -> int:
    return NOBODY if value is None else int(value)


def _who(scope: Scope) -> tuple[Any, ...]:
    return (scope.areas, scope.sees_unassigned, scope.role if scope.is_house else "")


def _tables(definition: Definition) -> set[str]:
    found = set()
    for asked in definition.nodes:
        for node in nodes.walk(asked):
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
