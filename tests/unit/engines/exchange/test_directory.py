"""Institutions named by code: one process registers them, another knows them with its next message; two senders name the same one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.district import EAST, HIS, open_district, organization, resident, send
from xinglin.assembly import Platform, assemble
from xinglin.engines.exchange import OWN_API, ImportOptions, State


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as found:
        await found.exchange.ledger.source("other-his", name="另一系统")
        yield found


async def keeper_of(platform: Platform, receipt: Any) -> str:
    """Return the registered code of the institution a received resident's record leads to, "" where it leads nowhere."""
    stored = await platform.store.read(platform.security.system_scope(), "Patient", receipt.outcomes[0].id)
    reference = orjson.loads(stored.body)["managingOrganization"].get("reference", "")
    if not reference:
        return ""
    found = await platform.store.read(platform.security.system_scope(), "Organization", reference.partition("/")[2])
    return str(orjson.loads(found.body)["identifier"][0]["value"])


async def test_an_institution_registered_by_another_process_is_known_at_once(platform: Platform) -> None:
    unknown = await send(platform, resident(31, "吴测", 420999101201, "N1"), message_id="before")
    assert await keeper_of(platform, unknown) == "", "nobody is registered under the code, and this process has looked"
    async with assemble(platform.settings, "command") as other:
        await send(other, organization("N1", "C220", "青石镇新院", EAST[0]), message_id="new-institution")
    known = await send(platform, resident(32, "郑测", 420999101201, "N1"), message_id="after")
    assert await keeper_of(platform, known) == "N1"


async def test_two_senders_of_one_institution_mean_the_same_one(platform: Platform) -> None:
    theirs = {**organization("E1", "C220", "他们叫的名字", EAST[0]), "id": "their-own"}
    patient = {**resident(33, "王测", 420999101201, "E1"), "managingOrganization": {"reference": "Organization/their-own"}}
    receipt = await send(platform, patient, theirs, source="other-his", message_id="theirs")
    assert receipt.state is State.STORED and not receipt.problems
    assert [one.path for one in receipt.warnings] == ["Organization.identifier"]
    assert await keeper_of(platform, receipt) == "E1"
    async with platform.database.connection() as connection:
        assert await connection.fetchval("select name from institution where code = 'E1'") == "青石镇卫生院"
    again = await send(platform, organization("E1", "C220", "青石镇中心卫生院", EAST[0]), source=HIS, message_id="renamed")
    assert again.state is State.STORED, "who registered it may still change it"
    alone = await send(platform, theirs, source="other-his", message_id="alone")
    assert (alone.state, alone.stored, alone.rejected) == (State.UNCHANGED, 0, 0)


async def test_two_lines_of_a_file_with_one_code_are_one_institution_even_in_two_chunks(platform: Platform) -> None:
    lines = [organization("T1", "C220", "一号", EAST[0]), *(resident(n, f"陈测{n}", 420999101201, "T1") for n in range(400, 910))]
    lines.append({**organization("T1", "C220", "一号又名", EAST[0]), "id": "again"})
    content = b"\n".join(orjson.dumps(line) for line in lines)
    receipt = await platform.importer.import_content(
        platform.security.system_scope(), ("twice.ndjson", content), ImportOptions("other-his")
    )
    assert (receipt.state, receipt.stored, receipt.rejected) == (State.STORED, 511, 0)


async def test_our_own_interface_is_told_that_a_code_is_taken(platform: Platform) -> None:
    taken = {**organization("E1", "C220", "又一个", EAST[0]), "id": "00000000-0000-4000-8000-0000000000e1"}
    refused = await send(platform, taken, source=OWN_API, message_id="taken")
    assert [(one.reason, one.path) for one in refused.problems] == [("conflict", "Organization.identifier")]
