"""`xinglin check`: what is wrong with this machine, in plain words."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final

import asyncpg
import typer
from rich.console import Console
from rich.markup import escape

from xinglin.base.database import SERVER_FACTS, refuse_unfit_server
from xinglin.base.errors import ConflictError, XinglinError
from xinglin.base.places import open_data_folder, socket_folder
from xinglin.base.postgres import wheel_binaries
from xinglin.base.settings import Settings, read_settings
from xinglin.base.supervisor import served_at
from xinglin.cli.serving import LEAST_FREE_BYTES, Port, address_of, check_port, free_bytes

_ASSETS: Final = (
    "htmx/htmx.min.js",
    "bootstrap/bootstrap.min.css",
    "bootstrap/bootstrap.bundle.min.js",
    "echarts/echarts.common.min.js",
    "leaflet/leaflet.js",
)


_LONGEST_FOLDER: Final = 90
"""Characters of a folder that leave room for the name of a socket in it: the system takes 107 for both."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. is_good: nothing to do.  zh, en: what was found, and what to do when it is not good."""

    is_good: bool
    zh: str
    en: str


def mount(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("check")(check)


def check(port: Port = None) -> None:
    """检查这台机器能否运行杏林，逐项说明问题和办法 · Say what is wrong with this machine and what to do."""
    console = Console(highlight=False)
    findings = list(examine(os.environ, port))
    for finding in findings:
        sign = "[green]√[/]" if finding.is_good else "[red]×[/]"  # both stand in GBK too
        console.print(f"{sign} {escape(finding.zh)} · {escape(finding.en)}", soft_wrap=True)
    raise typer.Exit(0 if all(finding.is_good for finding in findings) else 17)


def examine(environment: Mapping[str, str], port: int | None = None) -> Iterator[Finding]:
    """Yield what was looked at, one finding a subject; a wrong setting ends it, since the rest depends on it. port: instead of the setting."""
    yield _python()
    try:
        settings = read_settings(environment)
        settings = settings.with_(port=port or settings.port)
        open_data_folder(settings.data_dir)
    except XinglinError as error:
        yield Finding(False, error.message("zh"), error.message("en"))
        return
    looks: tuple[Callable[[Settings], Finding], ...] = (_space, _port, _database, _assets, _definitions, _sockets)
    for look in looks:
        try:
            yield look(settings)
        except XinglinError as error:
            yield Finding(False, error.message("zh"), error.message("en"))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(sys.version_info >= (3, 11), f"Python {version}（需要 3.11 或更新）", f"Python {version} (3.11 or newer is needed)")


def _space(settings: Settings) -> Finding:
    free = free_bytes(settings)
    size = f"{free / 1024**3:.1f} GB"
    return Finding(
        free >= LEAST_FREE_BYTES,
        f"数据文件夹 {settings.data_dir} 所在磁盘剩余 {size}" + ("" if free >= LEAST_FREE_BYTES else "，请腾出至少 2 GB"),
        f"{size} free for {settings.data_dir}" + ("" if free >= LEAST_FREE_BYTES else "; free at least 2 GB"),
    )


def _port(settings: Settings) -> Finding:
    try:
        check_port(settings)
    except ConflictError:
        if served_at(settings.data_dir) != address_of(settings):
            raise
        return Finding(
            True, f"端口 {settings.port} 由本数据文件夹的杏林使用中", f"port {settings.port} is in use by the Xinglin of this data folder"
        )
    return Finding(True, f"端口 {settings.port} 空闲", f"port {settings.port} is free")


def _database(settings: Settings) -> Finding:
    if settings.database_url is None:
        folder = wheel_binaries()
        return Finding(True, "内置 PostgreSQL 已就绪", f"the embedded PostgreSQL is there ({folder.parent.name})")
    return asyncio.run(_server(settings.database_url))


async def _server(url: str) -> Finding:
    try:
        connection = await asyncpg.connect(url, timeout=10)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        kind = type(error).__name__
        return Finding(
            False,
            f"XINGLIN_DATABASE_URL 指向的数据库连不上（{kind}）：请检查地址、账号和网络",
            f"the server of XINGLIN_DATABASE_URL cannot be reached ({kind}): check the address, the role and the network",
        )
    try:
        facts = await connection.fetchrow(SERVER_FACTS)
        version = await connection.fetchval("show server_version")
    finally:
        await connection.close()
    refuse_unfit_server(*facts)
    return Finding(True, f"PostgreSQL {version}，可以建表", f"PostgreSQL {version}, tables can be made")


def _assets(settings: Settings) -> Finding:
    folder = resources.files("xinglin.web") / "static" / "vendor"
    missing = [name for name in _ASSETS if not (folder / name).is_file()]
    if missing:
        return Finding(
            False,
            f"缺少网页资源 {missing[0]}：请在源码文件夹运行 make assets",
            f"browser assets are missing ({missing[0]}): run `make assets` in the checkout",
        )
    return Finding(True, "网页资源齐全", "the browser assets are there")


def _definitions(settings: Settings) -> Finding:
    from xinglin.fhir import load_definitions

    count = len(load_definitions().resource_types)
    return Finding(True, f"FHIR R4 定义齐全（{count} 种资源）", f"the R4 definitions are there ({count} types)")


def _sockets(settings: Settings) -> Finding:
    folder = socket_folder(settings.data_dir)
    fits = len(str(folder)) < _LONGEST_FOLDER
    return Finding(
        fits,
        f"套接字文件夹 {folder}" + ("" if fits else "，路径太长：请把 TMPDIR 设为短的路径，如 /tmp"),
        f"socket folder {folder}" + ("" if fits else ", the path is too long: set TMPDIR to a short one, such as /tmp"),
    )
