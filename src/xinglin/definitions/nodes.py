"""The typed algebra of which every definition is made: frozen nodes that cannot be put together wrongly.

A node is built from nodes and checks its kinds at once, so an invalid graph does not exist. Missing values follow three-valued logic:
a comparison with something missing is missing, `and` / `or` / `not` are Kleene's, a filter keeps what is true, a case takes the first
branch that is true, `exists` and `count` are never missing.

A node is *of a row* when it reads a column (`row_table` names the table) and *of the person* otherwise; an aggregate closes the row.
A column of an outer row cannot be read inside an aggregate, so every definition becomes joins and groupings, never a loop per row.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Final
from typing import Literal as OneOfWords

from xinglin.base.errors import DefinitionError
from xinglin.definitions.lake_columns import LAKE, Kind

Value = bool | int | float | date | str | tuple[int, ...] | None
Which = OneOfWords["latest", "earliest"]
COMPARABLE: Final = frozenset({Kind.NUMBER, Kind.DATE, Kind.CODE, Kind.REF, Kind.BOOL})
ORDERED: Final = frozenset({Kind.NUMBER, Kind.DATE})


def wrong(zh: str, en: str) -> DefinitionError:
    """Return the error for a graph that cannot be built; the parser adds the place."""
    return DefinitionError(zh, en)


@dataclass(frozen=True, eq=False, repr=False)
class Node:
    """Something a definition says. `key` is the digest of its content: two nodes with one key mean the same."""

    key: ClassVar[str]
    __match_args__: ClassVar[tuple[str, ...]]
    row_table: ClassVar[str]

    def __post_init__(self) -> None:
        tables = {child.row_table for child in self.open_children() if child.row_table}
        if len(tables) > 1:
            names = " / ".join(sorted(tables))
            raise wrong(f"一个条件里混用了 {names} 的列，请分开写", f"columns of {names} stand in one expression; write them apart")
        object.__setattr__(self, "row_table", next(iter(tables), ""))
        self.check()
        content = "\x1f".join([type(self).__name__, *(_text(getattr(self, name)) for name in _names(self))])
        object.__setattr__(self, "key", hashlib.sha256(content.encode()).hexdigest()[:24])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind} {self.key[:8]}>"

    @property
    def kind(self) -> Kind:
        """Return the type of the value."""
        return Kind.BOOL

    def check(self) -> None:
        """Raise DefinitionError when the parts do not fit."""

    def open_children(self) -> Iterator[Node]:
        """Yield the parts whose row is also this node's row."""
        yield from children(self)


def _names(node: Node) -> tuple[str, ...]:
    """Return the names of a node's fields; `dataclasses.fields` costs ten times as much, and there are ten thousand nodes."""
    return node.__match_args__


def _text(part: object) -> str:
    if isinstance(part, Node):
        return part.key
    if isinstance(part, tuple):
        return "(" + ",".join(_text(item) for item in part) + ")"
    return f"{type(part).__name__}:{part}"


def _nodes_in(part: object) -> Iterator[Node]:
    if isinstance(part, Node):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _nodes_in(item)


def children(node: Node) -> Iterator[Node]:
    """Yield the parts of a node, in the order of its fields."""
    for name in _names(node):
        yield from _nodes_in(getattr(node, name))


def walk(node: Node) -> Iterator[Node]:
    """Yield each distinct node of the graph once, parts before wholes."""
    seen: set[str] = set()
    stack: list[tuple[Node, bool]] = [(node, False)]
    while stack:
        at, done = stack.pop()
        if done:
            yield at
        elif at.key not in seen:
            seen.add(at.key)
            stack.append((at, True))
            stack.extend((child, False) for child in children(at))


def need(node: Node, *kinds: Kind) -> None:
    """Raise DefinitionError unless the node is of one of the kinds (the literal `missing` always fits)."""
    if node.kind not in (*kinds, Kind.NOTHING):
        wanted = " / ".join(kinds)
        raise wrong(f"这里要 {wanted}，写的是 {node.kind}", f"a {wanted} is needed here, this is a {node.kind}")


def one_kind(nodes: tuple[Node, ...]) -> Kind:
    """Return the kind the nodes share. Raises: DefinitionError when they differ or none is given."""
    kinds = {node.kind for node in nodes} - {Kind.NOTHING}
    if len(kinds) > 1:
        names = " / ".join(sorted(kinds))
        raise wrong(f"几个值的类型不同：{names}，请写成同一类型", f"the values have different kinds: {names}; make them one kind")
    return next(iter(kinds), Kind.NOTHING)


def _need_some(nodes: tuple[Node, ...]) -> None:
    if not nodes:
        raise wrong("至少要写一项", "write at least one item")


@dataclass(frozen=True, eq=False, repr=False)
class Literal(Node):
    """A constant; None is the literal `missing`."""

    value: Value

    @property
    def kind(self) -> Kind:
        """Return the kind of the constant."""
        if self.value is None:
            return Kind.NOTHING
        if isinstance(self.value, bool):
            return Kind.BOOL
        if isinstance(self.value, int | float):
            return Kind.NUMBER
        return Kind.DATE if isinstance(self.value, date) else Kind.CODE


@dataclass(frozen=True, eq=False, repr=False)
class AsOf(Node):
    """The day for which the question is asked (统计日, 数据截至)."""

    @property
    def kind(self) -> Kind:
        """Return DATE."""
        return Kind.DATE


@dataclass(frozen=True, eq=False, repr=False)
class Input(Node):
    """A named value handed in by the caller (an answer on a form, an argument of a calculator)."""

    name: str
    value_kind: Kind

    @property
    def kind(self) -> Kind:
        """Return the declared kind."""
        return self.value_kind


@dataclass(frozen=True, eq=False, repr=False)
class Column(Node):
    """A column of the row at hand."""

    table: str
    name: str

    def check(self) -> None:
        """Know the table and the column."""
        _column_kind(self.table, self.name)
        object.__setattr__(self, "row_table", self.table)

    @property
    def kind(self) -> Kind:
        """Return the kind of the column."""
        return _column_kind(self.table, self.name)


@dataclass(frozen=True, eq=False, repr=False)
class Follow(Node):
    """A column of the row that a reference of the row at hand leads to, within the same person: `encounter.kind`."""

    table: str
    reference: str
    name: str

    def check(self) -> None:
        """Know both tables, and that the column is a reference into the lake."""
        if not self.target:
            raise wrong(
                f"{self.table}.{self.reference} 不指向湖中的表", f"{self.table}.{self.reference} does not lead to a table of the lake"
            )
        _column_kind(self.target, self.name)
        object.__setattr__(self, "row_table", self.table)

    @property
    def target(self) -> str:
        """Return the name of the table the reference leads to."""
        _column_kind(self.table, self.reference)
        return LAKE[self.table].columns[self.reference].target

    @property
    def kind(self) -> Kind:
        """Return the kind of the column it leads to."""
        return _column_kind(self.target, self.name)


def _column_kind(table: str, name: str) -> Kind:
    if table not in LAKE:
        raise wrong(f"没有表 {table}，可用：{', '.join(LAKE)}", f"there is no table {table}; write one of {', '.join(LAKE)}")
    columns = LAKE[table].columns
    if name not in columns:
        raise wrong(
            f"表 {table} 没有列 {name}，可用：{', '.join(columns)}",
            f"table {table} has no column {name}; write one of {', '.join(columns)}",
        )
    return columns[name].kind


@dataclass(frozen=True, eq=False, repr=False)
class Compare(Node):
    """left op right, op one of = != < <= > >=; codes, references and truths only = and !=."""

    op: str
    left: Node
    right: Node

    def check(self) -> None:
        """Both sides of one kind, ordered where order is asked."""
        kind = one_kind((self.left, self.right))
        allowed = COMPARABLE if self.op in ("=", "!=") else ORDERED
        if kind not in allowed:
            raise wrong(f"{kind} 不能用 {self.op} 比较", f"a {kind} cannot be compared with {self.op}; ordered kinds are number and date")


@dataclass(frozen=True, eq=False, repr=False)
class Between(Node):
    """value >= low and value <= high, both ends included (numbers or dates); on dates it reads `within`."""

    value: Node
    low: Node
    high: Node

    def check(self) -> None:
        """Three of one ordered kind."""
        kind = one_kind((self.value, self.low, self.high))
        if kind not in ORDERED:
            raise wrong("between / within 只用于数和日期", "between and within take numbers or dates")


@dataclass(frozen=True, eq=False, repr=False)
class OneOf(Node):
    """The code is one of the codes written out."""

    value: Node
    codes: tuple[str, ...]

    def check(self) -> None:
        """A code, and at least one to compare with."""
        need(self.value, Kind.CODE)
        if not self.codes:
            raise wrong("in 后面至少写一个代码", "write at least one code after in")


@dataclass(frozen=True, eq=False, repr=False)
class CodedIn(Node):
    """The code begins with one of the prefixes of a named code set (so I10 holds I10.x00x002)."""

    value: Node
    code_set: str
    prefixes: tuple[str, ...]

    def check(self) -> None:
        """A code, and a set that is not empty."""
        need(self.value, Kind.CODE)
        if not self.prefixes:
            raise wrong(f"代码集 {self.code_set} 是空的", f"code set {self.code_set} is empty")


@dataclass(frozen=True, eq=False, repr=False)
class And(Node):
    """Every item is true."""

    items: tuple[Node, ...]

    def check(self) -> None:
        """Truths, at least one."""
        _need_some(self.items)
        for item in self.items:
            need(item, Kind.BOOL)


@dataclass(frozen=True, eq=False, repr=False)
class Or(Node):
    """At least one item is true."""

    items: tuple[Node, ...]

    def check(self) -> None:
        """Truths, at least one."""
        _need_some(self.items)
        for item in self.items:
            need(item, Kind.BOOL)


@dataclass(frozen=True, eq=False, repr=False)
class Not(Node):
    """The item is false (missing stays missing)."""

    item: Node

    def check(self) -> None:
        """A truth."""
        need(self.item, Kind.BOOL)


@dataclass(frozen=True, eq=False, repr=False)
class IsMissing(Node):
    """There is no value; never missing itself."""

    item: Node

    def check(self) -> None:
        """A scalar."""
        if self.item.kind in (Kind.ROWS, Kind.RIDS):
            raise wrong("行集请用 not exists(...)", "ask `not exists(...)` of rows")


@dataclass(frozen=True, eq=False, repr=False)
class Arithmetic(Node):
    """left op right for numbers, op one of + - * /; dividing by zero gives missing."""

    op: str
    left: Node
    right: Node

    def check(self) -> None:
        """Two numbers."""
        need(self.left, Kind.NUMBER)
        need(self.right, Kind.NUMBER)

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER
