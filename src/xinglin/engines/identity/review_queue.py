"""What a steward decides about identity: reviews side by side, residents without a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError
from xinglin.engines.identity.linking import REVIEW_ELSEWHERE, REVIEW_ID_ARRIVED, REVIEW_ID_SHARED, REVIEW_TWO_PERSONS
from xinglin.engines.identity.residents import Residents, Trust
from xinglin.engines.security import Scope, scope_condition
from xinglin.engines.store import Cause

COMPARED: Final = (
    "name",
    "sex",
    "birth_date",
    "id_number",
    "id_number_sent",
    "phone",
    "record_number",
    "area",
    "residence_status",
    "death_date",
)
"""Facts of a source record that are shown side by side."""
DECISIONS: Final = ("merged", "split", "different")
"""merged: one person.  split: the record was taken out of a person.  different: two people, nothing moved."""
_SELECT: Final = """
select v.review, v.patient, v.person, v.reason, v.opened_at, v.closed_at, v.decision, k.name as patient_name, r.name as person_name, l.person as own_person,
       k.name = r.name as same_name, k.birth_date = r.birth_date as same_birth, s.name as source_name
from identity_review v join patient_key k on k.patient = v.patient join source s on s.source_no = k.source_no
left join person_link l on l.patient = v.patient and l.to_seq is null left join resident r on r.person = v.person
"""


@dataclass(frozen=True, slots=True)
class Review:
    """A doubt: source record `patient` (of own_person now) and `person` may be, or may not be, one. decision: "" while open."""

    review: int
    patient: int
    person: int
    own_person: int | None
    reason: str
    opened_at: datetime
    closed_at: datetime | None
    decision: str
    patient_name: str
    person_name: str
    source_name: str


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One source record as shown beside another. facts: name → value, keys of COMPARED."""

    patient: int
    person: int
    source_name: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A resident who belongs to no area yet."""

    person: int
    name: str
    sex: int
    birth_date: Any
    area: int | None
    source_name: str
    records: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a steward decides. decision: one of DECISIONS.  reason: in words.  trust, cause: see Residents.move."""

    decision: str
    reason: str
    trust: Trust
    cause: Cause


def _seen(scope: Scope) -> str:
    """Return SQL: the scope sees the residents on both sides."""
    return f"({scope_condition(scope, 'v.person')} and (l.person is null or {scope_condition(scope, 'l.person')}))"


class ReviewQueue:
    """Reads and closes the table identity_review. Every method requires `steward`.

    A review shows two residents, so it is seen by stewards who see both; between two townships it is the district's steward's.
    """

    def __init__(self, database: Database, residents: Residents, clock: Clock) -> None:
        self._database = database
        self._residents = residents
        self._clock = clock

    async def reviews(self, scope: Scope, asked: tuple[bool, str], page: tuple[int, int]) -> tuple[list[Review], int]:
        """Return a page (limit, offset) of the reviews and how many there are. asked: (closed ones?, reason or "")."""
        scope.require("steward")
        where = f"(v.closed_at is not null) = $1 and ($2 = '' or v.reason = $2) and {_seen(scope)}"
        async with self._database.connection() as connection:
            total: int = await connection.fetchval(f"select count(*) from ({_SELECT} where {where}) found", *asked)
            rows = await connection.fetch(f"{_SELECT} where {where} order by v.review desc limit $3 offset $4", *asked, *page)
        return [_review(row) for row in rows], total

    async def review(self, scope: Scope, number: int) -> tuple[Review, list[SourceRecord]]:
        """Return one review and the source records on both sides, the doubted one first.  Raises: NotFoundError."""
        scope.require("steward")
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"{_SELECT} where v.review = $1 and {_seen(scope)}", number)
            if row is None:
                raise NotFoundError("没有这条待核对", "there is no such review", where=str(number))
            records = await connection.fetch(
                """select k.*, l.person, s.name as source_name from patient_key k join source s using (source_no)
                   join person_link l on l.patient = k.patient and l.to_seq is null where l.person = any($1::bigint[]) order by k.patient <> $2, k.patient""",
                [row["person"], row["own_person"] or 0],
                row["patient"],
            )
        return _review(row), [_record(record) for record in records]

    async def rule(self, scope: Scope, number: int, ruling: Ruling) -> Review:
        """Decide a review and do what was decided, both or neither; a later ruling on the same one undoes the move.

        Raises: IncorrectError (decision, no reason), ConflictError (nothing to merge or split, decided by another meanwhile), NotFoundError.
        """
        review, _ = await self.review(scope, number)
        if ruling.decision not in DECISIONS:
            raise IncorrectError("请选择合并、拆分或不是同一人", "choose merge, split or not the same person", where="decision")
        if not ruling.reason.strip():
            raise IncorrectError("请写明原因", "write the reason", where="reason")
        context = (ruling.reason, ruling.trust, ruling.cause)
        async with self._database.transaction() as connection:
            if ruling.decision == "merged":
                await self._merge(connection, scope, review, context)
            elif ruling.decision == "split" or review.own_person == review.person:
                await self._split(connection, scope, review, context)
            await _settle(connection, review, (self._clock.now(), scope.account_no, f"{ruling.decision}: {ruling.reason.strip()}"))
        return (await self.review(scope, number))[0]

    async def reopen(self, scope: Scope, number: int, context: tuple[str, Trust, Cause]) -> Review:
        """Undo a ruling: what it moved goes back, and the review is open again. context: see Residents.move."""
        review, _ = await self.review(scope, number)
        if review.closed_at is None:
            raise ConflictError("这条还没有处理", "this review is still open")
        async with self._database.transaction() as connection:
            if review.decision.startswith("merged") and review.own_person == review.person:
                await self._split(connection, scope, review, context)
            elif review.decision.startswith("split") and review.own_person != review.person:
                await self._merge(connection, scope, review, context)
            await _settle(connection, review, (None, None, None))
        return (await self.review(scope, number))[0]

    async def _merge(self, connection: asyncpg.Connection[Any], scope: Scope, review: Review, context: tuple[str, Trust, Cause]) -> None:
        if review.own_person == review.person:
            raise ConflictError("两边已是同一人", "both sides are one person already")
        await self._residents.move(scope, [review.patient], review.person, context, within=connection)

    async def _split(self, connection: asyncpg.Connection[Any], scope: Scope, review: Review, context: tuple[str, Trust, Cause]) -> None:
        if review.own_person != review.person:
            raise ConflictError("两边本来就不是同一人，无需拆分", "the two sides are not one person; there is nothing to split")
        await self._residents.move(scope, [review.patient], None, context, within=connection)

    async def unplaced(self, scope: Scope, text: str, page: tuple[int, int]) -> tuple[list[Unplaced], int]:
        """Return a page (limit, offset) of residents without a place whose name begins with text, and how many there are."""
        scope.require("steward")
        where = """not exists (select 1 from person_scope p where p.person = r.person and p.to_seq is null and p.area is not null)
                   and cardinality(r.patients) > 0 and r.name_folded like $1 || '%'"""
        text = text.strip().casefold().replace("%", "").replace("_", "")
        async with self._database.connection() as connection:
            total: int = await connection.fetchval(f"select count(*) from resident r where {where}", text)
            rows = await connection.fetch(
                f"""select r.person, r.name, r.sex, r.birth_date, r.area, cardinality(r.patients) as records,
                    (select string_agg(distinct s.name, '、') from patient_key k join source s using (source_no) where k.patient = any(r.patients)) as source_name
                    from resident r where {where} order by r.person limit $2 offset $3""",
                text, *page,
            )  # fmt: skip
        return [Unplaced(**dict(row)) for row in rows], total


def review_reasons() -> Sequence[tuple[str, str, str]]:
    """Return the codes of doubts with Chinese and English names."""
    return (
        (REVIEW_ELSEWHERE, "与其他属地的居民吻合，登记者看不到那份档案", "fits a resident of another area whom the sender does not see"),
        (REVIEW_ID_SHARED, "证件号相同，姓名和出生日期都不同", "same ID number, other name and birth date"),
        (REVIEW_TWO_PERSONS, "与两位居民都相符", "fits two residents"),
        (REVIEW_ID_ARRIVED, "新到的证件号属于另一位居民", "the ID number that arrived is another resident's"),
    )


def _review(row: asyncpg.Record) -> Review:
    facts = {name: row[name] for name in Review.__slots__}
    return Review(**{**facts, "decision": facts["decision"] or "", "person_name": facts["person_name"] or ""})


def _record(row: asyncpg.Record) -> SourceRecord:
    return SourceRecord(row["patient"], row["person"], row["source_name"], {name: row[name] for name in COMPARED})


async def _settle(connection: asyncpg.Connection[Any], review: Review, outcome: tuple[datetime | None, int | None, str | None]) -> None:
    """Write how a review stands. outcome: when, by whom and what.  Raises: ConflictError where it is not what was read any more."""
    done = await connection.execute(
        "update identity_review set closed_at = $3, closed_by = $4, decision = $5 where review = $1 and closed_at is not distinct from $2",
        review.review, review.closed_at, *outcome,
    )  # fmt: skip
    if done != "UPDATE 1":
        raise ConflictError("刚才有人处理了这条：请刷新页面再看", "somebody has just decided this one: load the page again and look")
