"""上级平台: reconciliation list, sheets out and in, batches, column mapping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from starlette.datastructures import UploadFile
from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.exchange import Batch, Period, Reconciled, UpperState
from xinglin.engines.security import mask_id_number
from xinglin.web.days import read_day
from xinglin.web.exports import EXCEL, imprint, watermark
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag, show_list
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.exchange_rows import local
from xinglin.web.reported import STATES

RIGHT: Final = "upper.exchange"
_MOST_BYTES: Final = 64 * 1024 * 1024
_DAYS: Final = 30
_FIRST_KIND: Final = "hypertension-followup"


def period_of(visit: Visit, asked: Mapping[str, str]) -> Period:
    """Return the kind and days a form or an address asks for: the last 30 days where it says nothing."""
    today = visit.platform.clock.today()
    last = read_day(asked.get("until", ""), today) or today
    first = read_day(asked.get("since", ""), today) or last - timedelta(days=_DAYS - 1)
    if first > last:
        raise IncorrectError("开始日期不能晚于结束日期", "the first day must not be after the last", where="since")
    return Period(asked.get("kind", "") or _FIRST_KIND, first, last)


async def kind_options(visit: Visit) -> list[tuple[str, str]]:
    """Return the kinds of records for a choice."""
    return [(kind.code, visit.words.pick(kind.zh, kind.en)) for kind in visit.platform.upper.catalogue.kinds.values()]


async def _all(visit: Visit, query: Query) -> Sequence[Reconciled]:
    """Return the reconciliation of the period, worked out once a request."""
    kept = visit.request.scope.setdefault("xinglin.upper", {})
    if not kept:
        kept["rows"] = await visit.platform.upper.reconcile(visit.scope, period_of(visit, query.filters))
    rows: Sequence[Reconciled] = kept["rows"]
    return rows


def _row(visit: Visit, one: Reconciled) -> dict[str, Any]:
    label, kind = STATES[one.standing.state]
    fields = visit.platform.upper.catalogue.fields
    nothing = visit.text("空")
    colon, comma = ("：", "；") if visit.language == "zh" else (": ", "; ")
    told = [
        f"{visit.words.pick(fields[each.field].zh, fields[each.field].en)}{colon}{each.ours or nothing} → {each.theirs}"
        for each in one.standing.differences
    ]
    if one.standing.changed:
        told.insert(0, visit.text("上报后有修改"))
    return {
        "name": one.name,
        "link": f"/residents/{one.person}" if one.person is not None else "",
        "person": one.person,
        "id_number": mask_id_number(one.id_number),
        "day": one.day,
        "state": Tag(visit.text(label), kind),
        "differences": comma.join(told),
        "seen_at": local(visit, one.seen_at),
        "batch": one.batch_no,
        "batch_link": f"/exchange/upper/batches/{one.batch_no}" if one.batch_no else "",
    }


async def _reconciled(visit: Visit, query: Query) -> Rows:
    text = query.get("text").upper()
    found = [one for one in await _all(visit, query) if not query.get("state") or one.standing.state.value == query.get("state")]
    if text:
        found = [one for one in found if text in one.name.upper() or one.id_number.endswith(text)]
    keys = {"name": lambda one: one.name, "day": lambda one: one.day or date.min, "state": lambda one: one.standing.state.value}
    if query.sort in keys:
        found = sorted(found, key=keys[query.sort], reverse=query.descending)
    rows = found[query.offset : query.offset + query.size]
    await visit.record("search", "upper", persons=[one.person for one in rows if one.person is not None])
    return Rows([_row(visit, one) for one in rows], len(found))


async def _above(visit: Visit, query: Query) -> Mapping[str, object]:
    period, counts = period_of(visit, query.filters), Counter(one.standing.state for one in await _all(visit, query))
    due = sum(one.standing.changed or one.standing.state is UpperState.NOT_REPORTED for one in await _all(visit, query))
    known = sum(
        one.standing.state is UpperState.UPPER_ONLY and one.person is not None and one.day is not None for one in await _all(visit, query)
    )
    cards = [
        {
            "label": visit.text(label),
            "kind": kind,
            "count": counts[state],
            "state": state.value,
            "current": query.get("state") == state.value,
        }
        for state, (label, kind) in STATES.items()
    ]
    base = {"kind": period.kind, "since": period.first.isoformat(), "until": period.last.isoformat()}
    return {"period": period, "cards": cards, "due": due, "takeable": known, "base": base, "base_address": _address(period)}


UPPER: Final = ListPage(
    path="/exchange/upper",
    title=mark("上级平台"),
    hint=mark("哪些记录还没上报、上报后又改过、与上级不同、或只有上级有"),
    group="exchange",
    rights=(RIGHT,),
    fetch=_reconciled,
    sort="day",
    descending=True,
    columns=(
        Column("name", mark("姓名"), path="link", sortable=True, is_main=True),
        Column("id_number", mark("身份证号")),
        Column("day", mark("业务日期"), "date", sortable=True),
        Column("state", mark("状态"), "tag", sortable=True),
        Column("differences", mark("差异（本系统 → 上级）")),
        Column("seen_at", mark("上级数据截至")),
        Column("batch", mark("批次"), path="batch_link"),
    ),
    filters=(
        Filter("kind", mark("记录种类"), "choice", kind_options),
        Filter("state", mark("状态"), "choice", tuple((state.value, label) for state, (label, _) in STATES.items())),
        Filter("since", mark("从"), "date"),
        Filter("until", mark("到"), "date"),
        Filter("text", mark("姓名或证件号后几位")),
    ),
    empty_title=mark("这段时间没有记录"),
    empty_hint=mark("默认高血压随访、近 30 天：换一种记录或放宽日期后再查"),
    template="exchange/upper.html",
    context=_above,
)


async def show_upper(visit: Visit) -> Response:
    """Show the reconciliation; an address that names no kind or days gets the usual ones, so that the search form shows what is asked."""
    asked = visit.request.query_params
    if not asked.get("kind") or not asked.get("since") or not asked.get("until"):
        period = period_of(visit, asked)
        further = {name: value for name, value in asked.items() if name not in ("kind", "since", "until") and value}
        return redirect(visit, _address(period, **further))
    return await show_list(visit, UPPER)


def _address(period: Period, **further: str) -> str:
    days = {"kind": period.kind, "since": period.first.isoformat(), "until": period.last.isoformat()}
    return f"{UPPER.path}?{urlencode(days | further)}"


async def send_sheet(visit: Visit) -> Response:
    """Make a sheet to upload of what waits to be reported; its page gives the file."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    period = period_of(visit, form)
    await visit.record("export", "upper", detail=f"{period.kind} {period.first} {period.last}")
    batch_no, _ = await visit.platform.upper.send(visit.scope, period, imprint(visit), differing="differing" in form)
    return redirect(visit, f"/exchange/upper/batches/{batch_no}")


async def take_rows(visit: Visit) -> Response:
    """Take what only the platform has into the record."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    period = period_of(visit, form)
    await visit.record("import", "upper", detail=f"{period.kind} {period.first} {period.last}")
    taken, refusals = await visit.platform.upper.take(visit.scope, period)
    told = [visit.words.pick(*words) for words in refusals[:20]]
    return render(visit, "exchange/upper_taken.html", {"taken": taken, "refused": len(refusals), "told": told, "back": _address(period)})


async def show_receive(visit: Visit) -> Response:
    """Show the form for a sheet of the platform."""
    return await _receive_page(visit, visit.request.query_params.get("kind", _FIRST_KIND), "")


async def _receive_page(visit: Visit, kind: str, refusal: str, status: int = 200) -> Response:
    mapping = await visit.platform.upper.mapping(kind)
    keys = [column.title for column in mapping.columns if column.field in mapping.kind.key]
    context = {
        "kinds": await kind_options(visit),
        "kind": kind,
        "refusal": refusal,
        "titles": [column.title for column in mapping.columns],
        "keys": keys,
    }
    return render(visit, "exchange/upper_receive.html", context, status=status)


async def receive_sheet(visit: Visit) -> Response:
    """Take a sheet in: ledger first, then row by row."""
    form = await visit.form()
    kind, upload = str(form.get("kind", "")) or _FIRST_KIND, form.get("file")
    try:
        if not isinstance(upload, UploadFile) or not upload.filename:
            raise IncorrectError("请选择文件", "choose a file", where="file")
        content = await upload.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise IncorrectError("文件超过 64 MB，请分成几个", "the file is over 64 MB; split it", status=413)
        await visit.record("import", "upper", detail=kind)
        batch = await visit.platform.upper.receive(visit.scope, kind, (upload.filename, content))
    except XinglinError as error:
        return await _receive_page(visit, kind, visit.said(error), error.http_status)
    return redirect(visit, f"/exchange/upper/batches/{batch.batch_no}")


async def _names(visit: Visit, numbers: Sequence[int]) -> dict[int, str]:
    async with visit.platform.database.connection() as connection:
        rows = await connection.fetch("select account_no, display_name from account where account_no = any($1::bigint[])", list(numbers))
    return {row["account_no"]: row["display_name"] for row in rows}


def _batch_row(visit: Visit, one: Batch, names: Mapping[int, str]) -> dict[str, Any]:
    kinds = visit.platform.upper.catalogue.kinds
    out = one.direction == "out"
    state = (
        Tag(visit.text("已撤回"), "") if one.withdrawn_at else Tag(visit.text("上报"), "brand") if out else Tag(visit.text("导入"), "good")
    )
    return {
        "batch_no": one.batch_no,
        "link": f"/exchange/upper/batches/{one.batch_no}",
        "direction": state,
        "kind": visit.words.pick(kinds[one.kind].zh, kinds[one.kind].en),
        "made_at": local(visit, one.made_at),
        "actor": names.get(one.actor, ""),
        "rows": one.rows,
        "refused": None if out else one.refused,
        "warned": None if out else one.warned,
        "unchanged": None if out else one.unchanged,
        "days": f"{one.from_day} — {one.to_day}" if one.from_day and one.from_day.year > 1900 else "",
    }


async def _batches(visit: Visit, query: Query) -> Rows:
    asked = (query.get("direction") or None, query.get("kind") or None)
    found, total = await visit.platform.upper.batches(visit.scope, asked, (query.size, query.offset))
    names = await _names(visit, [one.actor for one in found])
    return Rows([_batch_row(visit, one, names) for one in found], total)


BATCHES: Final = ListPage(
    path="/exchange/upper/batches",
    title=mark("上报与导入批次"),
    hint=mark("每张表何时由谁生成或导入、含多少行；没有真正上传的上报表可以撤回"),
    group="exchange",
    rights=(RIGHT,),
    fetch=_batches,
    columns=(
        Column("batch_no", mark("批次"), path="link", is_main=True),
        Column("direction", mark("方向"), "tag"),
        Column("kind", mark("记录种类")),
        Column("made_at", mark("时间")),
        Column("actor", mark("经办人")),
        Column("days", mark("业务日期")),
        Column("rows", mark("行数"), "number"),
        Column("unchanged", mark("无变化"), "number"),
        Column("warned", mark("有疑问"), "number"),
        Column("refused", mark("未接收"), "number"),
    ),
    filters=(
        Filter("direction", mark("方向"), "choice", (("out", mark("上报")), ("in", mark("导入")))),
        Filter("kind", mark("记录种类"), "choice", kind_options),
    ),
    empty_title=mark("还没有批次"),
    empty_hint=mark("在“上级平台”页生成上报表，或导入上级导出的表"),
)


async def show_batch(visit: Visit) -> Response:
    """Show one sheet: what it held, its file, and what can be done with it."""
    one = await visit.platform.upper.batch(visit.scope, visit.request.path_params["number"])
    base = {"kind": one.kind}
    if one.from_day and one.to_day and one.from_day.year > 1900:
        base |= {"since": one.from_day.isoformat(), "until": one.to_day.isoformat()}
    row = _batch_row(visit, one, await _names(visit, [one.actor]))
    return render(visit, "exchange/upper_batch.html", {"one": one, "row": row, "reconcile": "/exchange/upper?" + urlencode(base)})


async def give_file(visit: Visit) -> Response:
    """Give the sheet of a batch that went out, or the rows of one that came in which were not taken as they stand."""
    one = await visit.platform.upper.batch(visit.scope, visit.request.path_params["number"])
    await visit.record("export", "upper", detail=f"batch {one.batch_no}")
    kind = visit.platform.upper.kind(one.kind)
    if one.direction == "out":
        content, name = await visit.platform.upper.send_again(visit.scope, one.batch_no, imprint(visit)), visit.text("上报")
    else:
        content, name = (
            await visit.platform.upper.problem_rows(visit.scope, one.batch_no, (visit.language, watermark(visit))),
            visit.text("问题行"),
        )
    title = f"{visit.words.pick(kind.zh, kind.en)}_{name}_{one.batch_no}.xlsx"
    return Response(content, media_type=EXCEL, headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(title)}"})


async def withdraw_batch(visit: Visit) -> Response:
    """Say that a sheet was not uploaded after all."""
    number = visit.request.path_params["number"]
    await visit.record("withdraw", "upper", detail=f"batch {number}")
    await visit.platform.upper.withdraw(visit.scope, number)
    return redirect(visit, f"/exchange/upper/batches/{number}")


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/upper/out", send_sheet, right=RIGHT, methods=("POST",)),
    page("/exchange/upper/take", take_rows, right=RIGHT, methods=("POST",)),
    page("/exchange/upper/in", show_receive, right=RIGHT),
    page("/exchange/upper/in", receive_sheet, right=RIGHT, methods=("POST",)),
    page("/exchange/upper/batches/{number:int}", show_batch, right=RIGHT),
    page("/exchange/upper/batches/{number:int}/file", give_file, right=RIGHT),
    page("/exchange/upper/batches/{number:int}/withdraw", withdraw_batch, right=RIGHT, methods=("POST",)),
    *BATCHES.routes(),
    page(UPPER.path, show_upper, right=RIGHT),
    *UPPER.routes(),
)
MENU: Final[tuple[Entry, ...]] = (UPPER.entry(),)
