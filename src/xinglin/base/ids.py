"""Identifiers: UUIDv5 for what others send, UUIDv7 for what is made here."""

from __future__ import annotations

import uuid
from random import Random
from typing import Final

from xinglin.base.clock import Clock

# The namespace of every id the gate gives; changing it would give every known record a second id.
GATE_NAMESPACE: Final = uuid.UUID("6b1f1c7e-6f0d-5c1a-9c55-0f2f0e6f3a10")


def uuid5_of(source: str, original: str) -> str:
    """Return the id of a source's own id or fullUrl: the same pair always gives the same id, two sources never meet.

    >>> uuid5_of("county-his", "Patient/1") == uuid5_of("county-his", "Patient/1")
    True
    >>> uuid5_of("county-his", "Patient/1") == uuid5_of("township-his", "Patient/1")
    False
    """
    return str(uuid.uuid5(GATE_NAMESPACE, f"{source}\x1f{original}"))


def uuid7(clock: Clock, random: Random) -> str:
    """Return a time-ordered UUID (RFC 9562, version 7) of the clock's millisecond and 74 random bits."""
    milliseconds = int(clock.now().timestamp() * 1000)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | random.getrandbits(12) << 64 | 0b10 << 62 | random.getrandbits(62)
    return str(uuid.UUID(int=value))
