"""What the sources of a village hold, so that what is new or different can be told from what stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import orjson

from xinglin.synthetic.emission import Emission
from xinglin.synthetic.resources import Resource

Key = tuple[str, str, str]
"""Source, resource type and the source's own id."""


@dataclass(slots=True)
class Journal(Emission):
    """An emission that keeps each resource as it stands: the stage of its file, and its bytes.

    Bytes, because the collector of garbage would look through a tree of objects again and again: more than half of the time, measured.

    today: the day lived; known_on: the day from which the source knows what is put now (a late entry is kept until then);
    changed: what is new or different since `mark`.
    """

    book: dict[Key, tuple[str, bytes]] = field(default_factory=dict)
    changed: dict[Key, None] = field(default_factory=dict)
    waiting: dict[int, dict[Key, tuple[str, bytes]]] = field(default_factory=dict)
    today: int = 0
    known_on: int = 0

    def put(self, source: str, stage: str, resource: dict[str, Any]) -> None:
        """Keep a resource; one of the same name is replaced."""
        key = (source, resource["resourceType"], resource["id"])
        entry = (stage, orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
        if self.known_on > self.today:
            self.waiting.setdefault(self.known_on, {})[key] = entry
        else:
            self._set(key, entry)

    def begin(self, day: int) -> None:
        """Go on to a day: what was to become known today is known."""
        self.today = self.known_on = day
        for key, entry in self.waiting.pop(day, {}).items():
            self._set(key, entry)

    def holds(self, key: Key) -> bool:
        """Return whether the source has such a resource."""
        return key in self.book

    def amend(self, key: Key, change: Callable[[Resource], None]) -> None:
        """Let `change` alter a copy of a resource that stands, or that waits to be entered."""
        held = next(entries for entries in (self.book, *self.waiting.values()) if key in entries)
        stage, before = held[key]
        resource = orjson.loads(before)
        change(resource)
        entry = (stage, orjson.dumps(resource, option=orjson.OPT_APPEND_NEWLINE))
        if held is self.book:
            self._set(key, entry)
        else:
            held[key] = entry

    def standing(self, source: str, kind: str) -> list[tuple[Key, Resource]]:
        """Return the resources of a type that a source holds now."""
        return [(key, orjson.loads(entry[1])) for key, entry in self.book.items() if key[:2] == (source, kind)]

    def mark(self) -> None:
        """Count what changes from here on."""
        self.changed.clear()
        self.files.clear()
        self.counts.clear()

    def write(self) -> None:
        """Write what is new or different since `mark` as lines, each resource once."""
        for key in self.changed:
            stage, line = self.book[key]
            self.files.setdefault(f"{key[0]}/{stage}.ndjson", bytearray()).extend(line)
            self.counts[key[0], key[1]] += 1

    def _set(self, key: Key, entry: tuple[str, bytes]) -> None:
        self.book[key] = entry
        self.changed[key] = None
