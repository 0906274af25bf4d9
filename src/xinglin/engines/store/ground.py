"""What every part of the store stands on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.engines.security import AuditEntry
from xinglin.engines.store.numbers import Numbers
from xinglin.engines.store.tokens import Tokens


class AuditSink(Protocol):
    """Where an access is written down before its bytes leave."""

    async def record(self, entry: AuditEntry) -> None:
        """Return once the entry is committed."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """Database, hashes, clock, audit and site of one store.

    numbers: gives rids.  signing_key: signs cursors.
    """

    database: Database
    numbers: Numbers
    tokens: Tokens
    clock: Clock
    audit: AuditSink
    site: int
    signing_key: bytes
