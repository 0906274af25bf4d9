"""接收概况: what each institution sent, who is silent, and long work that goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Final

from starlette.routing import Route

from xinglin.engines.exchange import InstitutionRow, MessageQuery
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit
from xinglin.web.pages.exchange_progress import long_work
from xinglin.web.pages.exchange_rows import local

_PERIODS: Final = (
    ("1", mark("今天和昨天")),
    ("7", mark("近 7 天")),
    ("30", mark("近 30 天")),
    ("90", mark("近 90 天")),
    ("365", mark("近一年")),
)
_LATE_DAYS: Final = 7.0


def _days(query: Query) -> int:
    return min(read_number(query.get("days")) or 30, 3660)


async def _found(visit: Visit, query: Query) -> Sequence[InstitutionRow]:
    """Return the rows of the scope, asked once a request."""
    kept = visit.request.scope.setdefault("xinglin.institutions", {})
    if not kept:
        kept["rows"] = await visit.platform.panel.institutions(visit.scope, days=_days(query))
    rows: Sequence[InstitutionRow] = kept["rows"]
    return rows


async def _fetch(visit: Visit, query: Query) -> Rows:
    """Fetch what each institution sent; a county has some hundreds, sorted here."""
    state = query.get("state")
    since = visit.platform.clock.today() - timedelta(days=_days(query))
    rows = [asdict(one) | {"standing": _standing(one)} for one in await _found(visit, query) if query.get("name") in one.name]
    rows = [row for row in rows if not state or row["standing"] == state]
    known = [row for row in rows if row[query.sort] is not None]
    known.sort(key=lambda row: row[query.sort], reverse=query.descending)
    rows = known + [row for row in rows if row[query.sort] is None]
    for row in rows:
        row["last_received_at"] = local(visit, row["last_received_at"])
        row["state"] = _TAGS[str(row["standing"])](visit)
        row["messages"] = f"/exchange/messages?institution={row['institution']}"
        row["lately"] = f"{row['messages']}&since={since}" if row["received"] else ""
        row["refused"] = f"{row['messages']}&since={since}&sort=rejected&order=desc" if row["rejected"] else ""
    return Rows(rows[query.offset : query.offset + query.size], len(rows))


def _standing(one: InstitutionRow) -> str:
    if not one.received:
        return "silent"
    return "late" if one.delay_days is not None and one.delay_days > _LATE_DAYS else "good"


_TAGS: Final = {
    "silent": lambda visit: Tag(visit.text("无数据"), "bad"),
    "late": lambda visit: Tag(visit.text("迟到"), "warn"),
    "good": lambda visit: Tag(visit.text("有数据"), "good"),
}


async def _summary(visit: Visit, query: Query) -> Mapping[str, object]:
    rows = await _found(visit, query)
    day = visit.platform.clock.today()
    _, today = await visit.platform.panel.messages(visit.scope, MessageQuery(since=day, until=day, limit=1))
    _, before = await visit.platform.panel.messages(
        visit.scope, MessageQuery(since=day - timedelta(days=1), until=day - timedelta(days=1), limit=1)
    )
    _, waiting = await visit.platform.panel.waiting(visit.scope, page=(1, 0))
    return {
        **await long_work(visit),
        "sending": sum(bool(one.received) for one in rows),
        "institutions": len(rows),
        "silent": sum(not one.received for one in rows),
        "received": sum(one.received for one in rows),
        "today": today,
        "yesterday": before,
        "waiting": waiting,
        "days": _days(query),
        "since": day - timedelta(days=_days(query)),
    }


INSTITUTIONS: Final = ListPage(
    path="/exchange",
    title=mark("接收概况"),
    hint=mark("每家机构送来多少、退回多少、晚了几天；没有送数的机构也列出"),
    group="exchange",
    rights=("exchange.read",),
    fetch=_fetch,
    sort="received",
    descending=True,
    columns=(
        Column("name", mark("机构"), path="messages", sortable=True, is_main=True),
        Column("code", mark("机构代码")),
        Column("state", mark("状态"), "tag"),
        Column("received", mark("已入库"), "number", path="lately", sortable=True),
        Column("rejected", mark("退回"), "number", path="refused", sortable=True),
        Column("delay_days", mark("平均迟到天数"), "number", sortable=True),
        Column("last_event", mark("最近业务日期"), "date", sortable=True),
        Column("last_received_at", mark("最近收到"), sortable=True),
    ),
    filters=(
        Filter("name", mark("机构")),
        Filter("days", mark("时段"), "choice", _PERIODS, default="30"),
        Filter("state", mark("状态"), "choice", (("good", mark("有数据")), ("late", mark("迟到")), ("silent", mark("无数据")))),
    ),
    empty_title=mark("还没有机构"),
    empty_hint=mark("机构由第一批报文带入：请先导入数据，或由数据管理员导入机构名录"),
    template="exchange/overview.html",
    context=_summary,
)


ROUTES: Final[tuple[Route, ...]] = INSTITUTIONS.routes()
MENU: Final[tuple[Entry, ...]] = (INSTITUTIONS.entry(),)
