"""Lines prepared by other processes: the record is the one this process alone would have made, whatever becomes of the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from multiprocessing import Pipe
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any

import orjson
import pytest

from tests.district import EAST, HIS, followup, open_district, organization, resident
from tests.fault.installation import run, until
from xinglin.assembly import Platform
from xinglin.base.database import migrate
from xinglin.base.places import open_data_folder
from xinglin.base.postgres import EmbeddedPostgres
from xinglin.engines.exchange import Beside, Importer, ImportOptions, Receipt, Rooms, prepare_for
from xinglin.preparing import prepare_lines

pytestmark = pytest.mark.fault
RESIDENTS = 900


@pytest.fixture
def databases(server: EmbeddedPostgres) -> Iterator[list[str]]:
    """Two fresh databases."""
    names = ["beside_alone", "beside_helped"]
    urls = [server.create_database(name) for name in names]
    for url in urls:
        migrate(url)
    yield urls
    for name in names:
        server.drop_database(name)


def sent() -> bytes:
    """Return residents with visits, an institution in their middle whose code the following name, and lines nobody can store."""
    lines: list[bytes] = []
    for number in range(100, 100 + RESIDENTS):
        keeper = "E1" if number < 100 + RESIDENTS // 2 else "T9"
        if number == 100 + RESIDENTS // 2:
            lines.append(orjson.dumps(organization("T9", "C220", "新院", EAST[0]), option=orjson.OPT_INDENT_2).replace(b"\n", b" "))
        lines.append(orjson.dumps(resident(number, f"周测{number}", 420999101201, keeper)))
        lines.extend(orjson.dumps(one) for one in followup(number, "2026-11-12", (140, 88)))
    lines[700] = b'{"resourceType":"Patient","id":"cut'
    lines[1400] = orjson.dumps(resident(1, "周测", 420999101201, "E1") | {"id": "feb", "birthDate": "1960-02-31"})
    lines[1500] = orjson.dumps(resident(2, "周测", 420999101201, "E1") | {"id": "x" * 65, "multipleBirthInteger": "no"})
    lines[1600] = lines[1599]
    lines[1700] = orjson.dumps({"resourceType": "Patient"})
    return b"\n".join(lines)


def rooms_of(platform: Platform) -> Rooms:
    """Return what an importer of this platform hands things on to."""
    return Rooms(platform.database, platform.store, platform.residents, platform.register, platform.terminology.current_value_sets)


async def take(platform: Platform, beside: Beside | None, name: str = "many.ndjson") -> Receipt:
    importer = Importer(platform.exchange, rooms_of(platform), beside)
    return await importer.import_content(platform.security.system_scope(), (name, sent()), ImportOptions(HIS))


async def record_of(platform: Platform) -> list[Any]:
    """Return all that an import leaves behind, in words that are the same in two databases."""
    queries = (
        "select rtype, id, ver, digest, tok, dt, dt_end, source_no, others is null from res order by 1, 2",
        """select rtype, id, regexp_replace(convert_from(body, 'UTF8'), '"lastUpdated":"[^"]*"', '') from res order by 1, 2""",
        "select p.rtype, p.id, r.rtype, r.id from res r left join ident p on p.rid = r.pat order by 3, 4",
        "select i.rtype, i.id, x.param, x.value from idx_string x join ident i using (rid) order by 1, 2, 3, 4",
        "select i.rtype, i.id, x.param, x.low, x.high, x.unit from idx_number x join ident i using (rid) order by 1, 2, 3, 4, 5, 6",
        "select message_id, state, entries, stored, unchanged, rejected, done_lines from message order by 1",
        "select entry_no, reason, problems::text, body from quarantine order by 1",
        "select i.id, t.rtype, sum(t.stored), max(t.last_event) from message_tally t left join ident i on i.rid = t.institution group by 1, 2 order by 1, 2",
        "select count(*), count(distinct person) from person_link where to_seq is null",
        "select area, count(*) from person_scope where to_seq is null group by 1 order by 1",
    )
    async with platform.database.connection() as connection:
        return [[tuple(row) for row in await connection.fetch(query)] for query in queries]


async def test_the_record_is_the_same_as_without_them(databases: list[str], tmp_path: Path) -> None:
    found = []
    for url in databases:
        async with open_district(url, tmp_path) as platform:
            beside = Beside(partial(prepare_lines, platform.settings), 2, large=1) if url == databases[1] else None
            if beside is not None:
                await beside.up()
            receipt = await take(platform, beside)
            if beside is not None:
                assert beside.answered > 2
                await beside.close()
            problems = sorted((one.entry_no, one.reason, one.path) for one in receipt.problems)
            found.append((receipt.state, receipt.stored, receipt.rejected, problems, *await record_of(platform)))
    alone, helped = found
    assert alone[1] > 3 * RESIDENTS - 10 and alone[2] == len({number for number, _, _ in alone[3]}) > 3
    for mine, theirs in zip(alone, helped, strict=True):
        assert mine == theirs


async def test_one_that_is_killed_in_the_middle_costs_nothing(database_url: str, tmp_path: Path) -> None:
    async with open_district(database_url, tmp_path) as platform:
        beside = Beside(partial(prepare_lines, platform.settings), 2, large=1)
        await beside.up()
        taking = asyncio.create_task(take(platform, beside))
        while not beside.answered:
            await asyncio.sleep(0.01)
        assert not taking.done()
        for pid in _prepare_for(os.getpid()):
            os.kill(pid, signal.SIGKILL)
        receipt = await taking
        again = await take(platform, beside)
        await beside.close()
        assert receipt.stored > 3 * RESIDENTS - 10 and again.repeated
        async with platform.database.connection() as connection:
            counted = await connection.fetchrow("select stored + rejected as done, entries, done_lines from message where kind = 'ndjson'")
        assert counted["done"] == counted["entries"] and counted["done_lines"] == sent().count(b"\n") + 1
        assert not _prepare_for(os.getpid())


async def test_an_import_that_is_given_up_leaves_no_process_and_goes_on_later(database_url: str, tmp_path: Path) -> None:
    async with open_district(database_url, tmp_path) as platform:
        beside = Beside(partial(prepare_lines, platform.settings), 2, large=1)
        await beside.up()
        renamed = asyncio.create_task(
            Importer(platform.exchange, rooms_of(platform), beside).import_content(
                platform.security.system_scope(), ("given-up.ndjson", sent()), ImportOptions(HIS)
            )
        )
        while not beside.answered:
            await asyncio.sleep(0.01)
        renamed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await renamed
        receipt = await Importer(platform.exchange, rooms_of(platform), beside).import_content(
            platform.security.system_scope(), ("given-up.ndjson", sent()), ImportOptions(HIS)
        )
        await beside.close()
        assert receipt.stored + receipt.unchanged + receipt.rejected == sent().count(b"\n") + 1
        assert not _prepare_for(os.getpid())


async def test_it_ends_when_the_other_side_is_gone_or_silent(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_district(database_url, tmp_path) as platform:
        ours, theirs = Pipe()
        working = asyncio.create_task(prepare_for(platform.exchange, theirs))
        assert await asyncio.to_thread(ours.recv_bytes)
        ours.close()
        await asyncio.wait_for(working, 120)
        monkeypatch.setattr("xinglin.engines.exchange.beside.IDLE_S", 0.1)
        ours, theirs = Pipe()
        await asyncio.wait_for(prepare_for(platform.exchange, theirs), 120)
        ours.close()


async def test_where_none_can_be_started_the_writer_does_all(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def refuse(*_: object, **__: object) -> None:
        tried.append(1)
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("xinglin.engines.exchange.beside.Popen", refuse)
    async with open_district(database_url, tmp_path) as platform:
        beside = Beside(partial(prepare_lines, platform.settings), 2, large=1)
        receipt = await take(platform, beside, "alone.ndjson")
        await beside.close()
        assert receipt.stored + receipt.unchanged > 3 * RESIDENTS - 10 and not receipt.repeated and not beside.answered
        assert 1 <= len(tried) <= 2, "each once, not with every chunk"


async def test_one_that_does_not_come_up_is_not_tried_with_every_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []

    def cut(command: list[str], **more: Any) -> Popen[bytes]:
        started.append(1)
        return Popen([sys.executable, "-c", "raise SystemExit(3)"], **more)

    async def here(*_: object) -> str:
        await asyncio.gather(*(hand.come_up() for hand in beside._hands))
        return "here"

    monkeypatch.setattr("xinglin.engines.exchange.beside.Popen", cut)
    monkeypatch.setattr("xinglin.engines.exchange.beside.work_on", here)
    beside = Beside(print, 2, large=1)
    order: Any = None
    assert {await beside.prepare(order, order) for _ in range(6)} == {"here"}
    await beside.close()
    # The queue hands out the one that came back last, so only one is tried at all.
    assert len(started) == 1


async def test_the_folder_it_is_run_in_gives_them_no_programs(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "csv.py").write_text("raise SystemExit(1)", encoding="utf-8")
    monkeypatch.chdir(files)
    async with open_district(database_url, tmp_path) as platform:
        beside = Beside(partial(prepare_lines, platform.settings), 1, large=1)
        await beside.up()
        await take(platform, beside, "elsewhere.ndjson")
        await beside.close()
        assert beside.answered


def test_killing_the_import_ends_them_too_and_a_second_try_goes_on(tmp_path: Path) -> None:
    if not Path("/proc").is_dir():
        pytest.skip("needs /proc to look for processes")
    data, folder = open_data_folder(tmp_path / "data"), tmp_path / "files"
    folder.mkdir()
    line = {"resourceType": "Basic", "code": {"text": "x" * 900}}
    lines = [orjson.dumps({**line, "id": f"b{number}"}) for number in range(9000)]
    (folder / "large.ndjson").write_bytes(b"\n".join(lines))
    server = EmbeddedPostgres(data)
    try:
        command = [sys.executable, "-m", "xinglin", "import", str(folder), "--source", "beside"]
        importing = Popen(command, env={**os.environ, "XINGLIN_DATA": str(data)}, cwd="/", stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        until(lambda: bool(_prepare_for(importing.pid)) or importing.poll() is not None)
        helpers = _prepare_for(importing.pid)
        assert helpers, "the import of a large file starts processes of its own"
        importing.kill()
        importing.wait()
        until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and _is_beside(pid) for pid in helpers))
        again = run(data, "import", str(folder), "--source", "beside")
        assert again.returncode == 0, again.stdout + again.stderr
        assert "9,000" in again.stdout or "9000" in again.stdout
    finally:
        server.stop()


def _prepare_for(parent: int) -> list[int]:
    """Return the processes an import started to prepare lines."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent and _is_beside(int(stat.parent.name)):
            found.append(int(stat.parent.name))
    return found


def _is_beside(pid: int) -> bool:
    try:
        return b"exchange.beside" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
