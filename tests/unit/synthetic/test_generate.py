"""The generator's door: same bytes, whole references, valid R4, nothing after the day of data."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from tests.unit.synthetic.conftest import SMALL, District
from xinglin.base.errors import ConflictError, IncorrectError
from xinglin.fhir import validate
from xinglin.synthetic import Plan, generate

SOURCES = ["base-platform", "county-his", "township-his", "immunization"]


def hashes(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def literal_references(node: object) -> list[str]:
    if isinstance(node, list):
        return [r for one in node for r in literal_references(one)]
    if isinstance(node, dict):
        own = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return own + [r for value in node.values() for r in literal_references(value)]
    return []


def good(district: District, source: str) -> list[dict]:
    return district.lines(f"{source}/000*.ndjson")


def test_two_workers_write_the_same_bytes_as_one(small: District, tmp_path: Path) -> None:
    generate(replace(SMALL, workers=2), tmp_path)
    assert hashes(tmp_path) == hashes(small.folder)


def test_another_seed_writes_another_district(small: District, tmp_path: Path) -> None:
    generate(replace(SMALL, seed=8), tmp_path)
    patients = "base-platform/0001-patients.ndjson"
    assert hashes(tmp_path)[patients] != hashes(small.folder)[patients]


def test_the_manifest_tells_what_is_there(small: District) -> None:
    found = hashes(small.folder)
    del found["manifest.json"]
    assert {file["path"]: file["sha256"] for file in small.manifest.files} == found
    assert sum(sum(kinds.values()) for kinds in small.manifest.counts.values()) == small.manifest.resources
    loaded = sum(len(good(small, source)) for source in SOURCES) + len(small.lines("*.ndjson"))
    assert loaded == small.manifest.resources


@pytest.mark.parametrize("source", SOURCES)
def test_ids_are_unique_and_references_of_a_source_resolve_in_file_order(small: District, source: str) -> None:
    known: set[str] = set()
    for resource in good(small, source):
        name = f"{resource['resourceType']}/{resource['id']}"
        assert name not in known, name
        known.add(name)
        assert not [r for r in literal_references(resource) if r not in known], name
    assert len(known) > 50


def test_every_resource_is_valid_r4_and_carries_no_meta(small: District) -> None:
    for resource in [*small.lines("*.ndjson"), *(r for source in SOURCES for r in good(small, source))]:
        assert not [p for p in validate(resource) if p.severity == "error"], resource["id"]
        assert "meta" not in resource


def test_nothing_is_dated_after_the_day_of_data(small: District) -> None:
    for resource in (r for source in SOURCES for r in good(small, source)):
        period = resource.get("period", {}) if resource["resourceType"] in ("Encounter", "EpisodeOfCare") else {}
        dates = [
            resource.get(n, "")
            for n in (
                "effectiveDateTime",
                "authored",
                "recordedDate",
                "deceasedDateTime",
                "authoredOn",
                "issued",
                "occurrenceDateTime",
                "lastModified",
            )
        ]
        dates += [period.get("start", ""), period.get("end", ""), resource.get("birthDate", "")[:10]]
        entered = [e["valueDateTime"] for e in resource.get("extension", ()) if e["url"] == "urn:xinglin:ext:entered-on"]
        assert max(text[:10] for text in [*dates, *entered]) <= "2026-11-21", resource["id"]


@pytest.mark.parametrize("as_of", [date(2027, 1, 1), date(2028, 2, 29), date(2026, 5, 3)])
def test_any_day_and_a_single_year_will_do(as_of: date, tmp_path: Path) -> None:
    manifest = generate(Plan(residents=300, seed=3, as_of=as_of, years=1), tmp_path)
    assert manifest.first_day == f"{as_of.year - (as_of.month < 4)}-01-01"
    assert len(manifest.stories) == 12


def test_a_folder_with_foreign_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(ConflictError):
        generate(SMALL, tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "keep me"


def test_a_plan_outside_the_range_says_what_to_write() -> None:
    with pytest.raises(IncorrectError, match="300 to 2000000"):
        Plan(residents=10)
