"""The difference between two readings: what a re-upload changed, number by number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from xinglin.modules.plan.reading.model import Indicator, Reading
from xinglin.modules.plan.reading.normal import plain

_FIELDS: Final = (
    "unit",
    "category",
    "bases",
    "target_year",
    "target_op",
    "target_value",
    "target_high",
    "others",
    "kind",
    "owners",
    "parent",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.  kind: added, removed or changed; field, old and new only for changed; lines in the old and new text."""

    kind: str
    name: str
    origin: str
    field: str
    old: Any
    new: Any
    old_line: int | None
    new_line: int | None


def compare_readings(old: Reading, new: Reading) -> list[Difference]:
    """Return how the indicators of two readings differ, in the order of the new text, the removed ones last.

    Rows are matched by origin, period and name, and by order where a name stands more than once; a line that only moved is no difference.
    """
    waiting = _by_key(old.indicators)
    found: list[Difference] = []
    for one in new.indicators:
        queue = waiting[_key(one)]
        if not queue:
            found.append(Difference("added", one.name, one.origin, "", None, one.target_value, None, one.from_line))
            continue
        before = queue.pop(_best(queue, one))
        for name in _FIELDS:
            was, now = getattr(before, name), getattr(one, name)
            if was != now:
                found.append(Difference("changed", one.name, one.origin, name, was, now, before.from_line, one.from_line))
    left = [one for queue in waiting.values() for one in queue]
    left.sort(key=lambda one: one.from_line)
    found.extend(Difference("removed", one.name, one.origin, "", one.target_value, None, one.from_line, None) for one in left)
    return found


def _key(one: Indicator) -> tuple[str, str, str, str]:
    return (one.origin, one.period, plain(one.name), plain(one.parent or ""))


def _by_key(indicators: Sequence[Indicator]) -> defaultdict[tuple[str, str, str, str], list[Indicator]]:
    keyed: defaultdict[tuple[str, str, str, str], list[Indicator]] = defaultdict(list)
    for one in indicators:
        keyed[_key(one)].append(one)
    return keyed


def _best(queue: Sequence[Indicator], one: Indicator) -> int:
    """Return the place of the row with the same printed text, else the first."""
    return next((place for place, before in enumerate(queue) if before.printed == one.printed), 0)
