"""Immunisations of one village's children under seven, as the immunisation system holds them."""

from __future__ import annotations

from datetime import date

import numpy as np

from xinglin.synthetic.emission import IMMUNIZATION
from xinglin.synthetic.plan import EPOCH, Stream, iso, table
from xinglin.synthetic.resources import organization_reference
from xinglin.synthetic.scene import Scene

_GIVEN = 0.965
_MONTH = 30.44


Dose = tuple[str, str, int]
"""Code and name of the vaccine, number of the dose."""


def emit_immunizations(scene: Scene) -> list[tuple[int, int, Dose]]:
    """Write the doses given by the day of data while the child lived here; return the others as (row, day, dose)."""
    random = scene.stream(Stream.CHILDREN)
    population, last = scene.people.population, scene.plan.last_day
    later = []
    for row in np.flatnonzero(population.birth > last - 7 * 365.25).tolist():
        for given, dose in draw_doses(random, int(population.birth[row])):
            if given > last:
                later.append((row, given, dose))
            elif population.present(given)[row]:
                emit_dose(scene, row, dose, given)
    return later


def draw_doses(random: np.random.Generator, birth: int) -> list[tuple[int, Dose]]:
    """Draw (day, dose) of a child's immunisations: most in time, few missed."""
    loyal = random.random() < 0.97
    found = []
    for vaccine, name, dose, months in schedule(birth):
        due = birth + round(months * _MONTH)
        given = due + int(random.gamma(1.2, 9)) * (months > 0) + int(random.random() < 0.1) * (months == 0)
        if random.random() < (_GIVEN if loyal else 0.5):
            found.append((given, (vaccine, name, dose)))
    return found


def schedule(birth: int) -> list[tuple[str, str, int, int]]:
    """Return (vaccine, name, dose number, age in months) in order of age for a child born that day.

    Source: 国家免疫规划疫苗儿童免疫程序（2021年版）; DTaP ages of 2025 for children born from the day of change (from memory, unverified).
    """
    content = table("clinical")
    change = date.fromisoformat(content["dtap_change"]).toordinal() - EPOCH
    dtap = ("DTaP", "百白破疫苗", content["dtap_after" if birth >= change else "dtap_before"])
    doses = [(v, n, k + 1, age) for v, n, ages in [*content["vaccines"], dtap] for k, age in enumerate(ages)]
    return sorted(doses, key=lambda dose: dose[3])


def emit_dose(scene: Scene, row: int, dose: Dose, given: int) -> None:
    """Write the Immunization of a dose given on a day."""
    vaccine, name, number = dose
    patient = scene.patient(IMMUNIZATION, row)
    scene.notice(IMMUNIZATION, row, given)
    scene.emission.put(IMMUNIZATION, "0002-immunizations", {
        "resourceType": "Immunization", "id": f"{patient}-{vaccine}-{number}", "status": "completed",
        "vaccineCode": {"coding": [{"system": "urn:xinglin:cs:vaccine", "code": vaccine, "display": name}]}, "patient": {"reference": f"Patient/{patient}"},
        "occurrenceDateTime": iso(given), "primarySource": True, "lotNumber": f"{given // 30:06d}{vaccine[0]}",
        "performer": [{"actor": organization_reference(scene.township.code)}], "protocolApplied": [{"doseNumberPositiveInt": number}],
    })  # fmt: skip
