"""The system administrator makes accounts, the security administrator gives roles, and nobody is two of the three officers."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.engines.security.conftest import OFFICER_PASSWORD, PASSWORD, TOWN_DOCTOR, MakePerson, Officers, SetClock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError, UnavailableError
from xinglin.engines.security import AuditQuery, NewAccount, NewMembership, Scope, Security, SecurityGround


async def test_each_officer_does_one_part_alone(security: Security, officers: Officers, doctor: Scope) -> None:
    first = await security.create_account(officers.sysadmin, NewAccount("wang", "王医生"))
    for other in (officers.secadmin, officers.auditor, doctor):
        with pytest.raises(ForbiddenError):
            await security.create_account(other, NewAccount("li", "李医生"))
    await security.accounts.give_role(officers.secadmin, first.account_no, TOWN_DOCTOR)
    for other in (officers.sysadmin, officers.auditor, doctor):
        with pytest.raises(ForbiddenError):
            await security.accounts.give_role(other, first.account_no, TOWN_DOCTOR)


async def test_no_account_is_two_of_the_three(security: Security, officers: Officers, database: Database) -> None:
    first = await security.create_account(officers.sysadmin, NewAccount("zhao", "赵"))
    await security.accounts.give_role(officers.secadmin, first.account_no, NewMembership("auditor"))
    for role in ("sysadmin", "secadmin", "auditor"):
        with pytest.raises(IncorrectError):
            await security.accounts.give_role(officers.secadmin, first.account_no, NewMembership(role))
    # The database keeps it too, whatever the program does.
    with pytest.raises(Exception, match="membership_one_officer"):
        async with database.connection() as connection:
            await connection.execute(
                "insert into membership (account_no, role, areas, given_by, given_at) values ($1, 'sysadmin', '{}', 0, now())",
                first.account_no,
            )


async def test_two_offices_given_at_once_do_not_make_two_officers(security: Security, officers: Officers) -> None:
    first = await security.create_account(officers.sysadmin, NewAccount("zhao", "赵"))
    gifts = [security.accounts.give_role(officers.secadmin, first.account_no, NewMembership(role)) for role in ("auditor", "sysadmin")]
    answers = await asyncio.gather(*gifts, return_exceptions=True)
    assert sorted(isinstance(answer, IncorrectError) for answer in answers) == [False, True]


async def test_nobody_changes_their_own_account(security: Security, officers: Officers) -> None:
    own = officers.secadmin.account_no
    with pytest.raises(ForbiddenError):
        await security.accounts.give_role(officers.secadmin, own, TOWN_DOCTOR)
    with pytest.raises(ForbiddenError):
        await security.accounts.set_disabled(officers.sysadmin, officers.sysadmin.account_no, disabled=True)
    cards = await security.accounts.list(officers.secadmin, "secadmin")
    with pytest.raises(ForbiddenError):
        await security.accounts.end_role(officers.secadmin, cards[0].memberships[0].membership_no)
    assert (await security.accounts.list(officers.secadmin, "secadmin"))[0].memberships


@pytest.mark.parametrize(
    "wrong", [NewMembership("doctor", 70, (420999101000,)), NewMembership("nurse", 70, ()), NewMembership("nurse", 70, (420999109000,))]
)
async def test_a_role_needs_a_name_and_known_areas(wrong: NewMembership, security: Security, officers: Officers) -> None:
    first = await security.create_account(officers.sysadmin, NewAccount("wang", "王医生"))
    await security.accounts.give_role(officers.secadmin, first.account_no, NewMembership("nurse", 70, (420999101000,)))
    with pytest.raises(IncorrectError):
        await security.accounts.give_role(officers.secadmin, first.account_no, wrong)
    with pytest.raises(NotFoundError):
        await security.accounts.give_role(officers.secadmin, 10**6, TOWN_DOCTOR)


async def test_an_officer_has_no_area(security: Security, officers: Officers) -> None:
    first = await security.create_account(officers.sysadmin, NewAccount("wang", "王医生"))
    with pytest.raises(IncorrectError):
        await security.accounts.give_role(officers.secadmin, first.account_no, NewMembership("auditor", None, (420999101000,)))


async def test_a_login_is_one_persons_whatever_its_width_or_case(security: Security, officers: Officers) -> None:
    await security.create_account(officers.sysadmin, NewAccount("Wang.Li", "王丽"))
    with pytest.raises(ConflictError):
        await security.create_account(officers.sysadmin, NewAccount("ｗａｎｇ.ＬＩ", "王莉"))
    for login in ("", "a", "a b", "x" * 65, "a;b", "a\x00"):
        with pytest.raises(IncorrectError):
            await security.create_account(officers.sysadmin, NewAccount(login, "王丽"))
    with pytest.raises(IncorrectError):
        await security.create_account(officers.sysadmin, NewAccount("liu", " "))


async def test_a_first_password_must_be_changed_before_anything(security: Security, officers: Officers) -> None:
    first = await security.create_account(officers.sysadmin, NewAccount("wang", "王医生"))
    await security.accounts.give_role(officers.secadmin, first.account_no, TOWN_DOCTOR)
    session = await security.sign_in("wang", first.password, "10.0.0.2")
    assert session.must_change_password
    with pytest.raises(ForbiddenError):
        await security.scope_of(session.token)
    assert not (await security.change_password(session.token, first.password, PASSWORD)).must_change_password
    assert (await security.scope_of(session.token)).role == "responsible_doctor"


async def test_a_reset_voids_the_password_and_ends_sessions(security: Security, officers: Officers, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, "10.0.0.2")
    first = await security.accounts.reset_password(officers.sysadmin, person.account_no)
    with pytest.raises(ForbiddenError):
        await security.scope_of(session.token)
    with pytest.raises(ForbiddenError):
        await security.sign_in("wang", person.password, "10.0.0.2")
    assert (await security.sign_in("wang", first.password, "10.0.0.2")).must_change_password


async def test_a_closed_account_cannot_be_used(security: Security, officers: Officers, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, "10.0.0.2")
    await security.accounts.set_disabled(officers.sysadmin, person.account_no, disabled=True)
    with pytest.raises(ForbiddenError):
        await security.scope_of(session.token)
    with pytest.raises(ForbiddenError):
        await security.sign_in("wang", person.password, "10.0.0.2")
    await security.accounts.set_disabled(officers.sysadmin, person.account_no, disabled=False)
    assert await security.sign_in("wang", person.password, "10.0.0.2")
    with pytest.raises(ForbiddenError):
        await security.scope_of(session.token)


async def test_a_role_that_ends_ends_its_sessions(security: Security, officers: Officers, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, "10.0.0.2")
    assert session.membership is not None
    await security.accounts.end_role(officers.secadmin, session.membership.membership_no)
    with pytest.raises(ForbiddenError):
        await security.scope_of(session.token)
    again = await security.sign_in("wang", person.password, "10.0.0.2")
    assert again.membership is None
    with pytest.raises(ForbiddenError, match="no role"):
        await security.scope_of(again.token)
    with pytest.raises(NotFoundError):
        await security.accounts.end_role(officers.secadmin, session.membership.membership_no)


async def test_officers_see_the_list_and_others_do_not(
    security: Security, officers: Officers, make_person: MakePerson, doctor: Scope
) -> None:
    await make_person("wang", TOWN_DOCTOR)
    await make_person("li", TOWN_DOCTOR, NewMembership("public_health", 70, (420999101000,)))
    for scope in (officers.sysadmin, officers.secadmin, officers.auditor):
        cards = await security.accounts.list(scope, "l")
        assert [(card.login, [office.role for office in card.memberships]) for card in cards] == [
            ("li", ["responsible_doctor", "public_health"])
        ]
    assert len(await security.accounts.list(officers.sysadmin, "王医", limit=1)) == 1
    assert await security.accounts.list(officers.sysadmin, "%") == ()
    with pytest.raises(ForbiddenError):
        await security.accounts.list(doctor)


async def test_every_change_is_in_the_log(security: Security, officers: Officers, make_person: MakePerson, ground: SecurityGround) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    await security.accounts.set_disabled(officers.sysadmin, person.account_no, disabled=True)
    page = await ground.audit.search(officers.auditor, AuditQuery(rid=person.account_no, subject_type="account"), limit=100)  # type: ignore[attr-defined]
    assert [entry.action for entry in reversed(page.entries)] == [
        "create",
        "give_role",
        "sign_in",
        "change_password",
        "sign_out",
        "disable",
    ]
    assert [entry.login for entry in reversed(page.entries)][:2] == ["sysadmin", "secadmin"]
    assert not any(person.password in entry.detail for entry in page.entries)


async def test_a_change_that_cannot_be_audited_is_not_made(
    security: Security, officers: Officers, ground: SecurityGround, database: Database
) -> None:
    await ground.audit.close()  # type: ignore[attr-defined]
    with pytest.raises(UnavailableError):
        await security.create_account(officers.sysadmin, NewAccount("wang", "王医生"))
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from account where login = 'wang'") == 0


async def test_set_up_codes_make_three_officers_and_serve_once(security: Security, clock: SetClock) -> None:
    codes = {each.role: each.code for each in await security.setup.codes()}
    assert set(codes) == {"sysadmin", "secadmin", "auditor"}
    await security.setup.redeem(codes["sysadmin"].lower(), NewAccount("root", "管理员"), OFFICER_PASSWORD)
    for attempt in (codes["sysadmin"], "", "wrong-code"):
        with pytest.raises(ForbiddenError):
            await security.setup.redeem(attempt, NewAccount("root2", "管理员"), OFFICER_PASSWORD)
    with pytest.raises(IncorrectError):
        await security.setup.redeem(codes["secadmin"], NewAccount("sec", "安全员"), "short")
    again = {each.role: each.code for each in await security.setup.codes()}
    assert set(again) == {"secadmin", "auditor"}
    with pytest.raises(ForbiddenError):
        await security.setup.redeem(codes["secadmin"], NewAccount("sec", "安全员"), OFFICER_PASSWORD)
    clock.pass_(hours=73)
    with pytest.raises(ForbiddenError):
        await security.setup.redeem(again["secadmin"], NewAccount("sec", "安全员"), OFFICER_PASSWORD)


async def test_one_code_used_twice_at_once_makes_one_account(security: Security) -> None:
    code = (await security.setup.codes())[0].code
    tries = [security.setup.redeem(code, NewAccount(f"root{n}", "管理员"), OFFICER_PASSWORD) for n in range(3)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, ForbiddenError) for answer in answers) == 2
