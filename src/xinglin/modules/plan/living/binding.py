"""Which measures may compute an indicator: proposals with their difference, for a person to confirm."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

_WHOLE: Final = 3


@dataclass(frozen=True, slots=True)
class Offered:
    """A measure that exists today. unit: people, visits or count.  clause: what its definition says it counts."""

    id: str
    base: str
    words: Said
    variant_words: Said
    unit: str
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A measure that may be meant. fits: whether the name alone decides it.  difference: what the measure counts, in one sentence.

    unit_fits: whether its number can stand in the indicator's unit; one whose cannot is only told.  population: whom it counts.
    verified: whether the words plans use for it were checked against a text.
    """

    measure: str
    words: Said
    fits: bool
    difference: Said
    unit_fits: bool
    population: Said
    verified: bool


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

    A name without a population (控制率) fits several measures only in part: each is listed with what it counts. A measure the catalogue
    does not know is proposed by its own name. Where units fit for some, the others are left out; where for none, they are told with the reason.
    """
    name = plain(f"{data.get('parent') or ''}{data.get('name', '')}")
    known = {one.id: one for one in known_measures()}
    found: list[tuple[int, Proposal]] = []
    for one in offered:
        about = known.get(one.base)
        rank = max(_rank(name, about) if about else 0, _WHOLE if plain(one.words.zh) in name else 0)
        if rank:
            found.append((rank, _proposal(one, about, rank > 1, scale_of(data.get("unit"), one.unit == "count") is not None)))
    found.sort(key=lambda item: -item[0])
    fitting = [proposal for _, proposal in found if proposal.unit_fits]
    return fitting or [proposal for _, proposal in found]


def difference_words(name: str, found: Sequence[Proposal]) -> Said:
    """Return in one sentence how candidates for a name without a population differ; "" where the name decides or there is no choice."""
    populations = list(dict.fromkeys(one.population for one in found if one.unit_fits))
    if any(one.fits for one in found) or len(populations) < 2:
        return Said("", "")
    zh, en = "；".join(one.zh for one in populations), "; ".join(one.en for one in populations)
    return Said(
        f"“{name}”没有写明数谁，{len(populations)} 个候选的差别是：{zh}。",
        f"{name} does not say whom it counts; the {len(populations)} candidates differ: {en}.",
    )


def _rank(name: str, known: Known) -> int:
    """Return how many words of the best fitting name stand in the printed name; 0 for none."""
    if any(word in name for word in known.without):
        return 0
    return max((len(words) for words in known.names if all(word in name for word in words)), default=0)


def _proposal(one: Offered, known: Known | None, fits: bool, unit_fits: bool) -> Proposal:
    variant = Said(f"（{one.variant_words.zh}）", f" ({one.variant_words.en})") if one.variant_words.zh else Said("", "")
    population = Said(known.population_zh, known.population_en) if known else Said(one.clause or one.words.zh, one.clause or one.words.en)
    difference = Said(f"口径：{population.zh}{variant.zh}。", f"It counts {population.en}{variant.en}.")
    if not unit_fits:
        word = Said("人次或人数", "a number") if one.unit == "count" else Said("比率", "a share")
        difference = Said(
            f"{difference.zh}它是{word.zh}，与规划的单位不同，不能直接绑定。",
            f"{difference.en} It is {word.en}: the plan's unit is another, so it cannot be bound as it is.",
        )
    words = Said(one.words.zh + variant.zh, one.words.en + variant.en)
    return Proposal(one.id, words, fits, difference, unit_fits, population, known is not None and known.verified)
