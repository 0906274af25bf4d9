"""HL7's own examples: every one is kept as it was sent and found again by every parameter that has a value for it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.record import ZONE, Record
from xinglin.engines.store import MODIFIERS, Put
from xinglin.fhir import extractor, search_parameters, validate

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


@pytest.fixture(scope="module")
def examples(shared: Path) -> list[dict[str, Any]]:
    """The valid examples that carry an id."""
    folder = shared / "conformance" / "fhir_r4_examples"
    if not folder.is_dir():
        pytest.skip("HL7's examples are absent")
    read = [_DECODER.decode(path.read_bytes()) for path in sorted(folder.glob("*.json"))]
    named = {(each["resourceType"], each["id"]): each for each in read if "id" in each}
    valid = [each for each in named.values() if not any(problem.severity == "error" for problem in validate(each))]
    assert len(valid) > 50
    return valid


async def test_every_example_is_kept_as_sent(record: Record, examples: list[dict[str, Any]]) -> None:
    outcomes = await record.write(*(Put(each["resourceType"], each["id"], each) for each in examples))
    assert {outcome.status for outcome in outcomes} == {"created"}
    for each in examples:
        kept = _DECODER.decode((await record.store.read(record.house, each["resourceType"], each["id"])).body)
        for own in ("versionId", "lastUpdated", "source"):
            kept["meta"].pop(own)
            each.get("meta", {}).pop(own, None)
        assert kept.pop("meta") == each.get("meta", {})
        assert kept == {name: value for name, value in each.items() if name != "meta"}


async def test_every_example_is_found_by_each_parameter_it_has_a_value_for(record: Record, examples: list[dict[str, Any]]) -> None:
    await record.write(*(Put(each["resourceType"], each["id"], each) for each in examples))
    asked = 0
    for each in examples:
        rtype = each["resourceType"]
        values = extractor(rtype, ZONE)(each)
        present = {row[0].partition(":")[0] for rows in (values.tokens, values.strings, values.references, values.uris) for row in rows}
        present |= {row[0] for rows in (values.dates, values.numbers, values.quantities, values.identifiers) for row in rows}
        for name, param in search_parameters(rtype).items():
            if param.unsupported or param.type not in MODIFIERS or name in ("_id", "_lastUpdated", "_source"):
                continue
            found = await record.found(rtype, ("_id", each["id"]), (f"{name}:missing", "false"))
            assert found == ([each["id"]] if name in present else []), (rtype, name)
            asked += 1
    assert asked > 500
