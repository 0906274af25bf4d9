"""数据接入: the pages of the group, in the order of its menu."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from xinglin.web.menu import Entry
from xinglin.web.pages import (
    exchange_code_files,
    exchange_codes,
    exchange_columns,
    exchange_identity,
    exchange_import,
    exchange_messages,
    exchange_overview,
    exchange_progress,
    exchange_quarantine,
    exchange_upper,
)

_PARTS: Final = (
    exchange_overview,
    exchange_progress,
    exchange_messages,
    exchange_quarantine,
    exchange_import,
    exchange_identity,
    exchange_upper,
    exchange_columns,
    exchange_codes,
    exchange_code_files,
)
ROUTES: Final[tuple[Route, ...]] = tuple(route for part in _PARTS for route in part.ROUTES)
MENU: Final[tuple[Entry, ...]] = tuple(entry for part in _PARTS for entry in part.MENU)
