"""Equality, order and arithmetic of FHIRPath over JSON values: str, int, float, Decimal, bool and dict.

Dates and times are text. Two texts are compared as moments where both have the form of a FHIR date, dateTime or time; moments of
different precision that agree so far compare as empty.  Source: FHIRPath 2.0.0, 6.1 Equality, 6.2 Comparison, 6.6 Math.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

MOMENT: Final = re.compile(
    r"(?:(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?)?(?:(?(1)T)([01]\d|2[0-3])(?::([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?)?(Z|[+-]\d{2}:\d{2})?)?"
)


def is_number(value: object) -> bool:
    """Say whether the value is a number (a boolean is none)."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def exact(value: Any) -> Decimal:
    """Return a number as the decimal its shortest text says."""
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def is_moment(text: str) -> bool:
    """Say whether a text has the form of a FHIR date, dateTime, instant or time."""
    return text != "" and (text[0].isdigit()) and MOMENT.fullmatch(text) is not None


def _fields(match: re.Match[str]) -> Sequence[Decimal | None] | None:
    parts = match.groups()[:6]
    if parts[0] is None and parts[4] is None:
        return None
    return [None if part is None else Decimal(part) for part in parts]


def _in_utc(text: str) -> Sequence[Decimal | None] | None:
    try:
        instant = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    seconds = Decimal(instant.second) + Decimal(instant.microsecond) / 1_000_000
    return [Decimal(part) for part in (instant.year, instant.month, instant.day, instant.hour, instant.minute)] + [seconds]


def _order_moments(left: str, right: str) -> int | None | str:
    """Return -1, 0, 1, None where precision leaves it open, or "" where these are not moments of one kind."""
    m, n = MOMENT.fullmatch(left), MOMENT.fullmatch(right)
    if m is None or n is None or (m[1] is None) != (n[1] is None):
        return ""
    if m[4] and n[4] and m[1] and (m[7] is None) != (n[7] is None):
        return None
    both_zoned = bool(m[7] and n[7])
    a, b = (_in_utc(left), _in_utc(right)) if both_zoned else (_fields(m), _fields(n))
    if a is None or b is None:
        return ""
    start = 0 if m[1] else 3
    for x, y in zip(a[start:], b[start:], strict=True):
        if x is None or y is None:
            return 0 if x is y else None
        if x != y:
            return -1 if x < y else 1
    return 0


def equal(left: Any, right: Any) -> bool | None:
    """Return whether two single values are equal, or None where the precision of two moments leaves it open."""
    if isinstance(left, str) and isinstance(right, str):
        if left == right:
            return True
        if not (left[:1].isdigit() and right[:1].isdigit()):
            return False
        order = _order_moments(left, right)
        return False if order == "" else (None if order is None else order == 0)
    if isinstance(left, bool) or isinstance(right, bool):
        return isinstance(left, bool) and isinstance(right, bool) and left == right
    if is_number(left) and is_number(right):
        return left == right if type(left) is type(right) else exact(left) == exact(right)
    return bool(left == right)


def compare(left: Any, right: Any) -> int | None:
    """Return -1, 0 or 1, or None where precision leaves it open.  Raises: TypeError if the two have no common order."""
    if isinstance(left, str) and isinstance(right, str):
        order = _order_moments(left, right) if left[:1].isdigit() and right[:1].isdigit() else ""
        if isinstance(order, str):
            return (left > right) - (left < right)
        return order
    if is_number(left) and is_number(right):
        a, b = (left, right) if type(left) is type(right) else (exact(left), exact(right))
        return (a > b) - (a < b)
    if (
        isinstance(left, dict)
        and isinstance(right, dict)
        and (left.get("code") or left.get("unit")) == (right.get("code") or right.get("unit"))
    ):
        return compare(left.get("value"), right.get("value"))
    raise TypeError


def add(left: Any, right: Any) -> Any:
    """Return left + right of two numbers or two texts.  Raises: TypeError otherwise."""
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    return _arithmetic(left, right, "+")


def subtract(left: Any, right: Any) -> Any:
    """Return left - right of two numbers.  Raises: TypeError otherwise."""
    return _arithmetic(left, right, "-")


def multiply(left: Any, right: Any) -> Any:
    """Return left * right of two numbers.  Raises: TypeError otherwise."""
    return _arithmetic(left, right, "*")


def divide(left: Any, right: Any) -> Any:
    """Return left / right as a decimal, or None for a zero divisor.  Raises: TypeError for other than numbers."""
    a, b = _decimals(left, right)
    return None if b == 0 else a / b


def whole_divide(left: Any, right: Any) -> Any:
    """Return left div right, or None for a zero divisor.  Raises: TypeError for other than numbers."""
    a, b = _decimals(left, right)
    return None if b == 0 else int(a / b)


def remainder(left: Any, right: Any) -> Any:
    """Return left mod right, or None for a zero divisor.  Raises: TypeError for other than numbers."""
    a, b = _decimals(left, right)
    if b == 0:
        return None
    rest = a % b
    return int(rest) if isinstance(left, int) and isinstance(right, int) else rest


def _decimals(left: Any, right: Any) -> tuple[Decimal, Decimal]:
    if not (is_number(left) and is_number(right)):
        raise TypeError
    return exact(left), exact(right)


def _arithmetic(left: Any, right: Any, sign: str) -> Any:
    a, b = _decimals(left, right)
    result = a + b if sign == "+" else a - b if sign == "-" else a * b
    return int(result) if isinstance(left, int) and isinstance(right, int) else result
