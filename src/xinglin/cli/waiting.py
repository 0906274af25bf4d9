"""`xinglin quarantine`: what could not be stored, from the terminal; the pages 数据接入 → 待处理 do the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from xinglin.assembly import Platform
from xinglin.base.errors import IncorrectError, NotFoundError, UnavailableError, both_languages
from xinglin.cli.session import with_installation
from xinglin.cli.wording import Typer
from xinglin.engines.exchange import Receipt, State
from xinglin.engines.security import AuditEntry

commands = Typer(no_args_is_help=True, help="待处理的数据 · what waits because it could not be stored")
_WIDE: Final = 200
"""Columns of the table for a wide screen, where the screen does not say more."""
Number = Annotated[int, typer.Argument(help="待处理编号 · number in the list")]


def mount(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.add_typer(commands, name="quarantine")


@commands.command("list")
def list_waiting(
    message: Annotated[int | None, typer.Option(help="只列一条报文的 · only those of one message")] = None,
    limit: Annotated[int, typer.Option(help="最多列多少 · at most so many", min=1, max=10_000)] = 50,
    wide: Annotated[bool, typer.Option("--wide", help="一条一行的表，给宽屏幕 · a table of one row each, for a wide screen")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="一条一行 JSON，给程序 · a line of JSON each, for programs")] = False,
) -> None:
    """列出待处理的数据和原因，最早的在前 · List what waits and why, oldest first."""

    async def work(platform: Platform) -> list[dict[str, Any]]:
        return await platform.exchange.ledger.waiting(None, message, limit)

    rows = with_installation(work)
    if as_json:
        for row in rows:
            typer.echo(orjson.dumps(_told(row) | {"problems": orjson.loads(row["problems"])}).decode())
        return
    console = Console(highlight=False, markup=False)
    if not rows:
        console.print("没有待处理的数据 · nothing waits")
    elif wide:
        Console(width=max(console.width, _WIDE)).print(_table(rows))
    else:
        for row in rows:
            _print_one(console, row)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said of one that waits, without its content."""
    told = {"no": row["quarantine_no"], "source": row["source_code"], "message": row["message_id"], "entry": row["entry_no"]}
    return told | {"type": row["rtype"] or "", "reason": row["reason"]}


def _problems(row: Mapping[str, Any]) -> list[str]:
    """Return the problems of one that waits as sentences."""
    return [both_languages(one["path"], one["zh"], one["en"]) for one in orjson.loads(row["problems"])]


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("编号 no.", "来源 source", "报文 message", "条目 entry", "类型 type", "原因 reason", "问题 problem")
    for row in rows:
        table.add_row(*(str(value) for value in _told(row).values()), next(iter(_problems(row)), ""))
    return table


def _print_one(console: Console, row: Mapping[str, Any]) -> None:
    """Print one that waits: what it is in the first line, where it came from and its first problem below, wrapped between words."""
    told, problems = _told(row), _problems(row)
    console.print(f"{told['no']}  {told['type'] or '—'}  {told['reason']}")
    console.print(
        Padding(f"{told['source']}  {told['message']}  第 {told['entry']} 条 · entry {told['entry']}", (0, 0, 0, 4), expand=False)
    )
    if problems:
        more = f"（另有 {len(problems) - 1} 个问题 · {len(problems) - 1} more：xinglin quarantine show {told['no']}）"
        console.print(Padding(problems[0] + (more if len(problems) > 1 else ""), (0, 0, 0, 4), expand=False))


@commands.command("show")
def show(
    number: Number,
    content: Annotated[bool, typer.Option("--content", help="连同内容（会记入审计）· with its content, which is audited")] = False,
) -> None:
    """一条待处理数据的全部问题 · Every problem of one that waits."""

    async def work(platform: Platform) -> dict[str, Any]:
        rows = await platform.exchange.ledger.waiting([number], None, 1)
        if not rows:
            raise _none(number)
        if content:
            await platform.audit.record(AuditEntry(platform.security.system_scope(), "read", "quarantine", rids=(number,)))
        return rows[0]

    row = with_installation(work)
    for problem in _problems(row):
        typer.echo(problem)
    if content:
        typer.echo(bytes(row["body"] or b"").decode("utf-8", "replace"))


@commands.command("replay")
def replay(
    number: Number,
    repaired: Annotated[Path | None, typer.Option(help="修改后的内容（JSON 文件）· the repaired entry, a JSON file")] = None,
) -> None:
    """重新送入，可以附上修改后的内容 · Send one again, as it was or as repaired."""
    content = _read(repaired) if repaired else None

    async def work(platform: Platform) -> Receipt:
        return await platform.exchange.replay(platform.security.system_scope(), number, content)

    receipt = with_installation(work)
    for problem in receipt.problems:
        typer.echo(both_languages(problem.path, problem.zh, problem.en))
    is_stored = receipt.state in (State.STORED, State.UNCHANGED)
    typer.echo("已写入 · stored" if is_stored else "仍待处理 · it still waits")
    raise typer.Exit(0 if is_stored else 11)


@commands.command("discard")
def discard(
    numbers: Annotated[list[int], typer.Argument(help="待处理编号，可以写多个 · numbers in the list")],
    reason: Annotated[str, typer.Option(help="作废的原因 · why")],
) -> None:
    """作废，内容仍留在台账 · Close for good; the ledger keeps the message."""

    async def work(platform: Platform) -> int:
        scope = platform.security.system_scope()
        closed = await platform.exchange.ledger.discard(numbers, scope.account_no, reason)
        if closed:
            await platform.audit.record(AuditEntry(scope, "discard", "quarantine", rids=numbers))
        return closed

    closed = with_installation(work)
    if not closed:
        raise _none(*numbers)
    typer.echo(f"作废 {closed} 条 · {closed} discarded")


def _none(*numbers: int) -> NotFoundError:
    return NotFoundError(
        "没有这条待处理数据，或已处理；请看 xinglin quarantine list",
        "nothing of that number waits, or it has been dealt with; see `xinglin quarantine list`",
        where=", ".join(map(str, numbers)),
    )


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise NotFoundError("没有这个文件", "there is no such file", where=str(file)) from error
    except IsADirectoryError as error:
        raise IncorrectError("请写文件，不是文件夹", "write a file, not a folder", where=str(file)) from error
    except OSError as error:
        raise UnavailableError("文件无法读取，请检查权限", "the file cannot be read; check its permission", where=str(file)) from error
