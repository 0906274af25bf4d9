"""Pages under twenty users at once while a writer writes."""

from __future__ import annotations

import asyncio
import re
import statistics
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from random import Random
from typing import Any, Final

import httpx

from bench.house import House
from bench.writer import writing
from xinglin.assembly import Platform
from xinglin.base.settings import DEMO_PASSWORD

USERS: Final = 20
SECONDS: Final = 60.0
PAUSE_S: Final = (0.5, 1.5)
# Who opens what: nine doctors at their list, eight at a resident, three at the county's figures.
_DOCTORS: Final = ("responsible_doctor", "village_doctor", "neighbour_doctor", "nurse")
_TOKEN: Final = re.compile(r'name="form-token" content="([0-9a-f]{64})"')
_RESIDENT: Final = re.compile(r"/residents/(\d+)\b")


async def page_figures(platform: Platform, house: House) -> dict[str, Any]:
    """Return the 95th percentile of each page in milliseconds, from asking to the last byte, signed in, audited, uncached."""
    taken = {"work_list": list[float](), "resident": list[float](), "county": list[float]()}
    async with AsyncExitStack() as stack:
        writer = await stack.enter_async_context(writing(house))
        users = [await _sign_in(stack, house, login) for login in [*_DOCTORS] * 4 + ["county"] * 4]
        residents = [await _residents(user) for user in users[:16]]
        before, ends = house.cpu_s(), time.perf_counter() + SECONDS
        jobs = [_user(users[n], n, "work_list", lambda _: "/desk", (taken, ends)) for n in range(9)]
        jobs += [_user(users[n], n, "resident", _any_of(residents[n]), (taken, ends)) for n in (9, 10, 11, 12, 13, 14, 15, 0)]
        jobs += [_user(users[n], n, "county", lambda _: "/measures", (taken, ends)) for n in range(16, 19)]
        await asyncio.gather(*jobs)
        written = writer.written
        used = {kind: spent - before.get(kind, 0.0) for kind, spent in house.cpu_s().items() if kind != "parent"}
    figures = _told(taken, written)
    figures["pages"]["cpu_ms_a_page"] = {kind: round(spent * 1000 / sum(map(len, taken.values())), 1) for kind, spent in used.items()}
    return figures


async def _sign_in(stack: AsyncExitStack, house: House, login: str) -> httpx.AsyncClient:
    client = await stack.enter_async_context(httpx.AsyncClient(base_url=house.address, timeout=60, trust_env=False))
    token = _TOKEN.search((await client.get("/sign-in")).text)
    answer = await client.post("/sign-in", data={"login": login, "password": DEMO_PASSWORD, "form_token": token[1] if token else ""})
    if answer.status_code != 303:
        raise AssertionError(f"{login} could not sign in: {answer.status_code}")
    return client


async def _residents(client: httpx.AsyncClient) -> list[int]:
    found = [int(number) for number in _RESIDENT.findall((await client.get("/residents?size=100")).text)]
    if not found:
        raise AssertionError("the list shows no resident")
    return sorted(set(found))


def _any_of(residents: list[int]) -> Callable[[Random], str]:
    return lambda random: f"/residents/{random.choice(residents)}"


async def _user(
    client: httpx.AsyncClient, seed: int, name: str, address: Callable[[Random], str], work: tuple[dict[str, list[float]], float]
) -> None:
    random, (taken, ends) = Random(seed), work
    await asyncio.sleep(random.uniform(0, PAUSE_S[1]))
    while time.perf_counter() < ends:
        began = time.perf_counter()
        answer = await client.get(address(random))
        if answer.status_code != 200:
            raise AssertionError(f"{name}: status {answer.status_code}")
        taken[name].append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(random.uniform(*PAUSE_S))


def _told(taken: dict[str, list[float]], written: int) -> dict[str, Any]:
    def share(values: list[float], part: float) -> float:
        return round(sorted(values)[min(int(len(values) * part), len(values) - 1)], 1)

    detail = {
        name: {"pages": len(values), "p50_ms": round(statistics.median(values), 1), "p95_ms": share(values, 0.95)}
        for name, values in taken.items()
    }
    every = [value for values in taken.values() for value in values]
    return {"page_p95_ms": share(every, 0.95), "pages": {**detail, "users": USERS, "follow_ups_saved": written, "pause_s": list(PAUSE_S)}}
