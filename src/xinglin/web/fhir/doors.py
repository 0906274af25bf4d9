"""What the FHIR interface stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request

from xinglin.base.clock import Clock
from xinglin.engines.exchange import Note, Receipt, Submission, UnreadableError
from xinglin.engines.security import AuditSink, Scope
from xinglin.engines.store import Store


class Intake(Protocol):
    """The one way in for what is written: the exchange."""

    async def submit(self, scope: Scope, submission: Submission, *, note: Note | None = None) -> Receipt:
        """Take one message; returns once everything is committed, with what the audit log is to say of it."""
        ...

    async def keep_unreadable(self, scope: Scope, message: tuple[str, str, bytes], error: UnreadableError) -> Receipt:
        """Write down a message that could not be taken: (source, message id, content) and why."""
        ...


@dataclass(frozen=True, slots=True)
class FhirLimits:
    """What a request may be.

    body_bytes: as sent; unpacked_bytes: after gzip; depth: nested objects and lists; url_bytes: of the query string.
    """

    body_bytes: int = 32 * 1024 * 1024
    unpacked_bytes: int = 128 * 1024 * 1024
    depth: int = 64
    url_bytes: int = 16 * 1024


@dataclass(frozen=True, slots=True)
class FhirDoors:
    """Engines and the two things that are not theirs: who asks, and new ids. Reads are audited by the store, writes by the intake.

    scope_of: session token → Scope; raises ForbiddenError.  new_id: a fresh UUID (version 7).  version: of the software.
    """

    store: Store
    intake: Intake
    audit: AuditSink
    scope_of: Callable[[str], Awaitable[Scope]]
    new_id: Callable[[], str]
    clock: Clock
    version: str
    limits: FhirLimits = FhirLimits()


@dataclass(frozen=True, slots=True)
class Call:
    """One request of one signed-in program or person."""

    request: Request
    doors: FhirDoors
    scope: Scope

    @property
    def base(self) -> str:
        """Return the address of the interface, without a slash at the end."""
        return base_of(self.request)

    @property
    def is_lenient(self) -> bool:
        """Tell whether unknown search parameters are to be passed over (`Prefer: handling=lenient`)."""
        return "lenient" in preferences(self.request).get("handling", "")


def base_of(request: Request) -> str:
    """Return the address of the interface as the caller wrote it."""
    return f"{request.url.scheme}://{request.url.netloc}{request.scope.get('root_path', '')}".rstrip("/")


def preferences(request: Request) -> dict[str, str]:
    """Return what the header Prefer asks for: name → value."""
    pairs = (part.partition("=") for header in request.headers.getlist("prefer") for part in header.replace(";", ",").split(","))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def language_of(request: Request) -> str:
    """Return "en" where the caller prefers English to Chinese, else "zh"."""
    wanted = [part.split(";")[0].strip().lower() for part in request.headers.get("accept-language", "").split(",")]
    return next((tag[:2] for tag in wanted if tag[:2] in ("zh", "en")), "zh")
