"""What a document says of itself: the plans in it, each with title, area and last year."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from xinglin.modules.plan.reading.header import PLAN_ENDS
from xinglin.modules.plan.reading.model import PlanPart
from xinglin.modules.plan.reading.normal import bare, squeeze, tidy

_TITLE: Final = re.compile(
    r"^[^。；;：:]{4,60}(?:规划|规划纲要|行动计划|实施方案|行动方案|工作方案|发展纲要|建设方案|行动纲要)(?:的通知)?(?:[（(][^（）()]{2,24}[）)])?$"
)
_BODY: Final = re.compile(
    r"^(?:第[一二三四五六七八九十]+[章节]|[一二三四五六七八九十]+、|（一）|\(一\)|前\s*言|目\s*录|[“\"]?十[一二三四五六]五[”\"]?时期|为[了]?.{2,40})"
)
_SPAN: Final = re.compile(r"(20\d\d)\s*年?\s*[-—–~～至到]+\s*(20\d\d)\s*年?")
_AREA: Final = re.compile(r"([一-鿿]{2,9}?(?:自治区|自治州|自治县|新区|开发区|经开区|高新区|省|市|区|县|州|旗|盟))")


def plan_parts(lines: Sequence[str]) -> list[PlanPart]:
    """Return the plans of a document in order; a document without a recognised title is one plan with title "".

    A second plan begins where a new title stands followed within a page by its own opening (一、, 第一章, 为…, 前言).
    """
    titles = _titles(lines)
    if not titles:
        return [_part(0, "", 1, len(lines), lines)]
    starts = [1] + [line for line, _ in titles[1:]]
    parts: list[PlanPart] = []
    for order, (_, title) in enumerate(titles):
        end = starts[order + 1] - 1 if order + 1 < len(starts) else len(lines)
        parts.append(_part(order, title, starts[order], end, lines))
    return parts


def _titles(lines: Sequence[str]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    last_body = 0
    for number, raw in enumerate(lines, 1):
        if not raw or len(raw) > 120:
            continue
        line = _with_lines_above(lines, number)
        if not _TITLE.match(line) or re.match(
            r"^(?:[（(]?[一二三四五六七八九十\d]+[）)]?[、.．]|《|根据|按照|专栏|附|表|到\d|——|[-*·])", line
        ):
            continue
        if re.search(r"[，,]|结合|制定|落实|编制|印发《", line) or not (
            _opens(lines, number) or not any(raw.strip() for raw in lines[: number - 1])
        ):
            continue
        if found and number - last_body < 40 and not _numbered_between(lines, found[-1][0], number):
            continue
        found.append((number, re.sub(r"^.*关于印发|的通知$", "", line)))
        last_body = number
    return found


def _with_lines_above(lines: Sequence[str], number: int) -> str:
    """Return the line, with the broken beginning of its title from the lines above when it does not name an area itself."""
    line = squeeze(tidy(lines[number - 1])).lstrip("#* ").rstrip("* ")
    if not _TITLE.match(line) or _AREA.match(line):
        return line
    above = [squeeze(tidy(raw)).lstrip("#* ").rstrip("* ") for raw in lines[max(0, number - 6) : number - 1]]
    for text in reversed([text for text in above if text][-2:]):
        if len(text) > 40 or re.search(r"[。：:；;，,〔〕]", text):
            break
        line = text + line
        if _AREA.match(text):
            return line
    return squeeze(tidy(lines[number - 1])).lstrip("#* ").rstrip("* ")


def _opens(lines: Sequence[str], number: int) -> bool:
    """Say whether the body of a plan begins within the next lines."""
    seen = 0
    for raw in lines[number : number + 60]:
        line = squeeze(tidy(raw)).lstrip("#* ")
        if not line:
            continue
        seen += 1
        if _BODY.match(line):
            return True
        if seen > 14:
            return False
    return False


def _numbered_between(lines: Sequence[str], start: int, end: int) -> bool:
    return any(re.match(r"\s*#*\s*二、", raw) for raw in lines[start:end])


def _part(order: int, title: str, start: int, end: int, lines: Sequence[str]) -> PlanPart:
    body = [tidy(line) for line in lines[start - 1 : end]]
    head = title or " ".join(squeeze(line) for line in body[:60] if line.strip() and len(line) < 60)
    return PlanPart(
        order,
        title,
        (area_of(title) if title else "") or _cited_area(body) or area_of(head),
        horizon_of(title, body),
        start,
        end,
        start_of(title),
    )


def _cited_area(body: Sequence[str]) -> str:
    """Return the area whose own five-year outline the plan cites (《某某区国民经济和社会发展……纲要》), the last one named."""
    text = "".join(bare(line) for line in body[:400])
    cited = re.findall(r"[《〈«]([^《》]{2,12}?)国民经济和社会发展", text)
    named = [area for area in cited if _AREA.fullmatch(area) and not area.endswith("省")]
    return named[-1] if named else ""


def area_of(text: str) -> str:
    """Return the area a title names (某某市, 某某区), or ""."""
    word = re.sub(r"^.*?(?:关于印发|《)", "", bare(tidy(text)))
    match = _AREA.search(word)
    return match.group(1) if match else ""


def start_of(title: str) -> int | None:
    """Return the first year a title names (2025—2027年), None where it names a five-year plan or nothing."""
    spans = _SPAN.findall(bare(title))
    return int(spans[-1][0]) if spans else None


def horizon_of(title: str, body: Sequence[str]) -> int | None:
    """Return the last year of the plan: from 十四五 or 2021—2025 in its title, else the year its text aims at most often."""
    word = bare(title)
    spans = _SPAN.findall(word)
    if spans:
        return int(spans[-1][1])
    for name, year in PLAN_ENDS.items():
        if name in word:
            return year
    text = "".join(bare(line) for line in body)
    aims = Counter(int(year) for year in re.findall(r"(?:到|至|截至)(20\d\d)年", text))
    if aims:
        return aims.most_common(1)[0][0]
    names = Counter(match for match in re.findall(r"十[一二三四五六]五", text) if match in PLAN_ENDS)
    return PLAN_ENDS[names.most_common(1)[0][0]] if names else None
