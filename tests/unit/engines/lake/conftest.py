"""A lake of its own for each test, fed from memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.engines.lake.memory_feed import MemoryFeed
from xinglin.base.clock import FixedClock
from xinglin.engines.lake import Lake, LakeOptions, LakeService, ReaderOptions, Views, load_views
from xinglin.engines.security import Scope, Scopes

ZONE = ZoneInfo("Asia/Shanghai")
CLOCK = FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC), ZONE)
OPTIONS = LakeOptions(batch=7, most_small_files=3)


@pytest.fixture(scope="session")
def views() -> Views:
    return load_views(ZONE)


@pytest.fixture
def feed() -> MemoryFeed:
    return MemoryFeed()


@pytest.fixture(scope="session")
def house() -> Scope:
    return Scopes.system_scope()


@pytest.fixture
async def service(tmp_path: Path, views: Views, feed: MemoryFeed) -> AsyncIterator[LakeService]:
    service = LakeService(Lake(tmp_path / "lake", views, CLOCK, OPTIONS), feed, CLOCK, ReaderOptions(ZONE))
    yield service
    await service.stop()
