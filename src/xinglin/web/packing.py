"""Answers packed with gzip, where the length of the packed answer can tell nobody anything.

A page holds secrets (a form token, a resident's record) beside words of its address (what was searched for). Who can make a signed-in
browser open addresses of their choice and sees the length of what comes back could guess the secrets piece by piece (BREACH). So a page
asked for by another site is sent as it is: the browser says so in `Sec-Fetch-Site`. Why not a masked token: docs/decisions/0007.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST_BYTES: Final = 1024
_LEVEL: Final = 5
_PACKED_ALREADY: Final = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/octet-stream",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)


class Packing:
    """ASGI middleware: packs text of 1 KB and more for browsers and programs that can read gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._packed = GZipMiddleware(app, LEAST_BYTES, _LEVEL, exclude_content_types=_PACKED_ALREADY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer packed or plain."""
        packs = scope["type"] == "http" and may_pack(Headers(scope=scope), scope["scheme"])
        await (self._packed if packs else self._plain)(scope, receive, send)


def may_pack(headers: Headers, scheme: str) -> bool:
    """Return whether the length of a packed answer is no clue for others.

    True where our own page or the person asked, where no session is sent along, and where nothing is encrypted anyway; a browser that
    does not say who asked gets pages of a session plain over TLS.
    """
    asked_by = headers.get("sec-fetch-site")
    if asked_by is not None:
        return asked_by in ("same-origin", "none")
    return scheme != "https" or "cookie" not in headers
