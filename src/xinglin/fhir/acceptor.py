"""A hurried validator: says yes only to resources in which `explainer` finds nothing, and "look closely" to all others.

One closure per type, made when first needed; patterns and code lists are called directly from C, no path is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from xinglin.fhir.explainer import CodeOracle
from xinglin.fhir.model import Definitions, Element, TypeRef
from xinglin.fhir.primitives import Check, fast_check
from xinglin.fhir.reference_shape import certain_reference

MAX_LEVEL: Final = 6
"""Types that hold themselves (extensions, nested items) are accepted so deep; deeper ones are looked at closely."""


def _never(value: object) -> object:
    return False


class _Fields(dict[str, Check]):
    """JSON name → check, each made when a resource first has that name; unknown names are refused and not kept."""

    def __init__(self, makers: Mapping[str, Callable[[], Check]]) -> None:
        super().__init__()
        self._makers = makers

    def __missing__(self, name: str) -> Check:
        maker = self._makers.get(name)
        if maker is None:
            return _never
        check = self[name] = maker()
        return check


class Acceptor:
    """Makes and keeps the checks of one set of definitions. oracle: asked about codes of open value sets, None = their form is enough."""

    def __init__(self, definitions: Definitions, *, oracle: CodeOracle | None) -> None:
        self._definitions = definitions
        self._oracle = oracle
        self._objects: dict[tuple[str, int, bool], Check] = {}
        self._patterns: dict[tuple[str, ...], Callable[[str], object]] = {}

    def accepts(self, resource: object) -> bool:
        """Say whether a resource is certainly right."""
        try:
            return bool(self._resource(resource, 0))
        except (TypeError, RecursionError):
            return False

    def _resource(self, value: Any, level: int) -> object:
        if level > MAX_LEVEL or type(value) is not dict or len(value) < 2:
            return False
        name = value.get("resourceType")
        if name not in self._definitions.resource_types:
            return False
        if "contained" not in value:
            return self._object(name, level, False)(value)
        return self._object(name, level, True)(value) and _contained_agree(value)

    def _object(self, key: str, level: int, contains: bool) -> Check:
        if level > MAX_LEVEL:
            return _never
        known = self._objects.get((key, level, contains))
        if known is None:
            known = self._objects[key, level, contains] = self._make_object(key, level, contains)
        return known

    def _make_object(self, key: str, level: int, contains: bool) -> Check:
        model = self._definitions.types[key]
        makers: dict[str, Callable[[], Check]] = {}
        choices: dict[str, str] = {}
        for element in model.elements:
            for name, ref in element.json_names():
                makers[name] = self._maker(key, element, ref, level, contains)
                if element.choice:
                    choices[name] = element.name
                if ref.is_primitive and not element.choice and not element.repeats:
                    makers[f"_{name}"] = self._sibling_maker(level, contains)
        if model.kind == "resource":
            makers["resourceType"] = lambda: {key}.__contains__
        required = tuple(e.name for e in model.elements if e.minimum and not e.choice)
        required_choices = frozenset(e.name for e in model.elements if e.minimum and e.choice)
        fields = _Fields(makers)
        if key == "Extension":
            return _extension_check(fields)
        if choices:
            return _choice_check(fields, required, choices, required_choices)
        return _plain_check(fields, required)

    def _sibling_maker(self, level: int, contains: bool) -> Callable[[], Check]:
        return lambda: self._object("Element", level, contains)

    def _maker(self, owner: str, element: Element, ref: TypeRef, level: int, contains: bool) -> Callable[[], Check]:
        recursive = owner == "Extension" or ref.code == "Resource" or (owner == "Reference" and element.name == "identifier")
        recursive = recursive or owner.startswith(ref.key) or ("." in ref.key and not ref.key.startswith(owner + "."))
        inner = level + 1 if recursive else level

        def make() -> Check:
            one = self._single(element, ref, inner, contains)
            return _array_check(one, element.maximum) if element.repeats else one

        return make

    def _single(self, element: Element, ref: TypeRef, level: int, contains: bool) -> Check:
        if ref.is_primitive:
            return self._primitive(element, ref)
        if ref.code == "Resource":
            if element.name == "contained":
                return lambda value: self._contained(value, level)
            return lambda value: self._resource(value, level)
        if ref.code == "Reference":
            return self._reference(ref.targets, level, contains)
        if ref.code == "CodeableConcept" and element.value_set is not None:
            return self._concept(element.value_set, level, contains)
        return self._object(ref.key, level, contains)

    def _primitive(self, element: Element, ref: TypeRef) -> Check:
        if element.value_set is None:
            return fast_check(ref.code)
        closed = self._definitions.closed_codes.get(element.value_set)
        if closed is not None:
            return closed.__contains__
        return self._open_code(fast_check(ref.code), element.value_set)

    def _contained(self, value: Any, level: int) -> object:
        if level > MAX_LEVEL or type(value) is not dict or "id" not in value or "contained" in value:
            return False
        name = value.get("resourceType")
        return name in self._definitions.resource_types and self._object(name, level, True)(value)

    def _concept(self, value_set: str, level: int, contains: bool) -> Check:
        parts = self._definitions.value_sets.get(value_set)
        whole = self._object("CodeableConcept", level, contains)
        if parts is None:
            return self._open_concept(whole, value_set)
        allowed = frozenset((system, code) for system, codes in parts for code in codes)

        def check(value: Any) -> object:
            return whole(value) and "coding" in value and any((c.get("system"), c.get("code")) in allowed for c in value["coding"])

        return check

    def _open_code(self, form: Check, value_set: str) -> Check:
        if self._oracle is None:
            return form
        is_member = self._oracle.is_member
        return lambda value: form(value) and is_member(value_set, None, str(value)) is not False

    def _open_concept(self, whole: Check, value_set: str) -> Check:
        if self._oracle is None:
            return whole
        is_member = self._oracle.is_member

        def check(value: Any) -> object:
            words = [(c.get("system"), c["code"]) for c in value["coding"] if "code" in c] if whole(value) and "coding" in value else ()
            return any(is_member(value_set, system, code) is not False for system, code in words)

        return check

    def _reference(self, targets: tuple[str, ...], level: int, contains: bool) -> Check:
        whole = self._object("Reference", level, contains)
        match = self._patterns.get(targets)
        if match is None:
            match = self._patterns[targets] = certain_reference(targets or self._definitions.resource_types).fullmatch
        allowed = frozenset(targets or self._definitions.resource_types)

        def check(value: Any) -> object:
            if not whole(value):
                return False
            if "type" in value and value["type"] not in allowed:
                return False
            if "reference" not in value:
                return True
            literal = value["reference"]
            if "type" in value and not literal.startswith(f"{value['type']}/"):
                return False
            return match(literal) or (contains and literal[0] == "#")

        return check


def _plain_check(fields: _Fields, required: tuple[str, ...]) -> Check:
    def check(value: Any) -> object:
        if type(value) is not dict or not value:
            return False
        for name, item in value.items():
            if not fields[name](item):
                return False
        for name in required:  # noqa: SIM110  # measured: a generator costs more than the loop
            if name not in value:
                return False
        return True

    return check


def _choice_check(fields: _Fields, required: tuple[str, ...], choices: Mapping[str, str], required_choices: frozenset[str]) -> Check:
    plain = _plain_check(fields, required)

    def check(value: Any) -> object:
        if not plain(value):
            return False
        seen = [choices[name] for name in value if name in choices]
        if len(seen) > 1 and len(set(seen)) < len(seen):
            return False
        return not required_choices or required_choices.issubset(seen)

    return check


def _extension_check(fields: _Fields) -> Check:
    plain = _plain_check(fields, ("url",))

    def check(value: Any) -> object:
        if not plain(value):
            return False
        values = [name for name in value if name.startswith("value")]
        return len(values) == ("extension" not in value)

    return check


def _array_check(one: Check, maximum: int) -> Check:
    def check(value: Any) -> object:
        if type(value) is not list or not value:
            return False
        for item in value:  # noqa: SIM110  # measured: a generator costs more than the loop
            if not one(item):
                return False
        return True

    if maximum < 0:
        return check
    return lambda value: check(value) and len(value) <= maximum  # type: ignore[arg-type]


def _contained_agree(resource: Mapping[str, Any]) -> bool:
    """Say whether every `#id` of a resource has its contained resource, and no id stands twice."""
    ids = [item["id"] for item in resource["contained"]]
    known = set(ids)
    if len(known) < len(ids):
        return False
    return all(literal == "#" or literal[1:] in known for literal in _local_references(resource))


def _local_references(value: Any) -> Iterator[str]:
    stack = [value]
    while stack:
        top = stack.pop()
        if isinstance(top, dict):
            literal = top.get("reference")
            if isinstance(literal, str) and literal[:1] == "#":
                yield literal
            stack.extend(top.values())
        elif isinstance(top, list):
            stack.extend(top)
