"""Which measures may compute an indicator: proposals with their difference, for a person to confirm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from xinglin.modules.plan.living.catalogue import Known, known_measures
from xinglin.modules.plan.living.words import Said
from xinglin.modules.plan.reading.normal import plain

SCALES: Final[Mapping[str, float]] = {"%": 100.0, "％": 100.0, "‰": 1000.0, "/万": 10_000.0, "/10万": 100_000.0, "1/10万": 100_000.0}
COUNTS: Final[Mapping[str, float]] = {
    "人": 1.0,
    "位": 1.0,
    "名": 1.0,
    "例": 1.0,
    "份": 1.0,
    "人次": 1.0,
    "次": 1.0,
    "万人": 1e-4,
    "万份": 1e-4,
    "万人次": 1e-4,
}


@dataclass(frozen=True, slots=True)
class Offered:
    """A measure that exists today. unit: people, visits or count."""

    id: str
    base: str
    words: Said
    variant_words: Said
    unit: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A measure that may be meant. fits: whether the name alone decides it.  difference: what the measure counts, in one sentence."""

    measure: str
    words: Said
    fits: bool
    difference: Said


def scale_of(unit: str | None, counts: bool) -> float | None:
    """Return what a measure's number is multiplied by to stand in the indicator's unit, None where the unit cannot be its.

    counts: the measure is a plain number, not a share.  A row printed without a unit takes a share as per cent and a number as it is.

    >>> scale_of("%", False), scale_of("人", True), scale_of("万人", True), scale_of("张", False)
    (100.0, 1.0, 0.0001, None)
    """
    word = plain(unit or "")
    if counts:
        return COUNTS.get(word, 1.0 if not word else None)
    return SCALES.get(word, 100.0 if not word else None)


def proposals(data: Mapping[str, Any], offered: Iterable[Offered]) -> list[Proposal]:
    """Return the measures an indicator may be bound to, those whose whole name fits first; nothing is bound by this.

    A name without a population (控制率) fits several measures only in part: each is listed with what it counts.
    """
    name = plain(f"{data.get('parent') or ''}{data.get('name', '')}")
    found = [(known, _rank(name, known)) for known in known_measures()]
    shelf = list(offered)
    made: list[Proposal] = []
    for known, rank in sorted(((one, rank) for one, rank in found if rank), key=lambda item: -item[1]):
        for one in shelf:
            if one.base == known.id and scale_of(data.get("unit"), one.unit == "count") is not None:
                made.append(_proposal(one, known, rank > 1))
    return made


def _rank(name: str, known: Known) -> int:
    """Return how many words of the best fitting name stand in the printed name; 0 for none."""
    if any(word in name for word in known.without):
        return 0
    return max((len(words) for words in known.names if all(word in name for word in words)), default=0)


def _proposal(one: Offered, known: Known, fits: bool) -> Proposal:
    variant = Said(f"（{one.variant_words.zh}）", f" ({one.variant_words.en})") if one.variant_words.zh else Said("", "")
    difference = Said(f"口径：{known.population_zh}{variant.zh}。", f"It counts {known.population_en}{variant.en}.")
    return Proposal(one.id, Said(one.words.zh + variant.zh, one.words.en + variant.en), fits, difference)
