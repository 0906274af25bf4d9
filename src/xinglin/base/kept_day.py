"""The day a demonstration lives on: kept from start to start, moved only when somebody asks for it.

A file says how many days the demonstration's clock is away from the machine's, so that every process, whenever it started, has the same day.
A note beside it says to which day somebody asked to move. It stands until the move is done, so that a move that was cut off is taken up again.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

from xinglin.base.clock import Clock
from xinglin.base.errors import ConflictError


@dataclass(frozen=True, slots=True)
class KeptDay:
    """Reads and writes the file. machine: the clock the day is kept against.  first: the day the data was made for."""

    path: Path
    machine: Clock
    first: date

    def days(self) -> int:
        """Return how many days the demonstration's clock is ahead of the machine's (behind: negative)."""
        self._ensure()
        return int(orjson.loads(self.path.read_bytes())["days"])

    def day(self) -> date:
        """Return the demonstration's day now."""
        return self.machine.today() + timedelta(days=self.days())

    def keep(self) -> date:
        """Go on with the day of the last start, at the start of a demonstration; returns it."""
        kept = self.stands_at()
        self._write(kept)
        return kept

    def stands_at(self) -> date:
        """Return the day the data reaches to; a demonstration that runs over midnight lives on a later one."""
        self._ensure()
        return date.fromisoformat(orjson.loads(self.path.read_bytes())["day"])

    def is_behind(self) -> bool:
        """Say whether the machine's day is later than that of the data."""
        return self.stands_at() < self.machine.today()

    @property
    def note(self) -> Path:
        """Return the place of the note that asks for a move."""
        return self.path.with_name("advance.json")

    def ask(self) -> date:
        """Ask to be moved to the machine's day and return it.  Raises: ConflictError when it is not later, or has been asked for already."""
        asked = self.asked()
        if asked is not None:
            raise ConflictError(
                "示例正在推进，请等它完成", "the demonstration is being moved already; wait until it is done", where=asked.isoformat()
            )
        if not self.is_behind():
            raise ConflictError("示例已在今天，不需要推进", "the demonstration is at today already", where=self.day().isoformat())
        today = self.machine.today()
        _replace(self.note, {"until": today.isoformat()})
        return today

    def asked(self) -> date | None:
        """Return the day somebody asked to move to, None when nobody did or the move is done."""
        try:
            return date.fromisoformat(orjson.loads(self.note.read_bytes())["until"])
        except FileNotFoundError:
            return None

    def move(self, day: date) -> None:
        """Let every process live on a day."""
        self._write(day)

    def arrived(self) -> None:
        """Take the note away: the move is done."""
        self.note.unlink(missing_ok=True)

    def _ensure(self) -> None:
        if not self.path.exists():
            self._write(self.first)

    def _write(self, day: date) -> None:
        _replace(self.path, {"day": day.isoformat(), "days": (day - self.machine.today()).days})


def _replace(path: Path, content: dict[str, str | int]) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(orjson.dumps(content))
    draft.replace(path)


@dataclass(slots=True)
class KeptClock:
    """The machine's time of day on the kept day; sees a change of the day by another process at once."""

    kept: KeptDay
    _seen: int = field(default=-1, init=False)
    _shift: timedelta = field(default=timedelta(0), init=False)

    @property
    def zone(self) -> ZoneInfo:
        """Return the district's zone."""
        return self.kept.machine.zone

    def now(self) -> datetime:
        """Return the machine's instant, moved by the days kept."""
        return self.kept.machine.now() + self._days()

    def today(self) -> date:
        """Return the machine's day, moved by the days kept."""
        return self.kept.machine.today() + self._days()

    def _days(self) -> timedelta:
        try:
            changed = self.kept.path.stat().st_mtime_ns
        except FileNotFoundError:
            changed = 0
        if changed != self._seen:
            self._seen, self._shift = changed, timedelta(days=self.kept.days())
        return self._shift
