"""Counts of one village that the calibration and the population table are made from."""

from __future__ import annotations

import numpy as np

from xinglin.synthetic.examinations import Examination
from xinglin.synthetic.followups import Visits
from xinglin.synthetic.health import Episode
from xinglin.synthetic.plan import FAR, day_of, whole_years, year_of
from xinglin.synthetic.scene import Scene


def tally(scene: Scene, visits: Visits, examined: list[Examination]) -> None:
    """Add the village's numerators and denominators to its emission."""
    _demography(scene)
    _disease(scene)
    _management(scene, visits, examined)


def _demography(scene: Scene) -> None:
    plan, population, t = scene.plan, scene.people.population, scene.emission.tallies
    now = population.present(plan.last_day)
    age = whole_years(population.birth, plan.last_day)
    t["residents"] += int(now.sum())
    for name, mask in (("age_0_14", age < 15), ("age_60_plus", age >= 60), ("age_65_plus", age >= 65), ("male", population.sex == 1)):
        t[name] += int((now & mask).sum())
    t["births"] += int((population.birth >= plan.first_day).sum())
    t["deaths"] += int((population.death < FAR).sum())


def _disease(scene: Scene) -> None:
    plan, health, t = scene.plan, scene.health, scene.emission.tallies
    population = scene.people.population
    adult = population.present(plan.last_day) & (whole_years(population.birth, plan.last_day) >= 18)
    t["adults"] += int(adult.sum())
    for name in ("hypertension", "diabetes"):
        t[name] += int((adult & (getattr(health, f"{name}_onset") <= plan.last_day)).sum())
        t[f"{name}_known"] += int((adult & (getattr(health, f"{name}_known") <= plan.last_day)).sum())


def _management(scene: Scene, visits: Visits, examined: list[Examination]) -> None:
    """Count last full year's managed-to-standard and examined, and control by the latest visit of the past twelve months."""
    plan, t = scene.plan, scene.emission.tallies
    year = plan.as_of.year - 1
    begin, end = day_of(year), day_of(year + 1)
    seen = {(one.row, int(year_of(np.array(one.day)))) for one in examined}
    full = {(one.row, int(year_of(np.array(one.day)))) for one in examined if one.is_complete}
    for episode in scene.episodes:
        if episode.programme == "hypertension" and episode.start < begin and episode.end >= end:
            own = (visits.row == episode.row) & visits.hypertension.astype(bool) & (visits.way < 3)
            done = int((own & (visits.day >= begin) & (visits.day < end)).sum()) >= 4
            t["managed_year"] += 1
            t["managed_standard"] += done and (episode.row, year) in seen
            t["managed_four"] += done
        _control(scene, visits, episode)
    population = scene.people.population
    elders = population.present(end - 1) & (whole_years(population.birth, end - 1) >= 65)
    t["elders"] += int(elders.sum())
    t["elders_examined"] += sum((row, year) in full for row in np.flatnonzero(elders).tolist())


def _control(scene: Scene, visits: Visits, episode: Episode) -> None:
    if episode.programme == "elderly" or episode.end < FAR:
        return
    t, name = scene.emission.tallies, episode.programme
    form, grade = (visits.hypertension, visits.h_class) if name == "hypertension" else (visits.diabetes, visits.d_class)
    own = np.flatnonzero((visits.row == episode.row) & form.astype(bool) & (visits.day > scene.plan.last_day - 365) & (grade > 0))
    t[f"{name}_managed"] += 1
    t[f"{name}_controlled"] += bool(len(own)) and int(grade[own[-1]]) == 1
