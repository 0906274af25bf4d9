"""Whether numbers stand in bytes of any kind that may be sent: text, gzip, ZIP and Office packages, old Office files."""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterable

from xinglin.base.unpacking import DEFAULT_LIMITS, UnpackLimits, holds_package

_STEP = 1 << 20
_DEPTH = 4
_FED = 1 << 14
_CLOSED = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"Rar!", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0")
# zipfile raises RuntimeError for a locked part, and its subclass for a way of packing it does not know.
_FAILURES = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, RuntimeError, EOFError, ValueError, OSError)
EXACT_DIGITS = 15
"""So many digits of a quantity a spreadsheet keeps."""
_ENCODINGS = ("utf-8", "utf-16-le", "utf-16-be")


class _ClosedError(Exception):
    """More is packed than is opened."""


def holds(content: bytes, numbers: Iterable[str], limits: UnpackLimits = DEFAULT_LIMITS) -> bool | None:
    """Return whether one of the numbers (ASCII) stands in bytes or in what is packed in them; None where nobody can look into them.

    Closed are pictures, PDF, other archives, old Office files (which cut their texts in pieces, or are locked), and what is locked,
    damaged or larger than is opened: of these True where a number stands in the part that can be read, else None.

    >>> holds(b"id 42099919500101123x", ["42099919500101123X"]), holds(b"%PDF-1.7 ...", ["42099919500101123X"])
    (True, None)
    """
    needles = [text.encode(way) for number in numbers for text in {number, number.lower(), *_as_quantity(number)} for way in _ENCODINGS]
    return _Search(needles, limits).look(content)


def _as_quantity(number: str) -> tuple[str, ...]:
    """Return how a number too long for a spreadsheet begins in its file when it was taken for a quantity: 4.20999196005123E+17."""
    return (f"{number[0]}.{number[1:EXACT_DIGITS]}",) if number.isdecimal() and len(number) > EXACT_DIGITS else ()


class _Search:
    """One search: what it looks for, and how many more bytes it may unpack."""

    def __init__(self, needles: list[bytes], limits: UnpackLimits) -> None:
        self._needles = needles
        self._left = limits.total_bytes

    def look(self, content: bytes, depth: int = 0) -> bool | None:
        """Return whether a needle stands in bytes, None where they are closed."""
        if any(needle in content for needle in self._needles):
            return True
        if content.startswith(_CLOSED) or depth > _DEPTH:
            return None
        if content[:2] == b"\x1f\x8b":
            return self._in_gzip(content, depth)
        return self._in_package(content, depth) if holds_package(content) else False

    def _in_gzip(self, content: bytes, depth: int) -> bool | None:
        pieces, at, is_whole = [], 0, False
        try:
            while content[at : at + 2] == b"\x1f\x8b":
                member = zlib.decompressobj(16 + zlib.MAX_WBITS)
                while not member.eof and at < len(content):
                    fed = content[at : at + _FED]
                    pieces.append(self._spent(member.decompress(fed)))
                    at += len(fed)
                at, is_whole = at - len(member.unused_data), member.eof
        except (zlib.error, _ClosedError):
            is_whole = False
        found = self.look(b"".join(pieces), depth + 1)
        return found if found or is_whole else None

    def _in_package(self, content: bytes, depth: int) -> bool | None:
        answer: bool | None = False
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as package:
                for info in package.infolist():
                    found = self.look(self._part(package, info), depth + 1)
                    if found:
                        return True
                    # A picture in a sheet hides no text that a sender's program wrote.
                    answer = None if found is None and "/media/" not in info.filename else answer
        except (*_FAILURES, _ClosedError):
            return None
        return answer

    def _part(self, package: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        pieces = []
        with package.open(info) as part:
            while piece := part.read(_STEP):
                pieces.append(self._spent(piece))
        return b"".join(pieces)

    def _spent(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise _ClosedError
        return piece
