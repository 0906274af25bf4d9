"""Changes made ready in one process and written by another: columns in place of objects, so that the way between costs little."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from xinglin.engines.store.model import Cause, Key, Put
from xinglin.engines.store.write import Ready, Wave, WriteItem

_NOTHING: Final[Mapping[str, Any]] = {}


@dataclass(frozen=True, slots=True)
class PackedReady:
    """What `Ready` holds, as columns. keys, rids: of each change, in order.  waves: places of the changes of a call, and its arguments."""

    keys: Sequence[Key]
    rids: Sequence[int]
    waves: Sequence[tuple[Sequence[int], list[Any]]]
    cause: Cause


def pack(ready: Ready) -> PackedReady | None:
    """Return what another process needs to write `ready` for a writer who sees everything.

    None where it must be written here: a change was refused, deletes, asks for a version, or has a cause of its own.
    """
    items = ready.items
    if ready.waves is None or not items or not all(_is_plain(item, items[0].cause) for item in items):
        return None
    waves = [([item.place for item in wave.items], wave.columns) for wave in ready.waves]
    return PackedReady([item.key for item in items], [item.rid for item in items], waves, items[0].cause)


def unpack(packed: PackedReady) -> Ready:
    """Return what `pack` was given, without the contents: they are in the arguments of the calls, encoded already."""
    rows = zip(packed.keys, packed.rids, strict=True)
    items = tuple(WriteItem(place, Put(*key, _NOTHING), packed.cause, rid) for place, (key, rid) in enumerate(rows))
    waves = [Wave(tuple(items[place] for place in places), columns) for places, columns in packed.waves]
    return Ready(items, dict(zip(packed.keys, packed.rids, strict=True)), waves, is_sealed=True)


def _is_plain(item: WriteItem, cause: Cause) -> bool:
    return item.refusal is None and isinstance(item.change, Put) and item.change.if_version is None and item.cause is cause
