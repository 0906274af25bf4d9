"""Plans for programs: the list, a plan's whole table, comparison, evaluation, what-if and reminders as JSON."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.engines.plans import Plan
from xinglin.web.frame import REMINDED
from xinglin.web.page import Visit, page
from xinglin.web.pages.plans_asking import board_of, living, plan_asked
from xinglin.web.pages.plans_cockpit import table_json
from xinglin.web.pages.plans_compare import cell_of, compared
from xinglin.web.pages.plans_evaluation import made_report
from xinglin.web.pages.plans_indicator import offered
from xinglin.web.pages.plans_what_if import supposed
from xinglin.web.pages.reminders import address_of


def _answer(body: Any) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def _both(said: Any) -> dict[str, str]:
    return {"zh": said.zh, "en": said.en}


def _about(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.plan_no, "title": plan.title, "area": plan.area_name, "level": plan.level, "status": plan.status, "version": plan.version, "replaces": plan.replaces,
        "start_year": plan.start_year, "end_year": plan.end_year, "read_at": plan.read_at.isoformat(), "approved_by": plan.approved_name,
    }  # fmt: skip


async def plans_json(visit: Visit) -> Response:
    """Return every plan: own, followed and compared, drafts and earlier versions too."""
    return _answer({"plans": [_about(one) for one in await visit.platform.plans.books.plans(visit.scope)]})


async def plan_json(visit: Visit) -> Response:
    """Return a plan's table: indicators as `xinglin plan read --json` prints them with `today` and `values`, tasks, projects, findings."""
    plan = await plan_asked(visit)
    board = await board_of(visit, plan)
    work = visit.platform.plans.work
    body = {
        "plan": _about(plan),
        "as_of": visit.platform.clock.today().isoformat(),
        "seq": board.seq or None,
        "state": board.state,
        "indicators": [{**told, "values": _values(row), "candidates": _candidates(visit, row)} for told, row in zip(table_json(board), board.rows, strict=True)],
        "tasks": [{**one["data"], "id": one["task_no"], "state": one["state"], "unit": one["unit"], "due": one["due"], "remind_on": one["remind_on"], "evidence": one["evidence"]} for one in await work.tasks(visit.scope, plan.plan_no)],
        "projects": [{**one["data"], "id": one["project_no"], "milestones": [{"id": stone["milestone_no"], **{name: stone[name] for name in ("title", "due", "done_on", "note")}} for stone in one["milestones"]]} for one in await work.projects(visit.scope, plan.plan_no)],
        "findings": [{**one["data"], "id": one["finding_no"], "state": one["state"], "decision": one["note"]} for one in await work.findings(visit.scope, plan.plan_no)],
    }  # fmt: skip
    return _answer(body)


def _values(row: Any) -> list[dict[str, Any]]:
    return [
        {"year": one.year, "month": one.month or None, "value": one.value, "source": one.source, "state": one.state}
        for one in row.indicator.values
    ]


def _candidates(visit: Visit, row: Any) -> list[dict[str, Any]]:
    """Return the measures an unbound indicator may be bound to, each with what it counts."""
    if row.definition is not None or not living.is_counted(row.data):
        return []
    return [
        {"measure": one.measure, "fits": one.fits, "unit_fits": one.unit_fits, "verified": one.verified, "counts": {"zh": one.difference.zh, "en": one.difference.en}}
        for one in living.proposals(row.data, offered(visit))
    ]  # fmt: skip


async def compare_json(visit: Visit) -> Response:
    """Return plans beside each other, indicator by indicator (`plan=` chooses, `least=1` keeps what only one plan has)."""
    _, chosen, lines = await compared(visit)
    body = [
        {"name": line.name, "category": line.category, "unit": line.unit, "plans": {one.plan_no: cell_of(line.cells.get(one.plan_no)) for one in chosen}}
        for line in lines
    ]  # fmt: skip
    return Response(
        orjson.dumps({"plans": [_about(one) for one in chosen], "lines": body}, option=orjson.OPT_NON_STR_KEYS),
        media_type="application/json",
    )


async def evaluation_json(visit: Visit) -> Response:
    """Return the mid-term or final evaluation (`kind=mid_term|final`)."""
    plan = await plan_asked(visit)
    report, board = await made_report(visit, plan)
    body = {
        "plan": _about(plan), "as_of": report.as_of.isoformat(), "seq": board.seq or None, "title": _both(report.title), "summary": _both(report.summary), "counts": dict(report.counts),
        "missing": [{"what": _both(one.what), "names": list(one.names)} for one in report.missing],
        "indicators": [{"number": one.number, "name": one.name, "category": one.category, "base": one.base, "target": one.target, "value": one.value, "state": one.state, "owner": one.owner, "why": _both(one.why), "reason": one.reason, "evidence": _both(one.evidence)} for one in report.entries],
        "tasks": [{"words": one.words, "owner": one.owner, "state": one.state, "evidence": one.evidence, "is_late": one.is_late} for one in report.tasks],
        "projects": [{"name": one.name, "owner": one.owner, "done": one.done, "all": one.all, "next": one.next, "is_late": one.is_late} for one in report.projects],
    }  # fmt: skip
    return _answer(body)


async def what_if_json(visit: Visit) -> Response:
    """Return where another pace (`pace`), or more workers (`workers`, `each` a month) lead, with the arithmetic."""
    plan = await plan_asked(visit)
    found = await supposed(visit, plan)
    rows = [
        {"id": row["row"].indicator.indicator_no, "name": row["row"].data["name"], "year": row["year"], "met_today": row["met_today"], "workers_needed": row["needed"],
         **{name: None if row[name] is None else {"value": row[name]["outcome"].value, "is_met": row[name]["outcome"].is_met, "arithmetic": row[name]["words"]} for name in ("pace", "work")}}
        for row in found.rows
    ]  # fmt: skip
    return _answer(
        {"plan": _about(plan), "supposed": found.typed, "refused": found.refusal or None, "counts": found.counts, "indicators": rows}
    )


async def reminders_json(visit: Visit) -> Response:
    """Return what waits for the account; of residents only their numbers."""
    told = [
        {
            "key": one.key,
            "kind": one.kind,
            "due": one.due,
            "is_late": one.is_late,
            "state": one.state,
            "address": address_of(one),
            **one.facts,
        }
        for one in await visit.platform.reminders.waiting(visit.scope)
    ]
    await visit.record("list", "reminders", persons=sorted({one["person"] for one in told if "person" in one}))
    return _answer({"reminders": told})


ROUTES: Final = (
    page("/plans.json", plans_json, right="plan.read"),
    page("/plans/compare.json", compare_json, right="plan.read"),
    page("/plans/{plan}.json", plan_json, right="plan.read"),
    page("/plans/{plan}/evaluation.json", evaluation_json, right="plan.read"),
    page("/plans/{plan}/what-if.json", what_if_json, right="plan.read"),
    page("/reminders.json", reminders_json, right=REMINDED),
)
MENU: Final = ()
