"""Nodes in words: what a condition says, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from xinglin.definitions import combine, nodes, time_nodes
from xinglin.definitions.nodes import Node

_OPERATORS: Final = {
    "zh": {"=": "等于", "!=": "不等于", "<": "小于", "<=": "不超过", ">": "大于", ">=": "不少于"},
    "en": {"=": "is", "!=": "is not", "<": "<", "<=": "≤", ">": ">", ">=": "≥"},
}
_PARTS: Final = {
    "zh": {"year": "年", "quarter": "季度", "month": "月", "start": "第一天", "end": "最后一天", "days": "天", "months": "个月"},
    "en": {
        "year": "year",
        "quarter": "quarter",
        "month": "month",
        "start": "first day",
        "end": "last day",
        "days": "days",
        "months": "months",
    },
}
_DRAWN: Final[dict[type[combine.Drawn], tuple[str, str]]] = {
    combine.Exists: ("有{}", "there are {}"),
    combine.Count: ("{}的条数", "number of {}"),
    combine.CountDistinct: ("{}中不同{}的个数", "number of different {1} in {0}"),
    combine.Rids: ("{}", "{}"),
}


def shown(value: Any, language: str) -> str:
    """Return a value as people write it: yes/no, dates as 2026-11-21, whole numbers without a point, 无/none for missing."""
    zh = language.startswith("zh")
    if value is None:
        return "无" if zh else "none"
    if isinstance(value, bool):
        return ("是" if value else "否") if zh else ("yes" if value else "no")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return str(len(value))
    return str(value)


def say(node: Node, language: str) -> str:
    """Return what a node says, in `zh` or `en`; a named node says its name."""
    language = "en" if language.startswith("en") else "zh"
    if isinstance(node, combine.Named | combine.NamedRows):
        return node.zh if language == "zh" else node.en
    if isinstance(node, combine.Rows):
        return _rows(node, language)
    if isinstance(node, combine.Drawn):
        return _drawn(node, language)
    return _scalar(node, language)


def _both(items: Sequence[Node], zh: str, en: str, language: str) -> str:
    return (zh if language == "zh" else en).join(say(item, language) for item in items)


def _scalar(node: Node, language: str) -> str:
    zh = language == "zh"
    match node:
        case nodes.Literal(value=value):
            return shown(value, language)
        case nodes.AsOf():
            return "统计日" if zh else "the day of data"
        case nodes.Input(name=name) | nodes.Column(name=name):
            return name
        case nodes.Follow(reference=reference, name=name):
            return f"{reference}.{name}"
        case nodes.And(items=items):
            return _both(items, "，且", " and ", language)
        case nodes.Or(items=items):
            return _both(items, "，或", " or ", language)
        case nodes.Not(item=item):
            return f"不是（{say(item, language)}）" if zh else f"not ({say(item, language)})"
        case nodes.IsMissing(item=item):
            return f"{say(item, language)}没有值" if zh else f"{say(item, language)} is missing"
        case nodes.Compare(op=op, left=left, right=right):
            space = "" if zh else " "
            return f"{say(left, language)}{space}{_OPERATORS[language][op]}{space}{say(right, language)}"
        case nodes.Between(value=value, low=low, high=high):
            parts = [say(part, language) for part in (value, low, high)]
            return "{}在 {} 至 {} 之间".format(*parts) if zh else "{} from {} to {}".format(*parts)
        case nodes.OneOf(value=value, codes=codes):
            return f"{say(value, language)} {'为' if zh else 'is'} {'/'.join(codes)}"
        case nodes.CodedIn(value=value, prefixes=prefixes):
            return f"{say(value, language)} {'属于' if zh else 'within'} {'/'.join(prefixes)}"
        case combine.Case() | combine.FirstPresent() | combine.Extreme():
            told = [part for part in nodes.children(node) if not isinstance(part, nodes.Literal)] or list(nodes.children(node))
            return ("、" if zh else ", ").join(dict.fromkeys(say(part, language) for part in told))
    return _moved(node, language)


def _moved(node: Node, language: str) -> str:
    zh, words = language == "zh", _PARTS[language]
    match node:
        case nodes.Arithmetic(op=op, left=left, right=right):
            return f"{say(left, language)} {op} {say(right, language)}"
        case time_nodes.AddTime(day=day, amount=amount, unit=unit):
            return f"{say(day, language)} + {say(amount, language)} {words[unit]}"
        case time_nodes.DaysBetween(first=first, last=last):
            parts = say(first, language), say(last, language)
            return "{}到{}的天数".format(*parts) if zh else "days from {} to {}".format(*parts)
        case time_nodes.AgeAt(birth=birth, on=on):
            parts = say(birth, language), say(on, language)
            return "{}到{}的周岁".format(*parts) if zh else "completed years from {} to {}".format(*parts)
        case time_nodes.PartOf(part=part, day=day):
            return f"{say(day, language)}的{words[part]}" if zh else f"{words[part]} of {say(day, language)}"
        case time_nodes.Boundary(edge=edge, period=period, day=day):
            told = say(day, language)
            return f"{told}所在{words[period]}的{words[edge]}" if zh else f"{words[edge]} of the {words[period]} of {told}"
        case combine.Round(value=value, digits=digits):
            return f"{say(value, language)}（{digits} 位小数）" if zh else f"{say(value, language)} to {digits} decimals"
        case combine.Floor(value=value):
            return f"{say(value, language)}取整" if zh else f"{say(value, language)} rounded down"
    raise nodes.wrong(f"没有 {type(node).__name__} 的说法", f"no words for {type(node).__name__}")


def _rows(node: combine.Rows, language: str) -> str:
    zh = language == "zh"
    match node:
        case combine.Table(name=name):
            return name
        case combine.Where(rows=rows, condition=condition):
            return (
                f"{say(rows, language)}（{say(condition, language)}）" if zh else f"{say(rows, language)} where {say(condition, language)}"
            )
        case combine.Ends(rows=rows, which=which, n=n):
            if zh:
                return f"{'最近' if which == 'latest' else '最早'} {n} 次{say(rows, language)}"
            return f"the {n} {which} {say(rows, language)}"
    raise nodes.wrong(f"没有 {type(node).__name__} 的说法", f"no words for {type(node).__name__}")


def _drawn(node: combine.Drawn, language: str) -> str:
    zh, rows = language == "zh", say(node.rows, language)
    match node:
        case combine.Pick(which=which, value=value):
            told = say(value, language)
            return f"{'最近' if which == 'latest' else '最早'}一次{rows}的 {told}" if zh else f"{told} of the {which} of {rows}"
        case combine.Over(which=which, value=value):
            return (
                f"{rows}中{'最小' if which == 'min' else '最大'}的 {say(value, language)}"
                if zh
                else f"{which} {say(value, language)} of {rows}"
            )
        case combine.Consecutive(n=n, condition=condition):
            told = say(condition, language)
            return f"最近连续 {n} 次{rows}：{told}" if zh else f"{n} latest {rows} in a row: {told}"
    template = _DRAWN[type(node)][0 if zh else 1]
    return template.format(rows, *(say(part, language) for part in nodes.children(node) if part is not node.rows))
