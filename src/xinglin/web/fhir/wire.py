"""Bodies as they come in and go out: formats, encodings, sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.base.unpacking import PackedError, UnpackLimits, gunzip
from xinglin.engines.exchange import UnreadableError, check_text, place_in
from xinglin.engines.store import Stored
from xinglin.fhir import operation_outcome
from xinglin.web.fhir.doors import FhirLimits, language_of, preferences

MEDIA: Final = "application/fhir+json; charset=utf-8"
_JSON_TYPES: Final = frozenset({"application/fhir+json", "application/json", "text/json"})
_FORMATS: Final = frozenset({*_JSON_TYPES, "json"})
_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def encode(value: object) -> bytes:
    """Return the JSON bytes of a value; Decimals keep their digits."""
    return _ENCODER.encode(value)


def check_formats(request: Request) -> None:
    """Refuse what cannot be answered in JSON.  Raises: IncorrectError (406)."""
    asked = request.query_params.get("_format")
    if asked is not None:
        if asked.replace(" ", "+").split(";")[0].strip().lower() not in _FORMATS:
            raise IncorrectError("只提供 JSON：请写 _format=json", "only JSON is offered: write _format=json", where="_format", status=406)
        return
    accepted = [part.split(";")[0].strip().lower() for part in request.headers.get("accept", "*/*").split(",")]
    if not any(kind in ("*/*", "application/*", "") or kind in _JSON_TYPES for kind in accepted):
        raise IncorrectError(
            "只提供 JSON：请写 Accept: application/fhir+json", "only JSON is offered: write Accept: application/fhir+json", status=406
        )


async def read_body(request: Request, limits: FhirLimits) -> bytes:
    """Return the bytes of a body as they were sent.  Raises: IncorrectError (413) for too many."""
    parts: list[bytes] = []
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        _check_size(received, limits.body_bytes)
        parts.append(chunk)
    return b"".join(parts)


def open_body(request: Request, sent: bytes, limits: FhirLimits) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a body (unpacked) and the JSON object they hold.

    Raises: IncorrectError, with 413 for too large, 415 for another format or encoding; UnreadableError for what is no JSON at all.
    """
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    if kind.strip().lower() not in _JSON_TYPES:
        words = "请用 Content-Type: application/fhir+json", "write Content-Type: application/fhir+json"
        raise IncorrectError(*words, where="Content-Type", status=415)
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower().replace('"', ""):
        raise _not_utf8(f"Content-Type 写的是 {parameters.strip()[:40]}", f"Content-Type says {parameters.strip()[:40]}")
    content = _unpacked(request, sent, limits)
    value = parse(content)
    _check_depth(value, limits.depth)
    if not isinstance(value, dict):
        raise IncorrectError("请发送一个资源（JSON 对象）", "send a resource (a JSON object)")
    return content, value


def parse(content: bytes) -> Any:
    """Return what JSON bytes hold, decimals as Decimal.  Raises: IncorrectError that says where it ends or what encoding it is in."""
    if not content.strip():
        raise UnreadableError("empty", "正文是空的，请发送一个 FHIR JSON 资源", "the body is empty; send a FHIR resource as JSON")
    check_text(content)
    try:
        return _DECODER.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError) as error:
        words = ("不是合法的 JSON（可能被截断）：请改正后发送", "not valid JSON (maybe cut off): correct it and send again")
        raise UnreadableError("unreadable", *words, where=place_in(content)) from error


def _not_utf8(zh: str, en: str) -> IncorrectError:
    return IncorrectError(f"{zh}；请转换为 UTF-8 后发送", f"{en}; convert it and send UTF-8")


def _unpacked(request: Request, sent: bytes, limits: FhirLimits) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise IncorrectError("只接受 gzip 压缩", "only gzip is taken", where="Content-Encoding", status=415)
    if encoding != "gzip":
        return sent
    try:
        return gunzip(sent, UnpackLimits(total_bytes=limits.unpacked_bytes))
    except PackedError as error:
        raise type(error)(error.reason, error.zh, error.en, where="Content-Encoding") from error


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise IncorrectError(
            f"请求超过 {limit // 1024 // 1024} MB，请分成几个 Bundle，或用批量导入",
            f"the request is over {limit // 1024 // 1024} MB: send several bundles, or use the bulk import",
            status=413,
        )


def _check_depth(value: Any, limit: int) -> None:
    level = [value]
    for _ in range(limit):
        level = [
            inner for outer in level for inner in (outer.values() if isinstance(outer, dict) else outer) if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise IncorrectError(f"JSON 嵌套超过 {limit} 层", f"the JSON is nested over {limit} levels deep; make it flatter")


def answer(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer of FHIR JSON bytes."""
    return Response(content, status, headers=dict(headers or {}), media_type=MEDIA)


def version_headers(entry: Stored) -> dict[str, str]:
    """Return ETag and Last-Modified of a version."""
    return {"etag": f'W/"{entry.version}"', "last-modified": entry.updated_at.strftime("%a, %d %b %Y %H:%M:%S GMT")}


def refusal(request: Request, error: XinglinError) -> Response:
    """Return an error as an OperationOutcome in the caller's language."""
    headers = {"retry-after": "5"} if error.http_status == 503 else {}
    if error.http_status == 401:
        headers["www-authenticate"] = 'Bearer realm="xinglin"'
    return answer(encode(operation_outcome(error, language_of(request))), error.http_status, headers)


def wants(request: Request, default: str) -> str:
    """Return what an answer to a write shall hold: "minimal", "representation" or "OperationOutcome"."""
    asked = preferences(request).get("return", "")
    return asked if asked in ("minimal", "representation", "OperationOutcome") else default


def bundle(kind: str, entries: Iterable[bytes], links: Mapping[str, str | None], total: int | None = None) -> bytes:
    """Return a Bundle whose entries are joined as bytes. kind: searchset, history, transaction-response, batch-response."""
    listed = [{"relation": relation, "url": url} for relation, url in links.items() if url is not None]
    counted = b"" if total is None else b',"total":%d' % total
    linked = b',"link":' + encode(listed) if listed else b""
    joined = b",".join(entries)
    inside = b',"entry":[' + joined + b"]" if joined else b""
    return b'{"resourceType":"Bundle","type":"%s"%s%s%s}' % (kind.encode(), counted, linked, inside)
