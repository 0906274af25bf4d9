"""疾控: population with source and year, measures with interval and unknowns, and control among patients beside control among everybody."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from starlette.responses import Response

from xinglin.engines.geo import PopulationFigure
from xinglin.engines.rules import Figure, wilson
from xinglin.web.exports import export_answer
from xinglin.web.i18n import mark
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.statistics_asking import day_asked, standing, told_at

RIGHT: Final = "cdc.figures"
_BANDS: Final = ((0, 14), (15, 34), (35, 64), (65, 200))


@dataclass(frozen=True, slots=True)
class Prevalence:
    """A survey's prevalence of a disease. measure: the control rate among managed patients it stands beside.  from_age: years."""

    programme: str
    zh: str
    en: str
    measure: str
    from_age: int
    share: float
    source: str
    verified: bool


def prevalences() -> list[Prevalence]:
    """Return the surveys' figures the module of chronic diseases brings."""
    text = files("xinglin.modules.chronic_disease").joinpath("prevalence.toml").read_text(encoding="utf-8")
    return [Prevalence(**item) for item in tomllib.loads(text)["prevalence"]]


def band_of(text: str) -> tuple[int, int] | None:
    """Return the first and last year of an age band such as 0-4 or 85+, None for "all".

    >>> band_of("85+")
    (85, 200)
    """
    if text == "all":
        return None
    low, _, high = text.removesuffix("+").partition("-")
    return int(low), 200 if text.endswith("+") else int(high or low)


def people_from(figures: Iterable[PopulationFigure], low: int, high: int = 200) -> float:
    """Return the people of an age range; a band that the range cuts counts by the share of its years inside.

    >>> people_from([PopulationFigure(1, 2026, "15-19", "1", 50, "x")], 18)
    20.0
    """
    total = 0.0
    for figure in figures:
        band = band_of(figure.age_band)
        if band is not None:
            first, last = band
            inside = max(0, min(last, high) - max(first, low) + 1)
            total += figure.count * inside / (last - first + 1)
    return total


async def _population(visit: Visit) -> tuple[int, list[dict[str, Any]], list[PopulationFigure]]:
    """Return the newest year with figures, its totals by source, and the figures of the first source."""
    today = visit.platform.clock.today()
    for year in range(today.year, today.year - 8, -1):
        figures: list[PopulationFigure] = []
        for low, high in visit.scope.areas:
            for place in await visit.platform.geo.within(low, high):
                if place.area == low:
                    figures += await visit.platform.geo.population_under(low, year)
        if figures:
            sources = list(dict.fromkeys(figure.source for figure in figures))
            return year, [_source_row(source, figures) for source in sources], [one for one in figures if one.source == sources[0]]
    return 0, [], []


def _source_row(source: str, figures: Sequence[PopulationFigure]) -> dict[str, Any]:
    own = [one for one in figures if one.source == source]
    banded = [one for one in own if band_of(one.age_band) is not None] or own
    return {
        "source": source,
        "total": sum(one.count for one in banded),
        "men": sum(one.count for one in banded if one.sex == "1"),
        "women": sum(one.count for one in banded if one.sex == "2"),
        "bands": [(f"{low}-{high}" if high < 200 else f"{low}+", round(people_from(banded, low, high))) for low, high in _BANDS],
    }


def _comparison(visit: Visit, one: Prevalence, figure: Figure, figures: Sequence[PopulationFigure]) -> dict[str, Any] | None:
    """Return control among managed patients beside control among all patients that a survey lets one expect."""
    total = figure.total
    expected = round(people_from(figures, one.from_age) * one.share)
    if total is None or not expected:
        return None
    controlled = min(total.numerator, expected)
    return {
        "name": visit.words.pick(one.zh, one.en),
        "measure": one.measure,
        "prevalence": one,
        "managed": (total.numerator, total.denominator, total.share, total.interval),
        "everybody": (controlled, expected, controlled / expected, wilson(controlled, expected)),
        "coverage": total.denominator / expected,
    }


async def show(visit: Visit) -> Response:
    """Show the page of disease control."""
    as_of = day_asked(visit)
    year, sources, figures = await _population(visit)
    found = [one for one in visit.platform.rules.edition(as_of).of_kind("measure") if one.unit != "count"]
    told = await visit.platform.measures.overview(visit.scope, [(one.id, [as_of]) for one in found])
    rows = [{"definition": one, "total": row[0].total, "tag": standing(visit, one)} for one, row in zip(found, told, strict=True)]
    figure_of = {one.id: row[0] for one, row in zip(found, told, strict=True)}
    pairs = [_comparison(visit, one, figure_of[one.measure], figures) for one in prevalences() if one.measure in figure_of]
    context = {
        "year": year,
        "sources": sources,
        "rows": rows,
        "pairs": [pair for pair in pairs if pair],
        "day": as_of,
        "as_of": await told_at(visit, min((row[0].seq for row in told), default=0)),
    }
    return render(visit, "statistics/disease_control.html", context)


async def export(visit: Visit) -> Response:
    """Return the measures with their intervals and unknowns as Excel."""
    visit.scope.require("export")
    as_of = day_asked(visit)
    found = [one for one in visit.platform.rules.edition(as_of).of_kind("measure") if one.unit != "count"]
    told = await visit.platform.measures.overview(visit.scope, [(one.id, [as_of]) for one in found])
    words = (("指标", "text"), ("分子", "number"), ("分母", "number"), ("比率", "percent"), ("95% 区间下限", "percent"), ("95% 区间上限", "percent"), ("不明", "number"), ("剔除", "number"), ("来源", "text"))  # fmt: skip

    async def cells() -> AsyncIterator[Sequence[object]]:
        for one, row in zip(found, told, strict=True):
            total = row[0].total
            if total is not None:
                low, high = total.interval or (None, None)
                numbers = (total.numerator, total.denominator, total.share, low, high, total.unknown, sum(total.exclusions.values()))
                yield [one.title.say(visit.language), *numbers, one.source]
        await visit.record("export", "disease-control")

    return await export_answer(visit, visit.text("疾控指标"), [(visit.text(word), kind) for word, kind in words], cells(), len(found))


ROUTES: Final = (
    page("/measures/disease-control", show, right=RIGHT),
    page("/measures/disease-control/export.xlsx", export, right=RIGHT),
)
MENU: Final = (Entry("statistics", mark("疾控指标"), "/measures/disease-control", (RIGHT,)),)
