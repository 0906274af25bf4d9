"""Word documents (.docx): paragraphs as lines, tables as grids with merged cells spread out."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any, Final

from xinglin.modules.plan.reading import errors
from xinglin.modules.plan.reading.html_source import put_table, spread_spans
from xinglin.modules.plan.reading.layout import Grid, Source
from xinglin.modules.plan.reading.normal import squeeze, tidy

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LIMIT: Final = 400 * 1024 * 1024
_MAX_DEPTH: Final = 20


def read_docx(data: bytes, name: str) -> Source:
    """Return a Word document as lines and grids.

    Raises: IncorrectError for a password, a damaged file, a document without text (pictures only: says OCR); UnsupportedError for
    another kind of archive.
    """
    body, has_pictures = _body(data, name)
    lines: list[str] = []
    grids: list[Grid] = []
    _walk(body, lines, grids, 0)
    if not any(line.strip() for line in lines):
        raise errors.scan_without_text(name) if has_pictures else errors.empty(name)
    return Source(name, "docx", tuple(lines), tuple(grids))


def _body(data: bytes, name: str) -> tuple[Any, bool]:
    from lxml import etree

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if any(info.flag_bits & 1 for info in archive.infolist()):
                raise errors.with_password(name)
            members = set(archive.namelist())
            if "word/document.xml" not in members:
                raise errors.unknown_kind(name)
            if archive.getinfo("word/document.xml").file_size > _LIMIT:
                raise errors.too_large(name, _LIMIT // 1024 // 1024)
            xml = archive.read("word/document.xml")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        root = etree.fromstring(xml, parser)
    except (zipfile.BadZipFile, etree.XMLSyntaxError, EOFError, NotImplementedError, OSError, ValueError, RuntimeError) as error:
        raise errors.damaged(name, "Word (.docx)") from error
    body = root.find(f"{_W}body")
    if body is None:
        raise errors.damaged(name, "Word (.docx)")
    return body, any(member.startswith("word/media/") for member in members)


def _walk(parent: Any, lines: list[str], grids: list[Grid], depth: int) -> None:
    for child in parent:
        tag = child.tag
        if tag == f"{_W}p":
            lines.extend(_paragraph(child).split("\n"))
        elif tag == f"{_W}tbl":
            rows = [_row(row, depth) for row in child.iter(f"{_W}tr") if _owner(row) is child]
            if len(rows) == 1 and len(rows[0]) == 1 or (rows and max(len(row) for row in rows) == 1):
                _box(child, lines, grids, depth)
            elif rows:
                grids.extend(put_table(spread_spans(_with_rowspans(rows)), lines))
        elif tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}smartTag", f"{_W}customXml"} and depth < _MAX_DEPTH:
            _walk(child, lines, grids, depth + 1)


def _box(table: Any, lines: list[str], grids: list[Grid], depth: int) -> None:
    """A table of one column is a frame around text (专栏): its paragraphs are lines."""
    for cell in table.iter(f"{_W}tc"):
        if depth < _MAX_DEPTH and _owner(cell.getparent()) is table:
            _walk(cell, lines, grids, depth + 1)


def _owner(row: Any) -> Any:
    node = row.getparent()
    while node is not None and node.tag != f"{_W}tbl":
        node = node.getparent()
    return node


def _row(row: Any, depth: int) -> list[tuple[str, int, str]]:
    """Return the cells of a row as (text, columns, vertical merge: "", "restart" or "continue")."""
    cells: list[tuple[str, int, str]] = []
    for cell in row.iter(f"{_W}tc"):
        if cell.getparent() is not row and cell.getparent().getparent() is not row and _row_of(cell) is not row:
            continue
        properties = cell.find(f"{_W}tcPr")
        span = properties.find(f"{_W}gridSpan") if properties is not None else None
        merge = properties.find(f"{_W}vMerge") if properties is not None else None
        width = re.match(r"\d+", span.get(f"{_W}val") or "") if span is not None else None
        state = "" if merge is None else (merge.get(f"{_W}val") or "continue")
        text = squeeze(tidy(" ".join(_paragraph(part).replace("\n", " ") for part in cell.iter(f"{_W}p"))))
        cells.append((text, min(100, max(1, int(width.group()))) if width else 1, state))
    return cells


def _row_of(cell: Any) -> Any:
    node = cell.getparent()
    while node is not None and node.tag != f"{_W}tr":
        node = node.getparent()
    return node


def _with_rowspans(rows: list[list[tuple[str, int, str]]]) -> list[list[tuple[str, int, int]]]:
    """Turn vertical merges into row spans: a continued cell is left out and the cell above it counts one row more."""
    made: list[list[list[Any]]] = []
    above: dict[int, list[Any]] = {}
    for row in rows:
        out: list[list[Any]] = []
        column = 0
        for text, width, state in row:
            if state == "continue" and column in above:
                above[column][1] += 1
            else:
                slot = [text, 1, width]
                out.append(slot)
                above.pop(column, None)
                if state == "restart":
                    above[column] = slot
            column += width
        made.append(out)
    return [[(slot[0], slot[1], slot[2]) for slot in row] for row in made]


def _paragraph(paragraph: Any) -> str:
    parts: list[str] = []
    for node in paragraph.iter():
        if node.tag == f"{_W}t":
            parts.append(node.text or "")
        elif node.tag == f"{_W}tab":
            if node.getparent().tag == f"{_W}r":
                parts.append("\t")
        elif node.tag in {f"{_W}br", f"{_W}cr"}:
            parts.append("\n")
        elif node.tag == f"{_W}noBreakHyphen":
            parts.append("-")
    return "".join(parts)
