"""Taking a resident out of the registers of identity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg


@dataclass(frozen=True, slots=True)
class Known:
    """What identity knows of source patients that nobody else can have: ID numbers (as sent, too) and record numbers."""

    numbers: frozenset[str]

    def stands_in(self, text: bytes) -> bool:
        """Say whether one of the numbers stands in a text."""
        return any(number.encode() in text for number in self.numbers)


async def known_numbers(connection: asyncpg.Connection[Any], patients: Sequence[int]) -> Known:
    """Return the numbers of source patients; shorter ones than 15 characters are left out, they could be anything."""
    rows = await connection.fetch(
        "select id_number, id_number_sent, record_number from patient_key where patient = any($1::bigint[])", list(patients)
    )
    return Known(frozenset(str(value) for row in rows for value in row.values() if value and len(str(value)) >= 15))


async def forget_patients(connection: asyncpg.Connection[Any], person: int | None, patients: Sequence[int]) -> None:
    """Take out what identity keeps of source patients, and the resident's card where no other source knows them."""
    await connection.execute("delete from patient_key where patient = any($1::bigint[])", list(patients))
    await connection.execute("delete from identity_review where patient = any($1::bigint[]) or person = $2", list(patients), person)
    await connection.execute(
        "delete from resident where (person = $1 or patients && $2::bigint[]) and not exists"
        " (select 1 from person_link l where l.person = resident.person and l.to_seq is null)",
        person,
        list(patients),
    )
