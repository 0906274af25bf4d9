"""Residents whose history is scripted, so that the walk through the product always finds them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date

import numpy as np

from xinglin.synthetic.followups import Visits, bp_controlled, classes
from xinglin.synthetic.health import Episode, Health
from xinglin.synthetic.homes import People
from xinglin.synthetic.plan import EPOCH, FAR, Plan, Stream, whole_years
from xinglin.synthetic.story_table import Story, read_stories


@dataclass(frozen=True, slots=True)
class Script:
    """The scripted part of a village: story of each row, enrolments, visits, examinations (row, day)."""

    stories: dict[int, Story]
    episodes: list[Episode]
    visits: Visits
    examinations: list[tuple[int, int]]


def script(plan: Plan, people: People, health: Health) -> Script:
    """Give the village's story residents their names and diseases, and return their enrolments, visits and examinations."""
    table = read_stories(plan)
    rows = {row: table[number - 1] for row, number in enumerate(people.population.story.tolist()) if number}
    episodes: list[Episode] = []
    for row, story in rows.items():
        people.surname[row], people.given[row] = story.name
        people.opened[row] = date(2014, 5, 20).toordinal() - EPOCH
        health.hypertension_known[row] = health.diabetes_known[row] = FAR
        known = story.diagnosed if story.diagnosed < FAR else story.enrolled - 30 if story.enrolled < FAR else FAR
        health.hypertension_known[row], health.hypertension_onset[row] = known, known - 700 if known < FAR else plan.last_day - 500
        health.diabetes_onset[row] = known - 400 if story.diabetes else FAR
        health.systolic[row], health.glucose[row], health.engaged[row] = (
            (138.0 if known < FAR else 146.0),
            (7.2 if story.diabetes else 5.3),
            1.0,
        )
        episodes += _enrolments(row, story)
    examinations = [(row, story.examined) for row, story in rows.items() if story.examined < FAR]
    return Script(rows, episodes, _visits(plan, people, rows), examinations)


def _enrolments(row: int, story: Story) -> list[Episode]:
    if story.enrolled == FAR:
        return []
    end, reason = (story.died, "died") if story.died < FAR else (story.moved_out, "moved_out") if story.moved_out < FAR else (FAR, "")
    spans = [(story.enrolled, end, reason)] + ([(story.moved_back + 10, FAR, "")] if story.moved_back < FAR else [])
    programmes = ["hypertension"] + ["diabetes2"] * story.diabetes
    return [Episode(row, programme, *span) for programme in programmes for span in spans]


def _visits(plan: Plan, people: People, rows: dict[int, Story]) -> Visits:
    random = plan.stream(Stream.CASES, 1_000_000)
    flat = [(row, story, visit) for row, story in rows.items() for visit in story.visits if plan.first_day <= visit.day <= plan.last_day]
    count = len(flat)
    row = np.array([r for r, _, _ in flat], dtype=np.int64)
    day = np.array([v.day for _, _, v in flat], dtype=np.int64)
    systolic, diastolic = (np.array([getattr(v, name) for _, _, v in flat], dtype=np.int64) for name in ("systolic", "diastolic"))
    glucose = np.array([v.glucose for _, _, v in flat], dtype=float)
    diabetes = np.array([s.diabetes for _, s, _ in flat], dtype=bool)
    none = np.zeros(count, dtype=np.int64)
    age = whole_years(people.population.birth[row], day)
    h_class = classes(bp_controlled(systolic, diastolic, age), systolic > 0, none, none > 0)
    d_class = classes(glucose < 7.0, glucose > 0, none, none > 0) * diabetes
    bad = (h_class > 1) | (d_class > 1)
    again = np.zeros(count, dtype=bool)
    again[1:] = bad[1:] & bad[:-1] & (row[1:] == row[:-1])
    columns = {
        "row": row, "day": day, "hypertension": np.ones(count, dtype=bool), "diabetes": diabetes, "way": np.array([v.way for _, _, v in flat], dtype=np.int64),
        "systolic": systolic, "diastolic": diastolic, "heart_rate": 70 + (day % 9), "weight": 60.0 + (row % 12), "glucose": glucose, "h_class": h_class,
        "d_class": d_class, "next_day": day + np.where(bad, 14, 90), "adherence": none + 1, "adverse": none, "entered": day, "refer": again.astype(np.int64),
        "by_town": none, "minute": random.integers(500, 1000, count), "case": none,
    }  # fmt: skip
    return Visits(**{f.name: columns[f.name] for f in fields(Visits)})
