"""Small questions that many pages ask of the engines."""

from __future__ import annotations

from collections.abc import Sequence

from xinglin.engines.identity import Institution
from xinglin.engines.security import AccountCard
from xinglin.web.page import Visit
from xinglin.web.record import Names, Record, read_record


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


async def record_of(visit: Visit, person: int) -> Record:
    """Return a resident's record for a page. Raises: NotFoundError outside the scope."""
    return read_record(await visit.platform.store.person_bodies(visit.scope, person), await names(visit))
