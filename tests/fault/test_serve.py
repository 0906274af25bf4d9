"""`xinglin serve` on a new data folder: what it prints, what it refuses, and who holds what."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from tests.fault.installation import run, serving, until

pytestmark = pytest.mark.fault


@pytest.fixture
def data(tmp_path: Path) -> Path:
    os.chmod(tmp_path, 0o711)
    return tmp_path / "data"


def test_a_new_installation_prints_codes_and_refuses_what_would_open_it(data: Path) -> None:
    with serving(data) as served:
        until(lambda: all(role in served.said() for role in ("sysadmin", "secadmin", "auditor")))

        second = run(data, "serve", XINGLIN_PORT="1")
        assert second.returncode == 13, second.stderr
        assert "XINGLIN_DATA" in second.stderr and "Traceback" not in second.stderr

        other = data.parent / "other"
        port = served.address.rsplit(":", 1)[1]
        taken = run(other, "serve", XINGLIN_PORT=port)
        assert taken.returncode == 13 and "--port" in taken.stderr

        with psycopg.connect(served.server.url) as connection:
            connection.execute(
                "insert into account (login, display_name, password_hash, demo_password, created_at, created_by)"
                " values ('known', '演示', 'x', true, now(), 0)"
            )
    refused = run(data, "serve", XINGLIN_PORT=port)
    assert refused.returncode == 17 and "演示账号" in refused.stderr, refused.stderr
    other_algorithms = run(data, "serve", XINGLIN_PORT=port, XINGLIN_CRYPTOGRAPHY="sm")
    assert other_algorithms.returncode == 13 and "XINGLIN_CRYPTOGRAPHY=international" in other_algorithms.stderr
