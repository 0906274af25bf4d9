"""Large message bodies, in files named by their SHA-256."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from xinglin.base.errors import NotFoundError, UnavailableError
from xinglin.base.places import private_folder

_HEX: Final = 64
_ASIDE: Final = ".aside"
LEFT_BEHIND_S: Final = 3600.0
"""A file without a message, or one that was not finished, is nobody's any more after so long."""


class Blobs:
    """A content-addressed folder. A file appears under its name only when it is whole and on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name

    def put(self, digest: bytes, content: bytes) -> None:
        """Keep content under its digest; nothing is written when it is there.  Raises: UnavailableError when the disk refuses."""
        path = self._path(digest)
        try:
            # What somebody was erased from has another size: sent again as another message it is whole again.
            if path.stat().st_size == len(content):
                os.utime(path)
                return
        except OSError:
            pass
        self.replace(digest, content)

    def replace(self, digest: bytes, content: bytes) -> None:
        """Keep other content under a digest, when somebody was erased from it; the old is gone then.  Raises: UnavailableError."""
        path = self._path(digest)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            private_folder(path.parent)
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            descriptor = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise UnavailableError(
                "磁盘已满或无法写入，没有接收；清理空间后重发",
                "the disk is full or refuses; nothing was taken, send again after freeing space",
            ) from error

    def get(self, digest: bytes) -> bytes:
        """Return the content of a digest.  Raises: NotFoundError."""
        try:
            return self._path(digest).read_bytes()
        except FileNotFoundError as error:
            raise NotFoundError(
                "报文原件不在文件库中", "the message's original is not in the blob folder", where=digest.hex()[:12]
            ) from error

    def forget_partial(self) -> int:
        """Remove what killed processes did not finish writing; returns how many files that were."""
        return sum(self._forget(path) for path in self._files() if len(path.name) > _HEX)

    def digests(self) -> Iterator[bytes]:
        """Yield the digest of every file."""
        for path in self._files():
            with suppress(ValueError):
                if len(path.name) == _HEX:
                    yield bytes.fromhex(path.name)

    def forget(self, digest: bytes) -> bool:
        """Remove a file that no message has, unless somebody put it a short while ago; returns whether it is gone."""
        return self._forget(self._path(digest))

    def _files(self) -> Iterator[Path]:
        return (path for path in self._folder.glob("??/*") if path.is_file())

    @staticmethod
    def _forget(path: Path) -> bool:
        """Remove a file that is old. It is put aside first: who puts the same content meanwhile misses it and writes it anew."""
        aside = path.with_name(path.name + _ASIDE)
        try:
            if time.time() - path.stat().st_mtime < LEFT_BEHIND_S:
                return False
            path.rename(aside)
            if time.time() - aside.stat().st_mtime < LEFT_BEHIND_S:
                aside.rename(path)
                return False
            aside.unlink()
        except FileNotFoundError:
            return False
        return True
