"""Why a definition says what it says of one person, in Chinese and English, with the rows that decide and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from xinglin.definitions import Definition, Node, Question, Words, combine, nodes
from xinglin.definitions.words import say, shown
from xinglin.engines.rules.closures import Closures, Frame


@dataclass(frozen=True)
class Sentence:
    """One reason. is_met: True, False, or None where it is not known. rids: the rows it rests on."""

    words: Words
    is_met: bool | None
    rids: tuple[int, ...]


@dataclass(frozen=True)
class Explanation:
    """The answer for one person.

    verdict: in a sentence. sentences: the reasons. changes: what would change the answer, in order. evidence: rids of the rows that count.
    values: every output, by name.
    """

    definition: str
    words: Words
    as_of: date
    verdict: Words
    sentences: tuple[Sentence, ...]
    changes: tuple[Words, ...]
    evidence: tuple[int, ...]
    values: dict[str, Any]


def explain(definition: Definition, question: Question, closures: Closures | None = None) -> Explanation:
    """Return why the definition says what it says of the person whose rows are given."""
    closures = closures or Closures()
    frame = Frame(question)
    values = closures.evaluate(definition.outputs, frame)
    teller = _Teller(closures, frame)
    deciding = _deciding(definition)
    sentences = tuple(teller.sentence(node) for node in deciding)
    evidence = sorted({rid for name, rids in values.items() if name.startswith("evidence_") for rid in rids})
    return Explanation(
        definition=definition.id,
        words=definition.words,
        as_of=question.as_of,
        verdict=_verdict(definition, values),
        sentences=sentences,
        changes=tuple(_changes(definition, values, teller, sentences)),
        evidence=tuple(evidence),
        values=values,
    )


def _deciding(definition: Definition) -> list[Node]:
    """Return the conditions that decide: who is counted, then what is asked of them."""
    if definition.kind == "measure":
        asked = [definition.outputs["population"], definition.outputs["numerator"]]
        return [part for output in asked for part in _conjuncts(_condition(output))]
    if "applies" in definition.outputs:
        return list(_conjuncts(_condition(definition.outputs["applies"])))
    return list(_conjuncts(definition.outputs["value"])) if definition.outputs["value"].kind == "bool" else []


def _condition(output: Node) -> Node:
    """Return the author's condition inside the case the builder put around it."""
    if not isinstance(output, combine.Case):
        return output
    condition, value = output.branches[0]
    if isinstance(value, combine.FirstPresent):
        return value.items[0]
    return (
        condition.items[-1]
        if isinstance(condition, nodes.And) and isinstance(value, nodes.Literal) and len(condition.items) == 2
        else condition
    )


def _conjuncts(node: Node) -> Iterator[Node]:
    inner = node.item if isinstance(node, combine.Named) and isinstance(node.item, nodes.And) else node
    if isinstance(inner, nodes.And):
        for item in inner.items:
            yield from _conjuncts(item)
    else:
        yield node


class _Teller:
    def __init__(self, closures: Closures, frame: Frame) -> None:
        self._closures = closures
        self._frame = frame

    def value(self, node: Node) -> Any:
        return self._closures.rule(node)(self._frame, None)

    def sentence(self, node: Node) -> Sentence:
        answer = self.value(node)
        is_met = answer if isinstance(answer, bool) or answer is None else bool(answer)
        # "has died: no" reads better than "not (has died): yes"
        told, value = (node.item, None if answer is None else not answer) if isinstance(node, nodes.Not) else (node, answer)
        zh, en = (self._told(told, value, language) for language in ("zh", "en"))
        rids = {rid for drawn in _drawn(node) for rid in self.value(combine.Rids(drawn.rows))}
        return Sentence(Words(zh, en), is_met, tuple(sorted(rids)))

    def _told(self, node: Node, answer: Any, language: str) -> str:
        details = [f"{part.zh if language == 'zh' else part.en} {shown(self.value(part), language)}" for part in _details(node)]
        text = f"{say(node, language)}{'：' if language == 'zh' else ': '}{shown(answer, language)}"
        if not details:
            return text
        return f"{text}（{'，'.join(details)}）" if language == "zh" else f"{text} ({', '.join(details)})"


def _details(node: Node) -> list[combine.Named]:
    """Return the named single values a condition compares, each once, the condition itself left out."""
    found: dict[str, combine.Named] = {}

    def look(part: Node) -> None:
        if isinstance(part, combine.Named) and part is not node and part.kind != "bool" and part.row_table == "":
            found.setdefault(part.key, part)
            return
        if not isinstance(part, combine.Drawn | combine.Rows):
            for child in nodes.children(part):
                look(child)

    look(node)
    return list(found.values())


def _drawn(node: Node) -> Iterator[combine.Drawn]:
    if isinstance(node, combine.Drawn):
        yield node
    elif not isinstance(node, combine.Rows):
        for child in nodes.children(node):
            yield from _drawn(child)


def _verdict(definition: Definition, values: dict[str, Any]) -> Words:
    name = definition.title
    if definition.kind == "measure":
        return _counted(definition, values)
    if "applies" in values:
        if not values["applies"]:
            return Words(f"{name.zh}：不适用", f"{name.en}: does not apply")
        due = values["due_by"]
        if due is None:
            return Words(f"{name.zh}：在列", f"{name.en}: listed")
        return Words(f"{name.zh}：应在 {shown(due, 'zh')} 前完成", f"{name.en}: due by {shown(due, 'en')}")
    value = values["value"]
    told = definition.classes.get(str(value), Words(shown(value, "zh"), shown(value, "en")))
    return Words(f"{name.zh}：{told.zh}", f"{name.en}: {told.en}")


def _counted(definition: Definition, values: dict[str, Any]) -> Words:
    name = definition.title
    if not values["population"]:
        return Words(f"{name.zh}：不在统计对象内", f"{name.en}: not in the population")
    if values["reason"] is not None:
        why = next(exclusion.words for exclusion in definition.exclusions if exclusion.reason == values["reason"])
        return Words(f"{name.zh}：剔除（{why.zh}）", f"{name.en}: excluded ({why.en})")
    if not definition.counts_people:
        made, owed = values["numerator"], values["denominator"]
        return Words(f"{name.zh}：{shown(made, 'zh')} / {shown(owed, 'zh')}", f"{name.en}: {shown(made, 'en')} of {shown(owed, 'en')}")
    is_in = values["numerator"] > 0
    return Words(f"{name.zh}：{'达到' if is_in else '未达到'}", f"{name.en}: {'met' if is_in else 'not met'}")


def _changes(definition: Definition, values: dict[str, Any], teller: _Teller, sentences: tuple[Sentence, ...]) -> Iterator[Words]:
    if definition.kind == "measure":
        is_open = values["denominator"] > values["numerator"]
    else:
        is_open = bool(values.get("applies"))
    if not is_open:
        return
    told = False
    for advice in definition.advice:
        if teller.value(advice.when) is True:
            told = True
            found = {name: teller.value(node) for name, node in advice.values.items()}
            yield Words(*(_filled(advice.words.say(language), found, language) for language in ("zh", "en")))
    if not told and definition.kind == "measure":
        for sentence in sentences:
            if sentence.is_met is not True:
                yield Words(f"需要：{sentence.words.zh}", f"needed: {sentence.words.en}")


def _filled(text: str, values: dict[str, Any], language: str) -> str:
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", shown(value, language))
    return text
