"""A store on a fresh database for tests: scopes of known places, and one short way to write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from xinglin.base.database import Database
from xinglin.engines.security import ActingFor, AuditEntry, InstallationSecrets, Scope, Scopes, load_roles
from xinglin.engines.security import suite as suite_named
from xinglin.engines.store import Belonging, Cause, Change, Link, Outcome, Put, Store, StoreOptions

EAST = (420999101000, 420999101999)
WEST = (420999102000, 420999102999)
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass
class MovingClock:
    """A clock a test moves."""

    instant: datetime = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
    zone: ZoneInfo = ZONE

    def now(self) -> datetime:
        """Return the instant that was set."""
        return self.instant

    def today(self) -> date:
        """Return its day."""
        return self.instant.astimezone(self.zone).date()

    def pass_(self, **duration: float) -> None:
        """Let time pass: pass_(minutes=3)."""
        self.instant += timedelta(**duration)


@dataclass
class KeptAudit:
    """An audit log that keeps its entries in a list."""

    entries: list[AuditEntry] = field(default_factory=list)

    async def record(self, entry: AuditEntry) -> None:
        """Keep an entry."""
        self.entries.append(entry)

    async def promise(self, connection: object, entry: AuditEntry) -> AuditEntry:
        """Promise nothing that `record` does not keep."""
        return entry


@dataclass(repr=False)
class Record:
    """A store with its database, clock, audit and three scopes: the house, a doctor of the east, a doctor of the west, a steward."""

    database: Database
    store: Store
    clock: MovingClock
    audit: KeptAudit
    house: Scope
    east: Scope
    west: Scope
    steward: Scope
    messages: int = 0

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Keep what a failing example prints short."""
        printer.text("Record()")

    async def write(self, *changes: Change, scope: Scope | None = None) -> list[Outcome]:
        """Write changes in a transaction of their own."""
        self.messages += 1
        async with self.database.transaction() as connection:
            return await self.store.write(connection, scope or self.house, changes, Cause(self.messages, 1, 7))

    async def put(self, *resources: dict[str, Any], scope: Scope | None = None) -> list[Outcome]:
        """Write resources under the ids they carry."""
        return await self.write(*(Put(each["resourceType"], each["id"], each) for each in resources), scope=scope)

    async def settle(self, person: int, patient: int, area: int | None) -> None:
        """Link a source patient to a person and say where the person lives."""
        async with self.database.transaction() as connection:
            await self.store.write_links(connection, [Link(patient, person, "test")], Cause(0, 1, 7))
            await self.store.write_scopes(connection, [Belonging(person, area, None, "test")], Cause(0, 1, 7))

    async def found(self, rtype: str, *query: tuple[str, str], scope: Scope | None = None) -> list[str]:
        """Return the ids one page of a search has."""
        page = await self.store.search(scope or self.house, rtype, query)
        return [entry.id for entry in page.entries]


def scopes_of(secrets: InstallationSecrets, clock: MovingClock) -> Sequence[Scope]:
    """Return the scopes of the house, of doctors in the east and in the west, and of the steward."""
    scopes = Scopes(secrets, suite_named("international"), clock, load_roles())
    house = scopes.system_scope()
    east = scopes.acting_for(house, ActingFor("responsible_doctor", (EAST,), account_no=7, login="east"))
    west = scopes.acting_for(house, ActingFor("responsible_doctor", (WEST,), account_no=8, login="west"))
    steward = scopes.acting_for(house, ActingFor("steward", ((420999000000, 420999999999),), account_no=9, login="steward"))
    return house, east, west, steward


@asynccontextmanager
async def open_record(url: str, secrets: InstallationSecrets, **options: Any) -> AsyncIterator[Record]:
    """Yield a store on a migrated database."""
    clock, audit = MovingClock(), KeptAudit()
    database = await Database.open(url, zone=ZONE, size=8)
    store = await Store.open(database, audit, clock, StoreOptions(b"t" * 32, b"c" * 32, **options))
    try:
        yield Record(database, store, clock, audit, *scopes_of(secrets, clock))
    finally:
        await store.close()
        await database.close()


def patient(own_id: str, **elements: Any) -> dict[str, Any]:
    """Return a small Patient."""
    return {"resourceType": "Patient", "id": own_id, **elements}


def weight(own_id: str, of: str, kilograms: float, on: str) -> dict[str, Any]:
    """Return a weight of a patient."""
    return {
        "resourceType": "Observation",
        "id": own_id,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{of}"},
        "effectiveDateTime": on,
        "valueQuantity": {"value": kilograms, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }
