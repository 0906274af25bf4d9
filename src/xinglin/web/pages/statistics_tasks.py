"""乡镇任务进度: assigned target numbers against what is done, ranked; the page to assign them and to take them from Excel."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from starlette.datastructures import UploadFile
from starlette.responses import Response

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.geo import code_of
from xinglin.engines.identity import Institution
from xinglin.engines.rules import PROGRAMMES, MeasureRow, Target, read_line, read_targets_csv
from xinglin.web.doors import institutions
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.statistics_asking import RIGHTS, is_loading, told_at
from xinglin.web.sheets import read_sheet

NAMES: Final[Mapping[str, str]] = {
    "records": mark("居民建档"),
    "family_doctor": mark("家庭医生签约"),
    "hypertension": mark("高血压管理"),
    "diabetes2": mark("2 型糖尿病管理"),
    "elderly": mark("老年人体检"),
}
DONE_BY: Final[Mapping[str, str]] = {
    "records": "records",
    "family_doctor": "family-doctor-contracts",
    "hypertension": "hypertension-managed",
    "diabetes2": "diabetes2-managed",
    "elderly": "elderly-health-management-rate",
}
_DONE_WORDS: Final = {
    "records": mark("已建档"),
    "family_doctor": mark("在签"),
    "hypertension": mark("在管"),
    "diabetes2": mark("在管"),
    "elderly": mark("已完成体检"),
}
_SLACK: Final = 0.1
_HEADS: Final = {"年度": "year", "区划": "area", "机构": "institution", "项目": "programme", "任务数": "target", "来源": "source"}
_MOST_BYTES: Final = 4_000_000


def time_share(year: int, today: date) -> float:
    """Return how much of a year has passed by a day, 0 to 1.

    >>> time_share(2025, date(2026, 1, 1))
    1.0
    """
    start, end = date(year, 1, 1), date(year + 1, 1, 1)
    return min(1.0, max(0.0, ((today - start).days + 1) / (end - start).days))


def lag_tag(visit: Visit, progress: float | None, passed: float) -> Tag:
    """Return whether progress keeps up with the year: in time, a little behind, or behind."""
    if progress is None:
        return Tag("")
    if progress >= passed:
        return Tag(visit.text("跟上时间进度"), "good")
    return Tag(visit.text("略慢"), "warn") if progress >= passed - _SLACK else Tag(visit.text("落后"), "bad")


async def years(visit: Visit) -> list[tuple[str, str]]:
    """Return the years that have target numbers, the present one first, as choices."""
    this = visit.platform.clock.today().year
    found = await visit.platform.targets.years(visit.scope)
    return [("now", str(this)), *((str(year), str(year)) for year in found if year != this)]


async def task_rows(visit: Visit, year: int, programme: str) -> tuple[list[dict[str, Any]], int]:
    """Return the targets of a programme with what is done, best progress first, and the seq of the numbers."""
    targets = [one for one in await visit.platform.targets.of_year(visit.scope, year) if one.programme == programme]
    places = await visit.platform.geo.names([one.area for one in targets])
    houses = await institutions(visit)
    today = visit.platform.clock.today()
    as_of = today if year >= today.year else date(year, 12, 31)
    by_area: Mapping[int | None, MeasureRow] = {}
    by_house: Mapping[int | None, MeasureRow] = {}
    seq = 0
    measure = DONE_BY.get(programme)
    if measure is not None and targets:
        tables = await asyncio.gather(*(visit.platform.measures.measure(visit.scope, measure, as_of, by) for by in ("town", "institution")))
        by_area, by_house = ({row.group: row for row in table.rows} for table in tables)
        seq = min(table.seq for table in tables)
    passed = time_share(year, today)
    rows = []
    for one in targets:
        shares_area = sum(other.area == one.area for other in targets) > 1
        done = None if measure is None else _done(one, (by_area, by_house), houses, shares_area)
        rows.append(_row(visit, one, (places, houses, measure, as_of, shares_area), (done, passed)))
    rows.sort(key=lambda row: (row["progress"] is None, -(row["progress"] or 0)))
    for rank, row in enumerate(rows, 1):
        row["rank"] = rank if row["progress"] is not None else None
    return rows, seq


def _done(target: Target, tables: tuple[Mapping[int | None, MeasureRow], ...], houses: Mapping[int, Institution], shares_area: bool) -> int:
    """Return what is done for a target: of its area, or of its institution with the clinics under it where an area has several targets."""
    by_area, by_house = tables
    if target.institution is None or not shares_area:
        row = by_area.get(target.area)
        return row.numerator if row else 0
    own = [rid for rid, house in houses.items() if target.institution in (rid, house.part_of)]
    return sum(by_house[rid].numerator for rid in own if rid in by_house)


def _row(visit: Visit, one: Target, known: tuple[Any, ...], numbers: tuple[int | None, float]) -> dict[str, Any]:
    (places, houses, measure, as_of, shares_area), (done, passed) = known, numbers
    progress = None if done is None or not one.target else done / one.target
    below = f"institution={one.institution}&by=village" if one.institution and shares_area else f"area={one.area}&by=institution"
    return {
        "area": places.get(one.area, code_of(one.area)),
        "institution": houses[one.institution].name if one.institution in houses else "",
        "programme": visit.text(NAMES.get(one.programme, one.programme)),
        "target": one.target,
        "done": done,
        "progress": progress,
        "left": None if done is None else max(0, one.target - done),
        "lag": lag_tag(visit, progress, passed),
        "source": one.source,
        "link": f"/measures/{measure}?as_of={as_of}&{below}" if measure else "",
        "assigned": f"/measures/tasks/assigned?programme={one.programme}&year={one.year}&area={one.area}",
    }


async def _asked_rows(visit: Visit, query: Query) -> tuple[list[dict[str, Any]], int]:
    """Return the rows the query asks for, worked out once a request."""
    known = visit.request.state
    if not hasattr(known, "task_rows"):
        known.task_rows = await task_rows(visit, year_of(visit, query), query.get("programme") or "hypertension")
    rows, seq = known.task_rows
    return list(rows), seq


def year_of(visit: Visit, query: Query) -> int:
    """Return the year a list is asked for."""
    text = query.get("year")
    return int(text) if text.isdecimal() and len(text) == 4 else visit.platform.clock.today().year


async def _fetch(visit: Visit, query: Query) -> Rows:
    rows, seq = await _asked_rows(visit, query)
    if query.sort in ("target", "done", "progress", "left"):
        rows.sort(key=lambda row: (row[query.sort] is None, row[query.sort] or 0), reverse=query.descending)
    return Rows(rows[query.offset : query.offset + query.size], len(rows), as_of=await told_at(visit, seq) if seq else "")


async def _context(visit: Visit, query: Query) -> Mapping[str, object]:
    programme = query.get("programme") or "hypertension"
    year = year_of(visit, query)
    rows, _ = await _asked_rows(visit, query)
    targets, done = sum(row["target"] for row in rows), sum(row["done"] or 0 for row in rows)
    return {
        "sums": {"target": targets, "done": done, "progress": done / targets if targets else None},
        "passed": time_share(year, visit.platform.clock.today()),
        "done_word": visit.text(_DONE_WORDS.get(programme, "完成")),
        "uncounted": programme not in DONE_BY,
        "year": year,
        "programme": programme,
        "measure": DONE_BY.get(programme, ""),
        "unknown": not done and await is_loading(visit),
    }


TASKS: Final = ListPage(
    path="/measures/tasks",
    title=mark("任务进度"),
    group="statistics",
    hint=mark("任务数由县项目办下达，点开是谁何时下达；完成数点开是人"),
    rights=RIGHTS,
    fetch=_fetch,
    context=_context,
    template="statistics/tasks.html",
    columns=(
        Column("rank", mark("名次"), "number"),
        Column("area", mark("乡镇（街道）"), path="link", is_main=True),
        Column("institution", mark("机构")),
        Column("target", mark("任务数"), "number", path="assigned", sortable=True),
        Column("done", mark("完成"), "number", path="link", sortable=True),
        Column("progress", mark("进度"), "percent", sortable=True),
        Column("left", mark("还差"), "number", sortable=True),
        Column("lag", mark("时间进度"), "tag"),
        Column("source", mark("来源")),
    ),
    filters=(
        Filter("programme", mark("项目"), "choice", tuple(NAMES.items()), default="hypertension"),
        Filter("year", mark("年度"), "choice", years, default="now"),
    ),
    add=("task.assign", "/measures/tasks/assign", mark("下达任务")),
    empty_title=mark("还没有下达任务数"),
    empty_hint=mark("由县项目办下达，或从 Excel 导入"),
)


async def show_assign(visit: Visit, refusal: str = "", typed: Mapping[str, str] | None = None) -> Response:
    """Show the form that assigns target numbers: a line a township, with what holds now and what was done."""
    query = visit.request.query_params
    today = visit.platform.clock.today()
    year = int(query["year"]) if query.get("year", "").isdecimal() and len(query["year"]) == 4 else today.year
    programme = query.get("programme", "") if query.get("programme", "") in PROGRAMMES else "hypertension"
    held = {
        (one.area, one.institution): one for one in await visit.platform.targets.of_year(visit.scope, year) if one.programme == programme
    }
    lines = await _lines(visit, held)
    context = {
        "year": year,
        "years": [today.year + 1, today.year, today.year - 1],
        "programme": programme,
        "programmes": [(code, visit.text(label)) for code, label in NAMES.items()],
        "lines": lines,
        "typed": typed or {},
        "refusal": refusal,
        "source": (typed or {}).get("source", "") or next((one.source for one in held.values()), ""),
        "history": (await visit.platform.targets.history(visit.scope, year, programme))[:20],
        "places": await visit.platform.geo.names([line["area"] for line in lines]),
    }
    return render(visit, "statistics/assign.html", context, status=422 if refusal else 200)


async def _lines(visit: Visit, held: Mapping[tuple[int, int | None], Target]) -> list[dict[str, Any]]:
    """Return the towns of the scope, each with the institution its number stands for."""
    houses = await institutions(visit)
    hospitals = {house.area: house.rid for house in houses.values() if house.klass.startswith(("C", "B")) and house.area}
    found = []
    for low, high in visit.scope.areas:
        for place in await visit.platform.geo.within(low, high):
            if place.level == "town":
                keys = [key for key in held if key[0] == place.area] or [(place.area, hospitals.get(place.area))]
                for area, rid in keys:
                    one = held.get((area, rid))
                    name = houses[rid].name if rid in houses else ""
                    found.append(
                        {"area": area, "institution": rid or 0, "name": place.name, "house": name, "target": one.target if one else None}
                    )
    return found


async def assign(visit: Visit) -> Response:
    """Save the numbers typed, or those of an uploaded sheet, and go back to the table."""
    form = await visit.form()
    typed = {name: str(value).strip() for name, value in form.items() if not isinstance(value, UploadFile)}
    try:
        upload = form.get("file")
        if isinstance(upload, UploadFile) and upload.filename:
            changed = await _take_file(visit, upload)
        else:
            changed = await visit.platform.targets.put(visit.scope, await _typed_targets(visit, typed))
    except XinglinError as error:
        return await show_assign(visit, visit.said(error), typed)
    await visit.record("assign", "targets", detail=f"{changed} changed")
    return redirect(visit, f"/measures/tasks?programme={typed.get('programme', '')}&year={typed.get('year', '')}")


async def _typed_targets(visit: Visit, typed: Mapping[str, str]) -> list[Target]:
    """Return the numbers of the form, whose fields are `target-<area>-<institution>`.  Raises: IncorrectError naming the division with a wrong one."""
    wanted = [
        (*name.split("-")[1:], value) for name, value in typed.items() if name.startswith("target-") and name.count("-") == 2 and value
    ]
    places = await visit.platform.geo.names([read_number(area) or 0 for area, _, _ in wanted])
    found = []
    for area, institution, value in wanted:
        cells = {name: typed.get(name, "") for name in ("year", "programme", "source")} | {"area": area, "institution": "", "target": value}
        line = read_line(cells, places.get(read_number(area) or 0, area))
        found.append(Target(line.year, line.area, read_number(institution) or None, line.programme, line.target, line.source))
    return found


async def _take_file(visit: Visit, upload: UploadFile) -> int:
    content = await upload.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise IncorrectError("文件超过 4 MB：请只保留任务数一张表", "the file is larger than 4 MB: keep the one sheet with the targets")
    if str(upload.filename).lower().endswith(".csv"):
        return await visit.platform.targets.load(visit.scope, read_targets_csv(content))
    words = {visit.text(label): code for code, label in NAMES.items()} | dict(zip(NAMES.values(), NAMES, strict=True))
    lines = []
    for number, row in enumerate(await asyncio.to_thread(read_sheet, content), 2):
        cells = {name: row.get(head, "") or row.get(name, "") for head, name in _HEADS.items()}
        cells["programme"] = words.get(cells["programme"].strip(), cells["programme"])
        lines.append(read_line(cells, visit.text("第 {number} 行", number=number)))
    return await visit.platform.targets.load(visit.scope, lines)


ROUTES: Final = (
    page("/measures/tasks/assign", show_assign, right="task.assign"),
    page("/measures/tasks/assign", assign, right="task.assign", methods=("POST",)),
    *TASKS.routes(),
)
MENU: Final = (TASKS.entry(),)
