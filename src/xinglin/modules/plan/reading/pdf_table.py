"""Tables that a PDF draws with lines: cells between the strokes, the text of each, cells that span rows or columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.reading.normal import squeeze, tidy, with_letters
from xinglin.modules.plan.reading.pdf_page import Page, Piece, Stroke

_NEAR: Final = 3.0
_SHORTEST: Final = 6.0
_MOST_LINES: Final = 400


@dataclass(frozen=True, slots=True)
class Ruled:
    """A table drawn with lines: where it stands on its page, and its rows of (text, whether it repeats a spanning cell)."""

    left: float
    low: float
    right: float
    high: float
    rows: tuple[tuple[tuple[str, bool], ...], ...]

    def holds(self, piece: Piece) -> bool:
        """Say whether the piece stands inside the frame."""
        middle = piece.y + piece.size * 0.3
        return self.left - _NEAR <= piece.x <= self.right + _NEAR and self.low <= middle <= self.high


def ruled_tables(page: Page) -> list[Ruled]:
    """Return the tables of a page from its top: frames of two rows and two columns with text in them, or of one row (the rest of a
    table on the page before) and three columns.
    """
    found: list[Ruled] = []
    for strokes in _frames([one for one in page.strokes if one.end - one.start >= _SHORTEST]):
        xs = _places(one.at for one in strokes if one.upright)
        ys = _places(one.at for one in strokes if not one.upright)
        if len(xs) < 3 or len(ys) < 2 or (len(ys) == 2 and len(xs) < 4) or len(xs) > _MOST_LINES or len(ys) > _MOST_LINES:
            continue
        table = _table(strokes, xs, list(reversed(ys)), page.pieces)
        if table is not None:
            found.append(table)
    return sorted(found, key=lambda one: -one.high)


def _places(values: Iterable[float]) -> list[float]:
    """Return the places of lines in order, those that lie within a few points of each other as one."""
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > _NEAR:
            places.append(value)
    return places


def _frames(strokes: Sequence[Stroke]) -> list[list[Stroke]]:
    """Return the strokes in groups that touch each other."""
    level = sorted((one for one in strokes if not one.upright), key=lambda one: one.at)
    groups = {id(one): [one] for one in strokes}
    for upright in (one for one in strokes if one.upright):
        for one in level:
            if one.at > upright.end + _NEAR:
                break
            if one.at >= upright.start - _NEAR and one.start - _NEAR <= upright.at <= one.end + _NEAR:
                _join(groups, upright, one)
    return list({id(group): group for group in groups.values()}.values())


def _join(groups: dict[int, list[Stroke]], one: Stroke, other: Stroke) -> None:
    first, second = groups[id(one)], groups[id(other)]
    if first is second:
        return
    if len(first) < len(second):
        first, second = second, first
    first.extend(second)
    for stroke in second:
        groups[id(stroke)] = first


def _table(strokes: Sequence[Stroke], xs: Sequence[float], ys: Sequence[float], pieces: Sequence[Piece]) -> Ruled | None:
    """Return the table between the lines xs (from the left) and ys (from the top), or None when it carries no text."""
    roots = _spans(strokes, xs, ys)
    held: dict[tuple[int, int], list[Piece]] = {}
    for piece in pieces:
        column = _band(xs, piece.x + min(piece.size * 0.3, piece.width / 2))
        row = _band([-y for y in ys], -(piece.y + piece.size * 0.3))
        if column is not None and row is not None:
            held.setdefault(roots[row, column], []).append(piece)
    if len(held) < min(4, len(xs) - 1):
        return None
    texts = {root: cell_text(inside) for root, inside in held.items()}
    rows = tuple(
        tuple((texts.get(roots[row, column], ""), roots[row, column] != (row, column)) for column in range(len(xs) - 1))
        for row in range(len(ys) - 1)
    )
    return Ruled(xs[0], ys[-1], xs[-1], ys[0], tuple(row for row in rows if any(text and not again for text, again in row)))


def _band(edges: Sequence[float], place: float) -> int | None:
    for index in range(len(edges) - 1):
        if edges[index] - 1 <= place < edges[index + 1]:
            return index
    return None


def _spans(strokes: Sequence[Stroke], xs: Sequence[float], ys: Sequence[float]) -> dict[tuple[int, int], tuple[int, int]]:
    """Return for each place of the net the place where its cell begins: places with no line between them are one cell."""
    upright, level = [one for one in strokes if one.upright], [one for one in strokes if not one.upright]
    walls = [[one for one in upright if abs(one.at - x) <= _NEAR] for x in xs]
    floors = [[one for one in level if abs(one.at - y) <= _NEAR] for y in ys]
    roots: dict[tuple[int, int], tuple[int, int]] = {}
    for row in range(len(ys) - 1):
        middle_y = (ys[row] + ys[row + 1]) / 2
        for column in range(len(xs) - 1):
            middle_x = (xs[column] + xs[column + 1]) / 2
            roots[row, column] = (row, column)
            if column and not _crosses(walls[column], middle_y):
                roots[row, column] = roots[row, column - 1]
            elif row and not _crosses(floors[row], middle_x):
                roots[row, column] = roots[row - 1, column]
    return roots


def _crosses(strokes: Sequence[Stroke], place: float) -> bool:
    return any(one.start - 1 <= place <= one.end + 1 for one in strokes)


def cell_text(pieces: Sequence[Piece]) -> str:
    """Return the text of one cell, its lines parted by line feeds."""
    return "\n".join(squeeze(tidy(line)) for line in lines_of(pieces))


def lines_of(pieces: Sequence[Piece]) -> list[str]:
    """Return the pieces as lines from the top, each from the left; a wide gap becomes spaces."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda one: (-one.y, one.x)):
        if rows and abs(rows[-1][0].y - piece.y) <= min(rows[-1][0].size, piece.size) * 0.5:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [_line(sorted(row, key=lambda one: one.x)) for row in rows]


def _line(row: Sequence[Piece]) -> str:
    text = ""
    end = row[0].x
    for piece in row:
        gap = piece.x - end
        text += ("  " if gap > piece.size * 1.5 else " " if gap > piece.size * 0.6 else "") + piece.text if text else piece.text
        end = piece.x + piece.width
    return with_letters(text)
