"""What table `result` asks of a doctor soon: results of referrals, visits to complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from xinglin.base.database import Database
from xinglin.engines.rules import WorklistQuery, Worklists
from xinglin.engines.workflow.reminders import Who

_LISTS: Final = (("referral", "duty-referral"), ("complete", "duty-complete"))
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class DutyWaiting:
    """A duty that waits. facts: `person` and `definition`; no name and no reading."""

    kind: str
    subject: str
    due: date | None
    facts: Mapping[str, Any]


class DutyReminders:
    """The duties of the work lists that wait for somebody who records visits; at most fifty of a list, the most urgent."""

    def __init__(self, database: Database) -> None:
        self._worklists = Worklists(database)

    async def waiting(self, who: Who, today: date) -> Sequence[DutyWaiting]:
        """Return the duties inside the scope; none for an account that records no visits."""
        if not (who.scope.allows("followup.write") and who.scope.allows("resident.read")):
            return []
        found: list[DutyWaiting] = []
        for name, kind in _LISTS:
            duties, *_ = await self._worklists.page(who.scope, today, WorklistQuery(list=name, limit=_MOST))
            found += [
                DutyWaiting(
                    kind, f"{one.person}:{one.definition}:{one.due_by}", one.due_by, {"person": one.person, "definition": one.definition}
                )
                for one in duties
            ]
        return found
