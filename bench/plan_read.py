"""How fast plan documents are read: `python bench/plan_read.py [FILE...] [--json]`.

Without files it makes its own: a plan of 50 pages (text, HTML, .docx), a gazette of 300 pages, and
lines of 30,000 repeated signs, which must take time by their length only; a page is 600 letters.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from pathlib import Path

import docx

from xinglin.modules.plan.reading import read_document

PAGE_LETTERS = 600
SENTENCES = (
    "健全疾病预防控制体系，推进县级疾控中心标准化建设，提升监测预警和应急处置能力。",
    "到2025年，法定传染病报告率达到98%以上，适龄儿童免疫规划疫苗接种率保持在95%以上。",
    "新建社区卫生服务中心3家，改扩建乡镇卫生院12家，新增床位600张，培养全科医生80名。",
    "完善分级诊疗制度，推动优质资源扩容下沉，基层医疗卫生机构诊疗量占比达到65%。",
)

HEAPS = [
    (sign * 30_000)[:30_000]
    for sign in ("1", "1,", "（", "（1）", "1.5‰、", "1家", "达到1%", "从1到", "1。", "的", "中率", "  ", "每", "《", "和的")
]


def plan_lines(pages: int, number: int = 1) -> list[str]:
    """Return the lines of an invented plan of so many pages, with a table of thirty rows."""
    lines = [f"第{number}县“十四五”卫生健康事业发展规划", "", "一、发展目标", "", "类别\t序号\t指标名称\t2020年\t2025年\t属性"]
    lines += [
        f"{'健康水平' if row == 1 else ''}\t{row}\t第{row}类人群健康管理率（%）\t{50 + row}.5\t≥{60 + row}\t预期性" for row in range(1, 31)
    ]
    lines += ["", "二、重点任务", ""]
    letters = 0
    section = 0
    while letters < pages * PAGE_LETTERS:
        section += 1
        paragraph = "".join(SENTENCES[(section + place) % len(SENTENCES)] for place in range(6))
        lines += [f"（{'一二三四五六七八九'[section % 9]}）完善服务体系", "", paragraph + "（责任单位：县卫健局、县财政局）", ""]
        letters += len(paragraph) + 30
    return lines


def as_docx(lines: list[str]) -> bytes:
    """Return the lines as a Word document; the table stays a table."""
    document = docx.Document()
    rows = [line.split("\t") for line in lines if "\t" in line]
    table = document.add_table(len(rows), len(rows[0]))
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    for line in lines:
        if "\t" not in line:
            document.add_paragraph(line)
    held = io.BytesIO()
    document.save(held)
    return held.getvalue()


def as_html(lines: list[str]) -> bytes:
    """Return the lines as a web page."""
    rows = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line.split("\t")) + "</tr>" for line in lines if "\t" in line)
    words = "".join(f"<p>{line}</p>" for line in lines if "\t" not in line)
    return f"<html><body><table>{rows}</table>{words}</body></html>".encode()


def made_documents() -> list[tuple[str, bytes]]:
    """Return the invented documents by file name."""
    fifty = plan_lines(50)
    gazette = [line for number in range(1, 7) for line in plan_lines(50, number)]
    return [
        ("fifty_pages.txt", "\n".join(fifty).encode()),
        ("fifty_pages.html", as_html(fifty)),
        ("fifty_pages.docx", as_docx(fifty)),
        ("gazette_300_pages.txt", "\n".join(gazette).encode()),
        ("heaps_of_signs.txt", "\n".join(HEAPS).encode()),
    ]


def measure(name: str, data: bytes) -> dict[str, object]:
    """Return seconds (best of three) and what was read."""
    best = float("inf")
    reading = read_document(data, name)
    for _ in range(3):
        start = time.perf_counter()
        reading = read_document(data, name)
        best = min(best, time.perf_counter() - start)
    pages = sum(len("".join(line.split())) for line in reading.lines) / PAGE_LETTERS
    return {
        "file": name,
        "seconds": round(best, 3),
        "pages": round(pages),
        "seconds_per_50_pages": round(best / max(pages, 1) * 50, 3),
        "plans": len(reading.plans),
        "indicators": len(reading.indicators),
        "tasks": len(reading.tasks),
    }


def main() -> None:
    """Print a line, or with --json a list, of figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    documents = [(path.name, path.read_bytes()) for path in wanted.files] or made_documents()
    figures = [measure(name, data) for name, data in documents]
    if wanted.json:
        print(json.dumps(figures, ensure_ascii=False))
        return
    for figure in figures:
        print("  ".join(f"{key} {value}" for key, value in figure.items()))


if __name__ == "__main__":
    main()
