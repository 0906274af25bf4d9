"""The published SQL on FHIR v2 test suite passes whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from xinglin.base.errors import XinglinError
from xinglin.engines.lake import compile_view

SHARED = Path(os.environ.get("XINGLIN_SHARED") or Path(__file__).resolve().parents[4] / ".." / "shared")
SUITE = SHARED / "conformance" / "sql-on-fhir-v2" / "tests"


def _cases() -> Iterator[Any]:
    if not SUITE.is_dir():
        yield pytest.param(None, None, marks=pytest.mark.skip(reason=f"the suite is not at {SUITE}; set XINGLIN_SHARED"))
        return
    for file in sorted(SUITE.glob("*.json")):
        suite = json.loads(file.read_text(encoding="utf-8"))
        for number, test in enumerate(suite["tests"]):
            yield pytest.param(suite["resources"], test, id=f"{file.stem}-{number}-{test['title']}")


def _run(resources: list[dict[str, Any]], definition: dict[str, Any]) -> tuple[list[str], list[dict[str, Any]]]:
    view = compile_view(definition)
    names = [column.name for column in view.columns]
    rows = [dict(zip(names, row, strict=True)) for resource in resources for row in view.rows(resource)]
    return names, [
        {
            name: [] if value is None and column.is_collection else value
            for (name, value), column in zip(row.items(), view.columns, strict=True)
        }
        for row in rows
    ]


def _sorted(rows: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


@pytest.mark.parametrize(("resources", "case"), list(_cases()))
def test_view_gives_the_rows_of_the_suite(resources: list[dict[str, Any]], case: dict[str, Any]) -> None:
    if case.get("expectError"):
        with pytest.raises(XinglinError):
            _run(resources, case["view"])
        return
    names, rows = _run(resources, case["view"])
    if "expectCount" in case:
        assert len(rows) == case["expectCount"]
    if "expectColumns" in case:
        assert names == case["expectColumns"]
    if "expect" in case:
        assert _sorted(rows) == _sorted(case["expect"])
