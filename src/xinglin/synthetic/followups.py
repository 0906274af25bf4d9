"""Follow-up visits of one village's enrolled people, step by step for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np

from xinglin.synthetic.health import Episode, Health
from xinglin.synthetic.homes import People
from xinglin.synthetic.institutions import Traits
from xinglin.synthetic.plan import FAR, YEAR, Plan, Stream, whole_years

_WINTER_MMHG = 3.0


@dataclass(slots=True)
class Visits:
    """Columns, one row per visit (a visit of a person enrolled twice fills two forms).

    row: person; day; hypertension, diabetes: which form is filled; way: 1 clinic, 2 home, 3 telephone; systolic 0 = not measured;
    h_class, d_class: outcome class 1 to 4 (0 = none); next_day: day agreed; adherence 1 to 3; adverse; entered: day of entry;
    refer: 0 none, 1 ordinary, 2 emergency; by_town: recorded by the township's responsible doctor (2 = always the same one);
    case: 0 or the number of an authenticity case (cases.py).
    """

    row: np.ndarray
    day: np.ndarray
    hypertension: np.ndarray
    diabetes: np.ndarray
    way: np.ndarray
    systolic: np.ndarray
    diastolic: np.ndarray
    heart_rate: np.ndarray
    weight: np.ndarray
    glucose: np.ndarray
    h_class: np.ndarray
    d_class: np.ndarray
    next_day: np.ndarray
    adherence: np.ndarray
    adverse: np.ndarray
    entered: np.ndarray
    refer: np.ndarray
    by_town: np.ndarray
    minute: np.ndarray
    case: np.ndarray

    def __len__(self) -> int:
        return len(self.row)

    def take(self, which: np.ndarray) -> Visits:
        """Return the rows named by indexes or by a mask."""
        return Visits(*(getattr(self, f.name)[which] for f in fields(self)))


@dataclass(slots=True)
class State:
    """Where each enrolled person stands: next day, run of uncontrolled visits, last pressure."""

    rows: np.ndarray
    spans: tuple[np.ndarray, np.ndarray]  # (n, 2 episodes, start/end) for hypertension and diabetes
    day: np.ndarray
    bad: np.ndarray
    last: np.ndarray
    drift: np.ndarray
    found: list[dict[str, np.ndarray]] = field(default_factory=list)


def follow_up(plan: Plan, village: int, people: People, known: tuple[Health, list[Episode], Traits]) -> tuple[Visits, Visits, State]:
    """Return the visits entered in the period, in order of day; those entered later; and where everybody stands then.

    None is after the day of data, none outside an enrolment.
    """
    health, episodes, traits = known
    random = plan.stream(Stream.FOLLOWUPS, village)
    state = _begin(random, plan, episodes)
    while np.any(state.day <= plan.last_day):
        step(random, plan.last_day, (people, health, traits), state)
    visits = gathered(state)
    late = visits.entered > plan.last_day
    return visits.take(~late), visits.take(late), state


def gathered(state: State) -> Visits:
    """Return the visits found so far, in order of day."""
    if not state.found:
        return Visits(*(np.empty(0, dtype=np.int64) for _ in fields(Visits)))
    columns = {f.name: np.concatenate([step[f.name] for step in state.found]) for f in fields(Visits)}
    visits = Visits(**columns)
    return visits.take(np.lexsort((visits.minute, visits.row, visits.day)))


def _begin(random: np.random.Generator, plan: Plan, episodes: list[Episode]) -> State:
    chronic = [e for e in episodes if e.programme != "elderly"]
    rows = np.array(sorted({e.row for e in chronic}), dtype=np.int64)
    place = {row: n for n, row in enumerate(rows.tolist())}
    spans = (np.full((len(rows), 2, 2), FAR), np.full((len(rows), 2, 2), FAR))
    for e in chronic:
        slots = spans[0 if e.programme == "hypertension" else 1][place[e.row]]
        slots[0 if slots[0, 0] == FAR else 1] = (e.start, e.end)
    start = np.minimum(spans[0][:, 0, 0], spans[1][:, 0, 0]) if len(rows) else np.empty(0, dtype=np.int64)
    first = np.where(start < plan.first_day, plan.first_day + random.integers(0, 85, len(rows)), start + random.integers(0, 12, len(rows)))
    zeros = np.zeros(len(rows))
    return State(rows, spans, first, zeros.astype(np.int64), zeros.copy(), zeros.copy())


def _covers(spans: np.ndarray, day: np.ndarray) -> np.ndarray:
    return np.asarray(np.any((spans[:, :, 0] <= day[:, None]) & (day[:, None] < spans[:, :, 1]), axis=1))


def _next_start(state: State, day: np.ndarray) -> np.ndarray:
    starts = np.concatenate([state.spans[0][:, :, 0], state.spans[1][:, :, 0]], axis=1)
    later = np.where(starts > day[:, None], starts, FAR)
    return np.asarray(later.min(axis=1))


def step(random: np.random.Generator, last_day: int, known: tuple[People, Health, Traits], state: State) -> None:
    """Let everybody whose next visit is not after `last_day` have it, and set the one after; the others wait as they are."""
    people, health, traits = known
    day = state.day + ((state.day + 4) % 7 == 0)  # 1970-01-01 was a Thursday: no visits on Sundays
    h, d = _covers(state.spans[0], day), _covers(state.spans[1], day)
    now = (h | d) & (day <= last_day)
    waiting = ~(h | d) & (day <= last_day)
    upcoming = _next_start(state, day)
    count = len(day)
    reading = _readings(random, known, state, day)
    way = np.where(
        random.random(count) < traits.by_phone * np.where(health.engaged[state.rows] < 1, 2.5, 1),
        3,
        np.where(random.random(count) < 0.62, 1, 2),
    )
    phone_only = (way == 3) & (random.random(count) < 0.3)
    missing = phone_only | (random.random(count) < 0.006)
    systolic, diastolic = np.where(missing, 0, reading[0]), np.where(missing, 0, reading[1])
    glucose = np.where(phone_only | (random.random(count) < 0.03), 0.0, reading[2])
    age = whole_years(people.population.birth[state.rows], day.clip(max=last_day))
    adverse = (random.random(count) < 0.015).astype(np.int64)
    complication = random.random(count) < 0.006
    h_class = classes(bp_controlled(systolic, diastolic, age), systolic > 0, adverse, complication) * h
    d_class = classes(glucose < 7.0, glucose > 0, adverse, complication) * d
    bad = (h_class > 1) | (d_class > 1)
    run = np.where(now, np.where(bad, state.bad + 1, 0), state.bad)
    urgent = (systolic >= 180) | (diastolic >= 110) | (d & ((glucose >= 16.7) | ((glucose > 0) & (glucose <= 3.9))))
    refer = np.where(urgent, 2, np.where((run >= 2) & (random.random(count) < 0.25), 1, 0))
    state.bad = np.where(day > last_day, state.bad, np.where(refer > 0, 0, run))
    late = random.random(count) < traits.late
    entered = day + np.where(late, random.integers(3, 40, count), random.random(count) < 0.15)
    row = {
        "row": state.rows, "day": day, "hypertension": h, "diabetes": d, "way": way, "systolic": systolic, "diastolic": diastolic,
        "heart_rate": np.round(random.normal(75, 8, count)).astype(np.int64), "weight": np.round(health.weight[state.rows] + random.normal(0, 0.9, count), 1),
        "glucose": glucose, "h_class": h_class, "d_class": d_class, "next_day": day + np.where(bad, 14, 90),
        "adherence": random.choice([1, 2, 3], count, p=[0.84, 0.13, 0.03]), "adverse": adverse, "entered": entered, "refer": refer,
        "by_town": (random.random(count) < 0.3).astype(np.int64), "minute": random.integers(8 * 60, 17 * 60, count), "case": np.zeros(count, dtype=np.int64),
    }  # fmt: skip
    state.found.append({name: values[now] for name, values in row.items()})
    state.last = np.where(now & ~missing, systolic, state.last)
    gap = _gap(random, (bad, refer), traits.diligence * health.engaged[state.rows])
    resumed = upcoming + random.integers(3, 25, count)
    state.day = np.where(now, day + gap, np.where(waiting, np.where(upcoming < FAR, resumed, FAR), day))


def _readings(
    random: np.random.Generator, known: tuple[People, Health, Traits], state: State, day: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return systolic, diastolic and glucose of a visit: level, slow drift, winter, visit noise, and the habits of the institution."""
    people, health, traits = known
    count = len(day)
    state.drift = 0.7 * state.drift + random.normal(0, 3.0, count)
    winter = _WINTER_MMHG * np.cos(2 * np.pi * (day % YEAR) / YEAR)
    true = health.systolic[state.rows] + state.drift + winter + random.normal(0, 5.0, count)
    age = (day - people.population.birth[state.rows]) / YEAR
    low = 81 + 0.42 * (true - 135) - 0.22 * (age - 62) + random.normal(0, 4.5, count)
    rounds = random.random(count) < traits.round_digits
    systolic = np.where(rounds, np.round(true / 10) * 10, np.round(true))
    diastolic = np.where(rounds, np.round(low / 5) * 5, np.round(low))
    copies = (random.random(count) < traits.copied) & (state.last > 0)
    systolic = np.clip(np.where(copies, state.last, systolic), 88, 225).astype(np.int64)
    diastolic = np.clip(diastolic, 48, np.minimum(128, systolic - 18)).astype(np.int64)
    glucose = np.round(health.glucose[state.rows] * np.exp(random.normal(0, 0.11, count)), 1)
    return systolic, diastolic, np.clip(glucose, 3.2, 24.0)


def bp_controlled(systolic: np.ndarray, diastolic: np.ndarray, age: np.ndarray) -> np.ndarray:
    """Return who is controlled: under 140/90, from 65 years under 150/90. Source: 国家基本公共卫生服务规范（第三版）, unverified."""
    return (systolic < np.where(age >= 65, 150, 140)) & (diastolic < 90)


def classes(controlled: np.ndarray, measured: np.ndarray, adverse: np.ndarray, complication: np.ndarray) -> np.ndarray:
    """Return the visit outcome class: 1 controlled, 2 not controlled, 3 adverse reaction, 4 complication, 0 not measured."""
    return np.where(~measured, 0, np.where(complication, 4, np.where(adverse == 1, 3, np.where(controlled, 1, 2))))


def _gap(random: np.random.Generator, outcome: tuple[np.ndarray, np.ndarray], comes: np.ndarray) -> np.ndarray:
    """Return days to the next visit: a quarter, two weeks after a bad one; who does not come is seen weeks later."""
    bad, refer = outcome
    count = len(bad)
    quarter = 86 + np.round(random.normal(0, 5, count)).astype(np.int64)
    fortnight = 13 + random.integers(-3, 4, count)
    keeps = random.random(count) < comes
    soon = bad & (random.random(count) < np.where(refer > 0, 0.9, 0.86))
    return np.where(soon & keeps, fortnight, np.where(keeps, quarter, quarter + random.integers(15, 100, count)))
