"""The audit log: recorded when it returns, and any change, deletion or insertion shows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.unit.engines.security.conftest import Reopen, SetClock
from xinglin.base.database import Database
from xinglin.base.errors import ForbiddenError, IncorrectError, UnavailableError
from xinglin.engines.security import (
    Audit,
    AuditEntry,
    AuditQuery,
    ChainReport,
    Scope,
)

DAY = date(2026, 11, 21)


async def _record(audit: Audit, scope: Scope, count: int) -> None:
    await asyncio.gather(*(audit.record(AuditEntry(scope, "read", "Patient", rids=(n,), persons=(n, 1000 + n))) for n in range(count)))


async def _tamper(database: Database, statement: str) -> None:
    """Do what somebody who owns the database can do: switch the trigger off and write."""
    async with database.transaction() as connection:
        for table in ("audit", "audit_anchor"):
            await connection.execute(f"alter table {table} disable trigger user")
        await connection.execute(statement)
        for table in ("audit", "audit_anchor"):
            await connection.execute(f"alter table {table} enable trigger user")


async def test_what_returned_is_committed_in_order(audit: Audit, database: Database, doctor: Scope) -> None:
    await _record(audit, doctor, 300)
    async with database.connection() as connection:
        assert await connection.fetchval("select array_agg(n order by n) from audit") == list(range(1, 301))
        row = await connection.fetchrow("select * from audit where rids @> '{5}'")
    assert (row["account_no"], row["role"], row["purpose"], row["institution"]) == (7, "responsible_doctor", "care", 70)


async def test_an_untouched_log_is_sound(audit: Audit, doctor: Scope, auditor: Scope) -> None:
    await _record(audit, doctor, 20)
    await audit.anchor()
    report = await audit.verify(auditor, DAY)
    assert report.is_sound and report.rows == 21 and report.chains == 1 and report.anchors == 1


TAMPERINGS = {
    "an altered row": ("update audit set detail = 'nothing' where n = 5", {(5, "changed")}),
    "an altered subject": ("update audit set rids = '{}' where n = 5", {(5, "changed")}),
    "an altered time": ("update audit set at = at + interval '1 microsecond' where n = 5", {(5, "changed")}),
    "a row gone from the middle": ("delete from audit where n = 5", {(5, "missing")}),
    "two rows gone from the middle": ("delete from audit where n in (5, 6)", {(5, "missing")}),
    "the first row gone": ("delete from audit where n = 1", {(1, "missing")}),
    "the last rows gone": ("delete from audit where n >= 9", {(9, "missing")}),
    "a row added at the end": (
        "insert into audit select day, process, 99, at, account_no, role, purpose, institution, action, subject_type, rids, persons,"
        " outcome, detail, request_id, site, previous, hash from audit where n = 3",
        {(12, "missing"), (12, "inserted")},
    ),
    "a row added in the middle": (
        "update audit set n = -n - 1 where n >= 5; update audit set n = -n where n < 0;"
        " insert into audit select day, process, 5, at, account_no, role, purpose, institution, action, subject_type, rids, persons,"
        " outcome, detail, request_id, site, previous, hash from audit where n = 4",
        {(5, "changed")},
    ),
    "two rows exchanged": (
        "update audit set n = case n when 5 then -6 when 6 then -5 end where n in (5, 6); update audit set n = -n where n < 0",
        {(5, "changed")},
    ),
    "a chain under a writer of nobody's": ("update audit set process = 99", {(0, "inserted"), (1, "missing")}),
    "the whole day gone": ("delete from audit; delete from audit_head", {(1, "missing")}),
    "the last rows gone and the head set back": (
        "delete from audit where n >= 9; update audit_head set n = 8, hash = (select hash from audit where n = 8)",
        {(9, "missing")},
    ),
    "an altered anchor": ("update audit_anchor set heads = '[]' where n = 1", {(1, "anchor")}),
    "an anchor gone": ("delete from audit_anchor where n = 2", {(2, "anchor")}),
}


@pytest.mark.parametrize("what", TAMPERINGS)
async def test_tampering_shows(what: str, audit: Audit, reopen: Reopen, database: Database, doctor: Scope, auditor: Scope) -> None:
    statement, expected = TAMPERINGS[what]
    await _record(audit, doctor, 10)
    for _ in range(3):
        await audit.anchor()
    # The check itself adds row 11, which nobody anchored yet.
    assert (await audit.verify(auditor, DAY)).is_sound
    await _tamper(database, statement)
    report = await _verify_without_adding(reopen, auditor)
    assert not report.is_sound
    assert expected <= {(problem.n, problem.kind) for problem in report.problems}, report.problems


async def _verify_without_adding(reopen: Reopen, auditor: Scope) -> ChainReport:
    """Check from a second process, whose own entry stands in another chain."""
    other = await reopen()
    report = await other.verify(auditor, DAY)
    await other.close()
    return report


@pytest.mark.parametrize("statement", ["update audit set detail = 'x'", "delete from audit", "truncate audit", "delete from audit_anchor"])
async def test_the_table_itself_refuses_changes(statement: str, audit: Audit, database: Database, doctor: Scope) -> None:
    await _record(audit, doctor, 1)
    with pytest.raises(Exception, match="only grows"):
        async with database.connection() as connection:
            await connection.execute(statement)


async def test_processes_write_chains_of_their_own(audit: Audit, reopen: Reopen, doctor: Scope, auditor: Scope) -> None:
    second = await reopen()
    assert second.process != audit.process
    await asyncio.gather(_record(audit, doctor, 50), _record(second, doctor, 50))
    await second.close()
    report = await audit.verify(auditor, DAY)
    assert report.is_sound and report.chains == 2 and report.rows == 101


async def test_a_new_day_begins_a_new_chain(audit: Audit, clock: SetClock, doctor: Scope, auditor: Scope) -> None:
    await _record(audit, doctor, 3)
    clock.pass_(days=1)
    await _record(audit, doctor, 4)
    assert (await audit.verify(auditor, DAY)).rows == 3
    next_day = await audit.verify(auditor, DAY + timedelta(days=1))
    assert next_day.is_sound and next_day.rows == 6


async def test_a_full_queue_refuses(reopen: Reopen, audit: Audit, doctor: Scope, auditor: Scope) -> None:
    narrow = await reopen(queue_length=3)
    answers = await asyncio.gather(*(narrow.record(AuditEntry(doctor, "read")) for _ in range(10)), return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, UnavailableError)]
    assert len(refused) == 7 and answers.count(None) == 3
    await narrow.record(AuditEntry(doctor, "read"))
    await narrow.close()
    assert (await audit.verify(auditor, DAY)).rows == 4 + 1


async def test_a_closed_log_refuses(reopen: Reopen, doctor: Scope) -> None:
    other = await reopen()
    await other.record(AuditEntry(doctor, "read"))
    await other.close()
    with pytest.raises(UnavailableError):
        await other.record(AuditEntry(doctor, "read"))


@pytest.mark.parametrize("entry", [{"action": ""}, {"action": "read", "rids": ("7",)}, {"action": "read", "persons": (1 << 64,)}])
async def test_an_entry_that_cannot_be_stored_fails_alone(entry: dict[str, object], audit: Audit, doctor: Scope) -> None:
    good = audit.record(AuditEntry(doctor, "read"))
    with pytest.raises(IncorrectError):
        await audit.record(AuditEntry(doctor, **entry))  # type: ignore[arg-type]
    await good


async def test_odd_text_is_kept_in_a_form_the_database_holds(audit: Audit, doctor: Scope, auditor: Scope) -> None:
    await audit.record(AuditEntry(doctor, "read", detail="a\x00b\ud800" + "长" * 5000))
    page = await audit.search(auditor, AuditQuery(action="read"))
    assert page.entries[0].detail.startswith("a\ufffdb?") and len(page.entries[0].detail) == 2000
    assert (await audit.verify(auditor, DAY)).is_sound


async def test_under_the_chinese_suite_the_chain_is_sm3(reopen: Reopen, database: Database, doctor: Scope, auditor: Scope) -> None:
    chinese = await reopen(suite="sm")
    await _record(chinese, doctor, 5)
    await chinese.anchor()
    report = await chinese.verify(auditor, DAY)
    await chinese.close()
    async with database.connection() as connection:
        assert await connection.fetchval("select algorithm from audit_process") == "SM3"
    assert report.is_sound and report.rows == 6


async def test_an_auditor_finds_entries(audit: Audit, clock: SetClock, doctor: Scope, auditor: Scope) -> None:
    await _record(audit, doctor, 30)
    clock.pass_(hours=1)
    await audit.record(AuditEntry(doctor, "export", "Patient", persons=(5,), outcome="refused"))
    since = clock.now()

    async def count(**asked: object) -> int:
        return len((await audit.search(auditor, AuditQuery(**asked), limit=500)).entries)  # type: ignore[arg-type]

    assert await count(action="export") == 1
    assert await count(outcome="refused") == 1
    assert await count(person=5, action="read") == 1
    assert await count(rid=5, subject_type="Patient") == 1
    assert await count(account_no=7) == 31
    assert await count(account_no=7, since=since) == 1
    assert await count(account_no=7, until=since) == 30
    # Looking is itself recorded.
    assert await count(account_no=9, action="search") == 8


async def test_pages_follow_each_other_without_gap(audit: Audit, doctor: Scope, auditor: Scope) -> None:
    await _record(audit, doctor, 25)
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = await audit.search(auditor, AuditQuery(action="read"), cursor=cursor, limit=10)
        seen += [entry.n for entry in page.entries]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == list(range(25, 0, -1))
    numbered = await audit.search(auditor, AuditQuery(action="read"), limit=10, skip=20)
    assert [entry.n for entry in numbered.entries] == [5, 4, 3, 2, 1] and numbered.next_cursor is None
    with pytest.raises(IncorrectError):
        await audit.search(auditor, AuditQuery(), skip=-1)
    with pytest.raises(IncorrectError):
        await audit.search(auditor, AuditQuery(), cursor="nonsense")
    with pytest.raises(IncorrectError):
        await audit.search(auditor, AuditQuery(), limit=0)


async def test_the_whole_result_is_exported(audit: Audit, doctor: Scope, auditor: Scope) -> None:
    await _record(audit, doctor, 600)
    exported = [entry.n async for entry in audit.export(auditor, AuditQuery(action="read"))]
    assert exported == list(range(600, 0, -1))


async def test_only_an_auditor_reads_the_log(audit: Audit, doctor: Scope, auditor: Scope) -> None:
    looks: list[Callable[[Scope], Awaitable[object]]] = [
        lambda scope: audit.search(scope, AuditQuery()),
        lambda scope: audit.verify(scope, DAY),
        lambda scope: anext(audit.export(scope, AuditQuery())),  # type: ignore[arg-type]
    ]
    for look in looks:
        await look(auditor)
        with pytest.raises(ForbiddenError):
            await look(doctor)


async def test_anchors_also_go_to_a_file(audit: Audit, doctor: Scope, tmp_path: Path, clock: SetClock) -> None:
    await _record(audit, doctor, 2)
    first = await audit.anchor()
    assert first is not None and first.n == 1
    assert await audit.anchor(least_age_s=30) is None
    clock.pass_(seconds=31)
    assert (await audit.anchor(least_age_s=30)) is not None
    lines = (tmp_path / "anchors.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["1", "2"] and lines[0].endswith(first.hash.hex())


async def test_setting_the_whole_log_back_shows_against_shipped_anchors(
    audit: Audit, reopen: Reopen, database: Database, doctor: Scope, auditor: Scope, tmp_path: Path
) -> None:
    for _ in range(2):
        await _record(audit, doctor, 5)
        await audit.anchor()
    shipped = (tmp_path / "anchors.txt").read_text().splitlines()
    assert (await audit.verify(auditor, DAY, shipped=shipped)).is_sound
    # What a restored older copy of the database looks like: everything after the first anchor is gone, without a seam.
    await _tamper(
        database,
        "delete from audit where n > 5; delete from audit_anchor where n > 1;"
        " update audit_head set n = 5, hash = (select hash from audit where n = 5)",
    )
    other = await reopen()
    assert (await other.verify(auditor, DAY)).is_sound
    report = await other.verify(auditor, DAY, shipped=shipped)
    assert [(problem.n, problem.kind) for problem in report.problems] == [(2, "anchor")]
    with pytest.raises(IncorrectError, match="line 1"):
        await other.verify(auditor, DAY, shipped=["nonsense"])
    await other.close()


async def test_entries_go_on_after_the_connection_was_cut(audit: Audit, database: Database, doctor: Scope, auditor: Scope) -> None:
    await _record(audit, doctor, 3)
    async with database.connection() as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'xinglin'"
        )
    told = 0
    while told < 5:
        try:
            await audit.record(AuditEntry(doctor, "read"))
            told += 1
        except UnavailableError:
            await asyncio.sleep(0.05)
    report = await audit.verify(auditor, DAY)
    assert report.is_sound and report.rows == 3 + 5 + 1


async def _told(database: Database) -> list[int]:
    async with database.connection() as connection:
        return list(
            await connection.fetchval("select coalesce(array_agg(rids[1] order by rids[1]), '{}') from audit where action = 'write'")
        )


async def _promise(audit: Audit, database: Database, scope: Scope, rid: int) -> AuditEntry:
    async with database.transaction() as connection:
        return await audit.promise(
            connection, AuditEntry(scope, "write", "resident", rids=(rid,), persons=(9,), detail="new-record", request_id="r")
        )


async def test_a_promise_of_a_process_that_died_is_kept_once_by_whoever_finds_it(
    audit: Audit, reopen: Reopen, database: Database, doctor: Scope, auditor: Scope
) -> None:
    kept = await _promise(audit, database, doctor, 1)
    await _promise(audit, database, doctor, 2)  # and then the process dies
    await audit.record(kept)
    assert await _told(database) == [1]
    assert await audit.keep_promises() == 0, "a young promise may still be kept by who made it"
    async with database.connection() as connection:
        await connection.execute("update audit_owed set at = at - interval '1 hour'")
    other = await reopen()
    await asyncio.gather(audit.keep_promises(), other.keep_promises())
    assert await _told(database) == [1, 2]
    async with database.connection() as connection:
        row = await connection.fetchrow("select * from audit where action = 'write' and rids = '{2}'")
        mine = await connection.fetchrow("select at, recorded_at from audit where action = 'write' and rids = '{1}'")
        assert await connection.fetchval("select count(*) from audit_owed") == 0
    assert (row["account_no"], row["role"], row["purpose"], row["institution"]) == (7, "responsible_doctor", "care", 70)
    assert (row["subject_type"], list(row["persons"]), row["detail"], row["request_id"], row["outcome"]) == (
        "resident", [9], "new-record", "r", "done",
    )  # fmt: skip
    assert row["recorded_at"] is not None and mine["recorded_at"] is None
    assert (await audit.verify(auditor, DAY)).is_sound


async def test_a_promise_kept_later_says_when_it_was_made_and_when_it_was_recorded(
    audit: Audit, reopen: Reopen, database: Database, clock: SetClock, doctor: Scope, auditor: Scope
) -> None:
    promised_at = clock.now()
    lived = await _promise(audit, database, doctor, 1)
    await audit.record(lived)
    await _promise(audit, database, doctor, 2)  # and then the process dies
    clock.pass_(hours=30)
    await audit.record(AuditEntry(doctor, "read", rids=(3,)))
    async with database.connection() as connection:
        await connection.execute("update audit_owed set at = at - interval '1 hour'")
    other = await reopen()
    assert await other.keep_promises() == 1
    found = (await audit.search(auditor, AuditQuery(action="write"))).entries
    assert [(one.rids, one.at, one.recorded_at, one.day) for one in found] == [
        ((2,), promised_at, clock.now(), clock.today()),
        ((1,), promised_at, None, DAY),
    ]
    within = AuditQuery(action="write", since=promised_at, until=promised_at + timedelta(seconds=1))
    assert [one.rids for one in (await audit.search(auditor, within)).entries] == [(2,), (1,)]
    assert (await audit.verify(auditor, DAY)).is_sound and (await audit.verify(auditor, clock.today())).is_sound
    await _tamper(database, "update audit set recorded_at = at where rids = '{2}'")
    assert {one.kind for one in (await audit.verify(auditor, clock.today())).problems} == {"changed"}


async def test_a_promise_of_what_was_rolled_back_is_none(audit: Audit, database: Database, doctor: Scope) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as connection:
            await audit.promise(connection, AuditEntry(doctor, "write", "resident", rids=(1,)))
            raise ZeroDivisionError
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from audit_owed") == 0


async def test_a_promise_recorded_twice_stands_once(audit: Audit, database: Database, doctor: Scope) -> None:
    entry = await _promise(audit, database, doctor, 3)
    await asyncio.gather(audit.record(entry), audit.record(entry), audit.record(AuditEntry(doctor, "write", rids=(4,))))
    await audit.record(entry)
    assert await _told(database) == [3, 4]
