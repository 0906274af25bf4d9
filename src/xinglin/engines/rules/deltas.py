"""Flags brought up to the record by the people who changed: the one-person reading of the same definition instead of everyone again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np

from xinglin.definitions import Definition, Question
from xinglin.engines.rules.closures import Closures, Frame
from xinglin.engines.rules.flags import NOBODY, Flags
from xinglin.engines.rules.ports import Rows

_OUTPUTS: Final = ("population", "numerator", "denominator", "unknown", "reason", "responsible")
_COLUMNS: Final = ("person", "numerator", "denominator", "unknown", "reason", "responsible", "area", "institution")
Line = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A person whom entries of the feed name. seq: of the latest.  is_belonging: one of them says where or who the person is."""

    person: int
    seq: int
    is_belonging: bool


@dataclass(frozen=True, slots=True)
class Changed:
    """A person as the record now tells. rows: None for who has no record any more.  area, institution: NOBODY where missing."""

    person: int
    seq: int
    rows: Rows | None
    area: int = NOBODY
    institution: int = NOBODY


@dataclass(frozen=True, slots=True)
class Kept:
    """Flags that are kept, and what they are of."""

    definition: Definition
    as_of: date
    flags: Flags


def caught_up(kept: Sequence[Kept], people: Sequence[Changed], upto: int, closures: Closures) -> list[Flags]:
    """Return the flags of each, true for seq `upto`. people: everyone named after the oldest of them."""
    frames: dict[tuple[date, int], Frame] = {}
    found = []
    for one in kept:
        lines: dict[int, Line | None] = {}
        for person in people:
            if person.seq <= one.flags.seq:
                continue
            frame = frames.get((one.as_of, person.person))
            if frame is None:
                frame = frames[one.as_of, person.person] = Frame(Question(person.rows or {}, one.as_of))
            lines[person.person] = _line(one, person, closures, frame) if person.rows is not None else None
        found.append(spliced(one.flags, lines, upto))
    return found


def _line(one: Kept, person: Changed, closures: Closures, frame: Frame) -> Line | None:
    """Return the person's place in the columns of the flags, None for who is not in the population."""
    outputs = one.definition.outputs
    told = closures.evaluate({name: outputs[name] for name in _OUTPUTS}, frame)
    if not told["population"]:
        return None
    reason = NOBODY if told["reason"] is None else one.flags.reasons.index(told["reason"])
    numbers = (_whole(told["numerator"]), _whole(told["denominator"]), _whole(told["unknown"]))
    return (person.person, *numbers, reason, _whole(told["responsible"]), person.area, person.institution)


def _whole(value: Any) -> int:
    return NOBODY if value is None else int(value)


def spliced(flags: Flags, lines: Mapping[int, Line | None], seq: int) -> Flags:
    """Return flags with the lines of some people in place of theirs; the same arrays, and the same mark, where nothing differs."""
    different = {person for person, line in lines.items() if _line_of(flags, person) != line}
    if not different:
        return replace(flags, seq=seq)
    stays = ~np.isin(flags.person, np.fromiter(different, dtype=np.int64, count=len(different)))
    fresh = sorted(line for person in different if (line := lines[person]) is not None)
    places = np.searchsorted(flags.person[stays], [line[0] for line in fresh])
    columns = {name: _inserted(getattr(flags, name)[stays], places, (line[at] for line in fresh)) for at, name in enumerate(_COLUMNS)}
    return Flags(seq=seq, reasons=flags.reasons, **columns)


def _inserted(column: Any, places: Any, values: Iterable[int]) -> Any:
    return np.insert(column, places, np.fromiter(values, dtype=np.int64))


def _line_of(flags: Flags, person: int) -> Line | None:
    place = int(np.searchsorted(flags.person, person))
    if place == len(flags.person) or flags.person[place] != person:
        return None
    return tuple(int(getattr(flags, name)[place]) for name in _COLUMNS)
