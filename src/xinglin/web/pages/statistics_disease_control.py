"""疾控: population with source and year, measures with interval and unknowns, and control among patients beside control among everybody."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any, Final

from starlette.responses import Response

from xinglin.definitions import Definition
from xinglin.engines.geo import PopulationFigure, code_of
from xinglin.engines.rules import Figure, wilson
from xinglin.web.exports import Heading, export_answer
from xinglin.web.i18n import mark
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.statistics_asking import day_asked, is_loading, standing, told_at
from xinglin.web.pages.statistics_population import counted_from, each_once, norm_cells, norm_totals, norms, people_from, tops

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


async def _population(visit: Visit, as_of: date) -> tuple[int, list[dict[str, Any]], list[PopulationFigure]]:
    """Return the newest year with figures up to a day, its totals by source, and the figures of the first source."""
    areas = await tops(visit, visit.scope)
    year = await visit.platform.geo.population_year(areas, as_of.year)
    if year is None:
        return 0, [], []
    figures = each_once([one for own in (await visit.platform.geo.population_under_each(areas, year)).values() for one in own])
    sources = list(dict.fromkeys(figure.source for figure in figures))
    return year, [_source_row(source, figures) for source in sources], [one for one in figures if one.source == sources[0]]


def _source_row(source: str, figures: Sequence[PopulationFigure]) -> dict[str, Any]:
    own = [one for one in figures if one.source == source]
    return {
        "source": source,
        "total": counted_from(own, 0) or 0,
        "men": counted_from([one for one in own if one.sex == "1"], 0) or 0,
        "women": counted_from([one for one in own if one.sex == "2"], 0) or 0,
        "bands": [(f"{low}-{high}" if high < 200 else f"{low}+", round(people_from(own, low, high))) for low, high in _BANDS],
    }


def _comparison(visit: Visit, one: Prevalence, figure: Figure, figures: Sequence[PopulationFigure]) -> dict[str, Any] | None:
    """Return control among managed patients beside control among all patients that a survey lets one expect, and what that is made of."""
    total = figure.total
    people = people_from(figures, one.from_age)
    expected = round(people * one.share)
    if total is None or not expected:
        return None
    controlled = min(total.numerator, expected)
    return {
        "name": visit.words.pick(one.zh, one.en),
        "measure": one.measure,
        "prevalence": one,
        "people": round(people),
        "managed": (total.numerator, total.denominator, total.share, total.interval),
        "everybody": (controlled, expected, controlled / expected, wilson(controlled, expected)),
        "coverage": total.denominator / expected,
    }


async def _figures(visit: Visit, as_of: date) -> tuple[list[Definition], Sequence[Sequence[Figure]]]:
    """Return the rates, and the counts whose norm divides by the residents, each with its figure of a day."""
    beside = norms()
    found = [one for one in visit.platform.rules.edition(as_of).of_kind("measure") if one.unit != "count" or one.id in beside]
    return found, await visit.platform.measures.overview(visit.scope, [(one.id, [as_of]) for one in found])


def _numerators(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {row["definition"].id: row["total"].numerator for row in rows if row["total"] is not None}


async def show(visit: Visit) -> Response:
    """Show the page of disease control."""
    as_of = day_asked(visit)
    year, sources, figures = await _population(visit, as_of)
    found, told = await _figures(visit, as_of)
    rows = [
        {"definition": one, "total": row[0].total, "tag": standing(visit, one), "is_count": one.unit == "count"}
        for one, row in zip(found, told, strict=True)
    ]
    figure_of = {one.id: row[0] for one, row in zip(found, told, strict=True)}
    pairs = [_comparison(visit, one, figure_of[one.measure], figures) for one in prevalences() if one.measure in figure_of]
    context = {
        "year": year,
        "sources": sources,
        "rows": rows,
        "norms": norms(),
        "loading": await is_loading(visit),
        "norm_totals": await norm_totals(visit, visit.scope, as_of, _numerators(rows)),
        "pairs": [pair for pair in pairs if pair],
        "day": as_of,
        "as_of": await told_at(visit, min((row[0].seq for row in told), default=0)),
    }
    return render(visit, "statistics/disease_control.html", context)


async def export(visit: Visit) -> Response:
    """Return the measures with their intervals and unknowns as Excel."""
    visit.scope.require("export")
    as_of = day_asked(visit)
    found, told = await _figures(visit, as_of)
    rows = [{"definition": one, "total": row[0].total} for one, row in zip(found, told, strict=True)]
    beside = await norm_totals(visit, visit.scope, as_of, _numerators(rows))
    words = (("指标", "text"), ("分子", "number"), ("分母", "number"), ("比率", "percent"), ("95% 区间下限", "percent"), ("95% 区间上限", "percent"), ("不明", "number"), ("剔除", "number"), ("来源", "text"))  # fmt: skip

    async def cells() -> AsyncIterator[Sequence[object]]:
        for one, row in zip(found, told, strict=True):
            total = row[0].total
            if total is not None:
                low, high = (None if one.unit == "count" else total.interval) or (None, None)
                is_count = one.unit == "count"
                numbers = (
                    total.numerator,
                    None if is_count else total.denominator,
                    None if is_count else total.share,
                    low,
                    high,
                    total.unknown,
                    sum(total.exclusions.values()),
                )
                yield [one.title.say(visit.language), *numbers, one.source]
            if one.id in beside:
                yield norm_cells(visit, norms()[one.id], beside[one.id])
        await visit.record("export", "disease-control")

    labels = [(visit.text(word), kind) for word, kind in words]
    seq = min((row[0].seq for row in told), default=0)
    return await export_answer(visit, Heading(visit.text("疾控指标"), labels, len(found) + len(beside), await told_at(visit, seq)), cells())


async def export_population(visit: Visit) -> Response:
    """Return the population figures of the newest year as Excel, as they were given: division, age band, sex, source."""
    visit.scope.require("export")
    as_of = day_asked(visit)
    places = [place for low, high in visit.scope.areas for place in await visit.platform.geo.within(low, high)]
    names = {place.area: place.name for place in places}
    year = await visit.platform.geo.population_year(await tops(visit, visit.scope), as_of.year)
    figures = await visit.platform.geo.population(list(names), year=year) if year is not None else []
    words = (
        ("区划", "text"),
        ("地区", "text"),
        ("年度", "number"),
        ("年龄组", "text"),
        ("性别", "text"),
        ("人数", "number"),
        ("来源", "text"),
    )
    sexes = {"1": visit.text("男"), "2": visit.text("女")}

    async def cells() -> AsyncIterator[Sequence[object]]:
        for one in figures:
            yield [code_of(one.area), names[one.area], one.year, one.age_band, sexes.get(one.sex, ""), one.count, one.source]
        await visit.record("export", "population")

    labels = [(visit.text(word), kind) for word, kind in words]
    return await export_answer(visit, Heading(visit.text("人口"), labels, len(figures)), cells())


ROUTES: Final = (
    page("/measures/disease-control/population.xlsx", export_population, right=RIGHT),
    page("/measures/disease-control", show, right=RIGHT),
    page("/measures/disease-control/export.xlsx", export, right=RIGHT),
)
MENU: Final = (Entry("statistics", mark("疾控指标"), "/measures/disease-control", (RIGHT,)),)
