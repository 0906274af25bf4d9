"""A process that keeps a lake from a deterministic feed: `python -m tests.fault.lake_writer <folder> <head>`.

Each line it reads allows one batch, each line it prints is the seq reached, so that the test decides between which two it is killed;
it ends when its input does, or at `head`, where the feed goes no further.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from tests.unit.engines.lake.conftest import CLOCK, ZONE
from tests.unit.engines.lake.long_feed import long_feed
from xinglin.engines.lake import Lake, LakeOptions, load_views

OPTIONS = LakeOptions(batch=23, most_small_files=3)


def _tell(seq: int) -> None:
    sys.stdout.write(f"{seq}\n")
    sys.stdout.flush()


async def main(folder: Path, head: int) -> None:
    """Refresh and fold in small batches, printing the seq reached after each."""
    feed = long_feed(head)
    lake = Lake(folder, load_views(ZONE), CLOCK, OPTIONS)
    everything = feed.entries
    _tell(lake.snapshot.seq)
    while lake.snapshot.seq < head and sys.stdin.readline():
        feed.entries = everything[: lake.snapshot.seq + 17]
        await lake.refresh(feed)
        _tell(lake.snapshot.seq)
        await asyncio.to_thread(lake.compact)
        await asyncio.to_thread(lake.sweep, None)
    lake.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
