"""FHIRPath functions that evaluate an expression for each item: where, select, all, exists, repeat, iif, union…"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from xinglin.fhir.path.functions import distinct
from xinglin.fhir.path.operators import truth
from xinglin.fhir.path.steps import Closure, Env
from xinglin.fhir.path.values import equal


def _each(items: list[Any], env: Env) -> Iterator[Any]:
    """Yield the items with $index set to the place of each, and restore it."""
    outer = env.index
    try:
        for at, item in enumerate(items):
            env.index = at
            yield item
    finally:
        env.index = outer


def _where(left: Closure, criteria: Closure) -> Closure:
    return lambda this, env: [item for item in _each(left(this, env), env) if truth(criteria(item, env)) is True]


def _select(left: Closure, projection: Closure) -> Closure:
    return lambda this, env: [value for item in _each(left(this, env), env) for value in projection(item, env)]


def _exists(left: Closure, criteria: Closure | None = None) -> Closure:
    if criteria is None:
        return lambda this, env: [bool(left(this, env))]
    kept = _where(left, criteria)
    return lambda this, env: [bool(kept(this, env))]


def _all(left: Closure, criteria: Closure) -> Closure:
    return lambda this, env: [all(truth(criteria(item, env)) is True for item in _each(left(this, env), env))]


def _repeat(left: Closure, projection: Closure) -> Closure:
    def walk(this: Any, env: Env) -> list[Any]:
        found: list[Any] = []
        seen: set[int] = set()
        waiting = list(left(this, env))
        while waiting:
            item = waiting.pop(0)
            for value in projection(item, env):
                is_new = id(value) not in seen if isinstance(value, dict) else value not in found
                if is_new:
                    seen.add(id(value))
                    found.append(value)
                    waiting.append(value)
        return found

    return walk


def _iif(left: Closure, criterion: Closure, yes: Closure, no: Closure | None = None) -> Closure:
    def choose(this: Any, env: Env) -> list[Any]:
        items = left(this, env)
        if len(items) > 1:
            raise TypeError
        at = items[0] if items else this
        if truth(criterion(at, env)) is True:
            return yes(at, env)
        return [] if no is None else no(at, env)

    return choose


def _combine(left: Closure, other: Closure) -> Closure:
    return lambda this, env: [*left(this, env), *other(this, env)]


def _union(left: Closure, other: Closure) -> Closure:
    return lambda this, env: distinct([*left(this, env), *other(this, env)])


def _is_in(item: Any, items: list[Any]) -> bool:
    return any(equal(item, other) for other in items)


def _intersect(left: Closure, other: Closure) -> Closure:
    def meet(this: Any, env: Env) -> list[Any]:
        others = other(this, env)
        return distinct([item for item in left(this, env) if _is_in(item, others)])

    return meet


def _exclude(left: Closure, other: Closure) -> Closure:
    def leave(this: Any, env: Env) -> list[Any]:
        others = other(this, env)
        return [item for item in left(this, env) if not _is_in(item, others)]

    return leave


def _subset_of(left: Closure, other: Closure) -> Closure:
    def within(this: Any, env: Env) -> list[Any]:
        others = other(this, env)
        return [all(_is_in(item, others) for item in left(this, env))]

    return within


def _aggregate(left: Closure, aggregator: Closure, start: Closure | None = None) -> Closure:
    def fold(this: Any, env: Env) -> list[Any]:
        items, outer = left(this, env), env.total
        env.total = [] if start is None else start(this, env)
        try:
            for item in _each(items, env):
                env.total = aggregator(item, env)
            return env.total
        finally:
            env.total = outer

    return fold


# name → (fewest arguments, most arguments, maker of the closure)
LAMBDA_FUNCTIONS: Final[dict[str, tuple[int, int, Callable[..., Closure]]]] = {
    "where": (1, 1, _where),
    "select": (1, 1, _select),
    "exists": (0, 1, _exists),
    "all": (1, 1, _all),
    "repeat": (1, 1, _repeat),
    "iif": (2, 3, _iif),
    "aggregate": (1, 2, _aggregate),
    "combine": (1, 1, _combine),
    "union": (1, 1, _union),
    "intersect": (1, 1, _intersect),
    "exclude": (1, 1, _exclude),
    "subsetOf": (1, 1, _subset_of),
}
