"""The one frozen configuration object; read from the environment once, in assembly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from xinglin.base.errors import IncorrectError

DEMO_PASSWORD: Final = "Xinglin-2026"
"""The password of every account of a demonstration: the terminal and the sign-in page show it; outside a demonstration it opens nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two installations.

    data_dir: folder of the database, the lake, large message bodies and secrets, mode 0700.
    database_url: a PostgreSQL server of yours, or None for the embedded one.
    zone: the district's zone; a "day" is a day there.  site: number of this installation in ledger, audit and lake rows.
    demo: synthetic data with known accounts; every page and print says so.
    """

    data_dir: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    site: int = 1
    demo: bool = False
    web_processes: int = 1

    @property
    def socket_path(self) -> Path:
        """Return the unix socket on which the engine process answers."""
        return self.data_dir / "run" / "engine.sock"

    def with_(self, **changes: object) -> Settings:
        """Return a copy with some fields replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]


def _whole(environment: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environment.get(name)
    if text is None or text == "":
        return default
    if not text.isdigit() or not least <= int(text) <= most:
        raise IncorrectError(f"请写 {least} 到 {most} 之间的整数", f"write a whole number from {least} to {most}", where=name)
    return int(text)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings an environment describes.

    Variables: XINGLIN_DATA (default ./data), XINGLIN_DATABASE_URL, XINGLIN_HOST, XINGLIN_PORT, XINGLIN_ZONE, XINGLIN_SITE,
    XINGLIN_WEB_PROCESSES.  Raises: IncorrectError naming the variable.
    """
    try:
        zone = ZoneInfo(environment.get("XINGLIN_ZONE") or "Asia/Shanghai")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise IncorrectError("请写时区名，例如 Asia/Shanghai", "write a zone name such as Asia/Shanghai", where="XINGLIN_ZONE") from error
    return Settings(
        data_dir=Path(environment.get("XINGLIN_DATA") or "data").resolve(),
        database_url=environment.get("XINGLIN_DATABASE_URL") or None,
        host=environment.get("XINGLIN_HOST") or "127.0.0.1",
        port=_whole(environment, "XINGLIN_PORT", 8000, 1, 65535),
        zone=zone,
        site=_whole(environment, "XINGLIN_SITE", 1, 1, 32767),
        web_processes=_whole(environment, "XINGLIN_WEB_PROCESSES", 1, 1, 64),
    )
