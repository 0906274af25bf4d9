"""One definition, four readings: SQL for everyone, closures for one person and the plain reference give the same answer."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import xinglin.modules.chronic_disease
from tests.generative.made_people import TODAY, connect, make_people, read_alone
from xinglin.definitions import Definition, Question, load, reference
from xinglin.engines.rules import Closures, Frame, compile_sql, explain

FOLDER = Path(xinglin.modules.chronic_disease.__file__).parent / "definitions"
CATALOGUE = load([FOLDER])
SHIPPED = [item.id for item in CATALOGUE.edition(TODAY).of_kind("measure", "programme", "worklist")]
CLOSURES = Closures()


@cache
def sql_of(definition_id: str) -> str:
    return compile_sql(CATALOGUE.edition(TODAY).get(definition_id).outputs)


def plain(value: Any) -> Any:
    """Make arrays, whole floats and tuples comparable."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    return value


def by_sql(definition: Definition, connection: Any, as_of: date) -> dict[int, dict[str, Any]]:
    table = connection.sql(sql_of(definition.id), params={"as_of": as_of}).to_arrow_table()
    return {row.pop("person"): {name: plain(value) for name, value in row.items()} for row in table.to_pylist()}


def check(name: str, people: Any, connection: Any, as_of: date) -> None:
    definition = CATALOGUE.edition(TODAY).get(name)
    found = by_sql(definition, connection, as_of)
    assert found.keys() == people.keys()
    for person, rows in people.items():
        question = Question(rows, as_of)
        meant = {output: plain(reference(node, question)) for output, node in definition.outputs.items()}
        quick = {output: plain(value) for output, value in CLOSURES.evaluate(definition.outputs, Frame(question)).items()}
        assert quick == meant, name
        alone = Frame(Question(read_alone(rows, CATALOGUE.reads), as_of))
        assert {output: plain(value) for output, value in CLOSURES.evaluate(definition.outputs, alone).items()} == meant, name
        assert found[person] == meant, name


@pytest.mark.parametrize("share", range(3))
@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32), as_of=st.sampled_from([TODAY, date(2026, 1, 1), date(2025, 12, 31), date(2026, 3, 31)]))
def test_the_readings_of_every_definition_agree(share: int, seed: int, as_of: date) -> None:
    people = make_people(seed, 40)
    connection = connect(people)
    for name in SHIPPED[share::3]:
        check(name, people, connection, as_of)


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_the_explanation_tells_the_answer_of_the_reference(seed: int) -> None:
    for rows in make_people(seed, 8).values():
        for name in SHIPPED:
            definition = CATALOGUE.edition(TODAY).get(name)
            question = Question(rows, TODAY)
            told = explain(definition, question, CLOSURES)
            meant = {output: plain(reference(node, question)) for output, node in definition.outputs.items()}
            assert {output: plain(value) for output, value in told.values.items()} == meant
            assert set(told.evidence) == {rid for output, rids in meant.items() if output.startswith("evidence_") for rid in rids}
            if definition.kind == "measure":
                assert bool(told.changes) == (meant["denominator"] > meant["numerator"])
            assert "{" not in "".join(words.zh + words.en for words in told.changes)


def test_the_made_people_reach_whatever_a_definition_can_say() -> None:
    """What nobody made ever reaches is proved of nothing: every class, exclusion and piece of advice, and both answers of who is meant."""
    frames = [Frame(Question(rows, TODAY)) for seed in range(12) for rows in make_people(seed, 100).values()]
    unreached = []
    for name in SHIPPED:
        definition = CATALOGUE.edition(TODAY).get(name)
        reached = {output: {CLOSURES.rule(node)(frame, None) for frame in frames} for output, node in definition.outputs.items()}
        wanted = {"reason": {exclusion.reason for exclusion in definition.exclusions}, "state_why": set(definition.classes)}
        wanted |= {output: {0, 1} for output in ("population", "applies") if output in reached}
        unreached += [(name, output, one) for output, some in wanted.items() for one in some - reached.get(output, set())]
        unreached += [
            (name, advice.words.en) for advice in definition.advice if not any(CLOSURES.rule(advice.when)(frame, None) for frame in frames)
        ]
    assert unreached == []
