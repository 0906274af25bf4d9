"""A feed of any length that is the same each time: records of many kinds, corrections, deletions, moves."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.unit.engines.lake import district
from tests.unit.engines.lake.memory_feed import MemoryFeed


def long_feed(length: int, seed: int = 5) -> MemoryFeed:
    """Return a feed with at least `length` entries, of which the first `length` are kept."""
    random, feed = Random(seed), MemoryFeed()
    acts: list[Callable[[str], object]] = [
        lambda n: feed.put(district.patient(f"p{n}")),
        lambda n: feed.put(district.encounter(f"e{n}", who=f"p{n}")),
        lambda n: feed.put(district.blood_pressure(f"b{n}", random.randint(100, 180), who=f"p{n}")),
        lambda n: feed.put(district.measurement(f"b{n}" if random.random() < 0.3 else f"m{n}", random.random(), who=f"p{n}")),
        lambda n: feed.put(district.form(f"q{n}")),
        lambda n: feed.delete("Observation", f"b{n}"),
        lambda n: feed.link(f"p{n}", random.randint(1, 5)),
        lambda n: feed.scope(
            int(n), 420999101000 + random.randint(0, 9), is_first=not any(e.kind == "scope" and e.person == int(n) for e in feed.entries)
        ),
    ]
    while len(feed.entries) < length:
        random.choice(acts)(str(random.randint(1, 12)))
    del feed.entries[length:]
    return feed
