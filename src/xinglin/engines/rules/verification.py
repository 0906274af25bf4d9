"""What is to be verified and what came of it: findings with a state, samples that can be drawn again, results of telephone calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final

import orjson

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import IncorrectError, NotFoundError
from xinglin.definitions import Words
from xinglin.engines.rules.authenticity import CHECKS, Finding
from xinglin.engines.security import Scope, scope_areas_condition, scope_condition

STATES: Final = {"open": Words("待核", "To verify"), "verified": Words("已核实", "Verified"), "problem": Words("有问题", "A problem")}
RESULTS: Final = {
    "open": Words("待核", "To call"),
    "true": Words("属实", "As recorded"),
    "false": Words("不属实", "Not as recorded"),
    "unreachable": Words("联系不上", "Not reached"),
    "refused": Words("不愿回答", "Would not say"),
}
MOST_SAMPLED: Final = 500


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """Which findings. check, state: "" for any.  areas: closed range.  worker: rid."""

    check: str = ""
    state: str = ""
    areas: tuple[int, int] | None = None
    worker: int | None = None
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit that may be sampled. visit: rid of its Encounter."""

    visit: int
    person: int
    day: date
    worker: int | None
    institution: int | None
    way: str | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a sample is drawn from and how. frame: what was asked ({kind, first, last}).  seed: recorded, so that it can be drawn again.

    seq: of the record when the frame was read.
    """

    title: str
    area: int
    frame: Mapping[str, str]
    seed: str
    wanted: int
    seq: int


def draw(visits: Sequence[Visit], seed: str, wanted: int) -> list[Visit]:
    """Return a sample: the visits in the order of SHA-256 of "seed:visit", the first `wanted` of them, one a person.

    Whoever has the seed and the visits draws the same; who has neither cannot tell whom it will be.

    >>> one = [Visit(n, n, date(2026, 1, 1), None, None, "1") for n in range(9)]
    >>> draw(one, "a", 3) == draw(list(reversed(one)), "a", 3)
    True
    """
    found: dict[int, Visit] = {}
    for visit in sorted(visits, key=lambda one: sha256(f"{seed}:{one.visit}".encode()).digest()):
        if len(found) == wanted:
            break
        found.setdefault(visit.person, visit)
    return list(found.values())


def _seen(scope: Scope) -> str:
    """Return SQL: the finding is about a resident the scope sees, or about a worker in its areas."""
    return (
        f"(f.person is not null and {scope_condition(scope, 'f.person')} or f.person is null and f.area is not null"
        f" and {scope_areas_condition(scope, 'f.area')} or f.person is null and f.area is null and {str(scope.is_house).lower()})"
    )


class Verification:
    """The door to findings and samples. Reading and deciding needs `appraisal` or `check.phone`; drawing needs `sampling`."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def keep(self, findings: Sequence[Finding], seq: int) -> int:
        """Write what the checks found at a seq; decisions stay, what is not found any more is marked. Return how many are new."""
        rows = [
            (one.check, one.subject, one.person, one.worker, one.institution, one.day, list(one.evidence), orjson.dumps(one.facts).decode())
            for one in findings
        ]
        now = self._clock.now()
        async with self._database.transaction() as connection:
            await connection.execute("lock table finding in share row exclusive mode")
            before = await connection.fetchval("select count(*) from finding")
            await connection.executemany(
                """insert into finding (check_code, subject, person, worker, institution, area, day, evidence, facts, seq, found_at)
                   values ($1, $2, $3, $4, $5, (select area from institution where rid = $5), $6, $7, $8::jsonb, $9, $10)
                   on conflict (check_code, subject) do update set person = excluded.person, worker = excluded.worker,
                   institution = excluded.institution, area = excluded.area, day = excluded.day, evidence = excluded.evidence,
                   facts = excluded.facts, seq = excluded.seq, gone_at = null""",
                [(*row, seq, now) for row in rows],
            )
            await connection.execute("update finding set gone_at = $2 where seq < $1 and gone_at is null", seq, now)
            after = await connection.fetchval("select count(*) from finding")
        return int(after - before)

    async def counts(self, scope: Scope) -> dict[tuple[str, str], int]:
        """Return (check, state) → findings the scope sees."""
        sql = f"select f.check_code, f.state, count(*) from finding f where f.gone_at is null and {_seen(scope)} group by 1, 2"
        async with self._database.connection() as connection:
            return {(row[0], row[1]): row[2] for row in await connection.fetch(sql)}

    async def looked_at(self) -> tuple[int, Any]:
        """Return the seq and the time of the newest look, (0, None) before the first."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "select detail, finished_at from engine_run where job = 'verification' and failed is null order by run_no desc limit 1"
            )
        return (int(orjson.loads(row["detail"]).get("seq", 0)), row["finished_at"]) if row else (0, None)

    async def page(self, scope: Scope, query: FindingQuery) -> tuple[list[dict[str, Any]], int]:
        """Return some findings, those still open first, and how many there are.  Raises: ForbiddenError."""
        _may_check(scope)
        values: list[Any] = [
            query.check,
            query.state,
            query.areas[0] if query.areas else None,
            query.areas[1] if query.areas else None,
            query.worker,
        ]
        where = (
            "f.gone_at is null and ($1 = '' or f.check_code = $1) and ($2 = '' or f.state = $2)"
            " and ($3::bigint is null or coalesce((select s.area from person_scope s where s.person = f.person and s.to_seq is null), f.area) between $3 and $4)"
            f" and ($5::bigint is null or f.worker = $5) and {_seen(scope)}"
        )
        async with self._database.connection() as connection:
            total = await connection.fetchval(f"select count(*) from finding f where {where}", *values)
            rows = await connection.fetch(
                f"select f.* from finding f where {where} order by f.state <> 'open', f.day desc nulls last, f.finding_no"
                f" limit {int(query.limit)} offset {int(query.offset)}",
                *values,
            )
        return [_with_facts(row) for row in rows], total

    async def finding(self, scope: Scope, finding_no: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Return a finding and the decisions on it, newest first.  Raises: ForbiddenError, NotFoundError."""
        _may_check(scope)
        async with self._database.connection() as connection:
            row = await connection.fetchrow(f"select f.* from finding f where f.finding_no = $1 and {_seen(scope)}", finding_no)
            if row is None:
                raise NotFoundError("没有这条待核记录", "there is no such finding")
            decisions = await connection.fetch("select * from finding_decision where finding_no = $1 order by decided_at desc", finding_no)
        return _with_facts(row), [dict(one) for one in decisions]

    async def decide(self, scope: Scope, finding_no: int, state: str, note: str) -> None:
        """Set a finding's state, with a note saying how it was verified.  Raises: ForbiddenError, NotFoundError, IncorrectError."""
        if state not in STATES:
            raise IncorrectError("请选择核实结果", "choose a state", where="state")
        if state != "open" and not note.strip():
            raise IncorrectError("请写明怎样核实的", "say how it was verified", where="note")
        await self.finding(scope, finding_no)
        async with self._database.transaction() as connection:
            await connection.execute("update finding set state = $2 where finding_no = $1", finding_no, state)
            await connection.execute(
                "insert into finding_decision (finding_no, decided_at, decided_by, decided_name, state, note) values ($1, $2, $3, $4, $5, $6)",
                *(finding_no, self._clock.now(), scope.account_no, scope.display_name, state, note.strip()[:500]),
            )

    async def save_sample(self, scope: Scope, drawing: Drawing, drawn: Sequence[Visit], frame_count: int) -> int:
        """Write a sample and return its number.  Raises: ForbiddenError without `sampling`."""
        scope.require("sampling")
        async with self._database.transaction() as connection:
            number: int = await connection.fetchval(
                """insert into check_sample (title, frame, area, seed, wanted, frame_count, seq, drawn_at, drawn_by, drawn_name)
                   values ($1, $2::jsonb, $3, $4, $5, $6, $7, $8, $9, $10) returning sample_no""",
                *(drawing.title, orjson.dumps(dict(drawing.frame)).decode(), drawing.area, drawing.seed, drawing.wanted, frame_count),
                *(drawing.seq, self._clock.now(), scope.account_no, scope.display_name),
            )
            await connection.executemany(
                "insert into check_sample_item (sample_no, place, visit, person, day, worker, institution, way) values ($1, $2, $3, $4, $5, $6, $7, $8)",
                [
                    (number, place, one.visit, one.person, one.day, one.worker, one.institution, one.way)
                    for place, one in enumerate(drawn, 1)
                ],
            )
        return number

    async def samples(self, scope: Scope) -> list[dict[str, Any]]:
        """Return the samples with somebody the scope sees, newest first, with how many are called and not as recorded."""
        _may_check(scope)
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"""select s.*, i.drawn, i.done, i.wrong from check_sample s join (
                    select i.sample_no, count(*) as drawn, count(*) filter (where i.result <> 'open') as done, count(*) filter (where i.result = 'false') as wrong
                    from check_sample_item i where {scope_condition(scope, "i.person")} group by 1
                ) i using (sample_no) order by s.sample_no desc"""
            )
        return [{**dict(row), "frame": orjson.loads(row["frame"])} for row in rows]

    async def sample(self, scope: Scope, sample_no: int) -> dict[str, Any]:
        """Return a sample's own facts.  Raises: NotFoundError where the scope sees nobody in it."""
        found = next((one for one in await self.samples(scope) if one["sample_no"] == sample_no), None)
        if found is None:
            raise NotFoundError("没有这次抽查", "there is no such sample")
        return found

    async def items(self, scope: Scope, sample_no: int) -> list[dict[str, Any]]:
        """Return the people of a sample that the scope sees, in the order they were drawn."""
        _may_check(scope)
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"select i.* from check_sample_item i where i.sample_no = $1 and {scope_condition(scope, 'i.person')} order by i.place",
                sample_no,
            )
        return [dict(row) for row in rows]

    async def answer(self, scope: Scope, key: tuple[int, int], result: str, note: str) -> None:
        """Write what a telephone call gave. key: (sample, place).  Raises: ForbiddenError, NotFoundError, IncorrectError."""
        _may_check(scope)
        if result not in RESULTS:
            raise IncorrectError("请选择核实结果", "choose a result", where="result")
        if result == "false" and not note.strip():
            raise IncorrectError("不属实的请写明情况", "say what was not as recorded", where="note")
        async with self._database.transaction() as connection:
            changed = await connection.execute(
                f"""update check_sample_item i set result = $3, note = $4, decided_at = $5, decided_by = $6, decided_name = $7
                    where i.sample_no = $1 and i.place = $2 and {scope_condition(scope, "i.person")}""",
                *(*key, result, note.strip()[:500], self._clock.now(), scope.account_no, scope.display_name),
            )
        if changed.endswith(" 0"):
            raise NotFoundError("抽查名单里没有这一位", "nobody stands at this place of the sample")


def _may_check(scope: Scope) -> None:
    if not (scope.is_house or scope.allows("appraisal")):
        scope.require("check.phone")


def _with_facts(row: Any) -> dict[str, Any]:
    return {**dict(row), "facts": orjson.loads(row["facts"]), "check": CHECKS[row["check_code"]]}
