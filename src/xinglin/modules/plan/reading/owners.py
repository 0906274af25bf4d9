"""Responsible units named behind a task: （责任单位：市卫健委、市医保局）, （区卫健局牵头，区财政局配合）."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from xinglin.modules.plan.reading.assemble import split_owners
from xinglin.modules.plan.reading.paragraphs import Paragraph

_LABEL: Final = r"(?:牵头|责任|配合|参与|主要|主责|实施|协同|共同|负责|承办)*(?:责任)?(?:单位|部门|主体|科室|处室)"
_BRACKET: Final = re.compile(rf"[（(【\[]\s*{_LABEL}\s*[:：]?\s*((?:[^（()）【】\[\]]|[（(][^（()）]{{0,40}}[）)]){{1,400}})[）)】\]]")
_PLAIN: Final = re.compile(rf"(?:^|。|；)\s*{_LABEL}\s*[:：]\s*([^。]{{1,400}})")
_CHARGE: Final = re.compile(
    r"[（(]([^（）()]{2,160}?)(?:按照?(?:各自)?职责(?:分工)?|分别)?(?:负责|牵头(?:负责)?|落实)(?:[，,；;]\s*([^（）()]{2,160}?)(?:参与|配合|参加|按职责分工负责|负责))?[）)]"
)
_INNER: Final = re.compile(rf"[；;，,]?\s*{_LABEL}\s*[:：]\s*")


def owners_in(text: str) -> tuple[str, ...]:
    """Return the responsible units that a text names, in order.

    >>> owners_in("提升能力。（责任单位：市卫健委、市医保局）")
    ('市卫健委', '市医保局')
    """
    found: list[str] = []
    for match in _BRACKET.finditer(text):
        found.extend(split_owners(_INNER.sub("、", match.group(1))))
    if not found:
        for match in _CHARGE.finditer(text):
            for group in match.groups():
                found.extend(split_owners(re.sub(r"牵头|负责", "", group or "")))
    if not found:
        for match in _PLAIN.finditer(text):
            found.extend(split_owners(_INNER.sub("、", match.group(1).strip("）)】] "))))
    return tuple(dict.fromkeys(name for name in found if 1 < len(name) <= 24))


def without_owners(text: str) -> str:
    """Return the text without its bracket of responsible units."""
    return _BRACKET.sub("", text).strip()


def owners_of(paragraphs: Sequence[Paragraph]) -> list[tuple[str, ...]]:
    """Return the responsible units of each paragraph: its own, else those named at the end of the numbered item it belongs to."""
    own = [owners_in(paragraph.text) for paragraph in paragraphs]
    result = list(own)
    for index in range(len(paragraphs) - 1, -1, -1):
        if own[index] or index + 1 >= len(paragraphs):
            continue
        following = paragraphs[index + 1]
        same_item = following.path == paragraphs[index].path and following.kind != "heading"
        opened = (
            paragraphs[index].kind == "heading" and following.kind != "heading" and len(following.path) == len(paragraphs[index].path) + 1
        )
        if same_item or opened:
            result[index] = result[index + 1]
    return result
