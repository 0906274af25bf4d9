"""推演: another pace, or more workers, and which targets that reaches, with the arithmetic shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.plans import Plan
from xinglin.web.exports import Heading, export_answer
from xinglin.web.i18n import mark
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.plans_asking import Board, BoardRow, as_of_words, board_of, living, plan_asked, status_tag
from xinglin.web.pages.plans_indicator import number_typed

_DEFAULTS: Final = {"pace": "1.2", "workers": "5", "each": "40"}
_RATE: Final = "rate"


@dataclass(frozen=True, slots=True)
class Guess:
    """What is supposed. pace: times the forecast's.  rate: change a year towards the target, in each indicator's unit; None for the pace.

    workers: how many more.  each: people each of them brings a month.
    """

    pace: float
    rate: float | None
    workers: float
    each: float


@dataclass(frozen=True, slots=True)
class Supposed:
    """What was supposed and where it leads. typed: pace, rate, workers, each as asked.  refusal: why not, "" where it could be reckoned."""

    typed: Mapping[str, str]
    refusal: str
    rows: Sequence[dict[str, Any]]
    counts: Mapping[str, int]
    board: Board


async def supposed(visit: Visit, plan: Plan) -> Supposed:
    """Return for each indicator with a value where another pace and more workers lead by the end of its target year."""
    asked = visit.request.query_params
    typed = {name: asked.get(name, "").strip() or default for name, default in _DEFAULTS.items()}
    typed[_RATE] = asked.get(_RATE, "").strip()
    refusal = ""
    try:
        pace, workers, each = (_positive(typed[name], name) for name in _DEFAULTS)
        rate = _positive(typed[_RATE], _RATE) if typed[_RATE] else None
    except XinglinError as error:
        refusal, rate = visit.said(error), None
        pace, workers, each = (float(value) for value in _DEFAULTS.values())
    board = await board_of(visit, plan)
    rows = [
        _row(visit, row, Guess(pace, rate, workers, each))
        for row in board.counted
        if row.view.now is not None and row.view.target is not None
    ]
    return Supposed(typed, refusal, rows, _counts(board, rows), board)


async def show_what_if(visit: Visit) -> Response:
    """Show what another pace and more workers reach."""
    plan = await plan_asked(visit)
    found = await supposed(visit, plan)
    context = {
        "plan": plan, "status": status_tag(visit, plan), "typed": found.typed, "refusal": found.refusal, "rows": found.rows, "board": found.board,
        "as_of": await as_of_words(visit, found.board), "counts": found.counts,
    }  # fmt: skip
    return render(visit, "plans/what_if.html", context, status=422 if found.refusal else 200)


async def export_what_if(visit: Visit) -> Response:
    """Return the table as Excel, with the arithmetic of each row."""
    visit.scope.require("export")
    plan = await plan_asked(visit)
    found = await supposed(visit, plan)
    heads = (
        mark("指标名称"),
        mark("今天的值"),
        mark("目标"),
        mark("按假设速度"),
        mark("算式"),
        mark("按增加人员"),
        mark("算式"),
        mark("达到目标需要的人员"),
    )
    labels = [(visit.text(head), "text") for head in heads]

    async def cells() -> AsyncIterator[Sequence[object]]:
        for row in found.rows:
            pace, work = row["pace"] or {}, row["work"] or {}
            needed = "" if row["needed"] is None else str(row["needed"])
            yield [
                row["row"].data["name"],
                row["value"],
                row["target"],
                *(side.get(name, "") for side in (pace, work) for name in ("value", "words")),
                needed,
            ]

    await visit.record("export", "plan", detail=f"what-if {plan.plan_no}")
    heading = Heading(visit.text(mark("推演")), labels, len(found.rows), await as_of_words(visit, found.board))
    return await export_answer(visit, heading, cells())


def _positive(text: str, name: str) -> float:
    value = number_typed(text)
    if not 0 <= value <= 100_000:
        raise IncorrectError("写 0 到 100,000 之间的数", "write a number from 0 to 100,000", where=name)
    return value


def _row(visit: Visit, row: BoardRow, guess: Guess) -> dict[str, Any]:
    view, today = row.view, visit.platform.clock.today()
    target, now = view.target, view.now
    scale = living.scale_of(row.data.get("unit"), False) or 100.0
    bounds = living.bounds_of(row.unit, scale if now.counted else None)
    found: dict[str, Any] = {
        "row": row, "value": living.amount(now.value, row.unit), "target": living.target_words(target, row.unit), "year": target.year, "met_today": target.is_met(now.value),
        "pace": None, "work": None, "needed": None,
    }  # fmt: skip
    at = living.decimal_year(today)
    per_year = _per_year(view, guess, at)
    if per_year is not None and target.year + 1 > at:
        outcome = living.at_pace((at, now.value), per_year, target, row.unit, bounds)
        found["pace"] = {
            "outcome": outcome,
            "value": living.amount(outcome.value, row.unit),
            "words": outcome.arithmetic.say(visit.language),
        }
    months = max(0.0, (target.year + 1 - at) * 12)
    known = living.known_measure(row.definition.base) if row.definition else None
    # What starts anew every January is brought up within the target year only.
    months = min(months, 12.0) if known is not None and known.within_year else months
    if now.counted is not None and now.counted.denominator and not target.is_lower_better and months:
        work = living.Work(guess.workers, guess.each, round(months, 1))
        outcome = living.with_workers((now.counted.numerator, now.counted.denominator), work, target, scale)
        found["work"] = {
            "outcome": outcome,
            "value": living.amount(outcome.value, row.unit),
            "words": outcome.arithmetic.say(visit.language),
        }
        found["needed"] = living.workers_needed(view.missing or 0, guess.each, round(months, 1))
    return found


def _per_year(view: Any, guess: Guess, at: float) -> float | None:
    """Return how much a value is supposed to change in a year: the typed rate towards the target, else the forecast's own pace so many times."""
    if guess.rate is not None:
        return -guess.rate if view.target.is_lower_better else guess.rate
    if view.forecast is None or view.target.year + 1 <= at:
        return None
    return float((view.forecast.value - view.now.value) / (view.target.year + 1 - at) * guess.pace)


def _counts(board: Board, rows: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many targets are met today, at the supposed pace, and with the supposed workers."""
    return {
        "all": len(board.counted),
        "rows": len(rows),
        "today": sum(row["met_today"] for row in rows),
        "pace": sum(row["met_today"] if row["pace"] is None else row["pace"]["outcome"].is_met for row in rows),
        "work": sum(row["met_today"] if row["work"] is None else row["work"]["outcome"].is_met for row in rows),
    }


ROUTES: Final = (
    page("/plans/{plan}/what-if", show_what_if, right="plan.read"),
    page("/plans/{plan}/what-if.xlsx", export_what_if, right="plan.read"),
)
MENU: Final = ()
