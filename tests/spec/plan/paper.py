"""Invented plan documents on paper of every kind: text PDFs, scans, Word files with merged cells. No place in them is real."""

from __future__ import annotations

import io
from collections.abc import Iterable

import docx
import pypdf


def pdf_of(lines: list[str], per_page: int = 40) -> bytes:
    """Return a text PDF whose letters are coded in GBK, a page for each `per_page` lines."""
    pages = [lines[start : start + per_page] for start in range(0, len(lines), per_page)] or [[]]
    return _pdf([_text((50, 800 - 18 * row, line) for row, line in enumerate(page) if line) for page in pages])


def drawn_pdf(pages: list[tuple[list[str], list[list[str]], list[str]]], widths: list[int]) -> bytes:
    """Return a PDF of pages (lines above, rows of a table drawn with strokes, lines below); a cell "^" spans from above.

    A cell's text is set in lines of as many letters as its column is wide; the text of a spanning cell stands in its middle.
    """
    return _pdf([_drawn_page(above, rows, below, widths) for above, rows, below in pages])


def _drawn_page(above: list[str], rows: list[list[str]], below: list[str], widths: list[int]) -> bytes:
    words = [(50.0, 800.0 - 18 * row, line) for row, line in enumerate(above)]
    top, height = 800 - 18 * len(above) - 6, 66
    edges = [50 + 12 * sum(widths[:column]) for column in range(len(widths) + 1)]
    strokes = [f"{edge} {top} m {edge} {top - height * len(rows)} l S" for edge in edges]
    strokes.append(f"{edges[0]} {top - height * len(rows)} m {edges[-1]} {top - height * len(rows)} l S")
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell == "^":
                continue
            strokes.append(f"{edges[column]} {top - height * row} {edges[column + 1] - edges[column]} 0.5 re f")
            span = next((size for size in range(1, len(rows) - row) if rows[row + size][column] != "^"), len(rows) - row)
            middle = top - height * (row + span / 2)
            parts = [cell[start : start + widths[column] - 1] for start in range(0, len(cell), widths[column] - 1)]
            words += [(edges[column] + 3.0, middle + 5 * len(parts) - 12 * (line + 1), part) for line, part in enumerate(parts)]
    words += [(50.0, top - height * len(rows) - 18 * (row + 1), line) for row, line in enumerate(below)]
    return "\n".join(strokes).encode() + b"\n" + _text(words)


def _text(words: Iterable[tuple[float, float, str]]) -> bytes:
    shown = "".join(f"1 0 0 1 {x} {y} Tm <{line.encode('gbk').hex()}> Tj " for x, y, line in words)
    return f"BT /F1 10 Tf {shown}ET".encode() if shown else b"q Q"


def _pdf(streams: list[bytes]) -> bytes:
    objects: list[bytes] = []
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(streams)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(streams)} >>".encode())
    objects.append(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /GBK-EUC-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0"
        b" /BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /DW 1000 >>] >>"
    )
    for number, stream in enumerate(streams):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    places: list[int] = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()


def scanned_pdf(pages: int = 3) -> bytes:
    """Return a PDF whose pages carry no letters."""
    return pdf_of([""] * (40 * pages))


def locked_pdf(lines: list[str], password: str) -> bytes:
    """Return a text PDF that opens only with the password."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf_of(lines)))
    writer.encrypt(password, algorithm="RC4-128")
    held = io.BytesIO()
    writer.write(held)
    return held.getvalue()


def saved(document: docx.document.Document) -> bytes:
    """Return a Word document as the bytes of a file."""
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def word_with_merged_head() -> bytes:
    """Return a Word plan whose table has a two-row head: 现状 over two years, 目标 over county and city; cut in two by a page."""
    document = docx.Document()
    document.add_paragraph("月湖县“十五五”卫生健康事业发展规划")
    document.add_paragraph("一、发展目标")
    first = [
        ["类别", "指标", "现状", "", "2030年目标", "", "属性"],
        ["", "", "2024年", "2025年", "全县", "全市", ""],
        ["健康水平", "人均预期寿命（岁）", "78.9", "79.2", "80.1", "80.5", "预期性"],
        ["", "5岁以下儿童死亡率（‰）", "4.1", "3.9", "≤3.8", "≤4", "约束性"],
    ]
    second = [
        ["类别", "指标", "现状", "", "2030年目标", "", "属性"],
        ["", "", "2024年", "2025年", "全县", "全市", ""],
        ["卫生资源", "每千人口医疗卫生机构床位数（张）", "6.8", "6.9", "7.2", "7.5", "预期性"],
        ["", "其中：护理床位（张）", "0.5", "0.6", "0.9", "1.0", "预期性"],
    ]
    for rows in (first, second):
        table = document.add_table(len(rows), 7)
        for number, row in enumerate(rows):
            for column, text in enumerate(row):
                if text:
                    table.cell(number, column).text = text
        for column in (0, 1, 6):
            table.cell(0, column).merge(table.cell(1, column))
        table.cell(0, 2).merge(table.cell(0, 3))
        table.cell(0, 4).merge(table.cell(0, 5))
        table.cell(2, 0).merge(table.cell(3, 0))
        document.add_paragraph("")
    document.add_paragraph("二、主要任务")
    document.add_paragraph("（一）强基层。到2028年，建成区域医疗次中心4个。（责任单位：县卫生健康局、县财政局）")
    return saved(document)
