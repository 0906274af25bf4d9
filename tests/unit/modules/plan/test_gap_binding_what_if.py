"""The gap in people, the ranking, what a name may be bound to, and what supposing leads to."""

from __future__ import annotations

from datetime import date

import pytest

from xinglin.assembly import definition_folders
from xinglin.definitions import load
from xinglin.modules.plan.living import (
    COMPUTED,
    Counted,
    Material,
    Observed,
    Offered,
    Said,
    Target,
    Work,
    at_pace,
    difference_words,
    gap_words,
    is_counted,
    known_measure,
    pace_points,
    people_missing,
    proposals,
    ranking,
    scale_of,
    side_by_side,
    view_of,
    with_workers,
    workers_needed,
)

NOTHING = Said("", "")
SHELF = [
    Offered("hypertension-control-rate", "hypertension-control-rate", Said("管理人群血压控制率", "BP control rate"), NOTHING, "people"),
    Offered(
        "diabetes2-glucose-control-rate",
        "diabetes2-glucose-control-rate",
        Said("管理人群血糖控制率", "glucose control rate"),
        NOTHING,
        "people",
    ),
    Offered(
        "elderly-health-management-rate",
        "elderly-health-management-rate",
        Said("65岁及以上老年人健康管理率", "65 and over"),
        NOTHING,
        "people",
    ),
    Offered("hypertension-managed", "hypertension-managed", Said("高血压在管人数", "managed"), NOTHING, "count"),
]


def test_the_gap_is_whole_people_and_said_in_the_measures_own_words() -> None:
    target = Target(2025, ">=", 75.0)
    missing = people_missing(target, Counted(4868, 8240))
    assert missing == 1312
    assert gap_words(missing, target, known_measure("elderly-health-management-rate")) == Said(
        "还需多体检 1,312 位 65 岁以上居民", "1,312 more residents of 65+ examined"
    )
    assert gap_words(missing, target, None).zh.startswith("按今天的分母")
    assert people_missing(Target(2025, ">", 75.0), Counted(75, 100)) == 1
    assert people_missing(Target(2025, "<=", 10.0), Counted(13, 100)) == 3
    assert people_missing(target, Counted(0, 0)) is None


def test_places_are_ranked_best_first_and_ties_share_a_rank() -> None:
    found = ranking([Counted(50, 100, 1), Counted(80, 100, 2), Counted(40, 80, 3), Counted(0, 0, 4)], Target(2025, ">=", 75.0))
    assert [(one.counted.group, one.rank, one.people, one.is_met) for one in found] == [
        (2, 1, 0, True),
        (1, 2, 25, False),
        (3, 2, 20, False),
    ]


def test_a_name_without_a_population_lists_every_candidate_with_its_difference() -> None:
    found = proposals({"name": "控制率", "unit": "%"}, SHELF)
    assert [one.measure for one in found] == ["hypertension-control-rate", "diabetes2-glucose-control-rate"]
    assert not any(one.fits for one in found)
    assert len({one.difference.zh for one in found}) == 2
    told = difference_words("控制率", found)
    assert "没有写明数谁" in told.zh and "血压达标" in told.zh and "血糖达标" in told.zh
    assert difference_words("管理人群高血压控制率", proposals({"name": "管理人群高血压控制率", "unit": "%"}, SHELF)) == NOTHING


def test_a_measure_in_another_unit_is_told_with_the_reason_and_not_offered() -> None:
    found = proposals({"name": "高血压控制率", "unit": "张"}, SHELF)
    assert [(one.measure, one.unit_fits) for one in found] == [("hypertension-control-rate", False)]
    assert "单位不同" in found[0].difference.zh


def test_every_measure_that_is_shipped_is_proposed_by_its_own_name_and_counts_a_population() -> None:
    day = date(2026, 11, 22)
    measures = load(definition_folders()).edition(day).of_kind("measure")
    shelf = [
        Offered(one.id, one.base, Said(one.words.zh, one.words.en), Said(one.variant_words.zh, one.variant_words.en), one.unit, one.clause)
        for one in measures
    ]
    units = {"count": "人", "people": "%", "visits": "%"}
    for one in measures:
        found = {each.measure: each for each in proposals({"name": one.words.zh, "unit": units[one.unit]}, shelf)}
        assert one.id in found and found[one.id].fits, one.id
        assert known_measure(one.base) is not None, one.base


def test_a_measure_of_the_district_is_proposed_by_its_name_alone() -> None:
    own = Offered("local-screening", "local-screening", Said("两癌筛查率", "screening rate"), NOTHING, "people", "筛查人数 ÷ 应筛人数")
    found = proposals({"name": "适龄妇女两癌筛查率", "unit": "%"}, [*SHELF, own])
    assert [(one.measure, one.fits, one.verified) for one in found] == [("local-screening", True, False)]
    assert "筛查人数" in found[0].difference.zh


@pytest.mark.parametrize(
    ("name", "unit", "expected"),
    [
        ("管理人群高血压控制率", "%", ["hypertension-control-rate"]),
        ("65岁及以上老年人健康管理率", "%", ["elderly-health-management-rate"]),
        ("高血压患者管理人数", "万人", ["hypertension-managed"]),
        ("鼠密度控制率", "%", []),
        ("高血压控制率", "张", []),
        ("人均预期寿命", "岁", []),
    ],
)
def test_name_and_unit_together_decide_what_is_proposed(name: str, unit: str, expected: list[str]) -> None:
    assert [one.measure for one in proposals({"name": name, "unit": unit}, SHELF) if one.unit_fits] == expected


def test_a_share_stands_in_the_printed_unit() -> None:
    assert (scale_of("%", False), scale_of("‰", False), scale_of("万人", True), scale_of("张", True)) == (100.0, 1000.0, 1e-4, None)


def test_another_pace_and_more_workers_show_their_arithmetic() -> None:
    target = Target(2026, ">=", 75.0)
    faster = at_pace((2025.0, 70.0), 2.5, target, "%", (0.0, 100.0))
    assert (faster.value, faster.is_met) == (75.0, True)
    assert faster.arithmetic.zh == "70 + 2.5 × 2 年 = 75 %"
    assert at_pace((2025.0, 99.0), 5.0, target, "%", (0.0, 100.0)).value == 100.0
    more = with_workers((600.0, 1000.0), Work(5, 10, 3), target)
    assert (more.value, more.is_met) == (75.0, True)
    assert "5 × 10 × 3 = 150" in more.arithmetic.zh
    assert with_workers((900.0, 1000.0), Work(50, 10, 3), target).value == 100.0
    assert (workers_needed(150, 10, 3), workers_needed(151, 10, 3), workers_needed(5, 0, 3)) == (5, 6, None)


def test_a_measure_that_starts_anew_every_january_is_forecast_by_its_year_ends() -> None:
    today = date(2026, 11, 22)
    values = {
        date(2023, 12, 31): 60.0,
        date(2024, 12, 31): 62.0,
        date(2025, 3, 31): 20.0,
        date(2025, 11, 22): 58.0,
        date(2025, 12, 31): 64.0,
        today: 61.0,
    }
    material = Material(
        [Observed(day, value) for day, value in values.items()], COMPUTED, {}, 100.0, known_measure("elderly-health-management-rate")
    )
    assert pace_points({"unit": "%"}, material, today) == [(2024.0, 60.0), (2025.0, 62.0), (2026.0, 64.0), (2027.0, 67.0)]


def test_a_view_puts_it_all_together() -> None:
    data = {"name": "控制率", "unit": "%", "base_year": 2024, "base_value": 50.0, "target_year": 2030, "target_op": ">=", "target_value": 62.0, "bases": [{"year": 2024, "value": 50.0}], "sure": True, "period": "current"}  # fmt: skip
    observed = [
        Observed(date(2026, 9, 30), 52.0, Counted(52, 100)),
        Observed(date(2026, 10, 31), 53.0, Counted(53, 100)),
        Observed(date(2026, 11, 22), 54.0, Counted(54, 100)),
    ]
    view = view_of(data, Material(observed, COMPUTED, {}, 100.0, None), date(2026, 11, 22))
    assert is_counted(data)
    assert (view.standing.state, view.missing, view.moved) == ("on_track", 8, 1.0)
    assert view.forecast is not None


def test_plans_stand_side_by_side_by_meaning_and_unit() -> None:
    def row(name: str, unit: str, value: float, **more: object) -> dict[str, object]:
        return {
            "name": name,
            "unit": unit,
            "target_value": value,
            "target_year": 2025,
            "period": "current",
            "sure": True,
            "origin": "table",
            "category": "",
            **more,
        }

    first = [row("每千人口医疗卫生机构床位数", "张", 7.0), row("婴儿死亡率", "‰", 3.0)]
    second = [row("每千常住人口医疗卫生机构床位数", "张", 6.6), row("婴儿死亡率", "‰", 5.0, period="past"), row("健康素养水平", "%", 30.0)]
    lines = side_by_side([(1, first), (2, second)])
    assert [(line.name, sorted(line.cells)) for line in lines] == [
        ("每千人口医疗卫生机构床位数", [1, 2]),
        ("婴儿死亡率", [1]),
        ("健康素养水平", [2]),
    ]
    assert [line.name for line in side_by_side([(1, first), (2, second)], 2)] == ["每千人口医疗卫生机构床位数"]
