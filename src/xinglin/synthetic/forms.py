"""The two follow-up forms and the examination form, filled: lists of QuestionnaireResponse items with the contract's linkIds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from xinglin.synthetic.plan import iso
from xinglin.synthetic.resources import Resource

Drug = tuple[str, int, float, str]


@cache
def choice(form: str, link: str, code: str) -> Resource:
    """Return an item answered with one code of the form's own table."""
    return {"linkId": link, "answer": [{"valueCoding": {"system": f"urn:xinglin:cs:{form}:{link}", "code": code}}]}


def choices(form: str, link: str, codes: Iterable[str]) -> Resource:
    """Return an item answered with several codes."""
    return {"linkId": link, "answer": [{"valueCoding": {"system": f"urn:xinglin:cs:{form}:{link}", "code": c}} for c in codes]}


def number(link: str, value: float) -> Resource:
    """Return an item answered with a number."""
    return {"linkId": link, "answer": [{"valueDecimal": value}]}


def day(link: str, value: int) -> Resource:
    """Return an item answered with a date (days since 1970-01-01)."""
    return {"linkId": link, "answer": [{"valueDate": iso(value)}]}


def words(link: str, value: str) -> Resource:
    """Return an item answered with text."""
    return {"linkId": link, "answer": [{"valueString": value}]}


@dataclass(frozen=True, slots=True)
class Filled:
    """What a worker wrote at a follow-up; 0 = left empty. Units as in the form."""

    day: int
    way: int
    symptoms: tuple[str, ...]
    systolic: int
    diastolic: int
    weight: float
    height: float
    heart_rate: int
    glucose: float
    cigarettes: int
    salt: int
    adherence: int
    adverse: int
    outcome: int
    drugs: tuple[Drug, ...]
    next_day: int
    refer_to: str
    refer_reason: str
    doctor: str
    turn: int


def followup_items(form: str, filled: Filled) -> list[Resource]:
    """Return the items of `hypertension-followup` or `diabetes2-followup`."""
    items = [day("visit_date", filled.day), choice(form, "way", str(filled.way)), choices(form, "symptoms", filled.symptoms)]
    items += _readings(filled)
    items += _lifestyle(form, filled)
    if form == "diabetes2-followup":
        items += _diabetes(form, filled)
    if filled.adherence:
        items.append(choice(form, "medication_adherence", str(filled.adherence)))
    items.append(choice(form, "adverse_reaction", "2" if filled.adverse else "1"))
    if filled.adverse:
        items.append(words("adverse_reaction_text", "干咳" if form == "hypertension-followup" else "胃部不适"))
    items.append(choice(form, "danger_signs", "1"))
    if filled.outcome:
        items.append(choice(form, "outcome_class", str(filled.outcome)))
    items += [_drug(drug) for drug in filled.drugs]
    if filled.refer_reason:
        items += [words("referral_reason", filled.refer_reason), words("referral_institution", filled.refer_to)]
    return [*items, day("next_visit_date", filled.next_day), words("doctor", filled.doctor)]


def _readings(filled: Filled) -> list[Resource]:
    items = []
    if filled.systolic:
        items += [number("systolic", filled.systolic), number("diastolic", filled.diastolic)]
    if filled.way != 3:
        metres = filled.height / 100
        items += [
            number("weight", filled.weight), number("weight_target", round(min(filled.weight, 23.9 * metres**2), 1)),
            number("height", filled.height), number("bmi", round(filled.weight / metres**2, 1)), number("bmi_target", 23.9),
            number("heart_rate", filled.heart_rate),
        ]  # fmt: skip
    return items


def _lifestyle(form: str, filled: Filled) -> list[Resource]:
    items = [
        number("smoking", filled.cigarettes), number("smoking_target", 0), number("drinking", filled.turn % 3), number("drinking_target", 0),
        number("exercise_times", 2 + filled.turn % 5), number("exercise_times_target", 5), number("exercise_minutes", 20 + 10 * (filled.turn % 3)),
        number("exercise_minutes_target", 30), choice(form, "psychological", "1" if filled.turn % 7 else "2"),
        choice(form, "compliance_behaviour", "1" if filled.adherence == 1 else "2"),
    ]  # fmt: skip
    if form == "hypertension-followup":
        items += [choice(form, "salt", str(filled.salt)), choice(form, "salt_target", "1")]
    return items


def _diabetes(form: str, filled: Filled) -> list[Resource]:
    items = [
        number("staple_food", 250 + 50 * (filled.turn % 4)),
        number("staple_food_target", 250),
        choice(form, "hypoglycaemia", "1" if filled.turn % 19 else "2"),
    ]
    if filled.way != 3:
        items.append(choice(form, "foot_pulse", "1" if filled.turn % 13 else "2"))
    if filled.glucose:
        items.append(number("fasting_glucose", filled.glucose))
    return items


@cache
def _drug(drug: Drug) -> Resource:
    name, times, dose, unit = drug
    return {
        "linkId": "drugs",
        "item": [words("drug_name", name), number("drug_times_per_day", times), number("drug_dose", dose), words("drug_dose_unit", unit)],
    }
