"""导入 and 数据来源: files in from a page, and who they come from."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.base.unpacking import PackedError, gunzip
from xinglin.engines.exchange import EntryProblem, ImportOptions, NewJob, Report
from xinglin.web.doors import institutions
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, ListPage, Query, Rows, Tag
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.exchange_progress import long_work
from xinglin.web.pages.exchange_rows import MESSAGE_STATES, local, state_tag

MOST_BYTES: Final = 64 * 1024 * 1024
_MOST_BYTES_AT_ONCE: Final = 256 * 1024 * 1024
_AT_ONCE_BYTES: Final = 1024 * 1024
_NOTHING: Final = {"source": "", "new_code": "", "new_name": "", "institution": "", "foreign": False}


@dataclass(frozen=True, slots=True)
class _Sent:
    """What the form asks for. institution: rid of who keeps the residents of a foreign source."""

    source: str
    institution: int | None
    files: Sequence[tuple[str, bytes]]


async def show_import(visit: Visit) -> Response:
    """Show the form for files."""
    return await _import_page(visit, {})


async def _import_page(visit: Visit, told: dict[str, object], status: int = 200) -> Response:
    sources = [one for one in await visit.platform.exchange.ledger.sources() if not one.ids_are_ours]
    known = sorted((await institutions(visit)).values(), key=lambda one: one.code)
    context: dict[str, object] = {
        **await long_work(visit),
        "sources": sources,
        "institutions": known,
        "receipts": (),
        "refusal": "",
        "typed": _NOTHING,
        "most": MOST_BYTES // 1024 // 1024,
    }
    return render(visit, "exchange/import.html", context | told, status=status)


async def take_files(visit: Visit) -> Response:
    """Take in files; small ones at once, each answering for itself, large ones in the background."""
    form = await visit.form()
    typed = {name: str(form.get(name, "")) for name in ("source", "new_code", "new_name", "institution")} | {"foreign": "foreign" in form}
    try:
        sent = await _sent(visit, form)
    except XinglinError as error:
        return await _import_page(visit, {"refusal": visit.said(error), "typed": typed}, error.http_status)
    await visit.record("import", "message", detail=f"{len(sent.files)} files into {sent.source}")
    if sum(len(content) for _, content in sent.files) > _AT_ONCE_BYTES:
        await _begin(visit, sent)
        return redirect(visit, "/exchange")
    receipts = [await _take(visit, sent, file) for file in sent.files]
    return await _import_page(visit, {"receipts": receipts, "typed": typed | {"source": sent.source}})


async def _sent(visit: Visit, form: FormData) -> _Sent:
    """Return what was sent, registering a new source.  Raises: IncorrectError."""
    uploads = [file for file in form.getlist("files") if isinstance(file, UploadFile) and file.filename]
    if not uploads:
        raise IncorrectError("请选择至少一个文件", "choose at least one file", where="files")
    code = str(form.get("source", ""))
    if code == "+":
        visit.scope.require("steward")
        code = str(form.get("new_code", "")).strip()
        known = {source.code for source in await visit.platform.exchange.ledger.sources()}
        if code in known:
            raise IncorrectError("这个来源代码已经登记，请从列表中选择", "this code is registered; choose it from the list", where="code")
        await visit.platform.panel.change_source(visit.scope, code, str(form.get("new_name", "")), (0, "foreign" in form))
    source = await visit.platform.exchange.ledger.source(code)
    if source.ids_are_ours:
        raise IncorrectError("这个来源是系统自己，请另选", "this source is the system itself; choose another", where="source")
    files = []
    for upload in uploads:
        content = await upload.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise IncorrectError(
                "单个文件超过 64 MB：请用命令 xinglin import 导入", "a file is over 64 MB: use the command xinglin import", status=413
            )
        files.append((upload.filename or "", content))
        if sum(len(each) for _, each in files) > _MOST_BYTES_AT_ONCE:
            raise IncorrectError("一次不超过 256 MB：请分几次导入", "at most 256 MB at once: import them in several goes", status=413)
    institution = read_number(str(form.get("institution", ""))) if source.is_foreign else None
    return _Sent(code, institution, files)


async def _take(visit: Visit, sent: _Sent, file: tuple[str, bytes]) -> dict[str, object]:
    receipt = await visit.platform.importer.import_content(visit.scope, file, ImportOptions(sent.source, sent.institution))
    problems, doubts = ([_said(visit, one) for one in found[:3]] for found in (receipt.problems, receipt.warnings))
    state = state_tag(visit, str(receipt.state), MESSAGE_STATES)
    return {"name": file[0], "receipt": receipt, "state": state, "problems": problems, "doubts": doubts}


def _said(visit: Visit, problem: EntryProblem) -> str:
    return visit.words.at(problem.path, problem.zh, problem.en)


async def _begin(visit: Visit, sent: _Sent) -> None:
    """Import in the background. Each file is in the ledger before its lines; begun again after a stop it goes on where it was."""

    lines = await asyncio.to_thread(lambda: [_lines_of(file) for file in sent.files])

    async def work(report: Report) -> str:
        stored = rejected = before = 0
        for number, (file, own) in enumerate(zip(sent.files, lines, strict=True), 1):
            note = f"{number} / {len(lines)}" if len(lines) > 1 else ""  # a file's name may be a person's
            watching = asyncio.create_task(_watch(visit, (sent.source, file[0]), (before, own), (report, note)))
            try:
                receipt = await visit.platform.importer.import_content(visit.scope, file, ImportOptions(sent.source, sent.institution))
            finally:
                watching.cancel()
            before += own
            stored, rejected = stored + receipt.stored, rejected + receipt.rejected
        return "\n".join((f"入库 {stored:,} 条，待处理 {rejected:,} 条", f"{stored:,} stored, {rejected:,} waiting"))

    digest = hashlib.sha256(b"".join(hashlib.sha256(content).digest() for _, content in sent.files)).hexdigest()[:12]
    await visit.platform.jobs.begin(NewJob(f"import-{sent.source}-{digest}", (mark("导入文件"), "importing files"), sum(lines)), work)


def _lines_of(file: tuple[str, bytes]) -> int:
    """Return how many lines a file is written in; 1 for a bundle, which is written at once, and for what cannot be opened."""
    name, content = file
    if not name.removesuffix(".gz").endswith((".ndjson", ".jsonl")):
        return 1
    try:
        return max(1, (gunzip(content) if content[:2] == b"\x1f\x8b" else content).count(b"\n"))
    except PackedError:
        return 1


async def _watch(visit: Visit, message: tuple[str, str], lines: tuple[int, int], told: tuple[Report, str]) -> None:
    """Report every second how many lines are committed. message: code of its source and its name.  lines: those before it and its own."""
    (before, own), (report, note) = lines, told
    query = "select max(done_lines) from message join source using (source_no) where code = $1 and message_id = $2 and state = 'received'"
    while True:
        await asyncio.sleep(1)
        async with visit.platform.database.connection() as connection:
            reached = await connection.fetchval(query, *message)
        if reached is not None:  # before it is in the ledger and once it is through, what was told last holds
            await report(before + min(reached, own), note)


async def _sources(visit: Visit, query: Query) -> Rows:
    rows: list[dict[str, Any]] = [asdict(one) for one in await visit.platform.panel.sources(visit.scope)]
    for row in rows:
        row["last_received_at"] = local(visit, row["last_received_at"])
        row["standing"] = (
            Tag(visit.text("外部（无属地）"), "apricot")
            if row["is_foreign"]
            else Tag(visit.text("本系统"), "brand")
            if row["ids_are_ours"]
            else Tag(visit.text("县内"), "good")
        )
        row["link"] = f"/exchange/sources/{row['code']}" if visit.allows("steward") else ""
        row["messages_link"] = f"/exchange/messages?source={row['code']}"
    return Rows(rows[query.offset : query.offset + query.size], len(rows))


SOURCES: Final = ListPage(
    path="/exchange/sources",
    title=mark("数据来源"),
    hint=mark("同一来源内的标识才算同一条；可信等级高的来源决定主档案显示哪个值"),
    group="exchange",
    rights=("exchange.read",),
    fetch=_sources,
    columns=(
        Column("code", mark("来源代码"), path="link", is_main=True),
        Column("name", mark("名称")),
        Column("standing", mark("属地"), "tag"),
        Column("trust", mark("可信等级"), "number"),
        Column("messages", mark("报文"), "number", path="messages_link"),
        Column("waiting", mark("待处理"), "number"),
        Column("last_received_at", mark("最近收到")),
    ),
    add=("steward", "/exchange/sources/new", mark("新增")),
    empty_title=mark("没有数据来源"),
    empty_hint=mark("按“新增”登记送数的系统"),
)


async def show_source(visit: Visit) -> Response:
    """Show one source, or the form for a new one."""
    code = visit.request.path_params.get("code", "")
    found = next((one for one in await visit.platform.panel.sources(visit.scope) if one.code == code), None)
    if code and found is None:
        await visit.platform.exchange.ledger.source(code)
    return render(
        visit,
        "exchange/source.html",
        {"one": found, "refusal": "", "typed": asdict(found) if found else {"code": "", "name": "", "trust": 0, "is_foreign": False}},
    )


async def change_source(visit: Visit) -> Response:
    """Register, rename, or set how far a source is believed."""
    form = await visit.form()
    known = visit.request.path_params.get("code", "")
    typed = {
        "code": known or str(form.get("code", "")).strip(),
        "name": str(form.get("name", "")),
        "trust": str(form.get("trust", "0")),
        "is_foreign": "is_foreign" in form,
    }
    found = next((one for one in await visit.platform.panel.sources(visit.scope) if one.code == typed["code"]), None)
    try:
        if not known and found is not None:
            raise IncorrectError("这个来源代码已经登记", "this code is registered already", where="code")
        if not str(typed["trust"]).removeprefix("-").isdecimal():
            raise IncorrectError("可信等级为 -100 到 100", "write a rank from -100 to 100", where="trust")
        standing = (int(str(typed["trust"])), bool(typed["is_foreign"]))
        await visit.platform.panel.change_source(visit.scope, str(typed["code"]), str(typed["name"]), standing)
    except XinglinError as error:
        return render(
            visit,
            "exchange/source.html",
            {"one": found if known else None, "refusal": visit.said(error), "typed": typed},
            status=error.http_status,
        )
    await visit.record("change", "source", detail=str(typed["code"]))
    return redirect(visit, "/exchange/sources")


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/import", show_import, right="exchange.import"),
    page("/exchange/import", take_files, right="exchange.import", methods=("POST",)),
    page("/exchange/sources/new", show_source, right="steward"),
    page("/exchange/sources/new", change_source, right="steward", methods=("POST",)),
    *SOURCES.routes(),
    page("/exchange/sources/{code}", show_source, right="steward"),
    page("/exchange/sources/{code}", change_source, right="steward", methods=("POST",)),
)
MENU: Final[tuple[Entry, ...]] = (Entry("exchange", mark("导入"), "/exchange/import", ("exchange.import",)), SOURCES.entry())
