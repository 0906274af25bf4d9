"""The door to validation: hurry first, look closely only where that does not say yes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from xinglin.fhir.acceptor import Acceptor
from xinglin.fhir.explainer import CodeOracle, explain
from xinglin.fhir.model import load_definitions
from xinglin.fhir.problems import Problem


@cache
def _acceptor() -> Acceptor:
    return Acceptor(load_definitions(), oracle=None)


class Validator:
    """Validates many resources against one oracle, as quickly as without one."""

    def __init__(self, oracle: CodeOracle) -> None:
        self._oracle = oracle
        self._acceptor = Acceptor(load_definitions(), oracle=oracle)

    def validate(self, resource: Mapping[str, Any]) -> list[Problem]:
        """Return every problem of a resource: see `validate`."""
        return [] if self._acceptor.accepts(resource) else validate(resource, oracle=self._oracle)


def validate(resource: Mapping[str, Any], *, oracle: CodeOracle | None = None, expected_type: str | None = None) -> list[Problem]:
    """Return every problem of an R4 resource (at most 200 and one that says so); an empty list if there is none.

    resource: a decoded JSON object; a Bundle is checked with all its entries.  oracle: asked about codes of required value sets that are
    too open to be compiled (MIME types, UCUM, currencies); None = their form alone is checked.
    expected_type: the resource type the address asks for.  Problems of severity "warning" do not make a resource unfit.
    Invariants: no value of the record stands in a message; the order follows the elements of the type.
    Source: HL7 FHIR R4 4.0.1, StructureDefinitions (structure, cardinality, required bindings), 2.6 JSON, 2.24 Data Types.
    """
    named = expected_type is None or (isinstance(resource, dict) and resource.get("resourceType") == expected_type)
    if oracle is None and named and _acceptor().accepts(resource):
        return []
    return explain(resource, load_definitions(), oracle=oracle, expected_type=expected_type)
