"""Where the lake's rows come from: the feed of engine store, as a protocol."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from xinglin.engines.lake.rows import Resolver


class Entry(Protocol):
    """One entry of the feed; `xinglin.engines.store.FeedEntry` is one.

    kind: resource, link, scope, erase, or one the lake does not read.  rid: of the resource; of the source patient for a link.
    ver: version of the resource; 1 = begun, 0 = ended for link and scope.  body: bytes of exactly that version, None for what is gone.
    """

    @property
    def seq(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def rid(self) -> int | None: ...
    @property
    def ver(self) -> int: ...
    @property
    def rtype(self) -> str | None: ...
    @property
    def person(self) -> int | None: ...
    @property
    def area(self) -> int | None: ...
    @property
    def institution(self) -> int | None: ...
    @property
    def site(self) -> int: ...
    @property
    def body(self) -> bytes | None: ...


class FeedSource(Resolver, Protocol):
    """A feed in commit order without holes."""

    def feed(self, after: int, limit: int) -> Coroutine[Any, Any, Sequence[Entry]]:
        """Return the next entries with seq greater than `after`, at most `limit`; none when there are none."""
        ...

    async def head(self) -> int:
        """Return the seq of the newest entry, 0 if there is none."""
        ...

    async def wait(self, after: int, timeout_s: float) -> bool:
        """Return True as soon as there is an entry after `after`, False when the time is over."""
        ...
