"""What is to be generated, and the streams of random numbers it is made from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np

from xinglin.base.errors import IncorrectError

EPOCH: Final = 719163  # date(1970, 1, 1).toordinal()
FAR: Final = 4_000_000  # a day that never comes
YEAR: Final = 365.25


class Stream(IntEnum):
    """One independent stream of random numbers per concern; the second part of the key is the village or 0."""

    PLACES = 1
    STAFF = 2
    TRAITS = 3
    POPULATION = 4
    HOUSEHOLDS = 5
    NAMES = 6
    LIFE = 7
    RISKS = 8
    ENROLMENT = 9
    FOLLOWUPS = 10
    EXAMINATIONS = 11
    VISITS = 12
    CHILDREN = 13
    CONTRACTS = 14
    DIRT = 15
    CASES = 16
    RECORDING = 17
    EXAMINATION_RECORDS = 18
    HOSPITAL_RECORDS = 19
    DRAFTS = 20
    LIVING = 21
    NEW_YEAR = 22


SEED: Final = 420999
"""The seed of the demonstration; the calibration and the benchmarks take it too."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The order for a district.

    residents: usual residents on the day of data (about); seed: any integer >= 0; as_of: the day of data, nothing is later;
    years: calendar years covered (see calendar_years); workers: processes (never changes the bytes).
    """

    residents: int = 5000
    seed: int = SEED
    as_of: date = date(2026, 11, 21)
    years: int = 5
    workers: int = 1

    def __post_init__(self) -> None:
        if not 300 <= self.residents <= 2_000_000:
            raise IncorrectError(
                f"居民数 {self.residents} 不在可生成范围内；请填写 300 到 2000000 之间的整数。",
                f"residents is {self.residents}; write a whole number from 300 to 2000000.",
            )
        if not (1 <= self.years <= 10 and self.seed >= 0 and self.workers >= 1):
            raise IncorrectError(
                "年数须为 1 到 10，种子须不小于 0，进程数须不小于 1。",
                "years must be 1 to 10, seed not below 0, workers not below 1.",
            )

    @property
    def last_day(self) -> int:
        """Return the day of data as days since 1970-01-01."""
        return self.as_of.toordinal() - EPOCH

    @property
    def first_day(self) -> int:
        """Return 1 January of the first calendar year covered, as days since 1970-01-01."""
        return date(self.calendar_years[0], 1, 1).toordinal() - EPOCH

    @property
    def calendar_years(self) -> range:
        """Return the calendar years covered; a year in progress counts as one of `years` from April on, before that it comes on top."""
        begun = self.as_of.month > 3
        return range(self.as_of.year - self.years + begun, self.as_of.year + 1)

    @property
    def span_years(self) -> float:
        """Return the length of the period in years."""
        return (self.last_day - self.first_day + 1) / YEAR

    def stream(self, concern: Stream, part: int = 0, *more: int) -> np.random.Generator:
        """Return the generator of one concern and village (`more`: of one day or year); the same whatever else has been drawn."""
        return np.random.Generator(np.random.SFC64(np.random.SeedSequence(self.seed, spawn_key=(int(concern), part, *more))))


@cache
def table(name: str) -> dict[str, Any]:
    """Return the content of `tables/<name>.toml` (read once; never changed)."""
    return tomllib.loads(resources.files("xinglin.synthetic").joinpath("tables", f"{name}.toml").read_text("utf-8"))


@cache
def iso(day: int) -> str:
    """Return days since 1970-01-01 as YYYY-MM-DD.

    >>> iso(0), iso(20000)
    ('1970-01-01', '2024-10-04')
    """
    return date.fromordinal(day + EPOCH).isoformat()


def day_of(year: int, month: int = 1, day: int = 1) -> int:
    """Return a calendar day as days since 1970-01-01."""
    return date(year, month, day).toordinal() - EPOCH


def year_of(days: np.ndarray) -> np.ndarray:
    """Return the calendar years of an array of days since 1970-01-01."""
    return np.asarray(days).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def whole_years(birth: np.ndarray, on: np.ndarray | int) -> np.ndarray:
    """Return completed years of age on a day (exact calendar arithmetic; 29 February counts from 1 March)."""
    born, then = np.asarray(birth).astype("datetime64[D]"), np.asarray(on).astype("datetime64[D]")
    months = then.astype("datetime64[M]").astype(np.int64) - born.astype("datetime64[M]").astype(np.int64)
    later = (then - then.astype("datetime64[M]")) < (born - born.astype("datetime64[M]"))
    return np.asarray((months - later) // 12)
