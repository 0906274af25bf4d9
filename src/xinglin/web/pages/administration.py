"""系统管理, second part: one's own sessions, system status, settings of the installation, role table and audit log as Excel."""

from __future__ import annotations

import asyncio
import platform as machine
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from importlib.metadata import version
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import UnavailableError
from xinglin.base.processes import family
from xinglin.web.exports import Heading, export_answer
from xinglin.web.i18n import mark
from xinglin.web.lists import Tag
from xinglin.web.menu import Entry
from xinglin.web.page import SIGNED_IN, Visit, page, redirect, render
from xinglin.web.pages import audit_entry
from xinglin.web.pages.exchange_rows import local
from xinglin.web.pages.system import AUDIT, audit_query, audit_row

_LITTLE_SPACE: Final = 0.1
_MANY_BEHIND: Final = 10_000
_GIGA: Final = 1024**3
_MEGA: Final = 1024**2
_FACTS: Final = """
select pg_database_size(current_database()) as size, current_setting('server_version') as server, (select seq from feed_head) as head,
       (select ts from feed_head) as head_at, (select count(*) from quarantine where state = 'open') as waiting,
       (select count(*) from session where ended_at is null and expires_at > now() and seen_at > now() - interval '15 minutes') as active,
       (select max(at) from audit_anchor) as anchored_at, (select count(*) from account where disabled_at is null) as accounts,
       (select reltuples::bigint from pg_class where oid = 'feed'::regclass) as entries
"""


async def show_status(visit: Visit) -> Response:
    """Show how the installation is doing: columns, record, space, processes, versions."""
    async with visit.platform.database.connection() as connection:
        facts = dict(await connection.fetchrow(_FACTS))
    context = {
        "facts": facts,
        "head_at": local(visit, facts["head_at"]) if facts["head"] else "",
        "anchored_at": local(visit, facts["anchored_at"]),
        "lake": await lake_facts(visit),
        "disk": await asyncio.to_thread(disk_facts, visit),
        "processes": [
            {"pid": one.pid, "name": one.name, "memory": None if one.memory is None else one.memory / _MEGA}
            for one in await asyncio.to_thread(family)
        ],
        "versions": {"Xinglin": version("xinglin"), "Python": machine.python_version(), "PostgreSQL": facts["server"].split()[0]},
        "size": facts["size"] / _MEGA,
        "jobs": await visit.platform.jobs.shown(),
    }
    return render(visit, "administration/status.html", context)


async def lake_facts(visit: Visit) -> dict[str, Any]:
    """Return how far the columns lag behind the record; that the engine process is away is an answer too."""
    try:
        found: dict[str, Any] = await visit.platform.engine.call("lake.freshness")
    except UnavailableError as error:
        return {
            "state": Tag(visit.text("计算进程不在"), "bad"),
            "said": visit.said(error),
            "behind": None,
            "made_at": "",
            "problems": None,
        }
    behind = found["head"] - found["seq"]
    state = Tag(visit.text("最新"), "good") if not behind else Tag(visit.text("追赶中"), "warn" if behind > _MANY_BEHIND else "brand")
    return {
        "state": state,
        "said": "",
        "behind": behind,
        "made_at": local(visit, datetime.fromisoformat(found["made_at"])),
        "problems": found["problems"],
    }


def disk_facts(visit: Visit) -> dict[str, Any]:
    """Return how much room the disk of the data folder has: free and total in GB, the share used, and what to think of it."""
    usage = shutil.disk_usage(visit.platform.settings.data_dir)
    free = usage.free / usage.total
    state = Tag(visit.text("空间不足"), "bad") if free < _LITTLE_SPACE else Tag(visit.text("充足"), "good")
    return {"free": usage.free / _GIGA, "total": usage.total / _GIGA, "share": 1 - free, "state": state}


async def show_settings(visit: Visit) -> Response:
    """Show what this installation was started with; a change is made in the environment and holds from the next start."""
    settings = visit.platform.settings
    yes, no = visit.text("是"), visit.text("否")
    rows: Sequence[tuple[str, str, str]] = (
        (mark("数据文件夹"), "XINGLIN_DATA", str(settings.data_dir)),
        (
            mark("数据库"),
            "XINGLIN_DATABASE_URL",
            visit.text("内置") if "host=%2F" in (settings.database_url or "") else visit.text("外部服务器"),
        ),
        (mark("监听地址"), "XINGLIN_HOST", settings.host),
        (mark("端口"), "XINGLIN_PORT", str(settings.port)),
        (mark("时区"), "XINGLIN_ZONE", str(settings.zone)),
        (mark("站点编号"), "XINGLIN_SITE", str(settings.site)),
        (mark("网页进程数"), "XINGLIN_WEB_PROCESSES", str(settings.web_processes)),
        (mark("演示系统"), "", yes if settings.demo else no),
    )
    return render(visit, "administration/settings.html", {"rows": rows})


async def show_sessions(visit: Visit) -> Response:
    """Show where one is signed in."""
    found = await visit.platform.security.sessions.open_sessions(visit.token)
    rows = [
        {
            "number": one.session_no,
            "address": one.address,
            "created_at": local(visit, one.created_at),
            "seen_at": local(visit, one.seen_at),
            "is_this": one.is_this,
        }
        for one in found
    ]
    return render(visit, "administration/sessions.html", {"rows": rows})


async def end_session(visit: Visit) -> Response:
    """End another session of one's own account."""
    await visit.platform.security.sessions.revoke(visit.token, visit.request.path_params["number"])
    return redirect(visit, "/account/sessions")


async def export_roles(visit: Visit) -> Response:
    """Give the table role × right as Excel."""
    table = visit.platform.security.roles
    labels = [(visit.text("权限"), "text"), *((role.name(visit.language), "text") for role in table.roles.values())]

    async def cells() -> AsyncIterator[Sequence[object]]:
        for code, right in table.rights.items():
            yield [right.name(visit.language), *("✓" if code in role.rights else "" for role in table.roles.values())]

    await visit.record("export", "roles")
    return await export_answer(visit, Heading(visit.text("岗位与权限"), labels, len(table.rights)), cells())


async def export_audit(visit: Visit) -> Response:
    """Give what fits of the audit log as Excel; the log records that, with what was asked."""
    asked = await audit_query(visit, AUDIT.query(visit))
    labels = [(visit.text(column.label), column.kind) for column in AUDIT.exported]

    async def cells() -> AsyncIterator[Sequence[object]]:
        async for one in visit.platform.audit.export(visit.scope, asked):
            row = audit_row(visit, one)
            yield [row.get(column.key) for column in AUDIT.exported]

    return await export_answer(visit, Heading(visit.text(AUDIT.title), labels), cells())


ROUTES: Final[tuple[Route, ...]] = (
    *audit_entry.ROUTES,
    page("/system/status", show_status, right="settings.manage"),
    page("/system/settings", show_settings, right="settings.manage"),
    page("/system/roles/export.xlsx", export_roles, right=("accounts.manage", "roles.manage", "audit.read")),
    page("/system/audit/export.xlsx", export_audit, right="audit.read"),
    page("/account/sessions", show_sessions, right=SIGNED_IN),
    page("/account/sessions/{number:int}/end", end_session, right=SIGNED_IN, methods=("POST",)),
)
MENU: Final[tuple[Entry, ...]] = (
    Entry("system", mark("系统状态"), "/system/status", ("settings.manage",)),
    Entry("system", mark("运行参数"), "/system/settings", ("settings.manage",)),
)
