"""Checks the audit log: does every row stand as it was written, is none missing and none added."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

import asyncpg
import orjson

from xinglin.engines.security.algorithms import digest_named, same
from xinglin.engines.security.audit_chain import COLUMNS, AuditRow, Chain

Kind = Literal["changed", "missing", "inserted", "anchor"]
_LOCK_OF_ANCHORS: Final = 0x616E6368
Heads = dict[tuple[str, int], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class ChainProblem:
    """One place where the log is not as it was written.

    kind: `changed` (row n was altered, or what precedes it was), `missing` (row n is gone), `inserted` (row n was added),
    `anchor` (an anchor was altered or removed; n is its number).  process: 0 for anchors.
    """

    process: int
    n: int
    kind: Kind
    zh: str
    en: str


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


@dataclass(frozen=True, slots=True)
class Anchor:
    """The heads of all chains at one moment, tied to the anchor before it."""

    n: int
    at: datetime
    algorithm: str
    heads: str
    previous: bytes
    hash: bytes


def anchor_hash(key: bytes, anchor: Anchor) -> bytes:
    """Return the hash an anchor must have."""
    content = [anchor.n, anchor.at.timestamp(), anchor.algorithm, anchor.heads]
    return digest_named(anchor.algorithm).mac(key, anchor.previous + orjson.dumps(content))


async def write_anchor(connection: asyncpg.Connection[Any], key: bytes, algorithm: str, now: datetime, least_age_s: float) -> Anchor | None:
    """Write the next anchor and return it; None if another process is at it or the last is younger than `least_age_s`.

    The connection is in a transaction. Heads of the two newest days are anchored: older chains do not grow.
    """
    if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK_OF_ANCHORS):
        return None
    last = await connection.fetchrow("select n, at, hash from audit_anchor order by n desc limit 1")
    if last is not None and (now - last["at"]).total_seconds() < least_age_s:
        return None
    rows = await connection.fetch(
        "select day, process, n, hash from audit_head where day >= (select max(day) - 1 from audit_head) order by day, process"
    )
    heads = orjson.dumps([[row["day"], row["process"], row["n"], row["hash"].hex()] for row in rows]).decode()
    draft = Anchor(last["n"] + 1 if last else 1, now, algorithm, heads, last["hash"] if last else b"", b"")
    anchor = replace(draft, hash=anchor_hash(key, draft))
    await connection.execute(
        "insert into audit_anchor (n, at, algorithm, heads, previous, hash) values ($1, $2, $3, $4, $5, $6)",
        anchor.n,
        anchor.at,
        anchor.algorithm,
        anchor.heads,
        anchor.previous,
        anchor.hash,
    )
    return anchor


async def verify_day(connection: asyncpg.Connection[Any], key: bytes, day: date) -> ChainReport:
    """Return what is wrong with the chains of a day and with the anchors. The connection is in a repeatable-read transaction."""
    anchored, problems, anchors = await _anchored_heads(connection, key, day)
    heads = {row["process"]: row for row in await connection.fetch("select process, n, hash from audit_head where day = $1", day)}
    sources = {row["process"]: row for row in await connection.fetch("select process, algorithm, site from audit_process")}
    present = {row["process"] for row in await connection.fetch("select distinct process from audit where day = $1", day)}
    processes = sorted({*heads, *present, *anchored})
    rows = 0
    for process in processes:
        source = sources.get(process)
        if source is None:
            problems.append(_problem(process, 0, "inserted", "写入者没有登记", "its writer was never registered"))
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
        self.problems.append(_problem(self._chain.process, n, kind, zh, en))


def _problem(process: int, n: int, kind: Kind, zh: str, en: str) -> ChainProblem:
    return ChainProblem(process, n, kind, zh, en)


async def _rows(connection: asyncpg.Connection[Any], day: date, process: int) -> AsyncIterator[AuditRow]:
    query = f"select {', '.join(COLUMNS)} from audit where day = $1 and process = $2 order by n"
    async for record in connection.cursor(query, day, process, prefetch=1000):
        yield AuditRow(*record)


async def _anchored_heads(
    connection: asyncpg.Connection[Any], key: bytes, day: date
) -> tuple[dict[int, dict[int, bytes]], list[ChainProblem], int]:
    """Return process → n → hash as anchored for a day, what is wrong with the anchors, and how many there are."""
    found: dict[int, dict[int, bytes]] = {}
    problems: list[ChainProblem] = []
    previous, expected, count = b"", 1, 0
    first = await connection.fetchval("select max(n) from audit_anchor where at < $1::date - 1", day)
    if first is not None:
        # The anchor before the days in question only gives what the next one is tied to.
        base = await connection.fetchrow("select n, hash from audit_anchor where n = $1", first)
        previous, expected = base["hash"], base["n"] + 1

    def note(n: int, zh: str, en: str) -> None:
        problems.append(_problem(0, n, "anchor", zh, en))

    query = "select n, at, algorithm, heads, previous, hash from audit_anchor where n >= $1 and at < $2::date + 3 order by n"
    async for record in connection.cursor(query, expected, day, prefetch=1000):
        anchor = Anchor(*record)
        count += 1
        if anchor.n != expected:
            note(expected, f"缺少锚点 {expected} 至 {anchor.n - 1}", f"anchors {expected} to {anchor.n - 1} are gone")
        elif not same(anchor.previous, previous):
            note(anchor.n, "锚点次序被改动", "its place was changed")
        if not same(anchor.hash, anchor_hash(key, anchor)):
            note(anchor.n, "锚点内容被改动", "its content was changed")
        for of_day, process, n, hash_hex in orjson.loads(anchor.heads):
            if of_day == day.isoformat():
                found.setdefault(process, {})[n] = bytes.fromhex(hash_hex)
        previous, expected = anchor.hash, anchor.n + 1
    return found, problems, count
