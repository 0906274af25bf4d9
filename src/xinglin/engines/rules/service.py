"""Measures between the engine process, which has the columns, and the web processes, which ask for figures and the people behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from typing import Any

from xinglin.base.channel import Channel
from xinglin.engines.rules.measures import GroupBy, MeasureRow, MeasureTable, Member, MemberPage, MemberQuery
from xinglin.engines.rules.rules import Rules
from xinglin.engines.security import Scope, Security

Handler = Callable[..., Awaitable[Any]]


def measure_handlers(rules: Rules, security: Security) -> dict[str, Handler]:
    """Return what the engine process answers about measures; a scope travels sealed."""

    async def measure(scope: bytes, measure_id: str, as_of: str, group_by: str) -> dict[str, Any]:
        table = await rules.measure(security.unseal(scope), measure_id, date.fromisoformat(as_of), _group_by(group_by))
        return {**asdict(table), "as_of": as_of}

    async def members(scope: bytes, measure_id: str, as_of: str, query: dict[str, Any]) -> dict[str, Any]:
        page = await rules.members(security.unseal(scope), measure_id, date.fromisoformat(as_of), MemberQuery(**query))
        return asdict(page)

    return {"rules.measure": measure, "rules.members": members}


def _group_by(word: str) -> GroupBy:
    return word  # type: ignore[return-value]  # what it cannot be is refused by Measures


class RemoteMeasures:
    """The measures as a web process asks for them."""

    def __init__(self, channel: Channel, security: Security) -> None:
        self._channel = channel
        self._security = security

    async def measure(self, scope: Scope, measure_id: str, as_of: date, group_by: GroupBy = "none") -> MeasureTable:
        """Return a measure for what the scope sees.  Raises: NotFoundError, IncorrectError, UnavailableError."""
        told = await self._channel.call(
            "rules.measure", scope=self._security.seal(scope), measure_id=measure_id, as_of=as_of.isoformat(), group_by=group_by
        )
        return _table(told, as_of)

    async def members(self, scope: Scope, measure_id: str, as_of: date, query: MemberQuery) -> MemberPage:
        """Return the people behind a number.  Raises: as `measure`."""
        told = await self._channel.call(
            "rules.members", scope=self._security.seal(scope), measure_id=measure_id, as_of=as_of.isoformat(), query=asdict(query)
        )
        return MemberPage([Member(**{**one, "evidence": tuple(one["evidence"])}) for one in told["members"]], told["total"], told["seq"])


def _table(told: dict[str, Any], as_of: date) -> MeasureTable:
    return MeasureTable(**{**told, "as_of": as_of, "total": _row(told["total"]), "rows": [_row(row) for row in told["rows"]]})


def _row(told: dict[str, Any]) -> MeasureRow:
    return MeasureRow(**{**told, "interval": tuple(told["interval"]) if told["interval"] else None})
