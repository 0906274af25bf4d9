"""Check what STYLE promises and a machine can see: docstrings, errors in both languages, reasons for broad excepts, no leftovers.

Each rule is a function that yields sentences; a sentence names the place and says what to write instead.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "xinglin"
BANNED_NAMES = re.compile(r"(^|_)(utils?|misc|helpers?|managers?|common)$")
# Spelt in pieces, so that this file is not what it looks for.
LEFTOVERS = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK|(?<!0 )for" + r" now(?![,_]))\b|raise NotImplemented" + r"Error\b")
MACHINE_PLACES = re.compile(r"(?<![\w.])/(work|root|home/\w+)/|file:/" + r"//|https?://(localhost|10\.|192\.168)[\w.:]*/(simple|pypi|npm)")
TEXTS = (".py", ".md", ".toml", ".sql", ".html", ".js", ".css", ".sh", ".yml", ".yaml", ".json", ".in", ".txt")
EXEMPT = ("package-lock.json",)
SETTINGS = "src/xinglin/base/settings.py"
# Variables that only tests and measurements read.
TEST_VARIABLES = re.compile(r"XINGLIN_SHARED|XINGLIN_BENCH(_\w*)?")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
BOTH_LANGUAGES = re.compile(r"^(Definition|Incorrect|NotFound|Conflict|Forbidden|Unsupported|Busy|Unavailable|Fault)Error$")


def tracked() -> list[Path]:
    """Return the text files git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    found = [ROOT / name for name in listed if name.endswith(TEXTS) and Path(name).name not in EXEMPT]
    return [path for path in found if path.exists()]


def leftovers(path: Path, text: str) -> Iterator[str]:
    """Yield where something was left for later, or a place of one machine was written down."""
    for number, line in enumerate(text.splitlines(), 1):
        if LEFTOVERS.search(line):
            yield f"{path}:{number} leaves something for later; do it, or leave it out and say so in an issue"
        if MACHINE_PLACES.search(line):
            yield f"{path}:{number} names a place of one machine; write a relative path"


def docstrings(path: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the public modules, classes, functions and methods without a docstring."""
    if not ast.get_docstring(tree) and tree.body:
        yield f"{path}:1 the module has no docstring; say its one subject"
    for holder, inside in [(tree, ""), *((node, f"{node.name}.") for node in tree.body if isinstance(node, ast.ClassDef))]:
        if inside.startswith("_"):
            continue
        for node in holder.body:
            is_public = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if is_public and not ast.get_docstring(node) and not _is_field(node):
                yield f"{path}:{node.lineno} {inside}{node.name} has no docstring; say what comes back or what changes"


def _is_field(node: ast.stmt) -> bool:
    """Say whether a node is a field of a protocol (a property whose body is `...`), which the docstring of its class describes."""
    return isinstance(node, ast.FunctionDef) and bool(node.decorator_list) and ast.unparse(node.body[-1]) == "..."


def errors(path: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the errors of ours that do not say it in Chinese first and in English second."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and BOTH_LANGUAGES.match(node.func.id):
            told = [_words(part) for part in node.args if not isinstance(part, ast.Starred)]
            if any(isinstance(part, ast.Starred) for part in node.args):
                continue
            if len(told) < 2:
                yield f"{path}:{node.lineno} {node.func.id} says it in one language; give Chinese, then English"
            elif told[0] and not CHINESE.search(told[0]) or told[1] and CHINESE.search(told[1]):
                yield f"{path}:{node.lineno} {node.func.id} has its languages mixed up; give Chinese, then English"


def _words(part: ast.expr) -> str:
    """Return the literal words of an argument, "" where it is made elsewhere."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    if isinstance(part, ast.JoinedStr):
        return "".join(str(piece.value) for piece in part.values if isinstance(piece, ast.Constant))
    return ""


def broad_excepts(path: Path, text: str) -> Iterator[str]:
    """Yield the broad excepts that give no reason behind their `noqa`."""
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"BLE" + r"001(?!\W+\w+)", line):
            yield f"{path}:{number} catches everything without a reason; write it behind the noqa"


def variables(path: Path, text: str, known: frozenset[str]) -> Iterator[str]:
    """Yield the environment variables that are read outside the settings, or that the reference does not know."""
    for name in sorted(set(re.findall(r"\bXINGLIN_[A-Z][A-Z_]+\b", text)) - known):
        if not TEST_VARIABLES.fullmatch(name):
            yield f"{path} names {name}, which is no setting; add it to VARIABLES in {SETTINGS}"


def names(path: Path) -> Iterator[str]:
    """Yield files whose name says nothing about their subject."""
    if BANNED_NAMES.search(path.stem):
        yield f"{path} is named after no subject; name it by a noun of the domain"


def problems() -> list[str]:
    """Return every sentence of every rule."""
    known = frozenset(re.findall(r'"(XINGLIN_[A-Z_]+)"', (ROOT / SETTINGS).read_text(encoding="utf-8")))
    found: list[str] = []
    for full in tracked():
        path, text = full.relative_to(ROOT), full.read_text(encoding="utf-8")
        found += [*leftovers(path, text), *variables(path, text, known)]
        if full.suffix != ".py":
            continue
        found += [*broad_excepts(path, text), *names(path)]
        if full.is_relative_to(SOURCE):
            tree = ast.parse(text)
            found += [*docstrings(path, tree), *errors(path, tree)]
    return found


def main() -> int:
    """Print what is not as STYLE says; 1 where anything is."""
    found = problems()
    print("\n".join([*found, f"{len(found)} against the style"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
