"""A visit typed wrong is corrected, withdrawn and restored with the keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_keyboard import address, chromium, enrol, platform, signed_in, until
from tests.browser.test_visits import VISIT, fill
from xinglin.assembly import Platform

__all__ = ["address", "chromium", "platform"]
pytestmark = pytest.mark.browser


async def tab_to(page: Any, words: str) -> None:
    """Go to a link or button of the timeline by its words, with Tab."""
    for _ in range(80):
        if words in await page.evaluate("document.activeElement.closest('#timeline') ? document.activeElement.innerText : ''"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(words)


async def test_a_visit_is_corrected_withdrawn_and_restored_by_keys(chromium: Any, address: str, platform: Platform) -> None:
    page = await signed_in(chromium, address)
    person = await enrol(page, address, platform, 81, "戊更正")
    await page.goto(f"{address}/residents/{person}/followup/hypertension")
    await fill(page, VISIT)
    await page.keyboard.press("F2")
    await page.wait_for_url("**/residents/*told=1")
    await page.keyboard.press("c")
    await page.wait_for_url("**/correct")
    await until(page, "document.activeElement.name === 'change_reason'")
    assert await page.input_value("#i-systolic") == "152"
    await fill(page, {"change_reason": "digits swapped", "systolic": "125/80"})
    await until(page, "document.getElementById('i-outcome_class').value === '1'")
    await page.keyboard.press("F2")
    await page.wait_for_url("**/residents/*told=1")
    timeline = await page.inner_text("#timeline")
    assert "125/80 mmHg" in timeline and "152/96" not in timeline and "digits swapped" in timeline
    await tab_to(page, "作废")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/withdraw")
    await until(page, "document.activeElement.name === 'change_reason'")
    await page.keyboard.type("wrong record")
    await page.keyboard.press("F2")
    await page.wait_for_url("**/residents/*told=1")
    timeline = await page.inner_text("#timeline")
    assert "已作废" in timeline and "wrong record" in timeline and timeline.count("125/80") == 1
    assert "125/80 mmHg" in await page.eval_on_selector_all("#timeline .withdrawn del", "found => found.map(one => one.textContent)")
    await tab_to(page, "撤销作废")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#timeline .facts-line span:not(:has(del)) >> text=125/80")
    assert "wrong record" not in await page.inner_text("#timeline")
