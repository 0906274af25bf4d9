"""The calibration of the demonstration district, and that it can fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from tests.unit.synthetic.conftest import District
from xinglin.base.errors import NotFoundError
from xinglin.synthetic import calibrate
from xinglin.synthetic.__main__ import app


def test_the_demonstration_district_is_within_its_tolerances(demo: District) -> None:
    report = calibrate(demo.folder)
    assert not [row for row in report.rows if not row.is_within]
    assert report.exit_code == 0
    assert demo.manifest.resources <= 300_000


def test_targets_from_memory_are_shown_as_unverified(demo: District) -> None:
    report = calibrate(demo.folder)
    assert {row.id for row in report.rows if row.verified} == {"missing_id", "duplicated_files", "resources_per_resident"}
    assert "unverified" in report.markdown()


def test_a_district_off_its_target_ends_with_a_failure(demo: District, tmp_path: Path) -> None:
    shutil.copy(demo.folder / "manifest.json", tmp_path)
    manifest = orjson.loads((tmp_path / "manifest.json").read_bytes())
    manifest["tallies"]["hypertension"] *= 2
    (tmp_path / "manifest.json").write_bytes(orjson.dumps(manifest))
    assert calibrate(tmp_path).exit_code == 1
    result = CliRunner().invoke(app, ["calibrate", str(tmp_path)])
    assert result.exit_code == 1 and "OUT hypertension_18" in result.output


def test_a_folder_without_a_district_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        calibrate(tmp_path)
