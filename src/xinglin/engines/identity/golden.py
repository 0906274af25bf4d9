"""The golden record 主档案: one row a person, each field from the best of its source records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import asyncpg
import orjson

from xinglin.base.text import fold, initials, sort_key
from xinglin.engines.identity.numbers import read_id_number

FIELDS: Final = (
    "name", "sex", "birth_date", "death_date", "id_number", "phone", "record_number", "area", "institution", "residence_status",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A row of patient_key with how far its source is trusted. trust: higher wins; changed_at breaks ties."""

    patient: int
    trust: int
    changed_at: datetime
    values: dict[str, Any]


def survive(records: Sequence[SourceRecord]) -> tuple[dict[str, Any], dict[str, int]]:
    """Return (field → value, field → patient it came from).

    A present value of the most trusted source wins, then the newest; birth date and sex written inside a checked ID number beat
    typed ones; a death known to any source is a death.
    """
    ordered = sorted(records, key=lambda record: (record.trust, record.changed_at, record.patient), reverse=True)
    values: dict[str, Any] = {}
    origin: dict[str, int] = {}
    for name in FIELDS:
        for record in ordered:
            if record.values.get(name) not in (None, "", 0):
                values[name], origin[name] = record.values[name], record.patient
                break
    if "id_number" in values:
        facts = read_id_number(values["id_number"])
        for name, value in (("birth_date", facts.birth_date), ("sex", facts.sex)):
            values[name], origin[name] = value, origin["id_number"]
    return values, origin


async def refresh(connection: asyncpg.Connection[Any], persons: Iterable[int], trust_of: Callable[[int], int]) -> dict[int, dict[str, Any]]:
    """Rebuild the rows of `resident` for some persons from their open links; a person without links loses the row.

    Returns person → field → value, for the persons that have records.
    """
    wanted = sorted(set(persons))
    rows = await connection.fetch(
        "select l.person, k.* from person_link l join patient_key k on k.patient = l.patient where l.person = any($1::bigint[]) and l.to_seq is null",
        wanted,
    )
    clusters: dict[int, list[SourceRecord]] = {}
    for row in rows:
        record = SourceRecord(row["patient"], trust_of(row["source_no"]), row["changed_at"], dict(row))
        clusters.setdefault(row["person"], []).append(record)
    golden = {person: survive(records) for person, records in clusters.items()}
    await connection.execute("delete from resident where person = any($1::bigint[])", [person for person in wanted if person not in golden])
    await connection.executemany(_UPSERT, [_row(person, *golden[person], clusters[person]) for person in sorted(golden)])
    return {person: values for person, (values, _) in golden.items()}


_UPSERT: Final = """
insert into resident (person, name, name_folded, initials, sex, birth_date, death_date, id_number, phone, record_number,
                      record_suffix, area, institution, residence_status, patients, fields_from, sort_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
on conflict (person) do update set name = excluded.name, name_folded = excluded.name_folded, initials = excluded.initials,
  sex = excluded.sex, birth_date = excluded.birth_date, death_date = excluded.death_date, id_number = excluded.id_number,
  phone = excluded.phone, record_number = excluded.record_number, record_suffix = excluded.record_suffix, area = excluded.area,
  institution = excluded.institution, residence_status = excluded.residence_status, patients = excluded.patients,
  fields_from = excluded.fields_from, sort_key = excluded.sort_key, changed_at = now()
"""


def _row(person: int, values: dict[str, Any], origin: dict[str, int], records: Sequence[SourceRecord]) -> tuple[Any, ...]:
    name = values.get("name", "")
    number = values.get("record_number")
    birth: date | None = values.get("birth_date")
    return (
        person, name, fold(name), initials(name), values.get("sex", 0), birth, values.get("death_date"), values.get("id_number"),
        values.get("phone"), number, number[-8:] if number else None, values.get("area"), values.get("institution"),
        values.get("residence_status"), sorted(record.patient for record in records), orjson.dumps(origin).decode(),
        sort_key(name),
    )  # fmt: skip
