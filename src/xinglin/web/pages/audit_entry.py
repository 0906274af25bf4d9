"""One entry of the audit log: who did what, as whom, and every resident it concerns, each leading to who else looked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from starlette.responses import Response

from xinglin.base.errors import NotFoundError
from xinglin.engines.security import AuditFound, AuditQuery
from xinglin.web.doors import institutions
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.system import audit_row


async def show_entry(visit: Visit) -> Response:
    """Show one entry; looking it up is recorded as any look-up of the log."""
    one = await _entry(visit)
    house = (await institutions(visit)).get(one.institution or 0)
    context = {"row": audit_row(visit, one), "one": one, "house": house.name if house else ""}
    return render(visit, "administration/audit_entry.html", context)


async def _entry(visit: Visit) -> AuditFound:
    """Return the entry an address names.  Raises: NotFoundError."""
    asked = visit.request.query_params
    place = (read_number(asked.get("process", "")), read_number(asked.get("n", "")))
    try:
        at = datetime.fromisoformat(asked.get("at", ""))
        until = at + timedelta(microseconds=1)
    except (ValueError, OverflowError):
        raise _no_entry() from None
    if at.tzinfo is not None:
        around = AuditQuery(since=at, until=until)
        for one in (await visit.platform.audit.search(visit.scope, around, limit=500)).entries:
            if (one.process, one.n) == place:
                return one
    raise _no_entry()


def _no_entry() -> NotFoundError:
    return NotFoundError("没有这条审计记录", "there is no such entry of the log")


ROUTES: Final = (page("/system/audit/entry", show_entry, right="audit.read"),)
