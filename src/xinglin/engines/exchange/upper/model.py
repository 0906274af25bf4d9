"""Words of the exchange with the upper-level platform: fields, column mappings, rows, states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from datetime import date, datetime
from enum import StrEnum
from typing import Final

SOURCE: Final = "upper"
"""Code of the source every file of the upper-level platform stands under in the ledger."""
NO_DAY: Final = date(1900, 1, 1)
"""The day of a roster row, which has none."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing we know of a record. kind: text, number, date, code, codes, id_number, phone, pressure.

    of: resident, visit or form.  link: linkId in the form.  codes: our code → Chinese word.  loinc, unit: of a reading.
    """

    name: str
    zh: str
    en: str
    kind: str
    of: str
    link: str
    codes: Mapping[str, str] = made(default_factory=dict)
    loinc: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column of a sheet. title: as the platform writes it.  also: other titles it is known by.  codes: our code → theirs."""

    title: str
    field: str
    also: tuple[str, ...] = ()
    codes: Mapping[str, str] = made(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record. service: code of the Encounter, "" for residents.  key: fields that say which record a row is."""

    code: str
    zh: str
    en: str
    service: str
    key: tuple[str, ...]
    columns: tuple[SheetColumn, ...]

    @property
    def day_field(self) -> str:
        """Return the field of the record's day, "" where it has none."""
        return self.key[1] if len(self.key) > 1 else ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything `mappings.toml` says. verified: whether somebody held the defaults against a real template."""

    fields: Mapping[str, Field]
    kinds: Mapping[str, Kind]
    source: str
    verified: bool

    def fields_of(self, kind: Kind) -> list[Field]:
        """Return the fields a column of this kind may carry: of the resident always, of visit and form only where there is one."""
        other = {"hypertension-followup": "symptoms_diabetes", "diabetes2-followup": "symptoms_hypertension"}.get(kind.code)
        hidden = {other, "exam_date" if kind.day_field != "exam_date" else "visit_date"}
        return [one for one in self.fields.values() if one.name not in hidden and (kind.service or one.of == "resident")]


@dataclass(frozen=True, slots=True)
class SheetMapping:
    """The columns of one kind of record in order. changed_at: None where it is what the product ships."""

    kind: Kind
    columns: tuple[SheetColumn, ...]
    changed_at: datetime | None = None
    changed_by: int | None = None


@dataclass(frozen=True, slots=True)
class CellProblem:
    """What is wrong with a cell. refuses: the row cannot be taken; else it was taken without this cell."""

    title: str
    zh: str
    en: str
    refuses: bool


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of a sheet that came in. line: as Excel numbers it.  values: our field → canonical text.  cells: as written."""

    line: int
    id_number: str
    day: date
    values: Mapping[str, str]
    cells: tuple[str, ...]
    problems: tuple[CellProblem, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether the row cannot be taken."""
        return any(problem.refuses for problem in self.problems)


@dataclass(frozen=True, slots=True)
class OurRecord:
    """A record of ours as a sheet would show it. rid: Encounter, or Patient for a resident.  values: our field → canonical text."""

    rid: int
    kind: str
    person: int
    version: int
    day: date
    values: Mapping[str, str]

    @property
    def key(self) -> tuple[str, date]:
        """Return what it is matched by."""
        return self.values.get("id_number", ""), self.day


@dataclass(frozen=True, slots=True)
class TheirRow:
    """What the upper-level platform has, as its newest sheet said."""

    id_number: str
    day: date
    values: Mapping[str, str]
    seen_at: datetime
    batch_no: int
    line: int


@dataclass(frozen=True, slots=True)
class Reported:
    """When a record went out last, by which columns, with what in them."""

    batch_no: int
    made_at: datetime
    fields: tuple[str, ...]
    digest: bytes


class UpperState(StrEnum):
    """How a record stands with the upper-level platform."""

    NOT_REPORTED = "not_reported"
    REPORTED = "reported"
    DIFFERENT = "different"
    UPPER_ONLY = "upper_only"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that differs, both sides as words."""

    field: str
    ours: str
    theirs: str


@dataclass(frozen=True, slots=True)
class Standing:
    """State of one record. changed: it was changed here after it went out.  differences: field by field against the platform's row."""

    state: UpperState
    changed: bool = False
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A row of the reconciliation list: a record of ours with its standing, or a row only the platform has.

    name: from our record, else from their row.  person: None where this district has no such resident (or not in the scope).
    """

    kind: str
    standing: Standing
    day: date | None
    name: str
    id_number: str
    person: int | None
    rid: int | None
    batch_no: int | None
    seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """A sheet that went out or came in."""

    batch_no: int
    direction: str
    kind: str
    made_at: datetime
    actor: int
    message_no: int | None
    from_day: date | None
    to_day: date | None
    rows: int
    refused: int
    unchanged: int
    warned: int
    withdrawn_at: datetime | None
