"""Code systems of the district: load, look up, validate."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.engines.security import AuditEntry, AuditWitness, Deed, Scope, deed
from xinglin.engines.terminology.maps import ConceptMaps
from xinglin.engines.terminology.model import CodeSystem, Concept, Validation
from xinglin.engines.terminology.oracle import ValueSets

LOOK_S: Final = 10.0
_LOADED: Final = "terminology-loaded"
_CONCEPT: Final = "system, code, display_zh, display_en, parent, is_active"


@dataclass(frozen=True, slots=True)
class ValueSetMember:
    """A part of a value set: one code, or (code None) a whole system. source: what says so."""

    value_set: str
    system: str
    code: str | None
    source: str


@dataclass(frozen=True, slots=True)
class SystemRow:
    """A code system as a list shows it. concepts: all; active: those in use."""

    system: CodeSystem
    concepts: int
    active: int
    loaded_at: datetime


class Terminology:
    """The door of terminology. Codes are public facts, so reading asks no scope; loading asks the right `steward`.

    maps: correspondences between systems.
    """

    def __init__(self, database: Database, audit: AuditWitness, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock
        self.maps = ConceptMaps(database, audit, clock)
        self._kept: ValueSets | None = None
        self._loaded = ""
        self._looked_at = 0.0

    async def load(self, scope: Scope, system: CodeSystem, concepts: Sequence[Concept], *, within: Deed | None = None) -> int:
        """Return how many concepts were new or different. Codes that are no longer in the list stay, inactive: records use them.

        within: a transaction this is to be part of.
        Raises: ForbiddenError without `steward`, IncorrectError if a concept is of another system or the source is missing.
        """
        scope.require("steward")
        if not system.source.strip() or not system.url.strip():
            raise IncorrectError("代码系统要写网址和来源", "a code system needs its url and its source", where="code_system")
        if any(concept.system != system.url for concept in concepts):
            raise IncorrectError("概念不属于此代码系统", "a concept belongs to another system; load each with its own", where="concept")
        async with deed(self._database, self._audit, within) as act:
            connection = act.connection
            await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 41))", system.url)
            await self._write_system(connection, system)
            before = await connection.fetch(f"select {_CONCEPT} from concept where system = $1", system.url)
            changed = set(map(astuple, concepts)) - {tuple(row) for row in before}
            gone = [row["code"] for row in before if row["is_active"] and row["code"] not in {concept.code for concept in concepts}]
            await connection.executemany(
                f"insert into concept ({_CONCEPT}) values ($1, $2, $3, $4, $5, $6) on conflict (system, code) do update set"
                " (display_zh, display_en, parent, is_active) = (excluded.display_zh, excluded.display_en, excluded.parent, excluded.is_active)",
                sorted(changed, key=lambda row: row[1]),
            )
            await connection.execute("update concept set is_active = false where system = $1 and code = any($2::text[])", system.url, gone)
            await self._note_load(connection)
            await act.tell(AuditEntry(scope, "load", "code_system", detail=f"{system.url} {system.version}"))
        return len(changed) + len(gone)

    async def load_value_set(self, scope: Scope, value_set: str, members: Iterable[ValueSetMember]) -> int:
        """Replace what belongs to a value set and return how many members it has now.  Raises: ForbiddenError, IncorrectError."""
        scope.require("steward")
        rows = [astuple(member) for member in members]
        if any(row[0] != value_set or not row[3].strip() for row in rows):
            raise IncorrectError("成员须属于此值集并写明来源", "each member names this value set and its source", where="value_set")
        async with deed(self._database, self._audit) as act:
            connection = act.connection
            await connection.execute("delete from value_set_member where value_set = $1", value_set)
            await connection.executemany("insert into value_set_member (value_set, system, code, source) values ($1, $2, $3, $4)", rows)
            await self._note_load(connection)
            await act.tell(AuditEntry(scope, "load", "value_set", detail=value_set))
        return len(rows)

    async def systems(self) -> tuple[CodeSystem, ...]:
        """Return the code systems that are loaded."""
        rows = await self._fetch("select url, version, name_zh, name_en, is_complete, source from code_system order by url")
        return tuple(CodeSystem(*row) for row in rows)

    async def overview(self) -> list[SystemRow]:
        """Return the code systems with how many codes each has and when it was loaded."""
        rows = await self._fetch(
            "select s.url, s.version, s.name_zh, s.name_en, s.is_complete, s.source, s.loaded_at, count(c.code) as concepts,"
            " count(c.code) filter (where c.is_active) as active from code_system s left join concept c on c.system = s.url"
            " group by s.url order by s.url"
        )
        return [SystemRow(CodeSystem(*row[:6]), row["concepts"], row["active"], row["loaded_at"]) for row in rows]

    async def page(self, system: str, text: str, state: str, part: tuple[int, int]) -> tuple[list[Concept], int]:
        """Return concepts of a system (of all: "") whose code begins with `text` or whose name contains it, by system and code.

        state: active, retired, or "" for both.  part: (how many, how many before).
        """
        condition = (
            "($1 = '' or system = $1) and ($2 = '' or code ilike $2 || '%' or display_zh ilike '%' || $2 || '%'"
            " or display_en ilike '%' || $2 || '%') and ($3 = '' or is_active = ($3 = 'active'))"
        )
        values = (system, text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_"), state)
        query = f"select {_CONCEPT} from concept where {condition} order by system, code limit $4 offset $5"
        rows = await self._fetch(query, *values, *part)
        total = await self._fetch(f"select count(*) as n from concept where {condition}", *values)
        return [Concept(*row) for row in rows], total[0]["n"]

    async def of_system(self, system: str) -> list[Concept]:
        """Return every concept of a system, by code."""
        return [Concept(*row) for row in await self._fetch(f"select {_CONCEPT} from concept where system = $1 order by code", system)]

    async def lookup(self, system: str, code: str) -> Concept:
        """Return a concept.  Raises: NotFoundError."""
        rows = await self._fetch(f"select {_CONCEPT} from concept where system = $1 and code = $2", system, code)
        if not rows:
            raise NotFoundError("没有这个代码，或该代码系统未载入", "no such code, or its system is not loaded", where="code")
        return Concept(*rows[0])

    async def displays(self, codes: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Concept]:
        """Return (system, code) → concept of those that are known, in one query."""
        query = (
            "select c.system, c.code, c.display_zh, c.display_en, c.parent, c.is_active from concept c"
            " join unnest($1::text[], $2::text[]) as wanted(system, code) using (system, code)"
        )
        rows = await self._fetch(query, [system for system, _ in codes], [code for _, code in codes])
        return {(row["system"], row["code"]): Concept(*row) for row in rows}

    async def validate(self, system: str, code: str, display: str | None = None) -> Validation:
        """Return whether a code is of a system, as FHIR's `$validate-code` does; a wrong display makes it invalid, a retired code does not."""
        rows = await self._fetch(f"select {_CONCEPT} from concept where system = $1 and code = $2", system, code)
        if not rows:
            return await self._unknown(system)
        concept = Concept(*rows[0])
        names = {concept.display_zh.strip().casefold(), concept.display_en.strip().casefold()} - {""}
        if display is not None and display.strip().casefold() not in names:
            return Validation(
                False, f"名称应为 {concept.display_zh}", f"the display is {concept.display_en or concept.display_zh}", concept
            )
        if not concept.is_active:
            return Validation(True, "代码已停用", "the code is retired", concept)
        return Validation(True, "", "", concept)

    async def search(self, system: str, text: str, *, limit: int = 20) -> tuple[Concept, ...]:
        """Return active concepts whose code begins with `text` or whose name contains it, by code."""
        pattern = text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        query = (
            f"select {_CONCEPT} from concept where system = $1 and is_active and (code ilike $2 || '%' or display_zh ilike '%' || $2 || '%'"
            " or display_en ilike '%' || $2 || '%') order by code limit $3"
        )
        return tuple(Concept(*row) for row in await self._fetch(query, system, pattern, limit))

    async def descendants(self, system: str, code: str) -> tuple[Concept, ...]:
        """Return the concepts under one, without itself, by code. A parent that leads back to itself does not loop."""
        query = (
            "with recursive below as (select code from concept where system = $1 and parent = $2"
            " union select c.code from concept c join below b on c.system = $1 and c.parent = b.code)"
            f" select {_CONCEPT} from concept where system = $1 and code in (select code from below) and code <> $2 order by code"
        )
        return tuple(Concept(*row) for row in await self._fetch(query, system, code))

    async def value_sets(self) -> ValueSets:
        """Return the value sets in memory, as the CodeOracle of `fhir`; take a new one after a load."""
        members = await self._fetch("select value_set, system, code from value_set_member")
        complete = {row["url"]: row["is_complete"] for row in await self._fetch("select url, is_complete from code_system")}
        wanted = sorted({row["system"] for row in members if row["code"] is None and complete.get(row["system"], False)})
        codes_of: dict[str, set[str]] = {url: set() for url in wanted}
        for row in await self._fetch("select system, code from concept where system = any($1::text[])", wanted):
            codes_of[row["system"]].add(row["code"])
        whole = {url: frozenset(codes) for url, codes in codes_of.items()}
        listed: dict[str, set[tuple[str, str]]] = {}
        systems: dict[str, dict[str, frozenset[str] | None]] = {}
        for row in members:
            if row["code"] is None:
                systems.setdefault(row["value_set"], {})[row["system"]] = whole.get(row["system"])
            else:
                listed.setdefault(row["value_set"], set()).add((row["system"], row["code"]))
        return ValueSets({name: frozenset(codes) for name, codes in listed.items()}, systems)

    async def current_value_sets(self) -> ValueSets:
        """Return the value sets as they are now, the same object while nothing was loaded: for a process that asks again and again.

        What another process loads is seen after LOOK_S at the latest.
        """
        if self._kept is not None and time.monotonic() - self._looked_at < LOOK_S:
            return self._kept
        self._looked_at = time.monotonic()
        rows = await self._fetch("select value from installation where name = $1", _LOADED)
        loaded = rows[0]["value"] if rows else ""
        if self._kept is None or loaded != self._loaded:
            self._kept, self._loaded = await self.value_sets(), loaded
        return self._kept

    async def _note_load(self, connection: asyncpg.Connection[Any]) -> None:
        await connection.execute(
            "insert into installation (name, value, changed_at) values ($1, gen_random_uuid()::text, $2)"
            " on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at",
            _LOADED,
            self._clock.now(),
        )
        self._looked_at = 0.0

    async def _unknown(self, system: str) -> Validation:
        rows = await self._fetch("select is_complete from code_system where url = $1", system)
        if rows and rows[0]["is_complete"]:
            return Validation(False, "代码系统中没有这个代码", "the system has no such code")
        return Validation(None, "该代码系统未载入或不完整，无法判断", "the system is not loaded, or not whole; not known")

    async def _write_system(self, connection: asyncpg.Connection[Any], system: CodeSystem) -> None:
        await connection.execute(
            "insert into code_system (url, version, name_zh, name_en, is_complete, source, loaded_at) values ($1, $2, $3, $4, $5, $6, $7)"
            " on conflict (url) do update set (version, name_zh, name_en, is_complete, source, loaded_at) ="
            " (excluded.version, excluded.name_zh, excluded.name_en, excluded.is_complete, excluded.source, excluded.loaded_at)",
            *astuple(system),
            self._clock.now(),
        )

    async def _fetch(self, query: str, *values: Any) -> list[asyncpg.Record]:
        async with self._database.connection() as connection:
            return list(await connection.fetch(query, *values))
