"""统计报表: measures with numerator, denominator, interval and trend, opened by place down to people and messages; one map."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, get_args

import orjson
from starlette.responses import JSONResponse, Response

from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.definitions import Definition
from xinglin.engines.geo import subtree
from xinglin.engines.rules import GroupBy, MeasureRow, MemberQuery, Part
from xinglin.engines.security import Scope
from xinglin.web.doors import institutions, workers
from xinglin.web.exports import export_answer
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag, address
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.residents import card_row

RIGHTS: Final = ("county.figures", "institution.figures", "cdc.figures", "report.monthly")
TOPICS: Final = (("hypertension", mark("高血压管理")), ("diabetes2", mark("2 型糖尿病管理")), ("elderly", mark("老年人健康管理")), ("records", mark("居民健康档案")))
GROUPS: Final[Mapping[str, str]] = {"town": mark("乡镇（街道）"), "institution": mark("机构"), "village": mark("村（居）"), "practitioner": mark("医生")}
PARTS: Final[Mapping[str, str]] = {
    "denominator": mark("分母"),
    "numerator": mark("分子"),
    "gap": mark("未达标"),
    "excluded": mark("剔除"),
    "unknown": mark("不明"),
}
_TREND_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a measure asks. area: 12 digits or 0 for one's whole scope."""

    definition: Definition
    as_of: date
    by: GroupBy
    area: int
    scope: Scope


def _as_of(visit: Visit) -> date:
    text = visit.request.query_params.get("as_of", "")
    try:
        return min(date.fromisoformat(text), visit.platform.clock.today()) if text else visit.platform.clock.today()
    except ValueError as error:
        raise IncorrectError("日期请写成 2026-11-21", "write a day as 2026-11-21", where="as_of") from error


def _asked(visit: Visit, measure: str = "") -> Asked:
    query, as_of = visit.request.query_params, _as_of(visit)
    definition = visit.platform.rules.edition(as_of).get(measure or visit.request.path_params.get("measure", "") or query.get("measure", ""))
    if definition.kind != "measure":
        raise NotFoundError("没有这个指标", "there is no such measure")
    by: Any = query.get("by", "town") if query.get("by", "town") in get_args(GroupBy) else "town"
    area = int(query["area"]) if query.get("area", "").isdigit() and len(query["area"]) == 12 else 0
    return Asked(definition, as_of, by, area, narrowed(visit.scope, area))


def narrowed(scope: Scope, area: int) -> Scope:
    """Return the part of a scope that lies in an area; the whole of it for 0. Raises: NotFoundError for an area outside it."""
    if not area:
        return scope
    low, high = subtree(area)
    inner = [(max(low, a), min(high, b)) for a, b in scope.areas if max(low, a) <= min(high, b)]
    if not inner:
        raise NotFoundError("没有这个地区", "there is no such area")
    return scope.narrowed(areas=inner)


def title_of(visit: Visit, definition: Definition) -> str:
    """Return a measure's name with its variant."""
    variant = definition.variant_words.say(visit.language)
    return definition.words.say(visit.language) + (f"（{variant}）" if variant else "")


async def show_measures(visit: Visit) -> Response:
    """Show the table of measures; each topic loads by itself."""
    topics = [(code, visit.text(label)) for code, label in TOPICS]
    return render(visit, "statistics/measures.html", {"topics": topics, "day": _as_of(visit), "as_of": await freshness(visit)})


async def freshness(visit: Visit) -> str:
    """Return the moment up to which the columns know the record, in the district's zone."""
    told = await visit.platform.engine.call("lake.freshness")
    return datetime.fromisoformat(told["made_at"]).astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d %H:%M")


async def show_topic(visit: Visit) -> Response:
    """Show the measures of one topic."""
    topic = visit.request.path_params["topic"]
    if topic not in dict(TOPICS):
        raise NotFoundError("没有这一组指标", "there is no such group of measures")
    as_of = _as_of(visit)
    found = [one for one in visit.platform.rules.edition(as_of).of_kind("measure") if one.id.startswith(topic)]
    tables = await asyncio.gather(*(visit.platform.measures.measure(visit.scope, one.id, as_of) for one in found))
    rows = [{"definition": one, "title": title_of(visit, one), "total": table.total} for one, table in zip(found, tables, strict=True)]
    return render(visit, "statistics/topic.html", {"rows": rows, "label": visit.text(dict(TOPICS)[topic]), "day": as_of, "suffix": f"?as_of={as_of}" if as_of != visit.platform.clock.today() else ""})


async def show_measure(visit: Visit) -> Response:
    """Show one measure: the number, what it means, and the same by place."""
    asked = _asked(visit)
    table = await visit.platform.measures.measure(asked.scope, asked.definition.id, asked.as_of, asked.by)
    names = await _names(visit, asked.by, [row.group for row in table.rows if row.group is not None])
    rows = sorted((_row(visit, asked, row, names) for row in table.rows), key=lambda row: (row["share"] is None, -(row["share"] or 0), -row["denominator"]))
    context = {
        "asked": asked,
        "definition": asked.definition,
        "title": title_of(visit, asked.definition),
        "total": table.total,
        "rows": rows,
        "groups": [(code, visit.text(label)) for code, label in GROUPS.items()],
        "area": (await visit.platform.geo.names([asked.area])).get(asked.area, "") if asked.area else "",
        "parts": [(part, visit.text(label)) for part, label in PARTS.items()],
        "people": _people_path(asked, "none", None),
        "as_of": await freshness(visit),
        "variants": [(one.id, one.variant_words.say(visit.language)) for one in visit.platform.rules.edition(asked.as_of).of_kind("measure") if one.base == asked.definition.base and one.variant],
        "reasons": {one.reason: one.words.say(visit.language) for one in asked.definition.exclusions},
    }
    return render(visit, "statistics/table.html" if visit.target == "groups" else "statistics/measure.html", context)


async def _names(visit: Visit, by: str, groups: Sequence[int]) -> Mapping[int, str]:
    if by in ("town", "village"):
        return await visit.platform.geo.names(groups)
    if by == "institution":
        return {rid: one.name for rid, one in (await institutions(visit)).items()}
    return await workers(visit) if by == "practitioner" else {}


def _people_path(asked: Asked, by: str, group: int | None) -> str:
    state: dict[str, object] = {"measure": asked.definition.id, "as_of": asked.as_of.isoformat(), "by": by}
    if group is not None:
        state["group"] = group
    if asked.area:
        state["area"] = asked.area
    return address(PEOPLE, Query({}, "", False, 1, 20), **state)


def _row(visit: Visit, asked: Asked, row: MeasureRow, names: Mapping[int, str]) -> dict[str, Any]:
    """Return a group as a row, with the address of the next level down and of its people."""
    down = ""
    if asked.by == "town" and row.group is not None:
        down = f"/measures/{asked.definition.id}?by=institution&area={row.group}&as_of={asked.as_of}"
    return {
        "name": names.get(row.group, "") if row.group is not None else visit.text("未分配"),
        "numerator": row.numerator,
        "denominator": row.denominator,
        "share": row.share,
        "interval": row.interval,
        "unknown": row.unknown,
        "excluded": sum(row.exclusions.values()),
        "down": down,
        "people": _people_path(asked, asked.by, row.group),
    }


async def show_trend(visit: Visit) -> Response:
    """Show the measure at the ends of the last months, as a chart."""
    asked = _asked(visit)
    days = [asked.as_of]
    for _ in range(_TREND_MONTHS - 1):
        days.append(days[-1].replace(day=1) - timedelta(days=1))
    days.reverse()
    tables = await asyncio.gather(*(visit.platform.measures.measure(asked.scope, asked.definition.id, day) for day in days))
    shares = [table.total.share for table in tables]
    values = shares if asked.definition.unit != "count" else [table.total.numerator for table in tables]
    chart = {"days": [day.isoformat() for day in days], "series": [{"name": title_of(visit, asked.definition), "values": values}], "percent": asked.definition.unit != "count"}
    return render(visit, "statistics/trend.html", {"chart": chart})


async def export_measure(visit: Visit) -> Response:
    """Return the groups of a measure as Excel."""
    visit.scope.require("export")
    asked = _asked(visit)
    table = await visit.platform.measures.measure(asked.scope, asked.definition.id, asked.as_of, asked.by)
    names = await _names(visit, asked.by, [row.group for row in table.rows if row.group is not None])
    labels = [(visit.text(GROUPS.get(asked.by, "机构")), "text"), (visit.text("分子"), "number"), (visit.text("分母"), "number"), (visit.text("比率"), "percent"), (visit.text("不明"), "number"), (visit.text("剔除"), "number")]
    rows = [_row(visit, asked, row, names) for row in table.rows]

    async def cells() -> Any:
        for row in rows:
            yield [row["name"], row["numerator"], row["denominator"], row["share"], row["unknown"], row["excluded"]]
        await visit.record("export", "measure", detail=asked.definition.id)

    return await export_answer(visit, title_of(visit, asked.definition), labels, cells(), len(rows))


async def _people(visit: Visit, query: Query) -> Rows:
    asked = _asked(visit, query.get("measure"))
    group = query.get("group")
    wanted: Any = query.get("part") if query.get("part") in get_args(Part) else "denominator"
    number = int(group) if group.lstrip("-").isdigit() else None
    by: Any = query.get("by") if query.get("by") in get_args(GroupBy) else "none"
    size = min(query.size, 500)
    found = await visit.platform.measures.members(asked.scope, asked.definition.id, asked.as_of, MemberQuery(part=wanted, group_by=by, group=number, page=query.page, size=size, reason=query.get("reason") or None))
    cards = await visit.platform.residents.cards(visit.scope, [member.person for member in found.members])
    await visit.record("list", "measure", persons=sorted(cards), detail=asked.definition.id)
    reasons = {one.reason: one.words.say(visit.language) for one in asked.definition.exclusions}
    rows = []
    for member in found.members:
        if member.person not in cards:
            continue
        counted = Tag(reasons.get(member.reason, member.reason), "warn") if member.reason else Tag(visit.text("达标"), "good") if member.numerator >= member.denominator else Tag(visit.text("未达标"), "bad")
        rows.append({**card_row(visit, cards[member.person]), "counted": counted, "numbers": f"{member.numerator} / {member.denominator}", "why": visit.text("为什么"), "why_link": f"/measures/{asked.definition.id}/why/{member.person}?as_of={asked.as_of}"})
    return Rows(rows, found.total)


async def _measure_options(visit: Visit) -> list[tuple[str, str]]:
    return [(one.id, title_of(visit, one)) for one in visit.platform.rules.edition(visit.platform.clock.today()).of_kind("measure")]


PEOPLE: Final = ListPage(
    path="/measures/people",
    title=mark("指标人员名单"),
    hint=mark("数字背后的人；点“为什么”看判断和依据"),
    rights=("resident.read",),
    fetch=_people,
    columns=(
        Column("name", mark("姓名"), path="link", is_main=True),
        Column("sex", mark("性别")),
        Column("age", mark("年龄"), "number"),
        Column("area", mark("村（居）")),
        Column("phone", mark("电话")),
        Column("institution", mark("管理机构")),
        Column("counted", mark("结果"), "tag"),
        Column("numbers", mark("分子/分母")),
        Column("why", mark("依据"), path="why_link"),
    ),
    filters=(
        Filter("measure", mark("指标"), "choice", _measure_options, default="hypertension-control-rate"),
        Filter("part", mark("哪些人"), "choice", tuple(PARTS.items()), default="denominator"),
        Filter("as_of", mark("截至"), "date"),
        Filter("by", "", "hidden"),
        Filter("group", "", "hidden"),
        Filter("area", "", "hidden"),
        Filter("reason", "", "hidden"),
    ),
    empty_title=mark("没有人"),
    empty_hint=mark("这一部分没有人。可换“哪些人”，或回到指标页选别的地区"),
)


async def show_why(visit: Visit) -> Response:
    """Show why a measure counts a resident as it does: sentences, and the entries and messages they rest on."""
    person, as_of = visit.request.path_params["person"], _as_of(visit)
    card = await visit.platform.residents.card(visit.scope, person)
    told = await visit.platform.rules.explain(visit.scope, visit.request.path_params["measure"], person, as_of)
    definition = visit.platform.rules.edition(as_of).get(visit.request.path_params["measure"])
    context = {"card": card, "row": card_row(visit, card), "told": told, "definition": definition, "title": title_of(visit, definition), "evidence": await _evidence(visit, person, told.evidence), "as_of": as_of}
    return render(visit, "statistics/why.html", context)


async def _evidence(visit: Visit, person: int, rids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the resources a judgement rests on: type, day, message."""
    wanted, found = set(rids), []
    for stored in await visit.platform.store.person_bodies(visit.scope, person):
        if stored.rid in wanted:
            body = orjson.loads(stored.body)
            day = body.get("effectiveDateTime") or body.get("recordedDate") or body.get("period", {}).get("start") or body.get("authored") or body.get("authoredOn") or ""
            found.append({"type": stored.rtype, "id": stored.id, "day": str(day)[:10], "message_no": stored.message_no, "version": stored.version})
    return sorted(found, key=lambda one: one["day"], reverse=True)


async def show_map(visit: Visit) -> Response:
    """Show one measure on the district's map."""
    asked = _asked(visit) if visit.request.query_params.get("measure") else None
    options = await _measure_options(visit)
    chosen = asked.definition.id if asked else "hypertension-control-rate"
    return render(visit, "statistics/map.html", {"options": options, "chosen": chosen, "level": visit.request.query_params.get("level", "town"), "as_of": await freshness(visit)})


async def map_data(visit: Visit) -> Response:
    """Return the outlines of towns or villages with the measure's numbers, as GeoJSON."""
    asked = _asked(visit)
    level: Any = "village" if asked.by == "village" else "town"
    table = await visit.platform.measures.measure(asked.scope, asked.definition.id, asked.as_of, level)
    rows = {row.group: row for row in table.rows}
    shapes: dict[str, Any] = {"type": "FeatureCollection", "features": []}
    for low, _ in asked.scope.areas:
        for feature in (await visit.platform.geo.feature_collection(low, level))["features"]:
            row = rows.get(int(feature["properties"]["code"]))
            feature["properties"] |= {"numerator": row.numerator if row else 0, "denominator": row.denominator if row else 0, "share": row.share if row else None}
            shapes["features"].append(feature)
    return JSONResponse(shapes)


ROUTES: Final = (
    page("/measures", show_measures, right=RIGHTS),
    page("/measures/topic/{topic}", show_topic, right=RIGHTS),
    page("/measures/map", show_map, right=RIGHTS),
    page("/measures/map.geojson", map_data, right=RIGHTS),
    *PEOPLE.routes(),
    page("/measures/{measure}", show_measure, right=RIGHTS),
    page("/measures/{measure}/trend", show_trend, right=RIGHTS),
    page("/measures/{measure}/export.xlsx", export_measure, right=RIGHTS),
    page("/measures/{measure}/why/{person:int}", show_why, right="resident.read"),
)
MENU: Final = (
    Entry("statistics", mark("指标"), "/measures", RIGHTS),
    Entry("statistics", mark("地图"), "/measures/map", RIGHTS),
)
