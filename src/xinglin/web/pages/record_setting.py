"""Who keeps a resident's record and writes into it: what opening a record and keeping it have in common."""

from __future__ import annotations

from typing import Any

from xinglin.base.errors import IncorrectError
from xinglin.definitions import shipped_forms
from xinglin.web.doors import institutions
from xinglin.web.modules import recording_of
from xinglin.web.page import Visit
from xinglin.web.recording import new_id


async def keeper_of(visit: Visit, area: int) -> int:
    """Return the rid of the institution that keeps records here: one's own, else the one that serves the village or its town."""
    known = await institutions(visit)
    own = known.get(visit.scope.institution_rid) if visit.scope.institution_rid is not None else None
    if own is not None and own.is_primary_care:
        keeper = known.get(own.part_of) if own.klass.startswith("D") and own.part_of in known else own
        return keeper.rid if keeper else own.rid
    town = area // 1000 * 1000
    serving = [one for one in known.values() if one.area in (area, town) and one.klass.startswith(("B", "C"))]
    if not serving:
        raise IncorrectError(
            "这个村还没有管理机构：请先在机构登记中设置", "no institution serves this village: register one first", where="area"
        )
    return serving[0].rid


def record_recording(visit: Visit) -> Any:
    """Return what turns answers about residents and enrolments into entries."""
    return recording_of(shipped_forms(visit.platform.clock.today())["resident-record"])


async def record_setting(visit: Visit, area: int, patient: str = "") -> Any:
    """Return who writes, for which institution, about whom."""
    keeper, worker = await keeper_of(visit, area), visit.scope.practitioner_rid
    keys = await visit.platform.store.keys([keeper, *([worker] if worker is not None else [])])
    at = visit.platform.clock.now().astimezone(visit.platform.clock.zone)
    practitioner = keys[worker][1] if worker is not None else ""
    return record_recording(visit).Setting(
        patient=patient, practitioner=practitioner, organization=keys[keeper][1], at=at, new_id=lambda: new_id(visit)
    )
