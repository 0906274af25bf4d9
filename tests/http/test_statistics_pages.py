"""Every number of the statistics pages opens into a list of as many people, inside the reader's area, and says what it is made of."""

from __future__ import annotations

import asyncio
import html
import io
import re
from collections.abc import AsyncIterator
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from tests.district import send
from tests.http.statistics_world import MEASURE, World, statistics_world, visited
from xinglin.engines.rules import Target
from xinglin.web.pages.statistics_map import class_breaks, class_of


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("statistics")) as found:
        yield found


def words(page: str) -> str:
    """Return a page's text in one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def opened(page: str, part: str) -> tuple[str, int]:
    """Return the address and the count of a part of the number."""
    found = re.search(rf'href="(/measures/people\?[^"]*part={part}[^"]*)">[^<]*<b>(\d+)</b>', page)
    assert found, part
    return html.unescape(found[1]), int(found[2])


def listed(page: str) -> list[str]:
    return re.findall(r'class="main" href="/residents/\d+">([^<]+)<', page)


async def test_a_number_is_the_length_of_every_list_it_opens_into(world: World) -> None:
    page = (await world.county.get(f"/measures/{MEASURE}")).text
    assert "60.0%" in page and "3 / 5" in page
    for part, count, names in (
        ("numerator", 3, {"李测一", "王测六", "赵测七"}),
        ("denominator", 5, {"李测一", "李测二", "李测三", "王测六", "赵测七"}),
        ("gap", 2, {"李测二", "李测三"}),
        ("unknown", 1, {"李测三"}),
        ("excluded", 1, {"李测四"}),
    ):
        path, told = opened(page, part)
        people = (await world.county.get(path)).text
        assert told == count and set(listed(people)) == names and f"共 {count} 条" in people


async def test_each_level_down_adds_up_and_lists_its_people(world: World) -> None:
    page = (await world.county.get(f"/measures/{MEASURE}?by=town")).text
    rows = re.findall(r'<td class="head"><a class="main" href="([^"]+)">([^<]+)</a>', page)
    assert {name for _, name in rows} == {"青石镇", "白水镇"}
    east = html.unescape(next(path for path, name in rows if name == "青石镇"))
    below = (await world.county.get(east)).text
    assert "2 / 4" in below and "青石镇卫生院" in below
    house = html.unescape(re.search(r'<td class="head"><a class="main" href="([^"]+)">青石镇卫生院', below)[1])  # type: ignore[index]
    village = (await world.county.get(house)).text
    assert "2 / 4" in village and "青石村" in village
    place = html.unescape(re.search(r'<td class="head"><a class="main" href="([^"]+)">青石村', village)[1])  # type: ignore[index]
    worker = (await world.county.get(place)).text
    assert "李医生" in worker
    people = html.unescape(re.search(r'<td class="head"><a class="main" href="([^"]+)">李医生', worker)[1])  # type: ignore[index]
    assert set(listed((await world.county.get(people)).text)) == {"李测一", "李测二", "李测三", "王测六"}


async def test_a_person_is_explained_down_to_the_message(world: World) -> None:
    person = await world.person("李测二")
    page = (await world.county.get(f"/measures/{MEASURE}/why/{person}")).text
    assert "158/96" in page and "未达标" in page and "/exchange/messages/" in page
    message = re.search(r"/exchange/messages/(\d+)", page)
    assert message is not None
    await world.county.get(f"/exchange/messages/{message[1]}")


async def test_from_why_one_goes_back_to_the_list_one_came_from(world: World) -> None:
    people = f"/measures/people?measure={MEASURE}&part=excluded&size=50"
    listed_page = (await world.county.get(people)).text
    why = html.unescape(re.search(r'href="(/measures/[^"]+/why/[^"]+)"', listed_page)[1])  # type: ignore[index]
    back = html.unescape(re.search(r'href="(/measures/people[^"]+)"', (await world.county.get(why)).text)[1])  # type: ignore[index]
    assert {"part=excluded", "size=50", f"measure={MEASURE}"} <= set(back.partition("?")[2].split("&"))
    assert listed((await world.county.get(back)).text) == listed(listed_page)
    odd = f"/measures/{MEASURE}/why/{await world.person('李测二')}?list=next%3Dhttp%3A%2F%2Felsewhere"
    assert "elsewhere" not in re.search(r'href="(/measures/people[^"]+)"', (await world.county.get(odd)).text)[1]  # type: ignore[index]


async def test_who_left_is_explained_with_the_day_and_the_reason_on_the_entry(world: World) -> None:
    page = words((await world.county.get(f"/measures/{MEASURE}/why/{await world.person('李测四')}")).text)
    assert f"高血压 · {world.today} 终止管理：死亡" in page
    staying = words((await world.county.get(f"/measures/{MEASURE}/why/{await world.person('李测二')}")).text)
    assert "终止管理" not in staying


async def test_an_english_page_has_english_signs_between_its_words(world: World) -> None:
    world.county.client.cookies.set("xinglin_language", "en")
    try:
        page = words((await world.county.get(f"/measures/{MEASURE}")).text)
        assert "Exclusions: died 1 , moved out" in page and "Unknown: 1" in page
        for path in (f"/measures/{MEASURE}", "/measures", "/measures/map"):
            assert not re.search(r"[a-z\d] ?[：、，（）]", words((await world.county.get(path)).text)), path
    finally:
        world.county.client.cookies.delete("xinglin_language")


async def test_a_township_sees_its_own_and_nothing_of_the_next(world: World) -> None:
    own = (await world.leader.get(f"/measures/{MEASURE}")).text
    assert "2 / 4" in own and "白水" not in own
    other = (await world.west_health.get(f"/measures/{MEASURE}")).text
    assert "1 / 1" in other and "青石" not in other
    everyone = (await world.west_health.get(f"/measures/people?measure={MEASURE}&part=denominator")).text
    assert listed(everyone) == ["赵测七"]
    stranger = await world.person("李测二")
    for path in (
        f"/measures/{MEASURE}/why/{stranger}",
        f"/measures/{MEASURE}?area=420999101000",
        f"/measures/people?measure={MEASURE}&area=420999101000",
    ):
        told = (await world.west_health.get(path, 404)).text
        assert "李测" not in told
    assert await _sheet(world, "west_health", f"/measures/people/export.xlsx?measure={MEASURE}&part=denominator") == ["赵测七"]


async def _sheet(world: World, login: str, path: str) -> list[Any]:
    answer = await world.people[login].get(path)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None and login in str(sheet["A1"].value) and "数据截至 2" in str(sheet["A1"].value)
    return [row[0].value for row in sheet.iter_rows(min_row=3)]


@pytest.mark.parametrize("path", ["/measures", f"/measures/{MEASURE}", f"/measures/people?measure={MEASURE}&part=denominator"])
async def test_a_copy_stands_at_the_seq_its_page_shows(world: World, path: str) -> None:
    address, _, asked = path.partition("?")
    answer = await world.people["county"].get(f"{address}/export.xlsx" + (f"?{asked}" if asked else ""))
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    told = re.search(r"数据截至 \S+ \S+（序号 \d+）", str(sheet["A1"].value) if sheet is not None else "")
    shown = re.sub(r"<[^>]+>", "", (await world.people["county"].get(path)).text)
    assert told is not None and told[0] in shown


@pytest.mark.parametrize(
    "path", ["/measures", f"/measures/{MEASURE}", "/measures/map", "/measures/tasks", "/measures/workload", "/measures/monthly"]
)
async def test_figures_need_an_office_that_has_them(world: World, path: str) -> None:
    await world.county.get(path)
    await world.leader.get(path)
    for login in ("village", "doctor", "auditor"):
        await world.people[login].get(path, 403)


async def test_only_disease_control_sees_its_page(world: World) -> None:
    page = words((await world.cdc.get("/measures/disease-control")).text)
    assert "管理人群血压控制率 3 5 60.0%" in page and "没有人口数" in page
    await world.county.get("/measures/disease-control", 403)


async def test_the_table_of_measures_says_what_is_national_and_what_is_local(world: World) -> None:
    page = words((await world.county.get("/measures")).text)
    assert "管理人群血压控制率 60.0%" in page and "本地口径" in page and "国家口径 · 待核对" in page
    assert "序号" in page.split("数据截至")[1]
    assert "BP control rate" in (await world.county.get("/measures", cookie=_english(world.county))).text


def _english(person: Any) -> str:
    return "; ".join([f"{name}={value}" for name, value in person.client.cookies.items()] + ["xinglin_language=en"])


async def test_what_is_asked_stands_before_what_leaves(world: World) -> None:
    for path in ("/measures", "/measures/hypertension-control-rate", "/measures/tasks", "/measures/workload"):
        page = (await world.county.get(path)).text
        assert re.findall(r"</svg>\s*(查询|导出|打印)<", page) == ["查询", "导出", "打印"], path


async def test_a_new_visit_moves_the_number_and_the_old_one_can_be_seen_again(world: World) -> None:
    before = (await world.lake.freshness()).seq
    await send(world.platform, *visited(3, world.today, (130, 80)), message_id="late")
    await world.lake.refresh()
    assert "4 / 5" in await world.current(world.county, f"/measures/{MEASURE}")
    known = (await world.county.get(f"/measures/{MEASURE}?known={before}")).text
    assert "3 / 5" in known and "当时所知" in known
    path, count = opened(known, "unknown")
    listed_then = (await world.county.get(path)).text
    assert count == 1 and listed(listed_then) == ["李测三"]
    why = html.unescape(re.search(r'href="(/measures/[^"]+/why/[^"]+)"', listed_then)[1])  # type: ignore[index]
    then = words((await world.county.get(why)).text)
    assert f"只用序号 {before} 及以前" in then and "未达到" in then and "130/80" not in then
    now = words((await world.county.get(why.replace("known=", "unknown="))).text)
    assert "管理人群血压控制率：达到" in now and "130/80" in now
    assert "李测" not in (await world.west_health.get(why, 404)).text


async def test_why_as_known_then_shows_the_reading_as_it_stood_before_it_was_corrected(world: World) -> None:
    await send(world.platform, *visited(3, world.today, (130, 80)), message_id="late")
    await world.lake.refresh()
    before, person = (await world.lake.freshness()).seq, await world.person("李测三")
    await send(world.platform, *visited(3, world.today, (158, 98)), message_id="corrected")
    await world.lake.refresh()
    try:
        then = (await world.county.get(f"/measures/{MEASURE}/why/{person}?known={before}")).text
        assert "管理人群血压控制率：达到" in words(then) and "130/80" in words(then) and "158/98" not in words(then)
        now = words((await world.county.get(f"/measures/{MEASURE}/why/{person}")).text)
        assert "未达到" in now and "158/98" in now
    finally:
        await send(world.platform, *visited(3, world.today, (130, 80)), message_id="put back")
        await world.lake.refresh()


async def test_a_trend_has_a_point_for_each_month_end(world: World) -> None:
    while "正在计算" in (page := (await world.county.get(f"/measures/{MEASURE}/trend")).text):
        await asyncio.sleep(0.2)
    rows = re.findall(r"<tr><td>(\d{4}-\d\d-\d\d)</td>", page)
    assert len(rows) == 12 and rows[0] == world.today.isoformat()


async def test_targets_are_assigned_by_the_county_and_meet_what_is_done(world: World) -> None:
    year = world.today.year
    fields = {"year": year, "programme": "hypertension", "source": "县卫健委〔2026〕5 号"}
    form = (await world.county.get("/measures/tasks/assign")).text
    names = re.findall(r'name="(target-\d+-\d+)"', form)
    assert len(names) == 2
    await world.county.post("/measures/tasks/assign", {**fields, names[0]: "10", names[1]: "2"})
    page = words((await world.county.get("/measures/tasks?programme=hypertension")).text)
    assert re.search(r"1 白水镇 白水镇卫生院 2 1 50.0% 1", page) and re.search(r"2 青石镇 青石镇卫生院 10 4 40.0% 6", page)
    assert "白水镇" not in words((await world.leader.get("/measures/tasks?programme=hypertension")).text)
    await world.leader.get("/measures/tasks/assign", 403)
    refused = await world.county.post("/measures/tasks/assign", {**fields, names[0]: "九十"}, 422)
    assert "青石镇：任务数" in refused.text and "target" not in words(refused.text)
    assert "任务数为不带小数的数字" in refused.text and 'value="九十"' in refused.text


async def test_targets_come_from_excel_and_keep_their_history(world: World) -> None:
    year = world.today.year
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["年度", "区划", "机构", "项目", "任务数", "来源"])
    sheet.write_row(1, 0, [year, "420999101000", "E1", "老年人体检", 77, "文件一"])
    book.close()
    files = {"file": ("任务.xlsx", content.getvalue(), "application/octet-stream")}
    await world.county.post("/measures/tasks/assign", {"year": year, "programme": "elderly"}, files=files)
    assert " 77 " in words((await world.county.get("/measures/tasks?programme=elderly")).text)
    scope = world.platform.security.system_scope()
    house = (await world.platform.targets.of_year(scope, year))[0].institution
    again = Target(year, 420999101000, house, "elderly", 80, "文件二")
    assert await world.platform.targets.put(scope, [again]) == 1 and await world.platform.targets.put(scope, [again]) == 0
    assert [one["target"] for one in await world.platform.targets.history(scope, year, "elderly")] == [80, 77]
    far = io.BytesIO()
    with xlsxwriter.Workbook(far, {"in_memory": True}) as book:
        book.add_worksheet().write(1_000_000, 300, "x")
    apart = {"file": ("远处.xlsx", far.getvalue(), "application/octet-stream")}
    assert (
        "删去" in (await world.county.post("/measures/tasks/assign", {"year": year, "programme": "elderly"}, status=422, files=apart)).text
    )
    bad = {"file": ("任务.xlsx", b"no workbook", "application/octet-stream")}
    assert "Excel" in (await world.county.post("/measures/tasks/assign", {"year": year, "programme": "elderly"}, 422, files=bad)).text


async def test_work_is_counted_by_worker_and_month(world: World) -> None:
    await send(world.platform, *visited(3, world.today, (130, 80)), message_id="late")
    page = words(await world.current(world.county, f"/measures/workload?month={world.today:%Y-%m}&sort=visits&order=desc"))
    assert re.search(r"李医生 青石镇卫生院 \d{4}-\d\d 5 5 0 0 0 0 0 0", page)
    west = words((await world.west_health.get(f"/measures/workload?month={world.today:%Y-%m}")).text)
    assert re.search(r"李医生 青石镇卫生院 \d{4}-\d\d 1 1 0 0", west)
    assert await _sheet(world, "leader", f"/measures/workload/export.xlsx?month={world.today:%Y-%m}")


async def test_the_map_has_the_same_numbers_as_its_table(world: World) -> None:
    page = (await world.county.get(f"/measures/map?measure={MEASURE}&level=town")).text
    assert "青石镇" in page and "白水镇" in page and 'data-shapes="' in page
    assert "青石" not in (await world.west_health.get(f"/measures/map?measure={MEASURE}&level=town")).text


def test_classes_hold_every_value_once() -> None:
    breaks = class_breaks([0.2, 0.4, None, 0.7])
    assert [class_of(value, breaks) for value in (0.2, 0.4, 0.7, None)] == [0, 2, 4, None]
    assert class_breaks([None]) == [] and class_of(0.5, class_breaks([0.5, 0.5])) == 0


async def test_what_an_address_cannot_mean_is_refused_in_words(world: World) -> None:
    assert "2026-11-21" in (await world.county.get(f"/measures/{MEASURE}?as_of=yesterday", 400)).text
    await world.county.get("/measures/no-such-measure", 404)
    assert "日期" in (await world.county.get(f"/measures/{MEASURE}?known=soon", 400)).text


async def test_a_target_opens_into_who_assigned_it_when(world: World) -> None:
    year = world.today.year
    town = 420999101000
    fields = {"programme": "hypertension", "year": str(year), "source": "县卫健委任务分解"}
    for number in ("12", "15"):
        await world.county.post("/measures/tasks/assign", fields | {f"target-{town}-0": number})
    table = (await world.county.get("/measures/tasks?programme=hypertension")).text
    links = [html.unescape(link) for link in re.findall(r'href="(/measures/tasks/assigned[^"]+)"', table)]
    links = [link for link in links if "area=" not in link or link.endswith(f"area={town}")]
    assert len(links) > 1
    for path in links:
        told = words((await world.county.get(path)).text)
        assert "县卫健委任务分解 county" in told and "15 现行" in told and "12 已更改" in told
    assert "15 现行" in words((await world.health.get(links[0])).text)
    assert "15 现行" not in words((await world.west_health.get(links[0])).text)
    await world.doctor.get("/measures/tasks/assigned", 403)
