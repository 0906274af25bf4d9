"""What goes into the store's door and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from xinglin.base.errors import IncorrectError, XinglinError

Key = tuple[str, str]
"""Resource type and id."""
Coded = Mapping[str, Sequence[tuple[str, str | None, str]]]
"""Resource type → codes: search parameter, system or None for any, code."""
NO_CODES: Final[Coded] = {}
Status = Literal["created", "updated", "unchanged", "deleted", "refused"]
FEED_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a version exists: the ledger's message, the source it came from, the account that acted."""

    message_no: int
    source_no: int
    actor: int


@dataclass(frozen=True, slots=True)
class Put:
    """The content a resource shall have.

    resource: parsed JSON (numbers may be Decimal, which keeps `1.50`); what it says under id, versionId, lastUpdated and
    meta.source is replaced.  if_version: the version it must have now (0 = none), None = any.
    """

    rtype: str
    id: str
    resource: Mapping[str, Any]
    if_version: int | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """A resource shall be gone; what is gone already stays `unchanged`."""

    rtype: str
    id: str
    if_version: int | None = None


Change = Put | Delete


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change, in the order given.

    version, seq: of what holds now; seq is 0 for what never was.  error: set exactly where status is `refused`.
    """

    rtype: str
    id: str
    rid: int
    version: int
    seq: int
    status: Status
    updated_at: datetime | None = None
    error: XinglinError | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """One version as it is served.  body: exact bytes, empty for a deletion."""

    rid: int
    rtype: str
    id: str
    version: int
    seq: int
    updated_at: datetime
    body: bytes
    message_no: int

    @property
    def is_deleted(self) -> bool:
        """Tell whether this version says that the resource is gone."""
        return not self.body


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a search or a history.

    total: exact, or None where nobody counted.  next_cursor: pass it back to go on; None on the last page.
    included: what _include and _revinclude brought, never counted in total.
    """

    entries: tuple[Stored, ...]
    total: int | None
    next_cursor: str | None
    included: tuple[Stored, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A source patient (rid) belongs to a person; None: to nobody any more.  decision: by what rule or whose choice."""

    patient: int
    person: int | None
    decision: str


@dataclass(frozen=True, slots=True)
class Belonging:
    """A person belongs to an area (12 digits) and an institution (rid); both None: nowhere any more."""

    person: int
    area: int | None
    institution: int | None
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """How far a reader of the feed has come: opaque to readers, order is promised per shard.

    >>> Cursor.parse(str(Cursor(42)))
    Cursor(seq=42, shard=0)
    """

    seq: int = 0
    shard: int = 0

    def __str__(self) -> str:
        return f"f1-{self.shard}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor a text stands for.  Raises: IncorrectError for a text no store has made."""
        match text.split("-"):
            case ["f1", shard, seq] if shard.isdecimal() and seq.isdecimal():
                return cls(int(seq), int(shard))
        raise IncorrectError("游标无效，请从头读取", "not a cursor of the feed; start from the beginning", where="cursor")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One change, in the order of commits.

    kind: resource | link | scope | consent | erase | definition.  ver: version of the resource; for link and scope 1 = begun, 0 = ended.
    rid: of the resource; for a link the source patient.  person: whose record it is as known when it was written.
    area, institution: where a scope entry places the person.  body: bytes of exactly that version, None for what is gone.
    """

    seq: int
    kind: str
    rid: int | None
    ver: int
    rtype: str | None
    person: int | None
    message_no: int
    updated_at: datetime
    site: int
    actor: int
    format: int
    body: bytes | None
    area: int | None = None
    institution: int | None = None

    @property
    def cursor(self) -> Cursor:
        """Return the cursor of a reader that has taken this entry."""
        return Cursor(self.seq)


Query = Sequence[tuple[str, str]]
"""Search parameters in the order written: (name with modifier, value)."""
