"""One village from the day of data on: days up to `since` are lived again, days after it are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial

import numpy as np

from xinglin.synthetic.continuation.care import answer_later, enter_late, give_dose, keep_draft, live_examinations, live_followups
from xinglin.synthetic.continuation.journal import Journal
from xinglin.synthetic.continuation.life import Life, awaken
from xinglin.synthetic.continuation.programmes import live_contracts, live_programmes, turn_year
from xinglin.synthetic.continuation.residents import live_people, open_waiting_records
from xinglin.synthetic.continuation.wards import live_hospitals
from xinglin.synthetic.figures import census_of
from xinglin.synthetic.population import Population
from xinglin.synthetic.scene import World
from xinglin.synthetic.village import stand


@dataclass(frozen=True, slots=True)
class Span:
    """What is to be lived: the days after `since` up to `until` are written (since 1970-01-01).

    first_number: number of the district's last person; births_a_year: per woman of 20 to 38; census: days to count the residents on.
    """

    since: int
    until: int
    first_number: int
    births_a_year: float
    census: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chapter:
    """What a village has to tell of the days: lines per file, resources per source and type, residents by age band and sex on the census days."""

    files: dict[str, bytes]
    counts: Counter[tuple[str, str]]
    census: dict[int, np.ndarray]


def live(world: World, village: int, population: Population, span: Span) -> Chapter:
    """Return what is new or different in a village after `since`."""
    journal = Journal()
    life = awaken(stand(world, village, population, journal), journal, span.first_number)
    _take_up(life)
    counted: dict[int, np.ndarray] = {}
    last_day = world.plan.last_day
    if span.since == last_day:
        journal.mark()
    for day in range(last_day + 1, span.until + 1):
        _live_day(life, day, span)
        if day == span.since:
            journal.mark()
        if day in span.census:
            counted[day] = census_of(life.population, day)
    journal.write()
    life.calendar.clear()  # what is still to happen refers to the life it happens in: without it the village is forgotten at once
    return Chapter({path: bytes(content) for path, content in journal.files.items()}, journal.counts, counted)


def _take_up(life: Life) -> None:
    """Take up what was under way on the day of data."""
    standing = life.standing
    open_waiting_records(life)
    for referral in list(standing.desk.referrals):
        answer_later(life, referral)
    for draft in standing.drafts:
        keep_draft(life, draft)
    for row, day, dose in standing.doses:
        life.on(day, partial(give_dose, life, row, dose))
    enter_late(life, standing.late)


def _live_day(life: Life, day: int, span: Span) -> None:
    life.begin(day)
    turn_year(life)
    live_people(life, span.births_a_year)
    live_programmes(life)
    live_hospitals(life)
    live_followups(life)
    live_examinations(life)
    live_contracts(life)
