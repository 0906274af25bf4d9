"""Family-doctor contracts of one village, year by year: Contract and its package as CarePlan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xinglin.synthetic.emission import BASE
from xinglin.synthetic.plan import Stream, day_of, iso, table
from xinglin.synthetic.resources import Resource, coded, instant, organization_reference, practitioner_reference
from xinglin.synthetic.scene import Scene

_SIGNATURE = [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1", "display": "Author's Signature"}]


@dataclass(slots=True)
class Round:
    """A year's contracts as they may come about: each person's day, and how hard to win over (0 to 1, the same every year)."""

    year: int
    signed: np.ndarray
    reluctance: np.ndarray


def emit_contracts(scene: Scene) -> Round:
    """Write the contracts of the period and return its last year's round, which may go on after the day of data."""
    random = scene.stream(Stream.CONTRACTS)
    reluctance = random.random(len(scene.people))
    for year in scene.plan.calendar_years:
        one = Round(year, signing_days(random, year, len(scene.people)), reluctance)
        emit_round(scene, one, one.signed <= scene.plan.last_day)
    return one


def signing_days(random: np.random.Generator, year: int, count: int) -> np.ndarray:
    """Draw the day each person would sign in a year: most in the first months."""
    return np.asarray(day_of(year, 1, 2) + np.floor(random.beta(1.2, 4, count) * 300).astype(np.int64))


def emit_round(scene: Scene, one: Round, now: np.ndarray) -> None:
    """Write the contracts of those of `now` (a mask) who sign: who signs once tends to again, key groups (elders, enrolled, small children) more often."""
    people, rates = scene.people, table("rates")["episode"]
    if not np.any(now):
        return
    enrolled = {(e.row, e.programme) for e in scene.episodes}
    age = (one.signed - people.population.birth) / 365.25
    key = (age >= 65) | (age < 7) | np.isin(np.arange(len(people)), [row for row, _ in enrolled])
    share = np.where(key, rates["key_contract_share"], rates["contract_share"] * 0.62) * (
        0.8 + 0.05 * (one.year - scene.plan.calendar_years[0])
    )
    chosen = (one.reluctance < share) & (people.opened <= one.signed) & people.population.present(one.signed) & now
    for row in np.flatnonzero(chosen).tolist():
        package = next((p for p in ("hypertension", "diabetes2") if (row, p) in enrolled), "elderly" if age[row] >= 65 else "basic")
        _emit_one(scene, row, (one.year, int(one.signed[row])), package)


def _emit_one(scene: Scene, row: int, when: tuple[int, int], package: str) -> None:
    year, signed = when
    doctor = scene.township.one_of("responsible_doctor", scene.village)
    patient = {"reference": f"Patient/{scene.patient(BASE, row)}"}
    period = {"start": iso(signed), "end": f"{year}-12-31"}
    contract: Resource = {
        "resourceType": "Contract", "id": f"C{scene.record[row]}-{year}", "status": "executed", "type": coded("contract", "family-doctor"),
        "issued": instant(signed, 600), "applies": period, "subject": [patient], "authority": [organization_reference(scene.township.code)],
        "signer": [{
            "type": {"system": "http://terminology.hl7.org/CodeSystem/contractsignertypecodes", "code": "HPROV"}, "party": practitioner_reference(doctor.number),
            "signature": [{"type": _SIGNATURE, "when": instant(signed, 600), "who": practitioner_reference(doctor.number)}],
        }],
    }  # fmt: skip
    plan: Resource = {
        "resourceType": "CarePlan", "id": f"P{scene.record[row]}-{year}", "status": "active" if year >= scene.plan.as_of.year else "completed", "intent": "plan",
        "category": [coded("package", package)], "subject": patient, "period": period, "author": practitioner_reference(doctor.number),
        "supportingInfo": [{"reference": f"Contract/C{scene.record[row]}-{year}"}],
    }  # fmt: skip
    scene.emission.put(BASE, "0004-contracts", contract)
    scene.emission.put(BASE, "0004-contracts", plan)
