"""Check the size budgets of the house: file ≤ 400 lines, function ≤ 60 lines, no mutual imports between files of a package.

What is over a budget stands in ALLOWED with its size; an entry may only shrink or go. Generated files are exempt.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "xinglin"
MOST_LINES_A_FILE = 400
MOST_LINES_A_FUNCTION = 60
# path or path::function → the size it may have at most; shrink it, never raise it.
ALLOWED: dict[str, int] = {}


def sizes() -> dict[str, tuple[int, int]]:
    """Return name → (lines, budget) for every file and function of the source."""
    found: dict[str, tuple[int, int]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if "generated" in name:
            continue
        text = path.read_text(encoding="utf-8")
        found[name] = (len(text.splitlines()), MOST_LINES_A_FILE)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found[f"{name}::{node.name}@{node.lineno}"] = ((node.end_lineno or node.lineno) - node.lineno + 1, MOST_LINES_A_FUNCTION)
    return found


def over_budget() -> list[str]:
    """Return a line for each place over its budget, and for each entry of ALLOWED that is no longer needed."""
    problems, used = [], set()
    for name, (lines, budget) in sizes().items():
        key = name.split("@", 1)[0]
        limit = max(budget, ALLOWED.get(key, 0))
        if lines > budget:
            used.add(key)
        if lines > limit:
            problems.append(f"{name}: {lines} lines, {limit} allowed")
    return problems + [f"ALLOWED names {key}, which is within its budget: remove it" for key in ALLOWED if key not in used]


def mutual_imports() -> list[str]:
    """Return a line for each pair of modules that import each other at run time."""
    graph = grimp.build_graph("xinglin", exclude_type_checking_imports=True, cache_dir=None)
    pairs = []
    for module in sorted(graph.modules):
        for other in graph.find_modules_directly_imported_by(module):
            if module < other and module in graph.find_modules_directly_imported_by(other):
                pairs.append(f"{module} and {other} import each other")
    return pairs


def main() -> int:
    """Print what is over a budget; 1 where anything is."""
    problems = over_budget() + mutual_imports()
    for line in problems:
        print(line)
    print(f"{len(problems)} over budget")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
