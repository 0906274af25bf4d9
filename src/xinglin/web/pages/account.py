"""Sign-in, sign-out, password, role, language, and the page that says who one is."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from xinglin.base.errors import BusyError, ConflictError, ForbiddenError, IncorrectError, XinglinError
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.security import NewAccount
from xinglin.web.doors import demo_accounts, institutions
from xinglin.web.i18n import LANGUAGES
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import LANGUAGE_COOKIE, PUBLIC, SESSION_COOKIE, SIGNED_IN, Visit, page, redirect, render, set_cookie


def _local(path: str) -> str:
    """Return path when it is an address of ours, else the first page: a link cannot send people elsewhere after sign-in."""
    is_plain = path.isprintable() and "\\" not in path
    return path if path.startswith("/") and not path.startswith("//") and is_plain else "/"


async def show_sign_in(visit: Visit) -> Response:
    """Show the form; somebody who is signed in goes on."""
    wanted = _local(visit.request.query_params.get("next", "/"))
    return redirect(visit, wanted) if visit.signed_in else await _sign_in_page(visit, wanted)


async def _sign_in_page(visit: Visit, wanted: str, login: str = "", refused: XinglinError | None = None) -> Response:
    accounts = await demo_accounts(visit)
    roles = visit.platform.security.roles
    offered = [
        {
            "login": card.login,
            "name": card.display_name,
            "role": "、".join(roles.role(office.role).name(visit.language) for office in card.memberships),
        }
        for card in accounts
    ]
    context = {
        "next": wanted,
        "login": login,
        "accounts": offered,
        "password": DEMO_PASSWORD,
        "refusal": visit.said(refused) if refused else "",
    }
    return render(visit, "account/sign_in.html", context, status=refused.http_status if refused else 200)


async def sign_in(visit: Visit) -> Response:
    """Open a session; a refused attempt shows the form again with the reason."""
    form = await visit.form()
    login, password, wanted = str(form.get("login", "")).strip(), str(form.get("password", "")), _local(str(form.get("next", "/")))
    address = visit.request.client.host if visit.request.client else ""
    try:
        session = await visit.platform.security.sign_in(login, password, address)
    except (ForbiddenError, IncorrectError, BusyError) as error:
        return await _sign_in_page(visit, wanted, login, error)
    answer = redirect(visit, "/sign-in/code" if session.waits_for_code else "/account/password" if session.must_change_password else wanted)
    set_cookie(visit, answer, SESSION_COOKIE, session.token)
    return answer


async def show_code(visit: Visit) -> Response:
    """Show the form for the one-time code of the second factor."""
    return render(visit, "account/code.html", {"refusal": ""})


async def enter_code(visit: Visit) -> Response:
    """Finish the sign-in with a one-time code; a wrong one shows the form again."""
    try:
        session = await visit.platform.security.second_factor.enter(visit.token, str((await visit.form()).get("code", "")).strip())
    except (IncorrectError, BusyError) as error:
        return render(visit, "account/code.html", {"refusal": visit.said(error)}, status=error.http_status)
    return redirect(visit, "/account/password" if session.must_change_password else "/")


async def show_set_up(visit: Visit) -> Response:
    """Show the form with which an officer makes the first account of that office."""
    return render(visit, "account/set_up.html", {"refusal": "", "login": "", "name": ""})


async def set_up(visit: Visit) -> Response:
    """Make an officer's account with a set-up code; a refused one shows the form again, nothing lost but the passwords."""
    form = await visit.form()
    login, name, password = str(form.get("login", "")).strip(), str(form.get("name", "")).strip(), str(form.get("new", ""))
    try:
        if password != form.get("again"):
            raise IncorrectError("两次输入的密码不一样：请重新输入", "the two passwords differ: type them again")
        await visit.platform.security.setup.redeem(str(form.get("code", "")), NewAccount(login, name), password)
    except (ForbiddenError, IncorrectError, ConflictError) as error:
        context = {"refusal": visit.said(error), "login": login, "name": name}
        return render(visit, "account/set_up.html", context, status=error.http_status)
    return redirect(visit, "/sign-in")


async def sign_out(visit: Visit) -> Response:
    """End the session everywhere, not only in this browser."""
    await visit.platform.security.sessions.sign_out(visit.token)
    answer = redirect(visit, "/sign-in")
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer


async def show_account(visit: Visit) -> Response:
    """Show name, offices, institution, area and rights."""
    security = visit.platform.security
    offices = await security.sessions.memberships(visit.token)
    others = [
        {"number": office.membership_no, "name": security.roles.role(office.role).name(visit.language)}
        for office in offices
        if (office.role, office.institution_rid) != (visit.scope.role, visit.scope.institution_rid)
    ]
    context = {
        "rights": [security.roles.rights[code] for code in sorted(visit.scope.rights)],
        "others": others,
        "institution": await institution_name(visit),
        "areas": "、".join((await visit.platform.geo.names([low for low, _ in visit.scope.areas])).values()),
        "changed": "changed" in visit.request.query_params,
    }
    return render(visit, "account/account.html", context)


async def institution_name(visit: Visit) -> str:
    """Return the name of the institution one acts for, "" for none."""
    rid = visit.scope.institution_rid
    found = (await institutions(visit)).get(rid) if rid is not None else None
    return found.name if found else ""


async def show_password(visit: Visit) -> Response:
    """Show the form for a new password."""
    return render(visit, "account/password.html", {"refusal": ""})


async def change_password(visit: Visit) -> Response:
    """Change the password; a refused one shows the form again with the reason."""
    form = await visit.form()
    try:
        if form.get("new") != form.get("again"):
            raise IncorrectError("两次输入的新密码不一样：请重新输入", "the two new passwords differ: type them again")
        await visit.platform.security.sessions.change_password(visit.token, str(form.get("old", "")), str(form.get("new", "")))
    except (ForbiddenError, IncorrectError) as error:
        is_wrong = error.http_status == 401
        refusal = visit.text("现在的密码不对：请重新输入") if is_wrong else visit.said(error)
        return render(visit, "account/password.html", {"refusal": refusal}, status=error.http_status)
    return redirect(visit, "/account?changed=1")


async def switch_role(visit: Visit) -> Response:
    """Go on in another of one's offices."""
    number = str((await visit.form()).get("membership", ""))
    session = await visit.platform.security.sessions.switch_role(visit.token, read_number(number) or 0)
    answer = redirect(visit, "/")
    set_cookie(visit, answer, SESSION_COOKIE, session.token)
    return answer


async def switch_language(visit: Visit) -> Response:
    """Keep the language for a year and show the same page in it."""
    form = await visit.form()
    wanted = str(form.get("language", "zh"))
    answer = redirect(visit, _local(str(form.get("back", "/"))))
    set_cookie(visit, answer, LANGUAGE_COOKIE, wanted if wanted in LANGUAGES else "zh", days=365)
    return answer


async def show_first(visit: Visit) -> Response:
    """Lead to where one's work is: the desk, else the figures, else the first page one may open, else one's account."""
    paths = {shown.group.key: shown.path for shown in visit.menu}
    first = paths.get("desk") or paths.get("statistics") or next(iter(paths.values()), "/account")
    return redirect(visit, first)


ROUTES: Final = (
    page("/", show_first, right=SIGNED_IN),
    page("/sign-in", show_sign_in, right=PUBLIC),
    page("/sign-in", sign_in, right=PUBLIC, methods=("POST",)),
    page("/sign-in/code", show_code, right=SIGNED_IN),
    page("/sign-in/code", enter_code, right=SIGNED_IN, methods=("POST",)),
    page("/set-up", show_set_up, right=PUBLIC),
    page("/set-up", set_up, right=PUBLIC, methods=("POST",)),
    page("/sign-out", sign_out, right=SIGNED_IN, methods=("POST",)),
    page("/language", switch_language, right=PUBLIC, methods=("POST",)),
    page("/account", show_account, right=SIGNED_IN),
    page("/account/role", switch_role, right=SIGNED_IN, methods=("POST",)),
    page("/account/password", show_password, right=SIGNED_IN),
    page("/account/password", change_password, right=SIGNED_IN, methods=("POST",)),
)
MENU: Final[tuple[Entry, ...]] = ()
