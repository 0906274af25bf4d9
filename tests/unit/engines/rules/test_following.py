"""Results follow the record: few people one by one, a load all at once, and a restart goes on where the last one stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.district import followup, open_district, resident, send
from xinglin.assembly import Platform, make_lake, make_rules
from xinglin.engines.lake import LakeService
from xinglin.engines.rules import FollowOptions, ResultFollower


@dataclass
class Engine:
    """The engine process' rooms, taken step by step."""

    platform: Platform
    lake: LakeService
    follower: ResultFollower

    async def step(self) -> int | None:
        """Refresh the columns and reckon whom that concerns; returns how many, None where it must be everyone."""
        self.follower.tell((await self.lake.refresh()).seq)
        return await self.follower.catch_up()

    async def results(self) -> set[tuple[Any, ...]]:
        async with self.platform.database.connection() as connection:
            rows = await connection.fetch("select person, definition, due_by, state::text from result where applies")
        return {tuple(row) for row in rows}

    def restarted(self) -> ResultFollower:
        """Return a follower as a new process has it."""
        return follower_of(self.platform, self.lake)


def follower_of(platform: Platform, lake: LakeService, most_persons: int = 4) -> ResultFollower:
    rules = make_rules(platform.settings, (platform.database, platform.store, platform.security), lake)
    return ResultFollower(rules, platform.runs, (platform.database, platform.clock), FollowOptions(most_persons, 0.1, 5))


@pytest.fixture
async def engine(database_url: str, tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_district(database_url, tmp_path) as platform:
        lake = make_lake(platform.settings, platform)
        try:
            yield Engine(platform, lake, follower_of(platform, lake))
        finally:
            await lake.stop()


def enrolled(serial: int) -> dict[str, Any]:
    """Return the enrolment of resident p<serial> in the hypertension programme."""
    return {
        "resourceType": "EpisodeOfCare", "id": f"e{serial}", "status": "active", "patient": {"reference": f"Patient/p{serial}"},
        "type": [{"coding": [{"system": "urn:xinglin:cs:programme", "code": "hypertension"}]}], "period": {"start": "2026-01-05"},
    }  # fmt: skip


async def test_results_follow_what_is_sent(engine: Engine) -> None:
    assert await engine.step() is None, "five residents are more than four"
    assert await engine.follower.is_stale()
    first = await engine.platform.runs.run("results", engine.follower.evaluate_all)
    assert first.went_well and first.detail["drifted"] == 0
    assert not await engine.follower.is_stale()
    assert await engine.step() == 0

    before = await engine.results()
    await send(engine.platform, enrolled(1), message_id="enrol")
    assert await engine.step() == 1
    one = await engine.results() - before
    assert {row[0] for row in one} and len({row[0] for row in one}) == 1, "what is due of who was enrolled, and of nobody else"

    await send(engine.platform, *followup(1, "2026-11-20", (150, 92)), message_id="late")
    restarted = engine.restarted()
    restarted.tell((await engine.lake.refresh()).seq)
    assert await restarted.catch_up() == 1, "a new process goes on where the last one stopped"
    assert await engine.results() != before | one
    again = await restarted.evaluate_all(engine.platform.clock.today())
    assert again["drifted"] == 0, "both paths say the same"

    await send(engine.platform, *[resident(n, f"李测{n}", 420999101201, "E1") for n in range(20, 29)], message_id="many")
    assert await engine.step() is None
