"""The evaluation of a plan as a Word document."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from xinglin.modules.plan.living.evaluation import Entry, Evaluation
from xinglin.modules.plan.living.standing import BEHIND, NO_VALUE, ON_TRACK, REACHED, STATES

_FONT, _HEAD_FONT = "宋体", "黑体"
_NUMERALS: Final = "一二三四五六七八九十"
_WIDTHS: Final = {"table": (1.0, 4.2, 1.5, 2.2, 2.4, 2.5, 1.5, 2.3), "category": (5.0, 2.2, 2.2, 2.2, 2.2, 2.2), "tasks": (6.4, 3.6, 2.2, 5.2), "projects": (6.0, 3.6, 2.2, 5.6)}  # fmt: skip
_WORDS: Final[dict[str, dict[str, Any]]] = {
    "zh": {
        "missing": "缺项", "none": "没有缺项。", "table": "指标完成情况", "met": "已达到的指标", "short": "没有达到的指标和原因", "behind_part": "落后的", "track_part": "按进度的",
        "tasks": "任务", "projects": "项目", "evidence": "依据", "nothing": "没有。", "late": "已过期", "colon": "：", "comma": "、", "category": "类别", "all": "合计", "uncategorised": "文中目标和未分类",
        "heads": ("号", "指标", "属性", "基期", "目标", "现值", "状态", "责任单位"), "task_heads": ("任务", "责任单位", "状态", "依据"), "project_heads": ("项目", "单位", "节点", "下一节点"),
        "reason": "原因和措施", "about": "有关任务", "binding": "约束性", "expected": "预期性", "count": "{n} 项", "caption": "表 {n}  {words}",
        "state": {REACHED: "已达到", ON_TRACK: "按进度", BEHIND: "落后", NO_VALUE: "无数值"},
        "task_state": {"open": "未开始", "doing": "进行中", "done": "完成", "stuck": "受阻"},
    },
    "en": {
        "missing": "Missing items", "none": "Nothing is missing.", "table": "The indicators", "met": "Reached", "short": "Not reached, and why", "behind_part": "Behind", "track_part": "On track",
        "tasks": "Tasks", "projects": "Projects", "evidence": "Evidence", "nothing": "None.", "late": "late", "colon": ": ", "comma": ", ", "category": "Category", "all": "All", "uncategorised": "In the text, or without a category",
        "heads": ("No.", "Indicator", "Kind", "Base", "Target", "Value", "State", "Responsible"), "task_heads": ("Task", "Responsible", "State", "Evidence"), "project_heads": ("Project", "Unit", "Milestones", "Next"),
        "reason": "Why and what is done", "about": "Tasks", "binding": "binding", "expected": "expected", "count": "{n}", "caption": "Table {n}. {words}",
        "state": {REACHED: "reached", ON_TRACK: "on track", BEHIND: "behind", NO_VALUE: "no value"},
        "task_state": {"open": "not begun", "doing": "under way", "done": "done", "stuck": "stuck"},
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Imprint:
    """What stands on every copy. watermark: who made it and when; of a demonstration also that the data are invented."""

    language: str
    watermark: str


def evaluation_docx(report: Evaluation, imprint: Imprint) -> bytes:
    """Return the report as the bytes of a .docx: missing items first, table, reached, not reached and why, tasks, projects, evidence by number."""
    return _Paper(report, imprint).made()


class _Paper:
    """A document being written, chapter by chapter."""

    def __init__(self, report: Evaluation, imprint: Imprint) -> None:
        self._report, self._language = report, imprint.language
        self._words = _WORDS[imprint.language]
        self._document = docx.Document()
        self._chapters = self._tables = 0
        self._dress(imprint)

    def made(self) -> bytes:
        """Return the finished document."""
        self._head()
        self._missing()
        self._indicators()
        self._reached()
        self._short()
        self._work()
        self._evidence()
        held = io.BytesIO()
        self._document.save(held)
        return held.getvalue()

    def _head(self) -> None:
        report = self._report
        for words, style in ((report.plan, "Title"), (report.title.say(self._language), "Subtitle")):
            self._document.add_paragraph(words, style=style).alignment = WD_ALIGN_PARAGRAPH.CENTER
        for name, value in report.facts:
            self._document.add_paragraph(
                f"{name.say(self._language)}{self._words['colon']}{value.say(self._language)}"
            ).paragraph_format.space_after = Pt(0)
        self._document.add_paragraph(report.summary.say(self._language)).paragraph_format.space_before = Pt(8)

    def _chapter(self, name: str) -> None:
        self._chapters += 1
        number = f"{_NUMERALS[self._chapters - 1]}、" if self._language == "zh" else f"{self._chapters}. "
        self._document.add_heading(f"{number}{self._words[name]}", 2)

    def _missing(self) -> None:
        self._chapter("missing")
        for one in self._report.missing:
            paragraph = self._document.add_paragraph(style="List Bullet")
            paragraph.add_run(one.what.say(self._language)).bold = True
            if one.names:
                paragraph.add_run(
                    f" ({self._words['count'].format(n=len(one.names))}){self._words['colon']}{self._words['comma'].join(one.names)}"
                )
        if not self._report.missing:
            self._document.add_paragraph(self._words["none"])

    def _indicators(self) -> None:
        self._chapter("table")
        states = [self._words["state"][state] for state in STATES]
        rows = [
            (name or self._words["uncategorised"], *(str(row[state]) for state in STATES), str(row["all"]))
            for name, row in self._report.by_category()
        ]
        if len(rows) > 1:
            self._table((self._words["category"], *states, self._words["all"]), rows, "category")
        told = [
            (
                str(one.number),
                one.name,
                self._words.get(one.kind, ""),
                one.base,
                one.target,
                one.value,
                self._words["state"][one.state],
                one.owner,
            )
            for one in self._report.entries
        ]
        self._table(self._words["heads"], told, "table")

    def _reached(self) -> None:
        self._chapter("met")
        self._entries(self._report.of(REACHED))

    def _short(self) -> None:
        self._chapter("short")
        for name, state in (("behind_part", BEHIND), ("track_part", ON_TRACK)):
            self._document.add_heading(self._words[name], 3)
            self._entries(self._report.of(state))

    def _entries(self, entries: Sequence[Entry]) -> None:
        colon = self._words["colon"]
        for one in entries:
            paragraph = self._document.add_paragraph(style="List Bullet")
            paragraph.add_run(f"[{one.number}] {one.name}").bold = True
            paragraph.add_run(f"{colon}{one.why.say(self._language)}")
            if one.reason:
                paragraph.add_run(f"\n{self._words['reason']}{colon}{one.reason}")
            if one.tasks:
                told = self._words["comma"].join(f"{task.words} ({self._task_state(task.state, task.is_late)})" for task in one.tasks)
                paragraph.add_run(f"\n{self._words['about']}{colon}{told}")
        if not entries:
            self._document.add_paragraph(self._words["nothing"])

    def _work(self) -> None:
        self._chapter("tasks")
        tasks = [(one.words, one.owner, self._task_state(one.state, one.is_late), one.evidence) for one in self._report.tasks]
        self._table(self._words["task_heads"], tasks, "tasks")
        if self._report.projects:
            self._chapter("projects")
            late = f" · {self._words['late']}"
            projects = [
                (one.name, one.owner, f"{one.done} / {one.all}" if one.all else "", f"{one.next}{late if one.is_late else ''}")
                for one in self._report.projects
            ]
            self._table(self._words["project_heads"], projects, "projects")

    def _evidence(self) -> None:
        self._chapter("evidence")
        told = [one for one in self._report.entries if one.evidence.zh]
        for one in told:
            paragraph = self._document.add_paragraph(f"[{one.number}] {one.name}{self._words['colon']}{one.evidence.say(self._language)}")
            paragraph.paragraph_format.space_after = Pt(2)
        if not told:
            self._document.add_paragraph(self._words["nothing"])

    def _task_state(self, state: str, is_late: bool) -> str:
        told: str = self._words["task_state"].get(state, state)
        return f"{told} · {self._words['late']}" if is_late else told

    def _table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], kind: str) -> None:
        """Add a table with a caption whose head stands again on every page; without rows, a sentence."""
        if not rows:
            self._document.add_paragraph(self._words["nothing"])
            return
        self._tables += 1
        caption = self._document.add_paragraph(self._words["caption"].format(n=self._tables, words=self._words[kind]), style="Caption")
        caption.paragraph_format.keep_with_next = True
        table = self._document.add_table(rows=1, cols=len(heads), style="Table Grid")
        table.autofit = False
        _fill(table.rows[0], heads, _WIDTHS[kind], is_bold=True)
        table.rows[0]._tr.get_or_add_trPr().append(_flag("w:tblHeader"))
        for row in rows:
            line = table.add_row()
            line._tr.get_or_add_trPr().append(_flag("w:cantSplit"))
            _fill(line, row, _WIDTHS[kind])
        self._document.add_paragraph().paragraph_format.space_after = Pt(2)

    def _dress(self, imprint: Imprint) -> None:
        """Set A4, Chinese fonts, and the watermark's words into head and foot of every page."""
        for name, font in (
            ("Normal", _FONT),
            *((f"Heading {level}", _HEAD_FONT) for level in (2, 3)),
            ("Title", _HEAD_FONT),
            ("Subtitle", _HEAD_FONT),
            ("Caption", _HEAD_FONT),
        ):
            style = self._document.styles[name]
            style.font.name, style.font.color.rgb = font, RGBColor(0, 0, 0)
            style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)
            for theme in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme"):
                style.element.rPr.rFonts.attrib.pop(qn(theme), None)
        self._document.styles["Normal"].font.size = Pt(10.5)
        self._document.styles["Title"].font.size = Pt(20)
        section = self._document.sections[0]
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(1.7)
        for part in (section.header, section.footer):
            part.paragraphs[0].text = imprint.watermark


def _flag(name: str) -> Any:
    found = OxmlElement(name)
    found.set(qn("w:val"), "true")
    return found


def _fill(row: Any, texts: Sequence[str], widths: Sequence[float], is_bold: bool = False) -> None:
    for cell, text, width in zip(row.cells, texts, widths, strict=True):
        cell.width = Cm(width)
        run = cell.paragraphs[0].add_run(text)
        run.bold, run.font.size = is_bold, Pt(9)
