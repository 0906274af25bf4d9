"""A store on a fresh database per module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.record import Record, open_record
from xinglin.engines.security import InstallationSecrets


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> InstallationSecrets:
    return InstallationSecrets.load(tmp_path_factory.mktemp("secrets"))


@pytest.fixture(scope="module")
async def record(database_url: str, secrets: InstallationSecrets) -> AsyncIterator[Record]:
    async with open_record(database_url, secrets) as opened:
        yield opened
