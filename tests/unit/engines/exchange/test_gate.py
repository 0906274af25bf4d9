"""The gate: ids, references, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from xinglin.base.ids import uuid5_of
from xinglin.engines.exchange.gate import Directory, Sender, prepare
from xinglin.engines.exchange.model import Entry

HIS = Sender("county-his", ids_are_ours=False)
NOBODY = Directory({})
PATIENT: dict[str, Any] = {"resourceType": "Patient", "id": "1", "gender": "female"}


def numbered(*entries: Entry) -> list[tuple[int, Entry]]:
    return list(enumerate(entries, 1))


def observation(reference: str) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "9", "status": "final", "code": {"text": "x"}, "subject": {"reference": reference}}


def test_two_sources_patient_1_never_meet() -> None:
    ids = {prepare(numbered(Entry(PATIENT)), Sender(code, False), NOBODY).items[0].id for code in ("county-his", "township-his")}
    assert len(ids) == 2


def test_the_senders_own_id_is_kept_as_an_identifier() -> None:
    item = prepare(numbered(Entry(PATIENT)), HIS, NOBODY).items[0]
    assert item.id == uuid5_of("county-his", "Patient/1")
    assert {"system": "urn:xinglin:id:source:county-his", "value": "Patient/1"} in item.resource["identifier"]


@pytest.mark.parametrize(
    ("full_url", "reference"),
    [
        ("urn:uuid:0b1d2c3e-0000-4000-8000-000000000001", "urn:uuid:0b1d2c3e-0000-4000-8000-000000000001"),
        (None, "Patient/1"),
        ("https://his.example/fhir/Patient/1", "Patient/1"),
        ("https://his.example/fhir/Patient/1", "https://his.example/fhir/Patient/1"),
    ],
)
def test_references_inside_a_message_lead_to_the_given_ids(full_url: str | None, reference: str) -> None:
    prepared = prepare(numbered(Entry(PATIENT, full_url), Entry(observation(reference))), HIS, NOBODY)
    patient, reading = prepared.items
    assert reading.resource["subject"]["reference"] == f"Patient/{patient.id}"


def test_a_relative_reference_leads_to_what_the_same_source_sends_in_another_message() -> None:
    item = prepare(numbered(Entry(observation("Patient/1"))), HIS, NOBODY).items[0]
    assert item.resource["subject"]["reference"] == f"Patient/{uuid5_of('county-his', 'Patient/1')}"


def test_a_urn_that_is_not_in_the_message_is_refused_with_its_path() -> None:
    prepared = prepare(numbered(Entry(observation("urn:uuid:0b1d2c3e-0000-4000-8000-000000000002"))), HIS, NOBODY)
    assert [(problem.reason, problem.path) for problem in prepared.problems] == [("reference", "Observation.subject.reference")]
    assert prepared.items == []


def test_institutions_are_found_by_their_code() -> None:
    identifier = {"system": "urn:oid:2.16.156.10011.1.5", "value": "42-A"}
    directory = Directory({("Organization", "42-A"): "the-id"})
    item = prepare(numbered(Entry({**PATIENT, "managingOrganization": {"identifier": identifier}})), HIS, directory).items[0]
    assert (item.resource["managingOrganization"]["reference"], item.organization) == ("Organization/the-id", "the-id")


def test_a_message_may_name_the_institutions_it_brings() -> None:
    identifier = {"system": "urn:oid:2.16.156.10011.1.5", "value": "42-B"}
    hospital = {"resourceType": "Organization", "id": "h", "identifier": [identifier], "name": "x"}
    clinic = {"resourceType": "Organization", "id": "c", "name": "y", "partOf": {"identifier": identifier}}
    prepared = prepare(numbered(Entry(clinic), Entry(hospital)), HIS, NOBODY)
    assert prepared.items[0].resource["partOf"]["reference"] == f"Organization/{prepared.items[1].id}"


def test_one_bad_entry_leaves_the_good_ones() -> None:
    prepared = prepare(
        numbered(Entry(PATIENT), Entry({**PATIENT, "id": "2", "birthDate": "2026-02-31"}), Entry({**PATIENT, "id": "3"})), HIS, NOBODY
    )
    assert [item.entry_no for item in prepared.items] == [1, 3]
    assert prepared.problems[0].path == "Patient.birthDate"


def test_two_entries_with_one_id_are_refused() -> None:
    prepared = prepare(numbered(Entry(PATIENT), Entry(PATIENT)), HIS, NOBODY)
    assert [problem.reason for problem in prepared.problems] == ["duplicate"]


def test_our_own_pages_keep_their_ids() -> None:
    own = "urn:uuid:0190c1c0-0000-7000-8000-000000000001"
    prepared = prepare(
        numbered(Entry({"resourceType": "Patient", "gender": "male"}, own), Entry({**observation("Patient/x"), "id": "o"})),
        Sender("p", True),
        NOBODY,
    )
    assert prepared.items[0].id == own.removeprefix("urn:uuid:")
    assert prepared.items[1].resource["subject"]["reference"] == "Patient/x"
