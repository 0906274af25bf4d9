"""Packed files as others send them (gzip, zip, Word, Excel): opened only within limits, so that a small file cannot fill the memory."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xinglin.base.errors import IncorrectError

_STEP: Final = 1 << 20
_FED: Final = 1 << 14
_GZIP: Final = 16 + zlib.MAX_WBITS
_LOCAL_HEADER: Final = 30
# Possessive (`*+`): each tag is read once, so that no text makes the search go back and forth.
_CELL: Final = re.compile(rb"<(?:\w++:)?c(\s[^<>]*+)>\s*+<(?:\w++:)?[vif]")
_ROW: Final = re.compile(rb"<(?:\w++:)?row(\s[^<>]*+)>\s*+<(?:\w++:)?c\b([^<>]*+)")
_CELL_NAME: Final = re.compile(rb"""\sr\s*+=\s*+["']([A-Z]{1,4})([0-9]{1,8})["']""")
_ROW_NAME: Final = re.compile(rb"""\sr\s*+=\s*+["']([0-9]{1,8})["']""")
_TAIL: Final = 1024
_STRING: Final = re.compile(rb"<(/?+)(?:\w++:)?si(?:\s[^<>]*+)?>")
_VALUE: Final = re.compile(rb"<(?:\w++:)?(?:c(\s[^<>]*+)?>|v>\s*+([0-9]{1,9}))")
_SHARED: Final = re.compile(rb"""\st\s*+=\s*+["']s["']""")
_LONGEST_TEXT: Final = 4 << 20


class PackedError(IncorrectError):
    """A packed file that is not opened. reason: too_large, cut_off, damaged, locked or unsupported."""

    def __init__(self, reason: str, zh: str, en: str, *, where: str = "") -> None:
        super().__init__(zh, en, where=where, status=413 if reason == "too_large" else None)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class UnpackLimits:
    """What a packed file may hold. total_bytes: unpacked, of all parts.  parts: files inside.  cells: rows × columns of one sheet.

    text_bytes: of all cells that name a shared text; a text stands once in the file however many cells name it.
    """

    total_bytes: int = 512 * 1024 * 1024
    parts: int = 10_000
    cells: int = 10_000_000
    text_bytes: int = 256 * 1024 * 1024


DEFAULT_LIMITS: Final = UnpackLimits()


def gunzip(content: bytes, limits: UnpackLimits = DEFAULT_LIMITS) -> bytes:
    """Return what gzip bytes hold; several members follow one another, as gzip itself joins them.  Raises: PackedError."""
    pieces: list[bytes] = []
    size = start = members = 0
    while start < len(content):
        if members and not content[start : start + _STEP].strip(b"\0") and not content[start:].strip(b"\0"):
            break  # padding after the last member, as tapes and some transfers leave it
        member = _Inflating(memoryview(content)[start:], _GZIP)
        for piece in member.pieces():
            size += len(piece)
            _check_size(size, limits)
            pieces.append(piece)
        if not member.is_whole:
            raise PackedError(
                "cut_off",
                "gzip 压缩文件不完整（被截断），请重新导出并完整传送",
                "the gzip file is cut off; export it again and send the whole of it",
            )
        start += member.taken
        members += 1
        if members > limits.parts:
            raise _too_many(limits)
    return b"".join(pieces)


def check_package(content: bytes, limits: UnpackLimits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """Return the names inside a zip, Word or Excel file once it is known to unpack within the limits; nothing is kept in memory.

    What the file says of its own sizes is not believed: every part is unpacked and counted. A sheet whose cells stand so far apart that
    a reader would lay out more than `cells` of them is refused too.
    Raises: PackedError.
    """
    infos = _listed(content)
    if len(infos) > limits.parts:
        raise _too_many(limits)
    total = 0
    for info in infos:
        furthest = _Furthest(limits.cells)
        for piece in _unpacked(content, info):
            total += len(piece)
            _check_size(total, limits)
            furthest.look(piece)
    return tuple(info.filename for info in infos)


def holds_package(content: bytes) -> bool:
    """Return whether a reader may open bytes as a zip, Word or Excel file: one that is cut off, or one that stands behind other bytes, too."""
    return content[:4] == b"PK\x03\x04" or b"PK\x05\x06" in content


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
    if _shared_bytes(content) > limits.text_bytes:
        raise _too_much_text()


def _shared_bytes(content: bytes) -> int:
    """Return the bytes of text that the cells of a workbook hold by naming shared texts.  Raises: PackedError."""
    lengths: list[int] = []
    named: Counter[int] = Counter()
    for info in _listed(content):
        if info.filename.lower() == "xl/sharedstrings.xml":
            lengths = _text_lengths(_unpacked(content, info))
        else:
            named.update(_texts_named(_marked_up(_unpacked(content, info))))
    return sum(lengths[place] * count for place, count in named.items() if place < len(lengths))


def _text_lengths(pieces: Iterator[bytes]) -> list[int]:
    """Return the bytes of each shared text, its tags included."""
    lengths: list[int] = []
    passed = opened = 0
    for text in _whole_tags(pieces):
        for tag in _STRING.finditer(text):
            if not tag[1]:
                opened = passed + tag.end()
                lengths.append(0)
            elif lengths:
                lengths[-1] = passed + tag.start() - opened
        passed += len(text)
    return lengths


def _texts_named(pieces: Iterator[bytes]) -> Iterator[int]:
    """Yield the number of the shared text of every cell that names one."""
    is_shared = False
    for text in _whole_tags(pieces):
        for tag in _VALUE.finditer(text):
            if tag[2] is None:
                is_shared = _SHARED.search(tag[1] or b"") is not None
            elif is_shared:
                yield int(tag[2])


def _marked_up(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a part that is XML, whatever its name; nothing of another."""
    first = next(pieces, b"")
    if first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        yield first
        yield from pieces


def _whole_tags(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield a part in pieces that end where a tag begins.  Raises: PackedError for more text between two tags than a cell can hold."""
    rest = b""
    for piece in pieces:
        rest += piece
        place = rest.rfind(b"<")
        if place > 0:
            yield rest[:place]
            rest = rest[place:]
        if len(rest) > _LONGEST_TEXT:
            raise _too_much_text()
    yield rest


def _unsupported() -> PackedError:
    return PackedError(
        "unsupported", "压缩方式不支持，请重新另存后再传", "its way of packing is not supported; save it anew and send it again"
    )


def _listed(content: bytes) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            infos = package.infolist()
    except NotImplementedError as error:  # what zipfile raises for a later version of the format
        raise _unsupported() from error
    except (zipfile.BadZipFile, EOFError, ValueError, OSError) as error:
        raise PackedError("cut_off", "文件不完整，请重新导出", "the file is cut off; export it again") from error
    if any(info.flag_bits & 1 for info in infos):
        raise PackedError("locked", "文件有打开密码，请去掉密码后再传", "the file has a password; take it off and send it again")
    return infos


def _unpacked(content: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a part piece by piece, whatever length its heading states."""
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _unsupported()
    head = content[info.header_offset : info.header_offset + _LOCAL_HEADER]
    if len(head) < _LOCAL_HEADER or head[:4] != b"PK\x03\x04":
        raise _damaged()
    first = info.header_offset + _LOCAL_HEADER + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    packed = memoryview(content)[first : first + info.compress_size]
    if info.compress_type == zipfile.ZIP_STORED:
        yield from (bytes(packed[at : at + _STEP]) for at in range(0, len(packed), _STEP))
        return
    part = _Inflating(packed, -zlib.MAX_WBITS)
    yield from part.pieces()
    if not part.is_whole:
        raise _damaged()


class _Inflating:
    """One packed part on its way out. It is fed in steps: what follows the part is not copied, however often that is asked."""

    def __init__(self, packed: memoryview, window: int) -> None:
        self._packed = packed
        self._unpacking = zlib.decompressobj(window)
        self.taken = 0

    @property
    def is_whole(self) -> bool:
        """Whether the end of the part was reached; `taken` is its packed length then."""
        return self._unpacking.eof

    def pieces(self) -> Iterator[bytes]:
        """Yield what comes out, at most a step at a time.  Raises: PackedError for what is not packed."""
        while not self._unpacking.eof:
            fed = self._packed[self.taken : self.taken + _FED]
            try:
                piece = self._unpacking.decompress(fed, _STEP)
            except zlib.error as error:
                raise _damaged() from error
            left = self._unpacking.unused_data if self._unpacking.eof else self._unpacking.unconsumed_tail
            self.taken += len(fed) - len(left)
            if piece:
                yield piece
            elif not fed:
                return


class _Furthest:
    """The furthest row and column that cells of a sheet name: what a reader lays out before it reads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._row = self._column = 0
        self._tail = b""

    def look(self, piece: bytes) -> None:
        """Look through the next piece of a sheet.  Raises: PackedError where the cells stand too far apart."""
        text = self._tail + piece
        for cell in _CELL.finditer(text):
            if cell[1][-1:] != b"/" and (named := _CELL_NAME.search(cell[1])):
                self._row, self._column = max(self._row, int(named[2])), max(self._column, _column(named[1]))
        for row in _ROW.finditer(text):
            if not _CELL_NAME.search(row[2]) and (numbered := _ROW_NAME.search(row[1])):
                self._row = max(self._row, int(numbered[1]))
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


def _too_many(limits: UnpackLimits) -> PackedError:
    return PackedError(
        "too_large",
        f"压缩包内文件超过 {limits.parts} 个，请分成几个文件",
        f"over {limits.parts} files inside; split it into several",
    )


def _too_much_text() -> PackedError:
    return PackedError(
        "too_large",
        "单元格里的文字太多，请删去不需要的文字后另存",
        "the cells hold too much text; delete what is not needed and save it again",
    )


def _damaged() -> PackedError:
    return PackedError("damaged", "压缩文件已损坏，请重新导出", "the packed file is damaged; export it again")
