"""系统管理: three officers who cannot do each other's work, accounts, offices, audit log, status, sessions."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from datetime import date

import fastexcel
import pytest

from tests.district import open_district
from tests.http.signed_in import World, people
from xinglin.base.errors import UnavailableError
from xinglin.engines.security import AuditEntry


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform, people(platform) as found:
        yield World(platform, found)


PAGES = {
    "/system/accounts": {"sysadmin", "secadmin"},
    "/system/accounts/new": {"sysadmin"},
    "/system/audit": {"auditor"},
    "/system/audit/check": {"auditor"},
    "/system/audit/export.xlsx": {"auditor"},
    "/system/status": {"sysadmin"},
    "/system/settings": {"sysadmin"},
    "/system/runs": {"sysadmin"},
    "/system/runs/export.xlsx": {"sysadmin"},
    "/system/runs/print": {"sysadmin"},
    "/system/accounts/export.xlsx": {"sysadmin", "secadmin"},
    "/system/audit/print": {"auditor"},
    "/system/roles/export.xlsx": {"sysadmin", "secadmin", "auditor"},
    "/exchange": {"steward"},
    "/exchange/quarantine": {"steward"},
    "/account/sessions": {"sysadmin", "secadmin", "auditor", "steward", "responsible_doctor"},
}


@pytest.mark.parametrize(("path", "may"), PAGES.items())
async def test_each_page_opens_for_its_officer_and_for_nobody_else(world: World, path: str, may: set[str]) -> None:
    for login in ("sysadmin", "secadmin", "auditor", "steward", "responsible_doctor"):
        await world.people[login].get(path, 200 if login in may else 403)


async def test_no_officer_reads_a_resident(world: World) -> None:
    for login in ("sysadmin", "secadmin", "auditor"):
        await world.people[login].get("/residents", 403)
        await world.people[login].get("/residents/1", 403)


async def new_account(world: World, login: str) -> str:
    page = (await world.sysadmin.post("/system/accounts/new", {"login": login, "name": "新来的人"}, 200)).text
    assert "初始密码" in page
    found = re.search(r"/system/accounts/(\d+)", (await world.sysadmin.get(f"/system/accounts?text={login}")).text)
    assert found
    return f"/system/accounts/{found[1]}"


async def test_one_makes_the_account_another_gives_the_office(world: World) -> None:
    path = await new_account(world, "new.doctor")
    office = {"action": "give", "role": "responsible_doctor", "areas": "420999101000"}
    assert 'role="alert"' in (await world.sysadmin.post(path, office, 403)).text
    assert (await world.sysadmin.get(path)).text.count("责任医生") == 0
    await world.secadmin.post(path, {"action": "reset"}, 403)
    await world.secadmin.post(path, {**office, "areas": ""}, 400)
    await world.secadmin.post(path, {**office, "areas": "12"}, 400)
    page = (await world.secadmin.post(path, office, 200)).text
    assert "青石镇" in page
    ending = re.search(r'name="action" value="(end-\d+)"', page)
    assert ending
    await world.sysadmin.post(path, {"action": ending[1]}, 403)
    assert "还没有岗位" in (await world.secadmin.post(path, {"action": ending[1]}, 200)).text


async def test_nobody_is_two_officers(world: World) -> None:
    path = await new_account(world, "greedy")
    await world.secadmin.post(path, {"action": "give", "role": "auditor"}, 200)
    refused = await world.secadmin.post(path, {"action": "give", "role": "sysadmin"}, 400)
    assert 'role="alert"' in refused.text


async def test_an_account_is_disabled_and_taken_names_are_told(world: World) -> None:
    path = await new_account(world, "leaver")
    assert 'role="alert"' in (await world.sysadmin.post("/system/accounts/new", {"login": "leaver", "name": "又一个"}, 409)).text
    assert 'role="alert"' in (await world.sysadmin.post("/system/accounts/new", {"login": "?", "name": ""}, 400)).text
    assert "停用" in (await world.sysadmin.post(path, {"action": "disable"}, 200)).text
    await world.sysadmin.get("/system/accounts/999999", 404)


async def test_the_audit_log_is_searched_exported_and_checked(world: World) -> None:
    await world.steward.get("/exchange/messages/1")
    page = (await world.auditor.get("/system/audit?account=steward&action=read")).text
    assert re.search(r">查看<.*?>报文<", page, re.DOTALL)
    assert "没有这个账号" in (await world.auditor.get("/system/audit?account=nobody-here", 400)).text
    await world.auditor.get("/system/audit?since=2026-02-31", 400)
    workbook = (await world.auditor.get("/system/audit/export.xlsx?account=steward")).content
    first = fastexcel.read_excel(workbook).load_sheet(0, header_row=None, dtypes="string").to_arrow().columns[0].to_pylist()
    assert "auditor" in str(first[0])
    assert re.search(r">导出<.*?>审计日志<", (await world.auditor.get("/system/audit?account=auditor&action=export")).text, re.DOTALL)
    sound = (await world.auditor.post("/system/audit/check", {"day": world.platform.clock.today().isoformat()}, 200)).text
    assert "全部完好" in sound and "锚点" in sound


async def test_an_entry_that_was_recorded_late_says_so(world: World) -> None:
    async with world.platform.database.transaction() as connection:
        await world.platform.audit.promise(connection, AuditEntry(None, "write", "resident", rids=(1,), request_id="late"))
        await connection.execute("update audit_owed set at = at - interval '1 hour'")
    await world.platform.audit.keep_promises()  # or the loop of the log itself did, in this very moment
    page = (await world.auditor.get("/system/audit?action=write")).text
    told = re.search(r'<a[^>]* href="(/system/audit/entry[^"]*)"(?:(?!</tr>).)*?（\d{4}-\d\d-\d\d [\d:]{8} 补记）', page, re.DOTALL)
    assert told and "补记" in (await world.auditor.get(html.unescape(told[1]))).text


async def test_the_log_tells_who_looked_at_whom_also_through_the_api(world: World) -> None:
    person = await world.person("李测一")
    card = await world.platform.residents.card(world.platform.security.system_scope(), person)
    await world.public_health.get(f"/residents/{person}")
    await world.public_health.get("/fhir/Observation?_count=1")
    stored = (await world.platform.store.person_bodies(world.platform.security.system_scope(), person, ["Encounter"]))[0]
    await world.public_health.get(f"/fhir/Encounter/{stored.id}")
    for asked in (str(person), card.id_number):
        page = (await world.auditor.get(f"/system/audit?person={asked}&account=public_health")).text
        assert re.search(r">查看<.*?>居民<", page, re.DOTALL) and re.search(r">查看<.*?>就诊或随访<", page, re.DOTALL)
        assert f">{person}</a>" in page
    assert "public_health" not in (await world.auditor.get(f"/system/audit?person={await world.person('李测二')}")).text
    found = re.search(r'href="(/system/audit/entry\?[^"]+)"', page)
    assert found
    entry = (await world.auditor.get(html.unescape(found[1]))).text
    assert f'href="/system/audit?person={person}"' in entry and 'href="/system/audit?account=public_health"' in entry
    assert "李测一" not in entry + page
    for at in ("soon", "9999-12-31T23:59:59.999999%2B00:00"):
        await world.auditor.get(f"/system/audit/entry?at={at}&process=1&n=1", 404)
    await world.sysadmin.get(html.unescape(found[1]), 403)
    unknown = (await world.auditor.get("/system/audit?person=110101199003070011")).text
    assert "没有符合条件的记录" in unknown


async def test_what_ran_last_night_is_told_with_what_to_do(world: World) -> None:
    runs = world.platform.runs

    async def well(day: date) -> dict[str, int]:
        return {"found": 3, "fresh": 1}

    async def badly(day: date) -> dict[str, int]:
        raise UnavailableError("磁盘已满，请清理", "the disk is full; make room")

    before = (await world.sysadmin.get("/system/runs")).text
    assert "还没有运行过" in before and "计算进程不在" in before and "磁盘剩余" in before
    await runs.run("verification", well)
    with pytest.raises(UnavailableError):
        await runs.run("nightly-lake", badly)
    page = (await world.sysadmin.get("/system/runs")).text
    assert "共 3 条，新增 1 条" in page and "磁盘已满，请清理" in page and "the disk is full" not in page
    assert "10 分钟后自动重试。仍然失败" in page and "log/engine.log" in page
    english = "; ".join([f"{name}={value}" for name, value in world.sysadmin.client.cookies.items()] + ["xinglin_language=en"])
    assert "the disk is full; make room" in (await world.sysadmin.get("/system/runs?state=failed", cookie=english)).text
    failed = (await world.sysadmin.get("/system/runs?job=nightly-lake&state=failed")).text
    assert "共 1 条" in failed
    day = world.platform.clock.today()
    assert "共 2 条" in (await world.sysadmin.get(f"/system/runs?since={day:%Y%m%d}&until={day:%Y%m%d}")).text
    assert "没有运行记录" in (await world.sysadmin.get("/system/runs?until=20200101")).text
    sheet = fastexcel.read_excel((await world.sysadmin.get("/system/runs/export.xlsx")).content).load_sheet(
        0, header_row=None, dtypes="string"
    )
    assert "整理指标数据" in str(sheet.to_arrow().to_pylist())


async def test_a_changed_entry_of_the_log_is_found(world: World) -> None:
    day = world.platform.clock.today()
    async with world.platform.database.transaction() as connection:
        await connection.execute("alter table audit disable trigger audit_only_grows")
        await connection.execute("update audit set detail = 'nothing' where day = $1 and n = 2", day)
        await connection.execute("alter table audit enable trigger audit_only_grows")
    page = (await world.auditor.post("/system/audit/check", {"day": day.isoformat()}, 200)).text
    assert 'role="alert"' in page and "全部完好" not in page


async def test_status_tells_that_the_engine_process_is_away(world: World) -> None:
    page = (await world.sysadmin.get("/system/status")).text
    assert "计算进程不在" in page and "PostgreSQL" in page
    settings = (await world.sysadmin.get("/system/settings")).text
    assert "XINGLIN_DATA" in settings and "postgresql://" not in settings


async def test_the_role_table_is_given_as_excel(world: World) -> None:
    table = world.platform.security.roles
    sheet = (
        fastexcel.read_excel((await world.auditor.get("/system/roles/export.xlsx")).content)
        .load_sheet(0, header_row=None, dtypes="string")
        .to_arrow()
    )
    assert sheet.num_rows == len(table.rights) + 2
    assert sheet.num_columns == len(table.roles) + 1


async def test_one_sees_and_ends_ones_own_sessions_only(world: World) -> None:
    page = (await world.county.get("/account/sessions")).text
    assert "本机" in page
    await world.county.post("/account/sessions/1/end", {}, 404)
    shown = world.county.client.cookies["xinglin_session"]
    async with type(world.county.client)(transport=world.county.client._transport, base_url="http://district.test") as program:
        told = await program.get("/account/sessions", headers={"authorization": f"Bearer {shown}"})
        expired = await program.get("/account/sessions", headers={"authorization": "Bearer 0"})
    assert told.status_code == 200 and "本机" in told.text
    assert expired.status_code == 401, "a program is told, not led to the page where people sign in"


async def test_pages_stand_in_english_too(world: World) -> None:
    for login, path in (
        ("sysadmin", "/system/status"),
        ("sysadmin", "/system/settings"),
        ("auditor", "/system/audit"),
        ("secadmin", "/system/accounts"),
        ("county", "/account/sessions"),
    ):
        person = world.people[login]
        person.client.cookies.set("xinglin_language", "en")
        assert '<html lang="en"' in (await person.get(path)).text
        person.client.cookies.delete("xinglin_language")
