"""统计报表: the table of all measures with change and trend; its other pages stand in `statistics_*`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any, Final

from starlette.responses import Response

from xinglin.definitions import Definition
from xinglin.engines.rules import Figure, month_ends
from xinglin.web.exports import Heading, export_answer
from xinglin.web.i18n import mark
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, render
from xinglin.web.pages import (
    statistics_assigned,
    statistics_disease_control,
    statistics_map,
    statistics_measure,
    statistics_tasks,
    statistics_workload,
)
from xinglin.web.pages.statistics_asking import RIGHTS, day_asked, is_loading, month_before, standing, told_at
from xinglin.web.pages.statistics_population import norm_cells, norm_totals, norms

TOPICS: Final = (
    ("hypertension", mark("高血压管理")),
    ("diabetes2", mark("2 型糖尿病管理")),
    ("elderly", mark("老年人健康管理")),
    ("family-doctor", mark("家庭医生签约")),
    ("records", mark("居民健康档案")),
)
_SHOWN_VARIANTS: Final = ("", "face_to_face", "any_way")
_FIGURES: Final = {"year": mark("全年"), "progress": mark("进度")}
_ORDER: Final = ("standard-rate", "standard-progress", "control-rate", "managed", "visits")


def _measures(visit: Visit, as_of: date) -> list[Definition]:
    """Return the measures of the table, topic by topic."""
    found = [one for one in visit.platform.rules.edition(as_of).of_kind("measure") if one.variant in _SHOWN_VARIANTS]

    def place(one: Definition) -> tuple[int, int, str, str]:
        topic = next((number for number, (code, _) in enumerate(TOPICS) if one.id.startswith(code)), len(TOPICS))
        kind = next((number for number, word in enumerate(_ORDER) if word in one.base), len(_ORDER))
        return topic, kind, one.base, "" if one.variant == "face_to_face" else one.variant

    return sorted(found, key=place)


def _row(visit: Visit, definition: Definition, figures: Sequence[Figure]) -> dict[str, Any]:
    """Return a measure as a row: value today, change against a month ago, values at month ends (oldest first)."""
    total, before = figures[0].total, figures[1].total
    is_count = definition.unit == "count"
    values = [None if one.total is None else one.total.numerator if is_count else one.total.share for one in (figures[0], *figures[2:])]
    value, earlier = values[0], None if before is None else before.numerator if is_count else before.share
    tag, kind = standing(visit, definition)
    return {
        "definition": definition,
        "is_count": is_count,
        "total": total,
        "value": value,
        "change": None if value is None or earlier is None else value - earlier,
        "trend": list(reversed(values)),
        "waits": any(one.total is None for one in figures),
        "tag": tag,
        "tag_kind": kind,
        "figure": visit.text(_FIGURES[definition.figure]) if definition.figure in _FIGURES else "",
        "seq": figures[0].seq,
    }


async def _table(visit: Visit, as_of: date) -> list[dict[str, Any]]:
    days = [as_of, month_before(as_of), *month_ends(as_of)[1:]]
    found = _measures(visit, as_of)
    told = await visit.platform.measures.overview(visit.scope, [(one.id, days) for one in found])
    return [_row(visit, one, figures) for one, figures in zip(found, told, strict=True)]


def _numerators(rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    return {row["definition"].id: row["total"].numerator for row in rows if row["total"] is not None}


async def show_measures(visit: Visit) -> Response:
    """Show the table of measures; `#measures` alone for htmx, which asks again while trends are being made."""
    as_of = day_asked(visit)
    rows = await _table(visit, as_of)
    topics = [(visit.text(label), [row for row in rows if row["definition"].id.startswith(code)]) for code, label in TOPICS]
    context = {
        "topics": topics,
        "day": as_of,
        "before": month_before(as_of),
        "waits": any(row["waits"] for row in rows),
        "loading": await is_loading(visit),
        "suffix": f"?as_of={as_of}" if as_of != visit.platform.clock.today() else "",
        "norms": norms(),
        "norm_totals": await norm_totals(visit, visit.scope, as_of, _numerators(rows)),
        "as_of": await told_at(visit, min((row["seq"] for row in rows), default=0)),
    }
    return render(visit, "statistics/table_of_measures.html" if visit.target == "measures" else "statistics/measures.html", context)


async def export_measures(visit: Visit) -> Response:
    """Return the table of measures as Excel."""
    visit.scope.require("export")
    rows = await _table(visit, day_asked(visit))
    labels = [(visit.text(word), kind) for word, kind in _EXCEL]
    beside = await norm_totals(visit, visit.scope, day_asked(visit), _numerators(rows))

    async def cells() -> AsyncIterator[Sequence[object]]:
        for row in rows:
            total, share = row["total"], row["total"].share
            low, high = total.interval or (None, None)
            yield [
                row["definition"].title.say(visit.language),
                *(total.numerator, None if row["is_count"] else total.denominator, share, low, high),
                *(None if row["is_count"] else row["change"], total.unknown, sum(total.exclusions.values())),
                *(row["tag"], row["definition"].source, row["definition"].clause, row["seq"]),
            ]
            figure = beside.get(row["definition"].id)
            if figure is not None:
                norm = norms()[row["definition"].id]
                *numbers, _, _, told = norm_cells(visit, norm, figure)
                yield [*numbers, None, None, None, visit.text("规范分母"), told, norm.why.say(visit.language), row["seq"]]
        await visit.record("export", "measures")

    as_of = await told_at(visit, min((row["seq"] for row in rows), default=0))
    return await export_answer(visit, Heading(visit.text("指标"), labels, len(rows) + len(beside), as_of), cells())


_EXCEL: Final = (
    (mark("指标"), "text"),
    (mark("分子"), "number"),
    (mark("分母"), "number"),
    (mark("比率"), "percent"),
    (mark("95% 区间下限"), "percent"),
    (mark("95% 区间上限"), "percent"),
    (mark("较上月"), "percent"),
    (mark("不明"), "number"),
    (mark("剔除"), "number"),
    (mark("口径"), "text"),
    (mark("来源"), "text"),
    (mark("条文"), "text"),
    (mark("数据序号"), "number"),
)

ROUTES: Final = (
    page("/measures", show_measures, right=RIGHTS),
    page("/measures/export.xlsx", export_measures, right=RIGHTS),
    *statistics_assigned.ROUTES,
    *statistics_tasks.ROUTES,
    *statistics_map.ROUTES,
    *statistics_workload.ROUTES,
    *statistics_disease_control.ROUTES,
    *statistics_measure.ROUTES,
)
MENU: Final = (
    Entry("statistics", mark("指标"), "/measures", RIGHTS),
    *statistics_tasks.MENU,
    *statistics_map.MENU,
    *statistics_workload.MENU,
    *statistics_disease_control.MENU,
)
