"""The invented county: towns, villages, and their areas as clipped Voronoi cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from xinglin.synthetic.numbers import COUNTY
from xinglin.synthetic.plan import Plan, Stream, table

COUNTY_NAME: Final = "示例县"
_CENTRE: Final = (112.50, 31.20)  # degrees; a drawing surface, not a real county's place
_KM_PER_DEGREE: Final = 111.32


@dataclass(frozen=True, slots=True)
class Village:
    """A village: 12-digit code, name, town number, weight of its population, place and outline (degrees)."""

    code: int
    name: str
    town: int
    weight: float
    place: tuple[float, float]
    outline: np.ndarray


@dataclass(frozen=True, slots=True)
class Town:
    """A town or township: 12-digit code, name, numbers of its villages, whether its hospital is the central one."""

    code: int
    name: str
    villages: tuple[int, ...]
    is_central: bool


@dataclass(frozen=True, slots=True)
class Places:
    """The county with its outline, towns and villages."""

    outline: np.ndarray
    towns: tuple[Town, ...]
    villages: tuple[Village, ...]


def make_places(plan: Plan) -> Places:
    """Return towns and villages in number fitting the population: three towns at 5,000, about twenty-five at a million."""
    random = plan.stream(Stream.PLACES)
    town_count = int(np.clip(round(3 * (plan.residents / 5000) ** 0.4), 2, 40))
    per_town = np.clip(np.round((plan.residents / town_count) ** 0.5 / 8 * random.uniform(0.85, 1.2, town_count)), 4, 40).astype(int)
    outline = _county_outline(random, plan.residents)
    sites = _relaxed_sites(random, outline, int(per_town.sum()))
    owner = _nearest_towns(random, sites, per_town)
    names = _names(random, town_count, int(per_town.sum()))
    cells = [_cell(sites, index, outline) for index in range(len(sites))]
    return _assemble(random, outline, (sites, owner, cells), names)


def _assemble(random: np.random.Generator, outline: np.ndarray, geometry: tuple[Any, ...], names: tuple[list[str], list[str]]) -> Places:
    sites, owner, cells = geometry
    towns: list[Town] = []
    villages: list[Village] = []
    for number in range(int(owner.max()) + 1):
        members: list[int] = []
        for serial, site in enumerate(np.flatnonzero(owner == number)):
            code = (COUNTY * 1000 + 101 + number) * 1000 + 201 + serial
            weight = float(random.lognormal(0.0, 0.35)) * (1.6 if serial == 0 else 1.0)
            index = len(villages)
            villages.append(Village(code, names[1][index], number, weight, (float(sites[site, 0]), float(sites[site, 1])), cells[site]))
            members.append(index)
        suffix = "镇" if number % 3 != 2 else "乡"
        towns.append(Town((COUNTY * 1000 + 101 + number) * 1000, names[0][number] + suffix, tuple(members), number % 3 == 0))
    return Places(outline, tuple(towns), tuple(villages))


def _names(random: np.random.Generator, towns: int, villages: int) -> tuple[list[str], list[str]]:
    words = table("names")["places"]

    def pairs(first: str, second: str, count: int, tail: str) -> list[str]:
        chosen = random.permutation(len(first) * len(second))
        made = [first[n // len(second)] + second[n % len(second)] for n in chosen]
        return [made[n % len(made)] + ("" if n < len(made) else "东西南北上下"[n // len(made) - 1]) + tail for n in range(count)]

    return pairs(words["town_first"], words["town_second"], towns, ""), pairs(
        words["village_first"], words["village_second"], villages, "村"
    )


def _county_outline(random: np.random.Generator, residents: int) -> np.ndarray:
    """Return a convex outline (n, 2) in degrees; the area grows with the population, about 300 residents a square kilometre."""
    radius_km = float(np.sqrt(max(residents, 5000) / 300 / np.pi))
    angles = np.sort((np.arange(14) + random.uniform(0.1, 0.9, 14)) * 2 * np.pi / 14)
    radius = radius_km / _KM_PER_DEGREE * random.uniform(0.92, 1.08, 14)
    east = _CENTRE[0] + radius * np.cos(angles) / np.cos(np.radians(_CENTRE[1])) * 1.15
    points = np.column_stack([east, _CENTRE[1] + radius * np.sin(angles)])
    return _convex_hull(points)


def _convex_hull(points: np.ndarray) -> np.ndarray:
    ordered = sorted(map(tuple, points.tolist()))

    def half(sequence: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
        chain: list[tuple[float, ...]] = []
        for p in sequence:
            while len(chain) >= 2 and _cross(chain[-2], chain[-1], p) <= 0:
                chain.pop()
            chain.append(p)
        return chain[:-1]

    return np.array(half(ordered) + half(ordered[::-1]))


def _cross(o: tuple[float, ...], a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])


def _inside(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    following = np.roll(outline, -1, axis=0)
    edge = following - outline
    offset = points[:, None, :] - outline[None, :, :]
    return np.asarray(np.all(edge[None, :, 0] * offset[:, :, 1] - edge[None, :, 1] * offset[:, :, 0] >= 0, axis=1))


def _relaxed_sites(random: np.random.Generator, outline: np.ndarray, count: int) -> np.ndarray:
    """Return `count` village sites inside the outline, spread by two rounds of moving each to its cell's centre."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    sites = np.empty((0, 2))
    while len(sites) < count:
        drawn = random.uniform(low, high, (4 * count, 2))
        sites = np.vstack([sites, drawn[_inside(drawn, outline)]])
    sites = sites[:count]
    for _ in range(2):
        sites = np.array([_cell(sites, index, outline).mean(axis=0) for index in range(count)])
    return sites


def _nearest_towns(random: np.random.Generator, sites: np.ndarray, per_town: np.ndarray) -> np.ndarray:
    """Return the town number of each site: towns take their nearest free sites, one after the other, seeds far apart."""
    owner = np.full(len(sites), -1)
    corner = int(random.integers(len(sites)))
    for number, size in enumerate(per_town):
        free = np.flatnonzero(owner < 0)
        reference = sites[corner] if number == 0 else sites[owner >= 0].mean(axis=0)
        away = np.hypot(*(sites[free] - reference).T)
        seed = sites[free[int(np.argmax(away))]]
        near = free[np.argsort(np.hypot(*(sites[free] - seed).T), kind="stable")[:size]]
        owner[near] = number
    return owner


def _cell(sites: np.ndarray, index: int, outline: np.ndarray) -> np.ndarray:
    """Return the Voronoi cell of one site: the outline cut by the bisector towards each of its 40 nearest neighbours."""
    here = sites[index]
    distance = np.hypot(*(sites - here).T)
    polygon = outline
    for other in np.argsort(distance, kind="stable")[1:41]:
        polygon = _clip(polygon, (here + sites[other]) / 2, sites[other] - here)
    return polygon


def _clip(polygon: np.ndarray, middle: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the part of a convex polygon where (point - middle) . direction <= 0."""
    side = (polygon - middle) @ direction
    if np.all(side <= 0):
        return polygon
    kept: list[np.ndarray] = []
    for here in range(len(polygon)):
        after = (here + 1) % len(polygon)
        if side[here] <= 0:
            kept.append(polygon[here])
        if (side[here] <= 0) != (side[after] <= 0):
            share = side[here] / (side[here] - side[after])
            kept.append(polygon[here] + share * (polygon[after] - polygon[here]))
    return np.array(kept)


def geojson(places: Places) -> dict[str, Any]:
    """Return the divisions as a GeoJSON FeatureCollection: county and villages as polygons, a town as the polygons of its villages."""
    county = COUNTY * 10**6
    features = [_feature(county, COUNTY_NAME, "county", (0, [_ring(places.outline)]))]
    for town in places.towns:
        features.append(_feature(town.code, town.name, "town", (county, [_ring(places.villages[v].outline) for v in town.villages])))
    for village in places.villages:
        features.append(_feature(village.code, village.name, "village", (places.towns[village.town].code, [_ring(village.outline)])))
    return {"type": "FeatureCollection", "features": features}


def _ring(outline: np.ndarray) -> list[list[float]]:
    ring = [[round(float(x), 6), round(float(y), 6)] for x, y in outline]
    return [*ring, ring[0]]


def _feature(code: int, name: str, level: str, belongs: tuple[int, list[list[list[float]]]]) -> dict[str, Any]:
    parent, rings = belongs
    geometry = (
        {"type": "Polygon", "coordinates": [rings[0]]} if len(rings) == 1 else {"type": "MultiPolygon", "coordinates": [[r] for r in rings]}
    )
    properties = {"code": f"{code:012d}", "name": name, "level": level, "parent": f"{parent:012d}" if parent else None}
    return {"type": "Feature", "id": f"{code:012d}", "properties": properties, "geometry": geometry}
