"""Latent risk and disease of one village's people, and who is enrolled in which programme from when to when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from xinglin.synthetic.homes import People
from xinglin.synthetic.institutions import Traits
from xinglin.synthetic.plan import FAR, YEAR, Plan, Stream, table
from xinglin.synthetic.population import Population

PROGRAMMES = ("hypertension", "diabetes2", "elderly")
TREATED_MMOL: Final = 7.1
UNTREATED_MMOL: Final = 8.4


@dataclass(frozen=True, slots=True)
class Health:
    """Truth about each person, row by row with People.

    *_onset: day the disease began (FAR = never); *_known: day it was diagnosed; systolic, glucose: level under treatment
    (or without disease), mmHg and mmol/L; height cm, weight kg; smoker; engaged: share of due visits the person comes to.
    *_found: day the diagnosis is made if the person lives and stays, which may be after the day of data; treated, untreated: pressure with
    the disease; sugar: factor on the glucose of a diabetic.
    """

    hypertension_onset: np.ndarray
    hypertension_known: np.ndarray
    diabetes_onset: np.ndarray
    diabetes_known: np.ndarray
    systolic: np.ndarray
    glucose: np.ndarray
    height: np.ndarray
    weight: np.ndarray
    smoker: np.ndarray
    engaged: np.ndarray
    hypertension_found: np.ndarray
    diabetes_found: np.ndarray
    treated: np.ndarray
    untreated: np.ndarray
    sugar: np.ndarray

    def set_glucose(self, rows: np.ndarray, mmol: float) -> None:
        """Give people the glucose of a diabetic of this level."""
        self.glucose[rows] = mmol * self.sugar[rows]


@dataclass(frozen=True, slots=True)
class Episode:
    """One enrolment: row of the person, programme, first and last day (FAR = active), reason of exit."""

    row: int
    programme: str
    start: int
    end: int
    reason: str


def _uniform(z: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.array([math.erf(v) for v in (z / math.sqrt(2)).tolist()]))


def _onset(u: np.ndarray, population: Population, rates: dict[str, Any]) -> np.ndarray:
    """Return the onset day: the prevalence curve ceiling/(1+exp(-(age-middle)/scale)) crosses u at that age."""
    shift = np.where(population.sex == 1, rates["male_shift"], rates["female_shift"])
    inside = u < rates["ceiling"] * 0.999
    ratio = np.where(inside, u, 0.1) / (rates["ceiling"] - np.where(inside, u, 0.1))
    age = np.maximum(rates["middle_age"] + shift + rates["scale"] * np.log(ratio), 18.0)
    day = population.birth + np.floor(age * YEAR).astype(np.int64)
    return np.where(inside, day, FAR)


def _found(random: np.random.Generator, onset: np.ndarray, rates: dict[str, Any]) -> np.ndarray:
    aware = random.random(len(onset)) < rates["aware_share"]
    day = onset + np.floor(random.exponential(rates["aware_delay_years"] * YEAR, len(onset))).astype(np.int64)
    return np.where(aware & (onset < FAR), day, FAR)


def make_health(plan: Plan, village: int, people: People, traits: Traits) -> Health:
    """Return the latent health of the village's people; the institution's traits move the treated pressure."""
    return health_of(plan.stream(Stream.RISKS, village), plan.last_day, people.population, traits)


def health_of(random: np.random.Generator, today: int, population: Population, traits: Traits) -> Health:
    """Draw the health of people as it stands on a day (since 1970-01-01)."""
    count = len(population)
    rates = table("rates")
    first = random.normal(size=count)
    r = rates["diabetes"]["correlation"]
    second = r * first + math.sqrt(1 - r * r) * random.normal(size=count)
    h_onset = _onset(_uniform(first), population, rates["hypertension"])
    d_onset = _onset(_uniform(second), population, rates["diabetes"])
    h_found = _found(random, h_onset, rates["hypertension"])
    d_found = _found(random, d_onset, rates["diabetes"])
    h_known, d_known = np.where(h_found <= today, h_found, FAR), np.where(d_found <= today, d_found, FAR)
    age = (today - population.birth) / YEAR
    healthy = np.minimum(102 + 0.34 * age + random.normal(0, 7, count), 134)
    untreated = 151 + 0.12 * (age - 55) + random.normal(0, 9, count)
    resistant = random.random(count) < 0.17
    treated = 137 + 0.10 * (age - 55) + random.normal(0, 6.5, count) + traits.control_mmhg + np.where(resistant, 17, 0)
    diseased = h_onset <= today
    systolic = np.where(h_known < FAR, treated, np.where(diseased, untreated, healthy))
    sugar = np.exp(random.normal(0, 0.17, count))
    plain = 5.2 * np.exp(random.normal(0, 0.08, count))
    glucose = np.where(d_onset <= today, np.where(d_known < FAR, TREATED_MMOL, UNTREATED_MMOL) * sugar, plain)
    male = population.sex == 1
    height = np.where(male, 167.5, 156.5) + random.normal(0, 5.5, count) - np.clip(age - 60, 0, 30) * 0.12
    weight = (23.3 + 1.1 * diseased + random.normal(0, 2.7, count)) * (height / 100) ** 2
    smoker = random.random(count) < np.where(male, 0.46, 0.02)
    engaged = np.where(random.random(count) < 0.9, 1.0, random.uniform(0.35, 0.8, count))
    return Health(
        h_onset, h_known, d_onset, d_known, systolic, glucose, np.round(height), np.round(weight, 1), smoker, engaged,
        h_found, d_found, treated, untreated, sugar,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Intent:
    """Who is to be enrolled in a programme once the diagnosis stands (the elderly: everybody), and after how many days."""

    willing: np.ndarray
    delay: np.ndarray


def chronic_start(population: Population, opened: np.ndarray, known: np.ndarray, intent: Intent) -> np.ndarray:
    """Return the day each person would be enrolled for hypertension or diabetes: after the diagnosis, from 35 years on, with a record."""
    delay = intent.delay
    return np.asarray(
        np.maximum.reduce([known + delay, population.birth + int(35 * YEAR) + 1, opened + delay // 3, population.arrive + 20])
    )


def elderly_start(population: Population, opened: np.ndarray, intent: Intent) -> np.ndarray:
    """Return the day each person would be enrolled among the elderly: 65 years old, with a record."""
    return np.asarray(np.maximum(population.birth + np.floor(65 * YEAR).astype(np.int64) + 1, opened) + intent.delay)


def draw_intent(random: np.random.Generator, programme: str, count: int) -> Intent:
    """Draw for each of `count` people whether they are enrolled once diagnosed, and how long it takes."""
    if programme == "elderly":
        return Intent(np.ones(count, dtype=bool), random.integers(0, 60, count))
    share = table("rates")["hypertension" if programme == "hypertension" else "diabetes"]["enrolled_share"]
    willing = random.random(count) < share
    return Intent(willing, np.floor(random.gamma(1.5, 45, count)).astype(np.int64))


def enrol(plan: Plan, village: int, people: People, health: Health) -> tuple[list[Episode], dict[str, Intent]]:
    """Return the enrolments of the village in order of person and day (those who move back get a second one), and who will follow."""
    random = plan.stream(Stream.ENROLMENT, village)
    population, count = people.population, len(people)
    episodes: list[Episode] = []
    intents: dict[str, Intent] = {}
    for programme, known in (("hypertension", health.hypertension_known), ("diabetes2", health.diabetes_known)):
        intent = intents[programme] = draw_intent(random, programme, count)
        chosen = intent.willing & (known < FAR) & (population.story == 0)
        start = chronic_start(population, people.opened, known, intent)
        for row in np.flatnonzero(chosen & (start <= plan.last_day)).tolist():
            episodes += _episodes(random, plan, people, (row, programme, int(start[row])))
    intent = intents["elderly"] = draw_intent(random, "elderly", count)
    start = elderly_start(population, people.opened, intent)
    for row in np.flatnonzero(start <= plan.last_day).tolist():
        episodes += _episodes(random, plan, people, (row, "elderly", int(start[row])))
    return sorted(episodes, key=lambda e: (e.row, PROGRAMMES.index(e.programme), e.start)), intents


def _episodes(random: np.random.Generator, plan: Plan, people: People, one: tuple[int, str, int]) -> list[Episode]:
    """Return one person's enrolments in a programme: the first, and a second after moving back."""
    row, programme, start = one
    death, leave, back = (int(getattr(people.population, name)[row]) for name in ("death", "leave", "back"))
    rates = table("rates")["episode"]
    ends = [(death, "died"), (leave, "moved_out")]
    if programme != "elderly":
        since = max(start, plan.first_day)
        for reason in ("declined", "lost", "corrected"):
            day = since + int(random.exponential(YEAR / rates[f"{reason}_a_year"]))
            ends.append((day, {"corrected": "diagnosis_corrected"}.get(reason, reason)))
    again = back + 5 + int(random.integers(0, 50))
    made = []
    end, reason = min(ends)
    if start < end:
        made.append(_bounded(plan, row, programme, (start, end, reason)))
    if reason == "moved_out" and again < min(death, plan.last_day):
        made.append(_bounded(plan, row, programme, (max(again, start), death, "died")))
    return made


def _bounded(plan: Plan, row: int, programme: str, span: tuple[int, int, str]) -> Episode:
    start, end, reason = span
    return Episode(row, programme, start, end, reason) if end <= plan.last_day else Episode(row, programme, start, FAR, "")
