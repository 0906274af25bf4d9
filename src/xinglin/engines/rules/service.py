"""Measures in the engine process, which has the columns: kept up to date while they are asked for, and told to the web processes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Final

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import XinglinError
from xinglin.base.loop import Loop
from xinglin.engines.jobs import Runs
from xinglin.engines.lake import Snapshot
from xinglin.engines.rules.authenticity import look
from xinglin.engines.rules.deltas import Change
from xinglin.engines.rules.measure_answers import EVERYTHING, Focus, MeasureRow, MeasureTable, MemberQuery
from xinglin.engines.rules.ports import Columns
from xinglin.engines.rules.rules import Rules
from xinglin.engines.rules.verification import Verification
from xinglin.engines.rules.workload import Workload, WorkQuery
from xinglin.engines.security import Scope, Security

_log = logging.getLogger(__name__)
Handler = Callable[..., Awaitable[Any]]
PATIENCE_S: Final = 0.12
_WARM_S: Final = 60.0
_QUIET_S: Final = 5.0
_REST: Final = 1.0
_MOST_OVERVIEWS: Final = 60
_LEAST_REST_S: Final = 0.05
_MOST_REST_S: Final = 0.5
_MOST_PERSONS: Final = 50
_MOST_ENTRIES: Final = 20_000
_CHANGES: Final = """
select person, max(seq) as seq, bool_or(kind <> 'resource') as is_belonging from feed
where seq > $1 and seq <= $2 and person is not null group by person order by max(seq) desc limit $3"""
_LOOK: Final = "verification"
_VISITS: Final = """
select e.rid as visit, l.person, e.start_date as day, e.practitioner as worker, e.provider as institution, e.way
from encounter e join person_link l on l.patient = e.patient and l.to_seq is null
where e.status = 'finished' and e.start_date between $first and $last and {kind} order by e.rid"""
KINDS: Final = {
    "followup": "e.kind like 'followup-%'",
    "followup-hypertension": "e.kind = 'followup-hypertension'",
    "followup-diabetes2": "e.kind = 'followup-diabetes2'",
    "health-examination": "e.kind = 'health-examination'",
}


@dataclass(frozen=True, slots=True)
class MeasureGround:
    """What the service stands on."""

    rules: Rules
    columns: Columns
    database: Database
    security: Security
    verification: Verification
    runs: Runs
    clock: Clock


class MeasureService:
    """One per engine process: answers, and makes again in the background what was asked for lately when the columns move."""

    def __init__(self, ground: MeasureGround) -> None:
        self._ground = ground
        self._rules = ground.rules
        self._security = ground.security
        self._workload = Workload(ground.columns)
        self._wanted: dict[tuple[str, date], None] = {}
        self._wake = asyncio.Event()
        self._seq = 0
        self._background = Loop("measures")
        self._looking = asyncio.Lock()
        self._warmed: date | None = None
        self._overviews: dict[tuple[Any, ...], tuple[Any, list[list[Any]]]] = {}

    async def after_refresh(self, snapshot: Snapshot) -> None:
        """Learn that the columns moved (see `LakeService.after_refresh`)."""
        self._seq = snapshot.seq
        self._wake.set()

    def start(self) -> None:
        """Begin to keep figures up to date."""
        self._background.start(self._run)

    async def stop(self) -> None:
        """End it."""
        await self._background.stop()

    async def verify(self, day: date) -> dict[str, int]:
        """Run every check of what was entered and keep the findings; return counts (a nightly job)."""
        ground = self._ground
        async with self._looking:
            found, seq = await look(ground.columns, ground.database, self._security.system_scope(), day)
            fresh = await ground.verification.keep(found, seq)
        return {"found": len(found), "fresh": fresh, "seq": seq}

    def handlers(self) -> dict[str, Handler]:
        """Return what other processes may call; a scope travels sealed."""
        return {
            "rules.measure": self._measure,
            "rules.members": self._members,
            "rules.judgement": self._judgement,
            "rules.overview": self._overview,
            "rules.workload": self._work,
            "rules.work_entries": self._work_entries,
            "rules.visits": self._visits,
            "rules.verify": self._verify,
        }

    async def _measure(self, scope: bytes, measure_id: str, as_of: str, group_by: str, focus: dict[str, Any]) -> dict[str, Any]:
        wanted: Any = group_by
        table = await self._rules.measure(self._security.unseal(scope), measure_id, date.fromisoformat(as_of), wanted, Focus(**focus))
        return {**asdict(table), "as_of": as_of}

    async def _members(self, scope: bytes, measure_id: str, as_of: str, query: dict[str, Any]) -> dict[str, Any]:
        asked = MemberQuery(**{**query, "focus": Focus(**query["focus"])})
        return asdict(await self._rules.members(self._security.unseal(scope), measure_id, date.fromisoformat(as_of), asked))

    async def _judgement(self, scope: bytes, measure_id: str, person: int, as_of: str, known_on: int) -> dict[str, Any]:
        opened = self._security.unseal(scope)
        return asdict(await self._rules.judgement(opened, measure_id, person, date.fromisoformat(as_of), known_on))

    async def _overview(self, scope: bytes, asks: list[list[Any]], focus: dict[str, Any]) -> list[list[Any]]:
        """Return for each [measure, days] the totals by day as they are kept; the first day is made where it is not, others are None then."""
        opened, how = self._security.unseal(scope), Focus(**focus)
        measures = self._rules.measures
        await measures.see(opened, how)
        key = (opened.areas, opened.sees_unassigned, opened.role, str(asks), how.key)
        kept = self._overviews.get(key)
        generation = (measures.generation, self._rules.catalogue)
        if kept is not None and kept[0] == generation:
            return kept[1]
        told = [await self._days_of(opened, ask[0], [date.fromisoformat(day) for day in ask[1]], how) for ask in asks]
        if len(self._overviews) >= _MOST_OVERVIEWS:
            self._overviews.clear()
        self._overviews[key] = (generation, told)
        return told

    async def _days_of(self, scope: Scope, measure_id: str, days: list[date], focus: Focus) -> list[Any]:
        if focus.key != EVERYTHING.key:
            return [_told(await self._rules.measure(scope, measure_id, day, "none", focus)) for day in days]
        told: list[Any] = []
        for day in days:
            table = self._rules.measures.kept(scope, self._rules.measure_of(measure_id, day), day)
            if table is None and day == days[0]:
                table = await self._rules.measure(scope, measure_id, day, "none", focus)
            if table is None:
                self._want(measure_id, day)
            told.append(_told(table) if table is not None else None)
        return told

    async def _work(self, scope: bytes, first: str, last: str) -> dict[str, Any]:
        opened, days = self._security.unseal(scope), (date.fromisoformat(first), date.fromisoformat(last))
        table = await self._workload.of_months(opened, *days, self._seq, patience_s=PATIENCE_S)
        return {"seq": table.seq, "rows": [{**asdict(row), "month": row.month.isoformat()} for row in table.rows]}

    async def _work_entries(self, scope: bytes, query: dict[str, Any]) -> dict[str, Any]:
        days = {name: date.fromisoformat(query[name]) for name in ("first", "last")}
        found, total, seq = await self._workload.entries(self._security.unseal(scope), WorkQuery(**{**query, **days}))
        rows = [{**asdict(one), "day": one.day.isoformat(), "entered_on": one.entered_on and one.entered_on.isoformat()} for one in found]
        return {"seq": seq, "total": total, "entries": rows}

    async def _visits(self, scope: bytes, kind: str, first: str, last: str, known_on: int | None) -> dict[str, Any]:
        values = {"first": date.fromisoformat(first), "last": date.fromisoformat(last)}
        sql = _VISITS.format(kind=KINDS[kind])
        table, seq = await self._ground.columns.query(self._security.unseal(scope), sql, values, as_known_on=known_on)
        return {"seq": seq, "visits": [{**row, "day": row["day"].isoformat()} for row in table.to_pylist()]}

    async def _verify(self, scope: bytes) -> dict[str, int]:
        self._security.unseal(scope).require("appraisal")
        run = await self._ground.runs.run(_LOOK, self.verify)
        return {name: int(number) for name, number in run.detail.items()}

    async def _run(self) -> None:
        """Make what is wanted, then make again what was used lately and is behind; rest as long as it worked."""
        while True:
            started = time.monotonic()
            try:
                busy = await self._step(started)
            except Exception:  # noqa: BLE001 - the outermost edge of the loop: what failed is logged and asked for again
                _log.exception("a measure could not be made in the background")
                busy = True
            if not busy:
                self._wake.clear()
                try:
                    await asyncio.wait_for(self._wake.wait(), _QUIET_S)
                except TimeoutError:
                    self._warm()
            else:
                await asyncio.sleep(min(_MOST_REST_S, max(_LEAST_REST_S, _REST * (time.monotonic() - started))))

    def _warm(self) -> None:
        """Once a day, when nothing happens: want every measure for today and the ends of the months before, so that no page waits."""
        today = self._ground.clock.today()
        if self._warmed == today or not self._seq:
            return
        self._warmed = today
        for day in reversed(month_ends(today)):
            for definition in self._rules.edition(day).of_kind("measure"):
                self._want(definition.id, day)

    def _want(self, measure_id: str, day: date) -> None:
        """Ask for a measure in the background; what was asked for last is made first."""
        self._wanted.pop((measure_id, day), None)
        self._wanted[measure_id, day] = None
        self._wake.set()

    async def follow(self) -> bool:
        """Bring what is kept up to the columns by the people who changed since, where they are few; tell whether there was something to do.

        Where they are many (a load), what is asked for is made anew from the columns.
        """
        upto, measures = self._seq, self._rules.measures
        behind = measures.behind(upto)
        if behind:
            since = max(min(one.flags.seq for _, one in behind), upto - _MOST_ENTRIES)
            async with self._ground.database.connection() as connection:
                rows = await connection.fetch(_CHANGES, since, upto, _MOST_PERSONS + 1)
            if len(rows) > _MOST_PERSONS:
                since = rows.pop()["seq"]
            await measures.follow(
                upto, since, [Change(row["person"], row["seq"], row["is_belonging"]) for row in rows], self._rules.person_rows
            )
        measures.moved(upto)
        return bool(behind)

    async def _step(self, now: float) -> bool:
        if self._seq != self._rules.measures.reached:
            await self.follow()
            return True
        if self._wanted:
            wanted, _ = self._wanted.popitem()
            with suppress(XinglinError):
                await self._rules.measure(self._security.system_scope(), *wanted)
            return True
        return await self._rules.measures.refresh(now - _WARM_S)


def _told(table: MeasureTable) -> dict[str, Any]:
    return {**asdict(table.total), "seq": table.seq}


def month_ends(day: date, count: int = 12) -> list[date]:
    """Return a day and the ends of the months before it, newest first.

    >>> month_ends(date(2026, 3, 10), 3)
    [datetime.date(2026, 3, 10), datetime.date(2026, 2, 28), datetime.date(2026, 1, 31)]
    """
    days = [day]
    while len(days) < count:
        days.append(days[-1].replace(day=1) - timedelta(days=1))
    return days


def table_of(told: dict[str, Any], as_of: date) -> MeasureTable:
    """Return what `rules.measure` told."""
    return MeasureTable(**{**told, "as_of": as_of, "total": row_of(told["total"]), "rows": [row_of(row) for row in told["rows"]]})


def row_of(told: dict[str, Any]) -> MeasureRow:
    """Return a row that travelled as a map."""
    return MeasureRow(**{**told, "interval": tuple(told["interval"]) if told["interval"] else None})
