"""Whose record a resource belongs to, and the day it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from xinglin.fhir.extractor import Extractor, extractor
from xinglin.fhir.index_values import period_of
from xinglin.fhir.instants import EARLIEST, LATEST, Span, parse_datetime
from xinglin.fhir.model import load_definitions


@cache
def _compartment_reader(resource_type: str) -> tuple[Extractor, dict[str, int]] | None:
    params = load_definitions().patient_compartment.get(resource_type)
    if not params:
        return None
    ranks = {param: rank for rank, param in enumerate(params)}
    return extractor(resource_type, UTC, frozenset(params)), ranks


def patient_references(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the Patients in whose compartment a resource stands, without repeats: the one it is about before performers and authors.

    Each is `Patient/id` for a relative reference, else the absolute URL or urn as written; a urn counts where the element can only be a
    Patient or `Reference.type` says so, so rewrite a transaction's references first. A Patient's own `Patient/id` comes first for itself.
    Source: HL7 FHIR R4 4.0.1, CompartmentDefinition/patient.
    """
    resource_type = resource["resourceType"]
    own = [f"Patient/{resource['id']}"] if resource_type == "Patient" and "id" in resource else []
    reader = _compartment_reader(resource_type)
    if reader is None:
        return tuple(own)
    extract, ranks = reader
    found = [(ranks[param], text) for param, kind, text in extract(resource).references if kind == "Patient"]
    found.sort(key=lambda pair: pair[0])
    return tuple(dict.fromkeys(own + [text if ":" in text else f"Patient/{text}" for _, text in found]))


MAIN_DATES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Account": ("servicePeriod",),
        "AdverseEvent": ("date", "detected", "recordedDate"),
        "AllergyIntolerance": ("onsetDateTime", "onsetPeriod", "recordedDate", "lastOccurrence"),
        "Appointment": ("start", "created"),
        "AppointmentResponse": ("start",),
        "AuditEvent": ("recorded",),
        "Basic": ("created",),
        "Bundle": ("timestamp",),
        "CarePlan": ("period", "created"),
        "CareTeam": ("period",),
        "ChargeItem": ("occurrenceDateTime", "occurrencePeriod", "enteredDate"),
        "Claim": ("billablePeriod", "created"),
        "ClaimResponse": ("created",),
        "ClinicalImpression": ("effectiveDateTime", "effectivePeriod", "date"),
        "Communication": ("sent", "received"),
        "CommunicationRequest": ("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
        "Composition": ("date",),
        "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate"),
        "Consent": ("dateTime",),
        "Contract": ("applies", "issued"),
        "Coverage": ("period",),
        "DetectedIssue": ("identifiedDateTime", "identifiedPeriod"),
        "DeviceRequest": ("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
        "DeviceUseStatement": ("timingDateTime", "timingPeriod", "recordedOn"),
        "DiagnosticReport": ("effectiveDateTime", "effectivePeriod", "issued"),
        "DocumentManifest": ("created",),
        "DocumentReference": ("date", "context.period"),
        "Encounter": ("period",),
        "EpisodeOfCare": ("period",),
        "ExplanationOfBenefit": ("billablePeriod", "created"),
        "FamilyMemberHistory": ("date",),
        "Flag": ("period",),
        "Goal": ("startDate", "statusDate"),
        "ImagingStudy": ("started",),
        "Immunization": ("occurrenceDateTime", "recorded"),
        "ImmunizationEvaluation": ("date",),
        "ImmunizationRecommendation": ("date",),
        "Invoice": ("date",),
        "List": ("date",),
        "MeasureReport": ("period", "date"),
        "Media": ("createdDateTime", "createdPeriod", "issued"),
        "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
        "MedicationDispense": ("whenHandedOver", "whenPrepared"),
        "MedicationRequest": ("authoredOn",),
        "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
        "NutritionOrder": ("dateTime",),
        "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
        "Patient": ("birthDate",),
        "PaymentNotice": ("paymentDate", "created"),
        "Person": ("birthDate",),
        "Practitioner": ("birthDate",),
        "Procedure": ("performedDateTime", "performedPeriod"),
        "Provenance": ("occurredDateTime", "occurredPeriod", "recorded"),
        "QuestionnaireResponse": ("authored",),
        "RelatedPerson": ("birthDate",),
        "RequestGroup": ("authoredOn",),
        "RiskAssessment": ("occurrenceDateTime", "occurrencePeriod"),
        "Schedule": ("planningHorizon",),
        "ServiceRequest": ("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
        "Slot": ("start",),
        "Specimen": ("collection.collectedDateTime", "collection.collectedPeriod", "receivedTime"),
        "SupplyDelivery": ("occurrenceDateTime", "occurrencePeriod"),
        "SupplyRequest": ("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
        "Task": ("executionPeriod", "authoredOn", "lastModified"),
        "VisionPrescription": ("dateWritten", "created"),
    }
)
"""Resource type → where its clinically relevant date stands, best first; other types have none."""


def main_date(resource: Mapping[str, Any], zone: tzinfo) -> Span | None:
    """Return the span of the date a resource is about (when it was true, before when it was written down), or None.

    zone: the district's zone, for dates without one. Of a Period its beginning counts, of one that is open there its end.
    """
    for path in MAIN_DATES.get(resource["resourceType"], ()):
        value: Any = resource
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            return parse_datetime(value, zone)
        if isinstance(value, Mapping):
            span = _period_span(value, zone)
            if span is not None:
                return span
    return None


def _period_span(period: Mapping[str, Any], zone: tzinfo) -> Span | None:
    start, end = period_of(period, zone)
    if start != EARLIEST:
        return parse_datetime(period["start"], zone)
    return parse_datetime(period["end"], zone) if end != LATEST else None
