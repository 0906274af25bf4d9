"""Deterministic linking: which person a source Patient belongs to, and why.

Rules in order (first form; a probabilistic engine takes this place later, behind the same door):

1. `kept`: the Patient already has a person; a later version never moves it by itself.
2. `id_number`: equal checked ID numbers, unless both name and birth date differ (relatives use each other's cards): then a review.
3. `demographics`: equal name, birth date, sex and phone, unless both carry checked ID numbers that differ.
4. `new`: nobody fits.
A Patient that fits two persons is linked to none of them by rule 3 and opens a review.

Whoever writes is never linked to a person they do not see: that would show them the record, or move the person to their area. Such a
Patient becomes a person of its own, as if nobody fitted, and a steward reviews it. Where two persons share a number the older one wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from xinglin.engines.identity.keys import PatientKey
from xinglin.engines.security import Scope, scope_condition

REVIEW_ID_SHARED = "id_number_with_other_name_and_birth_date"
REVIEW_TWO_PERSONS = "fits_two_persons"
REVIEW_ID_ARRIVED = "id_number_points_to_another_person"
REVIEW_ELSEWHERE = "fits_a_person_of_another_area"
_LOCK = 0x6964656E


@dataclass(frozen=True, slots=True)
class Decision:
    """Patient → person, by which rule. reviews: (person, reason) a steward should look at."""

    patient: int
    person: int
    rule: str
    reviews: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Candidates:
    """What is known already, looked up once for a batch and kept up to date while the batch is linked.

    hidden: persons whom the writer does not see.
    """

    by_id_number: dict[str, list[tuple[int, PatientKey]]] = field(default_factory=dict)
    by_demographics: dict[tuple[Any, ...], list[tuple[int, PatientKey]]] = field(default_factory=dict)
    linked: dict[int, int] = field(default_factory=dict)
    hidden: frozenset[int] = frozenset()

    @property
    def persons(self) -> set[int]:
        """Return every person that could fit."""
        return {person for found in (self.by_id_number, self.by_demographics) for pairs in found.values() for person, _ in pairs}

    def add(self, person: int, key: PatientKey) -> None:
        """Remember that a key belongs to a person."""
        if key.id_number:
            self.by_id_number.setdefault(key.id_number, []).append((person, key))
        if key.demographics:
            self.by_demographics.setdefault(key.demographics, []).append((person, key))
        self.linked[key.patient] = person


def decide(key: PatientKey, known: Candidates, new_person: int) -> Decision:
    """Return the decision for one Patient; pure, so that it can be tested rule by rule."""
    by_number = known.by_id_number.get(key.id_number or "", [])
    if key.patient in known.linked:
        person = known.linked[key.patient]
        others = {other for other, _ in by_number if other != person}
        return Decision(key.patient, person, "kept", tuple((other, REVIEW_ID_ARRIVED) for other in sorted(others)))
    agreeing = {person for person, other in by_number if not _stranger(key, other)}
    if agreeing - known.hidden:
        return Decision(key.patient, min(agreeing - known.hidden), "id_number")
    reviews = tuple(
        (person, REVIEW_ELSEWHERE if person in agreeing else REVIEW_ID_SHARED) for person in sorted({person for person, _ in by_number})
    )
    persons = {
        person
        for person, other in known.by_demographics.get(key.demographics or (), [])
        if not (key.id_number and other.id_number and key.id_number != other.id_number)
    }
    if persons & known.hidden:
        reviews += tuple((person, REVIEW_ELSEWHERE) for person in sorted(persons & known.hidden - agreeing))
        persons -= known.hidden
    if len(persons) == 1 and not reviews:
        return Decision(key.patient, persons.pop(), "demographics")
    reviews += tuple((person, REVIEW_TWO_PERSONS) for person in sorted(persons))
    return Decision(key.patient, new_person, "new", reviews)


def _stranger(one: PatientKey, other: PatientKey) -> bool:
    """Whether two records with one ID number look like two people: name and birth date both present and both different."""
    names = one.name_folded and other.name_folded and one.name_folded != other.name_folded
    births = one.birth_date and other.birth_date and one.birth_date != other.birth_date
    return bool(names and births)


async def candidates_for(connection: asyncpg.Connection[Any], keys: Sequence[PatientKey]) -> Candidates:
    """Return what the database knows that could fit any of the keys; holds the linking lock until the transaction ends."""
    await connection.execute("select pg_advisory_xact_lock($1)", _LOCK)
    rows = await connection.fetch(
        """select k.*, l.person from patient_key k join person_link l on l.patient = k.patient and l.to_seq is null
           where k.patient = any($1::bigint[]) or k.id_number = any($2::text[])
              or (k.name_folded, k.birth_date) in (select * from unnest($3::text[], $4::date[]))""",
        [key.patient for key in keys],
        [key.id_number for key in keys if key.id_number],
        *_columns([(key.name_folded, key.birth_date) for key in keys if key.demographics], 2),
    )
    known = Candidates()
    for row in rows:
        facts = dict(row)
        person = facts.pop("person")
        facts.pop("changed_at")
        known.add(person, PatientKey(**facts))
    return known


async def candidates_within(connection: asyncpg.Connection[Any], scope: Scope, keys: Sequence[PatientKey]) -> Candidates:
    """Return `candidates_for` with the persons marked whom the scope does not see."""
    known = await candidates_for(connection, keys)
    if not scope.is_house and known.persons:
        rows = await connection.fetch(
            f"select p from unnest($1::bigint[]) p where not {scope_condition(scope, 'p')}", sorted(known.persons)
        )
        known.hidden = frozenset(row["p"] for row in rows)
    return known


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    columns: list[list[Any]] = [[] for _ in range(width)]
    for row in rows:
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return columns


async def decide_all(connection: asyncpg.Connection[Any], scope: Scope, keys: Sequence[PatientKey]) -> list[Decision]:
    """Return a decision for each key, in order; a key sees those decided before it in the same batch."""
    known = await candidates_within(connection, scope, keys)
    numbers = [row[0] for row in await connection.fetch("select nextval('person_number') from generate_series(1, $1)", len(keys))]
    decisions = []
    for key, number in zip(keys, numbers, strict=True):
        decision = decide(key, known, number)
        known.add(decision.person, key)
        decisions.append(decision)
    return decisions


async def save_keys(connection: asyncpg.Connection[Any], keys: Sequence[PatientKey]) -> None:
    """Insert or replace the rows of patient_key."""
    names = list(PatientKey.__slots__)
    changes = ", ".join(f"{name} = excluded.{name}" for name in names if name != "patient")
    await connection.executemany(
        f"insert into patient_key ({', '.join(names)}) values ({', '.join(f'${n + 1}' for n in range(len(names)))})"
        f" on conflict (patient) do update set {changes}, changed_at = now()",
        [tuple(getattr(key, name) for name in names) for key in keys],
    )


async def save_reviews(connection: asyncpg.Connection[Any], decisions: Iterable[Decision]) -> None:
    """Open a review for each doubt, once."""
    rows = [(decision.patient, person, reason) for decision in decisions for person, reason in decision.reviews]
    if rows:
        await connection.executemany(
            "insert into identity_review (patient, person, reason) values ($1, $2, $3) on conflict do nothing", rows
        )
