"""What plans call the measures: read once from `measures.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Known:
    """A measure as plans speak of it. names: each a set of words that must all stand in the printed name.

    within_year: it starts anew every January.  verified: whether the row was checked against the texts of source.
    """

    id: str
    names: tuple[tuple[str, ...], ...]
    without: tuple[str, ...]
    population_zh: str
    population_en: str
    source: str
    verified: bool
    more_zh: str = ""
    more_en: str = ""
    within_year: bool = False


@cache
def known_measures() -> tuple[Known, ...]:
    """Return the measures plans are known to speak of."""
    table = tomllib.loads((Path(__file__).parent / "measures.toml").read_text(encoding="utf-8"))
    return tuple(
        Known(**{**one, "names": tuple(tuple(words) for words in one["names"]), "without": tuple(one["without"])})
        for one in table["measure"]
    )


def known_measure(measure_id: str) -> Known | None:
    """Return what is known of a measure or one of its variants, None where plans are not known to speak of it."""
    return next((one for one in known_measures() if measure_id == one.id or measure_id.startswith(one.id + ".")), None)
