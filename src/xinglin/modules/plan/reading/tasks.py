"""Tasks of a plan: the numbered hierarchy under its task chapters, each with sentence and responsible units; and box texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from xinglin.modules.plan.reading.model import Box, Footnote, Task
from xinglin.modules.plan.reading.owners import without_owners
from xinglin.modules.plan.reading.paragraphs import Paragraph
from xinglin.modules.plan.reading.sentences import is_past_section

_NO_TASK: Final = re.compile(
    r"指导思想|基本原则|规划原则|总体要求|总体思路|(?:总体|发展|主要|具体|规划|工作)目标|主要指标|具体指标|规划背景|编制(?:背景|依据)|规划期限|规划范围|名词解释|前言|目录|附件|附表"
)
_NOTE: Final = re.compile(r"^(?:注\s*(?:\d|\[\d+\])?\s*[:：]|备注\s*[:：]|说明\s*[:：]|[*※△▲☆★]\s*)")
_MARKS: Final = re.compile(r"标?有?[“\"'‘]?\s*\\?([*※△▲☆★#①-⑩]|\[\d+\])\s*[”\"'’]?")
_LONG: Final = 40


def tasks_of(paragraphs: Sequence[Paragraph], owners: Sequence[tuple[str, ...]], plan: int) -> list[Task]:
    """Return the tasks in the order of print: every heading of a task chapter and every paragraph with a leading sentence under it."""
    made: list[Task] = []
    for index, (one, responsible) in enumerate(zip(paragraphs, owners, strict=True)):
        if not _is_task_place(one, paragraphs[: index + 1]):
            continue
        if one.kind == "heading":
            made.append(_heading(one, paragraphs, index, responsible, plan))
        elif one.kind in {"body", "bullet", "boxitem"}:
            task = _paragraph(one, responsible, plan)
            if task is not None:
                made.append(task)
    return made


def _is_task_place(one: Paragraph, before: Sequence[Paragraph]) -> bool:
    titles = (*one.path, one.title)
    if is_past_section(one) or any(_NO_TASK.search(title) for title in titles if title):
        return False
    return bool(one.path) or one.kind == "heading"


def _heading(one: Paragraph, paragraphs: Sequence[Paragraph], index: int, owners: tuple[str, ...], plan: int) -> Task:
    last = index
    body = one.body
    while (
        last + 1 < len(paragraphs) and paragraphs[last + 1].kind not in {"heading", "box", "note"} and paragraphs[last + 1].box == one.box
    ):
        last += 1
        body += paragraphs[last].text
    title = one.title or without_owners(body)[:_LONG]
    return Task(
        number=one.number,
        title=title,
        text=without_owners(body),
        level=len(one.path) + 1,
        path=one.path,
        owners=owners,
        box=one.box,
        from_line=one.from_line,
        to_line=paragraphs[last].to_line,
        sure=bool(one.title),
        note="" if one.title else "没有单独的标题，取开头的字",
        plan=plan,
    )


def _paragraph(one: Paragraph, owners: tuple[str, ...], plan: int) -> Task | None:
    text = one.body if one.kind in {"bullet", "boxitem"} else one.text
    first = re.match(r"[^。；，、：:]{4,30}[。：:](?=.)", text)
    title = one.title or (first.group()[:-1] if first else "")
    if not title:
        return None
    rest = text[first.end() :] if first and not one.title else text
    return Task(
        number=one.number,
        title=title,
        text=without_owners(rest),
        level=len(one.path) + 1,
        path=one.path,
        owners=owners,
        box=one.box,
        from_line=one.from_line,
        to_line=one.to_line,
        plan=plan,
    )


def boxes_of(paragraphs: Sequence[Paragraph]) -> list[Box]:
    """Return the box texts (专栏): number, title, items.  A box title repeated on the next page continues the box."""
    made: list[Box] = []
    index = 0
    while index < len(paragraphs):
        one = paragraphs[index]
        if one.kind != "box":
            index += 1
            continue
        end = index + 1
        while end < len(paragraphs) and paragraphs[end].box == one.box and paragraphs[end].kind != "box":
            end += 1
        made.append(_box(one, paragraphs[index + 1 : end]))
        index = end
    return _joined(made)


def _box(head: Paragraph, inside: Sequence[Paragraph]) -> Box:
    match = re.match(r"专\s*栏\s*([\d一二三四五六七八九十]*)\s*[:：]?\s*(.*)", head.text)
    number, title = (match.group(1), match.group(2).strip("：: ")) if match else ("", head.text)
    items: list[tuple[str, str, str]] = []
    for one in inside:
        if one.kind in {"heading", "boxitem", "bullet"} or not items:
            items.append((one.number, one.title, one.body if one.title else one.text))
        else:
            items[-1] = (items[-1][0], items[-1][1], items[-1][2] + one.text)
    return Box(number, title, tuple(items), head.from_line, inside[-1].to_line if inside else head.to_line)


def _joined(boxes: Sequence[Box]) -> list[Box]:
    made: list[Box] = []
    for box in boxes:
        last = made[-1] if made else None
        if last and (last.number, last.title) == (box.number, box.title) and box.from_line - last.to_line < 6:
            made[-1] = Box(last.number, last.title, last.items + box.items, last.from_line, box.to_line)
        else:
            made.append(box)
    return made


def footnotes_of(paragraphs: Sequence[Paragraph]) -> list[Footnote]:
    """Return the notes under tables and texts (注：标“*”数据以……为准), with the mark each explains."""
    made: list[Footnote] = []
    for one in paragraphs:
        if not _NOTE.match(one.text) or len(one.text) > 400:
            continue
        mark = _MARKS.search(one.text[:24])
        made.append(Footnote(mark.group(1) if mark else "", one.text, one.from_line, one.to_line))
    return made
