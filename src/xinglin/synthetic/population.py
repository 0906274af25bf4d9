"""Everybody who ever lived in the county in the period: who, where, born when, with which ID number."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from xinglin.synthetic.numbers import COUNTY, OTHER_COUNTIES, id_numbers, sequences
from xinglin.synthetic.places import Places
from xinglin.synthetic.plan import FAR, YEAR, Plan, Stream, table
from xinglin.synthetic.story_table import read_stories, story_birth


@dataclass(frozen=True, slots=True)
class Population:
    """Columns of equal length, one row per person, sorted by village.

    person: number from 1; village: index; sex: 1 or 2; birth, death, arrive, leave, back: days since 1970-01-01 (FAR = never,
    arrive = -FAR for those who were always here); id_number: 18 characters; registered: household registration is here; story: number of the scripted story or 0.
    """

    person: np.ndarray
    village: np.ndarray
    sex: np.ndarray
    birth: np.ndarray
    death: np.ndarray
    arrive: np.ndarray
    leave: np.ndarray
    back: np.ndarray
    id_number: np.ndarray
    registered: np.ndarray
    story: np.ndarray

    def of_village(self, village: int) -> Population:
        """Return the rows of one village."""
        low, high = np.searchsorted(self.village, [village, village + 1])
        return Population(*(getattr(self, f.name)[low:high] for f in fields(self)))

    def __len__(self) -> int:
        return len(self.person)

    def present(self, day: np.ndarray | int) -> np.ndarray:
        """Return who is alive and lives here on a day."""
        alive = (self.birth <= day) & (self.death > day) & (self.arrive <= day)
        return alive & ~((self.leave <= day) & (self.back > day))


def make_population(plan: Plan, places: Places) -> Population:
    """Return the population: the age pyramid holds on the day of data; deaths by Gompertz; moves out, in and back."""
    random = plan.stream(Stream.POPULATION)
    rates = table("rates")["population"]
    sex, birth = _pyramid(random, plan, rates)
    death = _deaths(random, plan, (sex, birth), rates)
    here = death > plan.first_day
    sex, birth, death = sex[here], birth[here], death[here]
    arrive, leave, back = _moves(random, plan, (birth, death), rates)
    village = _villages(random, places, len(sex))
    story = np.zeros(len(sex), dtype=np.int64)
    sex, birth, death, arrive, leave, back, village, story = _with_stories(
        plan, places, (sex, birth, death, arrive, leave, back, village, story)
    )
    registered = (random.random(len(sex)) < rates["registered_share"]) & (arrive < 0)
    elsewhere = (random.random(len(sex)) < rates["born_elsewhere_share"]) | (arrive > 0)
    area = np.where(elsewhere, np.array(OTHER_COUNTIES)[random.integers(0, 2, len(sex))], COUNTY)
    numbers = id_numbers(area, birth, sequences(area, birth, sex))
    order = np.lexsort((random.permutation(len(sex)), village))
    columns = (village, sex, birth, death, arrive, leave, back, numbers, registered, story)
    return Population(np.arange(1, len(sex) + 1), *(column[order] for column in columns))


def _with_stories(plan: Plan, places: Places, columns: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """Append the story residents to (sex, birth, death, arrive, leave, back, village, story)."""
    rows = [
        (s.sex, story_birth(plan, s.age), s.died, -FAR, s.moved_out, s.moved_back, places.towns[s.town].villages[0], number)
        for number, s in enumerate(read_stories(plan), start=1)
    ]
    return [
        np.concatenate([column, np.array(added, dtype=np.int64)]) for column, added in zip(columns, zip(*rows, strict=True), strict=True)
    ]


def _pyramid(random: np.random.Generator, plan: Plan, rates: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Draw sex and birth day so that the survivors who stay have the wanted ages on the day of data."""
    bands = np.array(rates["bands"]) / np.sum(rates["bands"])
    middle_age = np.arange(len(bands)) * 5 + 2.5
    survival = _survival(rates, np.maximum(middle_age - plan.span_years, 0), np.minimum(plan.span_years, middle_age))
    extra = 1 + rates["moved_out_share"] * (1 - rates["moved_back_share"])
    counts = np.round(plan.residents * bands / survival * extra).astype(int)
    band = np.repeat(np.arange(len(bands)), counts)
    male = rates["sex_ratio"] / (100 + rates["sex_ratio"]) + 0.008
    older = np.clip((band - 12) * 0.018, 0, None)  # fewer men among the old
    place = np.arange(len(band)) - np.repeat(np.cumsum(counts) - counts, counts)
    sex = np.where((place + random.random(len(band))) / counts[band] < male - older, 1, 2)
    age_days = (band * 5 + random.random(len(band)) * 5) * YEAR
    return sex, plan.last_day - np.floor(age_days).astype(np.int64)


def _survival(rates: dict[str, Any], age: np.ndarray, years: np.ndarray) -> np.ndarray:
    both = np.zeros(len(age))
    for key in ("gompertz_male", "gompertz_female"):
        level, slope = rates[key]
        both += 0.5 * np.exp(-level / slope * np.exp(slope * age) * (np.exp(slope * years) - 1))
    return both


def _deaths(random: np.random.Generator, plan: Plan, who: tuple[np.ndarray, np.ndarray], rates: dict[str, Any]) -> np.ndarray:
    """Draw the day of death from the Gompertz law, given survival to the first day (or to birth); FAR when after the last."""
    sex, birth = who
    start = np.maximum(birth, plan.first_day)
    age = (start - birth) / YEAR
    male = sex == 1
    level = np.where(male, rates["gompertz_male"][0], rates["gompertz_female"][0])
    slope = rates["gompertz_male"][1]
    lived = np.log1p(slope / level * np.exp(-slope * age) * random.exponential(size=len(sex))) / slope
    day = start + np.floor(lived * YEAR).astype(np.int64) + 1
    return np.where(day <= plan.last_day, day, FAR)


def _moves(random: np.random.Generator, plan: Plan, who: tuple[np.ndarray, np.ndarray], rates: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """Draw arrivals, departures and returns; nobody moves in the first month of life or after death."""
    birth, death = who
    count, span = len(birth), plan.last_day - plan.first_day
    age = (plan.last_day - birth) / YEAR
    mobile = np.where((age > 17) & (age < 45), 1.6, np.where(age >= 65, 0.35, 0.8))
    arrive_on = plan.first_day + random.integers(1, span, count)
    arrives = (random.random(count) < rates["moved_in_share"] * mobile) & (birth + 60 < arrive_on) & (arrive_on < death)
    leave_on = plan.first_day + random.integers(1, span, count)
    leaves = (random.random(count) < rates["moved_out_share"] * mobile) & ~arrives & (birth + 60 < leave_on) & (leave_on < death)
    back_on = leave_on + random.integers(60, 540, count)
    returns = leaves & (random.random(count) < rates["moved_back_share"]) & (back_on < np.minimum(death, plan.last_day))
    return np.where(arrives, arrive_on, -FAR), np.where(leaves, leave_on, FAR), np.where(returns, back_on, FAR)


def _villages(random: np.random.Generator, places: Places, count: int) -> np.ndarray:
    weights = np.array([village.weight for village in places.villages])
    return np.searchsorted(np.cumsum(weights / weights.sum()), random.random(count), side="right").clip(0, len(weights) - 1)
