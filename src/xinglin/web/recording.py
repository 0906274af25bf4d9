"""How pages write: entries that a module made go in through the exchange, as from any other source."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

import orjson

from xinglin.base.errors import ConflictError, NotFoundError
from xinglin.base.ids import uuid7
from xinglin.engines.exchange import OWN_PAGES, Entry, Note, Receipt, Submission
from xinglin.web.page import Visit

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_id(visit: Visit) -> str:
    """Return a new id of ours."""
    return uuid7(visit.platform.clock, visit.web.random)


class Sending:
    """One sending of a form: its number is the id of the filled form it stores, so that the same form sent twice is seen to be the same.

    text: what the form carried; anything but a UUID starts a new sending.
    """

    def __init__(self, visit: Visit, text: str = "") -> None:
        self.number = text if _UUID.fullmatch(text) else new_id(visit)
        self._visit = visit

    def ids(self, first: str) -> Callable[[], str]:
        """Return what gives ids: `first`, then new ones."""
        given = chain([first], iter(lambda: new_id(self._visit), None))
        return lambda: str(next(given))

    async def kept(self, rtype: str) -> bytes | None:
        """Return what this sending has stored already, None before it did. rtype: type of the resource with its number."""
        try:
            return (await self._visit.platform.store.read(self._visit.scope, rtype, self.number)).body
        except NotFoundError:
            return None


def insist(receipt: Receipt) -> None:
    """Go on only when everything was saved.  Raises: ConflictError with what the gate found wrong first."""
    if receipt.problems:
        first = receipt.problems[0]
        raise ConflictError(f"没有保存：{first.zh}", f"nothing was saved: {first.en}", where=first.path)


async def submit(visit: Visit, kind: str, resources: Sequence[Entry]) -> Receipt:
    """Send entries of a page through the exchange, all or none; returns the receipt. The audit log has it either way, promised in the same transaction."""
    content = orjson.dumps({"kind": kind, "entries": [entry.resource for entry in resources]})
    message = Submission(OWN_PAGES, f"page-{new_id(visit)}", content, resources, kind="page", media="application/json", atomic=True)
    return await visit.platform.exchange.submit(visit.scope, message, note=Note("resident", kind, visit.request_number))
