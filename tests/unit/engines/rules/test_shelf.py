"""What is kept under a key is told while a newer one is made, and never made twice at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from xinglin.engines.rules.shelf import Shelf


@dataclass(frozen=True)
class Thing:
    seq: int
    bytes: int = 10


class Maker:
    """Makes things of the seq it stands at; waits until it is let go."""

    def __init__(self) -> None:
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, seq: int) -> Thing:
        self.made += 1
        await self.gate.wait()
        return Thing(seq)


async def test_what_is_true_for_the_seq_is_not_made_again() -> None:
    shelf, maker = Shelf[Thing](100), Maker()
    assert (await shelf.get("a", 3, maker, None)).seq == 3
    assert (await shelf.get("a", 2, maker, None)).seq == 3 and maker.made == 1
    assert (await shelf.get("a", 4, maker, None)).seq == 4 and maker.made == 2


async def test_many_at_once_wait_for_one_making() -> None:
    shelf, maker = Shelf[Thing](100), Maker()
    found = await asyncio.gather(*(shelf.get("a", 1, maker, None) for _ in range(5)))
    assert maker.made == 1 and {one.seq for one in found} == {1}


async def test_who_is_not_patient_gets_the_older_one_and_the_newer_is_made_meanwhile() -> None:
    shelf, maker = Shelf[Thing](100), Maker()
    await shelf.get("a", 1, maker, None)
    maker.gate.clear()
    assert (await shelf.get("a", 2, maker, 0.01)).seq == 1
    maker.gate.set()
    assert (await shelf.get("a", 2, maker, None)).seq == 2 and maker.made == 2


async def test_what_was_used_longest_ago_goes_first() -> None:
    shelf, maker = Shelf[Thing](25), Maker()
    for key in ("a", "b"):
        await shelf.get(key, 1, maker, None)
    await shelf.get("a", 1, maker, None)
    await shelf.get("c", 1, maker, None)
    assert shelf.peek("a") is not None and shelf.peek("c") is not None and shelf.peek("b") is None


async def test_refresh_makes_what_was_used_and_is_behind() -> None:
    shelf, maker = Shelf[Thing](100), Maker()
    await shelf.get("a", 1, maker, None)
    assert not await shelf.refresh(2, float("inf")) and not await shelf.refresh(1, 0.0)
    assert await shelf.refresh(2, 0.0) and not await shelf.refresh(2, 0.0)
    kept = shelf.peek("a")
    assert kept is not None and kept.seq == 2
