"""Sign-in, lock, sessions, roles, passwords and the second factor."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import pytest

from tests.unit.engines.security.conftest import PASSWORD, TOWN_DOCTOR, MakePerson, Officers, SetClock
from xinglin.base.database import Database
from xinglin.base.errors import BusyError, ConflictError, ForbiddenError, IncorrectError, NotFoundError, UnavailableError
from xinglin.engines.security import DemoAccount, NewMembership, Security, SecurityGround, SignInRules
from xinglin.engines.security.algorithms import totp
from xinglin.engines.security.passwords import Hasher

HERE = "10.0.0.5"


async def _wrong(security: Security, login: str, times: int, address: str = HERE) -> list[str]:
    answers = []
    for _ in range(times):
        with pytest.raises((ForbiddenError, BusyError)) as caught:
            await security.sign_in(login, "Wrong-Password-1", address)
        answers.append(f"{caught.value.http_status} {caught.value.zh}")
    return answers


async def test_a_session_gives_the_scope_of_its_office(security: Security, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in(" ＷＡＮＧ ", person.password, HERE)
    scope = await security.scope_of(session.token)
    assert (scope.account_no, scope.login, scope.role, scope.purpose, scope.institution_rid) == (
        person.account_no,
        "wang",
        "responsible_doctor",
        "care",
        70,
    )
    assert scope.areas == ((420999101000, 420999101999),) and scope.allows("enrol") and not scope.sees_unassigned


async def test_an_unknown_login_answers_like_a_wrong_password(security: Security, make_person: MakePerson) -> None:
    await make_person("wang", TOWN_DOCTOR)
    assert await _wrong(security, "wang", 7) == await _wrong(security, "nobody", 7)


async def test_five_wrong_tries_lock_a_login_for_a_quarter_of_an_hour(security: Security, make_person: MakePerson, clock: SetClock) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    answers = await _wrong(security, "wang", 6)
    assert [answer[:3] for answer in answers] == ["401"] * 5 + ["429"]
    with pytest.raises(BusyError):
        await security.sign_in("wang", person.password, HERE)
    clock.pass_(minutes=14)
    with pytest.raises(BusyError):
        await security.sign_in("wang", person.password, HERE)
    clock.pass_(minutes=2)
    assert await security.sign_in("wang", person.password, HERE)


async def test_wrong_tries_far_apart_or_before_a_right_one_do_not_lock(
    security: Security, make_person: MakePerson, clock: SetClock
) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    await _wrong(security, "wang", 4)
    await security.sign_in("wang", person.password, HERE)
    await _wrong(security, "wang", 4)
    clock.pass_(minutes=16)
    await _wrong(security, "wang", 4)
    assert await security.sign_in("wang", person.password, HERE)


async def test_guesses_at_the_same_moment_count_too(security: Security, make_person: MakePerson) -> None:
    await make_person("wang", TOWN_DOCTOR)
    answers = await asyncio.gather(*(security.sign_in("wang", f"Guess-Number-{n}", HERE) for n in range(12)), return_exceptions=True)
    assert sum(isinstance(answer, ForbiddenError) for answer in answers) == 5
    assert sum(isinstance(answer, BusyError) for answer in answers) == 7


async def test_many_logins_from_one_address_lock_the_address(ground: SecurityGround, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    security = Security(replace(ground, rules=SignInRules(address_tries=8)))
    for n in range(8):
        await _wrong(security, f"guess{n}", 1, "10.9.9.9")
    with pytest.raises(BusyError):
        await security.sign_in("wang", person.password, "10.9.9.9")
    assert await security.sign_in("wang", person.password, HERE)


@pytest.mark.parametrize("login", ["a\x00b", "\ud800", "", "x" * 10000, "'; drop table account; --"])
async def test_odd_input_is_a_wrong_login(login: str, security: Security) -> None:
    with pytest.raises(ForbiddenError):
        await security.sign_in(login, "\x00\ud800" + "y" * 10000, HERE)


async def test_what_is_stored_is_not_what_is_shown(security: Security, make_person: MakePerson, database: Database) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, HERE)
    async with database.connection() as connection:
        rows = [
            str(dict(row))
            for table in ("session", "account", "sign_in_try", "audit")
            for row in await connection.fetch(f"select * from {table}")
        ]
        password_hash = await connection.fetchval("select password_hash from account where login = 'wang'")
    stored = "".join(rows)
    assert session.token not in stored and session.token.encode().hex() not in stored and person.password not in stored
    assert password_hash.startswith("$argon2id$")


async def test_an_idle_or_old_session_ends(security: Security, make_person: MakePerson, clock: SetClock) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    idle = await security.sign_in("wang", person.password, HERE)
    clock.pass_(minutes=29)
    assert await security.scope_of(idle.token)
    clock.pass_(minutes=31)
    with pytest.raises(ForbiddenError) as caught:
        await security.scope_of(idle.token)
    assert caught.value.http_status == 401
    busy = await security.sign_in("wang", person.password, HERE)
    for _ in range(12 * 3 - 1):
        clock.pass_(minutes=20)
        assert await security.scope_of(busy.token)
    clock.pass_(minutes=20)
    with pytest.raises(ForbiddenError):
        await security.scope_of(busy.token)


async def test_signing_out_ends_a_session_for_good(security: Security, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, HERE)
    await security.sign_out(session.token)
    await security.sign_out(session.token)
    for token in (session.token, "", "\x00\ud800", "x" * 5000):
        with pytest.raises(ForbiddenError):
            await security.scope_of(token)


async def test_one_sees_and_revokes_ones_own_sessions_only(security: Security, make_person: MakePerson) -> None:
    wang, li = await make_person("wang", TOWN_DOCTOR), await make_person("li", TOWN_DOCTOR)
    first = await security.sign_in("wang", wang.password, "10.0.0.6")
    second = await security.sign_in("wang", wang.password, "10.0.0.7")
    other = await security.sign_in("li", li.password, "10.0.0.8")
    mine = await security.sessions.open_sessions(second.token)
    assert [(each.address, each.is_this) for each in mine] == [("10.0.0.7", True), ("10.0.0.6", False)]
    with pytest.raises(NotFoundError):
        await security.sessions.revoke(second.token, other.session_no)
    await security.sessions.revoke(second.token, first.session_no)
    with pytest.raises(ForbiddenError):
        await security.scope_of(first.token)
    assert await security.scope_of(other.token) and await security.scope_of(second.token)


async def test_one_switches_between_ones_own_offices(security: Security, make_person: MakePerson) -> None:
    county = NewMembership("county", 1, (420999000000,))
    person = await make_person("wang", TOWN_DOCTOR, county)
    stranger = await make_person("li", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, HERE)
    offices = await security.memberships(session.token)
    assert [office.role for office in offices] == ["responsible_doctor", "county"]
    switched = await security.switch_role(session.token, offices[1].membership_no)
    assert switched.membership == offices[1]
    scope = await security.scope_of(session.token)
    assert scope.role == "county" and not scope.allows("enrol") and scope.areas == ((420999000000, 420999999999),)
    elsewhere = await security.sign_in("li", stranger.password, HERE)
    (theirs,) = await security.memberships(elsewhere.token)
    with pytest.raises(NotFoundError):
        await security.switch_role(session.token, theirs.membership_no)
    # The office used last is the one next time.
    assert (await security.sign_in("wang", person.password, HERE)).membership == offices[1]


async def test_a_new_password_ends_the_other_sessions(security: Security, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    here, there = [await security.sign_in("wang", person.password, HERE) for _ in range(2)]
    with pytest.raises(ForbiddenError):
        await security.change_password(here.token, "Wrong-Password-1", "Another-Horse-2")
    await security.change_password(here.token, person.password, "Another-Horse-2")
    assert await security.scope_of(here.token)
    with pytest.raises(ForbiddenError):
        await security.scope_of(there.token)


async def test_a_password_changed_while_the_account_is_reset_does_not_win(
    security: Security, ground: SecurityGround, make_person: MakePerson, officers: Officers, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, HERE)
    hashed = Hasher.hash

    async def meanwhile(self: Hasher, password: str) -> str:
        monkeypatch.undo()
        await security.accounts.reset_password(officers.sysadmin, person.account_no)
        return await hashed(self, password)

    monkeypatch.setattr(Hasher, "hash", meanwhile)
    with pytest.raises(ConflictError):
        await security.change_password(session.token, person.password, "Another-Horse-2")
    with pytest.raises(ForbiddenError):
        await security.sign_in("wang", "Another-Horse-2", HERE)


@pytest.mark.parametrize("change", ["reset", "closed"])
async def test_who_signs_in_while_the_account_is_reset_or_closed_gets_no_session(
    change: str, security: Security, make_person: MakePerson, officers: Officers, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    agrees = Hasher.verify

    async def meanwhile(self: Hasher, stored: str | None, password: str) -> bool:
        monkeypatch.undo()
        found = await agrees(self, stored, password)
        if change == "reset":
            await security.accounts.reset_password(officers.sysadmin, person.account_no)
        else:
            await security.accounts.set_disabled(officers.sysadmin, person.account_no, disabled=True)
        return found

    monkeypatch.setattr(Hasher, "verify", meanwhile)
    with pytest.raises(ForbiddenError):
        await security.sign_in("wang", person.password, HERE)
    async with database.connection() as connection:
        query = "select count(*) from session where account_no = $1 and ended_at is null"
        assert await connection.fetchval(query, person.account_no) == 0


@pytest.mark.parametrize("step", ["switch", "revoke", "sign out"])
async def test_a_step_of_a_session_that_cannot_be_audited_is_not_done(
    step: str, security: Security, ground: SecurityGround, make_person: MakePerson, database: Database
) -> None:
    person = await make_person("wang", TOWN_DOCTOR, NewMembership("county", 1, (420999000000,)))
    here, other = [await security.sign_in("wang", person.password, HERE) for _ in range(2)]
    office = (await security.memberships(here.token))[1].membership_no
    sessions = "select session_no, membership_no, ended_at from session order by session_no"
    async with database.connection() as connection:
        before = await connection.fetch(sessions)
    await ground.audit.close()  # type: ignore[attr-defined]
    steps = {
        "switch": lambda: security.switch_role(here.token, office),
        "revoke": lambda: security.sessions.revoke(here.token, other.session_no),
        "sign out": lambda: security.sign_out(here.token),
    }
    with pytest.raises(UnavailableError):
        await steps[step]()
    async with database.connection() as connection:
        assert await connection.fetch(sessions) == before


async def test_none_of_the_last_five_passwords_comes_back(security: Security, make_person: MakePerson, clock: SetClock) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, HERE)
    known = [person.password]
    for n in range(2, 6):
        clock.pass_(minutes=1)
        await security.change_password(session.token, known[-1], f"Correct-Horse-{n}")
        known.append(f"Correct-Horse-{n}")
        for used in known:
            with pytest.raises(IncorrectError):
                await security.change_password(session.token, known[-1], used)
    clock.pass_(minutes=1)
    await security.change_password(session.token, known[-1], "Correct-Horse-6")
    await security.change_password(session.token, "Correct-Horse-6", known[0])


async def test_a_second_factor_is_asked_before_any_scope(
    security: Security, make_person: MakePerson, clock: SetClock, officers: Officers
) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, HERE)
    enrolment = await security.second_factor.enrol(session.token)
    secret = base64.b32decode(enrolment.secret + "=" * (-len(enrolment.secret) % 8))
    assert enrolment.uri.startswith("otpauth://totp/Xinglin:wang?secret=")

    def code(step: int = 0) -> str:
        return totp(secret, int(clock.now().timestamp()) // 30 + step)

    with pytest.raises(IncorrectError):
        await security.second_factor.confirm(session.token, "000000" if code() != "000000" else "000001")
    await security.second_factor.confirm(session.token, code())
    with pytest.raises(ConflictError):
        await security.second_factor.enrol(session.token)

    waiting = await security.sign_in("wang", person.password, HERE)
    assert waiting.waits_for_code
    for locked in (security.scope_of, security.memberships, security.sessions.open_sessions, security.second_factor.enrol):
        with pytest.raises(ForbiddenError):
            await locked(waiting.token)
    with pytest.raises(ForbiddenError):
        await security.change_password(waiting.token, person.password, "Another-Horse-2")
    # A code serves once: the one that confirmed is over.
    with pytest.raises(IncorrectError):
        await security.second_factor.enter(waiting.token, code())
    clock.pass_(seconds=30)
    assert not (await security.second_factor.enter(waiting.token, code())).waits_for_code
    assert await security.scope_of(waiting.token)
    await security.accounts.remove_second_factor(officers.sysadmin, person.account_no)
    assert not (await security.sign_in("wang", person.password, HERE)).waits_for_code


async def test_guessing_codes_locks(security: Security, make_person: MakePerson, clock: SetClock) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    session = await security.sign_in("wang", person.password, HERE)
    enrolment = await security.second_factor.enrol(session.token)
    secret = base64.b32decode(enrolment.secret + "=" * (-len(enrolment.secret) % 8))
    right = totp(secret, int(clock.now().timestamp()) // 30)
    near = {totp(secret, int(clock.now().timestamp()) // 30 + step) for step in (-1, 0, 1)}
    wrong = next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in near)
    for _ in range(5):
        with pytest.raises(IncorrectError):
            await security.second_factor.confirm(session.token, wrong)
    with pytest.raises(BusyError):
        await security.second_factor.confirm(session.token, right)


async def test_a_form_token_belongs_to_its_session(security: Security, make_person: MakePerson) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    tokens = [(await security.sign_in("wang", person.password, HERE)).token for _ in range(2)]
    assert len({security.sessions.form_token(token) for token in tokens} | set(tokens)) == 4
    assert security.sessions.form_token(tokens[0]) == security.sessions.form_token(tokens[0])


async def test_known_passwords_stay_in_the_demonstration(ground: SecurityGround, security: Security) -> None:
    demonstration = Security(replace(ground, rules=SignInRules(demo=True)))
    account = DemoAccount("demo", "演示医生", "demo", TOWN_DOCTOR)
    with pytest.raises(ForbiddenError):
        await security.setup.add_demo_account(account)
    number = await demonstration.setup.add_demo_account(account)
    assert await demonstration.setup.add_demo_account(account) == number
    session = await demonstration.sign_in("demo", "demo", HERE)
    assert (await demonstration.scope_of(session.token)).role == "responsible_doctor"
    assert [card.login for card in await demonstration.demo_accounts()] == ["demo"] and await security.demo_accounts() == ()

    await demonstration.setup.refuse_demo_passwords()
    with pytest.raises(UnavailableError):
        await security.setup.refuse_demo_passwords()
    with pytest.raises(ForbiddenError):
        await security.sign_in("demo", "demo", HERE)
    assert await demonstration.setup.disable_demo_accounts() == 1
    await security.setup.refuse_demo_passwords()
    with pytest.raises(ForbiddenError):
        await demonstration.scope_of(session.token)


async def test_old_sessions_and_tries_are_forgotten(
    security: Security, make_person: MakePerson, clock: SetClock, database: Database
) -> None:
    person = await make_person("wang", TOWN_DOCTOR)
    await security.sign_in("wang", person.password, HERE)
    clock.pass_(days=181)
    kept = await security.sign_in("wang", PASSWORD, HERE)
    await security.sessions.forget_old()
    async with database.connection() as connection:
        assert await connection.fetchval("select array_agg(session_no) from session") == [kept.session_no]
        assert await connection.fetchval("select count(*) from sign_in_try") == 1
