"""The acceptance walk on a whole installation: two doctors, the county, and the neighbour, by the keyboard alone at 1366×768, in Chinese."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.browser.test_keyboard import ARGUMENTS, CHROMIUM, PATIENCE_S, new_page, sign_in, until
from tests.district import seconds_to_a_day_that_lasts
from tests.free_port import free_port
from xinglin.base.postgres import EmbeddedPostgres

pytestmark = pytest.mark.browser
RESIDENTS, DAY_DUE = 400, timedelta(days=14)
FACE, ANY, CONTROL = "hypertension-standard-rate.face_to_face", "hypertension-standard-rate.any_way", "hypertension-control-rate"


@dataclass(frozen=True)
class Installation:
    """A district that runs. database: its address.  stories: residents with a script, by id."""

    address: str
    database: str
    today: date
    stories: Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`xinglin demo` on a free port and a folder of its own, loaded; stopped with all it started."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    time.sleep(seconds_to_a_day_that_lasts())
    folder = tmp_path_factory.mktemp("walk")
    folder.chmod(0o711)
    port = free_port()
    said = folder / "said.txt"
    command = [sys.executable, "-m", "xinglin", "demo", "--residents", str(RESIDENTS), "--port", str(port)]
    environment = os.environ | {"XINGLIN_DATA": str(folder / "data"), "XINGLIN_WEB_PROCESSES": "1"}
    with said.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
    try:
        wait_for(said, process)
        manifest = json.loads((folder / "data" / "demo" / "manifest.json").read_bytes())
        stories = {story["id"]: story for story in manifest["stories"]}
        database = EmbeddedPostgres(folder / "data").url
        yield Installation(f"http://127.0.0.1:{port}", database, date.fromisoformat(manifest["as_of"]), stories)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(said: Path, process: subprocess.Popen[bytes]) -> None:
    """Return once the installation says that its data is loaded."""
    for _ in range(2000):
        text = said.read_text(encoding="utf-8", errors="replace")
        if "载入完成" in text:
            return
        assert process.poll() is None, text[-2000:]
        try:
            process.wait(0.5)
        except subprocess.TimeoutExpired:
            continue
    raise AssertionError(said.read_text(encoding="utf-8", errors="replace")[-2000:])


@pytest.fixture(scope="module")
async def chromium(installation: Installation) -> AsyncIterator[Any]:
    from playwright.async_api import async_playwright

    async with async_playwright() as player:
        browser = await player.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


class Walker:
    """Somebody at a keyboard."""

    def __init__(self, page: Any, installation: Installation) -> None:
        self.page = page
        self.address = installation.address
        self.database = installation.database

    async def press(self, *keys: str) -> None:
        """Press keys one after the other; what is longer than a key's name and begins with ~ is typed."""
        for key in keys:
            if key.startswith("~"):
                await self.page.keyboard.type(key[1:])
            else:
                await self.page.keyboard.press(key)

    async def ask(self, text: str) -> None:
        """Type into the search box of the desk and send it."""
        await self.page.goto(f"{self.address}/desk")
        await until(self.page, "document.activeElement.name === 'text'")
        await self.press(f"~{text}", "Enter")

    async def find(self, text: str) -> int:
        """Find one resident from the desk; returns the person."""
        await self.ask(text)
        await self.page.wait_for_url(re.compile(r"/residents/\d+$"))
        return int(self.page.url.rsplit("/", 1)[1])

    async def fill(self, values: Mapping[str, str]) -> None:
        """Go through the open form with Enter and type the values of the fields named; what was brought over is confirmed with F8."""
        await until(self.page, "document.activeElement.matches('[data-field]')")
        left = dict(values)
        for name in ("visit_date",):
            if name in left:
                await self.press("Shift+Enter")
                assert await self.focus() == name
        for _ in range(60):
            name = await self.focus()
            if name in left:
                await self.press(f"~{left.pop(name)}")
            if not left:
                break
            await self.press("Enter")
        assert not left, left
        if await self.page.is_visible("[data-confirm-carried]"):
            await self.press("F8")

    async def focus(self) -> str:
        """Return the name of the field the keyboard is in."""
        return str(await self.page.evaluate("document.activeElement.name || ''"))

    async def save(self) -> None:
        """Save with F2 and wait for the record."""
        await self.press("F2")
        await self.page.wait_for_url("**/residents/*told=1")

    async def open(self, pressing: Awaitable[None]) -> None:
        """Press what leads to another page and wait for it."""
        before = self.page.url
        await pressing
        await self.page.wait_for_url(lambda url: url != before)

    async def figures(self, measure: str) -> tuple[int, int]:
        """Return numerator and denominator of a measure on the county's page, once the page tells of all that is recorded now."""
        head = await self.head()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            await self.page.goto(f"{self.address}/measures")
            told = re.search(r"序号 (\d+)", await self.page.inner_text("footer"))
            if told and int(told[1]) >= head:
                row = self.page.locator("tr", has=self.page.locator(f"a[href*='/measures/{measure}']")).first
                found = re.search(r"([\d,]+) / ([\d,]+)", await row.inner_text())
                assert found
                return int(found[1].replace(",", "")), int(found[2].replace(",", ""))
            await asyncio.sleep(0.5)
        raise AssertionError(f"the page did not come up to {head}")

    async def head(self) -> int:
        """Return the last number of the feed."""
        connection = await asyncpg.connect(self.database)
        try:
            return int(await connection.fetchval("select max(seq) from feed"))
        finally:
            await connection.close()


async def walker(chromium: Any, installation: Installation, login: str) -> Walker:
    """Return somebody signed in with the keyboard, on a clinic PC."""
    page = await new_page(chromium)
    await sign_in(page, installation.address, login)
    return Walker(page, installation)


VISIT = {"way": "2", "symptoms": "1", "danger_signs": "1", "medication_adherence": "1", "adverse_reaction": "1"}


async def test_she_is_found_by_initials_enrolled_visited_and_referred(chromium: Any, installation: Installation) -> None:
    day, before = installation.today, (installation.today - timedelta(days=10)).isoformat()
    county, doctor = await walker(chromium, installation, "county"), await walker(chromium, installation, "responsible_doctor")
    numerator, denominator = await county.figures(ANY)
    person = await doctor.find("wxf")
    assert "吴杏芬" in await doctor.page.inner_text("h1") and "高血压" not in await doctor.page.inner_text("h1")
    await doctor.press("n")
    await doctor.page.wait_for_url("**/enrol")
    await until(doctor.page, "document.activeElement.matches('[data-field]')")
    await doctor.press("1", "Enter", "~" + (day - timedelta(days=15)).strftime("%Y%m%d"))
    await doctor.save()
    assert "高血压" in await doctor.page.inner_text("h1")

    village = await walker(chromium, installation, "village_doctor")
    assert await village.find("wxf") == person
    await village.press("f")
    await village.page.wait_for_url("**/followup/hypertension")
    await village.fill(VISIT | {"visit_date": before.replace("-", ""), "systolic": "152/96"})
    await until(village.page, "document.getElementById('i-outcome_class').value === '2'")
    assert await village.page.input_value("#i-next_visit_date") == (date.fromisoformat(before) + DAY_DUE).isoformat()
    assert await village.page.inner_text("[data-note=late]") == "补录"
    await village.save()
    await village.page.goto(f"{installation.address}/desk?list=recheck")
    assert "吴杏芬" in await village.page.inner_text("#list")

    await village.page.goto(f"{installation.address}/residents/{person}")
    await village.press("f")
    await village.page.wait_for_url("**/followup/hypertension")
    for measured in ("systolic", "diastolic", "weight", "heart_rate", "symptoms"):
        assert await village.page.input_value(f"#i-{measured}") == ""
    await village.fill(VISIT | {"systolic": "150/94", "referral_reason": "连续两次控制不满意", "referral_institution": "县人民医院心内科"})
    await until(village.page, "!document.querySelector('[data-note=referral]').hidden")
    assert "建议转诊" in await village.page.inner_text("[data-note=referral]")
    await village.save()
    await village.page.goto(f"{installation.address}/desk?list=referral")
    row = village.page.locator("#list tr", has_text="吴杏芬")
    assert (day + DAY_DUE).isoformat() in await row.inner_text()
    assert await county.figures(ANY) == (numerator, denominator + 1)


async def test_a_visit_by_phone_counts_any_way_and_not_face_to_face(chromium: Any, installation: Installation) -> None:
    county, village = await walker(chromium, installation, "county"), await walker(chromium, installation, "village_doctor")
    face, any_way = await county.figures(FACE), await county.figures(ANY)
    await village.find(installation.stories["fourth_by_phone"]["id_number"])
    await village.press("f")
    await village.page.wait_for_url("**/followup/hypertension")
    await village.fill(VISIT | {"way": "3", "systolic": "134/82"})
    await until(village.page, "document.getElementById('i-outcome_class').value === '1'")
    await village.save()
    assert await county.figures(ANY) == (any_way[0] + 1, any_way[1])
    assert await county.figures(FACE) == face


async def test_who_moves_out_leaves_the_denominator_with_the_reason_and_comes_back(chromium: Any, installation: Installation) -> None:
    county, doctor = await walker(chromium, installation, "county"), await walker(chromium, installation, "responsible_doctor")
    numerator, denominator = await county.figures(CONTROL)
    person = await doctor.find(installation.stories["to_move_out"]["id_number"])
    await doctor.press("t")
    await doctor.page.wait_for_url("**/end")
    await until(doctor.page, "document.activeElement.matches('[data-field]')")
    await doctor.press("1")
    await doctor.save()
    assert await county.figures(CONTROL) == (numerator - 1, denominator - 1)
    await county.page.goto(f"{installation.address}/measures/{CONTROL}")
    await county.page.get_by_role("link", name=re.compile("^迁出")).press("Enter")
    await county.page.wait_for_url("**/measures/people**")
    assert installation.stories["to_move_out"]["name"] in await county.page.inner_text("main")
    await doctor.page.goto(f"{installation.address}/residents/{person}")
    undo = doctor.page.locator("button[name=episode]").first
    await undo.focus()
    await doctor.press("Enter")
    await doctor.page.wait_for_url("**/residents/*told=1")
    assert await county.figures(CONTROL) == (numerator, denominator)


async def test_the_limit_is_150_over_90_from_65_years_on(chromium: Any, installation: Installation) -> None:
    village = await walker(chromium, installation, "village_doctor")
    await village.find(installation.stories["elder"]["record_number"][-8:])
    await village.press("f")
    await village.page.wait_for_url("**/followup/hypertension")
    await village.fill(VISIT | {"systolic": "150/88"})
    await until(village.page, "document.getElementById('i-outcome_class').value === '2'")
    for _ in range(60):
        if await village.focus() == "systolic":
            break
        await village.press("Shift+Enter")
    await village.press("~148")
    await until(village.page, "document.getElementById('i-outcome_class').value === '1'")
    await village.save()
    assert "148/88 mmHg" in await village.page.inner_text("#timeline")


async def test_the_sheet_prints_on_one_page_and_says_what_it_is(chromium: Any, installation: Installation) -> None:
    doctor = await walker(chromium, installation, "responsible_doctor")
    await doctor.find(installation.stories["fourth_by_phone"]["id_number"])
    async with doctor.page.context.expect_page() as opening:
        await doctor.press("p")
    sheet = await opening.value
    text = await sheet.inner_text("main")
    assert "高血压患者随访服务记录表" in text and "虚构数据" in text and "数据截至" in text
    assert await sheet.evaluate("document.querySelectorAll('table tr:first-child td').length") == 4
    printed = await sheet.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 1


async def test_the_county_opens_the_number_down_to_the_messages(chromium: Any, installation: Installation) -> None:
    county, story = await walker(chromium, installation, "county"), installation.stories["fourth_by_phone"]
    page = county.page
    await page.goto(f"{installation.address}/measures/{ANY}")
    for _ in range(10):
        await county.press("ArrowDown")
        if story["town"] in await page.evaluate("document.activeElement.innerText"):
            break
    await county.open(county.page.keyboard.press("Enter"))
    assert story["town"] in await page.inner_text("main")
    await county.open(page.locator("#groups tbody tr a.main").first.press("Enter"))
    village = page.locator("#groups tbody tr", has_text=story["village"])
    await village.locator("td[data-label=分子] a").press("Enter")
    await page.wait_for_url("**/measures/people**")
    await page.goto(re.sub(r"([?&])size=\d+", r"\1", page.url) + "&size=100")
    member = page.locator("#list tr", has_text=story["name"])
    await member.locator("a[href*='/why/']").first.press("Enter")
    await page.wait_for_url("**/why/**")
    assert "随访" in await page.inner_text("main")
    await page.locator("a[href^='/exchange/messages/']").first.press("Enter")
    await page.wait_for_url("**/exchange/messages/*")


async def test_for_the_neighbour_she_does_not_exist(chromium: Any, installation: Installation) -> None:
    doctor, neighbour = await walker(chromium, installation, "responsible_doctor"), await walker(chromium, installation, "neighbour_doctor")
    number = installation.stories["newly_diagnosed"]["id_number"]
    person = await doctor.find(number)
    patient = re.search(r"/fhir/Patient/([0-9a-f-]+)", await doctor.page.content())
    assert patient
    await neighbour.ask(number)
    await neighbour.page.wait_for_url("**/residents?text=*")
    assert "没有找到居民" in await neighbour.page.inner_text("main") and "吴杏芬" not in await neighbour.page.content()
    for path, status in (
        (f"/residents/{person}", 404),
        (f"/residents/{person}/sheet/hypertension", 404),
        (f"/fhir/Patient/{patient[1]}", 404),
    ):
        answer = await neighbour.page.request.get(installation.address + path)
        assert answer.status == status and "吴杏芬" not in await answer.text()
    counted = await neighbour.page.request.get(f"{installation.address}/fhir/Encounter?patient={patient[1]}&_summary=count")
    assert (await counted.json())["total"] == 0
