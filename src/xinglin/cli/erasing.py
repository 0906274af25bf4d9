"""`xinglin erase`: a resident out of everything the installation keeps."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Final

import typer

from xinglin.assembly import Platform, make_lake
from xinglin.base.errors import IncorrectError, UnavailableError
from xinglin.cli.session import with_installation
from xinglin.engines.erasure import Report
from xinglin.engines.lake import WRITER_LOCK

_REFRESH_S: Final = 3600.0
"""Seconds for taking in the erasure of a large district; giving up earlier would have two processes write the same columns."""

_AGAIN_S: Final = 0.5


def mount(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("erase")(erase)


def erase(
    person: Annotated[
        int | None, typer.Option(help="居民编号（档案页网址中的数字）· number of the resident, as in the page's address")
    ] = None,
    reason: Annotated[str, typer.Option(help="依据，如：本人申请；不要写姓名 · on whose demand and why, without a name")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="恢复备份后，重新执行已登记的删除 · after restoring a backup, apply the list again")
    ] = False,
    compact: Annotated[
        bool, typer.Option(help="整理数据库文件，使磁盘上也不再留存 · write the files anew so that no disk keeps the bytes")
    ] = True,
) -> None:
    """按规定删除一位居民的全部个人数据，不可恢复 · Take a resident out of everything; it cannot be undone."""
    if (person is None) == (not again):
        raise IncorrectError("请写 --person 编号 --reason 依据，或 --again", "write --person N --reason WHY, or --again", where="erase")

    async def work(platform: Platform) -> tuple[list[Report], bool | None]:
        scope = platform.security.system_scope()
        reports = await platform.erasure.again(scope) if person is None else [await platform.erasure.erase(scope, person, reason)]
        await refresh_lake(platform)
        return reports, await platform.erasure.compact() if compact else None

    reports, is_clean = with_installation(work)
    for report in reports:
        typer.echo(
            f"删除 {report.resources} 份资源，改写 {report.messages} 条报文、{report.shared} 份他人资源 · "
            f"{report.resources} resources erased, {report.messages} messages and {report.shared} resources of others written anew"
        )
        if report.doubtful:
            typer.echo(
                f"其中表格里有 {report.doubtful} 行的号码被 Excel 当作数字，只剩前 15–16 位，按这些位数删除，可能是他人的行 · "
                f"{report.doubtful} rows of tables held only the first 15 or 16 digits of a number and may have been somebody else's"
            )
        if report.mentions:
            numbers = ", ".join(map(str, report.mentions))
            typer.echo(f"这些资源里还有此人的号码，请人工处理 · these still hold a number of the person: {numbers}")
    if not reports:
        typer.echo("没有需要重新删除的 · there is nothing to erase again")
    if is_clean is False:
        typer.echo("数据库由您自备：请其管理员清理日志（WAL）和备份 · your own server: ask its administrator to clear log and backups")


async def refresh_lake(platform: Platform) -> None:
    """Let the lake take the erasure in: through the engine process where it runs, else here.

    An engine process that is coming up has the lake already and does not answer yet: it is waited for.
    Raises: UnavailableError, at once when whoever has the lake cannot write it (a full disk).
    """
    deadline = time.monotonic() + _REFRESH_S
    while True:
        try:
            await platform.engine.call_within(_REFRESH_S, "lake.refresh")
            return
        except UnavailableError as told:
            if told.where:  # it answers, and says what is wrong
                raise
        try:
            await _refresh_here(platform)
            return
        except UnavailableError as refused:
            if refused.where != WRITER_LOCK or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_AGAIN_S)


async def _refresh_here(platform: Platform) -> None:
    lake = make_lake(platform.settings, platform)
    try:
        await lake.refresh()
        await lake.tidy()
    finally:
        await lake.stop()
