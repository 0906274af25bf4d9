"""An installation under `xinglin serve`, as a test starts, kills and asks it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.free_port import free_port
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres


def until(is_so: Callable[[], bool], seconds: float = 300.0) -> None:
    """Return once something is so; so long because a busy machine is no fault.  Raises: TimeoutError."""
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("it never came about")
        time.sleep(0.1)


def kill_server(server: EmbeddedPostgres) -> None:
    """Kill the database with SIGKILL and return once it is gone: the signal works when the machine gets to it, not when it is sent."""
    number = server.postmaster_pid()
    assert number is not None
    os.kill(number, signal.SIGKILL)
    until(lambda: not server.is_running())


def run(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one command of xinglin on a data folder and return what it said."""
    return subprocess.run(
        [sys.executable, "-m", "xinglin", *arguments],
        env={**os.environ, "XINGLIN_DATA": str(data), "COLUMNS": "200", **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


class Served:
    """An installation that runs."""

    def __init__(self, data: Path, process: subprocess.Popen[bytes], port: int, output: Path) -> None:
        self.data = data
        self.process = process
        self.address = f"http://127.0.0.1:{port}"
        self.server = EmbeddedPostgres(data)
        self._output = output

    def said(self) -> str:
        """Return what it printed so far."""
        return self._output.read_text(encoding="utf-8", errors="replace")

    def is_up(self) -> bool:
        """Return whether a page is served that needs the database."""
        try:
            return httpx.get(f"{self.address}/sign-in", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def pid(self, name: str) -> int:
        """Return the process number of a child, or of postgres."""
        if name == "postgres":
            number = self.server.postmaster_pid()
            assert number is not None
            return number
        return int((self.data / "run" / f"{name}.pid").read_text())

    def kill(self, name: str) -> int:
        """Kill a process of it with SIGKILL; returns the number it had."""
        number = self.pid(name)
        os.kill(number, signal.SIGKILL)
        return number


@contextmanager
def serving(data: Path, **environment: str) -> Iterator[Served]:
    """Serve a data folder until the block ends, then stop it as Ctrl-C does."""
    open_data_folder(data)
    port = free_port()
    output = data / "serve.out"
    with output.open("ab") as out:
        settings: Mapping[str, str] = {
            **os.environ,
            "XINGLIN_DATA": str(data),
            "XINGLIN_PORT": str(port),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        process = subprocess.Popen([sys.executable, "-m", "xinglin", "serve"], env=settings, stdout=out, stderr=out, cwd="/")
    served = Served(data, process, port, output)
    try:
        until(lambda: served.is_up() or process.poll() is not None)
        assert process.poll() is None, served.said()
        yield served
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        served.server.stop()
