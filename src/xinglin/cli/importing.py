"""`xinglin import`: files of others into the record."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from xinglin.assembly import Platform
from xinglin.base.errors import NotFoundError, both_languages
from xinglin.base.processes import stand_behind
from xinglin.cli.session import with_platform
from xinglin.engines.exchange import EntryProblem, ImportOptions, ImportReport

_TOLD_A_FILE = 3
_FILES_TOLD = 50
_INSTITUTIONS_TOLD = 20
_CLINIC = "D600"
FOREIGN_SOURCE = "external-samples"


def mount(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("import")(import_files)


def import_files(
    path: Annotated[Path, typer.Argument(help="文件或文件夹：FHIR Bundle（可 gzip）、NDJSON · a file or folder")],
    source: Annotated[str, typer.Option(help="数据来源编码 · code of the source; a new one is registered")] = FOREIGN_SOURCE,
    name: Annotated[str, typer.Option(help="新来源的名称 · name of a new source")] = "外部样例（无属地）",
    institution: Annotated[str | None, typer.Option(help="居民归属的机构编码 · code of the institution that keeps these residents")] = None,
    foreign: Annotated[bool, typer.Option(help="居民默认无属地 · residents belong nowhere until assigned")] = True,
) -> None:
    """导入数据；同一文件再次导入不会改变任何内容 · Take data in; the same file again changes nothing."""
    console = Console()

    async def work(platform: Platform) -> ImportReport:
        stand_behind()
        scope = platform.security.system_scope()
        keeper = None if institution is None else await _keeper(platform, institution)  # a wrong code registers no source
        await platform.exchange.ledger.source(source, name=name, foreign=foreign and institution is None)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(path.name, total=None)

            def show(file: str, done: int, total: int) -> None:
                progress.update(task, description=file[:48], completed=done, total=total)

            return await platform.importer.import_path(scope, path, ImportOptions(source, keeper, show))

    report = with_platform(work)
    if not report.files:
        console.print(f"[yellow]{escape(str(path))}[/] 里没有文件 · holds no files")
    console.print(report_table(report))
    if report.by_type:
        counted = sorted(report.by_type.items(), key=lambda item: (-item[1], item[0]))
        console.print("按类型 · by type：" + "  ".join(f"{rtype} {number:,}" for rtype, number in counted), highlight=False)
    for line in told(report.problems) + told(report.warnings):
        console.print(line, highlight=False, soft_wrap=True)
    if report.rejected:
        console.print("待处理的数据在网页“数据接入 → 待处理”中修改后可重放 · what waits can be repaired and replayed on the page 数据接入")
    raise typer.Exit(0 if not report.rejected else 11)


async def _keeper(platform: Platform, code: str) -> int:
    """Return the institution of a code.  Raises: NotFoundError that names those that are registered, village clinics last."""
    async with platform.database.connection() as connection:
        known = await platform.register.institutions(connection)
    for one in known:
        if one.code == code:
            return one.rid
    named = [f"{one.code} {one.name}" for one in sorted(known, key=lambda one: (one.klass == _CLINIC, one.code))]
    listed = "、".join(named[:_INSTITUTIONS_TOLD]) + ("……" if len(named) > _INSTITUTIONS_TOLD else "") or "—"
    raise NotFoundError(
        f"没有登记这个机构编码；已登记的有：{listed}", f"no institution is registered under this code; there are: {listed}", where=code
    )


def told(found: Sequence[tuple[str, EntryProblem]]) -> list[str]:
    """Return what was found wrong, file by file: the first three of each, so that one bad file does not hide the others."""
    lines: list[str] = []
    by_file = groupby(found, key=lambda pair: pair[0])
    for number, (file, pairs) in enumerate(by_file):
        problems = [problem for _, problem in pairs]
        if number == _FILES_TOLD:
            return [*lines, "其余文件见网页“数据接入 → 待处理” · for the other files see the page 数据接入"]
        for problem in problems[:_TOLD_A_FILE]:
            entry = f"#{problem.entry_no}" if problem.entry_no else ""
            lines.append(f"[yellow]{escape(file)}{entry}[/] {escape(both_languages(problem.path, problem.zh, problem.en))}")
        if len(problems) > _TOLD_A_FILE:
            lines.append(f"[yellow]{escape(file)}[/] 还有 {len(problems) - _TOLD_A_FILE} 处以上 · and more")
    return lines


def report_table(report: ImportReport) -> Table:
    """Return what an import did as a table."""
    table = Table(title="导入结果 · import")
    for title in ("文件 files", "已收过 repeated", "写入 stored", "无变化 unchanged", "待处理 waiting", "整条退回 refused messages"):
        table.add_column(title, justify="right")
    counts = (report.files, report.repeated, report.stored, report.unchanged, report.rejected, report.quarantined_messages)
    table.add_row(*(f"{count:,}" for count in counts))
    return table
