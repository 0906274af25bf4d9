"""Whoever is erased is in no file of the data folder any more; everybody else is as before."""

from __future__ import annotations

import gzip
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.district import HIS, followup, id_number, open_district, resident, scope_of, send
from xinglin.assembly import Platform, make_lake
from xinglin.base.database import migrate
from xinglin.base.errors import ForbiddenError, IncorrectError, NotFoundError
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.engines.exchange import ImportOptions, State

pytestmark = pytest.mark.fault
NAME, PHONE, SERIAL = "欧阳测一", "13699990077", 77
NEEDLES = (NAME.encode(), id_number(SERIAL).encode(), PHONE.encode())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    os.chmod(tmp_path, 0o711)
    embedded = EmbeddedPostgres(open_data_folder(tmp_path / "data"))
    migrate(embedded.start())
    yield embedded
    embedded.stop()


@pytest.fixture
async def platform(server: EmbeddedPostgres) -> AsyncIterator[Platform]:
    async with open_district(server.url, server.data_dir) as opened:
        yield opened


def somebody(**more: Any) -> dict[str, Any]:
    """Return the source record of the person to be erased."""
    return resident(SERIAL, NAME, 420999101201, "E1", **more) | {"telecom": [{"system": "phone", "value": PHONE}]}


async def fill(platform: Platform) -> None:
    """Let the person stand everywhere: two sources, versions, a household, bundles, a large file, quarantine, results, the lake."""
    scope = platform.security.system_scope()
    await send(platform, somebody(), *followup(SERIAL, "2026-11-12", (150, 90)), message_id="first")
    await send(platform, somebody(gender="male"), message_id="second")
    members = [{"entity": {"reference": f"Patient/p{n}", "display": name}} for n, name in ((1, "李测一"), (SERIAL, NAME))]
    await send(
        platform, {"resourceType": "Group", "id": "home", "type": "person", "actual": True, "member": members}, message_id="household"
    )
    crowd = [resident(n, f"钱测{n}", 420999101201, "E1") for n in range(300, 500)]
    lines = b"\n".join(orjson.dumps(one) for one in [*crowd[:100], somebody(gender="male"), *crowd[100:]])
    assert len(lines) > 64 * 1024, "large enough for a file of its own"
    await platform.importer.import_content(scope, ("crowd.ndjson", lines), ImportOptions(HIS))
    await platform.importer.import_content(scope, ("packed.ndjson.gz", gzip.compress(lines)), ImportOptions(HIS))
    wrong = {**somebody(), "id": "p-wrong", "birthDate": "1960-02-31"}
    assert (await send(platform, wrong, message_id="damaged")).state is State.QUARANTINED
    await refresh(platform)
    await platform.rules.evaluate_person(await person_of(platform), platform.clock.today())


async def refresh(platform: Platform) -> None:
    lake = make_lake(platform.settings, platform)
    try:
        await lake.refresh()
        await lake.tidy()
    finally:
        await lake.stop()


async def person_of(platform: Platform) -> int:
    return int(await ask(platform, "select person from resident where id_number = $1", id_number(SERIAL)))


async def ask(platform: Platform, query: str, *values: object) -> Any:
    async with platform.database.connection() as connection:
        return await connection.fetchval(query, *values)


def found_in(server: EmbeddedPostgres) -> dict[str, list[str]]:
    """Return file → which of the needles stand in it, of the data folder and of the cluster where it stands elsewhere."""
    found = {}
    for folder in {server.data_dir, server.cluster}:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                try:
                    content = path.read_bytes()
                except FileNotFoundError:  # the server at work removes files of its own
                    continue
                content += gzip.decompress(content) if content[:2] == b"\x1f\x8b" else b""
                hits = [needle.decode() for needle in NEEDLES if needle in content]
                if hits:
                    found[path.name] = hits
    return found


async def test_nothing_of_an_erased_person_stays_in_any_file(platform: Platform, server: EmbeddedPostgres) -> None:
    await fill(platform)
    assert found_in(server), "the person stands in files before"
    person = await person_of(platform)
    others = "select md5(string_agg(md5(body), '' order by rid)) from res where rtype <> 'Group' and pat is not null and not pat = any(select patient from person_link where person = $1)"
    before = await ask(platform, others, person), await ask(platform, "select count(*) from resident")
    steward = scope_of(platform, "steward")
    with pytest.raises(ForbiddenError):
        await platform.erasure.erase(scope_of(platform, "county"), person, "本人申请")
    with pytest.raises(IncorrectError):
        await platform.erasure.erase(steward, person, " ")

    report = await platform.erasure.erase(steward, person, "本人申请")
    assert report.resources >= 3 and report.shared == 1 and report.messages >= 4 and report.mentions == ()
    await refresh(platform)
    assert await platform.erasure.compact(), "the embedded server's log is ours to clear"
    assert found_in(server) == {}

    assert (await ask(platform, others, person), await ask(platform, "select count(*) from resident")) == (before[0], before[1] - 1)
    household = orjson.loads(await ask(platform, "select body from res where rtype = 'Group'"))
    assert [one["entity"]["display"] for one in household["member"]] == ["李测一"]
    with pytest.raises(NotFoundError):
        await platform.erasure.erase(steward, person, "本人申请")
    [noted] = map(orjson.loads, (server.data_dir / "erasures.log").read_bytes().splitlines())
    assert (noted["person"], noted["reason"]) == (person, "本人申请"), "that it was done is kept, and nothing of whom"


async def test_the_same_message_again_brings_nobody_back_and_a_restored_backup_is_cleaned_again(platform: Platform) -> None:
    await fill(platform)
    person, steward = await person_of(platform), scope_of(platform, "steward")
    await platform.erasure.erase(steward, person, "本人申请")
    head = await ask(platform, "select max(seq) from feed")
    again = await send(platform, somebody(), *followup(SERIAL, "2026-11-12", (150, 90)), message_id="first")
    assert again.repeated and await ask(platform, "select max(seq) from feed") == head
    assert await platform.erasure.again(steward) == [], "nothing came back"

    await send(platform, somebody(), message_id="as-a-restored-backup-would")
    assert await ask(platform, "select count(*) from resident where id_number = $1", id_number(SERIAL)) == 1
    (report,) = await platform.erasure.again(steward)
    assert report.resources == 1
    assert await ask(platform, "select count(*) from resident where id_number = $1", id_number(SERIAL)) == 0
