"""How pages write: entries go in through the exchange, as from any other source; and what marks a resident as moved out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import orjson

from xinglin.base.errors import NotFoundError
from xinglin.base.ids import uuid7
from xinglin.engines.exchange import OWN_PAGES, Entry, Receipt, Submission
from xinglin.web.page import Visit

Resource = dict[str, Any]
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_STATUS: Final = "urn:xinglin:ext:residence-status"


def new_id(visit: Visit) -> str:
    """Return a new id of ours."""
    return uuid7(visit.platform.clock, visit.web.random)


class Sending:
    """One sending of a form: its number is the id of the first resource it makes, so that the same form sent twice is seen to be the same.

    text: what the form carried; anything but a UUID starts a new sending.
    """

    def __init__(self, visit: Visit, text: str = "") -> None:
        self.number = text if _UUID.fullmatch(text) else new_id(visit)
        self._visit = visit
        self._given = 0

    def next_id(self) -> str:
        """Return the sending's own number first, then new ids."""
        self._given += 1
        return self.number if self._given == 1 else new_id(self._visit)

    async def is_done(self, rtype: str) -> bool:
        """Return whether this sending has been stored already. rtype: type of the first resource it makes."""
        try:
            await self._visit.platform.store.read(self._visit.scope, rtype, self.number)
        except NotFoundError:
            return False
        return True


async def submit(visit: Visit, kind: str, resources: Sequence[Entry]) -> Receipt:
    """Send entries of a page through the exchange, all or none; returns the receipt."""
    content = orjson.dumps({"kind": kind, "entries": [entry.resource for entry in resources]})
    message = Submission(OWN_PAGES, f"page-{new_id(visit)}", content, resources, kind="page", media="application/json", atomic=True)
    return await visit.platform.exchange.submit(visit.scope, message)


def moved(resource: Mapping[str, Any], on: date | None) -> Resource:
    """Return a Patient who moved out on a day, or (None) whose move is taken back."""
    extensions = [one for one in resource.get("extension") or () if one.get("url") != _STATUS]
    addresses = [dict(one) for one in resource.get("address") or ()]
    if addresses:
        period = {name: value for name, value in addresses[0].get("period", {}).items() if name != "end"} | (
            {"end": on.isoformat()} if on else {}
        )
        addresses[0].pop("period", None)
        if period:
            addresses[0]["period"] = period
    return {
        **bare(resource),
        "address": addresses,
        "extension": [*extensions, {"url": _STATUS, "valueCode": "moved_out" if on else "resident"}],
    }


def bare(resource: Mapping[str, Any]) -> Resource:
    """Return a stored resource without the parts the store writes itself."""
    return {name: value for name, value in resource.items() if name != "meta"}
