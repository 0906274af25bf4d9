"""更正, 作废 and 撤销作废 of a visit on the record's page: same ids, new versions, figures that follow, and who may not."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import orjson

from tests.district import EAST, send
from tests.http.signed_in import Person, World, sign_in
from tests.http.test_pages_residents import VISIT, enrolled, opened, practitioner, today, world
from tests.http.test_pages_visits import EXAMINED
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.exchange import OWN_API, Entry, Submission
from xinglin.engines.security import AuditQuery, DemoAccount, NewMembership
from xinglin.web.app import make_app

__all__ = ["world"]
_HIDDEN = r'<input type="hidden" name="(sending|known|brought|seen)" value="([^"]*)"'


async def colleague(world: World, login: str, house: str, number: str) -> Person:
    """Return a doctor of an institution, with the east as scope."""
    await send(world.platform, practitioner(number, f"医生{number}"), message_id=f"staff-{number}")
    async with world.platform.database.connection() as connection:
        houses = {one.code: one.rid for one in await world.platform.register.institutions(connection)}
        worker = next(one.rid for one in await world.platform.register.practitioners(connection) if one.code == number)
    member = NewMembership("responsible_doctor", houses[house], (EAST[0],))
    await world.platform.security.setup.add_demo_account(DemoAccount(login, f"医生{number}", DEMO_PASSWORD, member, worker))
    return await sign_in(login, httpx.ASGITransport(app=make_app(world.platform), raise_app_exceptions=False))


async def visited(world: World, serial: int, name: str, **more: str) -> tuple[int, str]:
    """Enrol a resident and record a visit; returns the person and the address of the visit."""
    person = await enrolled(world, serial, name)
    await world.doctor.post(f"/residents/{person}/followup/hypertension", {**VISIT, "visit_date": today(world), **more})
    return person, await address(world, person)


async def address(world: World, person: int) -> str:
    """Return the address of the newest visit that can be corrected."""
    found = re.search(rf'href="(/residents/{person}/visits/[0-9a-f-]+)/correct"', await record(world, person))
    assert found
    return found[1]


async def record(world: World, person: int, who: Person | None = None) -> str:
    return (await (who or world.doctor).get(f"/residents/{person}")).text


async def as_shown(who: Person, path: str) -> dict[str, str]:
    """Open a correction; returns every value of the form as it stands there."""
    page = (await who.get(f"{path}/correct")).text
    shown = dict(re.findall(r'<input class="form-control[^"]*" id="i-[^"]+" name="([^"]+)" value="([^"]*)"', page))
    return {**shown, **dict(re.findall(_HIDDEN, page)), **dict(re.findall(r'name="(computed_[a-z_]+)" value="([^"]*)"', page))}


async def stored(world: World, person: int) -> dict[str, dict[str, Any]]:
    found = await world.platform.store.person_bodies(world.platform.security.system_scope(), person)
    return {f"{one.rtype}/{one.id}": orjson.loads(one.body) for one in found}


async def listed(world: World, person: int, name: str) -> bool:
    """Return whether somebody has to be visited again within two weeks."""
    return f'/residents/{person}"' in (await world.doctor.get(f"/desk?list=recheck&text={name}")).text


async def test_a_pressure_typed_wrong_is_corrected_under_the_same_ids(world: World) -> None:
    person, path = await visited(world, 301, "单更正")
    assert await listed(world, person, "单更正")
    before = await stored(world, person)
    shown = await as_shown(world.doctor, path)
    assert 'class="earlier"' not in (await world.doctor.get(f"{path}/correct")).text  # what is being corrected is no earlier reading
    assert (shown["systolic"], shown["diastolic"], shown["weight"], shown["visit_date"]) == ("152", "96", "66", today(world))
    sent = {**shown, "systolic": "125", "diastolic": "80"}
    refused = (await world.doctor.post(f"{path}/correct", sent, 422)).text
    assert "请写原因" in refused and 'value="125"' in refused
    await world.doctor.post(f"{path}/correct", {**sent, "change_reason": "血压录反"})
    after = await stored(world, person)
    assert set(after) == set(before)
    own = f"Encounter/{path.rsplit('/', 1)[1]}"
    pressure = next(one for one in after.values() if one["resourceType"] == "Observation" and "component" in one)
    assert [part["valueQuantity"]["value"] for part in pressure["component"]] == [125, 80]
    assert (pressure["status"], after[own]["meta"]["versionId"]) == ("corrected", "2")
    page = await record(world, person)
    assert "125/80" in page and "152/96" not in page and "血压录反" in page and "已更正" in page
    assert not await listed(world, person, "单更正")
    trail = await world.platform.audit.search(world.platform.security.system_scope(), AuditQuery(person=person), limit=50)
    assert any(one.action == "write" and "correct" in one.detail for one in trail.entries)


async def test_the_same_correction_sent_twice_is_one_and_a_visit_left_as_it_is_none(world: World) -> None:
    person, path = await visited(world, 302, "双更正")
    shown = await as_shown(world.doctor, path)
    assert "没有要更正的" in (await world.doctor.post(f"{path}/correct", {**shown, "change_reason": "误点"}, 422)).text
    sent = {**shown, "heart_rate": "80", "weight": "65", "change_reason": "漏填心率"}
    for _ in range(2):
        await world.doctor.post(f"{path}/correct", sent)
    assert (await record(world, person)).count("漏填心率") == 1
    taken = {**await as_shown(world.doctor, path), "heart_rate": "", "change_reason": "没有测心率"}
    await world.doctor.post(f"{path}/correct", taken)
    states = [one["status"] for one in (await stored(world, person)).values() if "8867-4" in orjson.dumps(one).decode()]
    assert states == ["entered-in-error"]
    assert "漏填心率" in await record(world, person)


async def test_of_two_who_correct_one_visit_the_second_is_told(world: World) -> None:
    person, path = await visited(world, 303, "司同改")
    second = await colleague(world, "same_house", "E1", "N31")
    hers, his = await as_shown(world.doctor, path), await as_shown(second, path)
    await second.post(f"{path}/correct", {**his, "systolic": "142", "change_reason": "看错刻度"})
    mine = {**hers, "systolic": "125", "change_reason": "血压录反"}
    page = (await world.doctor.post(f"{path}/correct", mine, 422)).text
    assert "医生N31" in page and "看错刻度" in page and "没有丢" in page and 'value="125"' in page
    assert "142/96" in await record(world, person)
    await world.doctor.post(f"{path}/correct", {**mine, **dict(re.findall(_HIDDEN, page))})
    assert "125/96" in await record(world, person)


async def test_a_withdrawn_visit_does_not_count_until_the_withdrawal_is_taken_back(world: World) -> None:
    person, path = await visited(world, 304, "车作废", referral_reason="血压连续不满意", referral_institution="县医院")
    before = await stored(world, person)
    assert "转诊追踪" in await record(world, person) and await listed(world, person, "车作废")
    known = dict(re.findall(_HIDDEN, (await world.doctor.get(f"{path}/withdraw")).text))
    assert "请写原因" in (await world.doctor.post(f"{path}/withdraw", known, 422)).text
    await world.doctor.post(f"{path}/withdraw", {**known, "change_reason": "录到了别人的档案里"})
    page = await record(world, person)
    assert "已作废" in page and "录到了别人的档案里" in page and "撤销作废" in page
    assert page.count("152/96") == page.count("<del>152/96 mmHg</del>") == 1, "struck through, and in no figure"
    assert "转诊追踪" not in page and not await listed(world, person, "车作废")
    own = {name: one["status"] for name, one in (await stored(world, person)).items() if one["meta"] != before[name]["meta"]}
    assert set(own.values()) == {"entered-in-error", "cancelled"} and {name.split("/")[0] for name in own} >= {"ServiceRequest", "Task"}
    await world.doctor.get(f"{path}/correct", 409)
    await world.doctor.post(f"{path}/withdraw", {**known, "change_reason": "再作废"}, 409)
    await world.doctor.post(f"{path}/restore")
    page = await record(world, person)
    assert "已作废" not in page and "152/96" in page and "转诊追踪" in page and await listed(world, person, "车作废")
    after = await stored(world, person)
    assert all({**after[name], "meta": 0} == {**before[name], "meta": 0} for name in before)
    await world.doctor.post(f"{path}/restore", status=409)


async def test_only_the_author_and_the_institution_may_and_nobody_sees_it_elsewhere(world: World) -> None:
    person, path = await visited(world, 305, "门权限")
    stranger = await colleague(world, "other_house", "W1", "N32")
    shown = {**await as_shown(world.doctor, path), "systolic": "125", "change_reason": "血压录反"}
    assert f"{path}/correct" not in await record(world, person, stranger)
    for step in ("correct", "withdraw", "restore"):
        await world.neighbour.post(f"{path}/{step}", shown, 404)
        await stranger.post(f"{path}/{step}", shown, 403)
        await world.leader.post(f"{path}/{step}", shown, 403)
    assert "152/96" in await record(world, person)
    await world.doctor.post(f"{path}/correct", shown)
    assert "125/96" in await record(world, person)


async def test_a_visit_that_another_system_sent_is_not_changed_here(world: World) -> None:
    person, path = await visited(world, 306, "龙外来")
    own = await stored(world, person)
    encounter = own[f"Encounter/{path.rsplit('/', 1)[1]}"]
    await world.doctor.get(f"{path}/correct")
    sent = {name: value for name, value in encounter.items() if name != "meta"} | {"id": "elsewhere-306"}
    message = Submission(OWN_API, "elsewhere-306", orjson.dumps(sent), [Entry(sent)])
    assert not (await world.platform.exchange.submit(world.platform.security.system_scope(), message)).problems
    page = await record(world, person)
    assert page.count("/withdraw") == 1
    there = next(name for name in await stored(world, person) if name.startswith("Encounter/") and name not in own)
    await world.doctor.get(f"/residents/{person}/visits/{there.split('/')[1]}/correct", 403)


async def test_an_examination_is_corrected_on_its_own_form(world: World) -> None:
    person = await opened(world, 307, "叶体检", "19850305")
    path = f"/residents/{person}/examination"
    required = set(re.findall(r'name="([a-z_]+)"[^>]*aria-required', (await world.doctor.get(path)).text))
    day = (world.platform.clock.today() - timedelta(days=1)).isoformat()
    answers = {name: EXAMINED.get(name, "1") for name in required}
    await world.doctor.post(path, {**answers, "exam_date": day, "systolic": "138", "diastolic": "84", "complete": "1"})
    own = await address(world, person)
    page = (await world.doctor.get(f"{own}/correct")).text
    assert f"更正 {day} 的" in page and "保存并下一位" not in page
    shown = await as_shown(world.doctor, own)
    assert (shown["systolic"], shown["heart_rate"]) == ("138", "72")
    told = (await world.doctor.post(f"{own}/correct/compute", {**shown, "heart_rate": "9999"}, 200)).json()
    assert told["fields"]["heart_rate"].get("error") or told["fields"]["heart_rate"].get("warning")
    await world.doctor.post(f"{own}/correct", {**shown, "heart_rate": "76", "change_reason": "看错行"})
    assert (await as_shown(world.doctor, own))["heart_rate"] == "76"


async def test_a_visit_of_somebody_no_longer_managed_is_corrected_too(world: World) -> None:
    person, path = await visited(world, 308, "倪终止")
    episode = next(one["id"] for one in (await stored(world, person)).values() if one["resourceType"] == "EpisodeOfCare")
    await world.doctor.post(f"/residents/{person}/end", {"reason": "declined", "day": today(world), "episode": episode})
    await world.doctor.get(f"/residents/{person}/followup/hypertension", 409)
    await world.doctor.post(f"{path}/correct", {**await as_shown(world.doctor, path), "systolic": "125", "change_reason": "血压录反"})
    assert "125/96" in await record(world, person)


async def test_an_unfinished_visit_is_withdrawn_with_what_asks_for_the_rest(world: World) -> None:
    person = await enrolled(world, 309, "汤待补")
    await world.doctor.post(f"/residents/{person}/followup/hypertension", {"visit_date": today(world), "way": "1", "then": "wait"})
    found = re.search(rf'href="(/residents/{person}/visits/[0-9a-f-]+)/withdraw"', await record(world, person))
    assert found
    await world.doctor.get(f"{found[1]}/correct", 409)
    assert f"/residents/{person}/" in (await world.doctor.get("/chronic/incomplete?text=汤待补")).text
    await world.doctor.post(f"{found[1]}/withdraw", {"change_reason": "没有上门"})
    assert f"/residents/{person}/" not in (await world.doctor.get("/chronic/incomplete?text=汤待补")).text
    assert {one["status"] for one in (await stored(world, person)).values() if one["resourceType"] == "Task"} == {"cancelled"}
    await world.doctor.post(f"{found[1]}/restore")
    assert f"/residents/{person}/" in (await world.doctor.get("/chronic/incomplete?text=汤待补")).text


async def test_an_overruled_class_is_shown_with_its_reason_and_a_computed_one_is_computed_again(world: World) -> None:
    person, path = await visited(world, 310, "滕改判", outcome_class="1", override_reason_outcome_class="家庭自测正常")
    page = (await world.doctor.get(f"{path}/correct")).text
    assert 'value="家庭自测正常"' in page and (await as_shown(world.doctor, path))["outcome_class"] == "1"
    shown = {**await as_shown(world.doctor, path), "override_reason_outcome_class": "家庭自测正常"}
    await world.doctor.post(f"{path}/correct", {**shown, "systolic": "158", "change_reason": "看错刻度"})
    assert "家庭自测正常" in await record(world, person) and "158/96" in await record(world, person)


async def test_corrections_in_the_same_moment_make_one(world: World) -> None:
    person, path = await visited(world, 311, "殷同刻")
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', (await world.doctor.get("/account")).text)
    assert token
    forms = [await as_shown(world.doctor, path) for _ in range(3)]

    async def save(form: dict[str, str], pressure: str) -> httpx.Response:
        sent = {**form, "systolic": pressure, "change_reason": f"应为{pressure}", "form_token": token[1]}
        return await world.doctor.client.post(f"{path}/correct", data=sent)

    answers = await asyncio.gather(*(save(form, f"13{number}") for number, form in enumerate(forms)))
    assert sorted(one.status_code for one in answers) == [303, 422, 422]
    assert all("没有丢" in one.text for one in answers if one.status_code == 422)
    assert (await record(world, person)).count("更正：应为") == 1


async def test_who_withdraws_a_visit_is_told_that_it_was_corrected_meanwhile(world: World) -> None:
    person, path = await visited(world, 312, "罗先改")
    known = dict(re.findall(_HIDDEN, (await world.doctor.get(f"{path}/withdraw")).text))
    await world.doctor.post(f"{path}/correct", {**await as_shown(world.doctor, path), "systolic": "125", "change_reason": "血压录反"})
    page = (await world.doctor.post(f"{path}/withdraw", {**known, "change_reason": "血压不对"}, 422)).text
    assert "血压录反" in page and "125/96" in page and 'value="血压不对"' in page
    assert "125/96" in await record(world, person)
    await world.doctor.post(f"{path}/withdraw", {**dict(re.findall(_HIDDEN, page)), "change_reason": "血压不对"})
    assert "已作废" in await record(world, person)
