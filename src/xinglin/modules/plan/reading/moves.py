"""Targets of running text that name their base: 由2020年的77.2岁提高到2025年的78.5岁, 达到26%（2020年21.3%）."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.reading.sentences import Place

_MOVE: Final = re.compile(
    r"(?P<from>[由从])(?:(?P<year>20\d\d)年(?:底|末)?的?)?(?P<base>\d)[\d.,]{0,12}[^，。；\d]{0,8}"
    r"(?P<verb>提高|提升|增加|增长|上升|扩大|下降|降低|减少|缩短|压缩)(?:到|至)(?:(?P<aim>20\d\d)年(?:底|末)?的?)?(?=\d)"
)
_PAIR: Final = re.compile(
    r"(?P<from>[：:])(?P<year>20\d\d)年(?:底|末)?(?:为|达到|达|是)?(?P<base>\d)[\d.,]{0,12}[^，。；\d]{0,8}[，,]"
    r"(?:到|至)?(?P<aim>20\d\d)年(?:底|末)?(?:力争)?(?P<verb>提高到|提升到|增加到|达到|达|为|下降到|降至|降到|控制在)?[≥≤<>]?(?=\d)"
)
_BASE_BEHIND: Final = re.compile(r"[（(](?P<year>20\d\d)年(?:底|末)?(?:的|为|达到|达|是|约)?(?P<base>\d)")
_FALLING: Final = frozenset({"下降", "降低", "减少", "缩短", "压缩", "降至", "降到", "控制"})


@dataclass(frozen=True, slots=True)
class Move:
    """A target that names its base: places of both among the numbers of the sentence, where the name ends, the years, the sense."""

    base: int
    target: int
    name_end: int
    base_year: int | None
    target_year: int | None
    falls: bool


def moves_of(place: Place) -> dict[int, Move]:
    """Return the moves of a sentence by the place of their target among its numbers."""
    starts = {mention.start: index for index, mention in enumerate(place.mentions) if mention.kind == "value"}
    found: dict[int, Move] = {}
    for match in (*_MOVE.finditer(place.sentence), *_PAIR.finditer(place.sentence)):
        base, target = starts.get(match.start("base")), starts.get(match.end())
        if base is not None and target is not None:
            year, aim = match.group("year"), match.group("aim")
            found[target] = Move(
                base,
                target,
                match.start("from"),
                int(year) if year else None,
                int(aim) if aim else None,
                (match.group("verb") or "")[:2] in _FALLING,
            )
    return found


def base_behind(place: Place, index: int) -> tuple[int, int] | None:
    """Return (place among the numbers, year) of the base in the bracket right behind a target, None where there is none."""
    match = _BASE_BEHIND.match(place.sentence, place.mentions[index].end)
    if match is None:
        return None
    found = next((number for number, mention in enumerate(place.mentions) if mention.start == match.start("base")), None)
    return None if found is None else (found, int(match.group("year")))
