"""The audit log under kills: what was acknowledged stays, the chains stay sound, and writing goes on."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fault.installation import kill_server
from xinglin.base.clock import SystemClock
from xinglin.base.database import Database
from xinglin.base.errors import UnavailableError
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.engines.security import (
    ActingFor,
    Audit,
    AuditEntry,
    AuditOptions,
    AuditPlace,
    InstallationSecrets,
    Scope,
    Scopes,
    load_roles,
    suite,
)

pytestmark = pytest.mark.fault

# Writes without end and prints a number after each acknowledgement: nothing printed may be lost.
WRITER = """
    import asyncio, sys
    from pathlib import Path
    from zoneinfo import ZoneInfo
    from xinglin.base.clock import SystemClock
    from xinglin.base.database import Database
    from xinglin.engines.security import Audit, AuditEntry, AuditOptions, AuditPlace, InstallationSecrets, Scopes, suite

    async def main(url, folder):
        zone = ZoneInfo("Asia/Shanghai")
        place = AuditPlace(InstallationSecrets.load(Path(folder)), suite("international"), 1, None, AuditOptions(anchor_s=0.05))
        database = await Database.open(url, zone=zone, size=3)
        audit = await Audit.open(database, place, SystemClock(zone))
        scope = Scopes.system_scope()

        async def write(start):
            for n in range(start, 10**9, 20):
                await audit.record(AuditEntry(scope, "read", "Patient", rids=(audit.process, n)))
                print(audit.process, n, flush=True)

        await asyncio.gather(*(write(start) for start in range(20)))

    asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


@pytest.fixture(scope="module")
def secrets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The secrets of the installation whose database the module uses: both tests add to the same log."""
    return tmp_path_factory.mktemp("installation") / "secrets"


def _place(secrets_folder: Path) -> AuditPlace:
    return AuditPlace(InstallationSecrets.load(secrets_folder), suite("international"), 1, None, AuditOptions(anchor_s=0))


def _auditor(secrets_folder: Path, zone: ZoneInfo) -> Scope:
    scopes = Scopes(InstallationSecrets.load(secrets_folder), suite("international"), SystemClock(zone), load_roles())
    return scopes.acting_for(scopes.system_scope(), ActingFor("auditor", ()))


def _write_and_kill(url: str, secrets_folder: Path, lines: int) -> set[tuple[int, int]]:
    """Start a writer, kill it in the middle of its work, and return what it was told is committed."""
    command = [sys.executable, "-c", textwrap.dedent(WRITER), url, str(secrets_folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = "".join(process.stdout.readline() for _ in range(lines))
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.read()
    # A line cut by the kill was not told.
    whole = [line.split() for line in told.split("\n")[:-1]]
    return {(int(process_no), int(n)) for process_no, n in whole}


async def test_a_killed_writer_loses_nothing_it_was_told(database_url: str, secrets_folder: Path, zone: ZoneInfo) -> None:
    told: set[tuple[int, int]] = set()
    for lines in (1, 500, 6000):
        told |= await asyncio.to_thread(_write_and_kill, database_url, secrets_folder, lines)
    database = await Database.open(database_url, zone=zone, size=3)
    audit = await Audit.open(database, _place(secrets_folder), SystemClock(zone))
    async with database.connection() as connection:
        rows = await connection.fetch("select process, rids, day from audit")
    kept = [tuple(row["rids"]) for row in rows]
    assert told and told <= set(kept) and len(kept) == len(set(kept))
    assert len({process for process, _ in told}) == 3 and audit.process > max(row["process"] for row in rows)
    reports = [await audit.verify(_auditor(secrets_folder, zone), day) for day in {row["day"] for row in rows}]
    assert all(report.is_sound for report in reports), reports
    assert sum(report.anchors for report in reports) > 0
    await audit.close()
    await database.close()


async def test_a_killed_server_is_refused_clearly_and_then_used_again(
    server: EmbeddedPostgres, database_url: str, secrets_folder: Path, zone: ZoneInfo
) -> None:
    database = await Database.open(database_url, zone=zone, size=4)
    audit = await Audit.open(database, _place(secrets_folder), SystemClock(zone))
    scope = _auditor(secrets_folder, zone)
    told: list[int] = []
    refused: list[int] = []
    numbers, is_enough = itertools.count(), asyncio.Event()

    async def write() -> None:
        while not is_enough.is_set():
            n = next(numbers)
            try:
                await audit.record(AuditEntry(scope, "read", "Patient", rids=(n,)))
                told.append(n)
            except UnavailableError:
                refused.append(n)
                await asyncio.sleep(0.05)

    async def reached(told_so_far: int, refused_so_far: int) -> None:
        while len(told) < told_so_far or len(refused) < refused_so_far:
            await asyncio.sleep(0.005)

    writers = asyncio.gather(*(write() for _ in range(10)))
    await reached(200, 0)
    await asyncio.to_thread(kill_server, server)
    await reached(200, 1)
    await asyncio.to_thread(server.start)
    await reached(len(told) + 20, 1)
    is_enough.set()
    await writers
    async with database.connection() as connection:
        kept = [row["rids"][0] for row in await connection.fetch("select rids from audit where process = $1", audit.process)]
    assert set(told) <= set(kept) and len(kept) == len(set(kept))
    day = datetime.now(UTC).astimezone(zone).date()
    assert (await audit.verify(scope, day)).is_sound
    await audit.close()
    await database.close()
