"""Packed files as others send them (gzip, zip, Word, Excel): opened only within limits, so that a small file cannot fill the memory."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xinglin.base.errors import IncorrectError

_STEP: Final = 1 << 20
_GZIP: Final = 16 + zlib.MAX_WBITS
_LOCAL_HEADER: Final = 30
_CELL: Final = re.compile(rb'<(?:\w+:)?c\s(?:[^>]*?\s)?r="([A-Z]{1,4})([0-9]{1,8})"[^>]*(?<!/)>\s*<(?:\w+:)?[vif]')
_UNNAMED_CELL: Final = re.compile(rb'<(?:\w+:)?row\s(?:[^>]*?\s)?r="([0-9]{1,8})"[^>]*>\s*<(?:\w+:)?c(?![^>]*\sr=")')
_TAIL: Final = 1024


class PackedError(IncorrectError):
    """A packed file that is not opened. reason: too_large, cut_off, damaged, locked or unsupported."""

    def __init__(self, reason: str, zh: str, en: str, *, where: str = "") -> None:
        super().__init__(zh, en, where=where, status=413 if reason == "too_large" else None)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What a packed file may hold. total_bytes: unpacked, of all parts.  parts: files inside.  cells: rows × columns of one sheet."""

    total_bytes: int = 512 * 1024 * 1024
    parts: int = 10_000
    cells: int = 10_000_000


DEFAULT_LIMITS: Final = UnpackLimits()


def gunzip(content: bytes, limits: UnpackLimits = DEFAULT_LIMITS) -> bytes:
    """Return what gzip bytes hold; several members follow one another, as gzip itself joins them.  Raises: PackedError."""
    parts: list[bytes] = []
    size, rest = 0, content
    while rest:
        unpacking = zlib.decompressobj(_GZIP)
        try:
            part = unpacking.decompress(rest, limits.total_bytes - size + 1)
        except zlib.error as error:
            if parts and not rest.strip(b"\0"):
                break  # padding after the last member, as tapes and some transfers leave it
            raise _damaged() from error
        size += len(part)
        _check_size(size, limits)
        if not unpacking.eof:
            raise PackedError(
                "cut_off",
                "gzip 压缩文件不完整（被截断），请重新导出并完整传送",
                "the gzip file is cut off; export it again and send the whole of it",
            )
        parts.append(part)
        rest = unpacking.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)


def check_package(content: bytes, limits: UnpackLimits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """Return the names inside a zip, Word or Excel file once it is known to unpack within the limits; nothing is kept in memory.

    What the file says of its own sizes is not believed: every part is unpacked and counted. A sheet whose cells stand so far apart that
    a reader would lay out more than `cells` of them is refused too.
    Raises: PackedError.
    """
    infos = _listed(content)
    if len(infos) > limits.parts:
        raise PackedError(
            "too_large",
            f"压缩包内文件超过 {limits.parts} 个，请分成几个文件",
            f"over {limits.parts} files inside; split it into several",
        )
    total = 0
    for info in infos:
        furthest = _Furthest(limits.cells)
        for piece in _unpacked(content, info):
            total += len(piece)
            _check_size(total, limits)
            furthest.look(piece)
    return tuple(info.filename for info in infos)


def check_workbook(content: bytes, limits: UnpackLimits = DEFAULT_LIMITS) -> None:
    """Refuse what is no Excel workbook (.xlsx) or would not open within the limits.  Raises: PackedError naming what it is instead."""
    names = check_package(content, limits)
    if any(name.startswith("word/") for name in names):
        raise PackedError("unsupported", "这是 Word 文档，请另存为 Excel（.xlsx）", "this is a Word document; save it as Excel (.xlsx)")
    if "content.xml" in names or any(name.endswith(".bin") and name.startswith("xl/worksheets/") for name in names):
        raise PackedError("unsupported", "请用 Excel 或 WPS 打开后另存为 .xlsx", "open it in Excel and save it as .xlsx")
    if not any(name.startswith("xl/") for name in names):
        raise PackedError(
            "unsupported", "这是 ZIP 压缩包，请解压后上传其中的 Excel", "this is a ZIP archive; send the Excel file inside it"
        )


def _listed(content: bytes) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            infos = package.infolist()
    except (zipfile.BadZipFile, EOFError, ValueError, OSError, NotImplementedError) as error:
        raise PackedError("cut_off", "文件不完整，请重新导出", "the file is cut off; export it again") from error
    if any(info.flag_bits & 1 for info in infos):
        raise PackedError("locked", "文件有打开密码，请去掉密码后再传", "the file has a password; take it off and send it again")
    return infos


def _unpacked(content: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a part piece by piece, whatever length its heading states."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PackedError(
            "unsupported", "压缩方式不支持，请重新另存后再传", "its way of packing is not supported; save it anew and send it again"
        )
    head = content[info.header_offset : info.header_offset + _LOCAL_HEADER]
    if len(head) < _LOCAL_HEADER or head[:4] != b"PK\x03\x04":
        raise _damaged()
    first = info.header_offset + _LOCAL_HEADER + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = content[first : first + info.compress_size]
    if info.compress_type == zipfile.ZIP_STORED:
        yield packed
        return
    unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not unpacking.eof:
        try:
            yield unpacking.decompress(packed, _STEP)
        except zlib.error as error:
            raise _damaged() from error
        packed = unpacking.unconsumed_tail
    if not unpacking.eof:
        raise _damaged()


class _Furthest:
    """The furthest row and column that cells of a sheet name: what a reader lays out before it reads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._row = self._column = 0
        self._tail = b""

    def look(self, piece: bytes) -> None:
        """Look through the next piece of a sheet.  Raises: PackedError where the cells stand too far apart."""
        text = self._tail + piece
        for letters, digits in _CELL.findall(text):
            self._row, self._column = max(self._row, int(digits)), max(self._column, _column(letters))
        for digits in _UNNAMED_CELL.findall(text):
            self._row = max(self._row, int(digits))
        self._tail = text[-_TAIL:]
        if self._row * self._column > self._most:
            raise PackedError(
                "too_large",
                "工作表行列过多（可能有远处的空单元格），请删去多余行列后另存",
                "a sheet has too many rows and columns, maybe a stray cell far away; delete what is beyond your data and save it again",
            )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _check_size(size: int, limits: UnpackLimits) -> None:
    if size > limits.total_bytes:
        most = limits.total_bytes // 1024 // 1024
        raise PackedError("too_large", f"解压后超过 {most} MB，请分成几个文件", f"over {most} MB unpacked; split it into several files")


def _damaged() -> PackedError:
    return PackedError("damaged", "压缩文件已损坏，请重新导出", "the packed file is damaged; export it again")
