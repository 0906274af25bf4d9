"""Every page of the product, one file per group; each file has `ROUTES` and `MENU`."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from xinglin.web.pages import (
    account,
    administration,
    chronic,
    correcting,
    demonstration,
    desk,
    exchange,
    followup,
    followup_sheet,
    keeping,
    opening,
    plans,
    reminders,
    residents,
    runs,
    statistics,
    system,
    tasks,
    verification,
)

GROUPS: Final[tuple[ModuleType, ...]] = (
    account,
    desk,
    followup,
    followup_sheet,
    correcting,
    opening,
    keeping,
    tasks,
    reminders,
    residents,
    chronic,
    statistics,
    verification,
    plans,
    exchange,
    administration,
    runs,
    system,
    demonstration,
)
