"""The one write path: prepare outside the lock, then one call that numbers, versions and feeds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from xinglin.base.errors import ConflictError, FaultError, IncorrectError, NotFoundError, XinglinError
from xinglin.engines.security import Scope
from xinglin.engines.store.arrays import array_of_integers, array_of_lists, array_of_numbers, array_of_words
from xinglin.engines.store.bodies import Body, make_body
from xinglin.engines.store.findings import NOBODY, Finder, Findings
from xinglin.engines.store.ground import Ground
from xinglin.engines.store.model import Cause, Change, Delete, Key, Outcome, Put
from xinglin.engines.store.visibility import patient_seen, row_seen

_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
# Arrays travel as text, where they hold no bytes and no nulls: the server reads them faster than the client encodes element after element.
_ARGUMENTS: Final = (
    *("smallint", "timestamptz", "text::bigint[]", "text::text[]", "text::text[]", "text::integer[]", "bytea[]", "bytea[]", "bytea[]"),
    *(
        "text::bigint[]",
        "text[]",
        "text::bigint[]",
        "text::bigint[]",
        "text::text[]",
        "text::bigint[]",
        "text::bigint[]",
        "text::integer[]",
    ),
    *("text::bigint[]", "text::text[]", "text::text[]"),
    *("text::bigint[]", "text::text[]", "text::bigint[]", "text::bigint[]"),
    *("text::bigint[]", "text::text[]", "text::float8[]", "text::float8[]", "text::bigint[]", "text::bigint[]"),
)
_CALL: Final = f"select * from store_write({', '.join(f'${n}::{kind}' for n, kind in enumerate(_ARGUMENTS, 1))})"


_MANY: Final = 100
"""So many changes are indexed and encoded in a thread, so that the process goes on answering."""


@dataclass(slots=True)
class WriteItem:
    """One change on its way: place in the caller's list, what is to be written, what came of it."""

    place: int
    change: Change
    cause: Cause
    rid: int = 0
    findings: Findings | None = None
    body: Body | None = None
    refusal: XinglinError | None = None

    @property
    def key(self) -> Key:
        """Type and id."""
        return (self.change.rtype, self.change.id)


@dataclass(frozen=True, slots=True)
class Wave:
    """Items that name each resource once, and the arguments of the call that writes them."""

    items: tuple[WriteItem, ...]
    columns: list[Any]


@dataclass(frozen=True, slots=True)
class Ready:
    """Changes prepared for one `write_ready`. rids: of every id they mention.  waves: of all of them, or None to make them when writing.

    is_sealed: made in another process; what a writer with less than the whole house must be asked about is not here.
    """

    items: tuple[WriteItem, ...]
    rids: Mapping[Key, int]
    waves: Sequence[Wave] | None
    is_sealed: bool = False


class Writer:
    """Writes versions through the function `store_write`."""

    def __init__(self, ground: Ground, finder: Finder) -> None:
        self._ground = ground
        self._finder = finder

    async def write(
        self, connection: asyncpg.Connection[Any], scope: Scope, changes: Sequence[Change], cause: Cause | Sequence[Cause]
    ) -> list[Outcome]:
        """Write changes inside the caller's transaction; returns one outcome per change, in order.

        From the first call until the caller's commit nobody else writes: make it the last thing the transaction does.
        A refused change (version conflict, out of the writer's scope, no resource) leaves its neighbours written.
        cause: one for all, or one each.
        """
        return await self.write_ready(connection, scope, await self.ready(changes, cause))

    async def ready(self, changes: Sequence[Change], cause: Cause | Sequence[Cause]) -> Ready:
        """Do all that writing needs before the lock: number, index, encode. Many changes are worked on in a thread."""
        causes = [cause] * len(changes) if isinstance(cause, Cause) else list(cause)
        items = [WriteItem(place, change, reason) for place, (change, reason) in enumerate(zip(changes, causes, strict=True))]
        are_many = len(items) >= _MANY
        mentioned = await asyncio.to_thread(self._compile_all, items) if are_many else self._compile_all(items)
        rids = await self._ground.numbers.give(mentioned)
        for item in items:
            item.rid = rids.get(item.key, 0)
        return Ready(tuple(items), rids, await asyncio.to_thread(_waves, items, rids) if are_many else None)

    async def write_ready(self, connection: asyncpg.Connection[Any], scope: Scope, ready: Ready) -> list[Outcome]:
        """Write what `ready` returned, once, as `write` does.  Raises: FaultError for sealed changes and a writer who does not see all."""
        items = ready.items
        if ready.is_sealed and not scope.is_house:
            raise FaultError(
                "另一进程准备的写入只能由全域写入", "what another process made ready is written with the scope of the house only"
            )
        waves = ready.waves
        if not scope.is_house and await self._refuse_hidden(connection, scope, items):
            waves = None  # made with what is refused now
        outcomes: list[Outcome | None] = [None] * len(items)
        for item in items:
            if item.refusal is not None:
                outcomes[item.place] = _refused(item, item.refusal)
        for wave in waves if waves is not None else _waves(items, ready.rids):
            for item, row in zip(wave.items, await self._call(connection, wave), strict=True):
                outcomes[item.place] = _outcome(item, row)
        return [outcome for outcome in outcomes if outcome is not None]

    def _compile_all(self, items: Sequence[WriteItem]) -> set[Key]:
        """Index and encode every item; returns all ids they mention."""
        mentioned: set[Key] = set()
        for item in items:
            item.refusal = _fault_of(item.change)
            if item.refusal is None:
                self._compile(item)
                mentioned.add(item.key)
                if item.findings is not None:
                    mentioned |= item.findings.mentions
        return mentioned

    def _compile(self, item: WriteItem) -> None:
        if isinstance(item.change, Put):
            change = item.change
            item.findings = self._finder.find(change.rtype, change.id, change.resource)
            item.findings.mentions.update(("Patient", own) for own in (item.findings.patient, *item.findings.others) if own)
            item.body = make_body(change.rtype, change.id, change.resource, item.cause.message_no)

    async def _refuse_hidden(self, connection: asyncpg.Connection[Any], scope: Scope, items: Sequence[WriteItem]) -> bool:
        """Refuse what touches records the writer cannot see, in the words that answer what does not exist; returns whether any does."""
        before = sum(item.refusal is not None for item in items)
        present = await connection.fetch(_HIDDEN_ROWS.format(res=row_seen(scope, "r"), hist=row_seen(scope, "h")), [i.rid for i in items])
        hidden = {row["rid"] for row in present}
        for item in items:
            if item.refusal is None and item.rid in hidden:
                item.refusal = not_found(item.change.rtype)
        mine = {item.change.id for item in items if item.refusal is None and item.change.rtype == "Patient" and item.body is not None}
        about = {own for item in items for own in _patients(item) if own not in mine}
        if about:
            rids = await self._ground.numbers.known(("Patient", own) for own in about)
            unseen = await connection.fetch(
                f"select p.rid from unnest($1::bigint[]) as p(rid) where not exists (select 1 from res r where r.rid = p.rid and "
                f"r.rtype = 'Patient') or not {patient_seen(scope, 'p.rid')}",
                list(rids.values()),
            )
            closed = {row["rid"] for row in unseen}
            for item in items:
                others = {rids.get(("Patient", own)) for own in _patients(item) if own not in mine}
                if item.refusal is None and (None in others or not closed.isdisjoint(others)):
                    item.refusal = _no_such_patient()
        return sum(item.refusal is not None for item in items) > before

    async def _call(self, connection: asyncpg.Connection[Any], wave: Wave) -> Sequence[Any]:
        ground = self._ground
        rows: Sequence[Any] = await connection.fetch(_CALL, ground.site, ground.clock.now(), *wave.columns)
        return rows


def _wave(items: Sequence[WriteItem], patients: Mapping[Key, int]) -> Wave:
    """Return the arguments of one call. patients: the rid of every Patient the items are about."""
    rows = [item.findings or Findings() for item in items]
    bodies = [item.body for item in items]
    strings = [(item.rid, *found) for item, row in zip(items, rows, strict=True) for found in row.strings]
    dates = [(item.rid, *found) for item, row in zip(items, rows, strict=True) for found in row.dates]
    numbers = [(item.rid, *found) for item, row in zip(items, rows, strict=True) for found in row.numbers]
    string_rids, string_params, string_values = _turned(strings, 3)
    date_rids, date_params, *date_limits = _turned(dates, 4)
    number_rids, number_params, *number_limits = _turned(numbers, 6)
    columns = [
        array_of_integers([item.rid for item in items]),
        array_of_words([item.change.rtype for item in items]),
        array_of_words([item.change.id for item in items]),
        array_of_integers([item.change.if_version for item in items]),
        [body and body.digest for body in bodies],
        [body and body.head for body in bodies],
        [body and body.tail for body in bodies],
        array_of_integers([patients[("Patient", row.patient)] if row.patient else None for row in rows]),
        [_others(row, patients) for row in rows],
        array_of_integers([row.main and row.main[0] for row in rows]),
        array_of_integers([row.main and row.main[1] for row in rows]),
        array_of_lists([sorted(row.tokens) for row in rows]),
        array_of_integers([item.cause.actor for item in items]),
        array_of_integers([item.cause.message_no for item in items]),
        array_of_integers([item.cause.source_no for item in items]),
        *(array_of_integers(string_rids), array_of_words(string_params), array_of_words(string_values)),
        *(array_of_integers(date_rids), array_of_words(date_params), *map(array_of_integers, date_limits)),
        *(array_of_integers(number_rids), array_of_words(number_params), *map(array_of_numbers, number_limits[:2])),
        *map(array_of_integers, number_limits[2:]),
    ]
    return Wave(tuple(items), columns)


_HIDDEN_ROWS: Final = """
    select r.rid from res r where r.rid = any($1::bigint[]) and not {res}
    union all
    select h.rid from hist h where h.rid = any($1::bigint[]) and h.body is null and not {hist}
"""


def not_found(rtype: str) -> NotFoundError:
    """Return the one answer for what does not exist and for what this actor may not see."""
    return NotFoundError("没有这个资源", "there is no such resource", where=rtype)


def _patients(item: WriteItem) -> tuple[str, ...]:
    if item.findings is None or item.change.rtype == "Patient":
        return ()
    return tuple(own for own in (item.findings.patient, *item.findings.others) if own)


def _no_such_patient() -> IncorrectError:
    return IncorrectError(
        "所指的患者不存在；请先登记患者，或检查引用",
        "the patient it refers to does not exist; register the patient first or correct the reference",
        status=422,
    )


def _fault_of(change: Change) -> XinglinError | None:
    if not _ID.fullmatch(change.id):
        return IncorrectError(
            "id 须为 1 到 64 个字母、数字、- 或 .", "write an id of 1 to 64 letters, digits, - or .", where=f"{change.rtype}.id"
        )
    if isinstance(change, Put) and change.resource.get("resourceType") != change.rtype:
        return IncorrectError(
            f"resourceType 须为 {change.rtype}", f"write resourceType {change.rtype}", where=f"{change.rtype}.resourceType"
        )
    return None


def _waves(items: Sequence[WriteItem], rids: Mapping[Key, int]) -> list[Wave]:
    """Return the items that are not refused in rounds that name each resource once, each sorted by rid."""
    waves: list[list[WriteItem]] = []
    seen: dict[int, int] = {}
    for item in items:
        if item.refusal is None:
            turn = seen.get(item.rid, 0)
            seen[item.rid] = turn + 1
            if turn == len(waves):
                waves.append([])
            waves[turn].append(item)
    return [_wave(sorted(wave, key=lambda item: item.rid), rids) for wave in waves]


def _others(row: Findings, patients: Mapping[Key, int]) -> str | None:
    named = [patients[("Patient", own)] for own in row.others] + [NOBODY] * row.is_about_unknown
    return array_of_integers(named) if named else None


def _turned(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def _refused(item: WriteItem, error: XinglinError) -> Outcome:
    return Outcome(item.change.rtype, item.change.id, item.rid, 0, 0, "refused", error=error)


def _outcome(item: WriteItem, row: Any) -> Outcome:
    if row["status"] == "conflict":
        return _refused(item, _conflict(item.change))
    return Outcome(item.change.rtype, item.change.id, item.rid, row["version"] or 0, row["feed_seq"] or 0, row["status"], row["stamp"])


def _conflict(change: Change) -> ConflictError:
    wanted = "没有" if change.if_version == 0 else f"版本 {change.if_version}"
    kept = "none" if change.if_version == 0 else f"version {change.if_version}"
    what = "删除" if isinstance(change, Delete) else "保存"
    return ConflictError(
        f"要求{wanted}，但已有别的版本；请读取当前版本后再{what}",
        f"expected {kept}, but it has another version now; read the present version and try again",
        where=change.rtype,
        status=412,
    )
