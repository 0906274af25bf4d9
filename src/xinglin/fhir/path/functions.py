"""FHIRPath functions over whole collections whose arguments are plain values.

Each takes the collection on the left and its arguments, already evaluated to single values (None = empty), and returns a new
collection.  A TypeError says "not for such values"; the compiler turns it into a DefinitionError with the position.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from math import ceil, floor
from typing import Any, Final

from xinglin.fhir.path.values import equal, exact, is_moment, is_number

Items = list[Any]
PlainFunction = Callable[..., Items]

_REFERENCE: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?")


def distinct(items: Items) -> Items:
    """Return the items without equal ones, in their order."""
    kept: Items = []
    for item in items:
        if not any(equal(item, other) for other in kept):
            kept.append(item)
    return kept


def as_text(value: Any) -> str:
    """Return the text of a primitive.  Raises: TypeError for an element with parts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if is_number(value):
        return format(exact(value), "f")
    raise TypeError


def _single(items: Items) -> Any:
    if len(items) > 1:
        raise TypeError
    return items[0]


def _on_text(function: Callable[..., Any]) -> PlainFunction:
    def apply(items: Items, *arguments: Any) -> Items:
        if not items or None in arguments:
            return []
        value = _single(items)
        if not isinstance(value, str):
            raise TypeError
        result = function(value, *arguments)
        return result if isinstance(result, list) else [] if result is None else [result]

    return apply


def _on_number(function: Callable[..., Any]) -> PlainFunction:
    def apply(items: Items, *arguments: Any) -> Items:
        if not items or None in arguments:
            return []
        value = _single(items)
        if not is_number(value):
            raise TypeError
        return [function(exact(value), *arguments)]

    return apply


def _substring(text: str, start: int, length: int | None = None) -> str | None:
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


def _convert(function: Callable[[Any], Any]) -> PlainFunction:
    def apply(items: Items) -> Items:
        if not items:
            return []
        try:
            result = function(_single(items))
        except (ValueError, InvalidOperation):
            return []
        return [] if result is None else [result]

    return apply


def _to_integer(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[+-]?\d+", value) else None
    return int(value) if isinstance(value, int) else None


def _to_decimal(value: Any) -> Decimal | None:
    if isinstance(value, str):
        return Decimal(value) if re.fullmatch(r"[+-]?\d+(\.\d+)?", value) else None
    return Decimal(int(value)) if isinstance(value, bool) else exact(value) if is_number(value) else None


def _to_boolean(value: Any) -> bool | None:
    text = as_text(value).lower()
    return True if text in ("true", "t", "yes", "y", "1", "1.0") else False if text in ("false", "f", "no", "n", "0", "0.0") else None


def _to_date(value: Any) -> str | None:
    return value[:10] if isinstance(value, str) and is_moment(value) and ":" not in value[:10] else None


def _all_are(items: Items, wanted: bool) -> Items:
    if any(not isinstance(item, bool) for item in items):
        raise TypeError
    return [all(item is wanted for item in items)]


def _any_is(items: Items, wanted: bool) -> Items:
    if any(not isinstance(item, bool) for item in items):
        raise TypeError
    return [any(item is wanted for item in items)]


def reference_key(reference: Any, type_name: str | None) -> str | None:
    """Return "Type/id" of a relative Reference, or None: contained, absolute and logical references name no record of ours."""
    text = reference.get("reference") if isinstance(reference, dict) else None
    match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if match is None or (type_name is not None and match[1] != type_name):
        return None
    return f"{match[1]}/{match[2]}"


def resource_key(node: Any) -> str | None:
    """Return "Type/id" of a resource, or None for what is none."""
    if not isinstance(node, dict) or "resourceType" not in node or "id" not in node:
        return None
    return f"{node['resourceType']}/{node['id']}"


def extensions(items: Items, url: str | None) -> Items:
    """Return the extensions with a url of all items."""
    found: Items = []
    for item in items:
        if isinstance(item, dict):
            found += [e for e in item.get("extension") or () if isinstance(e, dict) and e.get("url") == url]
    return found


def children(items: Items) -> Items:
    """Return the direct parts of all items."""
    parts: Items = []
    for item in items:
        if isinstance(item, dict):
            for key, value in item.items():
                if key != "resourceType" and value is not None:
                    parts += [v for v in value if v is not None] if isinstance(value, list) else [value]
    return parts


def descendants(items: Items) -> Items:
    """Return all parts of all items, the nearer before the deeper."""
    found: Items = []
    level = children(items)
    while level:
        found += level
        level = children(level)
    return found


def _round(value: Decimal, digits: int = 0) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def _single_of(items: Items) -> Items:
    return [] if not items else [_single(items)]


# name → (fewest arguments, most arguments, function)
PLAIN_FUNCTIONS: Final[dict[str, tuple[int, int, PlainFunction]]] = {
    "empty": (0, 0, lambda items: [not items]),
    "not": (0, 0, lambda items: [not _single(items)] if items and isinstance(_single(items), bool) else [] if not items else [False]),
    "count": (0, 0, lambda items: [len(items)]),
    "distinct": (0, 0, distinct),
    "isDistinct": (0, 0, lambda items: [len(distinct(items)) == len(items)]),
    "first": (0, 0, lambda items: items[:1]),
    "last": (0, 0, lambda items: items[-1:]),
    "tail": (0, 0, lambda items: items[1:]),
    "single": (0, 0, _single_of),
    "skip": (1, 1, lambda items, number: items[max(number or 0, 0) :]),
    "take": (1, 1, lambda items, number: items[: max(number or 0, 0)]),
    "join": (0, 1, lambda items, by="": [(by or "").join(as_text(item) for item in items)]),
    "extension": (1, 1, extensions),
    "hasValue": (0, 0, lambda items: [len(items) == 1 and not isinstance(items[0], dict)]),
    "children": (0, 0, children),
    "descendants": (0, 0, descendants),
    "allTrue": (0, 0, lambda items: _all_are(items, True)),
    "allFalse": (0, 0, lambda items: _all_are(items, False)),
    "anyTrue": (0, 0, lambda items: _any_is(items, True)),
    "anyFalse": (0, 0, lambda items: _any_is(items, False)),
    "startsWith": (1, 1, _on_text(str.startswith)),
    "endsWith": (1, 1, _on_text(str.endswith)),
    "contains": (1, 1, _on_text(lambda text, part: part in text)),
    "indexOf": (1, 1, _on_text(str.find)),
    "substring": (1, 2, _on_text(_substring)),
    "length": (0, 0, _on_text(len)),
    "upper": (0, 0, _on_text(str.upper)),
    "lower": (0, 0, _on_text(str.lower)),
    "trim": (0, 0, _on_text(str.strip)),
    "split": (1, 1, _on_text(str.split)),
    "toChars": (0, 0, _on_text(list)),
    "replace": (2, 2, _on_text(str.replace)),
    "matches": (1, 1, _on_text(lambda text, pattern: re.search(pattern, text) is not None)),
    "replaceMatches": (2, 2, _on_text(lambda text, pattern, by: re.sub(pattern, by, text))),
    "abs": (0, 0, _on_number(abs)),
    "ceiling": (0, 0, _on_number(ceil)),
    "floor": (0, 0, _on_number(floor)),
    "truncate": (0, 0, _on_number(int)),
    "round": (0, 1, _on_number(_round)),
    "toInteger": (0, 0, _convert(_to_integer)),
    "toDecimal": (0, 0, _convert(_to_decimal)),
    "toString": (0, 0, _convert(as_text)),
    "toBoolean": (0, 0, _convert(_to_boolean)),
    "toDate": (0, 0, _convert(_to_date)),
    "getResourceKey": (0, 0, lambda items: [key for key in map(resource_key, items) if key is not None]),
}
