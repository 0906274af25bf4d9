"""FHIR R4 resources as the content contract wants them (docs/reference/programmes-in-fhir.md), without meta.

Ids are the source's own; Organization and Practitioner are referred to by their registered numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from xinglin.synthetic.numbers import INSTITUTION_CODE, PRACTITIONER_NUMBER
from xinglin.synthetic.plan import iso

Resource = dict[str, Any]
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
ICD10: Final = "urn:oid:2.16.156.10011.2.3.3.11.3"
FOLLOWUP_WAY: Final = "urn:oid:2.16.156.10011.2.3.1.183"
_WAYS: Final = {1: ("AMB", "门诊"), 2: ("HH", "家庭"), 3: ("VR", "电话")}
_CLASS_NAMES: Final = {"AMB": "ambulatory", "HH": "home health", "VR": "virtual", "IMP": "inpatient encounter", "EMER": "emergency"}

# code: (unit shown, UCUM code, category)
MEASURES: Final = {
    "8867-4": ("/min", "/min", "vital-signs"), "29463-7": ("kg", "kg", "vital-signs"), "8302-2": ("cm", "cm", "vital-signs"),
    "39156-5": ("kg/m2", "kg/m2", "vital-signs"), "8280-0": ("cm", "cm", "vital-signs"), "14771-0": ("mmol/L", "mmol/L", "laboratory"),
    "4548-4": ("%", "%", "laboratory"), "718-7": ("g/L", "g/L", "laboratory"), "14682-9": ("umol/L", "umol/L", "laboratory"),
    "14647-2": ("mmol/L", "mmol/L", "laboratory"), "14927-8": ("mmol/L", "mmol/L", "laboratory"),
}  # fmt: skip


@cache
def organization_reference(code: str) -> Resource:
    """Return a logical reference to an institution by its code."""
    return {"type": "Organization", "identifier": {"system": INSTITUTION_CODE, "value": code}}


@cache
def practitioner_reference(number: str) -> Resource:
    """Return a logical reference to a member of staff by number."""
    return {"type": "Practitioner", "identifier": {"system": PRACTITIONER_NUMBER, "value": number}}


def instant(day: int, minute: int) -> str:
    """Return a moment of the district's day (+08:00).

    >>> instant(20000, 510)
    '2024-10-04T08:30:00+08:00'
    """
    return f"{iso(day)}T{minute // 60:02d}:{minute % 60:02d}:00+08:00"


def coded(system: str, code: str) -> Resource:
    """Return a CodeableConcept with one coding of ours (`urn:xinglin:cs:` is added)."""
    return _coded(system, code)


@cache
def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"urn:xinglin:cs:{system}", "code": code}]}


@cache
def _category(code: str) -> list[Resource]:
    return [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": code}]}]


@cache
def _loinc(code: str) -> Resource:
    return {"coding": [{"system": LOINC, "code": code}]}


@dataclass(frozen=True, slots=True)
class Contact:
    """One encounter: source id, patient id, service, day and minute, institution, practitioner number.

    end: last day (admissions); way: 1 to 3 for follow-ups; entered: day of entry; episode: id of the EpisodeOfCare.
    """

    id: str
    patient: str
    service: str
    day: int
    minute: int
    institution: str
    practitioner: str
    end: int | None = None
    way: int = 1
    entered: int | None = None
    episode: str | None = None
    status: str = "finished"

    @property
    def at(self) -> str:
        """Return the moment it began."""
        return instant(self.day, self.minute)


def encounter(contact: Contact) -> Resource:
    """Return the Encounter of a contact."""
    followup = contact.service.startswith("followup-")
    kind = _WAYS[contact.way][0] if followup else {"inpatient": "IMP", "emergency": "EMER"}.get(contact.service, "AMB")
    resource: Resource = {
        "resourceType": "Encounter", "id": contact.id, "status": contact.status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": kind, "display": _CLASS_NAMES[kind]},
        "type": [coded("service", contact.service)], "subject": {"reference": f"Patient/{contact.patient}"},
        "participant": [{"individual": practitioner_reference(contact.practitioner)}],
        "period": {"start": contact.at, "end": instant(contact.day if contact.end is None else contact.end, min(contact.minute + 20, 1439))},
        "serviceProvider": organization_reference(contact.institution),
    }  # fmt: skip
    if contact.episode:
        resource["episodeOfCare"] = [{"reference": f"EpisodeOfCare/{contact.episode}"}]
    extensions = []
    if followup:
        way = {"system": FOLLOWUP_WAY, "code": str(contact.way), "display": _WAYS[contact.way][1]}
        extensions.append({"url": "urn:xinglin:ext:followup-way", "valueCoding": way})
    if contact.entered is not None:
        extensions.append({"url": "urn:xinglin:ext:entered-on", "valueDateTime": instant(contact.entered, min(contact.minute + 90, 1439))})
    if extensions:
        resource["extension"] = extensions
    return resource


def _observation(contact: Contact, tail: str, category: str) -> Resource:
    return {
        "resourceType": "Observation", "id": f"{contact.id}-{tail}", "status": "final", "category": _category(category),
        "subject": {"reference": f"Patient/{contact.patient}"}, "encounter": {"reference": f"Encounter/{contact.id}"},
        "effectiveDateTime": contact.at, "performer": [organization_reference(contact.institution)],
    }  # fmt: skip


def blood_pressure(contact: Contact, systolic: int, diastolic: int) -> Resource:
    """Return the blood-pressure panel, mmHg."""
    resource = _observation(contact, "bp", "vital-signs")
    resource["code"] = _loinc("85354-9")
    resource["component"] = [
        {"code": _loinc(code), "valueQuantity": {"value": value, "unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}}
        for code, value in (("8480-6", systolic), ("8462-4", diastolic))
    ]
    return resource


def measurement(contact: Contact, code: str, value: float) -> Resource:
    """Return a numeric Observation; `code` is one of MEASURES."""
    unit, ucum, category = MEASURES[code]
    resource = _observation(contact, code, category)
    resource["code"] = _loinc(code)
    resource["valueQuantity"] = {"value": value, "unit": unit, "system": UCUM, "code": ucum}
    return resource


def condition(contact: Contact, serial: int, diagnosis: tuple[str | None, str], verification: str = "confirmed") -> Resource:
    """Return the Condition of a contact; a diagnosis without code keeps its text only."""
    code, text = diagnosis
    concept: Resource = {"text": text}
    if code:
        concept["coding"] = [{"system": ICD10, "code": code, "display": text}]
    return {
        "resourceType": "Condition", "id": f"{contact.id}-dx{serial}",
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "verificationStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": verification}]},
        "code": concept, "subject": {"reference": f"Patient/{contact.patient}"}, "encounter": {"reference": f"Encounter/{contact.id}"},
        "onsetDateTime": iso(contact.day), "recordedDate": iso(contact.day), "recorder": practitioner_reference(contact.practitioner),
    }  # fmt: skip


def medication(contact: Contact, serial: int, drug: tuple[str, int, float, str]) -> Resource:
    """Return a medicine in use: name, times a day, dose, unit."""
    name, times, dose, unit = drug
    return {
        "resourceType": "MedicationStatement", "id": f"{contact.id}-rx{serial}", "status": "active",
        "medicationCodeableConcept": {"text": name}, "subject": {"reference": f"Patient/{contact.patient}"},
        "context": {"reference": f"Encounter/{contact.id}"}, "effectiveDateTime": iso(contact.day),
        "dosage": [{
            "text": f"每日{times}次，每次{dose:g}{unit}", "timing": {"repeat": {"frequency": times, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": {"value": dose, "unit": unit, "system": UCUM, "code": unit}}],
        }],
    }  # fmt: skip


def response(contact: Contact, form: str, items: list[Resource]) -> Resource:
    """Return the form as filled at a contact."""
    return {
        "resourceType": "QuestionnaireResponse", "id": f"{contact.id}-form", "questionnaire": f"urn:xinglin:form:{form}|1",
        "status": "completed" if contact.status == "finished" else "in-progress",
        "subject": {"reference": f"Patient/{contact.patient}"}, "encounter": {"reference": f"Encounter/{contact.id}"},
        "authored": contact.at, "author": practitioner_reference(contact.practitioner), "item": items,
    }  # fmt: skip


def task(identity: tuple[str, str], patient: str, focus: str, status: str, authored: str) -> Resource:
    """Return a Task: (source id, code of urn:xinglin:cs:task), whose it is, what it is about, how it stands, since when."""
    return {
        "resourceType": "Task", "id": identity[0], "status": status, "intent": "order", "code": coded("task", identity[1]),
        "focus": {"reference": focus}, "for": {"reference": f"Patient/{patient}"}, "authoredOn": authored,
    }  # fmt: skip
