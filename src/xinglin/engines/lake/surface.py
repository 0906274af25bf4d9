"""What one kind of call sees: a DuckDB schema of views over a snapshot's files, at one moment, for one scope."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from xinglin.engines.lake.batch import ENDED, PERSON_LINK, PERSON_SCOPE
from xinglin.engines.lake.snapshot import Snapshot

EVERYBODY: Final = "true"
_SQL_TYPES: Final = {
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.int16(): "smallint",
    pa.float64(): "double",
    pa.bool_(): "boolean",
    pa.string(): "varchar",
    pa.date32(): "date",
    pa.timestamp("us", tz="UTC"): "timestamptz",
}


@dataclass(frozen=True, slots=True)
class SurfaceKey:
    """number: of the snapshot.  known_on: seq as known on, None = the snapshot's.  condition: on a column `l.person`, `true` for all."""

    number: int
    known_on: int | None
    condition: str


@dataclass(slots=True)
class Surface:
    """A schema being filled as tables are named.  users: calls running on it."""

    key: SurfaceKey
    snapshot: Snapshot
    name: str
    users: int = 0
    made: set[str] = field(default_factory=set)

    @property
    def seq(self) -> int:
        """Return the seq up to which its rows know the record."""
        return self.snapshot.seq if self.key.known_on is None else min(self.key.known_on, self.snapshot.seq)


@dataclass(frozen=True, slots=True)
class Ground:
    """What surfaces are built on: the lake's folder and the schemas of its tables.  lock: one statement makes or drops at a time."""

    folder: Path
    schemas: Mapping[str, pa.Schema]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, duck: duckdb.DuckDBPyConnection, surface: Surface, everybody: Surface, words: Iterable[str]) -> None:
        """Make the views of a surface that some words name.  everybody: the surface of all persons now, for judging visibility."""
        wanted = [name for name in self.schemas if name in words and name != ENDED]
        is_bounded = surface.key.condition != EVERYBODY
        if is_bounded:
            self.prepare(duck, everybody, everybody, (PERSON_LINK, PERSON_SCOPE))
        with self.lock:
            self._make(duck, surface, "", f"create schema {surface.name}")
            self._make(duck, surface, "_ended", self._ended(surface))
            if is_bounded:
                duck.execute(f"use {everybody.name}")
                visible = f"select l.patient, l.person from person_link l where {surface.key.condition}"
                self._make(duck, surface, "_visible", f"create table {surface.name}._visible as {visible}")
            for name in wanted:
                self._make(duck, surface, name, f"create view {surface.name}.{name} as {self._current(surface, name)}")

    def drop(self, duck: duckdb.DuckDBPyConnection, surface: Surface) -> None:
        """Forget a surface nobody uses."""
        with self.lock:
            duck.execute(f"drop schema if exists {surface.name} cascade")

    def _make(self, duck: duckdb.DuckDBPyConnection, surface: Surface, name: str, statement: str) -> None:
        if name not in surface.made:
            duck.execute(statement)
            surface.made.add(name)

    def _rows(self, surface: Surface, table: str) -> str:
        paths = surface.snapshot.paths(table)
        if paths:
            return "read_parquet([" + ", ".join(f"'{self.folder / path}'" for path in paths) + "])"
        columns = ", ".join(f'null::{_SQL_TYPES[column.type]} as "{column.name}"' for column in self.schemas[table])
        return f"(select {columns} where false)"

    def _ended(self, surface: Surface) -> str:
        return (
            f'create table {surface.name}._ended as select "table", rid, max(known_from) as known_to '
            f"from {self._rows(surface, ENDED)} where {self._known(surface)} group by all"
        )

    @staticmethod
    def _known(surface: Surface) -> str:
        return "true" if surface.key.known_on is None else f"known_from <= {surface.seq:d}"

    def _current(self, surface: Surface, table: str) -> str:
        names = [column for column in self.schemas[table].names if column not in ("known_from",)]
        columns = ", ".join(f't."{name}"' for name in names)
        extra = ", t.known_from as from_seq, null::bigint as to_seq" if table in (PERSON_LINK, PERSON_SCOPE) else ""
        return (
            f"select {columns}, t.known_from, t.known_from as seq{extra} from {self._rows(surface, table)} t "
            f"left join (select rid as ended_rid, known_to from {surface.name}._ended where \"table\" = '{table}') e on e.ended_rid = t.rid "
            f"where (e.known_to is null or t.known_from >= e.known_to) and {self._known(surface)}{self._visible(surface, table)}"
        )

    def _visible(self, surface: Surface, table: str) -> str:
        if surface.key.condition == EVERYBODY:
            return ""
        columns = self.schemas[table].names
        if table == PERSON_SCOPE:
            return f" and t.person in (select person from {surface.name}._visible)"
        if "patient" in columns or table == "patient":
            column = "patient" if "patient" in columns else "rid"
            return f" and t.{column} in (select patient from {surface.name}._visible)"
        return ""
