"""Tables are understood in the manners in which documents carry them: merged heads, broken lines, web cells, word values."""

from __future__ import annotations

from xinglin.modules.plan.reading import Indicator, read_document

from . import paper


def table(text: str | bytes, filename: str = "plan.txt") -> list[Indicator]:
    data = text if isinstance(text, bytes) else text.encode()
    return [one for one in read_document(data, filename).indicators if one.origin == "table"]


def brief(one: Indicator) -> tuple[object, ...]:
    return (one.name, one.unit, one.base_value, one.target_op, one.target_value)


FLATTENED = """清河县“十四五”卫生健康事业发展规划

一、发展目标

类别 序号 主要指标 2020 年 2025 年 性质

健康

水平

1 人均预期寿命（岁） 76.8 77.8 预期性

2 人均健康预期寿命（岁） — 同比例提高 预期性

3 孕产妇死亡率（1/10万） 9.8 ＜10 约束性

4 30-70岁人群因心脑血管疾病、癌症、慢

性呼吸系统疾病和糖尿病导致的过早死 14.4 ≤13 预期性

亡率（%）

— 8 —

类别 序号 主要指标 2020 年 2025 年 性质

健康服务 5 孕产妇系统管理率和3岁以下儿

童系统管理率（%）

91 ＞90 预期性

6 甲乙类传染病报告发病率（/10万）
（含新发疾病

225.0）
≤170 预期性

7 职工医保政策范围内住院费用基金支付比例（%） 82.3 保持稳定 预期性

8 健康服务业总规模（亿元） 12.5
年均增
长 8% 预期性

注：规划目标均为期末值。

二、重点任务
"""


def test_flattened_lines_of_a_pdf_are_rows_again() -> None:
    rows = table(FLATTENED)
    assert [brief(one) for one in rows] == [
        ("人均预期寿命", "岁", 76.8, ">=", 77.8),
        ("人均健康预期寿命", "岁", None, "rise", None),
        ("孕产妇死亡率", "1/10万", 9.8, "<", 10.0),
        ("30-70岁人群因心脑血管疾病、癌症、慢性呼吸系统疾病和糖尿病导致的过早死亡率", "%", 14.4, "<=", 13.0),
        ("孕产妇系统管理率和3岁以下儿童系统管理率", "%", 91.0, ">", 90.0),
        ("甲乙类传染病报告发病率", "/10万", 225.0, "<=", 170.0),
        ("职工医保政策范围内住院费用基金支付比例", "%", 82.3, None, None),
        ("健康服务业总规模", "亿元", 12.5, "grow", 8.0),
    ]
    assert [one.category for one in rows] == ["健康水平"] * 4 + ["健康服务"] * 4
    assert "保持稳定" in rows[6].note
    assert (rows[3].from_line, rows[3].to_line) == (17, 21)


def test_cells_of_a_copied_web_page_are_rows_again() -> None:
    gap = "\n\n\u00a0\u2002\u00a0\n\n"
    cells = ["类别", "指  标\n\n名  称", "2020年\n\n高新区现状", "2025年\n\n高新区目标值", "2025年云州市目标值", "指标\n\n属性"]
    cells += ["健康\n\n水平\n\n(2个)", "婴儿死亡率(‰)", "0.9", "≤2.5", "≤3.0", "预期性"]
    cells += ["高血压、糖尿病患者规范管理率(%)", "70.6;\n\n69.1", "78", "75", "预期性"]
    rows = table("云州高新区卫生健康“十四五”规划\n\n一、目标\n\n" + gap.join(cells) + gap + "\n\n第二章 任务\n")
    assert [brief(one) for one in rows] == [
        ("婴儿死亡率", "‰", 0.9, "<=", 2.5),
        ("高血压患者规范管理率", "%", 70.6, ">=", 78.0),
        ("糖尿病患者规范管理率", "%", 69.1, ">=", 78.0),
    ]
    assert [(other.scope, other.value, other.op) for other in rows[0].others] == [("云州市", 3.0, "<=")]
    assert {one.category for one in rows} == {"健康水平"}


def test_merged_heads_and_a_table_cut_by_a_page_of_word() -> None:
    rows = table(paper.word_with_merged_head(), "plan.docx")
    assert [brief(one) for one in rows] == [
        ("人均预期寿命", "岁", 79.2, ">=", 80.1),
        ("5岁以下儿童死亡率", "‰", 3.9, "<=", 3.8),
        ("每千人口医疗卫生机构床位数", "张", 6.9, ">=", 7.2),
        ("其中：护理床位", "张", 0.6, ">=", 0.9),
    ]
    assert [[(base.year, base.value) for base in one.bases] for one in rows][0] == [(2024, 78.9), (2025, 79.2)]
    assert [(other.scope, other.value) for other in rows[3].others] == [("全市", 1.0)]
    assert rows[3].parent == "每千人口医疗卫生机构床位数"
    assert [one.category for one in rows] == ["健康水平", "健康水平", "卫生资源", "卫生资源"]


HTML = """<!DOCTYPE html><html><head><title>x</title><script>var a = 1;</script></head><body>
<h1>南桥县“十五五”卫生健康规划</h1><p>一、目标</p>
<table><tr><td rowspan="2">序号</td><td rowspan="2">指标名称</td><td rowspan="2">单位</td><td colspan="3">目标值</td><td rowspan="2">牵头单位</td></tr>
<tr><td>2025年(基期)</td><td>2028年</td><td>2030年</td></tr>
<tr><td colspan="7">一、健康水平</td></tr>
<tr><td>1</td><td>人均预期寿命</td><td>岁</td><td>80.1</td><td>80.5</td><td>81左右</td><td rowspan="2">县卫健局、县医保局</td></tr>
<tr><td>2</td><td>门诊次均费用增幅</td><td>%</td><td>5.2</td><td>&lt;5</td><td>&lt;5</td></tr>
</table></body></html>"""


def test_html_with_spans_intermediate_years_and_owners() -> None:
    life, cost = table(HTML, "plan.html")
    assert brief(life) == ("人均预期寿命", "岁", 80.1, "=", 81.0)
    assert (life.base_year, life.target_year, life.category) == (2025, 2030, "健康水平")
    assert [(other.year, other.value, other.op) for other in life.others] == [(2028, 80.5, ">=")]
    assert brief(cost) == ("门诊次均费用增幅", "%", 5.2, "<", 5.0)
    assert cost.owners == ("县卫健局", "县医保局")
    lines = read_document(HTML.encode(), "plan.html").lines
    assert "门诊次均费用增幅" in lines[cost.from_line - 1]


def test_html_tables_inside_markdown_stand_at_their_lines() -> None:
    text = "# 东岭区“十五五”卫生规划\n\n" + HTML[HTML.index("<table") : HTML.index("</body")]
    rows = table(text, "plan.md")
    assert [(one.name, one.from_line) for one in rows] == [("人均预期寿命", 6), ("门诊次均费用增幅", 7)]


MARKDOWN = """# 东岭区“十四五”健康规划

| 序号 | **指标** | 单位 | 2020年 | 2022年目标 | 2025年目标 | 2025年全市目标 |
|:--:|---|---|--:|--:|--:|--:|
| 1 | 甲乙类法定传染病报告发病率 | 1/10万 | 180.3 | <175 | <170 | <165 |
| 2 | 其中：病毒性肝炎报告发病率 | 1/10万 | 60.2 |  | $\\leq 55$ |  |
| 3 | 家庭医生签约服务覆盖率 | % | 38.0\\* | —— | ≥45 | — |
| 4 | 新增床位数 | 张 | １，０００ | 1,500 | 2,000 | - |

注：标“\\*”为快报数，以国家最终核定为准。
"""


def test_markdown_pipes_with_formula_marks_and_footnotes() -> None:
    incidence, hepatitis, contract, beds = table(MARKDOWN, "plan.md")
    assert brief(incidence) == ("甲乙类法定传染病报告发病率", "1/10万", 180.3, "<", 170.0)
    assert [(other.year, other.scope, other.value) for other in incidence.others] == [(2022, None, 175.0), (2025, "全市", 165.0)]
    assert (hepatitis.parent, hepatitis.target_op, hepatitis.target_value, hepatitis.others) == (incidence.name, "<=", 55.0, ())
    assert "快报数" in contract.note
    assert (beds.base_value, beds.target_value) == (1000.0, 2000.0)


def test_a_text_pdf_reads_like_its_lines_and_a_spaced_layout_too() -> None:
    lines = FLATTENED.replace("＜", "<").replace("＞", ">").split("\n")
    from_pdf = table(paper.pdf_of([line for line in lines if line]), "plan.pdf")
    assert [brief(one) for one in from_pdf] == [brief(one) for one in table("\n".join(lines))]
    spaced = """北山县卫生健康事业发展“十四五”规划

类别        指标名称                              2019年     2020年     2025年           属性
健康水平    人均期望寿命（岁）                      77.10      77.32      78.50          预期性
公共卫生    儿童青少年总体近视率（％）              -          54.0       力争降至50以下   约束性
            公立医院平均住院日（天）                8.9        8.7        8.5左右         预期性
"""
    rows = table(spaced)
    assert [brief(one) for one in rows] == [
        ("人均期望寿命", "岁", 77.32, ">=", 78.5),
        ("儿童青少年总体近视率", "%", 54.0, "<=", 50.0),
        ("公立医院平均住院日", "天", 8.7, "=", 8.5),
    ]
    assert [one.category for one in rows] == ["健康水平", "公共卫生", "公共卫生"]


def test_a_past_table_is_told_from_the_plan_itself() -> None:
    text = """西川县卫生健康发展“十四五”规划
一、发展基础
表1 “十三五”主要指标完成情况
指标	“十三五”规划目标值	2020年完成情况
人均预期寿命（岁）	77.8	77.2
婴儿死亡率（‰）	≤4	3.3
二、发展目标
表2 “十四五”主要指标
指标	2020年	2025年
人均预期寿命（岁）	77.2	78.4
"""
    rows = table(text)
    assert [(one.period, one.target_year, one.base_value, one.target_value) for one in rows] == [
        ("past", 2020, 77.2, 77.8),
        ("past", 2020, 3.3, 4.0),
        ("current", 2025, 77.2, 78.4),
    ]


def test_a_value_may_carry_its_own_year_and_a_bracket_the_second_base() -> None:
    text = """西川县卫生健康发展“十四五”规划
指标	2019年（2020年）	2025年
每千人口托位数（个）	1.8（2021年）	4.5
婴儿死亡率（‰）	2.31（1.8）	≤2.5
孕产妇死亡率（/10万）	（8.1）	≤9
医疗机构满意度（%）	——	90
"""
    places, infant, mother, content = table(text)
    assert [(base.year, base.value) for base in places.bases] == [(2021, 1.8)]
    assert [(base.year, base.value) for base in infant.bases] == [(2019, 2.31), (2020, 1.8)]
    assert [(base.year, base.value) for base in mother.bases] == [(2020, 8.1)]
    assert (content.base_value, content.sure) == (None, True)


def test_a_row_with_a_missing_cell_is_read_and_marked_as_a_guess() -> None:
    rows = table("西川县“十四五”卫生规划\n指标名称 2020年 2025年\n居民满意度（%） 150\n个人卫生支出占比（%） ≤25\n婴儿死亡率（‰） 3.1 ≤3\n")
    assert [(one.base_value, one.target_value, one.sure) for one in rows] == [(None, 150.0, False), (None, 25.0, True), (3.1, 3.0, True)]
    assert rows[0].reasons


def test_serial_and_unit_columns_with_a_pace_column_between_target_and_kind() -> None:
    text = """凤鸣县“十四五”卫生健康事业发展规划
表1  “十三五”卫生健康主要指标完成情况
序号  指标  单位  2015年  2020年目标  2020年完成
1  人均预期寿命  岁  75.1  76.5  76.8
表2  “十四五”卫生健康主要指标
序号  指标  单位  2020年  2025年  年均增速（%）  属性
1  人均预期寿命  岁  76.8  77.8  [1]  预期性
2  孕产妇死亡率  /10万  9.6  ≤9  —  约束性
3  每千人口执业（助理）医师数  人  2.2  3.0  6.4  预期性
"""
    past, life, mothers, doctors = table(text)
    assert (past.period, past.base_value, past.target_value) == ("past", 76.8, 76.5)
    assert brief(life) == ("人均预期寿命", "岁", 76.8, ">=", 77.8)
    assert brief(mothers) == ("孕产妇死亡率", "/10万", 9.6, "<=", 9.0)
    assert brief(doctors) == ("每千人口执业（助理）医师数", "人", 2.2, ">=", 3.0)
    assert "6.4" in doctors.note


def test_a_name_cut_by_its_values_and_a_category_beside_the_rows() -> None:
    text = """云岭市“十四五”卫生健康规划
指标名称 2020年实际 2025年目标 属性
30-70岁人群因心脑血管疾病、癌症、慢
性呼吸系统疾病和糖尿病导致的过早死 14.4 ≤13 预期性
亡率（%）
每千人口托位数（个） 1.8 4.5 预期性
健康 婴儿死亡率（‰） 3.1 ≤5 预期性
水平 孕产妇死亡率（/10万） 12 ≤10 约束性
某病疫情 低流行水平 低流行水平 预期性
第三章 重点任务
"""
    rows = table(text)
    assert [brief(one) for one in rows] == [
        ("30-70岁人群因心脑血管疾病、癌症、慢性呼吸系统疾病和糖尿病导致的过早死亡率", "%", 14.4, "<=", 13.0),
        ("每千人口托位数", "个", 1.8, ">=", 4.5),
        ("婴儿死亡率", "‰", 3.1, "<=", 5.0),
        ("孕产妇死亡率", "/10万", 12.0, "<=", 10.0),
        ("某病疫情", None, None, None, None),
    ]
    assert [one.category for one in rows[2:4]] == ["健康水平", "健康水平"]


ONE_CELL_A_LINE = """附件1
石桥市“十四五”卫生健康事业发展规划主要指标
类别
序号
指标名称
2020年
2025年
指标性质
责任单位
健康
水平
（3）
1
人均预期寿命（岁）
78.1
79
预期性
市卫健委
2
孕产妇死亡率
（/10万）
5.2
≤8
约束性
市卫健委
市妇联
3
婴儿死亡率（‰）
2.1
≤4
约束性
市卫健委
资源
配置
（2）
4
每千人口医疗卫生机构床位数
（张）
6.2
7.1
预期性
市发改委、市卫健委
5
其中：每千人口公立医院床位数（张）
3.9
4.2
预期性
市卫健委
注：带*为国家考核指标。
"""


def test_one_cell_a_line_with_broken_categories_counts_and_two_owners() -> None:
    rows = table(ONE_CELL_A_LINE)
    assert [brief(one) for one in rows] == [
        ("人均预期寿命", "岁", 78.1, ">=", 79.0),
        ("孕产妇死亡率", "/10万", 5.2, "<=", 8.0),
        ("婴儿死亡率", "‰", 2.1, "<=", 4.0),
        ("每千人口医疗卫生机构床位数", "张", 6.2, ">=", 7.1),
        ("其中：每千人口公立医院床位数", "张", 3.9, ">=", 4.2),
    ]
    assert [one.category for one in rows] == ["健康水平"] * 3 + ["资源配置"] * 2
    assert [one.owners for one in rows[1:4]] == [("市卫健委", "市妇联"), ("市卫健委",), ("市发改委", "市卫健委")]


GROUPED = """石桥市“十四五”卫生健康事业发展规划

主要指标
指标 单位 2020年基期值 2025年目标值 属性
一、健康水平
1．人均期望寿命 岁 78.1 79.0 预期性
2．孕产妇死亡率 1/10万 5.2 ≤8 约束性
二、卫生资源
3．每千常住人口执业（助理）医师数 人 2.8 3.3 预期性
4．每千常住人口注册护士数 人 3.1 3.9 预期性
三、中医药
5．二级以上公立综合医院设置中医科的比例 ％ 90 100 预期性
6．以县为单位中医馆覆盖率 % 95 100 预期性

一、规划背景
（一）发展基础
到2020年底，全市每千常住人口注册护士数3.1人。
"""


def test_headings_inside_a_broken_table_name_its_groups() -> None:
    rows = table(GROUPED)
    assert [brief(one) for one in rows] == [
        ("人均期望寿命", "岁", 78.1, ">=", 79.0),
        ("孕产妇死亡率", "1/10万", 5.2, "<=", 8.0),
        ("每千常住人口执业（助理）医师数", "人", 2.8, ">=", 3.3),
        ("每千常住人口注册护士数", "人", 3.1, ">=", 3.9),
        ("二级以上公立综合医院设置中医科的比例", "%", 90.0, ">=", 100.0),
        ("以县为单位中医馆覆盖率", "%", 95.0, ">=", 100.0),
    ]
    assert [one.category for one in rows] == ["健康水平"] * 2 + ["卫生资源"] * 2 + ["中医药"] * 2


def test_a_part_takes_unit_and_direction_from_its_whole() -> None:
    text = "安岭县“十四五”规划\n指标\t2020年\t2025年\n每千人口注册护士数（人）\t2.1\t≥3\n其中：乡镇\t——\t1.2\n"
    _, part = table(text)
    assert (part.name, part.parent, part.unit, part.target_op) == ("其中：乡镇", "每千人口注册护士数", "人", ">=")
    assert "上级指标" in part.note
