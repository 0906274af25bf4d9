"""The ground of a measurement: an installation of its own in a temporary folder, and what a process has cost so far."""

from __future__ import annotations

import asyncio
import gc
import os
import platform as machine_facts
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from xinglin.assembly import Platform, assemble
from xinglin.base.database import migrate
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.base.settings import Settings, read_settings
from xinglin.cli import COLLECT_AFTER

AS_OF: Final = date(2026, 11, 21)
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Ground:
    """An installation whose database runs; `url` reaches it from other processes."""

    settings: Settings
    server: EmbeddedPostgres

    @property
    def url(self) -> str:
        """Return the address of the database."""
        return self.server.url

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment for a process of this installation that uses the running database."""
        return {**os.environ, "XINGLIN_DATA": str(self.settings.data_dir), "XINGLIN_DATABASE_URL": self.url, **more}


@contextmanager
def data_folder() -> Iterator[Path]:
    """Yield an empty data folder that is removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="xinglin-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)
        yield open_data_folder(Path(folder) / "data")


@contextmanager
def ground(data_dir: Path) -> Iterator[Ground]:
    """Yield an installation in a data folder with its database started and migrated; stop it afterwards."""
    settings = read_settings({"XINGLIN_DATA": str(data_dir)})
    settings = settings.with_(demo=(data_dir / "demo" / "manifest.json").exists())
    server = EmbeddedPostgres(data_dir)
    url = server.start()
    try:
        migrate(url)
        yield Ground(settings.with_(database_url=url), server)
    finally:
        server.stop()


@asynccontextmanager
async def platform_of(settings: Settings, kind: str = "command") -> AsyncIterator[Platform]:
    """Yield the platform of one process of an installation whose database runs."""
    async with assemble(settings, kind) as platform:
        yield platform


def postgres_cpu_s(place: Ground) -> float:
    """Return the CPU seconds of every process of the server so far, those that ended included."""
    pid = int((place.server.cluster / "postmaster.pid").read_text().split()[0])
    return sum(cpu_of(number) for number in (pid, *children_of(pid)))


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that ended; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def children_of(pid: int) -> list[int]:
    """Return the numbers of every process below a process."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, waiting = [], [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


@dataclass(slots=True)
class Meter:
    """Wall clock and CPU seconds since it was made: of this process and of the database."""

    place: Ground
    wall: float = 0.0
    own: float = 0.0
    database: float = 0.0

    def __post_init__(self) -> None:
        self.wall, self.own, self.database = time.perf_counter(), own_cpu_s(), postgres_cpu_s(self.place)

    def figures(self, count: int) -> dict[str, Any]:
        """Return rate and cost of `count` things: per_s, and CPU milliseconds each on both sides."""
        wall = time.perf_counter() - self.wall
        own, database = own_cpu_s() - self.own, postgres_cpu_s(self.place) - self.database
        return {
            "count": count,
            "wall_s": round(wall, 2),
            "per_s": round(count / wall),
            "python_cpu_ms_each": round(own * 1000 / count, 4),
            "postgres_cpu_ms_each": round(database * 1000 / count, 4),
        }


def own_cpu_s() -> float:
    """Return the CPU seconds of this process and of those that prepare lines for it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime + sum(map(cpu_of, children_of(os.getpid())))


def surroundings() -> dict[str, Any]:
    """Return the machine, the day and how busy it is."""
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), ""
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // (1024 * 1024)
    return {
        "machine": f"{model or machine_facts.machine()}, {memory} GB",
        "cores": len(os.sched_getaffinity(0)),
        "python": machine_facts.python_version(),
        "date": datetime.now(UTC).date().isoformat(),
        "load_average": [round(value, 2) for value in os.getloadavg()],
    }


def run_async(work: Any) -> Any:
    """Run one coroutine to its end, with the collector as every process of the installation has it."""
    gc.set_threshold(*COLLECT_AFTER)
    return asyncio.run(work)
