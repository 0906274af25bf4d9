"""The quick validator finds exactly what the slow plain one finds, in damaged resources."""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generative.fhir_mutations import BUILT_IN, damaged
from tests.generative.fhir_reference import is_available, reference_findings
from xinglin.fhir import Validator, validate

pytestmark = pytest.mark.skipif(not is_available(), reason="the raw R4 definitions are absent: run python scripts/hatch_build.py")
QUIET = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SMALL = 20_000


def found(resource: dict[str, Any]) -> set[tuple[str, str]]:
    """Return (path, issue code) of every problem."""
    return {(problem.path, problem.code) for problem in validate(resource)}


@cache
def sample_resources() -> tuple[dict[str, Any], ...]:
    """Return small resources of the sample folder, or the built-in ones where it is absent."""
    folder = Path(os.environ.get("XINGLIN_SHARED") or Path(__file__).resolve().parents[3] / "shared")
    taken = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((folder / "conformance" / "fhir_r4_examples").glob("*.json"))]
    for path in sorted((folder / "samples" / "synthea_r4").glob("*.gz"))[:2]:
        taken.extend(entry["resource"] for entry in json.loads(gzip.decompress(path.read_bytes()))["entry"][:40])
    small = [resource for resource in taken if len(json.dumps(resource)) < SMALL and resource["resourceType"] != "EvidenceVariable"]
    return tuple(small) or BUILT_IN


@pytest.mark.parametrize("resource", BUILT_IN, ids=lambda resource: resource["resourceType"])
def test_a_built_in_resource_is_valid(resource: dict[str, Any]) -> None:
    assert validate(resource) == []
    assert reference_findings(resource) == set()


@QUIET
@given(resource=damaged(BUILT_IN))
def test_damage_to_a_built_in_resource_is_found_alike(resource: dict[str, Any]) -> None:
    assert found(resource) == reference_findings(resource)


class FewCodes:
    """An oracle that knows no open code but these."""

    def is_member(self, value_set: str, system: str | None, code: str) -> bool | None:
        return None if "currencies" in value_set else code in ("application/pdf", "zh-CN", "CNY", "mm[Hg]")


@QUIET
@given(data=st.data())
def test_an_oracle_is_asked_alike_in_a_hurry_and_with_care(data: st.DataObject) -> None:
    resource = data.draw(damaged(sample_resources()))
    hurried = {(problem.path, problem.code) for problem in HURRIED.validate(resource)}
    assert hurried == {(problem.path, problem.code) for problem in validate(resource, oracle=FewCodes())}


HURRIED = Validator(FewCodes())


@QUIET
@given(data=st.data())
def test_damage_to_a_sample_resource_is_found_alike(data: st.DataObject) -> None:
    resource = data.draw(damaged(sample_resources()))
    expected = reference_findings(resource)
    if len(expected) <= 150:
        assert found(resource) == expected
    else:
        assert found(resource)


@given(levels=st.integers(1, 150), name=st.sampled_from(["extension", "assigner"]))
@settings(max_examples=30, deadline=None)
def test_depth_is_judged_alike(levels: int, name: str) -> None:
    if name == "extension":
        inner: dict[str, Any] = {"url": "http://example.org/e", "valueBoolean": True}
        for _ in range(levels):
            inner = {"url": "http://example.org/e", "extension": [inner]}
        resource = {"resourceType": "Basic", "code": {"text": "c"}, "extension": [inner]}
    else:
        inner = {"value": "1"}
        for _ in range(levels):
            inner = {"assigner": {"identifier": inner}}
        resource = {"resourceType": "Basic", "code": {"text": "c"}, "identifier": [inner]}
    assert found(resource) == reference_findings(resource)
    assert bool(found(resource)) == (levels >= (99 if name == "extension" else 50))
