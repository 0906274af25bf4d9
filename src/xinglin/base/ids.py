"""Identifiers: UUIDv5 for what others send, UUIDv7 for what is made here."""

from __future__ import annotations

import uuid
from hashlib import sha1
from random import Random
from typing import Final

from xinglin.base.clock import Clock

# The namespace of every id the gate gives; changing it would give every known record a second id.
GATE_NAMESPACE: Final = uuid.UUID("6b1f1c7e-6f0d-5c1a-9c55-0f2f0e6f3a10")
_GATE_BYTES: Final = GATE_NAMESPACE.bytes
_VARIANTS: Final = "89ab89ab89ab89ab"


def uuid5_of(source: str, original: str) -> str:
    """Return the id of a source's own id or fullUrl: the same pair always gives the same id, two sources never meet.

    >>> uuid5_of("county-his", "Patient/1") == uuid5_of("county-his", "Patient/1")
    True
    >>> uuid5_of("county-his", "Patient/1") == uuid5_of("township-his", "Patient/1")
    False
    """
    digits = sha1(_GATE_BYTES + f"{source}\x1f{original}".encode(), usedforsecurity=False).hexdigest()
    # RFC 9562, 5.5: version 5 in the 13th digit, variant 10 in the 17th. Written out: a load makes millions, and uuid.UUID costs more than the hash.
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{_VARIANTS[int(digits[16], 16)]}{digits[17:20]}-{digits[20:32]}"


def uuid7(clock: Clock, random: Random) -> str:
    """Return a time-ordered UUID (RFC 9562, version 7) of the clock's millisecond and 74 random bits."""
    milliseconds = int(clock.now().timestamp() * 1000)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | random.getrandbits(12) << 64 | 0b10 << 62 | random.getrandbits(62)
    return str(uuid.UUID(int=value))
