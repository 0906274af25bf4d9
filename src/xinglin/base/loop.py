"""Work that goes on in the background of a process until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any


class Loop:
    """One endless piece of work: begun once, however often it is started; stopped by cutting it off where it waits.

    name: as it shows among the tasks of the process.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Begin the work, unless it goes on already."""
        if self._task is None:
            self._task = asyncio.create_task(work(), name=self._name)

    async def stop(self) -> None:
        """End the work and return once it has ended; it may be started again."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
