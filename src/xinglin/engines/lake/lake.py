"""The lake on disk: tables, the snapshot that joins them, refreshing from the feed, folding small files, erasing.

Everything here blocks (files) or waits for the feed; one process holds the writer's lock.
"""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import IO, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from deltalake.exceptions import DeltaError

from xinglin.base.clock import Clock
from xinglin.base.errors import UnavailableError
from xinglin.engines.lake.batch import ENDED, FEED_SCHEMAS, PERSON_LINK, PERSON_SCOPE, Batch, Erasure, ended_first, read_batch
from xinglin.engines.lake.feed import FeedSource
from xinglin.engines.lake.rows import Problem, Views
from xinglin.engines.lake.snapshot import Snapshot, TableFiles, publish, published
from xinglin.engines.lake.tables import LakeTable
from xinglin.engines.lake.threads import in_thread

MOST_PROBLEMS: Final = 200
SPILL: Final = "spill"
WRITER_LOCK: Final = "writer.lock"
"""The file whose lock the writing process holds, and the place an error names when another process holds it."""


@dataclass(frozen=True, slots=True)
class LakeOptions:
    """How the lake is kept.

    batch: entries of the feed taken at once.  most_small_files: fold when a table has more files than this below `small_rows` rows.
    keep_s: how long files of an older snapshot stay for readers outside this process.
    """

    batch: int = 5_000
    most_small_files: int = 16
    small_rows: int = 1_000_000
    keep_s: float = 600.0


@contextmanager
def _writing() -> Iterator[None]:
    """Turn what a full disk or a broken log says into a refusal; the next call goes on from what was committed."""
    try:
        yield
    except (OSError, DeltaError, pa.ArrowException) as error:
        raise UnavailableError(
            "数据湖暂时不能写入；请检查磁盘空间", "the lake cannot be written now; look at the disk space", where="lake"
        ) from error


class Lake:
    """The tables of one installation.  Open one per process; `close` releases the writer's lock."""

    def __init__(self, folder: Path, views: Views, clock: Clock, options: LakeOptions | None = None) -> None:
        """Open the lake of a folder, making what is absent.  Raises: UnavailableError if another process writes it."""
        self.folder = folder
        self.views = views
        self.options = options or LakeOptions()
        self.problems: list[Problem] = []
        self.schemas: Mapping[str, pa.Schema] = {**views.schemas, **FEED_SCHEMAS}
        self._clock = clock
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_file = self._lock()
        shutil.rmtree(folder / SPILL, ignore_errors=True)  # what a killed process left of its queries
        self._in_use: Callable[[], frozenset[str]] = frozenset
        self.owes_sweep = True
        self.snapshot = self._open()
        self._generation = self.snapshot.generation

    def _lock(self) -> IO[Any]:
        file = (self.folder / WRITER_LOCK).open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise UnavailableError(
                "另一个进程正在写此数据湖；请先停止它", "another process writes this lake; stop it first", where=WRITER_LOCK
            ) from error
        return file

    def _open(self) -> Snapshot:
        known = published(self.folder)
        is_ours = known is not None and known.views == self.views.fingerprint and set(known.tables) == set(self.schemas)
        if known is not None and is_ours and all((self.folder / path).is_file() for path in known.all_paths()):
            self._tables = self._tables_of(known.generation)
            return known
        return self._empty(0 if known is None else known.number)

    def _tables_of(self, generation: str) -> dict[str, LakeTable]:
        return {name: LakeTable(self.folder / generation / name, schema, self._clock) for name, schema in self.schemas.items()}

    def _empty(self, number: int) -> Snapshot:
        generation = f"g{number + 1:06d}"
        shutil.rmtree(self.folder / generation, ignore_errors=True)
        self._tables = self._tables_of(generation)
        return self._moment(0, number + 1, generation)

    def _moment(self, seq: int, number: int, generation: str) -> Snapshot:
        tables = {name: TableFiles(table.version, dict(table.files)) for name, table in self._tables.items()}
        return Snapshot(seq, number, generation, self.views.fingerprint, self._clock.now(), tables)

    def close(self) -> None:
        """Release the writer's lock."""
        self._lock_file.close()

    def watch_use(self, in_use: Callable[[], frozenset[str]]) -> None:
        """Ask `in_use` which files (relative to the lake's folder) running readers need, before any is deleted."""
        self._in_use = in_use

    async def refresh(self, source: FeedSource) -> Snapshot:
        """Bring the tables up to the head of the feed and return the published snapshot.

        Each batch is committed table by table, then published; a kill between tables is made good by the next call.
        """
        async with aclosing(self._batches(source, self.snapshot.seq)) as batches:
            async for batch in batches:
                await in_thread(partial(self._commit, batch))
                await in_thread(partial(self._publish, batch.upto))
        return self.snapshot

    async def rebuild(self, source: FeedSource) -> Snapshot:
        """Make the lake anew from the whole feed and return the snapshot; the rows are the same as before.

        Readers see the old tables until the new ones have reached the head; if that fails, the old ones stay.
        """
        old = self.snapshot
        self.problems = []
        try:
            self._generation = self._empty(old.number).generation
            seq = 0
            async with aclosing(self._batches(source, 0)) as batches:
                async for batch in batches:
                    await in_thread(partial(self._commit, batch))
                    seq = batch.upto
            await in_thread(partial(self._publish, seq))
        finally:
            if self.snapshot is old:
                self._generation = old.generation
                self._tables = self._tables_of(old.generation)
        return self.snapshot

    async def _batches(self, source: FeedSource, after: int) -> AsyncGenerator[Batch, None]:
        """Yield the batches after a seq; while one is worked on, the next is fetched."""
        entries = await source.feed(after, self.options.batch)
        while entries:
            upto = entries[-1].seq
            following = asyncio.ensure_future(source.feed(upto, self.options.batch))
            try:
                yield await read_batch(self.views, source, entries, after)
                after, entries = upto, await following
            finally:
                following.cancel()

    def _commit(self, batch: Batch) -> None:
        with _writing():
            for name in ended_first(batch.tables):
                self._tables[name].append(batch.tables[name], batch.after, batch.upto)
            for erasure in batch.erasures:
                self._erase(erasure)
        self.owes_sweep = self.owes_sweep or bool(batch.erasures)
        self.problems = [*self.problems, *batch.problems][-MOST_PROBLEMS:]

    def _publish(self, seq: int) -> None:
        snapshot = self._moment(seq, self.snapshot.number + 1, self._generation)
        with _writing():
            publish(self.folder, snapshot)
        self.snapshot = snapshot

    def compact(self) -> bool:
        """Fold small files where a table has too many, publish, and delete what earlier folds left; returns whether anything was folded.

        Running readers keep their files: a fold adds a file and unlists others, `sweep` deletes only what no reader uses.
        """
        is_folded = False
        with _writing():
            for table in self._tables.values():
                small = [name for name, rows in table.files.items() if rows < self.options.small_rows]
                if len(small) > self.options.most_small_files:
                    table.rewrite(sorted(small))
                    is_folded = True
        if is_folded:
            self._publish(self.snapshot.seq)
            self.sweep(older_than_s=self.options.keep_s)
        return is_folded

    def sweep(self, older_than_s: float | None) -> int:
        """Delete files that neither the snapshot nor a running reader needs; returns how many.

        older_than_s: leave younger files to readers outside this process; None (after an erasure, and once after opening) spares
        none, and `owes_sweep` stays true as long as a running reader keeps a file alive.
        """
        current, in_use = self.snapshot.all_paths(), self._in_use()
        kept = current | in_use
        latest = float("inf") if older_than_s is None else self._clock.now().timestamp() - older_than_s
        unneeded = [
            path
            for path in self.folder.glob("g*/*/*.parquet")
            if str(path.relative_to(self.folder)) not in kept and path.stat().st_mtime <= latest
        ]
        for path in unneeded:
            path.unlink()
        for generation in self.folder.glob("g*"):
            if generation.name != self._generation and not any(generation.glob("*/*.parquet")):
                shutil.rmtree(generation)
        if older_than_s is None:
            self.owes_sweep = not in_use <= current
        return len(unneeded)

    def _erase(self, erasure: Erasure) -> None:
        rids = {erasure.rid} - {None}
        persons = {erasure.person} - {None} if erasure.rid is None else set()
        links = self._tables[PERSON_LINK]
        known = links.read(list(links.files), ("patient", "person"))
        patients = rids | set(known.filter(_is_one_of(known["person"], persons))["patient"].to_pylist())
        gone = {"rid": rids | patients, "patient": patients, "person": persons}
        homes = {"person": {erasure.person} - {None}}
        for name, table in self._tables.items():
            columns = ("person",) if name == PERSON_SCOPE else ("patient", "person") if name == PERSON_LINK else ("rid", "patient")
            if name != ENDED:
                known = homes if name == PERSON_SCOPE else {column: gone[column] for column in columns if column in table.schema.names}
                _remove(table, known, erasure.seq)


def _is_one_of(column: pa.ChunkedArray, values: set[Any]) -> pa.ChunkedArray:
    return pc.fill_null(pc.is_in(column, pa.array(sorted(values), pa.int64())), False)


def _remove(table: LakeTable, gone: Mapping[str, set[Any]], before: int) -> None:
    def stays(rows: pa.Table) -> pa.ChunkedArray:
        later = pc.greater_equal(rows["known_from"], before)
        hits = [_is_one_of(rows[column], values) for column, values in gone.items()]
        return pc.or_(later, pc.invert(reduce(pc.or_, hits)))

    columns = ("known_from", *gone)
    for name in list(table.files):
        if not pc.all(stays(table.read([name], columns)), min_count=0).as_py():
            table.rewrite([name], stays)
