"""What is worth verifying is listed with its grounds and state, inside the reader's area; a sample can be drawn again from its seed."""

from __future__ import annotations

import html
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import openpyxl
import pytest

from tests.district import resident, send
from tests.http.statistics_world import SERVICE, World, statistics_world, visited
from xinglin.engines.rules import Visit, draw


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("verification")) as found:
        today = found.today
        same = [entry for count in (60, 40, 20) for entry in visited(1, today - timedelta(days=count), (144, 88))]
        after = visited(8, today - timedelta(days=3), (130, 80))
        dead = resident(8, "李测八", 420999101201, "E1", deceasedDateTime=(today - timedelta(days=9)).isoformat())
        stay = {
            "resourceType": "Encounter", "id": "stay7", "status": "finished", "subject": {"reference": "Patient/p7"},
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}, "type": [{"coding": [{"system": SERVICE, "code": "inpatient"}]}],
            "period": {"start": (today - timedelta(days=30)).isoformat(), "end": (today - timedelta(days=20)).isoformat()},
        }  # fmt: skip
        within = visited(7, today - timedelta(days=25), (126, 78), way="2")
        by_phone = visited(7, today - timedelta(days=24), (126, 78), way="3")
        family = [resident(n, f"同号{n}", 420999101201, "E1", telecom=[{"system": "phone", "value": "13912345678"}]) for n in range(20, 25)]
        await send(found.platform, *same, dead, *after, stay, *within, *by_phone, *family, message_id="to-verify")
        await found.lake.refresh()
        await found.county.post("/verification/look")
        yield found


def words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def numbers(page: str) -> list[str]:
    return re.findall(r'class="main" href="/verification/(\d+)"', page)


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ("same_reading", "连续三次血压都是 144/88"),
        ("after_death", "其后仍有随访"),
        ("during_admission", "其间有面对面随访"),
        ("shared_phone", "5 位居民登记同一电话"),
    ],
)
async def test_a_check_finds_what_was_entered_and_nothing_else(world: World, check: str, sentence: str) -> None:
    page = (await world.county.get(f"/verification?check={check}")).text
    assert len(numbers(page)) == 1 and sentence in page
    assert "假" not in words(page)


@pytest.mark.parametrize("check", ["many_visits", "digit_preference"])
async def test_a_check_without_grounds_finds_nothing(world: World, check: str) -> None:
    assert numbers((await world.county.get(f"/verification?check={check}")).text) == []


async def test_a_finding_shows_the_entries_and_the_messages(world: World) -> None:
    page = (await world.county.get("/verification?check=same_reading")).text
    one = (await world.county.get(f"/verification/{numbers(page)[0]}")).text
    assert one.count(">144/88<") == 3 and "/exchange/messages/" in one and "李测一" in one


async def test_a_township_verifies_its_own_findings_only(world: World) -> None:
    own = numbers((await world.health.get("/verification")).text)
    other = numbers((await world.west_health.get("/verification")).text)
    everything = numbers((await world.county.get("/verification")).text)
    assert len(own) == 3 and len(other) == 1 and set(own) | set(other) == set(everything)
    await world.health.get(f"/verification/{own[0]}")
    await world.west_health.get(f"/verification/{own[0]}", 404)
    await world.west_health.post(f"/verification/{own[0]}", {"state": "verified", "note": "看过"}, 404)
    answer = await world.west_health.get("/verification/export.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None and sheet.max_row == 3


@pytest.mark.parametrize("login", ["doctor", "village", "leader", "auditor", "cdc"])
async def test_others_do_not_verify(world: World, login: str) -> None:
    await world.health.get("/verification")
    await world.people[login].get("/verification", 403)
    await world.people[login].get("/verification/samples", 403)


async def test_a_decision_needs_a_note_and_survives_the_next_look(world: World) -> None:
    number = numbers((await world.county.get("/verification?check=after_death")).text)[0]
    refused = await world.county.post(f"/verification/{number}", {"state": "problem", "note": " "}, 422)
    assert "请写明怎样核实的" in refused.text
    await world.county.post(f"/verification/{number}", {"state": "problem", "note": "家属说死亡日期没有错"})
    await world.health.post("/verification/look", None, 403)
    await world.county.post("/verification/look")
    page = words((await world.county.get(f"/verification/{number}")).text)
    assert "有问题" in page and "家属说死亡日期没有错" in page
    assert numbers((await world.county.get("/verification?state=problem")).text) == [number]


async def test_a_sample_can_be_drawn_again_and_is_called_place_by_place(world: World) -> None:
    first, last = (world.today - timedelta(days=200)).isoformat(), world.today.isoformat()
    frame = {"first": first, "last": last, "kind": "followup", "wanted": "4", "area": "", "title": "秋季抽查", "seed": "xinglin"}
    await world.county.post("/verification/samples/new", frame)
    page = (await world.county.get("/verification/samples/list")).text
    names = re.findall(r'class="main" href="/verification/samples/(\d+)/(\d+)"', page)
    assert len(names) == 4 and "秋季抽查" in page and "xinglin" in page
    sample = names[0][0]
    again = await world.county.get(f"/verification/samples/list?sample={sample}&again=1")
    assert "抽出完全相同的 4 人" in again.text
    path = f"/verification/samples/{sample}/1"
    assert "138****" in (await world.county.get(path)).text or "139****" in (await world.county.get(path)).text
    refused = await world.county.post(path, {"result": "false", "note": ""}, 422)
    assert "不属实的请写明情况" in refused.text
    answer = await world.county.post(path, {"result": "true", "note": "本人说量过血压", "following": "2"})
    assert answer.headers["location"].endswith(f"/{sample}/2")
    told = words((await world.county.get(f"/verification/samples/list?sample={sample}")).text)
    assert "属实" in told and "本人说量过血压" in told
    sheet = openpyxl.load_workbook(
        io.BytesIO((await world.county.get(f"/verification/samples/list/export.xlsx?sample={sample}")).content)
    ).active
    assert sheet is not None and sheet.max_row == 6


async def test_a_sample_is_drawn_by_the_county_and_seen_inside_ones_area(world: World) -> None:
    first = (world.today - timedelta(days=200)).isoformat()
    frame = {
        "first": first,
        "last": world.today.isoformat(),
        "kind": "followup-hypertension",
        "wanted": "50",
        "area": "",
        "title": "全县",
        "seed": "s",
    }
    await world.health.post("/verification/samples/new", frame, 403)
    await world.county.post("/verification/samples/new", frame)
    listed = re.findall(r'href="/verification/samples/list\?sample=(\d+)"', (await world.county.get("/verification/samples")).text)
    own = (await world.west_health.get(f"/verification/samples/list?sample={listed[0]}")).text
    assert "赵测" in own and "李测" not in own
    everybody = (await world.county.get(f"/verification/samples/list?sample={listed[0]}")).text
    place = re.search(rf'href="/verification/samples/{listed[0]}/(\d+)">李测一<', everybody)
    assert place is not None
    await world.west_health.get(f"/verification/samples/{listed[0]}/{place[1]}", 404)
    await world.west_health.post(f"/verification/samples/{listed[0]}/{place[1]}", {"result": "true", "note": ""}, 404)
    refused = await world.county.post("/verification/samples/new", {**frame, "wanted": "0"}, 422)
    assert "抽取人数" in refused.text


def test_a_drawing_depends_on_seed_and_people_only() -> None:
    visits = [Visit(number, number // 2, "2026-11-01", None, None, "1") for number in range(100)]  # type: ignore[arg-type]
    one = draw(visits, "a", 10)
    assert one == draw(visits[::-1], "a", 10) and len({each.person for each in one}) == 10
    assert {each.visit for each in one} != {each.visit for each in draw(visits, "b", 10)}
    assert len(draw(visits, "a", 500)) == 50
