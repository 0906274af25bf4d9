"""Definitions as SQL for everyone: one row per person, by joins and groupings, never a loop.

What is drawn of a person is computed in layers: layer 1 needs only rows, layer n + 1 also what the layers below drew; beside what was drawn
stand the named values made of it. Each table, set of rows and layer is compiled by Ibis on its own and becomes a named step of one WITH, so
the text can be read, nothing is computed twice, and Ibis never traces a column through a join to a table that shares an ancestor (it would
then mistake one row's date for another's).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeGuard

import ibis

from xinglin.definitions import Kind, combine, nodes
from xinglin.definitions.lake_columns import LAKE
from xinglin.definitions.nodes import Node
from xinglin.engines.rules.scalars import AS_OF, TYPES, drawn_column, followed_column, scalar

_LINK_COLUMNS: Final = {"patient": "int64", "person": "int64", "to_seq": "int64"}
_DATES: Final = ("due_from", "due_by", "lost_after")
_PARAMETER: Final = re.compile(rf"{AS_OF}\(\)", re.IGNORECASE)


def compile_sql(outputs: Mapping[str, Node]) -> str:
    """Return DuckDB SQL with columns `person` and one per output, one row per person of `person_link`; parameter `$as_of`, a date."""
    return _Compiler(outputs).text()


class _Compiler:
    def __init__(self, outputs: Mapping[str, Node]) -> None:
        self._outputs = outputs
        self._parts = list({part.key: part for output in outputs.values() for part in nodes.walk(output)}.values())
        self._drawn = [part for part in self._parts if isinstance(part, combine.Drawn)]
        self._named = [part for part in self._parts if _is_named_of_person(part)]
        self._steps: dict[str, str] = {}
        self._depths: dict[str, int] = {}
        self._tables: dict[str, Any] = {}

    def text(self) -> str:
        link = ibis.table(_LINK_COLUMNS, name="person_link")
        current = link.filter(link.to_seq.isnull()).select(link_patient=link.patient, person=link.person)
        self._link = self._step("current_link", current)
        self._layers = [self._step("layer_0", self._link.select("person").distinct())]
        for depth in range(max((self._depth(part) for part in self._drawn), default=-1) + 1):
            self._layers.append(self._layer(depth, [part for part in self._drawn if self._depth(part) == depth]))
        last = _sql(self._people(self._layers[-1]))
        steps = ",\n".join(f"{name} AS (\n{text}\n)" for name, text in self._steps.items())
        return f"WITH {steps}\n{last}"

    def _step(self, name: str, relation: Any) -> Any:
        """Name a relation as a step of the WITH and return it as a table of its own."""
        self._steps[name] = _sql(relation)
        return ibis.table(relation.schema(), name=name)

    def _people(self, last: Any) -> Any:
        columns = {}
        for name, node in self._outputs.items():
            kind = Kind.REF if name == "responsible" else Kind.DATE if name in _DATES else node.kind
            columns[name] = scalar(node, last, kind)
        return last.select("person", **columns)

    def _depth(self, node: Node) -> int:
        """Return how many layers must stand before the node can be computed."""
        if node.key not in self._depths:
            parts = list(nodes.children(node))
            below = [self._depth(child) + isinstance(child, combine.Drawn) for child in parts]
            self._depths[node.key] = max(below, default=0)
        return self._depths[node.key]

    def _source(self, table: str) -> Any:
        """Return a lake table with its person, and beside it every column anybody follows from it."""
        name = f"lake_{table}"
        if name not in self._steps:
            self._tables[name] = self._step(name, self._followed(table, self._plain(table)))
        return self._tables[name]

    def _plain(self, table: str) -> Any:
        told = LAKE[table]
        read = self._read_columns(table)
        columns = {name: TYPES[column.kind] for name, column in told.columns.items() if name in read}
        columns |= {told.time: "timestamp"} if told.time else {}
        rows = ibis.table(columns, name=table)
        patient = "rid" if table == "patient" else "patient"
        return rows.join(self._link, [(patient, "link_patient")]).select("person", *columns)

    def _read_columns(self, table: str) -> set[str]:
        """Return the columns of a table that anybody reads, and those that tell and order its rows."""
        found = {"rid", "patient", *LAKE[table].order}
        for part in self._parts:
            if isinstance(part, nodes.Column) and part.table == table:
                found.add(part.name)
            elif isinstance(part, nodes.Follow):
                found |= {part.reference} if part.table == table else set()
                found |= {part.name} if part.target == table else set()
        return found

    def _followed(self, table: str, rows: Any) -> Any:
        wanted: dict[str, set[str]] = {}
        for part in self._parts:
            if isinstance(part, nodes.Follow) and part.table == table:
                wanted.setdefault(part.reference, set()).add(part.name)
        for reference, names in sorted(wanted.items()):
            told = LAKE[table].columns[reference].target
            found = self._step(f"{table}_{reference}", self._plain(told))
            target = found.select(
                to_person=found.person, to_rid=found.rid, **{followed_column(reference, n): found[n] for n in sorted(names)}
            )
            target = self._step(f"{table}_{reference}_columns", target)
            base = self._step(f"{table}_before_{reference}", rows)
            kept = (*base.columns, *(followed_column(reference, n) for n in sorted(names)))
            rows = base.left_join(target, [("person", "to_person"), (reference, "to_rid")]).select(*kept)
        return rows

    def _with_person(self, rows: Any, needed: Iterable[Node]) -> Any:
        """Return the rows with what the conditions need of the person beside them."""
        drawn = {drawn_column(part): part for node in needed for part in _read(node)}
        if not drawn:
            return rows
        layer = self._layers[max(self._depth(part) + isinstance(part, combine.Drawn) for part in drawn.values())]
        narrow = layer.select(*(layer[name] for name in drawn), to_person=layer.person)
        joined = rows.join(narrow, [("person", "to_person")])
        return joined.select(*rows.columns, *drawn)

    def _rows(self, node: combine.Rows) -> Any:
        if isinstance(node, combine.Table):
            return self._source(node.name)
        if isinstance(node, combine.NamedRows):
            return self._rows(node.rows)
        name = f"rows_{node.key[:16]}"
        if name not in self._steps:
            self._tables[name] = self._step(name, self._make_rows(node))
        return self._tables[name]

    def _make_rows(self, node: combine.Rows) -> Any:
        if isinstance(node, combine.Where):
            source = self._rows(node.rows)
            wide = self._with_person(source, [node.condition])
            return wide.filter(scalar(node.condition, wide, Kind.BOOL)).select(*source.columns)
        if isinstance(node, combine.Ends):
            source = self._rows(node.rows)
            numbered = _numbered(source, node.table, node.which)
            return numbered.filter(numbered.place < node.n).select(*source.columns)
        raise nodes.wrong(f"解释器不认识 {type(node).__name__}", f"no relation for {type(node).__name__}")

    def _layer(self, depth: int, drawn: list[combine.Drawn]) -> Any:
        groups: dict[tuple[str, str], list[combine.Drawn]] = {}
        for node in drawn:
            groups.setdefault((node.rows.key, _way(node)), []).append(node)
        joined = self._layers[depth]
        for number, ((_, way), members) in enumerate(groups.items()):
            part = self._picked(members) if way.startswith("pick") else self._grouped(members)
            part = self._step(f"drawn_{depth + 1}_{number}", part.rename(to_person="person"))
            kept = joined.columns
            found = joined.left_join(part, [("person", "to_person")])
            joined = found.select(*kept, *(_or_none(node, found[drawn_column(node)]).name(drawn_column(node)) for node in members))
        return self._with_named(self._step(f"layer_{depth + 1}", joined), depth + 1)

    def _with_named(self, layer: Any, depth: int) -> Any:
        """Return a layer with the named values that can be computed from it beside what was drawn, each once, those they name before them."""
        waiting = [part for part in self._named if self._depth(part) == depth]
        number = 0
        while waiting:
            keys, number = {part.key for part in waiting}, number + 1
            ready = [part for part in waiting if not any(inner.key in keys for inner in _read(part.item))]
            found = {drawn_column(part): scalar(part.item, layer, part.kind) for part in ready}
            layer = self._step(f"layer_{depth}_named_{number}", layer.select(*layer.columns, **found))
            waiting = [part for part in waiting if part not in ready]
        return layer

    def _picked(self, members: list[combine.Drawn]) -> Any:
        picks = [node for node in members if isinstance(node, combine.Pick)]
        wide = self._with_person(self._rows(picks[0].rows), [node.value for node in picks])
        numbered = _numbered(wide, picks[0].rows.table, picks[0].which)
        first = numbered.filter(numbered.place == 0)
        return first.select("person", **{drawn_column(node): scalar(node.value, first) for node in picks})

    def _grouped(self, members: list[combine.Drawn]) -> Any:
        values = [part for node in members for part in nodes.children(node) if not isinstance(part, combine.Rows)]
        first = members[0]
        rows = combine.Ends(first.rows, "latest", first.n) if isinstance(first, combine.Consecutive) else first.rows
        wide = self._with_person(self._rows(rows), values)
        return wide.group_by("person").aggregate(**{drawn_column(node): _aggregate(node, wide) for node in members})


def _sql(relation: Any) -> str:
    return _PARAMETER.sub("CAST($as_of AS DATE)", str(ibis.to_sql(relation, dialect="duckdb")))


def _numbered(rows: Any, table: str, which: str) -> Any:
    told = LAKE[table]
    if told.date:
        rows = rows.filter(rows[told.date].notnull())
    latest = which == "latest"
    order = [ibis.desc(rows[name], nulls_first=False) if latest else ibis.asc(rows[name], nulls_first=True) for name in told.order]
    return rows.mutate(place=ibis.row_number().over(group_by=rows.person, order_by=order))


def _is_named_of_person(node: Node) -> TypeGuard[combine.Named]:
    """Say whether a node is a value of the person with a name, made of what was drawn: it is computed once and kept beside that."""
    return isinstance(node, combine.Named) and not node.row_table and node.kind is not Kind.NOTHING and any(_read(node.item))


def _read(node: Node) -> Iterator[Node]:
    """Yield the drawn and named values an expression reads, not what those were made of."""
    if isinstance(node, combine.Drawn) or _is_named_of_person(node):
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
