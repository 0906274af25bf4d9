"""The river from end to end: `xinglin bench river --json`.

XINGLIN_BENCH_PARTS=import,bulk runs some parts only; XINGLIN_BENCH_SKIP_INSTALL=1 leaves the clean installation out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from bench.ground import surroundings
from bench.load import bulk_door, transaction_door

BULK_RESIDENTS: Final = 2000
PARTS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "import": transaction_door,
    "bulk": lambda: bulk_door(BULK_RESIDENTS),
}


def run() -> dict[str, Any]:
    """Return the figures of the parts asked for; a figure that could not be taken is null beside a key `<part>_reason`."""
    wanted = [name for name in os.environ.get("XINGLIN_BENCH_PARTS", "").split(",") if name] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise SystemExit(f"no such part: {', '.join(unknown)}; one of {', '.join(PARTS)}")
    figures = surroundings()
    for name in wanted:
        figures |= PARTS[name]()
    return figures
