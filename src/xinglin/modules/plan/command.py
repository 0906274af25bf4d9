"""`xinglin plan read FILE [--json]`: print what a plan document says, as a table for a person or as JSON for a program."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table as RichTable

from xinglin.base.errors import XinglinError
from xinglin.modules.plan.reading import Indicator, Reading, printed_data, read_document

_MOST_TOLD = 20
_OPS = {"=": "", "<=": "≤", ">=": "≥", "<": "<", ">": ">", "range": "", "rise": "提高", "grow": "增长 "}


def plan_read_command(path: str | Path, as_json: bool) -> int:
    """Print the reading of a plan document and return the exit code: 0, or the code of the refusal's category.

    as_json: one JSON object with indicators, tasks, projects and findings; what the reader must say beside it goes to standard error.
    """
    try:
        reading = read_document(path)
    except XinglinError as error:
        Console(stderr=True).print(f"{error.message('zh')}\n{error.message('en')}", markup=False, highlight=False)
        return error.exit_code
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(printed_data(reading), option=orjson.OPT_INDENT_2) + b"\n")
        sys.stdout.flush()
        _print_coverage(reading, Console(stderr=True), told=0)
        return 0
    console = Console()
    _print(reading, console)
    _print_coverage(reading, console, told=_MOST_TOLD)
    return 0


def _print(reading: Reading, console: Console) -> None:
    for part in reading.plans:
        if part.title:
            console.print(f"{part.title}  ({part.from_line}–{part.to_line})", markup=False, highlight=False)
    for period, origin, title in (
        ("current", "table", "指标表 Indicators"),
        ("past", "table", "上一规划期 Past period"),
        ("current", "text", "文中目标 Targets in the text"),
    ):
        rows = [one for one in reading.indicators if one.period == period and one.origin == origin]
        if rows:
            console.print(_table(f"{title} ({len(rows)})", rows))
    if reading.projects:
        projects = RichTable(
            "行 line", "项目 project", "单位 unit", "性质", "开工", "床位", title=f"项目 Projects ({len(reading.projects)})"
        )
        for one in reading.projects:
            start = str(one.start_year or "")
            beds = "" if one.beds is None else f"{one.beds:g}"
            projects.add_row(str(one.from_line), one.name, one.unit or "", one.nature or "", start, beds)
        console.print(projects)
    console.print(
        f"任务 tasks {len(reading.tasks)} · 专栏 boxes {len(reading.boxes)} · 脚注 footnotes {len(reading.footnotes)}", highlight=False
    )
    for finding in reading.findings:
        lines = "、".join(map(str, finding.lines))
        console.print(f"[{finding.rule}] 第{lines}行 {finding.zh}", markup=False, highlight=False)


def _print_coverage(reading: Reading, console: Console, told: int) -> None:
    """Tell how many numbers were used, and the first `told` of those that a person should look at."""
    coverage = reading.coverage
    console.print(f"数字 numbers {coverage.total}, 已用 used {coverage.used}, 未用 not used {len(coverage.unused)}", highlight=False)
    doubtful = [use for use in coverage.unused if "请人工看一下" in use.reason]
    for use in doubtful[:told]:
        console.print(f"  未用 not used: 第{use.line}行 {use.text}: {use.context}", markup=False, highlight=False)
    if told and len(doubtful) > told:
        console.print(
            f"  另有 {len(doubtful) - told} 个，上传后在“未用数字”里看 {len(doubtful) - told} more stand in the coverage of the upload"
        )
    for notice in reading.notices:
        console.print(notice, markup=False, highlight=False)


def _table(title: str, rows: list[Indicator]) -> RichTable:
    table = RichTable("行 line", "类别", "指标 indicator", "单位", "基期 base", "目标 target", "属性", "?", title=title)
    for one in rows:
        bases = " ".join(f"{base.year or ''}:{'—' if base.value is None else f'{base.value:g}'}" for base in one.bases)
        name = f"  {one.name}" if one.parent else one.name
        kind = {"binding": "约束性", "expected": "预期性"}.get(one.kind or "", "")
        table.add_row(str(one.from_line), one.category or "", name, one.unit or "", bases, _target(one), kind, "" if one.sure else "?")
    return table


def _target(one: Indicator) -> str:
    if one.target_op is None and one.target_value is None:
        return "—"
    number = "" if one.target_value is None else f"{one.target_value:g}"
    high = "" if one.target_high is None else f"-{one.target_high:g}"
    return f"{one.target_year or ''}: {_OPS.get(one.target_op or '', '')}{number}{high}"
