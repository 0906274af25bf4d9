"""Large message bodies, in files named by their SHA-256."""

from __future__ import annotations

import os
from pathlib import Path

from xinglin.base.errors import NotFoundError, UnavailableError
from xinglin.base.places import private_folder


class Blobs:
    """A content-addressed folder. A file appears under its name only when it is whole and on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = private_folder(folder)

    def _path(self, digest: bytes) -> Path:
        name = digest.hex()
        return self._folder / name[:2] / name

    def put(self, digest: bytes, content: bytes) -> None:
        """Keep content under its digest; nothing happens when it is there.  Raises: UnavailableError when the disk refuses."""
        if not self._path(digest).exists():
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
