"""Taking source patients out of the record: bodies, history, index rows, links; what stays is an entry of the feed that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from xinglin.engines.store.model import Cause, Key

_ABOUT: Final = """
select rid from res where pat = any($1::bigint[]) or rid = any($1::bigint[])
union select rid from hist where pat = any($1::bigint[]) or rid = any($1::bigint[])"""
_SHARED: Final = """
select rid, rtype, id, body from res where others && $1::bigint[] and not rid = any($2::bigint[]) order by rid"""
_FED: Final = """
insert into feed (seq, kind, rid, ver, person, actor, message_no, ts, site)
select $2 + n, 'erase', patient, 0, $3, $4, $5, $6, $7 from unnest($1::bigint[]) with ordinality as u(patient, n)"""
# An id that is no UUID may say who somebody is; its number stays, so that it is never given twice.
_UNNAMED: Final = """
update ident set id = 'erased-' || rid where rid = any($1::bigint[]) and id !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'"""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out. rids: of every resource.  shared: (rid, type, id, body) of other resources that name one of the patients."""

    rids: tuple[int, ...]
    shared: tuple[tuple[int, str, str, bytes], ...]


async def patients_of(connection: asyncpg.Connection[Any], person: int) -> dict[int, Key]:
    """Return rid → (type, id) of the source patients a person has now."""
    rows = await connection.fetch(
        "select n.rid, n.rtype, n.id from person_link l join ident n on n.rid = l.patient where l.person = $1 and l.to_seq is null order by n.rid",
        person,
    )
    return {row["rid"]: (row["rtype"], row["id"]) for row in rows}


async def erase_patients(
    connection: asyncpg.Connection[Any], patients: Sequence[int], person: int | None, cause: Cause, site: int
) -> Erased:
    """Take source patients and all that is about them out, inside the caller's transaction; nobody else writes until it commits.

    One entry of kind `erase` goes into the feed for each patient. Other resources that name one of them are returned as they are: the
    caller writes them anew.
    """
    head = await connection.fetchrow("select seq, greatest(ts, date_trunc('milliseconds', now())) as ts from feed_head for update")
    assert head is not None
    rids = [row["rid"] for row in await connection.fetch(_ABOUT, list(patients))]
    shared = await connection.fetch(_SHARED, list(patients), rids)
    for table in ("idx_string", "idx_date", "idx_number", "res", "hist"):
        await connection.execute(f"delete from {table} where rid = any($1::bigint[])", rids)
    await connection.execute(_UNNAMED, rids)
    await connection.execute("delete from person_link where patient = any($1::bigint[])", list(patients))
    if person is not None:
        await connection.execute(
            "delete from person_scope s where person = $1 and not exists (select 1 from person_link l where l.person = $1)", person
        )
    await connection.execute(_FED, list(patients), head["seq"], person, cause.actor, cause.message_no, head["ts"], site)
    await connection.execute("update feed_head set seq = $1, ts = $2", head["seq"] + len(patients), head["ts"])
    await connection.execute("select pg_notify('xinglin_feed', $1)", str(head["seq"] + len(patients)))
    return Erased(tuple(rids), tuple((row["rid"], row["rtype"], row["id"], bytes(row["body"])) for row in shared))


async def drop_history(connection: asyncpg.Connection[Any], rids: Sequence[int]) -> None:
    """Take out the superseded versions of resources, which named somebody who was taken out."""
    await connection.execute("delete from hist where rid = any($1::bigint[])", list(rids))
