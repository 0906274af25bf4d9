"""Whole numbers as people and addresses write them."""

from __future__ import annotations


def read_number(text: str) -> int | None:
    """Return a number of a form or an address, None where it is none or too long for one (a superscript ² is no digit).

    >>> read_number("12"), read_number("²"), read_number("")
    (12, None, None)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else None
