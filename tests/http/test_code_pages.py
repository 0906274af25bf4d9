"""代码与对照: codes, correspondences and divisions by page, one by one and by file, with a look before and a history after."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from tests.district import open_district
from tests.http.signed_in import World, people
from xinglin.base.errors import UnavailableError
from xinglin.engines.geo import Loaded, PopulationFigure
from xinglin.engines.security import Audit, AuditEntry
from xinglin.engines.terminology import CodeFiles
from xinglin.web.pages.exchange_codes import DIAGNOSES

SNOMED = "http://snomed.info/sct"
LOCAL = {
    "kind": "concepts",
    "url": "urn:test:local",
    "name_zh": "本院诊断",
    "name_en": "Local",
    "version": "1",
    "source": "信息科",
    "is_complete": "1",
}


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform, people(platform) as found:
        yield World(platform, found)


async def send(world: World, content: bytes, name: str = "表.csv", **fields: str) -> str:
    """Send a file and return the address of its page."""
    answer = await world.steward.post("/exchange/codes/files/new", fields, 303, {"file": (name, content, "text/csv")})
    return answer.headers["location"]


def count_of(page: str, label: str) -> str:
    found = re.search(rf"<dt>{label}</dt><dd>([^<]*)</dd>", page)
    assert found, label
    return found[1]


async def test_an_empty_page_says_what_to_load_and_gives_the_template(world: World) -> None:
    for path, kind, words in (("", "concepts", "没有代码表，记录照样保存和统计"), ("/maps", "maps", "才能进入统计")):
        page = (await world.steward.get(f"/exchange/codes{path}")).text
        assert words in page and f'href="/exchange/codes/templates/{kind}.csv"' in page and "docs/how-to/codes-and-divisions.md" in page
        assert f"/exchange/codes/files/new?kind={kind}" in page


async def test_every_page_opens_in_both_languages_for_who_may_and_for_nobody_else(world: World) -> None:
    read = ("", "/concepts", "/maps", "/divisions", "/files", "/print", "/maps/print", "/export.xlsx", "/templates/maps.csv")
    write = ("/maps/new", "/files/new", "/files/new?kind=maps", "/files/new?kind=divisions", "/files/new?kind=population")
    for language in ("zh", "en"):
        world.steward.client.cookies.set("xinglin_language", language)
        for path in read + write:
            answer = await world.steward.get(f"/exchange/codes{path}")
            if "html" in answer.headers["content-type"]:
                assert f'<html lang="{"en" if language == "en" else "zh-CN"}"' in answer.text
    world.steward.client.cookies.delete("xinglin_language")
    for path in read[:5]:
        await world.county.get(f"/exchange/codes{path}")
        await world.responsible_doctor.get(f"/exchange/codes{path}", 403)
    for path in write:
        await world.county.get(f"/exchange/codes{path}", 403)
    await world.county.post("/exchange/codes/maps/new", {}, 403)


async def test_correspondences_are_entered_one_by_one_ended_and_kept(world: World) -> None:
    fact = {
        "source_system": SNOMED,
        "source_code": "59621000",
        "target_system": DIAGNOSES,
        "target_code": "I10",
        "equivalence": "equivalent",
        "source": "县医院编码员",
    }
    saved = await world.steward.post("/exchange/codes/maps/new", fact)
    following = (await world.steward.get(saved.headers["location"])).text
    assert "59621000 → I10" in following and 'value="县医院编码员"' in following, "the ground of the one before stands in the next"
    again = await world.steward.post("/exchange/codes/maps/new", fact, 400)
    assert "已经录入" in again.text and 'value="59621000"' in again.text
    other = await world.steward.post("/exchange/codes/maps/new", {**fact, "equivalence": "narrower"}, 409)
    assert "先终止" in other.text
    assert "依据" in (await world.steward.post("/exchange/codes/maps/new", {**fact, "source_code": "44054006", "source": ""}, 400)).text
    assert await world.platform.terminology.maps.usable(DIAGNOSES) == {(SNOMED, "59621000"): ("I10",)}

    listed = (await world.county.get("/exchange/codes/maps?text=5962")).text
    number = (await world.platform.terminology.maps.open())[0].map_no
    assert "含义相同" in listed and "steward" in listed and f"/maps/{number}/end" not in listed, "who may only read is offered no change"
    assert "终止原因" in (await world.steward.get(f"/exchange/codes/maps/{number}/end")).text
    await world.steward.post(f"/exchange/codes/maps/{number}/end", {"reason": " "}, 400)
    await world.steward.post(f"/exchange/codes/maps/{number}/end", {"reason": "编码员更正"})
    await world.steward.post(f"/exchange/codes/maps/{number}/end", {"reason": "again"}, 404)
    assert await world.platform.terminology.maps.usable(DIAGNOSES) == {}
    assert "编码员更正" in (await world.steward.get("/exchange/codes/maps?state=ended")).text
    assert "编码员更正" not in (await world.steward.get("/exchange/codes/maps?state=open")).text


async def test_a_file_of_correspondences_is_looked_through_confirmed_and_exported_again(world: World) -> None:
    template = (await world.steward.get("/exchange/codes/templates/maps.csv")).content.decode("utf-8-sig").strip()
    rows = [f"{SNOMED},{code},{DIAGNOSES},{target},equivalent,编码小组" for code, target in (("73211009", "E14"), ("44054006", "E11"))]
    table = "\n".join([template, *rows])
    bad = await send(world, f"{table}\n{SNOMED},1,{DIAGNOSES},E11,same,编码小组\n{SNOMED},,{DIAGNOSES},E11,wider,".encode(), kind="maps")
    page = (await world.steward.get(bad)).text
    assert "第 4 行" in page and "对应关系只能是" in page and "第 5 行" in page and "确认载入" not in page
    assert await world.platform.terminology.maps.open() == ()
    await world.steward.post(bad, {"action": "load"}, 409)

    place = await send(world, table.encode("gb18030"), kind="maps")
    page = (await world.steward.get(place)).text
    assert count_of(page, "新增") == "2" and "确认载入" in page and await world.platform.terminology.maps.open() == ()
    assert "确认载入" not in (await world.county.get(place)).text
    await world.county.post(place, {"action": "load"}, 403)
    await world.steward.post(place, {"action": "load"})
    assert len(await world.platform.terminology.maps.open()) == 2
    await world.steward.post(place, {"action": "load"}, 409)

    exported = (await world.steward.get("/exchange/codes/export/maps.csv")).content
    again = await send(world, exported, kind="maps")
    assert count_of((await world.steward.get(again)).text, "不变") == "2", "what goes out comes in again"
    await world.steward.post(again, {"action": "discard"})
    contradicts = await send(world, table.replace("E14,equivalent", "E14,narrower").encode(), kind="maps")
    assert "先终止" in (await world.steward.get(contradicts)).text
    history = (await world.county.get("/exchange/codes/files?kind=maps")).text
    assert all(state in history for state in ("有错误", "已载入", "已放弃")) and "steward" in history
    assert (await world.county.get(f"{place}/original")).content == table.encode("gb18030")
    async with world.platform.database.connection() as connection:
        audited = await connection.fetch("select action from audit where subject_type in ('code_file', 'concept_map')")
    assert {"look", "loaded", "discarded", "enter", "end", "export"} <= {row["action"] for row in audited}


async def test_a_code_system_is_loaded_searched_and_retires_what_its_next_edition_leaves_out(world: World) -> None:
    first = await send(world, "code,display_zh,display_en,parent,active\nA,高血压,Hypertension,,\nB,高血压1级,,A,1".encode(), **LOCAL)
    await world.steward.post(first, {"action": "load"})
    assert "本院诊断" in (await world.county.get("/exchange/codes")).text
    found = (await world.county.get("/exchange/codes/concepts?system=urn:test:local&text=1级")).text
    assert "高血压1级" in found and ">A<" in found
    second = await send(world, "code,display_zh\nA,原发性高血压\nC,糖尿病".encode(), **{**LOCAL, "version": "2"})
    page = (await world.steward.get(second)).text
    assert [count_of(page, label) for label in ("新增", "改动", "改为停用")] == ["1", "1", "1"]
    await world.steward.post(second, {"action": "load"})
    assert "高血压1级" in (await world.steward.get("/exchange/codes/concepts?state=retired")).text
    prefilled = (await world.steward.get("/exchange/codes/files/new?kind=concepts&system=urn:test:local")).text
    assert 'value="本院诊断"' in prefilled and 'value="2"' in prefilled
    wrong = await send(world, "code,display_zh,parent,active\nA,甲,Z,\nA,乙,,\n,丙,,\nD,丁,,是".encode(), **LOCAL)
    page = (await world.steward.get(wrong)).text
    assert all(place in page for place in ("第 2 行", "第 3 行", "第 4 行", "第 5 行"))
    unknown = {
        "source_system": SNOMED,
        "source_code": "1",
        "target_system": "urn:test:local",
        "target_code": "Z",
        "equivalence": "wider",
        "source": "x",
    }
    assert "没有这个代码" in (await world.steward.post("/exchange/codes/maps/new", unknown, 400)).text
    nameless = await send(world, b"code,display_zh\nA,x", kind="concepts", url="", name_zh="x", source="y")
    assert "url" in (await world.steward.get(nameless)).text
    system = {"resourceType": "CodeSystem", "url": "urn:test:json", "name": "Json", "content": "complete", "concept": [{"code": "1"}]}
    json_file = await send(world, orjson.dumps(system), "cs.json", kind="concepts", source="厂商")
    await world.steward.post(json_file, {"action": "load"})
    assert (await world.platform.terminology.lookup("urn:test:json", "1")).code == "1"


async def test_divisions_are_updated_by_a_table_that_leaves_outlines_and_the_others_alone(world: World) -> None:
    outline = {"type": "Polygon", "coordinates": [[[112.0, 31.0], [112.1, 31.0], [112.1, 31.1], [112.0, 31.0]]]}
    feature = {"type": "Feature", "properties": {"code": "420999103000", "name": "新镇"}, "geometry": outline}
    place = await send(world, orjson.dumps({"type": "FeatureCollection", "features": [feature]}), "新镇.geojson", kind="divisions")
    await world.steward.post(place, {"action": "load"})
    table = "code,name,valid_from\n420999103000,新城镇,2026-01-01\n420999103201,新村,\n420999101000,青石镇,"
    renamed = await send(world, table.encode(), kind="divisions")
    page = (await world.steward.get(renamed)).text
    assert [count_of(page, label) for label in ("新增", "改动", "不变")] == ["1", "1", "1"]
    await world.steward.post(renamed, {"action": "load"})
    found = await world.platform.geo.division(420999103000)
    assert (found.name, found.polygon, found.lon is not None) == ("新城镇", outline, True)
    listed = (await world.county.get("/exchange/codes/divisions?text=新&level=village")).text
    assert "新村" in listed and "新城镇" in listed and "420999101201" not in listed, "with the name of what is above it"
    wrong = await send(world, "code,name,level\n4209x,甲,\n420999103202,,\n420999103203,乙,hamlet".encode(), kind="divisions")
    page = (await world.steward.get(wrong)).text
    assert all(f"第 {line} 行" in page for line in (2, 3, 4))


async def test_population_figures_come_with_their_source(world: World) -> None:
    place = await send(world, "area,year,age_band,sex,count,source\n420999101000,2025,all,all,9000,年鉴".encode(), kind="population")
    await world.steward.post(place, {"action": "load"})
    assert (await world.platform.geo.population([420999101000], year=2025))[0].count == 9000
    again = (await world.steward.get("/exchange/codes/export/population.csv")).content
    assert count_of((await world.steward.get(await send(world, again, kind="population"))).text, "不变") == "1"


async def test_a_file_that_is_being_loaded_is_not_discarded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    place = await send(world, "area,year,age_band,sex,count,source\n420999102000,2025,all,all,800,年鉴".encode(), kind="population")
    load = world.platform.geo.load_population

    async def meanwhile(figures: Iterable[PopulationFigure], **within: Any) -> Loaded:
        for action in ("discard", "load"):
            assert "正在处理这个文件" in (await world.steward.post(place, {"action": action}, 409)).text
        return await load(figures, **within)

    monkeypatch.setattr(world.platform.geo, "load_population", meanwhile)
    await world.steward.post(place, {"action": "load"}, 303)
    assert (await world.platform.code_files.file(int(place.rsplit("/", 1)[1]))).state == "loaded"
    assert [one.count for one in await world.platform.geo.population([420999102000], year=2025)] == [800]
    await world.steward.post(place, {"action": "discard"}, 409)


@dataclass(frozen=True)
class Dying:
    """An audit log that is gone when a file is about to be said to be loaded, as when the process is killed there."""

    audit: Audit

    async def promise(self, connection: Any, entry: AuditEntry) -> AuditEntry:
        if (entry.subject_type, entry.action) == ("code_file", "loaded"):
            raise UnavailableError("没有了", "gone")
        return await self.audit.promise(connection, entry)

    async def record(self, entry: AuditEntry) -> None:
        await self.audit.record(entry)


KILLED = {
    "concepts": ("code,display_zh\nZ,某病", {**LOCAL, "url": "urn:test:killed"}, "select 1 from concept where system = 'urn:test:killed'"),
    "maps": (
        f"source_system,source_code,target_system,target_code,equivalence,source\n{SNOMED},22298006,{DIAGNOSES},I21,equivalent,编码小组",
        {"kind": "maps"},
        "select 1 from concept_map where source_code = '22298006'",
    ),
    "divisions": (
        "code,name\n420999107000,测试七镇",
        {"kind": "divisions"},
        "select 1 from division where area = 420999107000",
    ),
    "population": (
        "area,year,age_band,sex,count,source\n420999102000,2024,all,all,790,年鉴",
        {"kind": "population"},
        "select 1 from population where area = 420999102000 and year = 2024",
    ),
}


@pytest.mark.parametrize("kind", KILLED)
async def test_a_load_that_dies_before_it_says_so_loaded_nothing(world: World, kind: str) -> None:
    table, fields, there = KILLED[kind]
    platform, steward = world.platform, world.platform.security.system_scope()
    number = int((await send(world, table.encode(), **fields)).rsplit("/", 1)[1])
    files = CodeFiles((platform.database, Dying(platform.audit), platform.clock), platform.terminology, platform.geo)
    told = "select coalesce(max(n), 0), count(*) from audit where subject_type in ('code_system', 'concept_map') and action in ('load', 'enter')"
    async with platform.database.connection() as connection:
        before = await connection.fetchrow(told)
    with pytest.raises(UnavailableError):
        await files.load(steward, number)
    async with platform.database.connection() as connection:
        assert await connection.fetchval(there) is None
        assert await connection.fetchrow(told) == before, "the log tells nothing of what was rolled back"
        assert await connection.fetchval("select count(*) from audit_owed") == 0
    assert (await platform.code_files.file(number)).state == "looked"
    assert (await platform.code_files.load(steward, number)).state == "loaded"
    async with platform.database.connection() as connection:
        assert await connection.fetchval(there) == 1


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2", b"PK\x03\x04zip", b"code,display_zh\n", b'code,display_zh\n"x'])
async def test_what_is_no_table_is_told_and_kept(world: World, content: bytes) -> None:
    page = (await world.steward.get(await send(world, content, **LOCAL))).text
    assert "逐行错误" in page and "确认载入" not in page
    await world.steward.post("/exchange/codes/files/new", {"kind": "maps"}, 400)
    await world.steward.post("/exchange/codes/files/new", {"kind": "x"}, 400, {"file": ("a.csv", b"x", "text/csv")})
