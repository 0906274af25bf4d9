"""The tables and columns a definition may speak of: the lake columns of the content contract.

Source: docs/reference/programmes-in-fhir.md, section "Columns of the lake". Order within a person is by date, then time, then seq, then
rid, then the columns in `ties` (several rows may share a rid), missing values first; so "latest" has one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """The type of a value in the algebra. `REF` is a rid; `NOTHING` is the literal `missing`, which fits every kind."""

    BOOL = "bool"
    NUMBER = "number"
    DATE = "date"
    CODE = "code"
    REF = "ref"
    ROWS = "rows"
    RIDS = "rids"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """Kind of a column, and for a reference the lake table it leads to ("" where that table is not in the lake)."""

    kind: Kind
    target: str = ""


@dataclass(frozen=True, slots=True)
class LakeTable:
    """One table: its columns, the date and time by which its rows are ordered, and further columns that break ties."""

    name: str
    columns: Mapping[str, ColumnType]
    date: str = ""
    time: str = ""
    ties: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """Return the columns that order the rows of a person, the most important first."""
        return tuple(name for name in (self.date, self.time, "seq", "rid", *self.ties) if name)


_WORDS: Final = {
    "b": ColumnType(Kind.BOOL),
    "n": ColumnType(Kind.NUMBER),
    "d": ColumnType(Kind.DATE),
    "c": ColumnType(Kind.CODE),
    "r": ColumnType(Kind.REF),
}


def _column(word: str) -> ColumnType:
    return _WORDS[word] if word in _WORDS else ColumnType(Kind.REF, word)


def _table(name: str, columns: str, *, date: str = "", time: str = "", ties: str = "") -> LakeTable:
    pairs = dict(item.split(":") for item in columns.split())
    found = {column: _column(word) for column, word in pairs.items()}
    common = {"rid": ColumnType(Kind.REF, name), "patient": ColumnType(Kind.REF, "patient"), "seq": ColumnType(Kind.NUMBER)}
    if name == "patient":
        del common["patient"]
    return LakeTable(name, MappingProxyType(common | found), date, time, tuple(ties.split()))


_ALL: Final = (
    _table(
        "patient",
        "sex:c birth_date:d death_date:d area:n managing_org:r residence_status:c residence_type:c record_opened_on:d moved_out_on:d",
    ),
    _table(
        "episode",
        "programme:c status:c start_date:d end_date:d exit_reason:c managing_org:r manager:r",
        date="start_date",
    ),
    _table(
        "encounter",
        "kind:c class:c status:c start_date:d end_date:d way:c provider:r practitioner:r episode:episode entered_on:d",
        date="start_date",
        time="start_time",
    ),
    _table(
        "blood_pressure",
        "encounter:encounter taken_on:d systolic_mmhg:n diastolic_mmhg:n status:c",
        date="taken_on",
        time="taken_at",
    ),
    _table(
        "measurement",
        "encounter:encounter code:c value:n unit:c taken_on:d status:c",
        date="taken_on",
        time="taken_at",
        ties="code value",
    ),
    _table(
        "condition",
        "encounter:encounter system:c code:c onset_on:d recorded_on:d clinical_status:c verification_status:c",
        date="recorded_on",
        ties="system code",
    ),
    _table(
        "answer",
        "encounter:encounter form:c link_id:c code:c number:n date:d truth:b authored_on:d",
        date="authored_on",
        ties="link_id code number date truth",
    ),
    _table("medication", "encounter:encounter drug:c status:c effective_on:d", date="effective_on", ties="drug"),
    _table("immunization", "vaccine:c given_on:d dose_number:n status:c", date="given_on", ties="vaccine"),
    _table("request", "encounter:encounter kind:c status:c priority:c authored_on:d", date="authored_on", ties="kind"),
    _table("task", "kind:c status:c authored_on:d due_on:d focus:r", date="authored_on", ties="kind"),
    _table("contract", "kind:c status:c start_date:d end_date:d institution:r", date="start_date", ties="kind"),
)
LAKE: Final[Mapping[str, LakeTable]] = MappingProxyType({table.name: table for table in _ALL})
COLUMN_NAMES: Final[frozenset[str]] = frozenset(column for table in _ALL for column in table.columns)
