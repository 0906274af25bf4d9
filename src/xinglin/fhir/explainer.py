"""The careful walk through a resource that names every problem with its path; it decides, `acceptor` only hurries."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from xinglin.fhir.model import Definitions, Element, TypeRef
from xinglin.fhir.primitives import WORDS, primitive_fault
from xinglin.fhir.problems import MAX_PROBLEMS, Problem, problem
from xinglin.fhir.reference_shape import read_reference

MAX_DEPTH: Final = 100
"""Levels of JSON objects a resource may have."""
SHOWN_CODES: Final = 20
_PLAIN_NAME = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}")


class CodeOracle(Protocol):
    """Answers for value sets too large or too open to be compiled (UCUM, MIME types, currencies); bound to terminology by assembly."""

    def is_member(self, value_set: str, system: str | None, code: str) -> bool | None:
        """Say whether a code is in a value set; None if it is not known. `system` is None for elements of type code."""


class _Full(Exception):
    """The report holds as many problems as it may."""


@dataclass(slots=True)
class _Report:
    """The problems so far, and what the walk must know: definitions, oracle, ids of the contained resources in reach."""

    definitions: Definitions
    oracle: CodeOracle | None
    problems: list[Problem] = field(default_factory=list)
    contained: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the walk stands: the report it writes to, the path, the levels of objects above it."""

    report: _Report
    path: str
    depth: int = 0

    @property
    def definitions(self) -> Definitions:
        return self.report.definitions

    def add(self, name: str, suffix: str = "", /, **words: object) -> None:
        """Report a problem here, or at `suffix` below."""
        problems = self.report.problems
        if len(problems) >= MAX_PROBLEMS:
            problems.append(problem("too_much", self.path.split(".", 1)[0], limit=MAX_PROBLEMS))
            raise _Full
        problems.append(problem(name, self.path + suffix, **words))

    def at(self, suffix: str) -> _Place:
        """Return the place of an element or item, on the same level."""
        return _Place(self.report, self.path + suffix, self.depth)

    def below(self, suffix: str = "") -> _Place:
        """Return the place of an object one level down."""
        return _Place(self.report, self.path + suffix, self.depth + 1)


def explain(
    resource: object, definitions: Definitions, *, oracle: CodeOracle | None = None, expected_type: str | None = None
) -> list[Problem]:
    """Return every problem of a resource, in the order of its elements; an empty list if there is none."""
    report = _Report(definitions, oracle)
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    root = name if isinstance(name, str) and name in definitions.resource_types else "Resource"
    with contextlib.suppress(_Full):
        _resource(resource, _Place(report, root), expected_type)
    return report.problems


def _resource(value: object, place: _Place, expected_type: str | None = None) -> None:
    """Check a whole resource: the root, an entry of a Bundle, a parameter."""
    name = _type_name(value, place, expected_type)
    if name is None or not isinstance(value, dict):
        return
    report = place.report
    outer, report.contained = report.contained, _contained_ids(value)
    _object(value, name, place)
    report.contained = outer


def _type_name(value: object, place: _Place, expected_type: str | None = None) -> str | None:
    if not isinstance(value, dict):
        place.add("not_object", hint='{"resourceType": "Patient"}')
        return None
    name = value.get("resourceType")
    if name is None:
        place.add("no_type")
    elif not isinstance(name, str) or name not in place.definitions.resource_types:
        place.add("unknown_type", ".resourceType")
    elif expected_type is not None and name != expected_type:
        place.add("wrong_type", ".resourceType", type=expected_type)
    else:
        return name
    return None


def _contained_ids(resource: Mapping[str, Any]) -> frozenset[str]:
    contained = resource.get("contained")
    if not isinstance(contained, list):
        return frozenset()
    return frozenset(item["id"] for item in contained if isinstance(item, dict) and isinstance(item.get("id"), str))


def _object(value: object, key: str, place: _Place) -> None:
    """Check a JSON object against the type that stands under `key`."""
    model = place.definitions.types[key]
    if not isinstance(value, dict):
        place.add("not_object", hint='{"' + model.elements[-1].json_names()[0][0] + '": ...}')
        return
    if place.depth >= MAX_DEPTH:
        place.add("too_deep", limit=MAX_DEPTH)
        return
    if len(value) == (model.kind == "resource"):
        place.add("empty_object")
    found = _found(value, key, place)
    for element in model.elements:
        names = found.get(element.name, [])
        if not names and element.minimum:
            place.add("required", f".{element.label}", name=element.label)
        if len(names) > 1:
            place.add("choice", f".{element.label}", name=element.label)
        for name in names:
            _element(value, name, model.fields[name], place.at(f".{name}"))
    if key == "Extension" and ("extension" in value) == ("value" in found):
        place.add("extension_content")
    if key == "Reference":
        _agreement(value, place)


def _found(value: Mapping[str, Any], key: str, place: _Place) -> dict[str, list[str]]:
    """Return element name → the JSON names it is present under; reports names the type does not have."""
    found: dict[str, list[str]] = {}
    for name in value:
        if name == "resourceType" and place.definitions.types[key].kind == "resource":
            continue
        element = _element_of(name, key, place)
        if element is not None:
            names = found.setdefault(element.name, [])
            plain = name.removeprefix("_")
            if plain not in names:
                names.append(plain)
    return found


def _element_of(name: str, key: str, place: _Place) -> Element | None:
    """Return the element a JSON name stands for; reports an unknown one."""
    fields = place.definitions.types[key].fields
    known = fields.get(name)
    if known is not None:
        return known[0]
    known = fields.get(name[1:]) if name.startswith("_") else None
    if known is not None and known[1].is_primitive:
        return known[0]
    shown = name if _PLAIN_NAME.fullmatch(name) else "?"
    close = difflib.get_close_matches(shown, list(fields), n=1)
    place.add("unknown", f".{shown}", type=key, near=f" ({close[0]}?)" if close else "")
    return None


def _element(owner: Mapping[str, Any], name: str, known: tuple[Element, TypeRef], place: _Place) -> None:
    """Check one element under one JSON name, with its `_name` sibling."""
    element, ref = known
    if element.repeats:
        _repeated(owner, name, known, place)
        return
    if isinstance(owner.get(name), list):
        place.add("is_array")
        return
    if ref.is_primitive and f"_{name}" in owner:
        _object(owner[f"_{name}"], "Element", place.below())
    if name in owner:
        _value(owner[name], element, ref, place)


def _repeated(owner: Mapping[str, Any], name: str, known: tuple[Element, TypeRef], place: _Place) -> None:
    """Check an element that JSON carries as an array, item by item."""
    element, ref = known
    values = owner.get(name, [])
    siblings = owner.get(f"_{name}", []) if ref.is_primitive else []
    if not isinstance(values, list) or not isinstance(siblings, list):
        place.add("not_array")
        return
    if (name in owner and not values) or (ref.is_primitive and f"_{name}" in owner and not siblings):
        place.add("empty_array")
        return
    if 0 < element.maximum < len(values):
        place.add("too_many", limit=element.maximum)
    if name in owner and len(siblings) > len(values):
        place.add("sibling_length", name=name)
    for index, item in enumerate(siblings):
        if item is not None:
            _object(item, "Element", place.below(f"[{index}]"))
        elif index >= len(values):
            place.add("null", f"[{index}]")
    for index, item in enumerate(values):
        if item is not None or not ref.is_primitive:
            _value(item, element, ref, place.at(f"[{index}]"))
        elif index >= len(siblings) or siblings[index] is None:
            place.add("sibling_null", f"[{index}]", name=name)
    if name == "contained":
        _contained_twice(values, place)


def _value(value: object, element: Element, ref: TypeRef, place: _Place) -> None:
    """Check one value against one type."""
    if value is None:
        place.add("null")
    elif ref.is_primitive:
        fault = primitive_fault(ref.code, value)
        if fault is not None:
            zh, en = WORDS[ref.code]
            place.add(fault, zh=zh, en=en)
        elif element.value_set is not None and isinstance(value, str):
            _code(value, element.value_set, place)
    elif ref.code == "Resource":
        check = _contained if element.name == "contained" else _resource
        check(value, place.below())
    else:
        _object(value, ref.key, place.below())
        if isinstance(value, dict):
            _typed(value, element, ref, place)


def _typed(value: Mapping[str, Any], element: Element, ref: TypeRef, place: _Place) -> None:
    """Check what an element asks of its value beyond the type: the bound value set, the targets of a reference."""
    if ref.code == "Reference":
        _targets(value, ref.targets, place)
    elif ref.code == "CodeableConcept" and element.value_set is not None:
        _concept(value, element.value_set, place)


def _contained(value: object, place: _Place) -> None:
    name = _type_name(value, place)
    if name is None or not isinstance(value, dict):
        return
    if "id" not in value:
        place.add("contained_id", ".id")
    if "contained" in value:
        place.add("contained_nested", ".contained")
        value = {key: item for key, item in value.items() if key != "contained"}
    _object(value, name, place)


def _contained_twice(values: list[Any], place: _Place) -> None:
    seen: set[str] = set()
    for index, item in enumerate(values):
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            if item["id"] in seen:
                place.add("contained_twice", f"[{index}].id")
            seen.add(item["id"])


def _code(code: str, value_set: str, place: _Place) -> None:
    closed = place.definitions.closed_codes.get(value_set)
    oracle = place.report.oracle
    if closed is not None:
        if code not in closed:
            place.add("code", codes=_listed(closed))
    elif oracle is not None and oracle.is_member(value_set, None, code) is False:
        place.add("open_code", url=value_set)


def _concept(value: Mapping[str, Any], value_set: str, place: _Place) -> None:
    """A required binding asks for one coding of the value set, unless an extension says why there is none."""
    codings = value.get("coding", [])
    if not isinstance(codings, list) or (not codings and "extension" in value):
        return
    pairs = [(c.get("system"), c.get("code")) for c in codings if isinstance(c, dict)]
    words = [(s, c) for s, c in pairs if isinstance(c, str) and (s is None or isinstance(s, str))]
    parts = place.definitions.value_sets.get(value_set)
    oracle = place.report.oracle
    if parts is not None:
        allowed = {(system, code) for system, codes in parts for code in codes}
        if allowed.isdisjoint(words):
            place.add("concept", url=value_set, codes=_listed(code for _, code in allowed))
    elif oracle is not None and words and all(oracle.is_member(value_set, s, c) is False for s, c in words):
        place.add("open_code", url=value_set)


def _listed(codes: Iterable[str]) -> str:
    names = sorted(set(codes))
    return ", ".join(names[:SHOWN_CODES]) + (" ..." if len(names) > SHOWN_CODES else "")


def _targets(value: Mapping[str, Any], targets: tuple[str, ...], place: _Place) -> None:
    """Check that a reference points to a type the element allows."""
    literal, named = value.get("reference"), value.get("type")
    pointed, spot = None, ".type"
    if isinstance(literal, str):
        shape = read_reference(literal, place.definitions.resource_types)
        pointed, spot = (shape.type if shape is not None else None), ".reference"
    if pointed is None and isinstance(named, str):
        pointed, spot = _named_type(named, place.definitions), ".type"
    if pointed is not None and targets and pointed not in targets:
        place.add("reference_target", spot, types=", ".join(targets))


def _named_type(named: str, definitions: Definitions) -> str | None:
    name = named.removeprefix("http://hl7.org/fhir/StructureDefinition/")
    return name if name in definitions.resource_types else None


def _agreement(value: Mapping[str, Any], place: _Place) -> None:
    """Check the literal of a reference by itself: its form, its contained target, its agreement with `type`."""
    literal, named = value.get("reference"), value.get("type")
    if not isinstance(literal, str) or primitive_fault("string", literal):
        return
    shape = read_reference(literal, place.definitions.resource_types)
    if shape is None:
        place.add("reference_format", ".reference")
    elif shape.kind == "contained" and shape.id and shape.id not in place.report.contained:
        place.add("reference_contained", ".reference")
    elif shape.type is not None and isinstance(named, str) and _named_type(named, place.definitions) not in (None, shape.type):
        place.add("reference_type", ".type")
