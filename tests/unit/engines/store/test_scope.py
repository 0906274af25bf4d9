"""Who sees what: a hidden resource answers as one that does not exist, everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from tests.record import EAST, WEST, Record, open_record, patient, weight
from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.engines.security import InstallationSecrets
from xinglin.engines.store import Cursor, Delete, HistoryQuery, Put


@pytest.fixture(scope="module", autouse=True)
async def two_residents(record: Record) -> None:
    """One resident in the east with two source records, one in the west, one nobody has linked, a household across both."""
    outcomes = await record.put(
        patient("e1", identifier=[{"system": "s", "value": "1"}]), patient("e2"), patient("w1", identifier=[{"system": "s", "value": "2"}]),
        patient("free"), weight("we1", "e1", 70, "2026-01-01"), weight("we2", "e2", 71, "2026-02-01"), weight("ww1", "w1", 80, "2026-03-01"),
        {"resourceType": "Organization", "id": "org", "name": "镇卫生院"},
        {"resourceType": "Group", "id": "home", "type": "person", "actual": True, "member": [{"entity": {"reference": "Patient/e1"}}, {"entity": {"reference": "Patient/w1"}}]},
        {"resourceType": "Group", "id": "home-e", "type": "person", "actual": True, "member": [{"entity": {"reference": "Patient/e1"}}]},
    )  # fmt: skip
    await record.settle(1001, outcomes[0].rid, EAST[0] + 1)
    await record.settle(1001, outcomes[1].rid, EAST[0] + 1)
    await record.settle(1002, outcomes[2].rid, WEST[0] + 1)


async def test_each_doctor_sees_the_residents_of_the_own_town_and_what_is_about_nobody(record: Record) -> None:
    assert sorted(await record.found("Patient", scope=record.east)) == ["e1", "e2"]
    assert await record.found("Patient", scope=record.west) == ["w1"]
    assert await record.found("Organization", scope=record.west) == ["org"]
    assert sorted(await record.found("Patient", scope=record.steward)) == ["e1", "e2", "free", "w1"]


async def test_a_hidden_resource_answers_as_one_that_is_not_there(record: Record) -> None:
    with pytest.raises(NotFoundError) as hidden:
        await record.store.read(record.east, "Observation", "ww1")
    with pytest.raises(NotFoundError) as missing:
        await record.store.read(record.east, "Observation", "no-such")
    assert (
        (str(hidden.value), hidden.value.http_status)
        == (str(missing.value), missing.value.http_status)
        == ("Observation: there is no such resource", 404)
    )
    with pytest.raises(NotFoundError):
        await record.store.vread(record.east, "Observation", "ww1", 1)
    with pytest.raises(NotFoundError):
        await record.store.history(record.east, HistoryQuery("Observation", "ww1"))
    page = await record.store.search(record.east, "Observation", [("code", "29463-7"), ("_total", "accurate")])
    assert (page.total, sorted(entry.id for entry in page.entries)) == (2, ["we1", "we2"])
    count = await record.store.search(record.east, "Observation", [("_summary", "count")])
    assert count.total == 2


async def test_history_of_types_and_of_everything_shows_only_what_is_seen(record: Record) -> None:
    page = await record.store.history(record.east, HistoryQuery("Observation"))
    assert {entry.id for entry in page.entries} == {"we1", "we2"}
    page = await record.store.history(record.west, HistoryQuery())
    assert {entry.id for entry in page.entries} == {"w1", "ww1", "org"}


async def test_a_household_is_seen_by_who_may_see_all_its_members(record: Record) -> None:
    assert await record.found("Group", scope=record.east) == ["home-e"]
    assert await record.found("Group", scope=record.west) == []
    assert sorted(await record.found("Group", scope=record.steward)) == ["home", "home-e"]


async def test_what_is_about_somebody_unknown_is_for_the_steward_alone(record: Record) -> None:
    text = {"status": "final", "code": {"text": "x"}}
    unknown: list[dict[str, Any]] = [
        {"resourceType": "Observation", "id": "by-number", **text, "subject": {"identifier": {"system": "urn:oid:1", "value": "1"}}},
        {"resourceType": "Observation", "id": "elsewhere", **text, "subject": {"reference": "https://other.example/Patient/1"}},
        {
            "resourceType": "Observation",
            "id": "inside",
            **text,
            "contained": [{"resourceType": "Patient", "id": "p"}],
            "subject": {"reference": "#p"},
        },
        {"resourceType": "Bundle", "id": "sealed", "type": "collection", "entry": [{"resource": patient("any")}]},
        {"resourceType": "Binary", "id": "letter", "contentType": "text/plain", "data": "QQ=="},
    ]
    await record.put(*unknown, {"resourceType": "Observation", "id": "fridge", **text, "subject": {"reference": "Location/fridge"}})
    for body in unknown:
        assert await record.found(body["resourceType"], ("_id", body["id"]), scope=record.east) == [], body["id"]
        assert await record.found(body["resourceType"], ("_id", body["id"]), scope=record.steward) == [body["id"]]
    assert await record.found("Observation", ("_id", "fridge"), scope=record.east) == ["fridge"]


async def test_patient_means_the_whole_person(record: Record) -> None:
    assert await record.found("Observation", ("patient", "e2"), ("_sort", "-date"), scope=record.east) == ["we2", "we1"]
    assert await record.found("Observation", ("subject", "Patient/e1"), ("_sort", "date"), scope=record.east) == ["we1", "we2"]
    assert await record.found("Observation", ("patient", "w1"), scope=record.east) == []
    bodies = await record.store.person_bodies(record.east, 1001, ["Observation"])
    assert [entry.id for entry in bodies] == ["we2", "we1"]
    with pytest.raises(NotFoundError):
        await record.store.person_bodies(record.east, 1002, [])


async def test_a_writer_cannot_change_what_it_cannot_see(record: Record) -> None:
    outcomes = await record.write(
        Put("Observation", "ww1", weight("ww1", "e1", 99, "2026-03-01")), Delete("Patient", "w1"), scope=record.east
    )
    assert [outcome.status for outcome in outcomes] == ["refused", "refused"]
    assert all(isinstance(outcome.error, NotFoundError) for outcome in outcomes)
    assert (await record.store.read(record.house, "Observation", "ww1")).version == 1


async def test_a_writer_cannot_write_about_a_patient_it_cannot_see_nor_learn_that_there_is_one(record: Record) -> None:
    [hidden] = await record.put(weight("about-hidden", "w1", 70, "2026-01-01"), scope=record.east)
    [missing] = await record.put(weight("about-missing", "nobody", 70, "2026-01-01"), scope=record.east)
    assert isinstance(hidden.error, IncorrectError) and str(hidden.error) == str(missing.error)
    outcomes = await record.put(
        patient("new"), weight("about-new", "new", 70, "2026-01-01"), weight("about-own", "e1", 70, "2026-01-05"), scope=record.east
    )
    assert [outcome.status for outcome in outcomes] == ["created", "created", "created"]
    await record.write(Delete("Observation", "about-own"), scope=record.east)


@pytest.mark.parametrize("hidden", [0, 1, 3])
async def test_of_many_changes_only_those_of_hidden_records_are_refused(record: Record, hidden: int) -> None:
    """So many that they are made ready ahead of the write, before anybody knows what the writer may not see."""
    theirs = [patient(f"theirs-{hidden}-{n}") for n in range(hidden)]
    for number, each in enumerate(await record.put(*theirs)):
        await record.settle(7700 + 10 * hidden + number, each.rid, 420999102001)
    changes = [*(patient(f"many-{hidden}-{n}") for n in range(150)), *(each | {"language": "zh"} for each in theirs)]
    outcomes = await record.put(*changes, scope=record.east)
    assert [each.status for each in outcomes] == ["created"] * 150 + ["refused"] * hidden
    for each in theirs:
        assert b'"language"' not in (await record.store.read(record.house, "Patient", each["id"])).body


async def test_a_condition_sees_no_further_than_its_writer(record: Record) -> None:
    async with record.database.transaction() as connection:
        assert await record.store.match(connection, record.east, "Patient", [("identifier", "s|2")]) == []
        assert [found.id for found in await record.store.match(connection, record.west, "Patient", [("identifier", "s|2")])] == ["w1"]


async def test_a_deleted_resource_is_gone_for_who_saw_it_and_never_was_for_others(record: Record) -> None:
    await record.put(weight("brief", "e1", 70, "2026-04-01"))
    await record.write(Delete("Observation", "brief"))
    with pytest.raises(NotFoundError) as gone:
        await record.store.read(record.east, "Observation", "brief")
    with pytest.raises(NotFoundError) as never:
        await record.store.read(record.west, "Observation", "brief")
    assert (gone.value.http_status, never.value.http_status) == (410, 404)


async def test_a_person_who_moves_is_seen_where_she_lives_now(record: Record) -> None:
    [outcome] = await record.put(patient("mover"))
    await record.settle(1003, outcome.rid, EAST[0] + 2)
    after = Cursor(await record.store.head())
    assert "mover" in await record.found("Patient", scope=record.east)
    await record.settle(1003, outcome.rid, WEST[0] + 2)
    assert "mover" not in await record.found("Patient", scope=record.east)
    assert "mover" in await record.found("Patient", scope=record.west)
    entries = await record.store.feed(after, 10)
    assert [(entry.kind, entry.ver, entry.person, entry.area) for entry in entries] == [
        ("scope", 0, 1003, None),
        ("scope", 1, 1003, WEST[0] + 2),
    ]
    await record.settle(1003, outcome.rid, WEST[0] + 2)
    assert await record.store.head() == entries[-1].seq


async def test_every_access_is_audited_with_what_was_handed_out(record: Record) -> None:
    record.audit.entries.clear()
    page = await record.store.search(record.east, "Observation", [("patient", "e1")])
    with pytest.raises(NotFoundError):
        await record.store.read(record.east, "Observation", "ww1")
    search, read = record.audit.entries
    assert (search.action, search.subject_type, sorted(search.rids)) == (
        "search",
        "Observation",
        sorted(entry.rid for entry in page.entries),
    )
    assert (read.action, read.outcome, list(read.rids)) == ("read", "refused", [])


async def test_what_is_masked_is_neither_served_nor_asked_for(database_url: str, secrets: InstallationSecrets) -> None:
    masks = {"responsible_doctor": {"Patient": frozenset({"identifier", "telecom"})}}
    async with open_record(database_url, secrets, masks=masks) as record:
        body = (await record.store.read(record.east, "Patient", "e1")).body
        assert b"identifier" not in body and b'"id":"e1"' in body
        assert b"identifier" in (await record.store.read(record.steward, "Patient", "e1")).body
        for query in (("identifier", "s|1"), ("_sort", "phone"), ("phone", "1"), ("identifier:missing", "false")):
            with pytest.raises(IncorrectError):
                await record.store.search(record.east, "Patient", [query])
        assert await record.found("Patient", ("identifier", "s|1"), scope=record.steward) == ["e1"]
