"""The evaluation of a plan as a Word document."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import docx
from docx.oxml.ns import qn
from docx.shared import Pt

from xinglin.modules.plan.living.evaluation import Entry, Evaluation
from xinglin.modules.plan.living.standing import BEHIND, NO_VALUE, ON_TRACK, REACHED

_FONT: Final = "宋体"
_WORDS: Final = {
    "zh": {
        "missing": "一、缺项", "none": "没有缺项。", "table": "二、指标完成情况", "reached": "三、已达到的指标", "open": "四、没有达到的指标和原因",
        "tasks": "五、任务", "evidence": "六、依据", "nothing": "没有。", "late": "已过期",
        "heads": ("号", "指标", "基期", "目标", "现值", "状态", "责任单位"), "task_heads": ("任务", "责任单位", "状态", "依据"),
        REACHED: "已达到", ON_TRACK: "按进度", BEHIND: "落后", NO_VALUE: "无数值", "open_task": "未开始", "doing": "进行中", "done": "完成", "stuck": "受阻",
    },
    "en": {
        "missing": "1. Missing items", "none": "Nothing is missing.", "table": "2. The indicators", "reached": "3. Reached", "open": "4. Not reached, and why",
        "tasks": "5. Tasks", "evidence": "6. Evidence", "nothing": "None.", "late": "late",
        "heads": ("No.", "Indicator", "Base", "Target", "Value", "State", "Responsible"), "task_heads": ("Task", "Responsible", "State", "Evidence"),
        REACHED: "reached", ON_TRACK: "on track", BEHIND: "behind", NO_VALUE: "no value", "open_task": "not begun", "doing": "under way", "done": "done", "stuck": "stuck",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imprint:
    """What stands on every copy. watermark: who made it and when; of a demonstration also that the data are invented."""

    language: str
    watermark: str


def evaluation_docx(report: Evaluation, imprint: Imprint) -> bytes:
    """Return the report as the bytes of a .docx: missing items first, table, reached, not reached and why, tasks, evidence by number."""
    words: dict[str, Any] = _WORDS[imprint.language]
    language = imprint.language
    document = docx.Document()
    _dress(document, imprint)
    document.add_heading(f"{report.plan}", 0)
    document.add_heading(report.title.say(language), 1)
    document.add_paragraph(report.summary.say(language))
    document.add_heading(words["missing"], 2)
    for missing in report.missing:
        names = ("：" if language == "zh" else ": ") + ("、" if language == "zh" else ", ").join(missing.names) if missing.names else ""
        document.add_paragraph(missing.what.say(language) + names, style="List Bullet")
    if not report.missing:
        document.add_paragraph(words["none"])
    document.add_heading(words["table"], 2)
    rows = [(str(one.number), one.name, one.base, one.target, one.value, words[one.state], one.owner) for one in report.entries]
    _table(document, words["heads"], rows)
    _section(document, words, language, ("reached", report.of(REACHED)))
    _section(document, words, language, ("open", report.of(BEHIND, ON_TRACK)))
    document.add_heading(words["tasks"], 2)
    tasks = [(one.words, one.owner, _task_state(words, one.state, one.is_late), one.evidence) for one in report.tasks]
    _table(document, words["task_heads"], tasks)
    document.add_heading(words["evidence"], 2)
    for one in report.entries:
        if one.evidence.zh:
            document.add_paragraph(f"[{one.number}] {one.name}{'：' if language == 'zh' else ': '}{one.evidence.say(language)}")
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def _task_state(words: dict[str, Any], state: str, is_late: bool) -> str:
    told: str = words.get("open_task" if state == "open" else state, state)
    return f"{told} · {words['late']}" if is_late else told


def _section(document: Any, words: dict[str, Any], language: str, told: tuple[str, Sequence[Entry]]) -> None:
    name, entries = told
    document.add_heading(words[name], 2)
    for one in entries:
        document.add_paragraph(f"[{one.number}] {one.name}{'：' if language == 'zh' else ': '}{one.why.say(language)}", style="List Bullet")
    if not entries:
        document.add_paragraph(words["nothing"])


def _table(document: Any, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = document.add_table(rows=1, cols=len(heads), style="Table Grid")
    for cell, head in zip(table.rows[0].cells, heads, strict=True):
        cell.paragraphs[0].add_run(head).bold = True
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


def _dress(document: Any, imprint: Imprint) -> None:
    """Set a Chinese font, and put the watermark's words into head and foot of every page."""
    style = document.styles["Normal"]
    style.font.name, style.font.size = _FONT, Pt(10.5)
    style.element.rPr.rFonts.set(qn("w:eastAsia"), _FONT)
    document.sections[0].header.paragraphs[0].text = imprint.watermark
    document.sections[0].footer.paragraphs[0].text = imprint.watermark
