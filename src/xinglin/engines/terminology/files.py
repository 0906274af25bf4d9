"""Files of codes, correspondences, divisions and figures: looked through row by row, then loaded, with who did it and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import asyncpg
import orjson

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError, XinglinError
from xinglin.base.table import RowsRead, write_csv
from xinglin.engines.geo import (
    DIVISION_COLUMNS,
    POPULATION_COLUMNS,
    Division,
    Geo,
    PopulationFigure,
    code_of,
    division_rows,
    population_rows,
    read_geojson,
)
from xinglin.engines.security import AuditEntry, AuditWitness, Deed, Scope, deed
from xinglin.engines.terminology.model import CodeSystem, NewMapping
from xinglin.engines.terminology.reading import CONCEPT_COLUMNS, MAPPING_COLUMNS, concept_rows, mapping_rows, read_code_system
from xinglin.engines.terminology.terminology import Terminology

TEMPLATES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"concepts": CONCEPT_COLUMNS, "maps": MAPPING_COLUMNS, "divisions": DIVISION_COLUMNS, "population": POPULATION_COLUMNS}
)
"""Kind of file → its columns."""
MOST_BYTES: Final = 32 * 1024 * 1024
_TOLD: Final = 200
_NUMBER = "file_no"


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file as it was sent. kind: of TEMPLATES.  system: whose codes a table of concepts holds; source: where any of it comes from."""

    kind: str
    name: str
    content: bytes
    system: CodeSystem | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What loading a file would do. rows: in the file; retired: codes that are in use now and not in the file."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    retired: int = 0
    same: int = 0


@dataclass(frozen=True, slots=True)
class CodeFile:
    """A file that was looked through. state: looked, refused, loaded, discarded.  problems: (place, zh, en), 200 at most.

    subject: the code system, or "".  sent_by, decided_by: names of accounts.
    """

    file_no: int
    kind: str
    name: str
    subject: str
    changes: Changes
    problems: tuple[tuple[str, str, str], ...]
    state: str
    sent_by: str
    sent_at: datetime
    decided_by: str
    decided_at: datetime | None


@dataclass(slots=True)
class _Read:
    """What a file says. items of its kind; problems."""

    items: Sequence[Any] = ()
    system: CodeSystem | None = None
    problems: list[XinglinError] = field(default_factory=list)
    is_table: bool = True


class CodeFiles:
    """Takes files in two steps, so that nobody loads what they have not seen."""

    def __init__(self, ground: tuple[Database, AuditWitness, Clock], terminology: Terminology, geo: Geo) -> None:
        self._database, self._audit, self._clock = ground
        self._terminology = terminology
        self._geo = geo

    async def look(self, scope: Scope, new: NewFile) -> CodeFile:
        """Look a file through and keep it; nothing is loaded. A file with a row that cannot stand is kept as refused, with every problem.

        Raises: ForbiddenError without `steward`; IncorrectError for a kind, size or code system that cannot be.
        """
        scope.require("steward")
        if new.kind not in TEMPLATES:
            raise IncorrectError("请选择文件的种类", "choose what the file holds", where="kind")
        if len(new.content) > MOST_BYTES:
            raise IncorrectError("文件超过 32 MB，请分成几个", "the file is over 32 MB; split it", where="file", status=413)
        read = await asyncio.to_thread(self._read, new)
        changes = await self._compare(new.kind, read)
        problems = [{"where": one.where, "zh": one.zh, "en": one.en} for one in read.problems[:_TOLD]]
        system = read.system or new.system
        values = (
            new.kind, new.name[:200], system.url if system else "", orjson.dumps(asdict(system) if system else {}).decode(), new.content,
            orjson.dumps(problems).decode(), orjson.dumps(asdict(changes)).decode(), "refused" if read.problems else "looked",
            scope.account_no, self._clock.now(),
        )  # fmt: skip
        async with deed(self._database, self._audit) as act:
            number = await act.connection.fetchval(
                "insert into code_file (kind, name, subject, facts, content, problems, changes, state, sent_by, sent_at)"
                " values ($1, $2, $3, $4::jsonb, $5, $6::jsonb, $7::jsonb, $8, $9, $10) returning file_no",
                *values,
            )
            await act.tell(AuditEntry(scope, "look", "code_file", rids=(number,), detail=f"{new.kind} {values[2]}"[:200]))
        return await self.file(number)

    async def load(self, scope: Scope, file_no: int) -> CodeFile:
        """Load a file that was looked through and had no problems, rows and state in one transaction: all of it or nothing.

        Raises: ForbiddenError without `steward`; NotFoundError; ConflictError for one that is being loaded, or was loaded, refused or discarded.
        """
        scope.require("steward")
        async with self._claimed(file_no) as (act, new):
            read = await asyncio.to_thread(self._read, new)
            if read.problems:
                raise read.problems[0]
            if new.kind == "concepts" and read.system is not None:
                await self._terminology.load(scope, read.system, read.items, within=act)
            elif new.kind == "maps":
                await self._terminology.maps.enter(scope, read.items, within=act)
            elif new.kind == "divisions":
                await self._geo.load_divisions(read.items, keep_outlines=read.is_table, within=act.connection)
            else:
                await self._geo.load_population(read.items, within=act.connection)
            await self._decide(act, scope, file_no, "loaded")
        return await self.file(file_no)

    async def discard(self, scope: Scope, file_no: int) -> None:
        """Put a file aside that is not to be loaded; it stays in the history.

        Raises: ForbiddenError without `steward`; NotFoundError; ConflictError for one that is being loaded or was dealt with.
        """
        scope.require("steward")
        async with self._claimed(file_no) as (act, _):
            await self._decide(act, scope, file_no, "discarded")

    async def file(self, file_no: int) -> CodeFile:
        """Return a file.  Raises: NotFoundError."""
        found, _ = await self._page(f"where f.{_NUMBER} = $1", (file_no,), (1, 0))
        if not found:
            raise _no_file(file_no)
        return found[0]

    async def page(self, kind: str, part: tuple[int, int]) -> tuple[list[CodeFile], int]:
        """Return the files of a kind ("" for all), the newest first. part: (how many, how many before)."""
        return await self._page("where ($1 = '' or f.kind = $1)", (kind,), part)

    async def content(self, file_no: int) -> tuple[str, bytes]:
        """Return name and bytes of a file as it was sent.  Raises: NotFoundError."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow("select name, content from code_file where file_no = $1", file_no)
        if row is None:
            raise _no_file(file_no)
        return row["name"], bytes(row["content"])

    async def export(self, kind: str, subject: str = "") -> bytes:
        """Return what is loaded, as a file of the same columns that can be sent again. subject: the code system of concepts."""
        if kind not in TEMPLATES:
            raise NotFoundError("没有这种文件", f"write one of {', '.join(TEMPLATES)}", where=kind)
        rows: Sequence[Sequence[object]]
        if kind == "concepts":
            rows = [
                (one.code, one.display_zh, one.display_en, one.parent, int(one.is_active))
                for one in await self._terminology.of_system(subject)
            ]
        elif kind == "maps":
            facts = [one.fact for one in await self._terminology.maps.open()]
            rows = [[getattr(fact, name) for name in MAPPING_COLUMNS] for fact in facts]
        elif kind == "divisions":
            rows = [_division_row(one) for one in (await self._geo.page("", "", (1_000_000, 0)))[0]]
        else:
            rows = [(code_of(one.area), one.year, one.age_band, one.sex, one.count, one.source) for one in await self._geo.figures()]
        return write_csv(TEMPLATES[kind], rows)

    def _read(self, new: NewFile) -> _Read:
        is_json = new.content.lstrip()[:1] == b"{"
        try:
            if new.kind == "concepts" and is_json:
                system, concepts = read_code_system(new.content, source=new.system.source if new.system else "")
                return _Read(concepts, _named(system))
            if new.kind == "concepts":
                system = _named(new.system)
                return _of(concept_rows(new.content, system), system)
            if new.kind == "maps":
                return _of(mapping_rows(new.content))
            if new.kind == "divisions":
                return _Read(read_geojson(new.content), is_table=False) if is_json else _of(division_rows(new.content))
            return _of(population_rows(new.content))
        except IncorrectError as error:
            return _Read(system=new.system, problems=[error])

    async def _compare(self, kind: str, read: _Read) -> Changes:
        """Return what loading would do; adds to the problems what contradicts what stands already."""
        if not read.items:
            if not read.problems:
                read.problems.append(IncorrectError("文件里没有数据行", "the file has no rows of data", where="line 2"))
            return Changes()
        if kind == "concepts":
            return await self._compare_concepts(read)
        before: Mapping[Any, Any]
        if kind == "maps":
            await self._conflicts(kind, read)
            before = {_key(one.fact): one.fact.equivalence for one in await self._terminology.maps.open()}
            return _count(before, {_key(fact): fact.equivalence for fact in read.items})
        if kind == "divisions":
            items: list[Division] = await self._geo.with_outlines(read.items) if read.is_table else list(read.items)
            before = {one.area: one for one in await self._geo.with_outlines((await self._geo.page("", "", (1_000_000, 0)))[0])}
            return _count(before, {one.area: one for one in items})
        before = {_figure_key(one): one.count for one in await self._geo.figures()}
        return _count(before, {_figure_key(one): one.count for one in read.items})

    async def _compare_concepts(self, read: _Read) -> Changes:
        known = await self._terminology.of_system(read.system.url if read.system else "")
        found = _count({one.code: one for one in known}, {one.code: one for one in read.items})
        codes = {one.code for one in read.items}
        retired = sum(one.is_active and one.code not in codes for one in known)
        return Changes(found.rows, found.added, found.changed, retired, found.same)

    async def _conflicts(self, kind: str, read: _Read) -> None:
        """A correspondence that stands with another equivalence has to be ended first."""
        if kind != "maps":
            return
        standing = {_key(one.fact): one.fact.equivalence for one in await self._terminology.maps.open()}
        for fact in read.items:
            if standing.get(_key(fact), fact.equivalence) != fact.equivalence:
                told = f"{fact.source_code} → {fact.target_code}"
                words = (
                    f"{told} 已有对应关系 {standing[_key(fact)]}：请先终止再录入",
                    f"{told} stands as {standing[_key(fact)]}: end that one first",
                )
                read.problems.append(ConflictError(*words, where=fact.source_code))

    @asynccontextmanager
    async def _claimed(self, file_no: int) -> AsyncIterator[tuple[Deed, NewFile]]:
        """Hold a file that waits for a decision until the block ends, so that nobody else decides meanwhile; its state is written last."""
        query = "select kind, name, content, facts, state from code_file where file_no = $1 for update nowait"
        async with deed(self._database, self._audit) as act:
            try:
                row = await act.connection.fetchrow(query, file_no)
            except asyncpg.LockNotAvailableError as error:
                raise ConflictError("正在处理这个文件，请稍后刷新页面", "this file is being dealt with", where=str(file_no)) from error
            if row is None:
                raise _no_file(file_no)
            if row["state"] != "looked":
                raise ConflictError(
                    "这个文件已处理，或有错误不能载入", "this file has been dealt with, or has problems", where=str(file_no)
                )
            facts = orjson.loads(row["facts"])
            yield act, NewFile(row["kind"], row["name"], bytes(row["content"]), CodeSystem(**facts) if facts else None)

    async def _decide(self, act: Deed, scope: Scope, file_no: int, state: str) -> None:
        row = await act.connection.fetchrow(
            "update code_file set state = $2, decided_by = $3, decided_at = $4 where file_no = $1 returning kind, subject",
            file_no, state, scope.account_no, self._clock.now(),
        )  # fmt: skip
        detail = f"{row['kind']} {row['subject']}"[:200]
        await act.tell(AuditEntry(scope, state, "code_file", rids=(file_no,), detail=detail))

    async def _page(self, condition: str, values: Sequence[Any], part: tuple[int, int]) -> tuple[list[CodeFile], int]:
        query = (
            "select f.file_no, f.kind, f.name, f.subject, f.changes, f.problems, f.state, coalesce(s.display_name, '') as sent_by, f.sent_at,"
            " coalesce(d.display_name, '') as decided_by, f.decided_at from code_file f left join account s on s.account_no = f.sent_by"
            f" left join account d on d.account_no = f.decided_by {condition} order by f.file_no desc limit $2 offset $3"
        )
        async with self._database.connection() as connection:
            rows = await connection.fetch(query, *values, *part)
            total = await connection.fetchval(f"select count(*) from code_file f {condition}", *values)
        return [_file(row) for row in rows], total


def _file(row: Any) -> CodeFile:
    facts = dict(row)
    facts["changes"] = Changes(**orjson.loads(facts["changes"]))
    facts["problems"] = tuple((one["where"], one["zh"], one["en"]) for one in orjson.loads(facts["problems"]))
    return CodeFile(**facts)


def _of(found: RowsRead[Any], system: CodeSystem | None = None) -> _Read:
    return _Read([item for _, item in found.items], system, list(found.problems))


def _named(system: CodeSystem | None) -> CodeSystem:
    """Return a code system that says what it is.  Raises: IncorrectError."""
    if system is None or not system.url.strip() or " " in system.url.strip():
        raise IncorrectError("请写代码系统的网址（url）", "write the url of the code system", where="url")
    if not system.name_zh.strip():
        raise IncorrectError("请写代码系统的名称", "write the name of the code system", where="name")
    if not system.source.strip():
        raise IncorrectError(
            "请写代码的来源（文件、版本、许可）", "write where the codes come from: document, edition, licence", where="source"
        )
    return system


def _count(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Changes:
    added = sum(key not in before for key in after)
    same = sum(key in before and before[key] == value for key, value in after.items())
    return Changes(rows=len(after), added=added, changed=len(after) - added - same, same=same)


def _key(fact: NewMapping) -> tuple[str, str, str, str]:
    return fact.source_system, fact.source_code, fact.target_system, fact.target_code


def _figure_key(one: PopulationFigure) -> tuple[int, int, str, str, str]:
    return one.area, one.year, one.source, one.age_band, one.sex


def _division_row(one: Division) -> Sequence[object]:
    parent = code_of(one.parent) if one.parent else ""
    return (one.code, one.name, one.level, parent, one.lon, one.lat, one.valid_from, one.valid_to)


def _no_file(file_no: int) -> NotFoundError:
    return NotFoundError("没有这个文件", "there is no such file", where=str(file_no))
