"""Every Chinese text of the pages has its English, and no template holds a text that cannot be translated."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import xinglin.web
from xinglin.web.i18n import read_words

WEB = Path(xinglin.web.__file__).parent
CHINESE = re.compile(r"[\u3400-\u9fff]")
CALL = re.compile(r"\b_\(\s*'((?:[^'\\]|\\.)*)'|\b_\(\s*\"((?:[^\"\\]|\\.)*)\"")


def template_messages() -> dict[str, str]:
    return {a or b: path.name for path in WEB.glob("templates/**/*.html") for a, b in CALL.findall(path.read_text(encoding="utf-8"))}


def _constants(tree: ast.AST) -> list[str]:
    """Chinese string constants that are neither docstrings, nor arguments of an error, nor patterns."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        if (
            name.endswith("Error")
            or isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("pick", "compile", "join", "replace")
        ):
            skipped.update(id(inner) for inner in ast.walk(node))
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return [node.value for node in strings if id(node) not in skipped and CHINESE.search(node.value)]


def python_messages() -> dict[str, str]:
    files = [path for path in WEB.rglob("*.py") if "fhir" not in path.relative_to(WEB).parts]
    return {text: path.name for path in files for text in _constants(ast.parse(path.read_text(encoding="utf-8")))}


def missing() -> dict[str, str]:
    english = read_words()["en"].entries
    return {
        text: place for text, place in {**template_messages(), **python_messages()}.items() if CHINESE.search(text) and text not in english
    }


def test_every_chinese_text_has_its_english() -> None:
    assert missing() == {}


def test_templates_hold_no_chinese_outside_the_translation_call() -> None:
    loose = {}
    for path in WEB.glob("templates/**/*.html"):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        rest = CALL.sub("", text).replace("'中文'", "")
        if CHINESE.search(rest):
            loose[path.name] = CHINESE.findall(rest)
    assert loose == {}


def test_english_entries_keep_the_placeholders() -> None:
    english = read_words()["en"].entries
    assert [zh for zh, en in english.items() if set(re.findall(r"\{(\w+)\}", zh)) != set(re.findall(r"\{(\w+)\}", en))] == []


def test_english_entries_are_all_used() -> None:
    used = template_messages().keys() | python_messages().keys()
    assert [zh for zh in read_words()["en"].entries if zh not in used] == []
