"""绩效与核查: entries to verify with their evidence and state. Samples for telephone checks stand in `verification_samples`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.base.errors import XinglinError
from xinglin.engines.geo import subtree
from xinglin.engines.rules import CHECKS, STATES, Check, FindingQuery
from xinglin.web.doors import entries_seen, institutions, workers
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages import verification_samples
from xinglin.web.pages.residents import area_options, card_row
from xinglin.web.pages.statistics_asking import is_loading, told_at
from xinglin.web.record import SERVICES

RIGHTS: Final = ("appraisal", "check.phone")
STATE_KINDS: Final = {"open": "warn", "verified": "good", "problem": "bad"}
_MOST_EVIDENCE: Final = 60
_SENTENCES: Final = {
    "same_reading": mark("连续三次血压都是 {systolic}/{diastolic}（自 {first} 起）"),
    "many_visits": mark("一天内 {visits} 次随访"),
    "after_death": mark("登记死亡日期 {died}，其后仍有随访"),
    "during_admission": mark("{from} 入院、{until} 出院，其间有面对面随访"),
    "digit_preference": mark("近一年 {readings} 次收缩压，尾数为 0 的 {zeros} 次（{share}）"),
    "shared_phone": mark("{residents} 位居民登记同一电话"),
}


def sentence(visit: Visit, row: Mapping[str, Any]) -> str:
    """Return a finding in one sentence of numbers."""
    facts = dict(row["facts"])
    if "readings" in facts:
        facts["share"] = f"{facts['zeros'] / facts['readings']:.0%}"
    return visit.text(_SENTENCES[row["check_code"]], **{name: _plain(value) for name, value in facts.items()})


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


async def _fetch(visit: Visit, query: Query) -> Rows:
    area = query.get("area")
    asked = FindingQuery(
        check=query.get("check") if query.get("check") in CHECKS else "",
        state=query.get("state") if query.get("state") in STATES else "",
        areas=subtree(int(area)) if len(area) == 12 and area.isdecimal() else None,
        limit=query.size,
        offset=query.offset,
    )
    found, total = await visit.platform.verification.page(visit.scope, asked)
    people = await visit.platform.residents.cards(visit.scope, [row["person"] for row in found if row["person"] is not None])
    await visit.record("list", "finding", persons=sorted(people))
    houses, staff = await institutions(visit), await workers(visit)
    rows = []
    for row in found:
        card = people.get(row["person"])
        house = houses.get(row["institution"] or 0)
        check: Check = row["check"]
        rows.append(
            {
                "person": row["person"],
                "number": row["finding_no"],
                "check": check.words.say(visit.language),
                "name": card.name if card else "",
                "area": (card.area_name or "") if card else "",
                "worker": staff.get(row["worker"] or 0, ""),
                "institution": house.name if house else (card.institution_name or "" if card else ""),
                "day": row["day"],
                "what": sentence(visit, row),
                "state": Tag(STATES[row["state"]].say(visit.language), STATE_KINDS[row["state"]]),
                "link": f"/verification/{row['finding_no']}",
            }
        )
    seq, _ = await visit.platform.verification.looked_at()
    return Rows(rows, total, as_of=await told_at(visit, seq) if seq else "")


async def _context(visit: Visit, query: Query) -> Mapping[str, object]:
    counts = await visit.platform.verification.counts(visit.scope)
    _, looked = await visit.platform.verification.looked_at()
    tiles = [
        (code, check.words.say(visit.language), check.hint.say(visit.language), counts.get((code, "open"), 0))
        for code, check in CHECKS.items()
    ]
    return {
        "tiles": tiles,
        "looked": looked.astimezone(visit.platform.clock.zone) if looked else None,
        "chosen": query.get("check"),
        "loading": await is_loading(visit),
    }


async def _checks(visit: Visit) -> list[tuple[str, str]]:
    return [(code, check.words.say(visit.language)) for code, check in CHECKS.items()]


async def _states(visit: Visit) -> list[tuple[str, str]]:
    return [(code, words.say(visit.language)) for code, words in STATES.items()]


FINDINGS: Final = ListPage(
    path="/verification",
    title=mark("真实性核查"),
    group="appraisal",
    hint=mark("这里只列值得核实的记录；核实之前不代表有问题"),
    rights=RIGHTS,
    fetch=_fetch,
    context=_context,
    template="verification/findings.html",
    columns=(
        Column("number", mark("编号"), path="link", is_main=True),
        Column("check", mark("核查项目")),
        Column("name", mark("居民")),
        Column("area", mark("村（居）")),
        Column("worker", mark("经办人员")),
        Column("institution", mark("机构")),
        Column("day", mark("日期"), "date"),
        Column("what", mark("情况")),
        Column("state", mark("状态"), "tag"),
    ),
    filters=(
        Filter("check", mark("核查项目"), "choice", _checks),
        Filter("state", mark("状态"), "choice", _states),
        Filter("area", mark("村（居）"), "choice", area_options),
    ),
    empty_title=mark("没有要核实的记录"),
    empty_hint=mark("每天夜里自动核查一次；县项目办可以现在核查"),
)


async def look_now(visit: Visit) -> Response:
    """Run the checks now and go back to the list."""
    await visit.record("verify", "finding")
    await visit.platform.measures.verify(visit.scope)
    return redirect(visit, "/verification")


async def show_finding(visit: Visit, refusal: str = "", typed: Mapping[str, str] | None = None) -> Response:
    """Show one finding: what is compared with what, the entries and messages, decisions, and the form of a new one."""
    number = visit.request.path_params["number"]
    row, decisions = await visit.platform.verification.finding(visit.scope, number)
    persons = [row["person"]] if row["person"] is not None else []
    persons += [person for person in row["facts"].get("persons", ()) if person not in persons]
    cards = await visit.platform.residents.cards(visit.scope, persons)
    await visit.record("read", "finding", persons=sorted(cards), detail=str(number))
    houses, staff = await institutions(visit), await workers(visit)
    house = houses.get(row["institution"] or 0)
    context = {
        "row": row,
        "check": row["check"],
        "what": sentence(visit, row),
        "state": STATES[row["state"]].say(visit.language),
        "kind": STATE_KINDS[row["state"]],
        "people": [card_row(visit, card) for card in cards.values()],
        "hidden": len(persons) - len(cards),
        "worker": staff.get(row["worker"] or 0, ""),
        "house": house.name if house else "",
        "evidence": await _evidence(visit, row["evidence"]),
        "decisions": [{**one, "words": STATES[one["state"]].say(visit.language), "kind": STATE_KINDS[one["state"]]} for one in decisions],
        "states": [(code, words.say(visit.language)) for code, words in STATES.items()],
        "typed": typed or {"state": row["state"] if row["state"] != "open" else "", "note": ""},
        "refusal": refusal,
        "zone": visit.platform.clock.zone,
        "as_of": await told_at(visit, row["seq"]),
    }
    return render(visit, "verification/finding.html", context, status=422 if refusal else 200)


async def _evidence(visit: Visit, rids: list[int]) -> list[dict[str, Any]]:
    """Return those of the entries that are about residents the scope sees, newest first."""
    told = await entries_seen(visit, rids[:_MOST_EVIDENCE])
    bodies = {one.rid: orjson.loads(one.body) for one in await visit.platform.store.bodies(list(told))}
    cards = await visit.platform.residents.cards(visit.scope, [person for person, *_ in told.values()])
    found = []
    for rid, (person, rtype, message_no, received) in told.items():
        body = bodies.get(rid, {})
        values = [part.get("valueQuantity", {}).get("value") for part in body.get("component", ())]
        kinds = [coding.get("code", "") for item in body.get("type", ()) for coding in item.get("coding", ())]
        found.append(
            {
                "day": str(body.get("effectiveDateTime") or body.get("period", {}).get("start") or "")[:10],
                "kind": visit.text("血压") if values else visit.text(SERVICES[kinds[0]]) if kinds and kinds[0] in SERVICES else rtype,
                "words": "/".join(f"{value:g}" for value in values if value is not None),
                "person": person,
                "name": cards[person].name if person in cards else "",
                "message_no": message_no,
                "received": received.astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d %H:%M"),
            }
        )
    return sorted(found, key=lambda entry: entry["day"], reverse=True)


async def decide(visit: Visit) -> Response:
    """Save a decision and go back to the finding."""
    number = visit.request.path_params["number"]
    form = await visit.form()
    typed = {name: str(form.get(name, "")) for name in ("state", "note")}
    try:
        await visit.platform.verification.decide(visit.scope, number, typed["state"], typed["note"])
    except XinglinError as error:
        if error.http_status in (403, 404):
            raise
        return await show_finding(visit, visit.said(error), typed)
    await visit.record("decide", "finding", detail=f"{number} {typed['state']}")
    return redirect(visit, f"/verification/{number}")


ROUTES: Final = (
    *verification_samples.ROUTES,
    page("/verification/look", look_now, right="appraisal", methods=("POST",)),
    page("/verification/{number:int}", show_finding, right=RIGHTS),
    page("/verification/{number:int}", decide, right=RIGHTS, methods=("POST",)),
    *FINDINGS.routes(),
)
MENU: Final = (FINDINGS.entry(), *verification_samples.MENU)
