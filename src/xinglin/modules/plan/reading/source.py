"""Opening a document: which kind it is, which encoding its bytes are in, and its text as lines."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from xinglin.base.errors import NotFoundError
from xinglin.modules.plan.reading import errors
from xinglin.modules.plan.reading.docx_source import read_docx
from xinglin.modules.plan.reading.html_source import html_grids, read_html
from xinglin.modules.plan.reading.layout import Cell, Source
from xinglin.modules.plan.reading.normal import with_letters
from xinglin.modules.plan.reading.pdf_source import read_pdf

LIMIT_MB: Final = 200
_REPLACED_SHARE: Final = 0.02
_MOST_REPEATS: Final = 100
_REPEATED: Final = re.compile(r"([^\n])\1{100,}")
_BLANK: Final = re.compile(r"[^\S\n]{100,}")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OTHER_ENDINGS: Final = frozenset({".xls", ".xlsx", ".ppt", ".pptx", ".png", ".jpg", ".jpeg", ".zip", ".ofd", ".wps"})
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
_FOREIGN: Final = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\x00", b"MM\x00*", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")


def open_source(path_or_bytes: Path | str | bytes, filename: str = "") -> Source:
    """Return a document as lines and declared tables.

    path_or_bytes: a path, or the bytes of an upload (then `filename` gives the kind by its ending).
    Raises: NotFoundError no such file; IncorrectError scan, password, damaged, empty, too large; UnsupportedError other kinds.
    """
    if isinstance(path_or_bytes, bytes):
        data, name = path_or_bytes, filename
    else:
        path = Path(path_or_bytes)
        name = filename or path.name
        data = _load(path)
    if len(data) > LIMIT_MB * 1024 * 1024:
        raise errors.too_large(name, LIMIT_MB)
    if not data.strip(b"\x00 \r\n\t"):
        raise errors.empty(name)
    return _with_letters(_by_kind(data, name))


def _with_letters(source: Source) -> Source:
    """Return the source with the letters that were printed, where a font gave the codes of radicals.

    A letter or space that is repeated hundreds of times, as filled-in rules and garbage have it, is kept a hundred times.
    """
    lines = tuple(_repaired_text(line) for line in source.lines)
    if lines == source.lines:
        return source
    grids = tuple(replace(grid, rows=tuple(tuple(_repaired(cell) for cell in row) for row in grid.rows)) for grid in source.grids)
    return replace(source, lines=lines, grids=grids)


def _repaired(cell: Cell) -> Cell:
    return replace(cell, text=_repaired_text(cell.text), parts=tuple(_repaired_text(part) for part in cell.parts))


def _repaired_text(text: str) -> str:
    text = with_letters(text)
    return _REPEATED.sub(r"\1" * _MOST_REPEATS, _BLANK.sub(" " * _MOST_REPEATS, text)) if len(text) > _MOST_REPEATS else text


def _load(path: Path) -> bytes:
    try:
        if path.is_file() and path.stat().st_size > LIMIT_MB * 1024 * 1024:
            raise errors.too_large(path.name, LIMIT_MB)
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise NotFoundError(
            "找不到或打不开这个文件，请检查路径和权限。",
            "The file cannot be found or opened; check its path and permissions.",
            where=path.name,
        ) from error


def _by_kind(data: bytes, name: str) -> Source:
    ending = Path(name).suffix.lower()
    start = data[:1024].lstrip()
    if start.startswith(b"%PDF") or ending == ".pdf":
        return read_pdf(data, name)
    if ending in _OTHER_ENDINGS:
        raise errors.unknown_kind(name)
    if start.startswith(b"PK\x03\x04") or ending == ".docx":
        if data.startswith(_OLE):
            raise errors.with_password(name) if _LOCKED in data else errors.old_word(name)
        return read_docx(data, name)
    if data.startswith(_OLE):
        raise errors.unknown_kind(name)
    if data.startswith(_FOREIGN):
        raise errors.unknown_kind(name)
    text = decode(data, name)
    if ending in {".html", ".htm"} or re.match(r"\s*(?:<!doctype html|<html)", text, re.I):
        return read_html(text, name)
    lines = tuple(re.split(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]", text))
    lines = lines[:-1] if lines and not lines[-1] else lines
    grids = html_grids(lines) if re.search(r"<table", text, re.I) else ()
    return Source(name, "markdown" if ending in {".md", ".markdown"} else "text", lines, grids)


def decode(data: bytes, name: str) -> str:
    """Return the text of bytes in UTF-8 (with or without mark), UTF-16 or GB 18030.

    Raises: IncorrectError when it is no text in any of them.
    """
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    zeros = data[:4000].count(0)
    if zeros > len(data[:4000]) // 8:
        encoding = "utf-16-le" if data[1:4000:2].count(0) > data[0:4000:2].count(0) else "utf-16-be"
        return _checked(data.decode(encoding, errors="replace"), name)
    declared = re.search(rb"charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", data[:4000])
    for encoding in ("utf-8", "gb18030"):
        try:
            return _checked(data.decode(encoding), name)
        except UnicodeDecodeError:
            continue
    gb = declared is not None and declared.group(1).lower().startswith(b"gb")
    texts = [data.decode(encoding, errors="replace") for encoding in (("gb18030", "utf-8") if gb else ("utf-8", "gb18030"))]
    return _checked(min(texts, key=lambda text: text.count("\ufffd")), name)


def _checked(text: str, name: str) -> str:
    bad = sum(text.count(letter) for letter in ("\ufffd", "\x00")) + len(re.findall("[\x01-\x08\x0e-\x1a]", text))
    if bad > max(4, len(text) * _REPLACED_SHARE):
        raise errors.unknown_kind(name)
    return text
