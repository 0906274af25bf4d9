"""Root installs below a folder only root can enter: the database still starts, as a user of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from xinglin.base import postgres
from xinglin.base.places import open_data_folder

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the wheel's programs where they stand"),
]


@pytest.fixture
def private_checkout(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of mode 0700 with the server's wheel in it, installed under umask 077; the shelter stands beside it."""
    with tempfile.TemporaryDirectory(prefix="xinglin-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        os.chmod(folder, 0o711)
        checkout = postgres.private_folder(folder / "checkout")
        installed = postgres.wheel_binaries().parent
        for source in (installed, installed.parent.with_name(f"{installed.parent.name}.libs")):
            target = checkout / source.relative_to(installed.parent.parent)
            shutil.copytree(source, target, symlinks=True)
        for path in (checkout, *checkout.rglob("*")):
            os.chmod(path, path.stat().st_mode & 0o700)
        binaries = checkout / installed.relative_to(installed.parent.parent) / "bin"
        monkeypatch.setattr(postgres, "wheel_binaries", lambda: binaries)
        monkeypatch.setattr(postgres, "SHELTER", folder / "shelter")
        yield checkout


def test_a_checkout_only_root_can_enter_serves(private_checkout: Path) -> None:
    server = postgres.EmbeddedPostgres(open_data_folder(private_checkout / "data"))
    try:
        server.start()
        assert server.is_running()
        assert private_checkout not in server.cluster.parents
        assert postgres.EmbeddedPostgres(server.data_dir).cluster == server.cluster, "a second start finds the cluster again"
    finally:
        server.stop()
