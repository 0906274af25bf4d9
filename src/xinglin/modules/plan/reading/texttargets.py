"""Targets in running text: “到2027年，……达到70%”, 建设30个……, each with name, sign, year, owners and lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from xinglin.modules.plan.reading.assemble import AS_PRINTED, BY_CATALOGUE, BY_MOVEMENT, direction_sign, fingerprint
from xinglin.modules.plan.reading.mentions import Mention, years_in
from xinglin.modules.plan.reading.model import Base, Indicator, OtherValue
from xinglin.modules.plan.reading.moves import Move, base_behind, moves_of
from xinglin.modules.plan.reading.names import split_names
from xinglin.modules.plan.reading.naming import GROWTH, PREDICATE, RATES, SITE, count_name, rate_name, subject_text
from xinglin.modules.plan.reading.paragraphs import Paragraph
from xinglin.modules.plan.reading.phrases import GENERIC, RATE_WORD, clean_subject, last_clause
from xinglin.modules.plan.reading.sentences import Aim, Place, is_past_section, line_of, told_in, year_before

_LONGEST_RUN: Final = 8
_GROWTH_LETTERS: Final = 24
_LABEL: Final = re.compile(
    r"(?:[（(]?\d{1,2}[）).、．]\s*|[①-⑳]\s*|——|—)?(?P<name>[一-鿿（）()\d]{3,40})[：:]\s*(?:[到至]?20\d\d年(?:底|末)?[，,]?)?(?:力争|争取)?"
)
_LINKED: Final = re.compile(r"^[、和及与,，]\s*$|^以及$")


def text_targets(paragraphs: Sequence[Paragraph], aim: Aim, owners: Sequence[tuple[str, ...]], taken: dict[str, int]) -> list[Indicator]:
    """Return the targets of running text; `owners` has the responsible units of each paragraph."""
    found: list[Indicator] = []
    for paragraph, responsible in zip(paragraphs, owners, strict=True):
        if is_past_section(paragraph) or paragraph.kind == "note":
            continue
        for one in _targets_of(paragraph, aim):
            found.append(replace(one, owners=responsible, plan=aim.plan, fingerprint=fingerprint("text" + one.printed + one.name, taken)))
    return found


def _targets_of(paragraph: Paragraph, aim: Aim) -> Iterator[Indicator]:
    previous = ""
    for told in told_in(paragraph, aim):
        if told.is_fact:
            continue
        for one in _sentence_targets(told.place, aim, told.year, previous):
            previous = one.name
            yield one


def _sentence_targets(place: Place, aim: Aim, year: int | None, previous: str) -> Iterator[Indicator]:
    index = 0
    moves = moves_of(place)
    bases = {move.base for move in moves.values()}
    while index < len(place.mentions):
        if place.mentions[index].kind != "value" or index in bases:
            index += 1
            continue
        if index in moves:
            moved = _moved(place, moves[index], previous)
            previous = moved.name
            yield _with_year(moved, place, place.mentions[index].start, aim, year)
            index += 1
            continue
        run = _run_length(place, index)
        made = list(_run_targets(place, index, run, previous)) if run > 1 else []
        if not made:
            one = _single(place, index, previous)
            made, run = ([one] if one else []), 1
        behind = base_behind(place, index) if run == 1 and made else None
        if behind is not None and behind[1] < aim.first:
            bases.add(behind[0])
            made = [_on_base(made[0], Base(behind[1], place.mentions[behind[0]].value))]
        for one in made:
            one = _with_head(one, previous)
            previous = one.name
            yield _with_year(one, place, place.mentions[index].start, aim, year)
        index += run


def _on_base(one: Indicator, base: Base) -> Indicator:
    return replace(one, bases=(base,), base_year=base.year, base_value=base.value)


def _moved(place: Place, move: Move, previous: str) -> Indicator:
    """Return the target of 由……提高到……, with its base."""
    mention = place.mentions[move.target]
    name = clean_subject(last_clause(place.sentence[: move.name_end]), linked=True) or previous
    one = _make(place, replace(mention, lead_start=mention.start), name, place.mentions[move.base])
    if AS_PRINTED in one.note and one.target_op == "=":
        one = replace(one, target_op="<=" if move.falls else ">=", note=one.note.replace(AS_PRINTED, BY_MOVEMENT))
    return replace(_on_base(one, Base(move.base_year, place.mentions[move.base].value)), target_year=move.target_year)


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


def _run_length(place: Place, index: int) -> int:
    """Count mentions that follow each other with nothing but 、 between: 90%、80%、60%."""
    run = 1
    while index + run < len(place.mentions) and run < _LONGEST_RUN:
        one, following = place.mentions[index + run - 1], place.mentions[index + run]
        told_apart = "分别" in place.sentence[: one.lead_start]
        if (
            following.kind != "value"
            or (one.unit != following.unit and not told_apart)
            or not _LINKED.match(place.sentence[one.end : following.lead_start])
        ):
            break
        run += 1
    return run


def _run_targets(place: Place, index: int, run: int, previous: str) -> Iterator[Indicator]:
    """Pair n names with n values; n years with n values of one name become one target with others."""
    name = rate_name(place, index, previous)
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
    whole = clean_subject(re.sub(r"分别(?:为|达到?|达)?$", "", subject_text(place, index, keep_lists=True)))
    names = split_names(re.sub(r"分别.*$", "", whole), run)
    if names is None:
        return
    shared = mentions[-1].op or mentions[0].op
    for one, text in zip(mentions, names, strict=True):
        yield _make(place, replace(one, op=one.op or shared), text, mentions[0])


def _single(place: Place, index: int, previous: str) -> Indicator | None:
    mention = place.mentions[index]
    label = _LABEL.fullmatch(place.sentence[: mention.lead_start])
    if label and RATE_WORD.search(label.group("name")):
        return _make(place, mention, label.group("name"), mention, previous)
    if mention.unit is None or mention.unit in RATES or (mention.unit or "").startswith("/"):
        name = rate_name(place, index, previous)
        return _make(place, mention, name, mention, previous) if name and not SITE.search(name) else None
    named = count_name(place, index, previous)
    if named is None:
        return None
    one = replace(_make(place, mention, named.name, mention, previous), unit=named.unit)
    return replace(one, sure=one.sure and not named.reasons, reasons=one.reasons + named.reasons)


def _names_only_who(name: str, previous: str, mention: Mention) -> bool:
    """Say whether a share has a name that only names who: 基层机构达到60%, where the measure stands in the target before."""
    linked = mention.lead_start < mention.start
    return linked and bool(RATE_WORD.search(previous)) and not RATE_WORD.search(name) and not PREDICATE.search(name)


def _sign(name: str, mention: Mention, notes: list[str]) -> str | None:
    if mention.op:
        return mention.op
    bare_name = re.sub(r"[（(](?:不?含|包括)[^（）()]*[）)]$", "", name)
    sign = direction_sign(name) if mention.unit in RATES or RATE_WORD.search(bare_name) else None
    if sign:
        notes.append(BY_CATALOGUE)
        return sign
    if mention.unit == "%" and PREDICATE.search(name):
        notes.append("目标无符号，做到某事的比例按不低于处理")
        return ">="
    notes.append(AS_PRINTED)
    return "="


def _is_rate_of_growth(before: str, mention: Mention) -> bool:
    """Say whether 增长率 is the name of what is kept within bounds (人口自然增长率控制在7‰以内), and no pace."""
    return bool(re.search(r"自然增长率[^，。；\d]{0,6}$", before)) or (
        mention.op in {"<=", "<"} and bool(re.search(r"增[长幅]率?[^，。；\d]{0,6}$", before))
    )


def _make(place: Place, mention: Mention, name: str, first: Mention, previous: str = "") -> Indicator:
    notes: list[str] = []
    before = place.sentence[max(0, mention.start - _GROWTH_LETTERS) : mention.start]
    growth = GROWTH.search(before)
    value = mention.value
    if growth and not before.endswith(("到", "至")) and not _is_rate_of_growth(before, mention):
        op: str | None = "grow"
        value = -value if growth.group(1) in {"下降", "降低", "减少", "压减"} else value
        notes.append(growth.group() + mention.text)
    else:
        op = _sign(name, mention, notes)
    if mention.about:
        notes.append(f"原文“{mention.about}”")
    if GENERIC.match(name) and previous:
        notes.append(f"承前：{previous}")
    if mention.unit in RATES and _names_only_who(name, previous, mention):
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
        from_line=line_of(place, min(first.lead_start, mention.lead_start)),
        to_line=line_of(place, mention.end - 1),
        sure=not doubts,
        note="；".join(notes),
        reasons=doubts,
        printed=place.sentence.strip(),
    )


def _with_year(one: Indicator, place: Place, position: int, aim: Aim, carried: int | None) -> Indicator:
    if one.target_year is not None:
        return one
    stated = year_before(place.sentence, position)
    if stated is not None and stated >= (aim.first if aim.horizon else 0):
        return replace(one, target_year=stated)
    words = "年份承前句" if carried else "文中未写年份，按规划期末"
    note = "；".join(part for part in (one.note, words) if part)
    return replace(one, target_year=carried or aim.horizon, note=note)
