"""GET: read, vread, history, search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from xinglin.base.errors import IncorrectError, NotFoundError, UnsupportedError
from xinglin.engines.store import HistoryQuery, Page, Stored
from xinglin.fhir import RESOURCE_TYPES, parse_datetime
from xinglin.web.fhir.doors import Call
from xinglin.web.fhir.wire import answer, bundle, encode, version_headers

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORM: Final = "application/x-www-form-urlencoded"
_HISTORY_PARAMS: Final = frozenset({"_since", "_count", "_cursor", "_format", "_pretty"})


def check_type(rtype: str) -> str:
    """Return a resource type of R4.  Raises: UnsupportedError (404) for any other word."""
    if rtype not in RESOURCE_TYPES:
        raise UnsupportedError(
            "不是 FHIR R4 的资源类型，请写例如 Patient",
            "not a resource type of R4; write one such as Patient",
            where=rtype[:40],
            status=404,
        )
    return rtype


def version_number(text: str, rtype: str) -> int:
    """Return a versionId as a number.  Raises: NotFoundError for what no version of ours is called."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFoundError("没有这个资源", "there is no such resource", where=rtype)
    return int(text)


async def read(call: Call) -> Response:
    """Answer a read; 304 where If-None-Match names the present version."""
    rtype, own_id = check_type(call.request.path_params["rtype"]), call.request.path_params["id"]
    entry = await call.doors.store.read(call.scope, rtype, own_id)
    headers = version_headers(entry)
    if headers["etag"] in [tag.strip() for tag in call.request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return answer(entry.body, 200, headers)


async def vread(call: Call) -> Response:
    """Answer a read of one version."""
    rtype = check_type(call.request.path_params["rtype"])
    version = version_number(call.request.path_params["vid"], rtype)
    entry = await call.doors.store.vread(call.scope, rtype, call.request.path_params["id"], version)
    return answer(entry.body, 200, version_headers(entry))


async def history(call: Call) -> Response:
    """Answer the history of a resource, of a type, or of everything."""
    return answer(await history_bundle(call, dict(call.request.path_params), call.request.url.query))


async def history_bundle(call: Call, place: dict[str, str], text: str) -> bytes:
    """Return the Bundle of a history. place: rtype and id, where given; text: the query string."""
    rtype = check_type(place["rtype"]) if "rtype" in place else None
    asked = dict(parse_qsl(text, keep_blank_values=True))
    unknown = sorted(asked.keys() - _HISTORY_PARAMS)
    if unknown and not call.is_lenient:
        known = ", ".join(sorted(_HISTORY_PARAMS))
        raise IncorrectError(f"没有这个参数；可用：{known}", f"no such parameter; write one of {known}", where=unknown[0][:40])
    count = asked.get("_count", "100")
    if not (count.isascii() and count.isdigit() and len(count) < 7):
        raise IncorrectError("请写整数", "write a whole number", where="_count")
    since = None
    if "_since" in asked:
        since = _EPOCH + timedelta(microseconds=parse_datetime(asked["_since"], call.doors.clock.zone).start_us)
    page = await call.doors.store.history(call.scope, HistoryQuery(rtype, place.get("id"), since, int(count), asked.get("_cursor")))
    path = "/".join(part for part in (rtype, place.get("id"), "_history") if part)
    following = _next_link(f"{call.base}/{path}", list(asked.items()), page)
    links = {"self": f"{call.base}/{path}" + (f"?{text}" if text else ""), "next": following}
    return bundle("history", (_version_entry(call.base, entry) for entry in page.entries), links, page.total)


def _version_entry(base: str, entry: Stored) -> bytes:
    method = "DELETE" if entry.is_deleted else "POST" if entry.version == 1 else "PUT"
    status = "204" if entry.is_deleted else "201" if entry.version == 1 else "200"
    about = encode(
        {
            "request": {"method": method, "url": entry.rtype if method == "POST" else f"{entry.rtype}/{entry.id}"},
            "response": {"status": status, "etag": f'W/"{entry.version}"', "lastModified": entry.updated_at.isoformat()},
        }
    )
    resource = b"" if entry.is_deleted else b',"resource":' + entry.body
    return b'{"fullUrl":%s%s,%s' % (encode(f"{base}/{entry.rtype}/{entry.id}"), resource, about[1:])


async def search(call: Call) -> Response:
    """Answer a search by GET."""
    if len(call.request.url.query) > call.doors.limits.url_bytes:
        raise IncorrectError("网址太长，请改用 POST _search", "the address is too long; use POST _search", status=414)
    return answer(await search_bundle(call, call.request.path_params["rtype"], call.request.url.query))


async def search_by_form(call: Call) -> Response:
    """Answer a search by POST: parameters of the address and of the form hold together."""
    if call.request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise IncorrectError(f"请用 Content-Type: {_FORM}", f"write Content-Type: {_FORM}", where="Content-Type", status=415)
    content = b""
    async for chunk in call.request.stream():
        content += chunk
        if len(content) > call.doors.limits.body_bytes:
            raise IncorrectError("请求太大", "the request is too large; ask in several searches", status=413)
    try:
        form = content.decode("utf-8")
    except UnicodeDecodeError:
        raise IncorrectError("表单须用 UTF-8 编码", "the form is not UTF-8; send UTF-8") from None
    text = "&".join(part for part in (call.request.url.query, form) if part)
    return answer(await search_bundle(call, call.request.path_params["rtype"], text))


async def search_bundle(call: Call, rtype: str, text: str) -> bytes:
    """Return the Bundle of a search. text: its parameters as a query string."""
    check_type(rtype)
    try:
        query = parse_qsl(text, keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise IncorrectError("检索参数须为 UTF-8，且不超过 200 个", "parameters must be UTF-8 and at most 200") from None
    page = await call.doors.store.search(call.scope, rtype, query, lenient=call.is_lenient)
    own = f"{call.base}/{rtype}"
    links = {"self": f"{own}?{urlencode(query)}" if query else own, "next": _next_link(own, query, page)}
    entries = [
        *(_found_entry(call.base, entry, b"match") for entry in page.entries),
        *(_found_entry(call.base, entry, b"include") for entry in page.included),
    ]
    return bundle("searchset", entries, links, page.total)


def _found_entry(base: str, entry: Stored, mode: bytes) -> bytes:
    return b'{"fullUrl":%s,"resource":%s,"search":{"mode":"%s"}}' % (encode(f"{base}/{entry.rtype}/{entry.id}"), entry.body, mode)


def _next_link(own: str, query: Sequence[tuple[str, str]], page: Page) -> str | None:
    if page.next_cursor is None:
        return None
    kept = [(name, value) for name, value in query if name != "_cursor"]
    return f"{own}?{urlencode([*kept, ('_cursor', page.next_cursor)])}"
