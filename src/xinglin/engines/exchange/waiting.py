"""Entries that wait: how they are kept, with all they asked for, and read again for a replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from xinglin.engines.exchange.model import Entry, EntryProblem
from xinglin.engines.exchange.reading import read_entry

Numbered = Sequence[tuple[int, Entry]]
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


def waiting_rows(entries: Numbered, problems: Iterable[EntryProblem]) -> dict[int, tuple[list[EntryProblem], bytes | None]]:
    """Return entry number → (its problems, the entry as sent), for the entries that have problems. Decimals keep their digits."""
    sent = dict(entries)
    rows: dict[int, tuple[list[EntryProblem], bytes | None]] = {}
    for problem in problems:
        if problem.entry_no not in rows:
            entry = sent.get(problem.entry_no)
            rows[problem.entry_no] = ([], _encode(_written(entry)) if entry is not None else None)
        rows[problem.entry_no][0].append(problem)
    return rows


def _written(entry: Entry) -> dict[str, Any]:
    """Return an entry as JSON: a deletion stays a deletion, and what it must find stays a condition."""
    request: dict[str, Any] = {}
    if entry.method == "DELETE":
        request = {"method": "DELETE", "url": f"{entry.resource.get('resourceType')}/{entry.resource.get('id')}"}
    elif entry.if_none_exist and entry.method == "PUT":
        request = {"method": "PUT", "url": f"{entry.resource.get('resourceType')}?{entry.if_none_exist}"}
    elif entry.if_none_exist:
        request = {"method": "POST", "ifNoneExist": entry.if_none_exist}
    if entry.if_version is not None:
        request = {"method": entry.method} | request | {"ifMatch": f'W/"{entry.if_version}"'}
    return {"fullUrl": entry.full_url, "resource": entry.resource} | ({"request": request} if request else {})


def entry_of(sent: Mapping[str, Any]) -> Entry:
    """Return a waiting entry, as it was kept or repaired.  Raises: UnreadableError."""
    return read_entry(sent, "entry")
