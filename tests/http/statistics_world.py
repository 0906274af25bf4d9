"""A small district with its engine process at work, and people of several offices at their browsers."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.district import EAST, WEST, open_district, organization, resident, send
from tests.http.signed_in import COUNTY, Person, sign_in
from tests.http.signed_in import World as SignedIn
from tests.http.test_pages_residents import practitioner
from xinglin.assembly import Platform, engine_at_work
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.lake import LakeService
from xinglin.engines.security import DemoAccount, NewMembership
from xinglin.web.app import make_app

OFFICES = {
    "county": ("county", COUNTY),
    "cdc": ("cdc", COUNTY),
    "health": ("public_health", EAST[0]),
    "leader": ("leader", EAST[0]),
    "west_health": ("public_health", WEST[0]),
    "doctor": ("responsible_doctor", EAST[0]),
    "village": ("village_doctor", EAST[0] + 201),
    "steward": ("steward", COUNTY),
    "auditor": ("auditor", 0),
}
SERVICE = "urn:xinglin:cs:service"
MEASURE = "hypertension-control-rate"


@dataclass
class World(SignedIn):
    """People at a district whose columns are kept. today: the day of its clock."""

    lake: LakeService
    today: date

    async def current(self, who: Person, path: str) -> str:
        """Return a page of figures once it tells of all that is recorded now: figures follow the record with a delay."""
        head, deadline = await self.platform.store.head(), time.monotonic() + 300
        while time.monotonic() < deadline:
            page = (await who.get(path)).text
            if any(int(told) >= head for told in re.findall(r"序号 (\d+)", page)):
                return page
            await asyncio.sleep(0.2)
        raise AssertionError(f"{path} did not come up to {head}")


def enrolled(serial: int, start: date, keeper: str, **more: Any) -> dict[str, Any]:
    """Return the management of p<serial> from a day on."""
    return {
        "resourceType": "EpisodeOfCare", "id": f"e{serial}", "status": "active", "patient": {"reference": f"Patient/p{serial}"},
        "type": [{"coding": [{"system": "urn:xinglin:cs:programme", "code": "hypertension"}]}],
        "managingOrganization": {"reference": f"Organization/{keeper}"}, "careManager": {"reference": "Practitioner/N1"}, "period": {"start": start.isoformat()}, **more,
    }  # fmt: skip


def visited(serial: int, day: date, pressure: tuple[int, int], way: str = "1") -> list[dict[str, Any]]:
    """Return a follow-up of p<serial> with its blood pressure."""
    own = f"v{serial}-{day}-{way}"
    about = {"subject": {"reference": f"Patient/p{serial}"}}
    encounter = {
        "resourceType": "Encounter", "id": own, "status": "finished", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": SERVICE, "code": "followup-hypertension"}]}], **about, "period": {"start": day.isoformat()},
        "participant": [{"individual": {"reference": "Practitioner/N1"}}], "serviceProvider": {"reference": "Organization/E1"},
        "extension": [{"url": "urn:xinglin:ext:followup-way", "valueCoding": {"system": "urn:oid:2.16.156.10011.2.3.1.183", "code": way}}],
    }  # fmt: skip
    parts = [("8480-6", pressure[0]), ("8462-4", pressure[1])]
    unit = {"unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    reading = {
        "resourceType": "Observation", "id": f"{own}-b", "status": "final", **about, "encounter": {"reference": f"Encounter/{own}"}, "effectiveDateTime": day.isoformat(),
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "component": [{"code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "valueQuantity": {"value": value, **unit}} for code, value in parts],
    }  # fmt: skip
    return [encounter, reading]


async def fill(platform: Platform, today: date) -> None:
    """Send the staff, six managed residents and their visits. East: p1 and p6 controlled, p2 not, p3 not visited, p4 died. West: p7 controlled."""
    first = date(today.year, 1, 1)
    await send(platform, practitioner("N1", "李医生"), organization("E2", "D600", "青石村卫生室", 420999101201), message_id="staff")
    east = resident(6, "王测六", 420999101201, "E1")
    died = resident(4, "李测四", 420999101201, "E1", deceasedDateTime=today.isoformat())
    west = resident(7, "赵测七", 420999102201, "W1")
    episodes = [enrolled(n, first, "E1") for n in (1, 2, 3, 6)] + [enrolled(7, first, "W1")]
    gone = {"status": "finished", "extension": [{"url": "urn:xinglin:ext:exit-reason", "valueCode": "died"}]}
    episodes.append(enrolled(4, first, "E1", **gone) | {"period": {"start": first.isoformat(), "end": today.isoformat()}})
    visits = [*visited(1, today, (132, 82)), *visited(6, today, (128, 78)), *visited(2, today, (158, 96)), *visited(7, today, (126, 80))]
    await send(platform, east, died, west, *episodes, *visits, message_id="managed")


@asynccontextmanager
async def statistics_world(url: str, folder: Path) -> AsyncIterator[World]:
    """Yield the district with its engine at work and everybody signed in."""
    async with open_district(url, folder) as platform:
        today = platform.clock.today()
        await fill(platform, today)
        async with platform.database.connection() as connection:
            houses = {one.code: one.rid for one in await platform.register.institutions(connection)}
        for login, (role, area) in OFFICES.items():
            membership = NewMembership(role, None if role == "auditor" else houses["E1"], (area,) if area else ())
            await platform.security.setup.add_demo_account(DemoAccount(login, login, DEMO_PASSWORD, membership))
        async with engine_at_work(platform.settings, platform) as lake:
            await lake.refresh()
            transport = httpx.ASGITransport(app=make_app(platform), raise_app_exceptions=False)
            found = {login: await sign_in(login, transport) for login in OFFICES}
            yield World(platform, found, lake, today)
            for person in found.values():
                await person.client.aclose()


def days_ago(today: date, count: int) -> date:
    """Return a day some days ago."""
    return today - timedelta(days=count)
