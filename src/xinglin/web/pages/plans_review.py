"""核对: what was read beside the text it was read from; one key accepts a guess, and every number that was not used is shown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.responses import Response

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.plans import Plan
from xinglin.web.i18n import mark
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.plans_asking import living, number_of, plan_asked, rows_kept, status_tag
from xinglin.web.pages.plans_asking import reading as reader
from xinglin.web.pages.plans_upload import read_kept

_AROUND: Final = 7
FIELDS: Final = (
    ("name", mark("指标名称")),
    ("parent", mark("上级指标")),
    ("category", mark("类别")),
    ("unit", mark("单位")),
    ("base_year", mark("基期年")),
    ("base_value", mark("基期值")),
    ("target_year", mark("目标年")),
    ("target_op", mark("符号")),
    ("target_value", mark("目标值")),
    ("target_high", mark("目标上限")),
    ("kind", mark("属性")),
    ("owners", mark("责任单位")),
    ("note", mark("附注")),
)
OPS: Final = ("", "=", ">=", "<=", ">", "<", "range", "rise", "grow")
KINDS: Final = (("", "—"), ("binding", mark("约束性")), ("expected", mark("预期性")))
SHOWN: Final[Mapping[str, str]] = {
    "unsure": mark("待确认"),
    "all": mark("全部"),
    "unused": mark("没有用到的数字"),
    "difference": mark("与上一版的差别"),
}


async def show_review(visit: Visit, refusal: str = "", typed: Mapping[str, str] | None = None) -> Response:
    """Show the rows, the chosen one beside its text, and below what was not used and what differs from the version before."""
    plan = await plan_asked(visit)
    document = await visit.platform.plans.documents.document(visit.scope, plan.document_no)
    found = await read_kept(visit, document)
    asked = visit.request.query_params
    shown = asked.get("show", "") if asked.get("show", "") in SHOWN else "unsure"
    rows = [one for one in found.indicators if one.plan == plan.part]
    unsure = [one for one in rows if not one.sure]
    line = number_of(asked.get("line", ""))
    chosen = next((one for one in rows if one.fingerprint == asked.get("row", "")), None)
    if chosen is None and not line:
        chosen = next(iter(unsure or rows), None)
    part = living.part_of(found, plan.part)
    first, last = (part.from_line, part.to_line) if part else (1, len(found.lines))
    differences = await _differences(visit, plan, found)
    context = {
        "plan": plan, "status": status_tag(visit, plan), "document": document, "reading": found, "shown": shown, "rows": rows if shown == "all" else unsure,
        "chosen": chosen, "fields": _fields(visit, chosen, line, typed), "text": _text(found.lines, chosen, line), "line": line, "refusal": refusal,
        "unused": [use for use in found.coverage.unused if first <= use.line <= last], "differences": differences, "ops": OPS, "kinds": KINDS,
        "counts": {"unsure": len(unsure), "all": len(rows), "unused": len([use for use in found.coverage.unused if first <= use.line <= last]), "difference": len(differences)},
        "following": _following(rows if shown == "all" else unsure, chosen), "tabs": SHOWN, "corrected": {one["fingerprint"]: one for one in await visit.platform.plans.documents.corrections(visit.scope, plan.document_no)},
    }  # fmt: skip
    return render(visit, "plans/review.html", context, status=422 if refusal else 200)


def _following(rows: Sequence[Any], chosen: Any) -> str:
    """Return the fingerprint of the row after the chosen one, "" for the last."""
    places = [one.fingerprint for one in rows]
    if chosen is None or chosen.fingerprint not in places:
        return ""
    place = places.index(chosen.fingerprint) + 1
    return places[place] if place < len(places) else ""


def _fields(visit: Visit, chosen: Any, line: int | None, typed: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Return the fields of the form as texts: what was typed, else what was read."""
    data = reader.indicator_data(chosen) if chosen is not None and not line else {"note": ""}
    found = []
    for name, label in FIELDS:
        value = "、".join(data.get(name) or ()) if name == "owners" else data.get(name)
        text = "" if value is None else f"{value:.10g}" if isinstance(value, float) else str(value)
        found.append(
            {
                "name": name,
                "label": visit.text(label),
                "value": (typed or {}).get(name, chosen.note if name == "note" and chosen and not line else text),
            }
        )
    return found


def _text(lines: Sequence[str], chosen: Any, line: int | None) -> list[tuple[int, str, bool]]:
    """Return the lines around a row as (number, text, whether it is the row's)."""
    if not lines or (chosen is None and not line):
        return []
    first, last = (line, line) if line else (chosen.from_line, chosen.to_line)
    low, high = max(1, first - _AROUND), min(len(lines), last + _AROUND)
    return [(number, lines[number - 1], first <= number <= last) for number in range(low, high + 1)]


async def _differences(visit: Visit, plan: Plan, found: Any) -> list[dict[str, Any]]:
    """Return how this version differs from the one it replaces."""
    if plan.replaces is None:
        return []
    before = await visit.platform.plans.books.plan(visit.scope, plan.replaces)
    old = await read_kept(visit, await visit.platform.plans.documents.document(visit.scope, before.document_no))
    labels, ranges = dict(FIELDS), [_lines(reading, part) for reading, part in ((old, before.part), (found, plan.part))]
    return [
        {
            "kind": one.kind, "name": one.name, "label": visit.text(labels.get(one.field, one.field)), "old": _told(one.old), "new": _told(one.new),
            "line": one.new_line or one.old_line,
        }
        for one in reader.compare_readings(old, found)
        if (one.new_line if one.new_line is not None else one.old_line) in ranges[one.new_line is not None]
    ]  # fmt: skip


def _lines(reading: Any, number: int) -> range:
    """Return the lines of one plan of a document."""
    part = living.part_of(reading, number)
    return range(part.from_line, part.to_line + 1) if part is not None else range(0)


def _told(value: Any) -> str:
    """Return a value of a field as people write it."""
    if isinstance(value, float):
        return str(living.figure(value))
    return "、".join(map(str, value)) if isinstance(value, list | tuple) else "" if value is None else str(value)


async def correct(visit: Visit) -> Response:
    """Accept a guess, keep what was corrected, leave out what is no indicator, or add what was missed; then the next doubtful row."""
    plan, form = await plan_asked(visit), await visit.form()
    typed = {name: str(form.get(name, "")) for name, _ in FIELDS if name in form}
    try:
        await _keep(visit, plan, form, typed)
    except XinglinError as error:
        return await show_review(visit, visit.said(error), typed)
    following = {"show": str(form.get("show", "unsure"))}
    if form.get("next"):
        following["row"] = str(form.get("next"))
    return redirect(visit, f"/plans/{plan.plan_no}/review?{urlencode(following)}")


async def _keep(visit: Visit, plan: Plan, form: FormData, typed: Mapping[str, str]) -> None:
    documents = visit.platform.plans.documents
    document = await documents.document(visit.scope, plan.document_no)
    action, fingerprint = str(form.get("action", "accept")), str(form.get("fingerprint", ""))
    if action == "undo":
        await documents.withdraw(visit.scope, plan.document_no, fingerprint)
    elif action == "all":
        found = await read_kept(visit, document)
        rows = [one.fingerprint for one in found.indicators if one.plan == plan.part and not one.sure]
        await documents.correct(visit.scope, plan.document_no, [(one, reader.ACCEPT, {}) for one in rows])
    else:
        correction = await _correction(visit, plan, (action, fingerprint, str(form.get("line", ""))), typed)
        corrections = [one for one in await documents.corrections(visit.scope, plan.document_no) if one["fingerprint"] != correction[0]]
        # The reader judges a correction before it is kept: what it cannot lay over the text would break every later reading.
        living.read_corrected(
            document.content, document.filename, [*corrections, dict(zip(("fingerprint", "action", "changes"), correction, strict=True))]
        )
        await documents.correct(visit.scope, plan.document_no, [correction])
    found = await read_kept(visit, document)
    await visit.platform.plans.books.fill(visit.scope, plan.plan_no, rows_kept(living.rows_of(found, plan.part)))


async def _correction(visit: Visit, plan: Plan, asked: tuple[str, str, str], typed: Mapping[str, str]) -> tuple[str, str, dict[str, Any]]:
    """Return the correction a form means: (fingerprint, action, changes).  Raises: IncorrectError."""
    action, fingerprint, line_text = asked
    line = number_of(line_text)
    found = await read_kept(visit, await visit.platform.plans.documents.document(visit.scope, plan.document_no))
    try:
        if action == "add" and line is not None and 1 <= line <= len(found.lines):
            changes = living.changes_from(typed, {}) | {"from_line": line, "to_line": line, "plan": plan.part}
            digest = hashlib.sha256(f"{line}{typed.get('name', '')}".encode()).hexdigest()[:12]
            return f"added-{digest}", reader.ADD, changes
        chosen = next((one for one in found.indicators if one.fingerprint == fingerprint), None)
        if chosen is None:
            raise IncorrectError("这一行已经不在读取结果里", "this row is no longer in the reading", where="fingerprint")
        if action == "remove":
            return fingerprint, reader.REMOVE, {}
        changes = living.changes_from(typed, {**reader.indicator_data(chosen), "note": chosen.note})
        held = await visit.platform.plans.documents.corrections(visit.scope, plan.document_no)
        before = next((one for one in held if one["fingerprint"] == fingerprint), None)
        if before is not None and before["action"] in (reader.CHANGE, reader.ADD):
            return fingerprint, before["action"], {**before["changes"], **changes}
        return fingerprint, reader.CHANGE if changes else reader.ACCEPT, changes
    except ValueError as error:
        raise IncorrectError(
            "数值写成数字，如 74.5；不知道就留空", "write a number such as 74.5, or leave it empty", where=str(error)
        ) from error


ROUTES: Final = (
    page("/plans/{plan}/review", show_review, right="plan.read"),
    page("/plans/{plan}/review", correct, right="plan.edit", methods=("POST",)),
)
MENU: Final = ()
