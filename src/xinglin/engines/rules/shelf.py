"""Things that cost much to make and are asked for often: kept under a key with the seq they are true for, made again as the seq moves."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar


class Keepable(Protocol):
    """Something with the seq it is true for and the memory it takes."""

    @property
    def seq(self) -> int:
        """Return the seq it is true for."""
        ...

    @property
    def bytes(self) -> int:
        """Return the memory it takes."""
        ...


T = TypeVar("T", bound=Keepable)
Make = Callable[[int], Awaitable[T]]


@dataclass(slots=True)
class _Place(Generic[T]):
    kept: T
    make: Make[T]
    used_at: float


class Shelf(Generic[T]):
    """The latest of each key, up to a sum of bytes; what was not used longest goes first. Each key is made by one task at a time."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._places: OrderedDict[Hashable, _Place[T]] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[T]] = {}
        self._bytes = 0
        self.puts = 0

    def items(self) -> list[tuple[Any, T]]:
        """Return what is kept, by key."""
        return [(key, place.kept) for key, place in self._places.items()]

    def peek(self, key: Hashable) -> T | None:
        """Return what stands under a key, however old, without waiting; it counts as used."""
        place = self._places.get(key)
        if place is None:
            return None
        place.used_at = time.monotonic()
        self._places.move_to_end(key)
        return place.kept

    def put(self, key: Hashable, kept: T) -> None:
        """Keep something that was made elsewhere and is true for good; `refresh` does not make it again."""

        async def same(_: int) -> T:
            return kept

        self._put(key, _Place(kept, same, time.monotonic()))

    def renew(self, key: Hashable, before: T, after: T) -> None:
        """Keep something newer in the place of what was kept, unless that has been made anew meanwhile."""
        place = self._places.get(key)
        if place is not None and place.kept is before:
            self.puts += 1
            self._bytes += after.bytes - before.bytes
            place.kept = after

    async def get(self, key: Hashable, seq: int, make: Make[T], patience_s: float | None) -> T:
        """Return what stands under a key if it is true for seq or later; else make it.

        patience_s: where something older is kept, return that when making takes longer; the making goes on. None = wait.
        """
        place = self._places.get(key)
        if place is not None:
            place.used_at = time.monotonic()
            self._places.move_to_end(key)
            if place.kept.seq >= seq:
                return place.kept
        task = self._task(key, make, seq)
        if place is None or patience_s is None:
            return await asyncio.shield(task)
        done, _ = await asyncio.wait({task}, timeout=patience_s)
        return task.result() if done else place.kept

    async def refresh(self, seq: int, used_since: float) -> bool:
        """Make the oldest of those that are behind seq and were used since an instant; tell whether there was one."""
        behind = [
            (place.kept.seq, number, key, place.make)
            for number, (key, place) in enumerate(self._places.items())
            if place.used_at >= used_since and place.kept.seq < seq and key not in self._making
        ]
        if not behind:
            return False
        _, _, key, make = min(behind, key=lambda one: one[:2])
        await asyncio.shield(self._task(key, make, seq))
        return True

    def _task(self, key: Hashable, make: Make[T], seq: int) -> asyncio.Task[T]:
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._run(key, make, seq))
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
        return task

    async def _run(self, key: Hashable, make: Make[T], seq: int) -> T:
        try:
            made = await make(seq)
            self._put(key, _Place(made, make, time.monotonic()))
            return made
        finally:
            del self._making[key]

    def _put(self, key: Hashable, place: _Place[T]) -> None:
        self.puts += 1
        before = self._places.pop(key, None)
        if before is not None:
            place.used_at = before.used_at
        self._bytes += place.kept.bytes - (before.kept.bytes if before is not None else 0)
        self._places[key] = place
        while self._bytes > self._most_bytes and len(self._places) > 1:
            _, gone = self._places.popitem(last=False)
            self._bytes -= gone.kept.bytes
