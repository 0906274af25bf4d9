"""Resources as docs/reference/programmes-in-fhir.md describes them, for tests of the lake."""

from __future__ import annotations

from typing import Any

LOINC = "http://loinc.org"
Resource = dict[str, Any]


def patient(number: str = "p1", **changes: Any) -> Resource:
    """A woman born in 1960, usually living in village 420999101201."""
    return {
        "resourceType": "Patient",
        "id": number,
        "name": [{"use": "official", "text": "示例甲"}],
        "gender": "female",
        "birthDate": "1960-02-03",
        "address": [{"text": "示例村一组", "extension": [{"url": "urn:xinglin:ext:division", "valueCode": "420999101201"}]}],
        "managingOrganization": {"reference": "Organization/o1"},
        "extension": [
            {"url": "urn:xinglin:ext:residence-type", "valueCode": "1"},
            {"url": "urn:xinglin:ext:residence-status", "valueCode": "resident"},
            {"url": "urn:xinglin:ext:record-opened-on", "valueDate": "2012-05-06"},
        ],
        **changes,
    }


def encounter(number: str = "e1", start: str = "2026-11-20T23:30:00Z", who: str = "p1") -> Resource:
    """A follow-up at the clinic; 23:30 UTC is the next day in China."""
    return {
        "resourceType": "Encounter",
        "id": number,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": "urn:xinglin:cs:service", "code": "followup-hypertension"}]}],
        "subject": {"reference": f"Patient/{who}"},
        "participant": [{"individual": {"reference": "Practitioner/d1"}}],
        "period": {"start": start},
        "serviceProvider": {"reference": "Organization/o1"},
        "episodeOfCare": [{"reference": "EpisodeOfCare/c1"}],
        "extension": [
            {"url": "urn:xinglin:ext:followup-way", "valueCoding": {"system": "urn:oid:2.16.156.10011.2.3.1.183", "code": "1"}},
            {"url": "urn:xinglin:ext:entered-on", "valueDateTime": "2026-11-22T09:00:00+08:00"},
        ],
    }


def _mmhg(code: str, value: float) -> Resource:
    quantity = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": quantity}


def blood_pressure(number: str = "b1", systolic: float = 152, diastolic: float = 96, who: str = "p1") -> Resource:
    """A blood pressure taken at encounter e1."""
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
        "subject": {"reference": f"Patient/{who}"},
        "encounter": {"reference": "Encounter/e1"},
        "effectiveDateTime": "2026-11-21T08:10:00+08:00",
        "performer": [{"reference": "Organization/o1"}],
        "component": [_mmhg("8480-6", systolic), _mmhg("8462-4", diastolic)],
    }


def measurement(number: str = "m1", value: float = 7.2, who: str = "p1", day: str = "2026-11-21") -> Resource:
    """A fasting glucose known to the day."""
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "code": {"coding": [{"system": "urn:other", "code": "GLU"}, {"system": LOINC, "code": "14771-0"}]},
        "subject": {"reference": f"Patient/{who}"},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }


def form(number: str = "q1", status: str = "completed") -> Resource:
    """A hypertension follow-up form with an answer of every kind, one of them text."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": number,
        "questionnaire": "urn:xinglin:form:hypertension-followup|1",
        "status": status,
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "authored": "2026-11-21T08:10:00+08:00",
        "item": [
            {"linkId": "visit_date", "answer": [{"valueDate": "2026-11-21"}]},
            {"linkId": "symptoms", "answer": [{"valueCoding": {"code": "2"}}, {"valueCoding": {"code": "7"}}]},
            {"linkId": "symptoms_other", "answer": [{"valueString": "自由文字"}]},
            {"linkId": "systolic", "answer": [{"valueDecimal": 152}]},
            {"linkId": "complete", "answer": [{"valueBoolean": True}]},
            {"linkId": "drugs", "item": [{"linkId": "drug_times_per_day", "answer": [{"valueDecimal": 2.0}]}]},
        ],
    }
