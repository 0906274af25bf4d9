"""lowBoundary and highBoundary: the least and the greatest value a written precision allows.

Source: FHIRPath 3.0.0-ballot, lowBoundary / highBoundary; SQL on FHIR v2, required additional functions.
"""

from __future__ import annotations

from calendar import monthrange
from decimal import Decimal
from typing import Any

from xinglin.fhir.path.values import MOMENT, exact, is_number


def boundary(value: Any, type_name: str | None, *, is_high: bool) -> Any:
    """Return the boundary of one value, or None for a kind that has none.

    type_name: the R4 type where the path tells it ("dateTime" widens a bare date to an instant at the outermost zones +14:00 and -12:00).
    """
    if is_number(value):
        number = exact(value)
        exponent = number.as_tuple().exponent
        half = Decimal(5).scaleb(int(exponent) - 1)
        return number + half if is_high else number - half
    if not isinstance(value, str):
        return None
    match = MOMENT.fullmatch(value) if value else None
    if match is None:
        return None
    if match[1] is None:
        return _time(match.group(4, 5, 6), is_high=is_high)
    day = _day(match[1], match[2], match[3], is_high=is_high)
    if match[4] is None and type_name not in ("dateTime", "instant"):
        return day
    return f"{day}T{_time(match.group(4, 5, 6), is_high=is_high)}{match[7] or ('-12:00' if is_high else '+14:00')}"


def _day(year: str, month: str | None, day: str | None, *, is_high: bool) -> str:
    month = month or ("12" if is_high else "01")
    last = monthrange(int(year), int(month))[1] if int(year) else 31
    return f"{year}-{month}-{day or (f'{last:02d}' if is_high else '01')}"


def _time(parts: tuple[str | Any, ...], *, is_high: bool) -> str:
    hour, minute, second = parts
    hour = hour or ("23" if is_high else "00")
    minute = minute or ("59" if is_high else "00")
    second = second or ("59" if is_high else "00")
    whole, _, fraction = second.partition(".")
    return f"{hour}:{minute}:{whole}.{(fraction + ('999' if is_high else '000'))[: max(3, len(fraction))]}"
