"""The disk of the data folder is full: what comes is refused clearly, nothing half done stays, and it works again when there is space.

The disk is a small tmpfs where this process may mount one; elsewhere the limit of file sizes stands in for it (RLIMIT_FSIZE, large messages only).
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.district import HIS, open_district, resident, send
from xinglin.assembly import make_lake
from xinglin.base.errors import UnavailableError
from xinglin.engines.exchange import ImportOptions

pytestmark = pytest.mark.fault
MEGABYTES = 24


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A data folder on a disk of its own that is soon full."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this process may not mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def large(count: int) -> bytes:
    """Return a file of residents that is kept as a file of its own."""
    return b"\n".join(orjson.dumps(resident(n, f"孙测{n}", 420999101201, "E1")) for n in range(200, 200 + count))


async def test_a_full_disk_refuses_and_works_again_when_there_is_space(database_url: str, small_disk: Path) -> None:
    async with open_district(database_url, small_disk) as platform:
        house = platform.security.system_scope()
        lake = make_lake(platform.settings, platform)
        try:
            before = await lake.refresh()
            ballast = small_disk / "ballast"
            fill(ballast)
            with pytest.raises(UnavailableError) as refused:
                await platform.importer.import_content(house, ("large.ndjson", large(400)), ImportOptions(HIS))
            assert "磁盘已满" in refused.value.zh and "disk" in refused.value.en
            assert await ask(platform, "select count(*) from message where message_id = 'large.ndjson'") == 0, "nothing was acknowledged"
            assert not list((small_disk / "blobs").rglob("*.*")), "nothing half written stays"

            await send(platform, resident(900, "孙测九", 420999101201, "E1"), message_id="small")
            with pytest.raises(UnavailableError) as behind:
                await lake.refresh()
            assert "磁盘" in behind.value.zh, "the record goes on, its columns wait"

            ballast.unlink()
            receipt = await platform.importer.import_content(house, ("large.ndjson", large(400)), ImportOptions(HIS))
            assert receipt.stored == 400
            after = await lake.refresh()
            assert after.seq == await platform.store.head() > before.seq
            table, _ = await lake.query(house, "select count(*) as n from patient")
            assert table.to_pylist() == [{"n": 406}], "every resident once"
        finally:
            await lake.stop()


async def ask(platform: Any, query: str) -> Any:
    async with platform.database.connection() as connection:
        return await connection.fetchval(query)


def fill(path: Path) -> None:
    """Write until there is no space left."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 4096)
        except OSError:
            return


async def test_a_limit_of_file_sizes_refuses_a_large_message_as_a_full_disk_does(database_url: str, tmp_path: Path) -> None:
    async with open_district(database_url, tmp_path) as platform:
        house = platform.security.system_scope()
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limits[1]))
        try:
            with pytest.raises(UnavailableError) as refused:
                await platform.importer.import_content(house, ("wide.ndjson", large(401)), ImportOptions(HIS))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
            signal.signal(signal.SIGXFSZ, ignored)
        assert "磁盘已满" in refused.value.zh
        assert os.listdir(tmp_path / "blobs") == [] or not list((tmp_path / "blobs").rglob("*.*"))
        assert (await platform.importer.import_content(house, ("wide.ndjson", large(401)), ImportOptions(HIS))).stored >= 1
