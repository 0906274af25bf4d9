"""Whose record it is and where the person belongs: rows beside the record, appended and ended, never rewritten."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from xinglin.base.errors import IncorrectError
from xinglin.engines.store.ground import Ground
from xinglin.engines.store.model import Belonging, Cause, Link


async def write_links(connection: asyncpg.Connection[Any], ground: Ground, links: Sequence[Link], cause: Cause) -> int:
    """Link source patients to persons inside the caller's transaction; returns how many feed entries that made.

    A patient's present link is ended and the new one begun, one feed entry each; what holds already changes nothing.
    Raises: IncorrectError if a patient stands twice in `links`.
    """
    _refuse_twice([link.patient for link in links], "links")
    ordered = sorted(links, key=lambda link: link.patient)
    count: int = await connection.fetchval(
        "select store_link($1::smallint, $2, $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[])",
        ground.site,
        ground.clock.now(),
        [link.patient for link in ordered],
        [link.person for link in ordered],
        [link.decision for link in ordered],
        [cause.actor] * len(ordered),
        [cause.message_no] * len(ordered),
    )
    return count


async def write_scopes(connection: asyncpg.Connection[Any], ground: Ground, scopes: Sequence[Belonging], cause: Cause) -> int:
    """Say where persons belong inside the caller's transaction; returns how many feed entries that made.

    A person's present belonging is ended and the new one begun, one feed entry each; what holds already changes nothing.
    Raises: IncorrectError if a person stands twice in `scopes`.
    """
    _refuse_twice([scope.person for scope in scopes], "scopes")
    ordered = sorted(scopes, key=lambda scope: scope.person)
    count: int = await connection.fetchval(
        "select store_scope($1::smallint, $2, $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[])",
        ground.site,
        ground.clock.now(),
        [scope.person for scope in ordered],
        [scope.area for scope in ordered],
        [scope.institution for scope in ordered],
        [scope.reason for scope in ordered],
        [cause.actor] * len(ordered),
        [cause.message_no] * len(ordered),
    )
    return count


def _refuse_twice(numbers: Sequence[int], where: str) -> None:
    if len(set(numbers)) < len(numbers):
        raise IncorrectError("同一对象在一批中只能出现一次", "name each one once in a batch", where=where)
