"""How records stand with the upper platform, as chips beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from xinglin.engines.exchange import UpperState
from xinglin.web.i18n import mark
from xinglin.web.lists import Tag

if TYPE_CHECKING:
    from xinglin.web.page import Visit
    from xinglin.web.record import Happening

STATES: Final = {
    UpperState.NOT_REPORTED: (mark("未上报"), "warn"),
    UpperState.REPORTED: (mark("已上报"), "good"),
    UpperState.DIFFERENT: (mark("不一致"), "bad"),
    UpperState.UPPER_ONLY: (mark("仅上级有"), "apricot"),
}
_REPORTED_KINDS: Final = frozenset({"followup-hypertension", "followup-diabetes2", "health-examination"})


async def chips_of(visit: Visit, happenings: Sequence[Happening]) -> dict[str, Tag]:
    """Return Encounter id → chip, for the follow-ups and examinations among the lines of a timeline."""
    wanted = [one.id for one in happenings if one.kind in _REPORTED_KINDS and one.status == "finished"]
    if not wanted:
        return {}
    rids = await visit.platform.store.rids([("Encounter", own) for own in wanted])
    found = await visit.platform.upper.state_of(visit.scope, list(rids.values()))
    chips = {}
    for (_, own), rid in rids.items():
        if rid in found:
            label, kind = STATES[found[rid].state]
            chips[own] = Tag(visit.text(label), kind)
    return chips
