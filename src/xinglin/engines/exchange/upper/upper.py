"""The door to the upper-level platform: column mappings, sheets out, sheets in, states and reconciliation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError
from xinglin.engines.exchange.door import Exchange
from xinglin.engines.exchange.upper import incoming, tables
from xinglin.engines.exchange.upper.catalogue import check_columns, load_catalogue
from xinglin.engines.exchange.upper.compare import stand
from xinglin.engines.exchange.upper.model import (
    NO_DAY,
    Batch,
    Catalogue,
    Kind,
    OurRecord,
    Reconciled,
    SheetColumn,
    SheetMapping,
    Standing,
    TheirRow,
    UpperState,
)
from xinglin.engines.exchange.upper.records import MOST_RECORDS, Records
from xinglin.engines.exchange.upper.taking import take_rows
from xinglin.engines.exchange.upper.workbooks import problem_workbook, report_workbook
from xinglin.engines.security import Scope
from xinglin.engines.store import Store

RIGHT: Final = "upper.exchange"


@dataclass(frozen=True, slots=True)
class Period:
    """Records of a kind whose day lies in first..last (residents: whose record changed then)."""

    kind: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class UpperRooms:
    """What the exchange with the upper-level platform works on."""

    database: Database
    store: Store
    exchange: Exchange
    clock: Clock


class Upper:
    """Nothing asks a doctor to type what the upper-level platform has, and the other way round."""

    def __init__(self, rooms: UpperRooms, catalogue: Catalogue | None = None) -> None:
        self._rooms = rooms
        self._database = rooms.database
        self.catalogue = catalogue or load_catalogue()
        self._records = Records(rooms.database, rooms.store, self.catalogue, rooms.clock.zone)

    def kind(self, code: str) -> Kind:
        """Return a kind of record.  Raises: NotFoundError."""
        if code not in self.catalogue.kinds:
            raise NotFoundError("没有这种记录", "there is no such kind of record", where=code[:40])
        return self.catalogue.kinds[code]

    async def mapping(self, kind: str) -> SheetMapping:
        """Return the columns of a kind in order."""
        async with self._database.connection() as connection:
            return await tables.mapping_of(connection, self.kind(kind))

    async def save_mapping(self, scope: Scope, kind: str, columns: Sequence[SheetColumn] | None) -> SheetMapping:
        """Keep other columns for a kind; None goes back to what the product ships.  Raises: IncorrectError (see check_columns)."""
        scope.require(RIGHT)
        known = self.kind(kind)
        if columns is not None:
            check_columns(self.catalogue, known, columns)
        async with self._database.transaction() as connection:
            await tables.save_mapping(connection, known, columns, (self._rooms.clock.now(), scope.account_no))
        return await self.mapping(kind)

    async def state_of(self, scope: Scope, rids: Sequence[int]) -> dict[int, Standing]:
        """Return how records stand: rid of an Encounter (follow-up, examination) or of a resident's Patient → Standing.

        Rids of other things, and of records outside the scope, are left out.
        """
        found: dict[int, Standing] = {}
        keys = await self._rooms.store.keys(rids)
        for kind in self.catalogue.kinds.values():
            wanted = [rid for rid, (rtype, _) in keys.items() if rtype == ("Encounter" if kind.service else "Patient") and rid not in found]
            if wanted:
                records = await self._records.of_rids(scope, kind, wanted)
                found |= {record.rid: standing for record, standing, _ in await self._stand(kind, records)}
        return found

    async def reconcile(self, scope: Scope, period: Period) -> list[Reconciled]:
        """Return every record of a time with its state, and the rows only the platform has, newest first.

        A row whose resident the scope does not see is shown to stewards and to who brought the sheet.
        Raises: ForbiddenError; IncorrectError for too many records.
        """
        scope.require(RIGHT)
        kind = self.kind(period.kind)
        records = await self._records.of_period(scope, kind, period.first, period.last)
        rows = [
            Reconciled(
                kind.code, standing, record.day if kind.service else None, record.values.get("name", ""), record.values.get("id_number", ""),
                record.person, record.rid, their.batch_no if their else None, their.seen_at if their else None,
            )
            for record, standing, their in await self._stand(kind, records)
        ]  # fmt: skip
        rows += await self._upper_only(scope, kind, period, {record.key for record in records})
        return sorted(rows, key=lambda row: (row.day or NO_DAY, row.name), reverse=True)

    async def _stand(self, kind: Kind, records: Sequence[OurRecord]) -> list[tuple[OurRecord, Standing, TheirRow | None]]:
        if not records:
            return []
        async with self._database.connection() as connection:
            mapping = await tables.mapping_of(connection, kind)
            theirs = await tables.rows_by_key(connection, kind, {record.key for record in records})
            went_out = await tables.reported(connection, kind, records)
        parts = (self.catalogue, mapping)
        return [(one, stand(parts, one, theirs.get(one.key), went_out.get(one.rid)), theirs.get(one.key)) for one in records]

    async def _upper_only(self, scope: Scope, kind: Kind, period: Period, ours: set[tuple[str, date]]) -> list[Reconciled]:
        days = (period.first, period.last) if kind.service else (NO_DAY, NO_DAY)
        async with self._database.connection() as connection:
            rows = [
                row for row in await tables.rows_of_period(connection, kind, days, MOST_RECORDS) if (row.id_number, row.day) not in ours
            ]
        known = await self._records.persons_of(scope, {row.id_number for row in rows})
        mine = await self._brought_by(scope, rows)
        return [
            Reconciled(
                kind.code, Standing(UpperState.UPPER_ONLY), row.day if kind.service else None,
                row.values.get("name", "") or known.get(row.id_number, (0, ""))[1], row.id_number,
                known.get(row.id_number, (None, ""))[0], None, row.batch_no, row.seen_at,
            )
            for row in rows
            if (kind.service and row.id_number in known) or (row.id_number not in known and row.batch_no in mine)
        ]  # fmt: skip

    @staticmethod
    def _sees(scope: Scope) -> int | None:
        return None if scope.allows("steward") else scope.account_no

    async def _brought_by(self, scope: Scope, rows: Iterable[TheirRow]) -> set[int]:
        """Return the sheets whose rows the scope may see although it does not see the resident."""
        numbers = sorted({row.batch_no for row in rows})
        async with self._database.connection() as connection:
            found = await connection.fetch(
                "select batch_no from upper_batch where batch_no = any($1::bigint[]) and ($2::bigint is null or actor = $2)",
                numbers,
                self._sees(scope),
            )
        return {row["batch_no"] for row in found}

    async def send(self, scope: Scope, period: Period, watermark: str, *, differing: bool = False) -> tuple[int, bytes]:
        """Return a new sheet to upload and its number: what is not reported yet or was changed since, by the mapping of the kind.

        differing: also what differs without having been changed here.  Raises: ForbiddenError; ConflictError when there is nothing.
        """
        scope.require(RIGHT)
        kind = self.kind(period.kind)
        records = await self._records.of_period(scope, kind, period.first, period.last)
        wanted = [one for one, standing, _ in await self._stand(kind, records) if _is_due(standing, differing)]
        if not wanted:
            raise ConflictError("这段时间没有要上报的记录", "nothing of this time waits to be reported")
        mapping = await self.mapping(kind.code)
        content = await asyncio.to_thread(report_workbook, self.catalogue, mapping, wanted, watermark)
        facts = {
            "made_at": self._rooms.clock.now(),
            "actor": scope.account_no,
            "from_day": period.first,
            "to_day": period.last,
            "rows": len(wanted),
        }
        async with self._database.transaction() as connection:
            batch_no = await tables.add_batch(connection, "out", mapping, facts)
            await tables.add_out(connection, batch_no, mapping, wanted)
        return batch_no, content

    async def send_again(self, scope: Scope, batch_no: int, watermark: str) -> bytes:
        """Return the sheet of a batch once more, from the records as they stand now, by the columns it had.

        Raises: NotFoundError (also for a batch of somebody else whose records the scope does not see).
        """
        scope.require(RIGHT)
        async with self._database.connection() as connection:
            batch, columns = await tables.batch_of(connection, batch_no)
            rids = await tables.out_rids(connection, batch_no)
        kind = self.kind(batch.kind)
        records = await self._records.of_rids(scope, kind, rids)
        if batch.direction != "out" or not records:
            raise NotFoundError("没有这个批次", "there is no such batch", where=str(batch_no))
        return await asyncio.to_thread(report_workbook, self.catalogue, SheetMapping(kind, columns), records, watermark)

    async def withdraw(self, scope: Scope, batch_no: int) -> None:
        """Say that a sheet that went out was not uploaded: its records count as not reported again.  Raises: ConflictError."""
        scope.require(RIGHT)
        async with self._database.transaction() as connection:
            batch, _ = await tables.batch_of(connection, batch_no)
            self._require_own(scope, batch)
            if not await tables.withdraw(connection, batch_no, (self._rooms.clock.now(), scope.account_no)):
                raise ConflictError("这个批次不是上报批次或已撤回", "this batch did not go out, or was withdrawn already")

    async def receive(self, scope: Scope, kind: str, file: tuple[str, bytes]) -> Batch:
        """Take in a sheet of the platform as (name, bytes): the ledger first, then every row that can be read.

        The same file again changes nothing, and is read again by the columns as they are now.
        Raises: ForbiddenError; UnreadableError (kept in the ledger and in quarantine).
        """
        scope.require(RIGHT)
        arrival = incoming.Arrival(self._rooms.exchange.ledger, self._database, self._records, self.catalogue)
        batch_no = await arrival.take(scope, await self.mapping(kind), file, self._rooms.clock.now())
        return await self.batch(scope, batch_no)

    async def problem_rows(self, scope: Scope, batch_no: int, wording: tuple[str, str]) -> bytes:
        """Return a workbook of the rows of a sheet that were not taken as they stand. wording: (language, watermark)."""
        batch = await self.batch(scope, batch_no)
        async with self._database.connection() as connection:
            _, columns = await tables.batch_of(connection, batch_no)
        if batch.message_no is None:
            raise NotFoundError("这不是导入批次", "this batch did not come in", where=str(batch_no))
        content = await self._rooms.exchange.ledger.content(batch.message_no)
        mapping = SheetMapping(self.kind(batch.kind), columns)
        arrival = incoming.Arrival(self._rooms.exchange.ledger, self._database, self._records, self.catalogue)
        return await asyncio.to_thread(problem_workbook, await arrival.read(scope, content, mapping), *wording)

    async def batch(self, scope: Scope, batch_no: int) -> Batch:
        """Return one sheet.  Raises: NotFoundError; also where another account brought it and the scope is no steward's."""
        scope.require(RIGHT)
        async with self._database.connection() as connection:
            batch, _ = await tables.batch_of(connection, batch_no)
        self._require_own(scope, batch)
        return batch

    async def batches(self, scope: Scope, asked: tuple[str | None, str | None], page: tuple[int, int]) -> tuple[list[Batch], int]:
        """Return a page (limit, offset) of sheets (direction, kind), newest first, with their number; a steward sees everybody's."""
        scope.require(RIGHT)
        async with self._database.connection() as connection:
            return await tables.batches(connection, (*asked, self._sees(scope)), page)

    def _require_own(self, scope: Scope, batch: Batch) -> None:
        if self._sees(scope) not in (None, batch.actor):
            raise NotFoundError("没有这个批次", "there is no such batch", where=str(batch.batch_no))

    async def take(self, scope: Scope, period: Period, keys: Iterable[tuple[str, date]] | None = None) -> tuple[int, list[tuple[str, str]]]:
        """Take follow-ups that only the platform has into the record; returns how many, and why others were not (Chinese, English pairs).

        keys: (ID number, day) of the rows, None = all of the period.  Raises: ForbiddenError; IncorrectError for residents' records.
        """
        scope.require(RIGHT)
        kind = self.kind(period.kind)
        if not kind.service:
            raise IncorrectError("居民档案请用“新建档案”或由来源系统发送", "open records of residents on their own page")
        wanted = None if keys is None else set(keys)
        lines = [
            (row.id_number, row.day, row.person)
            for row in await self.reconcile(scope, period)
            if row.standing.state is UpperState.UPPER_ONLY and row.person is not None and row.day is not None
        ]
        chosen = {(number, day): person for number, day, person in lines if wanted is None or (number, day) in wanted}
        async with self._database.connection() as connection:
            rows = await tables.rows_by_key(connection, kind, chosen)
        return await take_rows(
            (self._rooms.exchange, self._database), scope, (self.catalogue, kind), [(rows[key], chosen[key]) for key in chosen]
        )


def _is_due(standing: Standing, differing: bool) -> bool:
    if standing.state is UpperState.DIFFERENT:
        return standing.changed or differing
    return standing.state is UpperState.NOT_REPORTED
