"""The published search parameters per resource type, and those whose values this house does not index, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from xinglin.base.errors import UnsupportedError
from xinglin.fhir.model import SearchRecord, load_definitions

NOT_INDEXED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "composite": "a composite joins two parameters within one element; its parts can be searched one by one",
        "_text": "needs a full-text index of narratives",
        "_content": "needs a full-text index of whole resources",
        "_query": "names a server-defined query",
    }
)
"""Why a parameter (or a parameter type) has no index values. Every other R4 parameter has."""

SKIPPED_TYPES: Final = frozenset({("date", "Age"), ("date", "Range"), ("date", "string"), ("quantity", "SampledData")})
"""(parameter type, data type) pairs R4 gives no value for: an age, a range or free text is no date; sampled data has no one value."""


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A search parameter as it applies to one resource type.

    type: token, string, reference, date, number, quantity, uri, special or composite.  targets: types a reference may point to.
    unsupported: why it has no index values, or "" if it has.
    """

    name: str
    type: str
    base: str
    expression: str
    targets: tuple[str, ...]
    url: str
    unsupported: str = ""


def unknown_type(resource_type: str) -> UnsupportedError:
    """Return the refusal for a name that is not a resource type of R4."""
    return UnsupportedError(
        "不是 FHIR R4 的资源类型，请改为例如 Patient、Observation",
        "this is not a resource type of R4; write one such as Patient or Observation",
        status=404,
    )


def records_of(resource_type: str) -> list[SearchRecord]:
    """Return the published records that apply to a resource type, those of all resources first.

    Raises: UnsupportedError if it is not a resource type of R4.
    """
    definitions = load_definitions()
    if resource_type not in definitions.resource_types:
        raise unknown_type(resource_type)
    bases = {resource_type, "Resource"}
    if "text" in definitions.types[resource_type].fields and "contained" in definitions.types[resource_type].fields:
        bases.add("DomainResource")
    chosen = [record for record in definitions.search if bases.intersection(record.base)]
    return sorted(chosen, key=lambda record: not record.code.startswith("_"))


@cache
def search_parameters(resource_type: str) -> Mapping[str, SearchParameter]:
    """Return name → search parameter for a resource type, `_id`, `_lastUpdated`, `_tag`... included.

    Raises: UnsupportedError if it is not a resource type of R4.  Source: HL7 FHIR R4 4.0.1, search-parameters.
    """
    found = {}
    for record in records_of(resource_type):
        found[record.code] = SearchParameter(
            record.code,
            record.type,
            resource_type if resource_type in record.base else record.base[0],
            record.expression,
            record.target,
            record.url,
            NOT_INDEXED.get(record.type, "") or NOT_INDEXED.get(record.code, ""),
        )
    return MappingProxyType(found)
