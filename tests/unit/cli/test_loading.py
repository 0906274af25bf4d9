"""The demonstration: accounts stand where the stories happen, and what was held back comes in."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from xinglin.assembly import Platform, assemble
from xinglin.base.settings import Settings
from xinglin.cli.loading import load
from xinglin.engines.exchange import Period
from xinglin.engines.geo import subtree
from xinglin.engines.security import ActingFor
from xinglin.synthetic import Plan, generate

PAST = "select md5(string_agg(md5(body) || ver::text, '' order by rid)) from res"
DAY = date(2025, 6, 3)


@pytest.fixture
async def demonstration(database_url: str, tmp_path: Path) -> AsyncIterator[Platform]:
    folder = tmp_path / "demo"
    generate(Plan(residents=300, seed=1, as_of=DAY, years=2), folder)
    settings = Settings(data_dir=tmp_path, database_url=database_url, demo=True)
    async with assemble(settings, "command") as platform:
        assert platform.kept_day is not None
        platform.kept_day.keep()
        await load(platform, folder)
        yield platform


async def ask(platform: Platform, query: str, *values: object) -> Any:
    async with platform.database.connection() as connection:
        return await connection.fetchval(query, *values)


async def reconciled(platform: Platform) -> Counter[str]:
    """Return how many follow-ups of the last four weeks stand how with the upper-level platform, as the township's section sees it."""
    town = await ask(platform, "select areas[1] from membership join account using (account_no) where login = 'public_health'")
    scope = platform.security.acting_for(platform.security.system_scope(), ActingFor("public_health", (subtree(town),)))
    rows = await platform.upper.reconcile(scope, Period("hypertension-followup", DAY - timedelta(days=28), DAY))
    return Counter(str(row.standing.state) for row in rows)


async def test_a_demonstration_is_loaded_once_with_accounts_where_the_stories_happen(demonstration: Platform, tmp_path: Path) -> None:
    manifest = orjson.loads((tmp_path / "demo" / "manifest.json").read_bytes())
    story = manifest["stories"][0]
    of_account = """select i.code from account join membership using (account_no) join institution i on i.rid = membership.institution_rid
        where login = $1"""
    assert await ask(demonstration, of_account, "village_doctor") == story["clinic"]
    assert await ask(demonstration, of_account, "responsible_doctor") == story["township"]
    assert await ask(demonstration, of_account, "neighbour_doctor") != story["township"]

    bundles = [path.name for path in (tmp_path / "demo" / "exchange" / "county-his").glob("*.json")]
    assert bundles and await ask(demonstration, "select count(*) from message where message_id = any($1::text[])", bundles) == len(bundles)
    assert await ask(demonstration, "select count(*) from upper_batch where direction = 'in'") == 2
    assert await ask(demonstration, "select count(*) from message where state = 'received'") == 0, "nothing is left half done"

    states = await reconciled(demonstration)
    assert states["reported"] >= 1 and states["different"] == 1, states
    before = await ask(demonstration, PAST), await ask(demonstration, "select max(seq) from feed")
    await load(demonstration, tmp_path / "demo")
    assert (await ask(demonstration, PAST), await ask(demonstration, "select max(seq) from feed")) == before
    assert await reconciled(demonstration) == states
    assert demonstration.kept_day is not None and demonstration.clock.today() == DAY
