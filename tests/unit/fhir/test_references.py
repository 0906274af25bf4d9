"""References are found and rewritten wherever they stand; a resource says whose record it is and what day it is about."""

from __future__ import annotations

import copy
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from xinglin.fhir import (
    MAIN_DATES,
    load_definitions,
    main_date,
    parse_datetime,
    patient_references,
    read_reference,
    references,
    rewrite_references,
)

OLD = "urn:uuid:0191c1a0-0000-7000-8000-000000000001"
RESOURCE: dict[str, Any] = {
    "resourceType": "DocumentReference",
    "text": {"status": "generated", "div": f'<div><a href="{OLD}">x</a> {OLD}</div>'},
    "identifier": [{"system": "urn:ietf:rfc:3986", "value": OLD}],
    "contained": [{"resourceType": "Basic", "id": "b", "subject": {"reference": OLD}}],
    "extension": [{"url": "http://e.org/x", "valueReference": {"reference": OLD}}, {"url": "http://e.org/y", "valueUri": OLD}],
    "subject": {"reference": "Patient/p1"},
    "content": [{"attachment": {"url": OLD}}],
}


def test_references_are_found_with_their_paths() -> None:
    found = {path: container[key] for path, container, key in references(RESOURCE)}
    assert found == {
        "DocumentReference.contained[0].subject.reference": OLD,
        "DocumentReference.extension[0].valueReference.reference": OLD,
        "DocumentReference.extension[1].valueUri": OLD,
        "DocumentReference.subject.reference": "Patient/p1",
        "DocumentReference.content[0].attachment.url": OLD,
    }


def test_references_are_rewritten_and_identifiers_are_not() -> None:
    resource = copy.deepcopy(RESOURCE)
    assert rewrite_references(resource, {OLD: "Binary/n1", "Patient/p1": "Patient/q"}) == 6
    assert resource["subject"] == {"reference": "Patient/q"}
    assert resource["content"][0]["attachment"]["url"] == "Binary/n1"
    assert resource["text"]["div"] == f'<div><a href="Binary/n1">x</a> {OLD}</div>'
    assert resource["identifier"] == RESOURCE["identifier"]
    assert OLD not in {container[key] for _, container, key in references(resource)}


def test_an_unknown_reference_is_left_alone() -> None:
    resource = copy.deepcopy(RESOURCE)
    assert rewrite_references(resource, {"urn:uuid:other": "Patient/1"}) == 0
    assert resource == RESOURCE


@pytest.mark.parametrize(
    ("text", "kind", "type_", "id_"),
    [
        ("Patient/1", "relative", "Patient", "1"),
        ("Patient/1/_history/2", "relative", "Patient", "1"),
        ("https://e.org/fhir/Patient/1", "absolute", "Patient", "1"),
        ("https://e.org/doc", "other", None, None),
        ("Patient?identifier=x|1", "conditional", "Patient", None),
        (OLD, "urn", None, None),
        ("#b", "contained", None, "b"),
    ],
)
def test_the_shape_of_a_reference(text: str, kind: str, type_: str | None, id_: str | None) -> None:
    shape = read_reference(text, load_definitions().resource_types)
    assert shape is not None
    assert (shape.kind, shape.type, shape.id) == (kind, type_, id_)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (
            {"resourceType": "Observation", "performer": [{"reference": "Patient/b"}], "subject": {"reference": "Patient/a"}},
            ("Patient/a", "Patient/b"),
        ),
        ({"resourceType": "Observation", "subject": {"reference": "Group/a"}}, ()),
        ({"resourceType": "Patient", "id": "a", "link": [{"other": {"reference": "Patient/b"}}]}, ("Patient/a", "Patient/b")),
        ({"resourceType": "Immunization", "patient": {"reference": OLD}}, (OLD,)),
        (
            {"resourceType": "Group", "member": [{"entity": {"reference": "Patient/a"}}, {"entity": {"reference": "Patient/a"}}]},
            ("Patient/a",),
        ),
        ({"resourceType": "Organization", "id": "o"}, ()),
    ],
)
def test_whose_record_a_resource_is(resource: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert patient_references(resource) == expected


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ({"resourceType": "Observation", "issued": "2026-11-22T00:00:00Z", "effectiveDateTime": "2026-11-21"}, "2026-11-21"),
        ({"resourceType": "Observation", "issued": "2026-11-22T00:00:00Z"}, "2026-11-22T00:00:00Z"),
        ({"resourceType": "Encounter", "period": {"start": "2026-11-21", "end": "2026-11-25"}}, "2026-11-21"),
        ({"resourceType": "Encounter", "period": {"end": "2026-11-25"}}, "2026-11-25"),
        ({"resourceType": "Specimen", "collection": {"collectedDateTime": "2026-11"}}, "2026-11"),
        ({"resourceType": "Encounter"}, None),
        ({"resourceType": "ValueSet", "date": "2026"}, None),
    ],
)
def test_the_day_a_resource_is_about(resource: dict[str, Any], expected: str | None, zone: ZoneInfo) -> None:
    assert main_date(resource, zone) == (None if expected is None else parse_datetime(expected, zone))


def test_the_table_of_main_dates_names_dates_of_r4() -> None:
    types = load_definitions().types
    for resource_type, paths in MAIN_DATES.items():
        for path in paths:
            key = resource_type
            for name in path.split("."):
                key = types[key].fields[name][1].key
            assert key in ("date", "dateTime", "instant", "Period"), (resource_type, path)
