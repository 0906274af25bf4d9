"""What an indicator is to reach, by which path, and where it stands on the day of a value."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from xinglin.modules.plan.living import Target, path_of, standing, target_of, value_on_path, yearly


def row(**more: Any) -> dict[str, Any]:
    """Return a row as read: 60 % in 2020, at least 75 % in 2025."""
    return {
        "name": "规范管理率",
        "unit": "%",
        "base_year": 2020,
        "base_value": 60.0,
        "target_year": 2025,
        "target_op": ">=",
        "target_value": 75.0,
        "others": [],
        **more,
    }


def test_the_path_is_a_straight_line_between_base_and_target() -> None:
    path = path_of(row(), {})
    assert [(year, round(value, 6)) for year, value, _ in yearly(path)] == [
        (2020, 60),
        (2021, 63),
        (2022, 66),
        (2023, 69),
        (2024, 72),
        (2025, 75),
    ]
    assert value_on_path(path, 2030.0) == 75.0


def test_a_printed_year_bends_the_path_and_the_district_can_change_it() -> None:
    printed = row(
        others=[
            {"year": 2023, "scope": None, "value": 72.0, "high": None, "op": ">="},
            {"year": 2025, "scope": "全市", "value": 80.0, "high": None, "op": ">="},
        ]
    )
    assert {year: value for year, value, _ in yearly(path_of(printed, {}))}[2023] == 72.0
    changed = path_of(printed, {2023: 70.0, 2022: 61.0})
    assert [(year, value, origin) for year, value, origin in yearly(changed) if origin == "set"] == [
        (2022, 61.0, "set"),
        (2023, 70.0, "set"),
    ]
    assert target_of(printed) == Target(2025, ">=", 75.0)


def test_without_a_base_the_first_known_value_begins_the_path() -> None:
    bare = row(base_year=None, base_value=None)
    assert len(path_of(bare, {})) == 1
    assert path_of(bare, {}, (2022.0, 64.0))[0].value == 64.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"target_op": "rise", "target_value": 5.0}, Target(2025, ">=", 65.0, relative=True)),
        ({"target_op": "rise", "target_value": None}, None),
        ({"target_op": "grow", "target_value": 10.0}, Target(2025, ">=", 66.0, relative=True)),
        ({"target_op": "grow", "target_value": 10.0, "printed": "年均增长10%"}, Target(2025, ">=", 60.0 * 1.1**5, relative=True)),
        ({"target_op": "=", "target_value": 50.0}, Target(2025, "<=", 50.0)),
        ({"target_op": None, "target_value": 70.0}, Target(2025, ">=", 70.0)),
        ({"target_op": "range", "target_value": 2.0, "target_high": 3.0}, Target(2025, "range", 2.0, 3.0)),
        ({"target_value": None}, None),
        ({"target_year": None}, None),
    ],
)
def test_each_kind_of_target_becomes_a_number_or_none(changes: dict[str, Any], expected: Target | None) -> None:
    found = target_of(row(**changes))
    if expected is None or found is None:
        assert found is expected
        return
    assert found.value == pytest.approx(expected.value)
    assert (found.op, found.high, found.relative) == (expected.op, expected.high, expected.relative)


@pytest.mark.parametrize(
    ("value", "day", "state"),
    [
        (75.0, date(2021, 6, 1), "reached"),
        (69.0, date(2023, 12, 31), "on_track"),
        (68.9, date(2023, 12, 31), "behind"),
        (None, date(2023, 12, 31), "no_value"),
    ],
)
def test_a_value_is_judged_against_the_path_of_its_own_day(value: float | None, day: date, state: str) -> None:
    assert standing(target_of(row()), path_of(row(), {}), value, day, "%").state == state


def test_less_is_better_turns_the_judgement_round() -> None:
    deaths = row(unit="‰", base_value=4.0, target_op="<=", target_value=3.0)
    path = path_of(deaths, {})
    assert standing(target_of(deaths), path, 3.4, date(2023, 12, 31), "‰").state == "on_track"
    assert standing(target_of(deaths), path, 3.5, date(2023, 12, 31), "‰").state == "behind"
    assert standing(target_of(deaths), path, 2.9, date(2023, 12, 31), "‰").state == "reached"
    assert Target(2025, "range", 2.0, 3.0).shortfall(3.5) == 0.5


def test_a_document_without_a_number_is_never_judged() -> None:
    found = standing(None, [], 70.0, date(2024, 1, 1), "%")
    assert found.state == "no_value"
    assert "没有给出" in found.why.zh
