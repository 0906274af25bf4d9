"""The keyboard of the desk and of a visit's form, in Chromium, and how pages fit a clinic PC and a phone."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn

from tests.district import EAST, id_number, open_district, send
from tests.http.test_pages_residents import practitioner
from xinglin.assembly import Platform
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.security import DemoAccount, NewMembership
from xinglin.web.app import make_app

pytestmark = pytest.mark.browser
PATIENCE_S = 180
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
async def platform(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Platform]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    async with open_district(database_url, tmp_path_factory.mktemp("district")) as platform:
        await send(platform, practitioner("N1", "李医生"), message_id="staff")
        async with platform.database.connection() as connection:
            place = next(one.rid for one in await platform.register.institutions(connection) if one.code == "E1")
            worker = (await platform.register.practitioners(connection))[0].rid
        membership = NewMembership("responsible_doctor", place, (EAST[0],))
        await platform.security.setup.add_demo_account(DemoAccount("doctor", "李医生", DEMO_PASSWORD, membership, worker))
        yield platform


@pytest.fixture(scope="module")
async def address(platform: Platform) -> AsyncIterator[str]:
    """The address of the application, served on a free port by this event loop."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(platform), log_level="warning", lifespan="off"))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task


@pytest.fixture(scope="module")
async def chromium(platform: Platform) -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


async def new_page(chromium: Any, size: tuple[int, int] = (1366, 768), **more: Any) -> Any:
    """Return a page of somebody's own browser; it waits long, because a busy machine is no fault."""
    context = await chromium.new_context(viewport={"width": size[0], "height": size[1]}, **more)
    context.set_default_timeout(PATIENCE_S * 1000)
    return await context.new_page()


async def sign_in(page: Any, address: str, login: str) -> None:
    """Sign in with the keyboard alone."""
    await page.goto(f"{address}/sign-in")
    await until(page, "document.activeElement.name === 'login'")
    await page.keyboard.type(login)
    await page.keyboard.press("Tab")
    await page.keyboard.type(DEMO_PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/sign-in" not in url)


async def signed_in(chromium: Any, address: str, size: tuple[int, int] = (1366, 768)) -> Any:
    """Return a page on the desk, signed in with the keyboard alone."""
    page = await new_page(chromium, size)
    await sign_in(page, address, "doctor")
    await page.wait_for_url("**/desk")
    return page


async def until(page: Any, claim: str) -> None:
    """Return once an expression holds on the page (asked again and again: the content policy forbids the page to evaluate text).

    A page that is loaded has run its scripts; what the attribute autofocus names has the keyboard only some time later.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not await page.evaluate(claim):
        if time.monotonic() > deadline:
            raise AssertionError(claim)
        await asyncio.sleep(0.1)


async def enrol(page: Any, address: str, platform: Platform, serial: int, name: str) -> int:
    """Open a record and enrol it, on the pages; returns the person."""
    await page.goto(f"{address}/residents/new")
    await until(page, "document.activeElement.name === 'id_number'")
    await page.keyboard.type(id_number(serial, "19680305"))
    await until(page, "document.getElementById('i-birth_date').value === '1968-03-05'")
    await page.fill("#i-name", name)
    await page.select_option("#i-area", "420999101201")
    await page.keyboard.press("F2")
    await page.wait_for_url("**/residents/*told=1")
    person = int(page.url.split("/residents/")[1].split("?")[0])
    await page.goto(f"{address}/residents/{person}/enrol")
    await page.check("input[value=hypertension]")
    await page.fill("#start", (platform.clock.today() - timedelta(days=120)).strftime("%Y%m%d"))
    await page.keyboard.press("F2")
    await page.wait_for_url("**/residents/*told=1")
    return person


async def test_a_visit_is_recorded_with_the_keyboard_alone(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 61, "何键盘")
    await page.goto(f"{address}/desk?list=overdue")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("f")
    await page.wait_for_url(f"**/residents/{person}/followup/hypertension")
    await until(page, "document.activeElement.id === 'i-way'")
    await page.keyboard.type("2")
    assert await page.is_visible("[data-fld=way] button.on[data-code='2']")
    for digits in ("1", "", "1"):
        await page.keyboard.press("Enter")
        await page.keyboard.type(digits)
    await page.keyboard.press("Enter")
    await page.keyboard.type("152/96")
    assert [await page.input_value("#i-systolic"), await page.input_value("#i-diastolic")] == ["152", "96"]
    await page.keyboard.press("Shift+Enter")
    assert await page.evaluate("document.activeElement.id") == "i-systolic"
    await page.fill("#i-medication_adherence", "1")
    await page.fill("#i-adverse_reaction", "1")
    await until(page, "document.getElementById('i-outcome_class').value === '2'")
    due = (platform.clock.today() + timedelta(days=14)).isoformat()
    assert await page.input_value("#i-next_visit_date") == due
    await page.keyboard.press("F2")
    await page.wait_for_url(f"**/residents/{person}?told=1")
    assert "152/96 mmHg" in await page.inner_text("#timeline")


async def test_dates_codes_and_reasons_in_the_form(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 62, "吕表单")
    await page.goto(f"{address}/residents/{person}/followup/hypertension")
    await page.fill("#i-visit_date", "20261101")
    await page.focus("#i-symptoms")
    assert await page.input_value("#i-visit_date") == "2026-11-01"
    await page.keyboard.type("210")
    assert await page.input_value("#i-symptoms") == "2,10"
    await page.fill("#i-systolic", "150")
    await page.fill("#i-diastolic", "92")
    await page.fill("#i-adverse_reaction", "1")
    await until(page, "document.getElementById('i-outcome_class').value === '2'")
    assert not await page.is_visible("[name=override_reason_outcome_class]")
    await page.fill("#i-outcome_class", "1")
    assert await page.is_visible("[name=override_reason_outcome_class]")
    await page.click("[data-again=outcome_class]")
    assert await page.input_value("#i-outcome_class") == "2" and not await page.is_visible("[name=override_reason_outcome_class]")


async def test_what_is_typed_outlives_the_sign_in(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 71, "秦过期")
    await page.goto(f"{address}/residents/{person}/followup/hypertension")
    await until(page, "document.activeElement.id === 'i-way'")
    await page.context.clear_cookies()
    await page.keyboard.type("2")
    await page.wait_for_selector("[data-expired]:not([hidden])")
    async with page.context.expect_page() as opening:
        await page.click("[data-expired] a")
    window = await opening.value
    await window.fill("[name=login]", "doctor")
    await window.fill("[name=password]", DEMO_PASSWORD)
    await window.keyboard.press("Enter")
    await window.wait_for_url("**/desk")
    await window.close()
    await page.focus("#i-symptoms")
    await page.keyboard.type("1")
    await page.wait_for_selector("[data-expired]", state="hidden")
    for name, text in {
        "danger_signs": "1",
        "systolic": "132",
        "diastolic": "84",
        "medication_adherence": "1",
        "adverse_reaction": "1",
    }.items():
        await page.fill(f"#i-{name}", text)
    await until(page, "document.getElementById('i-outcome_class').value === '1'")
    await page.keyboard.press("F2")
    await page.wait_for_url(f"**/residents/{person}?told=1")
    assert "132/84 mmHg" in await page.inner_text("#timeline")


async def test_pasted_cells_fill_the_grid(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 63, "施表格")
    await page.goto(f"{address}/chronic/batch")
    cell = f"[name='{person}.way']"
    await page.focus(cell)
    await page.evaluate(
        """(selector) => { const data = new DataTransfer(); data.setData('text/plain', '１\\t1\\t1\\t134\\t84');
        document.querySelector(selector).dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); }""",
        cell,
    )
    values = [await page.input_value(f"[name='{person}.{name}']") for name in ("way", "symptoms", "danger_signs", "systolic", "diastolic")]
    assert values == ["1", "1", "1", "134", "84"]


async def test_a_masked_number_is_shown_in_place(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 64, "张显示")
    await page.goto(f"{address}/residents/{person}")
    assert id_number(64, "19680305") not in await page.content()
    await page.click("#secret-id_number button")
    await page.wait_for_selector("#secret-id_number .revealed")
    assert id_number(64, "19680305") == await page.inner_text("#secret-id_number .revealed")


async def test_a_list_is_saved_as_excel(chromium: Any, address: str) -> None:
    page = await signed_in(chromium, address)
    await page.goto(f"{address}/residents")
    async with page.expect_download() as waiting:
        await page.click("#do-export")
    download = await waiting.value
    assert download.suggested_filename.endswith(".xlsx")
    assert (await download.path()).read_bytes()[:2] == b"PK"


async def test_a_search_changes_the_list_and_the_address_without_a_new_page(chromium: Any, address: str) -> None:
    page = await signed_in(chromium, address)
    await page.goto(f"{address}/residents")
    await page.evaluate("window.isTheSame = true")
    await page.keyboard.press("/")
    await page.keyboard.type("lcy")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/residents?text=lcy*")
    await until(page, "document.querySelectorAll('#list tbody tr').length === 1")
    assert await page.evaluate("window.isTheSame") and "李测一" in await page.inner_text("#list")


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_no_page_is_wider_than_its_window_and_none_breaks_the_content_policy(
    chromium: Any, address: str, size: tuple[int, int], language: str
) -> None:
    page = await signed_in(chromium, address, size)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.context.add_cookies([{"name": "xinglin_language", "value": language, "url": address}])
    for path in ("/desk", "/residents", "/residents/new", "/residents/1", "/chronic", "/chronic/batch", "/account"):
        await page.goto(address + path)
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (path, size, language)
    assert said == []


async def test_a_tile_is_not_set_like_the_name_in_the_header_and_a_phone_shows_no_keys(
    chromium: Any, address: str, platform: Platform
) -> None:
    page = await signed_in(chromium, address)
    assert await page.evaluate("getComputedStyle(document.querySelector('.top .brand b')).letterSpacing") != "normal"
    spaced = "[...document.querySelectorAll('.count b')].map((one) => getComputedStyle(one).letterSpacing)"
    assert set(await page.evaluate(spaced)) == {"normal"}
    phone = await signed_in(chromium, address, (390, 844))
    await enrol(phone, address, platform, 69, "路手机")
    await phone.goto(f"{address}/desk?list=managed")
    assert await phone.locator("#list kbd").count() and not await phone.locator("#list kbd").first.is_visible()


async def test_a_small_change_looks_small_on_a_chart_that_has_a_span(chromium: Any, address: str) -> None:
    page = await signed_in(chromium, address)
    await page.goto(f"{address}/residents/1")
    extents = await page.evaluate(
        """async () => {
            const { draw } = await import(document.querySelector("script[type=module][src*='charts']").src);
            const drawn = (values) => {
                const element = document.body.appendChild(document.createElement("div"));
                element.className = "chart";
                element.dataset.chart = JSON.stringify({ days: ["2026-01-01", "2026-02-01", "2026-03-01"], series: [{ name: "", values }], span: 4 });
                return draw(element).getModel().getComponent("yAxis").axis.scale.getExtent();
            };
            return [drawn([5.4, 5.5, 5.4]), drawn([5.4, 14.2, 6])];
        }"""
    )
    assert extents[0][1] - extents[0][0] >= 4 and extents[0][0] <= 5.4
    assert extents[1][0] <= 5.4 and extents[1][1] >= 14.2
