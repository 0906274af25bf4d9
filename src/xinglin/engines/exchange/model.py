"""What goes into the exchange and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from xinglin.engines.security import AuditEntry
from xinglin.engines.store import Outcome

INLINE_BYTES: Final = 64 * 1024
OWN_PAGES: Final = "xinglin.pages"
WARNING: Final = "warning"
"""The reason of what was stored and should be looked at all the same."""
OWN_API: Final = "xinglin.api"


_TOLD_A_FILE: Final = 20
MOST_TOLD: Final = 1000
"""So many problems of an import are told at most; all of them stand in the ledger."""


class State(StrEnum):
    """Where a message stands. received: in the ledger, not finished (a restart goes on with it)."""

    RECEIVED = "received"
    STORED = "stored"
    UNCHANGED = "unchanged"
    PARTLY = "partly"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource of a message.

    full_url: the sender's own name of it (urn:uuid:..., a URL, or None to use Type/id).  method: PUT and POST store, DELETE removes.
    if_version: the version it must have now (0 = none), None = any.  if_none_exist: a search; a hit makes the entry mean that resource.
    """

    resource: Mapping[str, Any]
    full_url: str | None = None
    method: str = "PUT"
    if_version: int | None = None
    if_none_exist: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """One message.

    source: code of the sender.  message_id: the sender's own id of the message; the same id with the same content is the same message.
    content: the bytes as received.  atomic: all entries or none.
    """

    source: str
    message_id: str
    content: bytes
    entries: Sequence[Entry]
    media: str = "application/fhir+json"
    kind: str = "bundle"
    atomic: bool = True


@dataclass(frozen=True, slots=True)
class EntryProblem:
    """Why an entry was not stored. entry_no: 1-based; 0 = the whole message.  path: FHIRPath-like place."""

    entry_no: int
    reason: str
    path: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. outcomes: per entry in order, None for what was refused.  seq: newest feed entry it caused, 0 = none.

    warnings: what was stored and should be looked at by the sender all the same.
    """

    message_no: int
    state: State
    stored: int
    unchanged: int
    rejected: int
    seq: int = 0
    outcomes: tuple[Outcome | None, ...] = ()
    problems: tuple[EntryProblem, ...] = ()
    warnings: tuple[EntryProblem, ...] = ()
    repeated: bool = False
    persons: Mapping[int, int] = field(default_factory=dict)
    owed: AuditEntry | None = None

    def with_owed(self, entry: AuditEntry) -> Receipt:
        """Return the receipt with the audit entry that its transaction promised."""
        return replace(self, owed=entry)


@dataclass(slots=True)
class ImportReport:
    """What an import of files did; grows while it runs."""

    files: int = 0
    messages: int = 0
    repeated: int = 0
    stored: int = 0
    unchanged: int = 0
    rejected: int = 0
    quarantined_messages: int = 0
    by_type: dict[str, int] = field(default_factory=dict)
    problems: list[tuple[str, EntryProblem]] = field(default_factory=list)
    warnings: list[tuple[str, EntryProblem]] = field(default_factory=list)

    def add(self, name: str, receipt: Receipt) -> None:
        """Count a receipt under the file's name; keeps its first 20 problems and warnings, of all files together 1,000 each."""
        self.messages += 1
        self.repeated += receipt.repeated
        self.stored += 0 if receipt.repeated else receipt.stored
        self.unchanged += 0 if receipt.repeated else receipt.unchanged
        self.rejected += receipt.rejected
        self.quarantined_messages += receipt.state is State.QUARANTINED
        for outcome in receipt.outcomes:
            if outcome is not None and not receipt.repeated:
                self.by_type[outcome.rtype] = self.by_type.get(outcome.rtype, 0) + 1
        for told, found in ((self.problems, receipt.problems), (self.warnings, receipt.warnings)):
            told.extend((name, problem) for problem in found[: min(_TOLD_A_FILE, MOST_TOLD - len(told))])
