"""The exchange with the upper-level platform: what goes out, what comes in, how each record stands."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import fastexcel
import pytest
import xlsxwriter

from tests.district import EAST, WEST, followup, id_number, open_district, scope_of, send
from xinglin.assembly import Platform
from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError
from xinglin.engines.exchange import Period, SheetColumn, UnreadableError, UpperState

NOVEMBER = Period("hypertension-followup", date(2026, 11, 1), date(2026, 11, 30))
TITLES = ("姓名", "身份证号", "随访日期", "随访方式", "血压(mmHg)", "体重(kg)", "此次随访分类")


def far_apart() -> bytes:
    """Return a workbook of a few kilobytes whose last cell makes a reader lay out hundreds of millions of cells."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        page = book.add_worksheet()
        page.write(0, 0, "姓名")
        page.write(1_000_000, 300, "x")
    return out.getvalue()


@pytest.fixture(scope="module")
async def loaded(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform:
        yield platform


@pytest.fixture
async def district(loaded: Platform) -> AsyncIterator[Platform]:
    """The district with nothing exchanged yet."""
    yield loaded
    async with loaded.database.transaction() as connection:
        await connection.execute("truncate upper_out, upper_row, upper_batch, upper_mapping, quarantine")


def sheet(*rows: tuple[Any, ...], titles: tuple[Any, ...] = TITLES) -> bytes:
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    page = book.add_worksheet()
    for line, row in enumerate((titles, *rows)):
        for place, value in enumerate(row):
            page.write(line, place, value)
    book.close()
    return content.getvalue()


def cells_of(content: bytes) -> list[list[str]]:
    batch = fastexcel.read_excel(content).load_sheet(0, header_row=None, dtypes="string").to_arrow()
    return [
        ["" if value is None else value for value in row] for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]


async def states(platform: Platform, scope: Any, period: Period = NOVEMBER) -> dict[str, str]:
    return {row.name: row.standing.state.value for row in await platform.upper.reconcile(scope, period)}


async def test_a_record_is_not_reported_then_reported_then_different_after_a_change(district: Platform) -> None:
    office = scope_of(district, "public_health", EAST)
    assert await states(district, office) == {"李测一": "not_reported", "李测二": "not_reported"}
    batch_no, content = await district.upper.send(office, NOVEMBER, "公卫科 2026-11-21")
    rows = cells_of(content)
    assert rows[0][:3] == ["姓名", "身份证号", "随访日期"]
    assert sorted(row[0:3] for row in rows[1:]) == [["李测一", id_number(1), "2026-11-10"], ["李测二", id_number(2), "2026-11-10"]]
    assert await states(district, office) == {"李测一": "reported", "李测二": "reported"}
    with pytest.raises(ConflictError):
        await district.upper.send(office, NOVEMBER, "")
    await send(district, *followup(2, "2026-11-10", (148, 92)))
    changed = {row.name: row.standing for row in await district.upper.reconcile(office, NOVEMBER)}
    assert (changed["李测二"].state, changed["李测二"].changed) == (UpperState.DIFFERENT, True)
    await district.upper.withdraw(office, batch_no)
    assert await states(district, office) == {"李测一": "not_reported", "李测二": "not_reported"}
    await send(district, *followup(2, "2026-11-10", (152, 96)))


async def test_a_sheet_that_comes_in_is_compared_field_by_field(district: Platform) -> None:
    office = scope_of(district, "public_health", EAST)
    content = sheet(
        ("李测一", id_number(1), "2026年11月10日", "1门诊", "136/84", "61.5kg", "控制满意"),
        ("李测二", "'" + id_number(2).lower(), "20261110", "门诊", "142／90", 61.5, 1),
        ("李测三", id_number(3), 46331, "电话", "130/80", "", "控制满意"),
    )
    batch = await district.upper.receive(office, "hypertension-followup", ("导出.xlsx", content))
    assert (batch.rows, batch.refused, batch.unchanged) == (3, 0, 0)
    found = {row.name: row for row in await district.upper.reconcile(office, NOVEMBER)}
    assert {name: row.standing.state.value for name, row in found.items()} == {
        "李测一": "reported",
        "李测二": "different",
        "李测三": "upper_only",
    }
    assert {one.field: (one.ours, one.theirs) for one in found["李测二"].standing.differences} == {
        "systolic": ("152", "142"),
        "diastolic": ("96", "90"),
    }
    assert found["李测三"].day == date(2026, 11, 5)
    again = await district.upper.receive(office, "hypertension-followup", ("导出.xlsx", content))
    assert (again.message_no, again.unchanged) == (batch.message_no, 3)
    message = await district.panel.message(scope_of(district, "steward"), batch.message_no or 0)
    assert (message.kind, message.state, message.stored) == ("excel", "stored", 3)  # the first receipt stands
    rids = [row.rid for row in found.values() if row.rid]
    assert {standing.state.value for standing in (await district.upper.state_of(office, rids)).values()} == {"reported", "different"}
    assert await district.upper.state_of(scope_of(district, "public_health", WEST), rids) == {}


async def test_what_only_the_platform_has_is_taken_without_typing(district: Platform) -> None:
    office = scope_of(district, "public_health", EAST)
    content = sheet(
        ("李测四", id_number(4), "2026-11-02", "2", "131/79", 58, "1"), ("赵测五", id_number(5), "2026-11-03", "2", "131/79", 58, "1")
    )
    await district.upper.receive(office, "hypertension-followup", ("b.xlsx", content))
    taken, refusals = await district.upper.take(office, NOVEMBER)
    assert (taken, refusals) == (1, [])
    assert (await states(district, office))["李测四"] == "reported"
    assert await district.upper.take(office, NOVEMBER) == (0, [])
    page = await district.store.search(office, "Observation", [("code", "http://loinc.org|85354-9"), ("date", "2026-11-02")])
    assert len(page.entries) == 1
    assert "赵测五" not in await states(district, scope_of(district, "public_health", EAST, account=777))


async def test_bad_rows_never_stop_good_ones_and_come_back_as_a_workbook(district: Platform) -> None:
    office = scope_of(district, "public_health", EAST)
    good = ("李测一", id_number(1), "2026-11-10", "1", "136/84", 61.5, "1")
    content = sheet(
        ("李测一", "4.2E+17", *good[2:]),
        ("李测一", 420999196005120000, *good[2:]),
        (*good[:2], "十一月十日", *good[3:]),
        (*good[:4], "一三六", *good[5:]),
        good,
        (*good[:2], "2026-02-31", *good[3:]),
        ("王某", id_number(900), *good[2:]),
        (good[0], "", *good[2:]),
        ("", "", "", "", "", "", ""),
    )
    batch = await district.upper.receive(office, "hypertension-followup", ("c.xlsx", content))
    assert (batch.rows, batch.refused, batch.warned) == (8, 6, 2)
    rows = cells_of(await district.upper.problem_rows(office, batch.batch_no, ("zh", "谁 何时")))
    told = {row[0]: row[2] for row in rows[1:]}
    assert "末几位已丢失" in told["2"] and "末几位已丢失" in told["3"]
    assert "2026-11-21" in told["4"] and "135/85" in told["5"] and "同一条记录" in told["6"]
    assert "没有这位居民" in told["8"] and "不能为空" in told["9"]
    assert (await district.panel.message(scope_of(district, "steward"), batch.message_no or 0)).state == "partly"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("随访.docx", b"word", "Word"),
        ("空.xlsx", sheet(titles=()), "空"),
        ("旧.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "另存为"),
        ("网页.xls", "<html><table><tr><td>姓名</td></tr></table></html>".encode("gb18030"), "网页"),
        ("缺列.xlsx", sheet(("李测一", "136/84"), titles=("姓名", "血压(mmHg)")), "身份证号、随访日期"),
        ("断.xlsx", sheet()[:300], "不完整"),
        ("x.json", b'{"resourceType":"Bundle"}', "表格"),
        ("远处.xlsx", far_apart(), "删去"),
        ("夹带.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + far_apart(), "删去"),
    ],
)
async def test_what_is_no_sheet_is_kept_and_told_what_to_send(district: Platform, name: str, content: bytes, says: str) -> None:
    if content == b"word":
        import zipfile

        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("word/document.xml", "<w/>")
        content = package.getvalue()
    with pytest.raises(UnreadableError, match=".") as refusal:
        await district.upper.receive(scope_of(district, "steward"), "hypertension-followup", (name, content))
    assert says in refusal.value.zh
    waiting, _ = await district.panel.waiting(scope_of(district, "steward"))
    assert waiting[0].message_id == name


async def test_a_csv_in_gb18030_with_a_heading_of_two_lines_is_read(district: Platform) -> None:
    lines = (
        "高血压患者随访登记表,,,,,\n姓名,证件号码,随访,,血压,此次随访分类\n,,日期,方式,,\n李测一,"
        + id_number(1)
        + ",2026/11/10,门诊,136/84,控制满意\n"
    )
    await district.upper.save_mapping(
        scope_of(district, "steward"), "hypertension-followup", _with_title(district, "visit_date", "随访日期")
    )
    batch = await district.upper.receive(scope_of(district, "steward"), "hypertension-followup", ("d.csv", lines.encode("gb18030")))
    assert (batch.rows, batch.refused) == (1, 0)


def _with_title(district: Platform, field: str, title: str) -> list[SheetColumn]:
    columns = district.upper.kind("hypertension-followup").columns
    return [replace(column, title=title) if column.field == field else column for column in columns]


async def test_a_mapping_with_codes_of_the_platform_is_used_both_ways(district: Platform) -> None:
    steward = scope_of(district, "steward")
    columns = [
        SheetColumn("居民身份号", "id_number"), SheetColumn("日期", "visit_date"),
        SheetColumn("方式", "way", codes={"1": "01", "2": "02", "3": "03"}), SheetColumn("收缩压", "systolic"),
    ]  # fmt: skip
    await district.upper.save_mapping(steward, "hypertension-followup", columns)
    _, content = await district.upper.send(steward, NOVEMBER, "")
    rows = cells_of(content)
    assert rows[0] == ["居民身份号", "日期", "方式", "收缩压"]
    assert {row[0]: row[2] for row in rows[1:]}[id_number(1)] == "01"
    await district.upper.receive(steward, "hypertension-followup", ("e.xlsx", content))
    assert set((await states(district, steward)).values()) == {"reported"}
    await district.upper.save_mapping(steward, "hypertension-followup", None)
    assert (await district.upper.mapping("hypertension-followup")).changed_at is None


@pytest.mark.parametrize(
    "columns",
    [
        [SheetColumn("身份证号", "id_number")],
        [SheetColumn("身份证号", "id_number"), SheetColumn("身份证号", "visit_date")],
        [SheetColumn("身份证号", "id_number"), SheetColumn("日期", "visit_date"), SheetColumn("又是日期", "visit_date")],
        [SheetColumn("身份证号", "id_number"), SheetColumn("日期", "visit_date"), SheetColumn("x", "no_such_field")],
        [SheetColumn("身份证号", "id_number"), SheetColumn("日期", "visit_date"), SheetColumn("方式", "way", codes={"7": "x"})],
        [SheetColumn("身份证号", "id_number"), SheetColumn("日期", "visit_date"), SheetColumn(" ", "way")],
    ],
)
async def test_a_mapping_that_cannot_serve_is_refused(district: Platform, columns: list[SheetColumn]) -> None:
    with pytest.raises(IncorrectError):
        await district.upper.save_mapping(scope_of(district, "steward"), "hypertension-followup", columns)


async def test_only_who_may_exchange_with_the_platform_can(district: Platform) -> None:
    doctor = scope_of(district, "responsible_doctor", EAST)
    with pytest.raises(ForbiddenError):
        await district.upper.reconcile(doctor, NOVEMBER)
    with pytest.raises(ForbiddenError):
        await district.upper.receive(doctor, "resident", ("a.xlsx", sheet()))
    batch_no, _ = await district.upper.send(scope_of(district, "steward"), NOVEMBER, "")
    with pytest.raises(NotFoundError):
        await district.upper.withdraw(scope_of(district, "public_health", EAST, account=888), batch_no)


async def test_the_roster_tells_who_is_not_in_it(district: Platform) -> None:
    office = scope_of(district, "public_health", EAST)
    today = district.clock.today()
    period = Period("resident", today, today)
    content = sheet(
        ("李测一", "男", "1960-05-12", id_number(1)),
        ("李测二", "男", "1960-05-12", id_number(2)),
        ("外地人", "女", "1960-05-12", id_number(77)),
        titles=("姓名", "性别", "出生日期", "证件号码"),
    )
    await district.upper.receive(office, "resident", ("名册.xlsx", content))
    assert await states(district, office, period) == {
        "李测一": "reported",
        "李测二": "different",
        "李测三": "not_reported",
        "李测四": "not_reported",
        "外地人": "upper_only",
    }


async def test_a_visit_without_an_end_stands_on_its_day_only(district: Platform) -> None:
    office = scope_of(district, "public_health", EAST)
    for first, last, found in ((10, 10, {"李测一", "李测二"}), (11, 30, set()), (1, 9, {"李测三", "李测四"})):
        rows = await district.upper.reconcile(office, Period("hypertension-followup", date(2026, 11, first), date(2026, 11, last)))
        assert {row.name for row in rows} <= found, rows
        assert found & {"李测一", "李测二"} <= {row.name for row in rows}


async def test_ten_thousand_rows_with_mixed_errors_are_taken_row_by_row(district: Platform) -> None:
    rows = []
    for n in range(10_000):
        day = "2026-13-01" if n % 10 == 3 else f"2026-0{1 + n % 9}-{1 + n % 28:02d}"
        rows.append(
            (
                "测试",
                "1.2E+17" if n % 10 == 7 else id_number(n % 999, f"19{50 + n // 999}0101"),
                day,
                "门诊",
                "abc" if n % 10 == 5 else "130/80",
                60,
                "1",
            )
        )
    batch = await district.upper.receive(scope_of(district, "steward"), "hypertension-followup", ("大.xlsx", sheet(*rows)))
    assert (batch.rows, batch.refused) == (10_000, 2_000)
    assert batch.warned == 8_000  # nobody of them lives here, 1,000 also have no blood pressure


async def test_the_shipped_mappings_say_that_nobody_has_verified_them(district: Platform, tmp_path: Path) -> None:
    assert district.upper.catalogue.verified is False
    assert district.upper.catalogue.source
