"""Builds the CapabilityStatement from what the store really supports, so that it cannot promise more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xinglin.fhir.model import load_definitions
from xinglin.fhir.search_parameters import search_parameters


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a FHIR endpoint supports.

    base_url: address of the endpoint, without a slash at the end.  version: of the software.  date: when this was so, as a dateTime.
    interactions: codes for every resource type (read, vread, update, delete, history-instance, create, search-type...).
    system_interactions: transaction, batch, history-system, search-system.
    parameter_types: search parameter types that are indexed; prefixes and modifiers are named in the documentation of each parameter.
    modifiers: parameter type → modifiers.  prefixes: for date, number and quantity.  results: `_sort`, `_count`, `_include`...
    resource_types: those offered; empty = all of R4.
    """

    base_url: str
    version: str
    date: str
    interactions: Sequence[str]
    system_interactions: Sequence[str]
    parameter_types: frozenset[str]
    modifiers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prefixes: Sequence[str] = ()
    results: Sequence[str] = ()
    resource_types: frozenset[str] = frozenset()
    conditional: bool = False
    """Conditional create, update and delete (single)."""


def capability_statement(capabilities: Capabilities) -> dict[str, Any]:
    """Return the CapabilityStatement of kind "instance" for an endpoint; it names only parameters that have index values."""
    types = sorted(capabilities.resource_types or load_definitions().resource_types)
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": capabilities.date,
        "publisher": "Xinglin 杏林",
        "kind": "instance",
        "software": {"name": "Xinglin 杏林", "version": capabilities.version},
        "implementation": {"description": "Xinglin 杏林 FHIR R4", "url": capabilities.base_url},
        "fhirVersion": load_definitions().version,
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(name, capabilities) for name in types],
                "interaction": [{"code": code} for code in capabilities.system_interactions],
            }
        ],
    }


def _resource(name: str, capabilities: Capabilities) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": name,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{name}",
        "interaction": [{"code": code} for code in capabilities.interactions],
        "versioning": "versioned" if "vread" in capabilities.interactions else "no-version",
        "updateCreate": "update" in capabilities.interactions,
        "conditionalCreate": capabilities.conditional,
        "conditionalUpdate": capabilities.conditional,
        "conditionalDelete": "single" if capabilities.conditional else "not-supported",
        "referencePolicy": ["literal", "logical"],
    }
    params = _parameters(name, capabilities) if "search-type" in capabilities.interactions else []
    if params:
        described["searchParam"] = params
    return described


def _parameters(name: str, capabilities: Capabilities) -> list[dict[str, Any]]:
    listed = []
    for param in search_parameters(name).values():
        if param.unsupported or param.type not in capabilities.parameter_types:
            continue
        listed.append({"name": param.name, "definition": param.url, "type": param.type, **_usage(param.type, capabilities)})
    for result in capabilities.results:
        listed.append({"name": result, "type": "special"})
    return listed


def _usage(kind: str, capabilities: Capabilities) -> dict[str, str]:
    words = []
    modifiers = capabilities.modifiers.get(kind, ())
    if modifiers:
        words.append("modifiers: " + ", ".join(f":{modifier}" for modifier in modifiers))
    if capabilities.prefixes and kind in ("date", "number", "quantity"):
        words.append("prefixes: " + ", ".join(capabilities.prefixes))
    return {"documentation": "; ".join(words)} if words else {}
