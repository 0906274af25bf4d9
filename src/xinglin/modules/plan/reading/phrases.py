"""The words around a number: which of them name the thing that is measured."""

from __future__ import annotations

import re
from typing import Final

_VERBS: Final = (
    "新增(?!劳动力)|新建|新改建|改扩建|改建|扩建|迁建|建设|建成|建立|建强|打造|创建|争创|培育|培养|引进|评定|选拔|选取|选派|组建|设立|设置|形成并推广|形成|推广|完善|推动|推进|支持|"
    "最终|严格执行|严格落实|力争|确保|实现|争取|努力|全面|继续|逐步|成功|启动|完成|配备|配置|配建|储备|开展|实施|达到|拥有|增加|增设|新招录|招录|招聘|招收|遴选|命名|认定|申报|获批|评选|落实|保持|提高|提升|使|将|把|对|按照|依托|"
    "至少有|至少|每年|共有|总计|其中|加快|加强|积极|大力|进一步|稳步|持续|同步|为|是|和|及|以及|或|并|且|由|原则上|改造|升级|购置|投放|优化|巩固|合计|新设|通过|不少于|不低于|在全[省市区县]|在(?=二级|三级|各|全)"
)
_LEAD_VERBS: Final = re.compile(rf"^(?:{_VERBS})+(?=\S)")
_TRAIL_VERBS: Final = re.compile(rf"(?:{_VERBS}|的|数量|总数|均|分别|各|都|已|约|近|占到|占|控制|左右|标准)+$")
_TIME: Final = re.compile(
    r"^(?:[，,、：:\s]|(?:[三五]年|规划期|[“\"]?十[一二三四五六]五[”\"]?)(?:内|期间|累计)?(?=引进|新|培|建|招|完)|(?:力争|争取|确保)?(?:到|至|截至|在|于)?(?:20\d\d年?[、和及])*(?:20\d\d年|[“\"]?十[一二三四五六]五[”\"]?(?:时期|期间|期)?)(?:底|末|期末|年底|年末)?(?:之?前|以前|底前)?|力争|届时|其中|同时|此外|到期末|规划期末|期末|今后五年|五年内|通过[^，]{0,20}，)+"
)
_LIST_EXAMPLES: Final = re.compile(r"^.*等$")
_STANDARD: Final = re.compile(r"^(?:的)?(?:标准|比例|要求)?(?:为|来|进行)?(?:核定|配备|配置|设置|配套建设|配套|建设|配建|安排|设立|落实)")
RATE_WORD: Final = re.compile(
    r"(?:率|比例|年限|占比|比重|水平|素养|寿命|面|数|人数|强度|天数|住院日|支出|收入|规模|总量|总额|密度|间|比|度|床位|面积|时间|费用|人员|人口)$"
)
GENERIC: Final = re.compile(r"^(?:覆盖率|占比|比例|达标率|达标比例|满意度|总数|总量|合格率|完成率|知晓率|增长率|负压型|其中.{0,4})$")


def clean_subject(text: str, *, linked: bool = False) -> str:
    """Return the words before a number as a name: without the year, leading and trailing verbs.

    linked: a word such as 达到 joined it to the number, so that what ends it is part of the name (……标准化建设达到90%).
    """
    word = re.sub(r"^(?:[（(]\d{1,2}[）)]|[①-⑳]|\d{1,2}[.．、](?=[一-鿿]))\s*", "", text.strip(" ，,、；;：:—"))
    for _ in range(4):
        shorter = _TIME.sub("", word).strip(" ，,、；;：:")
        if shorter == word:
            break
        word = shorter
    if linked or RATE_WORD.search(word):
        return strip_lead(re.sub(r"(?:分别|均|已|都|力争|要|应)$", "", word))
    if word.endswith("的"):
        return strip_lead(word[:-1])
    word = _TRAIL_VERBS.sub("", word)
    word = "" if _LIST_EXAMPLES.match(word) and len(word) > 3 else word
    return strip_lead(word)


def strip_lead(word: str) -> str:
    """Return the words without the verbs they begin with, when something is left."""
    lead = _LEAD_VERBS.match(word)
    rest = word[lead.end() :] if lead else word
    return rest.strip(' ，,、；;：:“”"的') if len(rest) > 1 else "" if lead and len(rest) == 0 else word.strip(" ，,、；;：:")


def clean_object(text: str, *, counted: bool) -> str:
    """Return the words behind a number as a name: up to the next separator, brackets kept whole.

    counted: the number counts things (1个, 12家): words after 在, 以 are circumstances and are left out.
    """
    word = re.sub(r"^(?:的标准为?|的|左右的|以上的|以上|以内|左右)(?!配|核|设)", "", text.strip())
    standard = _STANDARD.match(word)
    if standard and standard.end() > 1:
        word = word[standard.end() :]
    word = _until_separator(word)
    if counted:
        cut = re.search(r"(?<=[^\s]{3})(?:在(?!内)|以(?!上|下)|用于|力争|，)", word)
        word = word[: cut.start()] if cut else word
    word = re.sub(r"(?<=[^\s])(?:[和及与]|以及)$", "", word.strip(' ，,、；;：:“"'))
    return word if "“" in word else word.strip("”")


def is_standard(text: str) -> bool:
    """Say whether the words behind a number begin with 的标准核定, 的标准配备: what is measured follows."""
    match = _STANDARD.match(text.strip())
    return match is not None and match.end() > 1


def _until_separator(word: str) -> str:
    depth = 0
    for index, letter in enumerate(word):
        if letter in "（(“《":
            depth += 1
        elif letter in "）)”》":
            if depth == 0:
                return word[:index]
            depth -= 1
        elif depth == 0 and (letter in "，,。；;！？：:" or (letter in "、" and index >= 2)):
            return word[:index]
    return word


def last_clause(text: str) -> str:
    """Return what stands after the last separator outside brackets and quotes."""
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        letter = text[index]
        if letter in "）)”》":
            depth += 1
        elif letter in "（(“《":
            if depth == 0:
                return text[index + 1 :]
            depth -= 1
        elif (
            depth == 0
            and letter in "，,。；;！？：:"
            and not (letter == "," and text[index - 1 : index].isdigit() and text[index + 1 : index + 2].isdigit())
        ):
            return text[index + 1 :]
    return text
