"""One page: who visits, what they may do, and how the answer is rendered.

Every address of the product is made by `page(...)`, which names the right it needs; there is no other way to add one. The
wrapper finds the scope of the session cookie, checks the form token and the right, and turns every refusal into a page.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from xinglin.base.errors import ForbiddenError, IncorrectError, XinglinError
from xinglin.engines.security import AuditEntry
from xinglin.web.assets import Assets
from xinglin.web.frame import Frame, frame_of
from xinglin.web.i18n import Words, capital
from xinglin.web.menu import Entry, Shown, current_entry, menu_for

if TYPE_CHECKING:
    from xinglin.assembly import Platform
    from xinglin.engines.security import Scope

SESSION_COOKIE: Final = "xinglin_session"
VISIT_COOKIE: Final = "xinglin_visit"
LANGUAGE_COOKIE: Final = "xinglin_language"
PUBLIC: Final = "public"
"""The right of a page that needs no sign-in."""
SIGNED_IN: Final = "signed-in"
"""The right of a page that everybody signed in may open."""
_FIELD: Final = re.compile("[a-z][a-z0-9_]*")
_SAFE = frozenset({"GET", "HEAD"})
_OWED: Final = {"password": "/account/password", "code": "/sign-in/code"}


@dataclass(frozen=True, slots=True)
class Web:
    """What every page of one application shares; never changed after start."""

    platform: Platform
    assets: Assets
    words: Mapping[str, Words]
    environments: Mapping[str, Environment]
    entries: tuple[Entry, ...]
    random: Random


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of one person.

    actor: the scope of who acts, None where nobody does.  owes: what must come before anything else: "", "password", "code" or "office".
    token: the secret its form token is derived from.  frame: what every page says of the installation.
    """

    request: Request
    web: Web
    words: Words
    actor: Scope | None
    owes: str
    token: str
    frame: Frame = Frame()

    @property
    def district(self) -> str:
        """Return the county's name, "" before it is known."""
        return self.frame.district

    @property
    def platform(self) -> Platform:
        """Return the engines."""
        return self.web.platform

    @property
    def scope(self) -> Scope:
        """Return who acts. Raises: ForbiddenError on a public page, where nobody does."""
        if self.actor is None:
            raise ForbiddenError("请先登录", "sign in first", status=401)
        return self.actor

    @property
    def signed_in(self) -> bool:
        """Return whether somebody is signed in and may work."""
        return self.actor is not None

    @property
    def language(self) -> str:
        """Return "zh" or "en"."""
        return self.words.language

    @property
    def form_token(self) -> str:
        """Return what every form sends back as `form_token` (htmx: header X-Form-Token)."""
        return hmac.new(self.token.encode(), b"xinglin form token", hashlib.sha256).hexdigest()

    @property
    def target(self) -> str:
        """Return the id of the element an htmx request wants to replace, "" for a full page."""
        return self.request.headers.get("hx-target", "") if self.request.headers.get("hx-request") == "true" else ""

    @property
    def menu(self) -> Sequence[Shown]:
        """Return the menu as this person sees it."""
        return menu_for(self.scope, self.web.entries) if self.signed_in else ()

    @property
    def here(self) -> Entry | None:
        """Return the menu entry this page belongs to."""
        return current_entry(self.request.url.path, self.web.entries)

    def allows(self, *rights: str) -> bool:
        """Return whether the person has one of the rights."""
        return self.signed_in and any(self.scope.allows(right) for right in rights)

    def text(self, chinese: str, /, **values: object) -> str:
        """Return a message of this page's language."""
        return self.words(chinese, **values)

    def said(self, error: XinglinError) -> str:
        """Return an error's sentence as a page shows it; a form field's name, which is there for programs, does not stand before it."""
        named = _FIELD.fullmatch(error.where) is not None
        return capital(self.words.pick(error.zh, error.en) if named else error.message(self.language))

    @property
    def role_name(self) -> str:
        """Return the name of the office one acts as."""
        name: str = self.platform.security.roles.role(self.scope.role).name(self.language)
        return name

    async def form(self) -> FormData:
        """Return what the form sent.  Raises: IncorrectError for a character no text holds."""
        sent = await self.request.form()
        _refuse_null(*(value for value in sent.values() if isinstance(value, str)))
        return sent

    async def record(self, action: str, subject: str, *, persons: Sequence[int] = (), detail: str = "") -> None:
        """Return once the audit log holds what is being done. Raises: UnavailableError when it cannot: then it must not be done."""
        entry = AuditEntry(self.scope, action, subject, persons=persons, detail=detail, request_id=self.request_number)
        await self.platform.audit.record(entry)

    @property
    def request_number(self) -> str:
        """Return the number of this request, as the answer's header and the log carry it."""
        return str(getattr(self.request.state, "request_number", ""))


View = Callable[[Visit], Awaitable[Response]]


def page(path: str, view: View, *, right: str | tuple[str, ...], methods: Sequence[str] = ("GET",)) -> Route:
    """Return the route of a page. right: the right it needs (any one of several), SIGNED_IN or PUBLIC."""

    async def endpoint(request: Request) -> Response:
        return await _answer(request, view, (right,) if isinstance(right, str) else right)

    endpoint.right = right  # type: ignore[attr-defined]
    return Route(path, endpoint, methods=list(methods), name=f"{view.__module__.rsplit('.', 1)[-1]}.{view.__name__}.{'-'.join(methods)}")


async def visit_of(request: Request, *, with_session: bool = True) -> Visit:
    """Return the visit of a request; a session cookie that is not valid (any more) counts as nobody signed in."""
    web: Web = request.app.state.web
    words = web.words.get(request.cookies.get(LANGUAGE_COOKIE, "zh")) or web.words["zh"]
    cookie = bearer_of(request) or request.cookies.get(SESSION_COOKIE, "")
    actor, owes = await _actor(web, cookie) if cookie and with_session else (None, "")
    known = actor is not None or owes
    token = cookie if known else request.cookies.get(VISIT_COOKIE, "") or secrets.token_urlsafe(24)
    frame = Frame() if request.headers.get("hx-request") == "true" or not with_session else await frame_of(web.platform, actor)
    return Visit(request=request, web=web, words=words, actor=actor, owes=owes, token=token, frame=frame)


def bearer_of(request: Request) -> str:
    """Return the session token a program shows as `Authorization: Bearer ...`, "" without one; no other site's page can send that header."""
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _actor(web: Web, cookie: str) -> tuple[Scope | None, str]:
    """Return the scope of a session, or what the session owes before it has one."""
    security = web.platform.security
    try:
        return await security.scope_of(cookie), ""
    except ForbiddenError:
        pass
    try:
        session = await security.sessions.session_of(cookie)
    except ForbiddenError:
        return None, ""
    return None, "code" if session.waits_for_code else "password" if session.must_change_password else "office"


async def _answer(request: Request, view: View, rights: tuple[str, ...]) -> Response:
    visit = await visit_of(request)
    try:
        waiting = _turned_away(visit, rights)
        if waiting is not None:
            return waiting
        _refuse_null(request.url.path, *request.query_params.values())
        if request.method not in _SAFE and not bearer_of(request):
            await _check_form_token(visit)
        if PUBLIC not in rights and SIGNED_IN not in rights and not visit.allows(*rights):
            visit.scope.require(rights[0])
        answer = await view(visit)
    except XinglinError as error:
        answer = problem(visit, error)
    if not visit.signed_in and VISIT_COOKIE not in request.cookies:
        set_cookie(visit, answer, VISIT_COOKIE, visit.token)
    return answer


def _turned_away(visit: Visit, rights: tuple[str, ...]) -> Response | None:
    """Return the way to the sign-in page, or to what the session owes, where one of them must come first."""
    path = visit.request.url.path
    if PUBLIC in rights or visit.signed_in or path == _OWED.get(visit.owes):
        return None
    if bearer_of(visit.request):
        raise ForbiddenError("凭证无效或已过期，请重新登录取得", "the token is wrong or has expired; sign in for a new one", status=401)
    if visit.owes in _OWED:
        return redirect(visit, _OWED[visit.owes])
    if visit.owes:
        raise ForbiddenError("此账号还没有岗位，请安全管理员授权", "this account holds no office: ask the security administrator for one")
    wanted = path + (f"?{visit.request.url.query}" if visit.request.url.query else "")
    return redirect(visit, "/sign-in" + ("?" + urlencode({"next": wanted}) if visit.request.method in _SAFE and wanted != "/" else ""))


def _refuse_null(*texts: str) -> None:
    """Refuse the one character the database cannot hold, which nobody types."""
    if any("\0" in text for text in texts):
        raise IncorrectError("请求中有不能保存的字符", "the request holds a character that cannot be stored", status=400)


async def _check_form_token(visit: Visit) -> None:
    sent = visit.request.headers.get("x-form-token", "") or str((await visit.form()).get("form_token", ""))
    if not hmac.compare_digest(sent.encode(), visit.form_token.encode()):
        raise ForbiddenError(
            "本页已过期，内容没有保存：请返回、刷新页面后重新提交",
            "this page has expired and nothing was saved: go back, reload it and send it again",
        )


def redirect(visit: Visit, path: str) -> Response:
    """Return an answer that leads to a page of ours, for browsers and for htmx."""
    if visit.request.headers.get("hx-request") == "true":
        return Response(status_code=200, headers={"hx-redirect": path})
    return RedirectResponse(path, status_code=303)


def set_cookie(visit: Visit, answer: Response, name: str, value: str, *, days: int | None = None) -> None:
    """Set a cookie that scripts cannot read, that other sites do not send, and that asks for TLS where the page came by TLS."""
    answer.set_cookie(
        name,
        value,
        max_age=days * 86400 if days else None,
        path="/",
        httponly=True,
        samesite="lax",
        secure=visit.request.url.scheme == "https",
    )


def render(visit: Visit, template: str, context: Mapping[str, object] | None = None, *, status: int = 200) -> HTMLResponse:
    """Return a page. Every template sees `visit`, `_`, `asset(name)`, `now` and what context adds."""
    found = visit.web.environments[visit.language].get_template(template)
    now = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    return HTMLResponse(
        found.render({"visit": visit, "now": now, "settings": visit.platform.settings, **(context or {})}), status_code=status
    )


def problem(visit: Visit, error: XinglinError) -> Response:
    """Return the page, or for htmx the notice, that tells a person what was refused and what to do instead."""
    template = "problem/notice.html" if visit.request.headers.get("hx-request") == "true" else "problem/page.html"
    answer = render(visit, template, {"error": error, "sentence": visit.said(error)}, status=error.http_status)
    if error.http_status == 503:
        answer.headers["retry-after"] = "5"
    return answer
