"""规划指标: the pages of plans, one file for each subject."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from xinglin.web.menu import Entry
from xinglin.web.pages import (
    plans_api,
    plans_cockpit,
    plans_compare,
    plans_evaluation,
    plans_findings,
    plans_indicator,
    plans_indicators,
    plans_review,
    plans_sheet_pages,
    plans_upload,
    plans_values,
    plans_what_if,
    plans_work,
)

_SUBJECTS: Final = (
    plans_upload,
    plans_compare,
    plans_indicators,
    plans_indicator,
    plans_values,
    plans_work,
    plans_review,
    plans_sheet_pages,
    plans_evaluation,
    plans_findings,
    plans_what_if,
    plans_api,
    plans_cockpit,
)
ROUTES: Final[tuple[Route, ...]] = tuple(route for subject in _SUBJECTS for route in subject.ROUTES)
MENU: Final[tuple[Entry, ...]] = tuple(
    entry for subject in (plans_cockpit, plans_indicators, plans_compare, plans_upload) for entry in subject.MENU
)
