"""What a column holds, decided by the `type` of a view's column: conversion from JSON, and the Arrow type.

A date is a day in the district's zone; a date known only to the month or year is unknown (null), as is text that is no date.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final


class Kind(StrEnum):
    """Kinds of column; `rid` is a reference resolved to the integer of a resource, `any` leaves values as they are."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    TRUTH = "truth"
    DATE = "date"
    INSTANT = "instant"
    RID = "rid"
    ANY = "any"


KIND_TAG: Final = "xinglin/kind"
_OF_TYPE: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(("string", "code", "id", "uri", "url", "canonical", "oid", "uuid", "markdown", "base64Binary", "time"), Kind.TEXT),
    **dict.fromkeys(("integer", "integer64", "positiveInt", "unsignedInt"), Kind.INTEGER),
    "decimal": Kind.NUMBER,
    "boolean": Kind.TRUTH,
    "date": Kind.DATE,
    "dateTime": Kind.INSTANT,
    "instant": Kind.INSTANT,
}
Converter = Callable[[Any], Any]


def kind_of(column: Mapping[str, Any]) -> Kind:
    """Return the kind of a ViewDefinition column: its tag `xinglin/kind`, else by its `type`, else any."""
    for tag in column.get("tag", ()):
        if tag.get("name") == KIND_TAG:
            return Kind(tag["value"])
    return _OF_TYPE.get(column.get("type", ""), Kind.ANY)


def _integer(value: Any) -> int | None:
    if isinstance(value, str):
        return int(value) if value.isdigit() and len(value) <= 18 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _day_in(zone: tzinfo) -> Converter:
    def day(value: Any) -> date | None:
        if not isinstance(value, str):
            return None
        try:
            if len(value) == 10:
                return date.fromisoformat(value)
            instant = datetime.fromisoformat(value) if len(value) > 10 else None
            if instant is None or instant.tzinfo is None:
                return None
            return instant.astimezone(zone).date()
        except (ValueError, OverflowError):
            return None

    return day


def _instant(value: Any) -> datetime | None:
    if not isinstance(value, str) or len(value) <= 10:
        return None
    try:
        instant = datetime.fromisoformat(value)
        return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def plain(value: Any) -> Any:
    """Return a value of an untyped column: decimals as float, the rest as it is."""
    return float(value) if isinstance(value, Decimal) else value


def converters(zone: tzinfo) -> Mapping[Kind, Converter]:
    """Return one function per kind, JSON value → Python value or None.  zone: the district's."""
    return {
        Kind.TEXT: _text,
        Kind.INTEGER: _integer,
        Kind.NUMBER: _number,
        Kind.TRUTH: _truth,
        Kind.DATE: _day_in(zone),
        Kind.INSTANT: _instant,
        Kind.RID: _text,
        Kind.ANY: plain,
    }
