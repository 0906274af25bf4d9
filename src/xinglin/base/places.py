"""The folders an installation uses, made with the right owner and mode."""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from xinglin.base.errors import UnavailableError


def open_data_folder(folder: Path) -> Path:
    """Make the data folder and return it: others may pass through (0711, the database's own user must) but see nothing.

    Raises: UnavailableError when it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.chmod(folder, 0o711 if os.geteuid() == 0 else 0o700)
        private_folder(folder / "run")
    except OSError as error:
        raise UnavailableError(
            "数据文件夹无法建立或写入，请检查权限和磁盘空间，或用 XINGLIN_DATA 另选一个",
            "the data folder cannot be made or written to; check permission and free space, or choose another with XINGLIN_DATA",
            where=str(folder),
        ) from error
    return folder


def private_folder(folder: Path) -> Path:
    """Make a folder only its owner can enter, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    return folder


def socket_folder(data_dir: Path, owner: int | None = None) -> Path:
    """Return a short private folder for the unix sockets of this data folder (a socket's path holds 107 bytes at most).

    owner: numeric user the folder belongs to; default the present one.
    Raises: UnavailableError when somebody else owns a folder of that name.
    """
    wanted = os.geteuid() if owner is None else owner
    folder = _sockets_of(data_dir, wanted)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid == os.geteuid() != wanted:
        os.chown(folder, wanted, -1)
    if folder.is_symlink() or folder.stat().st_uid != wanted:
        raise UnavailableError(
            "套接字文件夹属于别的用户，请删除它", "the socket folder belongs to another user; remove it", where=str(folder)
        )
    os.chmod(folder, 0o700)
    return folder


def forget_socket_folder(data_dir: Path, owner: int | None = None) -> None:
    """Remove the folder `socket_folder` made, unless a socket still stands in it."""
    with suppress(OSError):
        _sockets_of(data_dir, os.geteuid() if owner is None else owner).rmdir()


def _sockets_of(data_dir: Path, owner: int) -> Path:
    digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"xinglin-{owner}-{digest}"
