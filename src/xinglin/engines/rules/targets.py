"""Assigned target numbers 任务数: what each township or institution is asked to reach in a year, by programme, with source and who set it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, IncorrectError
from xinglin.engines.security import Scope, scope_areas_condition

PROGRAMMES: Final = ("records", "family_doctor", "hypertension", "diabetes2", "elderly")
_COLUMNS: Final = ("year", "area", "institution", "programme", "target", "source")
_MOST: Final = 10_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """One target number. institution: rid, None for the whole area.  source: the document that assigned it."""

    year: int
    area: int
    institution: int | None
    programme: str
    target: int
    source: str


@dataclass(frozen=True, slots=True)
class TargetLine:
    """A line of a file: as Target, with the institution's registered code, "" for the whole area."""

    year: int
    area: int
    institution_code: str
    programme: str
    target: int
    source: str


def read_targets_csv(content: bytes) -> list[TargetLine]:
    """Return the lines of a CSV with columns year, area, institution, programme, target, source.  Raises: IncorrectError naming the line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IncorrectError("文件须为 UTF-8 编码", "save the file as UTF-8") from error
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise IncorrectError(f"缺少列：{'、'.join(missing)}", f"the columns {', '.join(missing)} are missing")
    return [read_line({name: row[name] or "" for name in _COLUMNS}, f"line {number}") for number, row in enumerate(reader, 2)]


def read_line(cells: dict[str, str], where: str) -> TargetLine:
    """Return one line of a file.  Raises: IncorrectError saying what to write instead."""
    cells = {name: value.strip() for name, value in cells.items()}
    if not (cells["year"].isdecimal() and 2000 <= int(cells["year"]) <= 2100):
        raise IncorrectError(f"{where}：年度写成 2026", f"{where}: write the year as 2026", where="year")
    if not (len(cells["area"]) == 12 and cells["area"].isdecimal()):
        raise IncorrectError(f"{where}：区划代码为 12 位数字", f"{where}: write the division as 12 digits", where="area")
    if cells["programme"] not in PROGRAMMES:
        words = "、".join(PROGRAMMES)
        raise IncorrectError(f"{where}：项目只能是 {words}", f"{where}: write a programme of {', '.join(PROGRAMMES)}", where="programme")
    number = cells["target"].replace(",", "").removesuffix(".0")
    if not (number.isdecimal() and int(number) <= _MOST):
        raise IncorrectError(f"{where}：任务数为不带小数的数字", f"{where}: write the target as a whole number", where="target")
    if not cells["source"]:
        raise IncorrectError(f"{where}：请写明下达文件或来源", f"{where}: name the document that assigned it", where="source")
    return TargetLine(int(cells["year"]), int(cells["area"]), cells["institution"], cells["programme"], int(number), cells["source"][:200])


class Targets:
    """The door to table `assigned_target`. Earlier numbers stay, ended, beside the one that holds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of_year(self, scope: Scope, year: int) -> list[Target]:
        """Return the numbers that hold for a year, of the areas the scope covers."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select t.year, t.area, t.institution, t.programme, t.target, t.source from assigned_target t"
                f" where t.year = $1 and t.ended_at is null and {scope_areas_condition(scope, 't.area')} order by t.area, t.institution, t.programme",
                year,
            )
        return [Target(**dict(row)) for row in rows]

    async def years(self, scope: Scope) -> list[int]:
        """Return the years for which the scope's areas have numbers, newest first."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select distinct year from assigned_target t where ended_at is null and {scope_areas_condition(scope, 't.area')} order by year desc"
            )
        return [row["year"] for row in rows]

    async def history(self, scope: Scope, year: int, programme: str) -> list[dict[str, Any]]:
        """Return every number ever set for a year and programme, newest first, with who set it and when."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select t.*, a.display_name from assigned_target t left join account a on a.account_no = t.set_by"
                f" where t.year = $1 and t.programme = $2 and {scope_areas_condition(scope, 't.area')} order by t.set_at desc, t.area",
                year,
                programme,
            )
        return [dict(row) for row in rows]

    async def put(self, scope: Scope, targets: Sequence[Target]) -> int:
        """Set numbers; equal ones change nothing. Return how many changed.

        Raises: ForbiddenError without `task.assign`; IncorrectError for an area outside the scope.
        """
        if not scope.is_house:
            scope.require("task.assign")
            for one in targets:
                if not any(low <= one.area <= high for low, high in scope.areas):
                    raise IncorrectError("区划不在你的管理范围内", "the division is not within your area", where="area")
        now, changed = self._clock.now(), 0
        async with self._database.transaction() as connection:
            await connection.execute("lock table assigned_target in share row exclusive mode")
            for one in targets:
                key = (one.year, one.programme, one.area, one.institution)
                held = await connection.fetchrow(
                    "select target, source from assigned_target where year = $1 and programme = $2 and area = $3"
                    " and institution is not distinct from $4 and ended_at is null",
                    *key,
                )
                if held is not None and (held["target"], held["source"]) == (one.target, one.source):
                    continue
                await connection.execute(
                    "update assigned_target set ended_at = $5 where year = $1 and programme = $2 and area = $3"
                    " and institution is not distinct from $4 and ended_at is null",
                    *key,
                    now,
                )
                await connection.execute(
                    "insert into assigned_target (year, programme, area, institution, target, source, set_by, set_at) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                    *key,
                    one.target,
                    one.source,
                    None if scope.is_house else scope.account_no,
                    now,
                )
                changed += 1
        return changed

    async def load(self, scope: Scope, lines: Iterable[TargetLine]) -> int:
        """Set the numbers of a file's lines and return how many changed.  Raises: as `put`; ConflictError for an unknown institution code."""
        async with self._database.connection() as connection:
            known = {row["code"]: row["rid"] for row in await connection.fetch("select code, rid from institution")}
        targets = []
        for line in lines:
            if line.institution_code and line.institution_code not in known:
                raise ConflictError(
                    f"没有登记机构 {line.institution_code}，请先登记机构",
                    f"institution {line.institution_code} is not registered; register it first",
                    where="institution",
                )
            rid = known.get(line.institution_code)
            targets.append(Target(line.year, line.area, rid, line.programme, line.target, line.source))
        return await self.put(scope, targets)


async def load_targets(targets: Targets, scope: Scope, content: bytes) -> int:
    """Set the numbers of a CSV file (see `read_targets_csv`) and return how many changed."""
    return await targets.load(scope, read_targets_csv(content))
