"""抽查: a random sample that anybody can draw again from its recorded seed, and the results of calling the residents."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.errors import IncorrectError, NotFoundError, XinglinError
from xinglin.engines.geo import code_of
from xinglin.engines.rules import KINDS, MOST_SAMPLED, RESULTS, Drawing, draw
from xinglin.engines.rules import Visit as Encounter
from xinglin.web.days import read_day
from xinglin.web.doors import institutions, workers
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.residents import area_options, card_row
from xinglin.web.pages.statistics_asking import narrowed, told_at
from xinglin.web.record import WAYS

RIGHTS: Final = ("sampling", "appraisal", "check.phone")
CALLERS: Final = ("appraisal", "check.phone")
KIND_NAMES: Final[Mapping[str, str]] = {
    "followup": mark("全部随访"),
    "followup-hypertension": mark("高血压随访"),
    "followup-diabetes2": mark("糖尿病随访"),
    "health-examination": mark("健康体检"),
}
RESULT_KINDS: Final = {"open": "warn", "true": "good", "false": "bad", "unreachable": "", "refused": ""}


async def _fetch(visit: Visit, query: Query) -> Rows:
    found = await visit.platform.verification.samples(visit.scope)
    rows = []
    for one in found:
        rows.append(
            {
                "number": one["sample_no"],
                "title": one["title"],
                "drawn_at": one["drawn_at"].astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d %H:%M"),
                "drawn_name": one["drawn_name"],
                "frame_count": one["frame_count"],
                "drawn": one["drawn"],
                "done": one["done"],
                "wrong": one["wrong"],
                "share": one["done"] / one["drawn"] if one["drawn"] else None,
                "link": f"/verification/samples/list?sample={one['sample_no']}",
                "wrong_link": f"/verification/samples/list?sample={one['sample_no']}&result=false" if one["wrong"] else "",
                "open_link": f"/verification/samples/list?sample={one['sample_no']}&result=open" if one["done"] < one["drawn"] else "",
                "left": one["drawn"] - one["done"],
            }
        )
    return Rows(rows[query.offset : query.offset + query.size], len(rows))


SAMPLES: Final = ListPage(
    path="/verification/samples",
    title=mark("抽查"),
    group="appraisal",
    hint=mark("随机抽取并记下种子，谁都可以重新抽出同一批人"),
    rights=CALLERS,
    fetch=_fetch,
    columns=(
        Column("title", mark("抽查名称"), path="link", is_main=True),
        Column("drawn_at", mark("抽取时间")),
        Column("drawn_name", mark("抽取人")),
        Column("frame_count", mark("抽样框（次）"), "number"),
        Column("drawn", mark("抽取人数"), "number", path="link"),
        Column("done", mark("已核"), "number"),
        Column("share", mark("完成率"), "percent"),
        Column("left", mark("待核"), "number", path="open_link"),
        Column("wrong", mark("不属实"), "number", path="wrong_link"),
    ),
    add=("sampling", "/verification/samples/new", mark("新抽一批")),
    empty_title=mark("还没有抽查"),
    empty_hint=mark("由县项目办抽取，公卫科和县项目办电话核实"),
)


async def show_new(visit: Visit, refusal: str = "", typed: Mapping[str, str] | None = None) -> Response:
    """Show the form of a new sample."""
    today = visit.platform.clock.today()
    context = {
        "typed": typed
        or {
            "first": today.replace(day=1).isoformat(),
            "last": today.isoformat(),
            "kind": "followup",
            "wanted": "30",
            "area": "",
            "title": "",
            "seed": "",
        },
        "kinds": [(code, visit.text(label)) for code, label in KIND_NAMES.items()],
        "areas": await area_options(visit),
        "refusal": refusal,
        "most": MOST_SAMPLED,
    }
    return render(visit, "verification/new_sample.html", context, status=422 if refusal else 200)


async def draw_new(visit: Visit) -> Response:
    """Draw a sample, keep it with its seed, and show it."""
    form = await visit.form()
    typed = {name: str(form.get(name, "")).strip() for name in ("first", "last", "kind", "wanted", "area", "title", "seed")}
    try:
        days, wanted = _checked(typed, visit.platform.clock.today())
        typed |= {"first": days[0].isoformat(), "last": days[1].isoformat()}
        area = int(typed["area"]) if typed["area"] else 0
        found, seq = await visit.platform.measures.visits(narrowed(visit.scope, area), typed["kind"], days)
        seed = typed["seed"][:64] or secrets.token_hex(8)
        drawn = draw(found, seed, wanted)
        if not drawn:
            raise IncorrectError("这段时间、这个范围内没有记录：请放宽", "nothing was recorded in that time and place: widen it")
    except XinglinError as error:
        return await show_new(visit, visit.said(error), typed)
    title = typed["title"][:80] or f"{visit.text(KIND_NAMES[typed['kind']])} {typed['first']} – {typed['last']}"
    frame = {"kind": typed["kind"], "first": typed["first"], "last": typed["last"]}
    number = await visit.platform.verification.save_sample(visit.scope, Drawing(title, area, frame, seed, wanted, seq), drawn, len(found))
    await visit.record("draw", "sample", persons=[one.person for one in drawn], detail=str(number))
    return redirect(visit, f"/verification/samples/list?sample={number}")


def _checked(typed: Mapping[str, str], today: date) -> tuple[tuple[date, date], int]:
    first, last = read_day(typed["first"], today), read_day(typed["last"], today)
    if first is None or last is None:
        raise IncorrectError("起止日期都要填，如 20261121", "both days are needed, such as 20261121")
    days = first, last
    if days[0] > days[1] or (days[1] - days[0]).days > 731:
        raise IncorrectError("起止日期须前小后大，且不超过两年", "the days must be in order and at most two years apart")
    if typed["kind"] not in KINDS:
        raise IncorrectError("请选择抽查哪一类记录", "choose what to check")
    if not (typed["wanted"].isdecimal() and 0 < int(typed["wanted"]) <= MOST_SAMPLED):
        raise IncorrectError(f"抽取人数为 1 到 {MOST_SAMPLED}", f"draw between 1 and {MOST_SAMPLED} people")
    return days, int(typed["wanted"])


async def _sample_no(visit: Visit) -> int:
    """Return the sample an address names, the newest where it names none.  Raises: NotFoundError."""
    text = str(visit.request.path_params.get("sample", "") or visit.request.query_params.get("sample", ""))
    if text.isdecimal():
        return int(text)
    found = await visit.platform.verification.samples(visit.scope)
    if not found:
        raise NotFoundError("还没有抽查", "there is no sample yet")
    return int(found[0]["sample_no"])


async def _items(visit: Visit, query: Query) -> Rows:
    """Return the people of a sample, with the entry to ask about and the result."""
    number = await _sample_no(visit)
    items = await visit.platform.verification.items(visit.scope, number)
    wanted = query.get("result")
    items = [item for item in items if not wanted or item["result"] == wanted]
    shown = items[query.offset : query.offset + query.size]
    cards = await visit.platform.residents.cards(visit.scope, [item["person"] for item in shown])
    await visit.record("list", "sample", persons=sorted(cards), detail=str(number))
    houses, staff = await institutions(visit), await workers(visit)
    rows = [_item_row(visit, item, cards, (houses, staff)) for item in shown if item["person"] in cards]
    one = await visit.platform.verification.sample(visit.scope, number)
    return Rows(rows, len(items), as_of=await told_at(visit, one["seq"]))


def _item_row(
    visit: Visit, item: Mapping[str, Any], cards: Mapping[int, Any], names: tuple[Mapping[int, Any], Mapping[int, str]]
) -> dict[str, object]:
    card = card_row(visit, cards[item["person"]])
    houses, staff = names
    house = houses.get(item["institution"] or 0)
    return {
        "person": item["person"],
        "place": item["place"],
        "name": card["name"],
        "sex": card["sex"],
        "age": card["age"],
        "phone": card["phone"],
        "area": card["area"],
        "day": item["day"],
        "way": visit.text(WAYS[item["way"]]) if item["way"] in WAYS else "",
        "worker": staff.get(item["worker"] or 0, ""),
        "institution": house.name if house else "",
        "result": Tag(RESULTS[item["result"]].say(visit.language), RESULT_KINDS[item["result"]]),
        "result_code": item["result"],
        "note": item["note"],
        "decided": item["decided_name"] or "",
        "link": f"/verification/samples/{item['sample_no']}/{item['place']}",
    }


async def _items_context(visit: Visit, query: Query) -> Mapping[str, object]:
    one = await visit.platform.verification.sample(visit.scope, await _sample_no(visit))
    area = (await visit.platform.geo.names([one["area"]])).get(one["area"], code_of(one["area"])) if one["area"] else visit.text("全部范围")
    again = await _drawn_again(visit, one) if visit.request.query_params.get("again") else None
    return {
        "one": one,
        "area": area,
        "kind": visit.text(KIND_NAMES[one["frame"]["kind"]]),
        "again": again,
        "drawn_at": one["drawn_at"].astimezone(visit.platform.clock.zone),
        "told": await told_at(visit, one["seq"]),
    }


async def _drawn_again(visit: Visit, one: Mapping[str, Any]) -> tuple[bool, int, int]:
    """Draw a sample again from its seed, at its seq: whether it gives the same people, and how many of how many are the same."""
    frame = one["frame"]
    days = date.fromisoformat(frame["first"]), date.fromisoformat(frame["last"])
    found, _ = await visit.platform.measures.visits(narrowed(visit.scope, one["area"]), frame["kind"], days, one["seq"])
    kept = await visit.platform.verification.items(visit.scope, one["sample_no"])
    drawn: list[Encounter] = draw(found, one["seed"], one["wanted"])
    before, now = [item["visit"] for item in kept], [each.visit for each in drawn]
    return before == now and len(found) == one["frame_count"], len(set(before) & set(now)), len(before)


async def _results(visit: Visit) -> list[tuple[str, str]]:
    return [(code, words.say(visit.language)) for code, words in RESULTS.items()]


ITEMS: Final = ListPage(
    path="/verification/samples/list",
    title=mark("抽查名单"),
    group="appraisal",
    rights=CALLERS,
    fetch=_items,
    context=_items_context,
    template="verification/sample.html",
    columns=(
        Column("place", mark("序号"), "number"),
        Column("name", mark("姓名"), path="link", is_main=True),
        Column("sex", mark("性别")),
        Column("age", mark("年龄"), "number"),
        Column("phone", mark("电话")),
        Column("area", mark("村（居）")),
        Column("day", mark("记录日期"), "date"),
        Column("way", mark("方式")),
        Column("worker", mark("经办人员")),
        Column("institution", mark("机构")),
        Column("result", mark("结果"), "tag"),
        Column("note", mark("说明")),
        Column("decided", mark("核实人")),
    ),
    filters=(
        Filter("result", mark("结果"), "choice", _results),
        Filter("sample", "", "hidden"),
    ),
    empty_title=mark("名单里没有你能看到的居民"),
    empty_hint=mark("换一个结果再查，或回到抽查列表"),
)


async def show_item(visit: Visit, refusal: str = "", typed: Mapping[str, str] | None = None) -> Response:
    """Show one resident of a sample with the questions to ask and the form of the result."""
    number, place = await _sample_no(visit), visit.request.path_params["place"]
    items = await visit.platform.verification.items(visit.scope, number)
    at = next((position for position, item in enumerate(items) if item["place"] == place), None)
    if at is None:
        raise NotFoundError("抽查名单里没有这一位", "nobody stands at this place of the sample")
    item = items[at]
    card = await visit.platform.residents.card(visit.scope, item["person"])
    await visit.record("read", "sample", persons=[card.person], detail=f"{number}/{place}")
    following = next((other["place"] for other in (*items[at + 1 :], *items[:at]) if other["result"] == "open"), None)
    row = _item_row(visit, item, {card.person: card}, (await institutions(visit), await workers(visit)))
    context = {
        "one": await visit.platform.verification.sample(visit.scope, number),
        "item": row,
        "card": card,
        "row": card_row(visit, card),
        "results": [(digit, code, words.say(visit.language)) for digit, (code, words) in enumerate(RESULTS.items())],
        "typed": typed or {"result": item["result"], "note": item["note"]},
        "following": following,
        "refusal": refusal,
    }
    return render(visit, "verification/item.html", context, status=422 if refusal else 200)


async def answer(visit: Visit) -> Response:
    """Save the result of a call; 保存并下一位 goes to the next who is not called yet."""
    number, place = await _sample_no(visit), visit.request.path_params["place"]
    form = await visit.form()
    typed = {name: str(form.get(name, "")) for name in ("result", "note")}
    try:
        await visit.platform.verification.answer(visit.scope, (number, place), typed["result"], typed["note"])
    except XinglinError as error:
        if error.http_status in (403, 404):
            raise
        return await show_item(visit, visit.said(error), typed)
    await visit.record("answer", "sample", detail=f"{number}/{place} {typed['result']}")
    following = str(form.get("following", ""))
    if following.isdecimal():
        return redirect(visit, f"/verification/samples/{number}/{int(following)}")
    return redirect(visit, f"/verification/samples/list?sample={number}")


ROUTES: Final = (
    page("/verification/samples/new", show_new, right="sampling"),
    page("/verification/samples/new", draw_new, right="sampling", methods=("POST",)),
    *ITEMS.routes(),
    page("/verification/samples/{sample:int}/{place:int}", show_item, right=CALLERS),
    page("/verification/samples/{sample:int}/{place:int}", answer, right=CALLERS, methods=("POST",)),
    *SAMPLES.routes(),
)
MENU: Final = (SAMPLES.entry(),)
