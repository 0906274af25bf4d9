"""Numbers and days of the pages of statistics."""

from __future__ import annotations

from datetime import date

import pytest

from xinglin.base.errors import IncorrectError
from xinglin.engines.geo import PopulationFigure
from xinglin.web.pages.statistics_population import counted_from, people_from
from xinglin.web.pages.statistics_work_entries import month_of

TODAY = date(2026, 11, 22)


def figures(*rows: tuple[str, str, int]) -> list[PopulationFigure]:
    return [PopulationFigure(999901001001, 2026, band, sex, count, "年鉴") for band, sex, count in rows]


def test_residents_told_by_sex_and_together_count_once() -> None:
    assert counted_from(figures(("all", "1", 50), ("all", "2", 40), ("all", "all", 90)), 0) == 90
    banded = figures(("0-64", "1", 40), ("0-64", "2", 30), ("0-64", "all", 70), ("65+", "all", 20))
    assert counted_from(banded, 0) == 90 and counted_from(banded, 65) == 20


def test_bands_of_one_source_that_overlap_count_nobody_twice() -> None:
    old = figures(("65+", "all", 100), ("80+", "all", 20))
    assert [counted_from(old, age) for age in (0, 65, 80)] == [100, 100, 20]
    assert people_from(old, 65, 79) == 80, "65+ without 80+"
    every = figures(("0-14", "all", 300), ("15-59", "all", 500), ("60+", "all", 150), ("65+", "all", 100), ("0-64", "all", 850))
    assert [counted_from(every, age) for age in (0, 15, 60, 65)] == [950, 650, 150, 100]
    assert people_from(every, 60, 64) == 50
    by_sex = figures(("65+", "all", 100), ("80+", "1", 8), ("80+", "2", 12))
    assert counted_from(by_sex, 65) == 100 and counted_from(by_sex, 80) == 20
    unlike = figures(("60+", "1", 40), ("55+", "2", 70))
    assert counted_from(unlike, 0) == 110, "men and women are told in bands of their own"
    two = [*figures(("65+", "all", 100)), PopulationFigure(999901001002, 2026, "65+", "all", 30, "年鉴")]
    assert people_from(two, 65) == 130, "two divisions are added"


def test_a_month_is_its_first_and_last_day() -> None:
    assert month_of("2026-02", TODAY) == (date(2026, 2, 1), date(2026, 2, 28))
    assert month_of("", TODAY) == (date(2026, 11, 1), date(2026, 11, 30))


@pytest.mark.parametrize("text", ["9999-12", "2026-13", "soon"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(IncorrectError, match="2026-11"):
        month_of(text, TODAY)
