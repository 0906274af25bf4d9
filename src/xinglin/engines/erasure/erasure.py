"""One person out of every room, in one transaction; then out of files; then out of what a disk still holds."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import orjson

from xinglin.base.clock import Clock
from xinglin.base.compaction import compact, forget_log
from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError, NotFoundError, UnavailableError
from xinglin.engines.exchange import OWN_PAGES, Blobs, Envelope, Gone, Ledger, LedgerEraser, Receipt, State
from xinglin.engines.identity import Known, forget_patients, known_numbers
from xinglin.engines.rules import forget_person
from xinglin.engines.security import AuditEntry, AuditWitness, Scope, deed
from xinglin.engines.store import Cause, Key, Put, Store, drop_history, erase_patients, find_traces, patients_of

TABLES: Final = (
    *("res", "hist", "idx_string", "idx_date", "idx_number", "ident", "person_link", "person_scope"),
    *("patient_key", "identity_review", "resident", "message", "quarantine", "upper_row", "upper_out"),
    *("result", "finding", "finding_decision", "check_sample_item"),
)
_LOOKING_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class ErasureGround:
    """What an erasure reaches. log: the list of erasures, outside the database.  url: of the server."""

    database: Database
    store: Store
    ledger: Ledger
    blobs: Blobs
    audit: AuditWitness
    clock: Clock
    log: Path
    site: int


@dataclass(frozen=True, slots=True)
class Report:
    """What was done. messages: of the ledger that were changed.  shared: other people's resources written anew.

    doubtful: rows taken out of workbooks and tables because a spreadsheet left only the first 15 or 16 digits of one of the person's
    numbers in them: they may have been somebody else's.  mentions: resources of others that still hold one of the person's numbers, for a steward to look at (rids).
    """

    person: int | None
    patients: tuple[int, ...]
    resources: int
    messages: int
    shared: int
    doubtful: int
    mentions: tuple[int, ...]


class Erasure:
    """Erases residents."""

    def __init__(self, ground: ErasureGround) -> None:
        self._ground = ground

    async def erase(self, scope: Scope, person: int, reason: str) -> Report:
        """Take a person out of everything; what was erased before is found missing.

        reason: on whose demand and why, without naming the person; it is kept.
        Raises: ForbiddenError without `steward`; IncorrectError without a reason; NotFoundError; UnavailableError.
        """
        scope.require("steward")
        if not reason.strip():
            raise IncorrectError("请写明依据，例如：本人申请", "write on whose demand and why", where="reason")
        async with self._ground.database.connection() as connection:
            patients = await patients_of(connection, person)
        if not patients:
            raise NotFoundError("没有这位居民", "there is no such resident", where="person")
        self._note({"person": person, "reason": reason.strip(), "patients": [list(key) for key in patients.values()]})
        return await self._erase(scope, person, patients)

    async def again(self, scope: Scope) -> list[Report]:
        """Apply the list of erasures to what a restored backup brought back; returns what there was to do.  Raises: as `erase`."""
        scope.require("steward")
        reports = []
        for line in self._noted():
            keys = [(str(rtype), str(own)) for rtype, own in line["patients"]]
            patients, person = await self._present(keys)
            if patients:
                reports.append(await self._erase(scope, person, patients))
        return reports

    async def compact(self) -> bool:
        """Write the tables anew so that no file keeps the bytes; returns False where the server's log is not ours to clear."""
        url = self._ground.database.url
        await asyncio.to_thread(compact, url, TABLES)
        return await asyncio.to_thread(forget_log, url)

    async def _erase(self, scope: Scope, person: int | None, patients: Mapping[int, Key]) -> Report:
        ground, rids = self._ground, list(patients)
        source = await ground.ledger.source(OWN_PAGES)
        content = orjson.dumps(
            {"erase": {"person": person, "patients": [list(key) for key in patients.values()]}, "at": ground.clock.now()}
        )
        async with deed(ground.database, ground.audit) as act:
            connection = act.connection
            gone = Gone(frozenset(own for _, own in patients.values()), await known_numbers(connection, rids))
            envelope = Envelope(
                source, f"erasure-{ground.clock.now().isoformat()}-{rids[0]}", content, "erase", "application/json", scope.account_no
            )
            message_no = (await ground.ledger.open(connection, envelope)).message_no
            await ground.ledger.close(connection, Receipt(message_no, State.STORED, len(rids), 0, 0), len(rids))
            cause = Cause(message_no, source.source_no, scope.account_no)
            eraser = LedgerEraser(ground.blobs, gone, scope.account_no)
            await eraser.rewrite(connection)
            traces = await find_traces(connection, rids)
            erased = await erase_patients(connection, traces, person, cause, ground.site)
            await eraser.rewrite(connection, waits=False)  # from here on nobody else writes: what came during the long looks
            await eraser.forget_upper(connection, person)
            await forget_patients(connection, person, rids)
            await forget_person(connection, person, erased.rids)
            await self._write_shared(connection, scope, (erased.shared, gone), cause)
            about = () if person is None else (person,)
            await act.tell(AuditEntry(scope, "erase", "person", rids=rids, persons=about, detail=f"{len(erased.rids)}"))
        async with ground.database.connection() as connection:
            await eraser.forget_strays(connection)
            mentions = await _mentions(connection, gone.known)
        return Report(person, tuple(rids), len(erased.rids), eraser.messages, len(erased.shared), eraser.doubtful, mentions)

    async def _write_shared(
        self, connection: asyncpg.Connection[Any], scope: Scope, work: tuple[Sequence[tuple[int, str, str, bytes]], Gone], cause: Cause
    ) -> None:
        shared, gone = work
        if not shared:
            return
        changes = [Put(rtype, own, gone.without_references(orjson.loads(body))) for _, rtype, own, body in shared]
        for outcome in await self._ground.store.write(connection, scope, changes, cause):
            if outcome.error is not None:
                raise outcome.error
        await drop_history(connection, [rid for rid, _, _, _ in shared])

    async def _present(self, keys: Sequence[Key]) -> tuple[dict[int, Key], int | None]:
        """Return those of the keys that have a record, and the person they are linked to."""
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(
                """select n.rid, n.rtype, n.id, l.person from unnest($1::text[], $2::text[]) as k(rtype, id) join ident n using (rtype, id)
                   left join person_link l on l.patient = n.rid and l.to_seq is null
                   where exists (select 1 from res r where r.rid = n.rid or r.pat = n.rid) or exists (select 1 from hist h where h.rid = n.rid)""",
                [rtype for rtype, _ in keys],
                [own for _, own in keys],
            )
        persons = {row["person"] for row in rows if row["person"] is not None}
        return {row["rid"]: (row["rtype"], row["id"]) for row in rows}, next(iter(persons), None)

    def _note(self, entry: Mapping[str, Any]) -> None:
        """Add a line to the list of erasures.  Raises: UnavailableError when it cannot be written whole: then nobody is erased."""
        line = orjson.dumps({"at": self._ground.clock.now(), **entry}, option=orjson.OPT_APPEND_NEWLINE)
        try:
            with open(self._ground.log, "a+b", opener=_open_private) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.seek(0)
                start = file.read().rfind(b"\n") + 1
                try:
                    file.truncate(start)  # a line somebody was killed in
                    file.write(line)
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    file.truncate(start)
                    raise
        except OSError as error:
            raise UnavailableError(
                "删除登记无法写入，没有删除；清理磁盘空间后重试",
                "the list of erasures cannot be written, nobody was erased; free space and try again",
                where=self._ground.log.name,
            ) from error

    def _noted(self) -> list[dict[str, Any]]:
        """Return the list of erasures. A last line that was not written whole belongs to an erasure that was not begun."""
        if not self._ground.log.exists():
            return []
        *whole, _ = self._ground.log.read_bytes().split(b"\n")
        return [orjson.loads(line) for line in whole if line.strip()]


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _mentions(connection: asyncpg.Connection[Any], known: Known) -> tuple[int, ...]:
    """Return resources that still hold one of the numbers."""
    rows = await connection.fetch(
        "select distinct rid from res r join unnest($1::bytea[]) as n(number) on position(n.number in r.body) > 0 order by rid",
        [number.encode() for number in known.numbers],
        timeout=_LOOKING_S,
    )
    return tuple(row["rid"] for row in rows)
