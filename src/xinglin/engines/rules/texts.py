"""Compiled SQL, made once per definition hash and kept on disk between starts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from threading import Lock

from xinglin.definitions import Definition, Node


def compile_sql(outputs: Mapping[str, Node]) -> str:
    """Return DuckDB SQL with columns `person` and one per output; the compiler is loaded when the first text is made, not before.

    It costs half a second and 60 MB, and texts are kept on disk: most starts need none.
    """
    from xinglin.engines.rules import setwise

    return setwise.compile_sql(outputs)


class SqlTexts:
    """SQL of definitions by hash. folder: where texts are kept, None to keep them in memory only. Safe for several threads."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._made: dict[str, str] = {}
        self._lock = Lock()
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def sql(self, definition: Definition) -> str:
        """Return DuckDB SQL with `person` and a column per output; parameter `$as_of`."""
        name = f"{definition.hash}-{_compiler_hash()}"
        with self._lock:
            if name not in self._made:
                self._made[name] = self._read(name) or self._make(name, definition)
            return self._made[name]

    def _read(self, name: str) -> str | None:
        path = self._folder / f"{name}.sql" if self._folder else None
        return path.read_text(encoding="utf-8") if path is not None and path.exists() else None

    def _make(self, name: str, definition: Definition) -> str:
        text = compile_sql(definition.outputs)
        if self._folder is not None:
            fresh = self._folder / f"{name}.{id(self)}.new"
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(self._folder / f"{name}.sql")
        return text


@cache
def _compiler_hash() -> str:
    """Return a digest of the compiler's own text: another compiler may make other SQL of the same definition."""
    room = files("xinglin.engines.rules")
    return sha256(b"".join(room.joinpath(name).read_bytes() for name in ("setwise.py", "scalars.py"))).hexdigest()[:8]
