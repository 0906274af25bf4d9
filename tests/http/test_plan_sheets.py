"""Excel out and in of plans: a template with what holds now, errors by row, nothing kept before it is confirmed, and undone again."""

from __future__ import annotations

import html
import io
import re
from collections.abc import AsyncIterator, Sequence
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from tests.http.plan_world import TABLE, make, table, upload
from tests.http.statistics_world import World, statistics_world

EXCEL = "application/vnd.ms-excel"
PROJECTS = """
三、重点项目

| 序号 | 项目名称 | 建设单位 | 建设性质 | 开工年份 | 床位（张） |
|---|---|---|---|---|---|
| 1 | 县人民医院急诊综合楼 | 县人民医院 | 新建 | 2026 | 80 |
| 2 | 县中医医院康复楼 | 县中医医院 | 改扩建 | 2027 | 60 |
"""


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("sheets")) as found:
        yield found


@pytest.fixture(scope="module")
async def plan(world: World) -> int:
    changed = TABLE.replace("婴儿死亡率（‰）\t3.1\t2.9\t≤2.8", "婴儿死亡率（‰）\t3.1\t2.9\t≤3.8")
    return await make(world.county, await upload(world.county, changed + PROJECTS, "月湖.md"))


def words(page: str) -> str:
    """Return a page's text in one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


async def template(world: World, plan: int, kind: str) -> tuple[list[Any], list[list[Any]]]:
    """Return the headings and lines of a sheet as it is downloaded."""
    sheet = openpyxl.load_workbook(io.BytesIO((await world.county.get(f"/plans/{plan}/sheets/{kind}.xlsx")).content)).active
    rows = [[cell.value for cell in line] for line in sheet.iter_rows()]
    return rows[1], rows[2:]


def filled(heads: Sequence[Any], lines: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """Return the files of a form with a workbook of these lines."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        page = book.add_worksheet()
        for number, line in enumerate([heads, *lines]):
            page.write_row(number, 0, ["" if cell is None else str(cell) for cell in line])
    return {"file": ("表.xlsx", out.getvalue(), EXCEL)}


async def sent(world: World, plan: int, kind: str, lines: Sequence[Sequence[Any]]) -> tuple[str, str]:
    """Send a sheet and return the address and the words of the page that shows what it would change."""
    heads, _ = await template(world, plan, kind)
    answer = await world.county.post(f"/plans/{plan}/sheets/{kind}", {}, 303, files=filled(heads, lines))
    address = answer.headers["location"]
    return address, words((await world.county.get(address)).text)


async def act(world: World, address: str, action: str) -> str:
    """Take a sheet or undo it, and return the words of its page."""
    await world.county.post(address, {"action": action})
    return words((await world.county.get(address)).text)


async def values_of(world: World, plan: int, name: str) -> list[tuple[int, float, str]]:
    """Return (year, value, state) of an indicator's values."""
    found: Any = (await table(world.county, plan))[name]["values"]
    return [(one["year"], one["value"], one["state"]) for one in found]


async def test_values_are_shown_with_errors_by_row_then_taken_then_undone(world: World, plan: int) -> None:
    _, lines = await template(world, plan, "values")
    beds = next(line for line in lines if "床位" in str(line[1]))
    name, number = beds[1], beds[0]
    address, told = await sent(
        world,
        plan,
        "values",
        [
            [number, name, "张", 2025, "", 6.95, "卫生年报"],
            [number, name, "张", 2024, "", 6.9, ""],
            [999999, "别的", "张", 2024, "", 6.9, "卫生年报"],
            [number, name, "张", 2025, "", 7.0, "别处"],
        ],
    )
    assert "将改动 1 项，退回 3 行；还没有保存" in told
    assert "请写明数据来源" in told and "与第 2 行" in told
    assert await values_of(world, plan, name) == []
    assert "存了 1 项" in await act(world, address, "take")
    assert await values_of(world, plan, name) == [(2025, 6.95, "entered")]
    await world.county.post(address, {"action": "take"}, 409)
    await world.county.post(f"/plans/{plan}/values/decide", {"action": "approved"})
    second, told = await sent(world, plan, "values", [[number, name, "张", 2025, "", 7.05, "更正"]])
    assert "6.95" in told and "7.05" in told
    await act(world, second, "take")
    assert await values_of(world, plan, name) == [(2025, 6.95, "approved"), (2025, 7.05, "entered")]
    assert "撤销了 1 项" in await act(world, second, "undo")
    assert await values_of(world, plan, name) == [(2025, 6.95, "approved")]


async def test_a_file_that_is_no_sheet_is_said_and_the_right_is_asked(world: World, plan: int) -> None:
    refused = await world.county.post(f"/plans/{plan}/sheets/values", {}, 400, files={"file": ("值.xlsx", b"no workbook", EXCEL)})
    assert "不是 Excel" in words(refused.text)
    heads, _ = await template(world, plan, "values")
    short = await world.county.post(f"/plans/{plan}/sheets/values", {}, 400, files=filled(heads[:4], [[1, "x", "张", 2025]]))
    assert "缺少列" in words(short.text)
    await world.county.post(f"/plans/{plan}/sheets/nothing", {}, 404, files=filled(heads, []))
    await world.cdc.post(f"/plans/{plan}/sheets/values", {}, 403)
    await world.cdc.get(f"/plans/{plan}/sheets/values.xlsx", 403)


async def test_paths_and_owners_go_out_and_come_back(world: World, plan: int) -> None:
    _, lines = await template(world, plan, "paths")
    life = next(line for line in lines if line[1] == "人均预期寿命" and line[2] == 2027)
    address, told = await sent(
        world, plan, "paths", [[life[0], life[1], 2027, 79.9, "县卫生健康局"], [life[0], life[1], 2028, "许多", "县卫生健康局"]]
    )
    assert "将改动 2 项，退回 1 行" in told
    await act(world, address, "take")
    now: Any = (await table(world.county, plan))["人均预期寿命"]["today"]
    assert now["owner"] == "县卫生健康局"
    assert {"year": 2027, "value": 79.9, "origin": "set"} in now["path"]
    await act(world, address, "undo")
    now = (await table(world.county, plan))["人均预期寿命"]["today"]
    assert now["owner"] is None and all(one["origin"] != "set" for one in now["path"])


async def test_bindings_name_their_candidates_and_refuse_a_unit_that_cannot_be(world: World, plan: int) -> None:
    _, lines = await template(world, plan, "bindings")
    control = next(line for line in lines if line[1] == "控制率")
    assert "hypertension-control-rate" in control[5] and "diabetes2-glucose-control-rate" in control[5]
    beds = next(line for line in lines if "床位" in str(line[1]))
    address, told = await sent(
        world,
        plan,
        "bindings",
        [
            [control[0], control[1], "%", "hypertension-control-rate", "", ""],
            [beds[0], beds[1], "张", "records", "", ""],
            [beds[0], beds[1], "张", "没有的", "", ""],
        ],
    )
    assert "将改动 1 项，退回 2 行" in told and "单位对不上" in told and "没有这个口径" in told
    await act(world, address, "take")
    assert (await table(world.county, plan))["控制率"]["today"]["measure"] == "hypertension-control-rate"  # type: ignore[index]
    await act(world, address, "undo")
    assert (await table(world.county, plan))["控制率"]["today"]["measure"] is None  # type: ignore[index]


async def test_tasks_milestones_and_findings_come_back_and_are_undone(world: World, plan: int) -> None:
    async def body() -> Any:
        return (await world.county.get(f"/plans/{plan}.json")).json()

    before = await body()
    _, tasks = await template(world, plan, "tasks")
    first = tasks[0]
    address, told = await sent(
        world,
        plan,
        "tasks",
        [
            [first[0], first[1], "县人民医院", "受阻", "20261231", "20261201", "等设备"],
            [tasks[1][0], tasks[1][1], tasks[1][2], "完成", "", "", ""],
            [tasks[1][0], "", "", "不知道", "", "", ""],
        ],
    )
    assert "将改动 1 项，退回 2 行" in told and "标为完成要写明依据" in told and "状态只能写" in told
    await act(world, address, "take")
    task = next(one for one in (await body())["tasks"] if one["id"] == first[0])
    assert (task["state"], task["unit"], task["due"]) == ("stuck", "县人民医院", "2026-12-31")
    await act(world, address, "undo")
    assert (await body())["tasks"] == before["tasks"]

    _, stones = await template(world, plan, "milestones")
    address, told = await sent(
        world,
        plan,
        "milestones",
        [[stones[0][0], stones[0][1], "", "开工", "2026-06-30", "", "已备案"], [stones[1][0], "", 77, "封顶", "", "", ""]],
    )
    assert "将改动 1 项，退回 1 行" in told
    await act(world, address, "take")
    project = next(one for one in (await body())["projects"] if one["id"] == stones[0][0])
    assert [(one["title"], one["due"]) for one in project["milestones"]] == [("开工", "2026-06-30")]
    _, told = await sent(world, plan, "milestones", (await template(world, plan, "milestones"))[1])
    assert "没有改动" in told
    await act(world, address, "undo")
    assert (await body())["projects"] == before["projects"]

    _, found = await template(world, plan, "findings")
    assert found, "the changed document contradicts itself"
    address, told = await sent(world, plan, "findings", [[*found[0][:4], "照原文保留", "国家口径调整"], [*found[0][:4], "已更正", ""]])
    assert "将改动 1 项，退回 1 行" in told
    await act(world, address, "take")
    assert next(one for one in (await body())["findings"] if one["id"] == found[0][0])["state"] == "accepted"
    await act(world, address, "undo")
    assert (await body())["findings"] == before["findings"]


async def test_what_was_changed_since_is_neither_taken_nor_undone(world: World, plan: int) -> None:
    _, lines = await template(world, plan, "values")
    one = next(line for line in lines if line[1] == "人均预期寿命")
    shown, _ = await sent(world, plan, "values", [[one[0], one[1], "岁", 2023, "", 78.1, "年鉴"]])
    later, _ = await sent(world, plan, "values", [[one[0], one[1], "岁", 2023, "", 78.2, "年报"]])
    await act(world, later, "take")
    assert "没有存 1 项" in await act(world, shown, "take")
    page = f"/plans/indicators/{one[0]}"
    await world.county.post(page, {"action": "value", "year": "2023", "month": "", "value": "78.3", "source": "再更正"})
    told = await act(world, later, "undo")
    assert "撤销了 0 项" in told and "保持现在的内容" in told
    assert (2023, 78.3, "entered") in await values_of(world, plan, "人均预期寿命")


async def stones_of(world: World, plan: int, project: int) -> list[str]:
    """Return the titles of a project's milestones."""
    body: Any = (await world.county.get(f"/plans/{plan}.json")).json()
    return [one["title"] for found in body["projects"] if found["id"] == project for one in found["milestones"]]


async def cut_off(world: World, address: str, state: str) -> None:
    """Begin a step of a sheet and leave it without a word of what became of it, as a killed process does."""
    number = int(address.rsplit("/", 1)[1])
    async with world.platform.plans.imports.step(world.platform.security.system_scope(), number, state):
        await world.county.post(address, {"action": "take"}, 409)


async def cut_off_milestones(world: World, plan: int) -> tuple[str, str]:
    """Return a project and the address of a sheet with two milestones of it, of which nothing was said when it was cut off."""
    project, name = (await template(world, plan, "milestones"))[1][0][:2]
    rows = [[project, name, "", "桩基", "2026-05-01", "", ""], [project, name, "", "主体", "2026-09-01", "", ""]]
    address, _ = await sent(world, plan, "milestones", rows)
    await cut_off(world, address, "taken")
    return project, address


async def test_a_sheet_that_was_cut_off_goes_on_and_can_be_undone(world: World, plan: int) -> None:
    project, address = await cut_off_milestones(world, plan)
    page = f"/plans/projects/{project}"
    await world.county.post(page, {"title": "桩基", "due": "2026-05-01", "note": ""})
    told = words((await world.county.get(address)).text)
    assert "还有 2 项没有结果" in told and "继续导入" in told and "撤销导入" in told
    assert "存了 2 项，没有存 0 项" in await act(world, address, "take")
    assert sorted(await stones_of(world, plan, project)) == ["主体", "桩基"], "what stood already is not made twice"
    await world.county.post(address, {"action": "take"}, 409)
    await cut_off(world, address, "undone")
    assert "继续撤销" in words((await world.county.get(address)).text)
    assert "撤销了 2 项" in await act(world, address, "undo")
    assert await stones_of(world, plan, project) == []
    await world.county.post(address, {"action": "undo"}, 409)


async def test_a_sheet_that_was_cut_off_is_undone_at_once_where_it_stands(world: World, plan: int) -> None:
    project, address = await cut_off_milestones(world, plan)
    await world.county.post(f"/plans/projects/{project}", {"title": "桩基", "due": "2026-05-01", "note": ""})
    told = await act(world, address, "undo")
    assert "撤销了 1 项，共 1 项" in told and "导入中断，这一行没有导入" in told
    assert await stones_of(world, plan, project) == []


async def test_what_became_of_rows_is_noted_every_fifty(world: World, plan: int, monkeypatch: pytest.MonkeyPatch) -> None:
    project, name = (await template(world, plan, "milestones"))[1][0][:2]
    address, _ = await sent(world, plan, "milestones", [[project, name, "", f"节点 {row}", "", "", ""] for row in range(60)])
    work, calls = world.platform.plans.work, iter(range(60))
    put = work.put_milestone

    async def dies(*args: Any) -> int:
        if next(calls) == 55:
            raise KeyError("the process dies here")
        return await put(*args)

    with monkeypatch.context() as patch:
        patch.setattr(work, "put_milestone", dies)
        await world.county.post(address, {"action": "take"}, 500)
    kept = await world.platform.plans.imports.get(world.platform.security.system_scope(), int(address.rsplit("/", 1)[1]))
    assert sum("outcome" in one for one in kept.changes) == 50
    assert "存了 60 项，没有存 0 项" in await act(world, address, "take")
    assert sorted(await stones_of(world, plan, project)) == sorted(f"节点 {row}" for row in range(60))
    assert "撤销了 60 项" in await act(world, address, "undo")
    assert await stones_of(world, plan, project) == []


async def test_programs_read_and_send_the_same_as_json(world: World, plan: int) -> None:
    token = {"Authorization": f"Bearer {world.county.client.cookies['xinglin_session']}"}
    async with type(world.county.client)(transport=world.county.client._transport, base_url="http://district.test") as program:
        every = (await program.get("/plans.json", headers=token)).json()["plans"]
        assert plan in {one["id"] for one in every}
        number = (await table(world.county, plan))["婴儿死亡率"]["id"]
        rows = [
            {"no": number, "year": 2022, "value": 3.3, "source": "年鉴"},
            {"no": number, "year": "二〇二二", "value": 3.3, "source": "年鉴"},
        ]
        address = f"/plans/{plan}/sheets/values.json"
        shown = (await program.post(address, headers=token, json={"rows": rows})).json()
        assert (shown["state"], len(shown["changes"]), [one["line"] for one in shown["refused"]]) == ("shown", 1, [2])
        assert await values_of(world, plan, "婴儿死亡率") == []
        taken = (await program.post(address, headers=token, json={"rows": rows, "take": True})).json()
        assert taken["state"] == "taken" and taken["changes"][0]["outcome"] == {"done": True}
        assert await values_of(world, plan, "婴儿死亡率") == [(2022, 3.3, "entered")]
        assert (await program.post(address, headers=token, json={"lines": []})).status_code == 400
        assert (await program.post(address, json={"rows": rows})).status_code in (303, 403)
        for path in (
            f"/plans/{plan}/evaluation.json",
            f"/plans/{plan}/what-if.json?pace=2",
            f"/plans/compare.json?plan={plan}&least=1",
            "/reminders.json",
        ):
            answer = await program.get(path, headers=token)
            assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json"), path
