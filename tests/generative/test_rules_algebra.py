"""Every node of the algebra, by itself, means the same in SQL, in closures and in the reference."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.generative.made_people import TODAY, connect, make_people
from xinglin.definitions import Question, combine, nodes, reference
from xinglin.definitions.language_page import node_kinds
from xinglin.definitions.nodes import Node, walk
from xinglin.definitions.parser import parse
from xinglin.definitions.tokens import Place
from xinglin.engines.rules import Closures, Frame, compile_sql


class Names:
    """One code set, no other names."""

    def value(self, name: str) -> Node | None:
        named = {"pressures": "blood_pressure where status = 'final'", "newest": "max(encounter, start_date)"}
        if name not in named:
            return None
        node = parse(named[name], self, Place("names"))
        kind = combine.NamedRows if isinstance(node, combine.Rows) else combine.Named
        return kind(name, name, name, node)

    def codes(self, name: str) -> None:
        return None

    def code_set(self, name: str) -> tuple[str, ...] | None:
        return ("I10", "I11", "E11") if name == "chronic" else None

    def equivalents(self, name: str) -> dict[str, tuple[str, ...]]:
        return {}

    def function(self, name: str, arguments: Any) -> None:
        return None

    def known(self) -> tuple[str, ...]:
        return ()


EXPRESSIONS = """
exists(encounter where way in ['1', '2'] and status != 'entered-in-error')
count(pressures where systolic_mmhg >= 140 or diastolic_mmhg >= 90)
count(pressures where not (systolic_mmhg < 140 and diastolic_mmhg < 90))
count(pressures where systolic_mmhg is missing or taken_on is not missing)
count(pressures where systolic_mmhg between 118 and 150)
count(encounter where start_date within as_of - 1 year .. as_of)
count(encounter where newest between start_date and end_date)
count_distinct(encounter, quarter_of(start_date))
count_distinct(condition where code in chronic, code)
count_distinct(pressures, coalesce(systolic_mmhg, diastolic_mmhg, 0))
latest(pressures).systolic_mmhg
earliest(pressures).diastolic_mmhg
latest(pressures).encounter.kind
latest(blood_pressure where encounter.status = 'finished').taken_on
earliest(answer).code
latest(measurement where code = '14771-0').value
min(episode, start_date)
max(encounter, coalesce(end_date, start_date + 14 days))
max(pressures, systolic_mmhg - diastolic_mmhg)
min(pressures, systolic_mmhg / (diastolic_mmhg - 90))
consecutive(pressures, 2, systolic_mmhg >= 140)
consecutive(pressures, 1, diastolic_mmhg < 90)
rids(last(pressures, 2))
rids(first(encounter, 2))
rids(last(answer, 3))
rids(encounter where start_date = newest)
count(last(last(pressures, 3), 2) where systolic_mmhg >= 140)
age_at(latest(patient).birth_date, as_of)
count(encounter where age_at(latest(patient).birth_date, start_date) >= 65)
days_between(min(encounter, start_date), newest)
year_of(newest) * 12 + month_of(newest) - 1
start_of_year(newest)
end_of_year(newest)
start_of_quarter(newest)
end_of_quarter(newest)
start_of_month(newest)
end_of_month(newest)
newest + 1 month
newest - 14 months
newest + count(encounter) days
newest - (count(encounter) / 2) days
9990-01-01 + count(encounter) * 1000 months
round(max(pressures, systolic_mmhg) / 7, 1)
floor(max(pressures, systolic_mmhg) / 7)
least(max(pressures, systolic_mmhg), min(measurement, value), 140)
greatest(newest, min(episode, start_date))
if count(encounter) > 3 then 'many' elif count(encounter) > 1 then 'some' else missing end
if newest > as_of - 30 days then newest else as_of end
coalesce(newest <= as_of, exists(episode), false)
not exists(episode) or newest = as_of
not (newest = min(episode, start_date)) and exists(condition where code in chronic)
latest(patient).sex in ['1', '2'] and latest(patient).sex not in ['2']
count(encounter where episode.programme = 'hypertension' and episode.start_date <= start_date)
missing > 1
true and (newest > as_of or true)
count(encounter where exists(pressures) and start_date > min(pressures, taken_on))
-1 + count(task) - 2.5
""".strip().splitlines()


def built() -> dict[str, Node]:
    return {f"o{number}": parse(text, Names(), Place("algebra", number)) for number, text in enumerate(EXPRESSIONS)}


NODES = built()
SQL = compile_sql(NODES)
CLOSURES = Closures()


def plain(value: Any) -> Any:
    return tuple(plain(item) for item in value) if isinstance(value, list | tuple) else value


def test_the_expressions_use_every_kind_of_node() -> None:
    used = {type(part) for node in NODES.values() for part in walk(node)}
    every = set(node_kinds()) - {nodes.Input}
    assert every - used == set()
    assert len(every) >= 30


@settings(max_examples=8, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32), as_of=st.sampled_from([TODAY, date(2024, 2, 29), date(2025, 12, 31)]))
def test_each_node_means_the_same_in_every_reading(seed: int, as_of: date) -> None:
    people = make_people(seed, 60)
    found = connect(people).sql(SQL, params={"as_of": as_of}).to_arrow_table().to_pylist()
    assert len(found) == len(people)
    for row in found:
        question = Question(people[row["person"]], as_of)
        quick = CLOSURES.evaluate(NODES, Frame(question))
        for number, (name, node) in enumerate(NODES.items()):
            meant = plain(reference(node, question))
            assert plain(quick[name]) == meant, EXPRESSIONS[number]
            assert plain(row[name]) == meant, EXPRESSIONS[number]
