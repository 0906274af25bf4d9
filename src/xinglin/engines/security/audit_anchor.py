"""Anchors: every minute the heads of all chains are written down, tied to the anchor before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Literal

import asyncpg
import orjson

from xinglin.base.errors import IncorrectError
from xinglin.engines.security.algorithms import digest_named, same

Kind = Literal["changed", "missing", "inserted", "anchor"]
_LOCK_OF_ANCHORS: Final = 0x616E6368


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


async def anchored_heads(
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
        problems.append(ChainProblem(0, n, "anchor", zh, en))

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


def anchor_line(anchor: Anchor) -> str:
    """Return an anchor as a line of the file that is shipped elsewhere."""
    return f"{anchor.n} {anchor.at.isoformat()} {anchor.hash.hex()}\n"


def read_anchor_lines(lines: Iterable[str]) -> dict[int, bytes]:
    """Return number → hash of shipped anchors.  Raises: IncorrectError naming the line."""
    found: dict[int, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            n, _, hash_hex = line.split()
            found[int(n)] = bytes.fromhex(hash_hex)
        except ValueError as error:
            raise IncorrectError("不是锚点记录", "not a line of an anchor file: number, time, hash", where=f"line {number}") from error
    return found


async def compare_anchors(connection: asyncpg.Connection[Any], shipped: dict[int, bytes]) -> list[ChainProblem]:
    """Return where the anchors of the database differ from shipped ones."""
    rows: Sequence[asyncpg.Record] = await connection.fetch("select n, hash from audit_anchor where n = any($1::bigint[])", list(shipped))
    here = {row["n"]: row["hash"] for row in rows}
    problems = []
    for n, hash_then in sorted(shipped.items()):
        if n not in here:
            problems.append(ChainProblem(0, n, "anchor", "外存的锚点在库中缺失", "an anchor kept elsewhere is gone from the database"))
        elif not same(here[n], hash_then):
            problems.append(ChainProblem(0, n, "anchor", "与外存的锚点不符", "it differs from the anchor kept elsewhere"))
    return problems
