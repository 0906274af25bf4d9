"""The day of a demonstration: the steward asks for it to be moved to today; a process of its own lives the days between."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from xinglin.base.errors import UnsupportedError
from xinglin.engines.security import AuditEntry
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, redirect


async def advance(visit: Visit) -> Response:
    """Ask for the demonstration to be moved to today.

    Raises: UnsupportedError outside a demonstration; ConflictError when it is there already, or on the way.
    """
    kept = visit.platform.kept_day
    if kept is None:
        raise UnsupportedError("只有演示系统的日期可以推进", "only the day of a demonstration can be moved")
    day = kept.ask()
    await visit.platform.audit.record(AuditEntry(visit.scope, "advance", "demonstration", detail=day.isoformat()))
    return redirect(visit, "/")


ROUTES: Final = (page("/demonstration/advance", advance, right="steward", methods=("POST",)),)
MENU: Final[tuple[Entry, ...]] = ()
