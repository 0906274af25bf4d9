"""What a resident's resources say as a page shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from xinglin.engines.store import Stored
from xinglin.web.record import Names, read_record


@pytest.mark.parametrize(
    ("concept", "named"),
    [
        ({"coding": [{"system": "http://snomed.info/sct", "code": "185349003", "display": "check up"}], "text": "体检门诊"}, "体检门诊"),
        ({"coding": [{"system": "http://snomed.info/sct", "code": "185349003", "display": "check up"}]}, "check up"),
        ({"coding": [{"system": "http://snomed.info/sct", "code": "185349003"}]}, ""),
    ],
)
def test_a_service_with_a_senders_own_code_is_called_what_the_sender_calls_it(concept: dict[str, Any], named: str) -> None:
    encounter = {"resourceType": "Encounter", "id": "e", "status": "finished", "type": [concept], "period": {"start": "2026-01-02"}}
    stored = Stored(1, "Encounter", "e", 1, 1, datetime(2026, 1, 2, tzinfo=UTC), orjson.dumps(encounter), 1)
    (line,) = read_record([stored], Names({}, {})).timeline
    assert (line.kind, line.named) == ("185349003", named)
