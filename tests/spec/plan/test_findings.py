"""Each inconsistency is found, with lines and words, and a sound plan has none."""

from __future__ import annotations

import pytest

from xinglin.modules.plan.reading import Finding, read_document

SOUND = """河东县“十四五”卫生健康规划

一、发展基础
2020年，全县人均预期寿命达到77.2岁。全县有医疗机构100家，其中医院20家、基层机构80家。
二、发展目标
指标	2020年	2025年	2025年全市目标
人均预期寿命（岁）	77.2	78.4	78.0
人均健康预期寿命（岁）	68.0	69.0	68.5
婴儿死亡率（‰）	2.4	≤2.2	≤3
5岁以下儿童死亡率（‰）	3.2	≤3.0	≤4
孕产妇死亡率（/10万）	9	≤8	≤9
居民健康素养水平（%）	20.7	≥30	≥30
每千人口床位数（张）	5.6	6.6	6.5
其中：基层床位（张）	1.2	1.4	1.3
三、主要任务
（一）健康促进。到2025年，居民健康素养水平达到30%以上。
"""


def findings(text: str) -> list[Finding]:
    return list(read_document(text.encode(), "plan.txt").findings)


def test_a_sound_plan_has_no_findings() -> None:
    assert findings(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "rule", "lines"),
    [
        ("≥30	≥30", "≥20	≥20", "target-looser-than-base", (12,)),
        ("水平达到30%", "水平达到25%", "text-against-table", (12, 16)),
        ("达到77.2岁", "达到77.9岁", "text-base-against-table", (7, 4)),
        ("≤2.2	≤3", "≤2.2	≤2", "weaker-than-upper-plan", (9,)),
        ("3.2	≤3.0", "2.1	≤1.9", "under-five-below-infant", (9, 10)),
        ("68.0	69.0", "78.0	79.0", "healthy-life-above-life", (8, 7)),
        ("婴儿死亡率（‰）", "婴儿死亡率（%）", "unit-cannot-be-right", (9,)),
        ("居民健康素养水平（%）	20.7	≥30	≥30", "健康细胞占比（%）	20.7	150	150", "share-above-100", (12,)),
        ("1.2	1.4	1.3", "1.2	7.4	1.3", "part-above-whole", (13, 14)),
        ("孕产妇死亡率（/10万）	9	≤8	≤9", "婴儿死亡率（‰）	2.3	≤2.1	≤9", "same-name-two-values", (9, 11)),
        ("居民健康素养水平（%）", "居民健康知晓率率（%）", "doubled-word", (12,)),
        ("基层机构80家", "基层机构90家", "parts-do-not-add-up", (4,)),
    ],
)
def test_one_wrong_number_gives_one_finding(old: str, new: str, rule: str, lines: tuple[int, ...]) -> None:
    assert old in SOUND
    found = findings(SOUND.replace(old, new))
    assert [(one.lines, bool(one.zh), bool(one.en)) for one in found if one.rule == rule][:1] == [(lines, True, True)]


def test_a_past_target_that_was_missed_is_told() -> None:
    text = "西川县“十四五”规划\n表1 “十三五”完成情况\n指标	“十三五”规划目标值	2020年完成情况\n人均预期寿命（岁）	77.8	77.2\n婴儿死亡率（‰）	≤4	3.3\n"
    assert [(one.rule, one.lines) for one in findings(text)] == [("past-target-not-reached", (4,))]


def test_a_base_year_after_the_target_is_told() -> None:
    text = "西川县卫生发展规划（2021—2025年）\n指标	2026年现状	2025年目标\n婴儿死亡率（‰）	3	≤2.9\n"
    assert [one.rule for one in findings(text)] == ["base-not-before-target"]


def test_a_total_row_that_does_not_add_up_is_told() -> None:
    rows = "| 1 | 县医院 | 县卫健局 | 新建 | 2022 | 300 |\n| 2 | 中医院 | 县卫健局 | 扩建 | 2023 | 150 |\n| | 合计 | | | | {} |\n"
    head = "# 西川县“十四五”规划\n\n| 序号 | 项目名称 | 建设单位 | 建设性质 | 开工时间 | 床位 |\n|---|---|---|---|---|---|\n"
    assert [one.rule for one in findings(head + rows.format(500))] == ["total-row-wrong"]
    assert findings(head + rows.format(450)) == []


def test_a_misplaced_point_is_told() -> None:
    found = findings(SOUND.replace("77.2	78.4	78.0", "7.72	78.4	78.0").replace("达到77.2岁", "提升"))
    assert {one.rule for one in found} == {"healthy-life-above-life", "value-cannot-be-right"}
