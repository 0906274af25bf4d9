"""What the frame of every page says: the county's name, long work that goes on, and how many reminders wait for who is signed in."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from xinglin.base.errors import UnavailableError, XinglinError

if TYPE_CHECKING:
    from xinglin.assembly import Platform
    from xinglin.engines.security import Scope


_log = logging.getLogger(__name__)
_SILENT: Final = timedelta(minutes=15)
REMINDED: Final = ("plan.read", "followup.write")
"""Who can have reminders: who reads plans or records visits."""


@dataclass(frozen=True, slots=True)
class Work:
    """Long work that goes on: the load of a demonstration, an import. done of total."""

    label_zh: str
    label_en: str
    done: int
    total: int

    def label(self, language: str) -> str:
        """Return what the work is called."""
        return self.label_en if language == "en" else self.label_zh


@dataclass(frozen=True, slots=True)
class Frame:
    """district: name of the largest division, "" before it is known.  work: what has not finished.

    stands_at: the day of a demonstration that is behind the machine's.  moving_to: the day it is being moved to.  reminders: how many are unread, None where none can be.
    """

    district: str = ""
    work: Sequence[Work] = ()
    stands_at: date | None = None
    moving_to: date | None = None
    reminders: int | None = None


async def _unread(platform: Platform, actor: Scope | None) -> int | None:
    """Return how many reminders wait unread, None where none can or where they cannot be counted: no page fails for its bell."""
    if actor is None or not reminds(actor):
        return None
    try:
        return int(await platform.reminders.unread(actor))
    except UnavailableError:
        raise
    except XinglinError:
        _log.exception("the reminders could not be counted")
        return None


async def work_going(platform: Platform) -> list[Work]:
    """Return the long work that goes on, oldest first. What died with its process is no work, once it has said nothing for a quarter of an hour."""
    async with platform.database.connection() as connection:
        rows = await connection.fetch(
            "select label_zh, label_en, done, total from progress where finished_at is null and failed is null and changed_at > $1 order by started_at",
            platform.clock.now() - _SILENT,
        )
    return [Work(*row) for row in rows]


async def frame_of(platform: Platform, actor: Scope | None = None) -> Frame:
    """Return what the frame shows; an empty frame while the database is away, so that the page about that can be shown."""
    try:
        roots = await platform.geo.children(None)
        work = await work_going(platform)
        reminders = await _unread(platform, actor)
    except UnavailableError:
        return Frame()
    kept = platform.kept_day
    stands_at = kept.stands_at() if kept is not None and kept.is_behind() else None
    moving_to = kept.asked() if kept is not None else None
    return Frame(roots[0].name if roots else "", work, stands_at, moving_to, reminders)


def reminds(scope: Scope) -> bool:
    """Return whether something can wait for an account of these rights."""
    return any(scope.allows(right) for right in REMINDED)
