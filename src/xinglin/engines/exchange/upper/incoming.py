"""A sheet that comes in: ledger, reading, rows kept; what cannot be read waits in quarantine."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from xinglin.base.database import Database
from xinglin.base.errors import FaultError
from xinglin.engines.exchange.ledger import Arrived, Envelope, Ledger
from xinglin.engines.exchange.model import EntryProblem, Receipt, State
from xinglin.engines.exchange.reading import UnreadableError
from xinglin.engines.exchange.upper import tables
from xinglin.engines.exchange.upper.model import SOURCE, Catalogue, CellProblem, SheetMapping, SheetRow
from xinglin.engines.exchange.upper.records import Records
from xinglin.engines.exchange.upper.sheets import SheetRead, read_sheet
from xinglin.engines.security import Scope

_UNKNOWN = ("本系统没有这位居民，或不在您的管理范围内", "no such resident here, or outside your area")


@dataclass(frozen=True, slots=True)
class Arrival:
    """Takes sheets in."""

    ledger: Ledger
    database: Database
    records: Records
    catalogue: Catalogue

    async def read(self, scope: Scope, content: bytes, mapping: SheetMapping) -> SheetRead:
        """Return a sheet's rows, those whose resident nobody knows marked.  Raises: UnreadableError."""
        read = await asyncio.to_thread(read_sheet, content, mapping, self.catalogue)
        known = await self.records.persons_of(scope, {row.id_number for row in read.rows if row.id_number})
        title = next(column.title for column in mapping.columns if column.field == "id_number")
        unknown = CellProblem(title, *_UNKNOWN, refuses=False)
        rows = [row if row.is_refused or row.id_number in known else replace(row, problems=(*row.problems, unknown)) for row in read.rows]
        return SheetRead(read.titles, tuple(rows))

    async def take(self, scope: Scope, mapping: SheetMapping, file: tuple[str, bytes], now: datetime) -> int:
        """Keep a sheet (name, bytes) and its rows; returns the batch's number.  Raises: UnreadableError, after the ledger has it."""
        name, content = file
        source = await self.ledger.source(SOURCE)
        envelope = Envelope(
            source, name, content, "excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", scope.account_no
        )
        async with self.database.transaction() as connection:
            await self.ledger.open(connection, envelope)
        arrived = await self.ledger.arrived(envelope)
        if arrived is None:
            raise FaultError("台账没有记下这个文件，请重试", "the ledger did not keep this file; try again")
        try:
            read = await self.read(scope, content, mapping)
        except UnreadableError as error:
            await self._set_aside(arrived.message_no, error)
            raise
        batch_no = await self._keep(scope, mapping, (arrived, read), now)
        waiting = await self.ledger.waiting(None, arrived.message_no, 10)
        await self.ledger.settle([row["quarantine_no"] for row in waiting], "replayed", scope.account_no, arrived.message_no)
        return batch_no

    async def _set_aside(self, message_no: int, error: UnreadableError) -> None:
        problem = EntryProblem(0, error.reason, error.where, error.zh, error.en)
        async with self.database.transaction() as connection:
            await self.ledger.quarantine(connection, message_no, {0: ([problem], None)})
            await self.ledger.close(connection, Receipt(message_no, State.QUARANTINED, 0, 0, 1, problems=(problem,)), 0, problem)

    async def _keep(self, scope: Scope, mapping: SheetMapping, what: tuple[Arrived, SheetRead], now: datetime) -> int:
        arrived, read = what
        good = [row for row in read.rows if not row.is_refused]
        facts = _facts(read.rows, good) | {"made_at": now, "actor": scope.account_no, "message_no": arrived.message_no}
        async with self.database.transaction() as connection:
            batch_no = await tables.add_batch(connection, "in", mapping, facts)
            unchanged = await tables.keep_rows(connection, mapping.kind, good, (batch_no, now))
            await connection.execute("update upper_batch set unchanged = $2 where batch_no = $1", batch_no, unchanged)
            refused = len(read.rows) - len(good)
            state = _state(len(good) - unchanged, unchanged, refused)
            if not arrived.is_final or arrived.state is State.QUARANTINED:
                receipt = Receipt(arrived.message_no, state, len(good) - unchanged, unchanged, refused)
                await self.ledger.close(connection, receipt, len(read.rows))
        return batch_no


def _facts(rows: tuple[SheetRow, ...], good: list[SheetRow]) -> dict[str, object]:
    days = [row.day for row in good]
    return {
        "rows": len(rows),
        "refused": len(rows) - len(good),
        "warned": sum(bool(row.problems) for row in good),
        "from_day": min(days, default=None),
        "to_day": max(days, default=None),
    }


def _state(stored: int, unchanged: int, refused: int) -> State:
    if refused:
        return State.PARTLY if stored or unchanged else State.QUARANTINED
    return State.STORED if stored else State.UNCHANGED
