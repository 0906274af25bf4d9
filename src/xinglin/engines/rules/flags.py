"""What a measure says of everyone, as arrays: counted by group and cut to what a scope sees without asking the columns again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

Ints = np.ndarray[Any, np.dtype[np.int64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
NOBODY: Final = -1
"""Stands for a missing area, institution, worker or reason; every real number is positive (a reason's is its place)."""
_GROUPS: Final = {"village": "area", "institution": "institution", "practitioner": "responsible"}


@dataclass(frozen=True, slots=True)
class Flags:
    """Everyone in the population of a measure, by ascending person.

    seq: of the columns.  reason: place among `reasons`, NOBODY for who is counted.  responsible, area, institution: NOBODY where missing.
    mark: the same as long as the arrays say the same, whatever the seq.
    """

    seq: int
    reasons: tuple[str, ...]
    person: Ints
    numerator: Ints
    denominator: Ints
    unknown: Ints
    reason: Ints
    responsible: Ints
    area: Ints
    institution: Ints
    mark: object = field(default_factory=object, compare=False)

    @property
    def bytes(self) -> int:
        """Return the memory the arrays take."""
        arrays = (self.person, self.numerator, self.denominator, self.unknown, self.reason, self.responsible, self.area, self.institution)
        return sum(array.nbytes for array in arrays)

    def groups(self, group_by: str) -> Ints:
        """Return the group of each person: an area, a rid, or NOBODY. group_by: none, town, village, institution or practitioner."""
        if group_by == "none":
            return np.zeros(len(self.person), dtype=np.int64)
        if group_by == "town":
            return np.where(self.area == NOBODY, NOBODY, self.area - self.area % 1000)
        found: Ints = getattr(self, _GROUPS[group_by])
        return found

    def part(self, part: str) -> Bools:
        """Return who belongs to a part: numerator, denominator, gap, excluded or unknown."""
        parts: dict[str, Bools] = {
            "numerator": self.numerator > 0,
            "denominator": self.denominator > 0,
            "gap": self.denominator > self.numerator,
            "excluded": self.reason != NOBODY,
            "unknown": self.unknown > 0,
        }
        return parts[part]

    def within(self, visible: Ints | None, institution: int | None, practitioner: int | None) -> Bools:
        """Return who is among the visible (None: everyone) and of an institution and a worker (None: any)."""
        mask = np.ones(len(self.person), dtype=np.bool_) if visible is None else np.isin(self.person, visible, assume_unique=True)
        if institution is not None:
            mask &= self.institution == institution
        if practitioner is not None:
            mask &= self.responsible == practitioner
        return mask


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts of one group. exclusions: in the order of the measure's reasons."""

    group: int
    numerator: int
    denominator: int
    unknown: int
    exclusions: tuple[int, ...]


def flags_of(table: pa.Table, seq: int, reasons: Sequence[str]) -> Flags:
    """Return the flags of a table with person, numerator, denominator, unknown, reason, responsible, area and institution."""
    place = {reason: number for number, reason in enumerate(reasons)}
    table = table.sort_by("person")
    told = table.column("reason").to_pylist()
    numbers = ("person", "numerator", "denominator", "unknown", "responsible", "area", "institution")
    arrays = {name: _numbers(table, name) for name in numbers}
    reason = np.fromiter((NOBODY if one is None else place[one] for one in told), dtype=np.int64, count=len(told))
    return Flags(seq=seq, reasons=tuple(reasons), reason=reason, **arrays)


def _numbers(table: pa.Table, name: str) -> Ints:
    filled = table.column(name).cast(pa.int64()).fill_null(NOBODY)
    return np.asarray(filled.to_numpy(), dtype=np.int64)


def counted(flags: Flags, mask: Bools, group_by: str) -> list[Counted]:
    """Return the counts of the people of a mask, by group, those without a group last."""
    groups = flags.groups(group_by)[mask]
    known, place = np.unique(groups, return_inverse=True)
    size = len(known)
    sums = [np.bincount(place, column[mask], minlength=size) for column in (flags.numerator, flags.denominator, flags.unknown)]
    reason = flags.reason[mask]
    left = [np.bincount(place[reason == number], minlength=size) for number in range(len(flags.reasons))]
    numerators, denominators, unknowns = ([int(number) for number in column] for column in sums)
    rows = [
        Counted(int(group), numerators[at], denominators[at], unknowns[at], tuple(int(column[at]) for column in left))
        for at, group in enumerate(known)
    ]
    return sorted(rows, key=lambda row: (row.group == NOBODY, row.group))
