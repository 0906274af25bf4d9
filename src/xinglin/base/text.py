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


def storable(text: str) -> str:
    """Return text as a database can hold it: a NUL sign becomes the sign for what cannot be shown, half a character a question mark.

    >>> storable("a\\x00b")
    'a\ufffdb'
    """
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode("utf-8")


def to_halfwidth(text: str) -> str:
    """Return text with full-width digits, letters and punctuation as half-width ones.

    >>> to_halfwidth("１３５／８５")
    '135/85'
    """
    return unicodedata.normalize("NFKC", text)


# Surnames whose reading as a name differs from the common reading: syllable and tone.
# Source: 现代汉语词典, entries marked 姓 (unverified here).
_SURNAMES = {
    "单": "shan4",
    "曾": "zeng1",
    "仇": "qiu2",
    "区": "ou1",
    "解": "xie4",
    "查": "zha1",
    "盖": "ge3",
    "任": "ren2",
    "朴": "piao2",
    "尉": "yu4",
    "冼": "xian3",
    "覃": "qin2",
}


@lru_cache(maxsize=16384)
def _reading(sign: str) -> str:
    """Return the commonest reading of a character, syllable and tone; a letter or digit reads as itself."""
    from pypinyin import Style, pinyin  # its dictionaries take 0.2 s to load, which most processes never need

    return str(pinyin(sign, style=Style.TONE3, errors="default", neutral_tone_with_five=True)[0][0])


def _readings(name: str) -> list[tuple[str, str]]:
    """Return (character, reading) of a folded name; the first character is read as a surname."""
    signs = name.replace(" ", "").replace("·", "")
    return [(sign, _SURNAMES.get(sign) or _reading(sign) if place == 0 else _reading(sign)) for place, sign in enumerate(signs)]


def initials(name: str) -> str:
    """Return the pinyin initials of a Chinese name in lower case, `""` where there is nothing to read.

    The surname's own reading is used for the first character; letters and digits stay themselves.

    >>> initials("王小丽")
    'wxl'
    >>> initials("曾国")
    'zg'
    """
    return "".join(reading[:1] for _, reading in _readings(fold(name)))


def sort_key(name: str) -> str:
    """Return what names sort by, compared byte by byte: character for character the syllable, its tone, then the character itself.

    Names in letters sort among them; characters without a reading come last.

    >>> sorted(["王丽", "何勇", "汪洋", "丁一", "王艾"], key=sort_key)
    ['丁一', '何勇', '汪洋', '王艾', '王丽']
    """
    return "".join(reading if reading == sign else reading + sign for sign, reading in _readings(fold(name)))
