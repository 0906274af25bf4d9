"""Targets in running text: name, sign, value, unit, year, owners and lines, with what is unsure marked."""

from __future__ import annotations

import pytest

from xinglin.modules.plan.reading import Indicator, read_document

HEAD = "海安区卫生健康高质量发展行动计划（2023—2027年）\n\n一、主要目标\n\n"


def targets(body: str, head: str = HEAD) -> list[Indicator]:
    return [one for one in read_document((head + body).encode(), "plan.txt").indicators if one.origin == "text"]


def brief(one: Indicator) -> tuple[object, ...]:
    return (one.name, one.target_op, one.target_value, one.target_high, one.unit, one.target_year)


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("到2027年，孕产妇死亡率控制在7/10万以下。", ("孕产妇死亡率", "<=", 7, None, "/10万", 2027)),
        ("到2027年，婴儿死亡率控制在2.5‰以内。", ("婴儿死亡率", "<=", 2.5, None, "‰", 2027)),
        ("到2027年，居民健康素养水平提高到百分之三十二。", ("居民健康素养水平", ">=", 32, None, "%", 2027)),
        ("到2026年，儿童接种率控制在95%以上。", ("儿童接种率", ">=", 95, None, "%", 2026)),
        ("到２０２７年ꎬ全市满意度达到８５％左右ꎮ", ("全市满意度", "=", 85, None, "%", 2027)),
        ("到2027年，每千人口执业（助理）医师数达３􀆰８人。", ("每千人口执业（助理）医师数", ">=", 3.8, None, "人", 2027)),
        ("到2027年底前，建成省级中医重点专科2-3个。", ("省级中医重点专科", "range", 2, 3, "个", 2027)),
        ("到2027年，新增40个以上国家临床重点专科。", ("国家临床重点专科", ">=", 40, None, "个", 2027)),
        ("到2027年，建设280多个中医阁。", ("中医阁", ">=", 280, None, "个", 2027)),
        ("到2027年，基层医疗机构达到二级医院建设标准的11家。", ("基层医疗机构达到二级医院建设标准", "=", 11, None, "家", 2027)),
        ("推进二级及以上公立医院100%独立设置公共卫生科。", ("二级及以上公立医院独立设置公共卫生科", ">=", 100, None, "%", 2027)),
        ("按照不低于常住人口万分之十六的标准核定基层医务人员岗位。", ("基层医务人员岗位", ">=", 16, None, "/万", 2027)),
        ("到2027年，85%以上的区属医院达到优良标准。", ("区属医院达到优良标准", ">=", 85, None, "%", 2027)),
        ("到2027年，值班救护车达到每3-5万人1辆。", ("值班救护车", "=", 1, None, "辆/3-5万人", 2027)),
        ("力争八成以上常见病在区内解决。", ("常见病在区内解决", ">=", 80, None, "%", 2027)),
        ("村医中执业医师占比不低于六成。", ("村医中执业医师占比", ">=", 60, None, "%", 2027)),
        ("儿童青少年总体近视率每年下降0.5个百分点以上。", ("儿童青少年总体近视率", "grow", -0.5, None, "个百分点", 2027)),
        ("健康产业总收入年均增长10%。", ("健康产业总收入", "grow", 10, None, "%", 2027)),
        ("每个医共体至少有1家三甲医院结对帮扶。", ("每个医共体三甲医院结对帮扶", ">=", 1, None, "家", 2027)),
        ("家庭医生签约服务覆盖率超过50%。", ("家庭医生签约服务覆盖率", ">", 50, None, "%", 2027)),
        ("新增床位1,200张。", ("床位", ">=", 1200, None, "张", 2027)),
    ],
)
def test_a_sentence_gives_its_target(sentence: str, wanted: tuple[object, ...]) -> None:
    assert [brief(one) for one in targets(sentence)] == [wanted]


def test_names_and_values_in_a_row_are_paired() -> None:
    found = targets(
        "到2027年，婴儿死亡率、5岁以下儿童死亡率分别控制在3‰和4‰以下，每千人口执业（助理）医师数、注册护士数分别达到3.6人、4.5人。"
    )
    assert [brief(one)[:3] for one in found] == [
        ("婴儿死亡率", "<=", 3),
        ("5岁以下儿童死亡率", "<=", 4),
        ("每千人口执业（助理）医师数", ">=", 3.6),
        ("每千人口注册护士数", ">=", 4.5),
    ]


def test_two_years_of_one_measure_are_target_and_intermediate() -> None:
    (one,) = targets("到2025年、2027年，家庭医生签约率分别达到45%和50%。")
    assert brief(one) == ("家庭医生签约率", ">=", 50, None, "%", 2027)
    assert [(other.year, other.value) for other in one.others] == [(2025, 45)]


def test_a_list_of_counts_gives_each_its_own_name() -> None:
    found = targets("到2027年，培育1名国医大师、2名全国名中医，新增领军人才50名，优秀青年博士200名，改造发热门诊3个、急救站点6个。")
    assert [(one.name, one.target_value) for one in found] == [
        ("国医大师", 1),
        ("全国名中医", 2),
        ("领军人才", 50),
        ("优秀青年博士", 200),
        ("发热门诊", 3),
        ("急救站点", 6),
    ]


def test_a_per_head_name_is_carried_and_said() -> None:
    beds, doctors = targets("到2027年，每千人口床位数达到6.5张，执业（助理）医师数达到3.2人。")
    assert (beds.name, doctors.name) == ("每千人口床位数", "每千人口执业（助理）医师数")
    assert "承前" in doctors.note


@pytest.mark.parametrize(
    "sentence",
    [
        "根据《省政府关于健康行动的意见》（政发〔2019〕13号）要求，落实2020年以来的政策。",
        "2020年，全区签约率达到71.5%。",
        "拨打120急救电话，完善“1+6”医共体。",
        "聚焦3类重大疾病、2种基础疾病。",
        "打造15分钟医疗卫生服务圈，落实65岁以上老年人体检。",
        "联系电话400-115-5265。",
    ],
)
def test_what_is_no_target_is_left_and_told_in_the_coverage(sentence: str) -> None:
    reading = read_document((HEAD + sentence).encode(), "plan.txt")
    assert not reading.indicators
    assert [use for use in reading.coverage.unused if use.line == 5 and use.reason]


def test_background_chapters_give_facts_and_no_targets() -> None:
    text = "河东县“十四五”健康规划\n一、发展基础\n全县人均预期寿命由75.2岁提高到76.8岁，建档率达到96%。\n二、主要任务\n（一）强基层。到2025年，建档率达到98%。\n"
    reading = read_document(text.encode(), "plan.txt")
    assert [(one.name, one.target_value) for one in reading.indicators] == [("建档率", 98)]
    assert [(fact.name, fact.value) for fact in reading.facts] == [("人均预期寿命", 76.8), ("建档率", 96)]


def test_lines_owners_and_years_come_from_where_they_stand() -> None:
    body = "(一) 强体系\n\n１、 织密网底ꎮ 优化设置ꎬ 到 ２０２７ 年ꎬ 全市基层医\n\n疗机构达标比例 ９０％ ꎮ 建成社区医院 ３ 家ꎮ (责任\n\n单位: 各区人民政府、 市卫健委)\n"
    share, hospitals = targets(body)
    assert (share.name, share.target_value, share.from_line, share.to_line) == ("全市基层医疗机构达标比例", 90, 9, 9)
    assert share.owners == hospitals.owners == ("各区人民政府", "市卫健委")
    assert "承前" in hospitals.note


def test_a_condition_is_read_as_a_guess() -> None:
    (one,) = targets("对服务人口低于1000人的行政村，实行巡诊。")
    assert (one.target_op, one.target_value, one.sure) == ("<", 1000, False)
    assert one.reasons


def test_the_year_of_a_cited_title_is_no_target_year() -> None:
    (one,) = targets("落实《海安区大健康产业规划（2021—2030年）》，打造3个健康旅游示范基地。")
    assert (one.name, one.target_value, one.target_year) == ("健康旅游示范基地", 3, 2027)


def test_a_target_repeated_for_a_later_year_keeps_its_name() -> None:
    early, late = targets("到2025年，基层机构达标率达到95%；到2027年，达到100%。")
    assert (early.name, early.target_year, late.name, late.target_year) == ("基层机构达标率", 2025, "基层机构达标率", 2027)


def test_a_sentence_leans_on_the_years_of_those_before_it() -> None:
    text = (
        "月湖县“十五五”人口规划\n\n二、重点工作\n\n到2030年，人均预期寿命在2025年基础上提高1岁。15岁以上吸烟率下降到18.3%，出生人口性别比下降至108以下。\n\n"
        "2020年，全县人口12万人。人均预期寿命达到77.1岁。\n"
    )
    found = {one.name: one for one in read_document(text.encode(), "plan.txt").indicators}
    assert set(found) == {"人均预期寿命", "15岁以上吸烟率", "出生人口性别比"}
    assert (found["人均预期寿命"].target_op, found["人均预期寿命"].target_value) == ("grow", 1)
    assert (found["15岁以上吸烟率"].target_op, found["15岁以上吸烟率"].target_value, found["15岁以上吸烟率"].target_year) == (
        "<=",
        18.3,
        2030,
    )
    assert (found["出生人口性别比"].target_op, found["出生人口性别比"].target_value) == ("<=", 108)


def test_rates_of_growth_years_of_schooling_and_what_follows_a_share() -> None:
    text = (
        "月湖县“十五五”人口规划\n\n一、目标\n\n到2030年，人口自然增长率控制在5‰以内，国民平均受教育年限达到11.3年，新增劳动力平均受教育年限达到14年，"
        "每千人口病床数（含护理床）达到7.2张，鼓励有条件的地方完成15%的乡镇卫生院中医馆内涵建设。\n"
    )
    found = [(one.name, one.unit, one.target_op, one.target_value) for one in read_document(text.encode(), "plan.txt").indicators]
    assert found == [
        ("人口自然增长率", "‰", "<=", 5),
        ("国民平均受教育年限", "年", ">=", 11.3),
        ("新增劳动力平均受教育年限", "年", ">=", 14),
        ("每千人口病床数（含护理床）", "张", ">=", 7.2),
        ("乡镇卫生院中医馆内涵建设", "%", ">=", 15),
    ]


def test_a_ratio_is_its_second_number() -> None:
    found = targets("到2027年，全区医护比达到1∶1.2，床护比不低于1:0.8。\n")
    assert [(one.name, one.target_op, one.target_value, one.unit) for one in found] == [
        ("全区医护比", "=", 1.2, None),
        ("床护比", ">=", 0.8, None),
    ]
    assert "1:1.2" in found[0].note


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("人均预期寿命由2022年的77.2岁提高到2027年的78.5岁。", ("人均预期寿命", ">=", 78.5, 2027, 2022, 77.2)),
        ("到2027年，婴儿死亡率从2022年的3.2‰下降到2.8‰以下。", ("婴儿死亡率", "<=", 2.8, 2027, 2022, 3.2)),
        ("到2027年，居民健康素养水平从21%提高到26%。", ("居民健康素养水平", ">=", 26, 2027, None, 21)),
        ("到2027年，个人支出占比控制在27%（2022年为28.5%）。", ("个人支出占比", "<=", 27, 2027, 2022, 28.5)),
        ("1.人均预期寿命：2022年77.2岁，2027年达到78.5岁。", ("人均预期寿命", ">=", 78.5, 2027, 2022, 77.2)),
    ],
)
def test_a_target_may_name_its_base(sentence: str, wanted: tuple[object, ...]) -> None:
    (one,) = targets(sentence + "\n")
    assert (one.name, one.target_op, one.target_value, one.target_year, one.base_year, one.base_value) == wanted
    assert [(base.year, base.value) for base in one.bases] == [wanted[4:]]


def test_a_label_before_a_colon_is_the_name() -> None:
    found = targets("（1）婴儿死亡率：控制在3‰以内。\n\n2.人均预期寿命：2027年达到78.5岁。\n")
    assert [(one.name, one.target_op, one.target_value) for one in found] == [("婴儿死亡率", "<=", 3), ("人均预期寿命", ">=", 78.5)]
