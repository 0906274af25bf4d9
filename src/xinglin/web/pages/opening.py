"""新建档案: the form of a new record, checked while it is typed, and the search for the same person before it is opened."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, Final

from starlette.responses import JSONResponse, Response

from xinglin.base.errors import IncorrectError
from xinglin.base.text import to_halfwidth
from xinglin.definitions import Answers
from xinglin.engines.identity import next_record_number, read_id_number
from xinglin.web.doors import COUNTY, number_division
from xinglin.web.forms import Choice, Field, normal_date, with_problems
from xinglin.web.i18n import mark
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.record_setting import record_recording, record_setting
from xinglin.web.pages.residents import SEXES, card_row
from xinglin.web.recording import insist, submit

_RESIDENCE: Final = {"1": mark("户籍"), "2": mark("非户籍")}
_MOST_YEARS: Final = 130
_MOST_NAME, _MOST_ADDRESS = 50, 200


async def _villages(visit: Visit) -> dict[str, str]:
    found: dict[str, str] = {}
    for low, high in visit.scope.areas:
        found |= {one.code: one.name for one in await visit.platform.geo.within(low, high) if one.level == "village"}
    return found


def _typed(form: Mapping[str, Any], today: date) -> dict[str, str]:
    """Return what the form of a new record says, with widths and days made plain."""
    keys = ("id_number", "name", "sex", "birth_date", "phone", "area", "address", "residence")
    typed = {key: to_halfwidth(str(form.get(key, ""))).strip() for key in keys}
    typed["id_number"] = typed["id_number"].replace(" ", "").upper()
    typed["birth_date"] = normal_date(typed["birth_date"], today) if typed["birth_date"] else ""
    return typed


def _from_number(typed: dict[str, str], counties: Collection[int]) -> str:
    """Fill what a right ID number tells where it is empty; return the field that differs from it, "" when none does. counties: one's own."""
    if not typed["id_number"]:
        return ""
    facts = read_id_number(typed["id_number"])
    typed["id_number"] = facts.number
    typed["birth_date"] = typed["birth_date"] or facts.birth_date.isoformat()
    typed["sex"] = typed["sex"] or str(facts.sex)
    typed["residence"] = typed["residence"] or ("1" if int(facts.division) in counties else "2")
    if typed["birth_date"] != facts.birth_date.isoformat():
        return "birth_date"
    return "sex" if typed["sex"] != str(facts.sex) else ""


def _problems(visit: Visit, typed: dict[str, str], villages: Mapping[str, str]) -> dict[str, str]:
    """Return field → what is wrong, after filling in what the ID number says."""
    said: dict[str, str] = {}
    try:
        differs = _from_number(typed, {low // COUNTY for low, _ in visit.scope.areas})
        if differs:
            said[differs] = visit.text("与身份证号不一致：请核对证件")
    except IncorrectError as error:
        said["id_number"] = visit.said(error)
    if not (any(map(str.isalpha, typed["name"])) and len(typed["name"]) <= _MOST_NAME):
        said["name"] = visit.text("请写姓名，不超过 {most} 个字", most=_MOST_NAME)
    if len(typed["address"]) > _MOST_ADDRESS:
        said["address"] = visit.text("住址请不超过 {most} 个字", most=_MOST_ADDRESS)
    if typed["sex"] not in ("1", "2", "9", "0"):
        said["sex"] = visit.text("请选 1 男 或 2 女")
    if wrong := _wrong_birth(visit, typed["birth_date"]):
        said.setdefault("birth_date", wrong)
    if typed["phone"] and not (typed["phone"].isdigit() and 7 <= len(typed["phone"]) <= 12):
        said["phone"] = visit.text("电话请只写 7 到 12 位数字")
    if typed["area"] not in villages:
        said["area"] = visit.text("请选择村（居）")
    if typed["residence"] not in _RESIDENCE:
        said["residence"] = visit.text("请选 1 户籍 或 2 非户籍")
    return said


def _wrong_birth(visit: Visit, text: str) -> str:
    """Return what is wrong with a day of birth, "" when nothing is."""
    today = visit.platform.clock.today()
    if not text:
        return visit.text("请写出生日期，如 19600101")
    try:
        born = date.fromisoformat(text)
    except ValueError:
        return visit.text("没有这一天：请写成 20261121 或 2026-11-21")
    if born > today:
        return visit.text("出生日期不能晚于今天")
    return visit.text("出生日期早于 {year} 年：请核对年份", year=today.year - _MOST_YEARS) if today.year - born.year > _MOST_YEARS else ""


def _fields(visit: Visit, typed: Mapping[str, str]) -> list[Field]:
    text = visit.text
    sexes = [Choice(str(code), text(SEXES[code])) for code in (1, 2)]
    residence = [Choice(code, text(label)) for code, label in _RESIDENCE.items()]
    return [
        Field(
            "id_number", text("身份证号"), "text", typed["id_number"], hint=text("输入或刷卡后自动填写出生日期、性别和户籍"), width="half"
        ),
        Field("name", text("姓名"), "text", typed["name"], required=True),
        Field("sex", text("性别"), "code", typed["sex"], choices=sexes, required=True),
        Field("birth_date", text("出生日期"), "date", typed["birth_date"], required=True),
        Field("phone", text("电话"), "text", typed["phone"]),
        Field("residence", text("常住类型"), "code", typed["residence"], choices=residence, required=True, width="half"),
        Field("address", text("住址"), "text", typed["address"], width="full"),
    ]


async def _new_page(visit: Visit, typed: Mapping[str, str], said: Mapping[str, str], refusal: str = "") -> Response:
    villages = await _villages(visit)
    context = {
        "fields": with_problems(_fields(visit, typed), said, {}),
        "villages": villages,
        "area": typed["area"],
        "said": said,
        "refusal": refusal,
    }
    return render(visit, "residents/new.html", context, status=422 if said or refusal else 200)


async def show_new(visit: Visit) -> Response:
    """Show the form of a new record; a village doctor's own village is chosen already."""
    villages = await _villages(visit)
    typed = {**_typed({}, visit.platform.clock.today()), "area": next(iter(villages)) if len(villages) == 1 else ""}
    return await _new_page(visit, typed, {})


async def check_new(visit: Visit) -> Response:
    """Answer the form while it is typed: what the ID number fills in, what is wrong, whether somebody has that number already."""
    typed = _typed(await visit.form(), visit.platform.clock.today())
    told: dict[str, dict[str, str]] = {}
    if len(typed["id_number"]) >= 15:
        before = dict(typed)
        said = _problems(visit, typed, {typed["area"]: ""})
        told["id_number"] = {"error": said.get("id_number", ""), "warning": await _known_words(visit, typed["id_number"])}
        told |= {
            key: {"fill": typed[key], "error": said.get(key, "")}
            for key in ("birth_date", "sex", "residence")
            if typed[key] != before[key] or key in said and typed[key]
        }
        if "residence" in told:
            told["residence"]["hint"] = await number_division(visit, typed["id_number"])
    return JSONResponse({"fields": told})


async def _known_words(visit: Visit, number: str) -> str:
    """Return whose record one may see has an ID number, in words; "" for a number nobody there has."""
    found = await visit.platform.residents.find(visit.scope, number, 1) if len(number) == 18 else []
    if not found or found[0].id_number != number:
        return ""
    await visit.record("search", "resident", persons=[found[0].person])
    return visit.text("{name} 已有档案，不必新建：按 Esc 后查找", name=found[0].name)


async def make_new(visit: Visit) -> Response:
    """Open a record after looking through the district for the same person; what was typed stays when it is refused.

    Somebody of one's own area is shown instead. Somebody who lives elsewhere does not exist here: the record is kept as a person of its
    own, as through the API, and a steward decides (see docs/explanation/identity.md).
    """
    today = visit.platform.clock.today()
    typed = _typed(await visit.form(), today)
    said = _problems(visit, typed, await _villages(visit))
    if said:
        return await _new_page(visit, typed, said)
    area = int(typed["area"])
    given = {
        "id_number": typed["id_number"],
        "name": typed["name"],
        "sex": typed["sex"],
        "birth_date": date.fromisoformat(typed["birth_date"]),
        "phone": typed["phone"],
        "division": typed["area"],
        "address": typed["address"],
        "residence_type": typed["residence"],
        "record_opened_on": today,
    }
    recording, setting = record_recording(visit), await record_setting(visit, area)
    known = await visit.platform.residents.duplicate(visit.scope, recording.record_entries(Answers(given), setting)[0].resource)
    if known is not None:
        card = await visit.platform.residents.card(visit.scope, known)
        return render(visit, "residents/known.html", {"row": card_row(visit, card)}, status=409)
    number = await next_record_number(visit.platform.database, area)
    receipt = await submit(visit, "new-record", recording.record_entries(Answers(given | {"record_number": number}), setting))
    insist(receipt)
    return redirect(visit, f"/residents/{next(iter(receipt.persons.values()))}?told=1")


ROUTES: Final = (
    page("/residents/new", show_new, right="resident.write"),
    page("/residents/new", make_new, right="resident.write", methods=("POST",)),
    page("/residents/new/check", check_new, right="resident.write", methods=("POST",)),
)
MENU: Final = ()
