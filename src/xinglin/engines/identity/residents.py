"""The master index of residents: link what arrives, find, show, merge, split, assign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

import asyncpg

from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError
from xinglin.base.text import fold, storable, to_halfwidth
from xinglin.engines.identity import golden, linking
from xinglin.engines.identity.keys import PatientKey, key_of
from xinglin.engines.identity.numbers import checked_id_number
from xinglin.engines.security import Scope, scope_condition
from xinglin.engines.store import Belonging, Cause, Link

CARD: Final = """
select r.person, r.name, r.sex, r.birth_date, r.death_date, r.id_number, r.phone, r.record_number, r.area, r.institution,
       i.name as institution_name, r.residence_status, r.patients, d.name as area_name
from resident r left join institution i on i.rid = r.institution left join division d on d.area = r.area
"""


@dataclass(frozen=True, slots=True)
class PersonCard:
    """What lists and headers show of a resident. patients: rids of the source records.  sex: GB/T 2261.1."""

    person: int
    name: str
    sex: int
    birth_date: date | None
    death_date: date | None
    id_number: str | None
    phone: str | None
    record_number: str | None
    area: int | None
    area_name: str | None
    institution: int | None
    institution_name: str | None
    residence_status: str | None
    patients: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A source Patient that has just been stored. institution: rid of its managing organisation where it is registered."""

    patient: int
    source_no: int
    resource: Mapping[str, Any]
    institution: int | None


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """Decisions for a batch of source Patients, not yet written."""

    keys: tuple[PatientKey, ...]
    decisions: tuple[linking.Decision, ...]


PLACED_BY_RESIDENCE: Final = "residence"
"""The reason of a belonging that follows the record; any other reason is a steward's."""


class LinkWriter(Protocol):
    """What identity needs of the store."""

    async def write_links(self, connection: asyncpg.Connection[Any], links: Sequence[Link], cause: Cause) -> int:
        """Append and end rows of person_link, one feed entry each."""
        ...

    async def write_scopes(self, connection: asyncpg.Connection[Any], scopes: Sequence[Belonging], cause: Cause) -> int:
        """Append and end rows of person_scope, one feed entry each."""
        ...


@dataclass(frozen=True, slots=True)
class Trust:
    """How far sources are believed and whether their patients belong to the district.

    ranks: source number → rank, higher wins (default 0).  foreign: sources whose patients are placed nowhere until a steward assigns them.
    """

    ranks: Mapping[int, int]
    foreign: frozenset[int]


class Residents:
    """The master index."""

    def __init__(self, database: Database, store: LinkWriter) -> None:
        self._database = database
        self._store = store

    async def plan(self, connection: asyncpg.Connection[Any], scope: Scope, arrivals: Sequence[Arrival]) -> LinkPlan:
        """Decide which person each source Patient belongs to; takes the linking lock of the caller's transaction, writes nothing.

        scope: of who sends them; nobody is linked to a person outside it.
        """
        keys = [key_of(arrival.patient, arrival.source_no, arrival.resource, arrival.institution) for arrival in arrivals]
        return LinkPlan(tuple(keys), tuple(await linking.decide_all(connection, scope, keys)))

    async def apply(self, connection: asyncpg.Connection[Any], plan: LinkPlan, trust: Trust, cause: Cause) -> dict[int, int]:
        """Write what was decided, in the transaction of `plan`, after the Patients themselves; returns patient → person.

        Golden records are rebuilt and persons placed; those of foreign sources alone stay unassigned.
        """
        await linking.save_keys(connection, plan.keys)
        fresh = [Link(decision.patient, decision.person, decision.rule) for decision in plan.decisions if decision.rule != "kept"]
        if fresh:
            await self._store.write_links(connection, fresh, cause)
        await linking.save_reviews(connection, plan.decisions)
        await self._settle(connection, {decision.person for decision in plan.decisions}, trust, cause)
        return {decision.patient: decision.person for decision in plan.decisions}

    async def unseen(self, connection: asyncpg.Connection[Any], scope: Scope, persons: Iterable[int]) -> set[int]:
        """Return those of `persons` the scope does not see, as the caller's transaction stands."""
        wanted = sorted(set(persons))
        rows = await connection.fetch(f"select p from unnest($1::bigint[]) p where not {scope_condition(scope, 'p')}", wanted)
        return {row["p"] for row in rows}

    async def _settle(self, connection: asyncpg.Connection[Any], persons: Iterable[int], trust: Trust, cause: Cause) -> None:
        """Rebuild golden records and place the persons where these say they live.

        Not placed: who is known only from foreign sources, and whom a steward has placed (that holds until a steward says otherwise).
        """
        values = await golden.refresh(connection, persons, lambda source: trust.ranks.get(source, -1 if source in trust.foreign else 0))
        at_home = await self._at_home(connection, values, trust)
        serving = await self._serving(connection, {facts["area"] for person, facts in values.items() if facts.get("area")})
        scopes = []
        for person in sorted(at_home):
            area = values[person].get("area")
            if area is not None:
                scopes.append(Belonging(person, area, values[person].get("institution") or serving.get(area), PLACED_BY_RESIDENCE))
        if scopes:
            await self._store.write_scopes(connection, scopes, cause)

    @staticmethod
    async def _at_home(connection: asyncpg.Connection[Any], persons: Iterable[int], trust: Trust) -> set[int]:
        """Return those of `persons` that a source of the district knows and no steward has placed."""
        rows = await connection.fetch(
            """select distinct l.person from person_link l join patient_key k on k.patient = l.patient
               where l.person = any($1::bigint[]) and l.to_seq is null and not (k.source_no = any($2::int[]))
               and not exists (select 1 from person_scope s where s.person = l.person and s.to_seq is null and s.reason <> $3)""",
            sorted(persons),
            sorted(trust.foreign),
            PLACED_BY_RESIDENCE,
        )
        return {row["person"] for row in rows}

    @staticmethod
    async def _serving(connection: asyncpg.Connection[Any], areas: set[int]) -> dict[int, int]:
        """Return area → the primary-care institution that serves exactly this division."""
        rows = await connection.fetch(
            "select distinct on (area) area, rid from institution where area = any($1::bigint[]) and class ~ '^(B|C|D600)' order by area, class desc",
            sorted(areas),
        )
        return {row["area"]: row["rid"] for row in rows}

    async def find(self, scope: Scope, text: str, limit: int = 20) -> list[PersonCard]:
        """Return residents the scope sees that fit what somebody typed, scanned or read from a card; best first.

        text: name or its beginning, pinyin initials, ID number, phone, record number or its last 8 digits.
        Raises: ForbiddenError without `resident.read`; IncorrectError for fewer than 2 characters.
        """
        scope.require("resident.read")
        wanted = storable(fold(to_halfwidth(text)).replace(" ", ""))
        if len(wanted) < 2:
            raise IncorrectError("请至少输入两个字或字母", "type at least two characters", where="search")
        conditions, value = search_terms(wanted)
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"{CARD} where {conditions} and {scope_condition(scope, 'r.person')} order by r.name_folded = $1 desc, r.sort_key, r.person limit $2",
                value,
                limit,
            )
        return [card_of(row) for row in rows]

    async def audited(self, scope: Scope, id_number: str) -> int | None:
        """Return the person an ID number is of, anywhere in the district, None for nobody: the audit log names residents by number alone.

        id_number: checked, 18 characters.  Raises: ForbiddenError without `audit.read`.
        """
        scope.require("audit.read")
        async with self._database.connection() as connection:
            found: int | None = await connection.fetchval("select min(person) from resident where id_number = $1", id_number)
        return found

    async def card(self, scope: Scope, person: int) -> PersonCard:
        """Return a resident's card.  Raises: NotFoundError, alike for one that is not there and one outside the scope."""
        scope.require("resident.read")
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"{CARD} where r.person = $1 and {scope_condition(scope, 'r.person')}", person)
        if row is None:
            raise NotFoundError("没有这位居民的档案", "there is no record of this resident")
        return card_of(row)

    async def cards(self, scope: Scope, persons: Sequence[int]) -> dict[int, PersonCard]:
        """Return the cards of those of `persons` the scope sees."""
        scope.require("resident.read")
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"{CARD} where r.person = any($1::bigint[]) and {scope_condition(scope, 'r.person')}", list(persons)
            )
        return {row["person"]: card_of(row) for row in rows}

    async def cluster(self, scope: Scope, person: int) -> list[dict[str, Any]]:
        """Return the source records of a resident: key facts, source, since when and by which rule they belong together."""
        await self.card(scope, person)
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                """select k.*, l.decision, l.from_seq, s.code as source_code, s.name as source_name, n.id as resource_id, f.ts as linked_at
                   from person_link l join patient_key k on k.patient = l.patient join ident n on n.rid = k.patient
                   join source s on s.source_no = k.source_no left join feed f on f.seq = l.from_seq
                   where l.person = $1 and l.to_seq is null order by l.from_seq""",
                person,
            )
        return [dict(row) for row in rows]

    async def duplicate(self, scope: Scope, resource: Mapping[str, Any]) -> int | None:
        """Return the person of the scope whom a new record would be linked to, None where nobody fits whom the scope sees.

        The whole district is looked through; who fits outside the scope is as good as nobody here, and a steward's doubt when it is saved.
        """
        key = key_of(0, 0, resource, None)
        async with self._database.transaction() as connection:
            known = await linking.candidates_within(connection, scope, [key])
        return linking.decide(key, known, 0).person or None

    async def move(
        self,
        scope: Scope,
        patients: Sequence[int],
        person: int | None,
        context: tuple[str, Trust, Cause],
        *,
        within: asyncpg.Connection[Any] | None = None,
    ) -> int:
        """Move source records to another person (merge), or to a new one when `person` is None (split); returns the person.

        context: (reason in words, trust, cause). Nothing of the records themselves changes, so the opposite move restores everything.
        within: a connection whose transaction this is to be part of.
        Raises: ForbiddenError without `steward`; IncorrectError without a reason; ConflictError when a record is not linked; NotFoundError
        for a person outside the scope.
        """
        scope.require("steward")
        reason, trust, cause = context
        if not reason.strip():
            raise IncorrectError("请写明合并或拆分的原因", "write why they are merged or split", where="reason")
        async with self._database.transaction(within) as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", linking._LOCK)
            rows = await connection.fetch(
                "select patient, person from person_link where patient = any($1::bigint[]) and to_seq is null", list(patients)
            )
            if len(rows) != len(set(patients)):
                raise ConflictError("有的来源记录已不在，请刷新后重试", "some source records are no longer linked; reload and try again")
            target = person if person is not None else await connection.fetchval("select nextval('person_number')")
            await self._require_seen(connection, scope, {row["person"] for row in rows} | {target})
            await self._store.write_links(connection, [Link(patient, target, f"steward: {reason.strip()}") for patient in patients], cause)
            touched = {row["person"] for row in rows} | {target}
            await self._settle(connection, touched, trust, cause)
            await self._end_empty(connection, touched, cause)
        return int(target)

    async def _require_seen(self, connection: asyncpg.Connection[Any], scope: Scope, persons: Iterable[int]) -> None:
        """Nobody moves or assigns a resident they do not see, not even into their own area."""
        if await self.unseen(connection, scope, persons):
            raise NotFoundError("没有这位居民的档案", "there is no record of this resident")

    async def _end_empty(self, connection: asyncpg.Connection[Any], persons: Iterable[int], cause: Cause) -> None:
        """A person without records belongs nowhere any more."""
        rows = await connection.fetch(
            "select p from unnest($1::bigint[]) p where not exists (select 1 from person_link l where l.person = p and l.to_seq is null)",
            sorted(persons),
        )
        if rows:
            await self._store.write_scopes(connection, [Belonging(row["p"], None, None, "no source record left") for row in rows], cause)

    async def assign(self, scope: Scope, persons: Sequence[int], place: tuple[int, int | None], context: tuple[str, Cause]) -> int:
        """Say where persons belong; returns how many changed.

        place: (12-digit area, rid of the institution or None).  context: (reason, cause).
        Raises: ForbiddenError without `steward` or for an area outside the scope; NotFoundError for a person outside it.
        """
        scope.require("steward")
        reason, cause = context
        if not reason.strip():
            raise IncorrectError("请写明指定属地的原因", "write why they are assigned", where="reason")
        if not (scope.is_house or any(low <= place[0] <= high for low, high in scope.areas)):
            raise ForbiddenError("这个区划不在您的管理范围内", "this division is not within your area")
        async with self._database.transaction() as connection:
            await self._require_seen(connection, scope, persons)
            return await self._store.write_scopes(connection, [Belonging(person, *place, reason.strip()) for person in persons], cause)


def search_terms(wanted: str) -> tuple[str, str]:
    """Return the condition on table r and its value for folded text."""
    number = checked_id_number(wanted)
    if number:
        return "r.id_number = $1", number
    if wanted.isdecimal():
        exact = "(r.phone = $1 or r.record_number = $1 or r.record_suffix = $1"
        return (f"{exact} or r.phone like '%' || $1)" if len(wanted) in (4, 7) else f"{exact})"), wanted
    if wanted.isascii() and wanted.isalpha():
        return "(r.initials like $1 || '%' or r.name_folded like $1 || '%')", wanted
    return "r.name_folded like $1 || '%'", wanted.replace("%", "").replace("_", "")


def card_of(row: Mapping[str, Any]) -> PersonCard:
    """Return the card of a row of CARD."""
    facts = dict(row)
    facts["patients"] = tuple(facts["patients"])
    return PersonCard(**facts)


__all__ = ["Arrival", "LinkPlan", "LinkWriter", "PatientKey", "PersonCard", "Residents", "Trust"]
