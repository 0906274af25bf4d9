"""Reading a plan document from end to end: source, plans, tables, text, findings, coverage."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xinglin.modules.plan.reading.assemble import indicators_of
from xinglin.modules.plan.reading.coverage import coverage_of
from xinglin.modules.plan.reading.findings import findings_of
from xinglin.modules.plan.reading.heads import plan_parts
from xinglin.modules.plan.reading.layout import Grid, Source, find_grids
from xinglin.modules.plan.reading.model import Box, Finding, Footnote, Indicator, PlanPart, Project, Reading, Task, TextFact
from xinglin.modules.plan.reading.owners import owners_of
from xinglin.modules.plan.reading.paragraphs import Paragraph, declared_headings, read_paragraphs
from xinglin.modules.plan.reading.projects import ProjectTable, grid_projects, stream_projects, text_projects, without_copies
from xinglin.modules.plan.reading.rows import Table
from xinglin.modules.plan.reading.sentences import Aim
from xinglin.modules.plan.reading.source import open_source
from xinglin.modules.plan.reading.sums import sums_in_grids, sums_in_text
from xinglin.modules.plan.reading.tables import find_tables, part_at
from xinglin.modules.plan.reading.tasks import boxes_of, footnotes_of, tasks_of
from xinglin.modules.plan.reading.textfacts import text_facts
from xinglin.modules.plan.reading.texttargets import text_targets


@dataclass(frozen=True, slots=True)
class _Tabled:
    """The tables of a document and the lines they take."""

    indicators: tuple[Table, ...]
    projects: tuple[ProjectTable, ...]
    grids: tuple[Grid, ...]

    @property
    def lines(self) -> frozenset[int]:
        spans = [(one.from_line, one.to_line) for one in self.indicators] + [(one.from_line, one.to_line) for one in self.projects]
        return frozenset(line for first, last in spans for line in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class _Part:
    """What one plan of the document says in its text."""

    paragraphs: tuple[Paragraph, ...]
    targets: tuple[Indicator, ...]
    facts: tuple[TextFact, ...]
    tasks: tuple[Task, ...]
    projects: tuple[Project, ...]
    boxes: tuple[Box, ...]
    footnotes: tuple[Footnote, ...]


def read_document(path_or_bytes: Path | str | bytes, filename: str = "") -> Reading:
    """Return everything a plan document says: indicators, tasks, projects, boxes, footnotes, findings, coverage.

    path_or_bytes: a path, or the bytes of an upload with its `filename`.  Positions are 1-based lines of `Reading.lines`.
    Raises: NotFoundError, IncorrectError (scan, password, damaged, empty), UnsupportedError (other kinds of file).
    """
    return read_source(open_source(path_or_bytes, filename))


def read_source(source: Source) -> Reading:
    """Return the reading of a document that is open already."""
    lines = source.lines
    plans = tuple(plan_parts(lines))
    tabled = _tables(source, plans)
    taken: dict[str, int] = {}
    rows = [replace(one, plan=part_at(plans, table.from_line).number) for table in tabled.indicators for one in indicators_of(table, taken)]
    parts = [_read_part(part, source, tabled, taken) for part in plans]
    footnotes = tuple(note for part in parts for note in part.footnotes)
    indicators = _noted((*rows, *(one for part in parts for one in part.targets)), footnotes)
    listed = [replace(one, plan=part_at(plans, one.from_line).number) for table in tabled.projects for one in table.projects]
    projects = tuple(without_copies([*listed, *(one for part in parts for one in part.projects)]))
    paragraphs = [paragraph for part in parts for paragraph in part.paragraphs]
    reading = Reading(
        filename=source.filename,
        format=source.format,
        lines=lines,
        plans=plans,
        indicators=indicators,
        tasks=tuple(task for part in parts for task in part.tasks),
        projects=projects,
        boxes=tuple(box for part in parts for box in part.boxes),
        footnotes=footnotes,
        findings=(),
        coverage=coverage_of(lines, paragraphs, indicators, projects),
        facts=tuple(fact for part in parts for fact in part.facts),
        notices=source.notices + _notices(plans, indicators),
    )
    found = [*findings_of(reading), *_document_findings(plans, parts, tabled)]
    return replace(reading, findings=tuple(sorted(found, key=lambda one: (one.lines, one.rule))))


def _tables(source: Source, plans: Sequence[PlanPart]) -> _Tabled:
    lines = source.lines
    grids = source.grids if source.format in {"html", "docx"} else (*source.grids, *find_grids(_outside(lines, source.grids)))
    projects = grid_projects(grids)
    gridded = frozenset(line for grid in grids for line in range(grid.from_line, grid.to_line + 1))
    projects += stream_projects(lines, gridded)
    claimed = frozenset(line for table in projects for line in range(table.from_line, table.to_line + 1))
    return _Tabled(
        tuple(find_tables(lines, [grid for grid in grids if grid.from_line not in claimed], plans)), tuple(projects), tuple(grids)
    )


def _outside(lines: Sequence[str], grids: Sequence[Grid]) -> Sequence[str]:
    """Return the lines with those of declared tables left blank."""
    taken = frozenset(line for grid in grids for line in range(grid.from_line, grid.to_line + 1))
    return ["" if number in taken else line for number, line in enumerate(lines, 1)] if taken else lines


def _read_part(part: PlanPart, source: Source, tabled: _Tabled, taken: dict[str, int]) -> _Part:
    lines, headings = source.lines, declared_headings(source)
    outside = tabled.lines | frozenset(range(1, part.from_line)) | frozenset(range(part.to_line + 1, len(lines) + 1))
    paragraphs = read_paragraphs(lines, outside, headings)
    owners = owners_of(paragraphs)
    aim = Aim(part.horizon, part.number, part.start)
    return _Part(
        paragraphs=tuple(paragraphs),
        targets=tuple(text_targets(paragraphs, aim, owners, taken)),
        facts=tuple(replace(one, plan=part.number) for one in text_facts(paragraphs, aim)),
        tasks=tuple(tasks_of(paragraphs, owners, part.number)),
        projects=tuple(replace(one, plan=part.number) for one in text_projects(paragraphs)),
        boxes=tuple(replace(one, plan=part.number) for one in boxes_of(paragraphs)),
        footnotes=tuple(footnotes_of(paragraphs)),
    )


def _noted(indicators: Sequence[Indicator], footnotes: Sequence[Footnote]) -> tuple[Indicator, ...]:
    """Put the text of a footnote into the note of each row that carries its mark; a mark may make a row binding."""
    made: list[Indicator] = []
    for one in indicators:
        for mark in re.findall(r"带标记(\[\d+\]|\S)", one.note):
            note = next((foot for foot in footnotes if foot.mark == mark and foot.from_line > one.from_line), None)
            if note is not None:
                kind = one.kind or ("binding" if "约束性" in note.text else "expected" if "预期性" in note.text else None)
                one = replace(one, note=f"{one.note}；{note.text}", kind=kind)
        made.append(one)
    return tuple(made)


def _document_findings(plans: Sequence[PlanPart], parts: Sequence[_Part], tabled: _Tabled) -> list[Finding]:
    """Return what is found beside the rules on single plans: sums, and plans of one title."""
    found = [finding for part in parts for finding in sums_in_text(part.paragraphs)]
    found.extend(sums_in_grids(tabled.grids))
    titles = [plan.title for plan in plans if plan.title]
    for title in dict.fromkeys(titles):
        if titles.count(title) > 1:
            lines = tuple(plan.from_line for plan in plans if plan.title == title)
            words = f"文件里有 {len(lines)} 份规划同名“{title}”，分别按位置区分。"
            found.append(
                Finding(
                    "same-title-twice",
                    "warning",
                    words,
                    f"{len(lines)} plans carry the same title; they are told apart by their lines.",
                    lines,
                )
            )
    return found


def _notices(plans: Sequence[PlanPart], indicators: Sequence[Indicator]) -> tuple[str, ...]:
    notices: list[str] = []
    if len(plans) > 1:
        notices.append(f"文件里有 {len(plans)} 份规划，分别读取。")
    for plan in plans:
        if not any(one.origin == "table" and one.plan == plan.number for one in indicators):
            where = f"《{plan.title}》" if plan.title else "这份文件"
            notices.append(f"{where}里没有找到指标表；目标取自正文。")
    return tuple(notices)
