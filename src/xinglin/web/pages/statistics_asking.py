"""What the address of a measure asks: which measure, on which day, known when, and for which part of the district."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final, get_args
from urllib.parse import urlencode

from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.definitions import Definition
from xinglin.engines.geo import level_of, subtree
from xinglin.engines.rules import Focus, GroupBy
from xinglin.engines.security import Scope
from xinglin.web.days import read_day
from xinglin.web.doors import institutions, workers
from xinglin.web.frame import work_going
from xinglin.web.i18n import mark
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit

RIGHTS: Final = ("county.figures", "institution.figures", "cdc.figures", "report.monthly")
FIRST: Final = "hypertension-control-rate"
"""The measure of an address that names none."""
GROUPS: Final[Mapping[str, str]] = {
    "town": mark("乡镇（街道）"),
    "institution": mark("机构"),
    "village": mark("村（居）"),
    "practitioner": mark("责任人"),
}
PARTS: Final[Mapping[str, str]] = {
    "numerator": mark("分子"),
    "denominator": mark("分母"),
    "gap": mark("未达标"),
    "unknown": mark("不明"),
    "excluded": mark("剔除"),
}
_NEXT: Final[Mapping[str, str]] = {"none": "town", "town": "institution", "institution": "village", "village": "practitioner"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks. by: how the groups below are cut.  area: 12 digits, 0 for one's whole scope.  known: seq, 0 for now.

    institution, worker: rids, 0 for all.  scope: one's own, narrowed to the area.
    """

    definition: Definition
    as_of: date
    by: GroupBy
    area: int
    institution: int
    worker: int
    known: int
    scope: Scope

    @property
    def focus(self) -> Focus:
        """Return the part as the rules take it."""
        return Focus(self.institution or None, self.worker or None, self.known or None)

    def state(self, **changes: object) -> dict[str, object]:
        """Return the address' values; those that hold anyway are left out."""
        state: dict[str, object] = {
            "as_of": self.as_of.isoformat(),
            "area": self.area,
            "institution": self.institution,
            "worker": self.worker,
        }
        state |= {"known": f"#{self.known}" if self.known else 0, "by": self.by} | changes
        return {name: value for name, value in state.items() if value}

    def path(self, measure: str = "", **changes: object) -> str:
        """Return the address of the measure's page (or of another measure's) with some values changed."""
        return f"/measures/{measure or self.definition.id}?{urlencode(self.state(**changes))}"

    def people(self, part: str, **changes: object) -> str:
        """Return the address of the people of a part."""
        return f"/measures/people?{urlencode({'measure': self.definition.id, 'part': part} | self.state(by='', **changes))}"

    def under(self, group: int | None) -> Asked:
        """Return what is asked for one group of `by`, cut one level further down."""
        following: Any = _NEXT.get(self.by, "village")
        values: dict[str, Any] = {"by": following}
        if self.by in ("town", "village"):
            values["area"] = group or 0
        elif self.by == "institution":
            values["institution"] = group or 0
        elif self.by == "practitioner":
            values["worker"] = group or 0
        return replace(self, **values)


def day_asked(visit: Visit, name: str = "as_of") -> date:
    """Return the day an address names, today where it names none or a later one.  Raises: IncorrectError."""
    today = visit.platform.clock.today()
    day = read_day(visit.request.query_params.get(name, ""), today, name)
    return today if day is None else min(day, today)


def number_asked(visit: Visit, name: str) -> int:
    """Return a whole number of the address, 0 where there is none."""
    return read_number(visit.request.query_params.get(name, "")) or 0


async def asked(visit: Visit) -> Asked:
    """Return what the address asks.  Raises: NotFoundError for an unknown measure or area, IncorrectError for a wrong day."""
    query, as_of = visit.request.query_params, day_asked(visit)
    definition = measure_of(visit, visit.request.path_params.get("measure", "") or query.get("measure", "") or FIRST, as_of)
    area = number_asked(visit, "area")
    scope = narrowed(visit.scope, area)
    wanted = query.get("by", "")
    by: Any = wanted if wanted in get_args(GroupBy) else first_cut(scope)
    known = await known_asked(visit)
    return Asked(definition, as_of, by, area, number_asked(visit, "institution"), number_asked(visit, "worker"), known, scope)


def measure_of(visit: Visit, measure_id: str, as_of: date) -> Definition:
    """Return a measure in force on a day.  Raises: NotFoundError."""
    definition: Definition = visit.platform.rules.edition(as_of).get(measure_id)
    if definition.kind != "measure":
        raise NotFoundError("没有这个指标", "there is no such measure")
    return definition


def first_cut(scope: Scope) -> str:
    """Return how a scope's groups are cut first: a county by town, a town by institution, a village by worker."""
    low, high = scope.areas[0] if scope.areas else (0, 0)
    if len(scope.areas) == 1 and low == high:
        return "practitioner"
    if len(scope.areas) == 1 and high - low < 1000:
        return "institution"
    return "town"


def narrowed(scope: Scope, area: int) -> Scope:
    """Return the part of a scope that lies in an area; the whole of it for 0.  Raises: NotFoundError for an area outside it."""
    if not area:
        return scope
    low, high = subtree(area)
    inner = [(max(low, a), min(high, b)) for a, b in scope.areas if max(low, a) <= min(high, b)]
    if not inner:
        raise NotFoundError("没有这个地区", "there is no such area")
    return scope.narrowed(areas=inner)


def seq_typed(text: str, today: date) -> int | None:
    """Return the seq somebody typed, None where it is a day or nothing: eight digits that are a day are one, and `#20261121` is a seq.

    >>> seq_typed("22245", date(2026, 11, 22)), seq_typed("20261121", date(2026, 11, 22)), seq_typed("#20261121", date(2026, 11, 22))
    (22245, None, 20261121)
    """
    number = read_number(text.removeprefix("#"))
    return number if text.startswith("#") or number is None or not _is_day(text, today) else None


def _is_day(text: str, today: date) -> bool:
    try:
        return len(text) == 8 and date(2000, 1, 1) <= date.fromisoformat(text) <= today
    except ValueError:
        return False


async def known_asked(visit: Visit) -> int:
    """Return the seq of `known`, which is a seq or the day at whose end the record is looked at; 0 for now.  Raises: IncorrectError."""
    text = visit.request.query_params.get("known", "").strip()
    if not text:
        return 0
    head: int = await visit.platform.store.head()
    number = seq_typed(text, visit.platform.clock.today())
    if number is not None:
        return number if 0 < number < head else 0
    try:
        day = read_day(text, visit.platform.clock.today()) or visit.platform.clock.today()
    except IncorrectError as error:
        raise IncorrectError(
            "“当时所知”写日期（20261121 或 2026-11-21）或序号", "write a day (20261121 or 2026-11-21) or a sequence number", where="known"
        ) from error
    ends = datetime(day.year, day.month, day.day, tzinfo=visit.platform.clock.zone) + timedelta(days=1)
    async with visit.platform.database.connection() as connection:
        seq: int = await connection.fetchval("select coalesce(max(seq), 0) from feed where ts < $1", ends)
    if not seq:
        raise IncorrectError("那一天系统里还没有数据：请选后面的日期", "the system had no data by then: choose a later day", where="known")
    return seq if seq < head else 0


async def told_at(visit: Visit, seq: int) -> str:
    """Return the footer's words for numbers of a seq: when its newest entry came, and the seq."""
    async with visit.platform.database.connection() as connection:
        instant = await connection.fetchval("select ts from feed where seq = $1", seq)
    if instant is None:
        return str(visit.text("序号 {seq}", seq=seq))
    time = instant.astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d %H:%M:%S")
    return str(visit.text("{time}（序号 {seq}）", time=time, seq=seq))


async def is_loading(visit: Visit) -> bool:
    """Return whether data are being loaded: a number that is nought then is not known yet, and a page says so."""
    return bool(visit.frame.work or await work_going(visit.platform))


async def group_names(visit: Visit, by: str, groups: Sequence[int]) -> Mapping[int, str]:
    """Return the names of areas, institutions or workers."""
    if by in ("town", "village"):
        found: Mapping[int, str] = await visit.platform.geo.names(groups)
        return found
    if by == "institution":
        return {rid: one.name for rid, one in (await institutions(visit)).items()}
    return await workers(visit) if by == "practitioner" else {}


async def crumbs(visit: Visit, one: Asked) -> list[tuple[str, str]]:
    """Return (name, address) from one's whole scope down to what is asked."""
    whole = replace(one, area=0, institution=0, worker=0, scope=visit.scope)
    found = [(visit.text("全部范围"), whole.path(by=first_cut(visit.scope)))]
    if one.area:
        places = [place.area for place in await visit.platform.geo.ancestors(one.area) if place.level == "town"] + [one.area]
        names = await visit.platform.geo.names(places)
        for area in dict.fromkeys(places):
            if any(low <= area <= high for low, high in visit.scope.areas):
                by = "institution" if level_of(area) == "town" else "practitioner"
                found.append((names.get(area, str(area)), replace(whole, area=area).path(by=by)))
    if one.institution:
        place = (await institutions(visit)).get(one.institution)
        found.append((place.name if place else str(one.institution), replace(one, worker=0).path(by="village")))
    if one.worker:
        found.append(((await workers(visit)).get(one.worker, str(one.worker)), one.path()))
    return found


def month_before(day: date) -> date:
    """Return the same day of the month before, or that month's last.

    >>> month_before(date(2026, 3, 31))
    datetime.date(2026, 2, 28)
    """
    end = day.replace(day=1) - timedelta(days=1)
    return end.replace(day=min(day.day, end.day))


def standing(visit: Visit, definition: Definition) -> tuple[str, str]:
    """Return the tag of a definition: national, local, or not yet compared with the text; and its colour."""
    if definition.status == "local":
        return visit.text("本地口径"), "apricot"
    if not definition.verified:
        return visit.text("国家口径 · 待核对"), "warn"
    return visit.text("国家口径"), "good"
