"""Search parameters become index values in one pass; what is not indexed is listed with its reason."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from xinglin.base.errors import UnsupportedError
from xinglin.fhir import EARLIEST, LATEST, RESOURCE_TYPES, Extracted, extractor, load_definitions, parse_datetime, search_parameters

TRUTH = "http://hl7.org/fhir/special-values"


def extract(resource: dict[str, Any], zone: ZoneInfo) -> Extracted:
    """Return the index values of a resource."""
    return extractor(resource["resourceType"], zone)(resource)


def tokens(found: Extracted, param: str) -> list[tuple[str | None, str | None, str | None]]:
    """Return (system, code, text) of a parameter's tokens."""
    return [row[1:] for row in found.tokens if row[0] == param]


def strings(found: Extracted, param: str) -> set[str]:
    """Return the folded strings of a parameter."""
    return {row[2] for row in found.strings if row[0] == param}


def test_every_parameter_is_indexed_but_those_listed() -> None:
    unsupported = {(p.name, p.type) for name in RESOURCE_TYPES for p in search_parameters(name).values() if p.unsupported}
    assert {name for name, kind in unsupported if kind != "composite"} == {"_text", "_content", "_query"}
    assert {kind for name, kind in unsupported if not name.startswith("_")} == {"composite"}


def test_the_parameters_of_a_type_include_those_of_all_resources() -> None:
    params = search_parameters("Observation")
    assert {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source", "code", "date", "patient"} <= set(params)
    assert params["patient"].targets == ("Patient",)
    assert "_text" not in search_parameters("Binary")
    with pytest.raises(UnsupportedError):
        search_parameters("Resident")


def test_every_type_has_an_extractor(zone: ZoneInfo) -> None:
    for name in RESOURCE_TYPES:
        assert extractor(name, zone)({"resourceType": name, "id": "x"}).tokens[0] == ("_id", None, "x", None)


def test_the_published_examples_can_be_read(zone: ZoneInfo, shared: Path) -> None:
    folder = shared / "conformance" / "fhir_r4_examples"
    if not folder.is_dir():
        pytest.skip("the published examples are absent")
    named = 0
    for file in sorted(folder.glob("*.json")):
        resource = json.loads(file.read_text(encoding="utf-8"))
        found = extract(resource, zone)
        if "id" in resource:
            assert tokens(found, "_id") == [(None, resource["id"], None)], file.name
            named += 1
    assert named > 50


def test_a_patient(zone: ZoneInfo) -> None:
    found = extract(
        {
            "resourceType": "Patient",
            "id": "p1",
            "meta": {
                "lastUpdated": "2026-11-21T00:00:00Z",
                "tag": [{"system": "s", "code": "t"}],
                "profile": ["http://e.org/p"],
                "source": "urn:x",
            },
            "identifier": [
                {"type": {"coding": [{"system": "http://t", "code": "MR"}], "text": "病案号"}, "system": "http://e.org", "value": "N1"},
                {"value": "N2"},
            ],
            "active": True,
            "name": [{"family": "示", "given": ["例"]}, {"text": "Ｗａｎｇ　Xiao", "family": "Wang", "given": ["Xiao"]}],
            "telecom": [{"system": "phone", "value": "000-1234"}, {"system": "email", "value": "a@b.cn"}],
            "gender": "female",
            "birthDate": "1956-11",
            "deceasedDateTime": "2026-01-01",
            "address": [{"line": ["一街"], "city": "示例市", "district": "示例县"}],
            "generalPractitioner": [{"reference": "Practitioner/d1/_history/3"}, {"identifier": {"system": "http://d", "value": "7"}}],
            "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
        },
        zone,
    )
    assert tokens(found, "identifier") == [("http://e.org", "N1", "病案号"), (None, "N2", None)]
    assert tokens(found, "identifier:of-type") == [("http://t", "MR|N1", None)]
    assert tokens(found, "gender") == [("http://hl7.org/fhir/administrative-gender", "female", None)]
    assert tokens(found, "active") == [(TRUTH, "true", None)]
    assert tokens(found, "deceased") == [(TRUTH, "true", None)]
    assert tokens(found, "phone") == [(None, "000-1234", None), (None, "0001234", None)]
    assert tokens(found, "email") == [(None, "a@b.cn", None)]
    assert tokens(found, "_tag") == [("s", "t", None)]
    assert strings(found, "name") == {"示", "例", "示例", "wang", "xiao", "wang xiao"}
    assert strings(found, "address") == {"一街", "示例市", "示例县"}
    assert ("general-practitioner", "Practitioner", "d1") in found.references
    assert ("link", "Patient", "p2") in found.references
    assert found.identifiers == [("general-practitioner", "http://d", "7")]
    month = parse_datetime("1956-11", zone)
    assert ("birthdate", month.start_us, month.end_us) in found.dates
    assert {row[0] for row in found.dates} == {"birthdate", "_lastUpdated", "death-date"}
    assert set(found.uris) == {("_profile", "http://e.org/p"), ("_source", "urn:x")}


@pytest.mark.parametrize(
    ("deceased", "answer"), [({}, "false"), ({"deceasedBoolean": False}, "false"), ({"deceasedBoolean": True}, "true")]
)
def test_deceased_is_false_where_it_is_absent(zone: ZoneInfo, deceased: dict[str, Any], answer: str) -> None:
    found = extract({"resourceType": "Patient", "id": "x", **deceased}, zone)
    assert tokens(found, "deceased") == [(TRUTH, answer, None)]


def test_an_observation(zone: ZoneInfo) -> None:
    found = extract(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9", "display": "BP"}], "text": "血压"},
            "subject": {"reference": "Patient/p1"},
            "performer": [{"reference": "http://e.org/fhir/Practitioner/d1"}],
            "encounter": {"reference": "urn:uuid:0191c1a0-0000-7000-8000-000000000001"},
            "effectivePeriod": {"start": "2026-11-21"},
            "valueQuantity": {"value": 5, "comparator": "<", "system": "http://u", "code": "mm", "unit": "毫米"},
            "component": [{"code": {"text": "a"}, "valueString": "x"}],
            "derivedFrom": [{"reference": "#c"}],
        },
        zone,
    )
    assert tokens(found, "code") == [("http://loinc.org", "85354-9", "BP"), (None, None, "血压")]
    assert tokens(found, "combo-code") == [*tokens(found, "code"), (None, None, "a")]
    assert ("patient", "Patient", "p1") in found.references
    assert ("subject", "Patient", "p1") in found.references
    assert ("performer", "Practitioner", "http://e.org/fhir/Practitioner/d1") in found.references
    assert ("encounter", "Encounter", "urn:uuid:0191c1a0-0000-7000-8000-000000000001") in found.references
    assert not [row for row in found.references if row[0] == "derived-from"]
    assert found.dates == [("date", parse_datetime("2026-11-21", zone).start_us, LATEST)]
    assert ("value-quantity", -inf, 5, "http://u", "mm", "毫米") in found.quantities


def test_a_subject_that_is_no_patient_is_not_found_by_patient(zone: ZoneInfo) -> None:
    found = extract({"resourceType": "Observation", "subject": {"reference": "Group/g"}}, zone)
    assert found.references == [("subject", "Group", "g")]


def test_what_a_filter_asks_for(zone: ZoneInfo) -> None:
    resource = {
        "resourceType": "PlanDefinition",
        "relatedArtifact": [{"type": "depends-on", "resource": "http://e.org/L|1"}, {"type": "successor", "resource": "http://e.org/P"}],
    }
    found = extract(resource, zone)
    assert set(found.references) == {
        ("depends-on", None, "http://e.org/L|1"),
        ("depends-on", None, "http://e.org/L"),
        ("successor", None, "http://e.org/P"),
    }


def test_ranges_numbers_money_timing_and_positions(zone: ZoneInfo) -> None:
    risk = extract(
        {"resourceType": "RiskAssessment", "prediction": [{"probabilityRange": {"low": {"value": 1}}}, {"probabilityDecimal": 0.5}]}, zone
    )
    assert risk.numbers == [("probability", 1, inf), ("probability", 0.5, 0.5)]
    onset = extract({"resourceType": "Condition", "onsetRange": {"low": {"value": 3, "code": "a"}, "high": {"value": 4}}}, zone)
    assert onset.quantities == [("onset-age", 3, 4, None, "a", None)]
    invoice = extract({"resourceType": "Invoice", "totalNet": {"value": 9.5, "currency": "CNY"}}, zone)
    assert invoice.quantities == [("totalnet", 9.5, 9.5, "urn:iso:std:iso:4217", "CNY", "CNY")]
    place = extract({"resourceType": "Location", "position": {"longitude": 121.5, "latitude": 31.2}}, zone)
    assert place.positions == [("near", 31.2, 121.5)]
    timing = {"event": ["2026-01-01", "2026-03-01"], "repeat": {"boundsPeriod": {"end": "2026-02"}}}
    request = extract({"resourceType": "ServiceRequest", "occurrenceTiming": timing}, zone)
    assert request.dates == [("occurrence", EARLIEST, parse_datetime("2026-03-01", zone).end_us)]


def test_a_document_is_found_by_its_first_entry_only(zone: ZoneInfo) -> None:
    entries = [{"resource": {"resourceType": "Composition", "id": "c1"}}, {"resource": {"resourceType": "Composition", "id": "c2"}}]
    found = extract({"resourceType": "Bundle", "type": "document", "entry": entries}, zone)
    assert found.references == [("composition", "Composition", "c1")]


def test_only_the_parameters_asked_for(zone: ZoneInfo) -> None:
    found = extractor("Patient", zone, frozenset({"gender"}))({"resourceType": "Patient", "id": "x", "gender": "male"})
    assert [row[0] for row in found.tokens] == ["gender"]


def test_the_definitions_are_read_once() -> None:
    assert load_definitions() is load_definitions()
