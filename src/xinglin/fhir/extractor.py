"""Compiles the search parameters of a resource type into one function that reads a resource once and returns all index values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from typing import Any, Final

from xinglin.base.errors import DefinitionError
from xinglin.fhir import index_references as references
from xinglin.fhir import index_values as values
from xinglin.fhir.index_values import Emitter, Extracted, Leaf
from xinglin.fhir.model import Definitions, Element, TypeRef, load_definitions
from xinglin.fhir.search_parameters import NOT_INDEXED, SKIPPED_TYPES, records_of
from xinglin.fhir.search_paths import Step, read_expression

EMITTERS: Final[Mapping[tuple[str, str], Callable[[Leaf], Emitter]]] = {
    ("date", "Period"): values.period_dates,
    ("date", "Timing"): values.timing_dates,
    ("date", "date"): values.moment_dates,
    ("date", "dateTime"): values.moment_dates,
    ("date", "instant"): values.moment_dates,
    ("number", "Range"): values.range_numbers,
    ("number", "decimal"): values.plain_numbers,
    ("number", "integer"): values.plain_numbers,
    ("quantity", "Age"): values.plain_quantities,
    ("quantity", "Duration"): values.plain_quantities,
    ("quantity", "Money"): values.money_quantities,
    ("quantity", "Quantity"): values.plain_quantities,
    ("quantity", "Range"): values.range_quantities,
    ("reference", "Attachment"): references.attachment_references,
    ("reference", "Reference"): references.plain_references,
    ("reference", "Resource"): references.inline_references,
    ("reference", "canonical"): references.canonical_references,
    ("reference", "uri"): references.canonical_references,
    ("special", "BackboneElement"): values.positions,
    ("string", "Address"): values.address_strings,
    ("string", "HumanName"): values.name_strings,
    ("string", "markdown"): values.plain_strings,
    ("string", "string"): values.plain_strings,
    ("token", "CodeableConcept"): values.concept_tokens,
    ("token", "Coding"): values.coding_tokens,
    ("token", "ContactPoint"): values.contact_tokens,
    ("token", "Identifier"): values.identifier_tokens,
    ("token", "boolean"): values.boolean_tokens,
    ("token", "code"): values.plain_tokens,
    ("token", "id"): values.plain_tokens,
    ("token", "string"): values.plain_tokens,
    ("token", "uri"): values.plain_tokens,
    ("truth", "boolean"): values.truth_tokens,
    ("truth", "dateTime"): values.truth_tokens,
    ("uri", "canonical"): values.plain_uris,
    ("uri", "uri"): values.plain_uris,
    ("uri", "url"): values.plain_uris,
}
"""(parameter type, data type) → what makes the emitter."""

Extractor = Callable[[Mapping[str, Any]], Extracted]


@dataclass(slots=True)
class _Node:
    """A place in the tree of JSON names that the expressions of a type make together."""

    element: Element | None = None
    ref: TypeRef | None = None
    children: dict[str, _Node] = field(default_factory=dict)
    first_only: dict[str, _Node] = field(default_factory=dict)
    guarded: dict[tuple[str, str], _Node] = field(default_factory=dict)
    params: dict[str, dict[str, str]] = field(default_factory=dict)

    def take(self, kind: str, param: str, pointed: str) -> None:
        """Index what stands here under a parameter of a kind."""
        self.params.setdefault(kind, {})[param] = pointed


@dataclass(frozen=True, slots=True)
class _Target:
    """The parameter whose expression is being laid into the tree."""

    param: str
    kind: str


def _lay(node: _Node, key: str, steps: tuple[Step, ...], target: _Target, definitions: Definitions) -> None:
    """Lay the steps of one alternative into the tree, from a node whose type stands under `key`."""
    if not steps or steps[0].kind in ("pointed", "truth"):
        kind = "truth" if steps and steps[0].kind == "truth" else target.kind
        node.take(kind, target.param, steps[0].name if steps and steps[0].kind == "pointed" else "")
        return
    step, rest = steps[0], steps[1:]
    if step.kind == "equal":
        branch = node.guarded.setdefault((step.name, step.literal), _Node(node.element, node.ref))
        _lay(branch, key, rest, target, definitions)
        return
    if step.kind != "field":
        raise DefinitionError("检索参数表达式超出支持范围", "the expression is outside the subset that is compiled", where=target.param)
    cast = rest[0].name if rest and rest[0].kind == "cast" else None
    index = rest[0].name if rest and rest[0].kind == "index" else None
    following = rest[1:] if cast or index else rest
    place = node.first_only if index == "0" else node.children
    for name, (element, ref) in definitions.types[key].fields.items():
        if element.name == step.name and (cast is None or ref.code == cast) and (target.kind, ref.code) not in SKIPPED_TYPES:
            child = place.setdefault(name, _Node(element, ref))
            _lay(child, ref.key, following, target, definitions)


def _tree(resource_type: str, only: Collection[str] | None) -> _Node:
    definitions = load_definitions()
    root = _Node()
    for record in records_of(resource_type):
        if record.type in NOT_INDEXED or record.code in NOT_INDEXED or (only is not None and record.code not in only):
            continue
        for start, steps in read_expression(record.expression):
            if start in (resource_type, "Resource", "DomainResource", ""):
                _lay(root, resource_type, steps, _Target(record.code, record.type), definitions)
    return root


def _emitters(node: _Node, zone: tzinfo) -> list[Emitter]:
    if node.ref is None or node.element is None:
        return []
    made = []
    for kind, pointed in node.params.items():
        maker = EMITTERS.get((kind, node.ref.code))
        if maker is None:
            raise DefinitionError(
                f"检索参数类型 {kind} 不能用于数据类型 {node.ref.code}",
                f"a search parameter of type {kind} has no values from data type {node.ref.code}",
                where=", ".join(pointed),
            )
        system = load_definitions().system_of(node.element.value_set) if node.ref.code == "code" else None
        sole = node.ref.targets[0] if len(node.ref.targets) == 1 else None
        made.append(maker(Leaf(tuple(pointed), zone, system, {p: only for p, only in pointed.items() if only}, sole)))
    return made


def _compile(node: _Node, zone: tzinfo) -> Emitter:
    """Return the function that reads one value at a node (each item, where the element repeats)."""
    one = _compile_one(node, zone)
    if node.element is None or not node.element.repeats:
        return one

    def each(value: Any, out: Extracted) -> None:
        for item in value:
            if item is not None:
                one(item, out)

    return each


def _compile_one(node: _Node, zone: tzinfo) -> Emitter:
    emitters = _emitters(node, zone)
    if node.children or node.first_only:
        emitters.append(_descend(node, zone))
    for (name, literal), branch in node.guarded.items():
        emitters.append(_guard(name, literal, _compile_one(branch, zone)))
    if len(emitters) == 1:
        return emitters[0]

    def several(value: Any, out: Extracted) -> None:
        for emit in emitters:
            emit(value, out)

    return several


def _guard(name: str, literal: str, inner: Emitter) -> Emitter:
    def guarded(value: Any, out: Extracted) -> None:
        if value.get(name) == literal:
            inner(value, out)

    return guarded


def _descend(node: _Node, zone: tzinfo) -> Emitter:
    children: dict[str, Emitter] = {name: _compile(child, zone) for name, child in node.children.items()}
    for name, child in node.first_only.items():
        children[name] = _both(children.get(name), _first(_compile_one(child, zone)))
    if len(children) <= 2:
        pairs = tuple(children.items())

        def few(value: Any, out: Extracted) -> None:
            for name, child in pairs:
                if name in value:
                    child(value[name], out)

        return few
    find = children.get

    def many(value: Any, out: Extracted) -> None:
        for name, item in value.items():
            child = find(name)
            if child is not None:
                child(item, out)

    return many


def _first(one: Emitter) -> Emitter:
    def first(value: Any, out: Extracted) -> None:
        if value:
            one(value[0], out)

    return first


def _both(left: Emitter | None, right: Emitter) -> Emitter:
    if left is None:
        return right
    before = left

    def both(value: Any, out: Extracted) -> None:
        before(value, out)
        right(value, out)

    return both


def _absent_truths(node: _Node) -> list[tuple[str, frozenset[str]]]:
    """Return (param, JSON names) of the parameters that are false where none of the names is present."""
    names: dict[str, set[str]] = {}
    for name, child in node.children.items():
        for param in child.params.get("truth", ()):
            names.setdefault(param, set()).add(name)
    return [(param, frozenset(found)) for param, found in names.items()]


@cache
def extractor(resource_type: str, zone: tzinfo, only: frozenset[str] | None = None) -> Extractor:
    """Return the compiled function resource → index values for a resource type.

    zone: the district's zone, for dates without one.  only: names of the parameters wanted; None = all that are indexed.
    The resource must be valid; what is absent gives no value. Raises: UnsupportedError if it is not a resource type of R4.
    """
    tree = _tree(resource_type, only)
    read = _descend(tree, zone)
    absent = _absent_truths(tree)

    def extract(resource: Mapping[str, Any]) -> Extracted:
        out = Extracted()
        read(resource, out)
        for param, names in absent:
            if names.isdisjoint(resource):
                out.tokens.append((param, "http://hl7.org/fhir/special-values", "false", None))
        return out

    return extract
