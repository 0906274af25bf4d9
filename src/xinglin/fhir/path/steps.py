"""The small closures a path is made of: names, choices, indexes, the environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from xinglin.fhir.path.elements import CHOICE_ELEMENTS, choice_key, choice_value, has_shape_of


class Env:
    """What an expression can see beside its focus: %resource, %rowIndex, $index, $total.

    Loops set and restore row_index, index and total, so one evaluation uses one Env, and one Env serves one thread.
    """

    __slots__ = ("index", "resource", "row_index", "total")

    def __init__(self, resource: Any, row_index: int = 0, index: int | None = None, total: list[Any] | None = None) -> None:
        self.resource = resource
        self.row_index = row_index
        self.index = index
        self.total = total


Closure = Callable[[Any, Env], list[Any]]


def always(values: list[Any]) -> Closure:
    """Return a closure with constant values."""
    return lambda this, env: values


def focus(this: Any, env: Env) -> list[Any]:
    """Return the focus itself."""
    return [this]


SPECIALS: Final[dict[str, Closure]] = {
    "$this": focus,
    "$index": lambda this, env: [] if env.index is None else [env.index],
    "$total": lambda this, env: env.total or [],
}
ENVIRONMENT: Final[dict[str, Closure]] = {
    "resource": lambda this, env: [env.resource],
    "rootResource": lambda this, env: [env.resource],
    "context": lambda this, env: [env.resource],
    "rowIndex": lambda this, env: [env.row_index],
    "ucum": always(["http://unitsofmeasure.org"]),
}


def one(items: list[Any]) -> Any:
    """Return the single item, None for no item.  Raises: TypeError for several."""
    if len(items) > 1:
        raise TypeError
    return items[0] if items else None


def values_of(node: Any, name: str) -> list[Any]:
    """Return the values of one element of one node, whichever type a choice element has."""
    if type(node) is not dict:
        return []
    value = node.get(name)
    if value is None:
        value = choice_value(node, name) if name in CHOICE_ELEMENTS else None
        if value is None:
            return []
    if type(value) is list:
        return [item for item in value if item is not None] if None in value else value
    return [value]


def _walk(items: list[Any], names: Sequence[str]) -> list[Any]:
    for name in names:
        if not items:
            return items
        items = values_of(items[0], name) if len(items) == 1 else [value for item in items for value in values_of(item, name)]
    return items


def chained(left: Closure, names: Sequence[str]) -> Closure:
    """Return left.name.name…"""
    wanted = tuple(names)
    return lambda this, env: _walk(left(this, env), wanted)


def from_focus(names: Sequence[str]) -> Closure:
    """Return name.name… from the focus; a first name that is the focus' resource type stands for the focus."""
    if names[0][:1].isupper():
        return _from_type(names[0], tuple(names[1:]))
    if len(names) == 1:
        name = names[0]
        return lambda this, env: values_of(this, name)
    wanted = tuple(enumerate(names, 1))
    rest = tuple(names)

    def walk(this: Any, env: Env) -> list[Any]:
        node = this
        for done, name in wanted:
            if type(node) is dict:
                node = node.get(name)
                if node is None:
                    return _walk([this], rest) if name in CHOICE_ELEMENTS else []
            elif type(node) is list:
                return _walk([item for item in node if item is not None], rest[done - 1 :])
            else:
                return []
        if type(node) is list:
            return [item for item in node if item is not None]
        return [node]

    return walk


def _from_type(type_name: str, rest: tuple[str, ...]) -> Closure:
    def walk(this: Any, env: Env) -> list[Any]:
        if isinstance(this, dict) and this.get("resourceType") == type_name:
            return _walk([this], rest)
        return _walk([this], (type_name, *rest))

    return walk


def indexed(left: Closure, index: Closure) -> Closure:
    """Return left[index]."""

    def pick(this: Any, env: Env) -> list[Any]:
        items, at = left(this, env), index(this, env)
        return [items[at[0]]] if len(at) == 1 and isinstance(at[0], int) and 0 <= at[0] < len(items) else []

    return pick


def where_text(left: Closure, name: str, text: str) -> Closure:
    """Return left.where(name = 'text')."""

    def keep(this: Any, env: Env) -> list[Any]:
        kept = []
        for item in left(this, env):
            if type(item) is dict:
                value = item.get(name)
                if value == text or (type(value) is not str and values_of(item, name) == [text]):
                    kept.append(item)
        return kept

    return keep


def first_of(alternatives: Sequence[Closure], *, is_question: bool) -> Closure:
    """Return (a | b | …).first(), or .exists() for a question, without evaluating more alternatives than needed."""

    def first(this: Any, env: Env) -> list[Any]:
        for alternative in alternatives:
            items = alternative(this, env)
            if items:
                return [True] if is_question else items[:1]
        return [False] if is_question else []

    return first


def of_choice(owner: Closure | None, name: str, type_name: str) -> Closure:
    """Return owner.name.ofType(type): the typed key of a choice element, else the element itself where its shape suits.

    owner: None for the focus.
    """
    key = choice_key(name, type_name)
    is_resource_step = name not in CHOICE_ELEMENTS

    def typed(this: Any, env: Env) -> list[Any]:
        if type(this) is not dict:
            return []
        value = this.get(key)
        if value is not None:
            return value if type(value) is list else [value]
        if is_resource_step or name in this:
            return [item for item in values_of(this, name) if has_shape_of(item, type_name)]
        return []

    if owner is None:
        return typed
    return lambda this, env: [value for node in owner(this, env) for value in typed(node, env)]


def of_shape(left: Closure, type_name: str) -> Closure:
    """Return the items of left that have the shape of a type."""
    return lambda this, env: [item for item in left(this, env) if has_shape_of(item, type_name)]
