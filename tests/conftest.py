"""Fixtures every kind of test may use: one embedded PostgreSQL for the run, a fresh migrated database per module."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from xinglin.base.database import migrate
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres

_numbers = itertools.count(1)


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
