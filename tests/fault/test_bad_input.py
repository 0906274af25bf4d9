"""Whatever is sent gets an answer that says what to write instead, and stays in the ledger; what was repaired is sent again."""

from __future__ import annotations

import gzip
import html
import re
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from tests.district import HIS, id_number, open_district
from tests.http.signed_in import Person, people
from xinglin.assembly import Platform
from xinglin.base.errors import NotFoundError, place_words
from xinglin.base.ids import uuid7
from xinglin.engines.exchange import ImportOptions, State
from xinglin.engines.security import Scope
from xinglin.web.fhir import FhirDoors, fhir_routes

pytestmark = pytest.mark.fault


def patient(own_id: str, **elements: Any) -> dict[str, Any]:
    """Return a Patient, spoiled by what a case says."""
    return {"resourceType": "Patient", "id": own_id, "name": [{"text": "测试"}], "gender": "female", "birthDate": "1960-05-12", **elements}


def bundle(kind: str, *resources: dict[str, Any]) -> bytes:
    """Return a Bundle of updates."""
    entries = [
        {
            "fullUrl": f"https://his.invalid/fhir/Patient/{one['id']}",
            "resource": one,
            "request": {"method": "PUT", "url": f"Patient/{one['id']}"},
        }
        for one in resources
    ]
    return orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": entries})


def wrong_digit(serial: int) -> str:
    """Return an ID number whose check digit does not fit."""
    right = id_number(serial)
    return right[:-1] + ("0" if right[-1] != "0" else "1")


@dataclass(frozen=True)
class Bad:
    """A bad file. reason: of the first problem.  where, says: in its place and its sentence.  stored, waiting: how many entries."""

    content: bytes
    reason: str
    where: str
    says: str
    stored: int = 0
    waiting: int = 1


IDENTIFIER = [{"system": "urn:oid:2.16.156.10011.1.3", "value": wrong_digit(500)}]
CASES = {
    "truncated.json.gz": Bad(gzip.compress(bundle("transaction", patient("z1")))[:-20], "unreadable", "", "完整传送"),
    "damaged.json.gz": Bad(b"\x1f\x8b\x08" + b"\0" * 40, "unreadable", "", "重新导出"),
    "one-bad-of-three.json": Bad(
        bundle("transaction", patient("t1"), patient("t2", gender="女"), patient("t3")), "invalid", "Patient.gender", "female, male", 0, 3
    ),
    "batch.json": Bad(bundle("batch", patient("k1"), patient("k2", gender="女")), "invalid", "Patient.gender", "female, male", 1),
    "unknown-element.json": Bad(orjson.dumps(patient("u1", visitDate="2026-01-01")), "invalid", "Patient.visitDate", "没有此元素"),
    "wrong-type.json": Bad(orjson.dumps(patient("w1", name="张三")), "invalid", "Patient.name", "数组"),
    "ten-megabytes.json": Bad(orjson.dumps(patient("l1", name=[{"text": "长" * 3_500_000}])), "invalid", "Patient.name[0].text", "1 MiB"),
    "same-id-twice.json": Bad(bundle("transaction", patient("d1"), patient("d1")), "duplicate", "Patient.id", "只保留一个", 0, 2),
    "same-id-twice.ndjson": Bad(b"\n".join(orjson.dumps(patient("d2")) for _ in range(2)), "duplicate", "Patient.id", "只保留一个", 1),
    "31-february.json": Bad(orjson.dumps(patient("f1", birthDate="1962-02-31")), "invalid", "Patient.birthDate", "没有这一天"),
    "gb18030.json": Bad(orjson.dumps(patient("g1")).decode().encode("gb18030"), "encoding", "byte 54", "UTF-8"),
    "empty.json": Bad(b"", "empty", "", "空的"),
    "blank.ndjson": Bad(b"\n \n", "empty", "", "空的"),
    "letter.docx": Bad(b"PK\x03\x04" + b"\0" * 300, "not_fhir", "", "FHIR JSON"),
    "scan.pdf": Bad(b"%PDF-1.7 ...", "not_fhir", "", "PDF"),
    "cut-line.ndjson": Bad(orjson.dumps(patient("n1")) + b"\n" + orjson.dumps(patient("n2"))[:40], "unreadable", "line 2", "JSON", 1),
    "no-id.json": Bad(orjson.dumps({"resourceType": "Patient", "gender": "male"}), "invalid", "Patient.id", "标识"),
    "no-such-type.json": Bad(orjson.dumps({"resourceType": "Visit", "id": "1"}), "not_fhir", "resourceType", "没有这种"),
    "lost-reference.json": Bad(
        orjson.dumps(
            {
                "resourceType": "Basic",
                "id": "b",
                "code": {"text": "x"},
                "subject": {"reference": "urn:uuid:0b1d2c3e-0000-4000-8000-000000000002"},
            }
        ),
        *("reference", "Basic.subject.reference", "一并发送"),
    ),
}


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("data")) as opened:
        yield opened


async def ledger_of(platform: Platform, message_id: str) -> dict[str, Any]:
    async with platform.database.connection() as connection:
        row = await connection.fetchrow("select * from message where message_id = $1", message_id)
        waiting = await connection.fetchval("select count(*) from quarantine where message_no = $1", row["message_no"])
    return {**dict(row), "waiting": waiting}


@pytest.mark.parametrize("name", CASES)
async def test_a_bad_file_is_answered_kept_and_answered_alike_again(platform: Platform, tmp_path: Path, name: str) -> None:
    bad, house = CASES[name], platform.security.system_scope()
    (tmp_path / name).write_bytes(bad.content)
    (tmp_path / "good.json").write_bytes(orjson.dumps(patient(f"good-{list(CASES).index(name)}")))
    report = await platform.importer.import_path(house, tmp_path, ImportOptions(HIS))
    assert report.files == 2 and report.stored == bad.stored + 1, "a bad file never stops the good one beside it"
    told = [problem for file, problem in report.problems if file == name]
    assert (told[0].reason, bad.where in told[0].path, bad.says in told[0].zh) == (bad.reason, True, True), told[0]
    assert told[0].en and "测试" not in told[0].zh, "in English too, and no value of the record"

    kept = await ledger_of(platform, name)
    assert (kept["stored"], kept["waiting"] > 0, kept["rejected"]) == (bad.stored, True, bad.waiting)
    assert kept["state"] == (State.PARTLY if bad.stored else State.QUARANTINED)
    assert await platform.exchange.ledger.content(kept["message_no"]) == bad.content, "as it was received"
    again = await platform.importer.import_path(house, tmp_path, ImportOptions(HIS))
    assert (again.repeated, again.stored, again.unchanged) == (2, 0, 0)
    assert [problem for file, problem in again.problems if file == name][:1] == told[:1], "and it is told again why"


async def test_of_a_file_that_is_wrong_from_end_to_end_only_so_much_is_told_and_all_is_kept(platform: Platform) -> None:
    lines = b"\n".join(b"{broken %d" % number for number in range(1_203))
    receipt = await platform.importer.import_content(platform.security.system_scope(), ("wrong.ndjson", lines), ImportOptions(HIS))
    assert (receipt.rejected, len(receipt.problems)) == (1_203, 1_000)
    async with platform.database.connection() as connection:
        kept = "select count(*) from quarantine where message_no = $1 and state = 'open'"
        assert await connection.fetchval(kept, receipt.message_no) == 1_203


async def test_a_nul_sign_in_a_name_the_sender_gave_is_kept_aside_and_stops_no_other_line(platform: Platform) -> None:
    """A database holds no such sign; what bears it waits like any other bad line."""
    bad = [{"resourceType": "Pat\0ient", "id": "nul1"}, patient("nul2") | {"name": [{"text": "a\0b"}]}]
    lines = b"\n".join(orjson.dumps(each) for each in (*bad, patient("nul3")))
    scope = platform.security.system_scope()
    receipt = await platform.importer.import_content(scope, ("nul\0.ndjson", lines), ImportOptions(HIS))
    assert (receipt.state, receipt.stored, receipt.rejected) == (State.PARTLY, 1, 2)
    assert (await platform.importer.import_content(scope, ("nul\0.ndjson", lines), ImportOptions(HIS))).repeated
    entries = [{"fullUrl": "urn:x:\0", "resource": patient("nul4", birthDate="1960-02-31")}, {"fullUrl": "urn:y:\0", "resource": bad[0]}]
    bundle = orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})
    receipt = await platform.importer.import_content(scope, ("nul.json", bundle), ImportOptions(HIS))
    assert (receipt.state, receipt.rejected) == (State.QUARANTINED, 2)
    rows = await platform.exchange.ledger.waiting(None, receipt.message_no, 10)
    assert [orjson.loads(bytes(row["body"]))["fullUrl"] for row in rows] == ["urn:x:\0", "urn:y:\0"], "kept as it was sent"


async def test_a_search_for_what_no_database_holds_finds_nothing(platform: Platform) -> None:
    scope = platform.security.system_scope()
    assert (await platform.store.search(scope, "Patient", [("name", "\ud800")])).entries == ()
    assert await platform.residents.find(scope, "张\0三") == []
    with pytest.raises(NotFoundError):
        await platform.store.read(scope, "Patient", "p\0")


async def test_a_wrong_check_digit_is_stored_and_told(platform: Platform, tmp_path: Path) -> None:
    for name, content in (
        ("digit.json", orjson.dumps(patient("c1", identifier=IDENTIFIER))),
        ("digit.ndjson", orjson.dumps(patient("c2", identifier=IDENTIFIER))),
    ):
        (tmp_path / name).write_bytes(content)
    report = await platform.importer.import_path(platform.security.system_scope(), tmp_path, ImportOptions(HIS))
    assert (report.stored, report.rejected) == (2, 0)
    assert [(file, warning.path) for file, warning in report.warnings] == [
        ("digit.json", "Patient.identifier[0].value"),
        ("digit.ndjson", "Patient.identifier[0].value"),
    ]
    assert "校验码" in report.warnings[0][1].zh and wrong_digit(500) not in report.warnings[0][1].zh
    async with platform.database.connection() as connection:
        persons = await connection.fetchval(
            "select count(distinct l.person) from patient_key k join person_link l on l.patient = k.patient and l.to_seq is null"
            " where k.id_number_sent = $1 and k.id_number is null",
            wrong_digit(500),
        )
    assert persons >= 1, "the number stays as it was sent, for people to see"


@pytest.fixture(scope="module")
async def steward(platform: Platform) -> AsyncIterator[Person]:
    async with people(platform) as found:
        yield found["steward"]


SMALL = [name for name, bad in CASES.items() if len(bad.content) < 1024 * 1024]


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_bad_upload_is_answered_on_the_page_in_either_language(platform: Platform, steward: Person, language: str) -> None:
    steward.client.cookies.set("xinglin_language", language)
    files = [("files", (f"page-{name}", CASES[name].content)) for name in SMALL]
    answer = await steward.post("/exchange/import", {"source": HIS}, 200, files)
    rows = {found[0]: found[1] for found in re.findall(r'<td class="head"[^>]*>page-([^<]+)</td>(.*?)</tr>', answer.text, re.DOTALL)}
    assert set(rows) == set(SMALL)
    for name in SMALL:
        said = html.unescape(rows[name])
        assert place_words(CASES[name].where, language) in said and (language == "en" or CASES[name].says in said), (name, said)
        assert (await ledger_of(platform, f"page-{name}"))["waiting"] > 0
        assert language == "zh" or len(re.findall(r"<div>[^<]*[A-Za-z]{3}", rows[name])) > 0
    steward.client.cookies.delete("xinglin_language")


async def test_a_wrong_check_digit_is_told_on_the_page(steward: Person) -> None:
    files = [("files", ("page-digit.json", orjson.dumps(patient("c3", identifier=IDENTIFIER))))]
    answer = await steward.post("/exchange/import", {"source": HIS}, 200, files)
    assert "Patient.identifier[0].value: 身份证号的校验码不符" in html.unescape(answer.text)


@pytest.fixture(scope="module")
async def api(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    random = Random(1)

    async def scope_of(token: str) -> Scope:
        return platform.security.system_scope()

    doors = FhirDoors(
        platform.store, platform.exchange, platform.audit, scope_of, lambda: uuid7(platform.clock, random), platform.clock, "test"
    )
    transport = httpx.ASGITransport(Starlette(routes=fhir_routes(doors)), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers={"authorization": "Bearer house"}) as client:
        yield client


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith((".json", ".json.gz", ".docx", ".pdf"))])
async def test_a_bad_request_is_answered_by_an_outcome_that_names_the_place(platform: Platform, api: httpx.AsyncClient, name: str) -> None:
    bad = CASES[name]
    told = next((kind for kind in ("Visit", "Basic") if f'"{kind}"'.encode() in bad.content), "Patient")
    path = "/fhir/" if b'"Bundle"' in bad.content or name.endswith("gz") else f"/fhir/{told}"
    headers = {"content-type": "application/fhir+json", "accept-language": "en"} | (
        {"content-encoding": "gzip"} if name.endswith("gz") else {}
    )
    before = await count(platform)
    answer = await api.post(path, content=bad.content, headers=headers)
    if name == "no-id.json":
        assert answer.status_code == 201, "a create gets its id from us"
        return
    if name == "batch.json":
        statuses = [entry["response"]["status"][:3] for entry in answer.json()["entry"]]
        assert answer.status_code == 200 and statuses[0] in ("200", "201") and statuses[1].startswith("4")
        return
    assert 400 <= answer.status_code < 500, answer.text[:500]
    outcome = answer.json()
    assert bad.where not in ("Patient.gender", "Patient.visitDate", "Patient.birthDate") or bad.where in answer.text, "it names the place"
    assert outcome["resourceType"] == "OperationOutcome"
    issue = outcome["issue"][0]
    assert issue["severity"] == "error" and (issue.get("diagnostics") or issue["details"]["text"])
    assert await count(platform) == before, "nothing of it is stored"
    async with platform.database.connection() as connection:
        newest = await connection.fetchrow("select message_no, state from message order by message_no desc limit 1")
    assert newest["state"] == State.QUARANTINED, "and all of it is in the ledger"
    kept = await platform.exchange.ledger.content(newest["message_no"])
    assert kept in (bad.content, unpacked(bad.content))


def unpacked(content: bytes) -> bytes:
    """Return what is inside gzip, where it can be opened."""
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return content


async def count(platform: Platform) -> int:
    async with platform.database.connection() as connection:
        return int(await connection.fetchval("select count(*) from res"))


async def test_a_repaired_entry_is_sent_again_and_a_discarded_one_stays_in_the_ledger(platform: Platform) -> None:
    house = platform.security.system_scope()
    content = orjson.dumps(patient("r1", gender="女"))
    refused = await platform.importer.import_content(house, ("repair.json", content), ImportOptions(HIS))
    (row,) = await platform.exchange.ledger.waiting(None, refused.message_no, 10)
    still = await platform.exchange.replay(house, row["quarantine_no"])
    assert still.state is State.QUARANTINED, "as it was, it is refused again"
    rows = await platform.exchange.ledger.waiting(None, refused.message_no, 10)
    assert rows, "and goes on waiting"
    receipt = await platform.exchange.replay(house, rows[0]["quarantine_no"], orjson.dumps(patient("r1", gender="female")))
    assert receipt.state is State.STORED
    assert await platform.exchange.ledger.waiting(None, refused.message_no, 10) == []

    thrown = await platform.importer.import_content(house, ("throw.json", orjson.dumps(patient("r2", gender="?"))), ImportOptions(HIS))
    (row,) = await platform.exchange.ledger.waiting(None, thrown.message_no, 10)
    assert await platform.exchange.ledger.discard([row["quarantine_no"]], 0, "发错了") == 1
    assert await platform.exchange.ledger.content(thrown.message_no)
