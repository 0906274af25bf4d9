"""Numbers as Chinese documents write them: 1,234.5 and １，２３４, 三十, 百分之三十, 八成, 万分之十六, 1.2万."""

from __future__ import annotations

import re
from typing import Final

DIGITS: Final = r"(?:\d{1,3}(?:[,，]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)"
HAN: Final = "零〇一二两三四五六七八九十百千"
_ONES: Final = {letter: value for value, letter in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS: Final = {"十": 10, "百": 100, "千": 1000}
_GREAT: Final = {"万": 10_000, "亿": 100_000_000}
_PARTS: Final = {"百": ("%", 1.0), "千": ("‰", 1.0), "万": ("/万", 1.0), "十万": ("/10万", 1.0)}
_PART_OF: Final = re.compile(rf"(十万|百|千|万)分之\s*([{HAN}]+(?:点[{HAN}]+)?|{DIGITS})")
_TENTHS: Final = re.compile(r"([一二两三四五六七八九十]|\d)成([一二三四五六七八九半])?")


def digits_value(text: str) -> float:
    """Return the value of western digits with or without grouping commas."""
    return float(re.sub(r"[,，\s]", "", text))


def han_value(text: str) -> float | None:
    """Return the value of a number in Chinese letters (三十, 一百零五, 十二点五), or None where it is none.

    >>> han_value("二百五十")
    250.0
    >>> han_value("十六")
    16.0
    """
    whole, _, fraction = text.partition("点")
    total = section = digit = 0
    for letter in whole:
        if letter in _ONES:
            digit = digit * 10 + _ONES[letter] if digit and not set(whole) & set("十百千万亿") else _ONES[letter]
        elif letter in _TENS:
            section += (digit or 1) * _TENS[letter]
            digit = 0
        elif letter in _GREAT:
            total = (total + section + digit) * _GREAT[letter] if letter == "亿" else total + (section + digit) * _GREAT[letter]
            section = digit = 0
        else:
            return None
    if not whole:
        return None
    value = float(total + section + digit)
    if fraction and all(letter in _ONES for letter in fraction):
        value += float("0." + "".join(str(_ONES[letter]) for letter in fraction))
    return value


def spell_out(text: str) -> str:
    """Return the text with 百分之三十 as 30%, 万分之十六 as 16/万, 八成 as 80%, so that one grammar reads the rest.

    >>> spell_out("达到百分之三十以上")
    '达到30%以上'
    >>> spell_out("常住人口万分之十六")
    '常住人口16/万'
    """
    if "分之" in text:
        text = _PART_OF.sub(_part, text)
    if "成" in text:
        text = _TENTHS.sub(_tenth, text)
    return text


def _part(match: re.Match[str]) -> str:
    unit, _ = _PARTS[match.group(1)]
    number = match.group(2)
    value = digits_value(number) if number[0].isdigit() else han_value(number)
    return match.group() if value is None else f"{value:g}{unit}"


def _tenth(match: re.Match[str]) -> str:
    """Read 八成 as 80 %; what stands behind decides whether 成 is a verb (建成, 三成为) and then nothing is changed."""
    after = match.string[match.end() : match.end() + 1]
    before = match.string[max(0, match.start() - 1) : match.start()]
    if after in set("为立果功员本熟份套") or before in set("第组一二三四五六七八九十0123456789."):
        return match.group()
    head = match.group(1)
    value = float(head) if head.isdigit() else float(_ONES.get(head, 10))
    half = match.group(2)
    value = value * 10 + (0 if not half else 5 if half == "半" else _ONES[half])
    return f"{value:g}%"
