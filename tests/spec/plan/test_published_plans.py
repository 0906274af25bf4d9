"""Published plans beside the project, where they are at hand, are read whole: every printed row, every task with its units."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xinglin.modules.plan.reading import Reading, read_document

FOLDER = Path(os.environ.get("XINGLIN_SHARED") or Path(__file__).resolve().parents[4] / "shared") / "plans"


def read(number: str) -> Reading:
    found = sorted(FOLDER.glob(f"{number}_*.txt"))
    if not found:
        pytest.skip("the folder of published plans is absent (set XINGLIN_SHARED)")
    return read_document(found[0])


@pytest.mark.parametrize(("number", "current", "past"), [("000", 36, 0), ("001", 34, 0), ("002", 27, 0), ("003", 0, 0), ("004", 15, 15)])
def test_every_printed_row_is_an_indicator(number: str, current: int, past: int) -> None:
    reading = read(number)
    rows = [one.period for one in reading.indicators if one.origin == "table"]
    assert (rows.count("current"), rows.count("past")) == (current, past)
    assert all(one.name and one.target_year for one in reading.indicators)
    assert reading.coverage.total == reading.coverage.used + len(reading.coverage.unused)


def test_the_plan_in_running_text_gives_targets_tasks_and_units() -> None:
    reading = read("003")
    numbered = [task for task in reading.tasks if task.number.rstrip("、").isdigit()]
    assert [int(task.number.rstrip("、")) for task in numbered] == list(range(1, 23))
    assert all(task.owners for task in numbered)
    assert sum(one.sure for one in reading.indicators) >= 45
