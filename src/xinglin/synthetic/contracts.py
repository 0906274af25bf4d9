"""Family-doctor contracts of one village, year by year: Contract and its package as CarePlan."""

from __future__ import annotations

import numpy as np

from xinglin.synthetic.emission import BASE
from xinglin.synthetic.plan import Stream, day_of, iso, table
from xinglin.synthetic.resources import Resource, coded, instant, organization_reference, practitioner_reference
from xinglin.synthetic.scene import Scene

_SIGNATURE = [{"system": "urn:iso-astm:E1762-95:2013", "code": "1.2.840.10065.1.12.1.1", "display": "Author's Signature"}]


def emit_contracts(scene: Scene) -> None:
    """Write the year's contracts; who signs once tends to sign again, key groups (elders, enrolled, small children) more often."""
    random = scene.stream(Stream.CONTRACTS)
    plan, people = scene.plan, scene.people
    rates = table("rates")["episode"]
    lean = random.random(len(people))
    enrolled = {(e.row, e.programme): e for e in scene.episodes}
    for order, year in enumerate(plan.calendar_years):
        signed = day_of(year, 1, 2) + np.floor(random.beta(1.2, 4, len(people)) * 300).astype(np.int64)
        age = (signed - people.population.birth) / 365.25
        key = (age >= 65) | (age < 7) | np.isin(np.arange(len(people)), [row for row, _ in enrolled])
        share = np.where(key, rates["key_contract_share"], rates["contract_share"] * 0.62) * (0.8 + 0.05 * order)
        chosen = (lean < share) & (people.opened <= signed) & people.population.present(signed) & (signed <= plan.last_day)
        for row in np.flatnonzero(chosen).tolist():
            package = next((p for p in ("hypertension", "diabetes2") if (row, p) in enrolled), "elderly" if age[row] >= 65 else "basic")
            _emit_one(scene, row, (year, int(signed[row])), package)


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
        "resourceType": "CarePlan", "id": f"P{scene.record[row]}-{year}", "status": "active" if year == scene.plan.as_of.year else "completed", "intent": "plan",
        "category": [coded("package", package)], "subject": patient, "period": period, "author": practitioner_reference(doctor.number),
        "supportingInfo": [{"reference": f"Contract/C{scene.record[row]}-{year}"}],
    }  # fmt: skip
    scene.emission.put(BASE, "0004-contracts", contract)
    scene.emission.put(BASE, "0004-contracts", plan)
