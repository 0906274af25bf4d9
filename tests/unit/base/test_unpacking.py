"""Packed files are opened only within limits, whatever they say of themselves."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib

import pytest
import xlsxwriter

from xinglin.base.unpacking import PackedError, UnpackLimits, check_package, check_workbook, gunzip

SMALL = UnpackLimits(total_bytes=1024 * 1024, parts=20, cells=10_000)


def package(parts: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(*cells: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, column in cells:
            sheet.write(row, column, "x")
    return out.getvalue()


def lying(content: bytes, told: int) -> bytes:
    """Return a package whose only part states another unpacked size and the checksum of that much of it."""
    at = content.rindex(b"PK\x01\x02")
    check = zlib.crc32(b"\0" * told).to_bytes(4, "little")
    return content[: at + 16] + check + content[at + 20 : at + 24] + told.to_bytes(4, "little") + content[at + 28 :]


def refused(reason: str, content: bytes) -> PackedError:
    with pytest.raises(PackedError) as told:
        check_workbook(content, SMALL)
    assert told.value.reason == reason and told.value.zh and told.value.en
    return told.value


def test_what_is_within_the_limits_is_opened() -> None:
    assert gunzip(gzip.compress(b"one") + gzip.compress(b"two") + b"\0" * 100, SMALL) == b"onetwo"
    check_workbook(workbook((0, 0), (400, 20)), SMALL)
    assert check_package(package({"word/document.xml": b"<w/>"}), SMALL) == ("word/document.xml",)


def test_members_that_come_out_in_many_steps_follow_one_another() -> None:
    parts = [b"a" * 3_000_000, b"", b"b" * 2_500_000, bytes(range(256)) * 9000]
    assert gunzip(b"".join(gzip.compress(part) for part in parts)) == b"".join(parts)


@pytest.mark.parametrize("content", [gzip.compress(b"\0" * 3_000_000), gzip.compress(b"x") + gzip.compress(b"\0" * 3_000_000)])
def test_a_gzip_bomb_is_refused_in_its_second_member_too(content: bytes) -> None:
    with pytest.raises(PackedError) as told:
        gunzip(content, SMALL)
    assert (told.value.reason, told.value.http_status) == ("too_large", 413)


@pytest.mark.parametrize(("cut", "reason"), [(lambda c: c[:-10], "cut_off"), (lambda c: c[:12] + b"\xff" * 9 + c[21:], "damaged")])
def test_gzip_that_is_not_whole(cut: object, reason: str) -> None:
    with pytest.raises(PackedError) as told:
        gunzip(cut(gzip.compress(bytes(range(256)) * 40)))  # type: ignore[operator]
    assert told.value.reason == reason


def test_a_zip_bomb_is_refused_whatever_it_says_of_its_size() -> None:
    bomb = package({"xl/worksheets/sheet1.xml": b"\0" * 3_000_000})
    assert len(bomb) < 10_000 and "1 MB" in refused("too_large", bomb).zh
    small = lying(bomb, 100)
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        assert len(archive.read("xl/worksheets/sheet1.xml")) == 100, "a reader that believes it sees a small file"
    refused("too_large", small)
    refused("too_large", package({f"xl/{n}.xml": b"" for n in range(30)}))


def test_cells_that_stand_too_far_apart_are_refused_and_empty_ones_are_not_counted() -> None:
    assert "删去" in refused("too_large", workbook((0, 0), (9_999, 9))).zh
    far = (
        b'<worksheet><sheetData><row r="900000"><c><v>1</v></c></row><row r="1"><c r="Z1" t="n"><v>1</v></c></row></sheetData></worksheet>'
    )
    refused("too_large", package({"xl/other.xml": far}))
    empty = (
        b'<worksheet><sheetData><row r="900000"><c r="A900000" s="1"/></row><row r="1"><c r="B1"><v>1</v></c></row></sheetData></worksheet>'
    )
    check_workbook(package({"xl/worksheets/sheet1.xml": empty}), SMALL)


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"PK\x03\x04" + b"\0" * 80, "cut_off", "重新导出"),
        (package({"word/document.xml": b"<w/>"}), "unsupported", "Word"),
        (package({"a.txt": b"x"}), "unsupported", "解压"),
        (package({"content.xml": b"x"}), "unsupported", ".xlsx"),
        (package({"xl/worksheets/sheet1.bin": b"x"}), "unsupported", ".xlsx"),
        (package({"xl/a.xml": b"x" * 999}, zipfile.ZIP_BZIP2), "unsupported", "另存"),
    ],
)
def test_what_is_no_workbook_is_told_what_it_is(content: bytes, reason: str, says: str) -> None:
    assert says in refused(reason, content).zh


def test_a_later_version_of_the_format_is_not_called_a_damaged_file() -> None:
    content = bytearray(package({"xl/workbook.xml": b"<workbook/>"}))
    content[content.rindex(b"PK\x01\x02") + 6] = 99
    refused("unsupported", bytes(content))


def test_a_workbook_with_a_password_or_damage_is_told() -> None:
    content = bytearray(package({"xl/workbook.xml": bytes(range(256)) * 9}))
    locked = bytes(content[: content.rindex(b"PK\x01\x02") + 8] + b"\x01" + content[content.rindex(b"PK\x01\x02") + 9 :])
    refused("locked", locked)
    content[45:48] = b"\xff" * 3
    refused("damaged", bytes(content))


def sheet(content: bytes) -> bytes:
    return package({"xl/workbook.xml": b"<workbook/>", "xl/worksheets/sheet1.xml": content})


@pytest.mark.parametrize(
    "content", [b"<c " * 300_000, b"<c " + b' r="A1"' * 100_000, b'<row r="1"' * 90_000, b'<row r="1">' + b" " * 900_000]
)
def test_a_sheet_of_tags_that_never_close_is_looked_through_once(content: bytes) -> None:
    check_workbook(sheet(content), SMALL)


@pytest.mark.parametrize("cell", [b"<c r='XFD1048576'><v>1</v>", b'<c s="1" r = "XFD1048576"><v>1</v>', b'<x:c r="XFD9"><x:v>1</x:v>'])
def test_a_stray_cell_is_seen_however_its_place_is_written(cell: bytes) -> None:
    refused("too_large", sheet(b'<row r="1">' + cell))


def test_a_cell_that_holds_nothing_lays_nothing_out() -> None:
    check_workbook(sheet(b'<row r="1"><c r="XFD1048576" s="1"/><c r="A1"><v>1</v></c>'), SMALL)


def test_gzip_of_ever_so_many_empty_members_is_refused() -> None:
    with pytest.raises(PackedError) as told:
        gunzip(gzip.compress(b"") * 500_000)
    assert told.value.reason == "too_large"


def test_parts_that_share_their_bytes_are_counted_each() -> None:
    """A directory may name one part many times; none of them is copied with all that follows it."""
    content = package({"a": b"\0" * 200_000})
    directory, end = content.rindex(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    entry, count = content[directory:end], 10
    closing = content[end : end + 8] + count.to_bytes(2, "little") * 2 + (len(entry) * count).to_bytes(4, "little") + content[end + 16 :]
    with pytest.raises(PackedError) as told:
        check_package(content[:directory] + entry * count + closing, SMALL)
    assert told.value.reason == "too_large"


def with_strings(*texts: bytes, cells: bytes) -> bytes:
    strings = b"<sst>" + b"".join(b"<si><t>" + text + b"</t></si>" for text in texts) + b"</sst>"
    return package({"xl/worksheets/first": b"<sheetData>" + cells + b"</sheetData>", "xl/sharedStrings.xml": strings})


def test_a_long_text_counts_for_every_cell_that_names_it() -> None:
    limits = UnpackLimits(total_bytes=64 * 1024 * 1024, cells=10_000, text_bytes=1_000_000)
    named = b'<c r="A1" t="s"><v>1</v></c>' * 30
    numbers = b'<c r="A1"><v>1</v></c>' * 3000
    check_workbook(with_strings(b"short", b"y" * 30_000, cells=named + numbers), limits)
    for cells in (named * 2, b"<c t='s' r='A1'><f>1</f><v> 1</v></c>" * 60):
        with pytest.raises(PackedError) as told:
            check_workbook(with_strings(b"short", b"y" * 30_000, cells=cells), limits)
        assert told.value.reason == "too_large"


def test_more_text_than_a_cell_can_hold_is_refused() -> None:
    with pytest.raises(PackedError) as told:
        check_workbook(with_strings(b"y" * 9_000_000, cells=b""))
    assert told.value.reason == "too_large"
