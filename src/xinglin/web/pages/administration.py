"""系统管理, second part: own sessions, system status, settings of the installation. Accounts, offices and audit stand in `system`."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from xinglin.web.menu import Entry

ROUTES: Final[tuple[Route, ...]] = ()
MENU: Final[tuple[Entry, ...]] = ()
