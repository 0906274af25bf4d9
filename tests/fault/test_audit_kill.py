"""The audit log under kills: what was acknowledged stays, the chains stay sound, and writing goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

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
    for day in {row["day"] for row in rows}:
        report = await audit.verify(_auditor(secrets_folder, zone), day)
        assert report.is_sound, report.problems
        assert report.anchors > 0
    await audit.close()
    await database.close()


async def test_a_killed_server_is_refused_clearly_and_then_used_again(
    server: EmbeddedPostgres, database_url: str, secrets_folder: Path, zone: ZoneInfo
) -> None:
    database = await Database.open(database_url, zone=zone, size=4)
    audit = await Audit.open(database, _place(secrets_folder), SystemClock(zone))
    scope = _auditor(secrets_folder, zone)
    told: list[int] = []
    refused = 0

    async def write(start: int) -> None:
        nonlocal refused
        for n in range(start, start + 2000, 10):
            try:
                await audit.record(AuditEntry(scope, "read", "Patient", rids=(n,)))
                told.append(n)
            except UnavailableError:
                refused += 1
                await asyncio.sleep(0.05)

    writers = asyncio.gather(*(write(start) for start in range(10)))
    while len(told) < 200:
        await asyncio.sleep(0.005)
    pid = server.postmaster_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await asyncio.to_thread(server.start)
    await writers
    while True:
        try:
            await audit.record(AuditEntry(scope, "read", "Patient", rids=(-1,)))
            break
        except UnavailableError:
            await asyncio.sleep(0.1)
    async with database.connection() as connection:
        kept = [row["rids"][0] for row in await connection.fetch("select rids from audit where process = $1", audit.process)]
    assert refused > 0 and set(told) <= set(kept) and len(kept) == len(set(kept))
    day = datetime.now(UTC).astimezone(zone).date()
    assert (await audit.verify(scope, day)).is_sound
    await audit.close()
    await database.close()
