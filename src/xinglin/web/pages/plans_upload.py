"""规划文件: the list of plans, the upload of a document, and which plan of it is meant."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import FormData, UploadFile
from starlette.responses import Response

from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError, XinglinError
from xinglin.engines.plans import Document, NewPlan, Plan
from xinglin.web.i18n import mark
from xinglin.web.lists import Action, Column, Filter, ListPage, Query, Rows
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.plans_asking import LEVELS, STATUSES, living, number_of, plan_asked, rows_kept, status_tag
from xinglin.web.pages.plans_asking import reading as reader

MOST_BYTES: Final = 40 * 1024 * 1024


async def _plans(visit: Visit, query: Query) -> Rows:
    plans = await visit.platform.plans.books.plans(visit.scope)
    wanted = [one for one in plans if query.get("level") in ("", one.level) and query.get("status") in ("", one.status)]
    wanted = [one for one in wanted if query.get("q") in one.title + one.area_name]
    rows = [_row(visit, one) for one in wanted]
    return Rows(rows[query.offset : query.offset + query.size], len(rows))


def _row(visit: Visit, one: Plan) -> dict[str, Any]:
    approved = "" if one.approved_at is None else one.approved_at.astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d")
    return {
        "title": one.title,
        "link": f"/plans/cockpit?plan={one.plan_no}",
        "area": one.area_name,
        "level": visit.text(LEVELS[one.level]),
        "period": "–".join(str(year) for year in (one.start_year, one.end_year) if year),
        "version": one.version,
        "status": status_tag(visit, one),
        "read_at": one.read_at.astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d %H:%M"),
        "approved": f"{one.approved_name or ''} {approved}".strip(),
        "actions": (Action(mark("核对"), f"/plans/{one.plan_no}/review"), Action(mark("指标表"), f"/plans/indicators?plan={one.plan_no}")),
    }


PLANS: Final = ListPage(
    path="/plans",
    title=mark("规划文件"),
    hint=mark("上传政府的规划文件，指标表成为活的表格；一个县可以同时跟几份规划"),
    group="plan",
    rights=("plan.read",),
    fetch=_plans,
    columns=(
        Column("title", mark("规划"), path="link", is_main=True),
        Column("area", mark("地区")),
        Column("level", mark("类别")),
        Column("period", mark("规划期")),
        Column("version", mark("版本"), "number"),
        Column("status", mark("状态"), "tag"),
        Column("read_at", mark("读取时间")),
        Column("approved", mark("批准")),
        Column("actions", "", "actions", exported=False),
    ),
    filters=(
        Filter("q", mark("规划"), hint=mark("名称或地区")),
        Filter("level", mark("类别"), "choice", tuple(LEVELS.items())),
        Filter("status", mark("状态"), "choice", tuple((code, label) for code, (label, _) in STATUSES.items())),
    ),
    add=("plan.edit", "/plans/upload", mark("上传规划")),
    empty_title=mark("还没有规划"),
    empty_hint=mark("按“上传规划”选择文件：txt、md、html、docx 或带文字的 pdf"),
)


async def show_upload(visit: Visit, refusal: str = "", status: int = 200) -> Response:
    """Show the form for a document."""
    replaces = number_of(visit.request.query_params.get("replaces", ""))
    before = await visit.platform.plans.books.plan(visit.scope, replaces) if replaces else None
    return render(visit, "plans/upload.html", {"refusal": refusal, "before": before, "most": MOST_BYTES // 1024 // 1024}, status=status)


async def take_upload(visit: Visit) -> Response:
    """Keep a document and go on to what was read; what cannot be read is said and not kept."""
    form = await visit.form()
    upload = form.get("file")
    try:
        if not isinstance(upload, UploadFile) or not upload.filename:
            raise IncorrectError("请选择一个文件", "choose a file", where="file")
        content = await upload.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise IncorrectError(
                "文件超过 40 MB：请去掉图片后再传", "the file is over 40 MB: take the pictures out", where="file", status=413
            )
        await asyncio.to_thread(reader.read_document, content, upload.filename)
        document = await visit.platform.plans.documents.keep(visit.scope, upload.filename, content)
    except XinglinError as error:
        return await show_upload(visit, visit.said(error), error.http_status)
    replaces = number_of(str(form.get("replaces", "")))
    return redirect(visit, f"/plans/documents/{document.document_no}" + (f"?replaces={replaces}" if replaces else ""))


async def read_kept(visit: Visit, document: Document) -> Any:
    """Return a kept document's reading with its corrections.  Raises: as the reader."""
    corrections = await visit.platform.plans.documents.corrections(visit.scope, document.document_no)
    return await asyncio.to_thread(living.read_corrected, document.content, document.filename, corrections)


async def document_asked(visit: Visit) -> Document:
    """Return the document of the address.  Raises: NotFoundError."""
    number = number_of(visit.request.path_params["document"])
    if number is None:
        raise NotFoundError("没有这份文件", "there is no such document")
    found: Document = await visit.platform.plans.documents.document(visit.scope, number)
    return found


async def show_document(visit: Visit, refusal: str = "", status: int = 200) -> Response:
    """Show which plans a document holds, each with what was read, to choose and name one."""
    document = await document_asked(visit)
    found = await read_kept(visit, document)
    plans = await visit.platform.plans.books.plans(visit.scope)
    asked = number_of(visit.request.query_params.get("replaces", ""))
    parts = [_part(found, part, plans, document, asked) for part in found.plans]
    context = {
        "document": document,
        "reading": found,
        "parts": parts,
        "refusal": refusal,
        "levels": LEVELS,
        "plans": [one for one in plans if one.is_open],
    }
    return render(visit, "plans/document.html", context, status=status)


def _part(found: Any, part: Any, plans: list[Plan], document: Document, asked: int | None) -> dict[str, Any]:
    rows = [one for one in found.indicators if one.plan == part.number]
    title = part.title or document.filename.rsplit(".", 1)[0]
    twins = [
        one for one in plans if one.is_open and one.title == title and (one.document_no, one.part) != (document.document_no, part.number)
    ]
    made = next((one for one in plans if one.is_open and (one.document_no, one.part) == (document.document_no, part.number)), None)
    return {
        "part": part,
        "title": title,
        "made": made,
        "twins": twins,
        "replaces": asked or (twins[0].plan_no if len(twins) == 1 else None),
        "tables": sum(one.origin == "table" and one.period == "current" for one in rows),
        "texts": sum(one.origin == "text" for one in rows),
        "unsure": sum(not one.sure for one in rows),
        "tasks": sum(one.plan == part.number for one in found.tasks),
        "projects": sum(one.plan == part.number for one in found.projects),
    }


async def make_plan(visit: Visit) -> Response:
    """Make a draft of one plan of a document; as a new version it takes over what the district added to the one before."""
    document, form = await document_asked(visit), await visit.form()
    try:
        new = new_plan(form, document.document_no)
        found = await read_kept(visit, document)
        if living.part_of(found, new.part) is None:
            raise IncorrectError("文件里没有这一份规划", "the document has no such plan", where="part")
        before = await visit.platform.plans.books.plan(visit.scope, new.replaces) if new.replaces else None
        if before is not None and not before.is_open:
            raise ConflictError("要取代的那一版已不在用", "the version to replace is no longer in use", where="replaces")
        plan = await visit.platform.plans.books.make(visit.scope, new, rows_kept(living.rows_of(found, new.part)))
        if before is not None and before.plan_no != plan.plan_no:
            await carry_over(visit, before, plan, found)
    except XinglinError as error:
        return await show_document(visit, visit.said(error), error.http_status)
    return redirect(visit, f"/plans/{plan.plan_no}/review")


async def carry_over(visit: Visit, before: Plan, plan: Plan, found: Any) -> None:
    """Carry what hangs on a version's rows to the same rows of the next."""
    old = await read_kept(visit, await visit.platform.plans.documents.document(visit.scope, before.document_no))
    same = living.same_rows(old, found, (before.part, plan.part))
    await visit.platform.plans.books.carry(visit.scope, (before.plan_no, plan.plan_no), same)


def new_plan(form: FormData | Mapping[str, Any], document_no: int) -> NewPlan:
    """Return what a form tells of a plan.  Raises: IncorrectError for a year that is none."""
    part = number_of(str(form.get("part", "0")))
    return NewPlan(
        document_no=document_no,
        part=0 if part is None else part,
        title=str(form.get("title", "")),
        area_name=str(form.get("area_name", "")),
        level=str(form.get("level", "own")),
        start_year=_year(str(form.get("start_year", "")), "start_year"),
        end_year=_year(str(form.get("end_year", "")), "end_year"),
        replaces=number_of(str(form.get("replaces", ""))),
    )


def _year(text: str, where: str) -> int | None:
    text = text.strip()
    if text and not (text.isdecimal() and len(text) == 4):
        raise IncorrectError("年份写成 2026", "write a year as 2026", where=where)
    return int(text) if text else None


async def show_edit(visit: Visit, refusal: str = "", status: int = 200) -> Response:
    """Show a plan's own facts, its versions, and what can be done with it."""
    plan = await plan_asked(visit)
    plans = await visit.platform.plans.books.plans(visit.scope)
    chain = {plan.plan_no}
    for _ in plans:
        chain |= {one.plan_no for one in plans if one.replaces in chain} | {
            one.replaces for one in plans if one.plan_no in chain and one.replaces
        }
    versions = [(one, status_tag(visit, one)) for one in sorted(plans, key=lambda one: -one.version) if one.plan_no in chain]
    document = await visit.platform.plans.documents.document(visit.scope, plan.document_no)
    context = {
        "plan": plan,
        "levels": LEVELS,
        "refusal": refusal,
        "versions": versions,
        "document": document,
        "status": status_tag(visit, plan),
    }
    return render(visit, "plans/edit.html", context, status=status)


async def change_plan(visit: Visit) -> Response:
    """Save a plan's facts, approve it, withdraw it, or take either back."""
    plan, form = await plan_asked(visit), await visit.form()
    books, action = visit.platform.plans.books, str(form.get("action", "save"))
    try:
        if action == "approve":
            await books.approve(visit.scope, plan.plan_no)
        elif action == "withdraw":
            await books.withdraw(visit.scope, plan.plan_no)
        elif action == "undo":
            await books.undo(visit.scope, plan.plan_no)
        else:
            await books.describe(visit.scope, plan.plan_no, new_plan(form, plan.document_no))
    except XinglinError as error:
        return await show_edit(visit, visit.said(error), error.http_status)
    return redirect(visit, f"/plans/{plan.plan_no}/edit")


async def download(visit: Visit) -> Response:
    """Return a kept document as it came."""
    document = await document_asked(visit)
    await visit.record("export", "plan", detail=f"document {document.document_no}")
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{_quoted(document.filename)}"}
    return Response(document.content, media_type="application/octet-stream", headers=headers)


def _quoted(name: str) -> str:
    return quote(name.replace("/", "_"))


ROUTES: Final = (
    page("/plans/upload", show_upload, right="plan.edit"),
    page("/plans/upload", take_upload, right="plan.edit", methods=("POST",)),
    page("/plans/documents/{document}", show_document, right="plan.edit"),
    page("/plans/documents/{document}", make_plan, right="plan.edit", methods=("POST",)),
    page("/plans/documents/{document}/file", download, right="plan.read"),
    *PLANS.routes(),
    page("/plans/{plan}/edit", show_edit, right="plan.read"),
    page("/plans/{plan}/edit", change_plan, right=("plan.edit", "plan.approve"), methods=("POST",)),
)
MENU: Final = (PLANS.entry(),)
