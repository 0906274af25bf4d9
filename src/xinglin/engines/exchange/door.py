"""The one way in: a message goes to the ledger, through the gate, into store and identity, all in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import asyncpg

from xinglin.base.database import Database
from xinglin.base.errors import BusyError, ConflictError, IncorrectError
from xinglin.engines.exchange.conditions import ChangedError, Met, hold_conditions, look_up
from xinglin.engines.exchange.gate import Directory, Item, Prepared, prepare, without
from xinglin.engines.exchange.ledger import Envelope, Ledger, Source
from xinglin.engines.exchange.model import OWN_API, OWN_PAGES, Entry, EntryProblem, Receipt, State, Submission
from xinglin.engines.exchange.noting import Notary, Note, Noted
from xinglin.engines.exchange.reading import UnreadableError, read_message
from xinglin.engines.exchange.waiting import Numbered, entry_of, waiting_rows
from xinglin.engines.identity import Arrival, LinkPlan, Register, Residents, Trust
from xinglin.engines.security import AuditWitness, Scope
from xinglin.engines.store import Cause, Delete, Outcome, PackedReady, Put, Ready, Store
from xinglin.fhir import CodeOracle, Problem, Validator, validate

REGISTERED_TYPES: Final = ("Organization", "Practitioner", "PractitionerRole")
_MANY, _TRIES = 100, 5
NOTHING_MET: Final = Met()


class RolledBackError(Exception):
    """Entries were refused in a way that takes back the whole transaction; nothing of it stays."""

    def __init__(self, problems: list[EntryProblem]) -> None:
        super().__init__()
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the exchange hands things on to. codes: gives the value sets as they are now; None = the form of open codes is enough.

    audit: where messages with a note are told.
    """

    database: Database
    store: Store
    residents: Residents
    register: Register
    codes: Callable[[], Awaitable[CodeOracle]] | None = None
    audit: AuditWitness | None = None


@dataclass(slots=True)
class Written:
    """What one transaction stored: outcomes by entry number, the refused, the persons of new source Patients."""

    outcomes: dict[int, Outcome]
    problems: list[EntryProblem]
    persons: dict[int, int]

    def counts(self) -> tuple[int, int]:
        """Return (stored, unchanged)."""
        unchanged = sum(outcome.status == "unchanged" for outcome in self.outcomes.values())
        return len(self.outcomes) - unchanged, unchanged


class Exchange:
    """Doors in. Every method writes the ledger before it answers, and the same message twice changes nothing."""

    def __init__(self, rooms: Rooms, ledger: Ledger) -> None:
        self.ledger = ledger
        self._rooms = rooms
        self._directory: dict[tuple[str, str], str] = {}
        self._directory_stamp: str | None = None
        self._notary = Notary(rooms.audit)
        self._checks: tuple[CodeOracle, Validator] | None = None

    async def submit(self, scope: Scope, submission: Submission, *, institution: int | None = None, note: Note | None = None) -> Receipt:
        """Take one message of parsed entries; returns its receipt once everything is committed.

        institution: rid of who keeps the residents of a foreign source.  note: what the audit log says of it, promised in the transaction.
        Raises: NotFoundError for an unknown source, UnavailableError when nothing could be written (send it again).
        """
        source = await self.ledger.source(submission.source)
        envelope = Envelope(
            source, submission.message_id, submission.content, submission.kind, submission.media, scope.account_no, institution,
            Noted(scope, note) if note is not None else None,
        )  # fmt: skip
        before = await self.ledger.arrived(envelope)
        if before is not None and before.is_final:
            return await self.ledger.told(before)
        entries = list(enumerate(submission.entries, 1))
        for _ in range(_TRIES):
            met = await look_up(self._rooms.store, scope, entries, source.sender)
            prepared = await self.prepare(entries, source, met)
            try:
                return await self._notary.keep(await self._store(scope, (envelope, submission.atomic), (entries, prepared, met)))
            except ChangedError:
                continue
        raise BusyError("同时写入太多，请稍后重新发送", "too many write the same at once; send it again in a moment", status=503)

    async def _store(self, scope: Scope, message: tuple[Envelope, bool], work: tuple[Numbered, Prepared, Met]) -> Receipt:
        """Write a message, all of it or (not atomic) what can be; a resident who may not be written goes aside with what is about them."""
        (envelope, atomic), (entries, prepared, met) = message, work
        if atomic and prepared.problems:
            return await self._refuse(envelope, entries, prepared.problems)
        while True:
            try:
                async with self._rooms.database.transaction() as connection:
                    arrived = await self.ledger.open(connection, envelope)
                    if arrived.is_final:
                        return arrived.receipt()
                    written = await self.write(connection, scope, prepared, (envelope, arrived.message_no), met)
                    if atomic and written.problems:
                        raise RolledBackError(written.problems)
                    written.outcomes |= met.outcomes(entries)
                    receipt = await self._finish(connection, arrived.message_no, (entries, prepared, written))
                    return await self._notary.promise(connection, envelope.noted, receipt)
            except RolledBackError as refusal:
                if atomic:
                    return await self._refuse(envelope, entries, refusal.problems)
                prepared = without(prepared, refusal.problems)

    async def receive(self, scope: Scope, source: str, message_id: str, content: bytes, *, institution: int | None = None) -> Receipt:
        """Take one message as bytes (a Bundle or a resource, plain or gzip). What cannot be read is kept too and answered with why."""
        try:
            reading = read_message(content)
        except UnreadableError as error:
            return await self.keep_unreadable(scope, (source, message_id, content), error)
        submission = Submission(source, message_id, content, reading.entries, kind=reading.kind, atomic=reading.atomic)
        return await self.submit(scope, submission, institution=institution)

    async def keep_unreadable(self, scope: Scope, message: tuple[str, str, bytes], error: UnreadableError) -> Receipt:
        """Write down a message that is no message. message: (source, message id, content)."""
        code, message_id, content = message
        envelope = Envelope(await self.ledger.source(code), message_id, content, "unreadable", "application/octet-stream", scope.account_no)
        before = await self.ledger.arrived(envelope)
        if before is not None and before.is_final:
            return await self.ledger.told(before)
        return await self._refuse(envelope, [], [EntryProblem(0, error.reason, error.where, error.zh, error.en)])

    async def write(
        self, connection: asyncpg.Connection[Any], scope: Scope, prepared: Prepared, origin: tuple[Envelope, int], met: Met = NOTHING_MET
    ) -> Written:
        """Store what passed the gate inside the caller's transaction: persons first, then resources, then the registers.

        origin: the envelope and its number in the ledger.  met: the conditions that must still fit.
        """
        return await self.write_ready(connection, scope, (prepared, await self.ready(prepared, cause_of(scope, origin)), met), origin)

    async def ready(self, prepared: Prepared, cause: Cause) -> Ready:
        """Let the store number, index and encode what passed the gate, before the transaction that writes it."""
        changes = [
            Delete(item.rtype, item.id, item.entry.if_version)
            if item.entry.method == "DELETE"
            else Put(item.rtype, item.id, item.resource, item.entry.if_version)
            for item in prepared.items
        ]
        return await self._rooms.store.ready(changes, cause)

    def taken(self, packed: PackedReady) -> Ready:
        """Return what another process of this installation made ready."""
        return self._rooms.store.taken(packed)

    async def write_ready(
        self, connection: asyncpg.Connection[Any], scope: Scope, work: tuple[Prepared, Ready, Met], origin: tuple[Envelope, int]
    ) -> Written:
        """Store what `ready` returned, once; as `write`.

        Raises: RolledBackError for residents who may not be written; ChangedError where a condition or a code
        means something else by now.
        """
        prepared, ready, met = work
        envelope, message_no = origin
        cause = cause_of(scope, origin)
        plan = await self._plan_links(connection, scope, prepared.items, envelope)
        await hold_conditions(self._rooms.store, connection, scope, met)
        outcomes = await self._rooms.store.write_ready(connection, scope, ready)
        written = Written({}, [], {})
        for item, outcome in zip(prepared.items, outcomes, strict=True):
            if outcome.error is None:
                written.outcomes[item.entry_no] = outcome
            else:
                reason = "conflict" if isinstance(outcome.error, ConflictError) else "invalid"
                written.problems.append(EntryProblem(item.entry_no, reason, item.rtype, outcome.error.zh, outcome.error.en))
        if plan is not None:
            written.persons = await self._rooms.residents.apply(connection, plan, await self.trust(connection), cause)
            await self._refuse_elsewhere(connection, scope, (prepared.items, written))
        await self._note_registers(connection, prepared.items, written)
        await self._tally(connection, message_no, [item for item in prepared.items if item.entry_no in written.outcomes])
        return written

    async def _plan_links(
        self, connection: asyncpg.Connection[Any], scope: Scope, items: Sequence[Item], envelope: Envelope
    ) -> LinkPlan | None:
        patients = [item for item in items if item.rtype == "Patient" and item.entry.method != "DELETE"]
        if not patients:
            return None
        keepers = {item.organization for item in patients if item.organization}
        rids = await self._rooms.store.rids([("Patient", item.id) for item in patients] + [("Organization", keeper) for keeper in keepers])
        foreign = envelope.source.is_foreign
        arrivals = [
            Arrival(
                rids[("Patient", item.id)],
                envelope.source.source_no,
                item.resource,
                envelope.institution if foreign else rids.get(("Organization", item.organization or "")),
            )
            for item in patients
        ]
        return await self._rooms.residents.plan(connection, scope, arrivals)

    async def _refuse_elsewhere(self, connection: asyncpg.Connection[Any], scope: Scope, result: tuple[Sequence[Item], Written]) -> None:
        """A person may only open records of residents of their own area: a Patient that turns out to live elsewhere is refused."""
        if scope.is_house:
            return
        items, written = result
        unseen = await self._rooms.residents.unseen(connection, scope, written.persons.values())
        if unseen:
            words = (
                "这位居民的属地不在您的管理范围内，或已在县内其他机构建档：请联系其管理机构迁入，或由数据管理员处理",
                "this resident belongs outside your area or already has a record elsewhere in the district: ask for a transfer",
            )
            patients = [item for item in items if item.rtype == "Patient" and item.entry_no in written.outcomes]
            places = [item for item in patients if written.persons.get(written.outcomes[item.entry_no].rid) in unseen]
            raise RolledBackError([EntryProblem(item.entry_no, "conflict", "Patient", *words) for item in places])

    async def trust(self, connection: asyncpg.Connection[Any] | None = None) -> Trust:
        """Return how far each registered source is believed. connection: of a caller inside a transaction."""
        sources = await self.ledger.sources(connection)
        return Trust({source.source_no: source.trust for source in sources}, frozenset(s.source_no for s in sources if s.is_foreign))

    async def _note_registers(self, connection: asyncpg.Connection[Any], items: Sequence[Item], written: Written) -> None:
        stored = [
            (written.outcomes[item.entry_no].rid, item.resource)
            for item in items
            if item.rtype in REGISTERED_TYPES and item.entry_no in written.outcomes and item.entry.method != "DELETE"
        ]
        if not stored:
            return
        wanted = {tuple(text.split("/", 1)) for _, resource in stored for text in _register_references(resource)}
        rids = await self._rooms.store.rids([(rtype, own) for rtype, own in wanted])
        try:
            await self._rooms.register.note(connection, stored, {f"{rtype}/{own}": rid for (rtype, own), rid in rids.items()})
        except asyncpg.UniqueViolationError as error:
            raise ChangedError from error  # somebody registered the code since the directory was read

    async def _tally(self, connection: asyncpg.Connection[Any], message_no: int, items: Sequence[Item]) -> None:
        organizations = {item.organization for item in items if item.organization}
        rids = await self._rooms.store.rids([("Organization", own) for own in organizations])
        await self.ledger.tally(connection, message_no, items, rids)

    async def _finish(self, connection: asyncpg.Connection[Any], message_no: int, result: tuple[Numbered, Prepared, Written]) -> Receipt:
        entries, prepared, written = result
        problems = [*prepared.problems, *written.problems]
        await self.ledger.quarantine(connection, message_no, waiting_rows(entries, problems))
        await self.ledger.warn(connection, message_no, prepared.warnings)
        receipt = replace(receipt_of(message_no, entries, written, problems), warnings=tuple(prepared.warnings))
        await self.ledger.close(connection, receipt, len(entries))
        return receipt

    async def _refuse(self, envelope: Envelope, entries: Numbered, problems: Sequence[EntryProblem]) -> Receipt:
        """Keep a whole message aside: the ledger row, and a quarantine row for each entry that is wrong."""
        async with self._rooms.database.transaction() as connection:
            arrived = await self.ledger.open(connection, envelope)
            if arrived.is_final:
                return arrived.receipt()
            message_no = arrived.message_no
            receipt = Receipt(message_no, State.QUARANTINED, 0, 0, max(len(entries), 1), problems=tuple(problems))
            await self.ledger.quarantine(connection, message_no, waiting_rows(entries, problems))
            await self.ledger.close(connection, receipt, len(entries), problems[0] if problems else None)
            return await self._notary.promise(connection, envelope.noted, receipt)

    async def _known(self, met: Met) -> Directory:
        """Return the registered institutions and practitioners, read again after a change by any process."""
        register = self._rooms.register
        async with self._rooms.database.connection() as connection:
            stamp = await register.stamp(connection)
            if stamp != self._directory_stamp:
                self._directory, self._directory_stamp = await register.directory(connection), stamp
        return Directory(self._directory, await self._validator(), met.ids())

    async def _validator(self) -> Callable[[Mapping[str, Any]], list[Problem]]:
        """Return what finds the problems of a resource, made anew when the value sets have changed."""
        if self._rooms.codes is None:
            return validate
        oracle = await self._rooms.codes()
        if self._checks is None or self._checks[0] is not oracle:
            self._checks = (oracle, Validator(oracle))
        return self._checks[1].validate

    async def prepare(self, entries: Numbered, source: Source, met: Met = NOTHING_MET) -> Prepared:
        """Pass entries through the gate, many of them in a thread. met: what their conditions fit."""
        known = await self._known(met)
        refused = {problem.entry_no for problem in met.problems}
        passing = [(number, entry) for number, entry in entries if number not in refused]
        prepared = (
            await asyncio.to_thread(prepare, passing, source.sender, known)
            if len(passing) >= _MANY
            else prepare(passing, source.sender, known)
        )
        prepared.problems[:0] = met.problems
        prepared.refused |= refused
        return prepared

    async def replay(self, scope: Scope, quarantine_no: int, repaired: bytes | None = None) -> Receipt:
        """Send a waiting entry again, as it was or as somebody repaired it; closes the row when it was stored.

        A row of a message that failed whole sends the whole message again. Refused once more, the row goes on waiting, alone.
        Raises: ForbiddenError without `exchange.replay`; IncorrectError when the row is not open or the repair is no JSON.
        """
        scope.require("exchange.replay")
        rows = await self.ledger.waiting([quarantine_no], None, 1)
        if not rows:
            raise IncorrectError("这一行已处理，请刷新列表", "this row has been dealt with; reload the list", where=str(quarantine_no))
        row = rows[0]
        if row["source_code"] in (OWN_PAGES, OWN_API):
            raise IncorrectError(
                "本系统页面和接口的保存不能重放：请在原页面更正后重新保存，再把这一行作废",
                "what our own pages and API sent cannot be replayed: correct it on its page, save again, and discard this row",
                where=str(quarantine_no),
            )
        content, entries, atomic = await self._again(row, repaired)
        # Each try is a message of its own: what was refused yesterday may pass today, when what it refers to has come.
        name = f"replay-of-{row['message_no']}-{row['entry_no']}"
        before = await self.ledger.attempts(row["source_no"], name)
        submission = Submission(
            row["source_code"], f"{name}.{before + 1}" if before else name, content, entries, kind="replay", atomic=atomic
        )
        receipt = await self.submit(scope, submission, institution=row["institution"])
        if receipt.state in (State.STORED, State.UNCHANGED):
            others = await self.ledger.waiting(None, row["message_no"], 100_000) if atomic and len(entries) > 1 else []
            await self.ledger.settle(
                [quarantine_no, *(other["quarantine_no"] for other in others)], "replayed", scope.account_no, receipt.message_no
            )
        elif receipt.message_no != row["message_no"]:
            again = await self.ledger.waiting(None, receipt.message_no, 100_000)
            await self.ledger.discard(
                [other["quarantine_no"] for other in again], scope.account_no, "replay refused: the first row still waits"
            )
        return receipt

    async def _again(self, row: Mapping[str, Any], repaired: bytes | None) -> tuple[bytes, Sequence[Entry], bool]:
        state = await self.ledger.state_of(row["message_no"])
        if state is State.QUARANTINED and repaired is None and row["kind"] != "ndjson":
            content = await self.ledger.content(row["message_no"])
            reading = read_message(content)
            return content, reading.entries, reading.atomic
        content = repaired if repaired is not None else bytes(row["body"] or b"")
        return content, (entry_of(content, row["full_url"]),), True


def cause_of(scope: Scope, origin: tuple[Envelope, int]) -> Cause:
    """Return why versions of a message exist. origin: its envelope and its number in the ledger."""
    envelope, message_no = origin
    return Cause(message_no, envelope.source.source_no, scope.account_no)


def _register_references(resource: Mapping[str, Any]) -> list[str]:
    found = (resource.get(name) or {} for name in ("partOf", "practitioner", "organization"))
    return [value["reference"] for value in found if "/" in value.get("reference", "")]


def receipt_of(message_no: int, entries: Numbered, written: Written, problems: Sequence[EntryProblem]) -> Receipt:
    """Return the receipt of a message whose entries have been dealt with one by one."""
    stored, unchanged = written.counts()
    rejected = len({problem.entry_no for problem in problems})
    state = (
        State.PARTLY
        if rejected and (stored or unchanged)
        else State.QUARANTINED
        if rejected
        else State.STORED
        if stored
        else State.UNCHANGED
    )
    return Receipt(
        message_no,
        state,
        stored,
        unchanged,
        rejected,
        seq=max((outcome.seq for outcome in written.outcomes.values()), default=0),
        outcomes=tuple(written.outcomes.get(number) for number, _ in entries),
        problems=tuple(problems),
        persons=written.persons,
    )
