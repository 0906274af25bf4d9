"""The mid-term and final evaluation of a plan as a model: what a report says, before it is a page or a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from xinglin.modules.plan.living.board import COMPUTED, View, counts_of, is_counted
from xinglin.modules.plan.living.standing import BEHIND, NO_VALUE, ON_TRACK, REACHED, STATES
from xinglin.modules.plan.living.targets import decimal_year
from xinglin.modules.plan.living.words import Said, amount, target_words
from xinglin.modules.plan.reading.normal import plain

MID_TERM, FINAL = "mid_term", "final"
_LEAST_NAME: Final = 4
TITLES: Final = {MID_TERM: Said("中期评估报告", "Mid-term evaluation"), FINAL: Said("终期评估报告", "Final evaluation")}


@dataclass(frozen=True, slots=True)
class Judged:
    """An indicator to be reported. owner: who answers for it.  measure: words and source of what computes it, "" for entered values.

    sources: of the entered values, newest first.  reason: what people wrote of why it falls short.
    """

    data: Mapping[str, Any]
    view: View
    owner: str
    measure: str = ""
    sources: Sequence[str] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the report. number: what the evidence is cited by.  why: why reached or not.  evidence: where the number comes from.

    kind: binding, expected or "".  reason: what people wrote of why.  tasks: the plan's tasks that speak of it, with how far they are.
    """

    number: int
    name: str
    category: str
    base: str
    target: str
    value: str
    state: str
    why: Said
    evidence: Said
    owner: str
    kind: str = ""
    reason: str = ""
    tasks: Sequence[TaskLine] = ()


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task that is done, stuck, late or not begun, with its evidence. text: its whole sentence."""

    words: str
    owner: str
    state: str
    evidence: str
    is_late: bool
    text: str = ""


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A project. done: milestones that are reached, of all.  next: the coming one with its day."""

    name: str
    owner: str
    done: int
    all: int
    next: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing before the report is whole. what: in both languages.  names: of the rows."""

    what: Said
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report: missing items first, then the counts, the table in the document's order, what was reached, what not and why.

    facts: what stands under the title: period, day, data.
    """

    title: Said
    plan: str
    as_of: date
    missing: Sequence[Missing]
    counts: Mapping[str, int]
    summary: Said
    entries: Sequence[Entry]
    tasks: Sequence[TaskLine]
    projects: Sequence[ProjectLine] = ()
    facts: Sequence[tuple[Said, Said]] = ()

    def by_category(self) -> list[tuple[str, dict[str, int]]]:
        """Return for each category, in the document's order, how many indicators stand in each state and in `all`."""
        found: dict[str, dict[str, int]] = {}
        for one in self.entries:
            row = found.setdefault(one.category, {"all": 0, **dict.fromkeys(STATES, 0)})
            row["all"] += 1
            row[one.state] += 1
        return list(found.items())

    def of(self, *states: str) -> list[Entry]:
        """Return the lines in some states."""
        return [one for one in self.entries if one.state in states]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evaluated. kind: mid_term or final.  findings: open inconsistencies of the document.  doubtful: names of rows read in doubt.

    period: first and last year.  data: as of when the computed values are, "" without any.  office: who makes the report.
    waits: why computed values or trends are not whole yet, None where they are.
    """

    kind: str
    plan: str
    as_of: date
    findings: int = 0
    doubtful: Sequence[str] = ()
    period: tuple[int | None, int | None] = (None, None)
    data: str = ""
    office: str = ""
    waits: Said | None = None


def evaluate(subject: Subject, rows: Sequence[Judged], tasks: Sequence[TaskLine], projects: Sequence[ProjectLine] = ()) -> Evaluation:
    """Return the report of a plan on a day. Only rows the cockpit counts are judged; the others are named as missing."""
    judged = [one for one in rows if is_counted(one.data)]
    counts = counts_of([one.view for one in judged])
    entries = [_entry(number, one, tasks) for number, one in enumerate(judged, 1)]
    return Evaluation(
        TITLES[subject.kind],
        subject.plan,
        subject.as_of,
        _missing(subject, judged, tasks),
        counts,
        _summary(subject, counts, entries),
        entries,
        tasks,
        projects,
        _facts(subject),
    )


def _facts(subject: Subject) -> list[tuple[Said, Said]]:
    """Return what stands under the title."""
    first, last = subject.period
    found = [(Said("评估日期", "Day"), Said(str(subject.as_of), str(subject.as_of)))]
    if first and last:
        passed = min(1.0, max(0.0, (decimal_year(subject.as_of) - first) / (last + 1 - first)))
        found.insert(
            0, (Said("规划期", "Period"), Said(f"{first}—{last} 年，已过 {passed:.0%}", f"{first}–{last}, {passed:.0%} of it passed"))
        )
    if subject.office:
        found.append((Said("编制", "Made by"), Said(subject.office, subject.office)))
    if subject.data:
        found.append((Said("本系统计算的数值", "Values computed here"), Said(f"数据截至 {subject.data}", f"data as of {subject.data}")))
    return found


def _entry(number: int, one: Judged, tasks: Sequence[TaskLine]) -> Entry:
    data, view = one.data, one.view
    unit, now = data.get("unit") or "", view.now
    base = "" if data.get("base_value") is None else f"{amount(data['base_value'], unit)} ({data.get('base_year') or ''})"
    target = f"{target_words(view.target, unit)} ({view.target.year})" if view.target else ""
    value = f"{amount(now.value, unit)} ({now.day})" if now else ""
    return Entry(
        number,
        name_of(data),
        "" if data.get("origin") == "text" else str(data.get("category") or ""),
        base,
        target,
        value,
        view.standing.state,
        _why(view),
        _evidence(one),
        one.owner,
        str(data.get("kind") or ""),
        one.reason,
        [task for task in tasks if speaks_of(task, str(data["name"]))],
    )


def name_of(data: Mapping[str, Any]) -> str:
    """Return what a report calls an indicator: a part of another with its whole before it."""
    return f"{data['parent']} · {data['name']}" if data.get("parent") else str(data["name"])


def speaks_of(task: TaskLine, name: str) -> bool:
    """Return whether a task's words name an indicator; a name of less than four signs says too little."""
    wanted = plain(name)
    return len(wanted) >= _LEAST_NAME and wanted in plain(f"{task.words}{task.text}")


def _why(view: View) -> Said:
    """Return why an indicator stands where it stands, with its forecast and its gap in people."""
    parts = [view.standing.why]
    if view.standing.state in (BEHIND, ON_TRACK):
        parts.append(view.forecast_words)
    if view.missing:
        parts.append(view.gap_words)
    return Said("；".join(one.zh for one in parts), "; ".join(one.en for one in parts))


def _evidence(one: Judged) -> Said:
    now = one.view.now
    if now is None:
        return Said("", "")
    if one.view.origin == COMPUTED:
        share = f"：{now.counted.numerator:,.0f} ÷ {now.counted.denominator:,.0f}" if now.counted else ""
        return Said(f"本系统计算，{one.measure}{share}", f"computed here, {one.measure}{share.replace('：', ': ')}")
    source = one.sources[0] if one.sources else ""
    return Said(f"录入，来源：{source}", f"entered, source: {source}")


def _missing(subject: Subject, judged: Sequence[Judged], tasks: Sequence[TaskLine]) -> list[Missing]:
    without = [name_of(one.data) for one in judged if one.view.standing.state == NO_VALUE]
    unowned = [name_of(one.data) for one in judged if not one.owner and one.view.standing.state in (BEHIND, NO_VALUE)]
    unproved = [one.words for one in tasks if one.state != "done" and not one.evidence]
    unexplained = [name_of(one.data) for one in judged if one.view.standing.state == BEHIND and not one.reason]
    stale = [name_of(one.data) for one in judged if one.view.now and (subject.as_of - one.view.now.day).days > 548]
    found = [
        Missing(Said("没有数值的指标", "indicators without a value"), without),
        Missing(Said("数值早于一年半的指标", "indicators whose value is older than a year and a half"), stale),
        Missing(Said("读取时存疑、还没有人确认的行", "rows read in doubt that nobody has confirmed"), list(subject.doubtful)),
        Missing(Said("落后或没有数值而没有责任单位的指标", "indicators behind or without a value that nobody answers for"), unowned),
        Missing(Said("落后而没有写原因和措施的指标", "indicators behind of which nobody wrote why and what is done"), unexplained),
        Missing(Said("没有完成也没有写依据的任务", "tasks neither done nor with evidence"), unproved),
    ]
    told = [one for one in found if one.names]
    if subject.waits is not None:
        told.insert(0, Missing(Said(f"暂缺：{subject.waits.zh}", f"not yet there: {subject.waits.en}"), []))
    if subject.findings:
        words = Said(f"文件里 {subject.findings} 处不一致没有处理", f"{subject.findings} inconsistencies of the document are not decided")
        told.append(Missing(words, []))
    return told


def _summary(subject: Subject, counts: Mapping[str, int], entries: Sequence[Entry]) -> Said:
    number, told = counts["all"], counts["all"] - counts[NO_VALUE]
    zh = f"截至 {subject.as_of}，规划 {number} 项指标中有 {told} 项有数值，其中 {counts[COMPUTED]} 项由本系统计算；已达到 {counts[REACHED]} 项，按进度 {counts[ON_TRACK]} 项，落后 {counts[BEHIND]} 项，无数值 {counts[NO_VALUE]} 项。"
    en = (
        f"On {subject.as_of}, {told} of the plan's {number} indicators have a value, {counts[COMPUTED]} of them computed here;"
        f" {counts[REACHED]} reached, {counts[ON_TRACK]} on track, {counts[BEHIND]} behind, {counts[NO_VALUE]} without a value."
    )
    binding = [one.state for one in entries if one.kind == "binding"]
    if not binding:
        return Said(zh, en)
    reached, track, behind, none = (binding.count(state) for state in (REACHED, ON_TRACK, BEHIND, NO_VALUE))
    return Said(
        f"{zh}约束性指标 {len(binding)} 项：已达到 {reached} 项，按进度 {track} 项，落后 {behind} 项，无数值 {none} 项。",
        f"{en} Of {len(binding)} binding indicators {reached} are reached, {track} on track, {behind} behind, {none} without a value.",
    )
