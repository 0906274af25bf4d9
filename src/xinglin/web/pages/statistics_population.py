"""Rates over the resident population: the norm's denominator beside ours, with source and year, as far down as the figures go."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

from xinglin.definitions import Words
from xinglin.engines.geo import PopulationFigure, subtree
from xinglin.engines.rules import wilson
from xinglin.engines.security import Scope
from xinglin.web.page import Visit

Band = tuple[int, int]
"""First and last year of age."""


@dataclass(frozen=True, slots=True)
class Norm:
    """A measure's denominator as the norm has it. rate, people, why: what the rate, the denominator and the difference are called.

    from_age: years, from which residents count.  verified: whether the clause has been compared with the text.
    """

    measure: str
    from_age: int
    rate: Words
    people: Words
    why: Words
    source: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Residents:
    """The residents of some divisions in one year from one source; None where the source does not tell (the age)."""

    year: int
    source: str
    people: Mapping[int, int | None]


@dataclass(frozen=True, slots=True)
class NormFigure:
    """A measure over the resident population. share: 0 to 1 and more, None without a figure.  interval: 95 %, by Wilson."""

    numerator: int
    people: int | None
    year: int
    source: str

    @property
    def share(self) -> float | None:
        """Return numerator over residents."""
        return self.numerator / self.people if self.people else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the interval; none where more are counted than live there."""
        return wilson(self.numerator, self.people) if self.people and self.numerator <= self.people else None


def norms() -> dict[str, Norm]:
    """Return measure → its norm's denominator, of those whose norm divides by the residents."""
    text = files("xinglin.modules.chronic_disease").joinpath("norm_denominators.toml").read_text(encoding="utf-8")
    found = {}
    for item in tomllib.loads(text)["denominator"]:
        said = {name: Words(item[f"{name}_zh"], item[f"{name}_en"]) for name in ("rate", "people", "why")}
        found[item["measure"]] = Norm(item["measure"], item["from_age"], **said, source=item["source"], verified=item["verified"])
    return found


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

    Nobody counts twice: of bands of one source and division that overlap (60+, 65+, 80+), those are taken that fit the range best.

    >>> people_from([PopulationFigure(1, 2026, "15-19", "1", 50, "x")], 18)
    20.0
    >>> people_from([PopulationFigure(1, 2026, "65+", "all", 100, "x"), PopulationFigure(1, 2026, "80+", "all", 20, "x")], 65)
    100.0
    """
    tables: dict[tuple[int, int, str], dict[Band, dict[str, int]]] = {}
    for figure in figures:
        band = band_of(figure.age_band)
        if band is not None:
            by_sex = tables.setdefault((figure.area, figure.year, figure.source), {}).setdefault(band, {})
            by_sex[figure.sex] = by_sex.get(figure.sex, 0) + figure.count
    return sum(_people_of(table, (low, high)) for table in tables.values())


def _people_of(table: Mapping[Band, Mapping[str, int]], ages: Band) -> float:
    """Return the people of one source and division, from the bands of both sexes unless those by sex tell of more years."""
    both = {
        band: sex["1"] + sex["2"] if {"1", "2"} <= sex.keys() else sex["all"] for band, sex in table.items() if {"1", "2"} <= sex.keys() or "all" in sex
    }  # fmt: skip
    together = _best(both, ages)
    apart = [_best({band: sex[own] for band, sex in table.items() if own in sex}, ages) for own in ("1", "2")]
    return together[1] if together[0] >= max(each[0] for each in apart) else sum(each[1] for each in apart)


def _best(counts: Mapping[Band, int], ages: Band) -> tuple[int, float]:
    """Return (years told of, people) of the bands, none over another, that tell most of an age range with least outside it."""
    # Of two bands that begin or end together, the difference is a band, too: 65+ without 80+ is 65-79.
    bands = [(band, count, 1) for band, count in counts.items()]
    for (first, last), count in counts.items():
        for (start, end), part in counts.items():
            if start == first and end < last and part <= count:
                bands.append(((end + 1, last), count - part, 2))
            elif end == last and start > first and part <= count:
                bands.append(((first, start - 1), count - part, 2))
    # ends: last year of a choice → (years inside, minus years outside, minus bands), people.
    ends: dict[int, tuple[tuple[int, int, int], float]] = {-1: ((0, 0, 0), 0.0)}
    for (first, last), count, used in sorted(bands):
        inside = max(0, min(last, ages[1]) - max(first, ages[0]) + 1)
        if inside:
            years = last - first + 1
            (told, outside, parts), people = max(choice for end, choice in ends.items() if end < first)
            choice = ((told + inside, outside - (years - inside), parts - used), people + count * inside / years)
            ends[last] = max(choice, ends.get(last, choice))
    (told, _, _), people = max(ends.values())
    return told, people


def each_once(figures: Sequence[PopulationFigure]) -> list[PopulationFigure]:
    """Return the figures without those of both sexes together where the same source tells the same division and band by sex too."""
    by_sex = {(one.source, one.area, one.age_band) for one in figures if one.sex != "all"}
    return [one for one in figures if one.sex != "all" or (one.source, one.area, one.age_band) not in by_sex]


def counted_from(figures: Sequence[PopulationFigure], age: int) -> int | None:
    """Return the people from an age on, all for 0; None where there is no figure, or none by age.

    >>> every = PopulationFigure(1, 2026, "all", "1", 50, "x")
    >>> counted_from([every], 0), counted_from([every], 65), counted_from([], 0)
    (50, None, None)
    >>> counted_from([every, PopulationFigure(1, 2026, "all", "2", 40, "x"), PopulationFigure(1, 2026, "all", "all", 90, "x")], 0)
    90
    """
    figures = each_once(figures)
    banded = [one for one in figures if band_of(one.age_band) is not None]
    if banded:
        return round(people_from(banded, age))
    return sum(one.count for one in figures) if figures and not age else None


async def tops(visit: Visit, scope: Scope) -> list[int]:
    """Return the largest divisions that lie wholly in a scope."""
    found: list[int] = []
    for low, high in scope.areas:
        for place in await visit.platform.geo.within(low, high):
            if subtree(place.area)[1] <= high and not any(above <= place.area <= subtree(above)[1] for above in found):
                found.append(place.area)
    return found


async def residents(visit: Visit, areas: Sequence[int], as_of: date, ages: Sequence[int]) -> dict[int, Residents]:
    """Return age → the residents from that age on, of the newest year not after a day and the source that covers most divisions."""
    year = await visit.platform.geo.population_year(areas, as_of.year) if areas else None
    if year is None:
        return {}
    figures = await visit.platform.geo.population_under_each(areas, year)
    known = {area: {one.source for one in own} for area, own in figures.items()}
    source = min(set().union(*known.values()), key=lambda name: (-sum(name in own for own in known.values()), name))
    own = {area: [one for one in found if one.source == source] for area, found in figures.items()}
    return {age: Residents(year, source, {area: counted_from(found, age) for area, found in own.items()}) for age in ages}


async def norm_totals(visit: Visit, scope: Scope, as_of: date, numerators: Mapping[str, int]) -> dict[str, NormFigure]:
    """Return measure → its number over the residents of a whole scope, of the measures that have such a norm; none without figures."""
    wanted = {name: norm for name, norm in norms().items() if name in numerators}
    areas = await tops(visit, scope) if wanted else []
    found = await residents(visit, areas, as_of, sorted({norm.from_age for norm in wanted.values()}))
    figures = {}
    for name, norm in wanted.items():
        told = found.get(norm.from_age)
        if told is not None:
            counts = [told.people[area] for area in areas]
            people = None if None in counts else sum(count or 0 for count in counts)
            figures[name] = NormFigure(numerators[name], people, told.year, told.source)
    return figures


async def norm_groups(visit: Visit, norm: Norm, as_of: date, numerators: Mapping[int, int]) -> dict[int, NormFigure]:
    """Return division → its number over its own residents."""
    told = (await residents(visit, list(numerators), as_of, [norm.from_age])).get(norm.from_age)
    if told is None:
        return {}
    return {area: NormFigure(count, told.people[area], told.year, told.source) for area, count in numerators.items()}


def norm_cells(visit: Visit, norm: Norm, figure: NormFigure) -> list[object]:
    """Return a rate over the residents as cells of a sheet: name, numerator, residents, rate, interval, two empty, where both come from."""
    low, high = figure.interval or (None, None)
    told = f"{norm.people.say(visit.language)}：{figure.source} {figure.year}；{norm.source}"
    return [norm.rate.say(visit.language), figure.numerator, figure.people, figure.share, low, high, None, None, told]
