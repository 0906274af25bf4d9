"""Forms as definitions: every question with its words, type, codes, range, what it takes over from last time, and what is computed.

A form file stands in `forms/*.toml` of a module. Conditions and computed values are expressions of the algebra over the answers, by
linkId, and over the values of `[context]`; `[derived]` names values that are shown or used but not stored.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from xinglin.base.errors import DefinitionError
from xinglin.definitions import combine, nodes
from xinglin.definitions.lake_columns import Kind
from xinglin.definitions.load import Edition, shown_path
from xinglin.definitions.model import Words
from xinglin.definitions.nodes import Node
from xinglin.definitions.parser import parse
from xinglin.definitions.source import STATUSES, Source, key_lines
from xinglin.definitions.tokens import Place
from xinglin.definitions.vocabulary import put_in

TYPES: Final = ("date", "code", "codes", "number", "text", "boolean", "group")
# What a new visit must measure or ask anew. Source: acceptance of the follow-up form (never carried over).
NEVER_CARRIED: Final = frozenset(
    ("visit_date", "exam_date", "systolic", "diastolic", "weight", "bmi", "heart_rate", "waist")
    + ("fasting_glucose", "hba1c", "hba1c_date", "symptoms", "danger_signs", "outcome_class")
)
_CODE: Final = re.compile(r"^(\d+) ?(.+)$")
_ITEM_FIELDS: Final = frozenset(
    ("link_id", "section", "zh", "en", "type", "codes", "codes_en", "unit", "decimals", "least", "most", "usual_least", "usual_most")
    + ("required", "carry", "computed", "loinc", "none_code", "pair", "not_after", "items", "print_row", "hint_zh", "hint_en")
)


@dataclass(frozen=True)
class Choice:
    """A coded answer: its digit and words."""

    code: str
    words: Words


@dataclass(frozen=True)
class Item:
    """One question.

    required: condition under which it must be answered, None for never. carry: taken over in grey from the last form, to be confirmed.
    least, most: beyond them refused; usual_least, usual_most: beyond them asked again. computed: overridable with a reason.
    pair: linkId that takes the second number of `135/85`. items: of a repeating group. loinc: of the Observation it becomes.
    none_code: code of a multiple choice that means "none"; the value has_<link_id> is whether another was chosen.
    """

    link_id: str
    section: str
    words: Words
    type: str
    choices: tuple[Choice, ...] = ()
    unit: str = ""
    decimals: int = 0
    least: float | None = None
    most: float | None = None
    usual_least: float | None = None
    usual_most: float | None = None
    required: Node | None = None
    carry: bool = False
    computed: Node | None = None
    loinc: str = ""
    none_code: str = ""
    pair: str = ""
    not_after: str = ""
    items: tuple[Item, ...] = ()
    print_row: int = 0
    hint: Words = Words("", "")

    @property
    def override_link_id(self) -> str:
        """Return the linkId of the reason why the computed value was overruled."""
        return f"override_reason_{self.link_id}"

    def choice(self, code: str) -> Choice | None:
        """Return the choice of a code, or None."""
        return next((choice for choice in self.choices if choice.code == code), None)


@dataclass(frozen=True)
class PrintGroup:
    """Rows of the printed record under one heading. rows: the questions of each row; two answers of one row stand as `65/60`."""

    words: Words
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Check:
    """What answers may not say together: while `when` holds, the answer of `link_id` is refused with these words."""

    link_id: str
    when: Node
    words: Words


@dataclass(frozen=True)
class Form:
    """A form in one version. sections and items in the order of the screen; print_items in the order of the printed column."""

    id: str
    version: str
    words: Words
    sheet: Words
    source: str
    clause: str
    status: str
    verified: bool
    sections: Mapping[str, Words]
    items: tuple[Item, ...]
    derived: Mapping[str, Node]
    context: Mapping[str, Kind]
    place: Place
    service: str = ""
    by_link: Mapping[str, Item] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    print_groups: tuple[PrintGroup, ...] = ()

    @property
    def canonical(self) -> str:
        """Return what QuestionnaireResponse.questionnaire says."""
        return f"urn:xinglin:form:{self.id}|{self.version}"

    @property
    def print_items(self) -> tuple[Item, ...]:
        """Return the items that are printed, in print order."""
        return tuple(sorted((item for item in self.items if item.print_row), key=lambda item: item.print_row))

    def code_system(self, link_id: str) -> str:
        """Return the code system of an item's coded answers."""
        return f"urn:xinglin:cs:{self.id}:{link_id}"

    def item(self, link_id: str) -> Item:
        """Return the item of a linkId.  Raises: KeyError."""
        return self.by_link[link_id]


class _Names:
    """What the names in a form's expressions mean: answers, context, derived values, calculators."""

    def __init__(self, inputs: Mapping[str, Kind], edition: Edition, derived: Mapping[str, str], place: Place) -> None:
        self._inputs = inputs
        self._edition = edition
        self._derived = derived
        self._place = place
        self._making: list[str] = []

    def value(self, name: str) -> Node | None:
        if name in self._inputs:
            return nodes.Input(name, self._inputs[name])
        if name not in self._derived:
            return None
        if name in self._making:
            chain = " → ".join([*self._making, name])
            raise DefinitionError(f"循环定义：{chain}", f"these values define each other: {chain}", where=str(self._place))
        self._making.append(name)
        node = parse(self._derived[name], self, self._place)
        self._making.pop()
        return combine.Named(name, name, name, node)

    def codes(self, name: str) -> None:
        return None

    def code_set(self, name: str) -> None:
        return None

    def equivalents(self, name: str) -> Mapping[str, tuple[str, ...]]:
        return {}

    def function(self, name: str, arguments: tuple[Node, ...]) -> Node | None:
        found = self._edition.definitions.get(name.replace("_", "-"))
        if found is None or not found.inputs:
            return None
        if len(arguments) != len(found.inputs):
            wanted = ", ".join(found.inputs)
            raise nodes.wrong(f"{name} 要 {len(found.inputs)} 项：{wanted}", f"{name} takes {len(found.inputs)} arguments: {wanted}")
        return put_in(found.outputs["value"], dict(zip(found.inputs, arguments, strict=True)))

    def known(self) -> tuple[str, ...]:
        return (*self._inputs, *self._derived)


_KINDS: Final = {"date": Kind.DATE, "code": Kind.CODE, "number": Kind.NUMBER, "boolean": Kind.BOOL, "text": Kind.CODE}


def load_forms(paths: Iterable[Path], edition: Edition) -> dict[str, Form]:
    """Return id → form for every `*.toml` in the folders (or the files given); computed values use the edition's calculators.

    Raises: DefinitionError with file:line for a wrong type, code, range, expression, or an answer that must never be carried over.
    """
    found: dict[str, Form] = {}
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.glob("*.toml")):
            form = _form(file, edition)
            if form.id in found:
                raise DefinitionError(f"表单 {form.id} 出现两次", f"form {form.id} stands twice", where=str(form.place))
            found[form.id] = form
    return found


def _form(file: Path, edition: Edition) -> Form:
    text = file.read_text(encoding="utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"不是有效的 TOML：{error}", f"not valid TOML: {error}", where=shown_path(file)) from error
    source = Source(shown_path(file), data, key_lines(text))
    for key in ("id", "version", "zh", "en", "sheet_zh", "sheet_en", "source", "clause", "status"):
        if not isinstance(data.get(key), str) or not data[key]:
            raise source.fault(key, f'缺少 {key}，写 {key} = "..."', f'{key} is missing; write {key} = "..."')
    if data["status"] not in STATUSES:
        raise source.fault("status", f"status 只能是 {', '.join(STATUSES)}", f"status must be one of {', '.join(STATUSES)}")
    for key, words in (("section", ("id", "zh", "en")), ("item", ("link_id", "zh", "en", "type"))):
        if not data.get(key):
            raise source.fault("id", f"表单要有 [[{key}]]", f"a form needs [[{key}]]")
        for number, told in enumerate(data[key]):
            for word in words:
                if word not in told:
                    raise source.fault(f"{key}.{number}", f"[[{key}]] 要有 {word}", f"a [[{key}]] needs {word}")
    context = {name: _context_kind(source, name, kind) for name, kind in data.get("context", {}).items()}
    names = _Names(_inputs(data, context), edition, data.get("derived", {}), source.place("derived"))
    items = tuple(_item(source, f"item.{number}", told, names) for number, told in enumerate(data["item"]))
    derived = {name: nodes_of(names, name) for name in data.get("derived", {})}
    _check_items(source, items, data)
    return Form(
        id=data["id"],
        version=data["version"],
        words=Words(data["zh"], data["en"]),
        sheet=Words(data["sheet_zh"], data["sheet_en"]),
        source=data["source"],
        clause=data["clause"],
        status=data["status"],
        verified=bool(data.get("verified", False)),
        sections={section["id"]: Words(section["zh"], section["en"]) for section in data["section"]},
        items=items,
        derived=derived,
        context=context,
        place=source.place("id"),
        service=data.get("service", ""),
        by_link={item.link_id: item for item in items},
        print_groups=tuple(
            _print_group(source, f"print_group.{number}", told, items) for number, told in enumerate(data.get("print_group", []))
        ),
        checks=tuple(_check(source, f"check.{number}", told, names, items) for number, told in enumerate(data.get("check", []))),
    )


def _check(source: Source, key: str, told: Mapping[str, Any], names: _Names, items: tuple[Item, ...]) -> Check:
    if set(told) != {"link_id", "when", "zh", "en"}:
        raise source.fault(key, "[[check]] 要有 link_id、when、zh、en", "a [[check]] needs link_id, when, zh and en")
    if told["link_id"] not in (item.link_id for item in items):
        raise source.fault(key, f"没有题目 {told['link_id']}", f"there is no item {told['link_id']}")
    return Check(told["link_id"], parse(told["when"], names, source.place(key)), Words(told["zh"], told["en"]))


def _print_group(source: Source, key: str, told: Mapping[str, Any], items: tuple[Item, ...]) -> PrintGroup:
    if set(told) != {"zh", "en", "rows"}:
        raise source.fault(key, "[[print_group]] 要有 zh、en、rows", "a [[print_group]] needs zh, en and rows")
    printed = {item.link_id for item in items if item.print_row}
    for link_id in (link_id for row in told["rows"] for link_id in row):
        if link_id not in printed:
            raise source.fault(key, f"没有可打印的题目 {link_id}", f"there is no printed item {link_id}")
    return PrintGroup(Words(told["zh"], told["en"]), tuple(tuple(row) for row in told["rows"]))


def _context_kind(source: Source, name: str, kind: object) -> Kind:
    if kind not in _KINDS.values():
        known = ", ".join(sorted(set(_KINDS.values())))
        raise source.fault(f"context.{name}", f"类型写 {known}", f"write the kind: {known}")
    return Kind(str(kind))


def nodes_of(names: _Names, name: str) -> Node:
    """Return the node of a derived value."""
    node = names.value(name)
    assert node is not None
    return node


def _inputs(data: Mapping[str, Any], context: Mapping[str, Kind]) -> dict[str, Kind]:
    found = dict(context)
    for told in data["item"]:
        if told.get("type") in _KINDS:
            found[told["link_id"]] = _KINDS[told["type"]]
        if told.get("none_code"):
            found[f"has_{told['link_id']}"] = Kind.BOOL
    return found


def _item(source: Source, key: str, told: Mapping[str, Any], names: _Names) -> Item:
    for word in told:
        if word not in _ITEM_FIELDS:
            raise source.fault(
                f"{key}.{word}", f"题目没有字段 {word}", f"an item has no field {word}; write one of {', '.join(sorted(_ITEM_FIELDS))}"
            )
    if told["type"] not in TYPES:
        raise source.fault(f"{key}.type", f"type 只能是 {', '.join(TYPES)}", f"type must be one of {', '.join(TYPES)}")

    def expression(word: str) -> Node | None:
        if word not in told or told[word] is False:
            return None
        return nodes.Literal(True) if told[word] is True else parse(told[word], names, source.place(f"{key}.{word}"))

    return Item(
        link_id=told["link_id"],
        section=told.get("section", ""),
        words=Words(told["zh"], told["en"]),
        type=told["type"],
        choices=_choices(source, key, told),
        unit=told.get("unit", ""),
        decimals=told.get("decimals", 0),
        least=told.get("least"),
        most=told.get("most"),
        usual_least=told.get("usual_least"),
        usual_most=told.get("usual_most"),
        required=expression("required"),
        carry=told.get("carry", False),
        computed=expression("computed"),
        loinc=told.get("loinc", ""),
        none_code=told.get("none_code", ""),
        pair=told.get("pair", ""),
        not_after=told.get("not_after", ""),
        items=tuple(_item(source, f"{key}.items", inner, names) for inner in told.get("items", [])),
        print_row=told.get("print_row", 0),
        hint=Words(told.get("hint_zh", ""), told.get("hint_en", "")),
    )


def _choices(source: Source, key: str, told: Mapping[str, Any]) -> tuple[Choice, ...]:
    codes, english = told.get("codes", []), told.get("codes_en", [])
    if (told["type"] in ("code", "codes")) != bool(codes) or len(codes) != len(english):
        raise source.fault(f"{key}.codes", "选项要有 codes 和同样多的 codes_en", "a coded item needs codes and as many codes_en")
    found = []
    for text, en in zip(codes, english, strict=True):
        match = _CODE.match(text)
        if match is None:
            raise source.fault(f"{key}.codes", "选项以数字开头，如 1门诊", "write a choice with its digit first, such as 1门诊")
        found.append(Choice(match.group(1), Words(match.group(2), en)))
    return tuple(found)


def _check_items(source: Source, items: tuple[Item, ...], data: Mapping[str, Any]) -> None:
    sections = {section["id"] for section in data["section"]}
    links = [item.link_id for item in items]
    for number, item in enumerate(items):
        key = f"item.{number}"
        if links.count(item.link_id) > 1:
            raise source.fault(key, f"{item.link_id} 出现两次", f"{item.link_id} stands twice")
        if item.section not in sections:
            raise source.fault(
                key, f"没有栏目 {item.section}", f"there is no section {item.section!r}; write one of {', '.join(sorted(sections))}"
            )
        if item.carry and (item.link_id in NEVER_CARRIED or item.type == "date"):
            raise source.fault(
                key,
                f"{item.link_id} 必须每次重新测量或询问，不能沿用",
                f"{item.link_id} is asked anew each time; it cannot be carried over",
            )
        if item.pair and item.pair not in links:
            raise source.fault(key, f"没有题目 {item.pair}", f"there is no item {item.pair}")
        limits = [limit for limit in (item.least, item.usual_least, item.usual_most, item.most) if limit is not None]
        if limits != sorted(limits):
            raise source.fault(
                key, "范围应当 least ≤ usual_least ≤ usual_most ≤ most", "ranges must be least ≤ usual_least ≤ usual_most ≤ most"
            )
