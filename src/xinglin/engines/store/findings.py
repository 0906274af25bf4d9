"""What a resource can be found by, as rows of the index tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from xinglin.engines.store.model import Key

STRING_LIMIT: Final = 300
"""Characters of a folded string that are indexed; a search sees no further."""
NOBODY: Final = 0
"""Stands in `res.others` for somebody unknown: no patient has this rid, so only who sees the unassigned sees the row."""
NO_DATE: Final = -(1 << 63)
"""Stands in `res.dt` for a resource without a main date: before everything."""


@dataclass(slots=True)
class Findings:
    """Index rows of one resource.

    patient: id of the Patient it is about; others: ids of further patients it names.  is_about_unknown: it is about somebody whom no rid
    stands for (an identifier, an address elsewhere, a contained Patient, a sealed content).  main: its main date, [start, end) in microseconds.
    tokens: distinct hashes.  strings: (param, folded text).  dates: (param, start, end).  numbers: (param, low, high, unit, unit code).
    mentions: every resource it refers to.
    """

    patient: str | None = None
    others: tuple[str, ...] = ()
    is_about_unknown: bool = False
    main: tuple[int, int] | None = None
    tokens: set[int] = field(default_factory=set)
    strings: set[tuple[str, str]] = field(default_factory=set)
    dates: set[tuple[str, int, int]] = field(default_factory=set)
    numbers: set[tuple[str, float, float, int | None, int | None]] = field(default_factory=set)
    mentions: set[Key] = field(default_factory=set)


class Finder(Protocol):
    """Makes the index rows of resources."""

    def find(self, rtype: str, own_id: str, resource: Mapping[str, Any]) -> Findings:
        """Return what a resource can be found by."""
        ...
