"""One page of a PDF: its pieces of text where they stand and the lines drawn on it, as far as they can frame a table."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

THIN: Final = 3.0
_MOST_STROKES: Final = 20_000
_PATH: Final = frozenset({b"re", b"m", b"l", b"c", b"v", b"y", b"h"})
_PLACED: Final = frozenset({b"Tm", b"Td", b"TD", b"T*"})
_SHOWN: Final = frozenset({b"Tj", b"TJ"})
_PAINTED: Final = {b"f": "fill", b"F": "fill", b"f*": "fill", b"S": "stroke", b"s": "stroke", b"B": "stroke", b"B*": "stroke", b"b": "stroke", b"b*": "stroke", b"n": "none"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of text: where it begins (points from the lower left corner of the page) and the size of its letters."""

    text: str
    x: float
    y: float
    size: float

    @property
    def width(self) -> float:
        """Return about how wide the piece is: a Chinese letter is as wide as it is high, a western one half of that."""
        return sum(1.0 if ord(letter) > 0x2E7F else 0.5 for letter in self.text) * self.size


@dataclass(frozen=True, slots=True)
class Stroke:
    """A drawn line, level or upright: `at` is its place across, `start` and `end` its reach."""

    upright: bool
    at: float
    start: float
    end: float


@dataclass(slots=True)
class Page:
    """What one page carries: its text in the order of its writing, its pieces, its strokes."""

    text: str = ""
    pieces: list[Piece] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)


@dataclass(slots=True)
class _Watch:
    """What pypdf tells while it reads a page: pieces of text, and paths until they are painted."""

    page: Page
    boxes: list[tuple[float, float, float, float]] = field(default_factory=list)
    legs: list[tuple[float, float, float, float]] = field(default_factory=list)
    pen: tuple[float, float] | None = None
    starts: list[tuple[float, float]] = field(default_factory=list)
    moved: bool = True

    def text(self, text: str, cm: Sequence[float], tm: Sequence[float], _font: object, size: float) -> None:
        """Take a piece; what was shown at several places of one line comes as one text with a space at each gap."""
        starts, self.starts, self.moved = self.starts, [], True
        words = text.replace("\n", "")
        if not words.strip():
            return
        scale = abs(float(tm[3]) * float(cm[3])) or abs(float(tm[1]) * float(cm[2])) or 1.0
        height = max(abs(float(size)) * scale, 1.0)
        parts = words.split()
        if len(starts) > 1 and len(parts) == len(starts):
            self.page.pieces.extend(Piece(part, *place, height) for part, place in zip(parts, starts, strict=True))
        else:
            self.page.pieces.append(Piece(words, *_moved(cm, float(tm[4]), float(tm[5])), height))

    def operator(self, name: bytes, operands: Sequence[Any], cm: Sequence[float], tm: Sequence[float]) -> None:
        if name in _PLACED:
            self.moved = True
        elif name in _SHOWN and self.moved:
            self.starts.append(_moved(cm, float(tm[4]), float(tm[5])))
            self.moved = False
        elif name in _PATH:
            with suppress(TypeError, ValueError):
                self._path(name, [float(one) for one in operands], cm)
        elif name in _PAINTED:
            if len(self.page.strokes) < _MOST_STROKES:
                self._paint(_PAINTED[name])
            self.boxes, self.legs, self.pen = [], [], None

    def _path(self, name: bytes, numbers: Sequence[float], cm: Sequence[float]) -> None:
        if name == b"re" and len(numbers) == 4:
            x, y, width, height = numbers
            self.boxes.append((*_moved(cm, x, y), *_moved(cm, x + width, y + height)))
        elif name in {b"m", b"l"} and len(numbers) == 2:
            place = _moved(cm, numbers[0], numbers[1])
            if name == b"l" and self.pen is not None:
                self.legs.append((*self.pen, *place))
            self.pen = place

    def _paint(self, how: str) -> None:
        if how == "none":
            return
        for x0, y0, x1, y1 in self.boxes:
            left, right, low, high = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
            if high - low <= THIN or right - left <= THIN:
                self._add((left + right) / 2 if right - left <= THIN else left, low, right, high)
            elif how == "stroke":
                for leg in ((left, low, right, low), (left, high, right, high), (left, low, left, high), (right, low, right, high)):
                    self._leg(*leg)
        if how == "stroke":
            for leg in self.legs:
                self._leg(*leg)
        elif len(self.legs) >= 3:
            self._filled()

    def _filled(self) -> None:
        """Take a thin filled outline (m l l l f) as the line that it shows."""
        xs = [value for leg in self.legs for value in (leg[0], leg[2])]
        ys = [value for leg in self.legs for value in (leg[1], leg[3])]
        if max(xs) - min(xs) <= THIN or max(ys) - min(ys) <= THIN:
            self._add((min(xs) + max(xs)) / 2 if max(xs) - min(xs) <= THIN else min(xs), min(ys), max(xs), max(ys))

    def _add(self, left: float, low: float, right: float, high: float) -> None:
        if high - low <= THIN:
            self.page.strokes.append(Stroke(False, (low + high) / 2, left, right))
        else:
            self.page.strokes.append(Stroke(True, left, low, high))

    def _leg(self, x0: float, y0: float, x1: float, y1: float) -> None:
        if abs(x0 - x1) <= 1 and abs(y0 - y1) > 1:
            self.page.strokes.append(Stroke(True, x0, min(y0, y1), max(y0, y1)))
        elif abs(y0 - y1) <= 1 and abs(x0 - x1) > 1:
            self.page.strokes.append(Stroke(False, y0, min(x0, x1), max(x0, x1)))


def _moved(matrix: Sequence[float], x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = (float(one) for one in matrix)
    return a * x + c * y + e, b * x + d * y + f


def pdf_pages(data: bytes, most: int) -> tuple[bool, list[Page]]:
    """Return (whether a password is asked for, the pages).  Raises: what pypdf raises on a damaged file."""
    import pypdf

    reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        return True, []
    pages: list[Page] = []
    for raw in reader.pages[:most]:
        page = Page()
        watch = _Watch(page)
        page.text = raw.extract_text(visitor_text=watch.text, visitor_operand_before=watch.operator) or ""
        pages.append(page)
    return False, pages
