"""Background work is begun once, ended where it waits, and may begin again."""

from __future__ import annotations

import asyncio

from xinglin.base.loop import Loop


async def test_work_is_begun_once_and_may_begin_again_after_its_end() -> None:
    begun: list[int] = []
    forever = asyncio.Event()

    async def work() -> None:
        begun.append(1)
        await forever.wait()

    loop = Loop("work")
    await loop.stop()
    for expected in (1, 2):
        loop.start(work)
        loop.start(work)
        await asyncio.sleep(0)
        assert len(begun) == expected
        await loop.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "work"]
