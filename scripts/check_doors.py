"""Check that rooms speak through doors: outside a room, only its package itself is imported, never a file inside; no private names; a sign at each door.

A room is a package of `xinglin.engines`. The unit tests of a room mirror its files and may open them. What is not yet so stands in ALLOWED; an entry may only go.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src/xinglin", "tests", "bench")
MOST_LINES = 40
# (file, module inside a room it imports): remove a line once the name is at the door; add none.
ALLOWED: frozenset[tuple[str, str]] = frozenset(
    {
        ("tests/http/page_fixtures.py", "xinglin.engines.security.scope"),  # a double of security must make scopes, which only security can
    }
)


def room_of(module: str) -> str:
    """Return the room a module belongs to, "" for one of no room."""
    parts = module.split(".")
    return ".".join(parts[:3]) if parts[:2] == ["xinglin", "engines"] and len(parts) > 2 else ""


def imports(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yield (line, module, name) of each import; name is "" for a plain `import module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from ((node.lineno, node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name, "") for alias in node.names)


@cache
def at_the_door(room: str) -> frozenset[str]:
    """Return the public names of a room: those its `__init__.py` imports or defines."""
    tree = ast.parse((ROOT / "src" / Path(*room.split(".")) / "__init__.py").read_text(encoding="utf-8"))
    brought = {alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    made = {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)}
    return frozenset(brought | made)


def broken(path: Path) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield ((file, module), sentence) for each import of a file that goes past a door or takes a private name."""
    name = path.relative_to(ROOT).as_posix()
    own = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    own = own.removeprefix("src.") if own.startswith("src.") else own.replace("tests.unit.", "xinglin.", 1)
    for line, module, imported in imports(ast.parse(path.read_text(encoding="utf-8"))):
        room = room_of(module)
        if room and not f"{own}.".startswith(f"{room}.") and (module != room or imported not in at_the_door(room)):
            yield (name, module), f"{name}:{line} imports {imported or 'all'} of {module}; take it from the door {room}"
        if module.startswith("xinglin") and imported.startswith("_") and not imported.startswith("__"):
            yield (
                (name, f"{module}.{imported}"),
                f"{name}:{line} imports the private name {imported} of {module}; make it public or move it",
            )


def signs() -> Iterator[str]:
    """Yield the rooms whose door has no sign: a README.md of at most 40 lines."""
    for room in sorted((ROOT / "src" / "xinglin" / "engines").iterdir()):
        if (room / "__init__.py").exists():
            sign = room / "README.md"
            lines = len(sign.read_text(encoding="utf-8").splitlines()) if sign.exists() else 0
            if not 0 < lines <= MOST_LINES:
                yield f"{sign.relative_to(ROOT)} has {lines} lines; say in at most {MOST_LINES} what the room does and how it is used"


def main() -> int:
    """Print what goes past a door and which allowances are no longer needed; 1 where there is anything."""
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    found = [each for path in files for each in broken(path)]
    problems = [sentence for key, sentence in found if key not in ALLOWED]
    problems += signs()
    problems += [f"ALLOWED names {key}, which is no longer so: remove it" for key in sorted(ALLOWED - {key for key, _ in found})]
    print("\n".join([*problems, f"{len(problems)} past a door"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
