"""Scalar nodes as Ibis expressions over a relation whose columns are those of the row, and `d_<key>` for what was drawn of the person."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Any, Final

import ibis

from xinglin.definitions import Kind, combine, nodes, time_nodes
from xinglin.definitions.nodes import Node

TYPES: Final = {
    Kind.BOOL: "boolean",
    Kind.NUMBER: "float64",
    Kind.DATE: "date",
    Kind.CODE: "string",
    Kind.REF: "int64",
    Kind.RIDS: "array<int64>",
    Kind.NOTHING: "string",
}
AS_OF: Final = "xinglin_as_of"
_UNITS: Final = {"year": "Y", "quarter": "Q", "month": "M"}
_MONTHS: Final = {"year": 12, "quarter": 3, "month": 1}


@ibis.udf.scalar.builtin(name=AS_OF, signature=((), "date"))  # type: ignore[untyped-decorator]
def as_of() -> Any:
    """Stand for the day asked for; the compiled text names a parameter in its place."""


@ibis.udf.scalar.builtin(name="date", signature=(("date",), "date"))  # type: ignore[untyped-decorator]
def as_day(value: Any) -> Any:
    """Make a date of what DuckDB returns for date plus interval, which is a timestamp; Ibis believes it is a date already."""


@ibis.udf.scalar.builtin(name="trunc", signature=(("float64",), "float64"))  # type: ignore[untyped-decorator]
def truncated(value: Any) -> Any:
    """Cut a fraction off, as DuckDB does."""


def drawn_column(node: Node) -> str:
    """Return the name of the column that holds what was drawn, or a named value made of it."""
    return f"d_{node.key}"


def followed_column(reference: str, name: str) -> str:
    """Return the name of the column that holds a column of the row a reference leads to."""
    return f"{reference}__{name}"


def scalar(node: Node, relation: Any, wanted: Kind = Kind.NOTHING) -> Any:
    """Return the Ibis expression of a scalar node. wanted: the kind a literal `missing` takes."""
    kind = node.kind if node.kind is not Kind.NOTHING else wanted
    match node:
        case nodes.Literal(value=None):
            return ibis.null().cast(TYPES[kind])
        case nodes.Literal(value=value):
            return ibis.literal(value)
        case nodes.AsOf():
            return as_of()
        case nodes.Input(name=name):
            return relation[name]
        case nodes.Column(name=name):
            return relation[name]
        case nodes.Follow(reference=reference, name=name):
            return relation[followed_column(reference, name)]
        case combine.Named(item=item):
            kept = drawn_column(node)
            return relation[kept] if kept in relation.columns else scalar(item, relation, wanted)
        case combine.Drawn():
            return relation[drawn_column(node)]
        case combine.Case(branches=branches, otherwise=otherwise):
            pairs = [(scalar(test, relation, Kind.BOOL), scalar(value, relation, kind)) for test, value in branches]
            return ibis.cases(*pairs, else_=scalar(otherwise, relation, kind))
        case combine.FirstPresent(items=items):
            return ibis.coalesce(*(scalar(item, relation, kind) for item in items))
        case combine.Extreme(which=which, items=items):
            return (ibis.least if which == "least" else ibis.greatest)(*(scalar(item, relation, kind) for item in items))
    return _truth(node, relation) if node.kind is Kind.BOOL else _moved(node, relation)


def _truth(node: Node, relation: Any) -> Any:
    match node:
        case nodes.And(items=items):
            return reduce(and_, (scalar(item, relation, Kind.BOOL) for item in items))
        case nodes.Or(items=items):
            return reduce(or_, (scalar(item, relation, Kind.BOOL) for item in items))
        case nodes.Not(item=item):
            return ~scalar(item, relation, Kind.BOOL)
        case nodes.IsMissing(item=item):
            return scalar(item, relation).isnull()
        case nodes.Between(value=value, low=low, high=high):
            kind = nodes.one_kind((value, low, high))
            found = scalar(value, relation, kind)
            return (found >= scalar(low, relation, kind)) & (found <= scalar(high, relation, kind))
        case nodes.Compare(op=op, left=left, right=right):
            kind = nodes.one_kind((left, right))
            return _compared(op, scalar(left, relation, kind), scalar(right, relation, kind))
        case nodes.OneOf(value=value, codes=codes):
            return scalar(value, relation, Kind.CODE).isin(list(codes))
        case nodes.CodedIn(value=value, prefixes=prefixes):
            found = scalar(value, relation, Kind.CODE)
            return reduce(or_, (found.startswith(prefix) for prefix in prefixes))
    raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no column expression for {type(node).__name__}")


def _compared(op: str, left: Any, right: Any) -> Any:
    match op:
        case "=":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
    return left >= right


def _moved(node: Node, relation: Any) -> Any:
    match node:
        case nodes.Arithmetic(op=op, left=left, right=right):
            return _calculated(op, scalar(left, relation, Kind.NUMBER), scalar(right, relation, Kind.NUMBER))
        case time_nodes.AddTime(day=day, amount=amount, unit=unit):
            return _later(scalar(day, relation, Kind.DATE), amount, unit, relation)
        case time_nodes.DaysBetween(first=first, last=last):
            return scalar(last, relation, Kind.DATE).delta(scalar(first, relation, Kind.DATE), unit="day")
        case time_nodes.AgeAt(birth=birth, on=on):
            born, day = scalar(birth, relation, Kind.DATE), scalar(on, relation, Kind.DATE)
            before = (day.month() * 100 + day.day()) < (born.month() * 100 + born.day())
            return day.year() - born.year() - before.cast("int64")
        case time_nodes.PartOf(part=part, day=day):
            found = scalar(day, relation, Kind.DATE)
            return {"year": found.year, "quarter": found.quarter, "month": found.month}[part]()
        case time_nodes.Boundary(edge=edge, period=period, day=day):
            start = as_day(scalar(day, relation, Kind.DATE).truncate(_UNITS[period]))
            if edge == "start":
                return start
            return as_day(start + ibis.interval(months=_MONTHS[period]) - ibis.interval(days=1))
        case combine.Round(value=value, digits=digits):
            return (scalar(value, relation, Kind.NUMBER) * 10**digits + 0.5).floor() / 10**digits
        case combine.Floor(value=value):
            return scalar(value, relation, Kind.NUMBER).floor()
    raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no column expression for {type(node).__name__}")


def _calculated(op: str, left: Any, right: Any) -> Any:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
    return left / right.nullif(0)


def _later(day: Any, amount: Node, unit: str, relation: Any) -> Any:
    if isinstance(amount, nodes.Literal) and isinstance(amount.value, int):
        step = ibis.interval(days=amount.value) if unit == "days" else ibis.interval(months=amount.value)
    else:
        whole = truncated(scalar(amount, relation, Kind.NUMBER).cast("float64")).cast("int64")
        step = whole.as_interval("D" if unit == "days" else "M")
    moved = as_day(day + step)
    return ibis.cases((moved.between(ibis.date("0001-01-01"), ibis.date("9999-12-31")), moved), else_=ibis.null().cast("date"))
