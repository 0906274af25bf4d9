"""A value cell says a number, a sign, a range, a dash or words; Chinese and western numerals mean the same."""

from __future__ import annotations

import pytest

from xinglin.modules.plan.reading.names import read_name, split_names
from xinglin.modules.plan.reading.normal import squeeze, tidy
from xinglin.modules.plan.reading.numerals import han_value, spell_out
from xinglin.modules.plan.reading.values import parse_value, parse_values


@pytest.mark.parametrize(
    ("text", "op", "value", "high", "unit"),
    [
        ("81.5", None, 81.5, None, None),
        ("≤2.5", "<=", 2.5, None, None),
        ("＜10", "<", 10, None, None),
        ("> 90", ">", 90, None, None),
        (">=90%", ">=", 90, None, "%"),
        ("95以上", ">=", 95, None, None),
        ("98％以上", ">=", 98, None, "%"),
        ("12以内", "<=", 12, None, None),
        ("85%左右", "=", 85, None, "%"),
        ("不低于97%", ">=", 97, None, "%"),
        ("不超过30", "<=", 30, None, None),
        ("控制在14%以内", "<=", 14, None, "%"),
        ("控制在95%以上", ">=", 95, None, "%"),
        ("力争降至50以下", "<=", 50, None, None),
        ("2-3", "range", 2, 3, None),
        ("6.5～7", "range", 6.5, 7, None),
        ("30%-40%", "range", 30, 40, "%"),
        ("80—85", "range", 80, 85, None),
        ("年均增长10%", "grow", 10, None, "%"),
        ("每年下降0.5个百分点", "grow", -0.5, None, "个百分点"),
        ("提高1岁", "grow", 1, None, "岁"),
        ("同比例提高", "rise", None, None, None),
        ("稳步提升", "rise", None, None, None),
        ("百分之三十", None, 30, None, "%"),
        ("八成", None, 80, None, "%"),
        ("万分之十六", None, 16, None, "/万"),
        ("1,234.5", None, 1234.5, None, None),
        ("１，２３４", None, 1234, None, None),
        ("3.5人", None, 3.5, None, "人"),
        ("29.4*", None, 29.4, None, None),
        ("３􀆰８", None, 3.8, None, None),
        ("$\\geq 90\\%$", ">=", 90, None, "%"),
    ],
)
def test_a_cell_is_read(text: str, op: str | None, value: float | None, high: float | None, unit: str | None) -> None:
    found = parse_value(text)
    assert found is not None
    assert (found.op, found.value, found.high, found.unit) == (op, value, high, unit)


@pytest.mark.parametrize("text", ["——", "--", "-", "—", "/", "…", "无", "（—）"])
def test_dashes_mean_unknown(text: str) -> None:
    found = parse_value(text)
    assert found is not None
    assert (found.is_dash, found.value) == (True, None)


@pytest.mark.parametrize("text", ["", "预期性", "人均预期寿命", "达到国家标准", "消除", "2:3:5", "第3章", "低流行水平"])
def test_words_are_no_values(text: str) -> None:
    assert parse_values(text) == []


def test_brackets_hold_a_second_value_or_a_remark() -> None:
    both, second, remark = parse_value("2.31（1.8）"), parse_value("（含新增 225.0）"), parse_value("78（快报数）")
    assert both is not None and both.inner is not None and (both.value, both.inner.value) == (2.31, 1.8)
    assert second is not None and (second.value, second.words) == (225.0, "含新增")
    assert remark is not None and (remark.value, remark.words) == (78, "快报数")


def test_a_cell_may_hold_several_values() -> None:
    assert [value.value for value in parse_values("70.6;69.1")] == [70.6, 69.1]
    assert [value.value for value in parse_values("68.2/66.9")] == [68.2, 66.9]
    assert [value.op for value in parse_values("≥80、≥75")] == [">=", ">="]


@pytest.mark.parametrize(
    ("text", "name", "unit", "mark"),
    [
        ("3.婴儿死亡率（‰）", "婴儿死亡率", "‰", ""),
        ("（2）孕产妇死亡率(1/10万)", "孕产妇死亡率", "1/10万", ""),
        ("5岁以下儿童死亡率（‰）", "5岁以下儿童死亡率", "‰", ""),
        ("0-3岁托位数（个）", "0-3岁托位数", "个", ""),
        ("每千人口执业（助理）医师数（人）", "每千人口执业（助理）医师数", "人", ""),
        ("每千人口床位数（张/千人）*", "每千人口床位数", "张/千人", "*"),
        ("签约率▲（%）", "签约率", "%", "▲"),
        ("指  标  名  称", "指标名称", None, ""),
        ("居民健康素养水平%", "居民健康素养水平", "%", ""),
    ],
)
def test_a_name_is_parted_from_serial_unit_and_mark(text: str, name: str, unit: str | None, mark: str) -> None:
    found = read_name(text)
    assert (found.text, found.unit, found.mark) == (name, unit, mark)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("高血压、糖尿病患者规范管理率", ["高血压患者规范管理率", "糖尿病患者规范管理率"]),
        ("早孕建册率、产后访视率", ["早孕建册率", "产后访视率"]),
        ("每千人口执业（助理）医师数、注册护士数", ["每千人口执业（助理）医师数", "每千人口注册护士数"]),
        ("职工、居民医保住院费用支付比例", ["职工医保住院费用支付比例", "居民医保住院费用支付比例"]),
    ],
)
def test_a_row_of_two_names_is_two(name: str, parts: list[str]) -> None:
    assert split_names(name, 2) == parts
    assert split_names(name, 3) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("三十", 30), ("一百零五", 105), ("十六", 16), ("两千三百", 2300), ("三点五", 3.5), ("一万二千", 12000), ("二〇二五", 2025)],
)
def test_chinese_numerals_have_values(text: str, value: float) -> None:
    assert han_value(text) == value


def test_words_that_only_look_like_shares_stay() -> None:
    assert spell_out("建成三成为") == "建成三成为"
    assert spell_out("三成以上") == "30%以上"
    assert spell_out("千分之五") == "5‰"


def test_odd_glyphs_and_spaces_of_typesetting_are_repaired() -> None:
    assert squeeze(tidy("到 ２０２７ 年ꎬ 达 ３􀆰 ８ 人ꎮ")) == "到2027年，达3.8人。"
    assert squeeze(tidy("每千人口 0-3岁 托位数 （ 个 ）")) == "每千人口0-3岁托位数（个）"
    assert tidy("\ufeff≧5 ⩽3") == "≥5 ≤3"
