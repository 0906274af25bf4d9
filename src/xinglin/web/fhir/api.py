"""The addresses of the FHIR interface, who may use them, and the outermost error edge."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Message

from xinglin.base.errors import FaultError, ForbiddenError, NotFoundError, UnsupportedError, XinglinError
from xinglin.engines.security import Scope
from xinglin.engines.store import MODIFIERS, PREFIXES, RESULT_PARAMS
from xinglin.fhir import Capabilities, capability_statement
from xinglin.web.fhir import bundles, reads, writes
from xinglin.web.fhir.doors import Call, FhirDoors, FhirLimits, base_of
from xinglin.web.fhir.wire import answer, check_formats, encode, refusal

__all__ = ["FhirDoors", "FhirLimits", "fhir_routes", "make_fhir", "offered"]
SESSION_COOKIE: Final = "xinglin_session"
_log = logging.getLogger("xinglin.fhir")
Handler = Callable[[Call], Awaitable[Response]]


def make_fhir(doors: FhirDoors) -> Starlette:
    """Return the ASGI application of the interface, to be mounted at `/fhir`.

    A caller shows a session token as `Authorization: Bearer ...` or as the cookie of the pages; only `metadata` answers without.
    Every error is an OperationOutcome.
    """

    def at(path: str, **handlers: tuple[str, Handler]) -> list[Route]:
        return [Route(path, _endpoint(doors, *pair), methods=[method]) for method, pair in handlers.items()]

    may_read, may_write = "fhir.read", "fhir.write"
    routes = [
        Route("/metadata", _metadata(doors), methods=["GET"]),
        *at("/", POST=(may_write, bundles.post_bundle)),
        *at("/_history", GET=(may_read, reads.history)),
        *at("/{rtype}/_search", POST=(may_read, reads.search_by_form)),
        *at("/{rtype}/_history", GET=(may_read, reads.history)),
        *at("/{rtype}/{id}/_history/{vid}", GET=(may_read, reads.vread)),
        *at("/{rtype}/{id}/_history", GET=(may_read, reads.history)),
        *at("/{rtype}/{id}", GET=(may_read, reads.read), PUT=(may_write, writes.update), DELETE=(may_write, writes.delete)),
        *at(
            "/{rtype}",
            GET=(may_read, reads.search),
            POST=(may_write, writes.create),
            PUT=(may_write, writes.update),
            DELETE=(may_write, writes.delete),
        ),
    ]
    return Starlette(routes=routes, exception_handlers={XinglinError: _refused, HTTPException: _refused_by_router, Exception: _failed})


def fhir_routes(doors: FhirDoors, prefix: str = "/fhir") -> list[BaseRoute]:
    """Return the routes of the interface below a prefix, with and without a slash at its end."""
    api = make_fhir(doors)

    async def root(scope: Message, receive: Receive, send: Send) -> None:
        await api({**scope, "path": scope["path"] + "/", "root_path": scope.get("root_path", "") + prefix}, receive, send)

    return [Route(prefix, _Root(root), methods=["GET", "POST"]), Mount(prefix, app=api)]


@dataclass(frozen=True, slots=True)
class _Root:
    """An ASGI application at one address (a plain function would be taken for a request handler)."""

    app: ASGIApp

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


def _endpoint(doors: FhirDoors, right: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        check_formats(request)
        scope = await _scope_of(request, doors)
        scope.require(right)
        return await handler(Call(request, doors, scope))

    return endpoint


async def _scope_of(request: Request, doors: FhirDoors) -> Scope:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip() if kind.lower() == "bearer" else request.cookies.get(SESSION_COOKIE, "")
    if token:
        try:
            return await doors.scope_of(token)
        except ForbiddenError:
            pass
    raise ForbiddenError(
        "请先登录，再以 Authorization: Bearer 送出会话令牌", "sign in first and send the session token as Authorization: Bearer", status=401
    )


def offered(base_url: str, version: str, day: str) -> Capabilities:
    """Return what the interface supports. base_url: without a slash at the end.  version: of the software.  day: for which this is so."""
    return Capabilities(
        base_url=base_url,
        version=version,
        date=day,
        interactions=("read", "vread", "update", "delete", "history-instance", "history-type", "create", "search-type"),
        system_interactions=("transaction", "batch", "history-system"),
        parameter_types=frozenset(MODIFIERS),
        modifiers=MODIFIERS,
        prefixes=PREFIXES,
        results=tuple(name for name in RESULT_PARAMS if name not in ("_cursor", "_format", "_pretty")),
        conditional=True,
    )


def _metadata(doors: FhirDoors) -> Callable[[Request], Awaitable[Response]]:
    async def metadata(request: Request) -> Response:
        check_formats(request)
        return answer(encode(capability_statement(offered(base_of(request), doors.version, doors.clock.today().isoformat()))))

    return metadata


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, XinglinError):
        raise error
    return refusal(request, error)


async def _refused_by_router(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return refusal(request, UnsupportedError("这个网址不接受这种操作", "this address does not take that method", status=405))
    return refusal(request, NotFoundError("没有这个网址", "there is no such address; see metadata"))


async def _failed(request: Request, error: Exception) -> Response:
    number = getattr(request.state, "request_number", "")
    _log.error("%s failed: %s", number, type(error).__name__)
    return refusal(
        request,
        FaultError("系统出错，请把编号告诉系统管理员", "something failed here; tell the administrator the number", where=number),
    )
