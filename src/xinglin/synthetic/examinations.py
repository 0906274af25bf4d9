"""Yearly health examinations of elders and enrolled people of one village."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinglin.synthetic.emission import BASE
from xinglin.synthetic.forms import choice, choices, day, number, words
from xinglin.synthetic.plan import FAR, Stream, day_of, iso, whole_years
from xinglin.synthetic.resources import Contact, Resource, blood_pressure, encounter, measurement, response
from xinglin.synthetic.scene import Scene

_FORM = "health-examination"
STAGE = "0007-examinations"
_SELF_CARE = {"eating": (0, 0, 3, 5), "washing": (0, 1, 3, 7), "dressing": (0, 0, 3, 5), "toilet": (0, 1, 5, 10), "activity": (0, 1, 5, 10)}
_COMPLETE = 0.95


@dataclass(frozen=True, slots=True)
class Examination:
    """One examination: person, day, whether every required part was filled."""

    row: int
    day: int
    is_complete: bool


@dataclass(slots=True)
class Campaign:
    """A year's examinations as they may come about: each person's day, how hard to win over (0 to 1), whether all would be filled."""

    year: int
    held: np.ndarray
    reluctance: np.ndarray
    complete: np.ndarray


def campaign(random: np.random.Generator, year: int, count: int) -> Campaign:
    """Draw a year's campaign of three weeks with some stragglers; Sundays off."""
    begin = day_of(year, 3, 15) + int(random.integers(0, 120))
    held = begin + random.integers(0, 21, count) + np.where(random.random(count) < 0.12, random.integers(20, 90, count), 0)
    held = held + ((held + 4) % 7 == 0)
    return Campaign(year, held, random.random(count), random.random(count) < _COMPLETE)


def coming(scene: Scene, year: Campaign, enrolled: np.ndarray) -> np.ndarray:
    """Return who comes to a year's examination: elders and who is `enrolled` then, as far as they are here and can be won over."""
    people = scene.people
    common = scene.township.traits.examined * np.where(scene.health.engaged < 1, 0.6, 1.0)
    wanted = (whole_years(people.population.birth, day_of(year.year, 12, 31)) >= 65) | enrolled
    rate = np.where(enrolled, np.sqrt(common), common)  # who is followed up is reminded more often
    chosen = wanted & (year.reluctance < rate) & (people.opened <= year.held)
    return np.asarray(chosen & people.population.present(year.held) & (people.population.story == 0))


def examine(scene: Scene) -> tuple[list[Examination], Campaign]:
    """Return the examinations of the period, and the campaign of its last year, which may go on after the day of data."""
    random = scene.stream(Stream.EXAMINATIONS)
    found: list[Examination] = []
    for year in scene.plan.calendar_years:
        one = campaign(random, year, len(scene.people))
        chosen = coming(scene, one, _enrolled(scene, one.held)) & (one.held <= scene.plan.last_day)
        found += [Examination(row, int(one.held[row]), bool(one.complete[row])) for row in np.flatnonzero(chosen).tolist()]
    return found, one


def _enrolled(scene: Scene, held: np.ndarray) -> np.ndarray:
    mask = np.zeros(len(scene.people), dtype=bool)
    for e in scene.episodes:
        if e.programme != "elderly" and e.start <= held[e.row] < e.end:
            mask[e.row] = True
    return mask


def emit_examinations(scene: Scene, held: list[Examination]) -> None:
    """Write each examination; entered on the day of data at the latest."""
    random = scene.stream(Stream.EXAMINATION_RECORDS)
    for one in held:
        if not scene.in_hospital(one.row, one.day):
            for resource in recorded(random, scene, one, scene.plan.last_day)[1]:
                scene.emission.put(BASE, STAGE, resource)


def recorded(random: np.random.Generator, scene: Scene, one: Examination, latest: int) -> tuple[int, list[Resource]]:
    """Return the day an examination is entered (not after `latest`), and its Encounter, readings, laboratory values, the form as filled."""
    nurse = scene.township.one_of("nurse", scene.village + one.day)
    contact = Contact(
        id=f"X{scene.record[one.row]}-{iso(one.day).replace('-', '')}", patient=scene.patient(BASE, one.row), service=_FORM, day=one.day,
        minute=int(random.integers(7 * 60 + 30, 11 * 60)), institution=scene.township.code, practitioner=nurse.number,
        entered=min(one.day + int(random.integers(0, 6)), latest),
    )  # fmt: skip
    values = _values(random, scene, one)
    made: list[Resource] = [encounter(contact), blood_pressure(contact, int(values["systolic"]), int(values["diastolic"]))]
    made += [measurement(contact, code, values[link]) for link, code in _CODES.items() if link in values]
    made.append(response(contact, _FORM, _items(random, scene, one, values) + [words("doctor", nurse.name)]))
    return one.day if contact.entered is None else contact.entered, made


_CODES = {
    "height": "8302-2", "weight": "29463-7", "waist": "8280-0", "bmi": "39156-5", "heart_rate": "8867-4", "fasting_glucose": "14771-0",
    "haemoglobin": "718-7", "creatinine": "14682-9", "total_cholesterol": "14647-2", "triglycerides": "14927-8",
}  # fmt: skip


def _values(random: np.random.Generator, scene: Scene, one: Examination) -> dict[str, float]:
    """Return what was measured, in the order and units of the form; an incomplete examination lacks the laboratory part."""
    health, row = scene.health, one.row
    male = scene.people.population.sex[row] == 1
    z = random.normal(size=9).tolist()
    systolic = int(min(max(health.systolic[row] + 7 * z[0], 92), 215))
    height, weight = float(health.height[row]), round(float(health.weight[row]) + z[1], 1)
    bmi = round(weight / (height / 100) ** 2, 1)
    values = {
        "systolic": systolic, "diastolic": int(min(max(80 + 0.4 * (systolic - 135) + 5 * z[2], 48), systolic - 18)), "height": height, "weight": weight,
        "waist": round((84 if male else 81) + 2.4 * (bmi - 23.5) + 3 * z[3], 1), "bmi": bmi, "heart_rate": int(74 + 8 * z[4]),
    }  # fmt: skip
    if one.is_complete:
        values |= {
            "fasting_glucose": round(float(health.glucose[row]) * float(np.exp(0.1 * z[5])), 1), "haemoglobin": int((146 if male else 131) + 12 * z[6]),
            "creatinine": round((80 if male else 64) * float(np.exp(0.18 * z[7])), 1), "total_cholesterol": round(4.9 + 0.9 * z[8], 2),
            "triglycerides": round(1.5 * float(np.exp(0.45 * z[3])), 2),
        }  # fmt: skip
    return values


def _items(random: np.random.Generator, scene: Scene, one: Examination, values: dict[str, float]) -> list[Resource]:
    age = float(whole_years(scene.people.population.birth[one.row], one.day))
    items = [day("exam_date", one.day), *(number(link, value) for link, value in values.items())]
    if age >= 65:
        items += _elder_items(random, age)
    items.append(choice(_FORM, "smoking_status", "3" if scene.health.smoker[one.row] else "1"))
    if one.is_complete:
        items += [choice(_FORM, name, "2" if random.random() < share else "1") for name, share in (("ecg", 0.18), ("ultrasound", 0.22))]
        items.append(choices(_FORM, "guidance", _guidance(scene, one.row, values)))
    items.append({"linkId": "complete", "answer": [{"valueBoolean": one.is_complete}]})
    return [*items, day("next_exam_date", one.day + 365)]


def _guidance(scene: Scene, row: int, values: dict[str, float]) -> list[str]:
    codes = ["1"] if min(int(scene.health.hypertension_known[row]), int(scene.health.diabetes_known[row])) < FAR else []
    high = values["systolic"] >= 140 or values["fasting_glucose"] >= 7.0
    return codes + (["2"] if high or not codes else []) + (["3"] if values["systolic"] >= 180 else [])


def _elder_items(random: np.random.Generator, age: float) -> list[Resource]:
    """Return self-care (five items, total, class 0-3, 4-8, 9-18, from 19), cognition and mood. Source: 规范（第三版）老年人自理评估, unverified."""
    frail = float(random.random() < 0.03 + max(0.0, age - 72) * 0.008)
    levels = (random.random(5) < 0.55 * frail).astype(int) * random.integers(1, 4, 5)
    scores = {name: scale[level] for (name, scale), level in zip(_SELF_CARE.items(), levels.tolist(), strict=True)}
    total = sum(scores.values())
    grade = 1 + sum(total >= limit for limit in (4, 9, 19))
    items = [number(f"self_care_{name}", score) for name, score in scores.items()]
    items += [number("self_care_total", total), choice(_FORM, "self_care_class", str(grade))]
    return items + [
        choice(_FORM, name, "2" if random.random() < share else "1")
        for name, share in (("cognition", 0.04 + 0.1 * frail), ("emotion", 0.03))
    ]
