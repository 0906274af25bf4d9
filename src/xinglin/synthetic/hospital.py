"""Outpatient visits and admissions of one village's people, at the township hospital and the county hospital."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from xinglin.synthetic.emission import BASE, COUNTY_HIS, TOWNSHIP_HIS
from xinglin.synthetic.followups import Visits
from xinglin.synthetic.plan import FAR, YEAR, Stream, table, whole_years
from xinglin.synthetic.resources import Contact, Resource, blood_pressure, condition, encounter, measurement
from xinglin.synthetic.samples import NEWEST_DAYS
from xinglin.synthetic.scene import Scene

_HYPERTENSION = ("I10.x00x002", "高血压病")
_DIABETES = ("E11.900", "2型糖尿病")
AT_TOWN: Final = 0.62
IN_COUNTY: Final = 0.75
DIES_IN_HOSPITAL: Final = 0.33
FOUND_IN_COUNTY: Final = 0.55


@dataclass(frozen=True, slots=True)
class Attendance:
    """One contact with a hospital: person, kind, first and last day, source, diagnosis made now ("" or programme), whether it ended in death."""

    row: int
    kind: str
    day: int
    end: int
    source: str
    finding: str = ""
    died: bool = False


def attend(scene: Scene, visits: Visits) -> list[Attendance]:
    """Return attendances in order of day; no admission covers a follow-up visit (the truth cases add those)."""
    random = scene.stream(Stream.VISITS)
    found = _findings(random, scene) + _outpatients(random, scene) + _admissions(random, scene, visits)
    for one in found:
        scene.notice(one.source, one.row, one.day)
        if one.kind == "inpatient":
            scene.admissions.setdefault(one.row, []).append((one.day, one.end))
    return sorted(found, key=lambda one: (one.day, one.row, one.kind))


def _days(random: np.random.Generator, scene: Scene, rate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Draw (rows, days) of events at a yearly rate per person, while present."""
    plan, population = scene.plan, scene.people.population
    times = random.poisson(rate * plan.span_years)
    rows = np.repeat(np.arange(len(rate)), times)
    days = plan.first_day + np.floor(random.random(len(rows)) * (plan.last_day - plan.first_day + 1)).astype(np.int64)
    here = (population.birth[rows] <= days) & (population.death[rows] > days) & (population.arrive[rows] <= days)
    here &= ~((population.leave[rows] <= days) & (population.back[rows] > days))
    return rows[here], days[here]


def outpatient_rate(scene: Scene, day: int) -> np.ndarray:
    """Return outpatient visits per year of each person at the age and health of a day."""
    age = (day - scene.people.population.birth) / YEAR
    ill = np.minimum(scene.health.hypertension_onset, scene.health.diabetes_onset) <= day
    weight = np.where(age < 7, 1.3, np.where(age < 35, 0.6, np.where(age < 65, 0.95, 1.6))) * np.where(ill, 1.35, 0.9)
    return np.asarray(table("rates")["visits"]["outpatient"] * weight)


def inpatient_rate(scene: Scene, day: int) -> np.ndarray:
    """Return admissions per year of each person at the age of a day."""
    age = (day - scene.people.population.birth) / YEAR
    weight = np.where(age < 15, 0.5, np.where(age < 45, 0.5, np.where(age < 65, 1.1, 2.6)))
    return np.asarray(table("rates")["visits"]["inpatient"] * weight)


def _outpatients(random: np.random.Generator, scene: Scene) -> list[Attendance]:
    rates = table("rates")["visits"]
    rows, days = _days(random, scene, outpatient_rate(scene, scene.plan.last_day))
    at_town = random.random(len(rows)) < AT_TOWN
    urgent = random.random(len(rows)) < rates["emergency_share"]
    return [
        Attendance(row, "emergency" if e else "outpatient", day, day, TOWNSHIP_HIS if t and not e else COUNTY_HIS)
        for row, day, t, e in zip(rows.tolist(), days.tolist(), at_town.tolist(), urgent.tolist(), strict=True)
    ]


def _admissions(random: np.random.Generator, scene: Scene, visits: Visits) -> list[Attendance]:
    population, last = scene.people.population, scene.plan.last_day
    rows, days = _days(random, scene, inpatient_rate(scene, last))
    stay = 3 + random.poisson(5, len(rows))
    busy = set(zip(visits.row.tolist(), visits.day.tolist(), strict=True))
    found: list[Attendance] = []
    taken: dict[int, int] = {}
    for row, day, length, place in sorted(zip(rows.tolist(), days.tolist(), stay.tolist(), random.random(len(rows)).tolist(), strict=True)):
        end = day + length
        leaves = min(int(population.death[row]), int(population.leave[row]) if population.leave[row] > day else FAR, last + 1)
        if end < leaves and taken.get(row, 0) < day and not any((row, d) in busy for d in range(day, end + 1)):
            taken[row] = end
            found.append(Attendance(row, "inpatient", day, end, COUNTY_HIS if place < IN_COUNTY else TOWNSHIP_HIS))
    return found + _last_admissions(random, scene, (taken, busy))


def _last_admissions(random: np.random.Generator, scene: Scene, known: tuple[dict[int, int], set[tuple[int, int]]]) -> list[Attendance]:
    """Return the admissions that ended in death: about a third of the deaths that happened here."""
    taken, busy = known
    population = scene.people.population
    found = []
    for row in np.flatnonzero(population.death < FAR).tolist():
        death, stay, draw = int(population.death[row]), int(random.integers(1, 9)), random.random()
        here = bool(population.present(death - stay)[row]) and bool(population.present(death - 1)[row])
        free = taken.get(row, 0) < death - stay and not any((row, d) in busy for d in range(death - stay, death + 1))
        if draw < DIES_IN_HOSPITAL and here and free and death - stay >= scene.plan.first_day:
            found.append(Attendance(row, "inpatient", death - stay, death, COUNTY_HIS, died=True))
    return found


def _findings(random: np.random.Generator, scene: Scene) -> list[Attendance]:
    """Return the visits at which hypertension or diabetes was first diagnosed within the period."""
    plan, population = scene.plan, scene.people.population
    found = []
    for programme, known in (("hypertension", scene.health.hypertension_known), ("diabetes2", scene.health.diabetes_known)):
        for row in np.flatnonzero((known >= plan.first_day) & (known <= plan.last_day)).tolist():
            day, draw = int(known[row]), random.random()
            if population.present(day)[row]:
                at_county = draw < FOUND_IN_COUNTY or population.story[row] > 0
                found.append(Attendance(row, "outpatient", day, day, COUNTY_HIS if at_county else TOWNSHIP_HIS, programme))
    return found


@dataclass(slots=True)
class Reception:
    """The hospitals' desk: how often each person has come to each source. holds_back: the county's last days go out as bundles."""

    scene: Scene
    random: np.random.Generator
    serials: dict[tuple[str, int], int] = field(default_factory=dict)
    holds_back: bool = True


def emit_attendances(reception: Reception, attended: list[Attendance]) -> None:
    """Write each attendance: Encounter, diagnoses (some without a code), pressure at the visit, laboratory glucose."""
    scene, random = reception.scene, reception.random
    for one in attended:
        serial = reception.serials[one.source, one.row] = reception.serials.get((one.source, one.row), 0) + 1
        institution = scene.hospital if one.source == COUNTY_HIS else scene.township
        patient = scene.patient(one.source, one.row)
        contact = Contact(
            id=f"{patient}-{one.kind[0]}{serial}", patient=patient, service=one.kind, day=one.day, minute=int(random.integers(480, 1020)),
            institution=institution.code, practitioner=institution.one_of("physician", int(random.integers(0, 50))).number, end=one.end,
        )  # fmt: skip
        resource = encounter(contact)
        if one.died:
            concept = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "exp"}]}
            resource["hospitalization"] = {"dischargeDisposition": concept}
        stage = "0003-inpatient" if one.kind == "inpatient" else "0002-outpatient"
        for made in [resource, *_diagnoses(random, scene, one, contact), *_tests(random, scene, one, contact)]:
            if reception.holds_back and one.source == COUNTY_HIS and one.day > scene.plan.last_day - NEWEST_DAYS:
                scene.emission.newest.append((one.day, made))
            else:
                scene.emission.put(one.source, stage, made)


def _diagnoses(random: np.random.Generator, scene: Scene, one: Attendance, contact: Contact) -> list[Resource]:
    content, health = table("clinical"), scene.health
    chosen: list[tuple[str, str]] = []
    if one.finding:
        chosen.append(_HYPERTENSION if one.finding == "hypertension" else _DIABETES)
    elif one.kind == "inpatient":
        shelf = content["deaths" if one.died else "admissions"]
        code, name = shelf[int(random.integers(len(shelf)))]
        chosen.append((code, name))
    else:
        age = int(whole_years(scene.people.population.birth[one.row], one.day))
        column = 2 if age < 15 else 3 if age < 65 else 4
        code, name = _weighted(random, content["diagnoses"], column)
        chosen.append((code, name))
    for known, diagnosis in ((health.hypertension_known, _HYPERTENSION), (health.diabetes_known, _DIABETES)):
        if int(known[one.row]) < one.day and diagnosis not in chosen and random.random() < 0.35:
            chosen.append(diagnosis)
    coding = (scene.hospital if one.source == COUNTY_HIS else scene.township).traits.coded
    return [condition(contact, n, (code if random.random() < coding else None, name)) for n, (code, name) in enumerate(chosen)]


def _weighted(random: np.random.Generator, shelf: list[list[Any]], column: int) -> tuple[str, str]:
    """Return (code, name) of a row of the shelf, drawn by the weights in a column."""
    weights = np.cumsum([row[column] for row in shelf])
    row = shelf[int(np.searchsorted(weights, random.random() * weights[-1], side="right"))]
    return str(row[0]), str(row[1])


def _tests(random: np.random.Generator, scene: Scene, one: Attendance, contact: Contact) -> list[Resource]:
    """Return pressure (first visit of the year from 35 on, roughly) and fasting glucose where they were taken."""
    health, row = scene.health, one.row
    age = int(whole_years(scene.people.population.birth[row], one.day))
    made: list[Resource] = []
    if one.finding == "hypertension" or (age >= 35 and random.random() < (0.9 if one.kind == "inpatient" else 0.38)):
        raised = 14 if one.finding == "hypertension" else 0
        systolic = int(min(max(float(health.systolic[row]) + raised + 8 * random.normal(), 142 if raised else 90), 210))
        diastolic = int(min(max(81 + 0.4 * (systolic - 135) + 5 * random.normal(), 50), min(systolic - 20, 125)))
        made.append(blood_pressure(contact, systolic, diastolic))
    known = int(health.diabetes_known[row]) <= one.day
    if one.finding == "diabetes2" or random.random() < (0.9 if one.kind == "inpatient" else 0.35 if known else 0.06 if age >= 35 else 0.0):
        glucose = float(health.glucose[row]) * float(np.exp(0.1 * random.normal()))
        made.append(measurement(contact, "14771-0", round(max(glucose, 7.1) if one.finding == "diabetes2" else max(glucose, 3.6), 1)))
    return made


def open_drafts(scene: Scene, attended: list[Attendance], visits: Visits) -> list[tuple[int, int]]:
    """Return (row, day) of recent township visits of people enrolled for hypertension that nobody completed as a follow-up yet."""
    last = scene.plan.last_day
    latest = dict(zip(visits.row.tolist(), visits.day.tolist(), strict=True))
    enrolled = {e.row for e in scene.episodes if e.programme == "hypertension" and e.end == FAR}
    found: dict[int, int] = {}
    for one in attended:
        recent = one.kind == "outpatient" and one.source == TOWNSHIP_HIS and last - 21 <= one.day <= last
        if (
            recent
            and one.row in enrolled
            and latest.get(one.row, 0) < one.day - 5
            and scene.people.population.story[one.row] == 0
            and scene.patient(BASE, one.row)
        ):
            found[one.row] = one.day
    return sorted(found.items())
