"""The plans of a demonstration: its own lives at once, documents beside the project are compared with, loading again changes nothing."""

from __future__ import annotations

from pathlib import Path

from tests.district import open_district
from tests.http.plan_world import TABLE
from tests.http.signed_in import COUNTY
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.cli.demo_plans import folder_beside, load_demo_plans
from xinglin.engines.security import DemoAccount, NewMembership


async def test_the_demonstration_has_a_plan_and_plans_to_compare_with(database_url: str, tmp_path: Path) -> None:
    beside = tmp_path / "plans"
    beside.mkdir()
    (beside / "a.txt").write_text(TABLE, encoding="utf-8")
    (beside / "README.md").write_text(TABLE, encoding="utf-8")
    (beside / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    async with open_district(database_url, tmp_path / "data") as platform:
        await platform.security.setup.add_demo_account(
            DemoAccount("county", "县项目办", DEMO_PASSWORD, NewMembership("county", None, (COUNTY,)))
        )
        for _ in range(2):
            await load_demo_plans(platform, beside)
            scope = platform.security.system_scope()
            plans = await platform.plans.books.plans(scope)
            assert [(one.level, one.status) for one in plans] == [("own", "approved"), ("compared", "draft")]
        indicators = await platform.plans.figures.indicators(scope, plans[0].plan_no)
        known = {one.id for one in platform.rules.edition(platform.clock.today()).of_kind("measure")}
        bound = {one.measure for one in indicators if one.measure}
        assert bound and bound <= known
        states = [value.state for one in indicators for value in one.values]
        assert states.count("entered") == 1 and set(states) == {"approved", "entered"}
        assert {one.confirmed_name for one in indicators if one.measure} == {"县项目办"}


def test_the_folder_beside_the_project_need_not_be_there(tmp_path: Path) -> None:
    assert folder_beside(tmp_path / "project").name == "plans"
