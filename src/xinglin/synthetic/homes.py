"""The residents of one village at home: couples, children, elders; names, phones, doors, when the record was opened."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinglin.synthetic.names import cohort_of, draw_surnames, given_names
from xinglin.synthetic.plan import FAR, YEAR, Plan, Stream, day_of, table, year_of
from xinglin.synthetic.population import Population

_SHARED_PHONE = 0.15


@dataclass(slots=True)
class People:
    """The residents of one village, row by row with `population`.

    household: number from 0; head: row of the household's head; mother: row or -1; phone: number of the phone or -1;
    opened: day the health record was opened (FAR = none); engaged: 0 to 1, how reliably the person comes.
    """

    population: Population
    household: np.ndarray
    head: np.ndarray
    mother: np.ndarray
    surname: list[str]
    given: list[str]
    phone: np.ndarray
    door: np.ndarray
    group: np.ndarray
    opened: np.ndarray
    ethnicity: np.ndarray
    payment: np.ndarray

    def __len__(self) -> int:
        return len(self.population)

    def name(self, row: int) -> str:
        """Return the full name."""
        return self.surname[row] + self.given[row]


@dataclass(slots=True)
class _Family:
    """What pairing people up has found so far: partner, mother and father rows (-1 none), household numbers."""

    partner: np.ndarray
    mother: np.ndarray
    father: np.ndarray
    household: np.ndarray


def settle(plan: Plan, village: int, population: Population) -> People:
    """Return the village's people with families, names and addresses."""
    random = plan.stream(Stream.HOUSEHOLDS, village)
    count = len(population)
    none = np.full(count, -1)
    family = _Family(none.copy(), none.copy(), none.copy(), none.copy())
    _marry(random, plan, population, family)
    _give_birth(random, plan, population, family)
    _join_parents(random, plan, population, family)
    head = _number_households(population, family)
    surname, given = _name(plan.stream(Stream.NAMES, village), population, family)
    household = family.household
    people = int(household.max()) + 1 if count else 0
    door = random.permutation(people)[household] + 1 if count else household
    age = (plan.last_day - population.birth) / YEAR
    phone = np.where(age >= 14, population.person - 1, -1)
    phone = np.where((phone >= 0) & (random.random(count) < _SHARED_PHONE), population.person[head] - 1, phone)
    mothers = family.mother
    phone = np.where((phone < 0) & (mothers >= 0), population.person[mothers] - 1, phone)
    payment = np.select([random.random(count) < 0.14, random.random(count) < 0.03], [1, 4], 2)
    ethnicity = np.where(random.random(count) < 0.965, 1, random.choice([3, 6, 8, 11, 12, 15], count))
    opened = _opened(random, plan, population)
    return People(population, household, head, mothers, surname, given, phone, door, (door - 1) // 30 + 1, opened, ethnicity, payment)


def _opened(random: np.random.Generator, plan: Plan, population: Population) -> np.ndarray:
    """Draw the day the record was opened: 2010 to 2016 for most, within weeks of birth or arrival for the others."""
    count = len(population)
    early = day_of(2010) + np.floor(random.beta(1.2, 2.5, count) * (plan.first_day - day_of(2010))).astype(np.int64)
    since = np.maximum(population.birth, population.arrive)
    opened = np.maximum(early, since + random.integers(5, 40, count))
    opened = np.where((opened <= plan.last_day) & (random.random(count) < table("rates")["population"]["record_share"]), opened, FAR)
    gone = np.minimum(population.death, population.leave)
    return np.where(opened < gone, opened, FAR)


def _marry(random: np.random.Generator, plan: Plan, population: Population, family: _Family) -> None:
    """Pair men and women of like age; about four adults of five have a partner."""
    adult = population.birth < plan.last_day - 23 * YEAR
    willing = adult & (random.random(len(population)) < 0.88)
    jitter = random.normal(0, 500, len(population))
    men = np.flatnonzero(willing & (population.sex == 1))
    women = np.flatnonzero(willing & (population.sex == 2))
    men = men[np.argsort((population.birth + jitter)[men], kind="stable")]
    women = women[np.argsort((population.birth + jitter - 700)[women], kind="stable")]
    pairs = min(len(men), len(women))
    men, women = men[:pairs], women[:pairs]
    fitting = np.abs(population.birth[men] - population.birth[women]) < 9 * YEAR
    family.partner[men[fitting]] = women[fitting]
    family.partner[women[fitting]] = men[fitting]


def _give_birth(random: np.random.Generator, plan: Plan, population: Population, family: _Family) -> None:
    """Give each child under 22 a mother of 20 to 38 years at the birth, siblings at least ten months apart."""
    wives = np.flatnonzero((population.sex == 2) & (family.partner >= 0))
    if not len(wives):
        return
    wives = wives[np.argsort(population.birth[wives], kind="stable")]
    births = population.birth[wives]
    children = np.flatnonzero(population.birth > plan.last_day - 22 * YEAR)
    low = np.searchsorted(births, population.birth[children] - 38 * YEAR)
    high = np.searchsorted(births, population.birth[children] - 20 * YEAR)
    tries = random.random((len(children), 6))
    had: dict[int, list[int]] = {}
    for child, a, b, draw in zip(children.tolist(), low.tolist(), high.tolist(), tries.tolist(), strict=True):
        if a >= b:
            continue
        born = int(population.birth[child])
        for attempt in draw:
            mother = int(wives[a + int(attempt * (b - a))])
            siblings = had.setdefault(mother, [])
            if len(siblings) < 3 and all(abs(born - other) > 300 for other in siblings) and _was_there(population, mother, born):
                siblings.append(born)
                family.mother[child], family.father[child] = mother, family.partner[mother]
                break


def _was_there(population: Population, row: int, day: int) -> bool:
    return bool(population.death[row] > day)


def _join_parents(random: np.random.Generator, plan: Plan, population: Population, family: _Family) -> None:
    """Let near half of the men over 60 live with a grown son (a husband 22 to 35 years younger who has no parents yet)."""
    elders = np.flatnonzero(
        (population.sex == 1) & (population.birth < plan.last_day - 60 * YEAR) & (random.random(len(population)) < 0.55)
    )
    sons = np.flatnonzero((population.sex == 1) & (family.partner >= 0))
    sons = sons[np.argsort(population.birth[sons], kind="stable")]
    births = population.birth[sons]
    for elder, draw in zip(elders.tolist(), random.random(len(elders)).tolist(), strict=True):
        a, b = np.searchsorted(births, population.birth[elder] + np.array([22, 35]) * YEAR)
        if a >= b:
            continue
        son = int(sons[a + int(draw * (b - a))])
        if family.father[son] < 0:
            family.father[son], family.mother[son] = elder, family.partner[elder]


def _number_households(population: Population, family: _Family) -> np.ndarray:
    """Number the households in `family` and return each person's head of household."""
    count = len(population)
    head = np.arange(count)
    for row in range(count):  # wives live with husbands, children with fathers, old fathers with the son: one step each
        if population.sex[row] == 2 and family.partner[row] >= 0:
            head[row] = family.partner[row]
        elif family.father[row] >= 0 and family.partner[row] < 0:
            head[row] = family.father[row]
    for son in np.flatnonzero((family.father >= 0) & (family.partner >= 0) & (population.sex == 1)):
        elder = int(family.father[son])
        head[elder] = son
    for _ in range(6):
        head = head[head]
    _, family.household[:] = np.unique(head, return_inverse=True)
    return head


def _name(random: np.random.Generator, population: Population, family: _Family) -> tuple[list[str], list[str]]:
    own = draw_surnames(random, len(population))
    for row in np.argsort(population.birth, kind="stable").tolist():
        if family.father[row] >= 0:
            own[row] = own[int(family.father[row])]
    return own, given_names(random, population.sex, cohort_of(year_of(population.birth)))
