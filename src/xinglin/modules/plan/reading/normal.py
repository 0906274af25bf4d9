"""Repairing the letters of a line: widths, odd glyphs of PDF fonts, formula marks, spaces."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Glyphs that PDF fonts of Chinese typesetting systems map into private planes.  Source: observed in published documents.
_GLYPHS: Final = {0x1001B0: ".", 0x100170: "·", 0x1001BA: "…"}
_WIDTHS: Final = (
    {code: chr(code - 0xFEE0) for code in range(0xFF10, 0xFF1A)}
    | {code: chr(code - 0xFEE0) for code in [*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)]}
    | {0xFF05: "%", 0xFF0E: ".", 0xFF1C: "<", 0xFF1E: ">", 0xFF1D: "=", 0xFF0B: "+", 0xFF0A: "*", 0xFF0F: "/", 0xFF5E: "~"}
    | {0x2264: "≤", 0x2A7D: "≤", 0x2266: "≤", 0x2265: "≥", 0x2A7E: "≥", 0x2267: "≥"}
    | {0xFE64: "<", 0xFE65: ">", 0x301C: "~", 0x223C: "~", 0x2212: "-", 0x2010: "-", 0x2011: "-", 0xFF0D: "-", 0xFE63: "-"}
    | {0xA0: " ", 0x3000: " ", 0x2007: " ", 0x202F: " ", 0x200B: "", 0xFEFF: "", 0x2060: ""}
    | dict.fromkeys(range(0x2000, 0x200B), " ")
)
_TABLE: Final = _WIDTHS | _GLYPHS | {0x200B: "", 0x200C: "", 0x200D: "", 0xAD: ""}
_FORMULA: Final = re.compile(r"\$([^$\n]{1,80})\$")
_LATEX: Final = (
    (re.compile(r"\\(?:geqslant|geq|ge)(?![a-z])\s*"), "≥"),
    (re.compile(r"\\(?:leqslant|leq|le)(?![a-z])\s*"), "≤"),
    (re.compile(r"\\(?:sim)(?![a-z])\s*"), "~"),
    (re.compile(r"\\(?:mathrm|text|mathbf)\s*\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\([%*_#&~-])"), r"\1"),
)
_WRITTEN_SIGN: Final = ((re.compile(r">\s*=|>\s*＝"), "≥"), (re.compile(r"<\s*="), "≤"))
_PRIVATE_POINT: Final = re.compile("(?<=\\d)\\s*[\ue000-\uf8ff\U000f0000-\U0010ffff]\\s*(?=\\d)")
_POINT: Final = re.compile(r"(?<=\d)[·•・](?=\d)|(?<=\d)\.\s(?=\d(?!\s*[.、]))")
_YI: Final = re.compile("[\ua1a1-\ua3fe]")
# Letters that fonts share with a radical: a PDF gives the radical's code where the letter was printed (⼗ for 十, ⺠ for 民).
_RADICALS: Final = dict(
    zip(
        range(0x2E81, 0x2EF4),
        "厂乛乚乙亻冂几刀刂卜㔾小小兀尣尢尣巳幺彑彐忄心扌攵\u2e9a旡日月歺母民氵氺灬爫爫丬牛犭王疋罒示礻竹糸纟罓罒罒罒罒羊羊羊耂肀聿月臼艹艹艹虎"
        "衤覀西见角角讠贝足车辶辶辶阝钅長镸长门阜阝雨青韦页风飞食食饣饣首马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龟亀龟",
        strict=True,
    )
)
_SIMPLIFIED: Final = {0x2F3E: "户", 0x2FAD: "青"}
_SHARED: Final = re.compile("[\u2e80-\u2fd5\uf900-\ufaff\ufb00-\ufb06]")
_SPACE_BY_CJK: Final = re.compile(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])")


def _from_gb_row(match: re.Match[str]) -> str:
    """Return the sign that a PDF font wrote as the raw GB 2312 code of rows 1 to 3 (it lands in the Yi block)."""
    code = ord(match.group())
    try:
        sign = bytes((code >> 8, code & 0xFF)).decode("gb2312")
        return "。" if sign == "．" else sign
    except UnicodeDecodeError:
        return match.group()


def with_letters(line: str) -> str:
    """Return the line with the letters that were printed where a font gave the code of a radical or a joined form."""
    return _SHARED.sub(_letter, line) if not line.isascii() else line


def _letter(match: re.Match[str]) -> str:
    code = ord(match.group())
    return _SIMPLIFIED.get(code) or _RADICALS.get(code) or unicodedata.normalize("NFKC", match.group())


def tidy(line: str) -> str:
    """Return the line with western digits, signs and plain spaces; Chinese punctuation stays as printed."""
    if not line:
        return line
    if not line.isascii():
        line = _YI.sub(_from_gb_row, line)
    line = line.translate(_TABLE)
    if "$" in line:
        line = _FORMULA.sub(r"\1", line)
    if "\\" in line:
        for pattern, sign in _LATEX:
            line = pattern.sub(sign, line)
    for pattern, sign in _WRITTEN_SIGN:
        line = pattern.sub(sign, line)
    line = _PRIVATE_POINT.sub(".", line)
    return _POINT.sub(".", line)


def squeeze(text: str) -> str:
    """Return the text without the spaces that type-setting put beside Chinese letters and signs."""
    return re.sub(r"\s+", " ", _SPACE_BY_CJK.sub("", text)).strip()


def bare(text: str) -> str:
    """Return the text without any space: the form in which words are compared."""
    return re.sub(r"\s+", "", text)


def plain(text: str) -> str:
    """Return the bare text with western brackets and signs: the form in which names of two plans are compared."""
    return bare(tidy(text)).translate(str.maketrans("（）：，；、—–", "():,;,--")).lower()
