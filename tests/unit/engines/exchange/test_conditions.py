"""Conditional entries of messages, and entries that wait: what they asked for stays with them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
import pytest

from tests.district import EAST, HIS, WEST, open_district, resident, scope_of, send
from xinglin.assembly import Platform
from xinglin.base.errors import IncorrectError
from xinglin.engines.exchange import OWN_API, Entry, ImportOptions, Receipt, State, Submission, read_message

ID_CARD = "urn:oid:2.16.156.10011.1.3"


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as found:
        await found.exchange.ledger.source("other-his", name="另一系统")
        yield found


async def take(platform: Platform, name: str, *entries: Entry, source: str = HIS, atomic: bool = True) -> Receipt:
    message = Submission(source, name, name.encode(), entries, atomic=atomic)
    return await platform.exchange.submit(platform.security.system_scope(), message)


def urn(own: str) -> str:
    return f"urn:uuid:{uuid5(NAMESPACE_URL, own)}"


def device(own: str, value: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Device", "id": own, "identifier": [{"system": "urn:maker", "value": value}], **more}


def created(own: str, value: str) -> Entry:
    return Entry(device(own, value), urn(own), "POST", None, f"identifier=urn:maker|{value}")


def measured(own: str, device_name: str) -> Entry:
    metric = {
        "resourceType": "DeviceMetric", "id": own, "category": "measurement", "type": {"text": "x"}, "source": {"reference": device_name}
    }  # fmt: skip
    return Entry(metric)


async def body_of(platform: Platform, rtype: str, own_id: str) -> dict[str, Any]:
    found = await platform.store.read(platform.security.system_scope(), rtype, own_id)
    body: dict[str, Any] = orjson.loads(found.body)
    return body


async def test_a_conditional_create_that_fits_means_what_is_there_and_references_follow(platform: Platform) -> None:
    first = await take(platform, "c1", created("d1", "A"))
    again = await take(platform, "c2", created("d2", "A"), measured("m1", urn("d2")))
    assert not first.problems and not again.problems
    one, two = first.outcomes[0], again.outcomes[0]
    assert one and two and one.rid == two.rid and two.status == "unchanged"
    assert (again.state, again.stored, again.unchanged) == (State.STORED, 1, 1)
    metric = again.outcomes[1]
    assert metric and (await body_of(platform, "DeviceMetric", metric.id))["source"]["reference"] == f"Device/{one.id}"


async def test_a_conditional_create_that_fits_nothing_or_too_much(platform: Platform) -> None:
    await take(platform, "c3", Entry(device("d3", "B")), Entry(device("d4", "B")))
    for name, atomic, stored in (("c4", True, 0), ("c5", False, 1)):
        refused = await take(platform, name, created("d5", "B"), Entry(device(f"only-{name}", "C")), atomic=atomic)
        assert [problem.reason for problem in refused.problems] == ["conflict"] and refused.stored == stored
    fresh = await take(platform, "c6", created("d6", "D"))
    assert fresh.outcomes[0] and fresh.outcomes[0].status == "created"


async def test_two_senders_conditions_never_meet_but_institutions_do(platform: Platform) -> None:
    patient = resident(71, "周测", 420999101201, "E1")
    condition = f"identifier={ID_CARD}|{patient['identifier'][0]['value']}"
    ours = await take(platform, "p1", Entry(patient, None, "POST", None, condition))
    theirs = await take(platform, "p1", Entry(patient, None, "POST", None, condition), source="other-his")
    assert ours.outcomes[0] and theirs.outcomes[0] and ours.outcomes[0].rid != theirs.outcomes[0].rid
    assert set(ours.persons.values()) == set(theirs.persons.values())
    organization = {
        "resourceType": "Organization",
        "id": "x",
        "name": "x",
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.5", "value": "E1"}],
    }
    asked = Entry(organization, None, "POST", None, "identifier=urn:oid:2.16.156.10011.1.5|E1")
    met = await take(platform, "o1", asked, source="other-his")
    assert met.state is State.UNCHANGED and met.outcomes[0] and met.outcomes[0].status == "unchanged"


async def test_a_condition_sees_no_more_than_who_writes(platform: Platform) -> None:
    patient = resident(72, "周测", 420999101201, "E1")
    await send(platform, patient, source=OWN_API, message_id="seen")
    condition = f"identifier={ID_CARD}|{patient['identifier'][0]['value']}"
    entry = Entry({**resident(73, "郑测", 420999102201, "W1")}, "urn:uuid:00000000-0000-4000-8000-000000000073", "POST", 0, condition)
    message = Submission(OWN_API, "west", b"west", [entry])
    hidden = await platform.exchange.submit(scope_of(platform, "responsible_doctor", WEST), message)
    assert hidden.outcomes[0] and hidden.outcomes[0].status == "created"
    seen = await platform.exchange.submit(scope_of(platform, "responsible_doctor", EAST), Submission(OWN_API, "east", b"east", [entry]))
    assert seen.outcomes[0] and (seen.outcomes[0].id, seen.outcomes[0].status) == ("p72", "unchanged")


async def test_a_conditional_update_writes_what_is_there(platform: Platform) -> None:
    first = await take(platform, "u1", Entry(device("u1", "U")))
    entry = Entry(device("u2", "U", lotNumber="2"), urn("u2"), "PUT", None, "identifier=urn:maker|U")
    changed = await take(platform, "u2", entry)
    assert first.outcomes[0] and changed.outcomes[0]
    assert (changed.outcomes[0].id, changed.outcomes[0].status) == (first.outcomes[0].id, "updated")


@pytest.mark.parametrize("condition", ["", "no-such=1", "_count=1", "identifier"])
async def test_conditions_that_cannot_be_read(platform: Platform, condition: str) -> None:
    answer = await take(platform, f"bad-{condition}", Entry(device("bad", "bad"), None, "POST", None, condition))
    assert (answer.state is State.QUARANTINED) == bool(condition)


def test_the_condition_of_a_bundle_is_read() -> None:
    for method, request in (("POST", {"ifNoneExist": "identifier=a|b"}), ("PUT", {"url": "Device?identifier=a|b"})):
        entry = {"resource": device("d", "d"), "request": {"method": method, **request}}
        [read] = read_message(orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})).entries
        assert (read.method, read.if_none_exist) == (method, "identifier=a|b")


async def test_what_waits_keeps_digits_conditions_versions_and_deletions(platform: Platform) -> None:
    wrong = device("w1", "W", expirationDate="2026-02-31", extension=[{"url": "urn:x", "valueDecimal": Decimal("1.500")}])
    receipt = await take(platform, "w1", Entry(wrong, None, "POST", 3, "identifier=urn:maker|W"))
    [row] = await platform.exchange.ledger.waiting(None, receipt.message_no, 9)
    assert b'"valueDecimal":1.500' in row["body"]
    assert orjson.loads(row["body"])["request"] == {"method": "POST", "ifNoneExist": "identifier=urn:maker|W", "ifMatch": 'W/"3"'}


async def test_a_deletion_that_waits_is_replayed_as_a_deletion(platform: Platform) -> None:
    kept = await take(platform, "del-0", Entry(device("gone", "G")))
    own = kept.outcomes[0].id if kept.outcomes[0] else ""
    refused = await take(platform, "del-1", Entry(device("gone", "G"), "Device/gone", "DELETE", 7), atomic=False)
    assert refused.state is State.QUARANTINED
    [row] = await platform.exchange.ledger.waiting(None, refused.message_no, 9)
    repaired = orjson.dumps({**orjson.loads(row["body"]), "request": {"method": "DELETE", "url": "Device/gone"}})
    answer = await platform.exchange.replay(scope_of(platform, "steward"), row["quarantine_no"], repaired)
    assert answer.outcomes[0] and (answer.outcomes[0].id, answer.outcomes[0].status) == (own, "deleted")


async def test_a_replay_refused_once_passes_when_what_was_missing_has_come(platform: Platform) -> None:
    steward = scope_of(platform, "steward")
    early = {**resident(74, "周测", 420999101201, "E1"), "generalPractitioner": [{"reference": "urn:uuid:not-here"}]}
    receipt = await take(platform, "early", Entry(early))
    [row] = await platform.exchange.ledger.waiting(None, receipt.message_no, 9)
    repaired = orjson.dumps({"resource": {**early, "managingOrganization": {"reference": "Organization/E1"}}})
    first = await platform.exchange.replay(steward, row["quarantine_no"], repaired)
    second = await platform.exchange.replay(steward, row["quarantine_no"], repaired)
    assert first.state is second.state is State.QUARANTINED and not second.repeated and first.message_no != second.message_no
    for body in (b"[]", b"{", b'{"resource": []}', b'{"request": 1}'):
        with pytest.raises(IncorrectError):
            await platform.exchange.replay(steward, row["quarantine_no"], body)


async def test_one_resident_elsewhere_stops_neither_a_batch_nor_a_file(platform: Platform) -> None:
    clerk = scope_of(platform, "steward", EAST)
    own, foreign = resident(81, "冯测", 420999101201, "E1"), resident(82, "冯测二", 420999102201, "W1")
    batch = Submission(HIS, "both", b"both", [Entry(own), Entry(foreign)], kind="bundle", atomic=False)
    receipt = await platform.exchange.submit(clerk, batch)
    assert (receipt.state, receipt.stored, [problem.entry_no for problem in receipt.problems]) == (State.PARTLY, 1, [2])
    lines = b"\n".join(
        orjson.dumps(resident(n, f"陈测{n}", area, keeper)) for n, area, keeper in ((83, 420999101201, "E1"), (84, 420999102201, "W1"))
    )
    read = await platform.importer.import_content(clerk, ("both.ndjson", lines), ImportOptions(HIS))
    assert (read.state, read.stored, read.rejected) == (State.PARTLY, 1, 1)
