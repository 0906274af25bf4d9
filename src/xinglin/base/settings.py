"""The one frozen configuration object; read from the environment once, in assembly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from xinglin.base.errors import IncorrectError

DEMO_PASSWORD: Final = "Xinglin-2026"
"""The password of every account of a demonstration: the terminal and the sign-in page show it; outside a demonstration it opens nothing."""

CRYPTOGRAPHY: Final = ("international", "sm")


@dataclass(frozen=True, slots=True)
class Variable:
    """One environment variable. default: as written where it is absent.  zh, en: what it says."""

    name: str
    default: str
    zh: str
    en: str


VARIABLES: Final = (
    Variable("XINGLIN_DATA", "./data", "数据文件夹（数据库、数据湖、大报文、密钥），权限 0700", "data folder: database, lake, large messages, secrets; mode 0700"),
    Variable("XINGLIN_DATABASE_URL", "", "自备的 PostgreSQL 17 或更新版本的地址；不写则用内置数据库", "a PostgreSQL 17 or newer of yours; the embedded one when absent"),
    Variable("XINGLIN_HOST", "127.0.0.1", "网页监听的地址", "address the pages are served on"),
    Variable("XINGLIN_PORT", "8000", "网页监听的端口，1 到 65535", "port the pages are served on, 1 to 65535"),
    Variable("XINGLIN_ZONE", "Asia/Shanghai", "本区时区；“一天”以它为准", "the district's zone; a day is a day there"),
    Variable("XINGLIN_SITE", "1", "本安装的编号，1 到 32767，写入台账、审计和数据湖的每一行", "number of this installation, 1 to 32767, in rows of ledger, audit and lake"),
    Variable("XINGLIN_WEB_PROCESSES", "1", "网页进程数，1 到 64", "number of web processes, 1 to 64"),
    Variable("XINGLIN_CRYPTOGRAPHY", "international", "密码算法：international（国际）或 sm（国密 SM3/SM4，没有 SM2 签名）；安装后不要更改", "algorithms: international or sm (SM3, SM4; no SM2 signatures); keep it once installed"),
    Variable("XINGLIN_NIGHTLY", "02:30", "每日后台工作开始的时刻（本区时区）", "time of day at which the daily work begins, in the district's zone"),
    Variable("XINGLIN_ENGINE_WAIT", "60", "页面等统计引擎回答的最长秒数，1 到 600", "seconds a page waits for the engine process at most, 1 to 600"),
)  # fmt: skip
"""Every environment variable the product reads; the reference page is made from it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two installations.

    data_dir: folder of the database, the lake, large message bodies and secrets, mode 0700.
    database_url: a PostgreSQL server of yours, or None for the embedded one.
    zone: the district's zone; a "day" is a day there.  site: number of this installation in ledger, audit and lake rows.
    demo: synthetic data with known accounts; every page and print says so.
    cryptography: family of algorithms, `international` or `sm` (SM3, SM4; no SM2 signatures).
    nightly: time of day in the zone after which the engine process does its daily work.
    engine_wait_s: longest wait for an answer of the engine process, seconds.
    """

    data_dir: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    site: int = 1
    demo: bool = False
    web_processes: int = 1
    cryptography: str = "international"
    nightly: time = time(2, 30)
    engine_wait_s: int = 60

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


def _one_of(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = environment.get(name) or choices[0]
    if text not in choices:
        raise IncorrectError(f"请写 {' 或 '.join(choices)}", f"write {' or '.join(choices)}", where=name)
    return text


def _database_url(environment: Mapping[str, str]) -> str | None:
    text = environment.get("XINGLIN_DATABASE_URL") or None
    if text is not None and not _is_database_url(text):
        raise IncorrectError(
            "请写成 postgresql://账号:密码@主机:5432/库名，密码中的 @ / : 写成 %40 %2F %3A",
            "write it as postgresql://role:password@host:5432/database, and @ / : in a password as %40 %2F %3A",
            where="XINGLIN_DATABASE_URL",
        )
    return text


def _is_database_url(text: str) -> bool:
    """Return whether a text has the form of an address of a PostgreSQL server."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("postgresql", "postgres") and ("," in parts.netloc or parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _time_of_day(environment: Mapping[str, str], name: str, default: time) -> time:
    try:
        return time.fromisoformat(environment.get(name) or default.isoformat())
    except ValueError as error:
        raise IncorrectError("请写一天中的时刻，例如 02:30", "write a time of day such as 02:30", where=name) from error


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings an environment describes.

    The variables are those of `VARIABLES`.  Raises: IncorrectError naming the variable.
    """
    try:
        zone = ZoneInfo(environment.get("XINGLIN_ZONE") or "Asia/Shanghai")
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise IncorrectError("请写时区名，例如 Asia/Shanghai", "write a zone name such as Asia/Shanghai", where="XINGLIN_ZONE") from error
    return Settings(
        data_dir=Path(environment.get("XINGLIN_DATA") or "data").resolve(),
        database_url=_database_url(environment),
        host=environment.get("XINGLIN_HOST") or "127.0.0.1",
        port=_whole(environment, "XINGLIN_PORT", 8000, 1, 65535),
        zone=zone,
        site=_whole(environment, "XINGLIN_SITE", 1, 1, 32767),
        web_processes=_whole(environment, "XINGLIN_WEB_PROCESSES", 1, 1, 64),
        cryptography=_one_of(environment, "XINGLIN_CRYPTOGRAPHY", CRYPTOGRAPHY),
        nightly=_time_of_day(environment, "XINGLIN_NIGHTLY", time(2, 30)),
        engine_wait_s=_whole(environment, "XINGLIN_ENGINE_WAIT", 60, 1, 600),
    )
