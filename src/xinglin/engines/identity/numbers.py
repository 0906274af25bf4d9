"""Resident identity numbers: check, upgrade, and what they say of birth and sex."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from xinglin.base.errors import IncorrectError
from xinglin.base.text import to_halfwidth

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK: Final = "10X98765432"


@dataclass(frozen=True, slots=True)
class IdNumberFacts:
    """What a checked number says. sex: 1 male, 2 female.  division: six digits at registration, maybe a retired code."""

    number: str
    birth_date: date
    sex: int
    division: str


def check_digit(first17: str) -> str:
    """Return the check character of 17 digits.  Source: GB 11643-1999 (ISO 7064 MOD 11-2).

    >>> check_digit("11010519491231002")
    'X'
    """
    return _CHECK[sum(int(digit) * weight for digit, weight in zip(first17, _WEIGHTS, strict=True)) % 11]


def read_id_number(text: str) -> IdNumberFacts:
    """Return the facts of an 18-character number, or of a 15-digit one brought to 18 (19 before the year, check added).

    Raises: IncorrectError that says which rule failed and never repeats the number.  Source: GB 11643-1999.

    >>> read_id_number("440524188001010014").sex
    1
    """
    number = to_halfwidth(text).strip().lstrip("'").upper()
    if len(number) == 15 and number.isdecimal():
        number = f"{number[:6]}19{number[6:]}"
        number += check_digit(number)
    if len(number) != 18 or not number[:17].isdecimal() or not (number[17].isdecimal() or number[17] == "X"):
        raise IncorrectError(
            "身份证号应为 18 位（前 17 位数字，末位数字或 X）", "an ID number has 18 characters: 17 digits, then a digit or X"
        )
    if number[17] != check_digit(number[:17]):
        raise IncorrectError("身份证号校验位不符，请对照证件核对", "the ID number's check digit is wrong; compare it with the card")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise IncorrectError("身份证号中的出生日期不存在", "the birth date inside the ID number does not exist") from error
    return IdNumberFacts(number, born, 1 if int(number[16]) % 2 else 2, number[:6])


def checked_id_number(text: str | None) -> str | None:
    """Return the 18-character number when it passes the checks, else None."""
    if not text:
        return None
    try:
        return read_id_number(text).number
    except IncorrectError:
        return None
