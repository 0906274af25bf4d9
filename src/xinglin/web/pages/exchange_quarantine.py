"""待处理: what did not pass, why, its repair, replay one by one or all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.exchange import NewJob, Report, State, WaitingRow
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.exchange_progress import long_work
from xinglin.web.pages.exchange_rows import WAITING_STATES, pretty, reason_names, waiting_row

_DONE: Final = (State.STORED, State.UNCHANGED)


async def _reasons(visit: Visit) -> list[tuple[str, str]]:
    return list(reason_names(visit).items())


async def _quarantine(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.panel.waiting(
        visit.scope,
        state=query.get("state"),
        message_no=read_number(query.get("message")),
        reason=query.get("reason") or None,
        page=(query.size, query.offset),
    )
    return Rows([waiting_row(visit, row) for row in found], total)


async def _bulk(visit: Visit, query: Query) -> Mapping[str, object]:
    """Return the work that goes on, and how many rows the two buttons for all of them would take."""
    work = await long_work(visit)
    if not visit.allows("exchange.replay") or query.get("state") != "open":
        return {**work, "open": 0}
    numbers = await visit.platform.panel.open_numbers(
        visit.scope, message_no=read_number(query.get("message")), reason=query.get("reason") or None
    )
    return {**work, "open": len(numbers)}


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
        Column("source_name", mark("来源")),
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
        Filter("state", mark("状态"), "choice", tuple((code, label) for code, (label, _) in WAITING_STATES.items()), default="open"),
    ),
    empty_title=mark("没有待处理的条目"),
    empty_hint=mark("全部通过检查。要看已重放或已作废的，请选状态后再查"),
    template="exchange/quarantine.html",
    context=_bulk,
)


async def show_waiting(visit: Visit) -> Response:
    """Show one refused entry as it was sent, each problem, and the way to repair it."""
    row, body = await visit.platform.panel.entry(visit.scope, visit.request.path_params["number"])
    await visit.record("read", "quarantine", detail=str(row.quarantine_no))
    return _waiting_page(visit, row, pretty(body), "")


def _waiting_page(visit: Visit, row: WaitingRow, body: str, refusal: str, status: int = 200) -> Response:
    problems = [(visit.words.place(one["path"]), visit.words.pick(one["zh"], one["en"])) for one in row.problems]
    context = {"row": waiting_row(visit, row), "problems": problems, "body": body, "refusal": refusal}
    return render(visit, "exchange/waiting.html", context, status=status)


async def deal_with(visit: Visit) -> Response:
    """Replay as sent, replay as repaired, or discard; a refusal stands beside what was typed and nothing typed is lost."""
    number = visit.request.path_params["number"]
    form = await visit.form()
    row, body = await visit.platform.panel.entry(visit.scope, number)
    typed = str(form.get("body", "")).replace("\r\n", "\n")
    action = str(form.get("action", "repair"))
    try:
        if action == "discard":
            await visit.platform.exchange.ledger.discard([number], visit.scope.account_no, str(form.get("reason", "")))
            await visit.record("discard", "quarantine", detail=str(number))
            return redirect(visit, "/exchange/quarantine")
        as_sent = action == "as_sent" or typed == pretty(body)
        receipt = await visit.platform.exchange.replay(visit.scope, number, None if as_sent else typed.encode())
    except XinglinError as error:
        return _waiting_page(visit, row, typed or pretty(body), visit.said(error), 422)
    await visit.record("replay", "quarantine", detail=str(number))
    if receipt.state not in _DONE:
        problems = [{"path": one.path, "zh": one.zh, "en": one.en} for one in receipt.problems]
        told = visit.text("还没有通过检查：请按下面的说明修改，原条目仍在待处理")
        return _waiting_page(visit, replace(row, problems=problems or row.problems), typed or pretty(body), told, 422)
    return redirect(visit, f"/exchange/messages/{receipt.message_no}")


async def deal_with_all(visit: Visit) -> Response:
    """Replay or discard every open row of a message or of a reason; replaying goes on in the background with progress."""
    form = await visit.form()
    message_no, reason = read_number(str(form.get("message", ""))), str(form.get("reason", "")) or None
    numbers = await visit.platform.panel.open_numbers(visit.scope, message_no=message_no, reason=reason)
    if not numbers:
        raise IncorrectError("没有待处理的条目，请刷新列表", "nothing is waiting; reload the list")
    back = f"/exchange/quarantine?message={message_no or ''}&reason={reason or ''}"
    if form.get("action") == "discard":
        await visit.platform.exchange.ledger.discard(numbers, visit.scope.account_no, str(form.get("because", "")))
        await visit.record("discard", "quarantine", detail=f"{len(numbers)} rows")
        return redirect(visit, back)
    await visit.record("replay", "quarantine", detail=f"{len(numbers)} rows")

    async def replay_all(report: Report) -> str:
        return await _replay_each(visit, numbers, report)

    new = NewJob(f"replay-{numbers[0]}-{numbers[-1]}", (mark("重放待处理的条目"), "replaying what waits"), len(numbers))
    await visit.platform.jobs.begin(new, replay_all)
    return redirect(visit, back)


async def _replay_each(visit: Visit, numbers: list[int], report: Report) -> str:
    done = 0
    for place, number in enumerate(numbers, 1):
        try:
            receipt = await visit.platform.exchange.replay(visit.scope, number)
            done += receipt.state in _DONE
        except IncorrectError:
            pass  # closed meanwhile, by somebody or together with the rest of its message
        if place % 20 == 0:
            await report(place, "")
    return f"{done} / {len(numbers)}"


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/quarantine/{number:int}", show_waiting, right="exchange.read"),
    page("/exchange/quarantine/{number:int}", deal_with, right="exchange.replay", methods=("POST",)),
    page("/exchange/quarantine/all", deal_with_all, right="exchange.replay", methods=("POST",)),
    *QUARANTINE.routes(),
)
MENU: Final[tuple[Entry, ...]] = (QUARANTINE.entry(),)
