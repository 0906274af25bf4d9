"""More nodes of the algebra: choices, names, sets of rows and what is drawn from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from xinglin.definitions.lake_columns import LAKE, Kind
from xinglin.definitions.nodes import ORDERED, Node, Which, need, one_kind, wrong


@dataclass(frozen=True, eq=False, repr=False)
class Case(Node):
    """The value of the first branch whose condition is true, else the last value."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node

    def check(self) -> None:
        """Truths before the values, values of one kind."""
        for condition, _ in self.branches:
            need(condition, Kind.BOOL)
        if not self.branches or self.kind in (Kind.ROWS, Kind.RIDS):
            raise wrong("if 至少要一个分支，且分支是单个值", "an if needs a branch, and each branch is a single value")

    @property
    def kind(self) -> Kind:
        """Return the kind the branches share."""
        return one_kind((*(value for _, value in self.branches), self.otherwise))


@dataclass(frozen=True, eq=False, repr=False)
class FirstPresent(Node):
    """The first value that is not missing."""

    items: tuple[Node, ...]

    def check(self) -> None:
        """One kind."""
        if self.kind in (Kind.ROWS, Kind.RIDS, Kind.NOTHING):
            raise wrong("coalesce 的各项要是同一类型的单个值", "coalesce takes single values of one kind")

    @property
    def kind(self) -> Kind:
        """Return the kind the items share."""
        return one_kind(self.items)


@dataclass(frozen=True, eq=False, repr=False)
class Extreme(Node):
    """The least or greatest of the values that are not missing; missing when all are."""

    which: str
    items: tuple[Node, ...]

    def check(self) -> None:
        """Numbers or dates."""
        if self.kind not in ORDERED:
            raise wrong("least / greatest 只用于数和日期", "least and greatest take numbers or dates")

    @property
    def kind(self) -> Kind:
        """Return the kind the items share."""
        return one_kind(self.items)


@dataclass(frozen=True, eq=False, repr=False)
class Round(Node):
    """The number rounded half up to 0-6 decimals: floor(value * 10^n + 0.5) / 10^n."""

    value: Node
    digits: int

    def check(self) -> None:
        """A number and 0 to 6 decimals."""
        need(self.value, Kind.NUMBER)
        if not 0 <= self.digits <= 6:
            raise wrong("小数位数写 0 到 6", "write 0 to 6 decimals")

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class Floor(Node):
    """The greatest whole number not above the value."""

    value: Node

    def check(self) -> None:
        """A number."""
        need(self.value, Kind.NUMBER)

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class Named(Node):
    """A value with the name and the words by which people know it; it means what its item means."""

    name: str
    zh: str
    en: str
    item: Node

    @property
    def kind(self) -> Kind:
        """Return the kind of the item."""
        return self.item.kind


@dataclass(frozen=True, eq=False, repr=False)
class Rows(Node):
    """A set of rows of one table of one person."""

    @property
    def kind(self) -> Kind:
        """Return ROWS."""
        return Kind.ROWS

    @property
    def table(self) -> str:
        """Return the name of the table the rows stand in."""
        raise wrong("行集没有表", "these rows have no table")


@dataclass(frozen=True, eq=False, repr=False)
class Table(Rows):
    """Every row of the person in a table."""

    name: str

    def check(self) -> None:
        """A table of the lake."""
        if self.name not in LAKE:
            raise wrong(f"没有表 {self.name}，可用：{', '.join(LAKE)}", f"there is no table {self.name}; write one of {', '.join(LAKE)}")

    @property
    def table(self) -> str:
        """Return the table."""
        return self.name


@dataclass(frozen=True, eq=False, repr=False)
class Where(Rows):
    """The rows for which the condition is true."""

    rows: Rows
    condition: Node

    def check(self) -> None:
        """A truth about a row of that table."""
        need(self.condition, Kind.BOOL)
        _about(self.rows, self.condition)

    def open_children(self) -> Iterator[Node]:
        """Nothing of the row leaks out."""
        return iter(())

    @property
    def table(self) -> str:
        """Return the table of the rows filtered."""
        return self.rows.table


@dataclass(frozen=True, eq=False, repr=False)
class Ends(Rows):
    """The n latest (or earliest) rows; a row without its date is neither."""

    rows: Rows
    which: Which
    n: int

    def check(self) -> None:
        """At least one row."""
        if self.n < 1:
            raise wrong("至少取 1 行", "take at least 1 row")

    @property
    def table(self) -> str:
        """Return the table of the rows."""
        return self.rows.table


@dataclass(frozen=True, eq=False, repr=False)
class NamedRows(Rows):
    """Rows with the name and the words by which people know them."""

    name: str
    zh: str
    en: str
    rows: Rows

    @property
    def table(self) -> str:
        """Return the table of the rows."""
        return self.rows.table


def _about(rows: Rows, value: Node) -> None:
    if value.row_table not in ("", rows.table):
        raise wrong(
            f"这里只能用 {rows.table} 的列，写的是 {value.row_table} 的",
            f"only columns of {rows.table} may stand here, this reads {value.row_table}",
        )


@dataclass(frozen=True, eq=False, repr=False)
class Drawn(Node):
    """What is drawn from a set of rows: a value of the person."""

    rows: Rows

    def open_children(self) -> Iterator[Node]:
        """An aggregate closes the row."""
        return iter(())

    def check(self) -> None:
        """Row expressions speak of the rows' own table."""
        for item in fields(self):
            part = getattr(self, item.name)
            if isinstance(part, Node) and not isinstance(part, Rows):
                _about(self.rows, part)


@dataclass(frozen=True, eq=False, repr=False)
class Exists(Drawn):
    """There is at least one row."""


@dataclass(frozen=True, eq=False, repr=False)
class Count(Drawn):
    """The number of rows."""

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class CountDistinct(Drawn):
    """The number of different values over the rows, missing ones left out."""

    value: Node

    @property
    def kind(self) -> Kind:
        """Return NUMBER."""
        return Kind.NUMBER


@dataclass(frozen=True, eq=False, repr=False)
class Pick(Drawn):
    """The value at the latest (or earliest) row; missing when there is no row with a date."""

    which: Which
    value: Node

    @property
    def kind(self) -> Kind:
        """Return the kind of the value."""
        return self.value.kind


@dataclass(frozen=True, eq=False, repr=False)
class Over(Drawn):
    """The min or max of a value over the rows, missing ones left out; missing when none is left."""

    which: str
    value: Node

    def check(self) -> None:
        """Numbers or dates."""
        super().check()
        if self.value.kind not in ORDERED:
            raise wrong("min / max 只用于数和日期", "min and max take numbers or dates")

    @property
    def kind(self) -> Kind:
        """Return the kind of the value."""
        return self.value.kind


@dataclass(frozen=True, eq=False, repr=False)
class Consecutive(Drawn):
    """There are n latest rows and the condition is true of each of them. Never missing."""

    n: int
    condition: Node

    def check(self) -> None:
        """A truth and at least one row."""
        super().check()
        need(self.condition, Kind.BOOL)
        if self.n < 1:
            raise wrong("次数至少为 1", "write a count of at least 1")


@dataclass(frozen=True, eq=False, repr=False)
class Rids(Drawn):
    """The rids of the rows, each once, ascending: the evidence."""

    @property
    def kind(self) -> Kind:
        """Return RIDS."""
        return Kind.RIDS
