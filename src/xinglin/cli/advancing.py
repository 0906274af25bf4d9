"""The day of a demonstration at its start, and moving it to today with the data of the days between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from xinglin.assembly import assemble, kept_day
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, UnavailableError
from xinglin.base.kept_day import KeptDay
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.base.settings import Settings
from xinglin.base.supervisor import Child, hold_data_folder, served_at
from xinglin.cli.continuing import JOBS, move_on
from xinglin.cli.loading import counted
from xinglin.cli.session import settings_here

_LOOK_S = 1.0


def keep_day(settings: Settings, console: Console) -> None:
    """Go on with the day of the last start, and say how to move it when the machine's day is later."""
    kept = kept_day(settings)
    if kept is None:
        return
    day = kept.keep()
    if kept.is_behind() and kept.asked() is None:
        console.print(
            f"示例停在 {day}。推进到今天：xinglin demo --advance，或数据管理员点页面顶部的“推进到今天”；会生成并载入这段时间的虚构数据，已录入的不变。\n"
            f"the demonstration stands at {day}; `xinglin demo --advance` moves it to today: the days between are made and loaded, what was entered stays.\n"
            "要一个今天的示例县 · a district made for today: make demo FRESH=1"
        )


def move_to_today(settings: Settings, console: Console) -> bool:
    """Ask for the move to the machine's day; returns whether the demonstration runs at this moment (then the move is done on return)."""
    kept = kept_day(settings)
    assert kept is not None
    try:
        lock = hold_data_folder(settings.data_dir)
    except ConflictError:
        if not served_at(settings.data_dir):  # a command has it for a while, which moves nothing
            raise
        lock = None
    if lock is not None:
        kept.keep()
        lock.close()
    if kept.asked() is None and kept.is_behind():
        console.print(f"推进到 · moving to {kept.ask()}")
    elif kept.asked() is None:
        console.print(f"已在今天 · it is at today already: {kept.day()}")
    if lock is None:
        asyncio.run(_show_move(settings, console, kept))
    return lock is None


def mover(settings: Settings) -> Sequence[Child]:
    """Return the process that makes a demonstration's move whenever somebody asks for it; none outside a demonstration."""
    kept = kept_day(settings)
    return [] if kept is None else [Child("advance-demo", ["advance-demo"], when=kept.note)]


def advance_demo() -> None:
    """Make the move somebody asked for; one that was cut off goes on where it stopped."""
    settings = settings_here()

    async def run() -> None:
        async with assemble(settings, "command") as platform:
            await move_on(platform, settings.data_dir / "demo", counted)

    asyncio.run(run())


async def show_moves(settings: Settings, console: Console) -> None:
    """Show the progress of every move on the terminal, until cancelled."""
    kept = kept_day(settings)
    while kept is not None:
        with suppress(UnavailableError):
            await _show_move(settings, console, kept)
        await asyncio.sleep(_LOOK_S)


async def _show_move(settings: Settings, console: Console, kept: KeptDay) -> None:
    until = kept.asked()
    if until is None:
        return
    database = await Database.open(settings.database_url or EmbeddedPostgres(settings.data_dir).url, zone=settings.zone, size=1)
    try:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(f"推进到 · moving to {until}", total=None)
            while kept.asked() is not None:
                async with database.connection() as connection:
                    row = await connection.fetchrow(
                        "select * from progress where job = any($1::text[]) and finished_at is null", list(JOBS)
                    )
                if row is not None:
                    description = f"{row['label_zh']} · {row['label_en']} {row['note'][-32:]}"
                    progress.update(task, completed=row["done"], total=row["total"], description=description)
                await asyncio.sleep(_LOOK_S)
    finally:
        await database.close()
    console.print(f"已推进到 · the demonstration is at [bold]{kept.day()}[/]")
