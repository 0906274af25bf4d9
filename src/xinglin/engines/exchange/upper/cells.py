"""Cells of Excel as people leave them → canonical text, and back into words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from xinglin.base.errors import IncorrectError
from xinglin.base.text import fold, to_halfwidth
from xinglin.engines.exchange.upper.model import Field
from xinglin.engines.identity import checked_id_number

_SERIAL_START: Final = date(1899, 12, 30)
_SERIALS: Final = range(3654, 73_051)
"""Excel's numbers of the days from 1910 to 2100: a smaller number (a year, a weight) is no day."""
_DATE: Final = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_NUMBER: Final = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*(?:[a-zA-Zμ%/次分℃]*)")
_PRESSURE: Final = re.compile(r"(\d{2,3})\s*[/／\\,，]\s*(\d{2,3})\s*(?:mmhg)?", re.IGNORECASE)
_SCIENCE: Final = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{2}")
_MANY: Final = re.compile(r"[,，、;；/\s]+")


def read_cell(field: Field, text: str, codes: Mapping[str, str]) -> dict[str, str]:
    """Return what a cell says as our field → canonical text ({} for an empty one; two fields for a blood pressure).

    codes: our code → the platform's.  Raises: IncorrectError saying what to write instead.
    """
    plain = to_halfwidth(text).strip().strip("'’‘`").strip()
    if not plain or plain in ("-", "/", "无数据"):
        return {}
    if field.kind == "pressure":
        return _pressure(plain)
    if field.kind in ("code", "codes"):
        return {field.name: _codes(field, plain, codes)}
    return {field.name: _READERS[field.kind](plain)}


def read_date(text: str) -> str:
    """Return a day as ISO text: 2026-11-21, 2026/11/21, 2026.11.21, 20261121, 2026年11月21日 or Excel's serial number.

    >>> read_date("2026年3月5日"), read_date("20260305"), read_date("46086")
    ('2026-03-05', '2026-03-05', '2026-03-05')
    """
    found = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    try:
        if found:
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
        number = float(text)
        if int(number) in _SERIALS:
            return (_SERIAL_START + timedelta(days=int(number))).isoformat()
    except (ValueError, OverflowError):
        pass
    raise IncorrectError("日期无法识别，请写成 2026-11-21", "not a date; write it as 2026-11-21")


def read_id_number(text: str) -> str:
    """Return a checked resident ID number.  Raises: IncorrectError that says how Excel damaged it, where it did."""
    compact = text.replace(" ", "").upper()
    lost = _SCIENCE.fullmatch(compact) or (len(compact) == 18 and compact.endswith("000") and checked_id_number(compact) is None)
    if lost:
        raise IncorrectError(
            "身份证号被 Excel 当作数字，末几位已丢失：请把该列设为文本格式后重新填写",
            "Excel took the ID number for a quantity and lost its last digits: format the column as text and type it again",
        )
    if len(compact) == 15 and compact.isdecimal():
        raise IncorrectError("是 15 位旧身份证号，请填 18 位", "a 15-digit number of the old kind: write the 18-digit one")
    number = checked_id_number(compact)
    if number is None:
        raise IncorrectError("身份证号不正确：应为 18 位且校验码相符", "not an ID number: 18 characters with a fitting check digit")
    return number


def read_number(text: str) -> str:
    """Return a number as plain decimal text; a unit after it and thousands separators are passed over.

    >>> read_number("72.50 kg"), read_number("1,200")
    ('72.5', '1200')
    """
    found = _NUMBER.fullmatch(text.replace(",", ""))
    try:
        if found:
            value = Decimal(found[1]).normalize()
            return format(value, "f") if value else "0"
    except InvalidOperation:
        pass
    raise IncorrectError("不是数字", "not a number")


def _phone(text: str) -> str:
    digits = re.sub(r"[\s-]", "", text.removesuffix(".0"))
    if not re.fullmatch(r"\+?\d{7,15}", digits):
        raise IncorrectError("电话应为 7 到 15 位数字", "a phone number has 7 to 15 digits")
    return digits


def _pressure(text: str) -> dict[str, str]:
    found = _PRESSURE.fullmatch(text)
    if not found:
        raise IncorrectError("血压请写成 135/85", "write a blood pressure as 135/85")
    return {"systolic": str(int(found[1])), "diastolic": str(int(found[2]))}


def _codes(field: Field, text: str, codes: Mapping[str, str]) -> str:
    parts = [part for part in _MANY.split(text) if part] if field.kind == "codes" else [text]
    known = {fold(word): code for code, word in field.codes.items()} | {fold(theirs): ours for ours, theirs in codes.items()}
    found = {_code(part.removesuffix(".0"), field, known) for part in parts}
    return ",".join(sorted(found, key=lambda code: (len(code), code)))


def _code(part: str, field: Field, known: Mapping[str, str]) -> str:
    folded = fold(part)
    if folded in known:
        return known[folded]
    if part in field.codes:
        return part
    match = re.match(r"(\d{1,2})[.、:：\s-]*(.*)", part)
    if match and match[1] in field.codes and fold(match[2]) in (fold(field.codes[match[1]]), ""):
        return match[1]
    raise IncorrectError(
        f"没有这个选项，可写：{'、'.join(field.codes.values())}", f"no such option; write one of: {', '.join(field.codes)}"
    )


_READERS: Final = {
    "text": lambda text: " ".join(text.split()),
    "number": read_number,
    "date": read_date,
    "id_number": read_id_number,
    "phone": _phone,
}


def word_of(field: Field, value: str, codes: Mapping[str, str]) -> str:
    """Return a canonical value as the platform writes it: its own code, else our word."""
    if field.kind not in ("code", "codes"):
        return value
    return ",".join(codes.get(code, field.codes.get(code, code)) for code in value.split(",") if code)


def same(field: Field, ours: str, theirs: str) -> bool:
    """Return whether two canonical values mean the same; texts are compared without blanks and case."""
    if field.kind == "text":
        return fold(ours).replace(" ", "") == fold(theirs).replace(" ", "")
    return ours == theirs
