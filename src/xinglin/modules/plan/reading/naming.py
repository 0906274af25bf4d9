"""What a number in running text measures: the name made from the words before and behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from xinglin.modules.plan.reading.phrases import GENERIC, RATE_WORD, clean_object, clean_subject, is_standard, last_clause
from xinglin.modules.plan.reading.sentences import Place

RATES: Final = frozenset({"%", "‰", "/万", "/10万", "个百分点", "百分点", "倍"})
GROWTH: Final = re.compile(
    r"(?:年均|每年|逐年|平均每年|年|比20\d\d年|较20\d\d年|累计)?(?:均)?(增长|增速|提高|提升|增加|上升|下降|降低|减少|压减)(?:率|幅度)?(?:达到|达|约|不低于|不少于|超过|控制在|为)?$"
)
SITE: Final = re.compile(r"(?:占地|用地|建筑|总)面积|占地$|总投资|^投资|拟投资|容积率|建筑密度|绿地率|停车位")
_PER_HEAD: Final = re.compile(r"每([\d.~～—-]+[万千百]?(?:名|个)?(?:人口?|村|户))")
PREDICATE: Final = re.compile(r"(?:提供|达到|具备|建有|配备|设有|设置|开展|纳入|通过|完成|实现|独立设置|能够|全部|建成)")
_CONJUNCTION: Final = re.compile(r"(?:[、和与]|以?及|并)\s*$")
_CONDITION: Final = re.compile(r"[^，。；、]{0,4}的(?:街道|乡镇|行政村|村|社区|医院|机构|地区|县|企业|人员)")
_SITE_UNITS: Final = frozenset({"平方米", "万平方米", "亩", "万元", "亿元", "辆", "个"})


@dataclass(frozen=True, slots=True)
class Named:
    """The name of what a number counts, the unit with its base (辆/3-5万人), and why the name is a guess."""

    name: str
    unit: str
    reasons: tuple[str, ...] = ()


def subject_text(place: Place, index: int, *, keep_lists: bool = False) -> str:
    """Return the words before a number back to the last separator or number; keep_lists: over 、 and earlier numbers too."""
    mention = place.mentions[index]
    begin = 0
    if index and not keep_lists:
        last = place.mentions[index - 1]
        begin = last.end if last.kind in {"value", "bare"} else 0
        between = place.sentence[begin : mention.lead_start]
        if begin and not re.search(r"[，,。；;：:]", between) and "、" in between:
            return between.rpartition("、")[2]
    return last_clause(place.sentence[begin : mention.lead_start])


def _after_text(place: Place, index: int) -> str:
    mention = place.mentions[index]
    if re.match(r"[、，,；;。]|[和及与](?![一-鿿]{0,3}[率数])|以及", place.sentence[mention.end :]):
        return ""
    end = len(place.sentence)
    for other in place.mentions[index + 1 :]:
        if other.kind == "value":
            end = other.lead_start
            break
    return place.sentence[mention.end : end]


def _whole_after(place: Place, index: int) -> str:
    """Return the words behind a share up to the next number of a list; over a number that belongs to them (县设置1所医院)."""
    words = _after_text(place, index)
    if not words or not place.mentions[index + 1 :] or re.search(r"(?:[、，,；;]|[和及与])\s*$", words):
        return words
    return place.sentence[place.mentions[index].end :]


def rate_name(place: Place, index: int, previous: str) -> str:
    """Return what a share or rate measures; `previous` is the name of the target before, for words that lean on it."""
    before = subject_text(place, index)
    mention = place.mentions[index]
    subject = clean_subject(before, linked=mention.lead_start < mention.start)
    raw_after = place.sentence[mention.end :]
    after = clean_object(_whole_after(place, index), counted=False)
    if is_standard(raw_after) and after:
        return after
    if _CONJUNCTION.search(before):
        subject = ""
    if raw_after.startswith("的") and after and mention.lead_start < mention.start and not RATE_WORD.search(subject):
        return after
    subject = re.sub(r"按照?(?:辖区)?(?:常住人口|服务人口|户籍人口|人口)?(?:总数)?的?$", "", subject)
    if subject and (RATE_WORD.search(subject) or not after or mention.lead_start < mention.start or GROWTH.search(before)):
        return _full(re.sub(r"(?:分别|均)$", "", _without_growth(subject)), previous)
    if not subject:
        if (
            not after
            and previous
            and (mention.lead_start < mention.start or any(other.kind == "value" for other in place.mentions[:index]))
        ):
            return previous
        return _lone(place, index, after, previous) if after else _earlier(place, index)
    return subject + after if not before.rstrip().endswith(("达到", "达", "为")) else subject


def _without_growth(subject: str) -> str:
    word = re.sub(r"(?:年均|每年|逐年)?(?:增长|提高|下降|降低|增加|减少|上升)$", "", subject)
    word = re.sub(r"(?:力争|争取|预计|年均|每年|逐年)$", "", word)
    return re.sub(r"(?:较|比|在)(?:20\d\d年|基期|十[一二三四五]五[”末]*)(?:的?基础上)?$", "", word)


def _lone(place: Place, index: int, after: str, previous: str) -> str:
    """Name a rate that opens its clause: 85%以上的区属医院……; in a list its predicate comes from the last of the list."""
    if PREDICATE.match(after) and (found := PREDICATE.search(previous)) and found.start() > 2:
        return previous[: found.start()] + after
    tail = _after_text(place, index).rstrip()
    if tail.endswith(("、", "和", "及")) and index + 1 < len(place.mentions) and not PREDICATE.search(after):
        last = clean_object(_after_text(place, index + 1), counted=False)
        predicate = PREDICATE.search(last)
        return after.rstrip("和及") + (last[predicate.start() :] if predicate else "")
    return after


def _earlier(place: Place, index: int) -> str:
    """Name a rate whose subject stands in the clause before: “……服务，达到70%”."""
    before = place.sentence[: place.mentions[index].lead_start].rstrip("，,、；;：: ")
    return clean_subject(last_clause(before))


def _full(subject: str, previous: str) -> str:
    """Complete a name that leans on the one before: 覆盖率 of a counted thing, 占GDP比重 of an amount."""
    if not previous:
        return subject
    if subject.startswith("占") and not previous.startswith("占"):
        return re.sub(r"占.*$", "", previous) + subject
    return previous + subject if GENERIC.match(subject) and not RATE_WORD.search(previous) else subject


def count_name(place: Place, index: int, previous: str) -> Named | None:
    """Return what a counted number counts (30个中医馆, 床位200张), or None when it is a fact of a building site or has no name."""
    mention = place.mentions[index]
    if mention.unit is None:
        return None
    words = place.sentence[mention.lead_start : mention.start]
    linked = bool(words) and not re.search(r"^(?:至少|不少于|不低于)", words)
    before, behind = subject_text(place, index), _after_text(place, index)
    subject = "" if _CONJUNCTION.search(before) else _without_growth(clean_subject(before, linked=linked))
    after = _counted_object(place, index, behind)
    subject, unit = _per_head(subject, after, mention.unit)
    if _CONDITION.match(behind) or (behind.startswith("的") and mention.op in {"<", ">"}):
        named = Named(re.sub(r"^的", "", after) + subject.rpartition("、")[2], unit, ("像是条件，不一定是目标",))
    else:
        named = Named(_joined(subject, after, linked, before), unit)
    if len(named.name) < 2:
        named = Named(_full(named.name, previous) or previous, unit, ("名称从上文推定",))
    if len(named.name) < 2 or (SITE.search(named.name) and mention.unit in _SITE_UNITS):
        return None
    return named


def _counted_object(place: Place, index: int, behind: str) -> str:
    """Return the words behind; 3家规模超过8000平方米的社区中心 counts what stands behind the second number."""
    after = clean_object(behind, counted=True)
    if re.fullmatch(r".{0,6}(?:规模|面积|人口|投资)", after) and index + 1 < len(place.mentions):
        return clean_object(_after_text(place, index + 1), counted=True) or after
    return after


def _per_head(subject: str, after: str, unit: str) -> tuple[str, str]:
    """Return subject and unit of 救护车达到每3-5万人1辆: 救护车 in 辆/3-5万人; where the thing follows, the base leads its name."""
    per = _PER_HEAD.search(subject)
    if per is None:
        return subject, unit
    lead = clean_subject(subject[: per.start()])
    if not after and len(lead) > 1:
        return lead, f"{unit}/{per.group(1)}"
    return subject[per.start() :], unit


def _joined(subject: str, after: str, linked: bool, before: str) -> str:
    if not after or after in {"的", "左右"}:
        return re.sub(r"(?:的|达到|达)$", "", subject)
    if linked and RATE_WORD.search(subject):
        return subject
    if subject and "、" not in subject and len(subject) <= 20 and not before.rstrip().endswith(("的", "等")):
        return subject + after
    return after
