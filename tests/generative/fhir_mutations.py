"""Valid resources to start from, and random damage to them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

URN = "urn:uuid:0191c1a0-0000-7000-8000-000000000001"
BUILT_IN: tuple[dict[str, Any], ...] = (
    {
        "resourceType": "Patient",
        "id": "p1",
        "meta": {"lastUpdated": "2026-11-21T08:30:00.123+08:00", "profile": ["http://example.org/profile"]},
        "text": {"status": "generated", "div": "<div xmlns='http://www.w3.org/1999/xhtml'>示例</div>"},
        "identifier": [{"use": "official", "system": "urn:oid:1.2.3", "value": "A1", "assigner": {"display": "示例县"}}],
        "active": True,
        "name": [{"text": "示例甲", "family": "示", "given": ["例", None], "_given": [None, {"id": "g"}]}],
        "telecom": [{"system": "phone", "value": "000", "rank": 1}],
        "gender": "female",
        "birthDate": "1956-02-29",
        "_birthDate": {"extension": [{"url": "http://example.org/birthTime", "valueDateTime": "1956-02-29T01:00:00Z"}]},
        "deceasedBoolean": False,
        "address": [{"line": ["一街"], "city": "示例", "period": {"start": "2020"}}],
        "contact": [{"relationship": [{"text": "女"}], "gender": "female"}],
        "generalPractitioner": [{"reference": "Practitioner/d1", "type": "Practitioner"}],
        "link": [{"other": {"reference": "Patient/p2"}, "type": "seealso"}],
        "extension": [{"url": "http://example.org/e", "extension": [{"url": "inner", "valueCode": "x"}]}],
    },
    {
        "resourceType": "Observation",
        "id": "o1",
        "contained": [{"resourceType": "Device", "id": "d", "status": "active"}],
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-11-21",
        "performer": [{"reference": URN}],
        "device": {"reference": "#d"},
        "component": [
            {"code": {"text": "a"}, "valueQuantity": {"value": 135.0, "unit": "mmHg", "comparator": "<="}},
            {"code": {"text": "b"}, "dataAbsentReason": {"text": "none"}},
        ],
        "referenceRange": [{"low": {"value": 1}, "text": "x"}],
    },
    {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]},
        "subject": {"reference": "http://example.org/fhir/Patient/1/_history/2"},
        "onsetAge": {"value": 40, "system": "http://unitsofmeasure.org", "code": "a"},
        "recordedDate": "2026",
    },
    {
        "resourceType": "Questionnaire",
        "status": "active",
        "item": [
            {
                "linkId": "1",
                "type": "group",
                "item": [{"linkId": "1.1", "type": "integer", "enableWhen": [{"question": "1", "operator": "=", "answerInteger": 1}]}],
            }
        ],
    },
    {
        "resourceType": "Bundle",
        "type": "transaction",
        "timestamp": "2026-11-21T00:00:00Z",
        "entry": [
            {
                "fullUrl": URN,
                "resource": {"resourceType": "Binary", "contentType": "text/plain", "data": "YWJj"},
                "request": {"method": "POST", "url": "Binary"},
            },
            {
                "resource": {
                    "resourceType": "Task",
                    "status": "requested",
                    "intent": "order",
                    "input": [{"type": {"text": "t"}, "valueTime": "08:30:00"}],
                }
            },
        ],
    },
    {"resourceType": "Parameters", "parameter": [{"name": "x", "resource": {"resourceType": "Basic", "code": {"text": "c"}}}]},
    {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": {"text": "v"},
        "patient": {"reference": "Patient?identifier=x|1"},
        "occurrenceString": "spring",
        "protocolApplied": [{"doseNumberPositiveInt": 1}],
    },
)

ODD_VALUES = st.sampled_from(
    [
        *(
            None,
            True,
            False,
            0,
            1,
            -1,
            2.5,
            2**31,
            10**400,
            float("nan"),
            float("-inf"),
            {},
            [],
            [None],
            [{}],
            {"x": 1},
            {"id": "a"},
            {"url": "u"},
        ),
        *(
            "",
            " ",
            "a",
            "a  b",
            " a",
            "a b",
            "\x00",
            "a\tb",
            "\ud800",
            "中文",
            "2026-02-31",
            "2026-13-01",
            "2024-02-29",
            "2026-11-21T08:30:00",
        ),
        *("2026-11-21T08:30:00Z", "2026-11-21T25:00:00Z", "0000", "2026-1", "08:30:00", "08:30", "YWJj", "YWJ", "YW Jj", "final", "active"),
        *("male", "#", "#d", "#none", "Patient/1", "Group/1", "Foo/1", "Patient/a b", "Patient/", "urn:uuid:x", URN, "urn:oid:1.2.3"),
        *(
            "http://example.org/fhir/Patient/1",
            "http://example.org/x",
            "https://example.org/Group/1/_history/1",
            "Patient?a=b",
            "Patient?a",
        ),
        *(
            "Patient",
            "Group",
            "http://hl7.org/fhir/StructureDefinition/Patient",
            "mailto:a@b",
            "mailto:",
            "a" * 65,
            "a" * (1024 * 1024 + 1),
        ),
        *([{"resourceType": "Patient", "id": "d"}], {"resourceType": "Patient"}, {"resourceType": "Nothing"}, {"reference": "Group/1"}),
    ]
)
ODD_NAMES = st.sampled_from(
    [
        "id",
        "extension",
        "modifierExtension",
        "_id",
        "_status",
        "status",
        "value",
        "valueString",
        "valueInteger",
        "_valueString",
        "resourceType",
    ]
    + [
        "reference",
        "type",
        "contained",
        "coding",
        "foo",
        "x y",
        "deceasedDateTime",
        "_given",
        "item",
        "identifier",
        "url",
        "text",
        "period",
    ]
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) of every value in a JSON tree."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        yield value, key
        yield from places(item)


@st.composite
def damaged(draw: st.DrawFn, start: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """Return one of the resources with up to four changes."""
    resource = copy.deepcopy(draw(st.sampled_from(start)))
    for _ in range(draw(st.integers(0, 4))):
        spots = list(places(resource))
        if not spots:
            break
        container, key = spots[draw(st.integers(0, len(spots) - 1))]
        _damage(draw, container, key)
    return resource


def _damage(draw: st.DrawFn, container: Any, key: Any) -> None:
    kind = draw(st.sampled_from(["put", "put", "put", "drop", "wrap", "unwrap", "add", "double"]))
    value = container[key]
    if kind == "put":
        container[key] = copy.deepcopy(draw(ODD_VALUES))
    elif kind == "drop":
        del container[key]
    elif kind == "wrap":
        container[key] = [value]
    elif kind == "unwrap" and isinstance(value, list) and value:
        container[key] = value[0]
    elif kind == "add" and isinstance(value, dict):
        value[draw(ODD_NAMES)] = copy.deepcopy(draw(ODD_VALUES))
    elif kind == "double" and isinstance(value, list):
        value.extend(copy.deepcopy(value))
