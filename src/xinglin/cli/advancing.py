"""The day of a demonstration at its start, and moving it to today."""

from __future__ import annotations

from rich.console import Console

from xinglin.assembly import kept_day
from xinglin.base.errors import ConflictError
from xinglin.base.settings import Settings
from xinglin.base.supervisor import hold_data_folder


def keep_day(settings: Settings, console: Console) -> None:
    """Go on with the day of the last start, and say how to move it when the machine's day is later."""
    kept = kept_day(settings)
    if kept is None:
        return
    day = kept.keep()
    if kept.is_behind():
        console.print(
            f"示例停在 {day}。推进到今天：xinglin demo --advance，或数据管理员点页面顶部的“推进到今天”；数据不变，期间到期未做的成为逾期。\n"
            f"the demonstration stands at {day}; `xinglin demo --advance` moves it to today: the data stays, what was due meanwhile is overdue.\n"
            "要一个今天的示例县 · a district made for today: make demo FRESH=1"
        )


def move_to_today(settings: Settings, console: Console) -> bool:
    """Move the day to the machine's; returns whether the demonstration runs at this moment (its processes then see it by themselves)."""
    kept = kept_day(settings)
    assert kept is not None
    try:
        lock = hold_data_folder(settings.data_dir)
    except ConflictError:
        lock = None
    if lock is not None:
        kept.keep()
        lock.close()
    if kept.is_behind():
        console.print(f"日期推进到 · moved to {kept.advance()}")
    else:
        console.print(f"已在今天 · it is at today already: {kept.day()}")
    return lock is None
