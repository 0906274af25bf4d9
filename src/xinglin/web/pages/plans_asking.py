"""What the pages of a plan ask: which plan, its indicators with today's values, and the words for states and levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from xinglin.base.errors import NotFoundError
from xinglin.definitions import Definition
from xinglin.engines.plans import Plan, PlanIndicator, PlanRows, Row
from xinglin.web.i18n import mark
from xinglin.web.lists import Tag
from xinglin.web.modules import part_of_module
from xinglin.web.page import Visit
from xinglin.web.pages.plans_figures import SAID, Figures, figures_of
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
_MOST_NUMBER: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class BoardRow:
    """An indicator and how it stands. definition: of its measure, None without one in force.  own: today's value of one's own part of the district."""

    indicator: PlanIndicator
    view: Any
    definition: Definition | None
    own: Any = None

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
    """A plan's indicators today, of the whole district whoever asks. figures: what the measures told."""

    plan: Plan
    rows: Sequence[BoardRow]
    figures: Figures

    @property
    def waits(self) -> bool:
        """Return whether some month ends are still being made."""
        return self.figures.waits

    @property
    def state(self) -> str:
        """Return counted, counting or away: whether the computed values are there."""
        return self.figures.state

    @property
    def note(self) -> str:
        """Return the sentence (message id) about computed values that are not there, "" where all are."""
        return SAID.get(self.figures.state, "")

    @property
    def is_part(self) -> bool:
        """Return whether who asks answers for a part of the district only."""
        return self.figures.is_part

    @property
    def seq(self) -> int:
        """Return the seq of the computed values, 0 where none is."""
        return self.figures.seq

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
    figures = await figures_of(visit, wanted, today)
    rows = []
    for one in indicators:
        definition = known.get(one.measure)
        material = _material(one, definition, figures)
        own = _own(one, definition, figures, today)
        rows.append(BoardRow(one, living.view_of(one.data, material, today), definition, own))
    return Board(plan, rows, figures)


def _own(one: PlanIndicator, definition: Definition | None, figures: Figures, today: date) -> Any:
    """Return today's value of one's own part, None where there is none."""
    total = figures.own.get(one.measure)
    if definition is None or total is None:
        return None
    return _observed(today, total, definition.unit == "count", _scale(one, definition))


def _scale(one: PlanIndicator, definition: Definition) -> float:
    is_count = definition.unit == "count"
    scale: float = living.scale_of(one.data.get("unit"), is_count) or (1.0 if is_count else 100.0)
    return scale


def _material(one: PlanIndicator, definition: Definition | None, figures: Figures) -> Any:
    if definition is None:
        found = [living.Observed(value_day(value.year, value.month), value.value) for value in one.values if value.state == "approved"]
        return living.Material(found, living.ENTERED, one.path)
    is_count, scale = definition.unit == "count", _scale(one, definition)
    told = [figure for figure in figures.by_measure.get(one.measure, ()) if figure.total is not None]
    observed = [_observed(figure.day, figure.total, is_count, scale) for figure in told]
    known = living.known_measure(definition.base)
    pending = figures.pending if one.measure not in figures.by_measure else None
    seen = [item for item in observed if item]
    return living.Material(seen, living.COMPUTED, one.path, None if is_count else scale, known, pending, figures.waits_for(one.measure))


def _observed(day: date, total: Any, is_count: bool, scale: float) -> Any:
    if is_count:
        return living.Observed(day, total.numerator * scale)
    if total.share is None:
        return None
    return living.Observed(day, total.share * scale, living.Counted(total.numerator, total.denominator))


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


def own_words(visit: Visit, row: BoardRow) -> str:
    """Return how one's own part of the district stands beside it: value, numbers, difference and what it lacks; "" for the whole district."""
    own, now = row.own, row.view.now
    if own is None or now is None:
        return ""
    told = held_together(living.amount(own.value, row.unit))
    if own.counted is None:
        share = f"{own.value / now.value:.1%}" if now.value else "—"
        return str(visit.text(mark("本辖区 {value}，占全县 {share}"), value=told, share=share))
    parts = [
        visit.text(
            mark("本辖区 {value}（{n} / {of}）"), value=told, n=f"{own.counted.numerator:,.0f}", of=f"{own.counted.denominator:,.0f}"
        )
    ]
    apart = round(own.value - now.value, 2)
    if apart:
        words = mark("高于全县 {apart}") if apart > 0 else mark("低于全县 {apart}")
        points = visit.text(mark("个百分点")) if row.unit in ("%", "％") else row.unit
        parts.append(visit.text(words, apart=f"{living.figure(abs(apart))} {points}".strip()))
    missing = (
        living.people_missing(row.view.target, own.counted, _scale(row.indicator, row.definition))
        if row.view.target and row.definition
        else None
    )
    if missing:
        words = mark("多出 {people} 人") if row.view.target.is_lower_better else mark("还差 {people} 人")
        parts.append(visit.text(words, people=f"{missing:,}"))
    return visit.words.pick("，", ", ").join(parts)
