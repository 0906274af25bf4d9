"""Work lists: what table `result` asks of somebody today, inside a scope. Status comes from the dates at the time of asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson

from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError
from xinglin.engines.rules.following import READER
from xinglin.engines.security import Scope, scope_condition

_FOLLOWUPS: Final = "t.definition in ('hypertension-followup', 'diabetes2-followup')"
_SOON: Final = "t.state->>'why' in ('recheck', 'emergency', 'referral')"
# $1 is the day. The lists a doctor's desk counts; each a condition on table result t.
LISTS: Final = {
    "today": f"{_FOLLOWUPS} and t.due_from <= $1 and t.due_by >= $1",
    "overdue": f"{_FOLLOWUPS} and t.due_by < $1",
    "recheck": f"{_FOLLOWUPS} and {_SOON} and t.due_by >= $1",
    "referral": "t.definition = 'referral-tracking' and t.due_from <= $1",
    "examination": "t.definition = 'annual-examination' and t.due_from <= $1",
    "complete": "t.definition in ('followup-to-complete', 'examination-to-complete', 'hypertension-from-reading', 'diabetes2-from-reading')",
    "suspected": "t.definition = 'hypertension-suspected'",
    "managed": f"{_FOLLOWUPS}",
}
_WAITING: Final = """
select ts from feed where seq > coalesce((select seq from feed_reader where name = $1), 0) order by seq limit 1"""
_PATIENCE: Final = timedelta(seconds=10)
_SORTS: Final = {"due_by": "t.due_by", "name": "r.sort_key", "area": "r.area", "age": "r.birth_date"}


@dataclass(frozen=True, slots=True)
class WorklistQuery:
    """Which work. list: key of LISTS.  definition: one programme only, "" for any.  areas: closed range of division codes.

    name: beginning of a folded name or of its initials.  responsible: rid of the worker named in the result, None for anybody's.
    due_until: due on that day or before.  not_seen_on: leaves out whom somebody visited that day.  sort: due_by, name, area or age.
    """

    list: str
    definition: str = ""
    areas: tuple[int, int] | None = None
    name: str = ""
    responsible: int | None = None
    due_until: date | None = None
    not_seen_on: date | None = None
    sort: str = "due_by"
    descending: bool = False
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing to do for one resident. state: named values of the definition."""

    person: int
    definition: str
    due_from: date | None
    due_by: date | None
    lost_after: date | None
    state: dict[str, Any]


class Worklists:
    """Reads table `result` for people who work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counts(self, scope: Scope, today: date) -> dict[str, int]:
        """Return list → number of residents in it.  Raises: ForbiddenError without `resident.read`."""
        scope.require("resident.read")
        parts = ", ".join(f"count(distinct t.person) filter (where {condition}) as {name}" for name, condition in LISTS.items())
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"select {parts} from result t where t.applies and {scope_condition(scope, 't.person')}", today)
        return dict(row)

    async def is_behind(self, now: datetime) -> bool:
        """Return whether table `result` does not tell of the record yet: an entry older than a few seconds was not reckoned.

        A number of a list is not the whole then. now: as the store's clock says.
        """
        async with self._database.connection() as connection:
            oldest = await connection.fetchval(_WAITING, READER)
        return oldest is not None and now - oldest > _PATIENCE

    async def page(self, scope: Scope, today: date, query: WorklistQuery) -> tuple[list[Duty], int, int]:
        """Return a page of duties, how many there are in all, and of how many residents.

        Raises: ForbiddenError without `resident.read`; IncorrectError for an unknown list or order.
        """
        scope.require("resident.read")
        if query.list not in LISTS or query.sort not in _SORTS:
            raise IncorrectError("没有这个名单", f"write a list of {', '.join(LISTS)} and an order of {', '.join(_SORTS)}", where="list")
        conditions, values = _conditions(query, today)
        where = f"t.applies and {' and '.join(conditions)} and {scope_condition(scope, 't.person')}"
        order = f"{_SORTS[query.sort]} {'desc' if query.descending else 'asc'} nulls last, t.due_by nulls last, t.person, t.definition"
        async with self._database.connection() as connection:
            counted = await connection.fetchrow(
                "select count(*) as duties, count(distinct t.person) as people from result t join resident r using (person)"
                f" where $1::date is not null and {where}",
                *values,
            )
            rows = await connection.fetch(
                "select t.person, t.definition, t.due_from, t.due_by, t.lost_after, t.state from result t join resident r using (person)"
                f" where $1::date is not null and {where} order by {order} limit {int(query.limit)} offset {int(query.offset)}",
                *values,
            )
        return [_duty(row) for row in rows], counted["duties"], counted["people"]

    async def of_persons(self, scope: Scope, persons: list[int]) -> list[Duty]:
        """Return everything that is asked for some residents."""
        scope.require("resident.read")
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select t.person, t.definition, t.due_from, t.due_by, t.lost_after, t.state from result t"
                f" where t.applies and t.person = any($1::bigint[]) and {scope_condition(scope, 't.person')} order by t.due_by nulls last",
                persons,
            )
        return [_duty(row) for row in rows]


def _conditions(query: WorklistQuery, today: date) -> tuple[list[str], list[Any]]:
    conditions, values = [f"({LISTS[query.list]})"], [today]
    wanted: list[tuple[str, Any]] = [
        ("t.definition = {}", query.definition or None),
        ("r.area >= {}", query.areas[0] if query.areas else None),
        ("r.area <= {}", query.areas[1] if query.areas else None),
        ("(t.state->>'responsible')::bigint = {}", query.responsible),
        ("t.due_by <= {}", query.due_until),
        ("coalesce(t.state->>'last_visit_on', '') <> {}", str(query.not_seen_on) if query.not_seen_on else None),
        ("(r.name_folded like {0} || '%' or r.initials like {0} || '%')", query.name.replace("%", "").replace("_", "") or None),
    ]
    bound: list[Any] = list(values)
    for template, value in wanted:
        if value is not None:
            bound.append(value)
            conditions.append(template.format(f"${len(bound)}"))
    return conditions, bound


def _duty(row: Any) -> Duty:
    facts = dict(row)
    facts["state"] = orjson.loads(facts["state"])
    return Duty(**facts)
