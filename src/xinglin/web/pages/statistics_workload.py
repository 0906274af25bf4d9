"""工作量统计 by person and month, and 月报: one institution's month on one sheet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from starlette.responses import Response

from xinglin.engines.rules import WORK_KINDS, WorkRow
from xinglin.web.doors import institutions, workers
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render
from xinglin.web.pages import statistics_work_entries
from xinglin.web.pages.statistics_asking import RIGHTS, is_loading, told_at
from xinglin.web.pages.statistics_work_entries import month_of

_COUNTS: Final = ("clinic", "home", "phone", "way_unknown", "examinations", "late", "records")
_MONTHLY: Final = (
    ("records", mark("居民健康档案"), ("records", "records-in-use-rate")),
    (
        "hypertension",
        mark("高血压管理"),
        ("hypertension-managed", "hypertension-standard-progress.face_to_face", "hypertension-standard-rate.face_to_face", "hypertension-control-rate", "hypertension-visits.any_way"),
    ),
    (
        "diabetes2",
        mark("2 型糖尿病管理"),
        ("diabetes2-managed", "diabetes2-standard-progress.face_to_face", "diabetes2-standard-rate.face_to_face", "diabetes2-glucose-control-rate", "diabetes2-visits.any_way"),
    ),
    ("elderly", mark("老年人健康管理"), ("elderly-health-management-rate",)),
)  # fmt: skip


async def _months_here(visit: Visit) -> list[tuple[str, str]]:
    (_, this), *earlier = await _months(visit)
    return [("now", this), *earlier]


async def _months(visit: Visit) -> list[tuple[str, str]]:
    first = visit.platform.clock.today().replace(day=1)
    found = []
    for _ in range(24):
        found.append((first.isoformat()[:7], first.isoformat()[:7]))
        first = (first - timedelta(days=1)).replace(day=1)
    return found


async def _houses(visit: Visit) -> list[tuple[str, str]]:
    found = (await institutions(visit)).values()
    inside = [one for one in found if one.area and any(low <= one.area <= high for low, high in visit.scope.areas)]
    return [(str(one.rid), one.name) for one in sorted(inside, key=lambda one: one.code)]


async def work_rows(visit: Visit, first: date, last: date, institution: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Return the work of a period by institution and worker, most visits first, and the seq of the numbers."""
    table = await visit.platform.measures.workload(visit.scope, first, last)
    houses, people = await institutions(visit), await workers(visit)
    rows = [_row(visit, one, houses, people) for one in table.rows if not institution or one.institution == institution]
    return sorted(rows, key=lambda row: (row["institution"], row["worker_rid"] == 0, -row["visits"])), table.seq


def _row(visit: Visit, one: WorkRow, houses: Mapping[int, Any], people: Mapping[int, str]) -> dict[str, Any]:
    house = houses.get(one.institution or 0)
    row: dict[str, Any] = {name: getattr(one, name) for name in _COUNTS}
    row |= {"visits": one.clinic + one.home + one.phone + one.way_unknown, "residents": one.residents}
    opens = visit.allows("resident.read")
    row |= {f"{name}_link": _path(name, one) if opens and row[name] else "" for name in WORK_KINDS}
    named = people.get(one.worker, "") if one.worker is not None else visit.text("（按机构登记）")
    return row | {
        "worker": named or visit.text("未登记人员"),
        "worker_rid": one.worker or 0,
        "institution": house.name if house else visit.text("未登记机构"),
        "month": one.month.isoformat()[:7],
    }


def _path(kind: str, one: WorkRow) -> str:
    """Return the address of the entries behind a number."""
    asked = {"kind": kind, "month": one.month.isoformat()[:7], "worker": one.worker or "", "institution": one.institution or ""}
    return "/measures/workload/entries?" + urlencode({name: value for name, value in asked.items() if value})


async def _fetch(visit: Visit, query: Query) -> Rows:
    first, last = month_of(query.get("month"), visit.platform.clock.today())
    if query.get("span") == "year":
        first = first.replace(month=1, day=1)
    wanted = int(query.get("institution")) if query.get("institution").isdecimal() else 0
    rows, seq = await work_rows(visit, first, last, wanted)
    if query.sort:
        rows.sort(key=lambda row: row[query.sort], reverse=query.descending)
    return Rows(rows[query.offset : query.offset + query.size], len(rows), as_of=await told_at(visit, seq))


WORKLOAD: Final = ListPage(
    path="/measures/workload",
    title=mark("工作量统计"),
    group="statistics",
    hint=mark("随访按方式、体检、新建档案和补录，按人按月"),
    rights=RIGHTS,
    fetch=_fetch,
    columns=(
        Column("worker", mark("经办人员"), is_main=True),
        Column("institution", mark("机构")),
        Column("month", mark("月份"), sortable=True),
        Column("visits", mark("随访合计"), "number", path="visits_link", sortable=True),
        Column("clinic", mark("门诊"), "number", path="clinic_link", sortable=True),
        Column("home", mark("家庭"), "number", path="home_link", sortable=True),
        Column("phone", mark("电话随访"), "number", path="phone_link", sortable=True),
        Column("way_unknown", mark("方式不明"), "number", path="way_unknown_link"),
        Column("examinations", mark("健康体检"), "number", path="examinations_link", sortable=True),
        Column("records", mark("新建档案"), "number", path="records_link", sortable=True),
        Column("late", mark("补录"), "number", path="late_link", sortable=True),
        Column("residents", mark("服务人数"), "number", path="residents_link", sortable=True),
    ),
    filters=(
        Filter("month", mark("月份"), "choice", _months_here, default="now"),
        Filter("institution", mark("机构"), "choice", _houses),
        Filter("span", mark("期间"), "choice", (("month", mark("该月")), ("year", mark("年初至该月"))), default="month"),
    ),
    empty_title=mark("这个月还没有工作记录"),
    empty_hint=mark("换一个月份，或看年初至该月"),
)


async def show_monthly(visit: Visit) -> Response:
    """Show the month of one's institution on one sheet: measures at its end, work of the month by person; made to be printed."""
    query, today = visit.request.query_params, visit.platform.clock.today()
    first, last = month_of(query.get("month", ""), today)
    as_of = min(last, today)
    edition = visit.platform.rules.edition(as_of)
    known = {one.id: one for one in edition.of_kind("measure")}
    wanted = [name for _, _, names in _MONTHLY for name in names if name in known]
    before = first - timedelta(days=1)
    told = await visit.platform.measures.overview(visit.scope, [(name, [as_of]) for name in wanted])
    earlier = await visit.platform.measures.overview(visit.scope, [(name, [before]) for name in wanted])
    figures = {name: (now[0], then[0]) for name, now, then in zip(wanted, told, earlier, strict=True)}
    rows, work_seq = await work_rows(visit, first, last)
    context = {
        "month": first.isoformat()[:7],
        "months": await _months(visit),
        "parts": [
            (visit.text(label), [(known[name], *figures[name]) for name in names if name in figures]) for _, label, names in _MONTHLY
        ],
        "rows": rows,
        "sums": {name: sum(row[name] for row in rows) for name in ("visits", *_COUNTS)},
        "house": await _own_house(visit),
        "loading": await is_loading(visit),
        "day": as_of,
        "before": before,
        "as_of": await told_at(visit, min([work_seq, *(now.seq for now, _ in figures.values())])),
    }
    return render(visit, "statistics/monthly.html", context)


async def _own_house(visit: Visit) -> str:
    own = (await institutions(visit)).get(visit.scope.institution_rid or 0)
    return own.name if own else visit.district


ROUTES: Final = (
    *statistics_work_entries.ROUTES,
    *WORKLOAD.routes(),
    page("/measures/monthly", show_monthly, right=("report.monthly", "county.figures", "institution.figures")),
)
MENU: Final = (
    WORKLOAD.entry(),
    Entry("statistics", mark("月报"), "/measures/monthly", ("report.monthly", "county.figures", "institution.figures")),
)
