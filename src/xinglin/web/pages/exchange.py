"""数据接入: what each institution sent, the ledger of messages, what waits and why, replay, upload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from xinglin.base.errors import IncorrectError
from xinglin.engines.exchange import ImportOptions, MessageQuery, MessageRow, WaitingRow, open_reasons
from xinglin.web.i18n import mark
from xinglin.web.lists import Action, Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, redirect, render

_STATES: Final = {
    "received": (mark("处理中"), "warn"),
    "stored": (mark("已入库"), "good"),
    "unchanged": (mark("无变化"), ""),
    "partly": (mark("部分入库"), "apricot"),
    "quarantined": (mark("待处理"), "bad"),
}
_WAITING: Final = {"open": (mark("待处理"), "bad"), "replayed": (mark("已重放"), "good"), "discarded": (mark("已作废"), "")}
_PERIODS: Final = (("7", mark("近 7 天")), ("30", mark("近 30 天")), ("90", mark("近 90 天")), ("365", mark("近一年")))
_UPLOAD_BYTES: Final = 64 * 1024 * 1024


def _state(visit: Visit, state: str, names: Mapping[str, tuple[str, str]]) -> Tag:
    label, kind = names.get(state, (state, ""))
    return Tag(visit.text(label), kind)


def _local(visit: Visit, instant: Any) -> str:
    return instant.astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d %H:%M") if instant else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise IncorrectError("日期请写成 2026-11-21", "write a day as 2026-11-21") from error


async def _institutions(visit: Visit, query: Query) -> Rows:
    """Fetch what each institution sent; a county has some hundreds, sorted here."""
    days = int(query.get("days")) if query.get("days").isdigit() else 30
    found = [one for one in await visit.platform.panel.institutions(visit.scope, days=min(days, 3660)) if query.get("name") in one.name]
    quiet = query.get("quiet")
    rows = [asdict(one) for one in found if not quiet or (one.received == 0) is (quiet == "yes")]
    rows.sort(key=lambda row: (row[query.sort] is None, row[query.sort]), reverse=query.descending)
    for row in rows:
        row["last_received_at"] = _local(visit, row["last_received_at"])
        row["state"] = Tag(visit.text("有数据"), "good") if row["received"] else Tag(visit.text("无数据"), "bad")
    return Rows(rows[query.offset : query.offset + query.size], len(rows))


INSTITUTIONS: Final = ListPage(
    path="/exchange",
    title=mark("机构数据接入"),
    hint=mark("每家机构送来多少、退回多少、晚了几天；没有送数的机构也列出"),
    group="exchange",
    rights=("exchange.read",),
    fetch=_institutions,
    sort="received",
    descending=True,
    columns=(
        Column("name", mark("机构"), sortable=True, is_main=True),
        Column("code", mark("机构代码")),
        Column("state", mark("状态"), "tag"),
        Column("received", mark("已入库"), "number", sortable=True),
        Column("rejected", mark("退回"), "number", sortable=True),
        Column("delay_days", mark("平均迟到天数"), "number", sortable=True),
        Column("last_event", mark("最近业务日期"), "date", sortable=True),
        Column("last_received_at", mark("最近收到")),
    ),
    filters=(
        Filter("name", mark("机构")),
        Filter("days", mark("时段"), "choice", _PERIODS),
        Filter("quiet", mark("是否有数据"), "choice", (("no", mark("有数据")), ("yes", mark("无数据")))),
    ),
    empty_title=mark("还没有机构"),
    empty_hint=mark("机构由第一批报文带入：请先上传数据，或由数据管理员导入机构名录"),
)


async def _sources(visit: Visit) -> list[tuple[str, str]]:
    return [(source.code, source.name) for source in await visit.platform.exchange.ledger.sources()]


def _message_query(query: Query) -> MessageQuery:
    return MessageQuery(
        source=query.get("source") or None,
        state=query.get("state") or None,
        text=query.get("text") or None,
        since=_day(query.get("since")),
        until=_day(query.get("until")),
        sort=("-" if query.descending else "") + query.sort,
        limit=query.size,
        offset=query.offset,
    )


def message_row(visit: Visit, message: MessageRow) -> dict[str, object]:
    """Return a message as a row of a list."""
    return {
        **asdict(message),
        "received_at": _local(visit, message.received_at),
        "state": _state(visit, message.state, _STATES),
        "link": f"/exchange/messages/{message.message_no}",
    }


async def _messages(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.panel.messages(visit.scope, _message_query(query))
    return Rows([message_row(visit, message) for message in found], total)


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
        Column("state", mark("状态"), "tag"),
        Column("entries", mark("条目"), "number"),
        Column("stored", mark("已入库"), "number"),
        Column("unchanged", mark("无变化"), "number"),
        Column("rejected", mark("退回"), "number", sortable=True),
        Column("size", mark("字节"), "number", sortable=True),
    ),
    filters=(
        Filter("text", mark("报文标识")),
        Filter("source", mark("来源"), "choice", _sources),
        Filter("state", mark("状态"), "choice", tuple((code, label) for code, (label, _) in _STATES.items())),
        Filter("since", mark("从"), "date"),
        Filter("until", mark("到"), "date"),
    ),
    add=("exchange.import", "/exchange/upload", mark("上传")),
    empty_title=mark("没有报文"),
    empty_hint=mark("上传文件、用命令 xinglin import 导入，或让机构通过接口发送"),
)


async def _reasons(visit: Visit) -> list[tuple[str, str]]:
    return [(code, visit.words.pick(chinese, english)) for code, chinese, english in open_reasons()]


def _waiting_row(visit: Visit, row: WaitingRow) -> dict[str, object]:
    first = row.problems[0] if row.problems else {"zh": "", "en": "", "path": ""}
    reasons = {code: visit.words.pick(chinese, english) for code, chinese, english in open_reasons()}
    return {
        **asdict(row),
        "opened_at": _local(visit, row.opened_at),
        "reason": Tag(reasons.get(row.reason, row.reason), "warn"),
        "said": visit.words.pick(first["zh"], first["en"]) + (f" +{len(row.problems) - 1}" if len(row.problems) > 1 else ""),
        "place": first["path"],
        "state": _state(visit, row.state, _WAITING),
        "link": f"/exchange/quarantine/{row.quarantine_no}",
        "message_link": f"/exchange/messages/{row.message_no}",
    }


async def _quarantine(visit: Visit, query: Query) -> Rows:
    number = query.get("message")
    found, total = await visit.platform.panel.waiting(
        visit.scope,
        state=query.get("state") or "open",
        message_no=int(number) if number.isdigit() and len(number) < 18 else None,
        reason=query.get("reason") or None,
        page=(query.size, query.offset),
    )
    return Rows([_waiting_row(visit, row) for row in found], total)


QUARANTINE: Final = ListPage(
    path="/exchange/quarantine",
    title=mark("待处理"),
    hint=mark("没有通过检查的条目：原因写给发送方看，修好后可重放"),
    group="exchange",
    rights=("exchange.read",),
    fetch=_quarantine,
    columns=(
        Column("quarantine_no", mark("编号"), path="link", is_main=True),
        Column("opened_at", mark("收到时间")),
        Column("source", mark("来源")),
        Column("message_no", mark("报文"), path="message_link"),
        Column("entry_no", mark("第几条"), "number"),
        Column("rtype", mark("类型")),
        Column("reason", mark("原因"), "tag"),
        Column("place", mark("位置")),
        Column("said", mark("说明")),
        Column("state", mark("状态"), "tag"),
    ),
    filters=(
        Filter("message", mark("报文编号")),
        Filter("reason", mark("原因"), "choice", _reasons),
        Filter("state", mark("状态"), "choice", tuple((code, label) for code, (label, _) in _WAITING.items())),
    ),
    empty_title=mark("没有待处理的条目"),
    empty_hint=mark("全部通过检查。要看已重放或已作废的，请选状态后再查"),
)


async def show_message(visit: Visit) -> Response:
    """Show one message: its counts and what of it waits."""
    number = visit.request.path_params["number"]
    message = await visit.platform.panel.message(visit.scope, number)
    waiting, total = await visit.platform.panel.waiting(visit.scope, message_no=number)
    context = {
        "message": message_row(visit, message),
        "finished_at": _local(visit, message.finished_at),
        "reason": visit.words.pick(message.reason["zh"], message.reason["en"]) if message.reason else "",
        "waiting": [_waiting_row(visit, row) for row in waiting],
        "total": total,
    }
    return render(visit, "exchange/message.html", context)


async def show_waiting(visit: Visit) -> Response:
    """Show one refused entry as it was sent, each problem, and the way to repair it."""
    row, body = await visit.platform.panel.entry(visit.scope, visit.request.path_params["number"])
    await visit.record("read", "quarantine", detail=str(row.quarantine_no))
    return _waiting_page(visit, row, _pretty(body), "")


def _waiting_page(visit: Visit, row: WaitingRow, body: str, refusal: str, status: int = 200) -> Response:
    problems = [(one["path"], visit.words.pick(one["zh"], one["en"])) for one in row.problems]
    return render(visit, "exchange/waiting.html", {"row": _waiting_row(visit, row), "problems": problems, "body": body, "refusal": refusal}, status=status)


def _pretty(body: bytes) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body.decode("utf-8", "replace")


async def replay(visit: Visit) -> Response:
    """Send a refused entry again, as it was or as repaired; still refused, it shows the new reasons beside the repair."""
    number = visit.request.path_params["number"]
    form = await visit.form()
    row, body = await visit.platform.panel.entry(visit.scope, number)
    if "discard" in form:
        await visit.platform.exchange.ledger.settle([number], "discarded", visit.scope.account_no)
        await visit.record("discard", "quarantine", detail=str(number))
        return redirect(visit, "/exchange/quarantine")
    repaired = str(form.get("body", "")).replace("\r\n", "\n")
    try:
        receipt = await visit.platform.exchange.replay(visit.scope, number, None if repaired == _pretty(body) else repaired.encode())
    except IncorrectError as error:
        return _waiting_page(visit, row, repaired, error.message(visit.language), 400)
    if receipt.rejected:
        problems = [{"path": one.path, "zh": one.zh, "en": one.en} for one in receipt.problems]
        told = visit.text("还没有通过检查：请按下面的说明修改")
        return _waiting_page(visit, replace(row, problems=problems), repaired, told, 422)
    return redirect(visit, f"/exchange/messages/{receipt.message_no}")


async def show_upload(visit: Visit) -> Response:
    """Show the form for files."""
    return render(visit, "exchange/upload.html", {"sources": await visit.platform.exchange.ledger.sources(), "receipts": (), "source": ""})


async def upload(visit: Visit) -> Response:
    """Take in files; each answers for itself, a bad one never stops the good ones."""
    visit.scope.require("exchange.import")
    form = await visit.form()
    code = str(form.get("source", ""))
    known = {source.code for source in await visit.platform.exchange.ledger.sources()}
    files = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
    if code not in known or not files:
        raise IncorrectError("请选择来源和至少一个文件", "choose a source and at least one file")
    receipts = []
    for file in files:
        content = await file.read(_UPLOAD_BYTES + 1)
        if len(content) > _UPLOAD_BYTES:
            raise IncorrectError("单个文件超过 64 MB：请用命令 xinglin import 导入", "a file is over 64 MB: use the command xinglin import", status=413)
        receipt = await visit.platform.importer.import_content(visit.scope, (file.filename or "", content), ImportOptions(source=code))
        problems = [visit.words.pick(one.zh, one.en) for one in receipt.problems[:3]]
        receipts.append({"name": file.filename, "receipt": receipt, "state": _state(visit, str(receipt.state), _STATES), "problems": problems})
    return render(visit, "exchange/upload.html", {"sources": await visit.platform.exchange.ledger.sources(), "receipts": receipts, "source": code})


ROUTES: Final = (
    page("/exchange/messages/{number:int}", show_message, right="exchange.read"),
    page("/exchange/quarantine/{number:int}", show_waiting, right="exchange.read"),
    page("/exchange/quarantine/{number:int}", replay, right="exchange.replay", methods=("POST",)),
    page("/exchange/upload", show_upload, right="exchange.import"),
    page("/exchange/upload", upload, right="exchange.import", methods=("POST",)),
    *MESSAGES.routes(),
    *QUARANTINE.routes(),
    *INSTITUTIONS.routes(),
)
MENU: Final = (INSTITUTIONS.entry(), MESSAGES.entry(), QUARANTINE.entry(), Entry("exchange", mark("上传"), "/exchange/upload", ("exchange.import",)))
