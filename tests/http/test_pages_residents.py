"""Pages of residents and chronic care: records, enrolment, visits, batch entry, prints, and what a neighbour must not see."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import fastexcel
import httpx
import pytest

from tests.district import EAST, WEST, id_number, open_district, send
from tests.http.signed_in import World, sign_in
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.security import ActingFor, AuditQuery, DemoAccount, NewMembership
from xinglin.web.app import make_app

OFFICES = {
    "doctor": ("responsible_doctor", EAST[0], True),
    "village": ("village_doctor", EAST[0] + 201, True),
    "neighbour": ("responsible_doctor", WEST[0], True),
    "leader": ("leader", EAST[0], False),
    "auditor": ("auditor", 0, False),
}


def practitioner(code: str, name: str) -> dict[str, Any]:
    return {
        "resourceType": "Practitioner",
        "id": code,
        "name": [{"text": name}],
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.4", "value": code}],
    }


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform:
        await send(platform, practitioner("N1", "李医生"), message_id="staff")
        async with platform.database.connection() as connection:
            institutions = {one.code: one.rid for one in await platform.register.institutions(connection)}
            worker = (await platform.register.practitioners(connection))[0].rid
        for login, (role, area, works) in OFFICES.items():
            place = institutions["E1"] if works else None
            membership = NewMembership(role, place if role != "auditor" else None, (area,) if area else ())
            await platform.security.setup.add_demo_account(DemoAccount(login, login, DEMO_PASSWORD, membership, worker if works else None))
        transport = httpx.ASGITransport(app=make_app(platform), raise_app_exceptions=False)
        found = {login: await sign_in(login, transport) for login in OFFICES}
        yield World(platform, found)
        for person in found.values():
            await person.client.aclose()


NEW = {
    "id_number": id_number(77, "19680305"),
    "name": "孙新来",
    "area": "420999101201",
    "residence": "1",
    "phone": "13900000077",
    "address": "二组 5 号",
    "sex": "",
    "birth_date": "",
}
VISIT = {
    "way": "1",
    "symptoms": "1",
    "danger_signs": "1",
    "systolic": "152/96",
    "diastolic": "",
    "weight": "66",
    "height": "165",
    "medication_adherence": "1",
    "adverse_reaction": "1",
    "doctor": "李医生",
}


async def opened(world: World, serial: int, name: str, born: str = "19680305") -> int:
    """Open a record on the page and return the person."""
    answer = await world.doctor.post("/residents/new", {**NEW, "id_number": id_number(serial, born), "name": name, "phone": ""})
    found = re.match(r"/residents/(\d+)\?told=1", answer.headers["location"])
    assert found
    return int(found[1])


async def enrolled(world: World, serial: int, name: str, born: str = "19680305") -> int:
    """Open a record and enrol it for hypertension."""
    person = await opened(world, serial, name, born)
    start = world.platform.clock.today() - timedelta(days=200)
    await world.doctor.post(f"/residents/{person}/enrol", {"programme": "hypertension", "start": start.isoformat()})
    return person


def today(world: World) -> str:
    return world.platform.clock.today().isoformat()


@pytest.mark.parametrize(("language", "words"), [("zh", "居民档案"), ("en", "Residents")])
async def test_pages_open_in_both_languages(world: World, language: str, words: str) -> None:
    person = await world.person("李测一") if language == "zh" else await enrolled(world, 91, "周双语")
    world.doctor.client.cookies.set("xinglin_language", language)
    paths = [
        "/residents",
        f"/residents/{person}",
        "/residents/new",
        f"/residents/{person}/enrol",
        f"/residents/{person}/end",
        "/desk",
        "/desk/due-sheet",
    ]
    paths += ["/chronic", "/chronic/incomplete", "/chronic/batch", "/chronic/batch?programme=diabetes2", "/residents/print", "/desk/print"]
    if language == "en":
        paths += [f"/residents/{person}/followup/hypertension", f"/residents/{person}/sheet/hypertension"]
    for path in paths:
        page = (await world.doctor.get(path)).text
        assert ('<html lang="en"' in page) is (language == "en")
    assert words in (await world.doctor.get("/residents")).text
    world.doctor.client.cookies.delete("xinglin_language")


async def test_a_village_doctor_sends_for_who_is_to_be_examined_and_takes_the_list_along(world: World) -> None:
    person = await enrolled(world, 94, "常待检")
    may, sends = [(await world.people[login].get("/desk?list=examination&text=cdj")).text for login in ("doctor", "village")]
    assert f'href="/residents/{person}/examination"' in may and "按“通知”打开" not in may
    assert f'href="/residents/{person}/examination"' not in sends and "体检由卫生院的医生、护士填写" in sends
    row = sends[sends.index("常待检") :]
    assert re.search(rf'href="/residents/{person}"[^>]*>.{{0,200}}通知', row[: row.index("</tr>")], re.DOTALL)
    sheet = (await world.people["village"].get("/desk/due-sheet?list=examination")).text
    assert "体检通知名单" in sheet and "约定日期" in sheet and "血糖" not in sheet and "常待检" in sheet
    managed = (await world.people["village"].get("/desk/due-sheet?list=managed")).text
    assert "血糖" in managed and "约定日期" not in managed and "常待检" in managed


async def test_a_village_doctor_exports_the_own_area_and_the_log_holds_it(world: World) -> None:
    elsewhere = {**NEW, "id_number": id_number(96, "19680305"), "name": "常邻乡", "area": "420999102201", "phone": ""}
    await world.neighbour.post("/residents/new", elsewhere)
    here = await enrolled(world, 95, "常本村")

    async def names(login: str) -> list[str]:
        answer = await world.people[login].get("/residents/export.xlsx?text=常")
        return [
            str(name) for name in fastexcel.read_excel(answer.content).load_sheet(0, header_row=1).to_arrow().column("姓名").to_pylist()
        ]

    assert "常本村" in await names("village") and "常邻乡" not in await names("village") and "常邻乡" in await names("neighbour")
    waiting = (await world.people["village"].get("/desk/export.xlsx?list=examination&text=cbc")).content
    assert fastexcel.read_excel(waiting).load_sheet(0, header_row=1).to_arrow().column("姓名").to_pylist() == ["常本村"]
    scope = world.platform.security.acting_for(world.platform.security.system_scope(), ActingFor("auditor", ()))
    entries = (await world.platform.audit.search(scope, AuditQuery(person=here, action="export"))).entries
    assert {entry.login for entry in entries} == {"village"}
    assert "导出" in (await world.people["village"].get("/desk?list=examination")).text


async def test_pages_are_closed_to_who_reads_no_records(world: World) -> None:
    person = await world.person("李测一")
    for path in ("/residents", f"/residents/{person}", "/desk", "/chronic", "/residents/new"):
        await world.doctor.get(path)
        await world.auditor.get(path, 403)


async def test_a_neighbour_gets_the_answer_of_somebody_who_does_not_exist(world: World) -> None:
    person = await world.person("李测一")
    assert "李测一" in (await world.doctor.get("/residents?text=李测一")).text
    listed = (await world.neighbour.get("/residents?text=李测一")).text
    assert "没有找到居民" in listed and not re.search(r"/residents/\d", listed)
    there, nowhere = await world.neighbour.get(f"/residents/{person}", 404), await world.neighbour.get("/residents/999999", 404)

    def sentence(page: httpx.Response) -> str:
        found = re.search(r"<h1>.*?</p>", page.text, re.DOTALL)
        assert found
        return found[0]

    assert sentence(there) == sentence(nowhere)
    for path in ("enrol", "end", "followup/hypertension", "sheet/hypertension"):
        await world.neighbour.get(f"/residents/{person}/{path}", 404)


async def test_a_number_is_masked_until_it_is_asked_for_and_the_log_says_so(world: World) -> None:
    person = await world.person("李测一")
    assert id_number(1) not in (await world.doctor.get(f"/residents/{person}")).text
    shown = await world.doctor.post(f"/residents/{person}/reveal/id_number", status=200)
    assert id_number(1) in shown.text
    await world.leader.get(f"/residents/{person}")
    await world.leader.post(f"/residents/{person}/reveal/id_number", status=403)
    scope = world.platform.security.acting_for(world.platform.security.system_scope(), ActingFor("auditor", ()))
    entries = (await world.platform.audit.search(scope, AuditQuery(person=person, action="reveal"))).entries
    assert [entry.login for entry in entries] == ["doctor"]


async def test_an_id_number_fills_birth_date_sex_and_where_somebody_is_registered(world: World) -> None:
    answer = await world.doctor.post("/residents/new/check", {"id_number": id_number(70, "19680305")}, status=200)
    fields = answer.json()["fields"]
    assert fields["birth_date"]["fill"] == "1968-03-05" and fields["sex"]["fill"] in ("1", "2")
    assert fields["residence"]["fill"] == "1" and fields["residence"]["hint"].startswith("证件号属于 ")
    stranger = await world.doctor.post("/residents/new/check", {"id_number": "11010519491231002X"}, status=200)
    assert stranger.json()["fields"]["residence"] == {"fill": "2", "error": "", "hint": "证件号属于 110105"}
    chosen = await world.doctor.post("/residents/new/check", {"id_number": "11010519491231002X", "residence": "1"}, status=200)
    assert "residence" not in chosen.json()["fields"], "who is asked has the last word"
    wrong = await world.doctor.post("/residents/new/check", {"id_number": "42099919680305070X"}, status=200)
    assert "校验位" in wrong.json()["fields"]["id_number"]["error"] or "18 位" in wrong.json()["fields"]["id_number"]["error"]


async def test_what_is_wrong_with_a_new_record_keeps_what_was_typed(world: World) -> None:
    page = (await world.doctor.post("/residents/new", {**NEW, "phone": "abc", "address": "三组 9 号"}, status=422)).text
    assert "电话请只写 7 到 12 位数字" in page and "三组 9 号" in page


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("name", "😀", "请写姓名"),
        ("name", "长" * 51, "不超过 50 个字"),
        ("address", "长" * 201, "不超过 200 个字"),
        ("birth_date", "", "请写出生日期"),
        ("birth_date", "20260231", "没有这一天"),
        ("birth_date", "17000101", "请核对年份"),
    ],
)
async def test_a_new_record_says_what_to_write_instead(world: World, field: str, text: str, words: str) -> None:
    typed = {**NEW, "id_number": "", "name": "钱测试", "sex": "1", "birth_date": "19680305", "residence": "1"}
    assert words in (await world.doctor.post("/residents/new", typed | {field: text}, status=422)).text


async def test_management_lasts_within_a_life_and_ends_after_it_began(world: World) -> None:
    person = await opened(world, 176, "孙日期")
    for start, words in (("19600101", "不能早于出生日期"), ("20260231", "没有这一天"), ("29991231", "不能晚于今天")):
        page = (await world.doctor.post(f"/residents/{person}/enrol", {"programme": "hypertension", "start": start}, status=422)).text
        assert words in page and "孙日期" in page
    await world.doctor.post(f"/residents/{person}/enrol", {"programme": "hypertension", "start": today(world)})
    early = (world.platform.clock.today() - timedelta(days=1)).isoformat()
    assert "不能早于纳入日期" in (await world.doctor.post(f"/residents/{person}/end", {"reason": "died", "day": early}, status=422)).text
    await world.doctor.post(f"/residents/{person}/end", {"reason": "died", "day": today(world)})


async def test_a_new_record_is_found_by_initials_and_not_opened_twice(world: World) -> None:
    person = await opened(world, 78, "吴新建")
    for scanned in ("wxj", "吴新建", id_number(78, "19680305"), id_number(78, "19680305").lower()):
        assert (await world.doctor.get(f"/residents/find?text={scanned}", 303)).headers["location"] == f"/residents/{person}"
    assert (await world.neighbour.get("/residents/find?text=wxj", 303)).headers["location"] == "/residents?text=wxj"
    again = await world.doctor.post(
        "/residents/new", {**NEW, "id_number": id_number(78, "19680305"), "name": "吴新建", "phone": ""}, status=409
    )
    assert f"/residents/{person}" in again.text
    elsewhere = {**NEW, "id_number": id_number(78, "19680305"), "name": "吴新建", "area": "420999102201", "phone": ""}
    made = await world.neighbour.post("/residents/new", elsewhere)
    assert made.headers["location"] != f"/residents/{person}?told=1", "a record of its own, for a steward to decide"
    await world.neighbour.get(f"/residents/{person}", 404)


async def test_enrolment_and_its_end_move_the_list_at_once(world: World) -> None:
    person = await opened(world, 79, "郑入管")
    managed = "/chronic?text=zrg"
    assert "郑入管" not in (await world.doctor.get(managed)).text
    await world.doctor.post(f"/residents/{person}/enrol", {"programme": "hypertension", "start": today(world)})
    assert "郑入管" in (await world.doctor.get(managed)).text
    await world.doctor.post(f"/residents/{person}/enrol", {"programme": "hypertension", "start": today(world)}, status=422)
    await world.leader.post(f"/residents/{person}/end", {"reason": "moved_out", "day": today(world)}, status=403)
    await world.doctor.post(f"/residents/{person}/end", {"reason": "moved_out", "day": today(world)})
    assert "郑入管" not in (await world.doctor.get(managed)).text
    page = (await world.doctor.get(f"/residents/{person}")).text
    assert "已迁出" in page and "迁出" in page
    episode = re.search(r'name="episode" value="([^"]+)"', page)
    assert episode
    await world.doctor.post(f"/residents/{person}/reopen", {"episode": episode[1]})
    assert "郑入管" in (await world.doctor.get(managed)).text
    assert "已迁出" not in (await world.doctor.get(f"/residents/{person}")).text


async def test_a_visit_not_controlled_is_due_again_within_two_weeks(world: World) -> None:
    person = await enrolled(world, 80, "冯随访")
    path = f"/residents/{person}/followup/hypertension"
    told = (await world.doctor.post(f"{path}/compute", {**VISIT, "visit_date": today(world)}, status=200)).json()
    due = (world.platform.clock.today() + timedelta(days=14)).isoformat()
    assert told["fields"]["outcome_class"]["value"] == "2" and told["fields"]["next_visit_date"]["value"] == due
    assert told["fields"]["bmi"]["value"] == "24.2"
    await world.doctor.post(path, {**VISIT, "visit_date": today(world), "then": "stay"})
    page = (await world.doctor.get(f"/residents/{person}")).text
    assert "152/96 mmHg" in page
    listed = (await world.doctor.get("/desk?list=recheck&text=fsf")).text
    assert "冯随访" in listed and due in listed
    again = (await world.doctor.post(f"{path}/compute", {**VISIT, "systolic": "150/94", "visit_date": today(world)}, status=200)).json()
    assert "转诊" in again["notes"]["referral"]


async def test_a_referral_waits_on_the_list_until_its_result_is_written(world: World) -> None:
    person = await enrolled(world, 89, "秦转诊")
    sent = {**VISIT, "visit_date": today(world), "referral_reason": "连续两次不满意", "referral_institution": "县人民医院心内科"}
    await world.doctor.post(f"/residents/{person}/followup/hypertension", sent)
    due = (world.platform.clock.today() + timedelta(days=14)).isoformat()
    listed = (await world.doctor.get("/desk?list=referral&text=qzz")).text
    assert "秦转诊" in listed and due in listed
    task = re.search(rf"/residents/{person}/tasks/([\w-]+)", (await world.doctor.get(f"/residents/{person}")).text)
    assert task
    await world.leader.post(f"/residents/{person}/tasks/{task[1]}", {"result": "x"}, status=403)
    await world.doctor.post(f"/residents/{person}/tasks/{task[1]}", {"result": ""}, status=400)
    await world.doctor.post(f"/residents/{person}/tasks/{task[1]}", {"result": "已住院"})
    assert "秦转诊" not in (await world.doctor.get("/desk?list=referral&text=qzz")).text


async def test_a_health_examination_is_recorded_for_who_is_not_enrolled(world: World) -> None:
    person = await opened(world, 90, "尤体检", "19550305")
    path = f"/residents/{person}/examination"
    page = (await world.doctor.get(path)).text
    names = set(re.findall(r'name="([a-z_]+)"[^>]*aria-required', page))
    assert {"systolic", "diastolic"} <= names
    await world.leader.get(path, 403)
    await world.doctor.post(path, {"exam_date": today(world), "systolic": "138/84", "doctor": "李医生", "then": "wait"})
    assert "138/84 mmHg" in (await world.doctor.get(f"/residents/{person}")).text


async def test_a_wrong_value_stays_in_its_field_and_nothing_is_saved(world: World) -> None:
    person = await enrolled(world, 81, "陈写错")
    path = f"/residents/{person}/followup/hypertension"
    page = (
        await world.doctor.post(
            path, {**VISIT, "visit_date": today(world), "systolic": "999", "diastolic": "96", "other_signs": "足背水肿"}, status=422
        )
    ).text
    assert 'value="999"' in page and "足背水肿" in page and 'aria-invalid="true"' in page
    assert "mmHg</span>" not in (await world.doctor.get(f"/residents/{person}")).text


async def test_a_computed_value_is_overruled_only_with_a_reason(world: World) -> None:
    person = await enrolled(world, 82, "褚改判")
    path = f"/residents/{person}/followup/hypertension"
    sent = {**VISIT, "visit_date": today(world), "outcome_class": "1", "computed_outcome_class": "2"}
    await world.doctor.post(path, sent, status=422)
    await world.doctor.post(path, {**sent, "override_reason_outcome_class": "复测后 138/86"})
    timeline = (await world.doctor.get(f"/residents/{person}", hx_request="true", hx_target="timeline")).text
    assert ">控制满意</span>" in timeline and "此次随访分类改判：复测后 138/86" in timeline


async def test_an_unusual_value_is_asked_about_once(world: World) -> None:
    person = await enrolled(world, 83, "卫少见")
    path = f"/residents/{person}/followup/hypertension"
    sent = {**VISIT, "visit_date": today(world), "heart_rate": "130"}
    page = (await world.doctor.post(path, sent, status=422)).text
    seen = re.findall(r'name="seen" value="([^"]+)"', page)
    assert seen == ["heart_rate=130"]
    await world.doctor.post(path, {**sent, "seen": seen})


async def test_what_is_carried_over_waits_for_confirmation(world: World) -> None:
    person = await enrolled(world, 84, "蒋带入")
    path = f"/residents/{person}/followup/hypertension"
    earlier = (world.platform.clock.today() - timedelta(days=60)).isoformat()
    await world.doctor.post(path, {**VISIT, "visit_date": earlier, "drugs.0.drug_name": "氨氯地平片", "drugs.0.drug_times_per_day": "1"})
    page = (await world.doctor.get(path)).text
    grey = re.findall(r'name="([\w.]+)"[^>]*data-carried', page)
    assert "height" in grey and "drugs.0.drug_name" in grey
    assert not {"systolic", "diastolic", "weight", "heart_rate", "symptoms", "visit_date"} & set(grey)
    assert "补录" in (await world.doctor.get(f"/residents/{person}")).text
    sent = {**VISIT, "visit_date": today(world), "drugs.0.drug_name": "氨氯地平片", "drugs.0.drug_times_per_day": "1"}
    refused = (await world.doctor.post(path, sent, status=422)).text
    assert "带入值没有确认" in refused
    await world.doctor.post(path, {**sent, "confirmed": grey})


async def test_an_unfinished_visit_waits_and_counts_once_completed(world: World) -> None:
    person = await enrolled(world, 85, "沈待补")
    path = f"/residents/{person}/followup/hypertension"
    part = {**VISIT, "visit_date": today(world), "medication_adherence": ""}
    await world.doctor.post(path, part, status=422)
    await world.doctor.post(path, {**part, "then": "wait"})
    assert "沈待补" in (await world.doctor.get("/chronic/incomplete?text=sdb")).text
    where = (await world.doctor.get(f"/residents/{person}/followup", 303)).headers["location"]
    page = (await world.doctor.get(where)).text
    assert 'value="152"' in page
    await world.doctor.post(where, {**VISIT, "visit_date": today(world), "systolic": "152", "diastolic": "96", "then": "stay"})
    assert "沈待补" not in (await world.doctor.get("/chronic/incomplete?text=sdb")).text
    timeline = (await world.doctor.get(f"/residents/{person}")).text
    assert timeline.count("152/96 mmHg") == 1 + timeline.count("152/96 mmHg · ")


async def test_the_same_form_sent_twice_is_one_visit(world: World) -> None:
    person = await enrolled(world, 92, "许两次")
    path = f"/residents/{person}/followup/hypertension"
    sending = re.search(r'name="sending" value="([^"]+)"', (await world.doctor.get(path)).text)
    assert sending
    for _ in range(2):
        await world.doctor.post(path, {**VISIT, "visit_date": today(world), "sending": sending[1]})
    timeline = (await world.doctor.get(f"/residents/{person}?kind=followup-hypertension", hx_request="true", hx_target="timeline")).text
    assert timeline.count('class="k-followup-hypertension"') == 1


async def test_a_bad_line_of_the_grid_never_stops_a_good_one(world: World) -> None:
    good, bad = await enrolled(world, 86, "韩批一"), await enrolled(world, 87, "杨批二")
    cells = {
        "way": "1",
        "symptoms": "1",
        "danger_signs": "1",
        "systolic": "134",
        "diastolic": "84",
        "medication_adherence": "1",
        "adverse_reaction": "1",
        "visit_date": today(world),
    }
    sent: dict[str, Any] = (
        {"person": [good, bad]}
        | {f"{good}.{name}": value for name, value in cells.items()}
        | {f"{bad}.{name}": value for name, value in cells.items()}
    )
    page = (await world.doctor.post("/chronic/batch", {**sent, f"{bad}.systolic": "1x4"}, status=422)).text
    assert "已保存 1 人" in page and 'value="1x4"' in page
    assert "134/84 mmHg" in (await world.doctor.get(f"/residents/{good}")).text
    assert "134/84 mmHg" not in (await world.doctor.get(f"/residents/{bad}")).text


async def test_the_sheet_has_the_last_visits_as_columns(world: World) -> None:
    person = await enrolled(world, 88, "朱打印")
    path = f"/residents/{person}/followup/hypertension"
    for days, pressure in ((90, "150/92"), (30, "142/88")):
        day = (world.platform.clock.today() - timedelta(days=days)).isoformat()
        await world.doctor.post(path, {**VISIT, "visit_date": day, "systolic": pressure, "confirmed": "height"})
    sheet = (await world.doctor.get(f"/residents/{person}/sheet/hypertension")).text
    assert sheet.index(">150/92<") < sheet.index(">142/88<") and "高血压患者随访服务记录表" in sheet and "虚构数据" in sheet
    heads = re.findall(r'<th scope="rowgroup" rowspan="(\d+)">([^<]+)</th>', sheet)
    assert [title for _, title in heads] == ["症状", "体征", "生活方式指导", "用药情况", "转诊"]
    assert '<th scope="row" colspan="2">辅助检查' in sheet
