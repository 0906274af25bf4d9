"""Numbers in running text: each with its sign, its unit and where it stands; years, serials and codes set apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.header import PLAN_ENDS
from xinglin.modules.plan.reading.numerals import DIGITS, HAN, digits_value, han_value

OPS: Final = {
    ">=": "≥|不低于|不少于|不小于|不得低于|不得少于|大于等于|至少|最低",
    "<=": "≤|不高于|不超过|不多于|不大于|不得超过|不得高于|小于等于|控制在|控制到|降至|降到|下降到|下降至|降低到|降低至|压减到|压缩到|缩短到|缩短至",
    ">": "高于|大于|超过|突破|>",
    "<": "低于|小于|少于|<",
    "=": "稳定在|保持在|维持在|约为|约",
    "": "达到|达|提高到|提高至|提升到|提升至|增长到|增长至|增加到|增加至|增至|上升到|升至|上升至|扩大到|完成|为|是",
}
_LEAD: Final = "|".join(f"(?:{words})" for words in OPS.values())
_SUFFIX: Final = r"及?以上|或以上|及?以下|或以下|以内|之内|左右|上下"
_PART: Final = rf"(?P<part>十万|百|千|万)分之(?P<partn>[{HAN}]+(?:点[{HAN}]+)?|{DIGITS})"
_FRACTION: Final = r"(?P<den>[二三四五六七八九])分之(?P<num>[一二三四五六七八])"
_TENTH: Final = r"(?P<tenth>[一二两三四五六七八九])成(?P<half>半)?(?=以上|以下|左右|的|以内|，|。|；|$)"


@dataclass(frozen=True, slots=True)
class Mention:
    """A number in a sentence.  kind: value, year, or the reason it is none (serial, code, age, per, document, name)."""

    start: int
    end: int
    kind: str
    value: float
    high: float | None
    op: str | None
    unit: str | None
    about: str
    text: str
    lead_start: int


# A measure word is none when it begins another word: 10部门, 5家庭.
_NOT_BEFORE: Final = {
    "部": "(?![门委队位署长])", "家": "(?!庭)", "人": "(?![口群员民才均])", "个": "(?![人月])", "日": "(?!间)", "名": "(?![录单])", "台": "(?!账)", "门": "(?![诊急])", "科": "(?![室学普])",
    "位": "(?![置数于])", "组": "(?!织)", "场": "(?![所馆])", "例": "(?!如)", "次": "(?!均)", "条": "(?![件例])", "支": "(?![付持撑出])", "所": "(?![有在])", "户": "(?![籍外])", "间": "(?!隔)",
    "处": "(?![理置方])", "种": "(?!植)", "天": "(?!然)", "张": "(?!家)", "期": "(?!间)", "本": "(?![科级])", "片": "(?!区)", "元": "(?!素)", "批": "(?!次)", "级": "(?=$)",
}  # fmt: skip


def _pattern() -> re.Pattern[str]:
    counters = "|".join(re.escape(word) + _NOT_BEFORE.get(word, "") for word in catalogue().counters)
    number = rf"(?P<n>{DIGITS})(?P<p1>%|‰)?(?:[-—–~～至到]+(?P<h>{DIGITS})(?P<p2>%|‰)?)?(?P<wan>万|亿)?"
    unit = rf"(?P<some>多|余)?(?P<unit>{counters}|/\s*\d*[十百千]*万(?:常住人口|人口?)?|/千(?:常住人口|人口?))?(?P<per>/(?:辆|人|千人|万人|床|张|万|10万|家|个|年|村))?"
    return re.compile(
        rf"(?P<lead>{_LEAD})?(?P<lead2>{_LEAD})?(?P<sep>[:：])?(?:{_PART}|{_FRACTION}|{_TENTH}|{number}{unit})(?P<some2>多|余)?(?P<suffix>{_SUFFIX})?",
    )


_MENTION: Final = _pattern()
_RATIO: Final = re.compile(rf"(?<=比)(?:例)?(?P<lead>{_LEAD})?1[:：∶](?P<n>\d{{1,2}}(?:\.\d{{1,3}})?)(?![\d:：∶])(?P<suffix>{_SUFFIX})?")
_HAN_COUNT: Final = re.compile(rf"(?P<n>[{HAN}]{{1,5}})(?P<unit>家|所|名|张|辆|座|个百分点)(?P<suffix>{_SUFFIX})?")
_YEAR: Final = re.compile(r"(?<!\d)(19\d\d|20\d\d)\s*(?:年|[-—–~～至]\s*(?=20\d\d\s*年))")
_PLAN_END: Final = re.compile(r"[“\"]?(十[一二三四五六]五)[”\"]?(?:时期|期)?(?:末|期末)")
_CODE_BEFORE: Final = re.compile(r"(?:第|〔|No\.?|[A-Za-z]|[“\"][^”\"]{0,6}[+＋-]?|专栏|表|图|[+×xX]|\d[:：])$")
_CODE_AFTER: Final = re.compile(r"^(?:号|〕|[+＋×]|[A-Za-z](?!CU)|级|:\d|：\d|届|类乙|世纪)")
_TITLES: Final = re.compile(r"《[^》]*》|«[^»]*»|〔\d+〕\d+号|[（(][^（）()]{1,12}〔[^（）()]*[）)]")
_LEAST: Final = re.compile(r"(至少|不低于|不少于|不超过|不高于)[^，。；、\d]{1,8}$")
_HOTLINE: Final = re.compile(r"^(?:120|110|119|122|12320|12345|12356)$")


@lru_cache(maxsize=8192)
def mentions_of(sentence: str) -> tuple[Mention, ...]:
    """Return the numbers of a sentence in order; what is no quantity is kept with its reason as kind."""
    years = [(match.start(1), match.end(1)) for match in _YEAR.finditer(sentence)]
    titles = [(match.start(), match.end()) for match in _TITLES.finditer(sentence)]
    found: list[Mention] = []
    for match in _MENTION.finditer(sentence):
        found.append(_mention(match, sentence, years, titles))
    for match in _HAN_COUNT.finditer(sentence):
        one = _han(match, sentence)
        if one and not any(other.start < one.end and one.start < other.end for other in found):
            found.append(one)
    ratios = [_ratio(match) for match in _RATIO.finditer(sentence)]
    found = [one for one in found if not any(ratio.lead_start < one.end and one.start < ratio.end for ratio in ratios)] + ratios
    return tuple(sorted(found, key=lambda one: one.start))


def _ratio(match: re.Match[str]) -> Mention:
    """Read 医护比达到1∶1.2 as 1.2; the note keeps that it is a ratio."""
    lead = match.group("lead") or ""
    op = next((op for op, words in OPS.items() if lead and re.fullmatch(words, lead)), None)
    suffix = match.group("suffix") or ""
    about = f"1:{match.group('n')}"
    return Mention(
        match.start("n"),
        match.end(),
        "value",
        float(match.group("n")),
        None,
        _combined(op or None, None, suffix),
        None,
        about,
        match.group(),
        match.start(),
    )


def _mention(match: re.Match[str], sentence: str, years: list[tuple[int, int]], titles: list[tuple[int, int]]) -> Mention:
    lead = (match.group("lead2") or match.group("lead") or "").strip()
    lead_op = next((op for op, words in OPS.items() if lead and re.fullmatch(words, lead)), None)
    strong = next((op for op, words in OPS.items() if match.group("lead") and re.fullmatch(words, match.group("lead"))), None)
    value, high, unit = _amount(match)
    op = _combined(lead_op or None, strong or None, match.group("suffix") or "")
    about = match.group("suffix") if match.group("suffix") in {"左右", "上下"} else match.group("some") or match.group("some2") or ""
    if about in {"多", "余"}:
        op = op or ">="
    elif about:
        op = op or "="
    if high is not None and op is None:
        op = "range"
    start = match.start("n") if match.group("n") else match.start(next(name for name in ("part", "den", "tenth") if match.group(name)))
    inside = any(first <= start < last for first, last in titles)
    kind = "title" if inside else _kind(match, sentence, start, years)
    if op is None and (least := _LEAST.search(sentence[max(0, match.start() - 14) : match.start()])):
        op = ">=" if least.group(1) in {"至少", "不低于", "不少于"} else "<="
    end = match.end()
    if (
        kind in {"bare", "date"}
        and sentence[end : end + 1] == "年"
        and re.search(r"(?:年限|寿命)[^，。；、\d]{0,6}$", sentence[:start][-14:])
    ):
        kind, unit, end = "value", "年", end + 1
    elif kind == "bare" and lead and re.search(r"(?:性别比|生育率|恩格尔系数|指数|得分|评分)[^，。；、\d]{0,8}$", sentence[:start][-18:]):
        kind = "value"
    return Mention(start, end, kind, value, high, op, unit, about, sentence[match.start() : end].strip(), match.start())


def _amount(match: re.Match[str]) -> tuple[float, float | None, str | None]:
    if match.group("part"):
        text = match.group("partn")
        value = digits_value(text) if text[0].isdigit() else han_value(text) or 0.0
        return value, None, {"百": "%", "千": "‰", "万": "/万", "十万": "/10万"}[match.group("part")]
    if match.group("den"):
        return round(100 * (han_value(match.group("num")) or 0) / (han_value(match.group("den")) or 1), 2), None, "%"
    if match.group("tenth"):
        value = (han_value(match.group("tenth")) or 0) * 10 + (5 if match.group("half") else 0)
        return value, None, "%"
    value = digits_value(match.group("n"))
    high = digits_value(match.group("h")) if match.group("h") else None
    unit = (match.group("wan") or "") + (match.group("unit") or "") + (match.group("per") or "")
    unit = match.group("p2") or match.group("p1") or unit
    if high is not None and high < value:
        value, high = high, value
    return value, high, unit or None


def _combined(op: str | None, strong: str | None, suffix: str) -> str | None:
    tail = ">=" if suffix.endswith("以上") else "<=" if suffix.endswith(("以下", "以内", "之内")) else None
    if strong in {">=", "<=", ">", "<"} and not (strong == "<=" and tail == ">="):
        return strong
    return tail or op or None


def _kind(match: re.Match[str], sentence: str, start: int, years: list[tuple[int, int]]) -> str:
    if any(first <= start < last for first, last in years):
        return "year"
    before, after = sentence[max(0, start - 8) : start], sentence[match.end() : match.end() + 40]
    number = match.group("n") or ""
    if (
        match.group("n")
        and not match.group("unit")
        and not match.group("p1")
        and not match.group("p2")
        and not match.group("wan")
        and not match.group("per")
    ):
        if _HOTLINE.match(number):
            return "code"
        if re.match(r"\s*(?:月|日(?!间)|年|号|时)", after) or re.search(r"\d[年月]$", before):
            return "date"
        return "bare" if not (_CODE_BEFORE.search(before) or _CODE_AFTER.match(after)) else "code"
    if _CODE_BEFORE.search(before) and not re.search(r"[（(“\"]$", before):
        return "code"
    unit = match.group("unit") or ""
    if unit == "日" and re.search(r"月$", before):
        return "date"
    if unit == "岁" and not re.search(r"寿命|期望", sentence[max(0, start - 24) : start]):
        return "age"
    if re.search(r"每$|每[^，。；]{0,2}$", before) and unit not in {"个百分点", "百分点"} and not match.group("p1"):
        return "per"
    if (
        unit in {"分钟", "小时", "天", "日"}
        and not match.group("lead")
        and not match.group("suffix")
        and not re.search(r"(?:时间|住院日|时长|天数)$", before)
    ):
        return "name"
    if (
        unit in {"类", "种", "大"}
        and not match.group("lead")
        and not re.search(r"(?:新增|开展|开设|达|形成|推广|至少)[^，。；、]{0,8}$", sentence[max(0, start - 16) : start])
    ):
        return "list"
    if unit == "级" or re.match(r"[”\"]", after) and re.search(r"[“\"]$", before):
        return "code"
    return "value"


def _han(match: re.Match[str], sentence: str) -> Mention | None:
    value = han_value(match.group("n"))
    before = sentence[max(0, match.start() - 8) : match.start()]
    if value is None or not re.search(
        r"(?:新增|新建|建成|建设|创建|打造|设立|达到|培养|引进|建立|不少于|至少|配备|改造|改扩建|扩建|迁建)$", before
    ):
        return None
    suffix = match.group("suffix") or ""
    op = _combined(">=" if re.search(r"不少于|至少", before) else None, None, suffix)
    return Mention(match.start(), match.end(), "value", value, None, op, match.group("unit"), "", match.group(), match.start())


def years_in(sentence: str) -> list[tuple[int, int, bool]]:
    """Return (position, year, compared) for every year of a sentence; compared: 较2020年, 从2015年, or inside a title 《……》."""
    found: list[tuple[int, int, bool]] = []
    titles = [match.span() for match in _TITLES.finditer(sentence)]
    for match in _YEAR.finditer(sentence):
        before = sentence[max(0, match.start() - 2) : match.start()]
        onward = re.match(r"的?基础上|相比|的水平上", sentence[match.end() :][:6])
        titled = onward is not None or any(first <= match.start() < last for first, last in titles)
        found.append((match.start(), int(match.group(1)), titled or bool(re.search(r"[较比从由自]$|[较比]?于$", before))))
    for match in _PLAN_END.finditer(sentence):
        before = sentence[max(0, match.start() - 2) : match.start()]
        found.append((match.start(), PLAN_ENDS[match.group(1)], bool(re.search(r"[较比从由自]$", before))))
    return sorted(found)
