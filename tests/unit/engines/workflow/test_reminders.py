"""Reminders: what waits for whom, what an account did with each, and that a new day is a new reminder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.http.page_fixtures import AuditTape, scope_of_role
from xinglin.base.clock import FixedClock
from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError
from xinglin.engines.plans import NewMilestone, NewPlan, NewValue, PlanReminders, PlanRows, Plans, Row, TaskChange, answers_for
from xinglin.engines.security import Scope
from xinglin.engines.workflow import DISMISSED, READ, UNREAD, DutyReminders, Reminders

ZONE = ZoneInfo("Asia/Shanghai")
COUNTY, CDC, DOCTOR = scope_of_role("county"), scope_of_role("cdc"), scope_of_role("responsible_doctor")
TASKS = ("早到期的", "晚到期的", "没有期限的", "已完成的")


class Room:
    """Plans and reminders on one database, on 2026-11-21."""

    def __init__(self, database: Database) -> None:
        self.database = database
        clock = FixedClock(datetime(2026, 11, 21, 2, tzinfo=UTC), ZONE)
        self.plans = Plans(database, AuditTape(), clock)
        self.reminders = Reminders(database, clock, (PlanReminders(database), DutyReminders(database)))

    async def plan(self, content: bytes, **more: Any) -> int:
        """Make a plan of four tasks, a project, a sure and a doubtful row, and a finding."""
        rows = PlanRows(
            [Row("a", {"name": "a", "sure": True}), Row("b", {"name": "b", "sure": False})],
            [Row(name, {"title": name, "owners": ["县卫生健康局", "县疾病预防控制中心"]}) for name in TASKS],
            [Row("p", {"name": "门诊楼", "unit": "县人民医院"})],
            [Row("f", {"zh": "不一致", "en": "odd"})],
        )
        document = await self.plans.documents.keep(COUNTY, "plan.txt", content)
        return (await self.plans.books.make(COUNTY, NewPlan(document.document_no, 0, "规划", **more), rows)).plan_no

    async def told(self, scope: Scope, plan: int) -> dict[tuple[str, str], Any]:
        """Return (kind, words) → reminder of a plan, as an account sees it."""
        return {(one.kind, one.facts["words"]): one for one in await self.reminders.waiting(scope) if one.facts.get("plan_no") == plan}


@pytest.fixture(scope="module")
async def room(database_url: str) -> AsyncIterator[Room]:
    database = await Database.open(database_url, zone=ZONE, size=3)
    async with database.transaction() as connection:
        for scope in (COUNTY, CDC, DOCTOR):
            await connection.execute(
                """insert into account (account_no, login, display_name, created_at, created_by) overriding system value
                   values ($1, $2, $2, now(), 0) on conflict do nothing""",
                *(scope.account_no, scope.login),
            )
    yield Room(database)
    await database.close()


@pytest.fixture(scope="module")
async def plan(room: Room) -> int:
    number = await room.plan(b"waits")
    tasks = {one["data"]["title"]: one["task_no"] for one in await room.plans.work.tasks(COUNTY, number)}
    days = {
        TASKS[0]: TaskChange("doing", "", date(2026, 10, 31), None, ""),
        TASKS[1]: TaskChange("open", "", date(2027, 3, 31), None, ""),
        TASKS[3]: TaskChange("done", "", date(2026, 10, 31), None, "示卫发〔2026〕3号"),
    }
    for name, change in days.items():
        await room.plans.work.change_task(COUNTY, tasks[name], change)
    project = (await room.plans.work.projects(COUNTY, number))[0]["project_no"]
    for milestone in (NewMilestone("开工", date(2026, 6, 30)), NewMilestone("封顶", date(2027, 6, 30))):
        await room.plans.work.put_milestone(COUNTY, project, None, milestone)
    first = (await room.plans.figures.indicators(COUNTY, number))[0]
    await room.plans.figures.enter(COUNTY, [NewValue(first.indicator_no, 2025, 0, 1.0, "年鉴")])
    return number


async def test_those_who_keep_the_plan_see_what_is_late_and_what_waits_for_a_word(room: Room, plan: int) -> None:
    told = await room.told(COUNTY, plan)
    assert set(told) == {
        ("plan-task", TASKS[0]),
        ("plan-milestone", "门诊楼 · 开工"),
        ("plan-values", ""),
        ("plan-rows", ""),
        ("plan-findings", ""),
    }
    assert told["plan-task", TASKS[0]].is_late
    assert told["plan-rows", ""].facts["count"] == 1


async def test_a_task_comes_to_the_unit_that_answers_for_it_and_to_no_other(room: Room, plan: int) -> None:
    assert await room.told(CDC, plan) == {}
    await room.reminders.choose_units(CDC, ["县疾病预防控制中心"])
    assert set(await room.told(CDC, plan)) == {("plan-task", TASKS[0])}
    assert await room.reminders.chosen_units(CDC) == ["县疾病预防控制中心"]
    assert await room.told(DOCTOR, plan) == {}


async def test_a_reminder_is_read_put_aside_and_brought_back_and_a_new_day_is_a_new_one(room: Room, plan: int) -> None:
    before = await room.reminders.unread(COUNTY)
    one = (await room.told(COUNTY, plan))["plan-task", TASKS[0]]
    for state, fewer in ((READ, 1), (DISMISSED, 1), (UNREAD, 0)):
        await room.reminders.mark(COUNTY, [one.key], state)
        assert (await room.told(COUNTY, plan))["plan-task", TASKS[0]].state == state
        assert await room.reminders.unread(COUNTY) == before - fewer
    await room.reminders.mark(COUNTY, [one.key], DISMISSED)
    await room.plans.work.change_task(COUNTY, one.facts["opens"], TaskChange("doing", "", date(2026, 11, 1), None, ""))
    assert (await room.told(COUNTY, plan))["plan-task", TASKS[0]].state == UNREAD
    await room.plans.work.change_task(COUNTY, one.facts["opens"], TaskChange("done", "", date(2026, 11, 1), None, "已验收"))
    assert ("plan-task", TASKS[0]) not in await room.told(COUNTY, plan)


async def test_a_task_is_told_from_its_reminder_day_on(room: Room) -> None:
    number = await room.plan(b"reminder day")
    tasks = {one["data"]["title"]: one["task_no"] for one in await room.plans.work.tasks(COUNTY, number)}
    days = {TASKS[0]: date(2026, 11, 21), TASKS[1]: date(2026, 11, 22)}
    for name, day in days.items():
        await room.plans.work.change_task(COUNTY, tasks[name], TaskChange("open", "", date(2026, 12, 1), day, ""))
    await room.plans.work.change_task(COUNTY, tasks[TASKS[2]], TaskChange("open", "", date(2026, 12, 5), None, ""))
    told = await room.told(COUNTY, number)
    assert {words for kind, words in told if kind == "plan-task"} == {TASKS[0], TASKS[2]}


async def test_a_plan_to_compare_with_and_a_next_version_in_draft_ask_nothing(room: Room, plan: int) -> None:
    compared = await room.plan(b"compared", level="compared")
    draft = await room.plan(b"next", replaces=plan)
    await room.plans.books.carry(COUNTY, (plan, draft), {"a": "a"})
    assert await room.told(COUNTY, compared) == {}
    assert {kind for kind, _ in await room.told(COUNTY, draft)} <= {"plan-values", "plan-rows", "plan-findings"}


async def test_a_wrong_state_or_no_reminder_is_refused(room: Room) -> None:
    for keys, state in ((["plan-task:1:"], "gone"), ([], READ)):
        with pytest.raises(IncorrectError):
            await room.reminders.mark(COUNTY, keys, state)


@pytest.mark.parametrize(
    ("printed", "name", "is_meant"),
    [
        ("县人民医院", "示例县人民医院", True),
        ("各乡镇卫生院", "稻绡镇卫生院", True),
        ("各乡镇（街道）卫生院", "稻绡镇中心卫生院", True),
        ("县财政局", "示例县人民医院", False),
        ("医院", "示例县人民医院", False),
    ],
)
def test_a_printed_unit_means_an_institution(printed: str, name: str, is_meant: bool) -> None:
    assert answers_for(printed, [name]) is is_meant
