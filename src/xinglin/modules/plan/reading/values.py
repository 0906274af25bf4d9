"""The grammar of a value cell: ≤2.5, 2.31（1.8）, 29.4*, ——, 2-3, 95以上, 年均增长10%, 同比例提高, 70.6;69.1."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.normal import bare, tidy
from xinglin.modules.plan.reading.numerals import DIGITS, digits_value, han_value, spell_out


@dataclass(frozen=True, slots=True)
class Value:
    """One read value.  op is None where no sign stands; mark is a footnote mark; words keeps what was not a number."""

    value: float | None = None
    high: float | None = None
    op: str | None = None
    unit: str | None = None
    mark: str = ""
    words: str = ""
    inner: Value | None = None
    is_dash: bool = False


_LONGEST: Final = 80
_BRACKETS: Final = str.maketrans("（）〔〕【】［］", "()[][][]")
_WHOLE: Final = re.compile(r"\[([^\[\]()]+)\]")
_RATIO: Final = re.compile(r"1(?:\.0)?[:：∶](?P<n>\d{1,3}(?:\.\d{1,4})?)")
_EACH: Final = re.compile(
    r"每(?:个|所|家|年|万|千)?[^\d，。；]{0,20}?(?P<op>至少|不少于|不低于|≥)(?P<n>\d{1,6}(?:\.\d{1,3})?)(?P<unit>[^\d，。；≥≤]{1,6}?)(?:以上)?"
)
_DASH: Final = re.compile(
    r"[-—–―─－_/\\\s]+|无|暂无|缺|未统计|未监测|无数据|/|N/?A|na|n\.a\.|\.{2,}|…+|待定|暂缺|无统计|尚无|[（(][-—–]+[)）]", re.I
)
_PREFIXES: Final = (
    (">=", r"≥|不低于|不少于|不小于|不得低于|不得少于|大于等于|大于或等于|至少(?:达到|为)?|最低|高于或等于|达到或超过|力争不低于"),
    (
        "<=",
        r"≤|不高于|不超过|不多于|不大于|不得超过|不得高于|小于等于|小于或等于|控制在|控制到|降至|降到|下降到|下降至|降低到|降低至|压缩到|压减到|低于或等于|最高",
    ),
    (">", r">|高于|大于|超过|突破|超"),
    ("<", r"<|低于|小于|少于"),
    (
        "=",
        r"=|约为|约|大约|近|接近|稳定在|保持在|维持在|保持|稳定|达到|达|为|提高到|提高至|提升到|提升至|增长到|增加到|增加至|上升到|增至|升至|实现|力争|力争达到",
    ),
)
_SUFFIXES: Final = (
    (">=", r"及?以上|或以上|起|\+(?!\d)"),
    ("<=", r"及?以下|或以下|以内|之内|内"),
    ("~", r"左右|上下|多|余|前后"),
)
_GROW: Final = re.compile(
    rf"(?:(?:19|20)\d\d[-—–~～至](?:19|20)\d\d年)?(?:年均|每年|逐年|平均每年|年平均|年|累计|较\d{{4}}年|较基期|比\d{{4}}年|五年)?(?:均)?(增长|增速|提高|提升|增加|上升|下降|降低|减少|增幅)(?:率)?"
    rf"(?P<op>≥|≤|>|<|不低于|不少于|达|超过|约|为|[:：])?(?P<n>{DIGITS})(?P<u>%|‰|个百分点|百分点|个千分点|岁|张|人|个|亿元|万元|倍)?(?P<tail>以上|左右|以内)?"
)
_RISE: Final = re.compile(
    r"(?:同比例|逐步|持续|稳步|逐年|有所|明显|显著|不断|进一步|适度|大幅|同步|按比例|与.{1,12}同步|稳中有|较.{1,12}有所)?的?(?:提高|提升|增长|上升|增加|延长|改善|升)"
)
_FALL: Final = re.compile(
    r"(?:逐步|持续|稳步|逐年|有所|明显|显著|不断|进一步|大幅|稳中有|较.{1,12}有所)?的?(?:下降|降低|减少|缩短|控制|遏制|减缓|趋缓|放缓|降)"
)
_UNIT_TAIL: Final = r"(?P<unit>%|‰|/?1?0?10?万|[A-Za-z]*|[^\d\s（）()，。；;、≥≤<>=~-]{1,6}?(?:/[^\d\s（）()，。；;]{1,4})?)?"
_NUMBER: Final = rf"(?P<n>{DIGITS})(?P<pct>%|‰)?"
_RANGE: Final = rf"(?:\s*(?:[-—–~～至到]+)\s*(?P<high>{DIGITS}))?"
_SHAPE: Final = re.compile(rf"^(?P<n>{DIGITS})(?P<pct>%|‰)?(?:(?:[-—–~～至到]+)(?P<high>{DIGITS}))?(?P<rest>.*)$")
_MARK: Final = re.compile(r"[*※☆★△▲#†‡①-⑳ⅠⅡⅢ]+$|\[\d+\]$|(?<=\d)[¹²³]$")
_PREFIX_RE: Final = tuple((op, re.compile(rf"^(?:{words})")) for op, words in _PREFIXES)
_SUFFIX_RE: Final = tuple((op, re.compile(rf"(?:{words})$")) for op, words in _SUFFIXES)


def parse_value(text: str) -> Value | None:
    """Return what a value cell says, or None when the text is no value.

    >>> parse_value("≤2.5").value, parse_value("≤2.5").op
    (2.5, '<=')
    >>> parse_value("2.31（1.8）").inner.value
    1.8
    """
    word = bare(tidy(text)).translate(_BRACKETS).replace("%%", "%")
    if not word or len(word) > _LONGEST:
        return None
    if _DASH.fullmatch(word):
        return Value(is_dash=True)
    whole = _WHOLE.fullmatch(word)
    if whole:
        found = _main(whole.group(1))
        return replace(found, words=found.words or "方括号内为累计数") if found else None
    each = _EACH.fullmatch(word)
    if each and catalogue().is_unit(each.group("unit")):
        return Value(value=float(each.group("n")), op=">=", unit=each.group("unit"), words=f"为{word}")
    word, inner, note = _take_brackets(word)
    if not word and inner is not None:
        return replace(inner, inner=None, words=note or inner.words, is_dash=False) if inner.value is not None else None
    found = _main(word)
    if found is None:
        return None
    return replace(found, inner=inner, words=note or found.words)


def _take_brackets(word: str) -> tuple[str, Value | None, str]:
    """Split 2.31(1.8) into the outer word, the bracketed value and bracketed words: (含新冠225.0), (快报数)."""
    match = re.search(r"[(\[]([^()\[\]]*)[)\]](?!(?<=[^.]\d\])$|(?<=\[\d\])$)", word)
    if match is None:
        return word, None, ""
    outside, content = word[: match.start()] + word[match.end() :], match.group(1)
    if re.fullmatch(r"[一-鿿]+", content) and not outside:
        return word, None, ""
    if outside and re.fullmatch(r"(?:截至)?(?:19|20)\d\d年?(?:底|末|数据|数|值)?", content):
        return outside, None, content
    inner = _main(content) if content else None
    if inner is not None:
        return outside, inner, ""
    number = re.fullmatch(rf"([^\d]*?)[:：]?({DIGITS})(%|‰)?([^\d]*)", content)
    if number and not number.group(4):
        return outside, Value(value=digits_value(number.group(2)), unit=number.group(3), words=number.group(1)), ""
    return outside, None, content


def _main(word: str) -> Value | None:
    mark = _MARK.search(word)
    if mark and mark.start() > 0:
        found = _main(word[: mark.start()])
        return replace(found, mark=mark.group()) if found else None
    word = spell_out(word)
    growing = _GROW.fullmatch(word)
    if growing:
        return _grow(growing, word)
    if _RISE.fullmatch(word):
        return Value(op="rise", words=word)
    if _FALL.fullmatch(word):
        return Value(op=None, words=word)
    return _signed(word)


def _grow(match: re.Match[str], word: str) -> Value:
    value = digits_value(match.group("n"))
    falling = match.group(1) in {"下降", "降低", "减少"}
    return Value(value=-value if falling else value, op="grow", unit=match.group("u"), words=word)


def _strip_prefixes(word: str) -> tuple[str | None, str]:
    """Return the strongest sign among the words before the number (力争降至: <=) and what is left."""
    op: str | None = None
    for _ in range(3):
        for sign, pattern in _PREFIX_RE:
            match = pattern.match(word)
            if match and match.end() < len(word):
                op = sign if op in {None, "="} else op
                word = word[match.end() :]
                break
        else:
            break
    return op, word


def _signed(word: str) -> Value | None:
    op, rest = _strip_prefixes(word)
    suffix, rest, about = _suffix(rest)
    ratio = _RATIO.fullmatch(rest)
    if ratio:
        return Value(value=float(ratio.group("n")), op=suffix or op, words=f"为比值1:{ratio.group('n')}")
    shape = _SHAPE.match(rest)
    if shape is None:
        return _han(rest, suffix or op)
    tail = shape.group("rest")
    unit = shape.group("pct")
    if tail:
        more, tail, nearly = _suffix(tail)
        suffix, about = suffix or more, about or nearly
    if tail:
        if tail in {"%", "‰"} or catalogue().is_unit(tail):
            unit = unit or tail
        else:
            return None
    return _put(shape, suffix, op, unit, about)


def _put(shape: re.Match[str], suffix: str | None, op: str | None, unit: str | None, about: str) -> Value:
    value = digits_value(shape.group("n"))
    high = digits_value(shape.group("high")) if shape.group("high") else None
    if high is not None and high < value:
        value, high = high, value
    chosen: str | None = suffix or op
    if op in {"<", ">", "<=", ">="} and not (suffix and op == "<=" and suffix == ">="):
        chosen = op
    if chosen == "=" and op == "=" and not about:
        chosen = None if shape.string and not shape.string.startswith("=") else "="
    if high is not None and chosen in {None, "="}:
        chosen = "range"
    if about and chosen is None:
        chosen = "="
    return Value(value=value, high=high, op=chosen, unit=unit, words=about)


def _suffix(rest: str) -> tuple[str | None, str, str]:
    for sign, pattern in _SUFFIX_RE:
        match = pattern.search(rest)
        if match and match.start() > 0:
            if sign == "~":
                return (">=" if match.group() in {"多", "余"} else "="), rest[: match.start()], match.group()
            return sign, rest[: match.start()], ""
    return None, rest, ""


def _han(rest: str, op: str | None) -> Value | None:
    match = re.fullmatch(r"([零〇一二两三四五六七八九十百千万亿]+(?:点[零一二三四五六七八九]+)?)(.*)", rest)
    if match is None or not (catalogue().is_unit(match.group(2)) if match.group(2) else len(match.group(1)) <= 6):
        return None
    value = han_value(match.group(1))
    return None if value is None else Value(value=value, op=op, unit=match.group(2) or None)


def parse_values(text: str) -> list[Value]:
    """Return the values of a cell that carries several (70.6;69.1), one value as a list of one, or an empty list."""
    if len(text) > 4 * _LONGEST:
        return []
    single = parse_value(text)
    if single is not None:
        return [single]
    parts = [part for part in re.split(r"[;；、/|]|(?<=[\d%‰])[,，](?=[≥≤<>]?\d)", bare(tidy(text))) if part]
    values = [parse_value(part) for part in parts]
    return [value for value in values if value] if len(parts) > 1 and all(values) else []
