"""The bytes of a version: content as sent, with id and meta of ours in front, ready to be served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_SORTED: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")
_OURS: Final = frozenset({"versionId", "lastUpdated", "source"})
_FRONT: Final = frozenset({"resourceType", "id", "meta"})


@dataclass(frozen=True, slots=True)
class Body:
    """A body in two parts, between which version and instant are put when they are known.

    head ends with `"versionId":"`; tail begins after the instant.  digest: 16 bytes over the content, the same for equal content.
    """

    digest: bytes
    head: bytes
    tail: bytes


def make_body(rtype: str, own_id: str, resource: Mapping[str, Any], message_no: int) -> Body:
    """Return the body of a resource whose id is `own_id`; what the sender wrote into our part of meta is left out."""
    content = {name: value for name, value in resource.items() if name not in _FRONT}
    meta = {name: value for name, value in (resource.get("meta") or {}).items() if name not in _OURS}
    digest = blake2b(_SORTED.encode([meta, content]), digest_size=16).digest()
    head = b'{"resourceType":"%s","id":"%s","meta":{"versionId":"' % (rtype.encode(), own_id.encode())
    tail = b',"source":"urn:xinglin:message:%d"%s}%s}' % (message_no, _inner(meta), _inner(content))
    return Body(digest, head, tail)


def _inner(members: Mapping[str, Any]) -> bytes:
    """Return the members of a JSON object with a comma before them, nothing for an empty one."""
    return b"," + _ENCODER.encode(members)[1:-1] if members else b""
