"""Every page of the product, one file per group; each file has `ROUTES` and `MENU`."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from xinglin.web.pages import account, desk, exchange, keeping, residents, statistics, system

GROUPS: Final[tuple[ModuleType, ...]] = (account, desk, keeping, residents, statistics, exchange, system)
