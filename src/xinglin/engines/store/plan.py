"""The two shapes of a search in SQL, and the choice between them.

Gather: find every hit by the most selective indexes, then sort. Walk: go along an index in the order asked for and stop when the page is
full. PostgreSQL's own choice rests on statistics that know nothing of clustered tokens, so it is not asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from xinglin.engines.store.conditions import Compiler, Condition
from xinglin.engines.store.counts import Counts
from xinglin.engines.store.findings import NO_DATE
from xinglin.engines.store.index import UNIONS, main_date_parameter
from xinglin.engines.store.query import SortKey
from xinglin.engines.store.read import columns_of

_WALK_COST: Final = 4.0
_FILTER_SHARE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Key:
    """What a page is ordered by. kind: SQL type.  is_indexed: an index of `res` has this order (with rid after it)."""

    sql: str
    kind: str
    descending: bool
    is_indexed: bool


def keys_of(compiler: Compiler, sort: Sequence[SortKey]) -> list[Key]:
    """Return the keys of an order; what has no value comes first going up and last going down. The rid always ends it."""
    return [*(_key(compiler, wish) for wish in sort), Key("r.rid", "bigint", False, True)]


def _key(compiler: Compiler, wish: SortKey) -> Key:
    name, down = wish.param.name, wish.descending
    if name == "_lastUpdated":
        return Key("r.seq", "bigint", down, True)
    if name == "_id":
        return Key("r.id", "text", down, False)
    if name == main_date_parameter(compiler.rtype):
        return Key("r.dt", "bigint", down, down)
    names = ", ".join(f"'{compiler.rtype}.{each}'" for each in UNIONS.get(name, (name,)))
    pick = "max" if down else "min"
    table, column, kind, least = {
        "string": ("idx_string", "value", "text", "''"),
        "date": ("idx_date", "low", "bigint", f"'{NO_DATE}'"),
    }.get(wish.param.type, ("idx_number", "low", "float8", "'-infinity'::float8"))
    sql = f"coalesce((select {pick}(x.{column}) from {table} x where x.rid = r.rid and x.param in ({names})), {least}::{kind})"
    return Key(sql, kind, down, False)


def prefers_walk(rtype: str, counts: Counts, conditions: Sequence[Condition], page: tuple[Sequence[Key], int]) -> bool:
    """Tell whether walking along the order will touch fewer rows than gathering all hits. page: (keys, rows wanted)."""
    keys, wanted = page
    if len(keys) > 2 or not keys[0].is_indexed or any(condition.is_narrow for condition in conditions):
        return False
    total = max(counts.total(rtype), 1)
    share, gathered = 1.0, float(total)
    for condition in conditions:
        if condition.tokens:
            rows = counts.carrying(rtype, condition.tokens)
            gathered = min(gathered, rows)
            share *= min(1.0, rows / total)
        else:
            share *= _FILTER_SHARE
    return wanted / max(share, 1e-12) * _WALK_COST < gathered


def indexed(conditions: Sequence[Condition]) -> list[str]:
    """Return the SQL of conditions by which all hits are gathered.

    Where one is narrow (a patient, an id) it alone may use an index: a bitmap of a common token costs more than reading what is left.
    """
    narrow = any(condition.is_narrow for condition in conditions)
    return [condition.sql if condition.is_narrow or not narrow else condition.plain for condition in conditions]


def position_of(row: Any, keys: Sequence[Key]) -> tuple[Any, ...]:
    """Return the position of a row in the order of the keys, as a cursor carries it."""
    values = (row[f"k{n}"] for n in range(len(keys)))
    return tuple(repr(value) if isinstance(value, float) else value for value in values)


def gather_sql(compiler: Compiler, where: Sequence[str], keys: Sequence[Key], after: Sequence[Any] | None, wanted: int) -> str:
    """Return SQL: all hits once, then the page of them in order, each row with the exact total."""
    named = ", ".join(f"{key.sql} as k{n}" for n, key in enumerate(keys))
    picked = ", ".join(f"h.k{n}" for n in range(len(keys)))
    columns = [Key(f"h.k{n}", key.kind, key.descending, False) for n, key in enumerate(keys)]
    beyond = f"where {_beyond(compiler, columns, after)}" if after is not None else ""
    return f"""
        with hit as materialized (select {named} from res r where {" and ".join(where)}),
            page as materialized (select h.* from hit h {beyond} order by {_order(columns)} limit {wanted})
        select {columns_of("r")}, {picked}, (select count(*) from hit) as total
        from page h join res r on r.rid = h.k{len(keys) - 1} and r.rtype = '{compiler.rtype}' order by {_order(columns)}
    """


def walk_sql(compiler: Compiler, where: Sequence[str], keys: Sequence[Key], after: Sequence[Any] | None, wanted: int) -> str:
    """Return SQL: rows in the order of an index until the page is full; no total."""
    named = ", ".join(f"{key.sql} as k{n}" for n, key in enumerate(keys))
    conditions = [*where, _beyond(compiler, keys, after)] if after is not None else [*where]
    return f"select {columns_of('r')}, {named} from res r where {' and '.join(conditions)} order by {_order(keys)} limit {wanted}"


def _order(keys: Sequence[Key]) -> str:
    return ", ".join(f"{_collated(key)}{' desc' if key.descending else ''}" for key in keys)


def _collated(key: Key) -> str:
    return f'{key.sql} collate "C"' if key.kind == "text" else key.sql


def _beyond(compiler: Compiler, keys: Sequence[Key], after: Sequence[Any]) -> str:
    """Return SQL for what comes after a position in the order of the keys."""
    casts = {"float8": "text::float8"}  # a cursor carries floats as text: JSON has no infinity
    places = [f"{compiler.add(value)}::{casts.get(key.kind, key.kind)}" for key, value in zip(keys, after, strict=True)]
    steps = []
    for n, key in enumerate(keys):
        same = [f"{_collated(keys[m])} = {places[m]}" for m in range(n)]
        steps.append(" and ".join([*same, f"{_collated(key)} {'<' if key.descending else '>'} {places[n]}"]))
    bound = f"{_collated(keys[0])} {'<=' if keys[0].descending else '>='} {places[0]}"
    return f"({bound} and ({' or '.join(f'({step})' for step in steps)}))"
