"""Search values with a prefix: spans of time and of numbers, and what each prefix asks of a stored span.

Source: HL7 FHIR R4 4.0.1, 3.1.1.4.6 number, 3.1.1.4.7 date, 3.1.1.4.5 prefixes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Final

from xinglin.base.errors import IncorrectError
from xinglin.fhir import parse_datetime

PREFIXES: Final = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
_PREFIXED: Final = re.compile(rf"({'|'.join(PREFIXES)})?(.*)", re.DOTALL)
_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")
_APPROXIMATE: Final = 10
"""`ap` widens by a tenth: of the number, or of the time between the date and now."""


@dataclass(frozen=True, slots=True)
class DateValue:
    """A prefix and the span [low, high) of a date, in microseconds since 1970 UTC."""

    prefix: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class NumberValue:
    """A prefix, a number, and the half-open span [low, high) its written precision stands for."""

    prefix: str
    number: float
    low: float
    high: float


def read_date(text: str, zone: tzinfo, now_us: int) -> DateValue:
    """Return what a date value asks; `ap` is answered from `now_us`.  Raises: IncorrectError for what is not a date."""
    prefix, rest = _split(text)
    span = parse_datetime(rest, zone)
    low, high = span.start_us, span.end_us
    if prefix == "ap":
        slack = abs(now_us - low) // _APPROXIMATE
        low, high = low - slack, high + slack
    return DateValue(prefix, low, high)


def read_number(text: str) -> NumberValue:
    """Return what a number asks: `100` stands for [99.5, 100.5), `100.0` for [99.95, 100.05).  Raises: IncorrectError."""
    prefix, rest = _split(text)
    if not _NUMBER.fullmatch(rest):
        raise _no_number()
    try:
        number = Decimal(rest)
        exponent = number.as_tuple().exponent
        half = Decimal(5).scaleb(int(exponent) - 1)
        if prefix == "ap":
            half = max(half, abs(number) / _APPROXIMATE)
        return NumberValue(prefix, float(number), float(number - half), float(number + half))
    except (InvalidOperation, OverflowError):
        raise _no_number() from None


def date_sql(value: DateValue, start: str, end: str) -> str:
    """Return SQL that holds for the spans between two columns that fulfil a date value. Only integers are inlined."""
    low, high = int(value.low), int(value.high)
    inside = f"({start} >= {low} and {end} <= {high})"
    return {
        "eq": inside,
        "ne": f"not {inside}",
        "gt": f"{end} > {high}",
        "lt": f"{start} < {low}",
        "ge": f"({end} > {high} or {inside})",
        "le": f"({start} < {low} or {inside})",
        "sa": f"{start} >= {high}",
        "eb": f"{end} <= {low}",
        "ap": f"({start} < {high} and {end} > {low})",
    }[value.prefix]


def number_sql(value: NumberValue, low: str, high: str) -> str:
    """Return SQL that holds for the ranges between two columns that fulfil a number value. Only numbers are inlined."""
    number, least, most = (f"'{float(part)!r}'::float8" for part in (value.number, value.low, value.high))
    inside = f"({low} >= {least} and {high} < {most})"
    return {
        "eq": inside,
        "ne": f"not {inside}",
        "gt": f"{high} > {number}",
        "lt": f"{low} < {number}",
        "ge": f"{high} >= {number}",
        "le": f"{low} <= {number}",
        "sa": f"{low} > {number}",
        "eb": f"{high} < {number}",
        "ap": f"({low} < {most} and {high} >= {least})",
    }[value.prefix]


def _split(text: str) -> tuple[str, str]:
    found = _PREFIXED.fullmatch(text)
    prefix, rest = found.groups() if found else (None, text)
    return prefix or "eq", rest


def _no_number() -> IncorrectError:
    return IncorrectError(
        "请写数字，例如 5.4 或 gt5.4；数量可写成 5.4|http://unitsofmeasure.org|mmol/L",
        "write a number such as 5.4 or gt5.4; a quantity as 5.4|http://unitsofmeasure.org|mmol/L",
    )
