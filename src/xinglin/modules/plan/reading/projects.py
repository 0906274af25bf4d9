"""Projects: rows of project tables (项目名称, 项目单位, 建设性质, 开工时间, 床位) and project paragraphs of boxes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.header import plain_header
from xinglin.modules.plan.reading.layout import Grid, is_page_mark, is_rule
from xinglin.modules.plan.reading.model import Project
from xinglin.modules.plan.reading.normal import bare, squeeze, tidy
from xinglin.modules.plan.reading.numerals import DIGITS, digits_value
from xinglin.modules.plan.reading.paragraphs import Paragraph

_YEAR: Final = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_INDEX: Final = re.compile(r"^\d{1,3}$")
_MAX_HEAD: Final = 24
_FACTS: Final = (
    ("beds", re.compile(rf"(?:床位|病床|编制床位)(?:数)?\s*(?:达到|约|为|共|不少于)?\s*({DIGITS})\s*张|({DIGITS})\s*张(?:床位|病床)")),
    ("investment_10k_yuan", re.compile(rf"(?:投资|资金|概算|估算)[^，。；\d]{{0,8}}({DIGITS})\s*(亿|万)元")),
)


@dataclass(frozen=True, slots=True)
class ProjectTable:
    """A project table: the lines it stands on and its projects."""

    projects: tuple[Project, ...]
    from_line: int
    to_line: int


def _listed_role(text: str) -> str | None:
    """Return the role of a header cell that the catalogue lists word for word."""
    whole = plain_header(text)
    word = re.sub(r"\((?:万元|亿元|张|个|平方米)\)$", "", whole)
    if word in {"序号", "编号", "序"}:
        return "serial"
    return next((role for role, words in catalogue().project_header.items() if word in words or whole in words), None)


def project_role(text: str) -> str | None:
    """Return what a header cell of a project table names: name, unit, nature, start, end, years, beds, convertible, investment."""
    listed = _listed_role(text)
    if listed is not None:
        return listed
    word = plain_header(text)
    if "床位" in word:
        return "convertible" if re.search(r"可转|平战|平急", word) else "beds"
    return "investment" if "投资" in word else None


def is_project_head(texts: Sequence[str]) -> bool:
    """Say whether these cells head a project table: a project name and at least two of its facts."""
    filled = [text for text in texts if text.strip()]
    roles = [project_role(text) for text in filled]
    named = any(
        plain_header(text) in {"项目名称", "建设项目", "工程名称", "项目(工程)名称", "重点项目", "重大项目", "建设项目名称", "工程项目"}
        for text in filled
    )
    facts = {role for role in roles if role not in {None, "serial", "name"}}
    return (named and bool(facts)) or ("name" in roles and len(facts & {"nature", "start", "years", "beds", "investment"}) >= 2)


def grid_projects(grids: Sequence[Grid]) -> list[ProjectTable]:
    """Return the project tables among separated grids."""
    made: list[ProjectTable] = []
    for grid in grids:
        for index, row in enumerate(grid.rows):
            if not is_project_head([cell.text for cell in row]):
                continue
            heads = [cell.text for cell in row]
            projects = [
                one
                for line in grid.rows[index + 1 :]
                if (one := _from_cells(heads, [cell.text for cell in line], line[0].from_line, line[-1].to_line))
            ]
            if projects:
                made.append(ProjectTable(tuple(projects), row[0].from_line, grid.to_line))
            break
    return made


def _from_cells(heads: Sequence[str], cells: Sequence[str], from_line: int, to_line: int) -> Project | None:
    facts: dict[str, str] = {}
    more: list[tuple[str, str]] = []
    for head, cell in zip(heads, cells, strict=False):
        role = project_role(head)
        if role is None:
            if cell and head:
                more.append((squeeze(head), squeeze(cell)))
        elif cell and role not in facts:
            facts[role] = squeeze(cell)
    if not facts.get("name") or is_project_head(cells) or bare(facts["name"]) in {"合计", "总计", "小计"}:
        return None
    return _project(facts, tuple(more), from_line, to_line, {project_role(head): plain_header(head) for head in heads})


def _project(
    facts: dict[str, str], more: tuple[tuple[str, str], ...], from_line: int, to_line: int, heads: dict[str | None, str]
) -> Project:
    years = [int(year) for year in _YEAR.findall(facts.get("start", "") + " " + facts.get("years", ""))]
    ends = [int(year) for year in _YEAR.findall(facts.get("end", ""))]
    investment = _number(facts.get("investment"))
    if investment is not None and ("亿" in facts.get("investment", "") or "亿" in heads.get("investment", "")):
        investment *= 10_000
    return Project(
        name=facts["name"],
        unit=facts.get("unit"),
        nature=facts.get("nature"),
        start_year=years[0] if years else None,
        end_year=ends[0] if ends else years[-1] if len(years) > 1 else None,
        beds=_number(facts.get("beds")),
        convertible_beds=_number(facts.get("convertible")),
        investment_10k_yuan=investment,
        origin="table",
        from_line=from_line,
        to_line=to_line,
        more=more,
    )


def _number(text: str | None) -> float | None:
    match = re.search(DIGITS, text or "")
    return digits_value(match.group()) if match else None


def stream_projects(lines: Sequence[str], taken: frozenset[int]) -> list[ProjectTable]:
    """Return the project tables that a PDF broke into lines: a head in pieces, then rows that begin with a serial number."""
    blocks = [
        (number, re.sub(r"\s+", " ", tidy(raw)).strip())
        for number, raw in enumerate(lines, 1)
        if number not in taken and raw.strip() and not is_page_mark(raw) and not is_rule(raw)
    ]
    made: list[ProjectTable] = []
    index = 0
    while index < len(blocks):
        heads, start = _stream_head(blocks, index)
        if not heads:
            index += 1
            continue
        projects, end = _stream_rows(blocks, start, heads)
        if projects:
            made.append(ProjectTable(tuple(projects), blocks[index][0], projects[-1].to_line))
        index = max(end, index + 1)
    return made


def _stream_head(blocks: Sequence[tuple[int, str]], index: int) -> tuple[list[str], int]:
    """Return the head cells that begin at a block, joined from their pieces, and the block after them."""
    first = blocks[index][1].split()
    if (
        not first
        or len(blocks[index][1]) > 80
        or project_role(first[0]) not in {"serial", "name"}
        or "项目" not in "".join(first) + _ahead(blocks, index)
    ):
        return [], index
    pieces: list[str] = []
    end = index
    while (
        end < len(blocks)
        and len(pieces) < _MAX_HEAD
        and not _INDEX.match(blocks[end][1].split()[0])
        and len(blocks[end][1]) < 80
        and "。" not in blocks[end][1]
    ):
        pieces.extend(blocks[end][1].split())
        end += 1
    heads = _merge_head(pieces)
    return (heads, end) if is_project_head(heads) and end < len(blocks) else ([], index)


def _ahead(blocks: Sequence[tuple[int, str]], index: int) -> str:
    return "".join(text for _, text in blocks[index + 1 : index + 4])


def _merge_head(pieces: Sequence[str]) -> list[str]:
    heads: list[str] = []
    index = 0
    while index < len(pieces):
        for size in (4, 3, 2):
            joined = "".join(pieces[index : index + size])
            if (
                len(pieces) >= index + size
                and _listed_role(joined)
                and not (size == 2 and _listed_role(pieces[index]) and _listed_role(pieces[index + 1]))
            ):
                heads.append(joined)
                index += size
                break
        else:
            heads.append(pieces[index])
            index += 1
    return heads


def _stream_rows(blocks: Sequence[tuple[int, str]], start: int, heads: Sequence[str]) -> tuple[list[Project], int]:
    rows: list[list[tuple[int, str]]] = []
    index = start
    while index < len(blocks):
        number, text = blocks[index]
        first, _, rest = text.partition(" ")
        if _INDEX.match(first) and int(first) == len(rows) + 1:
            rows.append([(number, rest)] if rest else [(number, "")])
        elif not rows or len(text) > 60 or re.search(r"[。，；]", text) or _is_done(rows[-1], blocks[index + 1 : index + 5], len(rows) + 1):
            break
        else:
            rows[-1].append((number, text))
        index += 1
    return [one for row in rows if (one := _from_stream(row, heads))], index


def _is_done(row: Sequence[tuple[int, str]], ahead: Sequence[tuple[int, str]], following: int) -> bool:
    """Say whether a row that has its numbers takes no more words: no next row begins soon after them."""
    has_year = any(re.search(r"(?:^|\s)20\d\d(?:\s|$)", part) for _, part in row)
    return has_year and not any(text.split()[0] == str(following) for _, text in ahead)


def _from_stream(row: Sequence[tuple[int, str]], heads: Sequence[str]) -> Project | None:
    natures = catalogue().natures
    roles = [project_role(head) for head in heads]
    words: list[tuple[int, str]] = []
    tail: list[str] = []
    nature = ""
    for number, text in row:
        for piece in text.split():
            if piece in natures:
                nature = nature or piece
            elif re.fullmatch(rf"{DIGITS}|[-—]+|20\d\d年?(?:[-—~至]20\d\d年?)?", piece) and (nature or tail or "nature" not in roles):
                tail.append(piece)
            else:
                words.append((number, piece))
    facts = {"nature": nature} if nature else {}
    name, unit = _split_words([text for _, text in words], "unit" in roles)
    numeric = [role for role in roles if role in {"start", "end", "years", "beds", "convertible", "investment"}]
    facts.update({role: piece for role, piece in zip(numeric, tail, strict=False) if role})
    facts["name"] = name
    if unit:
        facts["unit"] = unit
    if not name:
        return None
    one = _project(facts, (), row[0][0], row[-1][0], {project_role(head): plain_header(head) for head in heads})
    missing = len(numeric) - len(tail)
    return replace(one, sure=missing <= 1 and bool(unit), note="" if missing <= 0 else f"这一行少{missing}个数值，按从左到右读")


def _split_words(words: Sequence[str], has_unit: bool) -> tuple[str, str]:
    """Part broken words into project name and unit: the unit begins where an organisation's words end the row."""
    if not has_unit or len(words) < 2:
        return "".join(words), ""
    for start in range(len(words) - 1, 0, -1):
        unit = "".join(words[start:])
        if (
            len(unit) >= 4
            and re.search(r"(?:局|委|政府|医院|中心|公司|集团|院|站|办|处|部|会|所)$", unit)
            and re.search(r"[省市区县镇乡街州旗]|某|医院|公司|集团|中心|院", unit[:8])
        ):
            return "".join(words[:start]), unit
    return "".join(words[:-1]), words[-1]


def text_projects(paragraphs: Sequence[Paragraph]) -> list[Project]:
    """Return the projects that stand as sentences in boxes on projects (……建设项目。用地……，总投资……万元)."""
    made: list[Project] = []
    for one in paragraphs:
        if one.box is None or one.kind == "box" or not ("项目" in one.box or re.search(r"投资|建筑面积|床位", one.text)):
            continue
        match = re.match(r"(?:\d{1,2}[.、．]\s*)?([^。：:；，]{4,50}(?:项目|工程|建设))[。：:，]", one.text)
        if match is None:
            continue
        facts = {key: _fact(pattern, one.text) for key, pattern in _FACTS}
        made.append(
            Project(
                name=squeeze(match.group(1)),
                unit=None,
                nature=next((word for word in sorted(catalogue().natures, key=len, reverse=True) if word in match.group(1)), None),
                start_year=None,
                end_year=None,
                beds=facts["beds"],
                convertible_beds=None,
                investment_10k_yuan=facts["investment_10k_yuan"],
                origin="text",
                from_line=one.from_line,
                to_line=one.to_line,
                more=(("内容", one.text[match.end() :]),),
            )
        )
    return made


def _fact(pattern: re.Pattern[str], text: str) -> float | None:
    match = pattern.search(text)
    if match is None:
        return None
    groups = [group for group in match.groups() if group]
    value = digits_value(groups[0])
    return value * 10_000 if groups[-1] == "亿" else value


def without_copies(projects: Sequence[Project]) -> list[Project]:
    """Return the projects with a table that is printed twice kept once; `copies` has the lines of the other print."""
    kept: dict[tuple[object, ...], Project] = {}
    for one in projects:
        key = (one.name, one.unit, one.nature, one.start_year, one.beds, one.convertible_beds, one.plan)
        if key in kept:
            kept[key] = replace(kept[key], copies=(*kept[key].copies, (one.from_line, one.to_line)))
        else:
            kept[key] = one
    return list(kept.values())
