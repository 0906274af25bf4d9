"""R4 as code: validation, search parameters and extractors, references, dates, outcomes; compiled from HL7's definitions, no I/O."""

from xinglin.fhir.explainer import CodeOracle
from xinglin.fhir.model import Definitions, load_definitions
from xinglin.fhir.problems import Problem
from xinglin.fhir.validation import validate

RESOURCE_TYPES: frozenset[str]
"""The names of R4's concrete resource types; read with the definitions at first use."""


def __getattr__(name: str) -> frozenset[str]:
    """Give RESOURCE_TYPES without reading the definitions at import, so that `xinglin check` can say what is missing."""
    if name == "RESOURCE_TYPES":
        return load_definitions().resource_types
    raise AttributeError(name)


__all__ = ["RESOURCE_TYPES", "CodeOracle", "Definitions", "Problem", "load_definitions", "validate"]
