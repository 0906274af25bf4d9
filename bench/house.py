"""A demonstration served by processes of its own, as a stranger would run it, and what it costs."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from bench.ground import children_of, cpu_of
from xinglin.assembly import Platform
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.base.settings import Settings, read_settings
from xinglin.cli.loading import JOB

PATIENCE_S: Final = 3600.0


@dataclass(slots=True)
class House:
    """A running `xinglin demo` or `xinglin serve`."""

    data_dir: Path
    port: int
    process: subprocess.Popen[bytes]
    started: float

    @property
    def address(self) -> str:
        """Return where it serves."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Settings:
        """Return the settings of a process of it."""
        url = EmbeddedPostgres(self.data_dir).url
        return read_settings({"XINGLIN_DATA": str(self.data_dir)}).with_(database_url=url, demo=True)

    def first_page(self) -> float:
        """Wait for the sign-in page; return seconds since the start."""
        while True:
            try:
                if httpx.get(f"{self.address}/sign-in", timeout=5, trust_env=False).status_code == 200:
                    return time.perf_counter() - self.started
            except httpx.HTTPError:
                time.sleep(0.05)
            self._check()

    def _check(self) -> None:
        if self.process.poll() is not None:
            said = (self.data_dir / "bench.log").read_text(encoding="utf-8", errors="replace")[-1500:]
            raise RuntimeError(f"the served process ended with code {self.process.returncode}: {said}")
        if time.perf_counter() - self.started > PATIENCE_S:
            raise TimeoutError("the served process did not get there within an hour")

    async def loaded(self, platform: Platform) -> float:
        """Wait until the demonstration is loaded; return seconds since the start."""
        while True:
            async with platform.database.connection() as connection:
                if await connection.fetchval("select finished_at from progress where job = $1", JOB):
                    return time.perf_counter() - self.started
            self._check()
            await asyncio.sleep(0.25)

    async def current(self, platform: Platform) -> float:
        """Wait until columns and results have reached the head of the feed; return seconds since the start."""
        while True:
            lake = await platform.engine.call("lake.freshness")
            async with platform.database.connection() as connection:
                results = await connection.fetchval("select seq from feed_reader where name = 'results'")
            if lake["seq"] >= lake["head"] and (results or 0) >= lake["head"]:
                return time.perf_counter() - self.started
            self._check()
            await asyncio.sleep(0.25)

    def processes(self) -> dict[str, list[int]]:
        """Return the numbers of its processes by what they are; the database's stand under `postgres`."""
        server = int((EmbeddedPostgres(self.data_dir).cluster / "postmaster.pid").read_text().split()[0])
        found = {"parent": [self.process.pid], "postgres": [server, *children_of(server)]}
        for pid in children_of(self.process.pid):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
            if "xinglin" in words[:-1]:  # python … -m xinglin <what it is>
                found.setdefault(words[words.index("xinglin") + 1], []).append(pid)
        if missing := {"engine", "web"} - found.keys():
            raise RuntimeError(f"these processes of the installation are not to be seen: {sorted(missing)}")
        return found

    def memory_mb(self) -> dict[str, float]:
        """Return the proportional set size of each kind of process."""
        return {kind: round(sum(map(pss_kb, pids)) / 1024, 1) for kind, pids in self.processes().items()}

    def cpu_s(self) -> dict[str, float]:
        """Return CPU seconds so far of each kind of process, those that ended included."""
        return {kind: round(sum(cpu_of(pid) for pid in pids), 1) for kind, pids in self.processes().items()}


def pss_kb(pid: int) -> int:
    """Return the proportional set size of a process, 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(data_dir: Path, command: Sequence[str], python: str | Path = sys.executable) -> Iterator[House]:
    """Yield a running `xinglin <command>`; end it afterwards."""
    port = free_port()
    environment = {**os.environ, "XINGLIN_DATA": str(data_dir), "XINGLIN_DATABASE_URL": ""}
    arguments = [str(python), "-m", "xinglin", *command, "--port", str(port)]
    started = time.perf_counter()
    with (data_dir / "bench.log").open("ab") as log:
        process = subprocess.Popen(arguments, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield House(data_dir, port, process, started)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            EmbeddedPostgres(data_dir).stop()
