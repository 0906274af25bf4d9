"""`xinglin serve` and `xinglin demo`, and the processes they keep alive."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import IO, Annotated

import httpx
import typer
from rich.console import Console

from xinglin.base.clock import SystemClock
from xinglin.base.database import migrate
from xinglin.base.errors import ConflictError, IncorrectError, XinglinError
from xinglin.base.postgres import SHELTER, EmbeddedPostgres
from xinglin.base.quiet_log import log_quietly
from xinglin.base.settings import Settings
from xinglin.base.supervisor import Child, Supervisor, hold_data_folder, note_address
from xinglin.cli import loading
from xinglin.cli.advancing import advance_demo, keep_day, move_to_today, mover, show_moves
from xinglin.cli.opening import open_installation, print_codes
from xinglin.cli.session import has_cluster, settings_here
from xinglin.engines.security import SetupCode
from xinglin.synthetic import Plan, generate

console = Console()
LEAST_FREE_BYTES = 2 * 1024**3
Port = Annotated[int | None, typer.Option(help="端口，默认 8000 · port", min=1, max=65535)]


def mount(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("serve")(serve)
    app.command("demo")(demo)
    app.command("engine", hidden=True)(engine)
    app.command("web", hidden=True)(web)
    app.command("load-demo", hidden=True)(loading.load_demo)
    app.command("advance-demo", hidden=True)(advance_demo)


def serve(port: Port = None) -> None:
    """启动杏林：数据库、统计引擎、网页 · Start Xinglin: database, engine process, pages."""
    settings = settings_here()
    with hold_data_folder(settings.data_dir) as lock:
        keep_day(settings, console)
        _serve(settings.with_(port=port or settings.port), [], lock)


def demo(
    residents: Annotated[int, typer.Option(help="居民人数 · residents", min=300, max=2_000_000)] = 5000,
    as_of: Annotated[str | None, typer.Option("--as-of", help="数据日期，如 2026-11-21 · day of the data, default today")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="清空后重新生成 · start over")] = False,
    advance: Annotated[
        bool, typer.Option("--advance", help="推进到今天：生成并载入这段时间的数据 · move to today: make and load the days between")
    ] = False,
    port: Port = None,
) -> None:
    """生成虚构的示例县并启动 · Make a synthetic district and serve it."""
    settings = settings_here()
    folder = settings.data_dir / "demo"
    if not settings.demo and has_cluster(settings.data_dir):
        raise ConflictError(
            "这个数据文件夹里已有正式数据，示例不会写入其中；请用 XINGLIN_DATA 另选文件夹",
            "this data folder holds real data and the demonstration stays out of it; choose another with XINGLIN_DATA",
            where=str(settings.data_dir),
        )
    if advance and settings.demo and not fresh and move_to_today(settings, console):
        return  # it runs: its own processes make and load the days between
    with hold_data_folder(settings.data_dir) as lock:
        check_port(settings.with_(port=port or settings.port))
        if settings.database_url is not None:
            _look_at_server(settings, settings.database_url, fresh=fresh)
        day = _day(as_of) if as_of else SystemClock(settings.zone).today()
        if fresh:
            remove_data(settings.data_dir)
        if (folder / "manifest.json").exists():
            console.print(
                "沿用已有的示例县；另换人数或日期：--fresh（make demo FRESH=1） · the synthetic district that is there; for another: --fresh"
            )
        else:
            warn_of_space(settings)
            console.print(f"生成示例县：{residents:,} 位虚构居民，数据截至 {day} · making a synthetic district of {residents:,} residents")
            shutil.rmtree(folder, ignore_errors=True)
            generate(Plan(residents=residents, as_of=day), folder)
        settings = settings_here()
        keep_day(settings, console)
        _serve(settings.with_(port=port or settings.port), [Child("load-demo", ["load-demo"], once=True)], lock)


def _look_at_server(settings: Settings, url: str, *, fresh: bool) -> None:
    """Refuse, before anything is written, a server of somebody's own that holds real data, and starting over where only its owner can."""
    if fresh:
        raise IncorrectError(
            "--fresh 不清空自备的数据库：请换一个空库，并用 XINGLIN_DATA 另选文件夹",
            "--fresh does not empty a database of yours: name an empty one, and another folder with XINGLIN_DATA",
            where="--fresh",
        )
    migrate(url)
    asyncio.run(open_installation(settings.with_(demo=True)))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise IncorrectError("日期请写成 2026-11-21", "write a day as 2026-11-21", where="--as-of") from error


def remove_data(data_dir: Path) -> None:
    """Remove everything below a data folder, and its cluster where it stands elsewhere; the server must be stopped.

    What says that this is a demonstration goes last: cut off before, the rest would be taken for real data that nothing may remove.
    """
    note = data_dir / "postgres.place"
    server = EmbeddedPostgres(data_dir)
    server.stop()
    if note.exists() and SHELTER in server.cluster.parents:
        shutil.rmtree(server.cluster, ignore_errors=True)
    for child in sorted(data_dir.iterdir(), key=lambda child: child.name == "demo"):
        if child.name != "run":
            shutil.rmtree(child) if child.is_dir() else child.unlink()


def free_bytes(settings: Settings) -> int:
    """Return the bytes that are free where the data folder stands."""
    return shutil.disk_usage(settings.data_dir).free


def warn_of_space(settings: Settings) -> None:
    """Print that the disk is nearly full when less than LEAST_FREE_BYTES is free."""
    free = free_bytes(settings)
    if free < LEAST_FREE_BYTES:
        size = f"{free / 1024**3:.1f} GB"
        console.print(f"[red]磁盘只剩 {size}，请腾出至少 2 GB · only {size} are free; free at least 2 GB[/]  {settings.data_dir}")


def _tell_death(logs: Path, name: str, deaths: int) -> None:
    """Print that a process died, less and less often while it goes on dying, with its own last sentence when that is one of ours."""
    if deaths & (deaths - 1):
        return
    log = logs / f"{name}.log"
    console.print(f"[red]{name} 中断，正在重新启动；原因见日志 · {name} ended and is started again; the log says why[/]  {log}")
    said = [line for line in log.read_text(errors="replace")[-4000:].splitlines() if line.startswith("xinglin: ")]
    for line in said[-1:]:
        console.print(f"  {line}", markup=False)


def address_of(settings: Settings) -> str:
    """Return host and port as a person writes them."""
    return f"{settings.host}:{settings.port}"


def check_port(settings: Settings) -> None:
    """Raise ConflictError when another program listens on the port, IncorrectError when nobody here can."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise _not_ours(settings, error) from error


def _not_ours(settings: Settings, error: OSError) -> XinglinError:
    """Return why the system does not give us an address, and what to write instead."""
    where = address_of(settings)
    if error.errno == errno.EADDRINUSE:
        return ConflictError(
            "端口已被占用，请停止占用它的程序，或用 --port（XINGLIN_PORT）另选一个",
            "another program listens on this port; stop it or choose another with --port (XINGLIN_PORT)",
            where=where,
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return IncorrectError(
            "这个用户不能使用这个端口，请用 --port（XINGLIN_PORT）写 1024 以上的端口",
            "this user may not take this port; write one from 1024 on with --port (XINGLIN_PORT)",
            where=where,
        )
    return IncorrectError(
        "这台机器没有这个地址，请在 XINGLIN_HOST 写本机的地址，例如 127.0.0.1，或写 0.0.0.0（所有地址）",
        "this machine has no such address; write one of its own as XINGLIN_HOST, such as 127.0.0.1, or 0.0.0.0 for all of them",
        where=where,
    )


def _serve(settings: Settings, more: Sequence[Child], lock: IO[str]) -> None:
    check_port(settings)
    note_address(lock, address_of(settings))
    postgres = None
    url = settings.database_url
    if url is None:
        postgres = EmbeddedPostgres(settings.data_dir)
        console.print("启动数据库 · starting the database")
        url = postgres.start()
    try:
        migrate(url)
        codes = asyncio.run(open_installation(settings.with_(database_url=url)))
    except BaseException:
        if postgres is not None:
            postgres.stop()
        raise
    logs = settings.data_dir / "log"
    supervisor = Supervisor(_environment(settings, url), logs, postgres, partial(_tell_death, logs))
    children = [Child("engine", ["engine"]), *_webs(settings), *more, *mover(settings)]
    asyncio.run(supervisor.run(children, lambda: _greet(settings, codes)))
    console.print("已停止 · stopped")


def _environment(settings: Settings, url: str) -> dict[str, str]:
    return os.environ | {
        "XINGLIN_DATA": str(settings.data_dir),
        "XINGLIN_DATABASE_URL": url,
        "XINGLIN_PORT": str(settings.port),
        "XINGLIN_HOST": settings.host,
        "PYTHONUNBUFFERED": "1",
    }


def _webs(settings: Settings) -> list[Child]:
    if settings.web_processes == 1:
        return [Child("web", ["web"])]
    return [Child(f"web-{number}", ["web"]) for number in range(1, settings.web_processes + 1)]


async def _greet(settings: Settings, codes: tuple[SetupCode, ...]) -> None:
    address = f"http://{settings.host}:{settings.port}"
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            try:
                if (await client.get(f"{address}/health", timeout=5)).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)
    console.print(f"[bold green]杏林已启动 · Xinglin is up[/]  {address}")
    print_codes(console, codes, address)
    if settings.demo:
        await loading.follow(settings, console, address)
        await show_moves(settings, console)
    else:
        console.print(f"按 Ctrl-C 停止 · Ctrl-C stops.  日志 · logs: {settings.data_dir / 'log'}")


def engine() -> None:
    """The engine process: lake, bulk rules, background jobs."""
    from xinglin.assembly import run_engine

    log_quietly()
    asyncio.run(run_engine(settings_here()))


def web() -> None:
    """One web process; several share the port, and the system gives each some of the connections."""
    import uvicorn

    from xinglin.web.app import make_served_app

    settings = settings_here()
    log_quietly()
    app = make_served_app(settings)
    config = uvicorn.Config(app, log_config=None, log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30)
    with shared_port(settings) as listening:
        uvicorn.Server(config).run(sockets=[listening])


def shared_port(settings: Settings) -> socket.socket:
    """Return a socket bound to the port, which other web processes of this user may bind too.  Raises: as `check_port`."""
    listening = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise _not_ours(settings, error) from error
    return listening
