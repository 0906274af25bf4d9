"""The steward moves a demonstration's day to today; nobody else may, and the page says where the day stands."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import orjson

from tests.district import open_district
from tests.http.signed_in import people


async def test_only_the_steward_moves_the_day_and_the_ribbon_says_where_it_stands(database_url: str, tmp_path: Path) -> None:
    made_for = date.today() - timedelta(days=30)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "manifest.json").write_bytes(orjson.dumps({"as_of": made_for.isoformat()}))
    async with open_district(database_url, tmp_path) as platform, people(platform) as everyone:
        assert platform.clock.today() == made_for
        doctor, steward = everyone["responsible_doctor"], everyone["steward"]
        seen = (await doctor.get("/account")).text
        assert f"日期停在 {made_for}" in seen and "/demonstration/advance" not in seen
        await doctor.post("/demonstration/advance", status=403)
        assert platform.clock.today() == made_for
        assert "/demonstration/advance" in (await steward.get("/account")).text
        await steward.post("/demonstration/advance")
        assert platform.kept_day is not None and platform.clock.today() == platform.kept_day.machine.today()
        assert "日期停在" not in (await doctor.get("/account")).text
        await steward.post("/demonstration/advance", status=409)
