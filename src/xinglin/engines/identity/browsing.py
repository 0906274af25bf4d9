"""Lists of residents: filtered, sorted and counted inside a scope."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError
from xinglin.base.text import fold, storable, to_halfwidth
from xinglin.engines.identity.residents import CARD, PersonCard, card_of, search_terms
from xinglin.engines.security import Scope, scope_condition

_SORTS: Final = {"name": "r.sort_key", "age": "r.birth_date", "area": "r.area", "record_number": "r.record_number"}
_STATES: Final = {
    "resident": "r.death_date is null and coalesce(r.residence_status, '') <> 'moved_out'",
    "moved_out": "r.death_date is null and r.residence_status = 'moved_out'",
    "died": "r.death_date is not null",
    "unassigned": "not exists (select 1 from person_scope belongs where belongs.person = r.person and belongs.to_seq is null)",
}


@dataclass(frozen=True, slots=True)
class Browse:
    """Which residents. text: as in the search box.  areas: closed range of division codes.  sex: GB/T 2261.1.

    born_from, born_until: closed range of birth dates.  state: resident, moved_out, died or unassigned.
    sort: name, age (oldest first), area or record_number; descending turns it round.
    """

    text: str = ""
    areas: tuple[int, int] | None = None
    sex: int | None = None
    born_from: date | None = None
    born_until: date | None = None
    state: str = ""
    sort: str = "area"
    descending: bool = False
    limit: int = 20
    offset: int = 0


class Residence:
    """Reads lists of residents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def browse(self, scope: Scope, query: Browse) -> tuple[list[PersonCard], int]:
        """Return a page of residents the scope sees, and how many fit in all.

        Raises: ForbiddenError without `resident.read`; IncorrectError for an unknown state or order.
        """
        scope.require("resident.read")
        if query.sort not in _SORTS or query.state and query.state not in _STATES:
            raise IncorrectError(
                "没有这种状态或排序", f"write a state of {', '.join(_STATES)} and an order of {', '.join(_SORTS)}", where="sort"
            )
        conditions, values = _conditions(query)
        where = " and ".join([*conditions, scope_condition(scope, "r.person")])
        order = f"{_SORTS[query.sort]} {'desc' if query.descending else 'asc'} nulls last, r.sort_key, r.person"
        async with self._database.connection() as connection:
            total = await connection.fetchval(f"select count(*) from resident r where {where}", *values)
            rows = await connection.fetch(
                f"{CARD} where {where} order by {order} limit {int(query.limit)} offset {int(query.offset)}", *values
            )
        return [card_of(row) for row in rows], total


def _conditions(query: Browse) -> tuple[list[str], list[Any]]:
    conditions: list[str] = ["true"]
    values: list[Any] = []
    wanted = storable(fold(to_halfwidth(query.text)).replace(" ", ""))
    if wanted:
        condition, value = search_terms(wanted)
        conditions.append(condition)
        values.append(value)
    bounds = (
        ("r.area >= {}", query.areas[0] if query.areas else None),
        ("r.area <= {}", query.areas[1] if query.areas else None),
        ("r.sex = {}", query.sex),
        ("r.birth_date >= {}", query.born_from),
        ("r.birth_date <= {}", query.born_until),
    )
    for template, bound in bounds:
        if bound is not None:
            values.append(bound)
            conditions.append(template.format(f"${len(values)}"))
    if query.state:
        conditions.append(_STATES[query.state])
    return conditions, values


_NEXT_SERIAL: Final = """
insert into record_serial (area, last)
select $1, coalesce(max(substr(record_number, 13)::integer), 0) + 1 from patient_key
where record_number collate "C" between $2 || '00000' and $2 || '99999' and record_number ~ '^[0-9]{17}$'
on conflict (area) do update set last = greatest(record_serial.last + 1, excluded.last) returning last
"""


async def next_record_number(database: Database, area: int) -> str:
    """Give out the next 17-digit health record number of a village: its 12 digits and a serial of 5. No two callers get the same.

    A number that is then not used leaves a gap.  Raises: IncorrectError when the village has used up its 99,999.
    Source: 国家基本公共卫生服务规范（第三版）, 居民健康档案管理, 健康档案编码 (unverified).
    """
    village = f"{area:012d}"
    async with database.transaction() as connection:
        serial: int = await connection.fetchval(_NEXT_SERIAL, area, village)
        if serial > 99_999:
            raise IncorrectError("这个村的档案编号已用完", "this village has used up its record numbers", where="record_number")
    return f"{village}{serial:05d}"
