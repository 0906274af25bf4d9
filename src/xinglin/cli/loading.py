"""The load of the demonstration: the files the generator wrote, through the doors real data uses, with progress anyone can see."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from xinglin.assembly import Platform, assemble
from xinglin.base.database import Database
from xinglin.base.errors import UnavailableError
from xinglin.base.processes import stand_behind
from xinglin.base.settings import DEMO_PASSWORD, Settings
from xinglin.cli.demo_plans import folder_beside, load_demo_plans
from xinglin.cli.demo_upper import report_upwards
from xinglin.cli.known_accounts import make_accounts
from xinglin.cli.session import settings_here
from xinglin.engines.exchange import ImportOptions
from xinglin.engines.geo import read_geojson, read_population_csv
from xinglin.engines.rules import READER, load_targets

JOB = "demo-load"
SOURCES = {
    "district-registry": ("机构与人员登记", 60),
    "base-platform": ("基本公共卫生服务系统", 40),
    "county-his": ("县医院信息系统", 20),
    "township-his": ("卫生院信息系统", 20),
    "immunization": ("预防接种系统", 10),
}


@dataclass(frozen=True, slots=True)
class Step:
    """A file of the demonstration and the source it comes from."""

    source: str
    path: Path


def steps(folder: Path) -> list[Step]:
    """Return the files to load, in order: who works where first, then each source's stages side by side."""
    first = [Step("district-registry", folder / name) for name in ("organizations.ndjson", "practitioners.ndjson")]
    staged = [(path.name, Step(path.parent.name, path)) for path in folder.glob("*/*.ndjson") if path.parent.name in SOURCES]
    rank = {code: number for number, code in enumerate(SOURCES)}
    return first + [step for _, step in sorted(staged, key=lambda item: (item[0][:4], rank[item[1].source], item[0]))]


def load_demo() -> None:
    """Load the demonstration once; a restart goes on where it stopped."""
    settings = settings_here()

    async def run() -> None:
        stand_behind()
        async with assemble(settings, "command") as platform:
            await load(platform, settings.data_dir / "demo", counted)

    asyncio.run(run())


async def counted(platform: Platform) -> None:
    """Return once the engine process has counted all that is recorded now, and looked for what to verify, so that pages tell whole numbers."""
    day, head = platform.clock.today(), await platform.store.head()
    asks = [(one.id, [day]) for one in platform.rules.edition(day).of_kind("measure")]
    while True:
        with suppress(UnavailableError):
            figures = await platform.measures.overview(platform.security.system_scope(), asks)
            async with platform.database.connection() as connection:
                results = await connection.fetchval("select seq from feed_reader where name = $1", READER)
            if min(found[0].seq for found in figures) >= head and (results or 0) >= head:
                await platform.measures.verify(platform.security.system_scope())
                return
        await asyncio.sleep(0.5)


async def load(platform: Platform, folder: Path, after: Callable[[Platform], Awaitable[None]] | None = None) -> None:
    """Load every file below a generated folder; what has been loaded changes nothing. after: what is waited for before it counts as loaded."""
    async with platform.database.connection() as connection:
        if await connection.fetchval("select finished_at from progress where job = $1", JOB):
            return
    manifest = orjson.loads((folder / "manifest.json").read_bytes())
    await _note(platform.database, 0, manifest["resources"], "")
    await platform.geo.load_divisions(read_geojson((folder / "divisions.geojson").read_bytes()))
    if (folder / "population.csv").exists():
        await platform.geo.load_population(read_population_csv((folder / "population.csv").read_bytes()))
    scope = platform.security.system_scope()
    lines = {item["path"]: item.get("lines", 0) for item in manifest["files"]}
    done = 0
    for step in steps(folder):
        name, trust = SOURCES[step.source]
        await platform.exchange.ledger.source(step.source, name=name, trust=trust)
        await _note(platform.database, done, manifest["resources"], step.path.name)
        relative = step.path.relative_to(folder).as_posix()
        content = await asyncio.to_thread(step.path.read_bytes)
        watcher = asyncio.create_task(_watch(platform.database, (relative, step.source), done, manifest["resources"]))
        await platform.importer.import_content(scope, (relative, content), ImportOptions(step.source))
        watcher.cancel()
        done += lines.get(relative, 0)
        if step.path.name == "practitioners.ndjson":
            await make_accounts(platform, manifest["stories"])
    if (folder / "tasks.csv").exists():
        await load_targets(platform.targets, scope, (folder / "tasks.csv").read_bytes())
    await load_demo_plans(platform, folder_beside())
    await send_held_back(platform, folder)
    await report_upwards(platform, folder, manifest["stories"])
    await platform.store.sample_tokens()
    if after is not None:
        await _note(platform.database, manifest["resources"], manifest["resources"], "计算指标 · counting")
        await after(platform)
    await _note(platform.database, manifest["resources"], manifest["resources"], "", finished=True)


async def _note(database: Database, done: int, total: int, note: str, *, finished: bool = False) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """insert into progress (job, label_zh, label_en, done, total, note) values ($1, '载入示例数据', 'loading the demonstration', $2, $3, $4)
               on conflict (job) do update set done = excluded.done, total = excluded.total, note = excluded.note, changed_at = now(),
               finished_at = case when $5 then now() end""",
            JOB,
            done,
            total,
            note,
            finished,
        )


async def _watch(database: Database, message: tuple[str, str], done: int, total: int) -> None:
    while True:
        await asyncio.sleep(1)
        async with database.connection() as connection:
            reached = await connection.fetchval(
                "select max(done_lines) from message join source using (source_no) where message_id = $1 and code = $2", *message
            )
        await _note(database, done + (reached or 0), total, message[0])


async def send_held_back(platform: Platform, folder: Path) -> None:
    """Send what the generator kept back as it comes in daily life: the hospital's last days as bundles, a sheet of the upper-level platform."""
    scope = platform.security.system_scope()
    for path in sorted((folder / "exchange").glob("*/*.json")):
        await platform.exchange.receive(scope, path.parent.name, path.name, await asyncio.to_thread(path.read_bytes))
    sheet = folder / "exchange" / "hypertension-followups.xlsx"
    if sheet.exists():
        await platform.upper.receive(scope, "hypertension-followup", (sheet.name, await asyncio.to_thread(sheet.read_bytes)))


async def follow(settings: Settings, console: Console, address: str) -> None:
    """Show the load's progress on the terminal, then the accounts and what to look at first."""
    database = await Database.open(settings.database_url or _embedded_url(settings), zone=settings.zone, size=1)
    try:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("载入 · loading", total=None)
            while True:
                async with database.connection() as connection:
                    row = await connection.fetchrow("select * from progress where job = $1", JOB)
                if row is not None:
                    progress.update(task, completed=row["done"], total=row["total"], description=f"载入 · loading {row['note'][-32:]}")
                    if row["finished_at"]:
                        break
                await asyncio.sleep(1)
        async with database.connection() as connection:
            accounts = await connection.fetch("select login, display_name from account where demo_password order by account_no")
    finally:
        await database.close()
    console.print(f"载入完成 · loaded.  [bold]{address}[/]")
    for account in accounts:
        console.print(f"  {account['login']:<20} {DEMO_PASSWORD}   {account['display_name']}")
    console.print(
        "先看：以 responsible_doctor 登录的工作台，再以 county 登录看统计报表 · first: the work list as responsible_doctor, then the measures as county"
    )
    console.print("Ctrl-C 停止 · stops")


def _embedded_url(settings: Settings) -> str:
    from xinglin.base.postgres import EmbeddedPostgres

    return EmbeddedPostgres(settings.data_dir).url
