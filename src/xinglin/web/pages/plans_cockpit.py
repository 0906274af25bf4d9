"""规划驾驶舱: how many targets are reached, on track, behind or without a value; what moved this month; what waits for somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from starlette.responses import Response

from xinglin.web.i18n import mark
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.plans_asking import (
    STATES,
    Board,
    as_of_words,
    board_of,
    default_plan,
    living,
    own_words,
    plan_asked,
    plan_options,
    state_tag,
    status_tag,
)

_SOON_DAYS: Final = 30


async def show_cockpit(visit: Visit) -> Response:
    """Show the cockpit of a plan; without any plan, the way to upload one."""
    if not visit.request.query_params.get("plan") and await default_plan(visit) is None:
        return render(visit, "plans/none.html", {})
    plan = await plan_asked(visit)
    board = await board_of(visit, plan)
    rows = board.counted
    tasks = await _tasks_waiting(visit, plan.plan_no)
    findings = await visit.platform.plans.work.findings(visit.scope, plan.plan_no)
    context = {
        "plan": plan,
        "status": status_tag(visit, plan),
        "options": await plan_options(visit),
        "counts": {**living.counts_of([row.view for row in rows]), "computed": sum(row.definition is not None for row in rows)},
        "states": STATES,
        "pending": sum(row.definition is not None and row.view.now is None for row in rows) if board.note else 0,
        "own": [(row, own_words(visit, row)) for row in rows if row.own is not None],
        "moved": sorted((row for row in rows if row.view.moved), key=_by_move)[:12],
        "behind": sorted((row for row in rows if row.view.standing.state == "behind"), key=_by_shortfall),
        "at_risk": [row for row in rows if _misses(row)],
        "doubtful": len(board.doubtful),
        "tasks": tasks,
        "findings": sum(one["state"] == "open" for one in findings),
        "rule": living.RULE.say(visit.language),
        "board": board,
        "tag": state_tag,
        "as_of": await as_of_words(visit, board),
    }
    return render(visit, "plans/cockpit_parts.html" if visit.target == "cockpit" else "plans/cockpit.html", context)


async def open_plan(visit: Visit) -> Response:
    """Lead from a plan's short address to its cockpit."""
    plan = await plan_asked(visit)
    return redirect(visit, f"/plans/cockpit?plan={plan.plan_no}")


def _by_move(row: Any) -> float:
    value: float = row.view.now.value
    moved: float = row.view.moved
    return -abs(moved / value) if value else -abs(moved)


def _misses(row: Any) -> bool:
    """Return whether an indicator that is not behind today will miss its target at this pace."""
    view = row.view
    if view.standing.state not in ("reached", "on_track") or view.forecast is None or view.target is None or not view.is_told:
        return False
    return bool(view.target.shortfall(view.forecast.value))


def _by_shortfall(row: Any) -> float:
    target = row.view.target
    short: float = target.shortfall(row.view.now.value)
    return -short / abs(target.value) if target.value else 0.0


async def _tasks_waiting(visit: Visit, plan_no: int) -> list[dict[str, Any]]:
    """Return the tasks that are overdue, due within a month, or to be reminded of, the most urgent first."""
    today = visit.platform.clock.today()
    tasks = await visit.platform.plans.work.tasks(visit.scope, plan_no)
    waiting = [
        one
        for one in tasks
        if one["state"] not in ("done",)
        and (
            (one["due"] and one["due"] <= today + timedelta(days=_SOON_DAYS))
            or (one["remind_on"] and one["remind_on"] <= today)
            or one["state"] == "stuck"
        )
    ]
    return sorted(waiting, key=lambda one: (one["due"] is None, one["due"] or today))


def table_json(board: Board) -> list[dict[str, Any]]:
    """Return the indicators in the shape `xinglin plan read --json` prints, each with how it stands today under `today`."""
    return [{**row.data, "id": row.indicator.indicator_no, "today": _today(row)} for row in board.rows]


def _today(row: Any) -> dict[str, Any]:
    view = row.view
    now, found = view.now, view.forecast
    return {
        "value": now.value if now else None,
        "day": now.day.isoformat() if now else None,
        "origin": view.origin if now else None,
        "numerator": now.counted.numerator if now and now.counted else None,
        "denominator": now.counted.denominator if now and now.counted else None,
        "measure": row.indicator.measure or None,
        "standing": view.standing.state,
        "path_value": view.standing.wanted,
        "path": [{"year": year, "value": value, "origin": origin} for year, value, origin in living.yearly(view.path)],
        "forecast": {"year": view.target.year, "value": found.value, "low": found.low, "high": found.high, "n": found.n} if found else None,
        "forecast_words": {"zh": view.forecast_words.zh, "en": view.forecast_words.en},
        "people_missing": view.missing,
        "owner": row.owner or None,
        "reason": row.indicator.reason or None,
    }


ROUTES: Final = (page("/plans/cockpit", show_cockpit, right="plan.read"), page("/plans/{plan}", open_plan, right="plan.read"))
MENU: Final = (Entry("plan", mark("规划驾驶舱"), "/plans/cockpit", ("plan.read",)),)
