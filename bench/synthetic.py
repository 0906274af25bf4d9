"""How fast a district is generated: `xinglin bench synthetic`, or `python -m bench.synthetic 5000 20000 100000`."""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

from xinglin.synthetic import Plan, generate

AS_OF = date(2026, 11, 21)


def one(residents: int) -> dict[str, Any]:
    """Return seconds, CPU seconds, resources and megabytes of one generation by one worker; `residents` of the plan."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        manifest = generate(Plan(residents=residents, as_of=AS_OF), Path(folder) / "district")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    size = sum(file["bytes"] for file in manifest.files)
    return {
        f"seconds_{residents}": round(wall, 2), f"cpu_seconds_{residents}": round(cpu, 2), f"resources_{residents}": manifest.resources,
        f"mb_{residents}": round(size / 1e6), f"resources_per_cpu_s_{residents}": round(manifest.resources / cpu),
    }  # fmt: skip


def run(sizes: tuple[int, ...] = (5000, 20000)) -> dict[str, Any]:
    """Return the figures of each size, the peak of memory, and what a million residents would take at the last rate."""
    figures: dict[str, Any] = {}
    for size in sizes:
        figures |= one(size)
    last = sizes[-1]
    figures["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    figures["estimated_cpu_minutes_1000000"] = round(figures[f"cpu_seconds_{last}"] / last * 1_000_000 / 60, 1)
    figures["estimated_gb_1000000"] = round(figures[f"mb_{last}"] / last * 1_000_000 / 1000)
    return figures


if __name__ == "__main__":
    for name, value in run(tuple(int(size) for size in sys.argv[1:]) or (5000, 20000)).items():
        print(f"{name}\t{value}")
