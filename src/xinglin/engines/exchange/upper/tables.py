"""The tables upper_mapping, upper_batch, upper_out and upper_row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeAlias

import asyncpg
import orjson

from xinglin.base.errors import NotFoundError
from xinglin.engines.exchange.upper.catalogue import columns_from, columns_plain
from xinglin.engines.exchange.upper.compare import digest_of
from xinglin.engines.exchange.upper.model import Batch, Kind, OurRecord, Reported, SheetColumn, SheetMapping, SheetRow, TheirRow

Connection: TypeAlias = "asyncpg.Connection[Any]"
_BATCH: Final = "select batch_no, direction, kind, made_at, actor, message_no, from_day, to_day, rows, refused, unchanged, warned, withdrawn_at from upper_batch"


async def mapping_of(connection: Connection, kind: Kind) -> SheetMapping:
    """Return the columns of a kind: those somebody saved, else what the product ships."""
    row = await connection.fetchrow("select columns, changed_at, changed_by from upper_mapping where kind = $1", kind.code)
    if row is None:
        return SheetMapping(kind, kind.columns)
    return SheetMapping(kind, columns_from(orjson.loads(row["columns"])), row["changed_at"], row["changed_by"])


async def save_mapping(connection: Connection, kind: Kind, columns: Sequence[SheetColumn] | None, by: tuple[datetime, int]) -> None:
    """Keep the columns of a kind; None goes back to what the product ships. by: (now, account)."""
    if columns is None:
        await connection.execute("delete from upper_mapping where kind = $1", kind.code)
        return
    await connection.execute(
        """insert into upper_mapping (kind, columns, changed_at, changed_by) values ($1, $2, $3, $4)
           on conflict (kind) do update set columns = excluded.columns, changed_at = excluded.changed_at, changed_by = excluded.changed_by""",
        kind.code, orjson.dumps(columns_plain(columns)).decode(), *by,
    )  # fmt: skip


async def add_batch(connection: Connection, direction: str, mapping: SheetMapping, facts: Mapping[str, Any]) -> int:
    """Write down a sheet; facts: further columns of upper_batch. Returns its number."""
    columns = {"direction": direction, "kind": mapping.kind.code, "mapping": orjson.dumps(columns_plain(mapping.columns)).decode(), **facts}
    places = ", ".join(f"${n + 1}" for n in range(len(columns)))
    number: int = await connection.fetchval(
        f"insert into upper_batch ({', '.join(columns)}) values ({places}) returning batch_no", *columns.values()
    )
    return number


async def batch_of(connection: Connection, batch_no: int) -> tuple[Batch, tuple[SheetColumn, ...]]:
    """Return a sheet and the columns it was written or read by.  Raises: NotFoundError."""
    row = await connection.fetchrow(f"{_BATCH} where batch_no = $1", batch_no)
    if row is None:
        raise NotFoundError("没有这个批次", "there is no such batch", where=str(batch_no))
    mapping = await connection.fetchval("select mapping from upper_batch where batch_no = $1", batch_no)
    return Batch(*row), columns_from(orjson.loads(mapping))


async def batches(
    connection: Connection, asked: tuple[str | None, str | None, int | None], page: tuple[int, int]
) -> tuple[list[Batch], int]:
    """Return a page (limit, offset) of the sheets, newest first, and how many there are. asked: (direction, kind, account)."""
    where = "($1::text is null or direction = $1) and ($2::text is null or kind = $2) and ($3::bigint is null or actor = $3)"
    total: int = await connection.fetchval(f"select count(*) from upper_batch where {where}", *asked)
    rows = await connection.fetch(f"{_BATCH} where {where} order by batch_no desc limit $4 offset $5", *asked, *page)
    return [Batch(*row) for row in rows], total


async def withdraw(connection: Connection, batch_no: int, by: tuple[datetime, int]) -> bool:
    """Mark a sheet that went out as not uploaded; returns whether it was one. by: (now, account)."""
    changed = await connection.fetchval(
        """update upper_batch set withdrawn_at = $2, withdrawn_by = $3
           where batch_no = $1 and direction = 'out' and withdrawn_at is null returning batch_no""",
        batch_no, *by,
    )  # fmt: skip
    return changed is not None


async def add_out(connection: Connection, batch_no: int, mapping: SheetMapping, records: Sequence[OurRecord]) -> None:
    """Write down what a sheet contained."""
    fields = [column.field for column in mapping.columns]
    await connection.executemany(
        "insert into upper_out (batch_no, kind, rid, person, ver, digest) values ($1, $2, $3, $4, $5, $6)",
        [(batch_no, mapping.kind.code, one.rid, one.person, one.version, digest_of(one.values, fields)) for one in records],
    )


async def out_rids(connection: Connection, batch_no: int) -> list[int]:
    """Return the rids a sheet contained."""
    return [row["rid"] for row in await connection.fetch("select rid from upper_out where batch_no = $1 order by rid", batch_no)]


async def reported(connection: Connection, kind: Kind, records: Sequence[OurRecord]) -> dict[int, Reported]:
    """Return rid → how the record went out last, of sheets that were not withdrawn. Residents are found by person."""
    by = "rid" if kind.service else "person"
    wanted = {(one.rid if kind.service else one.person): one.rid for one in records}
    rows = await connection.fetch(
        f"""select distinct on (o.{by}) o.{by} as subject, o.batch_no, o.digest, b.made_at, b.mapping from upper_out o join upper_batch b using (batch_no)
            where o.kind = $1 and o.{by} = any($2::bigint[]) and b.withdrawn_at is null order by o.{by}, o.batch_no desc""",
        kind.code,
        list(wanted),
    )
    fields: dict[int, tuple[str, ...]] = {}
    for row in rows:
        if row["batch_no"] not in fields:
            fields[row["batch_no"]] = tuple(column["field"] for column in orjson.loads(row["mapping"]))
    return {wanted[row["subject"]]: Reported(row["batch_no"], row["made_at"], fields[row["batch_no"]], row["digest"]) for row in rows}


async def keep_rows(connection: Connection, kind: Kind, rows: Sequence[SheetRow], batch: tuple[int, datetime]) -> int:
    """Keep what the platform's sheet says, newest wins; returns how many rows say what was known already."""
    known = await rows_by_key(connection, kind, [(row.id_number, row.day) for row in rows])
    await connection.execute(
        """insert into upper_row (kind, id_number, day, values, batch_no, line, seen_at)
           select $1, n, d, v::jsonb, $2, l, $3 from unnest($4::text[], $5::date[], $6::text[], $7::int[]) as t(n, d, v, l)
           on conflict (kind, id_number, day) do update set values = excluded.values, batch_no = excluded.batch_no, line = excluded.line,
           seen_at = excluded.seen_at""",
        kind.code, *batch, [row.id_number for row in rows], [row.day for row in rows],
        [orjson.dumps(dict(row.values)).decode() for row in rows], [row.line for row in rows],
    )  # fmt: skip
    return sum((row.id_number, row.day) in known and known[row.id_number, row.day].values == row.values for row in rows)


async def rows_by_key(connection: Connection, kind: Kind, keys: Iterable[tuple[str, date]]) -> dict[tuple[str, date], TheirRow]:
    """Return the platform's rows of these (ID number, day)."""
    wanted = list(keys)
    rows = await connection.fetch(
        """select id_number, day, values, seen_at, batch_no, line from upper_row
           where kind = $1 and (id_number, day) in (select * from unnest($2::text[], $3::date[]))""",
        kind.code, [key[0] for key in wanted], [key[1] for key in wanted],
    )  # fmt: skip
    return {(row["id_number"], row["day"]): _their(row) for row in rows}


async def rows_of_period(connection: Connection, kind: Kind, days: tuple[date, date], most: int) -> list[TheirRow]:
    """Return at most `most` of the platform's rows of a time, newest first."""
    rows = await connection.fetch(
        """select id_number, day, values, seen_at, batch_no, line from upper_row where kind = $1 and day between $2 and $3
           order by day desc, id_number limit $4""",
        kind.code, *days, most,
    )  # fmt: skip
    return [_their(row) for row in rows]


def _their(row: Any) -> TheirRow:
    return TheirRow(row["id_number"], row["day"], orjson.loads(row["values"]), row["seen_at"], row["batch_no"], row["line"])
