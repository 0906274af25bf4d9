"""Lists: one definition gives search, order, pages, empty state, Excel and print."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from tests.http.page_fixtures import PASSWORD, form_token, frame_platform
from xinglin.web.app import make_app
from xinglin.web.lists import Column, Filter, ListPage, Query, Rows, Tag
from xinglin.web.page import Visit

PEOPLE = [
    {
        "person": n,
        "name": f"居民{n:03d}",
        "age": 40 + n,
        "born": date(1980, 1, 1),
        "share": n / 100,
        "state": Tag("逾期", "bad"),
        "link": f"/p/{n}",
        "id": "=1+1",
    }
    for n in range(1, 46)
]


async def fetch(visit: Visit, query: Query) -> Rows:
    found = [row for row in PEOPLE if query.get("name") in row["name"]]
    if query.sort == "age":
        found.sort(key=lambda row: row["age"], reverse=query.descending)
    return Rows(found[query.offset : query.offset + query.size], len(found), as_of=query.get("known"))


LIST = ListPage(
    path="/test/people",
    title="居民档案",
    columns=(
        Column("name", "姓名", path="link", is_main=True),
        Column("age", "年龄", "number", sortable=True),
        Column("born", "出生日期", "date"),
        Column("share", "完成率", "percent"),
        Column("state", "状态", "tag"),
        Column("id", "身份证号"),
    ),
    filters=(Filter("name", "姓名"), Filter("state", "状态", "choice", (("late", "逾期"),)), Filter("known", "数据截至")),
    fetch=fetch,
    rights=("resident.read",),
    add=("enrol", "/test/new", "新增"),
    empty_hint="请先建档",
)


@pytest.fixture
def platform() -> Any:
    return frame_platform()


@pytest.fixture
def client(platform: Any) -> Iterator[TestClient]:
    with TestClient(make_app(platform, mounts=LIST.routes(), entries=[LIST.entry()])) as client:
        yield client


def enter(client: TestClient, login: str = "responsible_doctor") -> None:
    client.cookies.clear()
    token = form_token(client.get("/sign-in").text)
    client.post("/sign-in", data={"login": login, "password": PASSWORD, "form_token": token}, follow_redirects=False)


def names(page: str) -> list[str]:
    return re.findall(r'class="main" href="/p/\d+">(居民\d+)<', page)


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ["查询", "重置", "导出", "打印", "新增"]), ("en", ["Search", "Reset", "Export", "Print", "New"])]
)
def test_buttons_stand_in_one_order(client: TestClient, language: str, words: list[str]) -> None:
    enter(client)
    client.cookies.set("xinglin_language", language)
    form = client.get("/test/people").text.split('class="actions"')[1].split("</form>")[0]
    places = [form.index(word) for word in words]
    assert places == sorted(places)


def test_a_page_holds_twenty_and_counts_all(client: TestClient) -> None:
    enter(client)
    page = client.get("/test/people").text
    assert names(page) == [f"居民{n:03d}" for n in range(1, 21)] and "共 45 条" in page
    assert names(client.get("/test/people?page=3").text) == [f"居民{n:03d}" for n in range(41, 46)]


def test_search_and_order_stay_in_the_address(client: TestClient) -> None:
    enter(client)
    assert names(client.get("/test/people?sort=age&order=desc").text)[0] == "居民045"
    page = client.get("/test/people?name=04&sort=age&order=desc&page=1").text
    assert names(page) == ["居民045", "居民044", "居民043", "居民042", "居民041", "居民040", "居民004"]
    assert "/test/people/export.xlsx?name=04&amp;sort=age&amp;order=desc" in page


def test_what_an_address_cannot_mean_is_the_first_page(client: TestClient) -> None:
    enter(client)
    for odd in ("page=0", "page=x", "size=7", "sort=name;drop", "order=up"):
        assert names(client.get(f"/test/people?{odd}").text)[0] == "居民001"


def test_htmx_gets_the_table_alone_and_a_browser_the_page(client: TestClient) -> None:
    enter(client)
    part = client.get("/test/people?page=2", headers={"hx-request": "true", "hx-target": "list"}).text
    assert "<html" not in part and names(part)[0] == "居民021" and 'hx-swap-oob="true"' in part


def test_an_empty_list_says_what_to_do(client: TestClient) -> None:
    enter(client)
    assert "请先建档" in client.get("/test/people?name=nobody").text


def test_excel_holds_every_row_with_its_watermark(client: TestClient, platform: Any) -> None:
    enter(client)
    answer = client.get("/test/people/export.xlsx?name=居民")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None and sheet.max_row == 47
    first = str(sheet["A1"].value)
    assert "虚构数据" in first and "responsible_doctor" in first and "2026-11-21 10:30" in first
    assert [cell.value for cell in sheet[3]][:2] == ["居民001", 41] and sheet["F3"].value == "=1+1" and sheet["F3"].data_type == "s"
    entry = platform.audit.entries[-1]
    assert (entry.action, len(entry.persons)) == ("export", 45)


def test_a_copy_says_of_what_moment_its_data_are(client: TestClient) -> None:
    enter(client)
    moment = "2026-11-21 09:58:01（序号 812）"
    assert moment in client.get(f"/test/people?known={moment}").text and moment in client.get(f"/test/people/print?known={moment}").text
    for address, told in ((f"/test/people/export.xlsx?known={moment}", moment), ("/test/people/export.xlsx", "2026-11-21 10:30")):
        sheet = openpyxl.load_workbook(io.BytesIO(client.get(address).content)).active
        assert sheet is not None and str(sheet["A1"].value).endswith(f"数据截至 {told}") and told in str(sheet.oddFooter.left.text)


def test_excel_is_refused_without_the_right_and_given_with_it(client: TestClient, platform: Any) -> None:
    enter(client)
    assert client.get("/test/people/export.xlsx").status_code == 200
    platform.security.withheld = frozenset({"export"})
    enter(client, "nurse")
    assert client.get("/test/people/export.xlsx").status_code == 403
    assert "导出" not in client.get("/test/people").text
    assert len(platform.audit.entries) == 1


def test_excel_with_progress_is_lines_then_the_file(client: TestClient) -> None:
    enter(client)
    content = client.get("/test/people/export.xlsx", headers={"accept": "application/x-xinglin-progress"}).content
    head, file = content.split(b"\nPK", 1) if b"\nPK" in content else content.split(b"PK", 1)
    assert head.startswith(b"file ") and openpyxl.load_workbook(io.BytesIO(b"PK" + file)).active is not None


def test_print_is_a_sheet_with_who_and_when(client: TestClient, platform: Any) -> None:
    enter(client)
    page = client.get("/test/people/print").text
    assert page.count("<tr>") == 46 and "责任医生 于 2026-11-21 10:30 打印" in page and "虚构数据" in page
    assert platform.audit.entries[-1].action == "print"
