"""Checks the audit log: does every row stand as it was written, is none missing and none added."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg

from xinglin.engines.security.algorithms import same
from xinglin.engines.security.audit_anchor import ChainProblem, Kind, anchored_heads
from xinglin.engines.security.audit_chain import COLUMNS, AuditRow, Chain


@dataclass(frozen=True, slots=True)
class ChainReport:
    """What a check of one day found."""

    day: date
    chains: int
    rows: int
    anchors: int
    problems: tuple[ChainProblem, ...]

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing was changed, removed or added."""
        return not self.problems


async def verify_day(connection: asyncpg.Connection[Any], key: bytes, day: date) -> ChainReport:
    """Return what is wrong with the chains of a day and with the anchors. The connection is in a repeatable-read transaction."""
    anchored, problems, anchors = await anchored_heads(connection, key, day)
    heads = {row["process"]: row for row in await connection.fetch("select process, n, hash from audit_head where day = $1", day)}
    sources = {row["process"]: row for row in await connection.fetch("select process, algorithm, site from audit_process")}
    present = {row["process"] for row in await connection.fetch("select distinct process from audit where day = $1", day)}
    processes = sorted({*heads, *present, *anchored})
    rows = 0
    for process in processes:
        source = sources.get(process)
        if source is None:
            problems.append(ChainProblem(process, 0, "inserted", "写入者没有登记", "its writer was never registered"))
            continue
        chain = Chain(key, source["algorithm"], day, process, source["site"])
        walk = _Walk(chain, anchored.get(process, {}))
        async for row in _rows(connection, day, process):
            walk.step(row)
        head = heads.get(process)
        walk.finish(head["n"] if head else 0, head["hash"] if head else b"")
        rows += walk.rows
        problems.extend(walk.problems)
    return ChainReport(day=day, chains=len(processes), rows=rows, anchors=anchors, problems=tuple(problems))


class _Walk:
    """Follows one chain from its first row to its last."""

    def __init__(self, chain: Chain, anchored: dict[int, bytes]) -> None:
        self._chain = chain
        self._anchored = dict(anchored)
        self._expected = 1
        self._previous = chain.genesis()
        self.rows = 0
        self.problems: list[ChainProblem] = []

    def step(self, row: AuditRow) -> None:
        """Check one row; rows come in order of n."""
        self.rows += 1
        if row.n > self._expected:
            self._note(
                self._expected, "missing", f"缺少第 {self._expected} 至 {row.n - 1} 条", f"rows {self._expected} to {row.n - 1} are gone"
            )
            # Go on from what the row says precedes it, so that one deletion is told once.
            self._previous = row.previous
        elif row.n < self._expected:
            self._note(row.n, "inserted", "多出的记录", "a row too many")
            return
        if not same(row.previous, self._previous) or not same(row.hash, self._chain.row_hash(row)):
            self._note(row.n, "changed", "内容或次序被改动", "its content or place was changed")
        if (hash_then := self._anchored.pop(row.n, None)) is not None and not same(hash_then, row.hash):
            self._note(row.n, "changed", "与锚点不符", "it differs from what was anchored")
        self._expected, self._previous = row.n + 1, row.hash

    def finish(self, head_n: int, head_hash: bytes) -> None:
        """Compare the end of the chain with its head and with the anchors not met on the way."""
        last = self._expected - 1
        end = max([head_n, *self._anchored])
        if last < end:
            self._note(self._expected, "missing", f"缺少第 {self._expected} 至 {end} 条", f"rows {self._expected} to {end} are gone")
        elif last > head_n:
            self._note(head_n + 1, "inserted", "末尾多出记录，或链头被回退", "rows beyond the head: added, or the head was set back")
        elif not same(self._previous, head_hash):
            self._note(last, "changed", "与链头不符", "it differs from the head of the chain")

    def _note(self, n: int, kind: Kind, zh: str, en: str) -> None:
        self.problems.append(ChainProblem(self._chain.process, n, kind, zh, en))


async def _rows(connection: asyncpg.Connection[Any], day: date, process: int) -> AsyncIterator[AuditRow]:
    query = f"select {', '.join(COLUMNS)} from audit where day = $1 and process = $2 order by n"
    async for record in connection.cursor(query, day, process, prefetch=1000):
        yield AuditRow(*record)
