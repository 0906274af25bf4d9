"""What a doctor's day does to a form: the next resident, a colleague at the same form, an overruled class, a card reader, going back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.browser.test_keyboard import address, chromium, enrol, platform, signed_in, until
from tests.district import id_number
from xinglin.assembly import Platform

__all__ = ["address", "chromium", "platform"]
pytestmark = pytest.mark.browser
VISIT = {"way": "2", "symptoms": "1", "danger_signs": "1", "systolic": "152/96", "medication_adherence": "1", "adverse_reaction": "1"}


async def fill(page: Any, values: dict[str, str]) -> None:
    """Go through the open form with Enter and type the values of the fields named."""
    await until(page, "document.activeElement.matches('[data-field]')")
    left = dict(values)
    for _ in range(60):
        name = await page.evaluate("document.activeElement.name || ''")
        if name in left:
            await page.keyboard.type(left.pop(name))
        if not left:
            break
        await page.keyboard.press("Enter")
    assert not left, left
    await until(page, "document.getElementById('i-outcome_class').value !== ''")
    await page.keyboard.press("F8")


async def answered(page: Any, selector: str) -> None:
    """Return once the page that answers a form is there, with its scripts: what it shows comes before them."""
    await page.wait_for_selector(selector)
    await page.wait_for_load_state("load")


async def test_f4_saves_and_opens_the_next_resident(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    persons = [await enrol(page, address, platform, serial, name) for serial, name in ((71, "甲先访"), (72, "乙后访"))]
    await page.goto(f"{address}/residents/{persons[0]}/followup/hypertension")
    await fill(page, VISIT)
    await page.keyboard.press("F4")
    await page.wait_for_url(f"**/followup/hypertension?told={persons[0]}")
    assert page.url.startswith(f"{address}/residents/{persons[1]}/")
    assert "甲先访 已保存" in await page.inner_text("main")
    assert await page.input_value("#i-systolic") == ""


async def test_of_two_doctors_at_one_form_the_second_is_told_and_keeps_her_entries(chromium: Any, address: str, platform: Platform) -> None:
    first, second = await signed_in(chromium, address), await signed_in(chromium, address)
    person = await enrol(first, address, platform, 73, "丙同访")
    for page in (first, second):
        await page.goto(f"{address}/residents/{person}/followup/hypertension")
    await fill(second, VISIT | {"systolic": "148/92", "other_signs": "ankle oedema"})
    await fill(first, VISIT)
    await first.keyboard.press("F2")
    await first.wait_for_url("**/residents/*told=1")
    await second.keyboard.press("F2")
    await answered(second, "[role=alert]")
    told = await second.inner_text("[role=alert]")
    assert "李医生保存了" in told and "152/96" in told and "没有丢" in told
    values = [await second.input_value(f"#i-{name}") for name in ("systolic", "diastolic", "other_signs")]
    assert values == ["148", "92", "ankle oedema"]
    await second.keyboard.press("F2")
    await second.wait_for_url("**/residents/*told=1")
    timeline = await second.inner_text("#timeline")
    assert "152/96 mmHg" in timeline and "148/92 mmHg" in timeline


async def test_an_overruled_class_stands_on_the_record_with_its_reason(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 74, "丁改判")
    await page.goto(f"{address}/residents/{person}/followup/hypertension")
    await fill(page, VISIT)
    await page.focus("#i-outcome_class")
    await page.keyboard.type("4")
    await page.keyboard.press("F2")
    await answered(page, "#s-outcome_class .bad")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.name") == "override_reason_outcome_class"
    await page.keyboard.type("new angina")
    await page.keyboard.press("F2")
    await page.wait_for_url("**/residents/*told=1")
    timeline = await page.inner_text("#timeline")
    assert "并发症" in timeline and "此次随访分类改判：new angina" in timeline


async def test_a_card_reader_finds_the_resident_from_any_page(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 75, "戊刷卡")
    number = id_number(75, "19680305")
    for path in ("/desk", "/residents/1", "/residents"):
        await page.goto(address + path)
        # At once, as a reader does: a key that comes long after the one before begins a new number.
        await asyncio.gather(*(page.keyboard.press(digit) for digit in number), page.keyboard.press("Enter"))
        await page.wait_for_url(f"**/residents/{person}")
    await page.keyboard.press("/")
    await page.wait_for_url("**/desk")
    await until(page, "document.activeElement.name === 'text'")


async def test_a_search_box_focused_in_the_middle_of_a_card_takes_what_came_before(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    await page.goto(f"{address}/desk")
    await until(page, "document.activeElement.matches('[data-search]')")
    await page.evaluate("""() => {
        const box = document.activeElement;
        box.blur();
        for (const key of '4209') document.body.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
        box.focus();
    }""")
    await page.keyboard.type("99")
    assert await page.input_value("[data-search]") == "420999"


async def test_escape_leaves_a_form_but_not_what_was_typed_without_asking(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 76, "己离开")
    asked: list[str] = []
    accepts = [False, True]

    async def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        await (dialog.accept() if accepts[len(asked) - 1] else dialog.dismiss())

    page.on("dialog", answer)
    await page.goto(f"{address}/residents/{person}/followup/hypertension")
    await page.keyboard.type("2")
    await page.keyboard.press("Escape")
    while not asked:
        await asyncio.sleep(0.05)
    await until(page, "document.getElementById('i-way').value === '2'")
    assert asked == ["beforeunload"] and "/followup/" in page.url
    await page.keyboard.press("Escape")
    await page.wait_for_url(f"**/residents/{person}")
    await page.keyboard.press("Escape")
    await page.wait_for_url("**/desk")


async def test_going_back_to_a_saved_form_records_nothing_unseen(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 77, "庚后退")
    await page.goto(f"{address}/residents/{person}/followup/hypertension")
    await fill(page, VISIT)
    await page.keyboard.press("F2")
    await page.wait_for_url("**/residents/*told=1")
    await page.go_back()
    await page.wait_for_url("**/followup/hypertension")
    await page.fill("#i-systolic", "140")
    await page.fill("#i-diastolic", "84")
    for name in ("way", "symptoms", "danger_signs", "medication_adherence", "adverse_reaction"):
        await page.fill(f"#i-{name}", VISIT[name])
    await page.keyboard.press("F8")
    await page.keyboard.press("F2")
    told = page.locator("[role=alert]").or_(page.locator("[role=status]", has_text="已保存"))
    await told.first.wait_for()
    is_refused = "没有丢" in await told.first.inner_text()
    await page.goto(f"{address}/residents/{person}")
    assert ("140/84 mmHg" in await page.inner_text("#timeline")) is not is_refused


async def test_a_pasted_line_with_an_error_stays_in_its_cells_and_the_others_are_saved(
    chromium: Any, address: str, platform: Platform
) -> None:
    page = await signed_in(chromium, address)
    persons = [await enrol(page, address, platform, serial, name) for serial, name in ((78, "辛好行"), (79, "壬坏行"))]
    await page.goto(f"{address}/chronic/batch")
    rows = [int(await one.get_attribute("value")) for one in await page.query_selector_all("[name=person]")]
    lines = ["\t"] * len(rows)
    for person, pressure in zip(persons, ("134/84", "13x/84"), strict=True):
        day = (platform.clock.today() - timedelta(days=1)).strftime("%Y%m%d")
        lines[rows.index(person)] = f"{day}\t1\t1\t1\t{pressure.replace('/', chr(9))}\t\t\t1\t1"
    await page.focus(f"[name='{rows[0]}.visit_date']")
    await page.evaluate(
        """(text) => { const data = new DataTransfer(); data.setData('text/plain', text);
        document.activeElement.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })); }""",
        "\r\n".join(lines),
    )
    await page.keyboard.press("F2")
    await answered(page, "[role=alert]")
    assert "已保存 1 人" in await page.inner_text("[role=status]")
    assert await page.input_value(f"[name='{persons[1]}.systolic']") == "13x"
    assert await page.is_visible("td.wrong .bad") and await page.evaluate("document.activeElement.name") == f"{persons[1]}.systolic"
    await page.keyboard.type("136")
    await page.keyboard.press("F2")
    await page.wait_for_selector("[role=alert]", state="detached")
    await page.goto(f"{address}/residents/{persons[1]}")
    assert "136/84 mmHg" in await page.inner_text("#timeline")
