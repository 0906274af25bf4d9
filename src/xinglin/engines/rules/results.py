"""Table `result`: what programmes and work lists say of people, for one person at once and for everyone set-wise."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
import pyarrow as pa
from pyarrow import csv as arrow_csv

from xinglin.base.database import Database
from xinglin.definitions import Definition, Kind, Node, Question, Reads
from xinglin.engines.rules.closures import Closures, Frame
from xinglin.engines.rules.ports import Columns, Record
from xinglin.engines.rules.texts import SqlTexts
from xinglin.engines.security import Scope

_COLUMNS: Final = ("person", "due_from", "due_by", "lost_after", "state", "evidence")
# One statement and so one round trip: what no longer applies ends, what applies is written, unless the table knows it later already.
# Two that write one person's rows at once come one after the other: what ends for one may apply for the other, so that no order of rows
# would keep them from waiting for each other.
_SAY: Final = """
with alone as materialized (
  select pg_advisory_xact_lock(hashint8extended($1, 71))
), ended as (
  update result set applies = false, seq = $2, as_of = $3 from alone
  where person = $1 and definition = any($5::text[]) and seq <= $2 and applies
)
insert into result (person, definition, definition_hash, as_of, seq, site, applies, due_from, due_by, lost_after, state, evidence)
select $1, u.definition, u.definition_hash, $3::date, $2::bigint, $4::smallint, true, u.due_from, u.due_by, u.lost_after, u.state, u.evidence::bigint[]
from alone, unnest($6::text[], $7::text[], $8::date[], $9::date[], $10::date[], $11::jsonb[], $12::text[])
  as u(definition, definition_hash, due_from, due_by, lost_after, state, evidence)
on conflict (definition, person) do update set
  definition_hash = excluded.definition_hash, as_of = excluded.as_of, seq = excluded.seq, applies = true, due_from = excluded.due_from,
  due_by = excluded.due_by, lost_after = excluded.lost_after, state = excluded.state, evidence = excluded.evidence
where result.seq <= excluded.seq"""
_DIFFERENT: Final = (
    "(r.due_from, r.due_by, r.lost_after, r.state, r.evidence) is distinct from (n.due_from, n.due_by, n.lost_after, n.state, n.evidence)"
)
# What the two paths can be held to: rows of one definition and day, known up to the same seq or later, that say different things.
_DRIFT: Final = f"""
select count(*) filter (where r.person is null or not r.applies) as fresh,
       count(*) filter (where r.applies and {_DIFFERENT}) as changed,
       count(*) filter (where r.applies and r.definition_hash = $2 and r.as_of = $3 and r.seq = $4 and {_DIFFERENT}) as drifted
from result_load n left join result r on r.person = n.person and r.definition = $1"""
_MERGE: Final = """
insert into result (person, definition, definition_hash, as_of, seq, site, applies, due_from, due_by, lost_after, state, evidence)
select n.person, $1, $2, $3::date, $4::bigint, $5::smallint, true, n.due_from, n.due_by, n.lost_after, n.state, n.evidence
from result_load n order by n.person
on conflict (definition, person) do update set
  definition_hash = excluded.definition_hash, as_of = excluded.as_of, seq = excluded.seq, applies = true, due_from = excluded.due_from,
  due_by = excluded.due_by, lost_after = excluded.lost_after, state = excluded.state, evidence = excluded.evidence
where result.seq <= excluded.seq"""
_END: Final = """
update result r set applies = false, seq = $4, as_of = $3
where r.definition = $1 and r.applies and r.seq <= $4 and r.definition_hash is not null and $2::text is not null
  and not exists (select 1 from result_load n where n.person = r.person)"""


@dataclass(frozen=True, slots=True)
class Result:
    """What one programme or work list says of one person. state: named values; evidence: rids of the rows that count."""

    person: int
    definition: str
    definition_hash: str
    seq: int
    applies: bool
    due_from: date | None
    due_by: date | None
    lost_after: date | None
    state: dict[str, Any]
    evidence: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """What a full evaluation of one definition changed.

    rows: people it applies to. fresh: not in the table before. changed: said something else. ended: no longer apply. drifted: said
    something else although reckoned for the same day, definition and seq: the two paths disagree, which is a defect.
    """

    definition: str
    seq: int
    rows: int
    fresh: int
    changed: int
    ended: int
    drifted: int


@dataclass(frozen=True, slots=True)
class ResultGround:
    """What results are made of. house: the scope of the house itself. site: number of this installation."""

    database: Database
    columns: Columns | None
    record: Record
    texts: SqlTexts
    house: Scope
    site: int


class Results:
    """Writes `result`."""

    def __init__(self, ground: ResultGround) -> None:
        self._ground = ground

    async def of_person(self, definitions: Sequence[Definition], whom: tuple[int, Reads], as_of: date) -> list[Result]:
        """Reckon the definitions for one person from the record, save what they say and return what applies.

        whom: the person, and what of their record the definitions read.
        """
        ground, person = self._ground, whom[0]
        rows, seq = await ground.record.person_rows(ground.house, *whom)
        frame, closures = Frame(Question(rows, as_of)), _CLOSURES
        found = [_result(definition, person, seq, closures.evaluate(definition.outputs, frame)) for definition in definitions]
        said = [item for item in found if item.applies]
        async with ground.database.connection() as connection:
            await connection.execute(
                _SAY,
                *(person, seq, as_of, ground.site, [item.definition for item in found if not item.applies]),
                *([item.definition for item in said], [item.definition_hash for item in said]),
                *([item.due_from for item in said], [item.due_by for item in said], [item.lost_after for item in said]),
                [orjson.dumps(item.state).decode() for item in said],
                ["{" + ",".join(map(str, item.evidence)) + "}" for item in said],
            )
        return said

    async def of_everyone(self, definition: Definition, as_of: date) -> Drift:
        """Reckon one definition for everyone in the columns, merge it into `result`, and return what changed."""
        ground = self._ground
        assert ground.columns is not None
        sql = wrapped_sql(ground.texts.sql(definition), definition)
        table, seq = await ground.columns.query(ground.house, sql, {"as_of": as_of})
        content = await asyncio.to_thread(_csv, table)
        key = (definition.id, definition.hash, as_of, seq)
        async with ground.database.transaction() as connection:
            await connection.execute(
                "create temporary table result_load (person bigint, due_from date, due_by date, lost_after date, state jsonb, evidence bigint[]) on commit drop"
            )
            await connection.copy_to_table("result_load", source=content, columns=list(_COLUMNS), format="csv")
            counts = await connection.fetchrow(_DRIFT, *key)
            await connection.execute(_MERGE, *key, ground.site)
            ended = await connection.execute(_END, *key)
        return Drift(definition.id, seq, table.num_rows, counts["fresh"], counts["changed"], int(ended.split()[-1]), counts["drifted"])


def _result(definition: Definition, person: int, seq: int, values: dict[str, Any]) -> Result:
    state = {name: _plain(values[f"state_{name}"]) for name in definition.state}
    evidence = sorted({rid for name, rids in values.items() if name.startswith("evidence_") for rid in rids})
    return Result(
        person=person,
        definition=definition.id,
        definition_hash=definition.hash,
        seq=seq,
        applies=values["applies"],
        due_from=values["due_from"],
        due_by=values["due_by"],
        lost_after=values["lost_after"],
        state=state,
        evidence=tuple(evidence),
    )


def wrapped_sql(sql: str, definition: Definition) -> str:
    """Return SQL for the rows of `result` among what the compiled SQL says of everyone."""
    state = ", ".join(f"{name} := {_told(name, node)}" for name, node in definition.state.items())
    told = f"cast(to_json(struct_pack({state})) as varchar)" if state else "'{}'"
    lists = [name for name in definition.outputs if name.startswith("evidence_")]
    joined = f"list_sort(list_distinct(list_concat({', '.join(lists)}, [])))" if lists else "[]"
    return (
        f"select person, due_from, due_by, lost_after, {told} as state, '{{' || array_to_string({joined}, ',') || '}}' as evidence\n"
        f"from (\n{sql}\n) everyone where applies order by person"
    )


def _told(name: str, node: Node) -> str:
    """Return SQL that writes a whole number without a point, as the one-person path does."""
    column = f"state_{name}"
    if node.kind != Kind.NUMBER:
        return column
    return f"case when {column} = trunc({column}) then to_json(cast({column} as bigint)) else to_json({column}) end"


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _csv(table: pa.Table) -> io.BytesIO:
    sink = io.BytesIO()
    arrow_csv.write_csv(table, sink, arrow_csv.WriteOptions(include_header=False))
    sink.seek(0)
    return sink


# Compiled functions of nodes: a pure cache, the same for every caller.
_CLOSURES: Final = Closures()
