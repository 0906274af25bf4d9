"""A steward of one township neither moves nor assigns residents of another."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.district import EAST, WEST, open_district, scope_of
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
