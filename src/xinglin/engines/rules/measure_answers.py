"""What is asked of a measure, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from xinglin.definitions import Words
from xinglin.engines.rules.explain import Sentence

GroupBy = Literal["none", "town", "institution", "village", "practitioner"]
Part = Literal["numerator", "denominator", "gap", "excluded", "unknown"]


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
class Judgement:
    """Why a measure counts a person as it does, from the columns as they were known at a seq.

    verdict, sentences, changes: as of an `Explanation`.  evidence: (rid, version then) of the rows that count.
    """

    verdict: Words
    sentences: tuple[Sentence, ...]
    changes: tuple[Words, ...]
    evidence: tuple[tuple[int, int], ...]
    seq: int


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
