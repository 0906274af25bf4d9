"""The calibration of the demonstration district, and that it can fail."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from tests.unit.synthetic.conftest import District
from xinglin.base.errors import NotFoundError
from xinglin.synthetic import calibrate
from xinglin.synthetic.__main__ import app
from xinglin.synthetic.calibration import Row


def test_the_demonstration_district_is_within_its_tolerances(demo: District) -> None:
    report = calibrate(demo.folder)
    assert not [row for row in report.rows if not row.is_within]
    assert report.exit_code == 0
    assert demo.manifest.resources <= 300_000


def test_targets_from_memory_are_shown_as_unverified(demo: District) -> None:
    report = calibrate(demo.folder)
    chosen = {"managed_standard", "bp_control", "glucose_control", "elder_examined"}
    assert {row.id for row in report.rows if row.verified} == {"missing_id", "duplicated_files", "resources_per_resident"} | chosen
    assert all("选定" in row.source for row in report.rows if row.id in chosen)
    assert "unverified" in report.markdown()


def test_the_page_holds_what_is_made(demo: District) -> None:
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "calibration.md").read_text(encoding="utf-8")
    assert calibrate(demo.folder).markdown() in page


def test_a_figure_that_chance_alone_brings_within_says_so() -> None:
    near = Row("x", "某", "some", 0.61, 0.5, 0.1, "", True, 0.02)
    assert near.is_within and near.verdict == "by chance"
    assert replace(near, observed=0.59).verdict == "yes"
    assert replace(near, observed=0.65).verdict == replace(near, observed=None).verdict == "no"


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


def test_the_figures_can_be_found_again_in_the_files(demo: District) -> None:
    """Control and examinations counted from the NDJSON, as a reader of the record would; the Excel's few visits are not in it."""
    tallies = demo.manifest.tallies
    active = {
        e["patient"]["reference"]
        for e in demo.lines("base-platform/0003-*.ndjson")
        if e["status"] == "active" and e["type"][0]["coding"][0]["code"] == "hypertension"
    }
    assert len(active) == tallies["hypertension_managed"]
    latest: dict[str, tuple[str, str]] = {}
    for response in demo.lines("base-platform/0005-*.ndjson", "QuestionnaireResponse"):
        said = {i["linkId"]: i["answer"][0] for i in response["item"] if "answer" in i}
        if "hypertension" in response["questionnaire"] and "outcome_class" in said and response["authored"][:10] > "2025-11-21":
            patient = response["subject"]["reference"]
            latest[patient] = max(latest.get(patient, ("", "")), (response["authored"], said["outcome_class"]["valueCoding"]["code"]))
    controlled = sum(latest.get(patient, ("", ""))[1] == "1" for patient in active)
    assert abs(controlled - tallies["hypertension_controlled"]) <= 5
    complete = {
        r["subject"]["reference"]
        for r in demo.lines("base-platform/0007-*.ndjson", "QuestionnaireResponse")
        if r["authored"].startswith("2025") and any(i["linkId"] == "complete" and i["answer"][0]["valueBoolean"] for i in r["item"])
    }
    births = {f"Patient/{p['id']}": p["birthDate"] for p in demo.lines("base-platform/0001-*.ndjson")}
    assert abs(sum(births[p] < "1961-01-01" for p in complete) - tallies["elders_examined"]) <= 25
