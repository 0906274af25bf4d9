"""规划指标: from the upload of a document to a table that knows today's values, and to the report."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import pytest

from tests.http.plan_world import TABLE, make, table, upload
from tests.http.statistics_world import World, statistics_world


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("plans")) as found:
        yield found


@pytest.fixture(scope="module")
async def plan(world: World) -> int:
    return await make(world.county, await upload(world.county))


def words(page: str) -> str:
    """Return a page's text in one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


async def test_an_uploaded_document_becomes_a_table(world: World, plan: int) -> None:
    rows = await table(world.county, plan)
    assert rows["婴儿死亡率"]["target_op"] == "<="
    assert rows["65岁及以上老年人健康管理率"]["target_value"] == 75
    page = words((await world.county.get(f"/plans/indicators?plan={plan}")).text)
    assert "人均预期寿命" in page
    assert "80.1 岁" in page


async def test_a_bound_indicator_shows_the_measure_of_today_and_how_far_the_target_is(world: World, plan: int) -> None:
    before = (await table(world.county, plan))["管理人群高血压控制率"]
    assert before["today"]["value"] is None
    assert before["today"]["standing"] == "no_value"
    page = words((await world.county.get(f"/plans/indicators/{before['id']}")).text)
    assert "管理人群血压控制率" in page
    assert "名称相符" in page
    await world.county.post(f"/plans/indicators/{before['id']}", {"action": "bind", "measure": "hypertension-control-rate"})
    now = (await table(world.county, plan))["管理人群高血压控制率"]["today"]
    assert (now["value"], now["numerator"], now["denominator"]) == (60.0, 3, 5)
    assert now["people_missing"] == 2
    shown = words((await world.county.get(f"/plans/indicators/{before['id']}")).text)
    assert "60 %" in shown and "还需让 2 位在管高血压患者的血压得到控制" in shown
    cockpit = words((await world.county.get(f"/plans/cockpit?plan={plan}")).text)
    assert "本系统计算 1 / " in cockpit


async def test_pages_of_a_plan_open_in_both_languages_and_to_nobody_without_the_right(world: World, plan: int) -> None:
    number = (await table(world.county, plan))["人均预期寿命"]["id"]
    paths = ["/plans", f"/plans/cockpit?plan={plan}", f"/plans/indicators?plan={plan}", f"/plans/indicators/{number}", f"/plans/{plan}/review", f"/plans/{plan}/review?show=unused", f"/plans/{plan}/edit", "/plans/upload"]  # fmt: skip
    for language in ("zh", "en"):
        world.county.client.cookies.set("xinglin_language", language)
        for path in paths:
            page = (await world.county.get(path)).text
            assert f'<html lang="{"en" if language == "en" else "zh-CN"}"' in page
    world.county.client.cookies.delete("xinglin_language")
    for path in paths:
        await world.auditor.get(path, 403)
    await world.cdc.get(f"/plans/cockpit?plan={plan}")
    await world.cdc.get("/plans/upload", 403)
    await world.cdc.post(f"/plans/indicators/{number}", {"action": "owner", "owner": "县疾控"}, 403)


async def test_a_correction_survives_and_enter_accepts(world: World, plan: int) -> None:
    page = (await world.county.get(f"/plans/{plan}/review?show=all")).text
    rows = dict(re.findall(r'row=([0-9a-f]+)"[^>]*>([^<\n]+)', page))
    chosen = next(key for key, name in rows.items() if name.strip() == "婴儿死亡率")
    form = (await world.county.get(f"/plans/{plan}/review?show=all&row={chosen}")).text
    fields = {name: html.unescape(value) for name, value in re.findall(r'id="i-(?:\w+)" name="(\w+)" value="([^"]*)"', form)}
    await world.county.post(f"/plans/{plan}/review", {**fields, "target_op": "<=", "kind": "binding", "fingerprint": chosen, "target_value": "2.5", "action": "accept"})
    assert (await table(world.county, plan))["婴儿死亡率"]["target_value"] == 2.5
    await world.county.post(f"/plans/{plan}/review", {"fingerprint": chosen, "action": "undo"})
    assert (await table(world.county, plan))["婴儿死亡率"]["target_value"] == 2.8
    wrong = await world.county.post(f"/plans/{plan}/review", {**fields, "fingerprint": chosen, "target_value": "很多", "action": "accept"}, 422)
    assert "数值写成数字" in wrong.text


async def test_the_same_document_sent_again_is_the_same_plan(world: World, plan: int) -> None:
    document = await upload(world.county, TABLE, "另一个名字.txt")
    assert await make(world.county, document) == plan
