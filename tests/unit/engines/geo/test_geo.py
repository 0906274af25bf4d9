"""Divisions are loaded, named and climbed; population figures keep their source."""

from __future__ import annotations

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import orjson
import pytest

from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.engines.geo import (
    Geo,
    area_of,
    level_of,
    parent_of,
    read_division_csv,
    read_geojson,
    read_population_csv,
    subtree,
    subtree_ranges,
)

COUNTY, TOWN, VILLAGE = 420999000000, 420999101000, 420999101201
SQUARE = {"type": "Polygon", "coordinates": [[[112.0, 31.0], [112.2, 31.0], [112.2, 31.1], [112.0, 31.1], [112.0, 31.0]]]}


def _feature(code: str, name: str, geometry: object = None, **more: object) -> dict[str, object]:
    return {"type": "Feature", "properties": {"code": code, "name": name, **more}, "geometry": geometry}


def _collection(*features: object) -> bytes:
    return orjson.dumps({"type": "FeatureCollection", "features": features})


DISTRICT = _collection(
    _feature("420999", "示例县", SQUARE),
    _feature("420999101", "青石镇", SQUARE),
    _feature("420999102", "白河乡"),
    _feature("420999101201", "槐树村", SQUARE),
)


@pytest.fixture
async def geo(database_url: str, zone: ZoneInfo) -> AsyncIterator[Geo]:
    database = await Database.open(database_url, zone=zone, size=2)
    async with database.connection() as connection:
        await connection.execute("truncate division, population")
    yield Geo(database)
    await database.close()


@pytest.mark.parametrize(
    ("area", "level", "parent", "last"),
    [
        (420000000000, "province", None, 429999999999),
        (420900000000, "city", 420000000000, 420999999999),
        (COUNTY, "county", 420900000000, 420999999999),
        (TOWN, "town", COUNTY, 420999101999),
        (VILLAGE, "village", TOWN, VILLAGE),
    ],
)
def test_the_digits_tell_level_parent_and_subtree(area: int, level: str, parent: int | None, last: int) -> None:
    assert (level_of(area), parent_of(area), subtree(area)) == (level, parent, (area, last))


def test_ranges_are_joined_where_they_touch() -> None:
    assert subtree_ranges([420999103000, VILLAGE]) == ((VILLAGE, VILLAGE), (420999103000, 420999103999))
    assert subtree_ranges([420999102000, TOWN, VILLAGE]) == ((TOWN, 420999102999),)
    assert subtree_ranges([]) == ()


@pytest.mark.parametrize("code", ["42099", "", "42099910100A", "４２０９９９", "000000", "-42099"])
def test_a_code_is_digits_of_a_known_length(code: str) -> None:
    with pytest.raises(IncorrectError):
        area_of(code)


async def test_loading_twice_changes_nothing(geo: Geo) -> None:
    divisions = read_geojson(DISTRICT)
    assert (await geo.load_divisions(divisions)).changed == 4
    again = await geo.load_divisions(divisions)
    assert (again.rows, again.changed) == (4, 0)
    renamed = read_geojson(_collection(_feature("420999102", "白河镇")))
    assert (await geo.load_divisions(renamed)).changed == 1
    assert await geo.names([420999102000, 1]) == {420999102000: "白河镇"}


async def test_the_tree_is_climbed_both_ways(geo: Geo) -> None:
    await geo.load_divisions(read_geojson(DISTRICT))
    assert [child.name for child in await geo.children(COUNTY)] == ["青石镇", "白河乡"]
    assert [root.area for root in await geo.children(None)] == [COUNTY]
    assert [above.name for above in await geo.ancestors(VILLAGE)] == ["示例县", "青石镇"]
    assert (await geo.division(VILLAGE)).code == "420999101201"
    with pytest.raises(NotFoundError):
        await geo.division(420999109000)


async def test_security_learns_which_areas_are_unknown(geo: Geo) -> None:
    await geo.load_divisions(read_geojson(DISTRICT))
    assert await geo.unknown([TOWN, 420999109000]) == (420999109000,)
    assert geo.ranges([TOWN]) == ((TOWN, 420999101999),)


async def test_a_map_gets_outlines_and_a_place_inside(geo: Geo) -> None:
    await geo.load_divisions(read_geojson(DISTRICT))
    towns = (await geo.feature_collection(COUNTY, "town"))["features"]
    assert [feature["properties"]["name"] for feature in towns] == ["青石镇", "白河乡"]
    assert towns[0]["geometry"] == SQUARE and towns[1]["geometry"] is None
    assert towns[0]["properties"]["lon"] == pytest.approx(112.1) and towns[0]["properties"]["lat"] == pytest.approx(31.05)


async def test_names_are_found_by_a_part_and_wildcards_are_letters(geo: Geo) -> None:
    await geo.load_divisions(read_geojson(DISTRICT))
    assert [found.name for found in await geo.find("河")] == ["白河乡"]
    assert await geo.find("%") == []


async def test_a_csv_of_divisions_may_be_gb18030_and_name_its_validity() -> None:
    content = "code,name,parent,lon,lat,valid_from,valid_to\n420999103,新区,,112.5,31.2,2020-01-01,2024-12-31\n".encode("gb18030")
    (division,) = read_division_csv(content)
    assert (division.name, division.parent, division.lon, str(division.valid_to)) == ("新区", COUNTY, 112.5, "2024-12-31")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        _collection({"type": "Feature"}),
        _collection(_feature("42", "")),
        _collection(_feature("42099", "x")),
        _collection(_feature("420999", "x", level="parish")),
        _collection(_feature("420999", "x", parent="420999")),
        _collection(_feature("420999", "x", {"type": "LineString", "coordinates": [[1, 2], [3, 4]]})),
        _collection(_feature("420999", "x", {"type": "Polygon", "coordinates": [[[500, 2], [3, 4]]]})),
        _collection(_feature("420999", "x", {"type": "Polygon", "coordinates": "none"})),
        _collection(_feature("420999", "x"), _feature("420999", "y")),
        _collection(_feature("420999", "x", valid_from="31 February")),
    ],
)
def test_a_wrong_file_is_refused(content: bytes) -> None:
    with pytest.raises(IncorrectError):
        read_geojson(content)


async def test_population_keeps_every_source(geo: Geo) -> None:
    content = b"area,year,age_band,sex,count,source\n420999101000,2025,65-69,1,120,census\n420999101000,2025,65-69,1,118,registry\n"
    figures = read_population_csv(content)
    assert (await geo.load_population(figures)).changed == 2
    assert (await geo.load_population(figures)).changed == 0
    assert [(figure.count, figure.source) for figure in await geo.population([TOWN], year=2025)] == [(120, "census"), (118, "registry")]
    assert await geo.population([TOWN], year=2024) == []


@pytest.mark.parametrize("row", ["42,2025,65+,1,-5,s", "42,year,65+,1,5,s", "42,2025,old,1,5,s", "42,2025,65+,9,5,s", "42,2025,65+,1,5,"])
def test_a_figure_without_sense_or_source_is_refused_with_its_line(row: str) -> None:
    with pytest.raises(IncorrectError, match="line 2"):
        read_population_csv(f"area,year,age_band,sex,count,source\n{row}\n".encode())


def test_a_missing_column_is_named() -> None:
    with pytest.raises(IncorrectError, match="source"):
        read_population_csv(b"area,year,age_band,sex,count\n")


async def test_a_division_sums_what_is_under_it_unless_the_source_gives_it(geo: Geo) -> None:
    rows = [(VILLAGE, 2025, 10, "registry"), (VILLAGE + 1, 2025, 20, "registry"), (TOWN, 2025, 33, "census"), (VILLAGE, 2025, 12, "census")]
    rows += [(VILLAGE, 2024, 7, "registry"), (420999102201, 2025, 5, "registry")]
    content = "area,year,age_band,sex,count,source\n" + "".join(
        f"{area},{year},65+,1,{count},{source}\n" for area, year, count, source in rows
    )
    await geo.load_population(read_population_csv(content.encode()))

    async def counts(area: int) -> list[tuple[int, str]]:
        return [(figure.count, figure.source) for figure in await geo.population_under(area, 2025)]

    assert await counts(TOWN) == [(33, "census"), (30, "registry")]
    assert await counts(COUNTY) == [(33, "census"), (35, "registry")]
    assert await counts(VILLAGE) == [(12, "census"), (10, "registry")]
    assert await counts(420999103000) == []
    each = await geo.population_under_each([TOWN, VILLAGE, 420999103000], 2025)
    assert {area: [one.count for one in own] for area, own in each.items()} == {TOWN: [33, 30], VILLAGE: [12, 10], 420999103000: []}
    assert await geo.population_year([COUNTY], 2026) == 2025 and await geo.population_year([TOWN], 2024) == 2024
    assert await geo.population_year([420999102000], 2024) is None
