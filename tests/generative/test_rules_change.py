"""What an explanation says would change the answer does change it."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.generative.made_people import TODAY, make_people
from xinglin.definitions import LAKE, Question, shipped_catalogue
from xinglin.engines.rules import Closures, Frame, explain

EDITION = shipped_catalogue().edition(TODAY)
CLOSURES = Closures()
RATE = EDITION.get("hypertension-standard-rate")
CONTROL = EDITION.get("hypertension-control-rate")


def told(definition: Any, rows: dict[str, Any]) -> dict[str, Any]:
    return CLOSURES.evaluate(definition.outputs, Frame(Question(rows, TODAY)))


def add(rows: dict[str, Any], table: str, **values: Any) -> int:
    rid = 5_000_000 + sum(map(len, rows.values()))
    row = dict.fromkeys(LAKE[table].columns) | {"rid": rid, "seq": 99, "patient": rows["patient"][0]["rid"], "status": "finished"} | values
    rows[table].append(row | ({LAKE[table].time: None} if LAKE[table].time else {}))
    return rid


def free_days(rows: dict[str, Any], count: int) -> list[date]:
    """Return days of the year on which nobody visited yet."""
    taken = {row["start_date"] for row in rows["encounter"]}
    return [day for day in (date(2026, 3, 1) + timedelta(days=number) for number in range(200)) if day not in taken][:count]


@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_making_the_visits_and_the_examination_that_are_missing_meets_the_standard(seed: int) -> None:
    for rows in make_people(seed, 20).values():
        before = explain(RATE, Question(rows, TODAY), CLOSURES)
        if not before.changes:
            continue
        missing = next((int(word) for word in before.changes[0].zh.split() if word.isdigit()), 0) if "随访" in before.changes[0].zh else 0
        after = deepcopy(rows)
        for day in free_days(after, missing):
            add(after, "encounter", kind="followup-hypertension", start_date=day, way="1")
        if missing:
            fewer = deepcopy(after)
            fewer["encounter"].pop()
            assert told(RATE, fewer)["numerator"] == 0
        if "体检" in before.changes[0].zh:
            assert told(RATE, after)["numerator"] == 0
            add(after, "encounter", kind="health-examination", start_date=date(2026, 3, 1))
        assert told(RATE, after)["numerator"] == 1


@settings(max_examples=15, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_a_controlled_reading_at_a_later_visit_controls(seed: int) -> None:
    for rows in make_people(seed, 20).values():
        if explain(CONTROL, Question(rows, TODAY), CLOSURES).changes:
            after = deepcopy(rows)
            visit = add(after, "encounter", kind="followup-hypertension", start_date=TODAY, way="1")
            add(
                after,
                "blood_pressure",
                encounter=visit,
                taken_on=TODAY,
                systolic_mmhg=138.0,
                diastolic_mmhg=88.0,
                status="final",
                seq=10**6,
            )
            after["blood_pressure"][-1]["taken_at"] = max(
                (row["taken_at"] for row in rows["blood_pressure"] if row["taken_at"]), default=None
            )
            assert told(CONTROL, after)["numerator"] == 1
