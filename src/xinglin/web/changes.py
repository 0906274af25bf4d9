"""What was changed of a saved visit: 更正, 作废, as its Encounter tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_CHANGE: Final = "urn:xinglin:ext:change"


@dataclass(frozen=True, slots=True)
class Change:
    """One change. kind: corrected or withdrawn.  id: number of the sending that made it.  by: name of who made it."""

    kind: str
    id: str
    by: str
    at: str
    reason: str

    @property
    def minute(self) -> str:
        """Return when it was, to the minute."""
        return self.at[:16].replace("T", " ")


def changes_of(encounter: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes of a visit, oldest first."""
    return tuple(_change(one) for one in encounter.get("extension") or () if one.get("url") == _CHANGE)


def is_withdrawn(encounter: Mapping[str, Any]) -> bool:
    """Return whether somebody took a visit back; one that only another visit completes was not."""
    return encounter.get("status") == "entered-in-error" and any(one.kind == "withdrawn" for one in changes_of(encounter)[-1:])


def _change(extension: Mapping[str, Any]) -> Change:
    parts = {str(one.get("url")): one for one in extension.get("extension") or ()}
    return Change(
        kind=str(parts.get("kind", {}).get("valueCode", "")),
        id=str(extension.get("id", "")),
        by=str(parts.get("by", {}).get("valueReference", {}).get("display", "")),
        at=str(parts.get("at", {}).get("valueDateTime", "")),
        reason=str(parts.get("reason", {}).get("valueString", "")),
    )
