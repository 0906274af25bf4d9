"""Validation says what is wrong, where, and what to write instead; published examples and foreign records pass."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from xinglin.fhir import MAX_PROBLEMS, RESOURCE_TYPES, validate

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "http://example.org/id", "value": "1"}],
    "name": [{"family": "示", "given": ["例"]}],
    "gender": "female",
    "birthDate": "1956-05-06",
    "contact": [{"name": {"text": "甲"}, "gender": "male"}],
    "generalPractitioner": [{"reference": "Practitioner/d1"}],
    "multipleBirthInteger": 2,
    "photo": [{"contentType": "image/png", "data": "YWJj"}],
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-11-21T08:30:00+08:00",
    "issued": "2026-11-21T08:31:00Z",
    "valueQuantity": {"value": 152, "unit": "mmHg"},
}
CONDITION: dict[str, Any] = {
    "resourceType": "Condition",
    "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
    "subject": {"reference": "Patient/p1"},
}
# An example of HL7's own that R4's definitions do not allow, and why.
NOT_VALID_R4 = {
    "bundle-questionnaire.json": {("required", "linkId")},
    "devicemetric-example.json": {("value", "DeviceMetric.parent.reference")},
    "deviceusestatement-example.json": {("value", "DeviceUseStatement.reasonReference[0].reference")},
    "medicationrequest0301.json": {("value", "MedicationRequest.dispenseRequest.performer.reference")},
}

BAD: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("unknown element", PATIENT, {"nam": "x"}, "Patient.nam", "structure"),
    ("unknown element with a strange name", PATIENT, {"a b": "x"}, "Patient.?", "structure"),
    ("31 February", PATIENT, {"birthDate": "2026-02-31"}, "Patient.birthDate", "value"),
    ("29 February of a common year", PATIENT, {"birthDate": "2100-02-29"}, "Patient.birthDate", "value"),
    ("a date with slashes", PATIENT, {"birthDate": "1956/05/06"}, "Patient.birthDate", "value"),
    ("a date with digits only", PATIENT, {"birthDate": "19560506"}, "Patient.birthDate", "value"),
    ("a year zero", PATIENT, {"birthDate": "0000-01-01"}, "Patient.birthDate", "value"),
    ("a date as a number", PATIENT, {"birthDate": 1956}, "Patient.birthDate", "structure"),
    ("a code outside a closed list", PATIENT, {"gender": "女"}, "Patient.gender", "code-invalid"),
    ("a nested code outside a closed list", PATIENT, {"contact": [{"gender": "F"}]}, "Patient.contact[0].gender", "code-invalid"),
    ("a boolean in quotation marks", PATIENT, {"active": "true"}, "Patient.active", "structure"),
    ("an id with a blank", PATIENT, {"id": "p 1"}, "Patient.id", "value"),
    ("an id too long", PATIENT, {"id": "x" * 65}, "Patient.id", "value"),
    ("no array", PATIENT, {"name": {"family": "示"}}, "Patient.name", "structure"),
    ("an array for one", PATIENT, {"gender": ["female"]}, "Patient.gender", "structure"),
    ("an empty array", PATIENT, {"name": []}, "Patient.name", "structure"),
    ("an empty object", PATIENT, {"name": [{}]}, "Patient.name[0]", "structure"),
    ("an empty string", PATIENT, {"name": [{"family": ""}]}, "Patient.name[0].family", "value"),
    ("a blank string", PATIENT, {"name": [{"family": "  "}]}, "Patient.name[0].family", "value"),
    ("a NUL character", PATIENT, {"name": [{"family": "a\x00"}]}, "Patient.name[0].family", "value"),
    ("a string over 1 MiB", PATIENT, {"name": [{"family": "x" * (1024 * 1024 + 1)}]}, "Patient.name[0].family", "too-long"),
    ("null", PATIENT, {"gender": None}, "Patient.gender", "structure"),
    ("null in an array without an extension", PATIENT, {"name": [{"given": ["例", None]}]}, "Patient.name[0].given[1]", "structure"),
    ("two types of a choice", PATIENT, {"multipleBirthBoolean": True}, "Patient.multipleBirth[x]", "structure"),
    ("a type a choice does not have", PATIENT, {"multipleBirthString": "2"}, "Patient.multipleBirthString", "structure"),
    ("an integer with a fraction", PATIENT, {"multipleBirthInteger": 2.5}, "Patient.multipleBirthInteger", "value"),
    ("an integer over 32 bits", PATIENT, {"multipleBirthInteger": 2**31}, "Patient.multipleBirthInteger", "value"),
    ("broken base64", PATIENT, {"photo": [{"data": "YWJ"}]}, "Patient.photo[0].data", "value"),
    ("a uri with a blank", PATIENT, {"identifier": [{"system": "http://a b"}]}, "Patient.identifier[0].system", "value"),
    (
        "a reference to another type",
        PATIENT,
        {"generalPractitioner": [{"reference": "Patient/p2"}]},
        "Patient.generalPractitioner[0].reference",
        "value",
    ),
    (
        "a reference without a form",
        PATIENT,
        {"generalPractitioner": [{"reference": "张三"}]},
        "Patient.generalPractitioner[0].reference",
        "value",
    ),
    (
        "a reference to an unknown type",
        PATIENT,
        {"generalPractitioner": [{"reference": "Doctor/1"}]},
        "Patient.generalPractitioner[0].reference",
        "value",
    ),
    (
        "a reference that contradicts its type",
        PATIENT,
        {"generalPractitioner": [{"reference": "Practitioner/1", "type": "Organization"}]},
        "Patient.generalPractitioner[0].type",
        "value",
    ),
    (
        "a contained resource that is not there",
        PATIENT,
        {"managingOrganization": {"reference": "#o"}},
        "Patient.managingOrganization.reference",
        "not-found",
    ),
    (
        "a contained resource without id",
        PATIENT,
        {"contained": [{"resourceType": "Basic", "code": {"text": "x"}}]},
        "Patient.contained[0].id",
        "required",
    ),
    ("an extension without url", PATIENT, {"extension": [{"valueString": "x"}]}, "Patient.extension[0].url", "required"),
    ("an extension without content", PATIENT, {"extension": [{"url": "http://example.org/e"}]}, "Patient.extension[0]", "invariant"),
    (
        "an extension with value and extensions",
        PATIENT,
        {"extension": [{"url": "http://example.org/e", "valueCode": "x", "extension": [{"url": "i", "valueCode": "y"}]}]},
        "Patient.extension[0]",
        "invariant",
    ),
    ("a sibling of an element that is not primitive", PATIENT, {"_name": [{"id": "x"}]}, "Patient._name", "structure"),
    (
        "a sibling longer than its array",
        PATIENT,
        {"name": [{"given": ["例"], "_given": [None, {"id": "x"}]}]},
        "Patient.name[0].given",
        "structure",
    ),
    ("a missing element", OBSERVATION, {"code": ...}, "Observation.code", "required"),
    (
        "a missing choice",
        {"resourceType": "Immunization", "status": "completed", "vaccineCode": {"text": "x"}, "patient": {"reference": "Patient/1"}},
        {},
        "Immunization.occurrence[x]",
        "required",
    ),
    ("an instant without zone", OBSERVATION, {"issued": "2026-11-21T08:31:00"}, "Observation.issued", "value"),
    ("an instant on a day that is not", OBSERVATION, {"issued": "2026-06-31T08:31:00Z"}, "Observation.issued", "value"),
    ("a number in quotation marks", OBSERVATION, {"valueQuantity": {"value": "152"}}, "Observation.valueQuantity.value", "structure"),
    ("a number that is none", OBSERVATION, {"valueQuantity": {"value": float("nan")}}, "Observation.valueQuantity.value", "value"),
    ("a bound concept with text only", CONDITION, {"clinicalStatus": {"text": "现患"}}, "Condition.clinicalStatus", "code-invalid"),
    ("no type", {"id": "x"}, {}, "Resource", "structure"),
    ("a type R4 does not have", {"resourceType": "Resident", "id": "x"}, {}, "Resource.resourceType", "not-supported"),
    ("nothing but its type", {"resourceType": "Basic"}, {}, "Basic", "structure"),
]


@pytest.mark.parametrize("resource", [PATIENT, OBSERVATION, CONDITION], ids=lambda resource: resource["resourceType"])
def test_what_the_bad_inputs_start_from_is_valid(resource: dict[str, Any]) -> None:
    assert validate(resource) == []


@pytest.mark.parametrize(("start", "change", "path", "code"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_input_is_named_by_path_and_code(start: dict[str, Any], change: dict[str, Any], path: str, code: str) -> None:
    resource = {name: value for name, value in {**copy.deepcopy(start), **change}.items() if value is not ...}
    problems = validate(resource)
    assert (path, code) in {(problem.path, problem.code) for problem in problems}
    assert all(problem.zh and problem.en for problem in problems)


def test_every_problem_is_named_not_the_first() -> None:
    resource = {**PATIENT, "gender": "F", "birthDate": "2026-02-31", "name": [{"famly": "x"}]}
    assert {problem.path for problem in validate(resource)} == {"Patient.gender", "Patient.birthDate", "Patient.name[0].famly"}


def test_a_message_says_what_to_write_and_never_the_value() -> None:
    problems = validate({**PATIENT, "gender": "secret-value", "birthDate": "secret-date", "identifier": [{"system": "secret system"}]})
    assert len(problems) == 3
    assert "female" in problems[0].en or "female" in problems[1].en
    assert all("secret" not in problem.en + problem.zh + problem.path for problem in problems)


def test_a_misspelt_element_gets_a_suggestion() -> None:
    (problem,) = validate({**PATIENT, "birthdate": "1956-05-06"})
    assert "birthDate" in problem.en
    assert "birthDate" in problem.zh


def test_at_most_so_many_problems_are_reported() -> None:
    problems = validate({**PATIENT, "name": [{"x": 1}] * 1000})
    assert len(problems) == MAX_PROBLEMS + 1
    assert problems[-1].code == "too-costly"


def test_the_type_asked_for_is_held_against_the_body() -> None:
    assert validate(PATIENT, expected_type="Patient") == []
    assert [problem.path for problem in validate(PATIENT, expected_type="Observation")] == ["Patient.resourceType"]


def test_an_oracle_is_asked_about_open_value_sets() -> None:
    class Oracle:
        def is_member(self, value_set: str, system: str | None, code: str) -> bool | None:
            return code == "image/png" if value_set.endswith("/mimetypes") else None

    assert validate(PATIENT, oracle=Oracle()) == []
    wrong = {**PATIENT, "photo": [{"contentType": "picture", "data": "YWJj"}]}
    assert validate(wrong) == []
    assert [(p.path, p.code) for p in validate(wrong, oracle=Oracle())] == [("Patient.photo[0].contentType", "code-invalid")]


def test_elements_the_npm_package_added_are_not_r4() -> None:
    assert len(RESOURCE_TYPES) == 146
    binary = {"resourceType": "Binary", "contentType": "text/plain"}
    assert validate(binary) == []
    assert [p.path for p in validate({**binary, "url": "http://example.org"})] == ["Binary.url"]
    assert [p.path for p in validate({**binary, "meta": {"project": "x"}})] == ["Binary.meta.project"]


def test_the_published_examples_are_valid(shared: Path) -> None:
    folder = shared / "conformance" / "fhir_r4_examples"
    if not folder.is_dir():
        pytest.skip("the published examples are absent")
    files = sorted(folder.glob("*.json"))
    assert len(files) >= 72
    for file in files:
        problems = [p for p in validate(json.loads(file.read_text(encoding="utf-8"))) if p.severity == "error"]
        expected = NOT_VALID_R4.get(file.name, set())
        found = {(p.code, end) for p in problems for _, end in expected if p.path.endswith(end)}
        assert found == expected, file.name
        assert all(any(p.path.endswith(end) for _, end in expected) for p in problems), (file.name, problems)


def test_foreign_bundles_are_valid(shared: Path) -> None:
    folder = shared / "samples" / "synthea_r4"
    if not folder.is_dir():
        pytest.skip("the foreign bundles are absent")
    files = sorted(folder.glob("*.gz"))[::36]
    assert files
    for file in files:
        assert validate(json.loads(gzip.decompress(file.read_bytes()))) == [], file.name
