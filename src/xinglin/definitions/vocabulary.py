"""The names an expression may use: the lets, parameters and code sets of a definition and of the terms it uses, and calculators."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

from xinglin.definitions import combine, nodes
from xinglin.definitions.calls import FUNCTION_NAMES
from xinglin.definitions.lake_columns import COLUMN_NAMES, LAKE, Kind
from xinglin.definitions.nodes import Node
from xinglin.definitions.parser import parse
from xinglin.definitions.source import Source

Calculator = Callable[[str, tuple[Node, ...]], Node | None]


class Vocabulary:
    """The names of one definition in one variant. sources: the terms it uses, then itself. overrides: parameters of the variant."""

    def __init__(self, sources: tuple[Source, ...], overrides: Mapping[str, Any], calculator: Calculator) -> None:
        self._lets: dict[str, tuple[Source, str, Any]] = {}
        self._parameters: dict[str, Any] = {}
        self._code_sets: dict[str, tuple[str, ...]] = {}
        self._equivalents: dict[str, Mapping[str, tuple[str, ...]]] = {}
        self._inputs: dict[str, Kind] = {}
        self._made: dict[str, Node] = {}
        self._making: list[str] = []
        self._calculator = calculator
        for source in sources:
            self._add(source)
        for name in overrides:
            if name not in self._parameters:
                known = ", ".join(self._parameters) or "-"
                raise sources[-1].fault(
                    "variant.0", f"没有参数 {name}，可用：{known}", f"there is no parameter {name}; write one of {known}"
                )
        self._parameters.update(overrides)

    @property
    def inputs(self) -> Mapping[str, Kind]:
        """Return the declared inputs, name → kind."""
        return self._inputs

    def _add(self, source: Source) -> None:
        for name, told in source.data.get("let", {}).items():
            key = f"let.{name}"
            _free(source, key, name)
            if name in self._lets:
                raise source.fault(key, f"{name} 已经定义过，请换一个名字", f"{name} is defined already; choose another name")
            self._lets[name] = (source, key, told)
        for name, told in source.data.get("parameter", {}).items():
            _free(source, f"parameter.{name}", name)
            if "value" not in told:
                raise source.fault(f"parameter.{name}", "参数要有 value", "a parameter needs value = ...")
            self._parameters[name] = told["value"]
        for name, told in source.data.get("code_set", {}).items():
            if not told.get("codes") or not told.get("source"):
                raise source.fault(f"code_set.{name}", "代码集要有 codes 和 source", "a code set needs codes and source")
            self._code_sets[name] = tuple(told["codes"])
            self._equivalents[name] = told.get("also", {})
        for name, word in source.data.get("inputs", {}).items():
            try:
                self._inputs[name] = Kind(word)
            except ValueError as error:
                raise source.fault(
                    f"inputs.{name}", "类型写 number, date, code 或 bool", "write the kind: number, date, code or bool"
                ) from error

    def value(self, name: str) -> Node | None:
        """Return the node a name stands for, or None. Raises: DefinitionError for a cycle."""
        if name in self._inputs:
            return nodes.Input(name, self._inputs[name])
        if name in self._parameters and not isinstance(self._parameters[name], list):
            return nodes.Literal(self._parameters[name])
        if name not in self._lets:
            return None
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def _make(self, name: str) -> Node:
        source, key, told = self._lets[name]
        if name in self._making:
            chain = " → ".join([*self._making[self._making.index(name) :], name])
            raise source.fault(key, f"循环定义：{chain}", f"these names define each other: {chain}")
        self._making.append(name)
        text, zh, en = (told, name, name) if isinstance(told, str) else (told.get("is", ""), told.get("zh", name), told.get("en", name))
        node = parse(text, self, source.place(key if isinstance(told, str) else f"{key}.is"))
        self._making.pop()
        return combine.NamedRows(name, zh, en, node) if isinstance(node, combine.Rows) else combine.Named(name, zh, en, node)

    def codes(self, name: str) -> tuple[str, ...] | None:
        """Return the codes of a list parameter."""
        found = self._parameters.get(name)
        return tuple(found) if isinstance(found, list) else None

    def code_set(self, name: str) -> tuple[str, ...] | None:
        """Return the prefixes of a code set."""
        return self._code_sets.get(name)

    def equivalents(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Return system → codes of other systems that count as members of a code set."""
        return self._equivalents.get(name, {})

    def function(self, name: str, arguments: tuple[Node, ...]) -> Node | None:
        """Return a calculator's node with the arguments in place of its inputs."""
        return self._calculator(name, arguments)

    def known(self) -> tuple[str, ...]:
        """Return the names of this definition."""
        return (*self._lets, *self._parameters, *self._inputs)

    def check_all(self) -> None:
        """Make every let, so that a fault in one nobody uses is found too."""
        for name in self._lets:
            self.value(name)


def _free(source: Source, key: str, name: str) -> None:
    if name in COLUMN_NAMES or name in LAKE or name in FUNCTION_NAMES:
        raise source.fault(
            key, f"{name} 是湖中的列、表或函数名，请换一个", f"{name} is the name of a lake column, a table or a function; choose another"
        )


def put_in(node: Node, values: Mapping[str, Node]) -> Node:
    """Return the node with inputs replaced by nodes. Raises: DefinitionError where a value's kind does not fit."""
    if isinstance(node, nodes.Input):
        found = values.get(node.name, node)
        nodes.need(found, node.kind)
        return found
    changed = {item.name: _put_in_part(getattr(node, item.name), values) for item in fields(node)}
    if all(changed[item.name] is getattr(node, item.name) for item in fields(node)):
        return node
    return replace(node, **changed)


def _put_in_part(part: Any, values: Mapping[str, Node]) -> Any:
    if isinstance(part, Node):
        return put_in(part, values)
    if isinstance(part, tuple):
        made = tuple(_put_in_part(item, values) for item in part)
        return part if all(new is old for new, old in zip(made, part, strict=True)) else made
    return part
