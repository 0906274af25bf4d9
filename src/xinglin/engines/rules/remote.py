"""The measures as a web process asks the engine process for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Final

from xinglin.base.channel import Channel
from xinglin.definitions import Words
from xinglin.engines.rules.explain import Sentence
from xinglin.engines.rules.measure_answers import (
    EVERYTHING,
    Focus,
    GroupBy,
    Judgement,
    MeasureRow,
    MeasureTable,
    Member,
    MemberPage,
    MemberQuery,
)
from xinglin.engines.rules.service import PATIENCE_S, row_of, table_of
from xinglin.engines.rules.verification import Visit
from xinglin.engines.rules.workload import WorkEntry, WorkQuery, WorkRow, WorkTable
from xinglin.engines.security import Scope, Security

_VERIFY_S: Final = 600.0
"""Every check of a large district, asked for by hand: longer than a page waits for a number."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A measure's total on a day. total: None while it is being made.  seq: of the columns, 0 with it."""

    day: date
    total: MeasureRow | None
    seq: int


class RemoteMeasures:
    """What the engine process answers (see `MeasureService`). Numbers may be a moment old; their seq says how old."""

    def __init__(self, channel: Channel, security: Security) -> None:
        self._channel = channel
        self._security = security

    async def measure(
        self, scope: Scope, measure_id: str, as_of: date, group_by: GroupBy = "none", focus: Focus = EVERYTHING
    ) -> MeasureTable:
        """Return a measure for what the scope sees.  Raises: NotFoundError, IncorrectError, UnavailableError."""
        told = await self._call(
            "rules.measure", scope, measure_id=measure_id, as_of=as_of.isoformat(), group_by=group_by, focus=asdict(_patient(focus))
        )
        return table_of(told, as_of)

    async def members(self, scope: Scope, measure_id: str, as_of: date, query: MemberQuery) -> MemberPage:
        """Return the people behind a number.  Raises: as `measure`."""
        asked = asdict(replace(query, focus=_patient(query.focus)))
        told = await self._call("rules.members", scope, measure_id=measure_id, as_of=as_of.isoformat(), query=asked)
        return MemberPage([_member(one) for one in told["members"]], told["total"], told["seq"])

    async def judgement(self, scope: Scope, measure_id: str, person: int, as_of: date, known_on: int) -> Judgement:
        """Return why a measure counted a person as it did, by the record as it was known at a seq.  Raises: as `measure`."""
        asked = {"measure_id": measure_id, "person": person, "as_of": as_of.isoformat(), "known_on": known_on}
        return _judgement(await self._call("rules.judgement", scope, **asked))

    async def overview(self, scope: Scope, asks: Sequence[tuple[str, Sequence[date]]], focus: Focus = EVERYTHING) -> list[list[Figure]]:
        """Return the totals of some measures on some days each: the first day surely, the others where they are made already."""
        sent = [[measure_id, [day.isoformat() for day in days]] for measure_id, days in asks]
        told = await self._call("rules.overview", scope, asks=sent, focus=asdict(_patient(focus)))
        return [[_figure(day, one) for day, one in zip(days, row, strict=True)] for (_, days), row in zip(asks, told, strict=True)]

    async def workload(self, scope: Scope, first: date, last: date) -> WorkTable:
        """Return the work done from the first to the last day."""
        told = await self._call("rules.workload", scope, first=first.isoformat(), last=last.isoformat())
        return WorkTable(told["seq"], tuple(WorkRow(**{**row, "month": date.fromisoformat(row["month"])}) for row in told["rows"]))

    async def work_entries(self, scope: Scope, query: WorkQuery) -> tuple[list[WorkEntry], int, int]:
        """Return a page of the entries behind a number of `workload`, how many there are, and the seq."""
        sent = {**asdict(query), "first": query.first.isoformat(), "last": query.last.isoformat()}
        told = await self._call("rules.work_entries", scope, query=sent)
        return [_work_entry(row) for row in told["entries"]], told["total"], told["seq"]

    async def visits(self, scope: Scope, kind: str, days: tuple[date, date], known_on: int | None = None) -> tuple[list[Visit], int]:
        """Return the visits of a kind (see `KINDS`) between two days and the seq they are known at."""
        told = await self._call("rules.visits", scope, kind=kind, first=days[0].isoformat(), last=days[1].isoformat(), known_on=known_on)
        return [Visit(**{**row, "day": date.fromisoformat(row["day"])}) for row in told["visits"]], told["seq"]

    async def verify(self, scope: Scope) -> dict[str, int]:
        """Run the checks of what was entered now.  Raises: ForbiddenError without `appraisal`."""
        found: dict[str, int] = await self._channel.call_within(_VERIFY_S, "rules.verify", scope=self._security.seal(scope))
        return found

    async def _call(self, name: str, scope: Scope, **arguments: Any) -> Any:
        return await self._channel.call(name, scope=self._security.seal(scope), **arguments)


def _work_entry(row: dict[str, Any]) -> WorkEntry:
    entered = row["entered_on"]
    return WorkEntry(**{**row, "day": date.fromisoformat(row["day"]), "entered_on": date.fromisoformat(entered) if entered else None})


def _patient(focus: Focus) -> Focus:
    return replace(focus, patience_s=PATIENCE_S) if focus.patience_s is None else focus


def _figure(day: date, told: dict[str, Any] | None) -> Figure:
    if told is None:
        return Figure(day, None, 0)
    return Figure(day, row_of({name: value for name, value in told.items() if name != "seq"}), told["seq"])


def _member(told: dict[str, Any]) -> Member:
    changes = tuple((zh, en) for zh, en in told["changes"])
    return Member(**{**told, "evidence": tuple(told["evidence"]), "verdict": tuple(told["verdict"]), "changes": changes})


def _judgement(told: dict[str, Any]) -> Judgement:
    return Judgement(
        verdict=Words(**told["verdict"]),
        sentences=tuple(Sentence(Words(**one["words"]), one["is_met"], tuple(one["rids"])) for one in told["sentences"]),
        changes=tuple(Words(**one) for one in told["changes"]),
        evidence=tuple((rid, version) for rid, version in told["evidence"]),
        seq=told["seq"],
    )
