"""A writer process for the fault tests: writes small transactions, some of which it rolls back, or stops just before its commit."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from random import Random

from tests.record import Record, open_record, patient
from xinglin.engines.security import InstallationSecrets
from xinglin.engines.store import Cause, Put


class _ChangedMind(Exception):
    """Rolls a transaction back."""


async def write_many(record: Record, name: str, transactions: int) -> None:
    """Write transactions of one to nine resources, shared ids among them; every fifth is rolled back.

    The clock goes forward and at times back, in each writer by itself.
    """
    random = Random(name)
    for number in range(transactions):
        record.clock.pass_(milliseconds=random.randrange(-60, 240))
        ids = [
            f"{name}-{number}-{n}" if random.random() < 0.7 else f"shared-{random.randrange(12)}" for n in range(random.randrange(1, 10))
        ]
        puts = [Put("Patient", own, patient(own, language=f"{name}{number}")) for own in ids]
        try:
            async with record.database.transaction() as connection:
                await record.store.write(connection, record.house, puts, Cause(number, 1, 1))
                if number % 5 == 4:
                    raise _ChangedMind
        except _ChangedMind:
            continue


async def stop_before_commit(record: Record) -> None:
    """Write, say so, and never commit."""
    async with record.database.transaction() as connection:
        await record.store.write(connection, record.house, [Put("Patient", "unfinished", patient("unfinished"))], Cause(1, 1, 1))
        sys.stdout.write("written\n")
        sys.stdout.flush()
        await asyncio.sleep(3600)


async def main(url: str, secrets: str, name: str) -> None:
    """Run one writer: `stop` stops before its commit, any other name writes 60 transactions."""
    async with open_record(url, InstallationSecrets.load(Path(secrets))) as record:
        await (stop_before_commit(record) if name == "stop" else write_many(record, name, 60))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
