"""One measure on the district's map, drawn from our own outlines, with the same numbers as a table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from starlette.responses import Response

from xinglin.engines.rules import MeasureRow
from xinglin.web.i18n import mark
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.statistics_asking import FIRST, RIGHTS, Asked, day_asked, is_loading, measure_of, narrowed, number_asked, told_at

CLASSES: Final = 5


async def show_map(visit: Visit) -> Response:
    """Show a measure by town or village: map, legend and table."""
    query, as_of = visit.request.query_params, day_asked(visit)
    definition = measure_of(visit, query.get("measure", "") or FIRST, as_of)
    level: Any = "village" if query.get("level") == "village" else "town"
    area = number_asked(visit, "area")
    one = Asked(definition, as_of, level, area, 0, 0, 0, narrowed(visit.scope, area))
    table = await visit.platform.measures.measure(one.scope, definition.id, as_of, level)
    shapes = await _shapes(visit, one, level)
    rows = {row.group: row for row in table.rows}
    breaks = class_breaks([_value(one, row) for row in table.rows if row.group is not None])
    places = [_place(one, shape["properties"], rows.get(int(shape["properties"]["code"])), breaks) for shape in shapes]
    measures = visit.platform.rules.edition(as_of).of_kind("measure")
    context = {
        "asked": one,
        "definition": definition,
        "level": level,
        "measures": [(each.id, each.title.say(visit.language)) for each in measures],
        "places": sorted(places, key=lambda place: (place["value"] is None, -(place["value"] or 0))),
        "shapes": {"type": "FeatureCollection", "features": shapes},
        "classes": [[low, high] for low, high in breaks],
        "is_count": definition.unit == "count",
        "missing": [shape for shape in shapes if shape["geometry"] is None],
        "as_of": await told_at(visit, table.seq),
        "day": as_of,
        "total": table.total,
        "unknown": not table.total.denominator and await is_loading(visit),
    }
    return render(visit, "statistics/map.html", context)


async def _shapes(visit: Visit, one: Asked, level: Any) -> list[dict[str, Any]]:
    """Return the outlines of a level within what is asked."""
    found: list[dict[str, Any]] = []
    roots = [root.area for root in await visit.platform.geo.children(None)]
    for root in roots:
        for shape in (await visit.platform.geo.feature_collection(root, level))["features"]:
            code = int(shape["properties"]["code"])
            if any(low <= code <= high for low, high in one.scope.areas):
                found.append(shape)
    return found


def _value(one: Asked, row: MeasureRow) -> float | None:
    return float(row.numerator) if one.definition.unit == "count" else row.share


def _place(one: Asked, properties: dict[str, Any], row: MeasureRow | None, breaks: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return a division as a row of the table, and put the same into its outline's properties."""
    value = _value(one, row) if row is not None else None
    by_worker = one.by == "village"
    place = {
        "code": properties["code"],
        "name": properties["name"],
        "value": value,
        "numerator": row.numerator if row else 0,
        "denominator": row.denominator if row else 0,
        "class": class_of(value, breaks),
        "path": one.path(area=int(properties["code"]), by="practitioner" if by_worker else "institution"),
    }
    properties |= place
    return place


def class_breaks(values: Sequence[float | None], count: int = CLASSES) -> list[tuple[float, float]]:
    """Return classes of equal width over the known values, lowest first; one class where all are equal, none without values.

    >>> class_breaks([0.1, None, 0.6], 5)[0]
    (0.1, 0.2)
    """
    known = [value for value in values if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    if low == high:
        return [(low, high)]
    step = (high - low) / count
    return [(round(low + number * step, 6), round(low + (number + 1) * step, 6)) for number in range(count)]


def class_of(value: float | None, breaks: Sequence[tuple[float, float]]) -> int | None:
    """Return the class of a value, from 0; None where there is no value.

    >>> class_of(0.6, class_breaks([0.1, 0.6]))
    4
    """
    if value is None or not breaks:
        return None
    return next((number for number, (_, high) in enumerate(breaks) if value < high), len(breaks) - 1)


ROUTES: Final = (page("/measures/map", show_map, right=RIGHTS),)
MENU: Final = (Entry("statistics", mark("地图"), "/measures/map", RIGHTS),)
