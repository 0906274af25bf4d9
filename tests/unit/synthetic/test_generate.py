"""The generator's door: same bytes, whole references, nothing after the day of data."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import orjson
import pytest

from xinglin.base.errors import ConflictError, IncorrectError
from xinglin.synthetic import Plan, generate

SMALL = {"residents": 600, "seed": 7, "as_of": date(2026, 11, 21), "years": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("district")
    generate(Plan(**SMALL), place)
    return place


def resources(folder: Path, source: str) -> list[dict]:
    return [orjson.loads(line) for path in sorted(folder.glob(f"{source}/*.ndjson")) for line in path.read_bytes().splitlines()]


def hashes(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_workers_write_the_same_bytes_as_one(folder: Path, tmp_path: Path) -> None:
    generate(Plan(**SMALL, workers=2), tmp_path)
    assert hashes(tmp_path) == hashes(folder)


def test_another_seed_writes_another_district(folder: Path, tmp_path: Path) -> None:
    generate(Plan(**{**SMALL, "seed": 8}), tmp_path)
    assert hashes(tmp_path)["base-platform/0001-patients.ndjson"] != hashes(folder)["base-platform/0001-patients.ndjson"]


@pytest.mark.parametrize("source", ["base-platform", "county-his", "township-his", "immunization"])
def test_ids_are_unique_and_references_of_a_source_resolve_in_file_order(folder: Path, source: str) -> None:
    known: set[str] = set()
    for resource in resources(folder, source):
        name = f"{resource['resourceType']}/{resource['id']}"
        assert name not in known, name
        known.add(name)
        unknown = [r for r in literal_references(resource) if r not in known]
        assert not unknown, (name, unknown)


def literal_references(node: object) -> list[str]:
    if isinstance(node, list):
        return [r for one in node for r in literal_references(one)]
    if isinstance(node, dict):
        own = [node["reference"]] if isinstance(node.get("reference"), str) else []
        return own + [r for value in node.values() for r in literal_references(value)]
    return []


def test_nothing_is_dated_after_the_day_of_data(folder: Path) -> None:
    for resource in resources(folder, "base-platform"):
        for name in ("effectiveDateTime", "authored", "recordedDate", "deceasedDateTime"):
            assert resource.get(name, "")[:10] <= "2026-11-21"
        if resource["resourceType"] == "Encounter":
            assert resource["period"]["start"][:10] <= "2026-11-21"


def test_a_folder_with_foreign_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("keep me")
    with pytest.raises(ConflictError):
        generate(Plan(**SMALL), tmp_path)
    assert (tmp_path / "letter.txt").read_text() == "keep me"


def test_a_plan_outside_the_range_says_what_to_write() -> None:
    with pytest.raises(IncorrectError, match="300 to 2000000"):
        Plan(residents=10)
