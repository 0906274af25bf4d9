"""An erasure reaches the lake whoever has it in hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from xinglin.base.clock import SystemClock
from xinglin.base.errors import UnavailableError
from xinglin.cli import erasing
from xinglin.engines.lake import WRITER_LOCK, load_views
from xinglin.engines.lake import Lake as OpenLake


class Engine:
    """An engine process that answers once it has been asked so often. says: the place of what it answers is wrong, "" = nothing is."""

    def __init__(self, comes_up_at: int, says: str = "") -> None:
        self.asked, self._comes_up_at, self._says = 0, comes_up_at, says

    async def call_within(self, limit_s: float, name: str) -> None:
        self.asked += 1
        if self.asked < self._comes_up_at:
            raise UnavailableError("统计引擎没有回答", "the engine process does not answer")
        if self._says:
            raise UnavailableError("不行", "it cannot be", where=self._says)


class Lake:
    """A lake of this process. where: of the refusal to write it, "" = it is written."""

    def __init__(self, where: str) -> None:
        self.where, self.done = where, list[str]()

    async def refresh(self) -> None:
        if self.where:
            raise UnavailableError("不行", "it cannot be", where=self.where)
        self.done.append("refreshed")

    async def tidy(self) -> None:
        self.done.append("tidied")

    async def stop(self) -> None:
        self.done.append("stopped")


async def refreshed(engine: Engine, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasing, "make_lake", lambda settings, platform: lake)
    monkeypatch.setattr(erasing, "_AGAIN_S", 0.0)
    platform: Any = SimpleNamespace(engine=engine, settings=None)
    await erasing.refresh_lake(platform)


async def test_an_engine_that_is_coming_up_and_has_the_lake_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(comes_up_at=3)
    await refreshed(engine, Lake(WRITER_LOCK), monkeypatch)
    assert engine.asked == 3


async def test_without_an_engine_the_lake_is_written_here(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, lake = Engine(comes_up_at=99), Lake("")
    await refreshed(engine, lake, monkeypatch)
    assert engine.asked == 1 and lake.done == ["refreshed", "tidied", "stopped"]


@pytest.mark.parametrize("where", ["database", "lake"])
async def test_what_waiting_does_not_mend_is_told(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    with pytest.raises(UnavailableError, match="it cannot be"):
        await refreshed(Engine(comes_up_at=99), Lake(where), monkeypatch)


async def test_an_engine_that_cannot_write_the_lake_is_not_asked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(comes_up_at=2, says="lake")
    with pytest.raises(UnavailableError, match="it cannot be"):
        await refreshed(engine, Lake(WRITER_LOCK), monkeypatch)
    assert engine.asked == 2


def test_a_lake_another_has_names_its_lock(tmp_path: Path) -> None:
    views, clock = load_views(ZoneInfo("Asia/Shanghai")), SystemClock(ZoneInfo("Asia/Shanghai"))
    first = OpenLake(tmp_path, views, clock)
    with pytest.raises(UnavailableError) as refused:
        OpenLake(tmp_path, views, clock)
    first.close()
    assert refused.value.where == WRITER_LOCK
