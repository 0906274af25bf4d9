"""Settings → Platform: the only file that knows which back end is used."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import orjson

from xinglin.base.channel import Channel, serving
from xinglin.base.clock import Clock, SystemClock
from xinglin.base.database import Database
from xinglin.base.errors import UnavailableError
from xinglin.base.kept_day import KeptClock, KeptDay
from xinglin.base.places import private_folder, socket_folder
from xinglin.base.processes import processors, stand_behind
from xinglin.base.settings import Settings
from xinglin.definitions import load as load_definitions
from xinglin.engines.erasure import Erasure, ErasureGround
from xinglin.engines.exchange import Beside, Blobs, Exchange, Importer, Jobs, Ledger, Panel, Rooms, Upper, UpperRooms
from xinglin.engines.geo import Geo
from xinglin.engines.identity import Register, Residents, ReviewQueue
from xinglin.engines.jobs import Daily, DailyJob, DailyOptions, Runs
from xinglin.engines.lake import Lake, LakeService, ReaderOptions, StoreFeed, load_views
from xinglin.engines.plans import PlanReminders, Plans
from xinglin.engines.rules import (
    Columns,
    MeasureGround,
    MeasureService,
    RemoteMeasures,
    ResultFollower,
    ResultGround,
    Rules,
    SqlTexts,
    StoreRecord,
    Targets,
    Verification,
)
from xinglin.engines.security import Audit, AuditPlace, InstallationSecrets, Security, SecurityGround, SignInRules, suite
from xinglin.engines.store import Store, StoreOptions
from xinglin.engines.terminology import CodeFiles, Terminology
from xinglin.engines.workflow import DutyReminders, Reminders
from xinglin.preparing import prepare_lines

ICD10: Final = "urn:oid:2.16.156.10011.2.3.3.11.3"
MAPS_LOOK_S: Final = 5.0
POOL_SIZE = {"web": 16, "engine": 8, "command": 6}
MOST_HANDS: Final = 3
"""One process writes as much as about three prepare."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One process's view of the installation. clock: the district's day.  kept_day: of a demonstration, None outside one."""

    settings: Settings
    clock: Clock
    kept_day: KeptDay | None
    database: Database
    audit: Audit
    security: Security
    geo: Geo
    store: Store
    residents: Residents
    register: Register
    exchange: Exchange
    importer: Importer
    panel: Panel
    engine: Channel
    upper: Upper
    reviews: ReviewQueue
    jobs: Jobs
    runs: Runs
    terminology: Terminology
    code_files: CodeFiles
    erasure: Erasure
    rules: Rules
    measures: RemoteMeasures
    targets: Targets
    verification: Verification
    plans: Plans
    reminders: Reminders


def kept_day(settings: Settings) -> KeptDay | None:
    """Return the day a demonstration lives on, None outside one."""
    folder = settings.data_dir / "demo"
    manifest = folder / "manifest.json"
    if not settings.demo or not manifest.exists():
        return None
    made_for = date.fromisoformat(orjson.loads(manifest.read_bytes())["as_of"])
    return KeptDay(folder / "day.json", SystemClock(settings.zone), made_for)


def clock_for(settings: Settings) -> Clock:
    """Return the district's clock: the machine's, or in a demonstration the machine's time of day on the day kept."""
    kept = kept_day(settings)
    return SystemClock(settings.zone) if kept is None else KeptClock(kept)


@asynccontextmanager
async def counting_mapped_codes(terminology: Terminology, rules: Rules) -> AsyncIterator[None]:
    """Let the rules count records under the codes that stewards' maps lead to ICD-10, and go on looking for new maps while the block runs."""
    await rules.learn(await terminology.maps.usable(ICD10))
    task = asyncio.create_task(_follow_maps(terminology, rules), name="maps")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _follow_maps(terminology: Terminology, rules: Rules) -> None:
    while True:
        await asyncio.sleep(MAPS_LOOK_S)
        with suppress(UnavailableError):
            await rules.learn(await terminology.maps.usable(ICD10))


@asynccontextmanager
async def assemble(settings: Settings, kind: str) -> AsyncIterator[Platform]:
    """Yield the platform of a process. kind: web, engine or command.

    The database stands and is migrated already.  Raises: UnavailableError.
    """
    if settings.database_url is None:
        raise UnavailableError("没有数据库地址", "there is no database address", where="XINGLIN_DATABASE_URL")
    machine, clock = SystemClock(settings.zone), clock_for(settings)
    secrets = InstallationSecrets.load(settings.data_dir / "secrets")
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database_url, zone=settings.zone, size=POOL_SIZE[kind])
        stack.push_async_callback(database.close)
        algorithms = suite(settings.cryptography)
        audit = await Audit.open(database, AuditPlace(secrets, algorithms, settings.site, settings.data_dir / "audit-anchors.log"), machine)
        stack.push_async_callback(audit.close)
        geo = Geo(database)
        security = Security(SecurityGround(database, audit, machine, secrets, algorithms, geo, SignInRules(demo=settings.demo)))
        options = StoreOptions(secrets.key("token"), secrets.key("cursor"), settings.site)
        store = await Store.open(database, audit, clock, options)
        stack.push_async_callback(store.close)
        residents, register = Residents(database, store), Register()
        terminology = Terminology(database, audit, machine)
        rooms = Rooms(database, store, residents, register, terminology.current_value_sets, audit)
        blobs = Blobs(settings.data_dir / "blobs")
        exchange = Exchange(rooms, Ledger(database, blobs, clock, settings.site))
        channel = Channel(engine_socket(settings), limit_s=settings.engine_wait_s)
        stack.push_async_callback(channel.close)
        jobs = Jobs(database, machine)
        stack.push_async_callback(jobs.close)
        rules = make_rules(settings, (database, store, security))
        await stack.enter_async_context(counting_mapped_codes(terminology, rules))
        yield Platform(
            settings=settings,
            clock=clock,
            kept_day=kept_day(settings),
            database=database,
            audit=audit,
            security=security,
            geo=geo,
            store=store,
            residents=residents,
            register=register,
            exchange=exchange,
            importer=Importer(exchange, rooms, _beside(settings, stack)),
            panel=Panel(database, clock),
            engine=channel,
            upper=Upper(UpperRooms(database, store, exchange, clock)),
            reviews=ReviewQueue(database, residents, clock),
            jobs=jobs,
            runs=Runs(database, clock),
            terminology=terminology,
            code_files=CodeFiles((database, audit, machine), terminology, geo),
            erasure=make_erasure(settings, (database, store, exchange.ledger, blobs), (audit, machine)),
            rules=rules,
            measures=RemoteMeasures(channel, security),
            targets=Targets(database, clock),
            verification=Verification(database, clock),
            plans=Plans(database, audit, clock),
            reminders=Reminders(database, clock, (PlanReminders(database), DutyReminders(database))),
        )


def _beside(settings: Settings, stack: AsyncExitStack) -> Beside | None:
    """Return the processes that prepare lines for this one; None where there is one processor."""
    if processors() == 1:
        return None
    beside = Beside(partial(prepare_lines, settings), min(processors(), MOST_HANDS))
    stack.push_async_callback(beside.close)
    return beside


def make_erasure(settings: Settings, rooms: tuple[Database, Store, Ledger, Blobs], told: tuple[Audit, Clock]) -> Erasure:
    """Return what removes a person everywhere; the list of erasures stands beside the data, outside a backup."""
    return Erasure(ErasureGround(*rooms, *told, settings.data_dir / "erasures.log", settings.site))


def definition_folders() -> list[Path]:
    """Return the folders of definitions that the modules bring."""
    return sorted(folder for folder in (Path(__file__).parent / "modules").glob("*/definitions") if folder.is_dir())


def make_rules(settings: Settings, rooms: tuple[Database, Store, Security], columns: Columns | None = None) -> Rules:
    """Return the rules of a process; without columns only the one-person path."""
    database, store, security = rooms
    texts = SqlTexts(private_folder(settings.data_dir / "sql"))
    record = StoreRecord(store, settings.zone, settings.site)
    ground = ResultGround(database, columns, record, texts, security.system_scope(), settings.site)
    return Rules(load_definitions(definition_folders()), ground)


def engine_socket(settings: Settings) -> Path:
    """Return the socket on which the engine process answers."""
    return socket_folder(settings.data_dir) / "engine.sock"


def make_lake(settings: Settings, platform: Platform) -> LakeService:
    """Return the lake of the engine process."""
    lake = Lake(private_folder(settings.data_dir / "lake"), load_views(settings.zone), platform.clock)
    return LakeService(lake, StoreFeed(platform.store), platform.clock, ReaderOptions(settings.zone))


def nightly_jobs(platform: Platform, lake: LakeService, follower: ResultFollower, measures: MeasureService) -> list[DailyJob]:
    """Return what the engine process does once a day, in order. What each returns stands in `engine_run`."""

    async def sessions(day: date) -> dict[str, int]:
        await platform.security.sessions.forget_old()
        return {}

    async def tokens(day: date) -> dict[str, int]:
        await platform.store.sample_tokens()
        return {}

    async def tidy(day: date) -> dict[str, int]:
        return {"files_deleted": await lake.tidy() + await platform.exchange.ledger.tidy()}

    return [
        DailyJob("nightly-results", follower.evaluate_all),
        DailyJob("verification", measures.verify),
        DailyJob("nightly-sessions", sessions),
        DailyJob("nightly-tokens", tokens),
        DailyJob("nightly-lake", tidy),
    ]


async def run_engine(settings: Settings) -> None:
    """Run the engine process until SIGTERM or SIGINT: refresh the lake, keep results behind it, do the daily work, answer calls."""
    stand_behind()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with assemble(settings, "engine") as platform, engine_at_work(settings, platform):
        await stopping.wait()


@asynccontextmanager
async def engine_at_work(settings: Settings, platform: Platform) -> AsyncIterator[LakeService]:
    """Do the engine process' work while the block runs; yields the lake."""
    lake = make_lake(settings, platform)
    rules = make_rules(settings, (platform.database, platform.store, platform.security), lake)
    follower = ResultFollower(rules, platform.runs, (platform.database, platform.clock))
    measures = MeasureService(
        MeasureGround(rules, lake, platform.database, platform.security, platform.verification, platform.runs, platform.clock)
    )
    jobs = nightly_jobs(platform, lake, follower, measures)
    daily = Daily(platform.runs, platform.clock, jobs, DailyOptions(at=settings.nightly))
    lake.after_refresh(measures.after_refresh)
    lake.after_refresh(follower.after_refresh)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lake.stop)
        await stack.enter_async_context(counting_mapped_codes(platform.terminology, rules))
        follower.tell((await lake.freshness()).seq)
        lake.start()
        for work in (follower, measures, daily):
            work.start()
            stack.push_async_callback(work.stop)
        await stack.enter_async_context(serving(engine_socket(settings), {**lake.handlers(), **measures.handlers()}))
        yield lake
