"""Values computed here: of the whole district whoever asks, one's own part beside it, and said to be missing where they are."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from tests.http.page_fixtures import scope_of_role
from tests.http.plan_world import make, table, upload
from tests.http.statistics_world import World, statistics_world
from xinglin.base.errors import BusyError, UnavailableError, XinglinError
from xinglin.engines.rules import Figure, MeasureRow
from xinglin.web.pages.plans_figures import AWAY, COUNTED, COUNTING, figures_of

COUNTY, TODAY = 420999000000, date(2026, 11, 22)


@pytest.fixture(scope="module")
async def world(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with statistics_world(database_url, tmp_path_factory.mktemp("figures")) as found:
        yield found


def words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


async def test_a_head_of_an_institution_sees_the_districts_line_and_the_own_part_beside_it(world: World) -> None:
    plan = await make(world.county, await upload(world.county))
    number = (await table(world.county, plan))["管理人群高血压控制率"]["id"]
    await world.county.post(f"/plans/indicators/{number}", {"action": "bind", "measure": "hypertension-control-rate"})
    county, leader = [(await table(person, plan))["管理人群高血压控制率"]["today"] for person in (world.county, world.leader)]
    assert (county["value"], county["denominator"]) == (leader["value"], leader["denominator"]) == (60.0, 5)  # type: ignore[index]
    page = words((await world.leader.get(f"/plans/indicators/{number}")).text)
    assert "本辖区" in page and "全县机构中第" in page and "本辖区内的排名" in page
    assert "本辖区与全县" in words((await world.leader.get(f"/plans/cockpit?plan={plan}")).text)
    assert "本辖区" in words((await world.leader.get(f"/plans/indicators?plan={plan}")).text)
    own = words((await world.county.get(f"/plans/indicators/{number}")).text)
    assert "本辖区" not in own
    west = words((await world.west_health.get(f"/plans/indicators/{number}")).text)
    assert "60 %" in west and "本辖区" in west


def test_the_scope_for_totals_holds_no_right_and_asks_for_plan_read(world: World) -> None:
    security = world.platform.security
    wide = security.for_totals(scope_of_role("leader"), [(COUNTY, COUNTY + 999_999)])
    assert (wide.rights, wide.areas, wide.sees_unassigned) == (frozenset(), ((COUNTY, COUNTY + 999_999),), False)
    with pytest.raises(XinglinError):
        security.for_totals(scope_of_role("village_doctor"), [(COUNTY, COUNTY + 999_999)])


class Measures:
    """Measures that answer, fail, or have counted nothing yet."""

    def __init__(self, error: XinglinError | None = None, seq: int = 7) -> None:
        self.error, self.seq = error, seq

    async def overview(self, scope: Any, asks: Sequence[tuple[str, Sequence[date]]]) -> list[list[Figure]]:
        if self.error is not None:
            raise self.error
        row = MeasureRow(None, 3, 5, 0, {}, 0.6, None)
        return [[Figure(day, row, self.seq) for day in days] for _, days in asks]


@pytest.mark.parametrize(
    ("measures", "state", "shown"),
    [
        (Measures(), COUNTED, 1),
        (Measures(seq=0), COUNTING, 0),
        (Measures(BusyError("忙", "busy")), COUNTING, 0),
        (Measures(UnavailableError("不在", "away")), AWAY, 0),
    ],
)
async def test_what_is_not_counted_is_said_and_never_a_zero(measures: Measures, state: str, shown: int) -> None:
    async def children(area: int | None) -> list[Any]:
        return [SimpleNamespace(area=COUNTY)]

    platform = SimpleNamespace(geo=SimpleNamespace(children=children), measures=measures, security=None)
    visit: Any = SimpleNamespace(platform=platform, scope=scope_of_role("county", ((COUNTY, COUNTY + 999_999),)))
    found = await figures_of(visit, ["hypertension-control-rate"], TODAY)
    assert (found.state, len(found.by_measure), found.is_part) == (state, shown, False)
    assert (found.pending is None) == (state == COUNTED)
