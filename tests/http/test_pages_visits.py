"""Two people at one form, what was overruled, and what waits to be completed: nothing typed is lost, nothing is recorded twice."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import timedelta
from typing import Any

import orjson

from tests.district import id_number
from tests.http.signed_in import World
from tests.http.test_pages_residents import VISIT, enrolled, opened, today, world
from xinglin.engines.exchange import OWN_PAGES, Entry, Submission
from xinglin.engines.store import Cause, Link

__all__ = ["world"]


async def form_at(world: World, path: str) -> dict[str, str]:
    """Open a form; returns the hidden fields it carries."""
    page = (await world.doctor.get(path)).text
    return dict(re.findall(r'<input type="hidden" name="(sending|known|brought)" value="([^"]*)"', page))


async def visits_of(world: World, person: int) -> int:
    timeline = (await world.doctor.get(f"/residents/{person}?kind=followup-hypertension", hx_request="true", hx_target="timeline")).text
    return timeline.count('class="k-followup-hypertension"')


async def test_of_two_at_one_form_the_second_is_told_and_keeps_what_she_typed(world: World) -> None:
    person = await enrolled(world, 101, "钱同时")
    path = f"/residents/{person}/followup/hypertension"
    hers, his = await form_at(world, path), await form_at(world, path)
    await world.doctor.post(path, {**VISIT, **his, "visit_date": today(world)})
    mine = {**VISIT, **hers, "visit_date": today(world), "systolic": "148/92", "other_signs": "足背水肿"}
    page = (await world.doctor.post(path, mine, status=422)).text
    assert "李医生保存了这位居民" in page and "152/96" in page and "足背水肿" in page and 'value="148/92"' in page
    assert await visits_of(world, person) == 1
    again = dict(re.findall(r'<input type="hidden" name="(sending|known|brought)" value="([^"]*)"', page))
    assert again["known"] != hers["known"]
    await world.doctor.post(path, {**mine, **again})
    assert await visits_of(world, person) == 2


async def test_two_saves_in_the_same_moment_make_one_visit(world: World) -> None:
    person = await enrolled(world, 102, "孔同刻")
    path = f"/residents/{person}/followup/hypertension"
    forms = [await form_at(world, path) for _ in range(4)]
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', (await world.doctor.get("/account")).text)
    assert token

    async def save(form: dict[str, str], pressure: str) -> Any:
        sent = {**VISIT, **form, "visit_date": today(world), "systolic": pressure, "form_token": token[1]}
        return await world.doctor.client.post(path, data=sent)

    answers = await asyncio.gather(*(save(form, f"15{number}/96") for number, form in enumerate(forms)))
    assert sorted(one.status_code for one in answers) == [303, 422, 422, 422]
    assert all("没有丢" in one.text for one in answers if one.status_code == 422)
    assert await visits_of(world, person) == 1


async def test_a_form_gone_back_to_and_changed_is_not_said_to_be_saved(world: World) -> None:
    person = await enrolled(world, 103, "安返回")
    path = f"/residents/{person}/followup/hypertension"
    form = {**VISIT, **await form_at(world, path), "visit_date": today(world)}
    await world.doctor.post(path, form)
    page = (await world.doctor.post(path, {**form, "systolic": "140/86"}, status=422)).text
    assert "没有丢" in page
    assert await visits_of(world, person) == 1


async def test_of_two_who_complete_one_visit_the_second_is_told(world: World) -> None:
    person = await enrolled(world, 104, "宁补全")
    path = f"/residents/{person}/followup/hypertension"
    await world.doctor.post(path, {**VISIT, "visit_date": today(world), "medication_adherence": "", "then": "wait"})
    where = (await world.doctor.get(f"/residents/{person}/followup", 303)).headers["location"]
    forms = [await form_at(world, where) for _ in range(2)]
    whole = {**VISIT, "visit_date": today(world), "systolic": "152", "diastolic": "96"}
    await world.doctor.post(where, {**whole, **forms[0]})
    assert "没有丢" in (await world.doctor.post(where, {**whole, **forms[1], "heart_rate": "78"}, status=422)).text
    assert await visits_of(world, person) == 1


async def grid_line(world: World, person: int, systolic: str, known: str) -> dict[str, Any]:
    """Return a line of the grid as it is sent. known: what the grid carried when it was opened."""
    cells = {name: VISIT[name] for name in ("way", "symptoms", "danger_signs", "medication_adherence", "adverse_reaction")}
    cells |= {"systolic": systolic, "diastolic": "84", "visit_date": today(world), "known": known}
    return {"person": [person]} | {f"{person}.{name}": value for name, value in cells.items()}


async def known_of_grid(world: World) -> str:
    """Open the grid; returns what each of its lines carries of what was known."""
    found = re.search(r'name="\d+\.known" value="(\d+)"', (await world.doctor.get("/chronic/batch")).text)
    assert found
    return found[1]


async def test_a_line_of_the_grid_saved_elsewhere_meanwhile_keeps_its_cells(world: World) -> None:
    person = await enrolled(world, 105, "柏批同")
    known = await known_of_grid(world)
    await world.doctor.post(f"/residents/{person}/followup/hypertension", {**VISIT, "visit_date": today(world)})
    page = (await world.doctor.post("/chronic/batch", await grid_line(world, person, "134", known), status=422)).text
    assert "没有丢" in page and 'value="134"' in page
    assert await visits_of(world, person) == 1


async def test_what_a_file_begun_before_the_grid_brought_meanwhile_is_told(world: World) -> None:
    person = await enrolled(world, 107, "岑久传")
    known = await known_of_grid(world)
    await world.doctor.post(f"/residents/{person}/followup/hypertension", {**VISIT, "visit_date": today(world)})
    # As it stands when its message got its number before the grid was opened.
    async with world.platform.database.connection() as connection:
        await connection.execute(
            "update res set message_no = 1 where rtype = 'Encounter' and pat in"
            " (select patient from person_link where person = $1 and to_seq is null)",
            person,
        )
    page = (await world.doctor.post("/chronic/batch", await grid_line(world, person, "133", known), status=422)).text
    assert "没有丢" in page and 'value="133"' in page
    assert await visits_of(world, person) == 1


async def test_what_a_steward_moves_makes_no_line_of_the_grid_look_saved_elsewhere(world: World) -> None:
    person = await enrolled(world, 108, "穆移动")
    await world.doctor.post(f"/residents/{person}/followup/hypertension", {**VISIT, "visit_date": today(world)})
    await enrolled(world, 199, "戚在册")  # somebody whose line the grid shows
    known, head = await known_of_grid(world), await world.platform.store.head()
    async with world.platform.database.transaction() as connection:
        source = (await world.platform.exchange.ledger.source(OWN_PAGES)).source_no
        patient = await connection.fetchval("select patient from person_link where person = $1 and to_seq is null", person)
        for target, decision in ((None, "split"), (person, "merge")):
            assert await world.platform.store.write_links(connection, [Link(patient, target, decision)], Cause(0, source, 0))
    assert await world.platform.store.head() > head
    page = (await world.doctor.post("/chronic/batch", await grid_line(world, person, "131", known), status=200)).text
    assert "没有丢" not in page
    assert await visits_of(world, person) == 2


async def test_a_call_without_a_reading_does_not_put_off_the_next_visit(world: World) -> None:
    person, day = await enrolled(world, 106, "水电话"), world.platform.clock.today()
    path = f"/residents/{person}/followup/hypertension"
    await world.doctor.post(path, {**VISIT, "visit_date": (day - timedelta(days=10)).isoformat(), "height": ""})
    call = {**VISIT, "visit_date": today(world), "way": "3", "systolic": "", "height": "", "outcome_class": "1"}
    told = (await world.doctor.post(f"{path}/compute", call, status=200)).json()
    assert told["fields"]["next_visit_date"]["value"] == (day + timedelta(days=14)).isoformat()
    assert "没有测量" in told["notes"]["referral"]
    await world.doctor.post(path, call)
    assert "水电话" in (await world.doctor.get("/desk?list=recheck&text=sdh")).text


async def test_the_desk_says_when_its_numbers_are_not_whole_yet(world: World) -> None:
    async with world.platform.database.connection() as connection:
        reader = await connection.fetchrow("select seq, mark, changed_at from feed_reader where name = 'results'")
        head = await connection.fetchval("select max(seq) from feed")
        save = (
            "insert into feed_reader (name, seq, mark, changed_at) values ('results', $1, '', now())"
            " on conflict (name) do update set seq = excluded.seq"
        )
        await connection.execute(save, head)
        whole = (await world.doctor.get("/desk?list=suspected")).text
        await connection.execute("update feed set ts = ts - interval '1 hour' where seq = 1")
        await connection.execute(save, 0)
        behind = (await world.doctor.get("/desk?list=suspected")).text
        await connection.execute("delete from feed_reader where name = 'results'")
        if reader is not None:
            await connection.execute("insert into feed_reader values ('results', $1, $2, $3)", *reader)
    assert "这里没有要做的" in whole and "计算中" not in whole
    assert "还不能说这里没有人" in behind and "计算中" in behind and "这里没有要做的" not in behind


EXAMINED = {"systolic": "138/84", "heart_rate": "72", "height": "160", "weight": "60", "waist": "82"} | {
    "fasting_glucose": "5.4",
    "haemoglobin": "132",
    "creatinine": "70",
    "total_cholesterol": "4.5",
    "triglycerides": "1.2",
    "doctor": "李医生",
}


async def test_an_examination_left_unfinished_is_listed_and_asks_for_the_rest(world: World) -> None:
    person = await opened(world, 107, "窦体检", "19850305")
    path = f"/residents/{person}/examination"
    await world.doctor.post(path, {"exam_date": today(world), "systolic": "138/84", "doctor": "李医生", "then": "wait"})
    listed = (await world.doctor.get("/chronic/incomplete?text=dtj")).text
    assert "窦体检" in listed and "补全体检表" in listed and f"{path}/complete" in listed
    where = (await world.doctor.get(f"{path}/complete", 303)).headers["location"]
    page = (await world.doctor.get(where)).text
    known = re.search(r'<details class="part known">(.*?)</details>', page, re.DOTALL)
    assert known and "138" in known[1] and 'name="heart_rate"' not in known[1]
    required = set(re.findall(r'name="([a-z_]+)"[^>]*aria-required', page.replace(known[0], "")))
    answers = {name: EXAMINED.get(name, "1") for name in required}
    rest = {**answers, "exam_date": today(world), "systolic": "138", "diastolic": "84", "doctor": "李医生", "complete": "1"}
    await world.doctor.post(where, rest)
    assert "窦体检" not in (await world.doctor.get("/chronic/incomplete?text=dtj")).text
    timeline = (await world.doctor.get(f"/residents/{person}", hx_request="true", hx_target="timeline")).text
    assert timeline.count('class="k-health-examination"') == 1
    await world.doctor.get(f"{path}/complete", 400)


async def arrived(world: World, person: int, what: tuple[str, str], measured: list[tuple[str, float, str]]) -> None:
    """Let a visit of another system arrive. what: service and day.  measured: LOINC, value, unit; 8480-6 with 8462-4 is one pressure."""
    patient = re.search(r"/fhir/Patient/([0-9a-f-]+)", (await world.doctor.get(f"/residents/{person}")).text)
    assert patient
    subject, own = {"reference": f"Patient/{patient[1]}"}, f"visit-{person}"
    visit = {
        "resourceType": "Encounter",
        "id": own,
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": "urn:xinglin:cs:service", "code": what[0]}]}],
        "subject": subject,
        "period": {"start": what[1]},
    }
    reading = {"resourceType": "Observation", "status": "final", "subject": subject, "effectiveDateTime": what[1]}
    reading |= {"encounter": {"reference": f"Encounter/{own}"}}
    parts = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        }
        for code, value, unit in measured
    ]
    panel = {"code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]}, "component": parts}
    found = [{**reading, **(panel if len(parts) == 2 else parts[0]), "id": f"{own}-reading"}]
    for resource in (visit, *found):
        message = Submission(OWN_PAGES, resource["id"], orjson.dumps(resource), [Entry(resource)], media="application/json", atomic=True)
        assert not (await world.platform.exchange.submit(world.platform.security.system_scope(), message)).problems


async def test_an_examination_that_came_without_its_form_asks_for_what_was_not_measured(world: World) -> None:
    person = await opened(world, 108, "章外来", "19500305")
    await arrived(world, person, ("health-examination", today(world)), [("8867-4", 71, "/min")])
    await world.platform.rules.evaluate_person(person, world.platform.clock.today())
    assert "章外来" in (await world.doctor.get("/chronic/incomplete?text=zwl")).text
    where = (await world.doctor.get(f"/residents/{person}/examination/complete", 303)).headers["location"]
    known = re.search(r'<details class="part known">(.*?)</details>', (await world.doctor.get(where)).text, re.DOTALL)
    assert known and 'value="71"' in known[1] and 'name="systolic"' not in known[1]


async def test_the_id_number_of_a_record_one_may_see_is_told_while_it_is_typed(world: World) -> None:
    await opened(world, 109, "云已有")
    number = id_number(109, "19680305")
    told = (await world.doctor.post("/residents/new/check", {"id_number": number}, status=200)).json()
    assert "云已有 已有档案" in told["fields"]["id_number"]["warning"]
    elsewhere = (await world.neighbour.post("/residents/new/check", {"id_number": number}, status=200)).json()
    assert elsewhere["fields"]["id_number"]["warning"] == ""


async def test_the_next_visit_is_not_reckoned_before_the_outcome_is_known(world: World) -> None:
    person = await enrolled(world, 110, "苏未判")
    path = f"/residents/{person}/followup/hypertension"
    told = (await world.doctor.post(f"{path}/compute", {"visit_date": today(world), "way": "1"}, status=200)).json()
    assert told["fields"]["next_visit_date"]["value"] == ""


async def test_the_outcome_is_not_reckoned_before_the_age_on_the_day_is_known(world: World) -> None:
    person = await enrolled(world, 190, "殷日期")
    path = f"/residents/{person}/followup/hypertension/compute"
    readings = {"way": "1", "systolic": "148", "diastolic": "88"}
    wrong = (await world.doctor.post(path, {**readings, "visit_date": "20260231"}, status=200)).json()
    assert "没有这一天" in wrong["fields"]["visit_date"]["error"] and wrong["fields"]["outcome_class"]["value"] == ""
    right = (await world.doctor.post(path, {**readings, "visit_date": today(world)}, status=200)).json()
    assert right["fields"]["outcome_class"]["value"] == "2"


async def test_a_reading_of_a_visit_to_the_doctor_becomes_a_follow_up_that_asks_for_the_rest(world: World) -> None:
    person, day = await enrolled(world, 111, "潘就诊"), today(world)
    await arrived(world, person, ("outpatient", day), [("8480-6", 152, "mm[Hg]"), ("8462-4", 96, "mm[Hg]")])
    await world.platform.rules.evaluate_person(person, world.platform.clock.today())
    listed = (await world.doctor.get("/chronic/incomplete?text=pjz")).text
    assert "潘就诊" in listed and "152/96" in listed and "就诊已测" in listed
    reminded = re.search(r'href="(/reminders/open[^"]*)"[^>]*>潘就诊', (await world.doctor.get("/reminders")).text)
    assert reminded
    form = (await world.doctor.get(html.unescape(reminded[1]), 303)).headers["location"]
    assert form == f"/residents/{person}/followup?reading=hypertension"
    where = (await world.doctor.get(f"/residents/{person}/followup?reading=hypertension", 303)).headers["location"]
    page = (await world.doctor.get(where)).text
    known = re.search(r'<details class="part known">(.*?)</details>', page, re.DOTALL)
    assert known and all(f'value="{value}"' in known[1] for value in (day, "1", "152", "96")) and 'name="symptoms"' not in known[1]
    sent = {name: VISIT[name] for name in ("symptoms", "danger_signs", "medication_adherence", "adverse_reaction", "doctor")}
    await world.doctor.post(where, {**sent, "visit_date": day, "way": "1", "systolic": "152", "diastolic": "96"})
    assert "潘就诊" not in (await world.doctor.get("/chronic/incomplete?text=pjz")).text
    assert "潘就诊" in (await world.doctor.get("/desk?list=recheck&text=pjz")).text
    assert await visits_of(world, person) == 1
    await world.doctor.get(f"/residents/{person}/followup?reading=hypertension", 400)


async def test_who_was_visited_today_is_neither_next_nor_in_the_grid(world: World) -> None:
    first, second = await enrolled(world, 112, "范先访"), await enrolled(world, 113, "彭后访")
    for person in (first, second):
        answer = await world.doctor.post(
            f"/residents/{person}/followup/hypertension", {**VISIT, "visit_date": today(world), "then": "next"}
        )
    assert f"/residents/{first}/" not in answer.headers["location"] and f"/residents/{second}/" not in answer.headers["location"]
    grid = (await world.doctor.get("/chronic/batch")).text
    assert "范先访" not in grid and "彭后访" not in grid
    assert "范先访" in (await world.doctor.get("/desk?list=recheck&text=fxf")).text


async def test_each_form_of_a_resident_can_be_printed(world: World) -> None:
    person = await enrolled(world, 114, "鲁两表", "19500305")
    await world.doctor.post(f"/residents/{person}/enrol", {"programme": "diabetes2", "start": today(world)})
    await arrived(world, person, ("health-examination", today(world)), [("8867-4", 71, "/min")])
    page = (await world.doctor.get(f"/residents/{person}")).text
    for kind, key, title in (("hypertension", "p", "高血压患者"), ("diabetes2", "d", "2型糖尿病患者"), ("examination", "b", "健康体检表")):
        assert re.search(rf'href="/residents/{person}/sheet/{kind}" target="_blank" data-hot="{key}"', page)
        assert title in (await world.doctor.get(f"/residents/{person}/sheet/{kind}")).text


async def test_a_call_that_says_controlled_does_not_part_two_readings_that_were_not(world: World) -> None:
    person, day = await enrolled(world, 161, "华连续"), world.platform.clock.today()
    path = f"/residents/{person}/followup/hypertension"
    await world.doctor.post(path, {**VISIT, "visit_date": (day - timedelta(days=20)).isoformat(), "height": ""})
    call = {**VISIT, "visit_date": (day - timedelta(days=8)).isoformat(), "way": "3", "systolic": "", "height": "", "outcome_class": "1"}
    await world.doctor.post(path, call)
    told = (await world.doctor.post(f"{path}/compute", {**VISIT, "visit_date": today(world)}, status=200)).json()
    assert "连续两次" in told["notes"]["referral"]
    better = {**VISIT, "visit_date": today(world), "systolic": "132/80"}
    assert (await world.doctor.post(f"{path}/compute", better, status=200)).json()["notes"]["referral"] == ""


async def test_a_blood_pressure_is_no_glucose_that_would_settle_the_last_one(world: World) -> None:
    person, day = await opened(world, 162, "穆血糖"), world.platform.clock.today()
    start = {"programme": "diabetes2", "start": (day - timedelta(days=200)).isoformat()}
    await world.doctor.post(f"/residents/{person}/enrol", start)
    path = f"/residents/{person}/followup/diabetes2"
    visit = {**VISIT, "systolic": "132/80", "foot_pulse": "1", "hypoglycaemia": "1"}
    await world.doctor.post(path, {**visit, "visit_date": (day - timedelta(days=20)).isoformat(), "fasting_glucose": "8.1"})
    call = {**visit, "way": "3", "height": "", "outcome_class": "1"}
    await world.doctor.post(path, {**call, "visit_date": (day - timedelta(days=8)).isoformat()})
    told = (await world.doctor.post(f"{path}/compute", {**call, "visit_date": today(world)}, status=200)).json()
    assert told["fields"]["next_visit_date"]["value"] == (day + timedelta(days=14)).isoformat()
    assert "没有测量" in told["notes"]["referral"]
