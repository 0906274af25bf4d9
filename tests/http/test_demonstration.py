"""The steward asks for a demonstration to be moved to today; nobody else may, and the page says where the day stands and where it goes."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import orjson

from tests.district import open_district
from tests.http.signed_in import people


async def test_only_the_steward_asks_for_the_move_and_the_ribbon_says_where_it_stands(database_url: str, tmp_path: Path) -> None:
    made_for = date.today() - timedelta(days=30)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "manifest.json").write_bytes(orjson.dumps({"as_of": made_for.isoformat()}))
    async with open_district(database_url, tmp_path) as platform, people(platform) as everyone:
        assert platform.clock.today() == made_for
        doctor, steward = everyone["responsible_doctor"], everyone["steward"]
        seen = (await doctor.get("/account")).text
        assert f"日期停在 {made_for}" in seen and "/demonstration/advance" not in seen
        kept = platform.kept_day
        assert kept is not None
        await doctor.post("/demonstration/advance", status=403)
        assert kept.asked() is None
        assert "/demonstration/advance" in (await steward.get("/account")).text
        await steward.post("/demonstration/advance")
        today = kept.machine.today()
        assert kept.asked() == today and platform.clock.today() == made_for, "the day moves when the data of the days between is there"
        for one in (doctor, steward):
            seen = (await one.get("/account")).text
            assert f"正在推进到 {today}" in seen and "/demonstration/advance" not in seen
        await steward.post("/demonstration/advance", status=409)
        kept.move(today)
        kept.arrived()
        seen = (await steward.get("/account")).text
        assert "日期停在" not in seen and "正在推进到" not in seen
        await steward.post("/demonstration/advance", status=409)
