"""What the upper-level platform knows of a demonstration: some days of one township reported to it, and its own list of them taken in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from xinglin.assembly import Platform
from xinglin.base.errors import ConflictError
from xinglin.cli.known_accounts import placed
from xinglin.engines.exchange import Period
from xinglin.engines.geo import subtree
from xinglin.engines.security import ActingFor, Scope
from xinglin.synthetic import ROSTER_DAYS

LOGIN: Final = "public_health"
KIND: Final = "hypertension-followup"


async def report_upwards(platform: Platform, folder: Path, stories: Sequence[Mapping[str, Any]]) -> None:
    """Report the days of ROSTER_DAYS as the township's public-health section would, then take in what the platform lists of them.

    stories: as the manifest has them; they say which township.  What was done before, by a load that was cut off, is not done again.
    """
    path = folder / "exchange" / "upper-level-followups.xlsx"
    if not path.exists():  # of an earlier version, or nobody was seen in these days
        return
    scope = await _section(platform, stories)
    since, until = (platform.clock.today() - timedelta(days=days) for days in ROSTER_DAYS)
    with suppress(ConflictError):
        await platform.upper.send(scope, Period(KIND, since, until), "虚构数据")
    await platform.upper.receive(scope, KIND, (path.name, await asyncio.to_thread(path.read_bytes)))


async def _section(platform: Platform, stories: Sequence[Mapping[str, Any]]) -> Scope:
    """Return the scope of the known account of the township's public-health section."""
    async with platform.database.connection() as connection:
        institutions = await platform.register.institutions(connection)
        account = await connection.fetchrow("select account_no, display_name from account where login = $1", LOGIN)
    place = next(place for login, _, place in placed(institutions, stories) if login == LOGIN)
    areas = () if place.area is None else (subtree(place.area),)
    who = ActingFor(LOGIN, areas, account["account_no"], place.rid, None, LOGIN, account["display_name"])
    return platform.security.acting_for(platform.security.system_scope(), who)
