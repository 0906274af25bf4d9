"""A feed in memory that behaves as the store's: dense seq, one rid per id from its first mention, bodies by version."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import orjson

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    seq: int
    kind: str
    rid: int | None
    ver: int
    rtype: str | None
    person: int | None
    site: int = 1
    body: bytes | None = None
    area: int | None = None
    institution: int | None = None


class MemoryFeed:
    def __init__(self) -> None:
        self.entries: list[MemoryEntry] = []
        self._versions: dict[int, int] = {}
        self._persons: dict[int, int] = {}
        self._moved = asyncio.Event()

    def _append(self, kind: str, rid: int | None, ver: int, **more: Any) -> int:
        self.entries.append(MemoryEntry(len(self.entries) + 1, kind, rid, ver, more.pop("rtype", None), more.pop("person", None), **more))
        self._moved.set()
        return len(self.entries)

    def rid(self, kind: str, number: str) -> int:
        """Return the same number for a key in every run and process."""
        return crc32(f"{kind}/{number}".encode())

    def put(self, resource: Mapping[str, Any]) -> int:
        return self._version(resource["resourceType"], resource["id"], orjson.dumps(resource))

    def delete(self, kind: str, number: str) -> int:
        return self._version(kind, number, None)

    def _version(self, kind: str, number: str, body: bytes | None) -> int:
        rid = self.rid(kind, number)
        self._versions[rid] = self._versions.get(rid, 0) + 1
        return self._append("resource", rid, self._versions[rid], rtype=kind, body=body)

    def link(self, number: str, person: int | None) -> int:
        rid = self.rid("Patient", number)
        if rid in self._persons:
            self._append("link", rid, 0, person=self._persons.pop(rid))
        if person is not None:
            self._persons[rid] = person
            self._append("link", rid, 1, person=person)
        return len(self.entries)

    def scope(self, person: int, area: int, institution: int | None = None, *, is_first: bool = True) -> int:
        if not is_first:
            self._append("scope", None, 0, person=person)
        return self._append("scope", None, 1, person=person, area=area, institution=institution)

    def erase(self, rid: int | None, person: int | None = None) -> int:
        gone = {rid} | {r for r, p in self._persons.items() if p == person}
        self.entries = [e if e.rid not in gone else MemoryEntry(e.seq, e.kind, e.rid, e.ver, e.rtype, e.person) for e in self.entries]
        return self._append("erase", rid, 0, person=person)

    async def rids(self, keys: Sequence[Key]) -> Mapping[Key, int]:
        return {key: self.rid(*key) for key in keys}

    async def feed(self, after: int, limit: int) -> Sequence[MemoryEntry]:
        return self.entries[after : after + limit]

    async def head(self) -> int:
        return len(self.entries)

    async def wait(self, after: int, timeout_s: float) -> bool:
        if len(self.entries) <= after:
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), timeout_s)
            except TimeoutError:
                return False
        return True
