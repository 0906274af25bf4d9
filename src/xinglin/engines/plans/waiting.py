"""What waits for somebody in the plans the district follows: tasks and milestones by their day, values, rows and findings by their plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

import orjson

from xinglin.base.database import Database
from xinglin.engines.security import Scope

SOON_DAYS: Final = 14
_LEAST_NAME: Final = 3
# $1 is the day, $2 how many days ahead a day counts. Plans to compare with, versions no longer in use and drafts of a next version ask nothing by a day.
_QUERY: Final = """
with followed as (select plan_no, title, status = 'approved' or replaces is null as rules from plan where status in ('draft', 'approved') and level <> 'compared')
select 'plan-task' as kind, t.task_no as number, p.plan_no, p.title, coalesce(nullif(t.data->>'title', ''), t.data->>'text', '') as words, t.due, t.unit, t.data->'owners' as owners,
       t.state, t.remind_on, 1::bigint as count, t.task_no as opens
from plan_task t join followed p on p.plan_no = t.plan_no and p.rules
where t.removed_at is null and t.state <> 'done' and (t.due is not null or t.remind_on is not null) and least(t.due, t.remind_on) <= $1::date + $2::int
and (t.due < $1 or t.remind_on <= $1 or (t.remind_on is null and t.due <= $1::date + $2::int))
union all
select 'plan-milestone', m.milestone_no, p.plan_no, p.title, concat_ws(' · ', j.data->>'name', m.title), m.due, null, jsonb_build_array(j.data->>'unit'), '', null, 1, j.project_no
from plan_milestone m join plan_project j on j.project_no = m.project_no and j.removed_at is null join followed p on p.plan_no = j.plan_no and p.rules
where m.removed_at is null and m.done_on is null and m.due < $1
union all
select 'plan-values', max(v.value_no), p.plan_no, p.title, '', null, null, null, '', null, count(*), p.plan_no
from plan_value v join plan_indicator i on i.indicator_no = v.indicator_no and i.removed_at is null join followed p on p.plan_no = i.plan_no and p.rules
where v.state = 'entered' and v.ended_at is null group by p.plan_no, p.title
union all
select 'plan-rows', max(i.indicator_no), p.plan_no, p.title, '', null, null, null, '', null, count(*), p.plan_no
from plan_indicator i join followed p on p.plan_no = i.plan_no where i.removed_at is null and i.data->>'sure' = 'false' group by p.plan_no, p.title
union all
select 'plan-findings', max(f.finding_no), p.plan_no, p.title, '', null, null, null, '', null, count(*), p.plan_no
from plan_finding f join followed p on p.plan_no = f.plan_no where f.gone_at is null and f.state = 'open' group by p.plan_no, p.title"""
_RIGHTS: Final = {"plan-values": "plan.approve", "plan-rows": "plan.edit", "plan-findings": "plan.edit"}


class Asker(Protocol):
    """For whom it is asked (see `workflow.Who`)."""

    @property
    def scope(self) -> Scope:
        """Return who asks."""
        ...

    @property
    def units(self) -> Sequence[str]:
        """Return the names the asker answers for."""
        ...


@dataclass(frozen=True, slots=True)
class PlanWaiting:
    """A thing of a plan that waits. facts: `opens` (number of the task, project or plan), `plan_no`, `plan`, `words`, `units`, `state`, `count`."""

    kind: str
    subject: str
    due: date | None
    facts: Mapping[str, Any]


class PlanReminders:
    """What plans ask of an account: everything for those who keep the plan, for others what their units answer for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, who: Asker, today: date) -> Sequence[PlanWaiting]:
        """Return what waits; nothing without `plan.read`."""
        if not who.scope.allows("plan.read"):
            return []
        async with self._database.connection() as connection:
            rows = await connection.fetch(_QUERY, today, SOON_DAYS)
        return [_told(row) for row in rows if _concerns(row, who)]


def answers_for(printed: str, names: Sequence[str]) -> bool:
    """Return whether one of the names is the unit a plan prints: the same, longer by the county's name, or one of 各….

    >>> answers_for("县人民医院", ["示例县人民医院"]), answers_for("各乡镇卫生院", ["稻绡镇卫生院"]), answers_for("县财政局", ["示例县人民医院"])
    (True, True, False)
    """
    kind = printed.removeprefix("各")
    if kind != printed:
        for word in ("乡镇（街道）", "乡镇(街道)", "乡镇", "街道", "县级", "有关", "级"):
            kind = kind.removeprefix(word)
    least = _LEAST_NAME if kind != printed else _LEAST_NAME + 1
    return any(name == printed or (len(kind) >= least and name.endswith(kind)) for name in names)


def _concerns(row: Any, who: Asker) -> bool:
    right = _RIGHTS.get(row["kind"])
    if right is not None:
        return who.scope.allows(right)
    return who.scope.allows("plan.edit") or any(answers_for(unit, who.units) for unit in _units(row))


def _units(row: Any) -> list[str]:
    if row["unit"]:
        return [unit for unit in str(row["unit"]).replace(",", "、").replace("，", "、").split("、") if unit]
    return [unit for unit in (orjson.loads(row["owners"]) or () if row["owners"] else ()) if unit]


def _told(row: Any) -> PlanWaiting:
    day = row["due"] or row["remind_on"] or ""
    subject = (
        f"{row['number']}:{day}" if row["kind"] in ("plan-task", "plan-milestone") else f"{row['plan_no']}:{row['number']}:{row['count']}"
    )
    facts = {
        "opens": row["opens"],
        "plan_no": row["plan_no"],
        "plan": row["title"],
        "words": row["words"],
        "units": _units(row),
        "state": row["state"],
        "count": row["count"],
    }
    return PlanWaiting(row["kind"], subject, row["due"], facts)
