"""Of a resident elsewhere nothing is told: not by any page, list, export, print, API answer, count or error, to anybody whose area it is not."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

import httpx
import pytest
from starlette.routing import Route

from tests.district import EAST, WEST, id_number, open_district, resident, scope_of, send
from tests.http.signed_in import Person, people
from xinglin.assembly import Platform, engine_at_work
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.security import DemoAccount, NewMembership
from xinglin.web.app import make_app
from xinglin.web.fhir import platform_routes

ROLES = {
    "west_village": ("village_doctor", WEST[0]),
    "west_doctor": ("responsible_doctor", WEST[0]),
    "west_leader": ("leader", WEST[0]),
    "west_nurse": ("nurse", WEST[0]),
}
OFFICERS = ("sysadmin", "secadmin", "auditor")
SECRETS = ("李测", *(id_number(n) for n in range(1, 5)), *(f"1380000{n:04d}" for n in range(1, 5)))


@dataclass
class World:
    platform: Platform
    people: dict[str, Person]
    persons: list[int]
    ids: list[str]
    paths: list[str]


async def signed_in(platform: Platform, client: httpx.AsyncClient, login: str, role: str, area: int) -> Person:
    await platform.security.setup.add_demo_account(DemoAccount(login, login, DEMO_PASSWORD, NewMembership(role, None, (area,))))
    page = (await client.get("/sign-in")).text
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', page)
    assert token
    assert (await client.post("/sign-in", data={"login": login, "password": DEMO_PASSWORD, "form_token": token[1]})).status_code == 303
    return Person(client)


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform, people(platform) as found:
        app = make_app(platform, mounts=platform_routes(platform))
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        for login, (role, area) in ROLES.items():
            client = httpx.AsyncClient(transport=transport, base_url="http://district.test")
            found[login] = await signed_in(platform, client, login, role, area)
        wrong = resident(4, "李测四", 420999101201, "E1") | {"birthDate": "1960-02-31"}
        await send(platform, wrong, message_id="李测四.json")
        east = scope_of(platform, "steward", EAST)
        persons = [card.person for card in await platform.residents.find(east, "李测")]
        async with platform.database.connection() as connection:
            rows = await connection.fetch(
                "select n.id from res r join ident n on n.rid = r.rid join person_link l on l.patient = r.pat where l.person = any($1::bigint[])",
                persons,
            )
        paths = [
            route.path
            for route in app.routes
            if isinstance(route, Route) and "GET" in (route.methods or ()) and "/static" not in route.path
        ]
        assert len(persons) == 4 and len(rows) >= 8, "four residents of the east, and what is known of them"
        async with engine_at_work(platform.settings, platform) as lake:
            await lake.refresh()
            yield World(platform, found, persons, [row["id"] for row in rows], paths)


def texts_of(answer: httpx.Response) -> Iterable[str]:
    yield answer.text
    yield from (f"{name}: {value}" for name, value in answer.headers.items())
    if answer.content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            yield from (archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def filled(path: str, person: int) -> list[str]:
    values = {
        "person": [person],
        "number": [1, 2, 3],
        "measure": ["hypertension-control-rate"],
        "programme": ["hypertension"],
        "what": ["phone"],
        "code": ["township-his"],
        "kind": ["resident"],
        "visit": ["x"],
        "form": ["hypertension-followup"],
    }
    paths = [path]
    for name, kind in re.findall(r"\{(\w+)(:\w+)?\}", path):
        paths = [each.replace(f"{{{name}{kind}}}", str(value)) for each in paths for value in values.get(name, ["1"])]
    return paths


QUERIES = (
    "",
    f"?text={id_number(1)}",
    "?area=420999101000&list=managed",
    "?state=open&since=2026-11-01&until=2026-11-30&kind=hypertension-followup",
    "?sort=name&order=desc&size=100",
)


@pytest.mark.parametrize("login", [*ROLES, "west_health", *OFFICERS])
async def test_no_address_tells_of_residents_elsewhere(world: World, login: str) -> None:
    looked = 0
    queries = QUERIES if login in ("west_doctor", "west_health") else QUERIES[:1]
    for path in world.paths:
        for address in filled(path, world.persons[0]):
            for query in queries if "{" not in path else ("",):
                answer = await world.people[login].client.get(address + query)
                assert answer.status_code != 500, (login, address + query)
                looked += answer.status_code == 200
                for text in texts_of(answer):
                    for secret in (*SECRETS, *world.ids):
                        assert secret in query or secret not in text, (login, address + query, secret)
    assert looked > 5


async def test_no_answer_of_the_api_tells_of_residents_elsewhere(world: World) -> None:
    client, number = world.people["west_doctor"].client, id_number(1)
    asked = (
        "Patient?_total=accurate&_count=200",
        f"Patient?identifier={number}&_total=accurate",
        "Patient?name=李测&_summary=count",
        "Patient?_sort=name",
        "Patient/_history",
        "_history?_count=200",
        "Encounter?_include=Encounter:subject&_count=200",
        "Encounter?subject.name=李",
        "QuestionnaireResponse?_count=200",
        "Organization?_revinclude=Patient:organization",
    )
    for query in asked:
        answer = await client.get(f"/fhir/{query}")
        assert answer.status_code in (200, 400), query
        for secret in (*SECRETS, *world.ids):
            assert secret not in answer.text.replace(query, "") or secret in query and secret == number, (query, secret)
        assert answer.json().get("total", 0) in (0, 1) or query.startswith("Organization"), query
    free = await client.get("/fhir/Patient/no-such-id")
    for own_id in world.ids:
        hidden = await client.get(f"/fhir/Patient/{own_id}")
        assert (hidden.status_code, hidden.json()) == (free.status_code, free.json())


@pytest.mark.parametrize("login", ["county", "auditor", "responsible_doctor"])
async def test_odd_numbers_in_an_address_are_answered(world: World, login: str) -> None:
    for path in (
        "/residents",
        "/desk",
        "/chronic",
        "/exchange/messages",
        "/system/audit",
        "/verification",
        "/measures/people",
        f"/residents/{world.persons[0]}",
    ):
        for query in (
            "page=²",
            "size=²&age=²",
            "page=99999999999999999999",
            "area=²²²²²²²²²²²²",
            "from=²",
            "institution=²",
            "person=²",
            "text=%5C",
            "text=%00x",
        ):
            answer = await world.people[login].client.get(f"{path}?{query}")
            assert answer.status_code in (200, 303, 400, 403, 404), (path, query, answer.status_code)
