"""Word documents (.docx): paragraphs as lines, tables as grids with merged cells spread out."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Any, Final

from xinglin.base.unpacking import PackedError, UnpackLimits, check_package
from xinglin.modules.plan.reading import errors
from xinglin.modules.plan.reading.html_source import put_table, spread_spans
from xinglin.modules.plan.reading.layout import Grid, Source
from xinglin.modules.plan.reading.normal import squeeze, tidy

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_LIMITS: Final = UnpackLimits(total_bytes=400 * 1024 * 1024)
_MAX_DEPTH: Final = 20


def read_docx(data: bytes, name: str) -> Source:
    """Return a Word document as lines and grids.

    Raises: IncorrectError for a password, a damaged file, a document without text (pictures only: says OCR); UnsupportedError for
    another kind of archive.
    """
    parts, has_pictures = _parts(data, name)
    body = parts["document"].find(f"{_W}body")
    if body is None:
        raise errors.damaged(name, "Word (.docx)")
    written = _Written(_heading_styles(parts.get("styles")))
    _walk(body, written, 0)
    written.lines.extend(_footnotes(parts.get("footnotes")))
    if not any(line.strip() for line in written.lines):
        raise errors.scan_without_text(name) if has_pictures else errors.empty(name)
    return Source(name, "docx", tuple(written.lines), tuple(written.grids), headings=tuple(written.headings))


@dataclass(slots=True)
class _Written:
    """What has been written so far: lines, grids, headings; styles maps a style's id to its heading level."""

    styles: dict[str, int]
    lines: list[str] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    headings: list[tuple[int, int]] = field(default_factory=list)


def _parts(data: bytes, name: str) -> tuple[dict[str, Any], bool]:
    """Return the parsed parts (document, styles, footnotes) and whether the file holds pictures."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    parts: dict[str, Any] = {}
    try:
        check_package(data, _LIMITS)
    except PackedError as error:
        refusals = {"too_large": errors.too_large(name, _LIMITS.total_bytes // 1024 // 1024), "locked": errors.with_password(name)}
        raise refusals.get(error.reason, errors.damaged(name, "Word (.docx)")) from error
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = set(archive.namelist())
            if "word/document.xml" not in members:
                raise errors.unknown_kind(name)
            for part in ("document", "styles", "footnotes"):
                member = f"word/{part}.xml"
                if member not in members:
                    continue
                parts[part] = etree.fromstring(archive.read(member), parser)
    except (
        zipfile.BadZipFile,
        zlib.error,
        etree.XMLSyntaxError,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        raise errors.damaged(name, "Word (.docx)") from error
    for fallback in list(parts["document"].iter(_FALLBACK)):
        fallback.getparent().remove(fallback)
    return parts, any(member.startswith("word/media/") for member in members)


def _heading_styles(styles: Any) -> dict[str, int]:
    """Return the heading level of each style by its id: the built-in heading 1 to 6, or a style with an outline level."""
    levels: dict[str, int] = {}
    for style in styles.iter(f"{_W}style") if styles is not None else ():
        named = style.find(f"{_W}name")
        match = re.fullmatch(r"(?:heading|标题) ?([1-6])", (named.get(f"{_W}val") or "").lower()) if named is not None else None
        if match:
            levels[style.get(f"{_W}styleId") or ""] = int(match.group(1))
    return levels


def _footnotes(part: Any) -> list[str]:
    """Return the footnotes as lines 注[1]：…, the mark being the one that stands in the text."""
    lines: list[str] = []
    for note in part.iter(f"{_W}footnote") if part is not None else ():
        text = squeeze(" ".join(_paragraph(paragraph) for paragraph in note.iter(f"{_W}p")))
        if text and not note.get(f"{_W}type"):
            lines.append(f"注[{note.get(f'{_W}id')}]：{text}")
    return lines


def _level_of(paragraph: Any, styles: dict[str, int]) -> int:
    properties = paragraph.find(f"{_W}pPr")
    if properties is None:
        return 0
    style, outline = properties.find(f"{_W}pStyle"), properties.find(f"{_W}outlineLvl")
    if outline is not None and (outline.get(f"{_W}val") or "").isdigit() and int(outline.get(f"{_W}val")) < 6:
        return int(outline.get(f"{_W}val")) + 1
    return styles.get(style.get(f"{_W}val") or "", 0) if style is not None else 0


def _walk(parent: Any, written: _Written, depth: int) -> None:
    for child in parent:
        tag = child.tag
        if tag == f"{_W}p":
            written.lines.extend(_paragraph(child).split("\n"))
            level = _level_of(child, written.styles)
            if level and written.lines[-1].strip():
                written.headings.append((len(written.lines), level))
        elif tag == f"{_W}tbl":
            rows = [_row(row) for row in child.iter(f"{_W}tr") if _owner(row) is child]
            if rows and max(len(row) for row in rows) <= 1:
                _box(child, written, depth)
            elif rows:
                written.grids.extend(put_table(spread_spans(_with_rowspans(rows)), written.lines))
        elif tag in {f"{_W}sdt", f"{_W}sdtContent", f"{_W}ins", f"{_W}smartTag", f"{_W}customXml"} and depth < _MAX_DEPTH:
            _walk(child, written, depth + 1)


def _box(table: Any, written: _Written, depth: int) -> None:
    """A table of one column is a frame around text (专栏): its paragraphs are lines."""
    for cell in table.iter(f"{_W}tc"):
        if depth < _MAX_DEPTH and _owner(cell.getparent()) is table:
            _walk(cell, written, depth + 1)


def _owner(row: Any) -> Any:
    node = row.getparent()
    while node is not None and node.tag != f"{_W}tbl":
        node = node.getparent()
    return node


def _row(row: Any) -> list[tuple[str, int, str]]:
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
        lines = [squeeze(tidy(line)) for part in cell.iter(f"{_W}p") for line in _paragraph(part).split("\n")]
        text = "\n".join(line for line in lines if line)
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
        elif node.tag == f"{_W}footnoteReference":
            parts.append(f"[{node.get(f'{_W}id')}]")
        elif node.tag == f"{_W}p" and node is not paragraph:
            parts.append("\n")
    return "".join(parts)
