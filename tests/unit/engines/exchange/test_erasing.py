"""What an erasure leaves of originals of every kind: others' rows stay, the erased stand in none, packed or not."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import fastexcel
import orjson
import pytest
import xlsxwriter

from tests.district import HIS, id_number, open_district, resident, scope_of, send
from xinglin.assembly import Platform
from xinglin.base.errors import XinglinError
from xinglin.engines.exchange import ImportOptions

SERIAL = next(number for number in range(600, 700) if id_number(number).endswith("X"))
THEIRS, OTHERS = id_number(SERIAL), id_number(1)
TITLES = ("姓名", "身份证号", "随访日期", "血压(mmHg)")
ROWS = (
    ("李测一", OTHERS, "2026-11-10", "136/84"),
    ("尤删一", THEIRS, "2026-11-10", "150/90"),
    ("赵测五", id_number(5), "2026-11-11", "128/78"),
)


def workbook(*rows: tuple[str, ...], more: str = "") -> bytes:
    """Return a workbook whose second sheet is empty, as Excel makes them. more: a note at the first cell."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for at, row in enumerate((TITLES, *rows)):
            page.write_row(at, 0, row)
        if more:
            page.write_comment(0, 0, more)
        book.add_worksheet()
    return out.getvalue()


def table(number: str = THEIRS, mark: str = ",") -> str:
    """Return the rows as text; the erased one's holds a note of two lines."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=mark).writerows([TITLES, ROWS[0], ("尤删一", number, "2026-11-10", "150/90\n尤删一说头晕"), ROWS[2]])
    return out.getvalue()


def packed(**parts: bytes) -> bytes:
    """Return a ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in parts.items():
            package.writestr(name, part)
    return out.getvalue()


LINES = b"\n".join(orjson.dumps(resident(n, name, 420999101201, "E1")) for n, name in ((1, "李测一"), (SERIAL, "尤删一"), (3, "李测三")))
# Name of the file → its bytes; those that begin with "upper" come through the page of the upper platform.
ROWS_GO = {
    "upper-new.xlsx": workbook(*ROWS),
    "upper-small-x.xlsx": workbook(ROWS[0], ("尤删一", f" {THEIRS[:6]} {THEIRS[6:].lower()}", *ROWS[1][2:]), ROWS[2]),
    "upper-full-width.csv": table("".join(chr(ord(one) + 0xFEE0) for one in THEIRS)).encode(),
    "upper-gb18030.csv": table().encode("gb18030"),
    "upper-tabs.txt": table(mark="\t").encode(),
    "wrong-door.xlsx": workbook(*ROWS),
    "lines.ndjson.gz": gzip.compress(LINES),
}
EMPTIED = {
    "upper-utf-16.csv": table().encode("utf-16"),
    "upper-page.xls": f"<html><table><tr><td>{THEIRS}</td><td>尤删一</td></tr></table>".encode(),
    "archive.zip": packed(**{"表.xlsx": workbook(*ROWS)}),
    "packed-lines.zip": packed(**{"lines.ndjson.gz": gzip.compress(LINES)}),
    "cut-off.ndjson.gz": gzip.compress(LINES + bytes(range(256)) * 999)[:-300],
    "upper-cut-off.xlsx": workbook(*ROWS)[:-200],
    "letter.pdf": b"%PDF-1.7 nobody can tell who stands here",
    "upper-locked.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 nor here",
    "cut-off.json": LINES[: LINES.index("尤删一".encode()) + 400].replace(b"\n", b","),
}
UNTOUCHED = {
    "upper-others.xlsx": workbook(ROWS[0], ROWS[2]),
    "upper-others.csv": table(id_number(4)).encode(),
    "others.zip": packed(**{"lines.ndjson": LINES.split(b"\n")[0]}),
    "notes.json": b"just words",
}


@pytest.fixture(scope="module")
async def originals(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, bytes]]:
    """Yield what the ledger holds of each file after somebody who stands in most of them was erased."""
    folder = tmp_path_factory.mktemp("district")
    async with open_district(database_url, folder) as platform:
        await send(platform, resident(SERIAL, "尤删一", 420999101201, "E1"), message_id="theirs")
        office, house = scope_of(platform, "steward"), platform.security.system_scope()
        sent = ROWS_GO | EMPTIED | UNTOUCHED | {"upper-note.xlsx": workbook(ROWS[0], more=f"与 {THEIRS} 同住")}
        for name, content in sent.items():
            with suppress(XinglinError):
                if name.startswith("upper"):
                    await platform.upper.receive(office, "hypertension-followup", (name, content))
                else:
                    await platform.importer.import_content(house, (name, content), ImportOptions(HIS))
        before = {name: await original(platform, name) for name in sent}
        assert before == sent, "the ledger keeps each as it came"
        async with platform.database.connection() as connection:
            person = await connection.fetchval("select person from resident where id_number = $1", THEIRS)
        await platform.erasure.erase(scope_of(platform, "steward"), person, "本人申请")
        yield {name: await original(platform, name) for name in sent}


async def original(platform: Platform, name: str) -> bytes:
    async with platform.database.connection() as connection:
        number = await connection.fetchval("select message_no from message where message_id = $1", name)
    return await platform.exchange.ledger.content(number)


def texts(content: bytes) -> str:
    """Return everything in a file as text: of a workbook all its parts, of gzip what it holds."""
    if content[:2] == b"\x1f\x8b":
        return gzip.decompress(content).decode()
    if content[:2] != b"PK":
        return content.decode("gb18030") if b"\xd0\xd5" in content[:20] else content.decode()
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        return "\n".join(package.read(name).decode("utf-8", "replace") for name in package.namelist())


@pytest.mark.parametrize("name", ROWS_GO)
def test_only_the_rows_of_the_erased_go(originals: dict[str, bytes], name: str) -> None:
    text = texts(originals[name])
    assert "李测一" in text and OTHERS in text and ("赵测五" in text or "李测三" in text)
    assert "尤删一" not in text and THEIRS[6:17] not in text


@pytest.mark.parametrize("name", EMPTIED)
def test_what_cannot_be_read_by_rows_and_may_name_the_erased_is_emptied(originals: dict[str, bytes], name: str) -> None:
    assert originals[name] == b""


@pytest.mark.parametrize("name", UNTOUCHED)
def test_what_names_nobody_erased_stays_as_it_came(originals: dict[str, bytes], name: str) -> None:
    assert originals[name] == UNTOUCHED[name]


def test_a_note_that_names_the_erased_goes_and_the_rows_stay_where_they_were(originals: dict[str, bytes], tmp_path: Path) -> None:
    assert THEIRS not in texts(originals["upper-note.xlsx"]) and "李测一" in texts(originals["upper-note.xlsx"])
    sheet = fastexcel.read_excel(originals["upper-new.xlsx"]).load_sheet(0, header_row=None, skip_rows=0, dtypes="string").to_arrow()
    assert sheet.columns[0].to_pylist() == ["姓名", "李测一", None, "赵测五"], "an empty row in place of the erased one's"
