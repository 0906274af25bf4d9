"""Sheets out and in: what to fill in, what it would change, taking it, taking it back; the same for programs as JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson
from starlette.datastructures import UploadFile
from starlette.responses import Response

from xinglin.base.errors import IncorrectError, NotFoundError, XinglinError
from xinglin.engines.plans import Import, Plan, waits
from xinglin.web.exports import Heading, export_answer
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.plans_asking import number_of, plan_asked, status_tag
from xinglin.web.pages.plans_sheet_kinds import INDICATOR_SHEETS
from xinglin.web.pages.plans_sheet_work import WORK_SHEETS
from xinglin.web.pages.plans_sheets import MOST_BYTES, MOST_ROWS, Sheet, check, read_rows, take, take_back

SHEETS: Final[Mapping[str, Sheet]] = {one.kind: one for one in (*INDICATOR_SHEETS, *WORK_SHEETS)}
_NUMBERS: Final = frozenset({"no", "year", "month", "value", "project"})
_DAYS: Final = frozenset({"due", "done_on", "remind_on"})


def sheet_asked(visit: Visit) -> Sheet:
    """Return the sheet of the address.  Raises: NotFoundError."""
    found = SHEETS.get(str(visit.request.path_params["kind"]))
    if found is None:
        raise NotFoundError(f"没有这种表：{'、'.join(SHEETS)}", f"there is no such sheet; write one of {', '.join(SHEETS)}")
    return found


async def download_sheet(visit: Visit) -> Response:
    """Return the sheet to fill in, with what holds now."""
    plan, sheet = await plan_asked(visit), sheet_asked(visit)
    lines = await sheet.lines(visit, plan)
    labels = [
        (visit.text(head), "number" if name in _NUMBERS else "date" if name in _DAYS else "text") for head, name in sheet.columns.items()
    ]

    async def cells() -> AsyncIterator[Sequence[object]]:
        for line in lines:
            yield [line.get(name) for name in sheet.columns.values()]

    await visit.record("export", "plan", detail=f"sheet {sheet.kind} {plan.plan_no}")
    return await export_answer(visit, Heading(visit.text(sheet.title), labels, len(lines)), cells())


async def send_sheet(visit: Visit) -> Response:
    """Keep a filled sheet and lead to what it would change; a file that is none is said."""
    plan, sheet, form = await plan_asked(visit), sheet_asked(visit), await visit.form()
    try:
        rows = await read_rows(visit, form.get("file"), sheet)
    except XinglinError as error:
        return _refused(visit, plan, sheet, error)
    upload = form.get("file")
    name = upload.filename or "" if isinstance(upload, UploadFile) else ""
    number = await visit.platform.plans.imports.keep(visit.scope, replace(await check(visit, plan, sheet, rows), filename=name))
    return redirect(visit, f"/plans/imports/{number}")


def _refused(visit: Visit, plan: Plan, sheet: Sheet, error: XinglinError) -> Response:
    context = {
        "plan": plan, "status": status_tag(visit, plan), "sheet": sheet, "back": sheet.back.format(plan=plan.plan_no), "refusal": visit.said(error),
        "kept": None,
    }  # fmt: skip
    return render(visit, "plans/imported.html", context, status=error.http_status)


async def _asked(visit: Visit) -> tuple[Import, Plan, Sheet]:
    number = number_of(visit.request.path_params["import"])
    if number is None:
        raise NotFoundError("没有这次导入", "there is no such import")
    kept: Import = await visit.platform.plans.imports.get(visit.scope, number)
    plan: Plan = await visit.platform.plans.books.plan(visit.scope, kept.plan_no)
    return kept, plan, SHEETS[kept.kind]


async def show_import(visit: Visit) -> Response:
    """Show what a sheet would change, or what it did."""
    kept, plan, sheet = await _asked(visit)
    labels = {name: visit.text(head) for head, name in sheet.columns.items()}
    rows = [
        {
            "line": one["line"], "label": one["label"], "result": _result(one.get("outcome")), "words": visit.words.pick(*_both(one.get("outcome"))),
            "fields": [(labels[name], before, after) for name, before, after in _fields(visit, sheet, one)],
        }
        for one in kept.changes
    ]  # fmt: skip
    context = {
        "plan": plan, "status": status_tag(visit, plan), "sheet": sheet, "back": sheet.back.format(plan=plan.plan_no), "kept": kept, "rows": rows, "refusal": "",
        "refused": [(one["line"], visit.words.pick(one["zh"], one["en"])) for one in kept.refused], "done": sum(row["result"] in ("kept", "undone") for row in rows),
        "undone": sum(row["result"] == "undone" for row in rows), "failed": sum(row["result"] == "failed" for row in rows),
        "waiting": 0 if kept.state == "shown" else sum(waits(one, kept.state) for one in kept.changes),
    }  # fmt: skip
    return render(visit, "plans/imported.html", context)


def _result(outcome: Mapping[str, Any] | None) -> str:
    """Return kept, undone or failed; "" for a change that was only shown."""
    if outcome is None:
        return ""
    return "undone" if outcome.get("undone") else "kept" if outcome["done"] else "failed"


def _both(outcome: Mapping[str, Any] | None) -> tuple[str, str]:
    return (outcome or {}).get("zh", ""), (outcome or {}).get("en", "")


def _fields(visit: Visit, sheet: Sheet, one: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return (name, before, after) in words of each field a change touches."""
    before, after = one["before"] or {}, one["after"] or {}
    told = [(name, *(_say(visit, sheet, name, side.get(name)) for side in (before, after))) for name in dict.fromkeys((*before, *after))]
    return [(name, old, new) for name, old, new in told if old != new]


def _say(visit: Visit, sheet: Sheet, name: str, value: Any) -> str:
    return "" if value is None or value == "" else sheet.words(visit, name, value)


async def change_import(visit: Visit) -> Response:
    """Take a sheet that was shown, or take back what it changed."""
    kept, plan, sheet = await _asked(visit)
    action = str((await visit.form()).get("action", ""))
    if action not in ("take", "undo"):
        raise IncorrectError("请按“确认导入”或“撤销”", "choose to take or to undo", where="action")
    await (take if action == "take" else take_back)(visit, plan, sheet, kept.import_no)
    return redirect(visit, f"/plans/imports/{kept.import_no}")


async def send_rows(visit: Visit) -> Response:
    """Check rows sent as JSON and, with `take`, keep them at once; answer with what changed and what was refused, by row."""
    plan, sheet = await plan_asked(visit), sheet_asked(visit)
    rows, is_taken = _json_rows(await visit.request.body(), sheet)
    imports = visit.platform.plans.imports
    number = await imports.keep(visit.scope, replace(await check(visit, plan, sheet, rows), filename="json"))
    kept = await (take(visit, plan, sheet, number) if is_taken else imports.get(visit.scope, number))
    body = {"import": number, "state": kept.state, "changes": kept.changes, "refused": kept.refused}
    return Response(orjson.dumps(body), media_type="application/json")


def _json_rows(content: bytes, sheet: Sheet) -> tuple[list[tuple[int, dict[str, str]]], bool]:
    """Return rows numbered from 1, and whether to keep them.  Raises: IncorrectError for another shape."""
    shape = IncorrectError(
        f'送 {{"rows": [{{{", ".join(sheet.needed)}}}], "take": true}}，一次最多 {MOST_ROWS} 行',
        f'send {{"rows": [{{{", ".join(sheet.needed)}}}], "take": true}}, at most {MOST_ROWS} rows at a time',
        where="rows",
    )
    if len(content) > MOST_BYTES:
        raise shape
    try:
        told = orjson.loads(content)
        rows, is_taken = told["rows"], bool(told.get("take", False))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise shape from error
    if not isinstance(rows, list) or len(rows) > MOST_ROWS or not all(isinstance(row, dict) for row in rows):
        raise shape
    return [
        (number, {str(name): "" if value is None else str(value).replace("\x00", "") for name, value in row.items()})
        for number, row in enumerate(rows, 1)
    ], is_taken


ROUTES: Final = (
    page("/plans/{plan}/sheets/{kind}.xlsx", download_sheet, right="plan.edit"),
    page("/plans/{plan}/sheets/{kind}.json", send_rows, right="plan.edit", methods=("POST",)),
    page("/plans/{plan}/sheets/{kind}", send_sheet, right="plan.edit", methods=("POST",)),
    page("/plans/imports/{import}", show_import, right="plan.edit"),
    page("/plans/imports/{import}", change_import, right="plan.edit", methods=("POST",)),
)
MENU: Final = ()
