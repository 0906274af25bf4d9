"""A change and its audit entry as one: both hold or neither does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from xinglin.base.database import Database
from xinglin.base.errors import UnavailableError
from xinglin.engines.security.audit import AuditWitness
from xinglin.engines.security.audit_chain import AuditEntry


@dataclass(frozen=True, slots=True)
class Deed:
    """A transaction that is told in the audit log."""

    connection: asyncpg.Connection[Any]
    _witness: AuditWitness
    _promised: list[AuditEntry] = field(default_factory=list)

    async def tell(self, entry: AuditEntry) -> None:
        """Promise an entry in the transaction: rolled back it is gone, committed it stands, whatever becomes of this process."""
        self._promised.append(await self._witness.promise(self.connection, entry))

    async def keep(self) -> None:
        """Record what was promised, after the commit. A log that is full or away for the moment takes it later."""
        for entry in self._promised:
            with suppress(UnavailableError):
                await self._witness.record(entry)


@asynccontextmanager
async def deed(database: Database, witness: AuditWitness, within: Deed | None = None) -> AsyncIterator[Deed]:
    """Yield a transaction that commits when the block ends and rolls back when it raises, with what it tells the audit log.

    within: a deed the block joins; who began that ends it.
    """
    if within is not None:
        yield within
        return
    async with database.transaction() as connection:
        begun = Deed(connection, witness)
        yield begun
    await begun.keep()
