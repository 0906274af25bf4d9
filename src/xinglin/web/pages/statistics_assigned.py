"""下达记录: every target number that was ever assigned, with who assigned it, when, and by which document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.routing import Route

from xinglin.web.doors import institutions
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit
from xinglin.web.pages.exchange_rows import local
from xinglin.web.pages.statistics_asking import RIGHTS
from xinglin.web.pages.statistics_tasks import NAMES, year_of, years


async def _fetch(visit: Visit, query: Query) -> Rows:
    area = read_number(query.get("area"))
    found = await visit.platform.targets.history(visit.scope, year_of(visit, query), query.get("programme"))
    found = [one for one in found if not area or one["area"] == area]
    shown = found[query.offset : query.offset + query.size]
    places = await visit.platform.geo.names([one["area"] for one in shown])
    houses = {rid: house.name for rid, house in (await institutions(visit)).items()}
    return Rows([_row(visit, one, places, houses) for one in shown], len(found))


def _row(visit: Visit, one: Mapping[str, Any], places: Mapping[int, str], houses: Mapping[int, str]) -> dict[str, object]:
    return {
        "area": places.get(one["area"], str(one["area"])),
        "institution": houses.get(one["institution"], ""),
        "target": one["target"],
        "state": Tag(visit.text("已更改")) if one["ended_at"] else Tag(visit.text("现行"), "good"),
        "source": one["source"],
        "set_by": one["display_name"] or visit.text("文件"),
        "set_at": local(visit, one["set_at"]),
        "ended_at": local(visit, one["ended_at"]),
    }


ASSIGNED: Final = ListPage(
    path="/measures/tasks/assigned",
    title=mark("下达记录"),
    group="statistics",
    hint=mark("每改一次都留下旧数、来源和下达人"),
    rights=RIGHTS,
    fetch=_fetch,
    template="statistics/assigned.html",
    columns=(
        Column("area", mark("乡镇（街道）"), is_main=True),
        Column("institution", mark("机构")),
        Column("target", mark("任务数"), "number"),
        Column("state", mark("状态"), "tag"),
        Column("source", mark("下达文件或来源")),
        Column("set_by", mark("下达人")),
        Column("set_at", mark("下达时间")),
        Column("ended_at", mark("更改时间")),
    ),
    filters=(
        Filter("programme", mark("项目"), "choice", tuple(NAMES.items()), default="hypertension"),
        Filter("year", mark("年度"), "choice", years, default="now"),
        Filter("area", mark("乡镇（街道）"), "hidden"),
    ),
    add=("task.assign", "/measures/tasks/assign", mark("下达任务")),
    empty_title=mark("还没有下达任务数"),
    empty_hint=mark("由县项目办下达，或从 Excel 导入"),
)

ROUTES: Final[tuple[Route, ...]] = ASSIGNED.routes()
MENU: Final[tuple[Entry, ...]] = ()
