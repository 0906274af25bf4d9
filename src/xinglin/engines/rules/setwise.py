"""Definitions as SQL for everyone: one row per person, by joins and groupings, never a loop.

What is drawn of a person is computed in layers: layer 0 needs only rows, layer n also what the layers below drew. The text is made once
per definition hash; the day asked for is its parameter `$as_of`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import ibis
import sqlglot
from sqlglot import expressions

from xinglin.definitions import Kind, combine, nodes
from xinglin.definitions.lake_columns import LAKE
from xinglin.definitions.nodes import Node
from xinglin.engines.rules.scalars import AS_OF, TYPES, drawn_column, followed_column, scalar

_LINK_COLUMNS: Final = {"patient": "int64", "person": "int64", "to_seq": "int64"}


def compile_sql(outputs: Mapping[str, Node]) -> str:
    """Return DuckDB SQL with columns `person` and one per output, one row per person of `person_link`; parameter `$as_of`, a date."""
    relation = _Compiler(outputs.values()).people(outputs)
    tree = sqlglot.parse_one(ibis.to_sql(relation, dialect="duckdb"), dialect="duckdb")

    def named(part: expressions.Expression) -> expressions.Expression:
        if isinstance(part, expressions.Anonymous) and part.name.lower() == AS_OF:
            return expressions.cast(expressions.Placeholder(this="as_of"), "date")
        return part

    return str(tree.transform(named).sql(dialect="duckdb", pretty=True))


class _Compiler:
    def __init__(self, outputs: Iterable[Node]) -> None:
        self._link = ibis.table(_LINK_COLUMNS, name="person_link")
        self._current = self._link.filter(self._link.to_seq.isnull()).select("patient", "person")
        self._parts = list({part.key: part for output in outputs for part in nodes.walk(output)}.values())
        self._depths: dict[str, int] = {}
        self._relations: dict[str, Any] = {}
        self._sources: dict[str, Any] = {}
        self._layers: list[Any] = [self._current.select("person").distinct()]
        drawn = [part for part in self._parts if isinstance(part, combine.Drawn)]
        for depth in range(max((self._depth(part) for part in drawn), default=-1) + 1):
            self._layers.append(self._layer(depth, [part for part in drawn if self._depth(part) == depth]))

    def people(self, outputs: Mapping[str, Node]) -> Any:
        last = self._layers[-1]
        columns = {}
        for name, node in outputs.items():
            kind = Kind.REF if name == "responsible" else Kind.DATE if name in ("due_from", "due_by", "lost_after") else node.kind
            columns[name] = scalar(node, last, kind)
        return last.select("person", **columns)

    def _depth(self, node: Node) -> int:
        """Layers needed before the node can be computed; for a drawn node, the number of its own layer."""
        if node.key not in self._depths:
            inside = max((self._depth(child) for child in nodes.children(node)), default=0)
            below = [self._depth(child) + 1 for child in nodes.children(node) if isinstance(child, combine.Drawn)]
            self._depths[node.key] = max([inside, *below])
        return self._depths[node.key]

    def _source(self, table: str) -> Any:
        """Return a lake table with its person, and every column anybody follows from it."""
        if table not in self._sources:
            self._sources[table] = self._followed(table, self._plain(table))
        return self._sources[table]

    def _plain(self, table: str) -> Any:
        told = LAKE[table]
        columns = {name: TYPES[column.kind] for name, column in told.columns.items()}
        if told.time:
            columns[told.time] = "timestamp"
        rows = ibis.table(columns, name=table)
        patient = rows.rid if table == "patient" else rows.patient
        joined = rows.join(self._current, patient == self._current.patient)
        return joined.select(self._current.person, *(rows[name] for name in columns))

    def _followed(self, table: str, rows: Any) -> Any:
        wanted: dict[str, set[str]] = {}
        for part in self._parts:
            if isinstance(part, nodes.Follow) and part.table == table:
                wanted.setdefault(part.reference, set()).add(part.name)
        for reference, names in sorted(wanted.items()):
            found = self._plain(LAKE[table].columns[reference].target)
            target = found.select(**{"to_person": found.person, "to_rid": found.rid}, **{followed_column(reference, n): found[n] for n in sorted(names)})
            kept = [rows[name] for name in rows.columns]
            added = [target[followed_column(reference, name)] for name in sorted(names)]
            rows = rows.left_join(target, [rows.person == target.to_person, rows[reference] == target.to_rid]).select(*kept, *added)
        return rows

    def _with_person(self, rows: Any, needed: Iterable[Node]) -> Any:
        """Return the rows with what the conditions need of the person beside them."""
        drawn = {part.key: part for node in needed for part in _read(node)}
        if not drawn:
            return rows
        layer = self._layers[max(self._depth(part) for part in drawn.values()) + 1]
        columns = [layer[drawn_column(part)] for part in drawn.values()]
        return rows.join(layer, rows.person == layer.person).select(*(rows[name] for name in rows.columns), *columns)

    def _rows(self, node: combine.Rows) -> Any:
        if node.key not in self._relations:
            self._relations[node.key] = self._make_rows(node)
        return self._relations[node.key]

    def _make_rows(self, node: combine.Rows) -> Any:
        match node:
            case combine.Table(name=name):
                return self._source(name)
            case combine.NamedRows(rows=rows):
                return self._rows(rows)
            case combine.Where(rows=rows, condition=condition):
                source = self._rows(rows)
                wide = self._with_person(source, [condition])
                return wide.filter(scalar(condition, wide, Kind.BOOL)).select(*source.columns)
            case combine.Ends(rows=rows, which=which, n=n):
                source = self._rows(rows)
                numbered = self._numbered(source, node.table, which)
                return numbered.filter(numbered.place < n).select(*source.columns)
        raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no relation for {type(node).__name__}")

    @staticmethod
    def _numbered(rows: Any, table: str, which: str) -> Any:
        told = LAKE[table]
        if told.date:
            rows = rows.filter(rows[told.date].notnull())
        order = [
            ibis.desc(rows[name], nulls_first=False) if which == "latest" else ibis.asc(rows[name], nulls_first=True) for name in told.order
        ]
        return rows.mutate(place=ibis.row_number().over(group_by=rows.person, order_by=order))

    def _layer(self, depth: int, drawn: list[combine.Drawn]) -> Any:
        below = self._layers[depth]
        groups: dict[tuple[str, str], list[combine.Drawn]] = {}
        for node in drawn:
            groups.setdefault((node.rows.key, _way(node)), []).append(node)
        joined = below
        for (_, way), members in groups.items():
            part = self._picked(members) if way.startswith("pick") else self._grouped(members)
            part = part.rename(to_person="person")
            kept = [joined[name] for name in joined.columns]
            found = joined.left_join(part, joined.person == part.to_person)
            joined = found.select(*kept, **{drawn_column(node): _or_none(node, part[drawn_column(node)]) for node in members})
        return joined

    def _picked(self, members: list[combine.Drawn]) -> Any:
        picks = [node for node in members if isinstance(node, combine.Pick)]
        wide = self._with_person(self._rows(picks[0].rows), [node.value for node in picks])
        numbered = self._numbered(wide, picks[0].rows.table, picks[0].which)
        first = numbered.filter(numbered.place == 0)
        return first.select("person", **{drawn_column(node): scalar(node.value, first) for node in picks})

    def _grouped(self, members: list[combine.Drawn]) -> Any:
        values = [part for node in members for part in nodes.children(node) if not isinstance(part, combine.Rows)]
        first = members[0]
        rows = combine.Ends(first.rows, "latest", first.n) if isinstance(first, combine.Consecutive) else first.rows
        wide = self._with_person(self._rows(rows), values)
        return wide.group_by("person").aggregate(**{drawn_column(node): _aggregate(node, wide) for node in members})


def _read(node: Node) -> Iterable[Node]:
    """Yield the drawn values an expression reads, not what those were drawn from."""
    if isinstance(node, combine.Drawn):
        yield node
    elif not isinstance(node, combine.Rows):
        for child in nodes.children(node):
            yield from _read(child)


def _way(node: combine.Drawn) -> str:
    if isinstance(node, combine.Pick):
        return f"pick {node.which}"
    return f"last {node.n}" if isinstance(node, combine.Consecutive) else "group"


def _aggregate(node: combine.Drawn, rows: Any) -> Any:
    match node:
        case combine.Exists():
            return rows.count() > 0
        case combine.Count():
            return rows.count()
        case combine.Rids():
            return rows.rid.collect(distinct=True, order_by=rows.rid)
        case combine.CountDistinct(value=value):
            return scalar(value, rows).nunique()
        case combine.Over(which=which, value=value):
            found = scalar(value, rows)
            return found.min() if which == "min" else found.max()
        case combine.Consecutive(n=n, condition=condition):
            met = ibis.cases((scalar(condition, rows, Kind.BOOL), 1), else_=0)
            return (rows.count() == n) & (met.sum() == n)
    raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no aggregate for {type(node).__name__}")


def _or_none(node: combine.Drawn, column: Any) -> Any:
    """Give what is never missing its value for a person without rows."""
    match node:
        case combine.Exists() | combine.Consecutive():
            return column.fill_null(False)
        case combine.Count() | combine.CountDistinct():
            return column.fill_null(0)
        case combine.Rids():
            return ibis.coalesce(column, ibis.literal([], type="array<int64>"))
    return column
