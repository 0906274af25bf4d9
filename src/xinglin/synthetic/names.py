"""Invented names: a surname by weight and a given name put together from characters of the person's cohort and sex."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from xinglin.synthetic.plan import table

_COHORTS: Final = ("old", "middle", "young")


@cache
def surnames() -> tuple[tuple[str, ...], np.ndarray]:
    """Return the surnames and their cumulative shares."""
    weights = table("names")["surnames"]
    shares = np.array(list(weights.values()), dtype=float)
    return tuple(weights), np.cumsum(shares / shares.sum())


def draw_surnames(random: np.random.Generator, count: int) -> list[str]:
    """Return `count` surnames drawn by weight."""
    words, shares = surnames()
    return [words[n] for n in np.searchsorted(shares, random.random(count), side="right").clip(0, len(words) - 1)]


def cohort_of(birth_year: np.ndarray) -> np.ndarray:
    """Return 0 (before 1965), 1 (to 1994) or 2 for each birth year: which characters were in use."""
    return np.searchsorted(np.array([1965, 1995]), birth_year, side="right")


def given_names(random: np.random.Generator, sex: np.ndarray, cohort: np.ndarray) -> list[str]:
    """Return a given name of one or two characters for each person."""
    words = table("names")["given"]
    singles = random.random(len(sex)) < np.array(words["single_share"])[cohort]
    draws = random.random((len(sex), 2))
    pools = {(s, c): words[f"{'male' if s == 1 else 'female'}_{_COHORTS[c]}"] for s in (1, 2) for c in (0, 1, 2)}
    made: list[str] = []
    for s, c, single, (first, second) in zip(sex.tolist(), cohort.tolist(), singles.tolist(), draws.tolist(), strict=True):
        pool = pools[s, c]
        one = pool[int(first * len(pool))]
        made.append(one if single else one + pool[int(second * len(pool))])
    return made


def person_names(random: np.random.Generator, sex: np.ndarray, cohort: np.ndarray) -> list[tuple[str, str]]:
    """Return (surname, given name) for each person."""
    return list(zip(draw_surnames(random, len(sex)), given_names(random, sex, cohort), strict=True))


def look_alike(name: str) -> str | None:
    """Return the name as a hurried clerk would type it, or None where no character of it is commonly mistaken.

    >>> look_alike("李建")
    '李健'
    """
    swaps: dict[str, str] = table("names")["look_alike"]
    for place in range(len(name) - 1, -1, -1):
        if name[place] in swaps:
            return name[:place] + swaps[name[place]] + name[place + 1 :]
    return None
