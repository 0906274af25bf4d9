"""The web application: all routes, the shared objects of its pages, and the outermost error edge."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import entry_points
from random import SystemRandom

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from xinglin.assembly import Platform, assemble
from xinglin.base.errors import FaultError, IncorrectError, NotFoundError, UnavailableError, UnsupportedError, XinglinError
from xinglin.base.settings import Settings
from xinglin.web.assets import read_assets
from xinglin.web.fhir import platform_routes
from xinglin.web.headers import Headers
from xinglin.web.i18n import read_words
from xinglin.web.menu import Entry
from xinglin.web.packing import Packing
from xinglin.web.page import Web, problem, visit_of
from xinglin.web.pages import GROUPS
from xinglin.web.rendering import make_environments

_log = logging.getLogger("xinglin.web")


def make_app(platform: Platform, *, mounts: Sequence[BaseRoute] = (), entries: Iterable[Entry] = ()) -> Starlette:
    """Return the ASGI application over a platform.

    mounts: routes of other doors (the FHIR API).  entries: menu entries of modules, beside those of the pages.
    Raises: UnavailableError when browser assets are missing, DefinitionError when texts cannot be read.
    """
    assets, words = read_assets(), read_words()
    routes: list[BaseRoute] = [Route("/static/{version}/{name:path}", assets.serve, name="static"), Route("/health", _health)]
    menu: list[Entry] = []
    for group in GROUPS:
        routes.extend(group.ROUTES)
        menu.extend(group.MENU)
    for module in sorted(entry_points(group="xinglin.modules"), key=lambda point: point.name):
        routes.extend(getattr(module.load(), "routes", lambda _: [])(platform))
    app = Starlette(
        routes=[*routes, *mounts],
        middleware=[Middleware(Headers), Middleware(Packing)],
        exception_handlers={XinglinError: _refused, HTTPException: _refused_by_router, Exception: _failed},
    )
    app.state.web = Web(
        platform=platform,
        assets=assets,
        words=words,
        environments=make_environments(assets, words),
        entries=(*menu, *entries),
        random=SystemRandom(),
    )
    return app


def make_served_app(settings: Settings) -> ASGIApp:
    """Return the application a web process serves: it opens the platform when the server starts and closes it when it stops."""
    opened: list[Starlette] = []

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        async with assemble(settings, "web") as platform:
            opened.append(make_app(platform, mounts=platform_routes(platform)))
            yield
            opened.clear()

    outer = Starlette(lifespan=life)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await (opened[0] if opened and scope["type"] != "lifespan" else outer)(scope, receive, send)

    return serve


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, XinglinError)
    # While the database is away nobody can be told who they are: the page stands without a session.
    return problem(await visit_of(request, with_session=not isinstance(error, UnavailableError)), error)


async def _refused_by_router(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    known: dict[int, XinglinError] = {
        404: NotFoundError("没有这个页面：请检查网址，或从菜单进入", "there is no such page: check the address or use the menu"),
        405: UnsupportedError("这个网址不接受这种操作", "this address does not take that method", status=405),
    }
    fallback = IncorrectError("请求无法读取：请返回重试", "the request cannot be read: go back and try again", status=error.status_code)
    return problem(await visit_of(request), known.get(error.status_code, fallback))


async def _failed(request: Request, error: Exception) -> Response:
    number = getattr(request.state, "request_number", "")
    _log.error("%s failed: %s", number, type(error).__name__)
    told = FaultError(
        "系统出错，刚才的操作可能没有完成。请把编号告诉系统管理员",
        "something failed here, and what you did may not be complete. Tell the administrator the number",
        where=number,
    )
    return problem(await visit_of(request, with_session=False), told)
