"""Sources in force on one day → definitions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xinglin.base.errors import DefinitionError
from xinglin.definitions import combine, nodes
from xinglin.definitions.lake_columns import Kind
from xinglin.definitions.model import Advice, Definition, Exclusion, Words
from xinglin.definitions.nodes import Node
from xinglin.definitions.parser import parse
from xinglin.definitions.source import Source
from xinglin.definitions.vocabulary import Vocabulary, put_in

_YES = nodes.Literal(True)
_NO = nodes.Literal(False)
_NONE = nodes.Literal(None)


@dataclass(frozen=True)
class _Work:
    """One definition in one variant while it is built."""

    source: Source
    names: Vocabulary
    variant: Mapping[str, Any]

    def parse(self, key: str, text: object) -> Node:
        if not isinstance(text, str):
            raise self.source.fault(key, "表达式写成文本", "write the expression as text")
        return parse(text, self.names, self.source.place(key))

    def optional(self, key: str, default: Node) -> Node:
        return self.parse(key, self.source.data[key]) if key in self.source.data else default

    def of_kind(self, key: str, node: Node, *kinds: Kind) -> Node:
        if node.kind not in (*kinds, Kind.NOTHING):
            wanted = " / ".join(kinds)
            raise self.source.fault(key, f"{key} 要 {wanted}，写的是 {node.kind}", f"{key} must be a {wanted}, this is a {node.kind}")
        return node


class Builder:
    """Builds every definition of a set of sources; calculators are put into whoever calls them."""

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._by_id = {source.id: source for source in sources}
        self._calculators: dict[str, Definition] = {}
        self._making: list[str] = []

    def build(self) -> dict[str, Definition]:
        """Return id → definition, with each base id also naming its default variant. Raises: DefinitionError."""
        found: dict[str, Definition] = {}
        for source in self._by_id.values():
            if source.data["kind"] == "terms":
                self._vocabulary(source, {}).check_all()
                continue
            variants = source.data.get("variant") or [{}]
            for number, variant in enumerate(variants):
                definition = self._definition(source, variant)
                found[definition.id] = definition
                if number == 0 or variant.get("default"):
                    found[source.id] = definition
        return found

    def _vocabulary(self, source: Source, variant: Mapping[str, Any]) -> Vocabulary:
        used: dict[str, Source] = {}
        self._gather(source, used)
        return Vocabulary((*used.values(), source), variant.get("parameters", {}), self._calculator)

    def _gather(self, source: Source, used: dict[str, Source]) -> None:
        for name in source.data.get("uses", []):
            terms = self._by_id.get(name)
            if terms is None or terms.data["kind"] != "terms":
                known = ", ".join(sorted(other.id for other in self._by_id.values() if other.data["kind"] == "terms"))
                raise source.fault("uses", f"没有术语 {name}，可用：{known}", f"there are no terms {name}; write one of {known}")
            if name not in used and terms is not source:
                self._gather(terms, used)
                used[name] = terms

    def _calculator(self, name: str, arguments: tuple[Node, ...]) -> Node | None:
        source = self._by_id.get(name.replace("_", "-"))
        if source is None or source.data["kind"] not in ("calculator", "classification"):
            return None
        if source.id in self._making:
            chain = " → ".join([*self._making, source.id])
            raise source.fault("value", f"循环定义：{chain}", f"these definitions use each other: {chain}")
        if source.id not in self._calculators:
            self._making.append(source.id)
            self._calculators[source.id] = self._definition(source, {})
            self._making.pop()
        definition = self._calculators[source.id]
        if len(arguments) != len(definition.inputs):
            wanted = ", ".join(definition.inputs)
            raise nodes.wrong(
                f"{name} 要 {len(definition.inputs)} 项：{wanted}", f"{name} takes {len(definition.inputs)} arguments: {wanted}"
            )
        body = put_in(definition.outputs["value"], dict(zip(definition.inputs, arguments, strict=True)))
        return combine.Named(name, definition.words.zh, definition.words.en, body)

    def _definition(self, source: Source, variant: Mapping[str, Any]) -> Definition:
        names = self._vocabulary(source, variant)
        names.check_all()
        work = _Work(source, names, variant)
        kind = str(source.data["kind"])
        outputs = {"measure": _measure, "programme": _programme, "worklist": _programme}.get(kind, _calculation)(work)
        if "reason" in outputs and source.data.get("variant") and not variant.get("id"):
            raise source.fault("variant.0", "变体要有 id", "a variant needs an id")
        outputs |= _evidence(work)
        advice = tuple(_advice(work, number, told) for number, told in enumerate(source.data.get("advice", [])))
        return _assembled(work, outputs, advice)


def _assembled(work: _Work, outputs: dict[str, Node], advice: tuple[Advice, ...]) -> Definition:
    source, variant = work.source, work.variant
    data = source.data
    identity = f"{source.id}.{variant['id']}" if variant.get("id") else source.id
    classes = {code: _words(source, f"classes.{code}", told) for code, told in data.get("classes", {}).items()}
    content = "|".join([identity, str(data["kind"]), *(f"{name}={node.key}" for name, node in sorted(outputs.items()))])
    return Definition(
        id=identity,
        base=source.id,
        kind=str(data["kind"]),
        words=Words(data["zh"], data["en"]),
        source=data["source"],
        clause=data.get("clause", ""),
        status=variant.get("status", data["status"]),
        verified=data["verified"],
        place=source.place("id"),
        outputs=outputs,
        hash=hashlib.sha256(content.encode()).hexdigest()[:16],
        variant=variant.get("id", ""),
        variant_words=Words(variant.get("zh", ""), variant.get("en", "")),
        note=Words(data.get("note_zh", ""), data.get("note_en", "")),
        effective_from=source.effective_from,
        effective_to=source.effective_to,
        inputs=work.names.inputs,
        classes=classes,
        exclusions=_exclusions(work),
        advice=advice,
        unit=data.get("unit", "people"),
        figure=data.get("figure", ""),
        page=data.get("page", ""),
    )


def _words(source: Source, key: str, told: object) -> Words:
    if not isinstance(told, dict) or not isinstance(told.get("zh"), str) or not isinstance(told.get("en"), str):
        raise source.fault(key, '写 { zh = "...", en = "..." }', 'write { zh = "...", en = "..." }')
    return Words(told["zh"], told["en"])


def _exclusions(work: _Work) -> tuple[Exclusion, ...]:
    found = []
    for number, told in enumerate(work.source.data.get("exclusion", [])):
        key = f"exclusion.{number}"
        for word in ("reason", "zh", "en", "when"):
            if word not in told:
                raise work.source.fault(key, f"剔除要有 {word}", f"an exclusion needs {word}")
        when = work.of_kind(f"{key}.when", work.parse(f"{key}.when", told["when"]), Kind.BOOL)
        found.append(Exclusion(told["reason"], Words(told["zh"], told["en"]), when))
    return tuple(found)


def _measure(work: _Work) -> dict[str, Node]:
    if "population" not in work.source.data or "numerator" not in work.source.data:
        raise work.source.fault("id", "指标要有 population 和 numerator", "a measure needs population and numerator")
    population = work.of_kind("population", work.optional("population", _NO), Kind.BOOL)
    leaving = tuple((exclusion.when, nodes.Literal(exclusion.reason)) for exclusion in _exclusions(work))
    reason: Node = _NONE
    if leaving:
        reason = combine.Case(((population, combine.Case(leaving, _NONE)),), _NONE)
    counted = nodes.And((population, nodes.IsMissing(reason))) if leaving else population
    parts = {"population": combine.Case(((population, nodes.Literal(1)),), nodes.Literal(0)), "reason": reason}
    for name, default in (("denominator", _YES), ("numerator", _NO), ("unknown", _NO)):
        node = work.of_kind(name, work.optional(name, default), Kind.BOOL, Kind.NUMBER)
        parts[name] = _number(counted, node)
    parts["responsible"] = work.of_kind("responsible", work.optional("responsible", _NONE), Kind.REF)
    return parts


def _number(counted: Node, node: Node) -> Node:
    zero, one = nodes.Literal(0), nodes.Literal(1)
    if node.kind is Kind.BOOL:
        return combine.Case(((nodes.And((counted, node)), one),), zero)
    return combine.Case(((counted, combine.FirstPresent((node, zero))),), zero)


def _programme(work: _Work) -> dict[str, Node]:
    if "applies" not in work.source.data:
        raise work.source.fault("id", "程序要有 applies（对谁适用）", "a programme needs applies (whom it concerns)")
    applies = work.of_kind("applies", work.optional("applies", _NO), Kind.BOOL)
    parts: dict[str, Node] = {"applies": combine.Case(((applies, _YES),), _NO)}
    for name in ("due_from", "due_by", "lost_after"):
        node = work.of_kind(name, work.optional(name, _NONE), Kind.DATE)
        parts[name] = combine.Case(((applies, node),), _NONE)
    for name, text in work.source.data.get("state", {}).items():
        node = work.parse(f"state.{name}", text)
        if node.kind in (Kind.ROWS, Kind.RIDS):
            raise work.source.fault(f"state.{name}", "状态要单个值", "a state is a single value")
        parts[f"state_{name}"] = combine.Case(((applies, node),), _NONE)
    return parts


def _calculation(work: _Work) -> dict[str, Node]:
    if "value" not in work.source.data:
        raise work.source.fault("id", "计算要有 value", "a calculation needs value")
    node = work.optional("value", _NONE)
    if work.source.data["kind"] == "classification":
        work.of_kind("value", node, Kind.CODE)
        for part in nodes.walk(node):
            _check_class(work, part)
    return {"value": node}


def _check_class(work: _Work, part: Node) -> None:
    classes = work.source.data.get("classes", {})
    values = [value for _, value in part.branches] + [part.otherwise] if isinstance(part, combine.Case) and part.kind is Kind.CODE else []
    for value in values:
        if isinstance(value, nodes.Literal) and value.value is not None and value.value not in classes:
            known = ", ".join(classes)
            raise work.source.fault(
                "value", f"没有类别 {value.value}，可用：{known}", f"there is no class {value.value}; write one of {known}"
            )


def _evidence(work: _Work) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for number, text in enumerate(work.source.data.get("evidence", [])):
        rows = work.parse("evidence", text)
        if not isinstance(rows, combine.Rows):
            raise work.source.fault("evidence", "证据要写行集", "evidence is a list of rows")
        found[f"evidence_{number}"] = combine.Rids(rows)
    return found


def _advice(work: _Work, number: int, told: Mapping[str, Any]) -> Advice:
    key = f"advice.{number}"
    for word in ("zh", "en", "when"):
        if word not in told:
            raise work.source.fault(key, f"建议要有 {word}", f"advice needs {word}")
    when = work.of_kind(f"{key}.when", work.parse(f"{key}.when", told["when"]), Kind.BOOL)
    values = {}
    for name in sorted({*_holes(told["zh"]), *_holes(told["en"])}):
        found = work.names.value(name)
        if found is None:
            raise DefinitionError(
                f"建议里的 {{{name}}} 没有定义", f"{{{name}}} in the advice is not defined", where=str(work.source.place(key))
            )
        values[name] = found
    return Advice(Words(told["zh"], told["en"]), when, values)


def _holes(text: str) -> list[str]:
    return [piece.split("}")[0] for piece in text.split("{")[1:]]
