"""From bytes to entries: what was sent, in which form and encoding; each refusal says what to send instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import msgspec
import orjson

from xinglin.base.errors import IncorrectError
from xinglin.base.unpacking import PackedError, gunzip
from xinglin.engines.exchange.model import Entry

_MAGIC: Final = (
    (b"%PDF", "PDF", "PDF"),
    (b"\xd0\xcf\x11\xe0", "旧版 Office 文件（doc/xls）", "an old Office file (doc, xls)"),
    (b"\x89PNG", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"Rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf", "7z 压缩包", "a 7z archive"),
)


class UnreadableError(IncorrectError):
    """The bytes are not a message. reason: the quarantine's code."""

    def __init__(self, reason: str, zh: str, en: str, *, where: str = "") -> None:
        super().__init__(zh, en, where=where)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reading:
    """A bundle read: its entries and whether they stand or fall together."""

    kind: str
    atomic: bool
    entries: tuple[Entry, ...]


def unpack(content: bytes) -> bytes:
    """Return the text inside gzip, or the bytes themselves.  Raises: UnreadableError (truncated, not gzip's checksum, too large)."""
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gunzip(content)
    except PackedError as error:
        raise unopened(error) from error


def unopened(error: PackedError) -> UnreadableError:
    """Return why a packed file was not opened, with the quarantine's code."""
    reason = {"too_large": "too_large", "unsupported": "not_fhir"}.get(error.reason, "unreadable")
    return UnreadableError(reason, error.zh, error.en)


def check_text(text: bytes) -> None:
    """Refuse what is not UTF-8 JSON text, saying what it is.  Raises: UnreadableError."""
    if not text.strip():
        raise UnreadableError("empty", "文件是空的，请检查导出程序", "the file is empty; check what exported it")
    if text[:4] == b"PK\x03\x04":
        raise UnreadableError("not_fhir", "这是 Word/Excel/ZIP 文件，请发送 FHIR JSON 或 NDJSON；Excel 请用批量录入页", "this is a Word, Excel or ZIP file; send FHIR JSON or NDJSON, or use the page for Excel")  # fmt: skip
    for magic, zh, en in _MAGIC:
        if text.startswith(magic):
            raise UnreadableError("not_fhir", f"这是{zh}，请发送 FHIR JSON 或 NDJSON", f"this is {en}; send FHIR JSON or NDJSON")
    head = text[:32]
    is_wide = head[:2] in (b"\xff\xfe", b"\xfe\xff") and head[2:4] != b"\0\0"
    if is_wide or len(head) > 3 and any(not any(head[one::2]) and all(head[1 - one :: 2]) for one in (0, 1)):
        raise UnreadableError("encoding", "文本是 UTF-16 编码，请转换为 UTF-8 后重发（记事本：另存为，编码选 UTF-8）", "the text is in UTF-16; convert it to UTF-8 and send it again (Notepad: Save as, encoding UTF-8)")  # fmt: skip
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        place = f"byte {error.start + 1}"
        if error.reason == "unexpected end of data":
            raise UnreadableError("unreadable", "文本在一个字的中间断开（被截断），请完整传送", "the text is cut off inside a character; send the whole of it", where=place) from error  # fmt: skip
        try:
            text[:1_000_000].decode("gb18030", errors="strict" if len(text) <= 1_000_000 else "ignore")
        except UnicodeDecodeError:
            raise UnreadableError(
                "unreadable", "不是文本，请发送 UTF-8 编码的 FHIR JSON", "not text; send FHIR JSON in UTF-8", where=place
            ) from error
        raise UnreadableError("encoding", "文本是 GB18030/GBK 编码，FHIR 规定用 UTF-8，请转换后重发", "the text is in GB18030; FHIR asks for UTF-8, convert it and send again", where=place) from error  # fmt: skip


# JSON with decimals as Decimal: FHIR keeps the digits as sent, and 1.50 is not 1.5.
decode: Final = msgspec.json.Decoder(float_hook=Decimal).decode


def place_in(text: bytes) -> str:
    """Return line and column where a text stops being JSON."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return f"line {error.lineno} column {error.colno}"
    return ""


def parse_json(text: bytes, where: str = "") -> dict[str, Any]:
    """Return the object a JSON text holds.  Raises: UnreadableError naming line and column."""
    try:
        value = decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableError(
            "unreadable", "不是合法的 JSON（可能被截断）", "not valid JSON (maybe cut off)", where=where or place_in(text)
        ) from error
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        raise UnreadableError(
            "not_fhir",
            '不是 FHIR 资源：缺少 resourceType，请写明资源类型，例如 "resourceType": "Patient"',
            'not a FHIR resource: resourceType is missing; name the type, for example "resourceType": "Patient"',
            where=where,
        )
    return value


def read_message(content: bytes) -> Reading:
    """Return the entries of a Bundle (transaction, batch, collection, searchset, document, message) or of a single resource.

    Raises: UnreadableError.
    """
    text = unpack(content)
    check_text(text)
    if text.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
        raise UnreadableError(
            "not_fhir",
            "这是普通文本，不是 FHIR JSON：请发送 FHIR JSON 或 NDJSON；说明一类的文件不必放在数据文件夹里",
            "this is plain text, not FHIR JSON: send FHIR JSON or NDJSON, and leave notes out of the folder of data",
        )
    resource = parse_json(text.removeprefix(b"\xef\xbb\xbf"))
    if resource["resourceType"] != "Bundle":
        return Reading("bundle", True, (Entry(resource),))
    entries = resource.get("entry") or []
    if not isinstance(entries, list) or not entries:
        raise UnreadableError("empty", "Bundle 中没有 entry", "the Bundle has no entry", where="Bundle.entry")
    return Reading(
        "bundle",
        resource.get("type") != "batch",
        tuple(read_entry(entry, f"Bundle.entry[{number}]") for number, entry in enumerate(entries)),
    )


def read_entry(entry: Any, where: str) -> Entry:
    """Return one entry of a Bundle. where: its place.  Raises: UnreadableError."""
    if not isinstance(entry, Mapping):
        raise UnreadableError("not_fhir", "entry 应为对象", "an entry is an object", where=where)
    request = entry.get("request") or {}
    if not isinstance(request, Mapping):
        raise UnreadableError("not_fhir", "request 应为对象", "a request is an object", where=f"{where}.request")
    method = str(request.get("method", "PUT")).upper()
    resource = entry.get("resource")
    if method == "DELETE":
        rtype, _, ident = str(request.get("url", "")).partition("/")
        resource = {"resourceType": rtype, "id": ident}
    if not isinstance(resource, Mapping) or not isinstance(resource.get("resourceType"), str):
        raise UnreadableError("not_fhir", "entry 缺少 resource", "the entry has no resource", where=f"{where}.resource")
    if method not in ("PUT", "POST", "DELETE"):
        raise UnreadableError("not_fhir", "此处只接受 POST、PUT、DELETE", "write POST, PUT or DELETE here", where=f"{where}.request.method")
    condition = (
        request.get("ifNoneExist") if method == "POST" else str(request.get("url", "")).partition("?")[2] if method == "PUT" else None
    )
    full_url = entry.get("fullUrl")
    if not isinstance(full_url, str | None) or not isinstance(condition, str | None):
        raise UnreadableError("not_fhir", "fullUrl 和 ifNoneExist 应为文本", "fullUrl and ifNoneExist are strings", where=where)
    return Entry(resource, full_url, method, _if_match(request.get("ifMatch"), where), condition or None)


def _if_match(text: Any, where: str) -> int | None:
    if text is None:
        return None
    digits = str(text).removeprefix("W/").strip('"')
    if not digits.isdecimal():
        raise UnreadableError("not_fhir", '请写 W/"版本号"', 'write W/"version"', where=f"{where}.request.ifMatch")
    return int(digits)


def lines_of(text: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (1-based line number, line) for the lines of NDJSON that are not blank."""
    start = 3 if text.startswith(b"\xef\xbb\xbf") else 0
    number = 0
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end
        number += 1
        line = text[start:end].strip()
        if line:
            yield number, line
        start = end + 1
