"""Plans of a demonstration: the synthetic district's own, and the documents of a folder beside the project to compare it with."""

from __future__ import annotations

import asyncio
import logging
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xinglin.assembly import Platform
from xinglin.base.errors import XinglinError
from xinglin.cli.documents import ROOT
from xinglin.engines.plans import NewMilestone, NewPlan, NewValue, Plan, PlanIndicator, PlanRows, Row, TaskChange
from xinglin.engines.security import ActingFor, Scope
from xinglin.modules.plan.living import read_corrected, rows_of
from xinglin.modules.plan.reading.normal import plain

_log = logging.getLogger(__name__)
TABLES = Path(__file__).parents[1] / "synthetic" / "tables"
KINDS = frozenset({".txt", ".md", ".html", ".htm", ".docx", ".pdf"})


def folder_beside(root: Path = ROOT) -> Path:
    """Return the folder of plan documents beside the project; it need not be there."""
    return Path(os.environ.get("XINGLIN_SHARED") or root.parent / "shared") / "plans"


async def load_demo_plans(platform: Platform, folder: Path) -> None:
    """Make the synthetic district's plan as its county office did, and a plan to compare with of each document in the folder.

    What is loaded already stays as it is. A document that cannot be read is left out and named in the log.
    """
    scope = await _county_office(platform)
    if await platform.plans.books.plans(scope):
        return
    told = tomllib.loads((TABLES / "plan.toml").read_text(encoding="utf-8"))
    content = (TABLES / told["file"]).read_bytes()
    about = {"level": "own", **{name: told[name] for name in ("area_name", "start_year", "end_year")}}
    plan = (await _make(platform, scope, (told["filename"], content), about))[0]
    await _live(platform, scope, plan, told)
    documents = sorted(path for path in folder.glob("*") if path.suffix.lower() in KINDS and path.stem.lower() != "readme")
    for path in documents if folder.is_dir() else ():
        try:
            await _make(platform, scope, (path.name, await asyncio.to_thread(path.read_bytes)), {"level": "compared"})
        except XinglinError as error:
            _log.warning("a plan document was left out: %s", error.en)


async def _county_office(platform: Platform) -> Scope:
    """Return the scope of the demonstration's county office, who made and confirmed its plan."""
    accounts = await platform.security.setup.demo_accounts()
    office = next(one for one in accounts if one.login == "county")
    root = (await platform.geo.children(None))[0].area
    acting = ActingFor(
        "county", ((root, root + 999_999),), account_no=office.account_no, login=office.login, display_name=office.display_name
    )
    return platform.security.acting_for(platform.security.system_scope(), acting)


async def _make(platform: Platform, scope: Scope, file: tuple[str, bytes], about: Mapping[str, Any]) -> list[Plan]:
    """Keep a document and make a plan of each part that has a title or rows."""
    name, content = file
    reading = await asyncio.to_thread(read_corrected, content, name, [])
    document = await platform.plans.documents.keep(scope, name, content)
    made = []
    for part in reading.plans:
        rows = rows_of(reading, part.number)
        if rows["indicators"]:
            title = part.title or (f"{part.area}规划" if part.area else Path(name).stem)
            told = {"area_name": part.area or "", "end_year": part.horizon, "start_year": part.start, **about}
            kept = PlanRows(**{kind: [Row(key, data) for key, data in found] for kind, found in rows.items()})
            made.append(await platform.plans.books.make(scope, NewPlan(document.document_no, part.number, title, **told), kept))
    return made


async def _live(platform: Platform, scope: Scope, plan: Plan, told: Mapping[str, Any]) -> None:
    """Bind, enter, and report as the table of the synthetic district says; then approve the plan."""
    figures, work = platform.plans.figures, platform.plans.work
    by_name: dict[str, PlanIndicator] = {}
    for one in await figures.indicators(scope, plan.plan_no):
        by_name.setdefault(plain(one.data["name"]), one)
    for bind in told["bind"]:
        await figures.bind(scope, by_name[plain(bind["name"])].indicator_no, bind["measure"])
    await figures.enter(scope, _values(told, "value", by_name))
    waiting = [value.value_no for one in await figures.indicators(scope, plan.plan_no) for value in one.values if value.state == "entered"]
    await figures.decide(scope, waiting, "approved")
    await figures.enter(scope, _values(told, "waiting", by_name))
    for item in told["reason"]:
        await figures.set_reason(scope, by_name[plain(item["name"])].indicator_no, item["words"])
    tasks = await work.tasks(scope, plan.plan_no)
    for item in told["task"]:
        task = next(one for one in tasks if item["words"] in one["data"]["title"])
        await work.change_task(
            scope, task["task_no"], TaskChange(item["state"], item.get("unit", ""), item["due"], item["remind_on"], item["evidence"])
        )
    projects = await work.projects(scope, plan.plan_no)
    for item in told["milestone"]:
        project = next(one for one in projects if item["project"] in one["data"]["name"])
        await work.put_milestone(scope, project["project_no"], None, NewMilestone(item["title"], item["due"], item.get("done_on")))
    await platform.plans.books.approve(scope, plan.plan_no)


def _values(told: Mapping[str, Any], kind: str, by_name: Mapping[str, PlanIndicator]) -> list[NewValue]:
    """Return the entered values of a kind (value, waiting) that the table of the synthetic district tells."""
    return [
        NewValue(by_name[plain(item["name"])].indicator_no, int(year), 0, float(value), told["source"])
        for item in told[kind]
        for year, value in item["years"].items()
    ]
