"""Processes that prepare lines of NDJSON while this one writes those before: every processor for one file.

They start with the first large file, end when nothing came for a while, and when one is away its work is done here.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from subprocess import DEVNULL, Popen
from typing import Final

from xinglin.base.errors import XinglinError
from xinglin.engines.exchange.door import Exchange
from xinglin.engines.exchange.lines import LineWork, Order, PackedLines, packed, unpacked, work_on

LARGE_BYTES: Final = 4_000_000
"""Smaller files are written before another process has come up."""
IDLE_S: Final = 15.0
"""So long such a process waits for the next lines before it ends and gives its memory back."""
REST_S: Final = 60.0
"""So long one that could not be started, or ended before it stood, is not tried again."""
ANSWER_S: Final = 300.0
"""A process that has not answered for so long is given up: a chunk takes a tenth of a second."""
_STANDING: Final = b"standing"
_NOT_HERE: Final = b""
_log = logging.getLogger(__name__)
Work = Callable[[Connection], None]
"""What such a process runs, given its end of the pipe: it calls `prepare_for`, and pickle knows it by its name."""
_COMMAND: Final = f"from {__name__} import main; main()"


class Beside:
    """The processes as the one that writes sees them. hands: how many at most.  large: bytes from which on a file is worth them."""

    def __init__(self, work: Work, hands: int, *, large: int = LARGE_BYTES) -> None:
        self.hands = hands
        self.large = large
        self.answered = 0
        """Orders that other processes have prepared so far."""
        self._hands = [_Hand(work) for _ in range(hands)]
        self._idle: asyncio.LifoQueue[_Hand] = asyncio.LifoQueue()
        for hand in self._hands:
            self._idle.put_nowait(hand)

    async def prepare(self, exchange: Exchange, order: Order) -> LineWork:
        """Return lines ready to be written, prepared by the next free process, or here where that one is starting or away.

        Raises: what the exchange raises while it prepares.
        """
        hand = await self._idle.get()
        try:
            if not hand.stands:
                if not hand.is_resting and not any(other.is_starting for other in self._hands):
                    hand.start()
                return await work_on(exchange, order)
            found = await hand.ask(order)
        finally:
            self._idle.put_nowait(hand)
        if found is None:
            return await work_on(exchange, order)
        self.answered += 1
        return unpacked(exchange, found)

    async def up(self) -> None:
        """Start every process and return once they stand: for who knows that large files are about to come."""
        for hand in self._hands:
            if not hand.stands and not hand.is_starting:
                hand.start()
        for hand in self._hands:
            await hand.come_up()

    async def close(self) -> None:
        """End the processes."""
        for hand in self._hands:
            await hand.close()


class _Hand:
    """One process and the way to it."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._process: Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._starting: asyncio.Task[None] | None = None
        self._rests_until = 0.0

    @property
    def is_resting(self) -> bool:
        """Whether it failed to come up a short while ago."""
        return time.monotonic() < self._rests_until

    @property
    def is_starting(self) -> bool:
        """Whether it was started and has not come up yet."""
        return self._starting is not None and not self._starting.done()

    @property
    def stands(self) -> bool:
        """Whether it takes orders."""
        return self._process is not None and not self.is_starting and self._process.poll() is None

    def start(self) -> None:
        """Start the process; it stands some time later, or never where the system has no room for it."""
        self._drop()
        try:
            self._pipe, theirs = Pipe()
            with theirs:
                end = theirs.fileno()
                # -P: the folder an import is run in is no place of programs. A group of its own: Ctrl-C is for the process that writes,
                # and the pipe tells the others when that is gone.
                command = [sys.executable, "-P", "-c", _COMMAND, str(end)]
                self._process = Popen(command, pass_fds=[end], stdin=DEVNULL, process_group=0)
        except OSError as error:
            _log.warning("no process to prepare lines could be started: %s", error.strerror)
            self._rests_until = time.monotonic() + REST_S
            self._drop()
            return
        self._starting = asyncio.create_task(self._wait(self._pipe), name="beside")

    async def come_up(self) -> None:
        """Return once it has come up, or ended."""
        if self._starting is not None:
            await self._starting

    async def ask(self, order: Order) -> PackedLines | None:
        """Return its answer; None where it leaves the lines to us or is gone."""
        assert self._pipe is not None
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.to_thread(_asked, self._pipe, order)
        except (EOFError, OSError):  # too late an answer is one of these
            self._drop()
            return None
        except BaseException:
            self._drop()  # an answer nobody waits for would be taken for the next one
            raise

    async def close(self) -> None:
        """End the process."""
        self._drop()
        await self.come_up()

    async def _wait(self, pipe: Connection) -> None:
        try:
            await asyncio.to_thread(_greeted, pipe, self._work)
        except (EOFError, OSError):
            if self._pipe is pipe:
                self._rests_until = time.monotonic() + REST_S
                self._drop()

    def _drop(self) -> None:
        process, self._process = self._process, None
        pipe, self._pipe = self._pipe, None
        if process is not None:
            process.kill()
            process.wait()
        if pipe is not None:
            pipe.close()


def _greeted(pipe: Connection, work: Work) -> None:
    pipe.send_bytes(pickle.dumps(work))
    pipe.recv_bytes()


def _asked(pipe: Connection, order: Order) -> PackedLines | None:
    pipe.send_bytes(pickle.dumps(order, pickle.HIGHEST_PROTOCOL))
    answer = pipe.recv_bytes()
    found: PackedLines | None = pickle.loads(answer) if answer != _NOT_HERE else None
    return found


def main() -> None:
    """Run, in a process of its own, the work that comes first through the pipe whose number is the argument."""
    pipe = Connection(int(sys.argv[1]))
    work: Work = pickle.loads(pipe.recv_bytes())
    work(pipe)


async def prepare_for(exchange: Exchange, pipe: Connection) -> None:
    """Answer orders until the other side is gone or silent for long: the work of such a process."""
    pipe.send_bytes(_STANDING)
    while (order := await asyncio.to_thread(_next, pipe)) is not None:
        answer = await _answer(exchange, order)
        with suppress(OSError):
            pipe.send_bytes(answer)


def _next(pipe: Connection) -> Order | None:
    try:
        if not pipe.poll(IDLE_S):
            return None
        order: Order = pickle.loads(pipe.recv_bytes())
        return order
    except (EOFError, OSError):
        return None


async def _answer(exchange: Exchange, order: Order) -> bytes:
    """Return the packed work; nothing where it failed, so that the process that writes tries itself and tells its caller why."""
    try:
        done = packed(await work_on(exchange, order))
    except XinglinError as error:
        _log.info("lines up to %s are left to the process that writes: %s", order.lines.last, error.category)
        return _NOT_HERE
    return _NOT_HERE if done is None else pickle.dumps(done, pickle.HIGHEST_PROTOCOL)
