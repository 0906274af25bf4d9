"""系统管理: accounts (system administrator), offices (security administrator), the audit log (auditor), the table role × right."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.responses import Response

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.base.text import to_halfwidth
from xinglin.engines.identity import checked_id_number
from xinglin.engines.security import AccountCard, AuditFound, AuditQuery, NewAccount, NewMembership
from xinglin.web.days import read_day
from xinglin.web.doors import institutions
from xinglin.web.i18n import capital, mark
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import SIGNED_IN, Visit, page, redirect, render
from xinglin.web.pages.audit_words import ACTIONS, SUBJECTS

_OFFICERS: Final = ("accounts.manage", "roles.manage")
_ALL: Final = 200


def _account_row(visit: Visit, card: AccountCard) -> dict[str, object]:
    roles = visit.platform.security.roles
    state = (
        Tag(visit.text("停用"), "bad")
        if card.is_disabled
        else Tag(visit.text("初始密码"), "warn")
        if card.must_change_password
        else Tag(visit.text("正常"), "good")
    )
    return {
        "account_no": card.account_no,
        "login": card.login,
        "name": card.display_name,
        "roles": [Tag(roles.role(office.role).name(visit.language), "brand") for office in card.memberships],
        "state": state,
        "created_at": card.created_at.astimezone(visit.platform.clock.zone).date(),
        "link": f"/system/accounts/{card.account_no}",
    }


async def _accounts(visit: Visit, query: Query) -> Rows:
    """Fetch the accounts page by page (their door goes on after a number; a district has some hundreds)."""
    found: list[AccountCard] = []
    while len(
        batch := await visit.platform.security.accounts.list(
            visit.scope, query.get("text"), after=found[-1].account_no if found else 0, limit=_ALL
        )
    ):
        found.extend(batch)
        if len(batch) < _ALL:
            break
    role = query.get("role")
    rows = [_account_row(visit, card) for card in found if not role or role in {office.role for office in card.memberships}]
    return Rows(rows[query.offset : query.offset + query.size], len(rows))


async def _role_options(visit: Visit) -> list[tuple[str, str]]:
    return [(code, role.name(visit.language)) for code, role in visit.platform.security.roles.roles.items()]


ACCOUNTS: Final = ListPage(
    path="/system/accounts",
    title=mark("账号"),
    hint=mark("系统管理员建账号，安全管理员授岗位，审计员查记录，三人互相制约"),
    group="system",
    rights=_OFFICERS,
    is_plain=True,
    fetch=_accounts,
    columns=(
        Column("login", mark("账号"), path="link", is_main=True),
        Column("name", mark("姓名")),
        Column("roles", mark("岗位"), "tags"),
        Column("state", mark("状态"), "tag"),
        Column("created_at", mark("建立日期"), "date"),
    ),
    filters=(Filter("text", mark("账号或姓名")), Filter("role", mark("岗位"), "choice", _role_options)),
    add=("accounts.manage", "/system/accounts/new", mark("新增")),
    empty_title=mark("没有账号"),
    empty_hint=mark("按“新增”为工作人员建立账号，初始密码只显示一次"),
)


async def _account(visit: Visit) -> AccountCard:
    """Return the account of the address. Raises: IncorrectError when there is none."""
    number = visit.request.path_params["number"]
    found = await visit.platform.security.accounts.list(visit.scope, after=number - 1, limit=1)
    if not found or found[0].account_no != number:
        raise IncorrectError("没有这个账号", "there is no such account", status=404)
    return found[0]


async def _account_page(visit: Visit, card: AccountCard, told: Mapping[str, str], status: int = 200) -> Response:
    known, roles = await institutions(visit), visit.platform.security.roles
    areas = await visit.platform.geo.names([area for office in card.memberships for area in office.areas])
    offices = [
        {
            "number": office.membership_no,
            "role": roles.role(office.role).name(visit.language),
            "institution": known[office.institution_rid].name if office.institution_rid in known else "",
            "areas": "、".join(areas.get(area, str(area)) for area in office.areas),
        }
        for office in card.memberships
    ]
    context = {
        "card": card,
        "row": _account_row(visit, card),
        "offices": offices,
        "roles": await _role_options(visit),
        "institutions": known.values(),
        "divisions": await visit.platform.geo.within(0, 10**12),
        **told,
    }
    return render(visit, "system/account.html", {"password": "", "refusal": "", **context}, status=status)


async def show_account(visit: Visit) -> Response:
    """Show one account and its offices."""
    return await _account_page(visit, await _account(visit), {})


async def change_account(visit: Visit) -> Response:
    """Close, reopen, reset, give or end an office; a refusal stands on the same page."""
    card, form = await _account(visit), await visit.form()
    accounts, action = visit.platform.security.accounts, str(form.get("action", ""))
    told: dict[str, str] = {}
    status = 200
    try:
        if action in ("disable", "enable"):
            await accounts.set_disabled(visit.scope, card.account_no, disabled=action == "disable")
        elif action == "reset":
            told["password"] = (await accounts.reset_password(visit.scope, card.account_no)).password
        elif action == "factor":
            await accounts.remove_second_factor(visit.scope, card.account_no)
        elif action == "give":
            await accounts.give_role(visit.scope, card.account_no, _membership(form))
        elif (office := read_number(action.removeprefix("end-"))) is not None:
            await accounts.end_role(visit.scope, office)
    except XinglinError as error:
        told["refusal"], status = visit.said(error), error.http_status
    return await _account_page(visit, await _account(visit), told, status)


def _membership(form: FormData) -> NewMembership:
    institution = str(form.get("institution", ""))
    areas = [str(part) for part in form.getlist("areas") if str(part).strip()]
    if any(read_number(part.strip()) is None or len(part.strip()) != 12 for part in areas):
        raise IncorrectError("区划请写 12 位代码，多个用逗号隔开", "write divisions as 12-digit codes with commas between", where="areas")
    return NewMembership(str(form.get("role", "")), read_number(institution), tuple(int(part) for part in areas))


async def show_new_account(visit: Visit) -> Response:
    """Show the form for a new account."""
    return render(visit, "system/new_account.html", {"login": "", "name": "", "refusal": ""})


async def make_account(visit: Visit) -> Response:
    """Make an account and show its first password, this once."""
    form = await visit.form()
    login, name = str(form.get("login", "")).strip(), str(form.get("name", "")).strip()
    try:
        first = await visit.platform.security.create_account(visit.scope, NewAccount(login, name))
    except XinglinError as error:
        return render(
            visit,
            "system/new_account.html",
            {"login": login, "name": name, "refusal": visit.said(error)},
            status=error.http_status,
        )
    card = (await visit.platform.security.accounts.list(visit.scope, after=first.account_no - 1, limit=1))[0]
    return await _account_page(visit, card, {"password": first.password})


async def show_roles(visit: Visit) -> Response:
    """Show who may do what."""
    return render(visit, "system/roles.html", {"table": visit.platform.security.roles})


def _instant(visit: Visit, text: str, *, after: bool = False) -> datetime | None:
    day = read_day(text, visit.platform.clock.today())
    return None if day is None else datetime.combine(day + timedelta(days=after), time(), visit.platform.clock.zone)


async def _account_number(visit: Visit, text: str) -> int | None:
    """Return the number of an account named by number or login. Raises: IncorrectError when there is none."""
    if not text or read_number(text) is not None:
        return read_number(text)
    found = await visit.platform.security.accounts.list(visit.scope, text, limit=_ALL)
    number = next((card.account_no for card in found if card.login == text.strip().lower()), None)
    if number is None:
        raise IncorrectError(
            "没有这个账号：请写登录名或账号编号", "there is no such account: write a login or an account number", where=text[:40]
        )
    return number


async def _person_number(visit: Visit, text: str) -> int | None:
    """Return the number of a resident named by it or by the ID number, which residents know; 0, whom no entry names, for an unknown one."""
    wanted = to_halfwidth(text).strip().upper()
    number = checked_id_number(wanted)
    if number is None:
        return read_number(wanted) if wanted else None
    return await visit.platform.residents.audited(visit.scope, number) or 0


async def audit_query(visit: Visit, query: Query) -> AuditQuery:
    """Return what the search form asks of the audit log."""
    return AuditQuery(
        account_no=await _account_number(visit, query.get("account")),
        person=await _person_number(visit, query.get("person")),
        action=query.get("action") or None,
        outcome=query.get("outcome") or None,
        since=_instant(visit, query.get("since")),
        until=_instant(visit, query.get("until"), after=True),
    )


def audit_row(visit: Visit, one: AuditFound) -> dict[str, object]:
    """Return an entry of the audit log as a row of a list."""
    roles, zone = visit.platform.security.roles.roles, visit.platform.clock.zone
    persons = list(dict.fromkeys(one.persons))
    outcomes = {"done": Tag(visit.text("完成"), "good"), "refused": Tag(visit.text("拒绝"), "bad")}
    late = visit.text("（{at} 补记）", at=f"{one.recorded_at.astimezone(zone):%Y-%m-%d %H:%M:%S}") if one.recorded_at else ""
    return {
        "link": f"/system/audit/entry?at={quote(one.at.isoformat())}&process={one.process}&n={one.n}",
        "at": one.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S"),
        "number": one.account_no,
        "login": one.login or "",
        "who": one.display_name or one.login or (visit.text("系统") if one.account_no == 0 else visit.text("未登录")),
        "role": roles[one.role].name(visit.language) if one.role in roles else one.role,
        "action": capital(visit.text(ACTIONS.get(one.action, one.action))),
        "subject": visit.text(SUBJECTS.get(one.subject_type, one.subject_type)),
        "persons": "、".join(map(str, persons[:5])) + (f" +{len(persons) - 5}" if len(persons) > 5 else ""),
        "outcome": outcomes.get(one.outcome, Tag(one.outcome, "warn")),
        "detail": one.detail + late,
        "request": one.request_id,
    }


async def _audit(visit: Visit, query: Query) -> Rows:
    """Fetch a page of the audit log."""
    asked = await audit_query(visit, query)
    found = await visit.platform.audit.search(visit.scope, asked, limit=query.size, skip=query.offset)
    return Rows([audit_row(visit, one) for one in found.entries], None, more=found.next_cursor is not None)


AUDIT: Final = ListPage(
    path="/system/audit",
    title=mark("审计日志"),
    hint=mark("谁、以什么岗位、看过或改过谁的档案；每次查询本页也会记入"),
    group="system",
    rights=("audit.read",),
    is_plain=True,
    fetch=_audit,
    columns=(
        Column("at", mark("时间"), path="link", is_main=True),
        Column("who", mark("何人")),
        Column("login", mark("账号")),
        Column("role", mark("岗位")),
        Column("action", mark("动作")),
        Column("subject", mark("对象")),
        Column("persons", mark("居民编号"), path="link"),
        Column("outcome", mark("结果"), "tag"),
        Column("detail", mark("说明")),
        Column("request", mark("请求编号")),
    ),
    filters=(
        Filter("account", mark("登录名或账号编号")),
        Filter("person", mark("居民"), hint=mark("居民编号或身份证号")),
        Filter("action", mark("动作"), "choice", tuple(ACTIONS.items())),
        Filter("outcome", mark("结果"), "choice", (("done", mark("完成")), ("refused", mark("拒绝")))),
        Filter("since", mark("从"), "date"),
        Filter("until", mark("到"), "date"),
    ),
    empty_title=mark("没有符合条件的记录"),
    empty_hint=mark("放宽时间或条件后再查"),
    template="administration/audit.html",
)


async def check_audit(visit: Visit) -> Response:
    """Check that the log of a day stands as written, and say so."""
    text = str((await visit.form()).get("day", "")) or visit.platform.clock.today().isoformat()
    day = _instant(visit, text)
    assert day is not None
    report = await visit.platform.audit.verify(visit.scope, day.date())
    return render(visit, "system/audit_check.html", {"report": report, "day": day.date()})


async def show_audit_check(visit: Visit) -> Response:
    """Show the form that checks a day's log."""
    return render(visit, "system/audit_check.html", {"report": None, "day": visit.platform.clock.today()})


async def show_system(visit: Visit) -> Response:
    """Lead to the first page of this group one may open."""
    shown = next((one for one in visit.menu if one.group.key == "system"), None)
    return redirect(visit, shown.path if shown else "/account")


ROUTES: Final = (
    page("/system", show_system, right=SIGNED_IN),
    page("/system/accounts/new", show_new_account, right="accounts.manage"),
    page("/system/accounts/new", make_account, right="accounts.manage", methods=("POST",)),
    page("/system/accounts/{number:int}", show_account, right=_OFFICERS),
    page("/system/accounts/{number:int}", change_account, right=_OFFICERS, methods=("POST",)),
    page("/system/roles", show_roles, right=SIGNED_IN),
    page("/system/audit/check", show_audit_check, right="audit.read"),
    page("/system/audit/check", check_audit, right="audit.read", methods=("POST",)),
    *ACCOUNTS.routes(),
    *AUDIT.routes(),
)
MENU: Final = (
    ACCOUNTS.entry(),
    AUDIT.entry(),
    Entry("system", mark("核对审计链"), "/system/audit/check", ("audit.read",)),
    Entry("system", mark("岗位与权限"), "/system/roles", ("accounts.manage", "roles.manage", "audit.read")),
)
