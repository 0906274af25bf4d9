"""What a document declares itself is used: headings of Word, HTML and Markdown, layout tables, footnotes, years of a path."""

from __future__ import annotations

import io
import zipfile

import docx
import pytest

from xinglin.modules.plan.reading import read_document

from . import paper


def test_word_headings_without_numbers_make_the_hierarchy() -> None:
    document = docx.Document()
    document.add_heading("青山县“十四五”卫生健康规划", 0)
    document.add_heading("发展基础", 1)
    document.add_paragraph("全县建档率达到96%。")
    document.add_heading("重点任务", 1)
    document.add_heading("强化公共卫生", 2)
    document.add_paragraph("到2025年，法定传染病报告率达到98%以上。（责任单位：县卫健局）")
    reading = read_document(paper.saved(document), "plan.docx")
    assert [(one.name, one.target_value, one.owners) for one in reading.indicators] == [("法定传染病报告率", 98, ("县卫健局",))]
    assert [(task.title, task.path) for task in reading.tasks][:2] == [("重点任务", ()), ("强化公共卫生", ("重点任务",))]
    assert [fact.name for fact in reading.facts] == ["建档率"]


def test_markdown_and_html_headings_without_numbers_do_too() -> None:
    markdown = "# 青山县“十四五”卫生健康规划\n\n## 发展基础\n\n全县建档率达到96%。\n\n## 重点任务\n\n### 强化公共卫生\n\n到2025年，报告率达到98%。\n"
    html = "<h1>青山县“十四五”卫生健康规划</h1><h2>发展基础</h2><p>全县建档率达到96%。</p><h2>重点任务</h2><h3>强化公共卫生</h3><p>到2025年，报告率达到98%。</p>"
    for text, name in ((markdown, "plan.md"), (html, "plan.html")):
        reading = read_document(text.encode(), name)
        assert [one.name for one in reading.indicators] == ["报告率"]
        assert [(task.title, task.path) for task in reading.tasks] == [("重点任务", ()), ("强化公共卫生", ("重点任务",))]


def test_an_html_page_laid_out_by_tables_keeps_text_and_inner_table() -> None:
    page = """<html><body><table width="100%"><tr><td><a href="/">首页</a></td></tr><tr><td>
    <p>青山县“十四五”卫生健康规划</p><p>一、发展目标</p>
    <table><tr><td>指标</td><td>2020年</td><td>2025年</td></tr><tr><td>婴儿死亡率（‰）</td><td>3.1</td><td>≤3</td></tr></table>
    <p>二、重点任务</p><p>（一）强基层。到2025年，建成社区医院3个。</p></td></tr></table></body></html>"""
    reading = read_document(page.encode(), "plan.htm")
    assert [(one.name, one.target_value, one.origin) for one in reading.indicators] == [("婴儿死亡率", 3, "table"), ("社区医院", 3, "text")]
    assert [reading.lines[one.from_line - 1].startswith(("婴儿", "（一）")) for one in reading.indicators] == [True, True]
    assert reading.plans[0].title == "青山县“十四五”卫生健康规划"


def test_footnotes_of_word_come_to_the_rows_that_carry_their_mark() -> None:
    document = docx.Document()
    document.add_paragraph("青山县“十四五”卫生健康规划")
    table = document.add_table(2, 3)
    for row, cells in zip(table.rows, [["指标", "2020年", "2025年"], ["个人卫生支出占比（%）", "29.4MARK", "≤27"]], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    notes = (
        f'<w:footnotes {space}><w:footnote w:id="2"><w:p><w:r><w:t>快报数，以国家确定为准。</w:t></w:r></w:p></w:footnote></w:footnotes>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(paper.saved(document))) as source, zipfile.ZipFile(out, "w") as target:
        for member in source.namelist():
            data = source.read(member)
            if member == "word/document.xml":
                data = data.replace(b"29.4MARK</w:t>", b'29.4</w:t></w:r><w:r><w:footnoteReference w:id="2"/>')
            target.writestr(member, data)
        target.writestr("word/footnotes.xml", notes)
    reading = read_document(out.getvalue(), "plan.docx")
    (one,) = reading.indicators
    assert (one.base_value, one.target_value) == (29.4, 27)
    assert "快报数" in one.note
    assert [note.mark for note in reading.footnotes] == ["[2]"]


@pytest.mark.parametrize(
    ("years", "bases", "others"),
    [
        (["2020年", "2021年", "2022年", "2023年", "2024年", "2025年"], [2020], [2021, 2022, 2023, 2024]),
        (["2019年", "2020年", "2025年"], [2019, 2020], []),
        (["2020年", "2021年", "2025年"], [2020, 2021], []),
        (["2015年", "2020年", "2025年"], [2015, 2020], []),
        (["2020年", "2023年", "2025年"], [2020], [2023]),
        (["2020年", "2025年", "2030年"], [2020], [2030]),
        (["2020年", "2021年目标", "2025年目标"], [2020], [2021]),
        (["2020年基期", "2022年现状", "2025年目标"], [2020, 2022], []),
    ],
)
def test_years_of_a_head_are_bases_path_and_target(years: list[str], bases: list[int], others: list[int]) -> None:
    values = "\t".join(str(70 + place) for place in range(len(years)))
    text = "青山县“十四五”卫生健康规划\n指标\t" + "\t".join(years) + f"\n居民健康素养水平（%）\t{values}\n"
    (one,) = read_document(text.encode(), "plan.txt").indicators
    assert [base.year for base in one.bases] == bases
    assert [other.year for other in one.others] == others
    assert one.target_year == 2025


def test_a_three_year_plan_knows_its_own_first_year() -> None:
    text = "青山县健康行动计划（2025—2027年）\n一、目标\n2024年，签约率达到71%。到2027年，签约率达到80%。\n"
    reading = read_document(text.encode(), "plan.txt")
    assert [(one.name, one.target_value, one.target_year) for one in reading.indicators] == [("签约率", 80, 2027)]
    assert (reading.plans[0].start, reading.plans[0].horizon) == (2025, 2027)


def test_a_unit_in_the_middle_of_a_name_is_taken_out() -> None:
    text = "青山县“十四五”规划\n指标\t2020年\t2025年\n每千人口床位数（张）（含护理床位）\t5.6\t6.6\n"
    (one,) = read_document(text.encode(), "plan.txt").indicators
    assert (one.name, one.unit) == ("每千人口床位数（含护理床位）", "张")
