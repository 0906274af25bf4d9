"""How references give index values: literal, logical, canonical, and the resource that stands inside a Bundle."""

from __future__ import annotations

from typing import Any, Final

from xinglin.fhir.index_values import Emitter, Extracted, Leaf
from xinglin.fhir.model import load_definitions

_TYPE_URL: Final = "http://hl7.org/fhir/StructureDefinition/"


def plain_references(leaf: Leaf) -> Emitter:
    """Index a Reference: a literal one by type and id or URL, a logical one by its identifier.

    References to contained resources and conditional ones are not indexed; a urn has the type the element or `type` says, if any.
    """
    pairs = [(param, leaf.pointed.get(param)) for param in leaf.params]
    sole = leaf.sole_target

    def emit(value: Any, out: Extracted) -> None:
        literal = value.get("reference")
        target = None
        if literal is not None:
            found = literal_target(literal, value, sole)
            if found is not None:
                target, text = found
                for param, only in pairs:
                    if only is None or only == target:
                        out.references.append((param, target, text))
        logical = value.get("identifier")
        if logical is not None and "value" in logical:
            named = target or _named(value) or sole
            for param, only in pairs:
                if only is None or only == named:
                    out.identifiers.append((param, logical.get("system"), logical["value"]))

    return emit


def literal_target(literal: str, value: dict[str, Any], sole: str | None) -> tuple[str | None, str] | None:
    """Return (type or None, id | absolute URL | urn) of a literal reference, without its version; None if it is contained or conditional."""
    first = literal[0]
    if first == "#":
        return None
    if first == "u" and literal.startswith("urn:"):
        return _named(value) or sole, literal
    head, _, tail = literal.partition("/")
    if head.endswith(":"):
        return _absolute(literal, value, sole)
    if not tail or "?" in head:
        return None
    if "/" in tail:
        tail = tail.partition("/")[0]
    return head, tail


def _absolute(literal: str, value: dict[str, Any], sole: str | None) -> tuple[str | None, str]:
    literal = literal.partition("/_history/")[0]
    before, _, _ = literal.rpartition("/")
    kind = before.rpartition("/")[2]
    return (kind if kind in load_definitions().resource_types else _named(value) or sole), literal


def _named(value: dict[str, Any]) -> str | None:
    named: str | None = value.get("type")
    return None if named is None else named.removeprefix(_TYPE_URL)


def canonical_references(leaf: Leaf) -> Emitter:
    """Index a canonical or uri: as written, and without its version, so that both are found."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        bare = value.partition("|")[0]
        for param in params:
            out.references.append((param, None, value))
            if bare != value:
                out.references.append((param, None, bare))

    return emit


def attachment_references(leaf: Leaf) -> Emitter:
    """Index the URL of an Attachment."""
    params = leaf.params

    def emit(value: Any, out: Extracted) -> None:
        if "url" in value:
            for param in params:
                out.references.append((param, None, value["url"]))

    return emit


def inline_references(leaf: Leaf) -> Emitter:
    """Index the resource that stands in a Bundle's entry, by its own type and id; a parameter takes one type only."""
    params = leaf.params
    only = {"composition": "Composition", "message": "MessageHeader"}

    def emit(value: Any, out: Extracted) -> None:
        kind = value.get("resourceType")
        if "id" in value:
            for param in params:
                if only.get(param, kind) == kind:
                    out.references.append((param, kind, value["id"]))

    return emit
