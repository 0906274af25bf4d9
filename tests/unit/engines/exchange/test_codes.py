"""The gate asks the district's value sets about codes that R4 leaves open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.district import open_district, scope_of, send
from xinglin.engines.exchange import State
from xinglin.engines.terminology import ValueSetMember

CURRENCIES = "http://hl7.org/fhir/ValueSet/currencies"


def account(own_id: str, currency: str) -> dict[str, Any]:
    """Return an Invoice over some money."""
    return {"resourceType": "Invoice", "id": own_id, "status": "issued", "totalNet": {"value": 12.5, "currency": currency}}


async def test_a_code_outside_a_loaded_value_set_waits_with_a_reason(database_url: str, tmp_path: Path) -> None:
    async with open_district(database_url, tmp_path) as platform:
        assert (await send(platform, account("i1", "XQX"), message_id="before")).state is State.STORED, (
            "nothing is loaded that says otherwise"
        )
        steward = scope_of(platform, "steward")
        await platform.terminology.load_value_set(
            steward, CURRENCIES, [ValueSetMember(CURRENCIES, "urn:iso:std:iso:4217", "CNY", "ISO 4217")]
        )
        refused = await send(platform, account("i2", "XQX"), message_id="after")
        assert refused.state is State.QUARANTINED
        assert [problem.path for problem in refused.problems] == ["Invoice.totalNet.currency"]
        assert (await send(platform, account("i3", "CNY"), message_id="right")).state is State.STORED


async def test_a_media_type_that_is_none_is_refused(database_url: str, tmp_path: Path) -> None:
    async with open_district(database_url, tmp_path) as platform:
        binary = {"resourceType": "Binary", "id": "b1", "contentType": "not a media type", "data": "AAAA"}
        refused = await send(platform, binary, message_id="binary")
        assert refused.problems[0].path == "Binary.contentType"
        assert (await send(platform, {**binary, "contentType": "image/png"}, message_id="good")).state is State.STORED
