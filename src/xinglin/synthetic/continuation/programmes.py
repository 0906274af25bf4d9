"""Diagnoses, enrolments, exits and contracts of a village, day by day."""

from __future__ import annotations

import numpy as np

from xinglin.synthetic.continuation.life import Life
from xinglin.synthetic.contracts import Round, emit_round, signing_days
from xinglin.synthetic.emission import BASE, COUNTY_HIS, TOWNSHIP_HIS
from xinglin.synthetic.examinations import campaign
from xinglin.synthetic.health import TREATED_MMOL, UNTREATED_MMOL, chronic_start, elderly_start
from xinglin.synthetic.hospital import FOUND_IN_COUNTY, Attendance
from xinglin.synthetic.plan import Stream, day_of, iso, table, year_of

_CHRONIC = ("hypertension", "diabetes2")


def live_programmes(life: Life) -> None:
    """Let disease begin and be found today, and let people enter and leave the programmes."""
    _fall_ill(life)
    for programme in _CHRONIC:
        _find(life, programme)
    _enter(life)
    _leave(life)


def _fall_ill(life: Life) -> None:
    health = life.health
    begins = (health.hypertension_onset == life.day) & (life.population.story == 0)
    health.systolic[begins] = health.untreated[begins]
    health.set_glucose((health.diabetes_onset == life.day) & (life.population.story == 0), UNTREATED_MMOL)


def _find(life: Life, programme: str) -> None:
    """Let today's diagnoses be made: the person is treated from now on; who is away has it made elsewhere."""
    health = life.health
    found, known = {
        "hypertension": (health.hypertension_found, health.hypertension_known),
        "diabetes2": (health.diabetes_found, health.diabetes_known),
    }[programme]
    now = (found == life.day) & (life.population.story == 0) & (life.population.death > life.day)
    known[now] = life.day
    if programme == "hypertension":
        health.systolic[now] = health.treated[now]
    else:
        health.set_glucose(now, TREATED_MMOL)
    for row in np.flatnonzero(now & life.here() & ~life.in_bed()).tolist():
        source = COUNTY_HIS if life.random.random() < FOUND_IN_COUNTY else TOWNSHIP_HIS
        life.attend(Attendance(row, "outpatient", life.day, life.day, source, programme))


def _enter(life: Life) -> None:
    intents, people, health = life.scene.intents, life.people, life.health
    starts = {
        "hypertension": chronic_start(life.population, people.opened, health.hypertension_known, intents["hypertension"]),
        "diabetes2": chronic_start(life.population, people.opened, health.diabetes_known, intents["diabetes2"]),
        "elderly": elderly_start(life.population, people.opened, intents["elderly"]),
    }
    for programme, start in starts.items():
        now = (start == life.day) & intents[programme].willing & life.here() & ~life.active[programme]
        for row in np.flatnonzero(now).tolist():
            life.enrol(row, programme)


def _leave(life: Life) -> None:
    rates = table("rates")["episode"]
    for programme in _CHRONIC:
        for name, reason in (("declined", "declined"), ("lost", "lost"), ("corrected", "diagnosis_corrected")):
            for row in np.flatnonzero(life.happens(rates[f"{name}_a_year"]) & life.active[programme] & life.here()).tolist():
                life.release(row, programme, reason)


def live_contracts(life: Life) -> None:
    """Let today's contracts be signed."""
    one = life.standing.contracts
    emit_round(life.scene, one, (one.signed == life.day) & life.here())


def turn_year(life: Life) -> None:
    """On New Year's Day set the year's examinations and signings, and let last year's packages be completed."""
    year = int(year_of(np.array(life.day)))
    if life.day != day_of(year):
        return
    plan, village, count = life.scene.plan, life.scene.village, len(life.people)
    life.standing.campaign = campaign(plan.stream(Stream.NEW_YEAR, village, year, 0), year, count)
    days = signing_days(plan.stream(Stream.NEW_YEAR, village, year, 1), year, count)
    life.standing.contracts = Round(year, days, life.standing.contracts.reluctance)
    for key, resource in life.journal.standing(BASE, "CarePlan"):
        if resource["status"] == "active" and resource["period"]["end"] < iso(life.day):
            life.journal.amend(key, lambda plan: plan.update(status="completed"))
