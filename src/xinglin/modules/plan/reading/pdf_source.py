"""PDFs with text: pages as lines, drawn tables as grids; scans and protected files are refused with words that say what to do."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from xinglin.modules.plan.reading import errors
from xinglin.modules.plan.reading.header import is_header_row
from xinglin.modules.plan.reading.layout import Grid, Source, cell_of, joined
from xinglin.modules.plan.reading.normal import bare, with_letters
from xinglin.modules.plan.reading.pdf_page import Page, pdf_pages
from xinglin.modules.plan.reading.pdf_table import Ruled, lines_of, ruled_tables

_MIN_LETTERS_PER_PAGE: Final = 8
_MAX_PAGES: Final = 3000
_EDGE_LINES: Final = 2
_FEWEST_REPEATS: Final = 3
_NEAR: Final = 6.0


def read_pdf(data: bytes, name: str) -> Source:
    """Return the text of a PDF as lines, and the tables it draws.

    A line that stands at the head or foot of three pages or more (the title, the number of the page) is left out and told.
    Raises: IncorrectError for a password, a damaged file, or pages that are pictures (says OCR).
    """
    pages = _load(data, name)
    letters = sum(len("".join(page.text.split())) for page in pages)
    if letters < _MIN_LETTERS_PER_PAGE * max(1, len(pages)):
        raise errors.scan_without_text(name)
    silent = [number for number, page in enumerate(pages, 1) if not page.text.strip()]
    notices = [f"第{'、'.join(map(str, silent[:20]))}页没有文字（可能是图片），未能读取。"] if silent else []
    texts = [_page_lines(page) for page in pages]
    repeated = _running_lines(texts)
    if repeated:
        notices.append(f"每页重复的页眉页脚没有读：{'；'.join(sorted(repeated)[:3])}")
    lines: list[str] = []
    grids: list[Grid] = []
    above: Ruled | None = None
    for text, tables in texts:
        start = len(lines)
        lines.extend("" if place in _edges(text) and _shape(line) in repeated else line for place, line in enumerate(text))
        for order, (first, table) in enumerate(tables):
            grid = _grid(table, start + first + 1)
            if order == 0 and above is not None and _goes_on(above, table) and _only_edges(lines[grids[-1].to_line : grid.from_line - 1]):
                grid = Grid(grids[-1].rows + grid.rows, grids[-1].from_line, grid.to_line, True)
                grids.pop()
            grids.append(grid)
        above = tables[-1][1] if tables else None
    return Source(name, "pdf", tuple(lines), tuple(grids), tuple(notices))


def _load(data: bytes, name: str) -> list[Page]:
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        locked, pages = pdf_pages(data, _MAX_PAGES)
    except NotImplementedError as error:  # what pypdf raises for a filter or a cipher it does not know
        raise errors.unknown_pdf(name) from error
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        RecursionError,
        AssertionError,
        ArithmeticError,
    ) as error:
        raise errors.damaged(name, "PDF") from error
    if locked:
        raise errors.with_password(name)
    return pages


def _page_lines(page: Page) -> tuple[list[str], list[tuple[int, Ruled]]]:
    """Return the lines of a page and (first line, table) of its drawn tables; a row of a table is one line with tabs."""
    tables = ruled_tables(page) if page.strokes else []
    if not tables:
        return page.text.replace("\x0c", "\n").split("\n"), []
    lines: list[str] = []
    placed: list[tuple[int, Ruled]] = []
    outside = [piece for piece in page.pieces if not any(table.holds(piece) for table in tables)]
    for table in tables:
        lines.extend(lines_of([piece for piece in outside if piece.y > table.high]))
        outside = [piece for piece in outside if piece.y <= table.high]
        placed.append((len(lines), table))
        lines.extend("\t".join("" if again else joined(text) for text, again in row) for row in table.rows)
    return [*lines, *lines_of(outside)], placed


def _grid(table: Ruled, first: int) -> Grid:
    rows = tuple(tuple(cell_of(text, first + index, again) for text, again in row) for index, row in enumerate(table.rows))
    return Grid(rows, first, first + len(rows) - 1, True)


def _goes_on(above: Ruled, table: Ruled) -> bool:
    """Say whether a table at the head of a page has the frame of the last one of the page before."""
    near = abs(above.left - table.left) <= _NEAR and abs(above.right - table.right) <= _NEAR
    return near and len(above.rows[0]) == len(table.rows[0])


def _only_edges(between: Sequence[str]) -> bool:
    """Say whether only the foot of one page and the head of the next stand between."""
    filled = [line for line in between if line.strip()]
    return len(filled) <= 2 * _EDGE_LINES and all(len(line) < 60 and not line.endswith(("。", "；")) for line in filled)


def _edges(lines: Sequence[str]) -> frozenset[int]:
    filled = [place for place, line in enumerate(lines) if line.strip()]
    return frozenset(filled[:_EDGE_LINES] + filled[-_EDGE_LINES:])


def _shape(line: str) -> str:
    return re.sub(r"\d+", "#", bare(with_letters(line)))


def _running_lines(texts: Sequence[tuple[list[str], list[tuple[int, Ruled]]]]) -> frozenset[str]:
    """Return the shapes (numbers as #) of lines that stand at the edge of three pages and of most pages; no heads of tables."""
    seen: Counter[str] = Counter()
    for lines, _ in texts:
        shapes = {_shape(lines[place]) for place in _edges(lines) if "\t" not in lines[place] and not is_header_row(lines[place].split())}
        seen.update(shape for shape in shapes if len(shape) > 1)
    least = max(_FEWEST_REPEATS, len(texts) // 2)
    both = len(texts) == 2
    return frozenset(shape for shape, count in seen.items() if count >= least or (both and count == 2 and "#" in shape))
