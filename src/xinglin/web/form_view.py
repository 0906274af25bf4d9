"""A form definition with answers as the screen shows it: typed, carried over in grey, computed, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from xinglin.definitions import Form, Item, Problem, Question, reference
from xinglin.web.forms import Choice, Field, Section
from xinglin.web.i18n import capital, listed, mark

_ICONS: Final = {
    "visit": "calendar-check",
    "symptoms": "activity",
    "signs": "heart-pulse",
    "lifestyle": "person-check",
    "tests": "clipboard2-pulse",
    "treatment": "prescription2",
    "next": "send",
}
_ROWS_SHOWN: Final = 3
# Units that are words: the form names them in Chinese, the page says them in its language.
UNITS: Final = (mark("次/分"), mark("支/日"), mark("两/日"), mark("次/周"), mark("分/次"), mark("次"), mark("分"), mark("克/天"))


@dataclass(frozen=True, slots=True)
class Typed:
    """A form as typed. raw: link id → text.  carried: link id → what was brought over.  confirmed: names whose carried value was confirmed.

    computed: link id → what the rules give, as text.  earlier: link id → last readings, newest first.
    held: what an unfinished visit says already and need not be asked again.
    """

    raw: Mapping[str, str]
    carried: Mapping[str, str] = field(default_factory=dict)
    confirmed: frozenset[str] = frozenset()
    computed: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    held: frozenset[str] = frozenset()

    def is_grey(self, name: str) -> bool:
        """Return whether a value was brought over and nobody has confirmed or changed it."""
        return bool(self.carried.get(name)) and name not in self.confirmed and self.raw.get(name, "") == self.carried[name]

    @property
    def grey(self) -> list[str]:
        """Return the names of unconfirmed values."""
        return [name for name in self.carried if self.is_grey(name)]


def text_of(value: Any) -> str:
    """Return an answer as somebody would type it.

    >>> text_of(("2", "5")), text_of(65.0), text_of(date(2026, 11, 21)), text_of(True)
    ('2,5', '65', '2026-11-21', '1')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "2"
    if isinstance(value, tuple | list):
        return ",".join(str(one) for one in value)
    if isinstance(value, float):
        return f"{value:g}"
    return value.isoformat() if isinstance(value, date) else str(value)


def raw_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Return answers as a form would send them: groups as `drugs.0.drug_name`."""
    raw: dict[str, str] = {}
    for link_id, value in values.items():
        if isinstance(value, tuple | list) and value and isinstance(value[0], Mapping):
            raw |= {f"{link_id}.{number}.{inner}": text_of(one) for number, row in enumerate(value) for inner, one in row.items()}
        else:
            raw[link_id] = text_of(value)
    return raw


def answers_of(form: Form, response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers of a stored QuestionnaireResponse; questions the form does not have are left out."""
    return _answered(form.items, response.get("item") or ())


def _answered(items: Sequence[Item], given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    known = {item.link_id: item for item in items}
    found: dict[str, Any] = {}
    for one in given:
        item = known.get(str(one.get("linkId")))
        if item is None:
            continue
        if item.type == "group":
            found[item.link_id] = (*found.get(item.link_id, ()), _answered(item.items, one.get("item") or ()))
            continue
        values = [_value(item, answer) for answer in one.get("answer") or ()]
        if values:
            found[item.link_id] = tuple(values) if item.type == "codes" else values[0]
    return found


def _value(item: Item, answer: Mapping[str, Any]) -> Any:
    if item.type in ("code", "codes"):
        return str(answer.get("valueCoding", {}).get("code", ""))
    if item.type == "date":
        return date.fromisoformat(str(answer.get("valueDate", ""))[:10])
    return next((value for name, value in answer.items() if name.startswith("value")), None)


def sections_of(form: Form, typed: Typed, problems: Sequence[Problem], language: str) -> list[Section]:
    """Return the form's sections as the screen shows them; only those that hold a question. What is known already stands folded in front."""
    said: dict[str, list[Problem]] = {}
    for problem in problems:
        said.setdefault(problem.link_id, []).append(problem)
    view = _View(typed, said, language)
    known = [
        item.link_id
        for item in form.items
        if item.link_id in typed.held and item.type != "group" and item.computed is None and item.link_id not in said
    ]
    found = [view.known([form.item(link_id) for link_id in known])] if known else []
    for section_id, words in form.sections.items():
        items = [item for item in form.items if item.section == section_id]
        groups = [item for item in items if item.type == "group"]
        plain = [view.field(item, item.link_id) for item in items if item.type != "group" and item.link_id not in known]
        if plain:
            found.append(Section(capital(words.say(language)), plain, icon=_ICONS.get(section_id, "")))
        found += [
            Section(capital(item.words.say(language)), rows=view.rows(item), group=item.link_id, icon="prescription2") for item in groups
        ]
    return found


@dataclass(frozen=True, slots=True)
class _View:
    typed: Typed
    said: Mapping[str, Sequence[Problem]]
    language: str

    def field(self, item: Item, name: str, *, with_words: bool = True) -> Field:
        """Return one question; name: as the form sends it."""
        wrong = (
            [problem.words.say(self.language) for problem in self.said.get(item.link_id, ()) if problem.kind != "unusual"]
            if with_words
            else []
        )
        odd = (
            [problem.words.say(self.language) for problem in self.said.get(item.link_id, ()) if problem.kind == "unusual"]
            if with_words
            else []
        )
        value, computed = self.typed.raw.get(name, ""), self.typed.computed.get(name, "")
        return Field(
            link_id=item.link_id,
            label=capital(item.words.say(self.language)),
            kind="code" if item.type == "boolean" else item.type if item.type in ("code", "codes", "number", "date") else "text",
            value=value,
            unit=item.unit,
            hint=item.hint.say(self.language),
            choices=choices_of(item, self.language),
            origin=self._origin(item, name, value, computed),
            computed=computed,
            reason=self.typed.raw.get(item.override_link_id, ""),
            earlier=self.typed.earlier.get(name, ()),
            pair=item.pair,
            required=_is_always_required(item),
            width=_width(item),
            error=listed(map(capital, wrong), self.language),
            warning=listed(map(capital, odd), self.language),
        )

    def known(self, items: Sequence[Item]) -> Section:
        """Return the part that holds what is answered already."""
        fields = [self.field(item, item.link_id) for item in items]
        comma = ", " if self.language == "en" else "、"
        said = [comma.join(choice.label for choice in one.choices if choice.code in one.codes) or one.value for one in fields]
        return Section("", fields, known=[f"{one.label} {words}" for one, words in zip(fields, said, strict=True)])

    def _origin(self, item: Item, name: str, value: str, computed: str) -> str:
        if item.computed is not None:
            return "overruled" if value and value != computed else "computed"
        return "carried" if self.typed.is_grey(name) else ""

    def rows(self, item: Item) -> list[list[Field]]:
        """Return the lines of a repeating group, with room for more."""
        taken = [
            int(name.split(".")[1])
            for name, value in self.typed.raw.items()
            if name.startswith(f"{item.link_id}.") and value and name.split(".")[1].isdigit()
        ]
        lines = max([_ROWS_SHOWN - 1, *taken]) + 2 if taken and max(taken) >= _ROWS_SHOWN - 1 else _ROWS_SHOWN
        return [
            [self.field(inner, f"{item.link_id}.{number}.{inner.link_id}", with_words=number == 0) for inner in item.items]
            for number in range(lines)
        ]


def choices_of(item: Item, language: str) -> list[Choice]:
    """Return the answers of a coded question with their digits; those of a yes-or-no question are 1 and 2."""
    if item.type == "boolean":
        return [Choice("1", "yes" if language == "en" else "是"), Choice("2", "no" if language == "en" else "否")]
    return [Choice(choice.code, choice.words.say(language)) for choice in item.choices]


def _is_always_required(item: Item) -> bool:
    """Return whether a question must be answered whatever else is."""
    return item.required is not None and reference(item.required, Question({}, date.min, {})) is True


def _width(item: Item) -> str:
    if item.type in ("code", "codes"):
        letters = sum(len(choice.words.zh) + 3 for choice in item.choices)
        return "full" if letters > 40 else "half" if letters > 14 else ""
    return "half" if item.type == "text" else ""
