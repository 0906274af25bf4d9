"""The river from end to end: `xinglin bench river --json`.

XINGLIN_BENCH_PARTS=import,bulk runs some parts only (see PARTS); XINGLIN_BENCH_SKIP_INSTALL=1 leaves the clean installation out;
XINGLIN_BENCH_RESIDENTS=5000,20000 are the sizes of the demonstration for memory and for pages.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from bench.ground import surroundings
from bench.house import House
from bench.living import demonstration, installation
from bench.load import bulk_door, transaction_door
from bench.pages import page_figures
from bench.visits import person_figures, refresh_figures
from xinglin.assembly import Platform

BULK_RESIDENTS: Final = 2000
KEYS: Final = (
    *("install_s", "second_start_s", "import_resources_per_s", "bulk_resources_per_s"),
    *("lake_refresh_s", "one_person_ms", "page_p95_ms", "pss_mb"),
)


def _sizes() -> tuple[int, int]:
    small, _, large = (os.environ.get("XINGLIN_BENCH_RESIDENTS") or "5000,20000").partition(",")
    return int(small), int(large or small)


async def _refresh(platform: Platform, _: House) -> dict[str, Any]:
    return await refresh_figures(platform)


def _living() -> dict[str, Any]:
    """Return memory, second start, refresh and one person's path at the first size."""
    told = demonstration(_sizes()[0], _refresh, person_figures)
    facts = told["demonstration"]
    return {**told, "pss_mb": round(sum(facts["pss_mb"].values())), "second_start_s": facts["second_start_s"]}


def _pages() -> dict[str, Any]:
    """Return the pages at the second size."""
    told = demonstration(_sizes()[1], page_figures)
    return {**told, "pages_demonstration": told.pop("demonstration")}


PARTS: Final[Mapping[str, Callable[[], dict[str, Any]]]] = {
    "install": installation,
    "import": transaction_door,
    "bulk": lambda: bulk_door(BULK_RESIDENTS),
    "living": _living,
    "pages": _pages,
}


def run() -> dict[str, Any]:
    """Return the figures of the parts asked for; what was not taken is null."""
    wanted = [name for name in os.environ.get("XINGLIN_BENCH_PARTS", "").split(",") if name] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        raise SystemExit(f"no such part: {', '.join(unknown)}; one of {', '.join(PARTS)}")
    figures: dict[str, Any] = {**dict.fromkeys(KEYS), **surroundings()}
    for name in wanted:
        figures |= PARTS[name]()
    return {**figures, "load_average_after": [round(value, 2) for value in os.getloadavg()]}
