"""Small questions that many pages ask of the engines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from xinglin.engines.identity import Institution
from xinglin.engines.security import AccountCard, scope_condition
from xinglin.web.page import Visit
from xinglin.web.record import Names, Record, read_record

COUNTY: Final = 10**6
"""An area divided by it gives the six digits of its county."""


async def demo_accounts(visit: Visit) -> Sequence[AccountCard]:
    """Return the accounts of a demonstration, whose password the sign-in page shows; none anywhere else."""
    return await visit.platform.security.setup.demo_accounts() if visit.platform.settings.demo else ()


async def institutions(visit: Visit) -> dict[int, Institution]:
    """Return every institution by its rid."""
    async with visit.platform.database.connection() as connection:
        return {one.rid: one for one in await visit.platform.register.institutions(connection)}


async def workers(visit: Visit) -> dict[int, str]:
    """Return the names of workers by rid."""
    async with visit.platform.database.connection() as connection:
        return {one.rid: one.name for one in await visit.platform.register.practitioners(connection)}


async def names(visit: Visit) -> Names:
    """Return the names of institutions and workers by their registered codes and by their ids."""
    async with visit.platform.database.connection() as connection:
        places = await visit.platform.register.institutions(connection)
        people = await visit.platform.register.practitioners(connection)
    keys = await visit.platform.store.keys([*(one.rid for one in places), *(one.rid for one in people)])
    ids = {rid: own for rid, (_, own) in keys.items()}
    by_place = {one.code: one.name for one in places} | {ids[one.rid]: one.name for one in places if one.rid in ids}
    return Names(by_place, {one.code: one.name for one in people} | {ids[one.rid]: one.name for one in people if one.rid in ids})


async def number_division(visit: Visit, number: str) -> str:
    """Return in words the division an ID number of 18 characters was given in: its name where the divisions know it, else its six digits."""
    area = int(number[:6]) * COUNTY
    return visit.text("证件号属于 {division}", division=(await visit.platform.geo.names([area])).get(area, number[:6]))


async def record_of(visit: Visit, person: int) -> Record:
    """Return a resident's record for a page. Raises: NotFoundError outside the scope."""
    return read_record(await visit.platform.store.person_bodies(visit.scope, person), await names(visit))


async def entries_seen(visit: Visit, rids: Sequence[int]) -> dict[int, tuple[int, str, int, datetime]]:
    """Return rid → (person, type, number of its message, when it came) of those entries that are about residents the scope sees."""
    query = (
        "select r.rid, l.person, r.rtype, r.message_no, r.ts from res r join person_link l on l.patient = r.pat and l.to_seq is null"
        f" where r.rid = any($1::bigint[]) and {scope_condition(visit.scope, 'l.person')}"
    )
    async with visit.platform.database.connection() as connection:
        return {row[0]: (row[1], row[2], row[3], row[4]) for row in await connection.fetch(query, list(rids))}
