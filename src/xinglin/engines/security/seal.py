"""Sends a scope from one process of the house to another, so that the other can tell it was made by security."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime, timedelta
from typing import Final

import orjson

from xinglin.base.errors import ForbiddenError
from xinglin.engines.security.algorithms import Digest, same
from xinglin.engines.security.scope import Actor, Scope, make_scope

LIFE: Final = timedelta(minutes=5)


def seal_scope(scope: Scope, key: bytes, digest: Digest, now: datetime) -> bytes:
    """Return a scope as bytes that `open_scope` takes for five minutes."""
    content: dict[str, object] = {field.name: getattr(scope, field.name) for field in fields(Actor)}
    content["rights"] = sorted(scope.rights)
    body = orjson.dumps({"until": (now + LIFE).timestamp(), "actor": content})
    return digest.mac(key, body) + body


def open_scope(sealed: bytes, key: bytes, digest: Digest, now: datetime) -> Scope:
    """Return the scope that was sealed.  Raises: ForbiddenError if it was changed, is another installation's, or is too old."""
    size = len(digest.mac(key, b""))
    code, body = sealed[:size], sealed[size:]
    if not same(code, digest.mac(key, body)):
        raise ForbiddenError("范围签名无效", "the scope's seal is not ours")
    content = orjson.loads(body)
    if now.timestamp() > content["until"]:
        raise ForbiddenError("范围签名已过期，请重试", "the scope's seal has run out; seal it again and retry")
    actor = content["actor"]
    areas = tuple((low, high) for low, high in actor["areas"])
    return make_scope(Actor(**{**actor, "areas": areas, "rights": frozenset(actor["rights"])}))
