"""The form of an audit row and how each row is tied to the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Final, Literal, Protocol

import orjson

from xinglin.base.errors import IncorrectError
from xinglin.base.text import storable
from xinglin.engines.security.algorithms import digest_named

Outcome = Literal["done", "refused", "failed"]
TEXT_LIMIT: Final = 2000
_BIGINT: Final = range(-(1 << 63), 1 << 63)


class Actor(Protocol):
    """Who acted, as the log writes it down; a Scope is one."""

    @property
    def account_no(self) -> int:
        """Return the account."""
        ...

    @property
    def role(self) -> str:
        """Return the office they acted in."""
        ...

    @property
    def purpose(self) -> str:
        """Return what for."""
        ...

    @property
    def institution_rid(self) -> int | None:
        """Return where they work."""
        ...


@dataclass(frozen=True, slots=True)
class PastActor:
    """Who acted in a process that is gone, read from what it promised."""

    account_no: int
    role: str
    purpose: str
    institution_rid: int | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One access to be recorded.

    scope: who acted; None where nobody is signed in.  action: a short verb such as `read`, `search`, `reveal`, `export`, `sign_in`.
    subject_type: resource type, `account`, ...; rids: numbers of the subjects (rids of resources, account numbers).
    persons: the person numbers concerned.  detail: words without any value from a record.  request_id: ties entries of one request.
    owed_no: the promise this entry keeps, None where nothing was promised (see `Audit.promise`).
    at: when it happened, where that is not the moment of recording (a promise of a process that is gone), else None.
    """

    scope: Actor | None
    action: str
    subject_type: str = ""
    rids: Sequence[int] = ()
    detail: str = ""
    outcome: Outcome = "done"
    persons: Sequence[int] = ()
    request_id: str = ""
    owed_no: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A recorded entry in its place in a chain; the columns of table `audit` in order.

    at: when it happened.  recorded_at: when it was written into the chain, None where that is the same; n alone is the order of writing.
    """

    day: date
    process: int
    n: int
    at: datetime
    account_no: int | None
    role: str
    purpose: str
    institution: int | None
    action: str
    subject_type: str
    rids: list[int]
    persons: list[int]
    outcome: str
    detail: str
    request_id: str
    site: int
    previous: bytes
    hash: bytes
    recorded_at: datetime | None = None


COLUMNS: Final = tuple(field.name for field in fields(AuditRow))


@dataclass(frozen=True, slots=True)
class Chain:
    """One process's chain of one day, as far as its keyed hash goes."""

    key: bytes
    algorithm: str
    day: date
    process: int
    site: int

    def genesis(self) -> bytes:
        """Return what the first row of the chain is tied to."""
        return digest_named(self.algorithm).mac(self.key, orjson.dumps(["chain", self.day, self.process, self.site]))

    def row_hash(self, row: AuditRow) -> bytes:
        """Return the hash a row must have: keyed, over the row before it and every column; what was written as it happened has one fewer."""
        content = [
            row.day,
            row.process,
            row.n,
            _instant(row.at),
            row.account_no,
            row.role,
            row.purpose,
            row.institution,
            row.action,
            row.subject_type,
            row.rids,
            row.persons,
            row.outcome,
            row.detail,
            row.request_id,
            row.site,
        ]
        if row.recorded_at is not None:
            content.append(_instant(row.recorded_at))
        return digest_named(self.algorithm).mac(self.key, row.previous + orjson.dumps(content))

    def link(self, entry: AuditEntry, n: int, now: datetime, previous: bytes) -> AuditRow:
        """Return an entry as the n-th row of the chain; one that tells of an earlier instant says both."""
        scope = entry.scope
        fields_of_row = {
            "day": self.day,
            "process": self.process,
            "n": n,
            "at": entry.at or now,
            "recorded_at": None if entry.at is None else now,
            "account_no": scope.account_no if scope else None,
            "role": scope.role if scope else "",
            "purpose": scope.purpose if scope else "",
            "institution": scope.institution_rid if scope else None,
            "action": _clean(entry.action),
            "subject_type": _clean(entry.subject_type),
            "rids": list(entry.rids),
            "persons": list(entry.persons),
            "outcome": entry.outcome,
            "detail": _clean(entry.detail),
            "request_id": _clean(entry.request_id),
            "site": self.site,
            "previous": previous,
        }
        row = AuditRow(**fields_of_row, hash=b"")  # type: ignore[arg-type]
        return AuditRow(**fields_of_row, hash=self.row_hash(row))  # type: ignore[arg-type]


def check_entry(entry: AuditEntry) -> None:
    """Refuse an entry that could not be stored, before it joins others.  Raises: IncorrectError."""
    if not entry.action:
        raise IncorrectError("审计记录要写动作", "an audit entry needs an action such as 'read'", where="audit.action")
    if not all(isinstance(number, int) and number in _BIGINT for number in (*entry.rids, *entry.persons)):
        raise IncorrectError("审计记录的编号须为整数", "rids and persons of an audit entry are 64-bit integers", where="audit.rids")


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _clean(text: str) -> str:
    """Return text PostgreSQL can hold: no NUL, no lone surrogate, not endless."""
    return storable(text[:TEXT_LIMIT])
