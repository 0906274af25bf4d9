"""What every command starts with: settings, data folder, database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from xinglin.assembly import Platform, assemble
from xinglin.base.database import migrate
from xinglin.base.errors import ConflictError, NotFoundError
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres, cluster_place
from xinglin.base.settings import Settings, read_settings
from xinglin.base.supervisor import hold_data_folder

Answer = TypeVar("Answer")


def settings_here() -> Settings:
    """Return the settings of this environment, with the data folder made."""
    settings = read_settings(os.environ)
    open_data_folder(settings.data_dir)
    return settings.with_(demo=(settings.data_dir / "demo" / "manifest.json").exists())


@asynccontextmanager
async def platform_for_command(settings: Settings) -> AsyncIterator[Platform]:
    """Yield a platform for one command: on the running installation, or with the database started for the command alone."""
    embedded = None
    if settings.database_url is None:
        server = EmbeddedPostgres(settings.data_dir)
        try:
            lock = hold_data_folder(settings.data_dir)
        except ConflictError:
            lock = None  # a serving process keeps the database up
        if lock is not None:
            embedded = server
            await asyncio.to_thread(server.start)
        settings = settings.with_(database_url=server.url)
    try:
        await asyncio.to_thread(migrate, settings.database_url or "")
        async with assemble(settings, "command") as platform:
            yield platform
    finally:
        if embedded is not None:
            await asyncio.to_thread(embedded.stop)


def with_platform(work: Callable[[Platform], Awaitable[Answer]]) -> Answer:
    """Run an asynchronous piece of work on a platform made for it."""

    async def run() -> Answer:
        async with platform_for_command(settings_here()) as platform:
            return await work(platform)

    return asyncio.run(run())


def has_cluster(data_dir: Path) -> bool:
    """Return whether an embedded database was made for a data folder, in it or elsewhere; one whose making failed is none."""
    return (cluster_place(data_dir) / "PG_VERSION").exists()


def with_installation(work: Callable[[Platform], Awaitable[Answer]]) -> Answer:
    """Return `with_platform(work)` where an installation stands already; makes none in a wrong folder.

    Raises: NotFoundError naming the data folder when nothing stands there.
    """
    settings = read_settings(os.environ)
    if settings.database_url is None and not has_cluster(settings.data_dir):
        raise NotFoundError(
            "这里没有杏林的数据：请在安装所在的文件夹运行，或用 XINGLIN_DATA 指明数据文件夹",
            "there is no installation here: run where it stands, or name its data folder with XINGLIN_DATA",
            where=str(settings.data_dir),
        )
    return with_platform(work)
