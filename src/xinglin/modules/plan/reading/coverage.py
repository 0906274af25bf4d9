"""Coverage: every number of the document and what became of it, so that nothing is silently dropped."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from xinglin.modules.plan.reading.layout import is_page_mark
from xinglin.modules.plan.reading.model import Coverage, Indicator, NumberUse, Project
from xinglin.modules.plan.reading.normal import squeeze, tidy
from xinglin.modules.plan.reading.numerals import DIGITS, digits_value
from xinglin.modules.plan.reading.paragraphs import Paragraph
from xinglin.modules.plan.reading.sentences import is_past_section, line_of, places_of

_NUMBER: Final = re.compile(DIGITS)
_AROUND: Final = 18
_REASONS: Final = {
    "serial": "序号",
    "year": "年份",
    "date": "日期",
    "code": "编号、代号或热线",
    "age": "年龄范围，属于名称",
    "per": "计算基数，属于名称",
    "name": "属于名称（如15分钟服务圈）",
    "title": "文件名或文号",
    "list": "列举（如3类疾病）",
    "bare": "没有单位的数字",
    "value": "",
}


def coverage_of(
    lines: Sequence[str], paragraphs: Iterable[Paragraph], indicators: Sequence[Indicator], projects: Sequence[Project]
) -> Coverage:
    """Return the use of every number: those of paragraphs by mention, those of tables and other lines one by one."""
    known = _known_values(indicators, projects)
    uses: list[NumberUse] = []
    told: set[int] = set()
    for one in paragraphs:
        told.update(one.numbers)
        uses.extend(_in_paragraph(one, known))
    heads = {line for one in indicators if one.origin == "table" for line in range(one.from_line, one.to_line + 1)}
    for number, raw in enumerate(lines, 1):
        if number not in told and raw.strip():
            uses.extend(_in_line(number, raw, known, number in heads))
    uses.sort(key=lambda use: use.line)
    return Coverage(len(uses), sum(bool(use.used_by) for use in uses), tuple(use for use in uses if not use.used_by))


def _known_values(indicators: Sequence[Indicator], projects: Sequence[Project]) -> dict[int, dict[float, str]]:
    known: dict[int, dict[float, str]] = defaultdict(dict)
    for one in indicators:
        values = [base.value for base in one.bases] + [one.target_value, one.target_high]
        values += [value for other in one.others for value in (other.value, other.high)]
        years = [base.year for base in one.bases] + [one.target_year] + [other.year for other in one.others]
        for line in range(one.from_line, one.to_line + 1):
            known[line].update({abs(value): one.name for value in values if value is not None})
            known[line].update({float(year): one.name for year in years if year is not None and one.origin == "text"})
    for project in projects:
        for first, last in ((project.from_line, project.to_line), *project.copies):
            for line in range(first, last + 1):
                known[line].update(dict.fromkeys(_project_values(project), project.name))
    return known


def _project_values(project: Project) -> Iterator[float]:
    numbers = (project.beds, project.convertible_beds, project.investment_10k_yuan, project.start_year, project.end_year)
    yield from (float(number) for number in numbers if number is not None)
    for _, text in project.more:
        yield from (digits_value(match.group()) for match in _NUMBER.finditer(text))


def _in_paragraph(one: Paragraph, known: dict[int, dict[float, str]]) -> Iterator[NumberUse]:
    past = is_past_section(one)
    for place in places_of(one):
        for mention in place.mentions:
            line, last = line_of(place, mention.start), line_of(place, mention.end - 1)
            used_by = known.get(line, {}).get(abs(mention.value), "") or known.get(last, {}).get(abs(mention.value), "")
            kind = "serial" if one.number and place.offset + mention.start < len(one.number) else mention.kind
            reason = _REASONS.get(kind, "") or ("过去的情况，不是目标" if past else "没有读成目标，请人工看一下")
            context = place.sentence[max(0, mention.start - _AROUND) : mention.end + _AROUND]
            yield NumberUse(mention.text, line, used_by, "" if used_by else reason, context)


def _in_line(number: int, raw: str, known: dict[int, dict[float, str]], is_row: bool) -> Iterator[NumberUse]:
    line = tidy(raw)
    if is_page_mark(raw):
        return
    names = known.get(number, {})
    cells = frozenset(cell.strip() for cell in re.split(r"[\t|]", raw))
    for match in _NUMBER.finditer(line):
        used_by = names.get(digits_value(match.group()), "")
        text = squeeze(line[max(0, match.start() - _AROUND) : match.end() + _AROUND])
        reason = "" if used_by else _line_reason(match, line, cells, is_row)
        yield NumberUse(match.group(), number, used_by, reason, text)


def _line_reason(match: re.Match[str], line: str, cells: frozenset[str], is_row: bool) -> str:
    after, before = line[match.end() : match.end() + 3], line[max(0, match.start() - _AROUND) : match.start()].strip()
    if re.match(r"(?:19|20)\d\d$", match.group()):
        return "年份"
    if re.match(r"\s*(?:岁|周岁|万|-|—|~)", after) or before.endswith(("-", "—", "~", "/", "每", "专栏", "表")):
        return "属于名称或单位"
    if re.match(r"\s*[个项条]\s*[）)]", after) and before.endswith(("(", "（")):
        return "类别里的指标个数"
    alone = match.group() in cells or (match.start() < _AROUND and not before)
    if match.group().isdigit() and len(match.group()) < 4 and alone:
        return "序号"
    return "表格里没有读成数值，请人工看一下" if is_row else "没有读成指标，请人工看一下"
