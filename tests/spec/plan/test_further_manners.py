"""More manners of tables: drawn with lines in a PDF, a stroke behind each cell, cells moved left, growth columns, ratios."""

from __future__ import annotations

import docx
import pytest

from xinglin.modules.plan.reading import Indicator, read_document

from . import paper

HEAD = ["类别", "指标", "2025年", "2030年", "性质"]
WIDTHS = [6, 14, 7, 7, 6]


def table(text: str | bytes, filename: str = "plan.txt") -> list[Indicator]:
    data = text if isinstance(text, bytes) else text.encode()
    return [one for one in read_document(data, filename).indicators if one.origin == "table"]


def brief(one: Indicator) -> tuple[object, ...]:
    return (one.name, one.unit, one.base_value, one.target_op, one.target_value)


def test_a_table_drawn_with_lines_in_a_pdf_and_cut_by_a_page_is_one_table() -> None:
    first = [
        HEAD,
        ["健康水平", "人均预期寿命（岁）", "79.2", "80.1左右", "预期性"],
        ["^", "5岁以下儿童死亡率（‰）", "3.9", "≤3.8", "约束性"],
        ["^", "重大慢性病过早死亡率（%）", "14.4", "≤13.5", "预期性"],
    ]
    second = [
        ["卫生资源", "每千人口医疗卫生机构床位数（张）", "6.9", "7.2", "预期性"],
        ["^", "每万人口全科医生数（人）", "3.2", "4.0", "约束性"],
    ]
    above = ["月湖县“十五五”卫生健康事业发展规划", "一、发展目标", "表1 主要指标"]
    pages = [(above, first, ["第 1 页"]), ([], second, ["二、主要任务", "（一）强基层。完善县域医疗卫生服务体系。"])]
    reading = read_document(paper.drawn_pdf(pages, WIDTHS), "plan.pdf")
    rows = [one for one in reading.indicators if one.origin == "table"]
    assert [brief(one) for one in rows] == [
        ("人均预期寿命", "岁", 79.2, "=", 80.1),
        ("5岁以下儿童死亡率", "‰", 3.9, "<=", 3.8),
        ("重大慢性病过早死亡率", "%", 14.4, "<=", 13.5),
        ("每千人口医疗卫生机构床位数", "张", 6.9, ">=", 7.2),
        ("每万人口全科医生数", "人", 3.2, ">=", 4.0),
    ]
    assert [one.category for one in rows] == ["健康水平"] * 3 + ["卫生资源"] * 2
    assert [one.kind for one in rows] == ["expected", "binding", "expected", "expected", "binding"]
    assert all(one.name in reading.lines[one.from_line - 1] for one in rows)
    assert any("强基层" in task.text or "强基层" in task.title for task in reading.tasks)


def test_lines_at_the_head_and_foot_of_every_page_are_left_out_and_told() -> None:
    pages = [
        (
            [f"月湖县人民政府公报 2026年第{number}期"],
            [HEAD, ["健康水平", f"第{number}类人群健康管理率（%）", "60", "70", "预期性"]],
            [f"· {number} ·"],
        )
        for number in range(1, 5)
    ]
    reading = read_document(paper.drawn_pdf(pages, WIDTHS), "plan.pdf")
    assert [one.target_value for one in reading.indicators if one.origin == "table"] == [70] * 4
    assert not any("公报" in line for line in reading.lines)
    assert any("页眉页脚" in notice for notice in reading.notices)


def test_letters_that_a_font_gave_as_radicals_are_letters_again() -> None:
    rows = table("⽉湖县“⼗五五”卫⽣健康规划\n\n指标\t2025年\t2030年\n⼈⺠群众健康素养⽔平（%）\t31\t40\n")
    assert [brief(one) for one in rows] == [("人民群众健康素养水平", "%", 31, ">=", 40)]


def test_one_cell_and_its_stroke_a_line() -> None:
    cells = ["表2 主要指标", "具体指标", "2025年", "2030年", "年均增长（%）", "属性", "中医医院（所）", "12", "15", "4.6", "预期性"]
    cells += ["中医床位数（万张）", "0.4", "0.6", "8", "预期性", "中医病床使用率（%）", "84", "90", "—", "预期性"]
    body = "\n".join(f"{cell} |" for cell in cells).replace("表2 主要指标 |", "表2 主要指标 |\n|||||")
    rows = table(f"月湖县“十五五”中医药发展规划\n\n{body}\n\n二、主要任务\n")
    assert [brief(one) for one in rows] == [
        ("中医医院", "所", 12, ">=", 15),
        ("中医床位数", "万张", 0.4, ">=", 0.6),
        ("中医病床使用率", "%", 84, ">=", 90),
    ]


def test_rows_that_leave_out_a_merged_cell_and_fill_up_at_the_end() -> None:
    rows = table(
        "月湖县“十五五”卫生健康规划\n\n领域 | 指标 | 2025年 | 2030年 |\n健康水平 | 婴儿死亡率（‰） | 2.9 | ≤2.5 |\n孕产妇死亡率（/10万） | 6.1 | ≤6 | |\n"
    )
    assert [brief(one) for one in rows] == [("婴儿死亡率", "‰", 2.9, "<=", 2.5), ("孕产妇死亡率", "/10万", 6.1, "<=", 6)]
    assert {one.category for one in rows} == {"健康水平"}


@pytest.mark.parametrize("manner", ["\t", "\n"])
def test_growth_or_sums_are_the_target_where_the_year_holds_a_dash(manner: str) -> None:
    rows = [
        ["类别", "指标", "2025年", "2030年", "年均/累计", "属性"],
        ["经济发展", "1.健康产业增加值（亿元）", "52", "—", "6.5%", "预期性"],
    ]
    rows += [
        ["绿色发展", "2.单位面积能耗降低（%）", "—", "—", "〔13.5〕", "约束性"],
        ["民生福祉", "3.调查失业率（%）", "5.2", "—", "＜5.5", "预期性"],
    ]
    text = "\n".join(manner.join(row) for row in rows)
    found = table(f"月湖县国民经济和社会发展第十五个五年规划纲要\n\n{text}\n\n二、主要任务\n")
    assert [brief(one) for one in found] == [
        ("健康产业增加值", "亿元", 52, "grow", 6.5),
        ("单位面积能耗降低", "%", None, "grow", 13.5),
        ("调查失业率", "%", 5.2, "<", 5.5),
    ]
    assert all("年均或累计" in one.note for one in found)


def test_a_middle_year_with_signs_of_a_target_is_no_base() -> None:
    rows = table(
        "月湖县健康行动纲要\n\n到2035年全面建成健康月湖。\n\n指标\t2020年\t2025年\t2035年\n婴儿死亡率（‰）\t3.1\t≤3\t≤2\n个人卫生支出占比（%）\t29.3\t28左右\t25左右\n"
    )
    assert [(one.base_year, one.base_value, one.target_year, one.target_value) for one in rows] == [
        (2020, 3.1, 2035, 2),
        (2020, 29.3, 2035, 25),
    ]
    assert [other.year for one in rows for other in one.others] == [2025, 2025]


def test_ratios_composite_units_and_each_at_least() -> None:
    rows = table(
        "月湖县“十五五”老龄事业发展规划\n\n指标\t单位\t2025年\t2030年\n医护比\t—\t1∶1.1\t1∶1.25\n粮食产量\t万吨\t7\t8\n老年大学覆盖面\t\t—\t每个乡镇（街道）至少1所\n"
    )
    assert [(one.name, one.unit, one.base_value, one.target_value) for one in rows] == [
        ("医护比", None, 1.1, 1.25),
        ("粮食产量", "万吨", 7, 8),
        ("老年大学覆盖面", "所", None, 1),
    ]
    assert "1:1.25" in rows[0].note and "每个乡镇" in rows[2].note


def test_numbered_categories_lead_the_rows_of_flattened_lines() -> None:
    rows = table(
        "月湖县健康行动（2026—2030年）\n\n领域 序号 指标 基期水平 2030年目标值 指标性质\n"
        "（一）健康知识普及行动 1 居民健康素养水平（%） 24.1 30 预期性\n（二）合理膳食行动 2 人均每日食盐摄入量（g） 9.3 ≤5 倡导性\n\n二、重点任务\n（一）加强组织领导。各部门按职责分工负责。\n"
    )
    assert [brief(one) for one in rows] == [("居民健康素养水平", "%", 24.1, ">=", 30), ("人均每日食盐摄入量", "g", 9.3, "<=", 5)]
    assert [one.kind for one in rows] == ["expected", None]


def test_two_columns_one_cell_a_line() -> None:
    rows = table(
        "月湖区“十五五”养老服务体系规划\n\n专栏1 主要指标\n\n指标\n2030年目标值\n养老服务床位总量\n达到2.1万张以上\n老年人月探访率\n达到100%\n护理型床位占比\n达到65%\n\n二、主要任务\n"
    )
    assert [brief(one) for one in rows] == [
        ("养老服务床位总量", "万张", None, ">=", 2.1),
        ("老年人月探访率", "%", None, ">=", 100),
        ("护理型床位占比", "%", None, ">=", 65),
    ]


STACKED = [
    ["指标", "2025年", "2030年", "属性"],
    ["1.标准班额比例（%）\n其中：小学\n初中", "34.5%\n77.3%", "80%以上\n85%以上", "预期性"],
    ["2.幼儿教师专科学历比例（%）\n其中：本科学历比例（%）", "97.7\n49.9", "100\n50", "预期性"],
    ["3.高血压患者规范管理率（%）\n糖尿病患者规范管\n理率（%）", "61\n62", "≥70\n≥71", "约束性"],
    ["4.每千人口执业\n（助理）医师数（人）", "2.5\n（2.6）", "3.2", "预期性"],
]


def _stacked_html() -> bytes:
    rows = "".join("<tr>" + "".join("<td>" + cell.replace("\n", "<br>") + "</td>" for cell in row) + "</tr>" for row in STACKED)
    return f"<html><body><p>月湖县“十五五”教育规划</p><table>{rows}</table></body></html>".encode()


def _stacked_markdown() -> bytes:
    rows = ["| " + " | ".join(cell.replace("\n", "<br>") for cell in row) + " |" for row in STACKED]
    return "\n".join(["# 月湖县“十五五”教育规划", "", rows[0], "|---|---|---|---|", *rows[1:]]).encode()


def _stacked_word() -> bytes:
    document = docx.Document()
    document.add_paragraph("月湖县“十五五”教育规划")
    made = document.add_table(len(STACKED), 4)
    for row, cells in zip(made.rows, STACKED, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    return paper.saved(document)


@pytest.mark.parametrize(("data", "name"), [(_stacked_html(), "a.html"), (_stacked_markdown(), "a.md"), (_stacked_word(), "a.docx")])
def test_names_over_names_and_values_over_values_are_several_rows(data: bytes, name: str) -> None:
    rows = table(data, name)
    assert [(one.name, one.parent, one.base_value, one.target_value) for one in rows] == [
        ("其中：小学", "标准班额比例", 34.5, 80),
        ("初中", "标准班额比例", 77.3, 85),
        ("幼儿教师专科学历比例", None, 97.7, 100),
        ("其中：本科学历比例", "幼儿教师专科学历比例", 49.9, 50),
        ("高血压患者规范管理率", None, 61, 70),
        ("糖尿病患者规范管理率", None, 62, 71),
        ("每千人口执业（助理）医师数", None, 2.5, 3.2),
    ]
    assert {one.unit for one in rows[:6]} == {"%"}


def test_stacked_rows_one_cell_a_line_under_a_head_with_letters_set_apart() -> None:
    cells = [
        "指  标",
        "2025年",
        "2030年",
        "属性",
        "一、发展水平",
        "1.毛入园率（%）",
        "99%",
        "99%以上",
        "约束性",
        "2.标准班额比例（%）",
        "其中：小学",
        "初中",
    ]
    cells += ["34.5%", "77.3%", "80%以上", "85%以上", "预期性", "二、优质资源", "1.智慧校园比例（%）", "60%", "100%", "预期性"]
    rows = table("月湖县“十五五”教育规划\n\n" + "\n\n".join(cells) + "\n\n本文仅供参考。\n")
    assert [(one.name, one.parent, one.base_value, one.target_value, one.category) for one in rows] == [
        ("毛入园率", None, 99, 99, "发展水平"),
        ("其中：小学", "标准班额比例", 34.5, 80, "发展水平"),
        ("初中", "标准班额比例", 77.3, 85, "发展水平"),
        ("智慧校园比例", None, 60, 100, "优质资源"),
    ]


def test_head_cells_and_values_that_narrow_columns_broke_in_a_flattened_pdf() -> None:
    text = """月湖县“十五五”卫生健康规划

类别 序 号 指标名称 计量单 位 2025年实 际 2030年目 标 指标属 性
健康水
平
1 5岁以下儿童死亡率 ‰ 2.9 ＜5 约束 性
2 儿童青少年总体近视率 % 52.7 每年下降0.5个 百分点以上 约束 性
3 孕产妇死亡率 1/10 万 6.1 控制在10 以内 约束 性
健康资
源
4 每千人口拥有3岁以下婴幼
儿托位数 个/千 人 1.6 4.6 预期 性
5 二级以上医院设置老年医学科的 比例 % — ≥60 约束 性
6 卫生总费用占比 % 5.8 — 预期 性
健康保
障 7.成人吸烟率 % 25.1 下降到18以 下 预期性
8 心脑血管疾病死亡率 （1/10 万）238.4 年均下 降1% 预期性

二、重点任务
"""
    rows = table(text)
    assert [(one.name, one.unit, one.base_value, one.target_op, one.target_value) for one in rows] == [
        ("5岁以下儿童死亡率", "‰", 2.9, "<", 5),
        ("儿童青少年总体近视率", "%", 52.7, "grow", -0.5),
        ("孕产妇死亡率", "1/10万", 6.1, "<=", 10),
        ("每千人口拥有3岁以下婴幼儿托位数", "个/千人", 1.6, ">=", 4.6),
        ("二级以上医院设置老年医学科的比例", "%", None, ">=", 60),
        ("卫生总费用占比", "%", 5.8, None, None),
        ("成人吸烟率", "%", 25.1, "<=", 18),
        ("心脑血管疾病死亡率", "1/10万", 238.4, "grow", -1),
    ]
    assert [one.kind for one in rows] == ["binding"] * 3 + ["expected", "binding"] + ["expected"] * 3


def test_brackets_of_a_head_set_apart_belong_to_the_word_before() -> None:
    rows = table(
        "月湖县“十五五”妇幼健康规划\n\n指标 现状 （2025年） 目标 （2030年） 数据来源\n新生儿死亡率（‰） 1.4 3.1以下 年报\n产前筛查率（%） 78.3 ≥85 年报\n\n二、任务\n"
    )
    assert [(one.base_year, one.base_value, one.target_year, one.target_op, one.target_value) for one in rows] == [
        (2025, 1.4, 2030, "<=", 3.1),
        (2025, 78.3, 2030, ">=", 85),
    ]


def test_kinds_stand_in_names_and_over_groups_and_serials_before_ages() -> None:
    rows = table(
        "月湖县“十五五”健康规划\n\n指标\t2025年（现状）\t2030年（目标）\n一、约束性指标\t\t\n1.孕产妇死亡率（/10万）\t0\t≤9\n"
        "二、预期性指标\t\t\n2.65岁以上老年人健康管理率（%）\t66\t75\n3.2型糖尿病患者规范管理率（%）\t61\t70\n4.婴儿死亡率（‰）【约束性】\t2.2\t≤2.5\n"
    )
    assert [(one.name, one.unit, one.kind) for one in rows] == [
        ("孕产妇死亡率", "/10万", "binding"),
        ("65岁以上老年人健康管理率", "%", "expected"),
        ("2型糖尿病患者规范管理率", "%", "expected"),
        ("婴儿死亡率", "‰", "binding"),
    ]
    assert {one.target_year for one in rows} == {2030}
