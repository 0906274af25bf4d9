"""Places of the district: names, tree, outlines, population."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any, Final

import asyncpg
import orjson

from xinglin.base.database import Database
from xinglin.base.errors import NotFoundError
from xinglin.engines.geo.division import LEVELS, Division, Level, code_of, level_of, subtree, subtree_ranges
from xinglin.engines.geo.reading import PopulationFigure

_COLUMNS: Final = "area, name, level, parent, polygon, lon, lat, valid_from, valid_to"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did: rows in the file, and how many of them were new or different."""

    rows: int
    changed: int


class Geo:
    """The door of geo. Divisions and population figures are public facts, so no scope is asked; what joins them to residents asks one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ranges(self, areas: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """Return the ranges of codes under some areas (part of security's AreaSource)."""
        return subtree_ranges(areas)

    async def unknown(self, areas: Sequence[int]) -> tuple[int, ...]:
        """Return those of some areas that are not a division of ours (part of security's AreaSource)."""
        known = await self.names(areas)
        return tuple(area for area in areas if area not in known)

    async def load_divisions(
        self, divisions: Iterable[Division], *, keep_outlines: bool = False, within: asyncpg.Connection[Any] | None = None
    ) -> Loaded:
        """Add divisions, or replace those of the same code. Nothing changes if one is refused.

        keep_outlines: what carries no outline or place (a table) leaves those that are there.
        within: a connection whose transaction this is to be part of.
        """
        divisions = await self.with_outlines(list(divisions)) if keep_outlines else divisions
        rows = [(*astuple(each)[:4], _text(each), *astuple(each)[5:]) for each in divisions]
        query = (
            f"insert into division ({_COLUMNS}) values ($1, $2, $3, $4, $5::jsonb, $6, $7, $8, $9) on conflict (area) do update set"
            " (name, level, parent, polygon, lon, lat, valid_from, valid_to) = (excluded.name, excluded.level, excluded.parent,"
            " excluded.polygon, excluded.lon, excluded.lat, excluded.valid_from, excluded.valid_to) where division is distinct from excluded"
        )
        return await self._load("division", query, rows, within)

    async def with_outlines(self, divisions: Sequence[Division]) -> list[Division]:
        """Return divisions with the outlines and places that are known of them, where they carry none."""
        query = f"select {_COLUMNS} from division where area = any($1::bigint[])"
        known = {row["area"]: _division(row) for row in await self._fetch(query, [one.area for one in divisions])}
        return [_filled(one, known.get(one.area)) for one in divisions]

    async def page(self, text: str, level: str, part: tuple[int, int]) -> tuple[list[Division], int]:
        """Return divisions whose name contains `text` or whose code begins with it, of a level or of all ("").

        part: (how many, how many before).
        """
        condition = "($1 = '' or name like '%' || $1 || '%' or lpad(area::text, 12, '0') like $1 || '%') and ($2 = '' or level = $2)"
        pattern = text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        query = f"select {_COLUMNS.replace('polygon', 'null as polygon')} from division where {condition} order by area limit $3 offset $4"
        rows = await self._fetch(query, pattern, level, *part)
        total = await self._fetch(f"select count(*) as n from division where {condition}", pattern, level)
        return [_division(row) for row in rows], total[0]["n"]

    async def figures(self) -> list[PopulationFigure]:
        """Return every population figure, by division, year and source."""
        query = "select area, year, age_band, sex, count, source from population order by area, year, source, sex, age_band"
        return [PopulationFigure(*row) for row in await self._fetch(query)]

    async def load_population(self, figures: Iterable[PopulationFigure], *, within: asyncpg.Connection[Any] | None = None) -> Loaded:
        """Add population figures, or replace those of the same area, year, source, age band and sex. within: as for divisions."""
        query = (
            "insert into population (area, year, age_band, sex, count, source) values ($1, $2, $3, $4, $5, $6)"
            " on conflict (area, year, source, age_band, sex) do update set count = excluded.count where population.count <> excluded.count"
        )
        return await self._load("population", query, [astuple(figure) for figure in figures], within)

    async def division(self, area: int) -> Division:
        """Return a division.  Raises: NotFoundError."""
        rows = await self._fetch(f"select {_COLUMNS} from division where area = $1", area)
        if not rows:
            raise NotFoundError("没有这个区划", f"no division {code_of(area)}; load it first", where="area")
        return _division(rows[0])

    async def names(self, areas: Sequence[int]) -> dict[int, str]:
        """Return area → name of those that are known."""
        rows = await self._fetch("select area, name from division where area = any($1::bigint[])", list(areas))
        return {row["area"]: row["name"] for row in rows}

    async def find(self, name: str, *, limit: int = 20) -> list[Division]:
        """Return divisions whose name contains `name`, larger ones first."""
        pattern = name.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        query = f"select {_COLUMNS} from division where name like '%' || $1 || '%' order by area limit $2"
        return [_division(row) for row in await self._fetch(query, pattern, limit)]

    async def children(self, area: int | None) -> list[Division]:
        """Return the divisions right under one, by code; the roots (whose parent is not loaded) for None."""
        if area is None:
            query = f"select {_COLUMNS} from division d where not exists (select 1 from division p where p.area = d.parent) order by area"
            return [_division(row) for row in await self._fetch(query)]
        return [_division(row) for row in await self._fetch(f"select {_COLUMNS} from division where parent = $1 order by area", area)]

    async def within(self, low: int, high: int) -> list[Division]:
        """Return the divisions of a closed range of areas, by code, without their outlines: for a field that chooses one."""
        query = f"select {_COLUMNS.replace('polygon', 'null as polygon')} from division where area between $1 and $2 order by area"
        return [_division(row) for row in await self._fetch(query, low, high)]

    async def ancestors(self, area: int) -> list[Division]:
        """Return the divisions above one, the largest first."""
        query = (
            f"with recursive up as (select d.*, 0 as height from division d where area = $1"
            f" union all select p.*, up.height + 1 from division p join up on p.area = up.parent where up.height < 10)"
            f" select {_COLUMNS} from up where height > 0 order by height desc"
        )
        return [_division(row) for row in await self._fetch(query, area)]

    async def feature_collection(self, area: int, level: Level) -> dict[str, Any]:
        """Return the outlines of a level under an area as GeoJSON, for a map; divisions without an outline come as points."""
        low, high = subtree(area)
        query = f"select {_COLUMNS} from division where area between $1 and $2 and level = $3 order by area"
        return {"type": "FeatureCollection", "features": [_feature(_division(row)) for row in await self._fetch(query, low, high, level)]}

    async def population(self, areas: Sequence[int], *, year: int | None = None) -> list[PopulationFigure]:
        """Return the figures of some areas, each with its source; of every year where none is given."""
        query = (
            "select area, year, age_band, sex, count, source from population"
            " where area = any($1::bigint[]) and ($2::int is null or year = $2) order by area, year, source, sex, age_band"
        )
        return [PopulationFigure(*row) for row in await self._fetch(query, list(areas), year)]

    async def population_under(self, area: int, year: int) -> list[PopulationFigure]:
        """Return the figures of a whole division, each source by itself, by sex and age band.

        A source that gives figures for the division is taken as it stands; else its figures of the next level that has any are summed.
        """
        return (await self.population_under_each([area], year))[area]

    async def population_under_each(self, areas: Sequence[int], year: int) -> dict[int, list[PopulationFigure]]:
        """Return `population_under` of several divisions, in one look."""
        query = (
            "select w.area as under, p.area, p.age_band, p.sex, p.count, p.source from unnest($1::bigint[], $2::bigint[]) as w(area, high)"
            " join population p on p.area between w.area and w.high where p.year = $3"
        )
        sums: dict[tuple[int, str], dict[int, dict[tuple[str, str], int]]] = {}
        for row in await self._fetch(query, list(areas), [subtree(area)[1] for area in areas], year):
            levels = sums.setdefault((row["under"], row["source"]), {})
            cells = levels.setdefault(LEVELS.index(level_of(row["area"])), {})
            cells[row["sex"], row["age_band"]] = cells.get((row["sex"], row["age_band"]), 0) + row["count"]
        found: dict[int, list[PopulationFigure]] = {area: [] for area in areas}
        for (area, source), levels in sorted(sums.items()):
            for (sex, age_band), count in sorted(levels[min(levels)].items()):
                found[area].append(PopulationFigure(area, year, age_band, sex, count, source))
        return found

    async def population_year(self, areas: Sequence[int], latest: int) -> int | None:
        """Return the newest year, not after `latest`, for which there are figures of some divisions or below them."""
        query = (
            "select max(p.year) as year from unnest($1::bigint[], $2::bigint[]) as w(area, high)"
            " join population p on p.area between w.area and w.high where p.year <= $3"
        )
        year: int | None = (await self._fetch(query, list(areas), [subtree(area)[1] for area in areas], latest))[0]["year"]
        return year

    async def _fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        async with self._database.connection() as connection:
            return list(await connection.fetch(query, *values))

    async def _load(self, table: str, query: str, rows: Sequence[tuple[Any, ...]], within: asyncpg.Connection[Any] | None) -> Loaded:
        async with self._database.transaction(within) as connection:
            # One loader at a time, so that what changed can be told by row versions.
            await connection.execute(f"lock table {table} in share row exclusive mode")
            await connection.executemany(query, rows)
            changed = await connection.fetchval(f"select count(*) from {table} where xmin = pg_current_xact_id()::xid")
        return Loaded(len(rows), changed)


def _filled(one: Division, known: Division | None) -> Division:
    if known is None:
        return one
    polygon = one.polygon if one.polygon is not None else known.polygon
    return replace(one, polygon=polygon) if one.lon is not None else replace(one, polygon=polygon, lon=known.lon, lat=known.lat)


def _division(row: asyncpg.Record) -> Division:
    fields = dict(row)
    fields["polygon"] = orjson.loads(fields["polygon"]) if fields["polygon"] else None
    return Division(**fields)


def _text(division: Division) -> str | None:
    return orjson.dumps(division.polygon).decode() if division.polygon else None


def _feature(division: Division) -> dict[str, Any]:
    point = {"type": "Point", "coordinates": [division.lon, division.lat]} if division.lon is not None else None
    properties = {
        "code": division.code,
        "name": division.name,
        "level": division.level,
        "parent": code_of(division.parent) if division.parent else None,
        "lon": division.lon,
        "lat": division.lat,
    }
    return {"type": "Feature", "id": division.code, "properties": properties, "geometry": division.polygon or point}
