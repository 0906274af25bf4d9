"""Paragraphs out of lines: broken lines joined again, each letter knowing its line, headings with level and path."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from xinglin.modules.plan.reading.layout import Source, is_page_mark, is_rule
from xinglin.modules.plan.reading.normal import squeeze, tidy

_HAN: Final = "一二三四五六七八九十"
_MARKS: Final = (
    (1, re.compile(rf"第[{_HAN}]{{1,3}}(?:章|部分|篇|编)\s*")),
    (2, re.compile(rf"第[{_HAN}]{{1,3}}节\s*")),
    (3, re.compile(rf"[{_HAN}]{{1,3}}[、.．]\s*")),
    (4, re.compile(rf"[（(][{_HAN}]{{1,3}}[）)]\s*[、.．]?\s*")),
    (5, re.compile(r"\d{1,2}\s*[、.．]\s*(?!\d)")),
    (6, re.compile(r"[（(]\d{1,2}[）)]\s*|\d{1,2}[）)]\s*")),
    (7, re.compile(r"[①-⑳]\s*")),
)
_BOX: Final = re.compile(rf"(?:专栏|专\s*栏)\s*(\d{{1,2}}|[{_HAN}]{{1,3}})?\s*[:：]?\s*(?=\S|$)")
_BOX_ITEM: Final = re.compile(r"0[1-9]\s*[.、．:：]?\s*(?=[一-鿿“\d])")
_BULLET: Final = re.compile(r"(?:——|—|[-*•●◆■▪·]\s)\s*")
_OTHER: Final = re.compile(r"(?:附件|附表|附录|注\s*(?:\d|\[\d+\])?\s*[:：]|备注[:：]|表\s*\d+(?![\d%])|图\s*\d+|[*※]\s*(?=[^\d\s]))")
_END: Final = re.compile(r"[。！？!?：:；;]['”\"’）)】]*$|[）)】]$")
_FULL_STOP: Final = re.compile(r"[。！？!?]['”\"’）)】]*$")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: its text, the lines under its letters, and its place.

    kind: heading, body, box (a 专栏 title), boxitem, bullet or note.  level: 1 to 7 for a heading, else 0.  number: as printed.
    title: the heading's words, or the first short sentence of a numbered paragraph.  path: titles above it.
    """

    text: str
    starts: tuple[int, ...]
    numbers: tuple[int, ...]
    kind: str
    level: int
    number: str
    title: str
    body: str
    path: tuple[str, ...] = ()
    box: str | None = None

    def line_at(self, position: int) -> int:
        """Return the line of the letter at `position` of `text`."""
        return self.numbers[max(0, bisect_right(self.starts, position) - 1)]

    @property
    def from_line(self) -> int:
        """Return the first line."""
        return self.numbers[0]

    @property
    def to_line(self) -> int:
        """Return the last line."""
        return self.numbers[-1]


@dataclass(slots=True)
class _Pending:
    parts: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


def declared_headings(source: Source) -> dict[int, int]:
    """Return the level of each line that the document itself calls a heading: HTML h1 to h6, Word styles, Markdown #."""
    levels = dict(source.headings)
    if source.format == "markdown" or any(line.startswith("## ") for line in source.lines):
        for number, raw in enumerate(source.lines, 1):
            match = re.match(r"\s{0,3}(#{1,6})\s+\S", raw)
            if match:
                levels[number] = len(match.group(1))
    return levels


def read_paragraphs(lines: Sequence[str], taken: Iterable[int], headings: Mapping[int, int]) -> list[Paragraph]:
    """Return the paragraphs of the text outside the lines `taken` (tables), with headings and paths.

    headings: line → level of declared headings; a declared heading without a number takes the rank 一、 has when its level is 2.
    """
    skipped = frozenset(taken)
    pieces = [(number, _words(raw)) for number, raw in enumerate(lines, 1) if number not in skipped and _is_text(raw)]
    pieces = [(number, text) for number, text in pieces if text]
    width = _line_width([text for _, text in pieces])
    declared = {number: level + 1 for number, text in pieces if (level := headings.get(number)) and _is_bare_heading(text, level)}
    made = [_paragraph(parts, numbers) for parts, numbers in _join(pieces, width, frozenset(declared))]
    return _with_paths([_as_heading(one, declared[one.from_line]) if one.from_line in declared else one for one in made])


def _is_bare_heading(text: str, level: int) -> bool:
    """A declared heading counts when it is short, carries no number of its own, and is not the title of the plan."""
    if _start_of(text) is not None or len(text) > 60:
        return False
    return not (level == 1 and re.search(r"(?:规划|计划|方案|纲要|意见|通知)(?:[（(].*[）)])?$|规划|公文", text))


def _as_heading(one: Paragraph, level: int) -> Paragraph:
    return replace(one, kind="heading", level=min(level, 7), title=one.text.rstrip("。:："), body="")


def _is_text(raw: str) -> bool:
    return bool(raw.strip()) and not is_page_mark(raw) and not is_rule(raw)


def _words(raw: str) -> str:
    """Return the words of a line; a tab between a short title and its text becomes a colon."""
    cells = [squeeze(_strip_marks(tidy(cell))) for cell in raw.split("\t")]
    cells = [cell for cell in cells if cell]
    return ("：" if cells and len(cells[0]) < 40 else " ").join(cells)


def _strip_marks(line: str) -> str:
    """Take off Markdown marks of headings, emphasis and quotes, keeping the words."""
    line = re.sub(r"^\s*#{1,6}\s*|^\s*>\s*", "", line)
    line = re.sub(r"^\s*[-*+]\s+(?=\S)", "——", line)
    line = re.sub(r"\*\*(.+?)\*\*|__(.+?)__", lambda match: match.group(1) or match.group(2), line)
    return re.sub(r"(?<![*\d“\"])\*([^*“”\n]{2,60})\*(?![*”\"])", r"\1", line)


def _line_width(texts: Sequence[str]) -> int:
    lengths = sorted(len(text) for text in texts)
    return lengths[len(lengths) * 8 // 10] if lengths else 0


def _join(pieces: Sequence[tuple[int, str]], width: int, alone: frozenset[int]) -> list[tuple[list[str], list[int]]]:
    joined: list[tuple[list[str], list[int]]] = []
    pending = _Pending()
    for number, text in pieces:
        if pending.parts and (number in alone or pending.numbers[0] in alone or not _continues(pending, text, width)):
            joined.append((pending.parts, pending.numbers))
            pending = _Pending()
        pending.parts.append(text)
        pending.numbers.append(number)
    if pending.parts:
        joined.append((pending.parts, pending.numbers))
    return joined


def _continues(pending: _Pending, text: str, width: int) -> bool:
    last = pending.parts[-1]
    if re.match(r"[（(]\s*(?:牵头|责任|主要责任)(?:单|部|科)", text):
        return True
    if _start_of(text) is not None or len(pending.parts) > 400:
        return False
    if _FULL_STOP.search(last):
        return width <= 60 and len(last) >= width - 2 and not _FULL_STOP.search(last[-1:]) and not last.endswith(("。", "！", "？"))
    heading = len(pending.parts) == 1 and _start_of(last) is not None and not re.search(r"[。：:]", last)
    if heading:
        run_in = "。" in text[:16]
        return width <= 60 and len(last) >= width - 3 and (run_in or (len(text) < width - 4 and not text.endswith("。")))
    if width <= 60:
        return not (len(last) < width // 2 and _END.search(last))
    return len(last) > 60 or (not _END.search(last) and (len(last) > 30 or "，" in last))


def _start_of(text: str) -> str | None:
    """Return what kind of beginning a line is: a level digit, box, boxitem, bullet, note, or None for running text."""
    if _BOX_ITEM.match(text):
        return "boxitem"
    for level, pattern in _MARKS:
        if pattern.match(text):
            return str(level)
    if _BOX.match(text) and len(text) < 60:
        return "box"
    if _BULLET.match(text):
        return "bullet"
    return "note" if _OTHER.match(text) else None


def _paragraph(parts: Sequence[str], numbers: Sequence[int]) -> Paragraph:
    text = ""
    starts: list[int] = []
    for part in parts:
        glue = (
            " "
            if text
            and text[-1].isascii()
            and text[-1].isalnum()
            and part[0].isascii()
            and part[0].isalnum()
            and not (text[-1].isdigit() and part[0].isdigit())
            else ""
        )
        starts.append(len(text) + len(glue))
        text += glue + part
    starts[0] = 0
    kind, level, number, rest = _classify(text)
    title, body = _title(kind, rest)
    return Paragraph(text, tuple(starts), tuple(numbers), kind, level, number, title, body)


def _classify(text: str) -> tuple[str, int, str, str]:
    start = _start_of(text)
    if start is None:
        return "body", 0, "", text
    if start.isdigit():
        level = int(start)
        end = next((match.end() for mark, pattern in _MARKS if mark == level and (match := pattern.match(text))), 0)
        return "heading", level, text[:end].strip(), text[end:]
    if start == "boxitem":
        return "boxitem", 0, text[:2], re.sub(r"^0\d\s*[.、．:：]?\s*", "", text)
    return start, 0, "", text


def _title(kind: str, rest: str) -> tuple[str, str]:
    """Return (title, what follows it): the whole of a bare heading, or the first sentence of a numbered paragraph."""
    if kind not in {"heading", "boxitem", "bullet"}:
        return "", rest
    rest = _BULLET.sub("", rest, count=1) if kind == "bullet" else rest
    first = re.match(r"[^。；;：:]{2,45}[。：:](?=.)", rest)
    if first:
        return first.group()[:-1], rest[first.end() :]
    if len(rest) <= 60 and not re.search(r"。.", rest):
        return rest.rstrip("。:："), ""
    return "", rest


def _with_paths(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    made: list[Paragraph] = []
    stack: list[tuple[int, str]] = []
    box: str | None = None
    for one in paragraphs:
        if one.kind == "heading":
            if one.level <= 4 or (box is not None and one.level <= 5 and not _inside_box(one, made)):
                box = None
            while stack and stack[-1][0] >= one.level:
                stack.pop()
        elif one.kind == "box":
            box = squeeze(one.text)
        path = tuple(title for _, title in stack)
        made.append(Paragraph(one.text, one.starts, one.numbers, one.kind, one.level, one.number, one.title, one.body, path, box))
        if one.kind == "heading" and box is None:
            stack.append((one.level, one.title or one.body[:20]))
    return made


def _inside_box(one: Paragraph, before: Sequence[Paragraph]) -> bool:
    """A numbered paragraph stands inside a box when it follows the box title, or an item of it numbered one less."""
    digits = re.match(r"\d+", one.number)
    if digits is None or not before:
        return False
    last = before[-1]
    if last.number.startswith("0") != one.number.startswith("0") and last.kind != "box":
        return False
    if last.kind == "box":
        return int(digits.group()) == 1
    previous = re.match(r"\d+", last.number)
    return last.box is not None and previous is not None and int(digits.group()) == int(previous.group()) + 1
