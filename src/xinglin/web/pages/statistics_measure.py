"""One measure: what it means, its number, the same by place and worker, the people behind it, and why each counts as they do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, Final, get_args
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.responses import Response

from xinglin.base.errors import NotFoundError
from xinglin.definitions import Definition
from xinglin.engines.rules import MeasureRow as Row
from xinglin.engines.rules import MeasureTable, Member, MemberQuery, Part, month_ends
from xinglin.web.exports import Heading, export_answer
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.residents import card_row
from xinglin.web.pages.statistics_asking import (
    FIRST,
    GROUPS,
    PARTS,
    RIGHTS,
    Asked,
    asked,
    crumbs,
    day_asked,
    group_names,
    is_loading,
    known_asked,
    measure_of,
    standing,
    told_at,
)
from xinglin.web.pages.statistics_population import Norm, NormFigure, norm_groups, norm_totals, norms
from xinglin.web.record import EXIT_REASONS, PROGRAMMES, SERVICES, WAYS

_COUNTS_OF_PEOPLE: Final = ("records", "hypertension-managed", "diabetes2-managed", "family-doctor-contracts")
_ONE_PERSON: Final = ("EpisodeOfCare", "Encounter", "Observation", "Condition", "QuestionnaireResponse", "Patient", "Contract", "ServiceRequest", "Task", "Immunization", "MedicationStatement")  # fmt: skip


async def show_measure(visit: Visit) -> Response:
    """Show one measure; `#groups` alone when htmx asks for another cut."""
    one = await asked(visit)
    table = await visit.platform.measures.measure(one.scope, one.definition.id, one.as_of, one.by, one.focus)
    definition = one.definition
    edition = visit.platform.rules.edition(one.as_of).of_kind("measure")
    tag, kind = standing(visit, definition)
    norm, beside, by_area = await _norm(visit, one, table)
    context = {
        "asked": one,
        "norm": norm,
        "norm_total": beside,
        "norm_areas": by_area,
        "definition": definition,
        "tag": (tag, kind),
        "total": table.total,
        "rows": await _rows(visit, one, table.rows),
        "groups": [(code, visit.text(label)) for code, label in GROUPS.items()],
        "crumbs": await crumbs(visit, one),
        "parts": _parts(visit, one, table.total),
        "as_of": await told_at(visit, table.seq),
        "known_text": visit.request.query_params.get("known", "") if one.known else "",
        "variants": [other for other in edition if other.base == definition.base and other.variant],
        "kin": [other for other in edition if _is_kin(other, definition)],
        "reasons": [(item, table.total.exclusions.get(item.reason, 0)) for item in definition.exclusions],
        "place": f"{definition.place}",
        "unknown": not (table.total.numerator if definition.unit == "count" else table.total.denominator) and await is_loading(visit),
    }
    return render(visit, "statistics/groups.html" if visit.target == "groups" else "statistics/measure.html", context)


async def _norm(visit: Visit, one: Asked, table: MeasureTable) -> tuple[Norm | None, NormFigure | None, dict[int, NormFigure]]:
    """Return the norm's denominator of a measure, its number over the residents in all, and by division where it is cut by one."""
    norm = norms().get(one.definition.id)
    if norm is None or one.institution or one.worker:
        return norm, None, {}
    total = (await norm_totals(visit, one.scope, one.as_of, {one.definition.id: table.total.numerator})).get(one.definition.id)
    counts = {row.group: row.numerator for row in table.rows if row.group is not None} if one.by in ("town", "village") else {}
    return norm, total, await norm_groups(visit, norm, one.as_of, counts) if counts else {}


def _is_kin(other: Definition, definition: Definition) -> bool:
    """Tell whether another measure is the same thing looked at as a year or as progress."""
    names = {name.replace("-standard-progress", "-standard-rate") for name in (other.base, definition.base)}
    return len(names) == 1 and other.base != definition.base and other.variant == definition.variant


def _parts(visit: Visit, one: Asked, total: Row) -> list[dict[str, Any]]:
    """Return the parts of a number that open into people. count: None where people are not what is counted."""
    counts = {
        "numerator": total.numerator,
        "denominator": total.denominator,
        "gap": total.denominator - total.numerator,
        "unknown": total.unknown,
        "excluded": sum(total.exclusions.values()),
    }
    wanted = ("numerator",) if one.definition.unit == "count" else tuple(PARTS)
    is_exact = one.definition.counts_people or one.definition.base in _COUNTS_OF_PEOPLE
    found = []
    for part in wanted:
        if counts[part] or part in ("numerator", "denominator"):
            label = visit.text(PARTS[part]) if one.definition.unit != "count" else visit.text("人员")
            exact = is_exact or part in ("unknown", "excluded")
            found.append({"part": part, "label": label, "count": counts[part] if exact else None, "path": one.people(part)})
    return found


async def _rows(visit: Visit, one: Asked, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the groups as rows, best first: by share, or by number for a count."""
    names = await group_names(visit, one.by, [row.group for row in rows if row.group is not None])
    found = [_row(visit, one, row, names) for row in rows]
    if one.definition.unit == "count":
        return sorted(found, key=lambda row: -row["numerator"])
    return sorted(found, key=lambda row: (row["share"] is None, -(row["share"] or 0), -row["denominator"]))


def _row(visit: Visit, one: Asked, row: Row, names: Mapping[int, str]) -> dict[str, Any]:
    if row.group is None:
        people = {part: f"{one.people(part)}&cut={one.by}" for part in PARTS}
        down = ""
    else:
        under = one.under(row.group)
        people = {part: under.people(part) for part in PARTS}
        down = "" if one.by == "practitioner" else under.path()
    return {
        "group": row.group,
        "name": names.get(row.group, str(row.group)) if row.group is not None else visit.text("未登记"),
        "numerator": row.numerator,
        "denominator": row.denominator,
        "share": row.share,
        "interval": row.interval,
        "unknown": row.unknown,
        "excluded": sum(row.exclusions.values()),
        "down": down,
        "people": people,
    }


async def show_trend(visit: Visit) -> Response:
    """Show the measure at the ends of the last months as a chart; a part of the page, and a page of its own."""
    one = await asked(visit)
    days = month_ends(one.as_of)
    figures = (await visit.platform.measures.overview(one.scope, [(one.definition.id, days)], one.focus))[0]
    waits = any(figure.total is None for figure in figures)
    is_count = one.definition.unit == "count"
    values = [None if figure.total is None else figure.total.numerator if is_count else figure.total.share for figure in reversed(figures)]
    chart = {
        "days": [day.isoformat() for day in reversed(days)],
        "series": [{"name": one.definition.title.say(visit.language), "values": values}],
        "percent": not is_count,
    }
    points = [(figure.day, figure.total) for figure in figures if figure.total is not None]
    context = {"chart": chart, "waits": waits, "asked": one, "points": points, "is_count": is_count, "is_part": bool(visit.target)}
    return render(visit, "statistics/trend.html", context)


async def export_measure(visit: Visit) -> Response:
    """Return the groups of a measure as Excel."""
    visit.scope.require("export")
    one = await asked(visit)
    table = await visit.platform.measures.measure(one.scope, one.definition.id, one.as_of, one.by, one.focus)
    words = [(GROUPS.get(one.by, "范围"), "text"), ("分子", "number"), ("分母", "number"), ("比率", "percent")]
    words += [("95% 区间下限", "percent"), ("95% 区间上限", "percent"), ("不明", "number"), ("剔除", "number")]
    norm, norm_total, by_area = await _norm(visit, one, table)
    labels = [(visit.text(word), kind) for word, kind in words]
    if norm:
        labels += [
            (norm.people.say(visit.language), "number"),
            (norm.rate.say(visit.language), "percent"),
            (visit.text("人口来源"), "text"),
        ]
    rows = await _rows(visit, one, table.rows)
    total = {"name": visit.text("合计"), "group": None, "excluded": sum(table.total.exclusions.values())}
    total |= {name: getattr(table.total, name) for name in ("numerator", "denominator", "share", "interval", "unknown")}

    async def cells() -> AsyncIterator[Sequence[object]]:
        for row in (*rows, total):
            low, high = row["interval"] or (None, None)
            beside = norm_total if row is total else by_area.get(row["group"])
            told = [beside.people, beside.share, f"{beside.source} {beside.year}"] if beside else []
            yield [row["name"], row["numerator"], row["denominator"], row["share"], low, high, row["unknown"], row["excluded"], *told]
        await visit.record("export", "measure", detail=one.definition.id)

    title = f"{one.definition.title.say(visit.language)} {one.as_of}"
    return await export_answer(visit, Heading(title, labels, len(rows) + 1, await told_at(visit, table.seq)), cells())


async def _people(visit: Visit, query: Query) -> Rows:
    """Return the people of a part of a number, each with the sentence why and what would change it."""
    one = await asked(visit)
    wanted: Any = query.get("part") if query.get("part") in get_args(Part) else "denominator"
    cut: Any = query.get("cut") if query.get("cut") in GROUPS else "none"
    question = MemberQuery(wanted, cut, None, query.page, min(query.size, 500), query.get("reason") or None, one.focus)
    found = await visit.platform.measures.members(one.scope, one.definition.id, one.as_of, question)
    cards = await visit.platform.residents.cards(visit.scope, [member.person for member in found.members])
    await visit.record("list", "measure", persons=sorted(cards), detail=one.definition.id)
    rows = [_member_row(visit, one, member, card_row(visit, cards[member.person])) for member in found.members if member.person in cards]
    return Rows(rows, found.total, as_of=await told_at(visit, found.seq))


def _member_row(visit: Visit, one: Asked, member: Member, card: dict[str, object]) -> dict[str, object]:
    reasons = {item.reason: item.words.say(visit.language) for item in one.definition.exclusions}
    place = 1 if visit.language == "en" else 0
    if member.reason is not None:
        counted = Tag(reasons.get(member.reason, member.reason), "warn")
    elif one.definition.unit == "count":
        counted = Tag(visit.text("计入"), "good")
    elif one.definition.unit == "visits":
        is_kept = member.numerator >= member.denominator
        counted = Tag(visit.text("已访 {done} / 应访 {owed}", done=member.numerator, owed=member.denominator), "good" if is_kept else "bad")
    elif member.numerator >= member.denominator:
        counted = Tag(visit.text("计入分子"), "good")
    else:
        counted = Tag(visit.text("未计入分子"), "bad")
    return {
        **card,
        "counted": counted,
        "change": "；".join(words[place] for words in member.changes) or member.verdict[place],
        "evidence": visit.text("{count} 条记录", count=len(member.evidence)),
        "why_link": f"/measures/{one.definition.id}/why/{member.person}?"
        + urlencode({**one.state(by="", area=0, institution=0, worker=0), "list": visit.request.url.query}),
    }


async def _measure_options(visit: Visit) -> list[tuple[str, str]]:
    found = visit.platform.rules.edition(visit.platform.clock.today()).of_kind("measure")
    return [(one.id, one.title.say(visit.language)) for one in found]


async def _people_context(visit: Visit, query: Query) -> Mapping[str, object]:
    one = await asked(visit)
    return {"asked": one, "crumbs": await crumbs(visit, one), "part": visit.text(PARTS.get(query.get("part"), PARTS["denominator"]))}


PEOPLE: Final = ListPage(
    path="/measures/people",
    title=mark("指标人员名单"),
    group="statistics",
    rights=("resident.read",),
    fetch=_people,
    template="statistics/people.html",
    context=_people_context,
    columns=(
        Column("name", mark("姓名"), path="link", is_main=True),
        Column("sex", mark("性别")),
        Column("age", mark("年龄"), "number"),
        Column("id_number", mark("身份证号")),
        Column("phone", mark("电话")),
        Column("area", mark("村（居）")),
        Column("institution", mark("管理机构")),
        Column("counted", mark("结果"), "tag"),
        Column("change", mark("判断与怎样会改变")),
        Column("evidence", mark("依据"), path="why_link", hot="y"),
    ),
    filters=(
        Filter("measure", mark("指标"), "choice", _measure_options, default=FIRST),
        Filter("part", mark("哪些人"), "choice", tuple(PARTS.items()), default="denominator"),
        Filter("as_of", mark("截至"), "date"),
        *(Filter(name, "", "hidden") for name in ("area", "institution", "worker", "known", "cut", "reason")),
    ),
    empty_title=mark("这一部分没有人"),
    empty_hint=mark("可换“哪些人”，或回到指标页选别的地区"),
)


async def show_why(visit: Visit) -> Response:
    """Show why a measure counts a resident as it does, and the entries and messages that rests on."""
    person, as_of = visit.request.path_params["person"], day_asked(visit)
    definition = measure_of(visit, visit.request.path_params["measure"], as_of)
    card = await visit.platform.residents.card(visit.scope, person)
    known = await known_asked(visit)
    context = {
        "card": card,
        "row": card_row(visit, card),
        "known": known,
        "definition": definition,
        "back": _list_left(visit, definition.id, as_of),
        "day": as_of,
        "as_of": await told_at(visit, known or await visit.platform.store.head()),
    }
    if known:
        then = await visit.platform.measures.judgement(visit.scope, definition.id, person, as_of, known)
        await visit.record("read", "measure", persons=[person], detail=definition.id)
        context |= {"told": then, "evidence": await _evidence_then(visit, then.evidence)}
    else:
        now = await visit.platform.rules.explain(visit.scope, definition.id, person, as_of)
        context |= {"told": now, "evidence": await _evidence(visit, person, now.evidence)}
    return render(visit, "statistics/why.html", context)


def _list_left(visit: Visit, measure: str, as_of: date) -> str:
    """Return the address of the list somebody came from, with its filters and page; without one, everybody who counts."""
    names = {"page", "size", "sort", *(one.key for one in PEOPLE.filters)}
    kept = [(name, value) for name, value in parse_qsl(visit.request.query_params.get("list", "")) if name in names]
    return f"{PEOPLE.path}?" + urlencode(kept or {"measure": measure, "as_of": as_of.isoformat()})


async def _evidence(visit: Visit, person: int, rids: Sequence[int]) -> list[dict[str, Any]]:
    """Return the entries a judgement rests on, newest first: what, which day, in how many words, which message brought it."""
    wanted = set(rids)
    found = [_entry(visit, one) for one in await visit.platform.store.person_bodies(visit.scope, person, _ONE_PERSON) if one.rid in wanted]
    return sorted(found, key=lambda entry: entry["day"], reverse=True)


async def _evidence_then(visit: Visit, versions: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """Return the entries a judgement rested on, in the versions of then, as `_evidence`; what was erased since is left out."""
    store, found = visit.platform.store, []
    keys = await store.keys([rid for rid, _ in versions])
    for rid, version in versions:
        with suppress(NotFoundError):
            rtype, own_id = keys[rid]
            one = _entry(visit, await store.vread(visit.scope, rtype, own_id, version))
            found.append(one | {"id": f"{own_id}/_history/{version}"})
    return sorted(found, key=lambda entry: entry["day"], reverse=True)


_KINDS: Final = {
    "Encounter": mark("就诊或随访"),
    "Observation": mark("测量值"),
    "EpisodeOfCare": mark("纳入管理"),
    "Condition": mark("诊断"),
    "Patient": mark("居民档案"),
    "QuestionnaireResponse": mark("表单"),
}


def _entry(visit: Visit, one: Any) -> dict[str, Any]:
    body = orjson.loads(one.body)
    day = body.get("effectiveDateTime") or body.get("recordedDate") or body.get("period", {}).get("start") or body.get("authored") or ""
    received = one.updated_at.astimezone(visit.platform.clock.zone)
    return {
        "kind": visit.text(_KINDS[one.rtype]) if one.rtype in _KINDS else one.rtype,
        "words": _words(visit, body),
        "type": one.rtype,
        "id": one.id,
        "day": str(day or body.get("authoredOn") or "")[:10],
        "message_no": one.message_no,
        "version": one.version,
        "received": received.strftime("%Y-%m-%d %H:%M"),
    }


def _words(visit: Visit, body: Mapping[str, Any]) -> str:
    """Return what a resource says in few words: its code's text or code, and its value; of a visit the way it was made, of a stay how it ended."""
    coded = body.get("code") or next(iter(body.get("type") or ()), None) or {}
    if not isinstance(coded, Mapping):
        return ""
    coding: Mapping[str, Any] = next(iter(coded.get("coding") or ()), {})
    known = {**SERVICES, **PROGRAMMES, "85354-9": mark("血压")}.get(coding.get("code", ""))
    text = visit.text(known) if known else coded.get("text") or coding.get("display") or coding.get("code") or ""
    ways = [one["valueCoding"].get("code") for one in body.get("extension", ()) if one.get("url") == "urn:xinglin:ext:followup-way"]
    text = " · ".join([text, *(visit.text(WAYS[way]) for way in ways if way in WAYS), *_ending(visit, body)])
    values = [part.get("valueQuantity", {}).get("value") for part in body.get("component", ())]
    if body.get("valueQuantity"):
        values = [body["valueQuantity"].get("value"), body["valueQuantity"].get("unit", "")]
    return " ".join(
        [str(text), "/".join(str(value) for value in values if value is not None) if body.get("component") else " ".join(map(str, values))]
    ).strip()


def _ending(visit: Visit, body: Mapping[str, Any]) -> list[str]:
    """Return the day and the reason a stay in a programme ended; nothing of one that goes on, and of no other resource."""
    if body.get("resourceType") != "EpisodeOfCare" or body.get("status") != "finished":
        return []
    why = next((one.get("valueCode") for one in body.get("extension", ()) if one.get("url") == "urn:xinglin:ext:exit-reason"), "")
    day = str(body.get("period", {}).get("end", ""))[:10]
    return [visit.text("{day} 终止管理：{why}", day=day, why=visit.text(EXIT_REASONS.get(why, mark("原因未注明"))))]


ROUTES: Final = (
    *PEOPLE.routes(),
    page("/measures/{measure}", show_measure, right=RIGHTS),
    page("/measures/{measure}/trend", show_trend, right=RIGHTS),
    page("/measures/{measure}/export.xlsx", export_measure, right=RIGHTS),
    page("/measures/{measure}/why/{person:int}", show_why, right="resident.read"),
)
