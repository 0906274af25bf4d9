"""The room of plans: who may do what, what is kept across readings and versions, and that every change is audited."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.http.page_fixtures import AuditTape, scope_of_role
from xinglin.base.clock import FixedClock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError
from xinglin.engines.plans import NewImport, NewMilestone, NewPlan, NewValue, PlanRows, Plans, Row, TaskChange
from xinglin.engines.security import AuditEntry, Scope

ZONE = ZoneInfo("Asia/Shanghai")
COUNTY, READER = scope_of_role("county"), scope_of_role("cdc")


class Room:
    """The room with its audit tape."""

    def __init__(self, database: Database) -> None:
        self.tape = AuditTape()
        self.plans = Plans(database, self.tape, FixedClock(datetime(2026, 11, 21, 2, tzinfo=UTC), ZONE))

    async def draft(self, content: bytes, **more: Any) -> int:
        """Return the number of a draft of two indicators, a task, a project and a finding."""
        document = await self.plans.documents.keep(COUNTY, "plan.txt", content)
        return (await self.plans.books.make(COUNTY, NewPlan(document.document_no, 0, "规划", **more), rows())).plan_no


def rows(*names: str) -> PlanRows:
    indicators = [Row(name, {"name": name, "unit": "%"}) for name in names or ("a", "b")]
    return PlanRows(indicators, [Row("t", {"title": "任务"})], [Row("p", {"name": "项目"})], [Row("f", {"zh": "不一致"})])


@pytest.fixture(scope="module")
async def room(database_url: str) -> AsyncIterator[Room]:
    database = await Database.open(database_url, zone=ZONE, size=3)
    yield Room(database)
    await database.close()


async def test_equal_bytes_are_one_document_and_one_plan(room: Room) -> None:
    assert await room.draft(b"equal") == await room.draft(b"equal")


async def test_reading_needs_plan_read_and_each_change_its_right(room: Room) -> None:
    plan = await room.draft(b"rights")
    one = (await room.plans.figures.indicators(READER, plan))[0]
    calls = (
        room.plans.figures.bind(READER, one.indicator_no, "records"),
        room.plans.figures.set_path(READER, one.indicator_no, {2027: 1.0}),
        room.plans.figures.enter(READER, [NewValue(one.indicator_no, 2025, 0, 1.0, "年鉴")]),
        room.plans.books.approve(READER, plan),
        room.plans.documents.keep(READER, "x.txt", b"x"),
    )
    for call in calls:
        with pytest.raises(ForbiddenError):
            await call
    with pytest.raises(ForbiddenError):
        await room.plans.books.plans(scope_of_role("auditor"))
    await room.plans.figures.bind(COUNTY, one.indicator_no, "records")
    assert [(entry.action, entry.subject_type) for entry in room.tape.entries][-1] == ("bind", "plan")


async def test_a_row_that_comes_back_has_all_that_hung_on_it(room: Room) -> None:
    plan = await room.draft(b"comes back")
    figures, books = room.plans.figures, room.plans.books
    first = (await figures.indicators(COUNTY, plan))[0]
    await figures.bind(COUNTY, first.indicator_no, "records")
    await figures.set_path(COUNTY, first.indicator_no, {2027: 61.5})
    await books.fill(COUNTY, plan, rows("b"))
    assert [one.fingerprint for one in await figures.indicators(COUNTY, plan)] == ["b"]
    await books.fill(COUNTY, plan, rows("b", "a"))
    back = (await figures.indicators(COUNTY, plan))[1]
    assert (back.indicator_no, back.measure, dict(back.path)) == (first.indicator_no, "records", {2027: 61.5})


async def test_of_two_decisions_on_a_draft_at_once_one_holds(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    books, old = room.plans.books, await room.draft(b"in force")
    await books.approve(COUNTY, old)
    document = (await books.plan(COUNTY, old)).document_no
    await books.withdraw(COUNTY, await room.draft(b"other"))
    draft = (await books.make(COUNTY, NewPlan(document, 1, "规划", replaces=old), rows())).plan_no
    told = room.tape.record

    async def meanwhile(entry: AuditEntry) -> None:
        monkeypatch.undo()
        await told(entry)
        await books.withdraw(COUNTY, draft)

    monkeypatch.setattr(room.tape, "record", meanwhile)
    with pytest.raises(ConflictError):
        await books.approve(COUNTY, draft)
    assert [(await books.plan(COUNTY, one)).status for one in (old, draft)] == ["approved", "withdrawn"]
    with pytest.raises(ConflictError):
        await books.describe(COUNTY, draft, NewPlan(document, 1, "改名"))
    assert (await books.plan(COUNTY, draft)).title == "规划"


async def test_values_wait_are_approved_and_earlier_ones_stay_behind(room: Room) -> None:
    plan = await room.draft(b"values")
    figures = room.plans.figures
    number = (await figures.indicators(COUNTY, plan))[0].indicator_no
    value = NewValue(number, 2025, 0, 70.0, "年鉴")
    assert await figures.enter(COUNTY, [value]) == 1
    assert await figures.enter(COUNTY, [value]) == 0
    held = (await figures.indicator(COUNTY, number)).values[0]
    assert held.state == "entered"
    assert await figures.decide(COUNTY, [held.value_no], "approved") == 1
    assert await figures.enter(COUNTY, [NewValue(number, 2025, 0, 71.0, "年鉴")]) == 1
    assert await states(room, number) == [(70.0, "approved"), (71.0, "entered")]
    assert await figures.enter(COUNTY, [NewValue(number, 2025, 0, 71.0, "年鉴")]) == 0
    for wrong in (
        NewValue(number, 1800, 0, 1.0, "年鉴"),
        NewValue(number, 2025, 13, 1.0, "年鉴"),
        NewValue(number, 2025, 0, float("nan"), "年鉴"),
        NewValue(number, 2025, 0, 1.0, " "),
    ):
        with pytest.raises(IncorrectError):
            await figures.enter(COUNTY, [wrong])


async def test_the_next_version_takes_over_and_supersedes(room: Room) -> None:
    old = await room.draft(b"first edition")
    figures, books = room.plans.figures, room.plans.books
    number = (await figures.indicators(COUNTY, old))[0].indicator_no
    await figures.bind(COUNTY, number, "records")
    await books.approve(COUNTY, old)
    new = await room.draft(b"second edition", replaces=old)
    assert await books.carry(COUNTY, (old, new), {"a": "a", "gone": "b"}) == 1
    assert [one.measure for one in await figures.indicators(COUNTY, new)] == ["records", ""]
    await books.approve(COUNTY, new)
    assert (await books.plan(COUNTY, old)).status == "superseded"
    with pytest.raises(ConflictError):
        await figures.set_owner(COUNTY, number, "县卫生健康局")
    with pytest.raises(ConflictError):
        await books.approve(COUNTY, new)


async def test_what_was_decided_can_be_taken_back(room: Room) -> None:
    figures, books = room.plans.figures, room.plans.books
    old = await room.draft(b"undo first")
    await books.approve(COUNTY, old)
    new = await room.draft(b"undo second", replaces=old)
    await books.approve(COUNTY, new)
    with pytest.raises(ConflictError):
        await books.undo(COUNTY, old)
    with pytest.raises(ForbiddenError):
        await books.undo(READER, new)
    await books.undo(COUNTY, new)
    assert [(await books.plan(COUNTY, one)).status for one in (old, new)] == ["approved", "draft"]
    await books.withdraw(COUNTY, new)
    await books.undo(COUNTY, new)
    assert (await books.plan(COUNTY, new)).status == "draft"
    with pytest.raises(ConflictError):
        await books.undo(COUNTY, new)

    number = (await figures.indicators(COUNTY, new))[0].indicator_no
    for value in (70.0, 71.0):
        await figures.enter(COUNTY, [NewValue(number, 2025, 0, value, "年鉴")])
        waiting = (await figures.indicator(COUNTY, number)).values[-1].value_no
        await figures.decide(COUNTY, [waiting], "approved")
    assert await states(room, number) == [(71.0, "approved")]
    assert await figures.decide(COUNTY, [waiting], "entered") == 1
    assert await states(room, number) == [(70.0, "approved"), (71.0, "entered")]
    await figures.take_back(COUNTY, number, (2025, 0))
    assert await states(room, number) == [(70.0, "approved")]
    await figures.take_back(COUNTY, number, (2025, 0))
    with pytest.raises(NotFoundError):
        await figures.take_back(COUNTY, number, (2025, 0))


async def test_an_approved_value_stands_until_what_is_entered_over_it_is_approved(room: Room) -> None:
    plan, figures = await room.draft(b"stands"), room.plans.figures
    number = (await figures.indicators(COUNTY, plan))[0].indicator_no
    first = await entered(room, number, 70.0)
    await figures.decide(COUNTY, [first], "approved")
    second = await entered(room, number, 71.0)
    assert await states(room, number) == [(70.0, "approved"), (71.0, "entered")]
    with pytest.raises(ConflictError):
        await figures.decide(COUNTY, [first], "entered")
    third = await entered(room, number, 72.0)
    assert await states(room, number) == [(70.0, "approved"), (72.0, "entered")], "what waits gives way at once"
    assert await figures.decide(COUNTY, [second], "approved") == 0
    await figures.decide(COUNTY, [third], "refused")
    assert await states(room, number) == [(70.0, "approved"), (72.0, "refused")]
    await figures.decide(COUNTY, [third], "entered")
    await figures.decide(COUNTY, [third], "approved")
    assert await states(room, number) == [(72.0, "approved")]
    await figures.take_back(COUNTY, number, (2025, 0))
    assert await states(room, number) == [(70.0, "approved"), (71.0, "entered")], "all that it replaced"
    await figures.decide(COUNTY, [second], "refused")
    assert await figures.decide(COUNTY, [first], "entered") == 1
    assert await states(room, number) == [(70.0, "entered")]


async def test_who_only_edits_takes_back_what_waits_and_nothing_approved(room: Room) -> None:
    plan, figures, editor = await room.draft(b"editor"), room.plans.figures, COUNTY.narrowed(rights=["plan.read", "plan.edit"])
    number = (await figures.indicators(COUNTY, plan))[0].indicator_no
    await figures.decide(COUNTY, [await entered(room, number, 70.0, editor)], "approved")
    await entered(room, number, 71.0, editor)
    await figures.take_back(editor, number, (2025, 0))
    assert await states(room, number) == [(70.0, "approved")]
    with pytest.raises(ForbiddenError, match="approved"):
        await figures.take_back(editor, number, (2025, 0))
    assert await states(room, number) == [(70.0, "approved")]
    await figures.take_back(COUNTY, number, (2025, 0))
    assert await states(room, number) == []


async def entered(room: Room, number: int, value: float, scope: Scope = COUNTY) -> int:
    """Enter a value of 2025 and return its number."""
    assert await room.plans.figures.enter(scope, [NewValue(number, 2025, 0, value, "年鉴")]) == 1
    return (await room.plans.figures.indicator(COUNTY, number)).values[-1].value_no


async def states(room: Room, number: int) -> list[tuple[float, str]]:
    """Return the values of an indicator that hold, with their states."""
    return [(one.value, one.state) for one in (await room.plans.figures.indicator(COUNTY, number)).values]


async def test_the_reason_of_an_indicator_is_kept_and_carried_to_the_next_version(room: Room) -> None:
    old = await room.draft(b"reason first")
    figures = room.plans.figures
    number = (await figures.indicators(COUNTY, old))[0].indicator_no
    await figures.set_reason(COUNTY, number, "缺人，已补")
    new = await room.draft(b"reason second", replaces=old)
    await room.plans.books.carry(COUNTY, (old, new), {"a": "a"})
    assert [one.reason for one in await figures.indicators(COUNTY, new)] == ["缺人，已补", ""]
    with pytest.raises(ForbiddenError):
        await figures.set_reason(READER, number, "x")


async def test_a_sheet_is_taken_once_and_undone_once(room: Room) -> None:
    plan, imports = await room.draft(b"sheet"), room.plans.imports
    changes = [{"line": 2, "key": "1", "label": "a", "before": None, "after": {"value": 1.0}}]
    number = await imports.keep(COUNTY, NewImport(plan, "values", "x.xlsx", changes, []))
    with pytest.raises(ConflictError):
        async with imports.step(COUNTY, number, "undone"):
            pass
    async with imports.step(COUNTY, number, "taken") as kept:
        assert kept.changes == changes and kept.state == "shown"
        with pytest.raises(ConflictError):
            async with imports.step(COUNTY, number, "taken"):
                pass
    async with imports.step(COUNTY, number, "taken") as kept:
        assert kept.state == "taken", "nobody noted what became of it: it was cut off and goes on"
        await imports.note(COUNTY, number, [{**changes[0], "outcome": {"done": True}}])
    with pytest.raises(ConflictError):
        async with imports.step(COUNTY, number, "taken"):
            pass
    async with imports.step(COUNTY, number, "undone"):
        pass
    assert (await imports.get(COUNTY, number)).state == "undone"
    for call in (imports.get(READER, number), imports.keep(READER, NewImport(plan, "values", "", [], []))):
        with pytest.raises(ForbiddenError):
            await call


async def test_tasks_projects_and_findings_keep_what_people_wrote(room: Room) -> None:
    plan = await room.draft(b"work")
    work = room.plans.work
    task = (await work.tasks(COUNTY, plan))[0]["task_no"]
    with pytest.raises(IncorrectError):
        await work.change_task(COUNTY, task, TaskChange("done", "", None, None, ""))
    with pytest.raises(IncorrectError):
        await work.change_task(COUNTY, task, TaskChange("doing", "", date(2026, 12, 1), date(2026, 12, 2), ""))
    await work.change_task(COUNTY, task, TaskChange("done", "县医院", None, None, "文件 8 号"))
    held, notes = await work.task(COUNTY, task)
    assert (held["state"], held["unit"], len(notes)) == ("done", "县医院", 1)
    project = (await work.projects(COUNTY, plan))[0]["project_no"]
    await work.put_milestone(COUNTY, project, None, NewMilestone("开工", date(2026, 6, 30)))
    stone = (await work.project(COUNTY, project))["milestones"][0]["milestone_no"]
    await work.put_milestone(COUNTY, project, stone, NewMilestone("开工", date(2026, 6, 30), date(2026, 7, 8)))
    assert (await work.project(COUNTY, project))["milestones"][0]["done_on"] == date(2026, 7, 8)
    await work.remove_milestone(COUNTY, project, stone)
    with pytest.raises(NotFoundError):
        await work.put_milestone(COUNTY, project, stone, NewMilestone("开工", date(2026, 6, 30)))
    assert (await work.project(COUNTY, project))["milestones"] == [], "a stale page brings nothing back"
    finding = (await work.findings(COUNTY, plan))[0]["finding_no"]
    assert await work.decide(COUNTY, finding, "accepted", "上级下达") == plan
    await room.plans.books.fill(COUNTY, plan, rows())
    assert (await work.finding(COUNTY, finding))["state"] == "accepted"
    with pytest.raises(NotFoundError):
        await work.task(COUNTY, 10**9)
