"""The processes that prepare lines of large files: as little of an installation as that needs, so that they come up quickly."""

from __future__ import annotations

import asyncio
import gc
from multiprocessing.connection import Connection
from typing import Final

from xinglin.base.clock import SystemClock
from xinglin.base.database import Database
from xinglin.base.errors import UnavailableError
from xinglin.base.settings import Settings
from xinglin.engines.exchange import Blobs, Exchange, Ledger, Rooms, prepare_for
from xinglin.engines.identity import Register, Residents
from xinglin.engines.security import Audit, AuditPlace, InstallationSecrets, suite
from xinglin.engines.store import Store, StoreOptions
from xinglin.engines.terminology import Terminology

COLLECT_AFTER: Final = (500_000, 20, 50)
"""A chunk of lines is many short-lived objects without cycles: who prepares them looks for cycles rarely."""


def prepare_lines(settings: Settings, pipe: Connection) -> None:
    """Prepare lines for the process at the other end of the pipe until it is gone or silent.  Raises: UnavailableError."""
    gc.set_threshold(*COLLECT_AFTER)
    asyncio.run(_prepare(settings, pipe))


async def _prepare(settings: Settings, pipe: Connection) -> None:
    if settings.database_url is None:
        raise UnavailableError("没有数据库地址", "there is no database address", where="XINGLIN_DATABASE_URL")
    clock = SystemClock(settings.zone)
    secrets = InstallationSecrets.load(settings.data_dir / "secrets")
    database = await Database.open(settings.database_url, zone=settings.zone, size=2)
    audit = await Audit.open(
        database, AuditPlace(secrets, suite(settings.cryptography), settings.site, settings.data_dir / "audit-anchors.log"), clock
    )
    store = await Store.open(database, audit, clock, StoreOptions(secrets.key("token"), secrets.key("cursor"), settings.site))
    rooms = Rooms(database, store, Residents(database, store), Register(), Terminology(database, audit, clock).current_value_sets)
    exchange = Exchange(rooms, Ledger(database, Blobs(settings.data_dir / "blobs"), clock, settings.site))
    try:
        await prepare_for(exchange, pipe)
    finally:
        await store.close()
        await audit.close()
        await database.close()
