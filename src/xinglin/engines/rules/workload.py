"""Work done by person and month: visits by way, examinations, records opened, late entries. Counted from the columns, inside a scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from xinglin.base.errors import IncorrectError
from xinglin.engines.rules.ports import Columns
from xinglin.engines.rules.shelf import Shelf
from xinglin.engines.security import Scope

_MOST_BYTES: Final = 16 * 1024 * 1024
_ROW_BYTES: Final = 200
_SQL: Final = """
with done as (
    select e.practitioner as worker, e.provider as institution, date_trunc('month', e.start_date)::date as month,
        count(*) filter (where e.kind like 'followup-%' and e.way = '1') as clinic,
        count(*) filter (where e.kind like 'followup-%' and e.way = '2') as home,
        count(*) filter (where e.kind like 'followup-%' and e.way = '3') as phone,
        count(*) filter (where e.kind like 'followup-%' and e.way is null) as way_unknown,
        count(*) filter (where e.kind = 'health-examination') as examinations,
        count(*) filter (where e.entered_on > e.start_date) as late,
        0 as records, count(distinct e.patient) as residents
    from encounter e
    where e.status = 'finished' and (e.kind like 'followup-%' or e.kind = 'health-examination') and e.start_date between $first and $last
    group by 1, 2, 3
), opened as (
    select null::bigint as worker, p.managing_org as institution, date_trunc('month', p.record_opened_on)::date as month,
        0, 0, 0, 0, 0, 0, count(*) as records, 0
    from patient p where p.record_opened_on between $first and $last group by 1, 2, 3
)
select * from done union all select * from opened order by month desc, institution, worker nulls last"""


_VISITED: Final = "e.kind like 'followup-%'"
_SERVED: Final = f"({_VISITED} or e.kind = 'health-examination')"
_ENTRIES: Final = """
select r.rid, r.patient, l.person, r.day, r.entered_on, r.kind, r.way, count(*) over () as total from ({rows}) r
join person_link l on l.patient = r.patient and l.to_seq is null order by r.day desc, r.rid limit $count offset $start"""
_SERVICES: Final = """
select e.rid, e.patient, e.start_date as day, e.entered_on, e.kind, e.way from encounter e
where e.status = 'finished' and {kind} and e.start_date between $first and $last
    and e.practitioner is not distinct from $worker and e.provider is not distinct from $institution"""
_ROWS: Final = {
    "visits": _SERVICES.format(kind=f"{_VISITED} and (e.way in ('1', '2', '3') or e.way is null)"),
    "clinic": _SERVICES.format(kind=f"{_VISITED} and e.way = '1'"),
    "home": _SERVICES.format(kind=f"{_VISITED} and e.way = '2'"),
    "phone": _SERVICES.format(kind=f"{_VISITED} and e.way = '3'"),
    "way_unknown": _SERVICES.format(kind=f"{_VISITED} and e.way is null"),
    "examinations": _SERVICES.format(kind="e.kind = 'health-examination'"),
    "late": _SERVICES.format(kind=f"{_SERVED} and e.entered_on > e.start_date"),
    "residents": f"select distinct on (s.patient) s.* from ({_SERVICES.format(kind=_SERVED)}) s order by s.patient, s.day desc, s.rid",
    "records": (
        "select p.rid, p.rid as patient, p.record_opened_on as day, null::date as entered_on, 'record' as kind, null::varchar as way"
        " from patient p where p.record_opened_on between $first and $last and p.managing_org is not distinct from $institution"
        " and $worker::bigint is null"
    ),
}
WORK_KINDS: Final = tuple(_ROWS)
"""The numbers of a WorkRow that open into entries: its counts, `visits` (all ways together) and `residents` (the latest entry of each)."""


@dataclass(frozen=True, slots=True)
class WorkQuery:
    """Which entries stand behind a number of a WorkRow. kind: one of WORK_KINDS.  worker, institution: rids as the row has them."""

    kind: str
    first: date
    last: date
    worker: int | None
    institution: int | None
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class WorkEntry:
    """One entry behind a number. rid: of the Encounter, or of the Patient for a record opened.  kind: of the service, or "record"."""

    rid: int
    person: int
    day: date
    entered_on: date | None
    kind: str
    way: str | None


@dataclass(frozen=True, slots=True)
class WorkRow:
    """What one worker did in one month for one institution. worker None: what is not told by person (records opened).

    month: its first day.  clinic, home, phone, way_unknown: follow-up visits by way.  late: entered after the day of the visit.
    residents: distinct source records visited or examined.
    """

    worker: int | None
    institution: int | None
    month: date
    clinic: int
    home: int
    phone: int
    way_unknown: int
    examinations: int
    late: int
    records: int
    residents: int


@dataclass(frozen=True, slots=True)
class WorkTable:
    """Rows of some months. seq: of the columns."""

    seq: int
    rows: tuple[WorkRow, ...]

    @property
    def bytes(self) -> int:
        """Return about the memory it takes."""
        return _ROW_BYTES * (1 + len(self.rows))


class Workload:
    """Counts work inside a scope and keeps the answers until the columns move."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._kept: Shelf[WorkTable] = Shelf(_MOST_BYTES)

    async def of_months(self, scope: Scope, first: date, last: date, seq: int, *, patience_s: float | None = None) -> WorkTable:
        """Return the work from the first to the last day, at seq or later (or what is kept, when newer takes longer than patience_s)."""

        async def make(_: int) -> WorkTable:
            table, found = await self._columns.query(scope, _SQL, {"first": first, "last": last})
            return WorkTable(found, tuple(WorkRow(**row) for row in table.to_pylist()))

        return await self._kept.get((scope.areas, scope.sees_unassigned, scope.is_house, first, last), seq, make, patience_s)

    async def entries(self, scope: Scope, query: WorkQuery) -> tuple[list[WorkEntry], int, int]:
        """Return a page of the entries behind a number, newest first, how many there are, and the seq.  Raises: IncorrectError."""
        if query.kind not in _ROWS:
            raise IncorrectError("没有这一列", f"no such column; write one of {', '.join(WORK_KINDS)}", where="kind")
        values = {"first": query.first, "last": query.last, "worker": query.worker, "institution": query.institution}
        sql = _ENTRIES.format(rows=_ROWS[query.kind])
        table, seq = await self._columns.query(scope, sql, values | {"count": query.limit, "start": query.offset})
        rows = table.to_pylist()
        found = [WorkEntry(row["rid"], row["person"], row["day"], row["entered_on"], row["kind"], row["way"]) for row in rows]
        return found, rows[0]["total"] if rows else 0, seq
