"""What a definition means: a plain, slow reading of the graph, one node at a time. The fast interpreters are proved against it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from xinglin.definitions import combine, nodes, time_nodes
from xinglin.definitions.days import add_days, add_months, age_years, boundary, part_of
from xinglin.definitions.lake_columns import LAKE
from xinglin.definitions.nodes import Node, Value

Row = Mapping[str, Any]
PersonRows = Mapping[str, Sequence[Row]]


@dataclass(frozen=True)
class Question:
    """One person's rows by lake table (every source patient of the cluster), the day asked for, and values handed in by name."""

    rows: PersonRows
    as_of: date
    inputs: Mapping[str, Value] = field(default_factory=dict)


def reference(node: Node, question: Question, row: Row | None = None) -> Any:
    """Return the value of a node for one person: a scalar, None for missing, a list of rows, or a tuple of rids."""
    if isinstance(node, combine.Rows):
        return _rows(node, question)
    if isinstance(node, combine.Drawn):
        return _drawn(node, question)
    if isinstance(node, nodes.And | nodes.Or | nodes.Not | nodes.IsMissing | nodes.Between | combine.Case | combine.FirstPresent):
        return _logic(node, question, row)
    return _scalar(node, question, row)


def _scalar(node: Node, question: Question, row: Row | None) -> Any:
    match node:
        case nodes.Literal(value=value):
            return value
        case nodes.AsOf():
            return question.as_of
        case nodes.Input(name=name):
            return question.inputs.get(name)
        case combine.Named(item=item):
            return reference(item, question, row)
        case nodes.Column(name=name):
            return (row or {}).get(name)
        case nodes.Follow(reference=name, target=target, name=column):
            rid = (row or {}).get(name)
            found = [other for other in question.rows.get(target, ()) if rid is not None and other["rid"] == rid]
            return found[0].get(column) if found else None
        case combine.Extreme(which=which, items=items):
            values = [value for value in (reference(item, question, row) for item in items) if value is not None]
            return (min if which == "least" else max)(values) if values else None
        case _:
            parts = [reference(part, question, row) for part in nodes.children(node)]
            return None if any(part is None for part in parts) else _of_present(node, parts)


def _of_present(node: Node, parts: list[Any]) -> Any:
    match node:
        case nodes.Compare(op=op):
            return _compare(op, parts[0], parts[1])
        case nodes.OneOf(codes=codes):
            return parts[0] in codes
        case nodes.CodedIn(prefixes=prefixes):
            return any(parts[0].startswith(prefix) for prefix in prefixes)
        case nodes.Arithmetic(op=op):
            return _calculate(op, parts[0], parts[1])
        case time_nodes.AddTime(unit=unit):
            return (add_days if unit == "days" else add_months)(parts[0], math.trunc(parts[1]))
        case time_nodes.DaysBetween():
            return (parts[1] - parts[0]).days
        case time_nodes.AgeAt():
            return age_years(parts[0], parts[1])
        case time_nodes.PartOf(part=part):
            return part_of(part, parts[0])
        case time_nodes.Boundary(edge=edge, period=period):
            return boundary(edge, period, parts[0])
        case combine.Round(digits=digits):
            return math.floor(parts[0] * 10**digits + 0.5) / 10**digits
        case combine.Floor():
            return math.floor(parts[0])
    raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no meaning is given to {type(node).__name__}")


def _compare(op: str, left: Any, right: Any) -> bool:
    if op in ("=", "!="):
        return bool((left == right) == (op == "="))
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op])


def _calculate(op: str, left: float, right: float) -> float | None:
    if op == "/":
        return left / right if right != 0 else None
    return {"+": left + right, "-": left - right, "*": left * right}[op]


def _logic(node: Node, question: Question, row: Row | None) -> Any:
    match node:
        case nodes.And(items=items):
            return _kleene(False, items, question, row)
        case nodes.Or(items=items):
            return _kleene(True, items, question, row)
        case nodes.Not(item=item):
            value = reference(item, question, row)
            return None if value is None else not value
        case nodes.Between(value=value, low=low, high=high):
            return _logic(nodes.And((nodes.Compare(">=", value, low), nodes.Compare("<=", value, high))), question, row)
        case nodes.IsMissing(item=item):
            return reference(item, question, row) is None
        case combine.Case(branches=branches, otherwise=otherwise):
            for condition, value in branches:
                if reference(condition, question, row) is True:
                    return reference(value, question, row)
            return reference(otherwise, question, row)
        case combine.FirstPresent(items=items):
            return next((value for value in (reference(item, question, row) for item in items) if value is not None), None)
    raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no meaning is given to {type(node).__name__}")


def _kleene(decisive: bool, items: Sequence[Node], question: Question, row: Row | None) -> bool | None:
    """Return `decisive` at the first item that is so, else missing where any item is missing, else the opposite."""
    answer: bool | None = not decisive
    for item in items:
        value = reference(item, question, row)
        if value == decisive:
            return decisive
        if value is None:
            answer = None
    return answer


def order_key(table: str, row: Row) -> tuple[tuple[bool, Any], ...]:
    """Return the sort key of a row within its person: date, time, seq, rid, ties; missing first."""
    return tuple((row.get(name) is not None, row.get(name)) for name in LAKE[table].order)


def in_order(table: str, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that have their date (every row where the table has none), earliest first."""
    date_column = LAKE[table].date
    return sorted((row for row in rows if not date_column or row.get(date_column) is not None), key=lambda row: order_key(table, row))


def _rows(node: combine.Rows, question: Question) -> list[Row]:
    match node:
        case combine.Table(name=name):
            return list(question.rows.get(name, ()))
        case combine.NamedRows(rows=rows):
            return _rows(rows, question)
        case combine.Where(rows=rows, condition=condition):
            return [row for row in _rows(rows, question) if reference(condition, question, row) is True]
        case combine.Ends(rows=rows, which=which, n=n):
            ordered = in_order(node.table, _rows(rows, question))
            return ordered[-n:] if which == "latest" else ordered[:n]
    raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no meaning is given to {type(node).__name__}")


def _drawn(node: combine.Drawn, question: Question) -> Any:
    rows = _rows(node.rows, question)
    match node:
        case combine.Exists():
            return bool(rows)
        case combine.Count():
            return len(rows)
        case combine.Rids():
            return tuple(sorted({row["rid"] for row in rows}))
        case combine.Pick(which=which, value=value):
            ordered = in_order(node.rows.table, rows)
            return reference(value, question, ordered[-1 if which == "latest" else 0]) if ordered else None
        case combine.Consecutive(n=n, condition=condition):
            last = in_order(node.rows.table, rows)[-n:]
            return len(last) == n and all(reference(condition, question, row) is True for row in last)
        case combine.CountDistinct(value=value):
            return len({reference(value, question, row) for row in rows} - {None})
        case combine.Over(which=which, value=value):
            values = [found for found in (reference(value, question, row) for row in rows) if found is not None]
            return (min if which == "min" else max)(values) if values else None
    raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no meaning is given to {type(node).__name__}")
