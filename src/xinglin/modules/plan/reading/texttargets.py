"""Targets in running text: “到2027年，……达到70%”, 建设30个……, each with name, sign, year, owners and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from xinglin.modules.plan.reading.assemble import BY_CATALOGUE, direction_sign, fingerprint
from xinglin.modules.plan.reading.mentions import Mention, mentions_of, years_in
from xinglin.modules.plan.reading.model import Indicator, OtherValue, TextFact
from xinglin.modules.plan.reading.names import split_names
from xinglin.modules.plan.reading.paragraphs import Paragraph
from xinglin.modules.plan.reading.phrases import GENERIC, RATE_WORD, clean_object, clean_subject, is_standard, last_clause

_RATES: Final = frozenset({"%", "‰", "/万", "/10万", "个百分点", "百分点", "倍"})
_FACT_UNITS: Final = _RATES | {"岁", "张", "人", "名", "天"}
_PAST_HEAD: Final = re.compile(
    r"基础(?!设施|性|上|能力|医|建设|工作|支撑)|现状|成绩|成效|回顾|背景|形势|机遇|挑战|问题|短板|不足|基本情况|[“\"]?十[一二三四五]五[”\"]?时期.{0,12}(?:情况|成就|发展成|完成|取得|存在)|主要成就|发展环境|实施情况"
)
_TASK_HEAD: Final = re.compile(
    r"夯实|打牢|补齐|补短板|目标|任务|工程|行动|^(?:加快|提升|推进|强化|完善|优化|深化|加强|构建|促进|持续|全面|实施|推动|建立|着力|大力|积极|切实|统筹|创新|打造|提高|扎实|筑牢|织密|改善|培育|巩固|拓展|落实|规范)"
)
_PAST_WORDS: Final = re.compile(
    r"已(?!有|经?纳入)|累计|上升到|下降到|下降至|增加到.{0,8}年|从.{1,20}(?:增加|上升|下降|降低|提高|减少)(?:到|至)|由.{1,20}(?:增加|上升|下降|降低|提高|减少)(?:到|至)"
)
_SPLIT: Final = re.compile(r"(?<=[。！？；;!?])")
_GROWTH: Final = re.compile(
    r"(?:年均|每年|逐年|平均每年|年|比20\d\d年|较20\d\d年|累计)?(?:均)?(增长|增速|提高|提升|增加|上升|下降|降低|减少|压减)(?:率|幅度)?(?:达到|达|约|不低于|不少于|超过|控制在|为)?$"
)
_SITE: Final = re.compile(r"(?:占地|用地|建筑|总)面积|占地$|总投资|^投资|拟投资|容积率|建筑密度|绿地率|停车位")
_PER_HEAD: Final = re.compile(r"每([\d.~～—-]+[万千百]?(?:名|个)?(?:人口?|村|户))")
_LINKED: Final = re.compile(r"^[、和及与,，]\s*$|^以及$")
_PREDICATE: Final = re.compile(r"(?:提供|达到|具备|建有|配备|设有|设置|开展|纳入|通过|完成|实现|独立设置|能够|全部|建成)")


@dataclass(frozen=True, slots=True)
class Aim:
    """Where targets of a text aim: the plan's last year, its number, and the owners of each paragraph."""

    horizon: int | None
    plan: int


@dataclass(frozen=True, slots=True)
class _Place:
    paragraph: Paragraph
    offset: int
    sentence: str
    mentions: tuple[Mention, ...]


def is_past_section(paragraph: Paragraph) -> bool:
    """Say whether the paragraph stands under a heading that tells of what was (发展基础, 面临形势)."""
    own = paragraph.title if paragraph.kind == "heading" and not paragraph.body else ""
    return any(_PAST_HEAD.search(title) and not _TASK_HEAD.search(title) for title in (*paragraph.path[:2], own))


def text_targets(paragraphs: Sequence[Paragraph], aim: Aim, owners: Sequence[tuple[str, ...]], taken: dict[str, int]) -> list[Indicator]:
    """Return the targets of running text; `owners` has the responsible units of each paragraph."""
    found: list[Indicator] = []
    for paragraph, responsible in zip(paragraphs, owners, strict=True):
        if is_past_section(paragraph) or paragraph.kind == "note":
            continue
        for one in _targets_of(paragraph, aim):
            found.append(replace(one, owners=responsible, plan=aim.plan, fingerprint=fingerprint("text" + one.printed + one.name, taken)))
    return found


def text_facts(paragraphs: Sequence[Paragraph], aim: Aim) -> list[TextFact]:
    """Return the rates of the past that the text states with a name; of 由75.9提高到77.4 the value reached."""
    facts: list[TextFact] = []
    for paragraph in paragraphs:
        for place in _places(paragraph):
            if is_past_section(paragraph) or _is_fact(place.sentence, aim):
                facts.extend(_facts_of(place))
    return facts


def _facts_of(place: _Place) -> Iterator[TextFact]:
    from_name = ""
    for index, mention in enumerate(place.mentions):
        if mention.kind != "value" or mention.unit not in _FACT_UNITS:
            continue
        name = re.split(r"[从由](?!业|事)", _rate_name(place, index, ""))[0]
        if re.search(r"[从由](?:20\d\d年)?[^，。；\d]{0,10}$", place.sentence[: mention.lead_start]):
            from_name = name
            continue
        reached = re.search(r"(?:到|至|为)(?:20\d\d年的?)?$", place.sentence[: mention.start])
        name = from_name if from_name and reached else name
        from_name = ""
        name = re.sub(r"^(?:20\d\d年)?(?:全[区市县]|我[区市县])?", "", name)
        if RATE_WORD.search(name):
            yield TextFact(name, mention.value, mention.unit, _year_before(place.sentence, mention.start), _line(place, mention.start))


def _places(paragraph: Paragraph) -> Iterator[_Place]:
    offset = 0
    for sentence in _SPLIT.split(paragraph.text):
        if re.search(
            r"[\d]|分之|[一二两三四五六七八九]成(?![为立果功员本熟份套])|[一二三四五六七八九十]{1,3}(?:家|所|名|张|辆|座)", sentence
        ):
            yield _Place(paragraph, offset, sentence, tuple(mentions_of(sentence)))
        offset += len(sentence)


def _is_fact(sentence: str, aim: Aim) -> bool:
    years = [year for _, year, compared in years_in(sentence) if not compared]
    first = (aim.horizon or 9999) - 4
    if years:
        return max(years) < first and not re.search(r"到20\d\d年", sentence)
    return bool(_PAST_WORDS.search(sentence)) and not re.search(r"到20\d\d|力争|目标", sentence)


def _targets_of(paragraph: Paragraph, aim: Aim) -> Iterator[Indicator]:
    year: int | None = None
    previous = ""
    for place in _places(paragraph):
        if _is_fact(place.sentence, aim):
            continue
        for one in _sentence_targets(place, aim, year, previous):
            previous = one.name
            yield one
        stated = [
            found
            for _, found, compared in years_in(place.sentence)
            if not compared and (aim.horizon or found) - 4 <= found <= (aim.horizon or found)
        ]
        year = stated[-1] if stated else year


def _sentence_targets(place: _Place, aim: Aim, year: int | None, previous: str) -> Iterator[Indicator]:
    index = 0
    while index < len(place.mentions):
        run = _run_length(place, index)
        if place.mentions[index].kind != "value":
            index += 1
            continue
        made = list(_run_targets(place, index, run, previous)) if run > 1 else []
        if not made:
            one = _single(place, index, previous)
            made, run = ([one] if one else []), 1
        for one in made:
            one = _with_head(one, previous)
            previous = one.name
            yield _with_year(one, place, place.mentions[index].start, aim, year)
        index += run


def _with_head(one: Indicator, previous: str) -> Indicator:
    """Give 每千人口 of the name before to 执业医师数, when the value can only be per head."""
    head = re.match(r"(?:全[省市区县]|到20\d\d年)?(每(?:千|万)(?:名)?(?:常住)?人口?)", previous)
    if (
        head is None
        or "每" in one.name
        or one.unit not in {"人", "名", "张", "个"}
        or not re.match(r"(?:执业|注册|全科|医师|护士|床位|托位|公共卫生|中医)", one.name)
    ):
        return one
    if one.target_value is None or one.target_value >= 50:
        return one
    note = "；".join(part for part in (one.note, f"承前加“{head.group(1)}”") if part)
    return replace(one, name=head.group(1) + one.name, note=note)


def _run_length(place: _Place, index: int) -> int:
    """Count mentions that follow each other with nothing but 、 between: 90%、80%、60%."""
    run = 1
    while index + run < len(place.mentions):
        one, following = place.mentions[index + run - 1], place.mentions[index + run]
        if following.kind != "value" or one.unit != following.unit or not _LINKED.match(place.sentence[one.end : following.lead_start]):
            break
        run += 1
    return run


def _run_targets(place: _Place, index: int, run: int, previous: str) -> Iterator[Indicator]:
    """Pair n names with n values; n years with n values of one name become one target with others."""
    name = _rate_name(place, index, previous)
    mentions = place.mentions[index : index + run]
    before = place.sentence[: mentions[0].lead_start]
    years = [year for _, year, compared in years_in(before) if not compared]
    if len(years) >= run and "分别" in before:
        years = years[-run:]
        name = re.sub(r"分别$", "", name)
        rest = tuple(
            OtherValue(year, None, one.value, one.high, _sign(name, one, [])) for year, one in zip(years[:-1], mentions[:-1], strict=True)
        )
        yield replace(_make(place, mentions[-1], name, mentions[0]), others=rest, target_year=years[-1])
        return
    whole = clean_subject(re.sub(r"分别(?:为|达到?|达)?$", "", _subject_text(place, index, keep_lists=True)))
    names = split_names(re.sub(r"分别.*$", "", whole), run)
    if names is None:
        return
    shared = mentions[-1].op or mentions[0].op
    for one, text in zip(mentions, names, strict=True):
        yield _make(place, replace(one, op=one.op or shared), text, mentions[0])


def _subject_text(place: _Place, index: int, *, keep_lists: bool = False) -> str:
    mention = place.mentions[index]
    begin = 0
    if index and not keep_lists:
        last = place.mentions[index - 1]
        begin = last.end if last.kind in {"value", "bare"} else 0
        between = place.sentence[begin : mention.lead_start]
        if begin and not re.search(r"[，,。；;：:]", between) and "、" in between:
            return between.rpartition("、")[2]
    return last_clause(place.sentence[begin : mention.lead_start])


def _after_text(place: _Place, index: int) -> str:
    mention = place.mentions[index]
    if re.match(r"[、，,；;。]|[和及与](?![一-鿿]{0,3}[率数])|以及", place.sentence[mention.end :]):
        return ""
    end = len(place.sentence)
    for other in place.mentions[index + 1 :]:
        if other.kind == "value":
            end = other.lead_start
            break
    return place.sentence[mention.end : end]


def _single(place: _Place, index: int, previous: str) -> Indicator | None:
    mention = place.mentions[index]
    if mention.unit in _RATES or (mention.unit or "").startswith("/"):
        name = _rate_name(place, index, previous)
        return _make(place, mention, name, mention, previous) if name and not _SITE.search(name) else None
    return _count(place, index, previous)


def _rate_name(place: _Place, index: int, previous: str) -> str:
    before = _subject_text(place, index)
    mention = place.mentions[index]
    subject = clean_subject(before, linked=mention.lead_start < mention.start)
    raw_after = place.sentence[mention.end :]
    after = clean_object(_after_text(place, index), counted=False)
    if is_standard(raw_after) and after:
        return after
    if re.search(r"[和及与、]\s*$", before):
        subject = ""
    subject = re.sub(r"按照?(?:辖区)?(?:常住人口|服务人口|户籍人口|人口)?(?:总数)?的?$", "", subject)
    if subject and (RATE_WORD.search(subject) or not after or mention.lead_start < mention.start or _GROWTH.search(before)):
        return _full(re.sub(r"(?:分别|均)$", "", _without_growth(subject)), previous)
    if not subject:
        if not after and previous and any(other.kind == "value" for other in place.mentions[:index]):
            return previous
        return _lone(place, index, after, previous) if after else _earlier(place, index)
    return subject + after if not before.rstrip().endswith(("达到", "达", "为")) else subject


def _without_growth(subject: str) -> str:
    word = re.sub(r"(?:年均|每年|逐年)?(?:增长|提高|下降|降低|增加|减少|上升)$", "", subject)
    return re.sub(r"(?:较|比|在)(?:20\d\d年|基期|十[一二三四五]五[”末]*)(?:的?基础上)?$", "", word)


def _lone(place: _Place, index: int, after: str, previous: str) -> str:
    """Name a rate that opens its clause: 85%以上的区属医院……; in a list its predicate comes from the last of the list."""
    if _PREDICATE.match(after) and (found := _PREDICATE.search(previous)) and found.start() > 2:
        return previous[: found.start()] + after
    tail = _after_text(place, index).rstrip()
    if tail.endswith(("、", "和", "及")) and index + 1 < len(place.mentions) and not _PREDICATE.search(after):
        last = clean_object(_after_text(place, index + 1), counted=False)
        predicate = _PREDICATE.search(last)
        return after.rstrip("和及") + (last[predicate.start() :] if predicate else "")
    return after


def _earlier(place: _Place, index: int) -> str:
    """Name a rate whose subject stands in the clause before: “……服务，达到70%”."""
    before = place.sentence[: place.mentions[index].lead_start].rstrip("，,、；;：: ")
    return clean_subject(last_clause(before))


def _full(subject: str, previous: str) -> str:
    if (
        GENERIC.match(subject)
        and previous
        and subject in {"覆盖率", "占比", "比例", "达标率", "达标比例", "满意度"}
        and not RATE_WORD.search(previous)
    ):
        return previous + subject
    return subject


def _count(place: _Place, index: int, previous: str) -> Indicator | None:
    mention = place.mentions[index]
    if mention.unit is None:
        return None
    before = _subject_text(place, index)
    linked = mention.lead_start < mention.start and not re.search(
        r"^(?:至少|不少于|不低于)", place.sentence[mention.lead_start : mention.start]
    )
    subject, after = _without_growth(clean_subject(before, linked=linked)), clean_object(_after_text(place, index), counted=True)
    raw_after = _after_text(place, index)
    reasons: tuple[str, ...] = ()
    if re.fullmatch(r".{0,6}(?:规模|面积|人口|投资)", after) and index + 1 < len(place.mentions):
        after = clean_object(_after_text(place, index + 1), counted=True) or after
    per = _PER_HEAD.search(subject)
    unit = mention.unit
    if per:
        lead = clean_subject(subject[: per.start()])
        keep = not after and len(lead) > 1
        subject = lead if keep else subject[per.start() :]
        unit = f"{mention.unit}/{per.group(1)}" if keep else unit
    if (
        re.match(r"[^，。；、]{0,4}的(?:街道|乡镇|行政村|村|社区|医院|机构|地区|县|企业|人员)", raw_after)
        or re.match(r"的", raw_after)
        and mention.op in {"<", ">"}
    ):
        name = re.sub(r"^的", "", after) + subject.rpartition("、")[2]
        reasons = ("像是条件，不一定是目标",)
    elif not after or re.match(r"^(?:的|左右)?$", after):
        name = re.sub(r"(?:的|达到|达)$", "", subject)
    elif RATE_WORD.search(subject) and mention.lead_start < mention.start:
        name = subject
    elif subject and not re.search(r"[、]", subject) and len(subject) <= 20 and not before.rstrip().endswith(("的", "等")):
        name = subject + after
    else:
        name = after
    if len(name) < 2:
        name = _full(name, previous) or previous
        reasons = ("名称从上文推定",)
    if len(name) < 2 or (_SITE.search(name) and mention.unit in {"平方米", "万平方米", "亩", "万元", "亿元", "辆", "个"}):
        return None
    one = replace(_make(place, mention, name, mention, previous), unit=unit)
    return replace(one, sure=one.sure and not reasons, reasons=one.reasons + reasons)


def _sign(name: str, mention: Mention, notes: list[str]) -> str | None:
    if mention.op:
        return mention.op
    sign = direction_sign(name) if mention.unit in _RATES or RATE_WORD.search(name) else None
    if sign:
        notes.append(BY_CATALOGUE)
        return sign
    notes.append("目标无符号，按等于处理")
    return "="


def _make(place: _Place, mention: Mention, name: str, first: Mention, previous: str = "") -> Indicator:
    notes: list[str] = []
    growth = _GROWTH.search(place.sentence[: mention.start])
    value = mention.value
    if growth and not re.search(r"(?:到|至)$", place.sentence[: mention.start]):
        op: str | None = "grow"
        value = -value if growth.group(1) in {"下降", "降低", "减少", "压减"} else value
        notes.append(growth.group() + mention.text)
    else:
        op = _sign(name, mention, notes)
    if mention.about:
        notes.append(f"原文“{mention.about}”")
    if GENERIC.match(name) and previous:
        notes.append(f"承前：{previous}")
    doubts = (
        ("名称很短，可能不全",) if len(name) < 4 and not RATE_WORD.search(name) else ("名称很长，可能含多余的字",) if len(name) > 45 else ()
    )
    return Indicator(
        name=name,
        parent=None,
        category=place.paragraph.path[-1] if place.paragraph.path else None,
        unit=mention.unit,
        base_year=None,
        base_value=None,
        bases=(),
        target_year=None,
        target_op=op,
        target_value=value,
        target_high=mention.high,
        others=(),
        kind=None,
        owners=(),
        origin="text",
        from_line=_line(place, min(first.lead_start, mention.lead_start)),
        to_line=_line(place, mention.end - 1),
        sure=not doubts,
        note="；".join(notes),
        reasons=doubts,
        printed=place.sentence.strip(),
    )


def _with_year(one: Indicator, place: _Place, position: int, aim: Aim, carried: int | None) -> Indicator:
    if one.target_year is not None:
        return one
    stated = _year_before(place.sentence, position)
    if stated is not None and stated >= (aim.horizon or 0) - 4:
        return replace(one, target_year=stated)
    words = "年份承前句" if carried else "文中未写年份，按规划期末"
    note = "；".join(part for part in (one.note, words) if part)
    return replace(one, target_year=carried or aim.horizon, note=note)


def _year_before(sentence: str, position: int) -> int | None:
    years = [year for place, year, compared in years_in(sentence) if not compared and place < position]
    return years[-1] if years else None


def _line(place: _Place, position: int) -> int:
    return place.paragraph.line_at(place.offset + position)
