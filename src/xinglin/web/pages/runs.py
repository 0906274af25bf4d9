"""运行情况: what the system did by itself last night, how long it took, what failed and what to do about it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from xinglin.base.processes import family
from xinglin.engines.jobs import Run, RunQuery
from xinglin.web.days import read_day
from xinglin.web.i18n import mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit
from xinglin.web.pages.administration import disk_facts, lake_facts
from xinglin.web.pages.exchange_rows import local

RIGHT: Final = "settings.manage"
_LONGEST: Final = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Duty:
    """A job in words. is_nightly: it is owed every night.  failed: what to do when it fails."""

    label: str
    hint: str
    is_nightly: bool
    failed: str


DUTIES: Final[Mapping[str, Duty]] = {
    "nightly-results": Duty(
        mark("夜间全员核算"),
        mark("按当天日期重新核算每位居民该做什么、是否逾期"),
        True,
        mark("工作名单仍按昨天的日期；10 分钟后自动重试"),
    ),
    "verification": Duty(
        mark("真实性核查"), mark("查找值得核实的记录"), True, mark("核查名单停在上一次；县项目办可在“真实性核查”页按“现在核查”")
    ),
    "nightly-sessions": Duty(mark("清理过期登录"), mark("删除早已失效的登录"), True, mark("不影响使用；10 分钟后自动重试")),
    "nightly-tokens": Duty(mark("更新查询统计"), mark("让查询选对路径"), True, mark("查询可能变慢，结果不受影响；10 分钟后自动重试")),
    "nightly-lake": Duty(
        mark("整理指标数据"), mark("合并小文件，删除不再使用的文件"), True, mark("磁盘占用会慢慢变大；先看磁盘剩余，10 分钟后自动重试")
    ),
    "results": Duty(
        mark("全员核算"), mark("大批导入或规则改变以后，把每位居民重新核算一遍"), False, mark("几秒后自动重试；期间工作名单停在上一次")
    ),
}
_NOTHING: Final = {"started_at": "", "took": "", "counts": "", "failed": "", "advice": ""}
_COUNTS: Final[Mapping[str, str]] = {
    "rows": mark("核算 {count} 条"),
    "changed": mark("变化 {count} 条"),
    "drifted": mark("两条路径不一致 {count} 条"),
    "found": mark("共 {count} 条"),
    "fresh": mark("新增 {count} 条"),
    "files_deleted": mark("删除文件 {count} 个"),
}


def _label(visit: Visit, job: str) -> str:
    return visit.text(DUTIES[job].label) if job in DUTIES else job


def counts(visit: Visit, run: Run) -> str:
    """Return what came of a run, in words."""
    told = {name: run.detail.get(name) for name in _COUNTS}
    if run.job in ("results", "nightly-results"):
        told["fresh"] = None
    return visit.words.pick("，", ", ").join(
        visit.text(_COUNTS[name], count=f"{count:,}") for name, count in told.items() if isinstance(count, int)
    )


def state(visit: Visit, run: Run) -> Tag:
    """Return how a run ended; one that has run for hours without end was cut off."""
    if run.failed:
        return Tag(visit.text("失败"), "bad")
    if run.finished_at is None:
        cut = visit.platform.clock.now() - run.started_at > _LONGEST
        return Tag(visit.text("中断"), "bad") if cut else Tag(visit.text("进行中"), "brand")
    return Tag(visit.text("完成"), "good")


def advice(visit: Visit, run: Run) -> str:
    """Return what to do about a run, "" where nothing is to be done."""
    if run.failed:
        do = visit.text(DUTIES[run.job].failed) if run.job in DUTIES else visit.text("10 分钟后自动重试")
        return do + visit.text("。仍然失败：看磁盘剩余和“进程”，再把原因和数据文件夹里的 log/engine.log 交给维护人员")
    if state(visit, run).kind == "bad":
        return visit.text("运行到一半被停止（断电或重启），会自动重做")
    if run.detail.get("drifted"):
        return visit.text("已按夜间核算更正；请把这一行告诉维护人员，两条路径本应一致")
    return ""


def _took(visit: Visit, run: Run) -> str:
    if run.duration_ms is None:
        return ""
    seconds = run.duration_ms / 1000
    return visit.text("{count} 秒", count=f"{seconds:.1f}") if seconds < 120 else visit.text("{count} 分钟", count=f"{seconds / 60:.0f}")


def _row(visit: Visit, run: Run) -> dict[str, Any]:
    return {
        "number": run.run_no,
        "job": _label(visit, run.job),
        "day": run.day,
        "started_at": local(visit, run.started_at),
        "took": _took(visit, run),
        "state": state(visit, run),
        "counts": counts(visit, run),
        "failed": visit.words.pick(*run.failed.partition(" · ")[::2]) if " · " in run.failed else run.failed,
        "advice": advice(visit, run),
    }


def owed_day(visit: Visit) -> date:
    """Return the day for which last night's work is owed: today once its time has come, else yesterday."""
    now = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    return now.date() if now.time() >= visit.platform.settings.nightly else now.date() - timedelta(days=1)


def nightly(visit: Visit, newest: Mapping[str, Run]) -> list[dict[str, Any]]:
    """Return each nightly job with its newest run; one that did not run last night says so."""
    found = []
    for job, duty in DUTIES.items():
        if not duty.is_nightly:
            continue
        run = newest.get(job)
        row = _row(visit, run) if run else {"job": _label(visit, job), "state": Tag(visit.text("还没有运行过"), "warn"), **_NOTHING}
        if run is None or run.day < owed_day(visit):
            if run is not None:
                row["state"] = Tag(visit.text("昨夜没有运行"), "bad")
            row["advice"] = visit.text("看“进程”里有没有 engine：没有就重新启动 xinglin serve，它会马上补做；有就等几分钟再刷新")
        found.append(row | {"hint": visit.text(duty.hint), "link": f"/system/runs?job={job}"})
    return found


async def _fetch(visit: Visit, query: Query) -> Rows:
    today = visit.platform.clock.today()
    asked = RunQuery(
        job=query.get("job"),
        since=read_day(query.get("since"), today, "since"),
        until=read_day(query.get("until"), today, "until"),
        only_failed=query.get("state") == "failed",
        limit=query.size,
        offset=query.offset,
    )
    found, total = await visit.platform.runs.page(asked)
    return Rows([_row(visit, run) for run in found], total)


async def _context(visit: Visit, query: Query) -> Mapping[str, object]:
    newest = {run.job: run for run in await visit.platform.runs.newest()}
    rows = nightly(visit, newest)
    return {
        "nightly": rows,
        "wrong": sum(row["state"].kind in ("bad", "warn") for row in rows),
        "at": f"{visit.platform.settings.nightly:%H:%M}",
        "lake": await lake_facts(visit),
        "disk": await asyncio.to_thread(disk_facts, visit),
        "processes": await asyncio.to_thread(family),
    }


async def _jobs(visit: Visit) -> list[tuple[str, str]]:
    return [(job, _label(visit, job)) for job in dict.fromkeys((*DUTIES, *await visit.platform.runs.jobs()))]


RUNS: Final = ListPage(
    path="/system/runs",
    title=mark("运行情况"),
    group="system",
    hint=mark("系统每夜自己做的事：做了什么、用了多久、失败了怎么办"),
    rights=(RIGHT,),
    is_plain=True,
    fetch=_fetch,
    context=_context,
    template="administration/runs.html",
    columns=(
        Column("number", mark("编号"), "number", is_main=True),
        Column("job", mark("任务")),
        Column("day", mark("为哪一天"), "date"),
        Column("started_at", mark("开始")),
        Column("took", mark("用时")),
        Column("state", mark("状态"), "tag"),
        Column("counts", mark("结果")),
        Column("failed", mark("失败原因")),
        Column("advice", mark("怎么办")),
    ),
    filters=(
        Filter("job", mark("任务"), "choice", _jobs),
        Filter("state", mark("状态"), "choice", (("failed", mark("失败")),)),
        Filter("since", mark("从"), "date"),
        Filter("until", mark("到"), "date"),
    ),
    empty_title=mark("没有运行记录"),
    empty_hint=mark("放宽查询条件；新装的系统到夜间时间以后才有"),
)
ROUTES: Final = RUNS.routes()
MENU: Final = (RUNS.entry(),)
