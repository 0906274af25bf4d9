"""The database goes away under the pages and the FHIR interface: both say so, lose nothing, and work again when it is back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.district import open_district
from tests.fault.installation import kill_server
from tests.http.signed_in import Person, people
from xinglin.assembly import Platform
from xinglin.base.database import migrate
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres

pytestmark = pytest.mark.fault


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    os.chmod(tmp_path, 0o711)
    embedded = EmbeddedPostgres(open_data_folder(tmp_path / "data"))
    migrate(embedded.start())
    yield embedded
    embedded.stop()


@pytest.fixture
async def platform(server: EmbeddedPostgres) -> AsyncIterator[Platform]:
    async with open_district(server.url, server.data_dir) as opened:
        yield opened


async def residents(doctor: Person) -> int:
    answer = await doctor.client.get("/fhir/Patient?_total=accurate&_count=1")
    return int(answer.json()["total"])


async def works_again(doctor: Person) -> None:
    """Return once pages open; until then they are refused, as what cannot be audited must be."""
    for _ in range(1200):
        answer = await doctor.client.get("/residents")
        if answer.status_code == 200:
            return
        assert answer.status_code == 503
        await asyncio.sleep(0.1)
    pytest.fail("the pages never came back")


async def test_pages_and_interface_say_that_it_is_away_and_go_on_when_it_is_back(platform: Platform, server: EmbeddedPostgres) -> None:
    async with people(platform) as everyone:
        doctor = everyone["responsible_doctor"]
        await doctor.get("/residents")
        before = await residents(doctor)
        assert before > 0
        for way in ("stopped", "killed"):
            if way == "killed":
                await asyncio.to_thread(kill_server, server)
            else:
                await asyncio.to_thread(server.stop)
            try:
                page = await doctor.client.get("/residents")
                assert page.status_code == 503 and "<html" in page.text and "稍后" in page.text, page.text[:300]
                refused = await doctor.client.get("/fhir/Patient", headers={"accept-language": "en"})
                assert refused.status_code == 503, refused.text
                outcome = refused.json()
                assert (outcome["resourceType"], outcome["issue"][0]["code"]) == ("OperationOutcome", "transient")
                written = await doctor.client.post("/fhir/Patient", json={"resourceType": "Patient"})
                assert written.status_code == 503, "nothing is taken that could be lost"
            finally:
                await asyncio.to_thread(server.start)
            await works_again(doctor)
            assert await residents(doctor) == before
