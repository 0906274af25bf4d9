"""A ruling on a doubt moves the record and closes the doubt, both or neither."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime

import pytest

from tests.district import ZONE, open_district, resident, scope_of, send
from xinglin.assembly import Platform
from xinglin.base.errors import ConflictError, UnavailableError
from xinglin.engines.identity import Review, ReviewQueue, Ruling
from xinglin.engines.store import Cause


class Dying:
    """A clock that is asked when the doubt is about to be closed, as when the process is killed there."""

    zone = ZONE

    def now(self) -> datetime:
        raise UnavailableError("没有了", "gone")

    def today(self) -> date:
        raise UnavailableError("没有了", "gone")


@pytest.fixture
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as opened:
        yield opened


async def test_a_ruling_that_is_cut_off_moved_nothing_and_is_made_again(platform: Platform) -> None:
    await send(platform, resident(70, "褚测", 420999101201, "E1"), message_id="one")
    other = resident(70, "卫测", 420999101201, "E1") | {"id": "p70-other", "birthDate": "1988-01-02"}
    await send(platform, other, message_id="other")
    steward = scope_of(platform, "steward")

    async def doubt() -> Review:
        (found,), _ = await platform.reviews.reviews(steward, (False, ""), (50, 0))
        return found

    before = await doubt()
    assert before.own_person != before.person
    ruling = Ruling("merged", "核对过户口本", await platform.exchange.trust(), Cause(1, 1, steward.account_no))
    dying = ReviewQueue(platform.database, platform.residents, Dying())
    with pytest.raises(UnavailableError):
        await dying.rule(steward, before.review, ruling)
    assert await doubt() == before
    done = await platform.reviews.rule(steward, before.review, ruling)
    assert done.own_person == done.person and done.closed_at is not None
    with pytest.raises(UnavailableError):
        await ReviewQueue(platform.database, platform.residents, Dying()).rule(steward, before.review, replace(ruling, decision="split"))
    assert (await platform.reviews.review(steward, before.review))[0] == done


async def test_of_two_who_split_one_doubt_at_once_one_makes_a_new_person(platform: Platform) -> None:
    await send(platform, resident(71, "蒋测", 420999101201, "E1"), message_id="third")
    other = resident(71, "沈测", 420999101201, "E1") | {"id": "p71-other", "birthDate": "1988-01-03"}
    await send(platform, other, message_id="fourth")
    steward = scope_of(platform, "steward")
    (before,), _ = await platform.reviews.reviews(steward, (False, ""), (50, 0))
    ruling = Ruling("merged", "核对过户口本", await platform.exchange.trust(), Cause(1, 1, steward.account_no))
    await platform.reviews.rule(steward, before.review, ruling)
    split = replace(ruling, decision="split", reason="认错了")
    answers = await asyncio.gather(*(platform.reviews.rule(steward, before.review, split) for _ in range(2)), return_exceptions=True)
    assert sorted(isinstance(answer, ConflictError) for answer in answers) == [False, True]
    async with platform.database.connection() as connection:
        assert await connection.fetchval("select count(*) from person_link where patient = $1 and to_seq is null", before.patient) == 1
        # Where it was first, with the other, and apart again: a second new person was not made.
        assert await connection.fetchval("select count(*) from person_link where patient = $1", before.patient) == 3
