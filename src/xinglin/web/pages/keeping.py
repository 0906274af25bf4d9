"""Keeping residents' records: 新建档案, 纳入管理, 终止/迁出 and its undoing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from starlette.responses import JSONResponse, Response

from xinglin.base.errors import ConflictError, IncorrectError, XinglinError
from xinglin.base.text import to_halfwidth
from xinglin.definitions import Answers, shipped_forms
from xinglin.engines.exchange import Entry
from xinglin.engines.identity import PersonCard, next_record_number, read_id_number
from xinglin.engines.store import Stored
from xinglin.web.doors import COUNTY, institutions, number_division, record_of
from xinglin.web.forms import Choice, Field, normal_date, with_problems
from xinglin.web.i18n import capital, mark
from xinglin.web.modules import recording_of
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.residents import SEXES, card_row
from xinglin.web.record import EXIT_REASONS, PROGRAMMES
from xinglin.web.recording import insist, new_id, submit

_RESIDENCE: Final = {"1": mark("户籍"), "2": mark("非户籍")}
_ENDINGS: Final = ("moved_out", "died", "lost", "diagnosis_corrected", "declined")


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
        said["id_number"] = capital(error.message(visit.language))
    if not typed["name"]:
        said["name"] = visit.text("请写姓名")
    if typed["sex"] not in ("1", "2", "9", "0"):
        said["sex"] = visit.text("请选 1 男 或 2 女")
    try:
        if date.fromisoformat(typed["birth_date"]) > visit.platform.clock.today():
            said["birth_date"] = visit.text("出生日期不能晚于今天")
    except ValueError:
        said.setdefault("birth_date", visit.text("日期请写成 20261121"))
    if typed["phone"] and not (typed["phone"].isdigit() and 7 <= len(typed["phone"]) <= 12):
        said["phone"] = visit.text("电话请只写 7 到 12 位数字")
    if typed["area"] not in villages:
        said["area"] = visit.text("请选择村（居）")
    if typed["residence"] not in _RESIDENCE:
        said["residence"] = visit.text("请选 1 户籍 或 2 非户籍")
    return said


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


async def _keeper(visit: Visit, area: int) -> int:
    """Return the rid of the institution that keeps records here: one's own, else the one that serves the village or its town."""
    known = await institutions(visit)
    own = known.get(visit.scope.institution_rid) if visit.scope.institution_rid is not None else None
    if own is not None and own.is_primary_care:
        keeper = known.get(own.part_of) if own.klass.startswith("D") and own.part_of in known else own
        return keeper.rid if keeper else own.rid
    town = area // 1000 * 1000
    serving = [one for one in known.values() if one.area in (area, town) and one.klass.startswith(("B", "C"))]
    if not serving:
        raise IncorrectError(
            "这个村还没有管理机构：请先在机构登记中设置", "no institution serves this village: register one first", where="area"
        )
    return serving[0].rid


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
    recording, setting = _recording(visit), await _setting(visit, area)
    known = await visit.platform.residents.duplicate(visit.scope, recording.record_entries(Answers(given), setting)[0].resource)
    if known is not None:
        card = await visit.platform.residents.card(visit.scope, known)
        return render(visit, "residents/known.html", {"row": card_row(visit, card)}, status=409)
    number = await next_record_number(visit.platform.database, area)
    receipt = await submit(visit, "new-record", recording.record_entries(Answers(given | {"record_number": number}), setting))
    insist(receipt)
    return redirect(visit, f"/residents/{next(iter(receipt.persons.values()))}?told=1")


def _recording(visit: Visit) -> Any:
    """Return what turns answers about residents and enrolments into entries."""
    return recording_of(shipped_forms(visit.platform.clock.today())["resident-record"])


async def _setting(visit: Visit, area: int, patient: str = "") -> Any:
    """Return who writes, for which institution, about whom."""
    keeper, worker = await _keeper(visit, area), visit.scope.practitioner_rid
    keys = await visit.platform.store.keys([keeper, *([worker] if worker is not None else [])])
    at = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    practitioner = keys[worker][1] if worker is not None else ""
    return _recording(visit).Setting(
        patient=patient, practitioner=practitioner, organization=keys[keeper][1], at=at, new_id=lambda: new_id(visit)
    )


@dataclass(frozen=True, slots=True)
class _Kept:
    """A resident with the resources this group changes: the Patient that holds the record, and every EpisodeOfCare."""

    card: PersonCard
    patient: Stored
    episodes: Sequence[tuple[Stored, dict[str, Any]]]


async def _kept(visit: Visit) -> _Kept:
    person = visit.request.path_params["person"]
    card = await visit.platform.residents.card(visit.scope, person)
    found = await visit.platform.store.person_bodies(visit.scope, person, ("Patient", "EpisodeOfCare"))
    patients = [one for one in found if one.rtype == "Patient"]
    holds = [one for one in patients if card.record_number and card.record_number.encode() in one.body]
    episodes = [(one, orjson.loads(one.body)) for one in found if one.rtype == "EpisodeOfCare"]
    return _Kept(card, (holds or patients)[0], episodes)


def _programme_of(resource: Mapping[str, Any]) -> str:
    return next((coding.get("code", "") for kind in resource.get("type") or () for coding in kind.get("coding") or ()), "")


async def _enrol_page(visit: Visit, kept: _Kept, typed: Mapping[str, str], refusal: str = "") -> Response:
    active = {_programme_of(resource) for _, resource in kept.episodes if resource.get("status") == "active"}
    context = {
        "card": kept.card,
        "row": card_row(visit, kept.card),
        "record": await record_of(visit, kept.card.person),
        "programmes": [(code, visit.text(label), code in active, _barred(visit, kept.card, code)) for code, label in PROGRAMMES.items()],
        "typed": typed,
        "refusal": refusal,
    }
    return render(visit, "residents/enrol.html", context, status=422 if refusal else 200)


def _barred(visit: Visit, card: PersonCard, programme: str) -> str:
    """Return why a resident cannot be enrolled in a programme, "" when they can.

    Source: 国家基本公共卫生服务规范（第三版）, 老年人健康管理服务规范, 服务对象（65 岁及以上）.
    """
    if card.death_date or card.residence_status == "moved_out":
        return visit.text("已死亡或已迁出")
    born = card.birth_date
    is_younger = programme == "elderly" and born is not None and visit.platform.clock.today().year - born.year < 65
    return visit.text("满 65 岁的当年起") if is_younger else ""


async def show_enrol(visit: Visit) -> Response:
    """Show the form of an enrolment beside what the record says."""
    return await _enrol_page(visit, await _kept(visit), {"programme": "", "start": visit.platform.clock.today().isoformat()})


async def enrol(visit: Visit) -> Response:
    """Enrol a resident in a programme from a day on."""
    kept, form, today = await _kept(visit), await visit.form(), visit.platform.clock.today()
    typed = {"programme": str(form.get("programme", "")), "start": normal_date(str(form.get("start", "")), today)}
    try:
        start = _past_day(typed["start"], today)
        if typed["programme"] not in PROGRAMMES:
            raise IncorrectError("请选择要纳入的管理", "choose a programme")
        if barred := _barred(visit, kept.card, typed["programme"]):
            raise ConflictError(f"不能纳入：{barred}", f"cannot be enrolled: {barred}")
        if any(_programme_of(one) == typed["programme"] and one.get("status") == "active" for _, one in kept.episodes):
            raise ConflictError("已经在管，不必重复纳入", "already under management: nothing to do")
        if visit.scope.practitioner_rid is None:
            raise ConflictError(
                "您的账号没有关联医务人员：请联系系统管理员", "your account is tied to no worker: ask the system administrator"
            )
        setting = await _setting(visit, kept.card.area or 0, kept.patient.id)
        insist(
            await submit(visit, "enrol", _recording(visit).enrolment_entries(typed["programme"], Answers({"enrolled_on": start}), setting))
        )
    except XinglinError as error:
        return await _enrol_page(visit, kept, typed, capital(error.message(visit.language)))
    return await _after_change(visit, kept.card.person)


def _past_day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise IncorrectError("日期请写成 20261121", "write a day as 20261121") from error
    if day > today:
        raise IncorrectError("日期不能晚于今天", "the day cannot be later than today")
    return day


async def _after_change(visit: Visit, person: int) -> Response:
    """Reckon the person's results at once, then show the record."""
    await visit.platform.rules.evaluate_person(person, visit.platform.clock.today())
    return redirect(visit, f"/residents/{person}?told=1")


async def _end_page(visit: Visit, kept: _Kept, typed: Mapping[str, str], refusal: str = "") -> Response:
    active = [
        (stored.id, visit.text(PROGRAMMES.get(_programme_of(one), "")) if _programme_of(one) in PROGRAMMES else _programme_of(one))
        for stored, one in kept.episodes
        if one.get("status") == "active"
    ]
    reasons = [(code, visit.text(EXIT_REASONS[code])) for code in _ENDINGS]
    context = {
        "card": kept.card,
        "row": card_row(visit, kept.card),
        "active": active,
        "reasons": reasons,
        "typed": typed,
        "refusal": refusal,
    }
    return render(visit, "residents/end.html", context, status=422 if refusal else 200)


async def show_end(visit: Visit) -> Response:
    """Show the form that ends management or marks a move."""
    return await _end_page(visit, await _kept(visit), {"reason": "", "day": visit.platform.clock.today().isoformat(), "episode": ""})


async def end(visit: Visit) -> Response:
    """End one stay, or (moved out, died) all of them, and mark the resident so; the denominators follow at once."""
    kept, form, today = await _kept(visit), await visit.form(), visit.platform.clock.today()
    typed = {key: str(form.get(key, "")) for key in ("reason", "day", "episode")}
    typed["day"] = normal_date(typed["day"], today)
    try:
        day = _past_day(typed["day"], today)
        if typed["reason"] not in _ENDINGS:
            raise IncorrectError("请选择原因", "choose a reason")
        changed = _endings(_recording(visit), kept, typed, day)
        if not changed:
            raise ConflictError("没有正在进行的管理可以终止", "there is no management going on to end")
        insist(await submit(visit, "end", changed))
    except XinglinError as error:
        return await _end_page(visit, kept, typed, capital(error.message(visit.language)))
    return await _after_change(visit, kept.card.person)


def _endings(recording: Any, kept: _Kept, typed: Mapping[str, str], day: date) -> list[Entry]:
    everything = typed["reason"] in ("moved_out", "died")
    chosen = [
        (stored, one) for stored, one in kept.episodes if one.get("status") == "active" and (everything or stored.id == typed["episode"])
    ]
    changed: list[Entry] = [entry for _, one in chosen for entry in recording.exit_entries(one, day, typed["reason"])]
    return [*changed, *recording.leaving_entries(orjson.loads(kept.patient.body), typed["reason"], day)]


async def reopen(visit: Visit) -> Response:
    """Take an end back: the stay goes on; of a move or a death, the resident is on record again with every stay it ended."""
    kept, wanted = await _kept(visit), str((await visit.form()).get("episode", ""))
    found = next((one for stored, one in kept.episodes if stored.id == wanted and one.get("status") == "finished"), None)
    if found is None:
        raise ConflictError("这项管理没有终止，请刷新页面", "this management has not ended: reload the page")
    reason, day = _ending(found)
    together = [
        (stored, one)
        for stored, one in kept.episodes
        if stored.id == wanted or reason in ("moved_out", "died") and _ending(one) == (reason, day)
    ]
    finished = [one for _, one in together if one.get("status") == "finished"]
    recording = _recording(visit)
    changed: list[Entry] = [entry for one in finished for entry in recording.undo_exit_entries(one)]
    changed += recording.returning_entries(orjson.loads(kept.patient.body), reason)
    insist(await submit(visit, "reopen", changed))
    return await _after_change(visit, kept.card.person)


def _ending(resource: Mapping[str, Any]) -> tuple[str, str]:
    reasons = [one.get("valueCode", "") for one in resource.get("extension") or () if one.get("url") == "urn:xinglin:ext:exit-reason"]
    return "".join(reasons[:1]), str(resource.get("period", {}).get("end", ""))


ROUTES: Final = (
    page("/residents/new", show_new, right="resident.write"),
    page("/residents/new", make_new, right="resident.write", methods=("POST",)),
    page("/residents/new/check", check_new, right="resident.write", methods=("POST",)),
    page("/residents/{person:int}/enrol", show_enrol, right="enrol"),
    page("/residents/{person:int}/enrol", enrol, right="enrol", methods=("POST",)),
    page("/residents/{person:int}/end", show_end, right="enrol"),
    page("/residents/{person:int}/end", end, right="enrol", methods=("POST",)),
    page("/residents/{person:int}/reopen", reopen, right="enrol", methods=("POST",)),
)
MENU: Final = ()
