"""A file is often named after the person in it: only who takes files in is told how senders call their messages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest

from tests.district import HIS, open_district, resident
from tests.http.signed_in import World, people

NAME = "钱测九_6b1d.json.gz"


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform, people(platform) as found:
        yield World(platform, found)


async def test_only_who_takes_files_in_reads_their_names(world: World) -> None:
    bad = resident(9, "钱测九", 420999101201, "E1") | {"birthDate": "1960-02-31"}
    answer = await world.steward.post("/exchange/import", {"source": HIS}, 200, [("files", (NAME, orjson.dumps(bad)))])
    assert NAME in answer.text
    pages = ("/exchange/messages", "/exchange/quarantine", "/exchange/messages/print", "/exchange/progress")
    for path in pages:
        told, hidden = (await world.steward.get(path)).text, (await world.county.get(path)).text
        assert "钱测九" not in hidden and (NAME in told or path in ("/exchange/progress", "/exchange/quarantine"))
    assert "….json.gz" in (await world.county.get("/exchange/messages")).text, "what kind of file it was is told"
    rows, _ = await world.platform.panel.waiting(world.platform.security.system_scope())
    for path in (f"/exchange/messages/{rows[0].message_no}", f"/exchange/quarantine/{rows[0].quarantine_no}"):
        assert NAME in (await world.steward.get(path)).text and "钱测九" not in (await world.county.get(path)).text


async def test_nobody_else_finds_a_message_by_its_name(world: World) -> None:
    assert "….json.gz" not in (await world.county.get("/exchange/messages?text=钱测九")).text.replace("钱测九", "")
    assert NAME in (await world.steward.get("/exchange/messages?text=钱测九")).text
