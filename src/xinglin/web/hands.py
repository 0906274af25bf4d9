"""Who may change a saved visit: whoever may write such a visit, and is its author or of the same institution.

Only what was entered on our own pages is changed here; what another system sent is changed there, and sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from xinglin.engines.exchange import OWN_PAGES
from xinglin.web.page import Visit

RIGHTS: Final = {
    "followup-hypertension": "followup.write",
    "followup-diabetes2": "followup.write",
    "health-examination": "examination.write",
}


async def changeable(visit: Visit, visits: Sequence[tuple[Mapping[str, Any], int]]) -> frozenset[str]:
    """Return the ids of the visits this person may change. visits: Encounter and number of the message that wrote it."""
    scope = visit.scope
    if scope.practitioner_rid is None or scope.institution_rid is None:
        return frozenset()
    wanted = [(body, number) for body, number in visits if _right(body) and visit.allows(_right(body))]
    if not wanted:
        return frozenset()
    keys = await visit.platform.store.keys([scope.practitioner_rid, scope.institution_rid])
    own = {f"{rtype}/{key}" for rtype, key in keys.values()}
    ours = await _from_pages(visit, [number for _, number in wanted])
    return frozenset(str(body["id"]) for body, number in wanted if number in ours and own & _hands(body))


def _right(encounter: Mapping[str, Any]) -> str:
    codes = [str(coding.get("code", "")) for concept in encounter.get("type") or () for coding in concept.get("coding") or ()]
    return next((RIGHTS[code] for code in codes if code in RIGHTS), "")


def _hands(encounter: Mapping[str, Any]) -> set[str]:
    people = [one.get("individual") for one in encounter.get("participant") or ()]
    return {str((one or {}).get("reference", "")) for one in (*people, encounter.get("serviceProvider"))}


async def _from_pages(visit: Visit, numbers: Sequence[int]) -> set[int]:
    """Return those messages that our own pages sent."""
    query = "select m.message_no from message m join source s using (source_no) where m.message_no = any($1::bigint[]) and s.code = $2"
    async with visit.platform.database.connection() as connection:
        return {row[0] for row in await connection.fetch(query, list(numbers), OWN_PAGES)}
