"""Numbers and days of the pages of statistics."""

from __future__ import annotations

from datetime import date

import pytest

from xinglin.base.errors import IncorrectError
from xinglin.engines.geo import PopulationFigure
from xinglin.web.pages.statistics_population import counted_from
from xinglin.web.pages.statistics_work_entries import month_of

TODAY = date(2026, 11, 22)


def figures(*rows: tuple[str, str, int]) -> list[PopulationFigure]:
    return [PopulationFigure(999901001001, 2026, band, sex, count, "年鉴") for band, sex, count in rows]


def test_residents_told_by_sex_and_together_count_once() -> None:
    assert counted_from(figures(("all", "1", 50), ("all", "2", 40), ("all", "all", 90)), 0) == 90
    banded = figures(("0-64", "1", 40), ("0-64", "2", 30), ("0-64", "all", 70), ("65+", "all", 20))
    assert counted_from(banded, 0) == 90 and counted_from(banded, 65) == 20


def test_a_month_is_its_first_and_last_day() -> None:
    assert month_of("2026-02", TODAY) == (date(2026, 2, 1), date(2026, 2, 28))
    assert month_of("", TODAY) == (date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize("text", ["9999-12", "2026-13", "soon"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(IncorrectError, match="2026-11"):
        month_of(text, TODAY)
