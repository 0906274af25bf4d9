"""What the pages of a plan ask: which plan, its indicators with today's values, and the words for states and levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from xinglin.base.errors import NotFoundError, XinglinError
from xinglin.definitions import Definition
from xinglin.engines.plans import Plan, PlanIndicator, PlanRows, Row
from xinglin.engines.rules import month_ends
from xinglin.web.i18n import mark
from xinglin.web.lists import Tag
from xinglin.web.modules import part_of_module
from xinglin.web.page import Visit
from xinglin.web.pages.statistics_asking import told_at

living: Final = part_of_module("plan.living")
reading: Final = part_of_module("plan.reading")

LEVELS: Final[Mapping[str, str]] = {"own": mark("本县规划"), "city": mark("上级规划"), "compared": mark("对比规划")}
STATUSES: Final[Mapping[str, tuple[str, str]]] = {
    "draft": (mark("草稿"), "warn"),
    "approved": (mark("已批准"), "good"),
    "superseded": (mark("已被取代"), ""),
    "withdrawn": (mark("已撤回"), ""),
}
STATES: Final[Mapping[str, tuple[str, str]]] = {
    "reached": (mark("已达到"), "good"),
    "on_track": (mark("按进度"), "brand"),
    "behind": (mark("落后"), "bad"),
    "no_value": (mark("无数值"), ""),
}
_YEARS_BACK: Final = 4
_MOST_NUMBER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class BoardRow:
    """An indicator and how it stands. definition: of its measure, None without one in force."""

    indicator: PlanIndicator
    view: Any
    definition: Definition | None

    @property
    def data(self) -> Mapping[str, Any]:
        """Return the row as read."""
        return self.indicator.data

    @property
    def unit(self) -> str:
        """Return the printed unit, "" without one."""
        return str(self.data.get("unit") or "")

    @property
    def owner(self) -> str:
        """Return who answers for it: whom the district named, else the printed units."""
        return self.indicator.owner or "、".join(self.data.get("owners") or ())


@dataclass(frozen=True, slots=True)
class Board:
    """A plan's indicators today. waits: some month ends are still being made.  is_away: the measures could not be asked.

    seq: of the computed values, 0 where none is.
    """

    plan: Plan
    rows: Sequence[BoardRow]
    waits: bool
    is_away: bool
    seq: int

    @property
    def counted(self) -> list[BoardRow]:
        """Return the rows the cockpit counts."""
        return [row for row in self.rows if living.is_counted(row.data)]

    @property
    def doubtful(self) -> list[BoardRow]:
        """Return the rows that wait for a person's word."""
        return [row for row in self.rows if not row.data.get("sure")]


def number_of(text: str) -> int | None:
    """Return a number of a row as an address or a form has it, None for anything else."""
    return int(text) if text.isdecimal() and len(text) < 11 and int(text) <= _MOST_NUMBER else None


async def plan_asked(visit: Visit) -> Plan:
    """Return the plan of the address, else the newest of the district's own.  Raises: NotFoundError."""
    text = str(visit.request.path_params.get("plan", "") or visit.request.query_params.get("plan", ""))
    if text:
        number = number_of(text)
        if number is None:
            raise NotFoundError("没有这份规划", "there is no such plan")
        plan: Plan = await visit.platform.plans.books.plan(visit.scope, number)
        return plan
    found = await default_plan(visit)
    if found is None:
        raise NotFoundError("还没有规划：请先在“规划文件”上传一份", "there is no plan yet: upload one under Plan documents")
    return found


async def default_plan(visit: Visit) -> Plan | None:
    """Return the plan the district lives with: its own that is approved, else its newest draft; None without one."""
    plans = [one for one in await visit.platform.plans.books.plans(visit.scope) if one.is_open and one.level != "compared"]
    plans.sort(key=lambda one: (one.level != "own", one.status != "approved"))
    return plans[0] if plans else None


async def plan_options(visit: Visit) -> list[tuple[str, str]]:
    """Return (number, title) of the plans that can be chosen."""
    plans = await visit.platform.plans.books.plans(visit.scope)
    return [(str(one.plan_no), one.title) for one in plans if one.is_open]


def state_tag(visit: Visit, state: str) -> Tag:
    """Return where an indicator stands as a tag."""
    label, kind = STATES[state]
    return Tag(visit.text(label), kind)


def status_tag(visit: Visit, plan: Plan) -> Tag:
    """Return a plan's status as a tag."""
    label, kind = STATUSES[plan.status]
    return Tag(visit.text(label), kind)


def rows_kept(found: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]]) -> PlanRows:
    """Return the rows of a reading as the room of plans takes them."""
    return PlanRows(**{kind: [Row(key, data) for key, data in rows] for kind, rows in found.items()})


async def board_of(visit: Visit, plan: Plan, only: PlanIndicator | None = None) -> Board:
    """Return a plan's indicators (or one) with today's values."""
    indicators = [only] if only else await visit.platform.plans.figures.indicators(visit.scope, plan.plan_no)
    today = visit.platform.clock.today()
    edition = visit.platform.rules.edition(today)
    known = {one.id: one for one in edition.of_kind("measure")}
    wanted = sorted({one.measure for one in indicators if one.measure in known})
    figures, is_away = await _figures(visit, wanted, today)
    rows = []
    for one in indicators:
        definition = known.get(one.measure)
        material = _material(one, definition, figures.get(one.measure, ()))
        rows.append(BoardRow(one, living.view_of(one.data, material, today), definition))
    waits = any(figure.total is None for found in figures.values() for figure in found)
    return Board(plan, rows, waits, is_away, min((found[0].seq for found in figures.values()), default=0))


async def _figures(visit: Visit, wanted: Sequence[str], today: date) -> tuple[dict[str, Any], bool]:
    """Return measure → its totals today, at month ends, a year ago and at year ends; and whether the measures are away."""
    if not wanted:
        return {}, False
    ends = [date(today.year - back, 12, 31) for back in range(1, _YEARS_BACK + 1)]
    days = list(dict.fromkeys([today, *month_ends(today)[1:], living.day_before_a_year(today), *ends]))
    try:
        told = await visit.platform.measures.overview(visit.scope, [(one, days) for one in wanted])
    except XinglinError:
        return {}, True
    return dict(zip(wanted, told, strict=True)), False


def _material(one: PlanIndicator, definition: Definition | None, figures: Sequence[Any]) -> Any:
    if definition is None:
        found = [living.Observed(value_day(value.year, value.month), value.value) for value in one.values if value.state == "approved"]
        return living.Material(found, living.ENTERED, one.path)
    is_count = definition.unit == "count"
    scale = living.scale_of(one.data.get("unit"), is_count) or (1.0 if is_count else 100.0)
    observed = [_observed(figure, is_count, scale) for figure in figures if figure.total is not None]
    known = living.known_measure(definition.base)
    return living.Material([item for item in observed if item], living.COMPUTED, one.path, None if is_count else scale, known)


def _observed(figure: Any, is_count: bool, scale: float) -> Any:
    total = figure.total
    if is_count:
        return living.Observed(figure.day, total.numerator * scale)
    if total.share is None:
        return None
    return living.Observed(figure.day, total.share * scale, living.Counted(total.numerator, total.denominator))


def value_day(year: int, month: int) -> date:
    """Return the last day of a month, of the year for month 0."""
    return date(year, 12, 31) if month in (0, 12) else date(year, month + 1, 1) - timedelta(days=1)


async def as_of_words(visit: Visit, board: Board) -> str:
    """Return the footer's words for a board: the seq of computed values, "" where nothing is computed."""
    return await told_at(visit, board.seq) if board.seq else ""


def base_words(data: Mapping[str, Any]) -> str:
    """Return the newest base as it is written: 68.2 % (2020)."""
    if data.get("base_value") is None:
        return ""
    year = f" ({data['base_year']})" if data.get("base_year") else ""
    return f"{held_together(living.amount(data['base_value'], data.get('unit')))}{year}"


def target_words(row: BoardRow) -> str:
    """Return a target as it is written: ≥75 % (2025); what cannot be a number is said as the document says it."""
    data, target = row.data, row.view.target
    if target is None:
        printed = data.get("target_value")
        return (
            "" if printed is None and data.get("target_op") is None else f"{living.figure(printed)} {data.get('unit') or ''}".strip() or "↑"
        )
    return f"{held_together(living.target_words(target, row.unit))} ({target.year})"


def held_together(words: str) -> str:
    """Return a number and its unit so that no line breaks between them."""
    return words.replace(" ", "\u00a0")
