"""The strip of long work on the pages of 数据接入: what runs, and what ended in the last minutes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from xinglin.web.menu import Entry
from xinglin.web.page import SIGNED_IN, Visit, page, render


async def long_work(visit: Visit) -> Mapping[str, object]:
    """Return what the strip shows, for a page that includes it: it then stands there from the start, and the page does not jump."""
    jobs = await visit.platform.jobs.shown()
    running = [job for job in jobs if job.finished_at is None and not job.is_stale]
    return {"running": running, "ended": [job for job in jobs if job not in running] if visit.allows("exchange.read") else []}


async def show_progress(visit: Visit) -> Response:
    """Show the strip alone, as a page asks for it again and again."""
    return render(visit, "exchange/_progress.html", await long_work(visit))


ROUTES: Final[tuple[Route, ...]] = (page("/exchange/progress", show_progress, right=SIGNED_IN),)
MENU: Final[tuple[Entry, ...]] = ()
