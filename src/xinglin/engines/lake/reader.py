"""SQL over one published moment: DuckDB reads the snapshot's Parquet files through views named like the tables.

Every call sees the rows of one snapshot and of one scope.  What a call may see is made once per (snapshot, moment, scope) as a schema of
views, and only for the tables its SQL names.  The engine reads nothing outside the lake's folder and writes nothing there.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from xinglin.base.errors import BusyError, DefinitionError, FaultError, XinglinError
from xinglin.engines.lake.lake import SPILL
from xinglin.engines.lake.snapshot import Snapshot
from xinglin.engines.lake.surface import EVERYBODY, Ground, Surface, SurfaceKey
from xinglin.engines.security import Scope, scope_condition

_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_BEHIND_THE_VIEWS: Final = re.compile(r"\b(?:moment_|_visible|_ended|read_|parquet_|glob\b|duckdb_|pragma_)|\.parquet\b", re.IGNORECASE)
_MOST_SURFACES: Final = 16
Parameters = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReaderOptions:
    """How queries run.  zone: the district's.  memory_mb: of all running queries together.  threads: of one DuckDB instance."""

    zone: ZoneInfo
    memory_mb: int = 512
    threads: int = 2


def _open(folder: Path, options: ReaderOptions) -> duckdb.DuckDBPyConnection:
    duck = duckdb.connect(
        ":memory:",
        config={
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "memory_limit": f"{options.memory_mb}MB",
            "threads": options.threads,
            "temp_directory": str(folder / SPILL),
            "python_enable_replacements": False,
        },
    )
    duck.execute(f"set global TimeZone = '{options.zone.key}'")
    duck.execute(f"set allowed_directories = ['{folder}/']")
    duck.execute("set enable_external_access = false")
    duck.execute("set lock_configuration = true")
    return duck


class Reader:
    """Queries of one lake.  Safe for several threads at once."""

    def __init__(self, folder: Path, schemas: Mapping[str, pa.Schema], snapshot: Snapshot, options: ReaderOptions) -> None:
        self._ground = Ground(folder, schemas)
        self._snapshot = snapshot
        self._surfaces: dict[SurfaceKey, Surface] = {}
        self._made = 0
        self._lock = threading.Lock()
        self._duck = _open(folder, options)

    @property
    def snapshot(self) -> Snapshot:
        """Return the moment new calls see."""
        return self._snapshot

    def show(self, snapshot: Snapshot) -> None:
        """Let new calls see another moment; running ones keep theirs."""
        with self._lock:
            self._snapshot = snapshot
            self._forget()

    def files_in_use(self) -> frozenset[str]:
        """Return the files (relative to the lake's folder) that new and running calls read."""
        with self._lock:
            running = [surface.snapshot.all_paths() for surface in self._surfaces.values() if surface.users]
            return self._snapshot.all_paths().union(*running)

    def query(self, scope: Scope, sql: str, parameters: Parameters = (), *, as_known_on: int | None = None) -> tuple[pa.Table, int]:
        """Return the rows of one SELECT and the seq they are true for.

        scope: rows of patients outside it do not exist for the call (institutions are everybody's).  parameters: for `?` or `$name`.
        as_known_on: see the record as it was known at that seq of the feed; who may see whom is judged by today's belonging.
        Raises: DefinitionError if the SQL is wrong or not one SELECT, BusyError if it needs more memory than allowed.
        """
        given = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        with self._surface(scope_condition(scope, "l.person"), as_known_on) as (surface, everybody):
            cursor = self._duck.cursor()
            try:
                _allow_only_select(cursor, sql)
                self._ground.prepare(cursor, surface, everybody, set(_WORD.findall(sql.lower())))
                cursor.execute(f"use {surface.name}")
                result = cursor.sql(sql, params=given) if given else cursor.sql(sql)
                return result.to_arrow_table(), surface.seq
            except duckdb.Error as error:
                raise _refusal(error) from error
            finally:
                cursor.close()

    def close(self) -> None:
        """End the engine."""
        self._duck.close()

    @contextmanager
    def _surface(self, condition: str, known_on: int | None) -> Iterator[tuple[Surface, Surface]]:
        with self._lock:
            everybody = self._take(SurfaceKey(self._snapshot.number, None, EVERYBODY))
            surface = self._take(SurfaceKey(self._snapshot.number, known_on, condition))
        try:
            yield surface, everybody
        finally:
            with self._lock:
                surface.users -= 1
                everybody.users -= 1
                self._forget()

    def _take(self, key: SurfaceKey) -> Surface:
        surface = self._surfaces.pop(key, None)
        if surface is None:
            self._made += 1
            surface = Surface(key, self._snapshot, f"moment_{self._made}")
        self._surfaces[key] = surface  # the latest used stands last
        surface.users += 1
        return surface

    def _forget(self) -> None:
        idle = [surface for surface in self._surfaces.values() if not surface.users]
        spare = len(self._surfaces) - _MOST_SURFACES
        for at, surface in enumerate(idle):
            if surface.key.number != self._snapshot.number or at < spare:
                del self._surfaces[surface.key]
                self._ground.drop(self._duck.cursor(), surface)


def _allow_only_select(cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
    if _BEHIND_THE_VIEWS.search(sql):
        raise DefinitionError("湖只按表名读", "the lake is read by the names of its tables, not by files", where="lake.query")
    found = cursor.extract_statements(sql)
    if len(found) != 1 or found[0].type != duckdb.StatementType.SELECT:
        raise DefinitionError("湖只接受一条 SELECT", "the lake takes one SELECT", where="lake.query")


def _refusal(error: duckdb.Error) -> XinglinError:
    if isinstance(error, duckdb.OutOfMemoryException):
        return BusyError("查询所需内存超过上限；请缩小范围", "the query needs more memory than allowed; narrow it", where="lake.query")
    if isinstance(error, duckdb.ParserException | duckdb.BinderException | duckdb.CatalogException | duckdb.PermissionException):
        first_line = str(error).splitlines()[0]
        return DefinitionError(f"湖的查询写错了：{first_line}", f"the query of the lake is wrong: {first_line}", where="lake.query")
    return FaultError("湖的查询未能完成", f"the query of the lake failed ({type(error).__name__})", where="lake.query")
