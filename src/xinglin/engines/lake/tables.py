"""One append-only Delta table: Parquet files of ours, and the commits that name them.

Each append carries the feed's seq up to which the table is complete (Delta application transaction), so that a batch repeated after a
kill adds nothing twice.  Files carry statistics of numbers and dates only: a text value stands in no statistics.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.transaction import AddAction, RemoveAction

from xinglin.base.clock import Clock

FEED: Final = "xinglin-feed"
_PIECE_ROWS: Final = 131_072


def has_statistics(kind: pa.DataType) -> bool:
    """Say whether a column may have statistics: numbers, dates and instants, never text."""
    return not (pa.types.is_string(kind) or pa.types.is_large_string(kind))


class LakeTable:
    """A table of the lake.  One process writes it at a time; the caller holds the writer's lock."""

    def __init__(self, folder: Path, schema: pa.Schema, clock: Clock) -> None:
        """Open the table in `folder`, creating it where it is absent."""
        self.folder = folder
        self.schema = schema
        self._clock = clock
        self._counted = [field.name for field in schema if has_statistics(field.type)]
        if not DeltaTable.is_deltatable(str(folder)):
            configuration = {"delta.dataSkippingStatsColumns": ",".join(self._counted), "delta.logRetentionDuration": "interval 1 days"}
            DeltaTable.create(str(folder), schema, mode="ignore", configuration=configuration)
        self._read_log()

    def _read_log(self) -> None:
        self._delta = DeltaTable(str(self.folder))
        self._is_unsure = False
        self.version: int = self._delta.version()
        self.complete_to: int = self._delta.transaction_version(FEED) or 0
        self.files: dict[str, int] = {}
        for action in pa.table(self._delta.get_add_actions()).select(["path", "num_records"]).to_pylist():
            self.files[action["path"]] = action["num_records"]

    def append(self, rows: pa.Table, after: int, upto: int) -> None:
        """Add the rows of the feed's entries (after, upto]; those the table already has are left out."""
        self._make_sure()
        fresh = rows.filter(pa.compute.greater(rows["known_from"], self.complete_to)) if self.complete_to > after else rows
        if fresh.num_rows:
            name = f"{after:012d}-{upto:012d}.parquet"
            pq.write_table(fresh, self.folder / name, compression="zstd", write_statistics=self._counted)
            added = self._add(name, fresh.num_rows, is_new=True)
            self._commit([added], {name: fresh.num_rows}, [Transaction(FEED, upto)])
            self.complete_to = upto

    def rewrite(self, old: Sequence[str], keep: Callable[[pa.Table], pa.Array] | None = None) -> None:
        """Put one file in the place of some files, in one commit; the old ones stay on disk until they are swept.

        keep: rows → which of them stay (a boolean each); None keeps all.  Memory stays that of a piece of a file.
        """
        self._make_sure()
        name = f"v{self.version + 1:012d}.parquet"
        count = 0
        with pq.ParquetWriter(self.folder / name, self.schema, compression="zstd", write_statistics=self._counted) as writer:
            for file in old:
                for batch in pq.ParquetFile(self.folder / file).iter_batches(_PIECE_ROWS):
                    rows = pa.Table.from_batches([batch]).cast(self.schema)
                    rows = rows if keep is None else rows.filter(keep(rows))
                    writer.write_table(rows)
                    count += rows.num_rows
        added = {name: count} if count else {}
        removed = [RemoveAction(file, False, self._now_ms(), None, {}) for file in old]
        self._commit([*removed, *[self._add(name, count, is_new=False) for name in added]], added, [])
        for file in old:
            del self.files[file]

    def read(self, names: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """Return some columns of the rows of some files."""
        schema = pa.schema([self.schema.field(name) for name in columns])
        tables = [pq.read_table(self.folder / name, columns=list(columns), partitioning=None).cast(schema) for name in names]
        return pa.concat_tables(tables) if tables else schema.empty_table()

    def _make_sure(self) -> None:
        """Read the log again if the last commit did not come back: it may stand there all the same."""
        if self._is_unsure:
            self._read_log()

    def _now_ms(self) -> int:
        return int(self._clock.now().timestamp() * 1000)

    def _add(self, name: str, count: int, *, is_new: bool) -> AddAction:
        stats = orjson.dumps({"numRecords": count}).decode()
        return AddAction(name, os.path.getsize(self.folder / name), {}, self._now_ms(), is_new, stats)

    def _commit(self, actions: list[AddAction | RemoveAction], added: dict[str, int], transactions: list[Transaction]) -> None:
        self._is_unsure = True
        properties = CommitProperties(app_transactions=transactions)
        self._delta.create_write_transaction(actions, "append", self.schema, commit_properties=properties)
        self._delta.update_incremental()
        self.version = self._delta.version()
        self.files.update(added)
        self._is_unsure = False
