"""Sentences with their numbers: where each stands, whether it tells of the past, which year it aims at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.reading.mentions import Mention, mentions_of, years_in
from xinglin.modules.plan.reading.paragraphs import Paragraph

_PAST_HEAD: Final = re.compile(
    r"基础(?!设施|性|上|能力|医|建设|工作|支撑)|现状|成绩|成效|回顾|背景|形势|机遇|挑战|问题|短板|不足|基本情况|[“\"]?十[一二三四五]五[”\"]?时期.{0,12}(?:情况|成就|发展成|完成|取得|存在)|主要成就|发展环境|实施情况"
)
_TASK_HEAD: Final = re.compile(
    r"夯实|打牢|补齐|补短板|目标|任务|工程|行动|^(?:加快|提升|推进|强化|完善|优化|深化|加强|构建|促进|持续|全面|实施|推动|建立|着力|大力|积极|切实|统筹|创新|打造|提高|扎实|筑牢|织密|改善|培育|巩固|拓展|落实|规范)"
)
_PAST_WORDS: Final = re.compile(
    r"已(?!有|经?纳入)|累计|上升到|下降到|下降至|增加到.{0,8}年|从.{1,20}(?:增加|上升|下降|降低|提高|减少)(?:到|至)|由.{1,20}(?:增加|上升|下降|降低|提高|减少)(?:到|至)"
)
_MAY_AIM: Final = re.compile(r"累计|上升到|下降到|下降至")
_AIMS: Final = re.compile(r"到20\d\d|力争|目标|将|确保|争取|要|计划|达到?.{0,8}以上|新增|建成|建设")
_AIM_HEAD: Final = re.compile(r"目标|指标")
_LONG: Final = 600
_MOST_NUMBERS: Final = 60
_HAS_NUMBER: Final = re.compile(
    r"\d|分之|[一二两三四五六七八九]成(?![为立果功员本熟份套])|[一二三四五六七八九十]{1,3}(?:家|所|名|张|辆|座)"
)
_SPLIT: Final = re.compile(r"(?<=[。！？；;!?])")


@dataclass(frozen=True, slots=True)
class Aim:
    """Where targets of a text aim: the plan's last year, its number, and the owners of each paragraph."""

    horizon: int | None
    plan: int
    start: int | None = None

    @property
    def first(self) -> int:
        """Return the first year of the plan: from its title, else four years before its last."""
        return self.start or (self.horizon or 9999) - 4


@dataclass(frozen=True, slots=True)
class Place:
    """A sentence that holds numbers: its paragraph, where it begins there, its words, its numbers in order."""

    paragraph: Paragraph
    offset: int
    sentence: str
    mentions: tuple[Mention, ...]


def is_past_section(paragraph: Paragraph) -> bool:
    """Say whether the paragraph stands under a heading that tells of what was (发展基础, 面临形势)."""
    own = paragraph.title if paragraph.kind == "heading" and not paragraph.body else ""
    return any(_PAST_HEAD.search(title) and not _TASK_HEAD.search(title) for title in (*paragraph.path[:2], own))


def sentences_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield (where it begins, sentence); a sentence without end, as garbage has, is cut at a comma or after six hundred letters."""
    offset = 0
    for sentence in _SPLIT.split(text):
        start = 0
        while len(sentence) - start > _LONG:
            comma = sentence.rfind("，", start + 1, start + _LONG)
            end = comma + 1 if comma > start else start + _LONG
            yield offset + start, sentence[start:end]
            start = end
        yield offset + start, sentence[start:]
        offset += len(sentence)


def places_of(paragraph: Paragraph) -> Iterator[Place]:
    """Yield the sentences of a paragraph that hold numbers."""
    for offset, sentence in sentences_of(paragraph.text):
        if _HAS_NUMBER.search(sentence):
            yield Place(paragraph, offset, sentence, mentions_of(sentence))


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence with its numbers: whether it tells of what was, and the year of the plan that a sentence before it names."""

    place: Place
    is_fact: bool
    year: int | None


def told_in(paragraph: Paragraph, aim: Aim) -> Iterator[Told]:
    """Yield the sentences of a paragraph that hold numbers, each in the light of those before it.

    A sentence of more than sixty numbers is no sentence but a heap of them, and is left out here; the coverage tells its numbers.
    """
    year: int | None = None
    past = False
    aims = any(_AIM_HEAD.search(title) for title in paragraph.path[-2:])
    for place in places_of(paragraph):
        if len(place.mentions) > _MOST_NUMBERS:
            continue
        fact = is_fact(place.sentence, aim, aims or year is not None)
        named = any(not compared for _, _, compared in years_in(place.sentence))
        past = fact if named else past and not _AIMS.search(place.sentence)
        yield Told(place, fact or past, year)
        year = _named_year(place.sentence, aim) or year


def _named_year(sentence: str, aim: Aim) -> int | None:
    years = [found for _, found, compared in years_in(sentence) if not compared and found <= (aim.horizon or found)]
    return max(years) if years and max(years) >= (aim.first if aim.horizon else 0) else None


def is_fact(sentence: str, aim: Aim, aims: bool = False) -> bool:
    """Say whether a sentence tells of what was: its years lie before the plan, or its words say 已, 累计, 从……上升到.

    aims: whether the sentences before it aim at a year of the plan, so that 下降到 alone tells of a target.
    """
    years = [year for _, year, compared in years_in(sentence) if not compared]
    if years:
        return max(years) < aim.first and not re.search(r"到20\d\d年", sentence)
    words = _MAY_AIM.sub("", sentence) if aims and not re.search(r"[从由].{1,20}(?:到|至)", sentence) else sentence
    return bool(_PAST_WORDS.search(words)) and not re.search(r"到20\d\d|力争|目标", sentence)


def year_before(sentence: str, position: int) -> int | None:
    """Return the last year named before a position, years of comparison (较2020年) left out."""
    years = [year for place, year, compared in years_in(sentence) if not compared and place < position]
    return years[-1] if years else None


def line_of(place: Place, position: int) -> int:
    """Return the line of the letter at a position of the sentence."""
    return place.paragraph.line_at(place.offset + position)
