"""Correspondences between code systems, entered by a steward as facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError
from xinglin.engines.security import AuditEntry, AuditWitness, Deed, Scope, deed
from xinglin.engines.terminology.model import USABLE, Mapping, NewMapping
from xinglin.engines.terminology.reading import check_mapping

_FACT: Final = "source_system, source_code, target_system, target_code, equivalence, source"
_COLUMNS: Final = f"map_no, {_FACT}, entered_by, entered_at, ended_by, ended_at, end_reason"


@dataclass(frozen=True, slots=True)
class MapRow:
    """A correspondence as a list shows it. *_name: of the codes where they are loaded, else ""; *_by: names of accounts."""

    mapping: Mapping
    source_name: str
    target_name: str
    entered_by: str
    ended_by: str


class ConceptMaps:
    """Enters, ends and applies correspondences. What a record says is never rewritten: a map is applied when it is read."""

    def __init__(self, database: Database, audit: AuditWitness, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._clock = clock

    async def enter(self, scope: Scope, mappings: Iterable[NewMapping], *, within: Deed | None = None) -> tuple[int, ...]:
        """Return the numbers of the correspondences entered; one that stands already with the same equivalence is left alone.

        within: a transaction this is to be part of.
        Raises: ForbiddenError without `steward`, IncorrectError, ConflictError if it stands with another equivalence.
        """
        scope.require("steward")
        checked = [check_mapping(mapping) for mapping in mappings]
        made: list[int] = []
        async with deed(self._database, self._audit, within) as act:
            for fact in checked:
                number = await self._enter_one(act.connection, scope.account_no, fact)
                if number is not None:
                    made.append(number)
            if made:
                await act.tell(AuditEntry(scope, "enter", "concept_map", rids=made))
        return tuple(made)

    async def end(self, scope: Scope, map_no: int, reason: str) -> None:
        """End a correspondence, with the reason.  Raises: ForbiddenError, IncorrectError (no reason), NotFoundError."""
        scope.require("steward")
        if not reason.strip():
            raise IncorrectError("要写终止原因", "write why it ends", where="reason")
        async with deed(self._database, self._audit) as act:
            ended = await act.connection.fetchval(
                "update concept_map set ended_by = $2, ended_at = $3, end_reason = $4 where map_no = $1 and ended_at is null returning map_no",
                map_no,
                scope.account_no,
                self._clock.now(),
                reason.strip(),
            )
            if ended is None:
                raise NotFoundError("没有这条对应关系，或已终止", "no such open correspondence", where="map_no")
            await act.tell(AuditEntry(scope, "end", "concept_map", rids=(map_no,)))

    async def translate(self, system: str, code: str, target_system: str) -> tuple[Mapping, ...]:
        """Return the open correspondences of a code into a system, the oldest first; empty where none was entered."""
        return await self._fetch(
            "ended_at is null and source_system = $1 and source_code = $2 and target_system = $3", system, code, target_system
        )

    async def history(self, system: str, code: str) -> tuple[Mapping, ...]:
        """Return every correspondence ever entered for a code, ended ones too."""
        return await self._fetch("source_system = $1 and source_code = $2", system, code)

    async def open(self, *, target_system: str | None = None) -> tuple[Mapping, ...]:
        """Return all open correspondences, or those into a system."""
        return await self._fetch("ended_at is null and ($1::text is null or target_system = $1)", target_system)

    async def page(self, text: str, state: str, part: tuple[int, int]) -> tuple[list[MapRow], int]:
        """Return correspondences in which a code begins with `text` or a name or ground contains it, the newest first.

        state: open, ended, or "" for both.  part: (how many, how many before).
        """
        tables = (
            " from concept_map m left join concept s on (s.system, s.code) = (m.source_system, m.source_code)"
            " left join concept t on (t.system, t.code) = (m.target_system, m.target_code)"
            " left join account e on e.account_no = m.entered_by left join account d on d.account_no = m.ended_by"
            " where ($1 = '' or m.source_code ilike $1 || '%' or m.target_code ilike $1 || '%' or m.source ilike '%' || $1 || '%'"
            " or coalesce(s.display_zh, '') ilike '%' || $1 || '%' or coalesce(t.display_zh, '') ilike '%' || $1 || '%')"
            " and ($2 = '' or (m.ended_at is null) = ($2 = 'open'))"
        )
        pattern = text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        columns = ", ".join(f"m.{name.strip()}" for name in _COLUMNS.split(","))
        names = "coalesce(s.display_zh, ''), coalesce(t.display_zh, ''), coalesce(e.display_name, ''), coalesce(d.display_name, '')"
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select {columns}, {names}{tables} order by m.map_no desc limit $3 offset $4", pattern, state, *part
            )
            total = await connection.fetchval(f"select count(*){tables}", pattern, state)
        return [MapRow(Mapping(row[0], NewMapping(*row[1:7]), *row[7:12]), *row[12:]) for row in rows], total

    async def usable(self, target_system: str) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return (source system, source code) → target codes a record may be counted under: the target is equal or wider."""
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        for mapping in await self.open(target_system=target_system):
            fact = mapping.fact
            if fact.equivalence in USABLE:
                key = (fact.source_system, fact.source_code)
                found[key] = (*found.get(key, ()), fact.target_code)
        return found

    async def _enter_one(self, connection: asyncpg.Connection[Any], account_no: int, fact: NewMapping) -> int | None:
        values = (fact.source_system, fact.source_code, fact.target_system, fact.target_code, fact.equivalence, fact.source.strip())
        number = await connection.fetchval(
            f"insert into concept_map ({_FACT}, entered_by, entered_at) values ($1, $2, $3, $4, $5, $6, $7, $8)"
            " on conflict (source_system, source_code, target_system, target_code) where ended_at is null do nothing returning map_no",
            *values,
            account_no,
            self._clock.now(),
        )
        if number is not None:
            return int(number)
        standing = await connection.fetchval(
            "select equivalence from concept_map where source_system = $1 and source_code = $2 and target_system = $3"
            " and target_code = $4 and ended_at is null",
            *values[:4],
        )
        if standing != fact.equivalence:
            raise ConflictError(
                f"已有对应关系，类型为 {standing}；请先终止再录入",
                f"it stands as {standing}; end that one before entering another",
                where="equivalence",
            )
        return None

    async def _fetch(self, condition: str, *values: Any) -> tuple[Mapping, ...]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(f"select {_COLUMNS} from concept_map where {condition} order by map_no", *values)
        return tuple(Mapping(row[0], NewMapping(*row[1:7]), *row[7:]) for row in rows)
