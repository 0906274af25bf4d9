"""An erasure that is disturbed: by a kill, by what comes meanwhile, by names that changed, by a list that was cut off."""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from hashlib import sha256
from typing import Any

import fastexcel
import orjson
import pytest
import xlsxwriter

from tests.district import HIS, id_number, open_district, resident, scope_of, send
from xinglin.assembly import Platform
from xinglin.base.errors import UnavailableError, XinglinError
from xinglin.engines.erasure import erasure as room
from xinglin.engines.exchange import OWN_PAGES, Blobs, Entry, ImportOptions, Submission


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as opened:
        yield opened


async def ask(platform: Platform, query: str, *values: object) -> Any:
    async with platform.database.connection() as connection:
        return await connection.fetchval(query, *values)


async def person_of(platform: Platform, serial: int) -> int:
    return int(await ask(platform, "select person from resident where id_number = $1", id_number(serial)))


async def erase(platform: Platform, serial: int) -> room.Report:
    return await platform.erasure.erase(scope_of(platform, "steward"), await person_of(platform, serial), "本人申请")


async def original(platform: Platform, name: str) -> bytes:
    number = await ask(platform, "select message_no from message where message_id = $1", name)
    return await platform.exchange.ledger.content(number)


async def crowd(platform: Platform, serial: int, name: str) -> None:
    """Import a file too large for the table of messages in which a resident stands."""
    lines = [orjson.dumps(resident(n, f"钱测{n}", 420999101201, "E1")) for n in (*range(300, 500), serial)]
    await platform.importer.import_content(platform.security.system_scope(), (name, b"\n".join(lines)), ImportOptions(HIS))


async def test_an_erasure_that_could_not_rewrite_a_file_is_asked_for_again(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    await crowd(platform, 50, "crowd-50.ndjson")
    person = await person_of(platform, 50)

    def full(*_: object) -> None:
        raise UnavailableError("磁盘已满", "the disk is full")

    with monkeypatch.context() as patched, pytest.raises(UnavailableError):
        patched.setattr(Blobs, "replace", full)
        await erase(platform, 50)
    assert await person_of(platform, 50) == person, "nothing was erased by half"
    assert (await erase(platform, 50)).messages >= 1
    assert id_number(50).encode() not in await original(platform, "crowd-50.ndjson")
    assert await ask(platform, "select count(*) from audit where action = 'erase' and $1 = any(persons)", person) == 1


async def test_a_message_that_comes_during_the_erasure_is_rewritten_too(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    await send(platform, resident(51, "孙测甲", 420999101201, "E1"), message_id="51-first")
    looked = room.find_traces

    async def meanwhile(*arguments: Any) -> Any:
        traces = await looked(*arguments)
        await send(platform, resident(51, "孙测乙", 420999101201, "E1"), message_id="51-meanwhile")
        return traces

    monkeypatch.setattr(room, "find_traces", meanwhile)
    await erase(platform, 51)
    for name in ("51-first", "51-meanwhile"):
        assert b"\xe5\xad\x99\xe6\xb5\x8b" not in await original(platform, name)
    assert await ask(platform, "select count(*) from res where body like $1", b"%" + id_number(51).encode() + b"%") == 0
    assert await ask(platform, "select count(*) from hist where body like $1", b"%" + id_number(51).encode() + b"%") == 0


async def test_an_old_version_of_a_household_that_named_the_erased_goes(platform: Platform) -> None:
    await send(platform, resident(52, "周测", 420999101201, "E1"), resident(53, "吴测", 420999101201, "E1"))
    for members in ((52, "周测"), (53, "吴测")), ((53, "吴测"),):
        entities = [{"entity": {"reference": f"Patient/p{serial}", "display": name}} for serial, name in members]
        await send(platform, {"resourceType": "Group", "id": "home-52", "type": "person", "actual": True, "member": entities})
    assert await ask(platform, "select count(*) from hist where rtype = 'Group'") == 1
    report = await erase(platform, 52)
    assert report.shared == 0
    assert await ask(platform, "select count(*) from hist where rtype = 'Group'") == 0
    assert await ask(platform, "select count(*) from res where rtype = 'Group'") == 1


async def test_a_file_no_message_tells_of_goes_when_the_erased_stand_in_it(platform: Platform) -> None:
    await send(platform, resident(54, "郑测", 420999101201, "E1"))
    folder = platform.settings.data_dir / "blobs"
    blobs = Blobs(folder)
    theirs, others = (orjson.dumps(resident(serial, "郑测", 420999101201, "E1")) * 300 for serial in (54, 1))
    for content in (theirs, others):
        blobs.put(sha256(content).digest(), content)
        name = sha256(content).hexdigest()
        long_ago = time.time() - 7200
        os.utime(folder / name[:2] / name, (long_ago, long_ago))
    await erase(platform, 54)
    there = set(blobs.digests())
    assert sha256(theirs).digest() not in there and sha256(others).digest() in there


async def test_an_id_that_was_renamed_is_a_new_one_to_a_process_that_knew_it(platform: Platform) -> None:
    scope = platform.security.system_scope()

    async def save(name: str) -> Any:
        entry = Entry({**resident(55, name, 420999101201, "E1"), "id": "card-55"})
        content = name.encode()
        return await platform.exchange.submit(scope, Submission(OWN_PAGES, f"page {name}", content, [entry], kind="page"))

    await save("王测甲")
    await erase(platform, 55)
    receipt = await save("王测乙")
    assert receipt.outcomes[0].id == "card-55"
    assert "王测乙".encode() in (await platform.store.read(scope, "Patient", "card-55")).body


async def test_a_line_of_the_list_somebody_was_killed_in_is_cut_off(platform: Platform) -> None:
    log = platform.settings.data_dir / "erasures.log"
    with log.open("ab") as file:
        file.write(b'{"at":"2026-11-21T10:00:00+08:00","person":99,"pat')
    steward = scope_of(platform, "steward")
    assert await platform.erasure.again(steward) is not None
    await send(platform, resident(56, "冯测", 420999101201, "E1"), message_id="56")
    await erase(platform, 56)
    lines = [orjson.loads(line) for line in log.read_bytes().splitlines()]
    assert lines[-1]["reason"] == "本人申请" and 99 not in {line["person"] for line in lines}
    await send(platform, resident(56, "冯测", 420999101201, "E1"), message_id="56-again")
    assert [report.resources for report in await platform.erasure.again(steward) if report.resources] == [1]


def workbook(*cells: object) -> bytes:
    """Return a workbook with a name and one of the cells in each row; numbers as quantities."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["姓名", "身份证号"])
        for at, cell in enumerate(cells, 1):
            sheet.write(at, 0, f"行{at}")
            sheet.write_string(at, 1, cell) if isinstance(cell, str) else sheet.write_number(at, 1, cell)
    return out.getvalue()


def table(*cells: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["姓名", "身份证号"], *([f"行{at}", cell] for at, cell in enumerate(cells, 1))])
    return out.getvalue().encode()


async def test_a_number_a_spreadsheet_took_for_a_quantity_is_found_by_what_is_left_of_it(platform: Platform) -> None:
    serial = next(n for n in range(600, 700) if id_number(n)[15:17] != "00" and id_number(n).isdecimal())
    theirs = id_number(serial)
    twin = next(id_number(n) for n in range(serial // 100 * 100, serial // 100 * 100 + 100) if n != serial and id_number(n).isdecimal())
    assert twin[:15] == theirs[:15], "somebody else of the same village and birthday"
    typed = int(theirs[:15] + "000")
    sheets = {
        "typed.xlsx": workbook("李测", typed, twin, 12.5),
        "program.xlsx": workbook("李测", int(theirs), twin, 12.5),
        "saved.csv": table("李测", f"{theirs[0]}.{theirs[1:15]}E+17", twin, "12.5"),
        "shown.csv": table("李测", str(typed), twin, "12.5"),
    }
    await send(platform, resident(serial, "陈测", 420999101201, "E1"), message_id="quantity")
    for name, content in sheets.items():
        with suppress(XinglinError):
            await platform.upper.receive(scope_of(platform, "steward"), "hypertension-followup", (name, content))
    assert {name: await original(platform, name) for name in sheets} == sheets, "kept as they came"
    report = await erase(platform, serial)
    assert report.doubtful == len(sheets)
    for name in sheets:
        kept = await original(platform, name)
        rows = kept.decode() if name.endswith(".csv") else _text(kept)
        assert "行1" in rows and "行2" not in rows and "行3" in rows and twin in rows and "行4" in rows, name


def _text(content: bytes) -> str:
    columns = fastexcel.read_excel(content).load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_arrow().columns
    return "\n".join(str(value) for column in columns for value in column.to_pylist())
