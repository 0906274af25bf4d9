"""Reads divisions from GeoJSON or CSV and population from CSV; every problem is named by its row."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson

from xinglin.base.errors import IncorrectError
from xinglin.base.table import RowsRead, csv_rows, read_rows
from xinglin.engines.geo.division import LEVELS, Division, area_of, level_of, parent_of

_AGE_BAND: Final = re.compile(r"all|\d{1,3}(-\d{1,3}|\+)?")
_SEXES: Final = ("1", "2", "all")


@dataclass(frozen=True, slots=True)
class PopulationFigure:
    """Persons of an area in a year, by a published source. age_band: `0-4`, `85+`, `all`.  sex: `1` male, `2` female, `all`."""

    area: int
    year: int
    age_band: str
    sex: str
    count: int
    source: str


def read_geojson(content: bytes) -> list[Division]:
    """Return the divisions of a FeatureCollection (RFC 7946).

    Each feature: `properties` code (2 to 12 digits), name, and optionally level, parent, lon, lat, valid_from, valid_to;
    `geometry` Polygon, MultiPolygon, Point or null.  Raises: IncorrectError naming the feature.
    """
    try:
        collection = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise IncorrectError("不是有效的 JSON", "not valid JSON; send a GeoJSON FeatureCollection") from error
    if not isinstance(collection, dict) or not isinstance(collection.get("features"), list):
        raise IncorrectError("须为 GeoJSON 的 FeatureCollection", "send a GeoJSON FeatureCollection with a list `features`")
    return _distinct(_of_feature(feature, f"features[{n}]") for n, feature in enumerate(collection["features"]))


DIVISION_COLUMNS: Final = ("code", "name", "level", "parent", "lon", "lat", "valid_from", "valid_to")
POPULATION_COLUMNS: Final = ("area", "year", "age_band", "sex", "count", "source")


def division_rows(content: bytes) -> RowsRead[Division]:
    """Return the divisions of a CSV with columns code, name and optionally level, parent, lon, lat, valid_from, valid_to, row by row."""
    seen: set[int] = set()

    def read(row: dict[str, str], where: str) -> Division:
        division = _division(row, None, where)
        if division.area in seen:
            words = ("这个区划代码在前面已出现，请只保留一行", "the code stands further up already; keep one row")
            raise IncorrectError(*words, where=where)
        seen.add(division.area)
        return division

    return read_rows(csv_rows(content, ("code", "name")), read)


def population_rows(content: bytes) -> RowsRead[PopulationFigure]:
    """Return the figures of a CSV with columns area, year, age_band, sex, count, source, row by row."""
    return read_rows(csv_rows(content, POPULATION_COLUMNS), _figure)


def read_division_csv(content: bytes) -> list[Division]:
    """Return the divisions of a CSV (see `division_rows`).  Raises: IncorrectError naming the first line that cannot stand."""
    return division_rows(content).all_or_first()


def read_population_csv(content: bytes) -> list[PopulationFigure]:
    """Return the figures of a CSV (see `population_rows`).  Raises: IncorrectError naming the first line that cannot stand."""
    return population_rows(content).all_or_first()


def _of_feature(feature: Any, where: str) -> Division:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise IncorrectError("要有 properties", "a feature needs `properties`", where=where)
    geometry = feature.get("geometry")
    if geometry is not None:
        _check_geometry(geometry, where)
    properties = {name: "" if value is None else str(value) for name, value in feature["properties"].items()}
    return _division(properties, geometry, where)


def _division(row: Mapping[str, str], geometry: Mapping[str, Any] | None, where: str) -> Division:
    area = _area(row.get("code", ""), where)
    if not row.get("name"):
        raise IncorrectError("要写名称", "write a name", where=where)
    level = row.get("level") or level_of(area)
    if level not in LEVELS:
        raise IncorrectError(f"级别只能是 {'、'.join(LEVELS)}", f"write a level out of {', '.join(LEVELS)}", where=where)
    parent = _area(row["parent"], where) if row.get("parent") else parent_of(area)
    if parent == area:
        raise IncorrectError("上级不能是自己", "a division cannot be its own parent", where=where)
    given = (_degrees(row.get("lon", ""), 180, where), _degrees(row.get("lat", ""), 90, where))
    lon, lat = given if None not in given else _middle(geometry)
    return Division(
        area=area,
        name=row["name"],
        level=level,
        parent=parent,
        polygon=geometry if geometry and geometry["type"] != "Point" else None,
        lon=lon,
        lat=lat,
        valid_from=_date(row.get("valid_from", ""), where),
        valid_to=_date(row.get("valid_to", ""), where),
    )


def _figure(row: Mapping[str, str], where: str) -> PopulationFigure:
    for name in ("year", "count"):
        if not (row[name].isascii() and row[name].isdecimal()):
            raise IncorrectError(f"{name} 须为整数", f"write {name} as a whole number", where=where)
    if not _AGE_BAND.fullmatch(row["age_band"]):
        raise IncorrectError("年龄段写作 0-4、85+ 或 all", "write an age band such as 0-4, 85+ or all", where=where)
    if row["sex"] not in _SEXES:
        raise IncorrectError("性别写 1、2 或 all", "write sex as 1, 2 or all", where=where)
    if not row["source"]:
        raise IncorrectError("要写数据来源", "write where the figure comes from", where=where)
    return PopulationFigure(_area(row["area"], where), int(row["year"]), row["age_band"], row["sex"], int(row["count"]), row["source"])


def _area(code: str, where: str) -> int:
    try:
        return area_of(code)
    except IncorrectError as error:
        raise IncorrectError(error.zh, error.en, where=where) from error


def _degrees(text: str, most: float, where: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise IncorrectError(
            "经纬度写作度数，例如 112.5 和 31.2", "write longitude and latitude in degrees such as 112.5 and 31.2", where=where
        )
    return value


def _date(text: str, where: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise IncorrectError("日期写作 2024-01-31", "write a date such as 2024-01-31", where=where) from error


def _check_geometry(geometry: Any, where: str) -> None:
    try:
        points = list(_points(geometry))
    except (KeyError, TypeError, ValueError):
        points = []
    if not points or not all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in points):
        raise IncorrectError(
            "geometry 须为 Point、Polygon 或 MultiPolygon，坐标为经纬度",
            "geometry must be a Point, Polygon or MultiPolygon in degrees of longitude and latitude",
            where=where,
        )


def _points(geometry: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    rings: Iterable[Any]
    if geometry["type"] == "Point":
        rings = [[geometry["coordinates"]]]
    elif geometry["type"] == "Polygon":
        rings = geometry["coordinates"]
    elif geometry["type"] == "MultiPolygon":
        rings = [ring for polygon in geometry["coordinates"] for ring in polygon]
    else:
        return
    for ring in rings:
        for lon, lat in ring:
            yield float(lon), float(lat)


def _middle(geometry: Mapping[str, Any] | None) -> tuple[float | None, float | None]:
    """Return the centre of gravity of the outer rings (flat, good to metres over a county), the point itself of a point."""
    if geometry is None:
        return None, None
    if geometry["type"] == "Point":
        lon, lat = next(_points(geometry))
        return lon, lat
    outer = [geometry["coordinates"][0]] if geometry["type"] == "Polygon" else [polygon[0] for polygon in geometry["coordinates"]]
    weight = lon_sum = lat_sum = 0.0
    for ring in outer:
        size, lon, lat = _centroid(ring)
        weight, lon_sum, lat_sum = weight + size, lon_sum + lon * size, lat_sum + lat * size
    if weight == 0:
        points = [(float(lon), float(lat)) for ring in outer for lon, lat in ring]
        return sum(lon for lon, _ in points) / len(points), sum(lat for _, lat in points) / len(points)
    return lon_sum / weight, lat_sum / weight


def _centroid(ring: Sequence[Sequence[float]]) -> tuple[float, float, float]:
    """Return area (square degrees) and centre of a ring, by the shoelace formula around its first point."""
    west, south = ring[0][0], ring[0][1]
    twice = lon_sum = lat_sum = 0.0
    for (x0, y0), (x1, y1) in zip(ring, (*ring[1:], ring[0]), strict=True):
        ax, ay, bx, by = x0 - west, y0 - south, x1 - west, y1 - south
        cross = ax * by - bx * ay
        twice, lon_sum, lat_sum = twice + cross, lon_sum + (ax + bx) * cross, lat_sum + (ay + by) * cross
    if twice == 0:
        return 0.0, west, south
    return abs(twice) / 2, west + lon_sum / (3 * twice), south + lat_sum / (3 * twice)


def _distinct(divisions: Iterable[Division]) -> list[Division]:
    seen: dict[int, Division] = {}
    for division in divisions:
        if division.area in seen:
            raise IncorrectError(f"区划代码 {division.code} 出现两次", f"the code {division.code} appears twice; keep one", where="code")
        seen[division.area] = division
    return list(seen.values())
