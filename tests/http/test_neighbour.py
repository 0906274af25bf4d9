"""For a doctor of one township a resident of another does not exist: by page, search, count, export, write or the words of a refusal.

Every refused case is asked by two people: the doctor next door, and one who works where the resident lives.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import openpyxl
import pytest

from tests.district import id_number, open_district, resident, send
from tests.http.signed_in import Person, people

MET = id_number(9)
"""Of another resident of the west, whom no other test writes about."""
NAME, NUMBER = "赵测五", id_number(5)
ID_SYSTEM = "urn:oid:2.16.156.10011.1.3"


@dataclass(frozen=True)
class Neighbours:
    """The doctor of the east, one who works in the west, the steward, and the resident of the west: person and source record."""

    doctor: Person
    local: Person
    steward: Person
    person: int
    patient: str


@pytest.fixture(scope="module")
async def neighbours(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform, people(platform) as signed_in:
        await send(platform, resident(9, "钱测九", 420999102201, "W1"))
        local = signed_in["west_health"]
        person = int((await local.get(f"/residents/find?text={NUMBER}", 303)).headers["location"].rsplit("/", 1)[1])
        stored = await platform.store.person_bodies(platform.security.system_scope(), person, ("Patient",))
        yield Neighbours(signed_in["responsible_doctor"], local, signed_in["steward"], person, stored[0].id)


async def answer(who: Person, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    """Send a request with the form token a page of ours would send."""
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', (await who.client.get("/account")).text)
    assert token
    sent = {
        "x-form-token": token[1],
        "content-type": "application/fhir+json",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return await who.client.request(method, path, content=None if body is None else json.dumps(body), headers=sent)


def words(response: httpx.Response) -> str:
    """Return the words of a page without what changes from request to request: numbers in paths and tokens."""
    return re.sub(r"[0-9a-f]{64}|\d+", "", re.sub(r"<[^>]+>", " ", response.text))


@pytest.mark.parametrize("page", ["", "/followup/hypertension", "/followup", "/examination", "/sheet/hypertension", "/enrol", "/end"])
async def test_no_page_of_the_resident_is_there(neighbours: Neighbours, page: str) -> None:
    hidden = await neighbours.doctor.get(f"/residents/{neighbours.person}{page}", 404)
    nobody = await neighbours.doctor.get(f"/residents/987654{page}", 404)
    assert words(hidden) == words(nobody)
    own = await neighbours.doctor.client.get(f"/residents/1{page}")
    assert own.status_code != 404 and NAME not in own.text


@pytest.mark.parametrize("text", [NAME, "zcw", NUMBER, "13800000005"])
async def test_no_search_finds_the_resident(neighbours: Neighbours, text: str) -> None:
    location = (await neighbours.local.get(f"/residents/find?text={text}", 303)).headers["location"]
    assert location == f"/residents/{neighbours.person}"
    assert "/residents?" in (await neighbours.doctor.get(f"/residents/find?text={text}", 303)).headers["location"]
    listed = (await neighbours.doctor.get(f"/residents?text={text}")).text
    assert not re.search(rf"/residents/{neighbours.person}\b", listed) and NAME not in listed.replace(f'value="{text}"', "")


@pytest.mark.parametrize("path", ["/residents", "/desk", "/chronic"])
async def test_no_export_holds_the_resident(neighbours: Neighbours, path: str) -> None:
    def cells(content: bytes) -> set[str]:
        return {str(value) for row in openpyxl.load_workbook(io.BytesIO(content)).active.values for value in row}

    held = cells((await neighbours.doctor.get(f"{path}/export.xlsx")).content)
    assert NAME not in held and any("responsible_doctor" in text for text in held)
    if path == "/residents":
        assert NAME in cells((await neighbours.local.get(f"{path}/export.xlsx")).content)


@pytest.mark.parametrize("path", ["{patient}", "{patient}/_history", "{patient}/_history/1"])
async def test_the_interface_reads_nothing_of_the_resident(neighbours: Neighbours, path: str) -> None:
    asked = path.format(patient=neighbours.patient)
    assert (await neighbours.local.client.get(f"/fhir/Patient/{asked}")).status_code == 200
    hidden = await neighbours.doctor.client.get(f"/fhir/Patient/{asked}")
    nobody = await neighbours.doctor.client.get(f"/fhir/Patient/{path.format(patient='no-such-resident')}")
    assert (hidden.status_code, hidden.json()) == (404, nobody.json())


@pytest.mark.parametrize(
    "query",
    [
        "Patient?_id={patient}", f"Patient?identifier={ID_SYSTEM}|{NUMBER}", f"Patient?name={NAME}", "Encounter?patient={patient}",
        "Encounter?subject=Patient/{patient}", f"Encounter?patient.identifier={ID_SYSTEM}|{NUMBER}", "Patient?_has:Encounter:patient:status=finished&_id={patient}",
    ],
)  # fmt: skip
async def test_no_question_counts_the_resident(neighbours: Neighbours, query: str) -> None:
    for summary in ("", "&_summary=count", "&_total=accurate"):
        asked = f"/fhir/{query.format(patient=neighbours.patient)}{summary}"
        seen, hidden = await neighbours.local.client.get(asked), await neighbours.doctor.client.get(asked)
        if seen.status_code == 400:
            assert hidden.status_code == 400
            continue
        assert seen.json().get("total", 1) == 1
        assert hidden.json().get("total", 0) == 0 and not hidden.json().get("entry")


def claim(number: str, name: str = "钱测六") -> dict[str, Any]:
    """Return a Patient of the east with somebody's ID number."""
    told = resident(6, name, 420999101201, "E1", birthDate="1960-05-12")
    told = {name: value for name, value in told.items() if name not in ("id", "telecom")}
    return {**told, "identifier": [{"system": ID_SYSTEM, "value": number}]}


async def test_a_conditional_create_answers_as_for_a_free_number(neighbours: Neighbours) -> None:
    taken = await answer(neighbours.doctor, "POST", "/fhir/Patient", claim(NUMBER), if_none_exist=f"identifier={ID_SYSTEM}|{NUMBER}")
    free = await answer(
        neighbours.doctor, "POST", "/fhir/Patient", claim(id_number(77)), if_none_exist=f"identifier={ID_SYSTEM}|{id_number(77)}"
    )
    assert (taken.status_code, free.status_code) == (201, 201)
    assert taken.json().keys() == free.json().keys()


async def test_a_conditional_create_in_a_bundle_answers_as_for_a_free_phone(neighbours: Neighbours) -> None:
    def bundle(phone: str, serial: int = 80) -> dict[str, Any]:
        request = {"method": "POST", "url": "Patient", "ifNoneExist": f"telecom={phone}"}
        entry = {"resource": claim(id_number(serial), f"周测{serial}"), "request": request}
        return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    taken = await answer(neighbours.doctor, "POST", "/fhir", bundle("13800000005"), prefer="return=OperationOutcome")
    free = await answer(neighbours.doctor, "POST", "/fhir", bundle("13800009999", 81), prefer="return=OperationOutcome")
    told = [{**one.json()["entry"][0]["response"], "location": "", "lastModified": ""} for one in (taken, free)]
    assert taken.status_code == free.status_code == 200 and told[0] == told[1]
    seen = await neighbours.local.client.get("/fhir/Patient?telecom=13800000005")
    assert seen.json()["total"] == 1, "who may see the resident finds the record by that condition"


async def test_a_record_with_the_number_of_a_resident_elsewhere_takes_nothing_over(neighbours: Neighbours) -> None:
    made = await answer(neighbours.doctor, "POST", "/fhir/Patient", claim(NUMBER, NAME))
    assert made.status_code == 201, made.text
    await neighbours.doctor.get(f"/residents/{neighbours.person}", 404)
    assert (await neighbours.doctor.client.get(f"/fhir/Patient/{neighbours.patient}")).status_code == 404
    assert (await neighbours.doctor.client.get(f"/fhir/Encounter?patient={neighbours.patient}")).json().get("total", 0) == 0
    assert NAME in (await neighbours.local.get(f"/residents/{neighbours.person}")).text
    assert "与其他属地的居民吻合" in (await neighbours.steward.get("/exchange/reviews")).text


async def test_writing_about_the_resident_is_refused_as_about_nobody(neighbours: Neighbours) -> None:
    def note(patient: str) -> Mapping[str, Any]:
        return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{patient}"}}

    hidden = await answer(neighbours.doctor, "POST", "/fhir/Observation", note(neighbours.patient))
    nobody = await answer(neighbours.doctor, "POST", "/fhir/Observation", note("no-such-resident"))
    assert hidden.status_code == 422 and (hidden.status_code, hidden.json()) == (nobody.status_code, nobody.json())


async def test_an_update_of_the_resident_answers_as_of_nobody(neighbours: Neighbours) -> None:
    hidden = await answer(neighbours.doctor, "PUT", f"/fhir/Patient/{neighbours.patient}", claim(NUMBER) | {"id": neighbours.patient})
    nobody = await answer(neighbours.doctor, "PUT", "/fhir/Patient/no-such-resident", claim(id_number(78)) | {"id": "no-such-resident"})
    gone = await answer(neighbours.doctor, "DELETE", f"/fhir/Patient/{neighbours.patient}")
    assert (hidden.status_code, nobody.status_code, gone.status_code) == (201, 201, 404)
    assert hidden.json()["id"] != neighbours.patient
    kept = (await neighbours.local.client.get(f"/fhir/Patient/{neighbours.patient}")).json()
    assert (kept["name"][0]["text"], kept["meta"]["versionId"]) == (NAME, "1")


async def test_a_new_record_answers_as_for_a_free_number_and_goes_to_the_steward(neighbours: Neighbours) -> None:
    def typed(number: str, name: str) -> dict[str, str]:
        facts = {"sex": "1", "birth_date": "1960-05-12", "area": "420999101201", "residence": "1", "phone": "", "address": ""}
        return {"id_number": number, "name": name, **facts}

    before = (await neighbours.steward.get("/exchange/reviews")).text.count("与其他属地的居民吻合")
    checks, pages = [], []
    for number, name in ((MET, "孙测甲"), (id_number(91), "孙测乙")):
        checks.append((await neighbours.doctor.post("/residents/new/check", typed(number, name), 200)).json())
        made = await neighbours.doctor.post("/residents/new", typed(number, name))
        pages.append(words(await neighbours.doctor.get(made.headers["location"])).replace(name, ""))
    assert checks[0] == checks[1] and pages[0] == pages[1], "nothing tells the two apart"
    reviews = (await neighbours.steward.get("/exchange/reviews")).text
    assert reviews.count("与其他属地的居民吻合") == before + 1 and "孙测甲" in reviews and "孙测乙" not in reviews
    again = await neighbours.doctor.post("/residents/new", typed(MET, "孙测甲"), status=409)
    assert "孙测甲" in again.text, "of one's own resident one is told"
