"""The record: resources written, read, found per second, and what one request costs the web process."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import json
from starlette.applications import Starlette

from xinglin.base.clock import SystemClock
from xinglin.base.database import Database, migrate
from xinglin.base.ids import uuid7
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.engines.exchange import Blobs, Exchange, Ledger, Rooms
from xinglin.engines.identity import Register, Residents
from xinglin.engines.security import ActingFor, Audit, AuditPlace, InstallationSecrets, Scope, Scopes, load_roles
from xinglin.engines.security import suite as suite_named
from xinglin.engines.store import Belonging, Cause, Link, Put, Store, StoreOptions
from xinglin.web.fhir import FhirDoors, fhir_routes

PATIENTS, READINGS_EACH, AT_ONCE, SECONDS = 1000, 40, 16, 4.0
COUNTY = (420999000000, 420999999999)
ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Bench:
    """What is measured."""

    database: Database
    store: Store
    app: Starlette
    house: Scope


def run() -> dict[str, Any]:
    """Return figures: *_per_s are wall clock with 16 requests at once in one process, *_cpu_ms the process's own time per request.

    The database's time is in the first, not in the second. Every request is authorised, scoped and audited.
    """
    with tempfile.TemporaryDirectory(prefix="xinglin-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        server = EmbeddedPostgres(open_data_folder(Path(folder) / "data"))
        server.start()
        try:
            url = server.create_database("bench_store")
            migrate(url)
            return asyncio.run(_measure(url, Path(folder)))
        finally:
            server.stop()


async def _measure(url: str, folder: Path) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        bench = await _open(url, folder, stack)
        figures = await _load(bench)
        await bench.store.sample_tokens()
        random = Random(2)

        def patient() -> str:
            return f"p{random.randrange(PATIENTS)}"

        asks: dict[str, Callable[[], tuple[str, str, bytes]]] = {
            "read": lambda: ("GET", f"/fhir/Observation/o{random.randrange(PATIENTS * READINGS_EACH)}", b""),
            "search_identifier": lambda: ("GET", f"/fhir/Patient?identifier=urn:n|{random.randrange(PATIENTS)}", b""),
            "search_latest": lambda: (
                "GET",
                f"/fhir/Observation?patient={patient()}&code=http://loinc.org|29463-7&_sort=-date&_count=1",
                b"",
            ),
            "search_page": lambda: ("GET", f"/fhir/Observation?patient={patient()}&_sort=-date&_count=20", b""),
            "search_type": lambda: ("GET", "/fhir/Observation?code=http://loinc.org|29463-7&_sort=-date&_count=20", b""),
            "create": lambda: ("POST", "/fhir/Observation", _ENCODED.replace(b"Patient/p0", f"Patient/{patient()}".encode())),
        }
        for name, ask in asks.items():
            figures |= await _rate(bench, name, ask)
        return figures


async def _open(url: str, folder: Path, stack: AsyncExitStack) -> Bench:
    clock, random = SystemClock(ZONE), Random(1)
    secrets, algorithms = InstallationSecrets.load(folder / "secrets"), suite_named("international")
    database = await Database.open(url, zone=ZONE, size=20)
    stack.push_async_callback(database.close)
    audit = await Audit.open(database, AuditPlace(secrets, algorithms, 1), clock)
    stack.push_async_callback(audit.close)
    store = await Store.open(database, audit, clock, StoreOptions(secrets.key("token"), secrets.key("cursor")))
    stack.push_async_callback(store.close)
    scopes = Scopes(secrets, algorithms, clock, load_roles())
    house = scopes.system_scope()
    doctor = scopes.acting_for(house, ActingFor("responsible_doctor", (COUNTY,), account_no=7, login="doctor"))
    exchange = Exchange(Rooms(database, store, Residents(database, store), Register()), Ledger(database, Blobs(folder / "blobs"), clock, 1))

    async def scope_of(_token: str) -> Scope:
        return doctor

    doors = FhirDoors(store, exchange, audit, scope_of, lambda: uuid7(clock, random), clock, "bench")
    return Bench(database, store, Starlette(routes=fhir_routes(doors)), house)


async def _load(bench: Bench) -> dict[str, Any]:
    patients = [_patient(n) for n in range(PATIENTS)]
    readings = [_reading(n) for n in range(PATIENTS * READINGS_EACH)]
    rids = await _write(bench, patients)
    async with bench.database.transaction() as connection:
        await bench.store.write_links(connection, [Link(rid, rid, "bench") for rid in rids], Cause(0, 1, 0))
        await bench.store.write_scopes(connection, [Belonging(rid, COUNTY[0] + rid % 1000, None, "bench") for rid in rids], Cause(0, 1, 0))
    wall, cpu = time.perf_counter(), time.process_time()
    await _write(bench, readings)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"bundle_resources_per_s": round(len(readings) / wall), "bundle_resource_cpu_ms": round(cpu * 1000 / len(readings), 3)}


async def _write(bench: Bench, bodies: list[dict[str, Any]]) -> list[int]:
    rids: list[int] = []
    for start in range(0, len(bodies), 200):
        puts = [Put(body["resourceType"], body["id"], body) for body in bodies[start : start + 200]]
        async with bench.database.transaction() as connection:
            rids += [outcome.rid for outcome in await bench.store.write(connection, bench.house, puts, Cause(start + 1, 1, 0))]
    return rids


async def _rate(bench: Bench, name: str, ask: Callable[[], tuple[str, str, bytes]]) -> dict[str, Any]:
    await asyncio.gather(*(_request(bench.app, *ask()) for _ in range(AT_ONCE)))
    ends = time.perf_counter() + SECONDS

    async def client() -> int:
        done = 0
        while time.perf_counter() < ends:
            status = await _request(bench.app, *ask())
            if status >= 300:
                raise AssertionError(f"{name}: status {status}")
            done += 1
        return done

    wall, cpu = time.perf_counter(), time.process_time()
    done = sum(await asyncio.gather(*(client() for _ in range(AT_ONCE))))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {f"{name}_per_s": round(done / wall), f"{name}_cpu_ms": round(cpu * 1000 / done, 3)}


async def _request(app: Starlette, method: str, url: str, content: bytes) -> int:
    path, _, query = url.partition("?")
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    headers = [
        (b"host", b"bench"),
        (b"authorization", b"Bearer x"),
        (b"content-type", b"application/fhir+json"),
        (b"prefer", b"return=minimal"),
    ]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
        "root_path": "",
        "scheme": "http",
    }
    call: Awaitable[None] = app({**scope, "server": ("bench", 80), "client": ("bench", 1), "http_version": "1.1"}, receive, send)
    await call
    return status


def _patient(number: int) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "identifier": [{"system": "urn:n", "value": str(number)}],
        "name": [{"text": f"虚构{number}", "family": "虚", "given": [f"构{number}"]}],
        "gender": "female" if number % 2 else "male",
        "birthDate": f"19{30 + number % 60}-0{1 + number % 9}-15",
        "telecom": [{"system": "phone", "value": f"0000{number:07d}"}],
    }


def _reading(number: int) -> dict[str, Any]:
    random = Random(number)  # codes and dates independent of each other and of the number
    code = random.choice(("29463-7", "8302-2", "8867-4", "39156-5"))
    day = f"20{random.randrange(20, 26)}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}"
    return {
        "resourceType": "Observation",
        "id": f"o{number}",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": "虚构的测量"}], "text": "虚构的测量"},
        "subject": {"reference": f"Patient/p{number % PATIENTS}"},
        "encounter": {"reference": f"Encounter/e{number // 4}"},
        "effectiveDateTime": f"{day}T08:30:00+08:00",
        "performer": [{"reference": f"Organization/g{number % 20}"}],
        "valueQuantity": {"value": 60 + number % 50, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }


_ENCODED = json.encode({name: value for name, value in _reading(0).items() if name != "id"})
