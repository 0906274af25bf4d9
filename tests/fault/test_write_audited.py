"""What a person wrote is in the audit log even when the process dies between the commit and the log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.district import open_district, resident, scope_of
from xinglin.assembly import Platform
from xinglin.base.errors import UnavailableError
from xinglin.engines.exchange import OWN_PAGES, Entry, Exchange, Note, Rooms, State, Submission
from xinglin.engines.security import Audit, AuditEntry

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as found:
        yield found


@dataclass(frozen=True)
class Dying:
    """An audit log that never gets to write after the commit, as when the process is killed there."""

    audit: Audit

    async def promise(self, connection: Any, entry: AuditEntry) -> AuditEntry:
        return await self.audit.promise(connection, entry)

    async def record(self, entry: AuditEntry) -> None:
        raise UnavailableError("没有了", "gone")


async def written(platform: Platform, message_no: int) -> list[str]:
    async with platform.database.connection() as connection:
        rows = await connection.fetch(
            "select outcome, rids from audit where action = 'write' and detail like $1", f"message {message_no}: %"
        )
    return [f"{row['outcome']} {len(row['rids'])}" for row in rows]


@pytest.mark.parametrize(("gender", "state", "told"), [("female", State.STORED, "done 1"), ("女", State.QUARANTINED, "refused 0")])
async def test_a_write_whose_process_dies_after_the_commit_is_audited_later(
    platform: Platform, gender: str, state: State, told: str
) -> None:
    rooms = Rooms(platform.database, platform.store, platform.residents, platform.register, audit=Dying(platform.audit))
    own = f"00000000-0000-4000-8000-0000000000{len(gender):02d}"
    entry = Entry({**resident(40 + len(gender), "孙测", 420999101201, "E1"), "id": own, "gender": gender})
    message = Submission(OWN_PAGES, f"page-{gender}", gender.encode(), [entry], kind="page")
    doctor = scope_of(platform, "responsible_doctor")
    receipt = await Exchange(rooms, platform.exchange.ledger).submit(doctor, message, note=Note("resident", "new-record"))
    assert receipt.state is state and await written(platform, receipt.message_no) == []
    async with platform.database.connection() as connection:
        await connection.execute("update audit_owed set at = at - interval '1 hour'")
    await platform.audit.keep_promises()  # or the loop of the log itself did, in this very moment
    assert await written(platform, receipt.message_no) == [told]
    assert await platform.audit.keep_promises() == 0


async def test_a_write_that_lives_is_audited_when_it_is_answered(platform: Platform) -> None:
    entry = Entry({**resident(45, "孙测", 420999101201, "E1"), "id": "00000000-0000-4000-8000-000000000045"})
    message = Submission(OWN_PAGES, "page-lives", b"lives", [entry], kind="page")
    receipt = await platform.exchange.submit(scope_of(platform, "responsible_doctor"), message, note=Note("resident", "new-record"))
    assert await written(platform, receipt.message_no) == ["done 1"]
    async with platform.database.connection() as connection:
        assert await connection.fetchval("select count(*) from audit_owed") == 0
