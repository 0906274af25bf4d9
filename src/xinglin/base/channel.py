"""Calls between the processes of one installation, over a unix socket.

A frame is four bytes of length (big endian) and a msgpack map. A call is `{"name", "arguments"}`; its answer `{"ok": value}` or
`{"error": {...}}`, where an error keeps its category, place and both sentences, so that it means the same on either side.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from xinglin.base import errors
from xinglin.base.errors import Category, UnavailableError, XinglinError

Handler = Callable[..., Awaitable[Any]]
MOST_BYTES: Final = 256 * 1024 * 1024
LIMIT_S: Final = 60.0
"""How long a call waits where nobody says otherwise: longer than the first count of a large district, shorter than anybody's patience."""
_CLASSES: Final = {cls.category: cls for cls in XinglinError.__subclasses__()}
_log = logging.getLogger(__name__)
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


async def _read_frame(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    try:
        size = int.from_bytes(await reader.readexactly(4), "big")
        if size > MOST_BYTES:
            raise errors.FaultError("进程间的消息过大", "a message between processes is too large")
        frame: dict[str, Any] = _decode(await reader.readexactly(size))
        return frame
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _write_frame(writer: asyncio.StreamWriter, frame: Mapping[str, Any]) -> None:
    body = _encode(frame)
    writer.write(len(body).to_bytes(4, "big") + body)
    await writer.drain()


def _error_frame(error: XinglinError) -> dict[str, Any]:
    return {"error": {"category": error.category.value, "zh": error.zh, "en": error.en, "where": error.where, "status": error.http_status}}


def _as_error(facts: Mapping[str, Any]) -> XinglinError:
    return _CLASSES[Category(facts["category"])](facts["zh"], facts["en"], where=facts["where"], status=facts["status"])


async def _answer(handlers: Mapping[str, Handler], frame: Mapping[str, Any]) -> dict[str, Any]:
    handler = handlers.get(frame["name"])
    if handler is None:
        return _error_frame(errors.FaultError("没有这个内部调用", "no such internal call", where=str(frame["name"])))
    try:
        return {"ok": await handler(**frame["arguments"])}
    except XinglinError as error:
        return _error_frame(error)
    except Exception:  # noqa: BLE001 - the edge of the process: the caller gets a fault, the log keeps the trace
        _log.exception("the call %s failed", frame["name"])
        return _error_frame(
            errors.FaultError("内部调用出错，已记入日志", "an internal call failed; it is in the log", where=str(frame["name"]))
        )


@asynccontextmanager
async def serving(path: Path, handlers: Mapping[str, Handler]) -> AsyncIterator[asyncio.Server]:
    """Answer calls on the socket `path` while the block runs; a socket file left by a dead process is replaced."""

    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (frame := await _read_frame(reader)) is not None:
                await _write_frame(writer, await _answer(handlers, frame))
        except ConnectionError:
            pass
        finally:
            writer.close()

    path.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(on_connection, str(path))
    path.chmod(0o600)
    try:
        yield server
    finally:
        server.close()
        path.unlink(missing_ok=True)


class Channel:
    """The calling side: keeps idle connections, opens more when calls overlap. limit_s: longest wait for an answer, seconds."""

    def __init__(self, path: Path, *, limit_s: float = LIMIT_S) -> None:
        self._path = path
        self._limit_s = limit_s
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call(self, name: str, **arguments: Any) -> Any:
        """Return what the handler `name` returned (of the types msgpack carries).

        Raises: the handler's XinglinError; UnavailableError when the other process is away (an idle connection that died is
        replaced once; a call that was on its way is not repeated), or when it has not answered within the limit of this channel.
        """
        return await self.call_within(self._limit_s, name, **arguments)

    async def call_within(self, seconds: float, name: str, /, **arguments: Any) -> Any:
        """Return as `call`, for work that is known to take longer (or must not take as long) as the limit of this channel."""
        try:
            async with asyncio.timeout(seconds):
                return await self._call(name, arguments)
        except TimeoutError as error:
            raise _late(seconds) from error

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> Any:
        connection = self._idle.pop() if self._idle else None
        if connection is None or connection[1].is_closing() or connection[0].at_eof():
            connection = await self._connect()
        reader, writer = connection
        try:
            await _write_frame(writer, {"name": name, "arguments": arguments})
            frame = await _read_frame(reader)
        except ConnectionError:
            frame = None
        except BaseException:
            writer.close()
            raise
        if frame is None:
            writer.close()
            raise self._away()
        self._idle.append(connection)
        if "error" in frame:
            raise _as_error(frame["error"])
        return frame["ok"]

    async def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await asyncio.open_unix_connection(str(self._path))
        except OSError as error:
            raise self._away() from error

    @staticmethod
    def _away() -> UnavailableError:
        return UnavailableError("统计引擎正在启动或重启，请稍后重试", "the engine process is starting; try again in a moment")


def _late(seconds: float) -> UnavailableError:
    return UnavailableError(
        f"统计引擎 {seconds:g} 秒内没有回答，请稍后重试；若一直如此，请系统管理员重启服务",
        f"the engine process has not answered within {seconds:g} seconds; try again in a moment, or have the service restarted",
    )
