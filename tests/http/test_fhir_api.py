"""FHIR over HTTP, through the real exchange and store."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from tests.record import EAST, MovingClock, Record, open_record, patient, weight
from xinglin.base.errors import ForbiddenError
from xinglin.base.ids import uuid7
from xinglin.engines.exchange import Blobs, Exchange, Ledger, Rooms
from xinglin.engines.identity import Register, Residents
from xinglin.engines.security import InstallationSecrets, Scope
from xinglin.web.fhir import FhirDoors, FhirLimits, fhir_routes

JSON = {"content-type": "application/fhir+json"}
Body = dict[str, Any]


@pytest.fixture(scope="module")
async def record(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    async with open_record(database_url, InstallationSecrets.load(tmp_path_factory.mktemp("secrets"))) as opened:
        yield opened


@pytest.fixture(scope="module")
async def api(record: Record, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    """A client that acts as the house unless a request says `as_`."""
    clock, random = MovingClock(), Random(1)
    rooms = Rooms(record.database, record.store, Residents(record.database, record.store), Register(), audit=record.audit)
    exchange = Exchange(rooms, Ledger(record.database, Blobs(Path(tmp_path_factory.mktemp("blobs"))), clock, 1))
    tokens = {"house": record.house, "east": record.east, "west": record.west, "steward": record.steward}

    async def scope_of(token: str) -> Scope:
        if token not in tokens:
            raise ForbiddenError("请先登录", "sign in first")
        return tokens[token]

    limits = FhirLimits(body_bytes=200_000, unpacked_bytes=400_000, depth=20)
    doors = FhirDoors(record.store, exchange, record.audit, scope_of, lambda: uuid7(clock, random), clock, "test", limits)
    transport = httpx.ASGITransport(Starlette(routes=fhir_routes(doors)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"authorization": "Bearer house"}) as client:
        yield client


def as_(who: str) -> dict[str, str]:
    """Return the header of another caller."""
    return {"authorization": f"Bearer {who}"}


async def test_metadata_names_only_what_can_be_asked(api: httpx.AsyncClient) -> None:
    statement = (await api.get("/fhir/metadata", headers={"authorization": ""})).json()
    rest = statement["rest"][0]
    observation = next(each for each in rest["resource"] if each["type"] == "Observation")
    named = [param["name"] for param in observation["searchParam"]]
    assert {"code", "date", "value-quantity", "patient", "_sort"} <= set(named)
    for name in named:
        if name.startswith("_") and name not in ("_id", "_lastUpdated", "_profile", "_tag", "_security", "_source"):
            continue
        answer = await api.get(f"/fhir/Observation?{name}:missing=true&_count=0")
        assert answer.status_code == 200, (name, answer.text)


async def test_nobody_reads_without_a_session(api: httpx.AsyncClient) -> None:
    for token in ("", "Bearer wrong", "Basic aGk6aGk="):
        answer = await api.get("/fhir/Patient", headers={"authorization": token})
        assert (answer.status_code, answer.json()["resourceType"]) == (401, "OperationOutcome")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_resource_lives_from_create_to_delete(api: httpx.AsyncClient) -> None:
    made = await api.post("/fhir/Patient", json={"resourceType": "Patient", "gender": "female"}, headers=JSON)
    assert made.status_code == 201 and made.headers["etag"] == 'W/"1"'
    own = made.json()["id"]
    assert made.headers["location"] == f"http://test/fhir/Patient/{own}/_history/1"
    read = await api.get(f"/fhir/Patient/{own}")
    assert read.headers["content-type"].startswith("application/fhir+json") and read.json() == made.json()
    assert (await api.get(f"/fhir/Patient/{own}", headers={"if-none-match": 'W/"1"'})).status_code == 304
    changed = await api.put(f"/fhir/Patient/{own}", json={**made.json(), "gender": "male"}, headers=JSON | {"if-match": 'W/"1"'})
    assert (changed.status_code, changed.json()["meta"]["versionId"]) == (200, "2")
    stale = await api.put(f"/fhir/Patient/{own}", json={**made.json(), "gender": "other"}, headers=JSON | {"if-match": 'W/"1"'})
    assert stale.status_code == 412
    assert (await api.get(f"/fhir/Patient/{own}/_history/1")).json()["gender"] == "female"
    assert (await api.delete(f"/fhir/Patient/{own}")).status_code == 204
    assert (await api.get(f"/fhir/Patient/{own}")).status_code == 410
    assert (await api.delete(f"/fhir/Patient/{own}")).status_code == 204
    history = (await api.get(f"/fhir/Patient/{own}/_history")).json()
    assert (history["type"], history["total"]) == ("history", 3)
    assert [entry["request"]["method"] for entry in history["entry"]] == ["DELETE", "PUT", "POST"]
    back = await api.put(f"/fhir/Patient/{own}", json={"resourceType": "Patient", "id": own}, headers=JSON)
    assert (back.status_code, back.json()["meta"]["versionId"]) == (201, "4")


async def test_every_write_has_a_row_in_the_ledger(api: httpx.AsyncClient, record: Record) -> None:
    made = await api.post("/fhir/Basic", json={"resourceType": "Basic", "code": {"text": "x"}}, headers=JSON)
    number = int(made.json()["meta"]["source"].removeprefix("urn:xinglin:message:"))
    async with record.database.connection() as connection:
        row = await connection.fetchrow("select state, kind, body from message where message_no = $1", number)
    assert (row["state"], row["kind"]) == ("stored", "rest") and b'"Basic"' in row["body"]


async def test_every_write_is_audited_once_with_what_it_wrote(api: httpx.AsyncClient, record: Record) -> None:
    body = {"resourceType": "Basic", "code": {"text": "x"}}
    entry = {"resource": body, "request": {"method": "POST", "url": "Basic"}}
    record.audit.entries.clear()
    await api.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}, headers=JSON)
    await api.post("/fhir/Basic", json={**body, "nonsense": 1}, headers=JSON)
    stored, refused = [each for each in record.audit.entries if each.action == "write"]
    assert (stored.outcome, stored.subject_type, len(stored.rids)) == ("done", "Basic", 2)
    assert (refused.outcome, list(refused.rids)) == ("refused", [])


async def test_creates_on_condition_that_race_make_one_resource(api: httpx.AsyncClient) -> None:
    body = {"resourceType": "Organization", "identifier": [{"system": "urn:t", "value": "race"}], "name": "一"}
    headers = JSON | {"if-none-exist": "identifier=urn:t|race"}
    answers = await asyncio.gather(*(api.post("/fhir/Organization", json=body, headers=headers) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_create_on_condition_happens_once(api: httpx.AsyncClient) -> None:
    body = {"resourceType": "Organization", "identifier": [{"system": "urn:t", "value": "only"}], "name": "一"}
    headers = JSON | {"if-none-exist": "identifier=urn:t|only"}
    first = await api.post("/fhir/Organization", json=body, headers=headers)
    second = await api.post("/fhir/Organization", json=body, headers=headers)
    assert (first.status_code, second.status_code, second.json()["id"]) == (201, 200, first.json()["id"])
    await api.post("/fhir/Organization", json=body, headers=JSON)
    assert (await api.post("/fhir/Organization", json=body, headers=headers)).status_code == 412


async def test_bundles_that_create_on_condition_at_once_make_one_resource_and_their_references_lead_to_it(api: httpx.AsyncClient) -> None:
    def sent(number: int) -> Body:
        house = {"resourceType": "Organization", "identifier": [{"system": "urn:t", "value": "raced"}], "name": str(number)}
        ward = {"resourceType": "Location", "name": "病区", "managingOrganization": {"reference": "urn:uuid:made"}}
        entries = [
            {
                "fullUrl": "urn:uuid:made",
                "resource": house,
                "request": {"method": "POST", "url": "Organization", "ifNoneExist": "identifier=urn:t|raced"},
            },
            {"resource": ward, "request": {"method": "POST", "url": "Location"}},
        ]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    answers = await asyncio.gather(*(api.post("/fhir", json=sent(number), headers=JSON) for number in range(6)))
    told = [answer.json()["entry"] for answer in answers]
    assert sorted(one[0]["response"]["status"] for one in told) == ["200 OK"] * 5 + ["201 Created"]
    (house,) = {one[0]["response"]["location"].split("/_history")[0].split("/fhir/")[1] for one in told}
    assert (await api.get(f"/fhir/Location?organization={house}&_summary=count")).json()["total"] == 6
    assert (await api.get("/fhir/Organization?identifier=urn:t|raced&_summary=count")).json()["total"] == 1


async def test_two_entries_of_one_bundle_on_one_condition_are_refused(api: httpx.AsyncClient) -> None:
    entry = {
        "resource": {"resourceType": "Organization", "name": "一", "identifier": [{"system": "urn:t", "value": "both"}]},
        "request": {"method": "POST", "url": "Organization", "ifNoneExist": "identifier=urn:t|both"},
    }
    refused = await api.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}, headers=JSON)
    assert refused.status_code == 422 and "entry[1]" in refused.json()["issue"][0]["diagnostics"]
    assert (await api.get("/fhir/Organization?identifier=urn:t|both&_summary=count")).json()["total"] == 0


async def test_two_entries_of_one_full_url_are_refused_and_a_batch_keeps_the_first(api: httpx.AsyncClient) -> None:
    entry = {
        "fullUrl": "urn:uuid:00000000-0000-4000-8000-00000000d0d0",
        "resource": {"resourceType": "Basic", "code": {"text": "twice"}},
        "request": {"method": "POST", "url": "Basic"},
    }
    refused = await api.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]}, headers=JSON)
    assert refused.status_code == 400 and "entry[1] fullUrl" in refused.json()["issue"][0]["diagnostics"]
    kept = await api.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": [entry, entry]}, headers=JSON)
    assert [one["response"]["status"] for one in kept.json()["entry"]] == ["201 Created", "400"]


async def test_updates_on_condition_that_race_write_one_resource(api: httpx.AsyncClient) -> None:
    body = {"resourceType": "Location", "identifier": [{"system": "urn:t", "value": "raced-room"}], "name": "诊室"}
    answers = await asyncio.gather(*(api.put("/fhir/Location?identifier=urn:t|raced-room", json=body, headers=JSON) for _ in range(4)))
    assert len({answer.json()["id"] for answer in answers}) == 1 and sorted(one.status_code for one in answers) == [200, 200, 200, 201]


async def test_what_is_stored_and_should_be_looked_at_is_told(api: httpx.AsyncClient) -> None:
    wrong = {"resourceType": "Patient", "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "420999196005120012"}]}
    asked = JSON | {"prefer": "return=OperationOutcome", "accept-language": "en"}
    alone = (await api.post("/fhir/Patient", json=wrong, headers=asked)).json()
    issue = alone["issue"][0]
    assert (issue["severity"], issue["expression"]) == ("warning", ["Patient.identifier[0].value"]) and "check digit" in issue[
        "diagnostics"
    ]
    good = {"resource": {"resourceType": "Basic", "code": {"text": "x"}}, "request": {"method": "POST", "url": "Basic"}}
    entries = [good, {"resource": wrong, "request": {"method": "POST", "url": "Patient"}}]
    first, second = (await api.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries}, headers=JSON)).json()[
        "entry"
    ]
    assert "outcome" not in first["response"] and "校验码" in second["response"]["outcome"]["issue"][0]["diagnostics"]
    told = (await api.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries[:1]}, headers=asked)).json()["entry"][
        0
    ]
    assert told["response"]["outcome"]["issue"][0]["severity"] == "information"


async def test_updates_and_deletes_on_condition(api: httpx.AsyncClient) -> None:
    body = {"resourceType": "Location", "identifier": [{"system": "urn:t", "value": "room"}], "name": "诊室"}
    made = await api.put("/fhir/Location?identifier=urn:t|room", json=body, headers=JSON)
    changed = await api.put("/fhir/Location?identifier=urn:t|room", json={**body, "name": "二诊室"}, headers=JSON)
    assert (made.status_code, changed.status_code, changed.json()["id"]) == (201, 200, made.json()["id"])
    assert (await api.put("/fhir/Location", json=body, headers=JSON)).status_code == 400
    assert (await api.delete("/fhir/Location?identifier=urn:t|room")).status_code == 204
    assert (await api.delete("/fhir/Location?identifier=urn:t|room")).status_code == 404


async def test_a_condition_that_everything_fits_deletes_nothing(api: httpx.AsyncClient) -> None:
    body = {"resourceType": "HealthcareService", "name": "one of its kind"}
    assert (await api.post("/fhir/HealthcareService", json=body, headers=JSON)).status_code == 201
    for address in ("HealthcareService", "HealthcareService?"):
        entry = {"request": {"method": "DELETE", "url": address}}
        answer = await api.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]}, headers=JSON)
        assert answer.status_code == 400, answer.text
    assert (await api.get("/fhir/HealthcareService?_summary=count")).json()["total"] == 1


async def test_prefer_decides_what_comes_back(api: httpx.AsyncClient) -> None:
    body = {"resourceType": "Basic", "code": {"text": "p"}}
    minimal = await api.post("/fhir/Basic", json=body, headers=JSON | {"prefer": "return=minimal"})
    assert (minimal.status_code, minimal.content) == (201, b"") and "/Basic/" in minimal.headers["location"]
    told = await api.post("/fhir/Basic", json=body, headers=JSON | {"prefer": "return=OperationOutcome"})
    assert told.json()["resourceType"] == "OperationOutcome"


async def test_a_search_pages_to_the_end_and_counts_exactly(api: httpx.AsyncClient) -> None:
    for number in range(7):
        await api.put(f"/fhir/Device/d{number}", json={"resourceType": "Device", "id": f"d{number}", "lotNumber": "L"}, headers=JSON)
    seen: list[str] = []
    url = "/fhir/Device?_count=3"
    while url:
        page = (await api.get(url)).json()
        assert page["total"] == 7
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert len(seen) == len(set(seen)) == 7
    posted = await api.post("/fhir/Device/_search", data={"_count": "2"})
    assert len(posted.json()["entry"]) == 2
    counted = (await api.get("/fhir/Device?_summary=count")).json()
    assert counted["total"] == 7 and "entry" not in counted


async def test_a_page_marker_of_another_search_is_refused(api: httpx.AsyncClient) -> None:
    page = (await api.get("/fhir/Device?_count=3")).json()
    marker = next(link["url"] for link in page["link"] if link["relation"] == "next").partition("_cursor=")[2]
    assert (await api.get(f"/fhir/Device?_count=3&status=active&_cursor={marker}")).status_code == 400


async def test_an_unknown_parameter_is_named_with_the_known_ones_unless_one_is_lenient(api: httpx.AsyncClient) -> None:
    refused = await api.get("/fhir/Patient?favourite=blue", headers={"accept-language": "en"})
    words = refused.json()["issue"][0]["diagnostics"]
    assert refused.status_code == 400 and words.startswith("favourite:") and "birthdate" in words
    lenient = await api.get("/fhir/Patient?favourite=blue", headers={"prefer": "handling=lenient"})
    assert lenient.status_code == 200
    for query in (
        "birthdate=yesterday",
        "_sort=gender",
        "_count=-1",
        "name:fuzzy=a",
        "subject.name=a",
        "_total=estimate",
        "gender=",
        "_include=x",
    ):
        assert (await api.get(f"/fhir/Patient?{query}")).status_code == 400, query


async def test_a_transaction_stores_all_with_its_references_or_nothing(api: httpx.AsyncClient) -> None:
    def entry(resource: Body, url: str, full_url: str | None = None) -> Body:
        return {"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": url}}

    mother = {"resourceType": "Patient", "gender": "female"}
    reading = {key: value for key, value in weight("x", "x", 60, "2026-05-01").items() if key != "id"}
    reading["subject"] = {"reference": "urn:uuid:11111111-1111-4111-8111-111111111111"}
    entries = [entry(mother, "Patient", "urn:uuid:11111111-1111-4111-8111-111111111111"), entry(reading, "Observation")]
    entries.append({"request": {"method": "GET", "url": "Observation?code=29463-7&date=2026-05-01"}})
    answer = await api.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": entries}, headers=JSON)
    assert answer.status_code == 200, answer.text
    made = answer.json()["entry"]
    assert [each["response"]["status"] for each in made] == ["201 Created", "201 Created", "200 OK"]
    own = made[0]["response"]["location"].split("/")[-3]
    assert made[2]["resource"]["entry"][0]["resource"]["subject"]["reference"] == f"Patient/{own}"
    before = (await api.get("/fhir/Observation?_summary=count")).json()["total"]
    entries[1] = entry({**reading, "status": "no such status"}, "Observation")
    refused = await api.post("/fhir/", json={"resourceType": "Bundle", "type": "transaction", "entry": entries[:2]}, headers=JSON)
    assert refused.status_code == 422 and "entry[1]" in refused.json()["issue"][0]["diagnostics"]
    assert (await api.get("/fhir/Observation?_summary=count")).json()["total"] == before


async def test_a_batch_keeps_the_good_ones(api: httpx.AsyncClient) -> None:
    good = {"resourceType": "Basic", "code": {"text": "good"}}
    entries = [
        {"resource": good, "request": {"method": "POST", "url": "Basic"}},
        {"resource": {"resourceType": "Basic", "nonsense": 1}, "request": {"method": "POST", "url": "Basic"}},
        {"request": {"method": "GET", "url": "Patient/none"}},
        {"request": {"method": "PATCH", "url": "Patient/none"}},
        {"resource": good},
        {"request": {"method": "DELETE", "url": "Basic/none"}},
    ]
    answer = await api.post("/fhir", json={"resourceType": "Bundle", "type": "batch", "entry": entries}, headers=JSON)
    assert [each["response"]["status"] for each in answer.json()["entry"]] == ["201 Created", "422", "404", "501", "400", "404"]


async def test_bad_input_gets_an_answer_that_says_what_to_write(api: httpx.AsyncClient) -> None:
    good = json.dumps(patient("x", name=[{"text": "王小丽"}]), ensure_ascii=False)
    cases: list[tuple[int, bytes, dict[str, str], str]] = [
        (400, good.encode("gb18030"), JSON, "UTF-8"),
        (400, good.encode()[:-5], JSON, "cut off"),
        (400, gzip.compress(good.encode())[:-9], JSON | {"content-encoding": "gzip"}, "gzip"),
        (415, good.encode(), {"content-type": "application/fhir+xml"}, "application/fhir+json"),
        (415, good.encode(), JSON | {"content-encoding": "br"}, "gzip"),
        (400, good.encode(), {"content-type": "application/fhir+json; charset=gbk"}, "UTF-8"),
        (413, b'"' + b"x" * 300_000 + b'"', JSON, "MB"),
        (413, gzip.compress(b" " * 5_000_000), JSON | {"content-encoding": "gzip"}, "MB"),
        (400, b'{"resourceType":"Patient","extension":' + b"[" * 30 + b"]" * 30 + b"}", JSON, "nested"),
        (400, b"[1]", JSON, "a resource"),
        (400, b"", JSON, "JSON"),
        (400, b'{"resourceType":"Group"}', JSON, "resourceType"),
        (422, b'{"resourceType":"Patient","gender":"f"}', JSON, "gender"),
    ]
    for status, content, headers, words in cases:
        answer = await api.post("/fhir/Patient", content=content, headers=headers | {"accept-language": "en"})
        assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome"), (content[:40], answer.text)
        assert words in answer.json()["issue"][0]["diagnostics"], answer.text
    packed = await api.post("/fhir/Patient", content=gzip.compress(good.encode()), headers=JSON | {"content-encoding": "gzip"})
    assert packed.status_code == 201 and packed.json()["name"][0]["text"] == "王小丽"


async def test_what_is_refused_as_a_whole_is_in_the_ledger_once_and_in_the_audit_log(api: httpx.AsyncClient, record: Record) -> None:
    async def kept() -> list[Any]:
        async with record.database.connection() as connection:
            return await connection.fetch(
                "select m.message_no, m.state, m.body, q.reason from message m join quarantine q using (message_no)"
                " where m.message_id like 'refused-%' order by m.message_no"
            )

    no_method = b'{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic"}}]}'
    only_bad = b'{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"DELETE","url":"Basic/no-such"}}]}'
    cases = (
        (b"PK\x03\x04 word", 400, "not_fhir"),
        (b"", 400, "empty"),
        ('{"resourceType":"Patient","x":"王"}'.encode("gb18030"), 400, "encoding"),
        (b'{"resourceType":"Pat', 400, "unreadable"),
        (b'{"resourceType":"Basic"}', 400, "invalid"),
        (no_method, 400, "invalid"),
        (only_bad, 200, "invalid"),
    )
    before = len(await kept())
    for place, (content, status, reason) in enumerate(cases, 1):
        path = "/fhir" if b"Bundle" in content else "/fhir/Patient"
        for _ in range(2):
            record.audit.entries.clear()
            assert (await api.post(path, content=content, headers=JSON)).status_code == status, content
            written = [entry for entry in record.audit.entries if entry.action == "write"]
            assert [entry.outcome for entry in written] == ["refused"]
        rows = await kept()
        assert len(rows) <= before + place and any((bytes(row["body"]), row["reason"]) == (content, reason) for row in rows), content


async def test_only_json_is_spoken_and_unknown_addresses_are_told(api: httpx.AsyncClient) -> None:
    assert (await api.get("/fhir/Patient?_format=xml")).status_code == 406
    assert (await api.get("/fhir/Patient", headers={"accept": "application/fhir+xml"})).status_code == 406
    assert (await api.get("/fhir/Patient?_format=application/fhir+json")).status_code == 200
    for path in ("/fhir/Klingon", "/fhir/Klingon/1", "/fhir/a/b/c/d/e"):
        answer = await api.get(path)
        assert (answer.status_code, answer.json()["resourceType"]) == (404, "OperationOutcome")
    assert (await api.request("PATCH", "/fhir/Patient/1")).status_code == 405


async def test_a_decimal_keeps_its_digits_and_a_refused_one_is_kept_too(api: httpx.AsyncClient) -> None:
    body = json.dumps(weight("digits", "nobody", 7, "2026-01-01")).replace('"value": 7', '"value": 70.50')
    made = await api.put("/fhir/Observation/digits", content=body, headers=JSON)
    assert made.status_code == 201 and '"value":70.50' in made.text
    assert (await api.put("/fhir/Observation/digits", content=body.replace("final", "wrong"), headers=JSON)).status_code == 422


@pytest.fixture(scope="module")
async def resident(api: httpx.AsyncClient, record: Record) -> None:
    outcomes = await record.put(
        patient("hers", identifier=[{"system": "urn:t", "value": "hers"}]), weight("hers-w", "hers", 70, "2026-06-01")
    )
    await record.settle(2001, outcomes[0].rid, EAST[0] + 5)


async def test_a_resident_is_there_for_her_own_doctor(resident: None, api: httpx.AsyncClient) -> None:
    assert (await api.get("/fhir/Patient/hers", headers=as_("east"))).status_code == 200
    found = (await api.get("/fhir/Patient?identifier=urn:t|hers", headers=as_("east"))).json()
    assert found["total"] == 1


async def test_for_a_neighbouring_doctor_reads_and_searches_answer_as_for_nobody(resident: None, api: httpx.AsyncClient) -> None:
    for path in (
        "Patient/{}",
        "Patient/{}/_history",
        "Patient/{}/_history/1",
        "Patient?identifier=urn:t|{}",
        "Observation?patient={}&_total=accurate",
    ):
        hidden = await api.get("/fhir/" + path.format("hers"), headers=as_("west"))
        missing = await api.get("/fhir/" + path.format("none"), headers=as_("west"))
        assert hidden.status_code == missing.status_code
        assert hidden.text.replace("hers", "none") == missing.text


async def test_for_a_neighbouring_doctor_writes_answer_as_for_nobody(resident: None, api: httpx.AsyncClient, record: Record) -> None:
    def shape(answer: httpx.Response) -> tuple[int, list[str]]:
        return answer.status_code, sorted(answer.headers)

    refusals = []
    for who in ("hers", "none"):
        basic = {"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "subject": {"reference": f"Patient/{who}"}}
        refusals.append(await api.put("/fhir/Basic/b", json=basic, headers=JSON | as_("west")))
    assert refusals[0].status_code == refusals[1].status_code == 422 and refusals[0].text == refusals[1].text
    deletes = [await api.delete(f"/fhir/Patient/{who}", headers=as_("west")) for who in ("hers", "none")]
    assert deletes[0].status_code == deletes[1].status_code == 404 and deletes[0].text == deletes[1].text
    taken = await api.put("/fhir/Observation/hers-w", json={"resourceType": "Observation", "id": "hers-w", "status": "final", "code": {"text": "x"}}, headers=JSON | as_("west"))  # fmt: skip
    free = await api.put("/fhir/Observation/free-w", json={"resourceType": "Observation", "id": "free-w", "status": "final", "code": {"text": "x"}}, headers=JSON | as_("west"))  # fmt: skip
    assert shape(taken) == shape(free) and taken.status_code == 201
    assert taken.json()["id"] != "hers-w" and free.json()["id"] != "free-w"
    assert (await record.store.read(record.house, "Observation", "hers-w")).version == 1
    again = await api.put("/fhir/Observation/hers-w", json={"resourceType": "Observation", "id": "hers-w", "status": "final", "code": {"text": "y"}}, headers=JSON | as_("west"))  # fmt: skip
    assert (again.status_code, again.json()["id"]) == (200, taken.json()["id"])


async def test_for_a_neighbouring_doctor_conditions_answer_as_for_nobody(resident: None, api: httpx.AsyncClient) -> None:
    deletes = [await api.delete(f"/fhir/Patient?identifier=urn:t|{who}", headers=as_("west")) for who in ("hers", "none")]
    assert deletes[0].status_code == deletes[1].status_code == 404 and deletes[0].text == deletes[1].text
