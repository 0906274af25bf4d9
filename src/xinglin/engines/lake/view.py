"""SQL on FHIR v2 ViewDefinition → function from a resource to rows.

Source: SQL on FHIR v2 (HL7), ViewDefinition: select, column, forEach, forEachOrNull, repeat, unionAll, where, constant, %rowIndex.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from xinglin.base.errors import DefinitionError
from xinglin.engines.lake.kinds import Converter, Kind, kind_of, plain
from xinglin.fhir.path import Env, compile_expression

Row = tuple[Any, ...]
Keep = tuple[str, frozenset[str]]
Code = tuple[str, str | None, str]
SEARCH: Final = "urn:xinglin:view:search"
"""Extension of a view: `parameter=system|code,system|code`, by one of which every resource with rows is found."""
SEARCH_TAG: Final = "xinglin/search"
"""Tag of a column: the search parameter that finds a resource by the column's value, whatever its system."""
_RowMaker = Callable[[Any, Env], list[Row]]
_Path = Callable[[Any, Env], list[Any]]
_ITERATIONS: Final = ("forEach", "forEachOrNull", "repeat")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view: its name, the FHIR type declared for it, its kind, and whether it holds a list."""

    name: str
    type: str
    kind: Kind
    is_collection: bool


@dataclass(frozen=True, slots=True)
class View:
    """A compiled ViewDefinition.  rows(resource): its rows in the order of `columns`, none for other resource types.

    search: a resource with rows is found by one of these (search parameter, system or None for any, code); None = nothing is known.
    """

    name: str
    resource: str
    columns: tuple[Column, ...]
    rows: Callable[[Mapping[str, Any]], list[Row]]
    search: tuple[Code, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    columns: tuple[Column, ...]
    make: _RowMaker


def _refuse(where: str, zh: str, en: str) -> DefinitionError:
    return DefinitionError(zh, en, where=where)


class _Compiler:
    def __init__(self, definition: Mapping[str, Any], convert: Mapping[Kind, Converter] | None, keep: Keep | None) -> None:
        self._keep = keep
        self._name = str(definition.get("name") or "view")
        self._convert = convert
        self._definition = definition
        self._constants = {self._text(c, "name", "constant"): self._constant(c) for c in self._list(definition, "constant", "")}

    def view(self) -> View:
        resource = self._text(self._definition, "resource", "")
        selects = self._list(self._definition, "select", "")
        if not selects:
            raise _refuse(self._name, "视图需要 select", "a view needs select")
        part = self._all_of([self._select(s, f"select[{i}]") for i, s in enumerate(selects)])
        names = [column.name for column in part.columns]
        if len(set(names)) != len(names):
            raise _refuse(self._name, "列名重复", "two columns have one name")
        conditions = [
            self._condition(self._text(w, "path", f"where[{i}]"), f"where[{i}]")
            for i, w in enumerate(self._list(self._definition, "where", ""))
        ]
        return View(self._name, resource, part.columns, _rows(resource, conditions, part.make), self._search(selects))

    def _search(self, selects: Sequence[Mapping[str, Any]]) -> tuple[Code, ...] | None:
        for extension in self._definition.get("extension", ()):
            if extension.get("url") == SEARCH:
                param, _, codes = extension["valueString"].partition("=")
                return tuple((param, system, code) for system, _, code in (each.partition("|") for each in codes.split(",")))
        if self._keep is None:
            return None
        name, values = self._keep
        columns = (column for select in selects for column in select.get("column", ()) if column.get("name") == name)
        params = [tag["value"] for column in columns for tag in column.get("tag", ()) if tag.get("name") == SEARCH_TAG]
        return tuple((params[0], None, value) for value in sorted(values)) if params else None

    def _text(self, holder: Mapping[str, Any], key: str, where: str) -> str:
        value = holder.get(key)
        if not isinstance(value, str) or not value:
            raise _refuse(f"{self._name}.{where}.{key}".replace("..", "."), f"请写文字 {key}", f"write a text for {key}")
        return value

    def _list(self, holder: Mapping[str, Any], key: str, where: str) -> Sequence[Mapping[str, Any]]:
        value = holder.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise _refuse(f"{self._name}.{where}.{key}".replace("..", "."), "应为对象的列表", "this should be a list of objects")
        return value

    def _constant(self, constant: Mapping[str, Any]) -> Any:
        values = [value for key, value in constant.items() if key.startswith("value") and value is not None]
        if len(values) != 1:
            raise _refuse(f"{self._name}.constant", "常量需要且只能有一个 value[x]", "a constant needs exactly one value[x]")
        return values[0]

    def _path(self, text: Any, where: str) -> _Path:
        if not isinstance(text, str):
            raise _refuse(f"{self._name}.{where}", "此处应为 FHIRPath 文字", "a FHIRPath text should stand here")
        return compile_expression(text, constants=self._constants)

    def _condition(self, text: str, where: str) -> Callable[[Any, Env], bool]:
        path, place = self._path(text, where), f"{self._name}.{where}"

        def holds(node: Any, env: Env) -> bool:
            items = path(node, env)
            if len(items) > 1 or (items and not isinstance(items[0], bool)):
                raise _refuse(place, "where 的路径应得到真或假", "the path of a where should give true or false")
            return bool(items and items[0])

        return holds

    def _select(self, select: Mapping[str, Any], where: str) -> _Part:
        parts = []
        columns = [self._column(c, f"{where}.column[{i}]") for i, c in enumerate(self._list(select, "column", where))]
        if columns:
            parts.append(_columns([column for column, _ in columns], [value for _, value in columns], self._keep))
        parts += [self._select(s, f"{where}.select[{i}]") for i, s in enumerate(self._list(select, "select", where))]
        branches = [self._select(s, f"{where}.unionAll[{i}]") for i, s in enumerate(self._list(select, "unionAll", where))]
        if branches:
            parts.append(self._union(branches, where))
        if not parts:
            raise _refuse(f"{self._name}.{where}", "需要 column、select 或 unionAll", "column, select or unionAll is needed")
        return self._iterated(self._all_of(parts), select, where)

    def _column(self, column: Mapping[str, Any], where: str) -> tuple[Column, Callable[[Any, Env], Any]]:
        name = self._text(column, "name", where)
        path = self._path(self._text(column, "path", where), where)
        kind = kind_of(column)
        convert = self._convert[kind] if self._convert else plain
        if column.get("collection") is True:
            return Column(name, column.get("type", ""), kind, True), lambda node, env: [convert(v) for v in path(node, env)] or None
        place = f"{self._name}.{name}"

        def value(node: Any, env: Env) -> Any:
            items = path(node, env)
            if len(items) == 1:
                return convert(items[0])
            if not items:
                return None
            raise _refuse(place, "一行得到多个值；请加 first() 或 collection", "a row has several values; add first() or collection")

        return Column(name, column.get("type", ""), kind, False), value

    def _union(self, branches: list[_Part], where: str) -> _Part:
        first = [column.name for column in branches[0].columns]
        if any([column.name for column in branch.columns] != first for branch in branches):
            raise _refuse(
                f"{self._name}.{where}.unionAll",
                "各分支的列名与次序应相同",
                "the branches should have the same columns in the same order",
            )
        makers = [branch.make for branch in branches]
        return _Part(branches[0].columns, lambda node, env: [row for make in makers for row in make(node, env)])

    def _all_of(self, parts: list[_Part]) -> _Part:
        columns = tuple(column for part in parts for column in part.columns)
        makers = [part.make for part in parts]
        if len(makers) == 1:
            return _Part(columns, makers[0])
        if len(makers) == 2:
            return _Part(columns, _pairs(*makers))
        return _Part(columns, lambda node, env: [sum(rows, ()) for rows in product(*(make(node, env) for make in makers))])

    def _iterated(self, part: _Part, select: Mapping[str, Any], where: str) -> _Part:
        named = [key for key in _ITERATIONS if select.get(key) is not None]
        if not named:
            return part
        if len(named) > 1:
            raise _refuse(f"{self._name}.{where}", "只能写一种循环", f"write only one of {', '.join(named)}")
        make, spec, key = part.make, select[named[0]], named[0]
        if key == "repeat":
            if not isinstance(spec, list) or not spec:
                raise _refuse(f"{self._name}.{where}.repeat", "repeat 应为路径的列表", "repeat should be a list of paths")
            nodes = _repeated([self._path(text, f"{where}.repeat") for text in spec])
        else:
            nodes = self._path(spec, f"{where}.{key}")
        return _Part(part.columns, _for_each(nodes, make, keeps_empty=key == "forEachOrNull"))


def _pairs(left: _RowMaker, right: _RowMaker) -> _RowMaker:
    def rows(node: Any, env: Env) -> list[Row]:
        found = left(node, env)
        return [a + b for a in found for b in right(node, env)] if found else []

    return rows


def _columns(columns: Sequence[Column], values: Sequence[Callable[[Any, Env], Any]], keep: Keep | None) -> _Part:
    makers = tuple(values)
    if keep is None or keep[0] not in [column.name for column in columns]:
        return _Part(tuple(columns), lambda node, env: [tuple([make(node, env) for make in makers])])
    deciding, wanted = makers[[column.name for column in columns].index(keep[0])], keep[1]

    def rows(node: Any, env: Env) -> list[Row]:
        return [tuple([make(node, env) for make in makers])] if deciding(node, env) in wanted else []

    return _Part(tuple(columns), rows)


def _for_each(nodes: _Path, make: _RowMaker, *, keeps_empty: bool) -> _RowMaker:
    def rows(node: Any, env: Env) -> list[Row]:
        found, outer = nodes(node, env), env.row_index
        if not found and not keeps_empty:
            return []
        made: list[Row] = []
        try:
            for at, item in enumerate(found or ({},)):
                env.row_index = at
                made += make(item, env)
        finally:
            env.row_index = outer
        return made

    return rows


def _repeated(paths: Sequence[_Path]) -> _Path:
    def visit(node: Any, env: Env) -> list[Any]:
        found: list[Any] = []
        for path in paths:
            for item in path(node, env):
                found.append(item)
                found += visit(item, env)
        return found

    return visit


def _rows(resource: str, conditions: Sequence[Callable[[Any, Env], bool]], make: _RowMaker) -> Callable[[Mapping[str, Any]], list[Row]]:
    def rows(node: Mapping[str, Any]) -> list[Row]:
        if node.get("resourceType") != resource:
            return []
        env = Env(node)
        for holds in conditions:
            if not holds(node, env):
                return []
        return make(node, env)

    return rows


def compile_view(definition: Mapping[str, Any], *, convert: Mapping[Kind, Converter] | None = None, keep: Keep | None = None) -> View:
    """Return a view that runs.

    definition: the ViewDefinition as JSON.  convert: kind → conversion of a value (`kinds.converters`); without it values stay as JSON.
    keep: a column and the values one of which a row must have there to be made; the others cost next to nothing.
    Raises: DefinitionError naming the place in the view if it is not a ViewDefinition; `rows` raises DefinitionError where a value
    does not suit (several values for one cell, a condition that is no truth).
    """
    return _Compiler(definition, convert, keep).view()
