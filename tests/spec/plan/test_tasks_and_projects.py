"""Tasks with hierarchy and responsible units, project tables in every layout, boxes, footnotes, coverage."""

from __future__ import annotations

import pytest

from xinglin.modules.plan.reading import Reading, read_document

PLAN = """河东县“十四五”卫生健康规划

一、发展目标

到2025年，体系更加完善。

二、重点任务

（一）织牢公共卫生防护网

1.改革疾控体系。推进县疾控中心建设，配强人员。（责任单位：县卫健局、县委编办）

2.健全应急体系

完善预案。组建队伍5支。

牵头单位：县卫健局；配合单位：县应急局、县财政局。

专栏1 公共卫生补短板工程

01 实验室提升：建成达标实验室2个。

02 急救站点：新增急救站点6个。

（二）发展中医药

推广适宜技术。建设中医馆10个。（县卫健局牵头，县医保局配合）

专栏3 中医药项目

县中医院迁建项目。总投资1.2亿元，建筑面积2万平方米，设置床位300张。

三、保障措施

（一）加强领导。落实责任。
"""


def read(text: str, filename: str = "plan.txt") -> Reading:
    return read_document(text.encode(), filename)


def test_tasks_keep_hierarchy_sentence_units_and_lines() -> None:
    tasks = {task.title: task for task in read(PLAN).tasks}
    reform = tasks["改革疾控体系"]
    assert (reform.number, reform.level, reform.path) == ("1.", 3, ("重点任务", "织牢公共卫生防护网"))
    assert reform.owners == ("县卫健局", "县委编办")
    assert reform.text == "推进县疾控中心建设，配强人员。"
    assert (reform.from_line, reform.to_line) == (11, 11)
    assert tasks["健全应急体系"].owners == ("县卫健局", "县应急局", "县财政局")
    assert tasks["推广适宜技术"].owners == ("县卫健局", "县医保局")
    assert "体系更加完善" not in tasks
    assert tasks["加强领导"].path == ("保障措施",)
    assert tasks["急救站点"].box == "专栏1公共卫生补短板工程"


def test_boxes_keep_their_items_and_a_gap_in_numbers_is_told() -> None:
    reading = read(PLAN)
    assert [(box.number, box.title, len(box.items), box.from_line) for box in reading.boxes] == [
        ("1", "公共卫生补短板工程", 2, 19),
        ("3", "中医药项目", 1, 29),
    ]
    assert reading.boxes[0].items[1] == ("02", "急救站点", "新增急救站点6个。")
    assert [finding.rule for finding in reading.findings] == ["box-number-order"]


def test_a_project_in_a_box_is_a_project_and_no_target() -> None:
    reading = read(PLAN)
    (project,) = reading.projects
    assert (project.name, project.beds, project.investment_10k_yuan, project.nature, project.from_line) == (
        "县中医院迁建项目",
        300,
        12000,
        "迁建",
        31,
    )
    assert not [one for one in reading.indicators if "投资" in one.name or "面积" in one.name]


ROWS = [
    ("1", "河东县人民医院二期建设项目", "河东县卫健局", "新建", "2023", "300", "100"),
    ("2", "河东县中医院康复大楼", "河东县中医医院", "扩建", "2024", "150", "60"),
]
HEAD = ("序号", "项目名称", "项目单位", "建设性质", "开工时间", "拟新增床位数（张）", "其中：可转化床位数（张）")


def flattened() -> str:
    lines = ["序号 项目名称 项目单位", "建设", "性质", "开工", "时间", "拟新增", "床位数（张）", "其中：可转化", "床位数（张）"]
    for number, name, unit, nature, year, beds, more in ROWS:
        lines += [number, name[:6], name[6:], unit[:4], unit[4:], f"{nature} {year} {beds} {more}"]
    return "\n\n".join(lines)


@pytest.mark.parametrize(
    "table",
    [
        "\n".join("\t".join(row) for row in (HEAD, *ROWS)),
        "\n".join("| " + " | ".join(row) + " |" for row in (HEAD, ("---",) * 7, *ROWS)),
        flattened(),
    ],
    ids=["tabs", "pipes", "flattened"],
)
def test_a_project_table_reads_alike_in_every_layout(table: str) -> None:
    reading = read(f"河东县“十四五”卫生健康规划\n\n重大项目\n\n{table}\n\n附件\n\n重大项目\n\n{table}\n")
    assert [(one.name, one.unit, one.nature, one.start_year, one.beds, one.convertible_beds) for one in reading.projects] == [
        ("河东县人民医院二期建设项目", "河东县卫健局", "新建", 2023, 300, 100),
        ("河东县中医院康复大楼", "河东县中医医院", "扩建", 2024, 150, 60),
    ]
    assert all(len(one.copies) == 1 for one in reading.projects)
    assert [finding.rule for finding in reading.findings] == ["project-table-twice"]
    assert not reading.indicators


def test_footnotes_are_kept_and_bound_to_their_marks() -> None:
    text = "河东县“十四五”规划\n\n指标	2020年	2025年\n个人卫生支出占比（%）	29.4*	≤27\n签约率（%）▲	70	80\n\n注：标“*”数据以国家有关部门最后确定为准。\n\n▲为约束性指标。\n"
    reading = read(text)
    spending, contracts = reading.indicators
    assert "最后确定为准" in spending.note
    assert contracts.kind == "binding"
    assert [(note.mark, note.from_line) for note in reading.footnotes] == [("*", 7), ("▲", 9)]


def test_coverage_tells_of_every_number_what_became_of_it() -> None:
    text = "河东县“十四五”规划\n\n一、发展基础\n\n建档率达到96%。\n\n指标	2020年	2025年\n30-70岁人群过早死亡率（%）	14.4	≤13\n\n二、任务\n\n完善制度7。\n"
    coverage = read(text).coverage
    unused = {(use.line, use.text): use.reason for use in coverage.unused}
    assert coverage.total == coverage.used + len(coverage.unused)
    assert coverage.used == 2
    assert "过去" in unused[(5, "达到96%")]
    assert "年份" in unused[(7, "2020")]
    assert "名称" in unused[(8, "30")]
    assert any(line == 12 for line, _ in unused)
