"""Cases for the authenticity check, put into the visits of a village with the truth told (visits.case).

1 same reading three times in a row; 2 visit after death; 3 visit during an admission; 4 a worker's day of more than 60 visits.
Digit preference and the clerk's phone are habits of institutions (Traits, dirt) and told in truth/institutions.ndjson and damage.ndjson.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Final

import numpy as np

from xinglin.synthetic.followups import Visits, bp_controlled
from xinglin.synthetic.health import Episode
from xinglin.synthetic.plan import FAR, Stream, whole_years
from xinglin.synthetic.scene import Scene

NAMES: Final = {1: "same_reading_three_times", 2: "visit_after_death", 3: "visit_during_admission", 4: "over_60_visits_a_day"}
_REPEATED = 0.012
AFTER_DEATH = 0.12
IN_ADMISSION = 0.04
_BUSY_WINDOW = 42
_BUSY_VILLAGES = 7


def crowd(scene: Scene, visits: Visits) -> Visits:
    """Return the visits with one day on which the first town's responsible doctor seems to have seen everybody (case 4)."""
    places = scene.world.places
    if scene.town != 0 or scene.village not in places.towns[0].villages[:_BUSY_VILLAGES]:
        return visits
    busy = scene.plan.last_day - 150
    busy += (busy + 4) % 7 == 0
    moved = (visits.day >= busy) & (visits.day < busy + _BUSY_WINDOW) & (visits.way < 3)
    _, first = np.unique(np.where(moved, visits.row, -1 - np.arange(len(visits))), return_index=True)
    keep = ~moved
    keep[first] = True
    moved &= keep & _enrolled_on(scene, visits, busy)
    visits.next_day = np.where(moved, busy + visits.next_day - visits.day, visits.next_day)
    visits.day = np.where(moved, busy, visits.day)
    visits.entered = np.where(moved, busy + 1, visits.entered)
    visits.by_town = np.where(moved, 2, visits.by_town)
    visits.case = np.where(moved, 4, visits.case)
    visits.minute = np.where(moved, 480 + np.arange(len(visits)) % 540, visits.minute)
    kept = visits.take(keep)
    return kept.take(np.lexsort((kept.minute, kept.row, kept.day)))


def _enrolled_on(scene: Scene, visits: Visits, day: int) -> np.ndarray:
    covered = np.ones(len(visits), dtype=bool)
    for programme, wanted in (("hypertension", visits.hypertension), ("diabetes2", visits.diabetes)):
        rows = [e.row for e in scene.episodes if e.programme == programme and e.start <= day < e.end]
        covered &= ~wanted.astype(bool) | np.isin(visits.row, rows)
    return covered


def add_cases(scene: Scene, visits: Visits) -> Visits:
    """Return the visits with cases 1 to 3 added; the kinds and shares are those at the head of this file."""
    random = scene.stream(Stream.CASES)
    _repeat(random, scene, visits)
    found = [*_after_death(random, scene, visits), *_in_admission(random, scene, visits)]
    extra = list({(int(visits.row[index]), day): (index, day, case) for index, day, case in found}.values())  # enrolled twice, one visit
    if not extra:
        return regraded(scene, visits)
    added = visits.take(np.array([index for index, _, _ in extra]))
    added.day = np.array([day for _, day, _ in extra])
    added.case = np.array([case for _, _, case in extra])
    added.next_day, added.entered = added.day + 90, added.day
    added.refer = np.zeros(len(extra), dtype=np.int64)
    added.way = np.ones(len(extra), dtype=np.int64)
    whole = Visits(*(np.concatenate([getattr(visits, f.name), getattr(added, f.name)]) for f in fields(Visits)))
    return regraded(scene, whole.take(np.lexsort((whole.minute, whole.row, whole.day))))


def regraded(scene: Scene, visits: Visits) -> Visits:
    """Return the visits with the pressure class (1 or 2) of the day they now have: moving a visit may pass a 65th birthday."""
    age = whole_years(scene.people.population.birth[visits.row], visits.day)
    grade = np.where(bp_controlled(visits.systolic, visits.diastolic, age), 1, 2)
    visits.h_class = np.where(np.isin(visits.h_class, (1, 2)), grade, visits.h_class)
    return visits


def _repeat(random: np.random.Generator, scene: Scene, visits: Visits) -> None:
    """Let some people have the first of three readings written three times (case 1)."""
    for row in sorted(set(visits.row.tolist())):
        own = np.flatnonzero((visits.row == row) & visits.hypertension.astype(bool) & (visits.systolic > 0) & (visits.case == 0))
        if random.random() < _REPEATED and len(own) >= 6 and scene.people.population.story[row] == 0:
            chosen = own[-4:-1]
            for name in ("systolic", "diastolic", "h_class"):
                getattr(visits, name)[chosen] = getattr(visits, name)[chosen[0]]
            visits.case[chosen] = 1


def _latest(visits: Visits, row: int, day: int) -> int | None:
    before = np.flatnonzero((visits.row == row) & (visits.day < day) & (visits.systolic > 0))
    return int(before[-1]) if len(before) else None


def _after_death(random: np.random.Generator, scene: Scene, visits: Visits) -> list[tuple[int, int, int]]:
    found = []
    for episode in _chronic(scene):
        day = episode.end + int(random.integers(3, 26))
        index = _latest(visits, episode.row, episode.end)
        if episode.reason == "died" and random.random() < AFTER_DEATH and day <= scene.plan.last_day and index is not None:
            found.append((index, day, 2))
    return found


def _in_admission(random: np.random.Generator, scene: Scene, visits: Visits) -> list[tuple[int, int, int]]:
    found = []
    for row in sorted({e.row for e in _chronic(scene)}):
        for first, last in scene.admissions.get(row, ()):
            index = _latest(visits, row, first)
            covered = any(e.row == row and e.start <= first and last < e.end for e in scene.episodes)
            if random.random() < IN_ADMISSION and last - first >= 3 and index is not None and covered:
                found.append((index, first + 1 + int(random.integers(0, last - first - 1)), 3))
    return found


def _chronic(scene: Scene) -> list[Episode]:
    population = scene.people.population
    return [e for e in scene.episodes if e.programme != "elderly" and population.story[e.row] == 0 and e.start < FAR]
