"""Taking a resident out of what the rules said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg


async def forget_person(connection: asyncpg.Connection[Any], person: int | None, rids: Sequence[int]) -> None:
    """Take out results, findings that rest on the person's records, and sampled visits. rids: of every resource of the person."""
    await connection.execute("delete from result where person = $1 or evidence && $2::bigint[]", person, list(rids))
    numbers = [
        row["finding_no"]
        for row in await connection.fetch(
            "select finding_no from finding where person = $1 or evidence && $2::bigint[]", person, list(rids)
        )
    ]
    await connection.execute("delete from finding_decision where finding_no = any($1::bigint[])", numbers)
    await connection.execute("delete from finding where finding_no = any($1::bigint[])", numbers)
    await connection.execute("delete from check_sample_item where person = $1 or visit = any($2::bigint[])", person, list(rids))
