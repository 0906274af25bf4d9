"""What waits for an account, as its rooms tell it, and what the account did with each reminder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final, Protocol

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError
from xinglin.base.text import storable
from xinglin.engines.security import Scope

UNREAD, READ, DISMISSED = "unread", "read", "dismissed"
_KEPT_S: Final = 20.0
_MOST_KEPT: Final = 5000
_MOST_UNITS: Final = 60
_FORGET_AFTER: Final = timedelta(days=400)


class Waiting(Protocol):
    """A thing that waits. kind and subject name it together; facts: what its sentence is made from."""

    @property
    def kind(self) -> str:
        """Return what sort of thing waits, such as plan-task."""
        ...

    @property
    def subject(self) -> str:
        """Return what names the thing and its day; the same as long as it is the same reminder."""
        ...

    @property
    def due(self) -> date | None:
        """Return the day by which it should be done, None without one."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """Return numbers and words of the thing."""
        ...


@dataclass(frozen=True, slots=True)
class Who:
    """For whom it is asked. units: the responsible units the account answers for, as plans print them."""

    scope: Scope
    units: Sequence[str]


class Source(Protocol):
    """A room that knows what waits for somebody."""

    async def waiting(self, who: Who, today: date) -> Sequence[Waiting]:
        """Return what waits, most urgent first; nothing for whom it does not concern."""
        ...


@dataclass(frozen=True, slots=True)
class Reminder:
    """A thing that waits, as an account sees it. state: unread, read or dismissed."""

    kind: str
    subject: str
    due: date | None
    facts: Mapping[str, Any]
    state: str
    is_late: bool

    @property
    def key(self) -> str:
        """Return what addresses and forms call it."""
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True, slots=True)
class _Kept:
    unread: int
    at: float


class Reminders:
    """The door to what waits for an account."""

    def __init__(self, database: Database, clock: Clock, sources: Sequence[Source]) -> None:
        self._database = database
        self._clock = clock
        self._sources = sources
        self._kept: dict[tuple[int, str, int | None], _Kept] = {}
        self._counting: dict[tuple[int, str, int | None], asyncio.Task[int]] = {}

    async def unread(self, scope: Scope) -> int:
        """Return how many reminders an account has not read; at most 20 s old, or counted again behind the page while older."""
        key = _key(scope)
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() - kept.at < _KEPT_S:
            return kept.unread
        task = self._counting.get(key)
        if task is None:
            task = self._counting[key] = asyncio.create_task(self._count(scope, key))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return kept.unread if kept is not None else await asyncio.shield(task)

    async def _count(self, scope: Scope, key: tuple[int, str, int | None]) -> int:
        try:
            await self.waiting(scope)
            return self._kept[key].unread
        finally:
            self._counting.pop(key, None)

    async def waiting(self, scope: Scope) -> list[Reminder]:
        """Return everything that waits for an account: overdue first, then by day; read and dismissed ones too."""
        today = self._clock.today()
        who = Who(scope, await self.units(scope))
        found = [one for source in self._sources for one in await source.waiting(who, today)]
        async with self._database.connection() as connection:
            rows = await connection.fetch("select kind, subject, state from reminder_mark where account_no = $1", scope.account_no)
        marks = {(row["kind"], row["subject"]): str(row["state"]) for row in rows}
        reminders = [
            Reminder(
                one.kind,
                one.subject,
                one.due,
                one.facts,
                marks.get((one.kind, one.subject), UNREAD),
                one.due is not None and one.due < today,
            )
            for one in found
        ]
        reminders.sort(key=lambda one: (not one.is_late, one.due is None, one.due or today))
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[_key(scope)] = _Kept(sum(one.state == UNREAD for one in reminders), time.monotonic())
        return reminders

    async def mark(self, scope: Scope, keys: Sequence[str], state: str) -> None:
        """Mark reminders as read, dismissed or (to undo either) unread.  Raises: IncorrectError for another state or no key."""
        if state not in (UNREAD, READ, DISMISSED):
            raise IncorrectError("请选择已读、移除或恢复", "choose read, dismissed or unread", where="state")
        pairs = [storable(key).partition(":") for key in keys if ":" in key]
        if not pairs:
            raise IncorrectError("请选择要处理的提醒", "choose the reminders", where="key")
        now = self._clock.now()
        async with self._database.transaction() as connection:
            if state == UNREAD:
                await connection.executemany(
                    "delete from reminder_mark where account_no = $1 and kind = $2 and subject = $3",
                    [(scope.account_no, kind, subject) for kind, _, subject in pairs],
                )
            else:
                await connection.executemany(
                    """insert into reminder_mark (account_no, kind, subject, state, marked_at) values ($1, $2, $3, $4, $5)
                       on conflict (account_no, kind, subject) do update set state = excluded.state, marked_at = excluded.marked_at""",
                    [(scope.account_no, kind[:40], subject[:200], state, now) for kind, _, subject in pairs],
                )
            await connection.execute(
                "delete from reminder_mark where account_no = $1 and marked_at < $2", scope.account_no, now - _FORGET_AFTER
            )
        self._kept.pop(_key(scope), None)

    async def units(self, scope: Scope) -> list[str]:
        """Return the names an account answers for: its institution's, then the responsible units it chose."""
        async with self._database.connection() as connection:
            own = await connection.fetchval("select name from institution where rid = $1", scope.institution_rid)
        return [*([own] if own else []), *await self.chosen_units(scope)]

    async def chosen_units(self, scope: Scope) -> list[str]:
        """Return the responsible units an account chose to answer for beside its institution."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("select unit from reminder_unit where account_no = $1 order by unit", scope.account_no)
        return [row["unit"] for row in rows]

    async def choose_units(self, scope: Scope, units: Sequence[str]) -> None:
        """Take the responsible units an account answers for beside its institution.  Raises: IncorrectError for too many."""
        chosen = sorted({" ".join(unit.replace("\x00", "").split())[:200] for unit in units} - {""})
        if len(chosen) > _MOST_UNITS:
            raise IncorrectError(f"最多选 {_MOST_UNITS} 个单位", f"choose at most {_MOST_UNITS} units", where="unit")
        async with self._database.transaction() as connection:
            await connection.execute("delete from reminder_unit where account_no = $1 and not (unit = any($2))", scope.account_no, chosen)
            await connection.executemany(
                "insert into reminder_unit (account_no, unit, chosen_at) values ($1, $2, $3) on conflict do nothing",
                [(scope.account_no, unit, self._clock.now()) for unit in chosen],
            )
        self._kept.pop(_key(scope), None)


def _key(scope: Scope) -> tuple[int, str, int | None]:
    return scope.account_no, scope.role, scope.institution_rid
