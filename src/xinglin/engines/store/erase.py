"""Taking source patients out of the record: bodies, history, index rows, links; what stays is an entry of the feed that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from xinglin.engines.store.model import Cause, Key
from xinglin.engines.store.numbers import SAYS_NOTHING

_ABOUT: Final = """
select rid from res where (pat = any($1::bigint[]) or rid = any($1::bigint[])) and ($2::bigint[] is null or rid = any($2))
union select rid from hist where (pat = any($1::bigint[]) or rid = any($1::bigint[])) and ($2::bigint[] is null or rid = any($2))"""
_NAMING: Final = """
select rid from res where others && $1::bigint[] and ($2::bigint[] is null or rid = any($2))
union select rid from hist where others && $1::bigint[] and ($2::bigint[] is null or rid = any($2))"""
_SHARED: Final = """
select rid, rtype, id, body from res where rid = any($1::bigint[]) and others && $2::bigint[] order by rid"""
_SINCE: Final = "select distinct rid from feed where seq > $1 and kind = 'resource'"
_LOOKING_S: Final = 3600.0
_FED: Final = """
insert into feed (seq, kind, rid, ver, person, actor, message_no, ts, site)
select $2 + n, 'erase', patient, 0, $3, $4, $5, $6, $7 from unnest($1::bigint[]) with ordinality as u(patient, n)"""
# An id that is no UUID may say who somebody is; its number stays, so that it is never given twice.
_UNNAMED: Final = f"update ident set id = 'erased-' || rid where rid = any($1::bigint[]) and id !~ '^{SAYS_NOTHING}$'"


@dataclass(frozen=True, slots=True)
class Erased:
    """What was taken out. rids: of every resource.  shared: (rid, type, id, body) of other resources that name one of the patients."""

    rids: tuple[int, ...]
    shared: tuple[tuple[int, str, str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Traces:
    """What the record held of source patients as of a seq of the feed. about: rids of what is theirs.  naming: rids of what names them."""

    patients: tuple[int, ...]
    seq: int
    about: frozenset[int]
    naming: frozenset[int]


async def find_traces(connection: asyncpg.Connection[Any], patients: Sequence[int]) -> Traces:
    """Look through the whole record for source patients. That takes long, and nobody waits for it: call it before `erase_patients`."""
    seq: int = await connection.fetchval("select seq from feed_head")
    return Traces(tuple(patients), seq, *await _looked(connection, patients, None))


async def _looked(
    connection: asyncpg.Connection[Any], patients: Sequence[int], among: Sequence[int] | None
) -> tuple[frozenset[int], frozenset[int]]:
    """Return the rids of what is about patients and of what names them. among: the rids to look at, None = all."""
    about = await connection.fetch(_ABOUT, list(patients), among, timeout=_LOOKING_S)
    naming = await connection.fetch(_NAMING, list(patients), among, timeout=_LOOKING_S)
    return frozenset(row["rid"] for row in about), frozenset(row["rid"] for row in naming)


async def patients_of(connection: asyncpg.Connection[Any], person: int) -> dict[int, Key]:
    """Return rid → (type, id) of the source patients a person has now."""
    rows = await connection.fetch(
        "select n.rid, n.rtype, n.id from person_link l join ident n on n.rid = l.patient where l.person = $1 and l.to_seq is null order by n.rid",
        person,
    )
    return {row["rid"]: (row["rtype"], row["id"]) for row in rows}


async def erase_patients(connection: asyncpg.Connection[Any], traces: Traces, person: int | None, cause: Cause, site: int) -> Erased:
    """Take source patients and all that is about them out, inside the caller's transaction; nobody else writes until it commits.

    traces: where they were a moment ago; only what was written since is looked through again.  One entry of kind `erase` goes into the feed for each patient. Other resources that name one of them are returned as they are: the
    caller writes them anew.
    """
    head = await connection.fetchrow("select seq, greatest(ts, date_trunc('milliseconds', now())) as ts from feed_head for update")
    assert head is not None
    patients = traces.patients
    since = [row["rid"] for row in await connection.fetch(_SINCE, traces.seq)]
    about, naming = await _looked(connection, patients, since)
    rids = sorted(traces.about | about)
    named = sorted((traces.naming | naming) - set(rids))
    shared = await connection.fetch(_SHARED, named, list(patients))
    await connection.execute("delete from hist where rid = any($1::bigint[]) and others && $2::bigint[]", named, list(patients))
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
