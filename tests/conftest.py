"""Fixtures every kind of test may use: one embedded PostgreSQL for the run, a fresh migrated database per module."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from xinglin.base.database import migrate
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres

_numbers = itertools.count(1)

# The same examples in every run, so that a run is not refused for what an earlier one did not see; a slow machine is no fault.
# `pytest --hypothesis-profile=wander` draws others each time: that is how new ones are looked for.
SLOW_IS_NO_FAULT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
hypothesis_settings.register_profile("same", derandomize=True, **SLOW_IS_NO_FAULT)
hypothesis_settings.register_profile("wander", print_blob=True, **SLOW_IS_NO_FAULT)
hypothesis_settings.load_profile("same")


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    """The district's zone in tests."""
    return ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of sample input beside the project; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("XINGLIN_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    if not folder.is_dir():
        pytest.skip("the folder of sample input is absent (set XINGLIN_SHARED)")
    return folder


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedPostgres]:
    """The embedded server, started once for the run (one per worker of pytest-xdist)."""
    with tempfile.TemporaryDirectory(prefix="xinglin-test-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        embedded = EmbeddedPostgres(open_data_folder(Path(folder) / "data"))
        embedded.start()
        yield embedded
        embedded.stop()


@pytest.fixture(scope="module")
def database_url(server: EmbeddedPostgres) -> Iterator[str]:
    """The connection string of a fresh, migrated database, dropped after the module."""
    name = f"test_{next(_numbers)}"
    url = server.create_database(name)
    migrate(url)
    yield url
    server.drop_database(name)
