"""规划指标: from the upload of a document to a table that knows today's values, and to the report."""

from __future__ import annotations

import html
import io
import re
from collections.abc import AsyncIterator

import docx
import openpyxl
import pytest

from tests.http.plan_world import TABLE, make, table, upload
from tests.http.statistics_world import World, statistics_world
from tests.spec.plan.paper import locked_pdf, scanned_pdf


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
    await world.county.post(
        f"/plans/{plan}/review",
        {**fields, "target_op": "<=", "kind": "binding", "fingerprint": chosen, "target_value": "2.5", "action": "accept"},
    )
    assert (await table(world.county, plan))["婴儿死亡率"]["target_value"] == 2.5
    await world.county.post(f"/plans/{plan}/review", {"fingerprint": chosen, "action": "undo"})
    assert (await table(world.county, plan))["婴儿死亡率"]["target_value"] == 2.8
    wrong = await world.county.post(
        f"/plans/{plan}/review", {**fields, "fingerprint": chosen, "target_value": "很多", "action": "accept"}, 422
    )
    assert "数值写成数字" in wrong.text


async def test_the_same_document_sent_again_is_the_same_plan(world: World, plan: int) -> None:
    document = await upload(world.county, TABLE, "另一个名字.txt")
    assert await make(world.county, document) == plan


async def test_a_re_upload_shows_the_changed_number_and_keeps_what_was_confirmed(world: World) -> None:
    first = TABLE.replace("月湖县", "青岭县")
    plan = await make(world.county, await upload(world.county, first), title="青岭县“十五五”卫生健康事业发展规划")
    bound = (await table(world.county, plan))["管理人群高血压控制率"]
    await world.county.post(f"/plans/indicators/{bound['id']}", {"action": "bind", "measure": "hypertension-control-rate"})
    await world.county.post(f"/plans/indicators/{bound['id']}", {"action": "path", "year-2027": "60"})
    document = await upload(world.county, first.replace("≤2.8", "≤2.6"), replaces=plan)
    page = words((await world.county.get(f"/plans/documents/{document}?replaces={plan}")).text)
    assert "已有同名规划" in page
    following = await make(world.county, document, replaces=str(plan))
    assert following != plan
    difference = words((await world.county.get(f"/plans/{following}/review?show=difference")).text)
    assert re.search(r"婴儿死亡率 改动 目标值 2\.8 2\.6", difference)
    kept = (await table(world.county, following))["管理人群高血压控制率"]
    assert kept["today"]["measure"] == "hypertension-control-rate"
    assert {"year": 2027, "value": 60.0, "origin": "set"} in kept["today"]["path"]
    await world.county.post(f"/plans/{following}/edit", {"action": "approve"})
    body = (await world.county.get(f"/plans/{following}.json")).json()
    assert (body["plan"]["status"], body["plan"]["version"]) == ("approved", 2)
    assert "已被取代" in (await world.county.get(f"/plans/{plan}/edit")).text
    await world.county.post(f"/plans/indicators/{bound['id']}", {"action": "owner", "owner": "县卫生健康局"}, 409)
    await world.county.post(f"/plans/{following}/edit", {"action": "approve"}, 409)


async def test_an_approved_version_supersedes_the_one_it_replaces(world: World) -> None:
    first = await make(world.county, await upload(world.county, TABLE.replace("月湖县", "云岭县")), title="云岭县规划")
    second = await make(
        world.county,
        await upload(world.county, TABLE.replace("月湖县", "云岭县").replace("80.1", "80.3")),
        title="云岭县规划",
        replaces=str(first),
    )
    await world.county.post(f"/plans/{second}/edit", {"action": "approve"})
    assert (await world.county.get(f"/plans/{first}.json")).json()["plan"]["status"] == "superseded"
    await world.county.post(f"/plans/{second}/edit", {"action": "undo"})
    assert (await world.county.get(f"/plans/{first}.json")).json()["plan"]["status"] == "approved"
    await world.county.post(f"/plans/{second}/edit", {"action": "approve"})
    number = (await table(world.county, second))["人均预期寿命"]["id"]
    await world.county.post(
        f"/plans/indicators/{number}", {"action": "value", "year": "2025", "month": "", "value": "79,2", "source": "年鉴"}, 400
    )


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("扫描.pdf", "scan", "扫描件"),
        ("加密.pdf", "locked", "密码"),
        ("空.txt", b"", "空"),
        ("旧.doc", b"\xd0\xcf\x11\xe0" + b"\x00" * 600, "不支持"),
        ("坏.docx", b"PK\x03\x04garbage", "不是完整的"),
        ("乱码.txt", bytes(range(1, 256)) * 20, "不支持"),
        ("坏.pdf", b"%PDF-1.4\n" + bytes(range(256)) * 8, "PDF"),
    ],
)
async def test_what_cannot_be_read_is_said_and_not_kept(world: World, name: str, content: bytes | str, said: str) -> None:
    sent = scanned_pdf() if content == "scan" else locked_pdf(["规划"], "secret") if content == "locked" else content
    answer = await world.county.client.get("/account")
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', answer.text)
    assert token
    page = await world.county.client.post(
        "/plans/upload", data={"form_token": token[1]}, files={"file": (name, sent, "application/octet-stream")}
    )
    assert page.status_code in (400, 413, 415, 422, 501), page.status_code
    assert said in words(page.text)


async def test_text_that_is_no_plan_is_kept_and_gives_an_empty_table(world: World) -> None:
    words_only = "天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。\n" * 30
    document = await upload(world.county, words_only, "千字文.txt")
    plan = await make(world.county, document, title="不是规划", level="compared")
    assert await table(world.county, plan) == {}
    for path in (
        f"/plans/cockpit?plan={plan}",
        f"/plans/{plan}/review",
        f"/plans/{plan}/evaluation",
        f"/plans/{plan}/what-if",
        f"/plans/indicators?plan={plan}",
    ):
        await world.county.get(path)
    assert (await world.county.get(f"/plans/documents/{document}/file")).content == words_only.encode()


async def test_a_gazette_with_several_plans_lets_one_choose(world: World) -> None:
    document = await upload(
        world.county, TABLE.replace("月湖县", "东山县") + "\n\n" + TABLE.replace("月湖县", "西山县").replace("80.1", "81.0"), "公报.txt"
    )
    page = (await world.county.get(f"/plans/documents/{document}")).text
    parts = re.findall(r'name="part" value="(\d+)"', page)
    assert len(parts) == 2
    plan = await make(world.county, document, int(parts[1]), title="西山县规划", level="compared")
    assert (await table(world.county, plan))["人均预期寿命"]["target_value"] == 81.0
    await world.county.post(f"/plans/documents/{document}", {"part": "9", "title": "没有"}, 400)


async def test_entered_values_wait_for_approval_then_count(world: World, plan: int) -> None:
    number = (await table(world.county, plan))["人均预期寿命"]["id"]
    for year, value in ((2023, "78.7"), (2024, "78.9"), (2025, "79.2")):
        await world.county.post(
            f"/plans/indicators/{number}", {"action": "value", "year": str(year), "month": "", "value": value, "source": "县统计公报"}
        )
    assert (await table(world.county, plan))["人均预期寿命"]["today"]["value"] is None
    await world.county.post(f"/plans/{plan}/values/decide", {"action": "approved"})
    today = (await table(world.county, plan))["人均预期寿命"]["today"]
    assert (today["value"], today["origin"], today["standing"]) == (79.2, "entered", "on_track")
    assert today["forecast"]["n"] == 3
    assert "2030 年 12 月" in today["forecast_words"]["zh"]
    await world.county.post(
        f"/plans/indicators/{number}", {"action": "value", "year": "2025", "month": "13", "value": "1", "source": "x"}, 400
    )
    await world.county.post(
        f"/plans/indicators/{number}", {"action": "value", "year": "2025", "month": "", "value": "很多", "source": "x"}, 400
    )


async def test_a_task_has_unit_state_evidence_and_a_reminder(world: World, plan: int) -> None:
    page = (await world.county.get(f"/plans/tasks?plan={plan}&owner=县人民医院")).text
    number = re.search(r'class="main"[^>]* href="/plans/tasks/(\d+)"', page)
    assert number, page
    path = f"/plans/tasks/{number[1]}"
    await world.county.post(path, {"state": "done", "unit": "", "due": "", "remind_on": "", "evidence": ""}, 400)
    await world.county.post(
        path, {"state": "doing", "unit": "", "due": "20261201", "remind_on": "20261101", "evidence": "县医发〔2026〕8号"}
    )
    shown = words((await world.county.get(f"/plans/tasks?plan={plan}")).text)
    assert "2026-12-01" in shown and "到提醒日" in shown
    assert "办好县医院" in words((await world.county.get(f"/plans/cockpit?plan={plan}")).text)
    units = words((await world.county.get(f"/plans/tasks/units?plan={plan}")).text)
    assert "县人民医院" in units and "县财政局" in units
    export = openpyxl.load_workbook(io.BytesIO((await world.county.get(f"/plans/tasks/export.xlsx?plan={plan}")).content)).active
    assert any("县医发" in str(cell.value) for line in export.iter_rows() for cell in line)


async def test_the_evaluation_says_what_is_missing_first_and_cites_its_evidence(world: World, plan: int) -> None:
    content = (await world.county.get(f"/plans/{plan}/evaluation.docx")).content
    document = docx.Document(io.BytesIO(content))
    headings = [one.text for one in document.paragraphs if one.style.name == "Heading 2"]
    assert headings[0].endswith("缺项")
    text = "\n".join(one.text for one in document.paragraphs)
    assert "3 ÷ 5" in text
    assert [cell.text for cell in document.tables[1].rows[0].cells][1] == "指标"
    assert "虚构数据" in document.sections[0].header.paragraphs[0].text
    page = words((await world.county.get(f"/plans/{plan}/evaluation?kind=final")).text)
    assert "终期评估报告" in page and page.index("缺项") < page.index("指标完成情况")
    await world.county.get(f"/plans/{plan}/evaluation/print")
    await world.auditor.get(f"/plans/{plan}/evaluation.docx", 403)


async def test_plans_stand_side_by_side_and_supposing_shows_its_arithmetic(world: World, plan: int) -> None:
    other = await make(
        world.county,
        await upload(world.county, TABLE.replace("月湖县", "南浦市").replace("80.1", "79.5")),
        title="南浦市规划",
        level="city",
        area_name="南浦市",
    )
    page = words((await world.county.get(f"/plans/compare?plan={plan}&plan={other}")).text)
    assert "南浦市" in page and "79.5" in page and "80.1" in page
    await world.county.get(f"/plans/compare/export.xlsx?plan={plan}&plan={other}")
    supposed = words((await world.county.get(f"/plans/{plan}/what-if?pace=1.5&workers=2&each=1")).text)
    assert "2 × 1 × 12 = 24" in supposed
    await world.county.get(f"/plans/{plan}/what-if?pace=快", 422)
    for name, cell in (("what-if.xlsx?workers=2&each=1", "2 × 1 × 12 = 24"), ("evaluation.xlsx", "3 ÷ 5")):
        sheet = openpyxl.load_workbook(io.BytesIO((await world.county.get(f"/plans/{plan}/{name}")).content)).active
        assert any(cell in str(one.value) for line in sheet.iter_rows() for one in line), name
    rated = (await world.county.get(f"/plans/{plan}/what-if.json?rate=30&workers=0")).json()["indicators"]
    control = next(one for one in rated if one["name"] == "管理人群高血压控制率")
    assert control["pace"]["is_met"] and "60 + 30 ×" in control["pace"]["arithmetic"]


async def test_every_other_page_opens_in_both_languages(world: World, plan: int) -> None:
    finding = re.search(r"/plans/findings/(\d+)", (await world.county.get(f"/plans/findings?plan={plan}")).text)
    paths = [
        f"/plans/{name}?plan={plan}" for name in ("tasks", "projects", "findings", "values", "tasks/units", "compare", "indicators/print")
    ]
    paths += [f"/plans/{plan}/what-if", f"/plans/{plan}/evaluation", f"/plans/{plan}/review?show=all"]
    for language in ("zh", "en"):
        world.county.client.cookies.set("xinglin_language", language)
        for path in paths:
            await world.county.get(path)
    world.county.client.cookies.delete("xinglin_language")
    if finding:
        await world.county.post(f"/plans/findings/{finding[1]}", {"state": "accepted", "note": ""}, 400)
        await world.county.post(f"/plans/findings/{finding[1]}", {"state": "accepted", "note": "上级下达如此"})
    for path in (
        "/plans/99999",
        "/plans/abc",
        "/plans/indicators/99999",
        "/plans/tasks/0",
        "/plans/projects/77777",
        "/plans/documents/4444",
        "/plans/findings/x",
    ):
        await world.county.get(path, 404)


async def test_whatever_is_typed_is_answered_and_nothing_fails(world: World, plan: int) -> None:
    rows = await table(world.county, plan)
    number, row = rows["人均预期寿命"]["id"], rows["人均预期寿命"]["fingerprint"]
    task = re.search(r'href="/plans/tasks/(\d+)"', (await world.county.get(f"/plans/tasks?plan={plan}")).text)
    assert task
    odd = ("", "\x00", "nan", "1e400", "9" * 40, "-1", "２０２５", "<script>", "'; drop table plan; --", "😀" * 300)
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', (await world.county.get("/account")).text)
    assert token
    for text in odd:
        for path, fields in (
            (
                f"/plans/{plan}/review",
                {
                    "fingerprint": row,
                    "action": "accept",
                    "target_year": text,
                    "target_value": text,
                    "unit": text,
                    "target_op": text,
                    "kind": text,
                },
            ),
            (f"/plans/{plan}/review", {"line": "3", "action": "add", "name": text, "target_value": text}),
            (f"/plans/{plan}/review", {"fingerprint": text, "action": text}),
            (f"/plans/indicators/{number}", {"action": "value", "year": text, "month": text, "value": text, "source": text}),
            (f"/plans/indicators/{number}", {"action": "path", "year-2027": text}),
            (f"/plans/indicators/{number}", {"action": "owner", "owner": text}),
            (f"/plans/indicators/{number}", {"action": "bind", "measure": text}),
            (f"/plans/tasks/{task[1]}", {"state": "doing", "due": text, "unit": text, "evidence": text}),
            (f"/plans/{plan}/edit", {"title": text, "end_year": text, "level": "own"}),
        ):
            answer = await world.county.client.post(path, data={**fields, "form_token": token[1]})
            assert answer.status_code < 500, (path, text[:20], answer.status_code)
        for path in (f"/plans/{plan}/what-if", "/plans/indicators", "/plans/compare", "/plans/cockpit"):
            answer = await world.county.client.get(path, params={"plan": text, "pace": text, "q": text, "least": text})
            assert answer.status_code < 500, (path, text[:20])
    await world.county.get(f"/plans/indicators?plan={plan}")
    await world.county.get(f"/plans/{plan}/review")
