"""提醒: the bell of every page, and the page behind it."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import pytest

from tests.http.plan_world import make, upload
from tests.http.signed_in import Person
from tests.http.statistics_world import World, statistics_world


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("reminders")) as found:
        yield found


async def bell(person: Person) -> int | None:
    """Return the number at the bell, None for an account without one."""
    page = (await person.get("/account")).text
    if 'class="bell"' not in page:
        return None
    found = re.search(r'class="bell".*?</svg>(?:<b>(\d+)</b>)?</a>', page, re.DOTALL)
    assert found, "the bell has no icon"
    return int(found[1] or 0)


def keys(page: str) -> list[str]:
    """Return what the rows of the page are called."""
    return re.findall(r'href="/reminders/open\?key=([^"]+)"', html.unescape(page))


async def test_what_waits_is_counted_opened_put_aside_and_brought_back(world: World) -> None:
    assert await bell(world.county) == 0
    assert "没有等您处理的事" in (await world.county.get("/reminders")).text
    plan = await make(world.county, await upload(world.county))
    body = (await world.county.get(f"/plans/{plan}.json")).json()
    task = body["tasks"][0]["id"]
    await world.county.post(
        f"/plans/tasks/{task}", {"state": "stuck", "unit": "县卫生健康局", "due": "20200101", "remind_on": "", "evidence": ""}
    )
    first = body["indicators"][0]["id"]
    await world.county.post(
        f"/plans/indicators/{first}", {"action": "value", "year": "2025", "month": "", "value": "79.3", "source": "年鉴"}
    )
    page = (await world.county.get("/reminders")).text
    assert "县卫生健康局" in page and "2020-01-01" in page and "已过期" in page and "个录入的数值待批准" in page
    waiting = keys(page)
    late = next(one for one in waiting if one.startswith("plan-task"))
    assert await bell(world.county) == len(waiting)
    opened = await world.county.get(f"/reminders/open?key={late}", 303)
    assert opened.headers["location"] == f"/plans/tasks/{task}"
    assert await bell(world.county) == len(waiting) - 1
    key = late.replace("%3A", ":")
    answer = await world.county.post("/reminders", {"key": key, "state": "dismissed"})
    after = (await world.county.get(answer.headers["location"])).text
    assert "撤销" in after and late not in keys(after)
    assert late in keys((await world.county.get("/reminders?show=dismissed")).text)
    await world.county.post("/reminders", {"key": key, "state": "unread"})
    assert await bell(world.county) == len(waiting)
    await world.county.post(f"/plans/tasks/{task}", {"state": "done", "unit": "", "due": "20200101", "remind_on": "", "evidence": "已验收"})
    await world.county.get(f"/reminders/open?key={late}", 404)


async def test_another_account_sees_only_what_its_units_answer_for(world: World) -> None:
    plan = await make(world.county, await upload(world.county))
    task = (await world.county.get(f"/plans/{plan}.json")).json()["tasks"][1]["id"]
    await world.county.post(
        f"/plans/tasks/{task}", {"state": "open", "unit": "县人民医院", "due": "20200202", "remind_on": "", "evidence": ""}
    )
    page = (await world.leader.get("/reminders")).text
    assert keys(page) == [] and "县人民医院" in page
    await world.leader.post("/reminders/units", {"unit": "县人民医院"})
    page = (await world.leader.get("/reminders")).text
    assert [one.partition("%3A")[0] for one in keys(page)] == ["plan-task"]
    await world.leader.post("/reminders", {"key": "x", "state": "read"}, status=400)


async def test_an_account_for_which_nothing_can_wait_has_no_bell(world: World) -> None:
    assert await bell(world.auditor) is None
    await world.auditor.get("/reminders", 403)
    world.county.client.cookies.set("xinglin_language", "en")
    assert "Reminders" in (await world.county.get("/reminders")).text
    world.county.client.cookies.delete("xinglin_language")
