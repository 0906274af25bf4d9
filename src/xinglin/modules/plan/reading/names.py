"""The name cell: serial number, unit in brackets, footnote marks, several names in one row, 其中 rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.normal import bare, squeeze

_SERIAL: Final = re.compile(
    r"^(?:\d{1,3}\s*[.、．)）]\s*(?!\d)|\d{1,2}[.．](?=\d{1,3}(?:[-—–~～至]\d{1,3})?(?:周?岁|个月|类|种|型|级|天|小时))|[（(]\d{1,2}[）)]\s*|[①-⑳]\s*|[一二三四五六七八九十]{1,3}、\s*)"
)
_MARK: Final = re.compile(r"\s*(?:[*※★☆△▲#†]+|[①-⑩]|\[\d\]|注\d?|[¹²³])$")
_UNIT: Final = re.compile(r"\s*[（(\[【]\s*([^（）()\[\]【】]*)\s*[）)\]】]\s*$")
_TAIL_UNIT: Final = re.compile(r"(?<=[一-鿿）)])\s*(%|‰|/10万|1/10万)$")
_SHARED: Final = (
    "患者",
    "人群",
    "病人",
    "防治",
    "规范",
    "管理",
    "控制",
    "发病",
    "死亡",
    "覆盖",
    "医保",
    "知晓",
    "治疗",
    "筛查",
    "健康",
    "床位",
    "医师",
    "护士",
    "人员",
    "就诊",
    "建册",
    "数",
    "率",
    "比例",
    "占比",
)
_OF_WHICH: Final = re.compile(r"^(?:[#-]|——)?\s*其中\s*[:：,，]?\s*")


@dataclass(frozen=True, slots=True)
class Name:
    """A name as printed without unit and serial number, its unit, its footnote mark, and whether it is a 其中 row."""

    text: str
    unit: str | None
    mark: str
    of_which: bool
    extra: str = ""
    kind: str = ""


def read_name(text: str) -> Name:
    """Return the parts of a name cell.

    >>> read_name("12 每千人口注册护士数（人）").text if False else read_name("3.婴儿死亡率（‰）").text
    '婴儿死亡率'
    """
    name = _SERIAL.sub("", squeeze(text)).strip()
    mark = ""
    unit: str | None = None
    extra = ""
    kind, name = _kind_in(name)
    for _ in range(4):
        found = _MARK.search(name)
        if found and found.start() > 0:
            mark, name = found.group().strip() + mark, name[: found.start()]
            continue
        bracket = _UNIT.search(name)
        if bracket is None or unit is not None:
            break
        unit, extra, taken = _unit_of(bracket.group(1))
        if not taken:
            unit, name = _inner_unit(name)
            break
        name = name[: bracket.start()]
    tail = _TAIL_UNIT.search(name)
    if unit is None and tail:
        unit, name = tail.group(1), name[: tail.start()]
    return Name(name.strip(" :：，,"), unit, mark, bool(_OF_WHICH.match(name)), extra, kind)


def _kind_in(name: str) -> tuple[str, str]:
    """Take 【约束性】 or （预期性） out of a name."""
    found = re.search(r"\s*[（(\[【〔](约束|预期)性?(?:指标)?[）)\]】〕]\s*", name)
    return (found.group(1), name[: found.start()] + name[found.end() :]) if found else ("", name)


def _inner_unit(name: str) -> tuple[str | None, str]:
    """Take a unit out of a name that a remark follows: 床位数（张）（含护理床位）."""
    for match in re.finditer(r"[（(]([^（）()]*)[）)]", name):
        if catalogue().is_unit(match.group(1)):
            return squeeze(match.group(1)), name[: match.start()] + name[match.end() :]
    return None, name


def _unit_of(content: str) -> tuple[str | None, str, bool]:
    """Return (unit, extra words, whether the bracket was a unit at all): （%）, （单位：张）, （%，15岁以上）."""
    word = re.sub(r"^(?:计量)?单位[:：]", "", squeeze(content))
    if catalogue().is_unit(word):
        return word, "", True
    parts = [part for part in re.split(r"[,，、;；]", word) if part]
    if len(parts) > 1 and catalogue().is_unit(parts[0]):
        return parts[0], "，".join(parts[1:]), True
    return None, "", False


def without_of_which(name: str) -> str:
    """Return a name without its leading 其中."""
    return _OF_WHICH.sub("", name)


def split_names(name: str, count: int) -> list[str] | None:
    """Return `count` full names of a row that carries several (高血压、糖尿病患者规范管理率), or None when it does not.

    >>> split_names("高血压、糖尿病患者规范管理率", 2)
    ['高血压患者规范管理率', '糖尿病患者规范管理率']
    """
    parts = [part for part in re.split(r"[、/；;]|(?<=[^\s]{2})[和与及](?=[^\s]{2})", name) if part]
    if len(parts) != count or count < 2:
        parts = [part for part in re.split(r"[、；;]", name) if part]
        if len(parts) != count or count < 2:
            return None
    last = parts[-1]
    if all(_is_whole(part) for part in parts):
        return _with_prefix(parts)
    positions = [position for word in _SHARED if (position := last.find(word, 1)) > 0]
    if not positions:
        return None
    suffix = last[min(positions) :]
    return [part + suffix for part in parts[:-1]] + [last]


def _is_whole(part: str) -> bool:
    return bool(re.search(r"(?:率|数|比例|占比|比重|素养|水平|寿命|强度)$", bare(part)))


def _with_prefix(parts: list[str]) -> list[str]:
    """Give 每千人口 of the first name to the others: 每千人口执业医师数、注册护士数."""
    lead = re.match(r"(每(?:千|万|十万|百)(?:名|个)?(?:常住)?(?:人口|居民|人)?|人均|以[^，]{2,8}为单位)", parts[0])
    if lead is None:
        return parts
    return [parts[0]] + [part if part.startswith(("每", "人均", "以")) else lead.group(1) + part for part in parts[1:]]
