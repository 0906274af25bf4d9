"""Work done by person and month: visits by way, examinations, records opened, late entries. Counted from the columns, inside a scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

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
