"""工作量明细: the entries behind one number of the workload, each with its resident and its message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from xinglin.base.errors import IncorrectError
from xinglin.engines.rules import WORK_KINDS, WorkEntry, WorkQuery
from xinglin.web.doors import entries_seen, institutions, workers
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit
from xinglin.web.pages.residents import card_row
from xinglin.web.pages.statistics_asking import RIGHTS, told_at
from xinglin.web.record import SERVICES, WAYS

_KINDS: Final[Mapping[str, str]] = {
    "visits": mark("随访合计"),
    "clinic": mark("门诊"),
    "home": mark("家庭"),
    "phone": mark("电话随访"),
    "way_unknown": mark("方式不明"),
    "examinations": mark("健康体检"),
    "records": mark("新建档案"),
    "late": mark("补录"),
    "residents": mark("服务人数"),
}


def month_of(text: str, today: date) -> tuple[date, date]:
    """Return the first and last day of a month written 2026-11, of today's month for "".  Raises: IncorrectError."""
    try:
        first = date.fromisoformat(f"{text}-01") if text not in ("", "now") else today.replace(day=1)
        return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise IncorrectError("月份请写成 2026-11", "write a month as 2026-11", where="month") from error


async def _fetch(visit: Visit, query: Query) -> Rows:
    if not visit.allows(*RIGHTS):
        visit.scope.require(RIGHTS[0])
    first, last = month_of(query.get("month"), visit.platform.clock.today())
    kind = query.get("kind") if query.get("kind") in WORK_KINDS else "visits"
    worker, house = read_number(query.get("worker")), read_number(query.get("institution"))
    asked = WorkQuery(kind, first, last, worker, house, min(query.size, 500), query.offset)
    found, total, seq = await visit.platform.measures.work_entries(visit.scope, asked)
    cards = await visit.platform.residents.cards(visit.scope, [one.person for one in found])
    seen = await entries_seen(visit, [one.rid for one in found])
    await visit.record("list", "measure", persons=sorted(cards), detail=f"workload {kind}")
    rows = [_row(visit, one, card_row(visit, cards[one.person]), seen) for one in found if one.person in cards]
    return Rows(rows, total, as_of=await told_at(visit, seq))


def _row(visit: Visit, one: WorkEntry, card: dict[str, object], seen: Mapping[int, tuple[int, str, int, object]]) -> dict[str, object]:
    message = seen[one.rid][2] if one.rid in seen else None
    return {
        **card,
        "day": one.day,
        "kind": visit.text("新建档案") if one.kind == "record" else visit.text(SERVICES[one.kind]) if one.kind in SERVICES else one.kind,
        "way": visit.text(WAYS[one.way]) if one.way in WAYS else "",
        "entered_on": one.entered_on if one.entered_on and one.entered_on > one.day else None,
        "message": message,
        "message_link": f"/exchange/messages/{message}" if message and visit.allows("exchange.read") else "",
    }


async def _context(visit: Visit, query: Query) -> Mapping[str, object]:
    worker, house = read_number(query.get("worker")), read_number(query.get("institution"))
    place = (await institutions(visit)).get(house or 0)
    month = month_of(query.get("month"), visit.platform.clock.today())[0].isoformat()[:7]
    return {
        "worker": (await workers(visit)).get(worker or 0, ""),
        "house": place.name if place else visit.text("未登记机构"),
        "month": month,
        "back": f"/measures/workload?month={month}",
    }


async def _kinds(visit: Visit) -> list[tuple[str, str]]:
    return [(code, visit.text(_KINDS[code])) for code in WORK_KINDS]


ENTRIES: Final = ListPage(
    path="/measures/workload/entries",
    title=mark("工作量明细"),
    group="statistics",
    rights=("resident.read",),
    fetch=_fetch,
    context=_context,
    template="statistics/work_entries.html",
    columns=(
        Column("day", mark("日期"), "date"),
        Column("name", mark("居民"), path="link", is_main=True),
        Column("sex", mark("性别")),
        Column("age", mark("年龄"), "number"),
        Column("area", mark("村（居）")),
        Column("kind", mark("类型")),
        Column("way", mark("方式")),
        Column("entered_on", mark("补录日期"), "date"),
        Column("message", mark("报文"), path="message_link"),
    ),
    filters=(
        Filter("kind", mark("哪一项"), "choice", _kinds, default="visits"),
        *(Filter(name, "", "hidden") for name in ("month", "worker", "institution")),
    ),
    empty_title=mark("这一项没有记录"),
    empty_hint=mark("换一项，或回到工作量统计"),
)
ROUTES: Final = ENTRIES.routes()
