"""The expression language refuses what means nothing, and says where and what to write instead."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from xinglin.base.errors import DefinitionError
from xinglin.definitions import Kind, Question, nodes, reference
from xinglin.definitions.parser import parse
from xinglin.definitions.tokens import Place

TODAY = date(2026, 11, 21)


class NoNames:
    """No lets, parameters or calculators; one code set."""

    def value(self, name: str) -> None:
        return None

    def codes(self, name: str) -> None:
        return None

    def code_set(self, name: str) -> tuple[str, ...] | None:
        return ("I10", "I11") if name == "high_pressure" else None

    def equivalents(self, name: str) -> dict[str, tuple[str, ...]]:
        return {}

    def function(self, name: str, arguments: Any) -> None:
        return None

    def known(self) -> tuple[str, ...]:
        return ()


def told(text: str) -> nodes.Node:
    return parse(text, NoNames(), Place("rules.toml", 41, "numerator"))


def answer(text: str, **rows: list[dict[str, Any]]) -> Any:
    return reference(told(text), Question(rows, TODAY))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3 = 9", True),
        ("1 / 0 is missing", True),
        ("missing = 1 or true", True),
        ("not (missing = 1)", None),
        ("2024-02-29 + 1 year", date(2025, 2, 28)),
        ("2026-11-30 + 3 months", date(2027, 2, 28)),
        ("as_of - 21 days", date(2026, 10, 31)),
        ("age_at(1961-11-22, as_of)", 64),
        ("age_at(1961-11-21, as_of)", 65),
        ("quarter_of(as_of)", 4),
        ("start_of_quarter(as_of)", date(2026, 10, 1)),
        ("end_of_month(2024-02-01)", date(2024, 2, 29)),
        ("round(62.5 / (1.6 * 1.6), 1)", 24.4),
        ("if missing then 'a' elif true then 'b' else 'c' end", "b"),
        ("3 between 1 and 3 and not 4 between 1 and 3", True),
        ("coalesce(missing, 2)", 2),
        ("least(3, missing, 2)", 2),
        ("9999-12-31 + 1 day is missing", True),
    ],
)
def test_an_expression_means_what_it_says(text: str, value: object) -> None:
    assert answer(text) == value


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("exists(encounter where kid = 'x')", "rules.toml:41:24", "kind"),
        ("exists(encounter where kind = 1)", "rules.toml:41:29", "one kind"),
        ("count(encounter", "rules.toml:41:16", "write )"),
        ("latest(encounter).systolic", "rules.toml:41:19", "write one of"),
        ("1 < 'a'", "rules.toml:41:3", "one kind"),
        ("exists(encounter) < exists(patient)", "rules.toml:41:19", "cannot be compared"),
        ("'x' in no_such_set", "rules.toml:41:8", "code set"),
        ("a §", "rules.toml:41:3", "single quotes"),
        ("true and\n  2026-02-30 = as_of", "rules.toml:42:3", "2026-01-31"),
        ("nothing_like_it(1)", "rules.toml:41:1", "no function"),
        ("1 2", "rules.toml:41:3", "should end"),
        ("exists(blood_pressure where systolic_mmhg.kind = 'x')", "rules.toml:41:29", "does not lead"),
    ],
)
def test_a_wrong_expression_is_refused_with_place_and_hint(text: str, place: str, hint: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        told(text)
    assert refusal.value.where == place
    assert hint in refusal.value.en
    assert refusal.value.zh


def test_columns_of_two_tables_cannot_stand_in_one_row() -> None:
    with pytest.raises(DefinitionError, match="apart"):
        nodes.And((nodes.IsMissing(nodes.Column("encounter", "way")), nodes.IsMissing(nodes.Column("episode", "status"))))


def test_the_latest_of_one_day_is_by_time_then_seq_then_rid() -> None:
    rows = [
        {"rid": 9, "seq": 1, "taken_on": TODAY, "taken_at": None, "systolic_mmhg": 100},
        {"rid": 3, "seq": 7, "taken_on": TODAY, "taken_at": 10, "systolic_mmhg": 120},
        {"rid": 4, "seq": 7, "taken_on": TODAY, "taken_at": 10, "systolic_mmhg": 130},
        {"rid": 5, "seq": 9, "taken_on": None, "taken_at": 99, "systolic_mmhg": 999},
    ]
    assert answer("latest(blood_pressure).systolic_mmhg", blood_pressure=rows) == 130
    assert answer("earliest(blood_pressure).systolic_mmhg", blood_pressure=rows) == 100
    assert answer("rids(last(blood_pressure, 2))", blood_pressure=rows) == (3, 4)


def test_a_code_set_holds_the_longer_codes_below_its_own() -> None:
    rows = [{"rid": 1, "seq": 1, "code": "I10.x00x002"}, {"rid": 2, "seq": 1, "code": "E11.900"}, {"rid": 3, "seq": 1, "code": None}]
    assert answer("rids(condition where code in high_pressure)", condition=rows) == (1,)


def test_every_node_knows_its_kind() -> None:
    assert told("count(encounter)").kind is Kind.NUMBER
    assert told("encounter where way = '1'").kind is Kind.ROWS
    assert told("latest(encounter).start_date").kind is Kind.DATE
