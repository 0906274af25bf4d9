"""报文: the ledger, one message with what it wrote and what of it waits, and its original."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from xinglin.engines.exchange import MessageQuery
from xinglin.web.days import read_day
from xinglin.web.doors import institutions
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.exchange_rows import MESSAGE_STATES, local, message_row, source_options, waiting_row

_WRITTEN: Final = 50
_MOST_NAMED: Final = 5000


def _message_query(visit: Visit, query: Query) -> MessageQuery:
    today = visit.platform.clock.today()
    return MessageQuery(
        source=query.get("source") or None,
        state=query.get("state") or None,
        text=query.get("text") or None,
        since=read_day(query.get("since"), today),
        until=read_day(query.get("until"), today),
        institution=read_number(query.get("institution")),
        sort=("-" if query.descending else "") + query.sort,
        limit=query.size,
        offset=query.offset,
    )


async def _messages(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.panel.messages(visit.scope, _message_query(visit, query))
    return Rows([message_row(visit, message) for message in found], total)


async def _institutions(visit: Visit) -> list[tuple[str, str]]:
    return [(str(one.rid), one.name) for one in (await institutions(visit)).values()]


MESSAGES: Final = ListPage(
    path="/exchange/messages",
    title=mark("报文"),
    hint=mark("收到的每一条都在这里，先记账、后处理"),
    group="exchange",
    rights=("exchange.read",),
    fetch=_messages,
    sort="message_no",
    descending=True,
    columns=(
        Column("message_no", mark("编号"), path="link", sortable=True, is_main=True),
        Column("received_at", mark("收到时间"), sortable=True),
        Column("source_name", mark("来源")),
        Column("message_id", mark("报文标识")),
        Column("kind", mark("种类")),
        Column("state", mark("状态"), "tag"),
        Column("entries", mark("条目"), "number"),
        Column("stored", mark("已入库"), "number"),
        Column("unchanged", mark("无变化"), "number"),
        Column("rejected", mark("退回"), "number", sortable=True),
        Column("size", mark("字节"), "number", sortable=True),
    ),
    filters=(
        Filter("text", mark("报文标识"), hint=mark("文件名或标识的一部分")),
        Filter("source", mark("来源"), "choice", source_options),
        Filter("state", mark("状态"), "choice", tuple((code, label) for code, (label, _) in MESSAGE_STATES.items())),
        Filter("institution", mark("机构"), "choice", _institutions),
        Filter("since", mark("从"), "date"),
        Filter("until", mark("到"), "date"),
    ),
    add=("exchange.import", "/exchange/import", mark("导入")),
    empty_title=mark("没有报文"),
    empty_hint=mark("导入文件、用命令 xinglin import 导入，或让机构通过接口发送"),
)


async def show_message(visit: Visit) -> Response:
    """Show one message: its counts, what it wrote and what of it waits."""
    number = visit.request.path_params["number"]
    message = await visit.platform.panel.message(visit.scope, number)
    waiting, total = await visit.platform.panel.waiting(visit.scope, message_no=number)
    warnings, warned = await visit.platform.panel.warnings(visit.scope, number)
    start = max(1, read_number(visit.request.query_params.get("page", "")) or 1)
    written, wrote = await visit.platform.panel.written(visit.scope, number, (_WRITTEN, (start - 1) * _WRITTEN))
    await visit.record("read", "message", persons=sorted({row.person for row in written if row.person is not None}), detail=str(number))
    context = {
        "message": message_row(visit, message),
        "finished_at": local(visit, message.finished_at),
        "reason": visit.words.at(message.reason["where"], message.reason["zh"], message.reason["en"]) if message.reason else "",
        "waiting": [waiting_row(visit, row) for row in waiting],
        "total": total,
        "warnings": [
            {"entry": one.entry_no, "path": visit.words.place(one.path), "words": visit.words.pick(one.zh, one.en)} for one in warnings
        ],
        "warned": warned,
        "written": written,
        "wrote": wrote,
        "start": start,
        "pages": max(1, -(-wrote // _WRITTEN)),
    }
    return render(visit, "exchange/message.html", context)


async def show_original(visit: Visit) -> Response:
    """Give the message as it was received; audited before it leaves."""
    number = visit.request.path_params["number"]
    message = await visit.platform.panel.message(visit.scope, number)
    content = await visit.platform.exchange.ledger.content(number)
    written, _ = await visit.platform.panel.written(visit.scope, number, (_MOST_NAMED, 0))
    persons = sorted({row.person for row in written if row.person is not None})
    await visit.record("export", "message", persons=persons, detail=f"original {number}")
    name = message.message_id.rsplit("/", 1)[-1] or f"message-{number}"
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", "x-content-type-options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/messages/{number:int}", show_message, right="exchange.read"),
    page("/exchange/messages/{number:int}/original", show_original, right="steward"),
    *MESSAGES.routes(),
)
MENU: Final[tuple[Entry, ...]] = (MESSAGES.entry(),)
