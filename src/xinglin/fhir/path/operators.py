"""FHIRPath operators as makers of closures; logic has three values (true, false, empty).

Source: FHIRPath 2.0.0, 6 Operations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from xinglin.fhir.path import values
from xinglin.fhir.path.functions import as_text, distinct
from xinglin.fhir.path.steps import Closure, Env, one


def truth(items: list[Any]) -> bool | None:
    """Return a collection as a boolean: empty is None, a single value that is no boolean counts as true.  Raises: TypeError for several."""
    if not items:
        return None
    if len(items) > 1:
        raise TypeError
    return items[0] if isinstance(items[0], bool) else True


def is_plain_text(value: object) -> bool:
    """Say whether a value is text that no date or time can equal in another spelling."""
    return isinstance(value, str) and not values.is_moment(value)


def equals_text(left: Closure, text: Any, *, is_negated: bool) -> Closure:
    """Return left = 'text' (or !=) for a text that is no moment."""

    def test(this: Any, env: Env) -> list[Any]:
        items = left(this, env)
        if not items:
            return []
        return [(len(items) == 1 and items[0] == text) is not is_negated]

    return test


def _equal(left: list[Any], right: list[Any]) -> bool | None:
    if len(left) != len(right):
        return False
    results = [values.equal(a, b) for a, b in zip(left, right, strict=True)]
    return False if False in results else None if None in results else True


def _equality(is_negated: bool) -> Callable[[Closure, Closure], Closure]:
    def make(left: Closure, right: Closure) -> Closure:
        def test(this: Any, env: Env) -> list[Any]:
            a, b = left(this, env), right(this, env)
            result = _equal(a, b) if a and b else None
            return [] if result is None else [result is not is_negated]

        return test

    return make


def _same(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.lower().split())
    if isinstance(value, dict):
        return tuple(sorted((key, repr(_same(part))) for key, part in value.items()))
    return values.exact(value) if values.is_number(value) else value


def _equivalence(is_negated: bool) -> Callable[[Closure, Closure], Closure]:
    def make(left: Closure, right: Closure) -> Closure:
        def test(this: Any, env: Env) -> list[Any]:
            a, b = sorted(map(repr, map(_same, left(this, env)))), sorted(map(repr, map(_same, right(this, env))))
            return [(a == b) is not is_negated]

        return test

    return make


def _order(decide: Callable[[int], bool]) -> Callable[[Closure, Closure], Closure]:
    def make(left: Closure, right: Closure) -> Closure:
        def test(this: Any, env: Env) -> list[Any]:
            a, b = one(left(this, env)), one(right(this, env))
            order = None if a is None or b is None else values.compare(a, b)
            return [] if order is None else [decide(order)]

        return test

    return make


def _calculation(function: Callable[[Any, Any], Any]) -> Callable[[Closure, Closure], Closure]:
    def make(left: Closure, right: Closure) -> Closure:
        def calculate(this: Any, env: Env) -> list[Any]:
            a, b = one(left(this, env)), one(right(this, env))
            result = None if a is None or b is None else function(a, b)
            return [] if result is None else [result]

        return calculate

    return make


def _logic(function: Callable[[bool | None, bool | None], bool | None]) -> Callable[[Closure, Closure], Closure]:
    def make(left: Closure, right: Closure) -> Closure:
        def test(this: Any, env: Env) -> list[Any]:
            result = function(truth(left(this, env)), truth(right(this, env)))
            return [] if result is None else [result]

        return test

    return make


def _and(left: Closure, right: Closure) -> Closure:
    def test(this: Any, env: Env) -> list[Any]:
        a = truth(left(this, env))
        if a is False:
            return [False]
        b = truth(right(this, env))
        return [False] if b is False else [True] if a and b else []

    return test


def _or(left: Closure, right: Closure) -> Closure:
    def test(this: Any, env: Env) -> list[Any]:
        a = truth(left(this, env))
        if a is True:
            return [True]
        b = truth(right(this, env))
        return [True] if b is True else [False] if a is False and b is False else []

    return test


def _xor(a: bool | None, b: bool | None) -> bool | None:
    return None if a is None or b is None else a is not b


def _implies(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is True:
        return True
    return None if a is None or b is None else False


def _concatenate(left: Closure, right: Closure) -> Closure:
    def join(this: Any, env: Env) -> list[Any]:
        parts = (one(left(this, env)), one(right(this, env)))
        return ["".join("" if part is None else as_text(part) for part in parts)]

    return join


def _membership(left: Closure, right: Closure) -> Closure:
    def test(this: Any, env: Env) -> list[Any]:
        item = one(left(this, env))
        return [] if item is None else [any(values.equal(item, other) for other in right(this, env))]

    return test


def signed(sign: str, operand: Closure) -> Closure:
    """Return +operand or -operand of a single number."""

    def apply(this: Any, env: Env) -> list[Any]:
        value = one(operand(this, env))
        if value is not None and not values.is_number(value):
            raise TypeError
        return [] if value is None else [-value if sign == "-" else value]

    return apply


BINARY: Final[dict[str, Callable[[Closure, Closure], Closure]]] = {
    "=": _equality(False),
    "!=": _equality(True),
    "~": _equivalence(False),
    "!~": _equivalence(True),
    "<": _order(lambda order: order < 0),
    "<=": _order(lambda order: order <= 0),
    ">": _order(lambda order: order > 0),
    ">=": _order(lambda order: order >= 0),
    "+": _calculation(values.add),
    "-": _calculation(values.subtract),
    "*": _calculation(values.multiply),
    "/": _calculation(values.divide),
    "div": _calculation(values.whole_divide),
    "mod": _calculation(values.remainder),
    "and": _and,
    "or": _or,
    "xor": _logic(_xor),
    "implies": _logic(_implies),
    "&": _concatenate,
    "|": lambda left, right: lambda this, env: distinct([*left(this, env), *right(this, env)]),
    "in": _membership,
    "contains": lambda left, right: _membership(right, left),
}
