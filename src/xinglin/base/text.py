"""Text as people type it: width, case, pinyin initials."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def fold(text: str) -> str:
    """Return text in NFKC, case folded, with runs of white space as one blank: what string search compares.

    >>> fold("  Ｗａｎｇ　小東 ")
    'wang 小東'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def to_halfwidth(text: str) -> str:
    """Return text with full-width digits, letters and punctuation as half-width ones.

    >>> to_halfwidth("１３５／８５")
    '135/85'
    """
    return unicodedata.normalize("NFKC", text)


# Surnames whose reading as a name differs from the common reading. Source: 现代汉语词典, entries marked 姓 (unverified here).
_SURNAME_INITIALS = {
    "单": "s",
    "曾": "z",
    "仇": "q",
    "区": "o",
    "解": "x",
    "查": "z",
    "盖": "g",
    "任": "r",
    "朴": "p",
    "尉": "y",
    "冼": "x",
    "覃": "q",
}


@lru_cache(maxsize=65536)
def initials(name: str) -> str:
    """Return the pinyin initials of a Chinese name in lower case, `""` where there is nothing to read.

    The surname's own reading is used for the first character; letters and digits stay themselves.

    >>> initials("王小丽")
    'wxl'
    >>> initials("曾国")
    'zg'
    """
    from pypinyin import Style, pinyin  # its dictionaries take 0.2 s to load, which most processes never need

    name = fold(name).replace(" ", "").replace("·", "")
    parts = [pinyin(sign, style=Style.FIRST_LETTER, errors="default")[0][0][:1] for sign in name]
    if name and name[0] in _SURNAME_INITIALS and parts:
        parts[0] = _SURNAME_INITIALS[name[0]]
    return "".join(parts)
