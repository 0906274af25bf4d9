"""居民档案: the list, one resident's record, and showing a number that is masked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from xinglin.base.errors import NotFoundError
from xinglin.definitions import shipped_forms
from xinglin.engines.geo import subtree
from xinglin.engines.identity import Browse, PersonCard, Residence
from xinglin.engines.security import mask_id_number, mask_phone
from xinglin.web.changes import changes_of
from xinglin.web.doors import record_of
from xinglin.web.hands import changeable
from xinglin.web.i18n import capital, mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.record import EXIT_REASONS, MEASURES, PROGRAMMES, SERVICES, WAYS, Happening, Record
from xinglin.web.reported import chips_of

SEXES: Final = {1: mark("男"), 2: mark("女"), 9: mark("未说明"), 0: mark("未知")}
_STATES: Final = (("resident", mark("在册")), ("moved_out", mark("已迁出")), ("died", mark("已死亡")), ("unassigned", mark("未分配属地")))
_MARKS: Final = {"moved_out": ("已迁出", "warn"), "died": ("已死亡", "bad")}
# Colour of 此次随访分类: 1 controlled, 2 not controlled, 3 adverse reaction, 4 complication.
OUTCOMES: Final = {"1": "good", "2": "bad", "3": "warn", "4": "bad"}
_TIMELINE: Final = 30


def age_on(card: PersonCard, day: date) -> int | None:
    """Return a resident's age in full years on a day, or at death; None when the birth date is not known."""
    if card.birth_date is None:
        return None
    until = min(day, card.death_date) if card.death_date else day
    return until.year - card.birth_date.year - ((until.month, until.day) < (card.birth_date.month, card.birth_date.day))


def card_row(visit: Visit, card: PersonCard) -> dict[str, object]:
    """Return a resident as a row of a list: numbers masked, the address of the record, the state as a tag."""
    state = "died" if card.death_date else "moved_out" if card.residence_status == "moved_out" else ""
    label, kind = _MARKS.get(state, ("在册", "good"))
    return {
        "person": card.person,
        "name": card.name,
        "sex": visit.text(SEXES.get(card.sex, SEXES[0])),
        "age": age_on(card, visit.platform.clock.today()),
        "birth_date": card.birth_date,
        "id_number": mask_id_number(card.id_number) if card.id_number else "",
        "phone": mask_phone(card.phone) if card.phone else "",
        "record_number": card.record_number or "",
        "area": card.area_name or "",
        "institution": card.institution_name or "",
        "state": Tag(visit.text(label), kind),
        "link": f"/residents/{card.person}",
    }


async def area_options(visit: Visit) -> list[tuple[str, str]]:
    """Return the towns and villages of one's scope, villages indented under their town."""
    options: list[tuple[str, str]] = []
    for low, high in visit.scope.areas:
        for division in await visit.platform.geo.within(low, high):
            if division.level in ("town", "village"):
                options.append((division.code, ("　" if division.level == "village" else "") + division.name))
    return options


def _years_before(day: date, years: int) -> date:
    """Return the last birth date of those who have had their `years`th birthday on a day; 29 February counts in common years on 1 March.

    >>> _years_before(date(2028, 2, 29), 60), _years_before(date(2027, 2, 28), 59)
    (datetime.date(1968, 2, 29), datetime.date(1968, 2, 28))
    """
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def _browse(visit: Visit, query: Query) -> Browse:
    area, sex, oldest = query.get("area"), query.get("sex"), read_number(query.get("age"))
    today = visit.platform.clock.today()
    return Browse(
        text=query.get("text"),
        areas=subtree(int(area)) if len(area) == 12 and read_number(area) else None,
        sex=int(sex) if sex in ("1", "2") else None,
        born_until=_years_before(today, oldest) if oldest is not None and oldest < 130 else None,
        state=query.get("state") if query.get("state") in dict(_STATES) else "",
        sort=query.sort,
        descending=query.descending,
        limit=query.size,
        offset=query.offset,
    )


async def _fetch(visit: Visit, query: Query) -> Rows:
    found, total = await Residence(visit.platform.database).browse(visit.scope, _browse(visit, query))
    await visit.record("list", "resident", persons=[card.person for card in found])
    return Rows([card_row(visit, card) for card in found], total)


RESIDENTS: Final = ListPage(
    path="/residents",
    title=mark("居民档案"),
    group="residents",
    rights=("resident.read",),
    fetch=_fetch,
    sort="area",
    columns=(
        Column("name", mark("姓名"), path="link", sortable=True, is_main=True),
        Column("sex", mark("性别")),
        Column("age", mark("年龄"), "number", sortable=True),
        Column("birth_date", mark("出生日期"), "date"),
        Column("id_number", mark("身份证号")),
        Column("phone", mark("电话")),
        Column("area", mark("村（居）"), sortable=True),
        Column("record_number", mark("档案编号"), sortable=True),
        Column("institution", mark("管理机构")),
        Column("state", mark("状态"), "tag"),
    ),
    filters=(
        Filter("text", mark("姓名、简拼、证件号、电话、档案号后八位"), hint=mark("如 王小丽、wxl、刷身份证")),
        Filter("area", mark("村（居）"), "choice", area_options),
        Filter("sex", mark("性别"), "choice", (("1", mark("男")), ("2", mark("女")))),
        Filter("age", mark("年龄不小于"), "choice", tuple((str(years), str(years)) for years in (18, 35, 60, 65, 80))),
        Filter("state", mark("状态"), "choice", _STATES),
    ),
    add=("resident.write", "/residents/new", mark("新增")),
    empty_title=mark("没有找到居民"),
    empty_hint=mark("核对姓名或证件号；县内外来人员请放宽村（居）。确实没有档案的，请新建"),
)


async def show_resident(visit: Visit) -> Response:
    """Show one resident's record; `#timeline` alone when htmx asks for an older part."""
    person = visit.request.path_params["person"]
    card = await visit.platform.residents.card(visit.scope, person)
    record = await record_of(visit, person)
    context = _view(visit, card, record)
    shown = [line["one"] for line in context["happenings"]]
    context["reported"] = await chips_of(visit, shown)
    context["changeable"] = await changeable(visit, [(one.encounter, one.message_no) for one in shown if one.encounter])
    context["hot"] = next((one.id for one in shown if one.id in context["changeable"] and one.status == "finished"), "")
    if visit.target == "timeline":
        return render(visit, "residents/timeline.html", context)
    context["sources"] = await visit.platform.residents.cluster(visit.scope, person)
    return render(visit, "residents/resident.html", context)


def _view(visit: Visit, card: PersonCard, record: Record) -> dict[str, Any]:
    asked = visit.request.query_params
    kind = asked.get("kind", "") if asked.get("kind", "") in SERVICES or asked.get("kind") in ("immunization", "referral") else ""
    everything = sorted([*record.timeline, *record.withdrawn], key=lambda one: one.at, reverse=True)
    shown = [one for one in everything if not kind or one.kind == kind]
    start = read_number(asked.get("from", "")) or 0
    return {
        "card": card,
        "row": card_row(visit, card),
        "record": record,
        "happenings": [_line(visit, one) for one in shown[start : start + _TIMELINE]],
        "more": start + _TIMELINE if len(shown) > start + _TIMELINE else None,
        "kind": kind,
        "kinds": [(key, visit.text(label)) for key, label in _kinds().items() if any(one.kind == key for one in record.timeline)],
        "programmes": PROGRAMMES,
        "sheets": _sheets(visit, record),
        "reasons": EXIT_REASONS,
        "pressure_chart": _pressure_chart(visit, record),
        "glucose_chart": _glucose_chart(visit, record),
        "told": visit.request.query_params.get("told", "") and visit.text("已保存"),
        "latest": [
            (visit.text(label), one) for code, (label, _) in MEASURES.items() if (one := next(iter(record.readings.get(code, ())), None))
        ],
    }


def _sheets(visit: Visit, record: Record) -> list[tuple[str, str, str]]:
    """Return the forms of this resident that can be printed, as (kind, label, key): of each programme, and of examinations."""
    both = record.under("hypertension") is not None and record.under("diabetes2") is not None
    found = []
    if record.under("hypertension") is not None:
        found.append(("hypertension", visit.text("高血压记录表") if both else visit.text("随访记录表"), "p"))
    if record.under("diabetes2") is not None:
        found.append(("diabetes2", visit.text("糖尿病记录表") if both else visit.text("随访记录表"), "d" if both else "p"))
    if any(one.kind == "health-examination" for one in record.timeline):
        found.append(("examination", visit.text("体检表"), "b"))
    return found


def _kinds() -> Mapping[str, str]:
    return {**SERVICES, "immunization": "预防接种", "referral": "转诊"}


def _line(visit: Visit, one: Happening) -> dict[str, Any]:
    """Return a line of the timeline in words."""
    label = _kinds().get(one.kind) or one.named or one.kind
    facts = [reading.text + f" {reading.unit}" for reading in one.readings if reading.code == "85354-9"]
    facts += [
        f"{visit.text(MEASURES[reading.code][0])} {reading.text} {visit.text(reading.unit)}"
        for reading in one.readings
        if reading.code in MEASURES
    ]
    way = visit.text(WAYS[one.way]) if one.way in WAYS else ""
    shown = visit.text(label) if label in _kinds().values() else label
    told = {"complete": _to_complete(visit, one), "changes": changes_of(one.encounter), **_judged(visit, one)}
    return {"one": one, "label": shown, "way": way, "facts": facts, **told}


def _to_complete(visit: Visit, one: Happening) -> str:
    """Return where an unfinished visit is completed, "" for who may not."""
    person = visit.request.path_params["person"]
    if one.kind == "health-examination":
        return f"/residents/{person}/examination?visit={one.id}" if visit.allows("examination.write") else ""
    programme = one.kind.removeprefix("followup-")
    return f"/residents/{person}/followup/{programme}?visit={one.id}" if visit.allows("followup.write") else ""


def _judged(visit: Visit, one: Happening) -> dict[str, Any]:
    """Return the outcome class of a visit as a tag, and what was overruled there with the reason, as (label, reason)."""
    form = next((form for form in shipped_forms(visit.platform.clock.today()).values() if form.service == one.kind), None)
    if form is None:
        return {"outcome": None, "reasons": []}
    asked = form.by_link.get("outcome_class")
    choice = asked.choice(one.outcome) if asked is not None else None
    outcome = Tag(capital(choice.words.say(visit.language)), OUTCOMES.get(one.outcome, "")) if choice else None
    reasons = [(capital(form.item(name).words.say(visit.language)), why) for name, why in one.reasons if name in form.by_link]
    return {"outcome": outcome, "reasons": reasons}


def _pressure_chart(visit: Visit, record: Record) -> dict[str, Any]:
    points = list(reversed(record.pressures))[-60:]
    return {
        "days": [one.day for one in points],
        "series": [
            {"name": visit.text("收缩压"), "values": [one.values[0] for one in points]},
            {"name": visit.text("舒张压"), "values": [one.values[1] for one in points]},
        ],
        "unit": "mmHg",
        "spaced": True,
    }


def _glucose_chart(visit: Visit, record: Record) -> dict[str, Any]:
    points = list(reversed(record.glucoses))[-60:]
    return {
        "days": [one.day for one in points],
        "series": [{"name": visit.text("空腹血糖"), "values": [one.values[0] for one in points]}],
        "unit": "mmol/L",
        "spaced": True,
        "span": 4,
    }


async def reveal(visit: Visit) -> Response:
    """Show one masked number; the audit log has it before the page does."""
    visit.scope.require("resident.reveal")
    what = visit.request.path_params["what"]
    card = await visit.platform.residents.card(visit.scope, visit.request.path_params["person"])
    value = {"id_number": card.id_number, "phone": card.phone}.get(what)
    if value is None:
        raise NotFoundError("没有登记这一项", "this is not recorded")
    await visit.record("reveal", "resident", persons=[card.person], detail=what)
    if visit.target:
        return HTMLResponse(Markup('<span class="revealed">{}</span>').format(value))
    return render(visit, "residents/revealed.html", {"row": card_row(visit, card), "value": value, "what": what})


async def find(visit: Visit) -> Response:
    """Go to the one resident the box's text names, else show the list of those it fits."""
    text = visit.request.query_params.get("text", "").strip()
    found = await visit.platform.residents.find(visit.scope, text, 2) if len(text) >= 2 else []
    await visit.record("search", "resident", persons=[card.person for card in found])
    if len(found) == 1:
        return redirect(visit, f"/residents/{found[0].person}")
    return redirect(visit, "/residents?" + urlencode({"text": text}))


ROUTES: Final = (
    page("/residents/find", find, right="resident.read"),
    page("/residents/{person:int}", show_resident, right="resident.read"),
    page("/residents/{person:int}/reveal/{what}", reveal, right="resident.reveal", methods=("POST",)),
    *RESIDENTS.routes(),
)
MENU: Final = (RESIDENTS.entry(),)
__all__ = ["MENU", "RESIDENTS", "ROUTES", "age_on", "area_options", "card_row"]
