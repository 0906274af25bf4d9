"""What people type into a form → answers, with a sentence for each thing that is wrong, missing or unusual."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from xinglin.base.text import to_halfwidth
from xinglin.definitions.forms import Form, Item
from xinglin.definitions.model import Words
from xinglin.definitions.nodes import Value
from xinglin.definitions.reference import Question, reference

_DATE: Final = re.compile(r"^(\d{4})(?:\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(\d{2})(\d{2}))$")
_NUMBER: Final = re.compile(r"^[+-]?\d+(?:\.\d+)?$")
_SEPARATORS: Final = re.compile(r"[,;、/\s]+")
_MOST_LETTERS: Final = 500
_CODED: Final = re.compile(r"^(\d+)[.、\s]*(.*)$")
Answer = Value | tuple[str, ...] | tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Problem:
    """What is the matter with an answer. kind: error (refused), missing (to be completed), unusual (asked again)."""

    link_id: str
    kind: str
    words: Words


@dataclass(frozen=True)
class FormContext:
    """What is known beside the form. today: the district's day. values: by the names of the form's `[context]`."""

    today: date
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Answers:
    """The answers by linkId: a code, a tuple of codes, a number, a day, a text, a truth, or a tuple of groups.

    computed: what the rules make of them. overrides: linkId → why the computed value was overruled. derived: values not stored.
    """

    values: Mapping[str, Any]
    computed: Mapping[str, Any] = field(default_factory=dict)
    overrides: Mapping[str, str] = field(default_factory=dict)
    derived: Mapping[str, Any] = field(default_factory=dict)

    def get(self, link_id: str) -> Any:
        """Return an answer, or None."""
        return self.values.get(link_id)


@dataclass(frozen=True)
class Parsed:
    """The answers as far as they could be read, and the problems. can_save: nothing is refused. is_complete: nothing is missing either."""

    answers: Answers
    problems: tuple[Problem, ...]

    @property
    def can_save(self) -> bool:
        """Return whether it may be stored (perhaps to be completed)."""
        return all(problem.kind != "error" for problem in self.problems)

    @property
    def is_complete(self) -> bool:
        """Return whether it may count."""
        return all(problem.kind == "unusual" for problem in self.problems)


def parse_answers(form: Form, raw: Mapping[str, str | list[str]], context: FormContext) -> Parsed:
    """Return the answers and problems of what was typed.

    raw: linkId → text; a multiple choice as `1,3` or a list; a group as `drugs.0.drug_name`; `override_reason_<linkId>` → why.
    Digits, `1门诊`, `门诊`, full-width digits, `135/85`, `20261121`, `2026-11-21`, `2026年11月21日` are understood. What is computed and not
    typed is filled in; typed otherwise, it needs a reason.
    """
    reader = _Reader(form, raw, context)
    values = reader.read()
    problems = list(reader.problems)
    made, overrides = computed(form, values, context), {}
    for item in form.items:
        if item.link_id not in made:
            continue
        typed = values.get(item.link_id)
        if typed is None:
            values[item.link_id] = made[item.link_id]
        elif typed != made[item.link_id]:
            reason = reader.text(item.override_link_id)
            if reason:
                overrides[item.link_id] = reason
            elif not reader.is_wrong(item.link_id):
                problems.append(_override_problem(item))
    facts = _facts(form, values, context)
    problems += [problem for problem in _missing(form, values, facts, context) if not reader.is_wrong(problem.link_id)]
    problems += [problem for problem in _refused(form, facts, context) if not reader.is_wrong(problem.link_id)]
    derived = {name: reference(node, Question({}, context.today, facts)) for name, node in form.derived.items()}
    return Parsed(Answers(values, made, overrides, derived), tuple(problems))


def carry_over(form: Form, previous: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an earlier form that a new one shows in grey, to be confirmed: never a measurement, symptom or date."""
    return {item.link_id: previous[item.link_id] for item in form.items if item.carry and previous.get(item.link_id) not in (None, "", ())}


def computed(form: Form, values: Mapping[str, Any], context: FormContext) -> dict[str, Any]:
    """Return linkId → what the rules make of the answers, for the items whose inputs are there; later items see earlier ones.

    An answer typed over a computed one is what the next computation sees (a doctor's outcome class decides the next visit).
    """
    found: dict[str, Any] = {}
    for item in form.items:
        if item.computed is None:
            continue
        facts = _facts(form, {**found, **{key: value for key, value in values.items() if value is not None}}, context)
        value = reference(item.computed, Question({}, context.today, facts))
        if value is not None:
            found[item.link_id] = value
    return found


def derived(form: Form, values: Mapping[str, Any], context: FormContext) -> dict[str, Any]:
    """Return the form's derived values (emergency, referral, age on the day...) for answers that are there."""
    facts = _facts(form, values, context)
    return {name: reference(node, Question({}, context.today, facts)) for name, node in form.derived.items()}


def _facts(form: Form, values: Mapping[str, Any], context: FormContext) -> dict[str, Value]:
    facts: dict[str, Value] = dict(context.values)
    for item in form.items:
        value = values.get(item.link_id)
        if item.none_code:
            facts[f"has_{item.link_id}"] = None if not value else any(code != item.none_code for code in value)
        elif item.type not in ("codes", "group"):
            facts[item.link_id] = value
    return facts


def _missing(form: Form, values: Mapping[str, Any], facts: Mapping[str, Value], context: FormContext) -> list[Problem]:
    found = []
    for item in form.items:
        if item.required is None or values.get(item.link_id) not in (None, "", ()):
            continue
        if reference(item.required, Question({}, context.today, facts)) is True:
            words = Words(f"请填写{item.words.zh}", f"fill in {item.words.en}")
            found.append(Problem(item.link_id, "missing", words))
    return found


def _refused(form: Form, facts: Mapping[str, Value], context: FormContext) -> list[Problem]:
    """Return a problem for each check of the form that the answers fail together."""
    question = Question({}, context.today, facts)
    return [Problem(check.link_id, "error", check.words) for check in form.checks if reference(check.when, question) is True]


def _override_problem(item: Item) -> Problem:
    words = Words(
        f"{item.words.zh}与系统计算不同：请写明理由，或留空用计算值",
        f"{item.words.en} differs from what is computed: give the reason, or leave it empty to use the computed value",
    )
    return Problem(item.link_id, "error", words)


class _Reader:
    """Reads what was typed, item by item, and keeps the problems."""

    def __init__(self, form: Form, raw: Mapping[str, str | list[str]], context: FormContext) -> None:
        self._form = form
        self._raw = dict(raw)
        self._context = context
        self.problems: list[Problem] = []

    def is_wrong(self, link_id: str) -> bool:
        return any(problem.link_id == link_id and problem.kind == "error" for problem in self.problems)

    def text(self, link_id: str) -> str:
        typed = self._raw.get(link_id, "")
        joined = ",".join(typed) if isinstance(typed, list) else typed
        return to_halfwidth(joined).strip()

    def read(self) -> dict[str, Any]:
        self._split_pairs()
        found: dict[str, Any] = {}
        for item in self._form.items:
            value = self._group(item) if item.type == "group" else self._value(item, item.link_id)
            if value not in (None, ()):
                found[item.link_id] = value
        return found

    def _split_pairs(self) -> None:
        for item in self._form.items:
            parts = re.split(r"\s*[/-]\s*", self.text(item.link_id)) if item.pair else []
            if len(parts) == 2 and all(_NUMBER.match(part) for part in parts) and not self.text(item.pair):
                self._raw[item.link_id], self._raw[item.pair] = parts

    def _refuse(self, item: Item, zh: str, en: str, kind: str = "error") -> None:
        self.problems.append(Problem(item.link_id, kind, Words(f"{item.words.zh}：{zh}", f"{item.words.en}: {en}")))

    def _value(self, item: Item, key: str) -> Any:
        text = self.text(key)
        if not text:
            return None
        return {
            "date": self._date,
            "code": self._code,
            "codes": self._codes,
            "number": self._number,
            "boolean": self._truth,
            "text": self._words,
        }[item.type](item, text)

    def _group(self, item: Item) -> tuple[dict[str, Any], ...]:
        numbers = sorted(
            {int(key.split(".")[1]) for key in self._raw if key.startswith(f"{item.link_id}.") and key.split(".")[1].isdigit()}
        )
        found = []
        for number in numbers:
            values = {inner.link_id: self._value(inner, f"{item.link_id}.{number}.{inner.link_id}") for inner in item.items}
            present = {name: value for name, value in values.items() if value is not None}
            for inner in item.items:
                if present and inner.required is not None and inner.link_id not in present:
                    self._refuse(inner, f"第 {number + 1} 行请填写", f"fill in row {number + 1}")
            if present:
                found.append(present)
        return tuple(found)

    def _date(self, item: Item, text: str) -> date | None:
        match = _DATE.match(text)
        try:
            if match is None:
                raise ValueError(text)
            year, month, day = match.group(1), match.group(2) or match.group(4), match.group(3) or match.group(5)
            found = date(int(year), int(month), int(day))
        except ValueError:
            self._refuse(item, "没有这一天，写 20261121 或 2026-11-21", "there is no such day; write 20261121 or 2026-11-21")
            return None
        if item.not_after == "today" and found > self._context.today:
            self._refuse(item, "不能晚于今天", "must not be later than today")
            return None
        born = self._context.values.get("birth_date")
        if isinstance(born, date) and item.link_id != "birth_date" and found < born:
            self._refuse(item, "不能早于出生日期", "must not be before the birth date")
            return None
        return found

    def _code(self, item: Item, text: str) -> str | None:
        match = _CODED.match(text)
        choice = item.choice(match.group(1)) if match else None
        if choice is not None and match is not None and match.group(2) not in ("", choice.words.zh, choice.words.en):
            choice = None
        if choice is None:
            choice = next((known for known in item.choices if text in (known.words.zh, known.words.en)), None)
        if choice is None:
            zh = "，".join(f"{known.code}{known.words.zh}" for known in item.choices)
            en = ", ".join(f"{known.code} {known.words.en}" for known in item.choices)
            self._refuse(item, f"请选 {zh}", f"choose {en}")
            return None
        return choice.code

    def _codes(self, item: Item, text: str) -> tuple[str, ...] | None:
        found = [self._code(item, part) for part in _SEPARATORS.split(text) if part]
        if None in found:
            return None
        codes = tuple(dict.fromkeys(code for code in found if code is not None))
        if item.none_code in codes and len(codes) > 1:
            none = item.choice(item.none_code)
            name = none.words if none else Words("", "")
            self._refuse(item, f"“{name.zh}”不能与其他选项同选", f"'{name.en}' cannot stand beside another choice")
            return None
        return codes

    def _number(self, item: Item, text: str) -> float | int | None:
        text = text.removesuffix(to_halfwidth(item.unit)).strip()
        if not _NUMBER.match(text):
            self._refuse(item, "请写数字", "write a number")
            return None
        number = float(text)
        if (item.least is not None and number < item.least) or (item.most is not None and number > item.most):
            told = f"{_limit(item.least)}–{_limit(item.most)} {item.unit}".strip()
            self._refuse(item, f"请写 {told} 之间的数", f"write a number from {told}")
            return None
        if "." in text and len(text.split(".")[1].rstrip("0")) > item.decimals:
            self._refuse(item, f"最多 {item.decimals} 位小数", f"at most {item.decimals} decimals")
            return None
        if (item.usual_least is not None and number < item.usual_least) or (item.usual_most is not None and number > item.usual_most):
            told = f"{_limit(item.usual_least)}–{_limit(item.usual_most)} {item.unit}".strip()
            self._refuse(item, f"少见（通常 {told}），请核对", f"unusual (usually {told}); check it", "unusual")
        return int(number) if number.is_integer() else number

    def _words(self, item: Item, text: str) -> str | None:
        if len(text) > _MOST_LETTERS:
            self._refuse(item, f"请不超过 {_MOST_LETTERS} 个字", f"write at most {_MOST_LETTERS} letters")
            return None
        return text

    def _truth(self, item: Item, text: str) -> bool | None:
        if text in ("1", "是", "有", "true", "on", "yes", "√"):
            return True
        if text in ("0", "2", "否", "无", "false", "no"):
            return False
        self._refuse(item, "写 是 或 否", "write yes or no")
        return None


def _limit(value: float | None) -> str:
    if value is None:
        return "…"
    return str(int(value)) if float(value).is_integer() else str(value)
