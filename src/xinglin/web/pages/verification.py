"""绩效与核查: routes and menu of the group."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from xinglin.web.menu import Entry

ROUTES: Final[tuple[Route, ...]] = ()
MENU: Final[tuple[Entry, ...]] = ()
