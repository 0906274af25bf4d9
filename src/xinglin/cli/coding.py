"""`xinglin codes`: code systems, correspondences and divisions from the terminal; the pages 数据接入 → 代码与对照 do the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from xinglin.assembly import Platform
from xinglin.base.errors import IncorrectError, NotFoundError, UnavailableError
from xinglin.base.table import write_csv
from xinglin.cli.session import with_platform
from xinglin.cli.wording import Typer
from xinglin.engines.terminology import TEMPLATES, CodeFile, CodeSystem, MapRow, NewFile, NewMapping, SystemRow

commands = Typer(no_args_is_help=True, help="代码系统、对照关系和区划 · code systems, correspondences, divisions")
Kind = Annotated[str, typer.Argument(help="concepts 代码、maps 对照、divisions 区划、population 人口 · what the file holds")]
File = Annotated[Path, typer.Argument(help="CSV（UTF-8 或 GB18030）、FHIR CodeSystem 或 GeoJSON · the file")]
Url = Annotated[str, typer.Option(help="代码系统的标识，可写 标识|版本（concepts）· url of the code system, or url|version")]
Name = Annotated[str, typer.Option(help="代码系统的名称；已载入过的可不写 · its name; known ones need none")]
Source = Annotated[str, typer.Option(help="来源：文件、版本、许可 · where the codes come from")]
_PROBLEMS = 50


def mount(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(commands, name="codes")


@commands.command("list")
def list_systems() -> None:
    """列出载入的代码系统 · List the code systems that are loaded."""

    async def work(platform: Platform) -> list[SystemRow]:
        return await platform.terminology.overview()

    rows = with_platform(work)
    for row in rows:
        system = row.system
        _tell_one(system.url, f"{system.name_zh}  {system.version}  在用 · in use: {row.active}", system.source)
    if not rows:
        typer.echo("没有载入代码系统 · no code system is loaded")


def _tell_one(first: str, *more: str) -> None:
    """Print one of a list: what it is in the first line, what is said of it below. Codes and names stay whole on the narrowest terminal."""
    typer.echo("\n    ".join([first, *(line for line in map(str.strip, more) if line)]))


@commands.command("check")
def check(kind: Kind, file: File, url: Url = "", name: Name = "", source: Source = "") -> None:
    """检查一个文件，不载入 · Look a file through without loading it."""
    new = NewFile(_known(kind), file.name, _read(file), _system(kind, url, (name, source)))
    _report(_looked(new, load=False), "已检查 · looked through")


@commands.command("load")
def load(kind: Kind, file: File, url: Url = "", name: Name = "", source: Source = "") -> None:
    """检查并载入一个文件；有一行错误就什么都不载入 · Look a file through and load it; nothing where a row cannot stand."""
    new = NewFile(_known(kind), file.name, _read(file), _system(kind, url, (name, source)))
    _report(_looked(new, load=True), "已载入 · loaded")


def _known(kind: str) -> str:
    """Return a kind of file.  Raises: NotFoundError that lists them."""
    if kind not in TEMPLATES:
        raise NotFoundError(f"没有这种文件，请写 {'、'.join(TEMPLATES)}", f"write one of {', '.join(TEMPLATES)}", where=kind)
    return kind


def _system(kind: str, url: str, told: tuple[str, str]) -> CodeSystem | None:
    """Return what a table of concepts is of. A table is a part; a FHIR CodeSystem says itself whether it is whole."""
    own, _, version = url.partition("|")
    name, source = told
    return CodeSystem(own, version, name, name, False, source) if kind == "concepts" else None


def _looked(new: NewFile, *, load: bool) -> CodeFile:
    async def work(platform: Platform) -> CodeFile:
        house = platform.security.system_scope()
        known = {one.url: one for one in await platform.terminology.systems()}.get(new.system.url) if new.system else None
        sent = replace(new, system=_completed(new.system, known)) if new.system and known else new
        found = await platform.code_files.look(house, sent)
        return await platform.code_files.load(house, found.file_no) if load and not found.problems else found

    return with_platform(work)


def _completed(told: CodeSystem, known: CodeSystem) -> CodeSystem:
    """Return what is told of a system, and what is known of it where nothing is told."""
    name = told.name_zh or known.name_zh
    return CodeSystem(
        told.url, told.version or known.version, name, told.name_en or known.name_en, known.is_complete, told.source or known.source
    )


def _report(found: CodeFile, done: str) -> None:
    for where, zh, en in found.problems[:_PROBLEMS]:
        typer.echo(f"{where}: {zh} · {en}")
    if found.problems:
        typer.echo("什么都没有载入，请改正后再来 · nothing was loaded: correct these and come again")
        raise typer.Exit(11)
    changes = found.changes
    typer.echo(
        f"{done}：{changes.rows} 行，新增 {changes.added}，改动 {changes.changed}，停用 {changes.retired}，不变 {changes.same} · {changes.rows} rows: "
        f"{changes.added} new, {changes.changed} changed, {changes.retired} retired, {changes.same} the same"
    )


@commands.command("map")
def enter_map(
    source_code: Annotated[str, typer.Argument(help="源代码，如 http://snomed.info/sct|59621000 · system|code")],
    target_code: Annotated[str, typer.Argument(help="目标代码，如 urn:oid:2.16.156.10011.2.3.3.11.3|I10 · system|code")],
    source: Annotated[str, typer.Option(help="依据：文件或决定人 · who or what says so")],
    equivalence: Annotated[str, typer.Option(help="目标对源的关系 · how the target stands to the source")] = "equivalent",
) -> None:
    """录入一条对照关系 · Enter one correspondence."""
    kept: Any = equivalence
    fact = NewMapping(*_pair(source_code), *_pair(target_code), kept, source)

    async def work(platform: Platform) -> tuple[int, ...]:
        return await platform.terminology.maps.enter(platform.security.system_scope(), [fact])

    entered = with_platform(work)
    typer.echo(f"已录入 {entered[0]} · entered" if entered else "这条对照关系已经录入 · it is entered already")


@commands.command("maps")
def list_maps(text: Annotated[str, typer.Argument(help="代码开头、名称或依据 · beginning of a code, name or ground")] = "") -> None:
    """列出有效的对照关系 · List the correspondences that hold."""

    async def work(platform: Platform) -> tuple[list[MapRow], int]:
        return await platform.terminology.maps.page(text, "open", (1000, 0))

    rows, total = with_platform(work)
    for row in rows:
        fact = row.mapping.fact
        target = f"→ {fact.target_system}|{fact.target_code}  {fact.equivalence}"
        _tell_one(
            f"{row.mapping.map_no}  {fact.source_system}|{fact.source_code}",
            target,
            f"{fact.source}  {row.entered_by} {row.mapping.entered_at:%Y-%m-%d}",
        )
    if not rows:
        typer.echo("没有对照关系 · no correspondence")
    if total > len(rows):
        typer.echo(f"还有 {total - len(rows)} 条 · and more")


@commands.command("end-map")
def end_map(
    number: Annotated[int, typer.Argument(help="编号（见 codes maps）· number in the list")],
    reason: Annotated[str, typer.Option(help="终止原因 · why")],
) -> None:
    """终止一条对照关系 · End a correspondence."""

    async def work(platform: Platform) -> None:
        await platform.terminology.maps.end(platform.security.system_scope(), number, reason)

    with_platform(work)
    typer.echo("已终止 · ended")


@commands.command("export")
def export(
    kind: Kind,
    file: Annotated[Path, typer.Argument(help="写到哪个文件 · where to write it")],
    url: Annotated[str, typer.Option(help="代码系统的标识（concepts）· url of the code system")] = "",
) -> None:
    """把已载入的写成 CSV，可改后再载入 · Write what is loaded as CSV that can be loaded again."""

    async def work(platform: Platform) -> bytes:
        return await platform.code_files.export(_known(kind), url)

    content = with_platform(work)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise UnavailableError(
            "文件写不了，请检查文件夹、权限和磁盘空间",
            "the file cannot be written; check folder, permission and free space",
            where=str(file),
        ) from error
    typer.echo(f"已写入 {file} · written")


@commands.command("template")
def template(kind: Kind) -> None:
    """空表的列名 · The columns of an empty table."""
    typer.echo(write_csv(TEMPLATES[_known(kind)], ()).decode("utf-8-sig"), nl=False)


@commands.command("history")
def history() -> None:
    """谁在何时传入、载入了什么 · Who sent and loaded what, and when."""

    async def work(platform: Platform) -> tuple[list[CodeFile], int]:
        return await platform.code_files.page("", (100, 0))

    rows, _ = with_platform(work)
    for row in rows:
        sent = f"传入 · sent: {row.sent_by} {row.sent_at:%Y-%m-%d %H:%M}"
        decided = f"处理 · decided: {row.decided_by} {row.decided_at:%Y-%m-%d %H:%M}" if row.decided_at else ""
        _tell_one(
            f"{row.file_no}  {row.kind}  {row.name}", f"{row.subject}  {row.changes.rows} 行 · rows  {row.state}", f"{sent}  {decided}"
        )
    if not rows:
        typer.echo("还没有传入过文件 · no file was sent")


def _pair(text: str) -> tuple[str, str]:
    system, _, code = text.rpartition("|")
    if not system or not code:
        raise IncorrectError("请写 系统|代码", "write system|code", where=text[:80])
    return system, code


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotFoundError("没有这个文件，或无法读取", "there is no such file, or it cannot be read", where=str(file)) from error
