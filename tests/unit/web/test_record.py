"""A resident's resources as a page shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from xinglin.engines.store import Stored
from xinglin.web.record import Names, read_record


def stored(number: int, **resource: Any) -> Stored:
    body = orjson.dumps({"id": f"r{number}", **resource})
    return Stored(number, resource["resourceType"], f"r{number}", 1, number, datetime(2026, 11, 21, tzinfo=UTC), body, number)


def condition(number: int, code: str, name: str, day: str) -> Stored:
    sure = {"coding": [{"code": "confirmed"}]}
    told = {"code": {"coding": [{"code": code}], "text": name}, "verificationStatus": sure, "recordedDate": day}
    return stored(number, resourceType="Condition", **told)


def test_one_disease_that_two_systems_code_differently_stands_once() -> None:
    found = read_record(
        [
            condition(1, "I10", "高血压病", "2026-01-01"),
            condition(2, "38341003", "高血压病", "2025-01-01"),
            condition(3, "J06", "", "2026-02-01"),
            condition(4, "K29", "", "2026-02-02"),
        ],
        Names({}, {}),
    ).problems
    assert [(one.name, one.times, one.chronic) for one in found if one.name == "高血压病"] == [("高血压病", 2, True)]
    assert len(found) == 3


def test_a_visit_shows_its_outcome_class_and_why_it_was_overruled() -> None:
    visit = stored(1, resourceType="Encounter", status="finished", period={"start": "2026-11-20"})
    items = [
        {"linkId": "outcome_class", "answer": [{"valueCoding": {"code": "1"}}]},
        {"linkId": "override_reason_outcome_class", "answer": [{"valueString": "复测 138/86"}]},
    ]
    form = stored(2, resourceType="QuestionnaireResponse", status="completed", encounter={"reference": "Encounter/r1"}, item=items)
    happening = read_record([visit, form], Names({}, {})).timeline[0]
    assert (happening.outcome, happening.reasons) == ("1", (("outcome_class", "复测 138/86"),))
