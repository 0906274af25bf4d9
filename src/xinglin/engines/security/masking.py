"""What a list shows in place of a direct identifier. The whole value takes the right `resident.reveal` and an entry in the audit log."""

from __future__ import annotations

from typing import Final

MASK: Final = "*"


def mask_id_number(number: str) -> str:
    """Return an ID number with everything hidden between the first 3 and the last 2 characters.

    Of a number shorter than 8 characters nothing but the last 2 stays.

    >>> mask_id_number("420999195801011234")
    '420*************34'
    """
    number = number.strip()
    head = 3 if len(number) >= 8 else 0
    return _mask(number, head, 2)


def mask_phone(number: str) -> str:
    """Return a phone number with the middle hidden: the first 3 and last 4 stay of a mobile number, the last 2 of a shorter one.

    >>> mask_phone("13900001234")
    '139****1234'
    """
    number = number.strip()
    return _mask(number, 3, 4) if len(number) >= 11 else _mask(number, 0, 2)


def mask_name(name: str) -> str:
    """Return a name of which the surname's first character stays.

    >>> mask_name("王小丽")
    '王**'
    """
    return _mask(name.strip(), 1, 0)


def _mask(text: str, head: int, tail: int) -> str:
    hidden = len(text) - head - tail
    if hidden <= 0:
        return MASK * len(text)
    return text[:head] + MASK * hidden + text[len(text) - tail :]
