"""What a loaded definition is: names, source and clause, and a node for each thing it computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from xinglin.definitions.lake_columns import Kind
from xinglin.definitions.nodes import Node
from xinglin.definitions.tokens import Place


@dataclass(frozen=True)
class Words:
    """The same words in Chinese and English."""

    zh: str
    en: str

    def say(self, language: str) -> str:
        """Return the words in `zh` or `en`."""
        return self.en if language.startswith("en") else self.zh


@dataclass(frozen=True)
class Exclusion:
    """A reason for which a person leaves the denominator by rule, counted beside the number."""

    reason: str
    words: Words
    when: Node


@dataclass(frozen=True)
class Advice:
    """What would change the answer, said when `when` is true; {name} in the words is replaced by the value of that name."""

    words: Words
    when: Node
    values: Mapping[str, Node]


@dataclass(frozen=True)
class Definition:
    """A definition in force: what it is called, where it is written, and the nodes it computes.

    kind: calculator, classification, measure, programme or worklist (terms only lend their names).
    variant: name of the variant, "" for a definition without.  base: the id without the variant.
    outputs: name → node. A measure has population, reason (code or missing), denominator, numerator, unknown (numbers, 0 or 1 where
    people are counted), responsible; a programme or worklist has applies, due_from, due_by, lost_after and state_<name>; a calculator
    or classification has value. evidence_<n> holds rids.
    hash: digest of the nodes and of what decides their reading; equal hash, equal results.
    """

    id: str
    base: str
    kind: str
    words: Words
    source: str
    clause: str
    status: str
    verified: bool
    place: Place
    outputs: Mapping[str, Node]
    hash: str
    variant: str = ""
    variant_words: Words = Words("", "")
    note: Words = Words("", "")
    effective_from: date = date(1949, 10, 1)
    effective_to: date | None = None
    inputs: Mapping[str, Kind] = field(default_factory=dict)
    classes: Mapping[str, Words] = field(default_factory=dict)
    exclusions: tuple[Exclusion, ...] = ()
    advice: tuple[Advice, ...] = ()
    unit: str = "people"
    figure: str = ""
    page: str = ""

    @property
    def title(self) -> Words:
        """Return the name with the variant's words."""
        if not self.variant:
            return self.words
        return Words(f"{self.words.zh}（{self.variant_words.zh}）", f"{self.words.en} ({self.variant_words.en})")

    @property
    def counts_people(self) -> bool:
        """Return whether numerator and denominator are people (then the share has an interval)."""
        return self.unit == "people"

    @property
    def evidence(self) -> tuple[Node, ...]:
        """Return the nodes whose rids are the evidence."""
        return tuple(node for name, node in self.outputs.items() if name.startswith("evidence_"))

    @property
    def nodes(self) -> tuple[Node, ...]:
        """Return every node that is asked of a person: the outputs, and those of the advice."""
        return (*self.outputs.values(), *(node for one in self.advice for node in (one.when, *one.values.values())))

    @property
    def state(self) -> Mapping[str, Node]:
        """Return the named values a programme keeps beside its dates."""
        return {name.removeprefix("state_"): node for name, node in self.outputs.items() if name.startswith("state_")}
