"""What the compiled extractors find is what the published expressions say, evaluated one by one as FHIRPath."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generative.fhir_mutations import BUILT_IN, places
from tests.generative.test_fhir_validation import sample_resources
from xinglin.fhir import RESOURCE_TYPES, extractor, search_parameters
from xinglin.fhir.path import Env, compile_expression

ZONE = ZoneInfo("Asia/Shanghai")
RESOLVED = re.compile(r"\.where\(resolve\(\) is (\w+)\)")
COMPARED = frozenset({"token", "string", "reference", "uri"})
# Positions and the two parameters whose values stand in no expression's result.
LEFT_OUT = frozenset({"near", "deceased", "composition", "message"})


@cache
def compiled(expression: str) -> Any:
    """Return a compiled FHIRPath expression."""
    return compile_expression(expression)


def said_by(parameter: Any, resource: dict[str, Any]) -> set[str]:
    """Return what a parameter's expression gives for a resource, reduced to the strings that are indexed."""
    found: set[str] = set()
    for part in parameter.expression.split("|"):
        only = RESOLVED.search(part)
        own = part.strip().lstrip("(").partition(".")[0]
        if own in RESOURCE_TYPES and own != resource["resourceType"]:
            continue
        plain = re.sub(r"^(Domain)?Resource\.", "", RESOLVED.sub("", part).strip())
        for value in compiled(plain)(resource, Env(resource)):
            found |= words(parameter.type, value, only[1] if only else None)
    return found


def words(kind: str, value: Any, only: str | None) -> set[str]:
    """Return the strings a value is indexed by."""
    if kind == "reference":
        return reference_words(value, only)
    if not isinstance(value, dict):
        return {str(value).lower() if isinstance(value, bool) else value} if value is not None else set()
    if kind == "string":
        return {text for name in ("text", "family", "city", "district", "state", "country", "postalCode") if (text := value.get(name))} | {
            text for name in ("given", "prefix", "suffix", "line") for text in value.get(name, ()) if text
        }
    if "coding" in value:
        return {coding["code"] for coding in value["coding"] if "code" in coding}
    return {text for name in ("code", "value") if (text := value.get(name))} if set(value) - {"text", "id"} else set()


def reference_words(value: Any, only: str | None) -> set[str]:
    """Return the id, URL or urn of a reference, unless it points to another type than the one asked for."""
    if isinstance(value, str):
        return {value}
    literal = value.get("reference") or value.get("url")
    if literal is None or literal.startswith("#") or "?" in literal:
        return set()
    literal = literal.partition("/_history/")[0]
    if ":" in literal:
        kind = literal.rpartition("/")[0].rpartition("/")[2]
        return {literal} if only in (None, kind) else set()
    kind, _, name = literal.partition("/")
    return {name} if only in (None, kind) else set()


def indexed_by(name: str, resource: dict[str, Any]) -> set[str]:
    """Return the strings the extractor gives for a parameter."""
    found = extractor(resource["resourceType"], ZONE)(resource)
    rows = {row[2] for row in found.tokens if row[0] == name and row[2] is not None}
    rows |= {row[1] for row in found.strings if row[0] == name} | {row[1] for row in found.uris if row[0] == name}
    return rows | {row[2] for row in found.references if row[0] == name}


@st.composite
def thinned(draw: st.DrawFn) -> dict[str, Any]:
    """Return a sample resource with some of its objects' members left out."""
    resource = copy.deepcopy(draw(st.sampled_from(sample_resources() + BUILT_IN)))
    for _ in range(draw(st.integers(0, 5))):
        spots = [(owner, key) for owner, key in places(resource) if isinstance(owner, dict) and key != "resourceType"]
        if spots:
            owner, key = spots[draw(st.integers(0, len(spots) - 1))]
            del owner[key]
    return resource


@given(resource=thinned())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_parameter_is_indexed_as_its_expression_says(resource: dict[str, Any]) -> None:
    for parameter in search_parameters(resource["resourceType"]).values():
        if parameter.unsupported or parameter.type not in COMPARED or parameter.name in LEFT_OUT:
            continue
        said, indexed = said_by(parameter, resource), indexed_by(parameter.name, resource)
        # The index adds to what is said: a canonical without its version, a joined name, a telephone number's digits.
        added = {text for text in indexed - said if not any(text in whole for whole in said) and not text.isdigit() and text.isascii()}
        assert said <= indexed, parameter.name
        assert added == set(), parameter.name
