"""Entries that wait: how they are kept, with all they asked for, and read again for a replay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from xinglin.base.errors import IncorrectError, place_words
from xinglin.engines.exchange.model import Entry, EntryProblem
from xinglin.engines.exchange.reading import decode, place_in, read_entry

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


def entry_of(content: bytes, full_url: str | None) -> Entry:
    """Return a waiting entry, as it was kept or repaired. full_url: its name, where a repair is the bare resource.

    Raises: IncorrectError where it is no entry.
    """
    try:
        sent = decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        stop = place_in(content)
        raise IncorrectError(f"修改后的内容不是合法的 JSON：{place_words(stop, 'zh')}", f"the repair is not valid JSON: {stop}") from error
    if isinstance(sent, dict) and "resource" not in sent and "request" not in sent:
        sent = {"resource": sent, "fullUrl": full_url}
    if not isinstance(sent, dict) or not isinstance(sent.get("resource", {}), dict):
        raise IncorrectError(
            "修改后的内容应是一个资源（花括号括起的 JSON 对象）", "the repair must be one resource: a JSON object in braces"
        )
    return read_entry(sent, "entry")
