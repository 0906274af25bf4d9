"""What is wrong with a resource: one `Problem` per finding, with a place and a sentence that says what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_PROBLEMS: Final = 200
"""A resource is reported with at most so many problems."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding.

    path: where, as `Patient.contact[0].gender`.  code: an OperationOutcome issue code.  severity: "error" or "warning".
    zh, en: what to write instead; never a value from the record.
    """

    path: str
    code: str
    severity: str
    zh: str
    en: str

    def message(self, language: str) -> str:
        """Return the sentence in `language` ("zh" or "en")."""
        return self.en if language.startswith("en") else self.zh


SENTENCES: Final[dict[str, tuple[str, str, str]]] = {
    # name: (issue code, Chinese, English)
    "not_object": ("structure", "应为 JSON 对象，例如 {hint}", "write a JSON object such as {hint}"),
    "empty_object": (
        "structure",
        "对象不能为空，请填写内容或删除该元素",
        "an object may not be empty: give it content or leave the element out",
    ),
    "empty_array": (
        "structure",
        "数组不能为空，请填写内容或删除该元素",
        "an array may not be empty: give it content or leave the element out",
    ),
    "not_array": ("structure", "该元素可重复，应写成 JSON 数组 [ ... ]", "this element repeats: write a JSON array [ ... ]"),
    "is_array": ("structure", "该元素只能出现一次，请去掉方括号", "this element occurs once: write it without square brackets"),
    "null": ("structure", "不能为 null；没有值时请删除该元素", "null is not allowed; leave the element out when there is no value"),
    "too_many": ("structure", "最多 {limit} 个", "write at most {limit}"),
    "unknown": (
        "structure",
        "FHIR R4 的 {type} 没有此元素{near}；请删除，或改用扩展（extension）",
        "R4's {type} has no such element{near}; remove it or use an extension",
    ),
    "required": ("required", "缺少必填元素 {name}，请补充", "the required element {name} is missing; add it"),
    "choice": ("structure", "{name} 只能选用一种类型，请只保留一个", "{name} may have only one type; keep one of them"),
    "no_type": (
        "structure",
        "缺少 resourceType，请写明资源类型，例如 Patient",
        "resourceType is missing; name the type of the resource, such as Patient",
    ),
    "unknown_type": (
        "not-supported",
        "resourceType 不是 FHIR R4 的资源类型，请改为例如 Patient",
        "resourceType is not a resource type of R4; write one such as Patient",
    ),
    "wrong_type": ("invalid", "resourceType 应为 {type}，与请求地址一致", "resourceType must be {type}, as in the address of the request"),
    "primitive_type": ("structure", "应为{zh}", "write {en}"),
    "primitive_format": ("value", "格式不符：应为{zh}", "the format is wrong: write {en}"),
    "empty_string": (
        "value",
        "字符串不能为空，请填写内容或删除该元素",
        "a string may not be empty: give it content or leave the element out",
    ),
    "blank_string": (
        "value",
        "字符串只有空白，请填写内容或删除该元素",
        "the string is only white space: give it content or leave the element out",
    ),
    "control": (
        "value",
        "含有不可见的控制字符，请只保留制表符、换行和可见字符",
        "there are control characters; keep only tab, line breaks and visible characters",
    ),
    "too_long": (
        "too-long",
        "超过 1 MiB（1,048,576 个字符），请缩短，或改存为附件 Binary",
        "longer than 1 MiB (1,048,576 characters); shorten it or store it as a Binary",
    ),
    "no_such_day": ("value", "日历上没有这一天，请核对年月日", "there is no such day in the calendar; check year, month and day"),
    "code": ("code-invalid", "代码不在允许范围内，可用：{codes}", "the code is not allowed here; write one of: {codes}"),
    "concept": (
        "code-invalid",
        "此处必须有值集 {url} 中的编码（system 与 code），可用：{codes}",
        "a coding (system and code) of the value set {url} is required; one of: {codes}",
    ),
    "open_code": ("code-invalid", "代码不属于值集 {url}，请改用其中的代码", "the code is not in the value set {url}; use one that is"),
    "reference_format": (
        "value",
        "引用格式不符：请写 类型/编号（如 Patient/123）、http(s) 地址、urn:uuid: 或 #内含资源编号",
        "the reference cannot be read: write Type/id (such as Patient/123), an http(s) address, urn:uuid: or #id of a contained resource",
    ),
    "reference_target": ("value", "此处只能引用：{types}", "only these types may be referred to here: {types}"),
    "reference_type": ("value", "type 与 reference 中的类型不一致，请改为相同", "type and reference name different types; make them agree"),
    "reference_contained": (
        "not-found",
        "contained 中没有该编号的资源，请补充或更正引用",
        "no contained resource has this id; add it or correct the reference",
    ),
    "contained_id": ("required", "内含资源必须有 id，请补充", "a contained resource needs an id; add one"),
    "contained_twice": ("duplicate", "内含资源的 id 重复，请改为各不相同", "two contained resources have the same id; make them differ"),
    "contained_nested": (
        "structure",
        "内含资源不能再内含资源，请移到外层的 contained",
        "a contained resource may not contain others; move them to the outer contained",
    ),
    "extension_content": (
        "invariant",
        "扩展应有一个 value[x]，或有下级 extension，二者只能居其一",
        "an extension has either one value[x] or nested extensions: give it exactly one of the two",
    ),
    "sibling_null": (
        "structure",
        "数组中的 null 只能用于对应位置有扩展的情况，请补值或删除",
        "null in an array is only for places whose _{name} carries an extension; give a value or remove it",
    ),
    "sibling_length": ("structure", "_{name} 的长度不能超过 {name}，请对齐", "_{name} may not be longer than {name}; line the two up"),
    "too_deep": ("too-costly", "嵌套超过 {limit} 层，请减少层次", "nested deeper than {limit} levels; use fewer"),
    "too_much": (
        "too-costly",
        "问题超过 {limit} 处，其余未列出；请先改正以上各处",
        "more than {limit} problems, the rest is not listed; correct these first",
    ),
}
"""Every sentence the validator can say; `{...}` are filled with names of elements, types and allowed codes only."""

WARNINGS: Final = frozenset({"blank_string"})


def problem(name: str, path: str, /, **words: object) -> Problem:
    """Return the problem called `name` of SENTENCES at a path, its sentences filled with `words`."""
    code, zh, en = SENTENCES[name]
    severity = "warning" if name in WARNINGS else "error"
    return Problem(path, code, severity, zh.format(**words), en.format(**words))
