"""代码与对照: code systems, their codes, correspondences between them, divisions; entered one by one or by file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.geo import LEVELS
from xinglin.engines.terminology import EQUIVALENCES, USABLE, MapRow, NewMapping
from xinglin.web.i18n import mark
from xinglin.web.lists import Action, Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.exchange_rows import local

READ: Final = ("steward", "exchange.read")
DIAGNOSES: Final = "urn:oid:2.16.156.10011.2.3.3.11.3"
"""ICD-10 as the definitions name it: what diagnoses are counted under."""
TABS: Final = (
    ("/exchange/codes", mark("代码系统")),
    ("/exchange/codes/concepts", mark("代码")),
    ("/exchange/codes/maps", mark("对照关系")),
    ("/exchange/codes/divisions", mark("行政区划")),
    ("/exchange/codes/files", mark("文件与历史")),
)
EQUIVALENCE_WORDS: Final = {
    "equivalent": mark("含义相同"),
    "equal": mark("完全相同"),
    "wider": mark("目标较宽"),
    "subsumes": mark("目标包含源"),
    "relatedto": mark("相关"),
    "narrower": mark("目标较窄"),
    "specializes": mark("目标是源的细分"),
    "inexact": mark("不确切"),
    "unmatched": mark("没有对应"),
    "disjoint": mark("互不相干"),
}
LEVEL_WORDS: Final = {
    "province": mark("省级"),
    "city": mark("地级"),
    "county": mark("县级"),
    "town": mark("乡级"),
    "village": mark("村级"),
}
_STATES: Final = (("active", mark("在用")), ("retired", mark("停用")))
_MAP_STATES: Final = (("open", mark("有效")), ("ended", mark("已终止")))
_NO_SYSTEM: Final = mark("没有载入代码系统")


async def _with_tabs(visit: Visit, query: Query) -> Mapping[str, object]:
    return {"tabs": TABS}


async def _systems(visit: Visit, query: Query) -> Rows:
    rows = [
        {
            "name": visit.words.pick(one.system.name_zh, one.system.name_en),
            "url": one.system.url,
            "link": "/exchange/codes/concepts?" + urlencode({"system": one.system.url}),
            "version": one.system.version,
            "active": one.active,
            "whole": Tag(visit.text("完整"), "good") if one.system.is_complete else Tag(visit.text("部分"), "warn"),
            "source": one.system.source,
            "loaded_at": local(visit, one.loaded_at),
        }
        for one in await visit.platform.terminology.overview()
        if query.get("text").lower() in f"{one.system.url} {one.system.name_zh} {one.system.name_en}".lower()
    ]
    return Rows(rows[query.offset : query.offset + query.size], len(rows))


SYSTEMS: Final = ListPage(
    path="/exchange/codes",
    title=mark("代码与对照"),
    hint=mark("记录里的代码照原样保存；这里的代码表用来显示名称和查错，对照关系在统计时使用"),
    group="exchange",
    rights=READ,
    fetch=_systems,
    columns=(
        Column("name", mark("名称"), path="link", is_main=True),
        Column("url", mark("标识")),
        Column("version", mark("版本")),
        Column("active", mark("在用代码"), "number"),
        Column("whole", mark("范围"), "tag"),
        Column("source", mark("来源")),
        Column("loaded_at", mark("载入时间")),
    ),
    filters=(Filter("text", mark("名称或标识")),),
    add=("steward", "/exchange/codes/files/new?kind=concepts", mark("载入代码")),
    empty_title=_NO_SYSTEM,
    empty_hint=mark(
        "没有代码表，记录照样保存和统计；要显示代码的名称、查出写错的代码，按“载入代码”传入 ICD-10 等代码表（CSV）或 FHIR CodeSystem（JSON）"
    ),
    template="exchange/codes.html",
    context=_with_tabs,
)


async def _system_options(visit: Visit) -> list[tuple[str, str]]:
    return [
        (one.system.url, visit.words.pick(one.system.name_zh, one.system.name_en)) for one in await visit.platform.terminology.overview()
    ]


async def _concepts(visit: Visit, query: Query) -> Rows:
    part = (query.size, query.offset)
    found, total = await visit.platform.terminology.page(query.get("system"), query.get("text"), query.get("state"), part)
    rows = [
        {
            "code": one.code,
            "zh": one.display_zh,
            "en": one.display_en,
            "parent": one.parent or "",
            "system": one.system,
            "state": Tag(visit.text("在用"), "good") if one.is_active else Tag(visit.text("停用")),
        }
        for one in found
    ]
    return Rows(rows, total)


CONCEPTS: Final = ListPage(
    path="/exchange/codes/concepts",
    title=mark("代码"),
    rights=READ,
    fetch=_concepts,
    columns=(
        Column("code", mark("代码"), is_main=True),
        Column("zh", mark("中文名称")),
        Column("en", mark("英文名称")),
        Column("parent", mark("上级代码")),
        Column("state", mark("状态"), "tag"),
        Column("system", mark("代码系统")),
    ),
    filters=(
        Filter("text", mark("代码或名称")),
        Filter("system", mark("代码系统"), "choice", _system_options),
        Filter("state", mark("状态"), "choice", _STATES),
    ),
    add=("steward", "/exchange/codes/files/new?kind=concepts", mark("载入代码")),
    empty_title=mark("没有符合条件的代码"),
    empty_hint=mark("放宽查询条件；还没有载入代码系统的，按“载入代码”"),
    template="exchange/codes.html",
    context=_with_tabs,
)


def _map_row(visit: Visit, one: MapRow) -> dict[str, object]:
    fact, mapping = one.mapping.fact, one.mapping
    is_open = mapping.ended_at is None
    ended = "" if is_open else f"{one.ended_by} {local(visit, mapping.ended_at)}: {mapping.end_reason}"
    return {
        "source_code": fact.source_code,
        "source_name": one.source_name,
        "source_system": fact.source_system,
        "target_code": fact.target_code,
        "target_name": one.target_name,
        "target_system": fact.target_system,
        "equivalence": Tag(visit.text(EQUIVALENCE_WORDS[fact.equivalence]), "good" if fact.equivalence in USABLE else "warn"),
        "source": fact.source,
        "entered": f"{one.entered_by} {local(visit, mapping.entered_at)}".strip(),
        "ended": ended,
        "actions": (Action(mark("终止"), f"/exchange/codes/maps/{mapping.map_no}/end", "x-lg", "e"),)
        if is_open and visit.allows("steward")
        else (),
    }


async def _maps(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.terminology.maps.page(query.get("text"), query.get("state"), (query.size, query.offset))
    return Rows([_map_row(visit, one) for one in found], total)


MAPS: Final = ListPage(
    path="/exchange/codes/maps",
    title=mark("对照关系"),
    hint=mark("由数据管理员作为事实录入，写明依据；不修改，只终止后另录。含义相同或目标较宽的，统计时算作目标代码"),
    rights=READ,
    fetch=_maps,
    columns=(
        Column("source_code", mark("源代码"), is_main=True),
        Column("source_name", mark("源名称")),
        Column("equivalence", mark("关系"), "tag"),
        Column("target_code", mark("目标代码")),
        Column("target_name", mark("目标名称")),
        Column("source", mark("依据")),
        Column("entered", mark("录入")),
        Column("ended", mark("终止")),
        Column("source_system", mark("源代码系统")),
        Column("target_system", mark("目标代码系统")),
        Column("actions", "", "actions"),
    ),
    filters=(Filter("text", mark("代码、名称或依据")), Filter("state", mark("状态"), "choice", _MAP_STATES)),
    add=("steward", "/exchange/codes/maps/new", mark("新增")),
    empty_title=mark("没有对照关系"),
    empty_hint=mark(
        "外来记录用别的代码（如 SNOMED CT）写诊断时，录入它与 ICD-10 的对应才能进入统计。按“新增”逐条录入；多条的下载模板填好，在“文件与历史”传入"
    ),
    template="exchange/codes.html",
    context=_with_tabs,
)


async def _divisions(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.geo.page(query.get("text"), query.get("level"), (query.size, query.offset))
    above = await visit.platform.geo.names([one.parent for one in found if one.parent])
    rows = [
        {
            "code": one.code,
            "name": one.name,
            "level": visit.text(LEVEL_WORDS[one.level]),
            "parent": above.get(one.parent or 0, ""),
            "since": one.valid_from,
            "until": one.valid_to,
        }
        for one in found
    ]
    return Rows(rows, total)


DIVISIONS: Final = ListPage(
    path="/exchange/codes/divisions",
    title=mark("行政区划"),
    hint=mark("居民的属地、机构的服务范围、人口数和地图都用它"),
    rights=READ,
    fetch=_divisions,
    columns=(
        Column("code", mark("区划代码"), is_main=True),
        Column("name", mark("名称")),
        Column("level", mark("级别")),
        Column("parent", mark("上级")),
        Column("since", mark("启用日期"), "date"),
        Column("until", mark("停用日期"), "date"),
    ),
    filters=(
        Filter("text", mark("代码或名称")),
        Filter("level", mark("级别"), "choice", tuple((level, LEVEL_WORDS[level]) for level in LEVELS)),
    ),
    add=("steward", "/exchange/codes/files/new?kind=divisions", mark("载入区划")),
    empty_title=mark("没有符合条件的区划"),
    empty_hint=mark("放宽查询条件；还没有载入区划的，按“载入区划”"),
    template="exchange/codes.html",
    context=_with_tabs,
)
_EMPTY: Final = {
    "source_system": "",
    "source_code": "",
    "target_system": DIAGNOSES,
    "target_code": "",
    "equivalence": "equivalent",
    "source": "",
}

_LABELS: Final = {
    "source_system": mark("源代码系统"),
    "source_code": mark("源代码"),
    "target_system": mark("目标代码系统"),
    "target_code": mark("目标代码"),
    "equivalence": mark("目标对源的关系"),
    "source": mark("依据"),
}


async def show_new_map(visit: Visit) -> Response:
    """Show the form of one correspondence; the systems and the ground of the one before stand in it already."""
    asked = visit.request.query_params
    return await _map_page(visit, {name: asked.get(name, default) for name, default in _EMPTY.items()}, saved=asked.get("saved", ""))


async def _map_page(visit: Visit, typed: Mapping[str, str], refusal: str = "", saved: str = "", status: int = 200) -> Response:
    context = {
        "typed": typed,
        "refusal": refusal,
        "saved": saved,
        "systems": await _system_options(visit),
        "equivalences": [(one, visit.text(EQUIVALENCE_WORDS[one]), one in USABLE) for one in sorted(EQUIVALENCES, key=_usable_first)],
    }
    return render(visit, "exchange/map.html", context, status=status)


def _usable_first(equivalence: str) -> int:
    return list(EQUIVALENCE_WORDS).index(equivalence)


async def enter_map(visit: Visit) -> Response:
    """Enter one correspondence and offer the form for the next."""
    form = await visit.form()
    typed = {name: str(form.get(name, "")).strip() for name in _EMPTY}
    try:
        await _check_map(visit, typed)
        fact: Any = {**typed}
        entered = await visit.platform.terminology.maps.enter(visit.scope, [NewMapping(**fact)])
        if not entered:
            raise IncorrectError("这条对应关系已经录入", "this correspondence is entered already", where="source_code")
    except XinglinError as error:
        place = f"{visit.text(_LABELS[error.where])}: " if error.where in _LABELS else ""
        return await _map_page(visit, typed, place + visit.words.pick(error.zh, error.en), status=error.http_status)
    kept = {name: typed[name] for name in ("source_system", "target_system", "equivalence", "source")}
    return redirect(visit, "/exchange/codes/maps/new?" + urlencode({**kept, "saved": f"{typed['source_code']} → {typed['target_code']}"}))


async def _check_map(visit: Visit, typed: Mapping[str, str]) -> None:
    """Refuse a line with something missing, and codes that a whole code system says are none.  Raises: IncorrectError."""
    for name in _EMPTY:
        if not typed[name]:
            raise IncorrectError("这一项不能为空", "write this too", where=name)
    for side in ("source", "target"):
        told = await visit.platform.terminology.validate(typed[f"{side}_system"], typed[f"{side}_code"])
        if told.is_valid is False:
            raise IncorrectError(told.zh, told.en, where=f"{side}_code")


async def show_end_map(visit: Visit) -> Response:
    """Ask why a correspondence ends."""
    return render(visit, "exchange/map_end.html", {"number": visit.request.path_params["number"], "refusal": ""})


async def end_map(visit: Visit) -> Response:
    """End a correspondence; it stays in the list with who ended it and why."""
    number, reason = visit.request.path_params["number"], str((await visit.form()).get("reason", ""))
    try:
        await visit.platform.terminology.maps.end(visit.scope, number, reason)
    except XinglinError as error:
        told = {"number": number, "refusal": visit.said(error)}
        return render(visit, "exchange/map_end.html", told, status=error.http_status)
    return redirect(visit, "/exchange/codes/maps")


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/codes/maps/new", show_new_map, right="steward"),
    page("/exchange/codes/maps/new", enter_map, right="steward", methods=("POST",)),
    page("/exchange/codes/maps/{number:int}/end", show_end_map, right="steward"),
    page("/exchange/codes/maps/{number:int}/end", end_map, right="steward", methods=("POST",)),
    *(route for one in (SYSTEMS, CONCEPTS, MAPS, DIVISIONS) for route in one.routes()),
)
MENU: Final[tuple[Entry, ...]] = (SYSTEMS.entry(),)
