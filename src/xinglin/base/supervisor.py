"""Keeps the processes of one installation alive: starts them, restarts those that die, stops all together."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from xinglin.base.database import LOST
from xinglin.base.errors import ConflictError
from xinglin.base.postgres import EmbeddedPostgres

_STOP_S: Final = 20
_PAUSES_S: Final = (0.2, 0.5, 1, 2, 5)
_LOOK_S: Final = 0.5
_AGAIN_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class Child:
    """A process to keep alive. once: it ends by itself with code 0 and is not started again then.

    when: it is started whenever this file stands; it takes the file away when its work is done, and one that was killed is started again.
    """

    name: str
    arguments: Sequence[str]
    once: bool = False
    when: Path | None = None


def hold_data_folder(data_dir: Path) -> IO[str]:
    """Take the lock of a data folder for this process and return it; it is given back when the process ends, however it ends.

    Raises: ConflictError when another process serves this folder.
    """
    lock = _lock_file(data_dir).open("a+")
    while not _got(lock, fcntl.LOCK_EX):
        if not _got(lock, fcntl.LOCK_SH):
            lock.close()
            raise ConflictError(
                "这个数据文件夹已有一个杏林在运行，请先停止它（命令请等它结束），或用 XINGLIN_DATA 另选文件夹",
                "another Xinglin serves this data folder; stop it (let a command end) or choose another folder with XINGLIN_DATA",
                where=str(data_dir),
            )
        fcntl.flock(lock, fcntl.LOCK_UN)  # nobody serves it, somebody looks whether (served_at), which takes no time
        time.sleep(_AGAIN_S)
    lock.truncate(0)
    return lock


def _lock_file(data_dir: Path) -> Path:
    return data_dir / "run" / "serve.lock"


def _got(lock: IO[str], kind: int) -> bool:
    """Return whether the lock of that kind could be had without waiting; one kept before is lost when it could not."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def note_address(lock: IO[str], address: str) -> None:
    """Write into the lock of a data folder at which address (host:port) it is served, for who finds the port taken."""
    lock.write(address)
    lock.flush()


def served_at(data_dir: Path) -> str:
    """Return the address (host:port) at which a running Xinglin serves a data folder, "" where none does. Stands in nobody's way."""
    try:
        with _lock_file(data_dir).open() as lock:
            return "" if _got(lock, fcntl.LOCK_SH) else lock.read()
    except FileNotFoundError:
        return ""


def _say_unless_cut(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report what nobody awaited, except connections that ended because the server is being stopped."""
    if not isinstance(context.get("exception"), LOST):
        loop.default_exception_handler(context)


class Supervisor:
    """Children of this process and, where it is embedded, the database server.

    tell: called with the child's name and how often in a row it has died, each time it dies by itself.
    """

    def __init__(
        self,
        environment: dict[str, str],
        log_folder: Path,
        postgres: EmbeddedPostgres | None,
        tell: Callable[[str, int], None] = lambda name, deaths: None,
    ) -> None:
        self._tell = tell
        self._environment = environment
        self._logs = log_folder
        self._postgres = postgres
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._stopping = asyncio.Event()

    async def run(self, children: Sequence[Child], ready: Callable[[], Awaitable[None]]) -> None:
        """Run the children until SIGINT or SIGTERM; `ready` is awaited once they have been started."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        self._logs.mkdir(parents=True, exist_ok=True)
        tasks = [asyncio.create_task(self._keep(child)) for child in children]
        if self._postgres is not None:
            tasks.append(asyncio.create_task(self._keep_postgres(self._postgres)))
        greeting = asyncio.ensure_future(ready())
        await self._stopping.wait()
        loop.set_exception_handler(_say_unless_cut)
        greeting.cancel()
        await self._stop_all()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, greeting, return_exceptions=True)
        if self._postgres is not None:
            await asyncio.to_thread(self._postgres.stop)

    def stop(self) -> None:
        """End `run`, as a signal would."""
        self._stopping.set()

    def pids(self) -> dict[str, int]:
        """Return the name and process number of the children that run."""
        return {name: process.pid for name, process in self._processes.items() if process.returncode is None}

    async def _keep(self, child: Child) -> None:
        deaths = 0
        while not self._stopping.is_set():
            if child.when is not None and not child.when.exists():
                await self._pause(_LOOK_S)
                continue
            started = asyncio.get_running_loop().time()
            code = await self._run_once(child)
            if child.once and code == 0 or self._stopping.is_set():
                return
            deaths = 1 if asyncio.get_running_loop().time() - started > 60 else deaths + 1
            self._tell(child.name, deaths)
            await self._pause(_PAUSES_S[min(deaths, len(_PAUSES_S)) - 1])

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _run_once(self, child: Child) -> int:
        with (self._logs / f"{child.name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # what stands in the folder somebody started it from is not ours to run
                "-m",
                "xinglin",
                *child.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        self._processes[child.name] = process
        note = self._logs.parent / "run" / f"{child.name}.pid"
        note.with_suffix(".new").write_text(str(process.pid))
        note.with_suffix(".new").replace(note)
        return await process.wait()

    async def _keep_postgres(self, postgres: EmbeddedPostgres) -> None:
        while not self._stopping.is_set():
            if not await asyncio.to_thread(postgres.is_running):
                await asyncio.to_thread(postgres.start)
            await self._pause(1)

    async def _stop_all(self) -> None:
        running = [process for process in self._processes.values() if process.returncode is None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        try:
            await asyncio.wait_for(asyncio.gather(*(process.wait() for process in running)), _STOP_S)
        except TimeoutError:
            for process in running:
                if process.returncode is None:
                    os.kill(process.pid, signal.SIGKILL)
