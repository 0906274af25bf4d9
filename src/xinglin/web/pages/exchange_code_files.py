"""代码与对照 by file: sent, looked through row by row, loaded by confirmation; the history of what was loaded; templates and exports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import IncorrectError, NotFoundError, XinglinError
from xinglin.base.table import write_csv
from xinglin.engines.terminology import TEMPLATES, CodeFile, CodeSystem, NewFile
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.exchange_codes import READ, TABS
from xinglin.web.pages.exchange_rows import local, state_tag

KINDS: Final = {
    "concepts": mark("代码系统"),
    "maps": mark("对照关系"),
    "divisions": mark("行政区划"),
    "population": mark("人口数"),
}
HINTS: Final = {
    "concepts": mark("code 代码、display_zh 中文名称必填；display_en 英文名称、parent 上级代码、active（1 在用，0 停用）可空。文件就是全部：文件里没有的代码改为停用。也可传 FHIR CodeSystem（JSON）"),
    "maps": mark("六列都要填。equivalence 写目标对源的关系：equivalent 含义相同、wider 目标较宽，这两种统计时使用；其他如 narrower、inexact 只作记录。source 写依据"),
    "divisions": mark("code（2 到 12 位）、name 必填；level（province、city、county、town、village）和 parent 可空，按代码推算。同一代码再载入即更新，文件里没有的不动。也可传 GeoJSON"),
    "population": mark("area 12 位区划代码；year 年；age_band 写 0-4、85+ 或 all；sex 写 1、2 或 all；count 人数；source 来源，不能空。两个来源的数并列保存"),
}  # fmt: skip
STATES: Final = {
    "looked": (mark("待确认"), "warn"),
    "refused": (mark("有错误"), "bad"),
    "loaded": (mark("已载入"), "good"),
    "discarded": (mark("已放弃"), ""),
}
MOST_BYTES: Final = 32 * 1024 * 1024
_SYSTEM: Final = ("url", "version", "name_zh", "name_en", "source")
_CSV: Final = "text/csv; charset=utf-8"


def _row(visit: Visit, one: CodeFile) -> dict[str, object]:
    return {
        "file_no": one.file_no,
        "link": f"/exchange/codes/files/{one.file_no}",
        "kind": visit.text(KINDS[one.kind]),
        "name": one.name,
        "subject": one.subject,
        "rows": one.changes.rows,
        "changed": one.changes.added + one.changes.changed + one.changes.retired,
        "state": state_tag(visit, one.state, STATES),
        "sent": f"{one.sent_by} {local(visit, one.sent_at)}".strip(),
        "decided": f"{one.decided_by} {local(visit, one.decided_at)}".strip(),
    }


async def _files(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.code_files.page(query.get("kind"), (query.size, query.offset))
    return Rows([_row(visit, one) for one in found], total)


async def _with_kinds(visit: Visit, query: Query) -> Mapping[str, object]:
    return {"tabs": TABS, "kinds": [(kind, visit.text(label)) for kind, label in KINDS.items()]}


FILES: Final = ListPage(
    path="/exchange/codes/files",
    title=mark("文件与历史"),
    hint=mark("传来的文件先逐行检查，确认后才载入；谁在何时传入、载入，都留在这里"),
    rights=READ,
    fetch=_files,
    columns=(
        Column("file_no", mark("编号"), path="link", is_main=True),
        Column("kind", mark("种类")),
        Column("name", mark("文件")),
        Column("subject", mark("代码系统")),
        Column("rows", mark("行数"), "number"),
        Column("changed", mark("变动"), "number"),
        Column("state", mark("状态"), "tag"),
        Column("sent", mark("传入")),
        Column("decided", mark("处理")),
    ),
    filters=(Filter("kind", mark("种类"), "choice", tuple(KINDS.items())),),
    add=("steward", "/exchange/codes/files/new", mark("传入文件")),
    empty_title=mark("还没有传入过文件"),
    empty_hint=mark("按“传入文件”；不知道怎么写的，先下载模板"),
    template="exchange/codes.html",
    context=_with_kinds,
)


async def show_new(visit: Visit) -> Response:
    """Show the form for a file; for a code system that is loaded already, what is known of it stands in it."""
    asked = visit.request.query_params
    kind = asked.get("kind", "concepts")
    known = {one.url: one for one in await visit.platform.terminology.systems()}.get(asked.get("system", ""))
    typed = {name: str(getattr(known, name, "")) for name in _SYSTEM} | {"is_complete": "1" if known and known.is_complete else ""}
    return _new_page(visit, kind if kind in KINDS else "concepts", typed)


def _new_page(visit: Visit, kind: str, typed: Mapping[str, str], refusal: str = "", status: int = 200) -> Response:
    context = {
        "kind": kind,
        "kinds": [(code, visit.text(label)) for code, label in KINDS.items()],
        "hint": visit.text(HINTS[kind]),
        "columns": TEMPLATES[kind],
        "typed": typed,
        "refusal": refusal,
        "tabs": TABS,
    }
    return render(visit, "exchange/code_file_new.html", context, status=status)


async def take(visit: Visit) -> Response:
    """Look a file through and show what loading it would do."""
    form = await visit.form()
    kind = str(form.get("kind", ""))
    typed = {name: str(form.get(name, "")).strip() for name in _SYSTEM} | {"is_complete": "1" if "is_complete" in form else ""}
    upload = form.get("file")
    try:
        if kind not in KINDS:
            raise IncorrectError("请选择文件的种类", "choose what the file holds", where="kind")
        if not isinstance(upload, UploadFile) or not upload.filename:
            raise IncorrectError("请选择文件", "choose a file", where="file")
        content = await upload.read(MOST_BYTES + 1)
        system = CodeSystem(typed["url"], typed["version"], typed["name_zh"], typed["name_en"] or typed["name_zh"], bool(typed["is_complete"]), typed["source"])  # fmt: skip
        found = await visit.platform.code_files.look(
            visit.scope, NewFile(kind, upload.filename, content, system if kind == "concepts" else None)
        )
    except XinglinError as error:
        return _new_page(visit, kind if kind in KINDS else "concepts", typed, visit.said(error), error.http_status)
    return redirect(visit, f"/exchange/codes/files/{found.file_no}")


async def show_file(visit: Visit) -> Response:
    """Show what a file would do or did, or every row that cannot stand."""
    return await _file_page(visit, "")


async def _file_page(visit: Visit, refusal: str, status: int = 200) -> Response:
    found = await visit.platform.code_files.file(visit.request.path_params["number"])
    problems = [(visit.words.place(where), visit.words.pick(zh, en)) for where, zh, en in found.problems]
    context = {"one": found, "row": _row(visit, found), "problems": problems, "refusal": refusal, "tabs": TABS}
    return render(visit, "exchange/code_file.html", context, status=status)


async def decide(visit: Visit) -> Response:
    """Load a file that was looked through, or put it aside."""
    number, form = visit.request.path_params["number"], await visit.form()
    try:
        if form.get("action") == "load":
            await visit.platform.code_files.load(visit.scope, number)
        else:
            await visit.platform.code_files.discard(visit.scope, number)
    except XinglinError as error:
        return await _file_page(visit, visit.said(error), error.http_status)
    return redirect(visit, f"/exchange/codes/files/{number}")


def _download(name: str, content: bytes, media: str = _CSV) -> Response:
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(name)}", "x-content-type-options": "nosniff"}
    return Response(content, media_type=media, headers=headers)


async def show_original(visit: Visit) -> Response:
    """Give a file as it was sent."""
    name, content = await visit.platform.code_files.content(visit.request.path_params["number"])
    return _download(name.rsplit("/", 1)[-1], content, "application/octet-stream")


async def show_template(visit: Visit) -> Response:
    """Give the empty table of a kind."""
    kind = visit.request.path_params["kind"]
    if kind not in TEMPLATES:
        raise NotFoundError("没有这种模板", f"write one of {', '.join(TEMPLATES)}", where=kind)
    return _download(f"{kind}.csv", write_csv(TEMPLATES[kind], ()))


async def show_export(visit: Visit) -> Response:
    """Give what is loaded, in the columns of the template."""
    visit.scope.require("export")
    kind, system = visit.request.path_params["kind"], visit.request.query_params.get("system", "")
    content = await visit.platform.code_files.export(kind, system)
    await visit.record("export", "code_file", detail=f"{kind} {system}"[:200])
    return _download(f"{kind}.csv", content)


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/codes/files/new", show_new, right="steward"),
    page("/exchange/codes/files/new", take, right="steward", methods=("POST",)),
    page("/exchange/codes/files/{number:int}", show_file, right=READ),
    page("/exchange/codes/files/{number:int}", decide, right="steward", methods=("POST",)),
    page("/exchange/codes/files/{number:int}/original", show_original, right=READ),
    page("/exchange/codes/templates/{kind}.csv", show_template, right=READ),
    page("/exchange/codes/export/{kind}.csv", show_export, right=READ),
    *FILES.routes(),
)
MENU: Final[tuple[Entry, ...]] = ()
