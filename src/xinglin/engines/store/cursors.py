"""Cursors of pages: opaque to the reader, signed, and good for the query they came from alone."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from xinglin.base.errors import IncorrectError

_SIGNATURE_BYTES: Final = 12


def sign_cursor(key: bytes, subject: str, position: Sequence[Any]) -> str:
    """Return the cursor of a position (numbers, strings, None) within a subject (the query)."""
    content = msgspec.json.encode(list(position))
    return urlsafe_b64encode(_signature(key, subject, content) + content).decode().rstrip("=")


def open_cursor(key: bytes, subject: str, cursor: str) -> list[Any]:
    """Return the position of a cursor.  Raises: IncorrectError if it was not made here for this subject."""
    try:
        packed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    except ValueError:
        raise _foreign() from None
    signature, content = packed[:_SIGNATURE_BYTES], packed[_SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(key, subject, content)):
        raise _foreign()
    position: list[Any] = msgspec.json.decode(content)
    return position


def _signature(key: bytes, subject: str, content: bytes) -> bytes:
    return blake2b(subject.encode() + b"\x00" + content, digest_size=_SIGNATURE_BYTES, key=key[:64]).digest()


def _foreign() -> IncorrectError:
    return IncorrectError(
        "翻页标记无效；请原样使用上一页给出的 next 链接，或重新检索",
        "the page marker is not valid for this search; follow the `next` link unchanged or search again",
        where="_cursor",
    )
