"""A published moment of the lake: which files of which table belong together, and up to which seq of the feed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

NAME: Final = "lake_snapshot.json"
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The files of one table at a Delta version, relative to its folder, with their numbers of rows."""

    version: int
    files: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One moment.  seq: every entry of the feed up to it is in the files, none after it.  number: grows with each publication.

    generation: name of the folder the tables stand in; a lake made anew takes another one.  views: fingerprint of the views that made it.
    """

    seq: int
    number: int
    generation: str
    views: str
    made_at: datetime
    tables: Mapping[str, TableFiles]

    def paths(self, table: str) -> list[str]:
        """Return the files of a table, relative to the lake's folder."""
        return [f"{self.generation}/{table}/{file}" for file in self.tables[table].files]

    def all_paths(self) -> frozenset[str]:
        """Return the files of all tables, relative to the lake's folder."""
        return frozenset(path for table in self.tables for path in self.paths(table))


def publish(folder: Path, snapshot: Snapshot) -> None:
    """Write the snapshot where readers find it, whole or not at all."""
    content = {
        "format": FORMAT,
        "seq": snapshot.seq,
        "number": snapshot.number,
        "generation": snapshot.generation,
        "views": snapshot.views,
        "made_at": snapshot.made_at.isoformat(),
        "tables": {name: {"version": table.version, "files": dict(table.files)} for name, table in snapshot.tables.items()},
    }
    path = folder / f".{NAME}"
    with path.open("wb") as file:
        file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
        file.flush()
        os.fsync(file.fileno())
    path.replace(folder / NAME)


def published(folder: Path) -> Snapshot | None:
    """Return the snapshot of a lake's folder, or None where there is none that can be read (the lake is then made anew)."""
    try:
        content = orjson.loads((folder / NAME).read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None
    if content.get("format") != FORMAT:
        return None
    tables = {name: TableFiles(table["version"], table["files"]) for name, table in content["tables"].items()}
    made_at = datetime.fromisoformat(content["made_at"])
    return Snapshot(content["seq"], content["number"], content["generation"], content["views"], made_at, tables)
