"""The functions of the expression language: name and arguments → node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from xinglin.definitions import combine, nodes, time_nodes
from xinglin.definitions.nodes import Node, wrong

Arguments = tuple[Node, ...]
_PERIODS: Final = ("year", "quarter", "month")


def _rows(name: str, arguments: Arguments, count: int) -> combine.Rows:
    _count(name, arguments, count)
    if not isinstance(arguments[0], combine.Rows):
        raise wrong(f"{name} 的第一项要是行集", f"the first argument of {name} must be rows")
    return arguments[0]


def _count(name: str, arguments: Arguments, count: int) -> None:
    if len(arguments) != count:
        raise wrong(f"{name} 要 {count} 项，写了 {len(arguments)} 项", f"{name} takes {count} arguments, {len(arguments)} were written")


def _whole(node: Node) -> int:
    if not isinstance(node, nodes.Literal) or not isinstance(node.value, int) or isinstance(node.value, bool):
        raise wrong("这里要写一个整数", "write a whole number here")
    return node.value


def _ends(name: str, arguments: Arguments) -> Node:
    rows = _rows(name, arguments, 2)
    return combine.Ends(rows, "latest" if name == "last" else "earliest", _whole(arguments[1]))


def _consecutive(name: str, arguments: Arguments) -> Node:
    rows = _rows(name, arguments, 3)
    return combine.Consecutive(rows, _whole(arguments[1]), arguments[2])


def _two(make: Callable[[Node, Node], Node]) -> Callable[[str, Arguments], Node]:
    def build(name: str, arguments: Arguments) -> Node:
        _count(name, arguments, 2)
        return make(arguments[0], arguments[1])

    return build


def _one(make: Callable[[Node], Node]) -> Callable[[str, Arguments], Node]:
    def build(name: str, arguments: Arguments) -> Node:
        _count(name, arguments, 1)
        return make(arguments[0])

    return build


def _round(name: str, arguments: Arguments) -> Node:
    _count(name, arguments, 2)
    return combine.Round(arguments[0], _whole(arguments[1]))


def _bound(edge: str, period: str) -> Callable[[Node], Node]:
    return lambda day: time_nodes.Boundary(edge, period, day)


def _part(part: str) -> Callable[[Node], Node]:
    return lambda day: time_nodes.PartOf(part, day)


_FUNCTIONS: Final[dict[str, Callable[[str, Arguments], Node]]] = {
    "exists": lambda name, arguments: combine.Exists(_rows(name, arguments, 1)),
    "count": lambda name, arguments: combine.Count(_rows(name, arguments, 1)),
    "rids": lambda name, arguments: combine.Rids(_rows(name, arguments, 1)),
    "count_distinct": lambda name, arguments: combine.CountDistinct(_rows(name, arguments, 2), arguments[1]),
    "min": lambda name, arguments: combine.Over(_rows(name, arguments, 2), "min", arguments[1]),
    "max": lambda name, arguments: combine.Over(_rows(name, arguments, 2), "max", arguments[1]),
    "last": _ends,
    "first": _ends,
    "consecutive": _consecutive,
    "coalesce": lambda name, arguments: combine.FirstPresent(arguments),
    "least": lambda name, arguments: combine.Extreme("least", arguments),
    "greatest": lambda name, arguments: combine.Extreme("greatest", arguments),
    "round": _round,
    "floor": _one(combine.Floor),
    "age_at": _two(time_nodes.AgeAt),
    "days_between": _two(time_nodes.DaysBetween),
    **{f"{part}_of": _one(_part(part)) for part in _PERIODS},
    **{f"{edge}_of_{period}": _one(_bound(edge, period)) for edge in ("start", "end") for period in _PERIODS},
}
ROW_FUNCTIONS: Final = frozenset({"exists", "count", "rids", "count_distinct", "min", "max", "last", "first", "consecutive"})
FUNCTION_NAMES: Final = frozenset((*_FUNCTIONS, "latest", "earliest"))


def call(name: str, arguments: Arguments, calculator: Callable[[str, Arguments], Node | None]) -> Node:
    """Return the node for name(arguments): a function of the language, else a calculator definition.

    Raises: DefinitionError when neither knows the name or the arguments do not fit.
    """
    if name in _FUNCTIONS:
        return _FUNCTIONS[name](name, arguments)
    found = calculator(name, arguments)
    if found is None:
        known = ", ".join(sorted(FUNCTION_NAMES))
        raise wrong(
            f"没有函数 {name}；可用：{known}，或一个计算定义的名字", f"there is no function {name}; write one of {known}, or a calculator"
        )
    return found
