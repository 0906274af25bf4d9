"""居民主索引: doubts side by side with merge, split and undo; residents without a place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.exchange import OWN_PAGES
from xinglin.engines.identity import COMPARED, Review, Ruling, SourceRecord, review_reasons
from xinglin.engines.security import mask_id_number, mask_phone
from xinglin.engines.store import Cause
from xinglin.web.doors import institutions
from xinglin.web.i18n import mark
from xinglin.web.lists import Action, Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.exchange_rows import local

_FACTS: Final = {
    "name": mark("姓名"), "sex": mark("性别"), "birth_date": mark("出生日期"), "id_number": mark("身份证号"), "id_number_sent": mark("校验不符的证件号"),
    "phone": mark("电话"), "record_number": mark("健康档案编号"), "area": mark("区划"), "residence_status": mark("居住状态"), "death_date": mark("死亡日期"),
}  # fmt: skip
_SEXES: Final = {0: mark("未知"), 1: mark("男"), 2: mark("女"), 9: mark("未说明")}
_RESIDENCE: Final = {"resident": mark("常住"), "moved_out": mark("已迁出")}
_DECISIONS: Final = {"merged": (mark("已合并"), "good"), "split": (mark("已拆分"), "apricot"), "different": (mark("不是同一人"), "")}
_ALL_AT_ONCE: Final = 10_000


async def _cause(visit: Visit) -> Cause:
    source = await visit.platform.exchange.ledger.source(OWN_PAGES)
    return Cause(0, source.source_no, visit.scope.account_no)


def _reasons(visit: Visit) -> dict[str, str]:
    return {code: visit.words.pick(chinese, english) for code, chinese, english in review_reasons()}


async def _reason_options(visit: Visit) -> list[tuple[str, str]]:
    return list(_reasons(visit).items())


def _row(visit: Visit, one: Review) -> dict[str, Any]:
    label, kind = _DECISIONS.get(one.decision.partition(":")[0], (mark("待核对"), "warn"))
    return {
        "review": one.review,
        "link": f"/exchange/reviews/{one.review}",
        "patient_name": one.patient_name,
        "person_name": one.person_name,
        "source_name": one.source_name,
        "reason": _reasons(visit).get(one.reason, one.reason),
        "opened_at": local(visit, one.opened_at),
        "closed_at": local(visit, one.closed_at),
        "state": Tag(visit.text(label), kind),
        "note": one.decision.partition(": ")[2],
        "person": one.person,
    }


async def _reviews(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.reviews.reviews(
        visit.scope, (query.get("state") == "closed", query.get("reason")), (query.size, query.offset)
    )
    return Rows([_row(visit, one) for one in found], total)


REVIEWS: Final = ListPage(
    path="/exchange/reviews",
    title=mark("居民主索引"),
    hint=mark("系统不敢自己决定是否同一人的来源记录；决定可以撤销，来源记录从不改写"),
    group="exchange",
    rights=("steward",),
    fetch=_reviews,
    columns=(
        Column("review", mark("编号"), path="link", is_main=True),
        Column("patient_name", mark("来源记录")),
        Column("source_name", mark("来源")),
        Column("person_name", mark("对方居民")),
        Column("reason", mark("疑点")),
        Column("opened_at", mark("发现时间")),
        Column("state", mark("状态"), "tag"),
        Column("note", mark("处理原因")),
    ),
    filters=(
        Filter("reason", mark("疑点"), "choice", _reason_options),
        Filter("state", mark("状态"), "choice", (("open", mark("待核对")), ("closed", mark("已处理"))), default="open"),
    ),
    empty_title=mark("没有待核对的记录"),
    empty_hint=mark("新到的记录都能确定属于哪位居民。要看已处理的，请选状态后再查"),
    template="exchange/reviews.html",
)


async def show_review(visit: Visit) -> Response:
    """Show both sides of a doubt, what differs marked."""
    return await _review_page(visit, visit.request.path_params["number"], "")


async def _review_page(visit: Visit, number: int, refusal: str, status: int = 200) -> Response:
    one, records = await visit.platform.reviews.review(visit.scope, number)
    persons = sorted({record.person for record in records})
    await visit.record("read", "identity_review", persons=persons, detail=str(number))
    areas = await visit.platform.geo.names([int(record.facts["area"]) for record in records if record.facts["area"]])
    lines = [line for name in COMPARED if any((line := _line(visit, name, records, areas))["cells"])]
    sides = [{"source": record.source_name, "person": record.person, "doubted": record.patient == one.patient} for record in records]
    context = {
        "row": _row(visit, one),
        "one": one,
        "sides": sides,
        "lines": lines,
        "refusal": refusal,
        "together": one.own_person == one.person,
    }
    return render(visit, "exchange/review.html", context, status=status)


def _line(visit: Visit, name: str, records: Sequence[SourceRecord], areas: dict[int, str]) -> dict[str, Any]:
    cells = [_fact(visit, name, record.facts[name], areas) for record in records]
    said = {record.facts[name] for record in records if record.facts[name] not in (None, "")}
    return {"label": visit.text(_FACTS[name]), "cells": cells if any(cells) else [], "differs": len(said) > 1}


def _fact(visit: Visit, name: str, value: Any, areas: dict[int, str]) -> str:
    if value in (None, ""):
        return ""
    if name == "sex":
        return visit.text(_SEXES.get(value, _SEXES[0]))
    if name == "area":
        return areas.get(value, str(value))
    if name in ("id_number", "id_number_sent"):
        return mask_id_number(value)
    if name == "phone":
        return mask_phone(value)
    if name == "residence_status":
        return visit.text(_RESIDENCE.get(value, value))
    return value.isoformat() if isinstance(value, date) else str(value)


async def rule_review(visit: Visit) -> Response:
    """Merge, split, leave apart, or undo; a refusal stands on the same page."""
    number, form = visit.request.path_params["number"], await visit.form()
    decision, reason = str(form.get("decision", "")), str(form.get("reason", ""))
    trust, cause = await visit.platform.exchange.trust(), await _cause(visit)
    await visit.record(decision[:20] or "rule", "identity_review", detail=str(number))
    try:
        if decision == "undo":
            await visit.platform.reviews.reopen(visit.scope, number, (reason or visit.text("撤销"), trust, cause))
        else:
            await visit.platform.reviews.rule(visit.scope, number, Ruling(decision, reason, trust, cause))
    except XinglinError as error:
        return await _review_page(visit, number, visit.said(error), error.http_status)
    return redirect(visit, f"/exchange/reviews/{number}")


async def _unplaced(visit: Visit, query: Query) -> Rows:
    found, total = await visit.platform.reviews.unplaced(visit.scope, query.get("name"), (query.size, query.offset))
    rows = [
        {
            "person": one.person,
            "name": one.name,
            "link": f"/residents/{one.person}",
            "sex": visit.text(_SEXES.get(one.sex, _SEXES[0])),
            "birth_date": one.birth_date,
            "source_name": one.source_name,
            "records": one.records,
            "actions": (Action(mark("指定属地"), f"/exchange/unplaced/assign?person={one.person}", "geo-alt", "a"),),
        }
        for one in found
    ]
    return Rows(rows, total)


UNPLACED: Final = ListPage(
    path="/exchange/unplaced",
    title=mark("无属地居民"),
    hint=mark("外部来源的居民在指定属地之前，不进入名单和指标"),
    group="exchange",
    rights=("steward",),
    fetch=_unplaced,
    columns=(
        Column("name", mark("姓名"), path="link", is_main=True),
        Column("sex", mark("性别")),
        Column("birth_date", mark("出生日期"), "date"),
        Column("source_name", mark("来源")),
        Column("records", mark("来源记录"), "number"),
        Column("actions", "", "actions"),
    ),
    filters=(Filter("name", mark("姓名")),),
    empty_title=mark("没有无属地的居民"),
    empty_hint=mark("每位居民都有管理机构和区划"),
    template="exchange/unplaced.html",
)


async def show_assign(visit: Visit) -> Response:
    """Show the form that says where residents belong: one, or all that fit a name."""
    asked = visit.request.query_params
    return await _assign_page(visit, read_number(asked.get("person", "")), asked.get("name", ""), "")


async def _assign_page(visit: Visit, person: int | None, name: str, refusal: str, status: int = 200) -> Response:
    _, total = await visit.platform.reviews.unplaced(visit.scope, name, (1, 0))
    known = sorted((await institutions(visit)).values(), key=lambda one: one.code)
    divisions = [one for low, high in visit.scope.areas for one in await visit.platform.geo.within(low, high)]
    context = {
        "person": person,
        "name": name,
        "total": 1 if person else total,
        "institutions": known,
        "divisions": divisions,
        "refusal": refusal,
    }
    return render(visit, "exchange/assign.html", context, status=status)


async def assign(visit: Visit) -> Response:
    """Say where residents belong."""
    form = await visit.form()
    person, name = read_number(str(form.get("person", ""))), str(form.get("name", ""))
    try:
        place = (await _area(visit, str(form.get("area", ""))), read_number(str(form.get("institution", ""))))
        persons = [person] if person else await _all_unplaced(visit, name)
        await visit.record("assign", "resident", persons=persons[:1000], detail=f"{len(persons)} residents to {place[0]}")
        await visit.platform.residents.assign(visit.scope, persons, place, (str(form.get("reason", "")), await _cause(visit)))
    except XinglinError as error:
        return await _assign_page(visit, person, name, visit.said(error), error.http_status)
    return redirect(visit, "/exchange/unplaced")


async def _area(visit: Visit, text: str) -> int:
    area = read_number(text)
    if area is None or not any(low <= area <= high for low, high in visit.scope.areas) or await visit.platform.geo.unknown([area]):
        raise IncorrectError("请选择区划", "choose a division", where="area")
    return area


async def _all_unplaced(visit: Visit, name: str) -> list[int]:
    found, total = await visit.platform.reviews.unplaced(visit.scope, name, (_ALL_AT_ONCE, 0))
    if total > _ALL_AT_ONCE:
        raise IncorrectError(
            f"一次最多 {_ALL_AT_ONCE} 位，请用姓名缩小范围", f"at most {_ALL_AT_ONCE} at once; narrow them by name", where="name"
        )
    return [one.person for one in found]


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/reviews/{number:int}", show_review, right="steward"),
    page("/exchange/reviews/{number:int}", rule_review, right="steward", methods=("POST",)),
    page("/exchange/unplaced/assign", show_assign, right="steward"),
    page("/exchange/unplaced/assign", assign, right="steward", methods=("POST",)),
    *REVIEWS.routes(),
    *UNPLACED.routes(),
)
MENU: Final[tuple[Entry, ...]] = (REVIEWS.entry(), UNPLACED.entry())
