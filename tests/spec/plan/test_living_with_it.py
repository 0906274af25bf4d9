"""From an invented document to the report: each rule of living with a plan, by example."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import docx
from docx.oxml.ns import qn

from xinglin.modules.plan.living import (
    COMPUTED,
    MID_TERM,
    Counted,
    Judged,
    Material,
    Observed,
    ProjectLine,
    Subject,
    TaskLine,
    evaluate,
    is_counted,
    known_measure,
    read_corrected,
    rows_of,
    same_rows,
    view_of,
)
from xinglin.modules.plan.report import Imprint, evaluation_docx

TODAY = date(2026, 11, 22)
DOCUMENT = """松原县“十五五”卫生健康规划

一、发展目标

类别\t指标\t2024年\t2025年\t2030年\t属性
健康水平\t人均预期寿命（岁）\t78.0\t78.4\t80.0\t预期性
健康服务\t65岁及以上老年人健康管理率（%）\t58\t60\t≥75\t预期性
\t管理人群高血压控制率（%）\t50\t52\t≥60\t预期性

二、主要任务

（一）强基层。加强乡镇卫生院建设。（责任单位：县卫生健康局）
"""


def read(text: str = DOCUMENT) -> dict[str, dict[str, Any]]:
    """Return the rows of a document by name."""
    found = rows_of(read_corrected(text.encode(), "plan.txt", []), 0)
    return {data["name"]: data for _, data in found["indicators"]}


def share(numerator: int, denominator: int, day: date = TODAY) -> Observed:
    return Observed(day, numerator / denominator * 100, Counted(numerator, denominator))


def test_every_row_of_a_table_with_a_target_is_counted_and_the_keys_hold() -> None:
    reading = read_corrected(DOCUMENT.encode(), "plan.txt", [])
    rows = read()
    assert rows and all(is_counted(data) for data in rows.values())
    moved = read_corrected(("前言\n\n" + DOCUMENT).encode(), "plan.txt", [])
    assert [key for key, _ in rows_of(reading, 0)["tasks"]] == [key for key, _ in rows_of(moved, 0)["tasks"]]


def test_a_correction_is_laid_over_every_re_read() -> None:
    key = next(
        key for key, data in rows_of(read_corrected(DOCUMENT.encode(), "plan.txt", []), 0)["indicators"] if data["name"] == "人均预期寿命"
    )
    corrected = read_corrected(DOCUMENT.encode(), "plan.txt", [{"fingerprint": key, "action": "change", "changes": {"target_value": 80.5}}])
    assert dict(rows_of(corrected, 0)["indicators"])[key]["target_value"] == 80.5


def test_rows_of_two_versions_are_the_same_by_name_even_where_a_number_changed() -> None:
    before, now = (read_corrected(text.encode(), "plan.txt", []) for text in (DOCUMENT, DOCUMENT.replace("≥75", "≥78")))
    same = same_rows(before, now, (0, 0))
    names = {one.fingerprint: one.name for one in (*before.indicators, *now.indicators)}
    assert len(same) == 3
    assert all(names[one] == names[other] for one, other in same.items())


def test_a_measure_behind_its_path_says_how_many_residents_are_missing() -> None:
    data = read()["65岁及以上老年人健康管理率"]
    view = view_of(data, Material([share(3100, 5000)], COMPUTED, {}, 100.0, known_measure("elderly-health-management-rate")), TODAY)
    assert (view.standing.state, view.missing) == ("behind", 650)
    assert view.gap_words.zh == "还需多体检 650 位 65 岁以上居民"
    assert view.forecast_words.zh.startswith("只有 0 个值")


def test_a_path_of_the_district_changes_the_judgement_and_not_the_target() -> None:
    data = read()["65岁及以上老年人健康管理率"]
    lenient = view_of(data, Material([share(3100, 5000)], COMPUTED, {2026: 61.0}, 100.0, None), TODAY)
    assert lenient.standing.state == "on_track"
    assert lenient.target is not None
    assert lenient.target.value == 75.0


def report(language: str = "zh") -> Any:
    rows = read()
    elderly = view_of(rows["65岁及以上老年人健康管理率"], Material([share(3900, 5000)], COMPUTED, {}, 100.0, None), TODAY)
    control = view_of(rows["管理人群高血压控制率"], Material([share(500, 1000)], COMPUTED, {}, 100.0, None), TODAY)
    life = view_of(rows["人均预期寿命"], Material([]), TODAY)
    judged = [
        Judged(rows["人均预期寿命"], life, ""),
        Judged(rows["65岁及以上老年人健康管理率"], elderly, "县卫生健康局", "健康管理率（规范）"),
        Judged(rows["管理人群高血压控制率"], control, "", "血压控制率（规范）", reason="县医院设备未到位"),
    ]
    subject = Subject(MID_TERM, "松原县规划", TODAY, 2, ["存疑行"], (2021, 2025), "2023-12-31", "县项目办")
    tasks = [
        TaskLine("强基层", "县卫生健康局", "open", "", True),
        TaskLine("慢病", "县医院", "doing", "", False, "管理人群高血压控制率达到70%"),
    ]
    return evaluate(subject, judged, tasks, [ProjectLine("门诊楼", "县医院", 1, 2, "封顶 2024-06-30", False)])


def test_the_report_tells_what_is_missing_what_was_reached_and_what_not_and_why() -> None:
    made = report()
    assert {key: made.counts[key] for key in ("all", "reached", "behind", "no_value", "computed")} == {
        "all": 3,
        "reached": 1,
        "behind": 1,
        "no_value": 1,
        "computed": 2,
    }
    missing = {one.what.zh: list(one.names) for one in made.missing}
    assert missing["没有数值的指标"] == ["人均预期寿命"]
    assert missing["读取时存疑、还没有人确认的行"] == ["存疑行"]
    assert missing["没有完成也没有写依据的任务"] == ["强基层", "慢病"]
    assert "文件里 2 处不一致没有处理" in missing
    assert [one.name for one in made.of("reached")] == ["65岁及以上老年人健康管理率"]
    behind = made.of("behind")[0]
    assert "比路径当日" in behind.why.zh
    assert "500 ÷ 1,000" in behind.evidence.zh
    assert ([task.words for task in behind.tasks], behind.reason) == (["慢病"], "县医院设备未到位")
    assert "已过" in {name.zh: value.zh for name, value in made.facts}["规划期"]
    assert sum(row["all"] for _, row in made.by_category()) == 3


def test_the_word_document_begins_with_what_is_missing_in_both_languages() -> None:
    for language, first in (("zh", "一、缺项"), ("en", "1. Missing items")):
        document = docx.Document(io.BytesIO(evaluation_docx(report(), Imprint(language, "由测试导出"))))
        assert next(one.text for one in document.paragraphs if one.style.name == "Heading 2") == first
        table = next(one for one in document.tables if one.rows[0].cells[0].text in ("号", "No."))
        assert len(table.rows) == 4
        assert table.rows[0]._tr.trPr.find(qn("w:tblHeader")) is not None
        chapters = [one.text for one in document.paragraphs if one.style.name == "Heading 2"]
        assert [text[0] for text in chapters] == list("一二三四五六七" if language == "zh" else "1234567")
        text = "\n".join(one.text for one in document.paragraphs)
        assert "县医院设备未到位" in text and "门诊楼" in document.tables[-1].rows[1].cells[0].text
        assert document.sections[0].footer.paragraphs[0].text == "由测试导出"
