"""A follow-up entered for one resident: how soon it is saved and reckoned, how soon the district's indicator shows it."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

from bench.house import House
from bench.load import samples
from xinglin.assembly import Platform
from xinglin.base.ids import uuid7
from xinglin.definitions import FormContext, parse_answers, shipped_forms
from xinglin.engines.exchange import OWN_PAGES, Entry, Submission
from xinglin.engines.rules import MemberQuery
from xinglin.modules.chronic_disease.recording import Setting, followup_entries
from xinglin.synthetic import Plan, generate

MEASURE: Final = "hypertension-control-rate"
SAVES: Final = 60
REFRESHES: Final = 5
PATIENCE_S: Final = 300.0
_RAW: Final = {
    "way": "1", "symptoms": "1", "danger_signs": "1", "weight": "70.5", "height": "165", "heart_rate": "78", "salt": "2", "salt_target": "1",
    "medication_adherence": "1", "adverse_reaction": "1", "doctor": "医生",
}  # fmt: skip


class Desk:
    """Writes follow-ups of managed residents as the form's page does."""

    def __init__(self, platform: Platform, worker: str, institution: str) -> None:
        self._platform = platform
        self._worker, self._institution = worker, institution
        self._random = Random(7)
        self._scope = platform.security.system_scope()

    @classmethod
    async def open(cls, platform: Platform) -> Desk:
        """Return a desk at which the first worker of the district sits."""
        async with platform.database.connection() as connection:
            worker = next(one for one in await platform.register.practitioners(connection) if one.institution)
        keys = await platform.store.keys([worker.rid, worker.institution])
        return cls(platform, keys[worker.rid][1], keys[worker.institution][1])

    async def persons(self, count: int) -> list[int]:
        """Return residents whose blood pressure counts as controlled now."""
        await self.settled()
        query = MemberQuery("numerator", size=count)
        page = await self._platform.measures.members(self._scope, MEASURE, self._platform.clock.today(), query)
        if not page.members:
            raise AssertionError("nobody counts as controlled: the district is too small or not reckoned yet")
        return [member.person for member in page.members]

    async def save(self, person: int, pressure: str) -> float:
        """Save a follow-up of today and reckon the resident again; returns the seconds from sending it to the new results."""
        message = await self._filled(person, pressure)
        began = time.perf_counter()
        receipt = await self._platform.exchange.submit(self._scope, message)
        if receipt.problems:
            raise AssertionError(f"the follow-up was refused: {receipt.problems[0].path} {receipt.problems[0].en}")
        await self._platform.rules.evaluate_person(person, self._platform.clock.today())
        return time.perf_counter() - began

    async def _filled(self, person: int, pressure: str) -> Submission:
        platform, today = self._platform, self._platform.clock.today()
        episode, patient = await self._enrolment(person)
        form = shipped_forms(today)["hypertension-followup"]
        card = await platform.residents.card(self._scope, person)
        await platform.rules.look_ahead(person)  # as the form's page does when it is opened
        raw = {**_RAW, "visit_date": today.isoformat(), "systolic": pressure}
        parsed = parse_answers(form, raw, FormContext(today, {"birth_date": card.birth_date, "previous_outcome_class": None}))
        at = platform.clock.now().astimezone(platform.clock.zone)
        entries = followup_entries(form, parsed.answers, Setting(patient, self._worker, self._institution, at, self._new_id, episode))
        return _message(self._new_id(), orjson.dumps([entry.resource for entry in entries], default=str), entries)

    async def _enrolment(self, person: int) -> tuple[str, str]:
        """Return the id of the enrolment and of its source patient: the present one, else the last (who left this year still counts)."""
        found: list[tuple[bool, str, str]] = []
        for stored in await self._platform.store.person_bodies(self._scope, person, ["EpisodeOfCare"]):
            body = orjson.loads(stored.body)
            if body["type"][0]["coding"][0]["code"] == "hypertension":
                found.append((body["status"] != "active", stored.id, str(body["patient"]["reference"]).removeprefix("Patient/")))
        if not found:
            raise AssertionError("a counted resident has no enrolment")
        return min(found)[1:]

    def _new_id(self) -> str:
        return uuid7(self._platform.clock, self._random)

    async def numerator(self) -> tuple[int, int]:
        """Return the indicator's numerator as the county page would show it, and the seq it is true for."""
        table = await self._platform.measures.measure(self._scope, MEASURE, self._platform.clock.today())
        return int(table.total.numerator), table.seq

    async def settled(self) -> int:
        """Wait until the indicator is true for all that is recorded now; return its numerator."""
        head, began = await self._platform.store.head(), time.perf_counter()
        while True:
            numerator, seq = await self.numerator()
            if seq >= head:
                return numerator
            _check_patience(began)
            await asyncio.sleep(0.1)


def _check_patience(began: float) -> None:
    if time.perf_counter() - began > PATIENCE_S:
        raise TimeoutError("the indicator did not come up to the record within five minutes")


def _message(number: str, content: bytes, entries: Sequence[Entry]) -> Submission:
    named = [Entry(entry.resource, f"urn:uuid:{entry.resource['id']}") if "id" in entry.resource else entry for entry in entries]
    return Submission(OWN_PAGES, f"page-{number}", content, named, kind="form", media="application/json")


async def refresh_figures(platform: Platform) -> dict[str, Any]:
    """Return seconds from a follow-up being sent to the indicator that counts it: the median of a few."""
    desk = await Desk.open(platform)
    taken = []
    for person in await desk.persons(REFRESHES):
        before = await desk.settled()
        began = time.perf_counter()
        await desk.save(person, "172/104")
        while (await desk.numerator())[0] == before:
            _check_patience(began)
            await asyncio.sleep(0.05)
        taken.append(time.perf_counter() - began)
    return {"lake_refresh_s": round(statistics.median(taken), 2), "lake_refresh": {"each_s": [round(one, 2) for one in taken]}}


async def person_figures(platform: Platform, house: House) -> dict[str, Any]:
    """Return milliseconds from a form's save to the resident's new results, while another process imports."""
    desk = await Desk.open(platform)
    persons = await desk.persons(SAVES + 1)
    await desk.save(persons[0], "128/80")
    taken = []
    async with importing(house):
        for person in persons[1:]:
            taken.append(await desk.save(person, "128/80") * 1000)
            await asyncio.sleep(0.05)
    taken.sort()
    detail = {"saves": len(taken), "p95_ms": round(taken[int(len(taken) * 0.95)], 1)}
    return {"one_person_ms": round(statistics.median(taken), 1), "one_person": detail}


@asynccontextmanager
async def importing(house: House) -> AsyncIterator[None]:
    """Let `xinglin import` run beside the block: the foreign bundles, or a second invented district where they are not here."""
    folder = samples() or _invented(house.data_dir / "bench-import")
    command = [sys.executable, "-m", "xinglin", "import", str(folder), "--source", f"bench-{time.monotonic_ns()}"]
    environment = {**os.environ, "XINGLIN_DATA": str(house.data_dir), "XINGLIN_DATABASE_URL": ""}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        await asyncio.sleep(5)  # the command has started and writes
        if process.poll() is not None:
            raise AssertionError("the import ended before anything was measured beside it")
        yield
    finally:
        process.terminate()
        process.wait(30)


def _invented(folder: Path) -> Path:
    if not folder.exists():
        generate(Plan(residents=500, seed=9), folder)
    return folder / "base-platform"
