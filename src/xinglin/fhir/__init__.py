"""R4 as code: validation, search parameters and extractors, references, dates, outcomes; compiled from HL7's definitions, no I/O."""

from xinglin.fhir.capability import Capabilities, capability_statement
from xinglin.fhir.compartment import MAIN_DATES, main_date, patient_references
from xinglin.fhir.explainer import CodeOracle
from xinglin.fhir.extractor import Extractor, extractor
from xinglin.fhir.index_values import Extracted, folded
from xinglin.fhir.instants import EARLIEST, LATEST, Span, parse_datetime
from xinglin.fhir.model import Definitions, load_definitions
from xinglin.fhir.outcome import operation_outcome
from xinglin.fhir.problems import MAX_PROBLEMS, Problem
from xinglin.fhir.reference_shape import ReferenceShape, read_reference
from xinglin.fhir.references import references, rewrite_references
from xinglin.fhir.search_parameters import NOT_INDEXED, SearchParameter, search_parameters
from xinglin.fhir.validation import Validator, validate

RESOURCE_TYPES: frozenset[str]
"""The names of R4's concrete resource types; read with the definitions at first use."""


def __getattr__(name: str) -> frozenset[str]:
    """Give RESOURCE_TYPES without reading the definitions at import, so that `xinglin check` can say what is missing."""
    if name == "RESOURCE_TYPES":
        return load_definitions().resource_types
    raise AttributeError(name)


__all__ = [
    "EARLIEST",
    "LATEST",
    "MAIN_DATES",
    "MAX_PROBLEMS",
    "NOT_INDEXED",
    "RESOURCE_TYPES",
    "Capabilities",
    "CodeOracle",
    "Definitions",
    "Extracted",
    "Extractor",
    "Problem",
    "ReferenceShape",
    "SearchParameter",
    "Span",
    "Validator",
    "capability_statement",
    "extractor",
    "folded",
    "load_definitions",
    "main_date",
    "operation_outcome",
    "parse_datetime",
    "patient_references",
    "read_reference",
    "references",
    "rewrite_references",
    "search_parameters",
    "validate",
]
