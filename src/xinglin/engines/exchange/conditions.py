"""Conditional entries of a message: which resource that is there already an entry means, and whether that is still so when it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import asyncpg

from xinglin.base.errors import IncorrectError
from xinglin.engines.exchange.gate import SOURCE_SYSTEM, Sender, keeps_original_in
from xinglin.engines.exchange.model import Entry, EntryProblem
from xinglin.engines.security import Scope
from xinglin.engines.store import Outcome, Store, Stored

_SHARED: Final = frozenset({"Organization", "Practitioner"})
"""Registered once for the district: what one source sent, another may mean."""
_MOST_PARAMETERS: Final = 20


class ChangedError(Exception):
    """Between looking and writing somebody stored or removed what a condition fits: look again."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A condition of one entry, as a search of the store."""

    entry_no: int
    rtype: str
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Met:
    """What the conditions of a message fit. hits: entry number → the one resource that is there; the others fit nothing yet."""

    conditions: tuple[_Condition, ...] = ()
    hits: Mapping[int, Stored] | None = None
    problems: tuple[EntryProblem, ...] = ()

    @property
    def found(self) -> dict[int, Stored]:
        """Return entry number → the resource it means."""
        return dict(self.hits or {})

    def ids(self) -> dict[int, str]:
        """Return entry number → id of the resource it means."""
        return {number: hit.id for number, hit in self.found.items()}

    def outcomes(self, entries: Sequence[tuple[int, Entry]]) -> dict[int, Outcome]:
        """Return what became of the entries that mean what is there already: nothing was written. An update is told where it is written."""
        told = {number: hit for number, hit in self.found.items() if dict(entries)[number].method == "POST"}
        return {
            number: Outcome(hit.rtype, hit.id, hit.rid, hit.version, hit.seq, "unchanged", hit.updated_at) for number, hit in told.items()
        }


async def look_up(store: Store, scope: Scope, entries: Sequence[tuple[int, Entry]], sender: Sender) -> Met:
    """Return what the conditions of a message fit now, inside the writer's scope.

    A sender's conditions are looked up among what this sender sent, so that no two hospitals' records meet by them; institutions and
    workers, which are registered once, among all. Our own pages and API see the whole of their scope.
    """
    conditions: list[_Condition] = []
    hits: dict[int, Stored] = {}
    problems: list[EntryProblem] = []
    for number, entry in entries:
        if not entry.if_none_exist or entry.method not in ("POST", "PUT"):
            continue
        rtype = str(entry.resource.get("resourceType"))
        try:
            condition = _Condition(number, rtype, _query(entry, rtype, sender))
            found = await store.lookup(scope, rtype, condition.query)
        except IncorrectError as error:
            problems.append(EntryProblem(number, "invalid", f"{rtype}.request", error.zh, error.en))
            continue
        if len(found) > 1:
            words = ("条件符合多个资源，请写得更确切", "the condition fits several resources; make it narrower")
            problems.append(EntryProblem(number, "conflict", f"{rtype}.request", *words))
            continue
        if not found and any((one.rtype, one.query) == (rtype, condition.query) for one in conditions):
            words = (
                "同一消息中有两个条目用同一条件新建，请只保留一个",
                "two entries of the message create on the same condition; keep one",
            )
            problems.append(EntryProblem(number, "duplicate", f"{rtype}.request", *words))
            continue
        conditions.append(condition)
        if found:
            hits[number] = found[0]
    return Met(tuple(conditions), hits, tuple(problems))


async def hold_conditions(store: Store, connection: asyncpg.Connection[Any], scope: Scope, met: Met) -> None:
    """Keep other writers out and make sure that every condition still fits what it fitted.  Raises: ChangedError."""
    if not met.conditions:
        return
    await store.hold(connection)
    for condition in met.conditions:
        before = met.found.get(condition.entry_no)
        now = [one.rid for one in await store.match(connection, scope, condition.rtype, condition.query)]
        if now != ([before.rid] if before else []):
            raise ChangedError


def _query(entry: Entry, rtype: str, sender: Sender) -> tuple[tuple[str, str], ...]:
    try:
        asked = parse_qsl(entry.if_none_exist or "", keep_blank_values=True, max_num_fields=_MOST_PARAMETERS, errors="strict")
    except ValueError as error:
        raise IncorrectError("条件无法读取：请写如 identifier=系统|值", "write a condition such as identifier=system|value") from error
    is_shared = rtype in _SHARED and entry.method == "POST"
    if sender.ids_are_ours or is_shared:
        return tuple(asked)
    if keeps_original_in(rtype) != "identifier":
        raise IncorrectError("这种资源不接受条件，请改用 id", "this type takes no condition from a source; write its id")
    return (*asked, ("identifier", f"{SOURCE_SYSTEM}{sender.code}|"))
