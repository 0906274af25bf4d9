"""Calls between processes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from xinglin.base.channel import Channel, serving
from xinglin.base.errors import ConflictError, FaultError, UnavailableError


async def _double(number: int) -> int:
    await asyncio.sleep(0)
    return number * 2


async def _refuse() -> None:
    raise ConflictError("已有别人修改", "somebody else changed it", where="row 3")


async def _break() -> None:
    raise ZeroDivisionError


async def test_calls_answer_and_errors_keep_their_meaning(tmp_path: Path) -> None:
    async with serving(tmp_path / "s", {"double": _double, "refuse": _refuse, "break": _break}):
        channel = Channel(tmp_path / "s")
        assert await asyncio.gather(*(channel.call("double", number=n) for n in range(20))) == [2 * n for n in range(20)]
        with pytest.raises(ConflictError) as refusal:
            await channel.call("refuse")
        assert (refusal.value.zh, refusal.value.where, refusal.value.http_status) == ("已有别人修改", "row 3", 409)
        with pytest.raises(FaultError):
            await channel.call("break")
        with pytest.raises(FaultError):
            await channel.call("unknown")
        await channel.close()


async def test_a_process_that_is_away_is_unavailable_and_back_again(tmp_path: Path) -> None:
    channel = Channel(tmp_path / "s")
    with pytest.raises(UnavailableError):
        await channel.call("double", number=1)
    async with serving(tmp_path / "s", {"double": _double}):
        assert await channel.call("double", number=4) == 8
    await channel.close()


async def test_a_process_that_hangs_is_told_after_the_limit_and_the_next_call_is_not_given_its_answer(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def hang() -> str:
        await release.wait()
        return "late"

    async with serving(tmp_path / "s", {"hang": hang, "double": _double}):
        channel = Channel(tmp_path / "s", limit_s=0.05)
        with pytest.raises(UnavailableError) as told:
            await channel.call("hang")
        assert "0.05" in told.value.zh and told.value.http_status == 503
        release.set()
        assert await channel.call_within(30, "double", number=2) == 4, "on a connection of its own"
        assert await channel.call_within(30, "hang") == "late"
        await channel.close()
