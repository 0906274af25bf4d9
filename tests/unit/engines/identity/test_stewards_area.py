"""A steward of one township neither moves nor assigns residents of another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.district import EAST, WEST, open_district, resident, scope_of, send
from xinglin.assembly import Platform
from xinglin.base.errors import ForbiddenError, NotFoundError
from xinglin.engines.store import Cause


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as found:
        yield found


async def test_a_resident_elsewhere_cannot_be_drawn_into_ones_own_area(platform: Platform) -> None:
    west, cause = scope_of(platform, "steward", WEST), Cause(1, 1, 7)
    [card] = await platform.residents.find(scope_of(platform, "steward", EAST), "李测一")
    with pytest.raises(NotFoundError):
        await platform.residents.assign(west, [card.person], (420999102201, None), ("测试", cause))
    with pytest.raises(ForbiddenError):
        await platform.residents.assign(west, [], (420999101201, None), ("测试", cause))
    trust = await platform.exchange.trust()
    with pytest.raises(NotFoundError):
        await platform.residents.move(west, card.patients, None, ("测试", trust, cause))
    [own] = await platform.residents.find(west, "赵测五")
    with pytest.raises(NotFoundError):
        await platform.residents.move(west, own.patients, card.person, ("测试", trust, cause))
    await platform.residents.assign(scope_of(platform, "steward"), [card.person], (420999102201, None), ("测试", cause))
    assert (await platform.residents.card(west, card.person)).name == "李测一"


async def test_a_stewards_placing_outlives_a_later_version_of_the_record(platform: Platform) -> None:
    county, cause = scope_of(platform, "steward"), Cause(1, 1, 7)
    [card] = await platform.residents.find(county, "李测二")
    await platform.residents.assign(county, [card.person], (420999102201, None), ("测试", cause))
    await send(platform, resident(2, "李测二", 420999101201, "E1", deceasedBoolean=False))
    assert [found.person for found in await platform.residents.find(scope_of(platform, "steward", WEST), "李测二")] == [card.person]


async def test_a_review_is_seen_by_stewards_who_see_both_sides(platform: Platform) -> None:
    county, west, east = (scope_of(platform, "steward", *area) for area in ((), (WEST,), (EAST,)))
    other = resident(3, "冯异名", 420999102201, "W1") | {"id": "p3-other", "birthDate": "1971-01-01"}
    await send(platform, other, message_id="doubt between townships")
    [found], total = await platform.reviews.reviews(county, (False, ""), (50, 0))
    assert total == 1 and len((await platform.reviews.review(county, found.review))[1]) == 2
    for steward in (west, east):
        assert await platform.reviews.reviews(steward, (False, ""), (50, 0)) == ([], 0)
        with pytest.raises(NotFoundError):
            await platform.reviews.review(steward, found.review)
    with pytest.raises(ForbiddenError):
        await platform.reviews.review(scope_of(platform, "county"), found.review)


async def test_a_foreign_resident_split_off_belongs_nowhere(platform: Platform) -> None:
    county, cause = scope_of(platform, "steward"), Cause(1, 1, 7)
    await platform.exchange.ledger.source("elsewhere", name="外部样例", foreign=True)
    await send(platform, resident(31, "孙测三十一", 420999101201, "E1"), source="elsewhere")
    [card] = await platform.residents.find(county, "孙测三十一")
    trust = await platform.exchange.trust()
    await platform.residents.move(county, card.patients, None, ("拆分", trust, cause))
    assert await platform.residents.find(scope_of(platform, "responsible_doctor", EAST), "孙测三十一") == []
    assert len(await platform.residents.find(county, "孙测三十一")) == 1
