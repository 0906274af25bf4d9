"""The database goes away and comes back: refused clearly, then working again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.record import Record, open_record, patient
from xinglin.base.errors import UnavailableError
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.engines.security import InstallationSecrets

pytestmark = pytest.mark.fault


@pytest.fixture
async def record(database_url: str, tmp_path: Path) -> AsyncIterator[Record]:
    async with open_record(database_url, InstallationSecrets.load(tmp_path / "secrets")) as opened:
        yield opened


async def test_reads_and_writes_are_refused_while_it_is_away_and_work_when_it_is_back(record: Record, server: EmbeddedPostgres) -> None:
    await record.put(patient("before"))
    head = await record.store.head()
    await asyncio.to_thread(server.stop)
    try:
        for attempt in (record.store.read(record.house, "Patient", "before"), record.found("Patient"), record.put(patient("meanwhile"))):
            with pytest.raises(UnavailableError) as refused:
                await attempt
            assert refused.value.http_status == 503
    finally:
        await asyncio.to_thread(server.start)
    assert (await record.store.read(record.house, "Patient", "before")).version == 1
    assert await record.store.head() == head
    [outcome] = await record.put(patient("after"))
    assert (outcome.status, outcome.seq) == ("created", head + 1)
