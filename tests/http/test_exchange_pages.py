"""数据接入: what was received, what waits and its repair, imports, sources, identity, the upper-level platform."""

from __future__ import annotations

import asyncio
import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import xlsxwriter

from tests.district import HIS, id_number, open_district, resident, scope_of, send
from tests.http.signed_in import World, people


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform, people(platform) as found:
        yield World(platform, found)


def wrong(serial: int) -> dict[str, Any]:
    return resident(serial, "钱测", 420999101201, "E1") | {"birthDate": "1960-02-31"}


async def waiting_number(world: World, path: str = "/exchange/quarantine") -> int:
    found = re.search(r"/exchange/quarantine/(\d+)", (await world.steward.get(path)).text)
    assert found
    return int(found[1])


async def test_every_page_opens_in_both_languages_for_who_may_and_for_nobody_else(world: World) -> None:
    steward_pages = (
        "/exchange", "/exchange?state=silent&sort=delay_days", "/exchange/messages", "/exchange/quarantine", "/exchange/import", "/exchange/sources",
        "/exchange/sources/new", f"/exchange/sources/{HIS}", "/exchange/reviews", "/exchange/reviews?state=closed", "/exchange/unplaced", "/exchange/unplaced/assign",
        IN_NOVEMBER, "/exchange/upper?kind=resident&since=2026-11-01&until=2026-11-30", "/exchange/upper/in", "/exchange/upper/batches", "/exchange/upper/columns/resident",
        "/exchange/progress", "/exchange/print", "/exchange/upper/print", "/exchange/messages/1",
    )  # fmt: skip
    for language in ("zh", "en"):
        world.steward.client.cookies.set("xinglin_language", language)
        for path in steward_pages:
            page = (await world.steward.get(path)).text
            assert ('<html lang="en"' in page) is (language == "en") or path == "/exchange/progress"
    world.steward.client.cookies.delete("xinglin_language")
    for path in steward_pages[:-6]:
        await world.responsible_doctor.get(path, 403)
    for path in ("/exchange", "/exchange/messages", "/exchange/quarantine", "/exchange/sources"):
        await world.county.get(path)
    for path in ("/exchange/import", "/exchange/reviews", "/exchange/upper", "/exchange/messages/1/original"):
        await world.county.get(path, 403)


async def test_the_overview_tells_silent_institutions_and_exports(world: World) -> None:
    page = (await world.steward.get("/exchange")).text
    assert "青石镇卫生院" in page and "县人民医院" in page
    silent = (await world.steward.get("/exchange?state=silent")).text
    assert "县人民医院" in silent and "青石镇卫生院" not in silent
    later = {row.code: row for row in await world.platform.panel.institutions(scope_of(world.platform, "steward"), days=0)}
    assert (later["E1"].received, later["E1"].delay_days) == (0, None)
    assert later["E1"].last_received_at is not None
    address = re.search(r"/exchange/messages\?institution=\d+", page)
    assert address and "/exchange/messages/" in (await world.steward.get(address[0])).text
    workbook = await world.steward.get("/exchange/export.xlsx")
    assert workbook.content[:2] == b"PK"


async def test_a_message_shows_what_it_wrote_and_gives_its_original_to_stewards_only(world: World) -> None:
    receipt = await send(world.platform, resident(20, "孙测", 420999102201, "W1"), message_id="one-west")
    page = (await world.steward.get(f"/exchange/messages/{receipt.message_no}")).text
    assert "Patient" in page and re.search(r"/residents/\d+", page) and "已入库但请核对" not in page
    assert re.search(r"/residents/\d+", (await world.west_health.get(f"/exchange/messages/{receipt.message_no}")).text)
    await world.public_health.get(f"/exchange/messages/{receipt.message_no}", 404)
    both = (await world.public_health.get("/exchange/messages/2")).text
    assert len(set(re.findall(r"/residents/\d+", both))) == 4
    original = await world.steward.get(f"/exchange/messages/{receipt.message_no}/original")
    assert id_number(20).encode() in original.content
    await world.public_health.get(f"/exchange/messages/{receipt.message_no}/original", 403)
    entries = (await world.auditor.get("/system/audit?account=steward&action=export")).text
    assert f"original {receipt.message_no}" in entries


async def test_a_message_tells_what_was_stored_and_should_be_looked_at(world: World) -> None:
    wrong = resident(21, "周测", 420999101201, "E1")
    wrong["identifier"] = [{"system": "urn:oid:2.16.156.10011.1.3", "value": "420999196005120000"}]
    receipt = await send(world.platform, wrong, message_id="one-doubt")
    for person in (world.steward, world.county):
        page = (await person.get(f"/exchange/messages/{receipt.message_no}")).text
        assert "已入库但请核对" in page and "校验码不符" in page and "420999196005120000" not in page


async def test_the_line_where_a_file_breaks_off_is_told_in_the_language_of_the_page(world: World) -> None:
    torn = json.dumps(resident(32, "钱测", 420999101201, "E1")) + '\n{"resourceType": "Pat'
    told = await world.steward.post("/exchange/import", {"source": HIS}, 200, [("files", ("torn.ndjson", torn.encode()))])
    assert "第 2 行: 不是合法的 JSON" in told.text
    waiting = f"/exchange/quarantine/{await waiting_number(world)}"
    assert "第 2 行" in (await world.steward.get("/exchange/quarantine")).text
    assert "第 2 行" in (await world.steward.get(waiting)).text
    world.steward.client.cookies.set("xinglin_language", "en")
    page = (await world.steward.get(waiting)).text
    world.steward.client.cookies.delete("xinglin_language")
    assert "line 2" in page and "第 2 行" not in page
    await world.steward.post(waiting, {"action": "discard", "reason": "测试"}, 303)


async def test_a_refused_entry_is_repaired_on_its_page_and_a_wrong_repair_loses_nothing(world: World) -> None:
    await send(world.platform, wrong(31), message_id="wrong-31")
    number = await waiting_number(world)
    page = (await world.steward.get(f"/exchange/quarantine/{number}")).text
    assert "Patient.birthDate" in page and "1960-02-31" in page
    told = (await world.county.get(f"/exchange/quarantine/{number}")).text
    assert "Patient.birthDate" in told and "1960-02-31" not in told
    await world.county.post(f"/exchange/quarantine/{number}", {"body": "{}"}, 403)
    broken = await world.steward.post(f"/exchange/quarantine/{number}", {"body": '{"resource": 我改到一半', "action": "repair"}, 422)
    assert "我改到一半" in broken.text and "不是合法的 JSON：第 1 行第 14 列" in broken.text
    still = await world.steward.post(
        f"/exchange/quarantine/{number}", {"body": json.dumps({"resource": wrong(31) | {"gender": "男"}}), "action": "repair"}, 422
    )
    assert "Patient.gender" in still.text and "Patient.birthDate" in still.text
    for body in ("[]", '"x"', '{"resource": []}'):
        assert 'role="alert"' in (await world.steward.post(f"/exchange/quarantine/{number}", {"body": body, "action": "repair"}, 422)).text
    good = json.dumps({"resource": wrong(31) | {"birthDate": "1960-02-28"}})
    answer = await world.steward.post(f"/exchange/quarantine/{number}", {"body": good, "action": "repair"})
    assert "已入库" in (await world.steward.get(answer.headers["location"])).text
    async with world.platform.database.connection() as connection:
        assert await connection.fetchval("select count(*) from quarantine where state = 'open' and rtype = 'Patient'") == 0
    again = await world.steward.post(f"/exchange/quarantine/{number}", {"body": good, "action": "repair"}, 422)
    assert "已处理" in again.text


async def test_discarding_needs_a_reason(world: World) -> None:
    await send(world.platform, wrong(32), message_id="wrong-32")
    number = await waiting_number(world)
    assert "原因" in (await world.steward.post(f"/exchange/quarantine/{number}", {"action": "discard", "body": "x"}, 422)).text
    await world.steward.post(f"/exchange/quarantine/{number}", {"action": "discard", "reason": "重复发送"})
    assert "重复发送" in (await world.steward.get(f"/exchange/quarantine/{number}")).text


async def test_everything_that_waits_is_replayed_at_once_with_progress(world: World) -> None:
    receipt = await send(world.platform, wrong(33), message_id="wrong-33")
    await world.steward.post("/exchange/quarantine/all", {"message": receipt.message_no, "action": "replay"})
    await world.platform.jobs.settle()
    assert "已完成" in (await world.steward.get("/exchange/progress")).text
    assert "已完成" not in (await world.responsible_doctor.get("/exchange/progress")).text
    await world.county.post("/exchange/quarantine/all", {"action": "replay"}, 403)
    await world.steward.post("/exchange/quarantine/all", {"message": receipt.message_no, "action": "discard"}, 400)
    await world.steward.post("/exchange/quarantine/all", {"message": receipt.message_no, "action": "discard", "because": "测试数据"})
    await world.steward.post("/exchange/quarantine/all", {"message": receipt.message_no, "action": "discard", "because": "测试数据"}, 400)


def patients(*serials: int) -> bytes:
    return b"\n".join(json.dumps(resident(n, f"周测{n}", 420999101201, "E1")).encode() for n in serials)


async def test_files_are_imported_each_for_itself_and_twice_changes_nothing(world: World) -> None:
    files = [("files", ("a.ndjson", patients(41, 42))), ("files", ("b.json", b"")), ("files", ("c.docx", b"PK\x03\x04word/"))]
    page = (await world.steward.post("/exchange/import", {"source": HIS}, 200, files)).text
    assert page.count("/exchange/messages/") == 3 and "Word" in page and "空的" in page
    again = (await world.steward.post("/exchange/import", {"source": HIS}, 200, files[:1])).text
    assert "以前收到过" in again
    await world.county.post("/exchange/import", {"source": HIS}, 403, files)
    assert "文件" in (await world.steward.post("/exchange/import", {"source": HIS}, 400)).text
    await world.steward.post("/exchange/import", {"source": "nobody"}, 404, files)


async def test_a_line_whose_whole_file_was_refused_is_replayed_by_itself(world: World) -> None:
    lone = resident(51, "郑测", 420999101201, "E1") | {
        "generalPractitioner": [{"reference": "urn:uuid:0b1d2c3e-0000-4000-8000-000000000009"}]
    }
    await world.steward.post("/exchange/import", {"source": HIS}, 200, [("files", ("alone.ndjson", json.dumps(lone).encode()))])
    number = await waiting_number(world)
    refused = await world.steward.post(f"/exchange/quarantine/{number}", {"action": "as_sent"}, 422)
    assert "Patient.generalPractitioner" in refused.text
    await world.steward.post(f"/exchange/quarantine/{number}", {"action": "discard", "reason": "测试"})


async def test_a_large_file_goes_on_in_the_background(world: World) -> None:
    lines = b"\n".join([patients(*range(100, 140))] + [b" " * 40_000] * 40)
    answer = await world.steward.post("/exchange/import", {"source": HIS}, 303, [("files", ("large.ndjson", lines))])
    assert answer.headers["location"] == "/exchange"
    await world.platform.jobs.settle()
    assert "入库 40 条，待处理 0 条" in (await world.steward.get("/exchange/progress")).text


async def test_residents_of_a_new_foreign_source_wait_for_a_place(world: World) -> None:
    foreign = resident(61, "吴外", 420999101201, "E1")
    fields = {"source": "+", "new_code": "city-sample", "new_name": "外部样例", "foreign": "on"}
    await world.steward.post("/exchange/import", fields, 200, [("files", ("f.ndjson", json.dumps(foreign).encode()))])
    await world.steward.post("/exchange/import", fields, 400, [("files", ("f.ndjson", json.dumps(foreign).encode()))])
    page = (await world.steward.get("/exchange/unplaced")).text
    person = re.search(r"assign\?person=(\d+)", page)
    assert person and "吴外" in page
    await world.public_health.get(f"/residents/{person[1]}", 404)
    wrong_place = {"person": person[1], "area": "110101000000", "reason": "测试"}
    assert "请选择区划" in (await world.steward.post("/exchange/unplaced/assign", wrong_place, 400)).text
    await world.steward.post("/exchange/unplaced/assign", {"person": person[1], "area": "420999101201", "reason": ""}, 400)
    await world.steward.post("/exchange/unplaced/assign", {"person": person[1], "area": "420999101201", "reason": "户籍迁入"})
    assert "吴外" not in (await world.steward.get("/exchange/unplaced")).text
    await world.public_health.get(f"/residents/{person[1]}")


async def test_sources_are_registered_and_renamed_by_stewards(world: World) -> None:
    await world.steward.post("/exchange/sources/new", {"code": "county-lis", "name": "县检验", "trust": "5"})
    for wrong_one in (
        {"code": "Ä", "name": "x"},
        {"code": "county-lis", "name": "又一个"},
        {"code": "ok-2", "name": " "},
        {"code": "ok-2", "name": "x", "trust": "很高"},
    ):
        await world.steward.post("/exchange/sources/new", wrong_one, 400)
    await world.steward.post("/exchange/sources/county-lis", {"name": "县检验中心", "trust": "7"})
    assert "县检验中心" in (await world.steward.get("/exchange/sources")).text
    await world.county.post("/exchange/sources/county-lis", {"name": "x", "trust": "1"}, 403)
    await world.steward.get("/exchange/sources/no-such", 404)


async def test_a_doubt_about_identity_is_merged_and_the_merge_undone(world: World) -> None:
    other = resident(1, "冯异名", 420999101201, "E1") | {"id": "p1-other", "birthDate": "1971-01-01"}
    await send(world.platform, other, message_id="doubt")
    found = re.search(r"/exchange/reviews/(\d+)", (await world.steward.get("/exchange/reviews")).text)
    assert found
    path = f"/exchange/reviews/{found[1]}"
    page = (await world.steward.get(path)).text
    assert 'class="differs"' in page and id_number(1) not in page
    await world.steward.post(path, {"decision": "merged", "reason": ""}, 400)
    await world.steward.post(path, {"decision": "split", "reason": "x"}, 409)
    await world.steward.post(path, {"decision": "guess", "reason": "x"}, 400)
    await world.steward.post(path, {"decision": "merged", "reason": "电话核实"})
    together = (await world.steward.get(path)).text
    assert "已合并" in together and "电话核实" in together
    await world.steward.post(path, {"decision": "undo", "reason": "核错了"})
    assert "待核对" in (await world.steward.get(path)).text
    await world.steward.post(path, {"decision": "undo"}, 409)
    await world.steward.post(path, {"decision": "different", "reason": "两人"})
    for login in ("county", "public_health", "west_health", "responsible_doctor", "sysadmin", "secadmin", "auditor"):
        for address in (path, "/exchange/reviews", "/exchange/reviews/export.xlsx", "/exchange/reviews/print"):
            await world.people[login].get(address, 403)
        await world.people[login].post(path, {"decision": "merged", "reason": "x"}, 403)
    await world.steward.get("/exchange/reviews/999999", 404)


def sheet(*rows: tuple[str, ...]) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    page = book.add_worksheet()
    for line, row in enumerate((("姓名", "身份证号", "随访日期", "血压(mmHg)"), *rows)):
        page.write_row(line, 0, row)
    book.close()
    return content.getvalue()


NOVEMBER = {"kind": "hypertension-followup", "since": "2026-11-01", "until": "2026-11-30"}
IN_NOVEMBER = "/exchange/upper?kind=hypertension-followup&since=2026-11-01&until=2026-11-30"


async def test_follow_ups_go_out_come_back_differ_and_are_taken(world: World) -> None:
    before = (await world.public_health.get(IN_NOVEMBER)).text
    assert "李测一" in before and "赵测五" not in before and id_number(1) not in before
    made = await world.public_health.post("/exchange/upper/out", NOVEMBER)
    file = await world.public_health.get(made.headers["location"] + "/file")
    assert file.content[:2] == b"PK"
    await world.west_health.get(made.headers["location"], 404)
    await world.public_health.post("/exchange/upper/out", NOVEMBER, 409)
    rows = sheet(
        ("李测一", id_number(1), "2026.11.10", "136/84"),
        ("李测二", id_number(2), "20261110", "150/96"),
        ("李测三", id_number(3), "2026-11-12", "131/82"),
        ("坏行", "123", "", ""),
    )
    batch = await world.public_health.post("/exchange/upper/in", {"kind": "hypertension-followup"}, 303, {"file": ("上级.xlsx", rows)})
    page = (await world.public_health.get(batch.headers["location"])).text
    assert "下载问题行" in page
    assert (await world.public_health.get(batch.headers["location"] + "/file")).content[:2] == b"PK"
    differing = (await world.public_health.get(IN_NOVEMBER + "&state=different")).text
    assert "收缩压：152 → 150" in differing and "李测一" not in differing
    assert "李测三" in (await world.public_health.get(IN_NOVEMBER + "&state=upper_only")).text
    taken = (await world.public_health.post("/exchange/upper/take", NOVEMBER, 200)).text
    assert "收入 1 条" in taken
    assert "李测三" in (await world.public_health.get(IN_NOVEMBER + "&state=reported")).text
    await world.public_health.post(made.headers["location"] + "/withdraw")
    assert "已撤回" in (await world.public_health.get(made.headers["location"])).text


async def test_a_word_document_is_told_to_be_one(world: World) -> None:
    import zipfile

    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    page = await world.steward.post("/exchange/upper/in", {"kind": "resident"}, 400, {"file": ("名册.docx", package.getvalue())})
    assert "Word" in page.text
    assert "文件" in (await world.steward.post("/exchange/upper/in", {"kind": "resident"}, 400)).text
    usual = await world.steward.get("/exchange/upper?state=reported", 303)
    assert "kind=hypertension-followup" in usual.headers["location"] and "state=reported" in usual.headers["location"]
    await world.steward.get("/exchange/upper?kind=nothing&since=2026-11-01&until=2026-11-02", 404)
    await world.steward.get("/exchange/upper?since=2026-13-01", 400)
    await world.steward.get("/exchange/upper?since=2026-11-02&until=2026-11-01", 400)


async def test_columns_are_edited_and_a_wrong_edit_stays_in_the_form(world: World) -> None:
    path = "/exchange/upper/columns/hypertension-followup"
    lines = [("居民身份号", "id_number", "", ""), ("日期", "visit_date", "随访时间", ""), ("方式", "way", "", "1=01 2=02")]
    fields = {
        f"{name}-{place}": value
        for place, line in enumerate(lines)
        for name, value in zip(("title", "field", "also", "codes"), line, strict=True)
    }
    wrong_codes = await world.steward.post(path, {**fields, "codes-2": "门诊", "action": "save"}, 400)
    assert "1=01" in wrong_codes.text and "居民身份号" in wrong_codes.text
    await world.steward.post(path, {**fields, "field-0": "", "action": "save"}, 400)
    await world.steward.post(path, {**fields, "order-0": "3", "order-1": "1", "order-2": "2", "action": "save"})
    page = (await world.steward.get(path)).text
    assert page.index("日期") < page.index("居民身份号") and "1=01 2=02" in page
    await world.steward.post(path, {"action": "default"})
    assert "未与贵省平台" in (await world.steward.get(path)).text
    await world.county.post(path, {"action": "default"}, 403)


async def test_two_imports_at_once_do_not_double(world: World) -> None:
    files = [("files", ("twice.ndjson", patients(71, 72)))]
    await asyncio.gather(*(world.steward.post("/exchange/import", {"source": HIS}, 200, files) for _ in range(2)))
    async with world.platform.database.connection() as connection:
        assert await connection.fetchval("select count(*) from message where message_id = 'twice.ndjson'") == 1
