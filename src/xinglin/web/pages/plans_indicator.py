"""One indicator: chart with path, target, values and forecast; its binding, its path, its values from elsewhere, the ranking of places."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.errors import IncorrectError, NotFoundError, XinglinError
from xinglin.engines.plans import NewValue
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.plans_asking import (
    BoardRow,
    as_of_words,
    base_words,
    board_of,
    living,
    number_of,
    own_words,
    state_tag,
    status_tag,
    target_words,
    value_day,
)
from xinglin.web.pages.plans_figures import own_place
from xinglin.web.pages.statistics_asking import GROUPS, RIGHTS, group_names

_NUMBER: Final = re.compile(r"[+-]?(\d{1,15}|\d{1,3}(,\d{3}){1,4})(\.\d{1,12})?(e[+-]?\d{1,2})?", re.ASCII | re.IGNORECASE)
_MOST_POINTS: Final = 38
_RANKED: Final = ("town", "institution", "village")


async def show_indicator(visit: Visit, refusal: str = "", status: int = 200) -> Response:
    """Show one indicator."""
    number = number_of(visit.request.path_params["indicator"])
    if number is None:
        raise NotFoundError("没有这条指标", "there is no such indicator")
    one = await visit.platform.plans.figures.indicator(visit.scope, number)
    plan = await visit.platform.plans.books.plan(visit.scope, one.plan_no)
    board = await board_of(visit, plan, one)
    row = board.rows[0]
    by, proposals = visit.request.query_params.get("by", "town"), _proposals(visit, row)
    context = {
        "plan": plan, "status": status_tag(visit, plan), "row": row, "one": one, "data": row.data, "view": row.view, "board": board, "refusal": refusal,
        "state": state_tag(visit, row.view.standing.state), "base": base_words(row.data), "target": target_words(row), "unit": row.unit, "chart": _chart(visit, row),
        "path": living.yearly(row.view.path), "proposals": proposals, "difference": living.difference_words(str(row.data["name"]), proposals).say(visit.language), "measures": _measures(visit), "rule": living.RULE.say(visit.language),
        "amount": living.amount, "figure": living.figure, "by": by if by in _RANKED else "town", "groups": [(code, visit.text(GROUPS[code])) for code in _RANKED],
        "ranked": await _ranked(visit, row, by if by in _RANKED else "town"), "as_of": await as_of_words(visit, board), "may_open": visit.allows(*RIGHTS), "own": own_words(visit, row), "place": await _place(visit, row),
    }  # fmt: skip
    return render(visit, "plans/indicator.html", context, status=status)


async def _place(visit: Visit, row: BoardRow) -> tuple[int, int] | None:
    """Return the rank of one's own institution and among how many, for who answers for a part of the district."""
    if row.own is None or row.own.counted is None or row.definition is None or row.view.target is None:
        return None
    return await own_place(visit, row.definition.id, visit.platform.clock.today(), row.view.target.is_lower_better)


def _chart(visit: Visit, row: BoardRow) -> dict[str, Any] | None:
    """Return the chart: path, values, forecast with its interval, on a grid of months that is never too dense."""
    view, today = row.view, visit.platform.clock.today()
    if not view.path and not view.observed:
        return None
    marks = [int(point.at) - 1 for point in view.path] + [one.day.year for one in view.observed]
    first, last = min(marks), max([*marks, today.year])
    months = [(year, month) for year in range(first, last + 1) for month in range(1, 13)]
    step = next(step for step in (1, 3, 6, 12, 24, 60) if len(months) // step <= _MOST_POINTS or step == 60)
    grid = [value_day(year, month) for year, month in months if (year * 12 + month) % step == 0]
    values: list[float | None] = [None] * len(grid)
    for one in view.observed:
        place = next((number for number, day in enumerate(grid) if day >= one.day), None)
        if place is not None:
            values[place] = round(one.value, 4)
    path = [living.value_on_path(view.path, living.decimal_year(day)) if len(view.path) > 1 else None for day in grid]
    series = [
        {"name": visit.text("实际值"), "values": values, "connect": True},
        {"name": visit.text("目标路径"), "values": [None if value is None else round(value, 4) for value in path], "dashed": True},
    ]
    series += _expected(visit, row, grid, today)
    return {"days": [day.strftime("%Y-%m") for day in grid], "series": series, "unit": row.unit}


def _expected(visit: Visit, row: BoardRow, grid: list[date], today: date) -> list[dict[str, Any]]:
    """Return the forecast and the ends of its interval as lines from today's value to the target year."""
    view = row.view
    if view.forecast is None or view.now is None:
        return []
    start, end = living.decimal_year(view.now.day), view.forecast.at
    if end <= start:
        return []

    def line(goal: float) -> list[float | None]:
        shares = [(living.decimal_year(day) - start) / (end - start) for day in grid]
        return [round(view.now.value + (goal - view.now.value) * share, 4) if -1e-9 <= share <= 1 + 1e-9 else None for share in shares]

    words = (visit.text("预测"), visit.text("区间下限"), visit.text("区间上限"))
    goals = (view.forecast.value, view.forecast.low, view.forecast.high)
    return [
        {"name": word, "values": line(goal), "dashed": True, "thin": number > 0}
        for number, (word, goal) in enumerate(zip(words, goals, strict=True))
    ]


def offered(visit: Visit) -> list[Any]:
    """Return the measures of today as candidates for a binding."""
    found = visit.platform.rules.edition(visit.platform.clock.today()).of_kind("measure")
    said = living.Said
    return [
        living.Offered(
            one.id, one.base, said(one.words.zh, one.words.en), said(one.variant_words.zh, one.variant_words.en), one.unit, one.clause
        )
        for one in found
    ]


def _proposals(visit: Visit, row: BoardRow) -> list[Any]:
    found: list[Any] = [] if row.definition is not None else living.proposals(row.data, offered(visit))
    return found


def _measures(visit: Visit) -> list[tuple[str, str]]:
    found = visit.platform.rules.edition(visit.platform.clock.today()).of_kind("measure")
    return [(one.id, one.title.say(visit.language)) for one in found]


async def _ranked(visit: Visit, row: BoardRow, by: str) -> list[dict[str, Any]]:
    """Return the places by the measure, best first, each with how many people it lacks."""
    target, definition = row.view.target, row.definition
    if definition is None or target is None or definition.unit == "count" or not visit.allows(*RIGHTS):
        return []
    scale = living.scale_of(row.data.get("unit"), False) or 100.0
    today = visit.platform.clock.today()
    cut: Any = by
    try:
        table = await visit.platform.measures.measure(visit.scope, definition.id, today, cut)
    except XinglinError:
        return []
    places = [living.Counted(each.numerator, each.denominator, each.group) for each in table.rows if each.group is not None]
    names = await group_names(visit, by, [place.group for place in places])
    down = {"town": "area={}&by=institution", "institution": "institution={}&by=village", "village": "area={}&by=practitioner"}[by]
    return [
        {
            "rank": each.rank, "name": names.get(each.counted.group, each.counted.group), "value": living.amount(each.value, row.unit or "%"), "share": each.value / scale,
            "numerator": each.counted.numerator, "denominator": each.counted.denominator, "people": each.people, "is_met": each.is_met,
            "link": f"/measures/{definition.id}?{down.format(each.counted.group)}",
        }
        for each in living.ranking(places, target, scale)
    ]  # fmt: skip


async def change_indicator(visit: Visit) -> Response:
    """Bind, unbind, set the path, name the owner, enter a value, approve or refuse one."""
    number, form = number_of(visit.request.path_params["indicator"]), await visit.form()
    if number is None:
        raise NotFoundError("没有这条指标", "there is no such indicator")
    figures, action = visit.platform.plans.figures, str(form.get("action", ""))
    try:
        one = await figures.indicator(visit.scope, number)
        if action == "bind":
            await figures.bind(visit.scope, number, bindable(visit, one.data, str(form.get("measure", ""))))
        elif action == "path":
            await figures.set_path(visit.scope, number, typed_path(form, one))
        elif action == "owner":
            await figures.set_owner(visit.scope, number, str(form.get("owner", "")))
        elif action == "reason":
            await figures.set_reason(visit.scope, number, str(form.get("reason", "")))
        elif action == "value":
            await figures.enter(
                visit.scope, [new_value(number, {name: str(form.get(name, "")) for name in ("year", "month", "value", "source")})]
            )
        elif action in ("approved", "refused", "entered"):
            chosen = number_of(str(form.get("value_no", "")))
            await figures.decide(visit.scope, [chosen] if chosen else [], action)
        else:
            raise IncorrectError("不知道要做什么：请从页面上的按钮操作", "unknown action: use the buttons of the page", where="action")
    except XinglinError as error:
        return await show_indicator(visit, visit.said(error), error.http_status)
    return redirect(visit, f"/plans/indicators/{number}")


def bindable(visit: Visit, data: Any, measure: str) -> str:
    """Return a measure that may compute an indicator, "" to end a binding.  Raises: IncorrectError for one whose unit cannot be the indicator's."""
    if not measure:
        return ""
    definition = visit.platform.rules.edition(visit.platform.clock.today()).get(measure)
    if definition.kind != "measure":
        raise IncorrectError("请选择一个指标定义", "choose a measure", where="measure")
    if living.scale_of(data.get("unit"), definition.unit == "count") is None:
        raise IncorrectError(
            f"单位对不上：规划写的是“{data.get('unit')}”，所选口径是{'人数' if definition.unit == 'count' else '比率'}。请改单位或另选口径",
            f"the units do not fit: the plan says {data.get('unit')}, the measure is a {'number' if definition.unit == 'count' else 'share'}. Correct the unit or choose another",
            where="measure",
        )
    return measure


def typed_path(form: Any, one: Any) -> dict[int, float | None]:
    """Return year → value of the fields `year-2027`; an empty one, or the value of the straight line, is no value of the district's."""
    found: dict[int, float | None] = {}
    line = {year: value for year, value, _ in living.yearly(living.path_of(one.data, {}))}
    for name, text in form.items():
        if name.startswith("year-"):
            if not re.fullmatch(r"year-\d{4}", name, re.ASCII):
                raise IncorrectError("年份写成 2026", "write a year as 2026", where="year")
            year, plain = int(name.removeprefix("year-")), str(text).strip()
            value = number_typed(plain) if plain else None
            is_line = value is not None and year not in one.path and living.figure(line.get(year)) == living.figure(value)
            found[year] = None if is_line else value
    return found


def number_typed(text: str) -> float:
    """Return a typed number; commas of both writings may part its thousands.  Raises: IncorrectError, also for 79,2, which may mean two things.

    >>> number_typed("1，234.5"), number_typed("７４．５％")
    (1234.5, 74.5)
    """
    plain = unicodedata.normalize("NFKC", text).removesuffix("%").strip()
    if not _NUMBER.fullmatch(plain):
        raise IncorrectError(
            "数值写成数字，如 74.5 或 1,234.5；小数点用“.”",
            "write a value as a number such as 74.5 or 1,234.5, with a point",
            where="value",
        )
    return float(plain.replace(",", ""))


def new_value(indicator_no: int, cells: dict[str, str]) -> NewValue:
    """Return a value as typed or as a sheet's row has it.  Raises: IncorrectError saying what to write."""
    year, month = (cells[name].strip().removesuffix(".0") for name in ("year", "month"))
    if not (year.isdecimal() and len(year) == 4):
        raise IncorrectError("年份写成 2026", "write the year as 2026", where="year")
    if month and not (month.isdecimal() and 1 <= int(month) <= 12):
        raise IncorrectError("月份写 1 到 12，全年留空", "write a month from 1 to 12, leave it empty for the year", where="month")
    if not cells["source"].strip():
        raise IncorrectError("请写明数据来源", "name where the value comes from", where="source")
    return NewValue(indicator_no, int(year), int(month) if month else 0, number_typed(cells["value"].strip()), cells["source"])


ROUTES: Final = (
    page("/plans/indicators/{indicator}", show_indicator, right="plan.read"),
    page("/plans/indicators/{indicator}", change_indicator, right=("plan.edit", "plan.approve"), methods=("POST",)),
)
MENU: Final = ()
