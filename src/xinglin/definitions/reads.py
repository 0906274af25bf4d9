"""What of a person's record definitions read: which tables, and where every reading asks for certain codes alone, which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from xinglin.definitions.combine import Named, NamedRows, Table, Where
from xinglin.definitions.nodes import And, Column, Compare, Follow, Literal, Node, OneOf, Or, children, walk

Limit = tuple[str, frozenset[str]]
"""A column and the codes one of which a row must have there to be read."""


@dataclass(frozen=True, slots=True)
class Reads:
    """tables: those read.  limits: table → its limit, for tables every reading of which asks for certain codes; rows beyond it change nothing."""

    tables: frozenset[str]
    limits: frozenset[tuple[str, Limit]]


NOTHING: Final = Reads(frozenset(), frozenset())


def reads_of(outputs: Iterable[Node]) -> Reads:
    """Return what the nodes read of a person's record, rows that a reference leads to included."""
    parts = {part.key: part for node in outputs for part in walk(node)}.values()
    reached = {part.target for part in parts if isinstance(part, Follow)}
    tables = {part.name for part in parts if isinstance(part, Table)}
    uses = list(_uses(parts))
    limits = ((table, _limit([condition for name, condition in uses if name == table])) for table in sorted(tables - reached))
    return Reads(frozenset(tables | reached), frozenset((table, limit) for table, limit in limits if limit is not None))


def _uses(parts: Iterable[Node]) -> Iterator[tuple[str, Node | None]]:
    """Yield each use of a table and the condition under which its rows are looked at, None for all of them."""
    for part in parts:
        for child in children(part):
            table = _table(child)
            if table is not None and not isinstance(part, NamedRows):
                yield table, part.condition if isinstance(part, Where) and part.rows is child else None


def _table(node: Node) -> str | None:
    """Return the table a node stands for whole, under whatever name."""
    while isinstance(node, NamedRows):
        node = node.rows
    return node.name if isinstance(node, Table) else None


def _limit(conditions: list[Node | None]) -> Limit | None:
    """Return the column that every condition limits to certain codes, and all these codes; of several columns the one with the fewest."""
    told = [dict(_limits(condition)) if condition is not None else {} for condition in conditions]
    common = set.intersection(*(set(one) for one in told)) if told else set()
    found = [(column, frozenset[str]().union(*(one[column] for one in told))) for column in sorted(common)]
    return min(found, key=lambda limit: len(limit[1]), default=None)


def _limits(condition: Node) -> Iterator[Limit]:
    """Yield columns that must have one of some codes for the condition to be true."""
    match condition:
        case Named(item=item):
            yield from _limits(item)
        case (
            Compare(op="=", left=Column(name=name), right=Literal(value=str(code)))
            | Compare(op="=", left=Literal(value=str(code)), right=Column(name=name))
        ):
            yield name, frozenset({code})
        case OneOf(value=Column(name=name), codes=codes):
            yield name, frozenset(codes)
        case And(items=items):
            # Of two limits of one column either is one; the narrower serves better.
            every = sorted((limit for item in items for limit in _limits(item)), key=lambda limit: -len(limit[1]))
            yield from dict(every).items()
        case Or(items=items):
            branches = [dict(_limits(item)) for item in items]
            for name in sorted(set.intersection(*(set(branch) for branch in branches))):
                yield name, frozenset[str]().union(*(branch[name] for branch in branches))
