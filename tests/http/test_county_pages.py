"""What the county office and disease control ask of the pages: days as typed, rates over the residents, numbers that open."""

from __future__ import annotations

import html
import io
import re
from collections.abc import AsyncIterator

import openpyxl
import pytest

from tests.district import resident, send
from tests.http.statistics_world import MEASURE, World, statistics_world
from xinglin.engines.geo import PopulationFigure

EAST_VILLAGE, WEST_VILLAGE, SOURCE = 420999101201, 420999102201, "统计局常住人口"
ELDERLY = "elderly-health-management-rate"


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("county")) as found:
        year = found.today.year
        opened = {"extension": [{"url": "urn:xinglin:ext:record-opened-on", "valueDate": f"{year - 1}-03-01"}]}
        more = [resident(11, "钱测甲", EAST_VILLAGE, "E1", **opened), resident(12, "钱测乙", EAST_VILLAGE, "E1", **opened)]
        await send(found.platform, *more, resident(13, "钱测丙", WEST_VILLAGE, "W1", **opened), message_id="opened")
        await found.lake.refresh()
        assert "<b>3</b>" in await found.current(found.county, "/measures/records")
        bands = [("0-64", 12), ("65-69", 3), ("70+", 1)]
        figures = [PopulationFigure(EAST_VILLAGE, year, band, "1", count, SOURCE) for band, count in bands]
        figures.append(PopulationFigure(WEST_VILLAGE, year, "0-64", "2", 10, SOURCE))
        await found.platform.geo.load_population([*figures, PopulationFigure(EAST_VILLAGE, year + 1, "0-64", "1", 99, SOURCE)])
        yield found


def words(page: str) -> str:
    """Return a page's text in one line."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def sheet(content: bytes) -> list[tuple[object, ...]]:
    """Return the rows of a workbook's first sheet."""
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].iter_rows(values_only=True))


@pytest.mark.parametrize("form", ["{0:%Y%m%d}", "{0:%Y-%m-%d}", "{0.year}年{0.month}月{0.day}日", "{0:%Y/%m/%d}"])
async def test_a_day_is_taken_as_people_type_it(world: World, form: str) -> None:
    first = world.today.replace(day=1)
    typed = form.format(first)
    for path in ("/measures", f"/measures/{MEASURE}", "/measures/map", "/measures/people", "/measures/export.xlsx"):
        await world.county.get(f"{path}?as_of={typed}")
    assert f'value="{first}"' in (await world.county.get(f"/measures/{MEASURE}?as_of={typed}")).text
    await world.cdc.get(f"/measures/disease-control?as_of={typed}")
    await world.auditor.get(f"/system/audit?since={typed}&until={form.format(world.today)}")
    await world.auditor.post("/system/audit/check", {"day": typed}, 200)
    await world.steward.get(f"/exchange/messages?since={typed}")
    today = form.format(world.today)
    drawn = await world.county.post("/verification/samples/new", {"first": today, "last": today, "kind": "followup", "wanted": "1"})
    assert drawn.headers["location"].startswith("/verification/samples/list?sample=")
    assert "所知" in words((await world.county.get(f"/measures/{MEASURE}?known={today}")).text)


@pytest.mark.parametrize("path", ["/measures?as_of=20261399", "/measures/people?as_of=soon"])
async def test_what_is_no_day_is_told_how_to_write_one(world: World, path: str) -> None:
    assert "20261121" in (await world.county.get(path, 400)).text


async def test_no_page_of_these_asks_the_browser_for_a_day(world: World) -> None:
    for person, path in (
        (world.county, "/measures"),
        (world.county, f"/measures/{MEASURE}"),
        (world.county, "/measures/map"),
        (world.county, "/measures/people"),
        (world.county, "/verification/samples/new"),
        (world.cdc, "/measures/disease-control"),
        (world.auditor, "/system/audit"),
        (world.auditor, "/system/audit/check"),
        (world.steward, "/exchange/messages"),
    ):
        page = (await person.get(path)).text
        assert 'type="date"' not in page and "data-date" in page, path


async def test_the_norms_denominator_stands_beside_ours_with_source_and_year(world: World) -> None:
    page = words((await world.county.get("/measures/records")).text)
    assert "健康档案建档率 11.5% 3 / 26 人" in page and f"常住人口：{SOURCE}，{world.today.year}" in page
    assert "建档率 = 建档人数 ÷ 辖区内常住居民数" in page
    elderly = words((await world.county.get(f"/measures/{ELDERLY}")).text)
    assert "/ 4 人" in elderly and "65 岁及以上常住人口" in elderly and "规范的分母是辖区内 65 岁及以上常住居民" in elderly
    table = words((await world.county.get("/measures")).text)
    assert "健康档案建档率 11.5% 3 / 26" in table
    assert "健康档案建档率 3 26 11.5%" in words((await world.cdc.get("/measures/disease-control")).text)


async def test_each_division_has_its_own_residents_and_an_institution_has_none(world: World) -> None:
    for by, counts in (("town", {"16", "10"}), ("village", {"16", "10"})):
        page = (await world.county.get(f"/measures/records?by={by}")).text
        assert set(re.findall(r'data-label="常住人口">(\d+)</td>', page)) == counts
    part = words((await world.county.get(f"/measures/records?area={EAST_VILLAGE}&by=practitioner")).text)
    assert "健康档案建档率 12.5% 2 / 16 人" in part
    houses = (await world.county.get("/measures/records?by=institution")).text
    assert "健康档案建档率" in houses and 'data-label="常住人口"' not in houses
    rid = re.search(r"institution=(\d+)", houses)
    assert rid and "没有按机构和责任人" in (await world.county.get(f"/measures/records?institution={rid[1]}")).text


async def test_a_township_divides_by_its_own_residents(world: World) -> None:
    assert "健康档案建档率 12.5% 2 / 16 人" in words((await world.health.get("/measures/records")).text)


async def test_excel_has_the_norms_rates_too(world: World) -> None:
    rows = sheet((await world.county.get("/measures/export.xlsx")).content)
    rate = next(row for row in rows if row[0] == "健康档案建档率")
    assert rate[2] == 26 and rate[3] == pytest.approx(float(str(rate[1])) / 26) and SOURCE in str(rate[10])
    towns = sheet((await world.county.get("/measures/records/export.xlsx?by=town")).content)
    head = next(row for row in towns if "常住人口" in row)
    at = head.index("常住人口")
    assert {row[at] for row in towns if isinstance(row[at], int)} == {16, 10, 26}
    cdc = sheet((await world.cdc.get("/measures/disease-control/export.xlsx")).content)
    assert any(row[0] == "健康档案建档率" and row[2] == 26 for row in cdc)
    people = sheet((await world.cdc.get("/measures/disease-control/population.xlsx")).content)
    assert sum(row[5] for row in people if isinstance(row[5], int)) == 26


async def test_every_number_of_the_workload_opens_into_as_many_entries(world: World) -> None:
    for path in (f"/measures/workload?month={world.today:%Y-%m}", f"/measures/workload?month={world.today.year - 1}-03"):
        page = (await world.county.get(path)).text
        found = re.findall(r'href="(/measures/workload/entries\?[^"]+)">([\d,]+)</a>', page)
        assert found and len(found) == len(re.findall(r'<td data-label="[^"]*" class="num">\s*(?:<a[^>]*>)?[1-9]', page))
        for link, count in found:
            told = words((await world.county.get(html.unescape(link))).text)
            assert f"共 {count} 条" in told, link
    records = [html.unescape(link) for link, _ in found if "kind=records" in link]
    seen = "".join([(await world.county.get(link)).text for link in records])
    assert {name for name in ("钱测甲", "钱测乙", "钱测丙") if name in seen} == {"钱测甲", "钱测乙", "钱测丙"}
    east = "".join([(await world.health.get(link)).text for link in records])
    assert "钱测甲" in east and "钱测丙" not in east
    await world.village.get(records[0], 403)
    assert "/measures/workload/entries?" in (await world.health.get(f"/measures/monthly?month={world.today:%Y-%m}")).text


async def test_what_is_nought_while_data_are_loaded_is_not_told_as_a_number(world: World) -> None:
    nothing = "/measures/diabetes2-glucose-control-rate"
    assert "0 / 0" in words((await world.county.get(nothing)).text)
    async with world.platform.database.connection() as connection:
        await connection.execute(
            "insert into progress (job, label_zh, label_en, done, total, note) values ('import', '载入', 'loading', 1, 2, '')"
        )
    try:
        page = words((await world.county.get(nothing)).text)
        assert "计算中…" in page and "0 / 0" not in page
        table = words((await world.county.get("/measures")).text)
        assert "管理人群血糖控制率 计算中…" in table and "0 / 0" not in table and "3 / 26" in table
        assert "0 / 0" not in words((await world.cdc.get("/measures/disease-control")).text)
        assert "计算中…" in words((await world.county.get("/measures/tasks?programme=diabetes2")).text)
        assert "计算中…" in words((await world.county.get("/verification")).text)
        assert "数据正在载入" in words((await world.county.get("/measures/people?measure=diabetes2-glucose-control-rate")).text)
    finally:
        async with world.platform.database.connection() as connection:
            await connection.execute("delete from progress where job = 'import'")
    assert "计算中…" not in words((await world.county.get(nothing)).text)
