"""People at their browsers: a client per role on one application, with the form token every form carries."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from xinglin.assembly import Platform
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.security import DemoAccount, NewMembership
from xinglin.web.app import make_app
from xinglin.web.fhir.platform import platform_routes

COUNTY, EAST, WEST = 420999000000, 420999101000, 420999102000
PLACES: Mapping[str, tuple[str, tuple[int, ...]]] = {
    "steward": ("steward", (COUNTY,)),
    "county": ("county", (COUNTY,)),
    "public_health": ("public_health", (EAST,)),
    "west_health": ("public_health", (WEST,)),
    "responsible_doctor": ("responsible_doctor", (EAST,)),
    "sysadmin": ("sysadmin", ()),
    "secadmin": ("secadmin", ()),
    "auditor": ("auditor", ()),
}


class Person:
    """One person at a browser."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, path: str, status: int = 200, **headers: str) -> httpx.Response:
        """Open an address; checks its status."""
        answer = await self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert answer.status_code == status, (path, answer.status_code, answer.text[-600:])
        return answer

    async def post(self, path: str, fields: Mapping[str, Any] | None = None, status: int = 303, files: Any = None) -> httpx.Response:
        """Send a form with the token of the page; checks its status."""
        page = (await self.client.get("/account")).text
        found = re.search(r'name="form-token" content="([0-9a-f]{64})"', page)
        assert found
        answer = await self.client.post(path, data={**(fields or {}), "form_token": found[1]}, files=files)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-1500:])
        return answer


@dataclass
class World:
    """A platform and the people at it: `world.steward.get(...)`."""

    platform: Platform
    people: dict[str, Person]

    def __getattr__(self, name: str) -> Person:
        return self.people[name]

    async def person(self, text: str) -> int:
        """Return the number of the one resident a search finds."""
        found = await self.platform.residents.find(self.platform.security.system_scope(), text)
        assert len(found) == 1, found
        return found[0].person


async def sign_in(login: str, transport: httpx.ASGITransport) -> Person:
    """Return a person who has signed in with the password of demonstrations."""
    client = httpx.AsyncClient(transport=transport, base_url="http://district.test")
    token = re.search(r'name="form-token" content="([0-9a-f]{64})"', (await client.get("/sign-in")).text)
    assert token
    answer = await client.post("/sign-in", data={"login": login, "password": DEMO_PASSWORD, "form_token": token[1]})
    assert answer.status_code == 303, answer.text
    return Person(client)


@asynccontextmanager
async def people(platform: Platform) -> AsyncIterator[dict[str, Person]]:
    """Yield login → person, each signed in."""
    for login, (role, areas) in PLACES.items():
        await platform.security.setup.add_demo_account(DemoAccount(login, login, DEMO_PASSWORD, NewMembership(role, None, areas)))
    transport = httpx.ASGITransport(app=make_app(platform, mounts=platform_routes(platform)), raise_app_exceptions=False)
    found = {login: await sign_in(login, transport) for login in PLACES}
    yield found
    for person in found.values():
        await person.client.aclose()
