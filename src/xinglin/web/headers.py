"""What every answer carries: a request number, and the headers that tell a browser what this site never does."""

from __future__ import annotations

import logging
import secrets
import time
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'"
)
SECURITY_HEADERS: Final = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
)
_log = logging.getLogger("xinglin.web")


class Headers:
    """ASGI middleware: sets the headers above, `no-store` on everything that may show a record, and logs method, path, status, time.

    The query string is not logged: a search may hold a name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; add the headers when the answer starts."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        number = secrets.token_hex(6)
        scope.setdefault("state", {})["request_number"] = number
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._set(MutableHeaders(scope=message), number)
                _log.info(
                    "%s %s %s %s %.0f ms", number, scope["method"], scope["path"], message["status"], (time.perf_counter() - started) * 1000
                )
            await send(message)

        await self.app(scope, receive, send_with_headers)

    @staticmethod
    def _set(headers: MutableHeaders, number: str) -> None:
        headers["x-request-number"] = number
        for name, value in SECURITY_HEADERS:
            headers.setdefault(name, value)
        headers.setdefault("cache-control", "no-store")
