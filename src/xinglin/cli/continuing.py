"""The days between a demonstration's day and today: lived by the generator, then sent through the doors real data uses."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final

import orjson

from xinglin.assembly import Platform
from xinglin.base.errors import UnavailableError
from xinglin.base.ids import uuid5_of
from xinglin.cli.loading import JOB, Step, steps
from xinglin.engines.exchange import OWN_API, OWN_PAGES, ImportOptions, NewJob, Report
from xinglin.engines.geo import read_population_csv
from xinglin.engines.rules import load_targets
from xinglin.synthetic import advance, plan_of

LIVED: Final = "demo-lived"
MOVED: Final = "demo-moved"
JOBS: Final = (LIVED, MOVED)
_WHOLE: Final = 100
_PARTS: Final = "advance-*/manifest.json"

# Residents whose first page or enrolment was changed on a page or through the API, with every record linked to them; and what was changed itself.
_LEFT_TO_HANDS: Final = """
with touched as (
    select distinct case rtype when 'Patient' then rid else pat end as patient
    from res join source using (source_no) where rtype in ('Patient', 'EpisodeOfCare') and code = any($1::text[])
), person as (
    select l.person from touched join person_link l on l.patient = touched.patient and l.to_seq is null
), own as (
    select l.patient from person join person_link l on l.person = person.person and l.to_seq is null union select patient from touched
)
select i.id from own join ident i on i.rid = own.patient"""
_CHANGED_BY_HAND: Final = """
select i.id from unnest($2::text[], $3::text[]) as k(rtype, id) join ident i using (rtype, id)
join res r on r.rid = i.rid and r.rtype = i.rtype join source s on s.source_no = r.source_no where s.code = any($1::text[])"""


async def move_on(platform: Platform, folder: Path, after: Callable[[Platform], Awaitable[None]] | None = None) -> None:
    """Make the move that was asked for: live the days, move the day, load the files. after: what is waited for before it counts as done.

    Cut off at any moment and called again it goes on; what was done changes nothing.
    Raises: UnavailableError while the move cannot be made; the request stands.
    """
    kept = platform.kept_day
    until = kept.asked() if kept is not None else None
    if kept is None or until is None:
        return
    await _loaded(platform)
    part = folder / f"advance-{until}"
    if not (part / "manifest.json").exists():
        await _work(platform, await _living(folder, part, until))
    kept.move(until)

    async def send(report: Report) -> str:
        await load_days(platform, part, report)
        if after is not None:
            await report(_total(part), "计算指标 · counting")
            await after(platform)
        return ""

    await _work(platform, (NewJob(MOVED, (f"推进到 {until}：载入数据", f"moving to {until}: loading"), _total(part)), send))
    kept.arrived()


async def _loaded(platform: Platform) -> None:
    """Return once the demonstration itself is loaded."""
    while True:
        async with platform.database.connection() as connection:
            if await connection.fetchval("select finished_at from progress where job = $1", JOB):
                return
        await asyncio.sleep(1)


async def _work(platform: Platform, job: tuple[NewJob, Callable[[Report], Awaitable[str]]]) -> None:
    """Do a piece of work whose progress everybody sees.  Raises: UnavailableError when it did not come to its end."""
    new, work = job
    ended: list[str] = []

    async def told(report: Report) -> str:
        ended.append(await work(report))
        return ended[-1]

    await platform.jobs.begin(new, told)
    await platform.jobs.settle()
    if not ended:
        raise UnavailableError("推进没有完成，将自动重试", "the move was not completed; it is tried again", where=new.job)


async def _living(folder: Path, part: Path, until: date) -> tuple[NewJob, Callable[[Report], Awaitable[str]]]:
    """Return the work of writing the days since the last part; the part appears whole or not at all."""
    plan = await asyncio.to_thread(plan_of, folder)
    ends = [date.fromisoformat(orjson.loads(place.read_bytes())["until"]) for place in folder.glob(_PARTS)]
    since = max([plan.as_of, *ends])

    async def live(report: Report) -> str:
        draft, loop = part.with_name(f"{part.name}.draft"), asyncio.get_running_loop()
        shutil.rmtree(draft, ignore_errors=True)

        async def say(done: int) -> None:
            await report(done, "")

        def told(done: int, total: int) -> None:
            asyncio.run_coroutine_threadsafe(say(done * _WHOLE // total), loop).result()

        await asyncio.to_thread(advance, plan, (since, until), draft, told)
        shutil.rmtree(part, ignore_errors=True)
        draft.replace(part)
        return ""

    return NewJob(LIVED, (f"推进到 {until}：生成数据", f"moving to {until}: making the data"), _WHOLE), live


def _total(part: Path) -> int:
    return int(orjson.loads((part / "manifest.json").read_bytes())["resources"])


async def load_days(platform: Platform, part: Path, report: Report) -> None:
    """Load the files of some days; what has been loaded changes nothing, and what people changed by hand meanwhile stays as they left it."""
    scope, done = platform.security.system_scope(), 0
    for step in steps(part):
        if step.path.exists():
            await report(done, step.path.name)
            content = await asyncio.to_thread(step.path.read_bytes)
            lines = await _free_lines(platform, step, content)
            if lines:
                name = f"{part.name}/{step.source}/{step.path.name}"
                await platform.importer.import_content(scope, (name, b"\n".join(lines) + b"\n"), ImportOptions(step.source))
            done += content.count(b"\n")
    if (part / "population.csv").exists():
        await platform.geo.load_population(read_population_csv((part / "population.csv").read_bytes()))
    if (part / "tasks.csv").exists():
        await load_targets(platform.targets, scope, (part / "tasks.csv").read_bytes())
    await platform.store.sample_tokens()


async def _free_lines(platform: Platform, step: Step, content: bytes) -> list[bytes]:
    """Return the lines about nobody and nothing that people have in hand."""
    lines = [(line, orjson.loads(line)) for line in content.splitlines()]
    named = [{uuid5_of(step.source, name): name.partition("/")[0] for name in _names(resource)} for _, resource in lines]
    mentioned = {own: kind for names in named for own, kind in names.items()}
    hands = [OWN_PAGES, OWN_API]
    async with platform.database.connection() as connection:
        kept = {row["id"] for row in await connection.fetch(_LEFT_TO_HANDS, hands)}
        kept |= {row["id"] for row in await connection.fetch(_CHANGED_BY_HAND, hands, list(mentioned.values()), list(mentioned))}
    return [line for (line, _), names in zip(lines, named, strict=True) if not kept.intersection(names)]


def _names(resource: dict[str, Any]) -> Iterator[str]:
    """Yield what a resource is and whom, which visit and which request it is about, as `Type/id` of its source."""
    yield f"{resource['resourceType']}/{resource['id']}"
    for element in ("subject", "patient", "for", "encounter", "context", "focus"):
        value = resource.get(element)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and "reference" in one:
                yield one["reference"]
