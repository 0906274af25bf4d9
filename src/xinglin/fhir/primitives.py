"""The primitive types of R4: which JSON value each takes, its format, and the calendar.

Source: HL7 FHIR R4 4.0.1, 2.24.0.1 Primitive Types (regular expressions and limits).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Final

MAX_STRING: Final = 1024 * 1024
"""Characters a string may have. Source: R4 2.24.0.1, string: SHALL NOT exceed 1 MB (1024*1024 characters)."""

LARGEST_PLAIN: Final = 10**18
"""Whole numbers below this are accepted as decimals without a closer look."""

_KNOWN_LENGTH: Final = 80
_KNOWN_MOST: Final = 4096

Check = Callable[[object], object]
"""Returns something true only for a value that is certainly right; may raise TypeError for a value of another JSON type."""

_YEAR = r"(?!0000)\d{4}"
_LEAP = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_MONTH_DAY = r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))"
_DAY = rf"(?:{_YEAR}-{_MONTH_DAY}|(?!0000){_LEAP}-02-29)"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,30})?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_LOOSE_DAY = rf"{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"


def _full(pattern: str) -> Callable[[str], object]:
    return re.compile(pattern, re.ASCII).fullmatch


_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_DATE = _full(rf"{_DAY}|{_YEAR}(?:-(?:0[1-9]|1[0-2]))?")
_DATETIME = _full(rf"{_DAY}(?:T{_CLOCK}{_ZONE})?|{_YEAR}(?:-(?:0[1-9]|1[0-2]))?")
_INSTANT = _full(rf"{_DAY}T{_CLOCK}{_ZONE}")
_LOOSE: Final = {
    "date": _full(_LOOSE_DAY),
    "dateTime": _full(rf"{_LOOSE_DAY}(?:T{_CLOCK}{_ZONE})?"),
    "instant": _full(rf"{_LOOSE_DAY}T{_CLOCK}{_ZONE}"),
}
_BASE64 = _full(r"[0-9A-Za-z+/]+={0,2}")
_SPACE = re.compile(r"\s+")

FORMATS: Final[dict[str, Callable[[str], object]]] = {
    "code": re.compile(r"[^\s]+(?:\s[^\s]+)*").fullmatch,
    "id": _full(r"[A-Za-z0-9\-.]{1,64}"),
    "uri": re.compile(r"\S+").fullmatch,
    "url": re.compile(r"\S+").fullmatch,
    "canonical": re.compile(r"\S+").fullmatch,
    "oid": _full(r"urn:oid:[0-2](?:\.(?:0|[1-9]\d*))+"),
    "uuid": _full(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"),
    "date": _DATE,
    "dateTime": _DATETIME,
    "instant": _INSTANT,
    "time": _full(_CLOCK),
}
"""String types with a format: type → full match. Dates match only days that exist."""

RANGES: Final = {"integer": (-(2**31), 2**31 - 1), "unsignedInt": (0, 2**31 - 1), "positiveInt": (1, 2**31 - 1)}
"""Whole numbers: type → smallest and largest value (32 bits)."""

WORDS: Final[dict[str, tuple[str, str]]] = {
    "base64Binary": ("Base64 编码的字符串", "a base64 encoded string"),
    "boolean": ("true 或 false（不加引号）", "true or false without quotation marks"),
    "canonical": ("不含空格的规范地址（字符串）", "a canonical URL without spaces (a string)"),
    "code": ("首尾和中间没有多余空格的代码（字符串）", "a code without leading, trailing or double spaces (a string)"),
    "date": ("日期，如 2026、2026-11 或 2026-11-21", "a date such as 2026, 2026-11 or 2026-11-21"),
    "dateTime": (
        "日期或带时区的时间，如 2026-11-21 或 2026-11-21T08:30:00+08:00",
        "a date, or a time with its zone such as 2026-11-21T08:30:00+08:00",
    ),
    "decimal": ("数字，如 12.5（不加引号）", "a number such as 12.5 without quotation marks"),
    "id": ("1 到 64 个字母、数字、- 或 .", "1 to 64 letters, digits, - or ."),
    "instant": (
        "精确到秒并带时区的时刻，如 2026-11-21T08:30:00+08:00",
        "a moment to the second with its zone such as 2026-11-21T08:30:00+08:00",
    ),
    "integer": ("-2147483648 到 2147483647 的整数（不加引号）", "a whole number from -2147483648 to 2147483647 without quotation marks"),
    "markdown": ("文本字符串", "a string of text"),
    "oid": ("urn:oid: 开头的对象标识符", "an object identifier beginning with urn:oid:"),
    "positiveInt": ("1 到 2147483647 的整数（不加引号）", "a whole number from 1 to 2147483647 without quotation marks"),
    "string": ("带引号的字符串", "a string in quotation marks"),
    "time": ("时间，如 08:30:00", "a time such as 08:30:00"),
    "unsignedInt": ("0 到 2147483647 的整数（不加引号）", "a whole number from 0 to 2147483647 without quotation marks"),
    "uri": ("不含空格的 URI（字符串）", "a URI without spaces (a string)"),
    "url": ("不含空格的网址（字符串）", "a URL without spaces (a string)"),
    "uuid": ("urn:uuid: 开头的小写 UUID", "a UUID in lower case beginning with urn:uuid:"),
    "xhtml": ("XHTML 文本字符串", "a string of XHTML"),
}
"""What to write instead, per type, in Chinese and English."""


def _is_boolean(value: object) -> object:
    return value is True or value is False


def _is_decimal(value: object) -> object:
    kind = type(value)
    if kind is float:
        return value - value == 0.0  # type: ignore[operator]  # false for infinity and not-a-number
    if kind is int:
        return -LARGEST_PLAIN < value < LARGEST_PLAIN  # type: ignore[operator]
    return kind is Decimal and value.is_finite()  # type: ignore[attr-defined]


def _whole(low: int, high: int) -> Check:
    def check(value: object) -> object:
        return type(value) is int and low <= value <= high

    return check


def _is_text(value: object) -> object:
    return type(value) is str and value.isprintable() and 0 < len(value) <= MAX_STRING and not value.isspace() or _is_odd_text(value)


def _is_odd_text(value: object) -> object:
    return type(value) is str and 0 < len(value) <= MAX_STRING and not value.isspace() and _UNWANTED.search(value) is None


def _is_base64(value: object) -> object:
    return type(value) is str and len(value) % 4 == 0 and _BASE64(value)


def _limited(match: Callable[[str], object]) -> Check:
    """Guard a format without a length of its own; the plain match stays for types whose pattern is bounded."""

    def check(value: object) -> object:
        return type(value) is str and len(value) <= MAX_STRING and match(value) and value.isprintable()

    return check


class _Known(dict[object, object]):
    """Short texts looked at before → what the check said of them: the same few addresses and codes stand in every resource."""

    def __init__(self, check: Check) -> None:
        super().__init__()
        self._check = check

    def __missing__(self, value: object) -> object:
        found = bool(self._check(value))
        if type(value) is str and len(value) <= _KNOWN_LENGTH:
            if len(self) >= _KNOWN_MOST:
                self.clear()
            self[value] = found
        return found


def fast_check(code: str) -> Check:
    """Return the quick test of a primitive type: true only for values in which `primitive_fault` finds nothing."""
    if code in RANGES:
        return _whole(*RANGES[code])
    if code in ("uri", "url", "canonical", "code", "oid"):
        return _Known(_limited(FORMATS[code])).__getitem__
    if code in FORMATS:
        return FORMATS[code]  # type: ignore[return-value]  # raises TypeError for other JSON types, as Check says
    return {"boolean": _is_boolean, "decimal": _is_decimal, "base64Binary": _is_base64}.get(code, _is_text)


def primitive_fault(code: str, value: object) -> str | None:
    """Return the name of what is wrong with a JSON value for a primitive type (a key of SENTENCES), or None."""
    if code == "boolean":
        return None if isinstance(value, bool) else "primitive_type"
    if code == "decimal" or code in RANGES:
        return _number_fault(code, value)
    if not isinstance(value, str):
        return "primitive_type"
    if not value:
        return "empty_string"
    if code == "base64Binary":
        packed = _SPACE.sub("", value)
        return None if len(packed) % 4 == 0 and _BASE64(packed) else "primitive_format"
    return _text_fault(code, value)


def _number_fault(code: str, value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return "primitive_type"
    if code == "decimal":
        return None if _is_finite(value) else "primitive_format"
    low, high = RANGES[code]
    return None if isinstance(value, int) and low <= value <= high else "primitive_format"


def _is_finite(value: float | Decimal) -> bool:
    """Say whether a number stays finite as a 64-bit float, as the index keeps it."""
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _text_fault(code: str, value: str) -> str | None:
    if len(value) > MAX_STRING and code != "xhtml":
        return "too_long"
    if _UNWANTED.search(value):
        return "control"
    match = FORMATS.get(code)
    if match is None:
        return "blank_string" if value.isspace() else None
    if match(value):
        return None
    loose = _LOOSE.get(code)
    return "no_such_day" if loose is not None and loose(value) else "primitive_format"
