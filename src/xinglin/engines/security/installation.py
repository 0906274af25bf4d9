"""The secrets of one installation: made at first start, kept in the data folder, never in the database.

Without the key file no session, cursor or second factor survives and the audit log cannot be checked: back it up apart from the database.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from xinglin.base.errors import UnavailableError

KEY_BYTES: Final = 32
KEY_FILE: Final = "installation.key"


@dataclass(frozen=True, slots=True)
class InstallationSecrets:
    """Keys for each use, all derived from one random key of the installation."""

    _master: bytes = field(repr=False)

    @classmethod
    def load(cls, folder: Path, *, entropy: Callable[[int], bytes] = os.urandom) -> InstallationSecrets:
        """Return the secrets in `folder`, made at first use (0600, in a folder 0700). Two processes at once get the same.

        Raises: UnavailableError when the key cannot be read or written, is cut short, or others may read it.
        """
        path = folder / KEY_FILE
        try:
            if not path.exists():
                _make(path, entropy)
            key, mode = path.read_bytes(), path.stat().st_mode & 0o777
        except OSError as error:
            raise UnavailableError(
                "密钥文件无法读写，请检查数据文件夹的权限和磁盘空间",
                "the key file cannot be read or written; check the data folder's permission and space",
                where=str(path),
            ) from error
        if mode & 0o077:
            raise UnavailableError(
                "其他用户可读密钥文件；请执行 chmod 600", "others may read the key file; run chmod 600 on it", where=str(path)
            )
        if len(key) != KEY_BYTES:
            raise UnavailableError(
                "密钥文件长度不对；请从备份恢复", f"the key file must hold {KEY_BYTES} bytes; restore it from a backup", where=str(path)
            )
        return cls(key)

    def key(self, use: str) -> bytes:
        """Return 32 bytes for one use ("session", "cursor", "token", ...); two uses never share a key.  Source: RFC 5869 (HKDF), one block."""
        extracted = hmac.new(b"xinglin", self._master, hashlib.sha256).digest()
        return hmac.new(extracted, use.encode() + b"\x01", hashlib.sha256).digest()


def _make(path: Path, entropy: Callable[[int], bytes]) -> None:
    """Write a new key beside its place and link it in: whoever comes second keeps the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.chmod(path.parent, 0o700)
    draft = path.with_name(f"{KEY_FILE}.{os.getpid()}.{entropy(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(entropy(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
