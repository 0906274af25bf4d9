"""The reference pages, written from the definitions: what each says, in Chinese and English, where it is written and on what it rests."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from xinglin.definitions.forms import Form, Item
from xinglin.definitions.language_page import language_page
from xinglin.definitions.load import Catalogue
from xinglin.definitions.model import Definition, Words
from xinglin.definitions.shipped import definition_folders, shipped_catalogue, shipped_forms
from xinglin.definitions.source import Source
from xinglin.definitions.words import say

_KINDS: Final = {
    "measure": Words("指标", "Measures"),
    "programme": Words("服务程序", "Programmes"),
    "worklist": Words("工作清单", "Work lists"),
    "classification": Words("分类", "Classifications"),
    "calculator": Words("计算", "Calculators"),
    "terms": Words("术语", "Terms"),
}
_STATUS: Final = {
    "national": Words("国家口径", "national"),
    "local": Words("本地口径", "local"),
    "unverified": Words("待核对原文", "to be checked against the text"),
}
_HEAD: Final = "<!-- Written by `xinglin docs` from the definitions; change those, not this page. -->\n\n"
_CONDITIONS: Final = (
    ("population", "对象", "Population"),
    ("denominator", "分母", "Denominator"),
    ("numerator", "分子", "Numerator"),
    ("unknown", "不明", "Unknown"),
    ("applies", "适用", "Applies to"),
    ("due_from", "可做起", "Due from"),
    ("due_by", "应做止", "Due by"),
    ("lost_after", "逾此视为失访", "Lost after"),
    ("value", "算法", "Value"),
)


def reference_pages() -> dict[str, str]:
    """Return file name (relative to docs/reference) → text, of every definition and form the modules bring."""
    catalogue = shipped_catalogue()
    forms = shipped_forms(catalogue.changes()[-1])
    pages = {f"definitions/{source.id}{_vintage(catalogue, source)}.md": _page(catalogue, source) for source in catalogue.sources}
    pages |= {f"definitions/form-{form.id}.md": _form_page(form) for form in forms.values()}
    pages["definitions/language.md"] = _HEAD + language_page()
    return {"definitions/README.md": _index(catalogue, forms.values()), **pages}


def _vintage(catalogue: Catalogue, source: Source) -> str:
    shared = sum(other.id == source.id for other in catalogue.sources) > 1
    return f"-{source.effective_from.isoformat()}" if shared else ""


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *(list(row) for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |\n" for line in lines)


def _index(catalogue: Catalogue, forms: Iterable[Form]) -> str:
    text = (
        _HEAD
        + "# 定义 Definitions\n\n由定义文件生成；`xinglin docs --check` 在过期时报错。Written from the definition files.\n\n[表达式 The expression language](language.md)\n"
    )
    for kind, words in _KINDS.items():
        rows = [
            (
                f"[{source.id}]({source.id}{_vintage(catalogue, source)}.md)",
                source.data["zh"],
                source.data["en"],
                _STATUS[source.data["status"]].zh,
            )
            for source in sorted(catalogue.sources, key=lambda source: source.path)
            if source.data["kind"] == kind
        ]
        if rows:
            text += f"\n## {words.zh} {words.en}\n\n" + _table(("id", "名称", "name", "依据"), rows)
    rows = [(f"[{form.id}](form-{form.id}.md)", form.words.zh, form.words.en, _STATUS[form.status].zh) for form in forms]
    return text + "\n## 表单 Forms\n\n" + _table(("id", "名称", "name", "依据"), rows)


def _page(catalogue: Catalogue, source: Source) -> str:
    data = source.data
    text = _HEAD + f"# {data['zh']} · {data['en']}\n\n"
    checked = "已核对原文 checked" if data["verified"] else "未核对原文 not checked against the text"
    status = _STATUS[data["status"]]
    until = f" – {source.effective_to}" if source.effective_to else ""
    text += _table(
        ("", ""),
        [
            ("id", f"`{source.id}`"),
            ("种类 kind", f"{_KINDS[data['kind']].zh} {data['kind']}"),
            ("文件 file", f"`{source.path}`"),
            ("出处 source", data["source"]),
            ("条款 clause", data.get("clause", "")),
            ("依据 status", f"{status.zh} {status.en}；{checked}"),
            ("生效 in force", f"{source.effective_from}{until}"),
        ],
    )
    for note in ("note_zh", "note_en"):
        text += f"\n{data[note]}\n" if data.get(note) else ""
    definitions = {item.base: item for item in catalogue.edition(source.effective_from).definitions.values()}
    if source.id in definitions:
        text += _conditions(source, definitions[source.id])
    return text + _names(source) + _sections(source)


def _conditions(source: Source, definition: Definition) -> str:
    rows = [(f"{zh} {en}", f"`{' '.join(source.data[key].split())}`") for key, zh, en in _CONDITIONS if key in source.data]
    text = "\n## 规则 Rule\n\n" + _table(("", ""), rows)
    if definition.inputs:
        text += "\n" + _table(("输入 input", "类型 kind"), [(f"`{name}`", str(kind)) for name, kind in definition.inputs.items()])
    for evidence in source.data.get("evidence", []):
        text += f"\n- 证据 evidence: `{evidence}`"
    return text + "\n"


def _names(source: Source) -> str:
    text = ""
    rows: list[tuple[str, ...]]
    lets: Mapping[str, Any] = source.data.get("let", {})
    if lets:
        rows = [
            (f"`{name}`", told["zh"], told["en"], f"`{' '.join(told['is'].split())}`")
            for name, told in lets.items()
            if isinstance(told, dict)
        ]
        text += "\n## 名词 Names\n\n" + _table(("name", "中文", "English", "is"), rows)
    if source.data.get("parameter"):
        rows = [
            (f"`{name}`", f"`{told['value']}`", told.get("unit", told.get("zh", "")), told.get("source", ""))
            for name, told in source.data["parameter"].items()
        ]
        # A number of its own origin says so; the others have the source and clause of the definition.
        text += "\n## 参数 Parameters\n\n" + _table(("name", "value", "", "source"), rows)
    if source.data.get("code_set"):
        rows = [(f"`{name}`", ", ".join(told["codes"]), told["zh"], told["source"]) for name, told in source.data["code_set"].items()]
        text += "\n## 代码集 Code sets\n\n" + _table(("name", "codes", "", "source"), rows)
    return text


def _sections(source: Source) -> str:
    text = ""
    rows: list[tuple[str, ...]]
    if source.data.get("variant"):
        rows = [
            (f"`{told['id']}`", told["zh"], told["en"], "默认 default" if told.get("default") else "", str(told.get("parameters", "")))
            for told in source.data["variant"]
        ]
        text += "\n## 变体 Variants\n\n" + _table(("id", "中文", "English", "", "parameters"), rows)
    if source.data.get("exclusion"):
        rows = [(f"`{told['reason']}`", told["zh"], told["en"], f"`{told['when']}`") for told in source.data["exclusion"]]
        text += "\n## 剔除及原因 Exclusions\n\n" + _table(("reason", "中文", "English", "when"), rows)
    if source.data.get("classes"):
        rows = [(f"`{code}`", told["zh"], told["en"]) for code, told in source.data["classes"].items()]
        text += "\n## 类别 Classes\n\n" + _table(("code", "中文", "English"), rows)
    if source.data.get("state"):
        text += "\n## 状态 State\n\n" + _table(("name", "is"), [(f"`{name}`", f"`{told}`") for name, told in source.data["state"].items()])
    if source.data.get("advice"):
        rows = [(f"`{told['when']}`", told["zh"], told["en"]) for told in source.data["advice"]]
        text += "\n## 怎样改变结果 What would change it\n\n" + _table(("when", "中文", "English"), rows)
    return text


def _form_page(form: Form) -> str:
    text = _HEAD + f"# {form.sheet.zh} · {form.sheet.en}\n\n"
    status = _STATUS[form.status]
    text += _table(
        ("", ""),
        [
            ("questionnaire", f"`{form.canonical}`"),
            ("文件 file", f"`{form.place.path}`"),
            ("出处 source", form.source),
            ("条款 clause", form.clause),
            ("依据 status", f"{status.zh} {status.en}"),
        ],
    )
    for section, words in form.sections.items():
        rows = [_item_row(item) for item in form.items if item.section == section]
        head = ("linkId", "中文", "English", "类型 type", "取值 values", "必填 required", "沿用 carried", "LOINC")
        text += f"\n## {words.zh} {words.en}\n\n" + _table(head, rows)
    if form.derived:
        data = tomllib.loads(_text_of(form))
        text += "\n## 由答案得出 Derived\n\n" + _table(
            ("name", "is"), [(f"`{name}`", f"`{told}`") for name, told in data["derived"].items()]
        )
    return text


def _text_of(form: Form) -> str:
    folders = [folder.parent / "forms" for folder in definition_folders()]
    return next(file for folder in folders for file in folder.glob("*.toml") if file.name == Path(form.place.path).name).read_text(
        encoding="utf-8"
    )


def _item_row(item: Item) -> tuple[str, ...]:
    if item.choices:
        values = " ".join(f"{choice.code}{choice.words.zh}" for choice in item.choices)
    elif item.least is not None or item.most is not None:
        values = f"{item.least:g}–{item.most:g} {item.unit}" if item.least is not None and item.most is not None else item.unit
    else:
        values = " ".join(f"`{inner.link_id}`" for inner in item.items)
    required = "" if item.required is None else "是 yes" if say(item.required, "en") == "yes" else say(item.required, "zh")
    kind = f"{item.type}（计算 computed）" if item.computed is not None else item.type
    return (f"`{item.link_id}`", item.words.zh, item.words.en, kind, values, required, "是 yes" if item.carry else "", item.loinc)
